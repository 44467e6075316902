"""The event log, which tells of everything once more: a play, a stamp, a climb, a claim and a grant, each once."""

from __future__ import annotations

from collections.abc import Mapping

from models import Base, EventName, RewardEntry, SeasonReward, SeasonStamp, UserEvent
from services.audits.check import of_games, query, row_of

REWARD = {
    "e.meta #>> '{reward,type}'": "reward_type",
    "e.meta #>> '{reward,amount}'": "reward_amount::text",
    "e.meta #>> '{reward,couponType}'": "coupon_type",
}
"""What an event says of a reward, and the columns that it is taken from."""


def _rows(log: type[Base], told: str, same: Mapping[str, str], *, where: str = "true") -> str:
    """The rows `g` of a log, what an event knows each by as `told`, and what it says of them as `said`."""
    said = ", ".join(same.values())
    return f"""
    SELECT {row_of(log, "g")}, g.user_id, {told} AS told, jsonb_build_array(g.created_at, {said}) AS said
    FROM {log.__tablename__} g WHERE g.created_at >= :since AND {where}"""


def _untold(event: EventName, told: str, same: Mapping[str, str], rows: str) -> str:
    """Rows that no event tells of, and events that tell of none, or otherwise than it is.

    `told`: what the event `e` knows a row by; `same`: what it says of the row, and where that is in the row.
    """
    said = ", ".join(same)
    return f"""
    SELECT CASE WHEN e.id IS NULL THEN g.table ELSE '{UserEvent.__tablename__}' END AS table,
        CASE WHEN e.id IS NULL THEN g.key ELSE jsonb_build_object('user_id', e.user_id, 'id', e.id) END AS key,
        CASE WHEN e.id IS NULL THEN 'the event log does not tell of it'
            WHEN g.key IS NULL THEN 'tells of what is not there'
            ELSE format('tells of %s %s otherwise than it is', g.table, g.key) END AS fault
    FROM (
        SELECT e.user_id, e.id, {told} AS told, jsonb_build_array(e.created_at, {said}) AS said
        FROM (SELECT *, meta_json AS meta FROM user_event_log) e
        WHERE e.event_name = '{event}' AND e.created_at >= :since
    ) e FULL JOIN ({rows}) g ON g.user_id = e.user_id AND g.told = e.told
    WHERE e.said IS DISTINCT FROM g.said"""


@query
def plays() -> str:
    """The event log tells of every play, as it was, and of no other."""
    same = {
        "e.business_date": "business_date",
        "e.meta ->> 'playNo'": "play_no::text",
        "e.meta ->> 'revisionId'": "config_id::text",
        **REWARD,
    }
    rows = of_games(lambda game: _rows(game.log, "g.id::text", {"e.feature_type": f"'{game.feature}'", **same}))
    return _untold(EventName.PLAY, "e.meta ->> 'playId'", {"e.feature_type": "", **same}, rows)


@query
def stamps() -> str:
    """The event log tells of every stamp, as it was, and of no other."""
    same = {
        "e.business_date": "date",
        "e.meta ->> 'xpAdded'": "xp_earned::text",
        "e.meta ->> 'currentXp'": "xp_after::text",
        "e.meta ->> 'source'": "source_feature",
        "e.meta ->> 'playId'": "play_id::text",
    }
    return _untold(EventName.SEASON_PASS_STAMP, "e.meta ->> 'stampId'", same, _rows(SeasonStamp, "g.id::text", same))


@query
def climbs() -> str:
    """The event log tells of every stamp that reached a level, and of no other."""
    same = {"e.meta ->> 'fromLevel'": "level_before::text", "e.meta ->> 'toLevel'": "level_after::text"}
    rows = _rows(SeasonStamp, "g.id::text", same, where="g.level_after > g.level_before")
    return _untold(EventName.SEASON_PASS_LEVEL_UP, "e.meta ->> 'stampId'", same, rows)


@query
def claims() -> str:
    """The event log tells of every claim, as it was, and of no other."""
    rows = _rows(SeasonReward, "concat(g.level, ' ', g.created_at)", REWARD, where="g.stamp_id IS NULL")
    return _untold(EventName.REWARD_CLAIM, "concat(e.meta ->> 'level', ' ', e.created_at)", REWARD, rows)


@query
def grants() -> str:
    """The event log tells of every grant by an admin, as it was, and of no other."""
    same = {
        "e.meta ->> 'lineNo'": "line_no::text",
        "e.meta #>> '{reward,type}'": "reward_type",
        "e.meta #>> '{reward,amount}'": "amount::text",
        "e.meta #>> '{reward,couponType}'": "coupon_type",
    }
    rows = _rows(RewardEntry, "g.cause_id::text", same, where="g.cause = 'ADMIN_GRANT'")
    return _untold(EventName.REWARD_GRANT, "e.meta ->> 'causeId'", same, rows)
