"""Another session holds a lock and changes what it guards: staff's commands wait for it, and decide on what they find.

Races alone do not tell whether a lock is taken: most are lost and run again, with the right end by luck.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
import pytest

from models import FeatureType
from services.coupon_files import Code
from services.coupon_pool import LOCK_COUPONS
from services.rules.hashes import content, hash_of
from services.rules.registry import GAMES
from tests.api.test_ranking import PAST, delete, publish
from tests.api.test_removals import remove_season
from tests.api.test_revocation import revoke
from tests.games import UNDER_TEST, another_session, on
from tests.goods import COFFEE, admin, block, grant, grant_of
from tests.ledgers import write_lines
from tests.races.test_make_goods import CODE_FAULTS, load_codes
from tests.races.test_publishing import until_somebody_waits
from tests.staff import INPUTS, POINTS, operator, upsert, valid
from tests.world import NOON, Client, World, forge

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Lock: TypeAlias = tuple[str, *tuple[object, ...]]
"""A statement that takes a lock, and its arguments."""

TEA = COFFEE | {"couponType": "TEA"}
PIECES = {"label": "7", "weight": 1, "stock": 7, "reward": POINTS}
TURNS = {
    "upsertFeatureSchedule": "feature_schedule 2026-03-03",
    "upsertFeatureConfig": "feature_config DICE",
    "upsertDiceConfig": "dice_config",
    "upsertRouletteConfig": "roulette_config",
    "upsertLotteryConfig": "lottery_config",
    "upsertSeason": "season_pass_config",
}


@asynccontextmanager
async def held(world: World, lock: str, *arguments: object) -> AsyncIterator[Session]:
    """Another session's transaction, which has run `lock`, and commits in the end."""
    async with another_session(str(world.settings.owner_url)) as session, session.transaction():
        await session.execute(lock, *arguments)
        yield session


async def meanwhile(
    world: World,
    command: Coroutine[Any, Any, Any],
    lock: Lock,
    change: Callable[[Session], Awaitable[Any]],
) -> Any:
    """Run a command while another session holds a lock; only when it waits the other changes something and commits."""
    async with held(world, *lock) as session:
        task = asyncio.create_task(command)
        try:
            await until_somebody_waits(world)
        except TimeoutError:
            raise AssertionError(f"it waits for nobody: {await task}") from None
        await change(session)
    return await task


async def nothing(_: Session) -> None:
    """Change nothing."""


def turn(target: str) -> Lock:
    return "SELECT pg_advisory_xact_lock(hashtextextended('haru.publish:' || $1::text, 0))", target


def row_of(player: Client) -> Lock:
    return 'SELECT FROM "user" WHERE id = $1 FOR NO KEY UPDATE', player.player_id


def line_of(player: Client, reward_type: str, amount: int) -> Callable[[Session], Awaitable[None]]:
    """The player's first line, written by somebody else."""

    async def write(session: Session) -> None:
        balance, coupon = (None, "TEA") if reward_type == "COUPON" else (amount, None)
        line = {"user_id": player.player_id, "reward_type": reward_type, "amount": amount, "coupon_type": coupon}
        line |= {"balance_after": balance, "cause": "ADMIN_GRANT", "cause_id": uuid4(), "created_at": NOON}
        await write_lines(session, [line])
        if balance is not None:
            await session.execute(
                "INSERT INTO reward_balance VALUES ($1, $2, $3)", player.player_id, reward_type, amount
            )

    return write


# Turns


def test_every_upsert_has_a_turn() -> None:
    assert TURNS.keys() == INPUTS.keys()


@pytest.mark.parametrize("mutation", TURNS)
async def test_who_publishes_waits_for_the_turn_and_sees_what_was_published(world: World, mutation: str) -> None:
    given, target = valid(mutation), TURNS[mutation]
    olive = await operator(world)
    if mutation == "upsertSeason":
        await upsert(olive, mutation, given)
        given["expectedRevision"] = 1
    table, _, key = target.partition(" ")
    where = {"feature_schedule": "date = '2026-03-03'", "feature_config": "feature_type = 'DICE'"}.get(table, "true")

    async def publish_next(session: Session) -> None:
        if table in {game.config for game in UNDER_TEST}:  # a revision never changes: there is another
            game = next(game for game in GAMES.values() if game.config.__tablename__ == table)
            row = json.loads(await session.fetchval(f"SELECT to_json(c) FROM {table} c"))
            another = {"id": 1, "revision": 2, "hash": hash_of(content(game, row | {"revision": 2}, []))}
            copied = f"SELECT (jsonb_populate_record(c, $1)).* FROM {table} c"
            await session.execute(f"INSERT INTO {table} {copied}", json.dumps(another))
        else:
            await session.execute(f"UPDATE {table} SET revision = revision + 1 WHERE {where}")

    answer = await meanwhile(world, upsert(olive, mutation, given), turn(target), publish_next)
    assert answer["code"] == "REVISION_CONFLICT", (answer, key)
    given["expectedRevision"] = 2
    assert (await upsert(olive, mutation, given))["revision"] == 3


async def test_a_ranking_is_published_and_removed_in_turn(world: World) -> None:
    olive = await operator(world)
    ranking = turn(f"ranking_daily {PAST}")
    assert (await meanwhile(world, publish(olive), ranking, nothing))["revision"] == 1
    assert (await meanwhile(world, delete(olive), ranking, nothing))["deletedEntries"] == 3
    assert (await publish(olive, date="2025-06-02"))["revision"] == 1

    async with held(world, *ranking):
        assert (await publish(olive, expectedRevision=1, date="2025-06-02"))["revision"] == 1  # a day of its own


# Seasons


async def begun(olive: Client) -> dict[str, Any]:
    """A season that has begun, with two levels."""
    levels = [{"level": number, "requiredXp": 100 * number, "reward": POINTS, "autoClaim": True} for number in (1, 2)]
    season = valid("upsertSeason", name="now", startDate="2026-03-01", endDate="2026-03-09", levels=levels)
    assert (await upsert(olive, "upsertSeason", season))["revision"] == 1
    return season | {"expectedRevision": 1}


CLIMB = """
INSERT INTO season_pass_progress (user_id, id, season_id, current_xp, current_level, total_stamps, last_stamp_date,
    created_at, updated_at)
SELECT $1, gen_random_uuid(), s.id, 250, 2, 1, '2026-03-02', now(), now() FROM season_pass_config s WHERE s.name = 'now'
"""


@pytest.mark.forges("stamps.progress")
async def test_levels_get_harder_only_when_nobody_is_climbing(world: World) -> None:
    await forge(world.sql, "TRUNCATE season_pass_config CASCADE")
    olive, alice = await operator(world), await world.player()
    season = await begun(olive)
    harder = season | {"levels": [season["levels"][0], season["levels"][1] | {"requiredXp": 201}]}
    answer = await meanwhile(world, upsert(olive, "upsertSeason", harder), (CLIMB, alice.player_id), nothing)
    assert answer["code"] == "VALIDATION_FAILED"
    assert await world.sql.fetchval("SELECT array_agg(required_xp ORDER BY level) FROM season_pass_level") == [100, 200]


@pytest.mark.forges("stamps.progress")
async def test_levels_get_easier_while_somebody_climbs(world: World) -> None:
    await forge(world.sql, "TRUNCATE season_pass_config CASCADE")
    olive, alice = await operator(world), await world.player()
    season = await begun(olive)
    easier = season | {"levels": [season["levels"][0], season["levels"][1] | {"requiredXp": 199}]}
    async with held(world, CLIMB, alice.player_id):
        assert (await upsert(olive, "upsertSeason", easier))["revision"] == 2


@pytest.mark.forges("stamps.progress")
async def test_a_season_is_removed_only_when_nobody_gets_into_it(world: World) -> None:
    olive, alice = await operator(world), await world.player()
    summer = await upsert(olive, "upsertSeason", valid("upsertSeason", name="now"))
    removed = await meanwhile(world, remove_season(olive, summer["id"]), (CLIMB, alice.player_id), nothing)
    assert [issue["path"] for issue in removed["issues"]] == [["seasonId"]]


async def test_those_of_another_season_are_not_waited_for(world: World) -> None:
    await forge(world.sql, "UPDATE season_pass_config SET start_date = '2026-02-01', end_date = '2026-02-28'")
    olive = await operator(world)
    season = await begun(olive)
    summer = await upsert(olive, "upsertSeason", valid("upsertSeason"))
    harder = season | {"levels": [season["levels"][0]]}
    async with held(world, "SELECT FROM season_pass_config WHERE end_date = '2026-02-28' FOR KEY SHARE"):
        assert (await upsert(olive, "upsertSeason", harder))["revision"] == 2
        assert (await remove_season(olive, summer["id"]))["removedId"] == summer["id"]


# Players


@pytest.mark.forges("ledger.causes", "events.grants")
async def test_a_grant_is_decided_on_what_the_player_has_by_then(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    back = grant_of(alice, {"type": "TOKEN", "amount": -3})
    line = await meanwhile(world, grant(ada, back), row_of(alice), line_of(alice, "TOKEN", 10))
    assert (line["amount"], line["balanceAfter"]) == (-3, 7)


async def test_rows_that_name_the_player_are_written_beside_a_grant(world: World) -> None:
    """As what the player looks at is: a grant that waits for its pool holds the row, but not the key."""
    alice, ada = await world.player(), await admin(world)

    async def name_alice(session: Session) -> None:
        await session.execute('SELECT FROM "user" WHERE id = $1 FOR KEY SHARE NOWAIT', alice.player_id)
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with session.transaction():
                await session.execute('SELECT FROM "user" WHERE id = $1 FOR SHARE NOWAIT', alice.player_id)

    line = await meanwhile(world, grant(ada, grant_of(alice, TEA)), (LOCK_COUPONS, "TEA"), name_alice)
    assert (line["type"], line["couponCode"]) == ("COUPON", None)


async def test_a_block_tells_what_the_player_was_by_then(world: World) -> None:
    alice, ada = await world.player(), await admin(world)

    async def block_first(session: Session) -> None:
        await session.execute('UPDATE "user" SET is_blocked = true WHERE id = $1', alice.player_id)

    assert (await meanwhile(world, block(ada, alice), row_of(alice), block_first))["isBlocked"] is True
    before = await world.sql.fetchval("SELECT before FROM audit_log WHERE action = 'setPlayerBlocked'")
    assert json.loads(before) == {"isBlocked": True}


async def test_a_revocation_tells_what_held_by_then(world: World) -> None:
    alice, ada = await world.player(), await admin(world)

    async def revoke_first(session: Session) -> None:
        await session.execute('UPDATE "user" SET tokens_valid_from = $2 WHERE id = $1', alice.player_id, NOON)

    revoked = await meanwhile(world, revoke(ada, alice), row_of(alice), revoke_first)
    assert [change["before"] for change in revoked["changes"]] == [NOON.isoformat().replace("+00:00", "Z")]


async def test_whoever_plays_is_blocked_and_loses_the_token_at_once(world: World) -> None:
    """What players do refers to their rows, and holds on to them so."""
    alice, ada = await world.player(), await admin(world)
    async with held(world, 'SELECT FROM "user" WHERE id = $1 FOR KEY SHARE', alice.player_id):
        assert (await block(ada, alice))["isBlocked"] is True
        assert (await revoke(ada, alice))["__typename"] == "RevokeTokensPayload"


# Pools of coupon codes


async def test_an_import_waits_for_whoever_is_to_be_served(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    assert (await grant(ada, grant_of(alice, TEA)))["couponCode"] is None
    loading = load_codes(world, "TEA", [Code(1, "T-1")])
    assert (await meanwhile(world, loading, row_of(alice), nothing)).served == 1


@pytest.mark.forges("ledger.causes", "events.grants", "coupons.codes")
async def test_an_import_serves_who_found_the_pool_empty_just_before(world: World) -> None:
    alice = await world.player()

    async def wait_for_a_code(session: Session) -> None:
        await line_of(alice, "COUPON", 1)(session)
        await session.execute(
            "INSERT INTO coupon_waiting (coupon_type, user_id, line_no, created_at) VALUES ('TEA', $1, 1, now())",
            alice.player_id,
        )

    loading = load_codes(world, "TEA", [Code(1, "T-1"), Code(2, "T-2")])
    assert (await meanwhile(world, loading, (LOCK_COUPONS, "TEA"), wait_for_a_code)).served == 1
    assert not await world.sql.fetch(CODE_FAULTS)


async def test_a_grant_finds_the_codes_that_were_just_imported(world: World) -> None:
    alice, ada = await world.player(), await admin(world)

    async def import_one(session: Session) -> None:
        await session.execute("INSERT INTO coupon_code (coupon_type, code, imported_at) VALUES ('TEA', 'T-1', now())")

    line = await meanwhile(world, grant(ada, grant_of(alice, TEA)), (LOCK_COUPONS, "TEA"), import_one)
    assert line["couponCode"] == "T-1"
    assert not await world.sql.fetch(CODE_FAULTS)


async def test_a_pool_is_no_concern_of_another_type(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    async with held(world, LOCK_COUPONS, "TEA"):
        assert (await load_codes(world, "MILK", [Code(1, "M-1")])).codes == 1
        assert (await grant(ada, grant_of(alice, TEA | {"couponType": "MILK"})))["couponCode"] == "M-1"


async def test_a_draw_takes_its_stock_before_the_pool(world: World) -> None:
    """Who had the pool, and waited for the stock, would meet who has the stock, and waits for the pool."""
    alice = await world.player()
    await on(world, UNDER_TEST[2])
    of_stock = "reward_type = 'COUPON', reward_amount = 1, coupon_type = 'COFFEE', weight = 1"
    await forge(world.sql, f"UPDATE lottery_prize SET {of_stock} WHERE stock_id IS NOT NULL")
    await forge(world.sql, "UPDATE lottery_prize SET weight = 0 WHERE stock_id IS NULL")

    async def take_the_pool(session: Session) -> None:
        taken = "SELECT pg_try_advisory_xact_lock(hashtextextended('haru.coupon:COFFEE', 0))"
        assert await session.fetchval(taken)

    drawn = await meanwhile(world, alice.play("drawLottery"), ("SELECT FROM lottery_stock FOR UPDATE",), take_the_pool)
    assert drawn["__typename"] == "LotteryDraw"


async def test_a_draw_waits_for_no_stock_of_another_day(world: World) -> None:
    olive = await operator(world)
    world.clock.advance(minutes=1)
    await upsert(olive, "upsertLotteryConfig", valid("upsertLotteryConfig", prizes=[PIECES]))
    world.clock.advance(days=1)
    await world.today(FeatureType.LOTTERY)
    alice = await world.player()
    async with held(world, "SELECT FROM lottery_stock WHERE initial <> 7 FOR UPDATE"):
        drawn = await alice.play("drawLottery")
    assert drawn["prize"]["stockAfter"] == 6, drawn
