"""Origins and hosts: what is taken as what it means, and what is refused."""

from __future__ import annotations

import pytest

from server.origins import host_of, is_own, origin_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example/", "https://shop.example"),
        ("HTTPS://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80/", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://shop.example:80", "https://shop.example:80"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://192.0.2.1:3000", "http://192.0.2.1:3000"),
        ("http://[2001:DB8:0::1]:3000", "http://[2001:db8::1]:3000"),
        ("https://xn--bj0bj06e.example", "https://xn--bj0bj06e.example"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_an_origin_is_what_a_browser_sends(written: str, meant: str) -> None:
    assert origin_of(written) == meant


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("https://shop.example/events", "has no path; browsers send https://shop.example alone"),
        ("https://shop.example//", "has no path"),
        ("https://shop.example?", "has no path"),
        ("https://shop.example#top", "has no path"),
        ("shop.example", "is written https://host"),
        ("//shop.example", "is written https://host"),
        ("localhost:5173", "is written https://host"),
        ("https://", "is written https://host"),
        ("https://user@shop.example", "is written https://host"),
        ("https://shop.example:", "is written https://host"),
        ("null", "is written https://host"),
        ("https://shop.example:65536", "no such port"),
        ("https://shop.example:web", "no such port"),
        ("https://[::1", "no such port or address"),
        ("https://shop example", "no such host"),
        ("https://shop..example", "no such host"),
        ("https://-shop.example", "no such host"),
        ("https://상점.example", "xn--"),
    ],
)
def test_what_is_no_origin_is_refused(written: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refusal:
        origin_of(written)
    assert written in str(refusal.value)


@pytest.mark.parametrize(("written", "meant"), [("Haru.Example", "haru.example"), ("::1", "[::1]")])
def test_a_host_is_written_in_lower_case(written: str, meant: str) -> None:
    assert host_of(written) == meant


@pytest.mark.parametrize("written", ["https://haru.example", "haru.example:8000", "haru example", "", "*", ".example"])
def test_what_is_no_host_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="without scheme and port"):
        host_of(written)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("localhost.:8000", True),
        ("haru.localhost:8000", True),
        ("haru.test", True),
        ("127.0.0.1:8000", True),
        ("192.168.0.7:8000", True),
        ("[::1]:8000", True),
        ("dev.example:8000", True),
        ("Dev.Example", True),
        ("other.example:8000", False),
        ("sub.dev.example", False),
        ("localhost.other.example", False),
        ("127.0.0.1.other.example", False),
        ("notlocalhost", False),
        ("localhost@other.example", False),
        ("other.example@localhost", False),
        ("other.example/localhost", False),
        ("[::1", False),
        ("::1", False),
        (":8000", False),
        ("", False),
    ],
)
def test_whether_a_host_is_this_machine_s_own(host: str, *, own: bool) -> None:
    assert is_own(host, frozenset({"dev.example"})) is own
