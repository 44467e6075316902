"""Which text a request runs: the one it carries, one it registered before, or one of those that are trusted.

Automatic persisted queries, as Apollo and urql do them: the client sends a document's SHA-256 alone; where it is
unknown the answer is PERSISTED_QUERY_NOT_FOUND and the client sends hash and text together, once. The store is bounded
and takes only texts that passed every check, under the hash that was computed here.

Trusted documents: with a list of them (`server.trusted` reads it), nothing else runs. They are chosen by their
id, or by their very text.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from server.wire import bad_request
from services.recent import RecentlyUsed

SHA256_LENGTH = 64
NOT_FOUND = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
"""The very words that Apollo and urql look for; a step of their protocol, not an error that a person meets."""


class PersistedQueryNotFound(Exception):
    """No text is registered under this hash; the client is to send it along."""


class PersistedDocuments:
    """Chooses the text of a request's document."""

    def __init__(self, *, size: int, trusted: Mapping[str, str] | None) -> None:
        """Keep at most `size` registered texts; with `trusted`, a text by id, serve those alone."""
        self.registered: RecentlyUsed[str, str] = RecentlyUsed(size)
        self.trusted = trusted
        self.trusted_texts = frozenset(trusted.values()) if trusted is not None else frozenset()

    def text(self, request: Mapping[str, Any]) -> tuple[str, str | None]:
        """Choose the text to run, and the hash to register it under once it has proved valid.

        Raises: Refused (400) without a document or with a hash of another one, PersistedQueryNotFound.
        """
        query, digest = request.get("query") or None, self._hash(request)
        if self.trusted is not None:
            return self._trusted(query, request.get("documentId") or digest), None
        if digest is not None and len(digest) != SHA256_LENGTH:
            raise bad_request(f"The persisted query's sha256Hash must be {SHA256_LENGTH} hexadecimal digits.")
        if digest is None:
            if query is None:
                raise bad_request("The request needs a 'query'.")
            return query, None
        if query is None:
            text = self.registered.get(digest)
            if text is None:
                raise PersistedQueryNotFound
            return text, None
        if sha256(query.encode()).hexdigest() != digest:
            raise bad_request("The persisted query's sha256Hash is not that of the query.")
        return query, digest

    def register(self, digest: str, text: str) -> None:
        """Keep a valid text under its hash."""
        self.registered.put(digest, text)

    def _trusted(self, query: str | None, identifier: object) -> str:
        trusted = self.trusted or {}
        if isinstance(identifier, str):
            text = trusted.get(identifier) or trusted.get(identifier.removeprefix("sha256:"))
            if text is not None and query in (None, text):
                return text
        if query is not None and query in self.trusted_texts:
            return query
        raise bad_request("Only trusted documents are served here.")

    def _hash(self, request: Mapping[str, Any]) -> str | None:
        extensions = request.get("extensions") or {}
        persisted = extensions.get("persistedQuery")
        if persisted is None:
            return None
        if not isinstance(persisted, dict) or persisted.get("version") != 1:
            raise bad_request("Only version 1 of persisted queries is served.")
        digest = persisted.get("sha256Hash")
        if not isinstance(digest, str):
            raise bad_request("The persisted query's sha256Hash must be a string.")
        return digest.lower()
