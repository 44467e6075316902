"""The corruptions of the season pass and of the event log."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import UUID, uuid4

from tests.audits.corruptions import LAST_OF, Row, row, seeds
from tests.audits.insider import LAST_ID, Insider

STAMP = "SELECT * FROM season_pass_stamp_log WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1"
LEVEL = "SELECT * FROM season_pass_reward_log WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1"


async def stamp_of(insider: Insider, **facts: Any) -> tuple[UUID, Any]:
    """Carol's only stamp, of which the event tells these facts from now on."""
    carol = await insider.player("carol")
    stamp = await insider.row(STAMP, carol)
    if facts:
        await insider.tell(carol, "SEASON_PASS_STAMP", "stampId", stamp.id, **facts)
    return carol, stamp


@seeds("stamps.sums")
async def a_stamp_comes_to_more(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider)
    xp = stamp.xp_after + 10
    await insider.tell(carol, "SEASON_PASS_STAMP", "stampId", stamp.id, currentXp=xp)
    await insider.run("UPDATE season_pass_stamp_log SET xp_after = $1 WHERE id = $2", xp, stamp.id)
    await insider.run("UPDATE season_pass_progress SET current_xp = $1 WHERE user_id = $2", xp, carol)
    await insider.answer(carol, stamp.play_id, "seasonPass,currentXp", xp)
    return row("season_pass_stamp_log", stamp)


@seeds("stamps.earned")
async def a_stamp_earns_more(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider)
    xp = stamp.xp_after + 10
    await insider.tell(carol, "SEASON_PASS_STAMP", "stampId", stamp.id, currentXp=xp, xpAdded=xp)
    await insider.run("UPDATE season_pass_stamp_log SET xp_after = $1, xp_earned = $1 WHERE id = $2", xp, stamp.id)
    await insider.run("UPDATE season_pass_progress SET current_xp = $1 WHERE user_id = $2", xp, carol)
    await insider.answer(carol, stamp.play_id, "seasonPass,currentXp", xp)
    await insider.answer(carol, stamp.play_id, "seasonPass,xpAdded", xp)
    return row("season_pass_stamp_log", stamp)


@seeds("stamps.levels")
async def a_stamp_reaches_a_higher_level(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider)
    await insider.tell(carol, "SEASON_PASS_LEVEL_UP", "stampId", stamp.id, toLevel=2)
    await insider.run("UPDATE season_pass_stamp_log SET level_after = 2 WHERE id = $1", stamp.id)
    await insider.run("UPDATE season_pass_progress SET current_level = 2 WHERE user_id = $1", carol)
    await insider.answer(carol, stamp.play_id, "seasonPass,currentLevel", 2)
    return row("season_pass_stamp_log", stamp)


@seeds("stamps.days")
async def a_stamp_is_by_no_play(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider, playId=str(LAST_ID))
    await insider.run("UPDATE season_pass_stamp_log SET play_id = $1 WHERE id = $2", LAST_ID, stamp.id)
    await insider.answer(carol, stamp.play_id, "seasonPass,addedStamp", 0)
    return row("season_pass_stamp_log", stamp)


@seeds("stamps.missing")
async def a_stamp_is_gone(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider)
    level = await insider.row(LEVEL, carol)
    gone = await insider.row("SELECT line_no FROM reward_ledger WHERE cause_id = $1", level.id)
    for table in ("season_pass_reward_log", "season_pass_stamp_log", "season_pass_progress"):
        await insider.run(f"DELETE FROM {table} WHERE user_id = $1", carol)
    for event in ("SEASON_PASS_STAMP", "SEASON_PASS_LEVEL_UP"):
        await insider.run("DELETE FROM user_event_log WHERE user_id = $1 AND event_name = $2", carol, event)
    await insider.answer(carol, stamp.play_id, "seasonPass", None)
    await insider.remove_line(carol, gone.line_no)
    return row("lottery_log", await insider.row(LAST_OF.format("lottery_log"), carol))


@seeds("stamps.progress")
async def somebody_has_one_stamp_more(insider: Insider) -> Row:
    carol = await insider.player("carol")
    more = "UPDATE season_pass_progress SET total_stamps = total_stamps + 1 WHERE user_id = $1 RETURNING *"
    return row("season_pass_progress", await insider.row(more, carol))


async def copied_level(insider: Insider, level: int, *, by_stamp: bool) -> tuple[UUID, Any]:
    """Carol's first level once more, as this one, with its line."""
    carol = await insider.player("carol")
    given = await insider.row(LEVEL, carol)
    stamp = "stamp_id" if by_stamp else "NULL"
    await insider.run(
        "INSERT INTO season_pass_reward_log (user_id, id, season_id, progress_id, level, stamp_id, created_at,"
        f" reward_type, reward_amount) SELECT user_id, $1, season_id, progress_id, $2, {stamp}, created_at,"
        " reward_type, reward_amount FROM season_pass_reward_log WHERE id = $3",
        *(LAST_ID, level, given.id),
    )
    await insider.add_line(carol, "SEASON_LEVEL", LAST_ID, given.reward_amount, given.created_at)
    return carol, given


@seeds("levels.once")
async def a_level_is_given_again(insider: Insider) -> Row:
    await insider.set_aside("season_pass_reward_log", "uq_season_pass_reward_log_user_id_season_id_level")
    carol, _ = await copied_level(insider, 1, by_stamp=True)
    return "season_pass_reward_log", {"user_id": str(carol), "id": str(LAST_ID)}


@seeds("levels.reached")
async def a_level_is_claimed_that_was_not_reached(insider: Insider) -> Row:
    carol, given = await copied_level(insider, 2, by_stamp=False)
    reward = {"type": "POINT", "amount": given.reward_amount, "couponType": None}
    await insider.run(
        "INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)"
        " VALUES ($1, $2, 'SEASON_PASS', 'REWARD_CLAIM', '2026-03-04', $3, $4)",
        *(carol, uuid4(), json.dumps({"level": 2, "reward": reward}), given.created_at),
    )
    balance = await insider.row("SELECT amount FROM reward_balance WHERE user_id = $1", carol)
    told = {"type": "POINT", "amount": given.reward_amount, "balance": balance.amount, "couponCode": None}
    claimed_at = given.created_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    answer = {"type": "claim", "levelReward": {"level": 2, "reward": told, "claimedAt": claimed_at}}
    await insider.run(
        "INSERT INTO idempotency_key (user_id, key, request, answer, created_at) VALUES ($1, 'c', 'claim:2', $2, $3)",
        *(carol, json.dumps(answer), given.created_at),
    )
    return "season_pass_reward_log", {"user_id": str(carol), "id": str(LAST_ID)}


@seeds("levels.worth")
async def a_level_gives_more(insider: Insider) -> Row:
    carol = await insider.player("carol")
    level = await insider.row(LEVEL, carol)
    await insider.run("UPDATE season_pass_reward_log SET reward_amount = 500 WHERE id = $1", level.id)
    await insider.run("UPDATE reward_ledger SET amount = 500 WHERE cause_id = $1", level.id)
    await insider.forge(carol)
    return row("season_pass_reward_log", level)


@seeds("levels.given")
async def a_level_is_kept_back(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider)
    level = await insider.row(LEVEL, carol)
    gone = await insider.row("SELECT line_no FROM reward_ledger WHERE cause_id = $1", level.id)
    await insider.run("DELETE FROM season_pass_reward_log WHERE id = $1", level.id)
    await insider.remove_line(carol, gone.line_no)
    return row("season_pass_stamp_log", stamp)


async def untold(insider: Insider, event: str, condition: str, *arguments: Any) -> None:
    await insider.run(f"DELETE FROM user_event_log WHERE event_name = '{event}' AND {condition}", *arguments)


@seeds("events.plays")
async def no_event_tells_of_a_play(insider: Insider) -> Row:
    play = await insider.row(LAST_OF.format("dice_log"), await insider.player("alice"))
    await untold(insider, "PLAY", "meta_json ->> 'playId' = $1", str(play.id))
    return row("dice_log", play)


@seeds("events.stamps")
async def an_event_tells_of_more_xp(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider, currentXp=999)
    told = "SELECT * FROM user_event_log WHERE user_id = $1 AND event_name = 'SEASON_PASS_STAMP'"
    assert stamp.xp_after != 999
    return row("user_event_log", await insider.row(told, carol))


@seeds("events.climbs")
async def no_event_tells_of_a_climb(insider: Insider) -> Row:
    carol, stamp = await stamp_of(insider)
    await untold(insider, "SEASON_PASS_LEVEL_UP", "user_id = $1", carol)
    return row("season_pass_stamp_log", stamp)


@seeds("events.claims")
async def no_event_tells_of_a_claim(insider: Insider) -> Row:
    alice = await insider.player("alice")
    await untold(insider, "REWARD_CLAIM", "user_id = $1", alice)
    claimed = "SELECT * FROM season_pass_reward_log WHERE user_id = $1 AND stamp_id IS NULL"
    return row("season_pass_reward_log", await insider.row(claimed, alice))


@seeds("events.grants")
async def an_event_tells_of_another_line(insider: Insider) -> Row:
    alice = await insider.player("alice")
    reward = {"type": "POINT", "amount": 1, "couponType": None}
    cause = "SELECT cause_id FROM reward_ledger WHERE cause = 'ADMIN_GRANT' AND amount = 100"
    grant = await insider.row(cause)
    await insider.tell(alice, "REWARD_GRANT", "causeId", grant.cause_id, reward=reward)
    told = "SELECT * FROM user_event_log WHERE event_name = 'REWARD_GRANT' AND meta_json ->> 'causeId' = $1"
    return row("user_event_log", await insider.row(told, str(grant.cause_id)))
