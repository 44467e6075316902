"""Access tokens, after RFC 8725: whatever is wrong with one, it is refused alike."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import Role
from schema.context import Principal
from server.auth import CACHED_HEADERS, CACHED_TOKENS, MAX_TOKEN_BYTES, Tokens, key_id
from services.request_errors import Unauthenticated
from tests.unit.rules import NOW

SECRET, OTHER = "s" * 32, "o" * 48
HASHES: dict[str, Callable[..., Any]] = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["a new header", "a known header"])
def tokens(request: pytest.FixtureRequest, clock: Clock) -> Tokens:
    """Tokens checked by PyJWT, and those checked by haru: whatever is expected here is expected of both."""
    made = make(clock, SECRET)
    if request.param == "a known header":
        made.verify(sign(HEADER, CLAIMS | {"pad": "another token"}))
        made.verify(made.issue(PLAYER, Role.PLAYER).text)
    return made


def make(clock: Clock, *secrets: str, **changes: Any) -> Tokens:
    options: dict[str, Any] = {"issuer": "haru", "audience": "haru", "lifetime_seconds": 3600, "clock": clock}
    return Tokens(secrets, **options | changes)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(header: Any, claims: Any, secret: str = SECRET, algorithm: str = "HS256") -> str:
    """A token made by hand, with whatever is in it. `bytes` are taken as they are."""
    parts = [base64url(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, claims)]
    signed = ".".join(parts)
    if algorithm == "none":
        return f"{signed}."
    return f"{signed}.{base64url(hmac.new(secret.encode(), signed.encode(), HASHES[algorithm]).digest())}"


HEADER = {"alg": "HS256", "typ": "JWT", "kid": key_id(SECRET)}
SECONDS = int(NOW.timestamp())
PLAYER = UUID("5f0c3b1e-8a57-4f0e-9d6c-2b7a1c4e9f30")
CLAIMS = {"sub": str(PLAYER), "role": "PLAYER", "iat": SECONDS, "exp": SECONDS + 3600, "iss": "haru", "aud": "haru"}


def refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        tokens.verify(token)
    assert refusal.value.message == Unauthenticated().message  # all failures alike
    assert refusal.value.__cause__ is None


def test_what_is_issued_is_accepted(tokens: Tokens) -> None:
    for role in Role:
        issued = tokens.issue(PLAYER, role)
        assert tokens.verify(issued.text) == Principal(PLAYER, role)
        assert issued.expires_at == NOW + dt.timedelta(hours=1)
    assert tokens.verify(sign(HEADER, CLAIMS)) == Principal(PLAYER, Role.PLAYER)


def test_tokens_tell_whole_seconds_and_are_never_older_than_a_revocation(clock: Clock, tokens: Tokens) -> None:
    clock.now = NOW + dt.timedelta(microseconds=999_999)
    for valid_from, issued in ((None, NOW), (NOW - dt.timedelta(1), NOW), (NOW + dt.timedelta(seconds=1),) * 2):
        token = tokens.issue(PLAYER, Role.PLAYER, valid_from)
        assert token.expires_at == issued + dt.timedelta(hours=1)
        found = tokens.verify(token.text)
        assert (found.issued_at, found.expires_at) == (issued.timestamp(), token.expires_at.timestamp())


def test_a_key_is_named_by_the_start_of_its_hash() -> None:
    """Operators find it by `sha256sum`."""
    assert key_id("s" * 32) == "8fd6a6a78f5857d7"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512", "RS256", "ES256", "", None, 1, ["HS256"]])
def test_one_algorithm_is_accepted(tokens: Tokens, algorithm: Any) -> None:
    header = HEADER | {"alg": algorithm}
    for signed_with in ("HS256", "HS384", "HS512", "none"):
        refused(tokens, sign(header, CLAIMS, algorithm=signed_with))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "kid": key_id(SECRET)},
        HEADER | {"typ": "at+jwt"},
        HEADER | {"typ": "JWS"},
        HEADER | {"typ": None},
        HEADER | {"typ": ["JWT"]},
        HEADER | {"crit": ["exp"]},
        HEADER | {"crit": []},
        HEADER | {"crit": ["b64"], "b64": False},
        HEADER | {"b64": False},
        {"alg": "HS256", "typ": "JWT"},
        HEADER | {"kid": "unknown"},
        HEADER | {"kid": None},
        HEADER | {"kid": {}},
        HEADER | {"kid": 5},
        HEADER | {"kid": key_id(OTHER)},
        {"typ": "JWT", "kid": key_id(SECRET)},
        {},
        [],
        "JWT",
        None,
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"a":' * 1000,
    ],
    ids=lambda header: str(header)[:40],
)
def test_a_header_is_checked(tokens: Tokens, header: Any) -> None:
    refused(tokens, sign(header, CLAIMS))


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_required(tokens: Tokens, claim: str) -> None:
    refused(tokens, sign(HEADER, {name: value for name, value in CLAIMS.items() if name != claim}))
    values: list[Any] = [None, [], {}, True, ""]
    for value in values:
        refused(tokens, sign(HEADER, CLAIMS | {claim: value}))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": SECONDS + 3600.0},
        {"exp": str(SECONDS + 3600)},
        {"exp": SECONDS},
        {"exp": SECONDS - 1},
        {"exp": -1},
        {"exp": 10**400},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": SECONDS + 86_401},
        {"iat": SECONDS + 0.5},
        {"iat": str(SECONDS)},
        {"iat": SECONDS + 61},
        {"iat": SECONDS + 30, "exp": SECONDS + 30},
        {"iat": SECONDS + 3600},
        {"iat": SECONDS - 86_400},
        {"iss": "haru "},
        {"iss": "Haru"},
        {"iss": ["haru"]},
        {"aud": "other"},
        {"aud": ["haru"]},
        {"aud": ["haru", "other"]},
        {"aud": {"haru": 1}},
        {"sub": 7},
        {"sub": "7"},
        {"sub": str(PLAYER).upper()},
        {"sub": PLAYER.hex},
        {"sub": f"{{{PLAYER}}}"},
        {"sub": f"urn:uuid:{PLAYER}"},
        {"sub": f"{PLAYER} "},
        {"sub": f"{PLAYER}\n"},
        {"sub": str(PLAYER)[:-1]},
        {"sub": str(PLAYER)[:-1] + "g"},
        {"sub": str(PLAYER)[:-1] + "\u0667"},
        {"sub": "9" * 400},
        {"role": "player"},
        {"role": "ROOT"},
        {"role": ["ADMIN"]},
        {"role": "PLAYER "},
        {"nbf": SECONDS + 100},
        {"nbf": "now"},
    ],
    ids=lambda claims: str(claims)[:40],
)
def test_a_claim_is_checked(tokens: Tokens, claims: Any) -> None:
    refused(tokens, sign(HEADER, CLAIMS | claims))


@pytest.mark.parametrize("claims", [b"", b"{", b"[]", b"null", b"1", b"\xff", b'"x"', b"[" * 5000, b'{"a":' * 1000])
def test_claims_are_an_object(tokens: Tokens, claims: bytes) -> None:
    refused(tokens, sign(HEADER, claims))


def test_a_clock_may_be_a_minute_off(tokens: Tokens) -> None:
    assert tokens.verify(sign(HEADER, CLAIMS | {"iat": SECONDS + 60})).player_id == PLAYER
    assert tokens.verify(sign(HEADER, CLAIMS | {"exp": SECONDS + 86_400})).player_id == PLAYER
    assert tokens.verify(sign(HEADER, CLAIMS | {"exp": SECONDS + 1})).player_id == PLAYER
    assert tokens.verify(sign(HEADER, CLAIMS | {"iat": SECONDS + 30, "exp": SECONDS + 31})).player_id == PLAYER


def test_keys_are_rotated_two_at_a_time(clock: Clock) -> None:
    before, during, after = make(clock, SECRET), make(clock, OTHER, SECRET), make(clock, OTHER)
    old, new = before.issue(PLAYER, Role.PLAYER).text, during.issue(PLAYER, Role.PLAYER).text
    assert during.verify(old) == during.verify(new) == after.verify(new) == Principal(PLAYER, Role.PLAYER)
    refused(before, new)
    refused(after, old)
    # The kid chooses the key: a signature of the other one does not count.
    refused(during, sign(HEADER, CLAIMS, OTHER))
    refused(during, sign(HEADER | {"kid": key_id(OTHER)}, CLAIMS, SECRET))


def test_other_servers_tokens_are_refused(clock: Clock, tokens: Tokens) -> None:
    for other in (make(clock, SECRET, issuer="stage"), make(clock, SECRET, audience="stage"), make(clock, OTHER)):
        refused(tokens, other.issue(PLAYER, Role.ADMIN).text)


def test_what_is_not_compact_is_refused(tokens: Tokens) -> None:
    good = sign(HEADER, CLAIMS)
    head, body, signature = good.split(".")
    last = "A" if signature[0] != "A" else "B"
    for token in (
        "",
        ".",
        "..",
        "a.b.c",
        good + "=",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{good}.{signature}",
        f"{head}.{body}.{last}{signature[1:]}",
        good + "\n",
        " " + good,
        good[:10] + " " + good[10:],
        good.replace(".", "\u2024"),
        good + "\u00e9",
        good + "\x00",
    ):
        refused(tokens, token)


def test_a_token_has_at_most_8_kib(tokens: Tokens) -> None:
    def padded(size: int) -> str:
        return sign(HEADER, CLAIMS | {"pad": "x" * size})

    size = next(size for size in range(5_000, 7_000) if len(padded(size)) > MAX_TOKEN_BYTES)
    assert tokens.verify(padded(size - 1)).player_id == PLAYER
    refused(tokens, padded(size))


def bearer(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"haru"), *((b"authorization", value.encode("utf-8")) for value in values)]


def test_a_header_names_the_bearer(tokens: Tokens) -> None:
    good = sign(HEADER, CLAIMS)
    assert tokens.authenticate([]) is None
    assert tokens.authenticate([(b"x-authorization", good.encode())]) is None
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert tokens.authenticate(bearer(f"{scheme} {good}")) == Principal(PLAYER, Role.PLAYER)
    assert tokens.authenticate(bearer(f"Bearer  {good} ")) == Principal(PLAYER, Role.PLAYER)
    for values in (
        (f"Bearer {good}", f"Bearer {good}"),
        (f"Bearer {good}", ""),
        (good,),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        (f"Basic {good}",),
        (f"Bearer {good}, Bearer {good}",),
        (f"Bearer {good} {good}",),
        ("Bearer é",),
    ):
        with pytest.raises(Unauthenticated):
            tokens.authenticate(bearer(*values))


def test_a_token_that_was_accepted_expires_all_the_same(clock: Clock, tokens: Tokens) -> None:
    token = tokens.issue(PLAYER, Role.PLAYER).text
    for _ in range(3):
        assert tokens.verify(token).player_id == PLAYER
    clock.now = NOW + dt.timedelta(seconds=3600) - dt.timedelta(microseconds=1)
    assert tokens.verify(token).player_id == PLAYER
    clock.now = NOW + dt.timedelta(seconds=3600)
    for _ in range(2):
        refused(tokens, token)


def test_a_refused_token_is_not_remembered(clock: Clock, tokens: Tokens) -> None:
    token = sign(HEADER, CLAIMS | {"iat": SECONDS + 120})
    refused(tokens, token)
    clock.now = NOW + dt.timedelta(seconds=60)
    assert tokens.verify(token).player_id == PLAYER


CLAIM = st.sampled_from([*CLAIMS, "jti", "nbf", "pad"])
VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.just([]),
    st.just({}),
    st.sampled_from([SECONDS, SECONDS + 3600, "haru", "ADMIN", str(PLAYER)]),
)
PAYLOAD = st.one_of(
    st.dictionaries(CLAIM, VALUE, max_size=3).map(lambda changes: json.dumps(CLAIMS | changes).encode()),
    st.binary(max_size=80),
    st.sampled_from(["utf-16", "utf-32", "utf-8-sig"]).map(lambda encoding: json.dumps(CLAIMS).encode(encoding)),
    st.sampled_from(['{"iat": 1, %s', " %s ", "[%s]", '{"pad": NaN, %s', "%s,"]).map(
        lambda form: (form % json.dumps(CLAIMS)[1 if "{" in form else 0 :]).encode()
    ),
)


@settings(max_examples=400, deadline=None)
@given(
    payload=PAYLOAD,
    secret=st.sampled_from([SECRET, SECRET, SECRET, OTHER]),
    cut=st.integers(0, 3),
    last=st.sampled_from(["", "A", "_", "-", "=", "."]),
)
def test_a_known_header_changes_no_answer(payload: bytes, secret: str, cut: int, last: str) -> None:
    clock = Clock()
    fresh, warmed = make(clock, SECRET), make(clock, SECRET)
    warmed.verify(sign(HEADER, CLAIMS))
    token = sign(HEADER, payload, secret)
    token = token[: len(token) - cut] + last

    def answer(tokens: Tokens) -> Principal | None:
        try:
            return tokens.verify(token)
        except Unauthenticated:
            return None

    assert answer(fresh) == answer(warmed)


def test_a_header_is_known_once_a_token_with_it_has_passed(clock: Clock) -> None:
    tokens = make(clock, SECRET)
    refused(tokens, sign(HEADER, CLAIMS, OTHER))
    refused(tokens, sign(HEADER, CLAIMS | {"role": "ROOT"}))
    assert len(tokens._headers) == 0
    for number in range(200):
        tokens.verify(sign(HEADER | {"pad": number}, CLAIMS))
    assert len(tokens._headers) == CACHED_HEADERS


def test_few_tokens_are_remembered(tokens: Tokens) -> None:
    for number in range(1, CACHED_TOKENS + 10):
        tokens.verify(tokens.issue(UUID(int=number), Role.PLAYER).text)
    assert len(tokens._known) == CACHED_TOKENS
