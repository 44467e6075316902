"""What browsers call a place: the origin of a page, the name of a host.

An origin is what a browser sends in `Origin`, to the letter (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin):
scheme, host and port in lower case, without a default port, without a path. What a person writes is taken as what it
means, or refused.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*\.?")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'+.^_`|~-]+")
"""A field name of HTTP, without the `*` that would stand for all of them."""

OWN = ("localhost", "test")
"""Names, and what is below them, that nobody else can have: https://www.rfc-editor.org/rfc/rfc6761."""


def origin_of(text: str) -> str:
    """The origin that `text` means: `HTTPS://Shop.example:443/` is `https://shop.example`.

    Raises: ValueError, which says what is wrong, unless there is one that it can mean.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{text}: no such port or address") from None
    if not parts.scheme or not parts.hostname or "@" in parts.netloc or parts.netloc.endswith(":"):
        raise ValueError(f"{text}: an origin is written https://host or https://host:port")
    if parts.path not in {"", "/"} or "?" in text or "#" in text:
        raise ValueError(f"{text}: an origin has no path; browsers send {parts.scheme}://{parts.netloc} alone")
    host = _host(parts.hostname)
    if host is None:
        raise ValueError(f"{text}: no such host; names in other letters are written as browsers send them, xn--...")
    return f"{parts.scheme}://{host}" + ("" if port in {None, DEFAULT_PORTS.get(parts.scheme)} else f":{port}")


def host_of(text: str) -> str:
    """A host's name in lower case. Raises: ValueError, which says what is wrong."""
    host = _host(text.lower())
    if host is None:
        raise ValueError(f"{text}: a host is written host.example, without scheme and port")
    return host


def _host(name: str) -> str | None:
    """A host as browsers write it, or None where it is none."""
    address = _address(name)
    if isinstance(address, IPv6Address):
        return f"[{address.compressed}]"
    return name if HOST.fullmatch(name) else None


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def is_own(host: str, names: frozenset[str]) -> bool:
    """Whether a `Host` header cannot be that of somebody else's name for this machine (DNS rebinding).

    An address is nobody's name, and of names there are `OWN` and those of `names`.
    """
    try:
        parts = urlsplit(f"//{host}")
    except ValueError:  # a bracket that is not closed
        return False
    name = (parts.hostname or "").removesuffix(".")
    if parts.path or "@" in parts.netloc or not name:
        return False
    return _address(name) is not None or name in names or name.rpartition(".")[2] in OWN
