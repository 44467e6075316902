"""Sealing seeds: AES-256-GCM (NIST SP 800-38D) under keys that the database never sees.

A seal is bound to its date and commitment, which are its associated data: one that is moved to another row does not
open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class CannotUnsealError(Exception):
    """A seed cannot be unsealed; the message says why."""


class Sealed(NamedTuple):
    """A seed as it is kept until it is revealed."""

    kid: str
    nonce: bytes
    sealed: bytes


class SeedKeys:
    """The keys that seal seeds, by name. The first seals; all of them open what they sealed."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {kid: AESGCM(key) for kid, key in keys.items()}
        self.names = frozenset(keys)
        self.sealing = next(iter(keys))
        """The name of the key that seals."""

    def seal(self, date: dt.date, commitment: str, seed: bytes, nonce: bytes) -> Sealed:
        """Seal a date's seed; a nonce is NONCE_BYTES, random, and used once."""
        return Sealed(self.sealing, nonce, self._keys[self.sealing].encrypt(nonce, seed, _bound_to(date, commitment)))

    def unseal(self, date: dt.date, commitment: str, sealed: Sealed) -> bytes:
        """A date's seed. Raises: CannotUnsealError."""
        key = self._keys.get(sealed.kid)
        if key is None:
            raise CannotUnsealError(f"the seed of {date} is sealed by the key {sealed.kid}, which is not given")
        try:
            return key.decrypt(sealed.nonce, sealed.sealed, _bound_to(date, commitment))
        except InvalidTag:
            raise CannotUnsealError(
                f"the seed of {date} is sealed by another key that is called {sealed.kid}"
            ) from None


def _bound_to(date: dt.date, commitment: str) -> bytes:
    return f"{date}\n{commitment}".encode()
