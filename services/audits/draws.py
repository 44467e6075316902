"""Draws: what was drawn means what the log says, comes from the day's seed, and is under the day's root.

The messages of draws are made here once more, in SQL, as docs/verify.md describes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

from models import LEAVES_OF_A_CHUNK, DrawLeaves, DrawRoot, LotteryDay, LotteryLog
from services.audits.check import Finding, Snapshot, check, of_games, query, row_of
from services.rules.draws import NO_DRAWS, Stream, key_of, roll
from services.rules.game import Game
from services.rules.merkle import Tree, root_of
from services.rules.registry import GAMES


def _message(game: Game[Any, Any]) -> str:
    """The message of a draw `g` of a game by the revision `c`."""
    return f"""concat_ws(E'\\n', 'haru draw 1', g.business_date, '{game.operation}', c.hash, g.user_id, g.play_no)"""


def _meant(game: Game[Any, Any]) -> str:
    """Rows of a log whose rolls mean something else, or were not drawn from what the revision says."""
    head = (
        f"SELECT {row_of(game.log, 'g')}, format('drew %s from %s, which means something else', g.rolls, g.drawn_from)"
    )
    if game.parts is None:
        dice = "g.user_dice_1 - 1, g.user_dice_2 - 1, g.dealer_dice_1 - 1, g.dealer_dice_2 - 1"
        return f"""{head} AS fault FROM {game.log.__tablename__} g
        WHERE g.created_at >= :since
            AND (g.drawn_from <> '{{6,6,6,6}}' OR g.rolls <> CAST(ARRAY[{dice}] AS integer[]))"""
    part, order = game.parts.table.__tablename__, game.parts.order
    # What is sold out, or not active, is drawn with weight 0; whether it was sold out, a day's transcript shows.
    fits = "d.weight IN (0, w.weight)" if game.parts.is_stocked else "d.weight = w.weight"
    return f"""{head} AS fault
    FROM {game.log.__tablename__} g JOIN {part} r ON r.config_id = g.config_id AND r.id = g.{game.parts.log_column}
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(d.weight) FILTER (WHERE d.place <= r.{order}), 0) AS below,
            coalesce(sum(d.weight) FILTER (WHERE d.place <= r.{order} + 1), 0) AS above,
            coalesce(bool_and({fits}), false) AS fits
        FROM unnest(g.drawn_from) WITH ORDINALITY AS d(weight, place)
        FULL JOIN (
            SELECT p.weight, p.{order} + 1 AS place FROM {part} p WHERE p.config_id = g.config_id
        ) w USING (place)
    ) t
    WHERE g.created_at >= :since
        AND (cardinality(g.rolls) <> 1 OR g.rolls[1] < t.below OR g.rolls[1] >= t.above OR NOT t.fits)"""


@query
def outcomes() -> str:
    """What was drawn is what the integers mean that were drawn, from the weights that the revision says."""
    return of_games(_meant)


REVEALED = """
SELECT s.date, s.seed, coalesce(r.root, '') AS shuffle
FROM draw_seed s LEFT JOIN draw_root r ON r.date = s.date - 2
WHERE s.seed IS NOT NULL AND s.revealed_at >= :since ORDER BY s.date
"""

DRAWN = of_games(
    lambda game: (
        f"""
    SELECT '{game.feature}' AS feature, g.user_id, g.id, {_message(game)} AS message, g.drawn_from, g.rolls
    FROM {game.log.__tablename__} g JOIN {game.config.__tablename__} c ON c.id = g.config_id
    WHERE g.business_date = :date"""
    )
)


@check
async def seeds(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """Once a day's seed is revealed: what was drawn is what the seed draws, the day being shuffled as it was."""
    days = [(row.date, key_of(row.date, row.seed, row.shuffle)) async for row in snapshot.rows(REVEALED)]
    for date, key in days:
        async for row in snapshot.rows(DRAWN, date=date):
            game = GAMES[row.feature]
            due = roll(Stream(key, row.message), game.bounds(row.drawn_from))
            if row.rolls != due:
                row_key = {"id": str(row.id), "user_id": str(row.user_id)}
                yield Finding(game.log.__tablename__, row_key, f"drew {row.rolls}; the seed draws {due}")


def _leaves(game: Game[Any, Any]) -> str:
    """The leaves of a game's draws, by date."""
    leaf = f"convert_to(concat_ws(E'\\n', {_message(game)}, array_to_string(g.rolls, ',')), 'UTF8')"
    return f"""SELECT g.business_date, sha256(decode('00', 'hex') || {leaf}) AS leaf
    FROM {game.log.__tablename__} g JOIN {game.config.__tablename__} c ON c.id = g.config_id"""


LEAVES = f"""
SELECT r.date, r.root, r.draws, d.leaf FROM draw_root r LEFT JOIN ({of_games(_leaves)}) d ON d.business_date = r.date
WHERE r.made_at >= :since ORDER BY r.date, d.leaf
"""

KEPT = """
SELECT r.date, r.root, r.draws, l.chunk, l.leaves, l.root AS root_of_chunk
FROM draw_root r LEFT JOIN draw_leaves l ON l.date = r.date WHERE r.made_at >= :since ORDER BY r.date, l.chunk
"""


class _Day:
    """A day's draws as they go by, in the order of their leaves."""

    def __init__(self, date: dt.date, root: str, draws: int) -> None:
        self.date, self._root, self._draws, self._tree = date, root, draws, Tree()

    def add(self, leaf: bytes | None) -> list[Finding]:
        """Take the next draw, if there is one; nothing is wrong with it yet."""
        if leaf is not None:
            self._tree.add(leaf)
        return []

    def findings(self) -> list[Finding]:
        """Whether they are those of the root."""
        root = self._tree.root().hex() if self._tree.size else NO_DRAWS
        if (root, self._tree.size) == (self._root, self._draws):
            return []
        fault = f"is {self._root!r} of {self._draws} draws; the logs have {self._tree.size}, with {root!r}"
        return [Finding(DrawRoot.__tablename__, {"date": str(self.date)}, fault)]


class _KeptDay:
    """What is kept of a day's tree as it goes by, a chunk at a time."""

    def __init__(self, date: dt.date, root: str, draws: int) -> None:
        self.date, self._root, self._draws, self._tree = date, root, draws, Tree()
        self._greatest, self._is_whole = b"", True

    def add(self, chunk: int | None, packed: bytes, root: bytes) -> list[Finding]:
        """Whether the next chunk, if there is one, is what it has to be."""
        if chunk is None or (fault := self._fault(chunk, packed, root)) is None:
            return []
        self._is_whole = False
        return [Finding(DrawLeaves.__tablename__, {"date": str(self.date), "chunk": chunk}, fault)]

    def _fault(self, chunk: int, packed: bytes, root: bytes) -> str | None:
        number, leaves = self._tree.size, [packed[at : at + 32] for at in range(0, len(packed), 32)]
        ascending = [self._greatest, *leaves]
        self._tree.add(root)
        self._greatest = ascending[-1]
        due = min(LEAVES_OF_A_CHUNK, self._draws - number * LEAVES_OF_A_CHUNK)
        if (chunk, len(leaves)) != (number, due):
            return f"has {len(leaves)} leaves; of {self._draws} draws, chunk {number} is due, with {due}"
        if any(left >= right for left, right in pairwise(ascending)):
            return "has leaves that do not ascend"
        return None if root_of(leaves) == root else "has another root than its leaves"

    def findings(self) -> list[Finding]:
        """Whether the chunks, each whole, make the day's root."""
        root = self._tree.root().hex() if self._tree.size else NO_DRAWS
        if not self._is_whole or root == self._root:
            return []
        fault = f"is {self._root!r}; the leaves that are kept make {root!r}"
        return [Finding(DrawRoot.__tablename__, {"date": str(self.date)}, fault)]


async def _by_day(rows: AsyncIterator[Any], of_day: type[_Day | _KeptDay]) -> AsyncIterator[Finding]:
    """What is found of days whose rows begin with the date, the root and the number of draws."""
    day: Any = None
    async for date, root, draws, *row in rows:
        if day is None or day.date != date:
            for finding in day.findings() if day else ():
                yield finding
            day = of_day(date, root, draws)
        for finding in day.add(*row):
            yield finding
    for finding in day.findings() if day else ():
        yield finding


@check
def roots(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """A day's root is that of all its draws, and of no other."""
    return _by_day(snapshot.rows(LEAVES), _Day)


@check
def leaves(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """The leaves that are kept of a day, by which a draw's place in it is shown, make its root."""
    return _by_day(snapshot.rows(KEPT), _KeptDay)


@query
def numbers() -> str:
    """A day's draws of the lottery are numbered 1, 2, 3 and so on, without a gap, and the day knows how many."""
    return f"""
    SELECT {row_of(LotteryLog, "g")}, format('is draw %s of %s, and follows draw %s', draw_no, business_date, before)
        AS fault
    FROM (SELECT user_id, id, business_date, draw_no, created_at, lag(draw_no, 1, 0::bigint)
              OVER (PARTITION BY business_date ORDER BY draw_no) AS before FROM lottery_log) g
    WHERE g.draw_no <> g.before + 1 AND g.created_at >= :since
    UNION ALL
    SELECT {row_of(LotteryDay, "d")}, format('counts %s draws; the last is number %s', d.draws, coalesce(g.last, 0))
    FROM lottery_day d LEFT JOIN (
        SELECT business_date, max(draw_no) AS last FROM lottery_log GROUP BY business_date
    ) g ON g.business_date = d.date
    WHERE d.draws <> coalesce(g.last, 0)"""
