"""The transcript of a day that is closed: all that its draws can be checked by, line by line, out of one snapshot.

`services.rules.transcripts` says what the lines are, and checks them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import LotteryAdjustment, LotteryLog, LotteryPrize, LotteryStock
from services.errors import NotFound
from services.published import read
from services.rules.draws import leaf_of, message_of
from services.rules.game import Game, Outcome
from services.rules.hashes import content_of
from services.rules.lottery import LOTTERY
from services.rules.registry import GAMES
from services.rules.transcripts import AdjustmentLine, DayLine, DrawLine, Line, PrizeOf, RevisionLine, StockLine

DAY = text("""
SELECT s.commitment, s.committed_at, s.seed, r.root,
    (SELECT p.root FROM draw_root p WHERE p.date = s.date - 2) AS shuffle
FROM draw_seed s LEFT JOIN draw_root r ON r.date = s.date WHERE s.date = :date
""")

STOCKS = text(f"""
SELECT s.id, s."left"
    + (SELECT count(*) FROM {LotteryLog.__tablename__} g
       JOIN {LotteryPrize.__tablename__} p ON p.config_id = g.config_id AND p.id = g.prize_id
       WHERE g.business_date >= :date AND p.stock_id = s.id)
    - (SELECT coalesce(sum(a.by), 0) FROM {LotteryAdjustment.__tablename__} a
       WHERE a.stock_id = s.id AND (a.date = :date OR (a.date > :date AND a.taken_on IS NULL))) AS opening
FROM {LotteryStock.__tablename__} s WHERE s.id = ANY (:stocks) ORDER BY s.id
""")  # noqa: S608 (names of tables)
"""What was left before the day's first draw: what is left now, and what was taken since, without what was added.

What an earlier day's draws took a moment into this one was still there; what this day's draws took is among theirs.
"""

ADJUSTMENTS = text("""
SELECT a.stock_id, a.by, a.after_no FROM lottery_adjustment a
WHERE a.date = :date AND a.stock_id = ANY (:stocks) ORDER BY a.after_no, a.id
""")


def _draws(game: Game[Any, Any]) -> str:
    """A query of a game's draws of a date, in the order in which they are told, with what the log says was drawn."""
    table = game.log.__tablename__
    if game.parts is None:
        dice = ", ".join(f"g.{column.name}" for column in game.log.__table__.columns if column.name[-1].isdigit())
        outcome = f"json_build_object('dice', json_build_array({dice}))"
    else:
        place = f"SELECT p.{game.parts.order} FROM {game.parts.table.__tablename__} p"  # noqa: S608
        drawn = f"p.config_id = g.config_id AND p.id = g.{game.parts.log_column}"
        outcome = f"json_build_object('{game.parts.order}', ({place} WHERE {drawn}))"
    number, order = ("g.draw_no", "g.draw_no") if game.is_numbered else ("NULL", "g.user_id, g.play_no")
    return f"""
        SELECT {number} AS no, g.user_id, g.play_no, c.hash, g.drawn_from, g.rolls, ({outcome})::text AS outcome
        FROM {table} g JOIN {game.config.__tablename__} c ON c.id = g.config_id
        WHERE g.business_date = :date ORDER BY {order}"""  # noqa: S608 (only the registry's names)


DRAWS = {game.feature: text(_draws(game)) for game in GAMES.values()}

_outcome = msgspec.json.Decoder(Outcome).decode


async def transcript(connection: AsyncConnection, date: dt.date, *, for_staff: bool) -> AsyncIterator[Line]:
    """The transcript of a date, within a transaction that sees one snapshot; `for_staff` with players and messages.

    Raises: NotFound where the date is not closed yet, or was never committed to.
    """
    day = (await connection.execute(DAY, {"date": date})).one_or_none()
    if day is None or day.seed is None:
        raise NotFound(f"{date} is not closed: its seed is not revealed.")
    committed_at = f"{day.committed_at:%Y-%m-%dT%H:%M:%S}.{day.committed_at.microsecond // 1000:03}Z"
    yield DayLine(date, day.commitment, committed_at, day.seed.hex(), day.shuffle, day.root)
    for game in GAMES.values():
        for rules in await _played(connection, game, date):
            yield RevisionLine(rules.hash, game.feature, content_of(game, rules))
    for line in await _stocks(connection, date):
        yield line
    for game in GAMES.values():
        async with connection.stream(DRAWS[game.feature], {"date": date}) as rows:
            async for row in rows:
                yield _draw(game, date, row, for_staff=for_staff)


async def _played(connection: AsyncConnection, game: Game[Any, Any], date: dt.date) -> Sequence[Any]:
    """The revisions of a game that were played on a date."""
    log: Any = game.log
    query = log.__table__.select().with_only_columns(log.config_id).where(log.business_date == date).distinct()
    ids = set(await connection.scalars(query))
    return (await read(connection, game, game.config.id.in_(ids)))[::-1]


async def _stocks(connection: AsyncConnection, date: dt.date) -> list[Line]:
    """The stocks that a date's draws were drawn from, and what changed them beside."""
    prizes: dict[int, list[PrizeOf]] = {}
    for rules in await _played(connection, LOTTERY, date):
        for prize in rules.prizes:
            if prize.stock_id is not None:
                prizes.setdefault(prize.stock_id, []).append(PrizeOf(rules.hash, prize.position))
    wanted = {"date": date, "stocks": list(prizes)}
    stocks = await connection.execute(STOCKS, wanted)
    lines: list[Line] = [StockLine(row.id, int(row.opening), prizes[row.id]) for row in stocks]
    return lines + [AdjustmentLine(*row) for row in await connection.execute(ADJUSTMENTS, wanted)]


def _draw(game: Game[Any, Any], date: dt.date, row: Any, *, for_staff: bool) -> DrawLine:
    message = message_of(date, game.operation, row.hash, row.user_id, row.play_no)
    line = DrawLine(row.no, game.operation, row.play_no, row.hash, row.drawn_from, row.rolls, _outcome(row.outcome))
    if for_staff:
        line.player, line.message = str(row.user_id), message
    else:
        line.leaf = leaf_of(message, row.rolls).hex()
    return line
