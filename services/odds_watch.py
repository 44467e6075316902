"""The watch over odds: once a minute, what was drawn is held against what was published, while it is being played.

What was drawn is counted once, whichever server comes first: each look adds the draws of the time since the last one
to `draw_tally`, by the logs' index on time, and judges the event by the counts (`rules.conformance`). So a look costs
what was played since, and as many rows as there are tables and outcomes, however long the event is. The evidence is
that of all draws since the first, or since the game's last alarm was over: it may be looked at every minute for ever,
and is an alarm by chance in one event of a thousand.

A play is stored a moment after its instant: a look leaves out the last `LATE`, so that all of its time is there. One
that comes later all the same is not counted; when it comes does not depend on what it drew.

A game has one alarm at a time: while it is not over, it is neither raised again nor part of the evidence. It is raised,
and the feature switched off where that is wanted, in one transaction that has its turn at the feature and judges anew.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import DrawAlarm, DrawTally, FeatureType
from services import audit
from services.alarms import Alarm, open_alarms
from services.audit import Actor
from services.calendar import Clock
from services.conformance import publication_numbers
from services.database import Connection, Database
from services.idempotency import BEGINNING
from services.outages import OutageLog
from services.revisions import take_turn
from services.rules.conformance import log_evidence, suspect_of
from services.rules.game import Game
from services.rules.registry import GAMES
from services.schedule import FEATURES, switch_off
from services.seals import LATE
from services.tallies import Counted, counts_of, plays_in, tallies_of
from services.transaction import Transaction, Transactor
from services.upkeep import Upkeep

logger = logging.getLogger("haru.odds")
outages = OutageLog(logger)

LOOK_SECONDS = 60.0
"""How often each server sees to it that somebody looks."""

HARU = Actor("haru")
"""Who acts in the audit log where nobody of the staff does."""

BEGIN = """
INSERT INTO draw_watch (feature_type, counted_until) SELECT f.type, $2 FROM unnest($1::text[]) AS f(type)
ON CONFLICT DO NOTHING
"""

TAKE = """
SELECT w.feature_type, w.counted_until FROM draw_watch w WHERE w.counted_until < $1 FOR UPDATE SKIP LOCKED
"""
"""Whoever counts a game holds its row; the others leave it to that one, and go by what it has counted then."""

COUNT = {
    game.feature: f"""
    INSERT INTO draw_tally AS t (feature_type, config_id, place, drawn_from, outcome, draws)
    SELECT '{game.feature}', c.* FROM ({counts_of(game, "g.created_at >= $1 AND g.created_at < $2")}) c
    ON CONFLICT (feature_type, config_id, place, drawn_from, outcome) DO UPDATE SET draws = t.draws + excluded.draws"""  # noqa: S608
    for game in GAMES.values()
}

COUNTED = "UPDATE draw_watch SET counted_until = $2 WHERE feature_type = $1"


class Judged(NamedTuple):
    """The evidence against the published odds, and where that is an alarm the game that has the most of it."""

    evidence: float
    suspect: FeatureType | None
    draws: int
    """How many plays of the suspect are counted."""


async def judge(connection: AsyncConnection) -> Judged:
    """Judge what is counted of all games that have no alarm."""
    doubted, numbers = await open_alarms(connection), await publication_numbers(connection)
    logs: dict[FeatureType, Mapping[int, float]] = {}
    plays: dict[FeatureType, int] = {}
    for game in GAMES.values():
        if game.feature not in doubted:
            tallies = tallies_of(game, await _counted(connection, game))
            logs[game.feature] = {
                numbers[game.feature, revision]: sum(map(log_evidence, of)) for revision, of in tallies.items()
            }
            plays[game.feature] = sum(plays_in(game, of) for of in tallies.values())
    judged = suspect_of(logs)
    return Judged(*judged, draws=plays[judged[1]] if judged[1] is not None else 0)


async def _counted(connection: AsyncConnection, game: Game[Any, Any]) -> list[Counted]:
    columns = [getattr(DrawTally, name) for name in Counted._fields]
    rows = await connection.execute(select(*columns).where(DrawTally.feature_type == game.feature))
    return [Counted(*row) for row in rows]


async def raise_alarm(tx: Transaction, *, suspect: FeatureType, pauses: bool) -> tuple[Alarm, bool] | None:
    """Raise the alarm over a game, if it still is one, and switch the game off where it `pauses`; whether it was on.

    Raises: LockNotAcquired.
    """
    await take_turn(tx, FEATURES.target(suspect))
    judged = await judge(tx.connection)
    if judged.suspect is not suspect:
        return None
    told: dict[str, Any] = {"evidence": judged.evidence, "draws": judged.draws, "raised_at": tx.now}
    write = insert(DrawAlarm).values(feature_type=suspect, **told).returning(DrawAlarm.id)
    alarm = Alarm((await tx.connection.execute(write)).scalar_one(), suspect, **told)
    target = f"{DrawAlarm.__tablename__} {alarm.id}"
    await audit.record(tx, actor=HARU, action="drawAlarm", target=target, before=None, after=alarm)
    reason = f"Draw alarm {alarm.id}: what was drawn did not fit the published odds."
    is_paused = pauses and await switch_off(tx, actor=HARU, action="drawAlarm", feature=suspect, reason=reason)
    return alarm, is_paused


class OddsWatch(Upkeep):
    """Has the draws looked at once a minute, by whichever server comes first."""

    def __init__(self, database: Database, clock: Clock, transact: Transactor, *, pauses: bool) -> None:
        """`pauses`: whether an alarm switches its feature off."""
        self._database = database
        self._clock = clock
        self._transact = transact
        self._pauses = pauses

    async def look(self) -> list[Alarm]:
        """Count what was drawn, unless somebody has just done so, and raise what alarms there are.

        Raises: LockNotAcquired, Unavailable.
        """
        raised: list[Alarm] = []
        if await self._count(self._clock() - LATE):
            while (suspect := await self._suspect()) is not None:
                found = await self._transact(partial(raise_alarm, suspect=suspect, pauses=self._pauses))
                if found is None:
                    break
                self._tell(*found)
                raised.append(found[0])
        return raised

    async def _count(self, until: dt.datetime) -> bool:
        """Count all draws before `until`; false where another server has, or is about to."""
        due = until - dt.timedelta(seconds=LOOK_SECONDS / 2)
        async with self._database.long() as connection, connection.transaction():
            await connection.execute(BEGIN, [str(feature) for feature in COUNT], BEGINNING)
            taken = await connection.fetch(TAKE, due)
            for feature, since in taken:
                await _count(connection, feature, since, until)
        return bool(taken)

    async def _suspect(self) -> FeatureType | None:
        async with self._database.snapshot() as connection:
            return (await judge(connection)).suspect

    def _tell(self, alarm: Alarm, is_paused: bool) -> None:
        """Tell whoever reads the log, once."""
        logger.error(
            "draw alarm %d: what was drawn of %s does not fit its published odds (evidence %.4g, %d plays)%s",
            *(alarm.id, alarm.feature_type, alarm.evidence, alarm.draws),
            "; it is switched off" if is_paused else "",
        )

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with outages.told("draws could not be looked at; it will be tried again"):
                await self.look()


async def _count(connection: Connection, feature: str, since: dt.datetime, until: dt.datetime) -> None:
    await connection.execute(COUNT[FeatureType(feature)], since, until)
    await connection.execute(COUNTED, feature, until)
