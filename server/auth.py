"""Access tokens: HS256 JSON Web Tokens, checked after RFC 8725 (https://www.rfc-editor.org/rfc/rfc8725).

One algorithm, a key named by `kid`, every claim required and checked. All failures look alike from outside.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import jwt

from models import Role
from schema.context import AccessToken, Principal
from server.http import Headers
from services.calendar import Clock
from services.errors import Unauthenticated

MAX_TOKEN_BYTES = 8 * 1024
MAX_LIFETIME_SECONDS = 24 * 3600
CLOCK_SKEW_SECONDS = 60
CACHED_TOKENS = 10_000
CLAIMS = ("sub", "role", "iat", "exp", "iss", "aud")
SUBJECT = re.compile(r"[1-9][0-9]{0,18}")
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
MAX_PLAYER_ID = 2**63 - 1


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
        self._known: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    def issue(self, player_id: int, role: Role) -> AccessToken:
        """Sign a token for a player; it is good until `expires_at`."""
        now = self._clock().replace(microsecond=0)
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
        self._known[token] = (principal, expires_at)
        if len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)
        return principal

    def _check(self, token: str, now: float) -> tuple[Principal, float]:
        if len(token) > MAX_TOKEN_BYTES or not COMPACT.fullmatch(token):
            raise Unauthenticated
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "HS256" or header.get("typ") != "JWT" or "crit" in header:
                raise Unauthenticated
            # The clock is ours: all times are compared below.
            options: Any = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf"), False)
            options |= {"require": list(CLAIMS), "strict_aud": True}
            claims = jwt.decode(
                token,
                self._secrets[header["kid"]],
                algorithms=["HS256"],
                issuer=self._issuer,
                audience=self._audience,
                options=options,
            )
            return _principal(claims, now), float(claims["exp"])
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise Unauthenticated from None


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
    if not SUBJECT.fullmatch(subject) or int(subject) > MAX_PLAYER_ID:
        raise Unauthenticated
    return Principal(int(subject), Role(claims["role"]), float(expires))
