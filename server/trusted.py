"""The list of trusted documents that a client's build writes.

GraphQL Code Generator's and Relay's persisted documents are a JSON object of texts by id; Apollo's is a manifest.
"""

from __future__ import annotations

from pathlib import Path

import msgspec


class _Operation(msgspec.Struct):
    id: str
    body: str


class _Manifest(msgspec.Struct):
    """https://www.apollographql.com/docs/graphos/platform/security/persisted-queries."""

    operations: list[_Operation]


def read_documents(path: Path) -> dict[str, str]:
    """The trusted documents of a file, by id: a JSON object of texts, or Apollo's manifest.

    Raises: ValueError, which says what is wrong with the file.
    """
    try:
        content = path.read_bytes()
        if isinstance(found := msgspec.json.decode(content), dict) and "operations" in found:
            return {one.id: one.body for one in msgspec.convert(found, _Manifest).operations}
        return msgspec.convert(found, dict[str, str])
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is neither a JSON object of documents by id nor Apollo's manifest: {error}") from None
