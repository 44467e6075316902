"""Three days of an event in which everything happens: what an audit has to understand.

Nothing in it depends on luck: whatever is drawn of the roulette or of the lottery gives the same.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Any

from models import FeatureType
from services.audit import Actor
from services.calendar import Calendar
from services.coupon_files import Code
from services.coupons import import_codes
from services.odds_watch import raise_alarm
from services.seals import seal
from tests.api import test_ranking as rankings
from tests.api.test_stocks import adjust, mended, read
from tests.api.test_windows import command
from tests.goods import admin, block, grant, grant_of
from tests.staff import operator, upsert, valid
from tests.world import World, running

POINTS, TOKENS = {"type": "POINT", "amount": 10}, {"type": "TOKEN", "amount": 1}
TEA, COFFEE = ({"type": "COUPON", "amount": 1, "couponType": kind} for kind in ("TEA", "COFFEE"))


@dataclass(frozen=True)
class Story:
    """Where it happened, in which calendar, and when it ended."""

    url: str
    calendar: Calendar
    now: dt.datetime


async def tell(url: str) -> Story:
    """Let it happen. The first two days are sealed, and the first one's seed is revealed."""
    async with running(url) as world:
        await dice(world)
        await seal(world.parts.database, world.clock)
        await next_day(world, FeatureType.ROULETTE)
        await world.parts.seeds.look()
        await roulette(world)
        await seal(world.parts.database, world.clock)
        await next_day(world, FeatureType.LOTTERY)
        await lottery(world)
        await ranking(world)
        await make_good(world)
        await alarm(world)
        return Story(url, world.parts.calendar, world.clock())


async def next_day(world: World, feature: FeatureType) -> None:
    """Schedule tomorrow, as operators do, and wait for it."""
    tomorrow = world.clock.now.date().replace(day=world.clock.now.day + 1)
    given = {"date": str(tomorrow), "featureType": feature, "expectedRevision": 1}
    made = await upsert(await operator(world), "upsertFeatureSchedule", given)
    assert made["featureType"] == feature
    world.clock.advance(days=1)


async def dice(world: World) -> None:
    """Two players roll, and the first play of each stamps; then they may roll more often, and go on."""
    alice, bob, olive = await world.player("alice"), await world.player("bob"), await operator(world)
    for client in (alice, bob, alice, alice, bob):
        world.clock.advance(seconds=1)
        await client.play("playDice")
    world.clock.advance(minutes=10)
    same = {"winReward": {"type": "POINT", "amount": 100}, "drawReward": {"type": "POINT", "amount": 30}}
    changed = valid("upsertDiceConfig", maxDailyPlays=6, **same, loseReward=POINTS)
    assert (await upsert(olive, "upsertDiceConfig", changed))["revision"] == 2
    world.clock.advance(minutes=10)
    for client in (alice, bob, bob):
        world.clock.advance(seconds=1)
        await client.play("playDice")
    feature = valid("upsertFeatureConfig", featureType="LOTTERY", title="Lottery", pagePath="/lottery")
    assert (await upsert(olive, "upsertFeatureConfig", feature))["stampXpBonus"] == 5


async def tea(world: World, *codes: str) -> None:
    """Fill the pool of tea."""
    given = [Code(line, code) for line, code in enumerate(codes, start=1)]
    command: Any = lambda tx: import_codes(  # noqa: E731
        tx, actor=Actor("story"), action="import", coupon_type="TEA", codes=given
    )
    await world.parts.transact(command)


async def roulette(world: World) -> None:
    """All that is drawn is tea, of which there is too little; levels are reached, and one is claimed."""
    alice, bob, olive = await world.player("alice"), await world.player("bob"), await operator(world)
    segments = [
        {"slot": slot, "label": f"segment {slot}", "weight": int(slot < 4), "reward": reward, "isJackpot": False}
        for slot, reward in enumerate([TEA, TEA, TEA, TEA, POINTS, TOKENS])
    ]
    given = valid("upsertRouletteConfig", segments=segments, maxDailySpins=0)
    assert (await upsert(olive, "upsertRouletteConfig", given))["revision"] == 2
    await tea(world, "tea 1", "tea 2", "tea 3")
    world.clock.advance(minutes=10)
    assert (await alice.stamp("SEASON_PASS"))["currentXp"] == 120 + 150
    for client in (alice, bob, alice, bob, alice, bob, alice, bob, alice):
        world.clock.advance(seconds=1)
        await client.play("spinRoulette")
    world.clock.advance(seconds=1)
    assert (await alice.claim(2))["level"] == 2
    await tea(world, "tea 4")
    assert await world.count("coupon_waiting") > 0


async def lottery(world: World) -> None:
    """A stock is drawn from, mended and adjusted; a revision is withdrawn; a season and a feature change."""
    alice, bob, olive = await world.player("alice"), await world.player("bob"), await operator(world)
    prizes = [{"label": "cofee", "weight": 1, "stock": 4, "reward": POINTS}]
    given = valid("upsertLotteryConfig", maxDailyTickets=0, prizes=prizes)
    first = await upsert(olive, "upsertLotteryConfig", given)
    world.clock.advance(minutes=10)
    await alice.play("drawLottery")
    world.clock.advance(minutes=10)
    await mended(olive, first, label="coffee")
    world.clock.advance(minutes=10)
    await bob.play("drawLottery")
    stock = await world.sql.fetchval("SELECT max(id) FROM lottery_stock")
    await adjust(world, stock, by=2, expected=2)
    await alice.play("drawLottery")
    assert (await read(olive))["prizes"][0]["stock"] == 3
    ahead = valid("upsertLotteryConfig", expectedRevision=3, effectiveFrom="2026-03-06T00:00:00Z")
    made = await upsert(olive, "upsertLotteryConfig", ahead)
    assert (await command(olive, "withdrawConfig", configId=made["id"], reason="not then"))["config"]["isWithdrawn"]
    levels = [{"level": n, "requiredXp": n * 100, "reward": POINTS, "autoClaim": n % 2 == 1} for n in range(1, 11)]
    season = {
        "name": "첫 시즌",
        "startDate": "2026-01-01",
        "endDate": "2026-05-31",
        "baseXpPerStamp": 110,
        "levels": levels,
    }
    assert (await upsert(olive, "upsertSeason", season | {"expectedRevision": 1}))["revision"] == 2
    world.clock.advance(minutes=10)
    carol = await world.player("carol")
    await carol.play("drawLottery")


async def ranking(world: World) -> None:
    """A ranking is published, and published again; another one is taken back."""
    olive = await operator(world)
    assert (await rankings.publish(olive))["revision"] == 1
    assert (await rankings.publish(olive, rankings.ROWS[:2], expectedRevision=1))["revision"] == 2
    await rankings.publish(olive, date="2025-06-02")
    given = {"date": "2025-06-02", "expectedRevision": 1}
    assert "deleted" in (await olive.data(rankings.DELETE, input=given))["deleteRanking"]


async def make_good(world: World) -> None:
    """An admin grants, takes back, and blocks."""
    ada, alice, carol = await admin(world), await world.player("alice"), await world.player("carol")
    for key, reward in (
        ("g1", {"type": "POINT", "amount": 100}),
        ("g2", {"type": "POINT", "amount": -40}),
        ("g3", COFFEE),
    ):
        world.clock.advance(seconds=1)
        assert (await grant(ada, grant_of(alice, reward, idempotencyKey=key)))["type"] == reward["type"]
    assert (await block(ada, carol))["isBlocked"]


async def alarm(world: World) -> None:
    """What was counted of the roulette does not fit: it is switched off, and an admin switches it on again."""
    counted = "INSERT INTO draw_tally SELECT 'ROULETTE', max(id), 1, '{1,1,1,1,0,0}', 0, 1000 FROM roulette_config"
    await world.sql.execute(counted)
    await world.parts.transact(partial(raise_alarm, suspect=FeatureType.ROULETTE, pauses=True))
    world.clock.advance(minutes=10)
    again = valid("upsertFeatureConfig", featureType="ROULETTE", expectedRevision=2, reason="It was a test.")
    assert (await upsert(await admin(world), "upsertFeatureConfig", again))["isEnabled"]
