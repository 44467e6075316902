"""The hash of a revision: what whoever plays it, publishes it or checks a draw knows it by.

It is the SHA-256 of the RFC 8785 form of what the revision says: every column of its row and of its parts, but ids,
what is left of stocks, and dates. So two revisions that say the same differ by their number alone, and the odds that
are shown and those that are drawn are of one immutable row. The database keeps it true (`models.revision_hashes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import rfc8785

from services.rules.drafts import columns_of
from services.rules.game import Game, Rules

Columns = Mapping[str, Any]
Content = dict[str, Any]

NOT_SAID = frozenset({"id", "hash", "published_at", "effective_from", "effective_until"})
"""Columns of a revision that are no content of it."""

NOT_SAID_OF_A_PART = frozenset({"id", "config_id", "stock_id", "stock", "initial_stock"})
"""Columns of a part, and what is known of its stock, that are no content of the revision."""


def content(game: Game[Any, Any], row: Columns, parts: Sequence[Columns]) -> Content:
    """What a revision says, as its columns and those of its parts in their order say it."""
    said = {name: value for name, value in row.items() if name not in NOT_SAID}
    if game.parts is not None:
        said[game.parts.field] = [
            {name: value for name, value in part.items() if name not in NOT_SAID_OF_A_PART}
            for part in sorted(parts, key=lambda part: part[game.parts.order])  # type: ignore[union-attr]
        ]
    return said


def content_of(game: Game[Any, Any], rules: Rules) -> Content:
    """What a revision says, as it was read."""
    parts = getattr(rules, game.parts.field) if game.parts is not None else ()
    return content(game, columns_of(rules), [columns_of(part) for part in parts])


def hash_of(said: Content) -> str:
    """The hash of what a revision says: 64 hexadecimal digits."""
    return sha256(rfc8785.dumps(said)).hexdigest()
