"""Access tokens: HS256 JSON Web Tokens, checked after RFC 8725 (https://www.rfc-editor.org/rfc/rfc8725).

One algorithm, a key named by `kid`, every claim required and checked. All failures look alike from outside.

PyJWT checks a token whose header is new. Headers of tokens are few, and once one has passed, all that is left of those
that begin with it is a signature and claims: a fifth of the work, and the same answers (tests compare the two).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import jwt
from jwt.utils import base64url_decode

from models import Role
from schema.context import AccessToken, Principal
from server.settings import Settings
from server.wire import Headers
from services.calendar import Clock
from services.recent import RecentlyUsed
from services.request_errors import Unauthenticated
from services.rules.standing import LONGEST_TOKEN_SECONDS

MAX_TOKEN_BYTES = 8 * 1024
MAX_LIFETIME_SECONDS = LONGEST_TOKEN_SECONDS
CLOCK_SKEW_SECONDS = 60
CACHED_TOKENS = 10_000
CACHED_HEADERS = 64
CLAIMS = ("sub", "role", "iat", "exp", "iss", "aud")
SUBJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def key_id(secret: str) -> str:
    """The `kid` of a secret: the start of its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


class Tokens:
    """Signs tokens with the first secret, and accepts those of every secret, so that keys can be rotated."""

    def __init__(
        self, secrets: Sequence[str], *, issuer: str, audience: str, lifetime_seconds: int, clock: Clock
    ) -> None:
        self._secrets = {key_id(secret): secret for secret in secrets}
        self._signing = key_id(secrets[0])
        self._issuer = issuer
        self._audience = audience
        self._lifetime = dt.timedelta(seconds=lifetime_seconds)
        self._clock = clock
        self._known: RecentlyUsed[str, tuple[Principal, float]] = RecentlyUsed(CACHED_TOKENS)
        self._headers: RecentlyUsed[str, bytes] = RecentlyUsed(CACHED_HEADERS)
        """The first parts of tokens that PyJWT has accepted, and the secrets that they name."""

    def issue(self, player_id: UUID, role: Role, valid_from: dt.datetime | None = None) -> AccessToken:
        """Sign a token for a player; it is good until `expires_at`.

        Tokens tell in whole seconds when they were issued. One that follows upon a revocation within the second is
        of `valid_from`, the next second, so that it is told apart from those that were revoked.
        """
        now = self._clock().replace(microsecond=0)
        now = max(now, valid_from or now)
        expires_at = now + self._lifetime
        claims = {
            "sub": str(player_id),
            "role": role.value,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "iss": self._issuer,
            "aud": self._audience,
        }
        secret = self._secrets[self._signing]
        headers = {"kid": self._signing, "typ": "JWT"}
        return AccessToken(jwt.encode(claims, secret, algorithm="HS256", headers=headers), expires_at)

    def authenticate(self, headers: Headers) -> Principal | None:
        """Who asks, by the Authorization header; None without one.

        Raises: Unauthenticated when there is one and it does not hold a valid token.
        """
        values = [value for name, value in headers if name == b"authorization"]
        if not values:
            return None
        scheme, _, token = values[0].decode("latin-1").partition(" ")
        if len(values) > 1 or scheme.lower() != "bearer":
            raise Unauthenticated
        return self.verify(token.strip())

    def verify(self, token: str) -> Principal:
        """Whom a valid token names.

        Raises: Unauthenticated, whatever is wrong with it.
        """
        now = self._clock().timestamp()
        known = self._known.get(token)
        if known is not None and now < known[1]:
            return known[0]
        principal, expires_at = self._check(token, now)
        self._known.put(token, (principal, expires_at))
        return principal

    def _check(self, token: str, now: float) -> tuple[Principal, float]:
        if len(token) > MAX_TOKEN_BYTES or not COMPACT.fullmatch(token):
            raise Unauthenticated
        header, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        try:
            secret = self._headers.get(header)
            if secret is None:
                claims, secret = self._decode(token)
            else:
                claims = self._decode_known(secret, f"{header}.{payload}", payload, signature)
            checked = _principal(claims, now), float(claims["exp"])
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError):
            raise Unauthenticated from None
        self._headers.put(header, secret)
        return checked

    def _decode(self, token: str) -> tuple[dict[str, Any], bytes]:
        """The claims of a token, and its secret. Raises: Unauthenticated, and what PyJWT raises."""
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "HS256" or header.get("typ") != "JWT" or "crit" in header:
            raise Unauthenticated
        secret = self._secrets[header["kid"]]
        # The clock is ours: all times are compared below.
        options: Any = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf"), False)
        options |= {"require": list(CLAIMS), "strict_aud": True}
        claims = jwt.decode(
            token, secret, algorithms=["HS256"], issuer=self._issuer, audience=self._audience, options=options
        )
        return claims, secret.encode()

    def _decode_known(self, secret: bytes, signed: str, payload: str, signature: str) -> dict[str, Any]:
        """The same for a token whose header PyJWT has accepted.

        Raises: Unauthenticated, KeyError where a claim is missing, ValueError, RecursionError.
        """
        if not hmac.compare_digest(hmac.digest(secret, signed.encode(), "sha256"), base64url_decode(signature)):
            raise Unauthenticated
        claims = json.loads(base64url_decode(payload))
        if not isinstance(claims, dict):
            raise Unauthenticated
        is_ours = claims["iss"] == self._issuer and claims["aud"] == self._audience != ""
        if not is_ours or not isinstance(claims["sub"], str) or not isinstance(claims.get("jti", ""), str):
            raise Unauthenticated
        return claims


def tokens_of(settings: Settings, clock: Clock) -> Tokens:
    """The tokens of a server with these settings."""
    return Tokens(
        settings.secrets,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        lifetime_seconds=settings.token_seconds,
        clock=clock,
    )


def _principal(claims: dict[str, Any], now: float) -> Principal:
    """Whom the claims name. Raises: Unauthenticated, ValueError, TypeError when one of them is off."""
    subject, issued, expires = claims["sub"], claims["iat"], claims["exp"]
    not_before = claims.get("nbf", issued)
    if type(issued) is not int or type(expires) is not int or type(not_before) is not int:
        raise Unauthenticated
    if (
        not max(issued, not_before) - CLOCK_SKEW_SECONDS <= now < expires
        or not 0 < expires - issued <= MAX_LIFETIME_SECONDS
    ):
        raise Unauthenticated
    if not SUBJECT.fullmatch(subject):
        raise Unauthenticated
    return Principal(UUID(subject), Role(claims["role"]), float(expires), float(issued))
