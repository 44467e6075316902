"""Windows: what is published ahead, what comes back by itself, and what is played across their edges."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from models import FeatureType
from schema.nodes import Kind, node_id
from services import configs
from services.audit import Actor
from services.errors import NotFound, RevisionConflict, ValidationFailed
from services.published import played_within, revisions
from services.rules.dice import DICE
from services.rules.game import Game
from services.rules.registry import GAMES
from services.rules.windows import Window
from tests.games import GameUnderTest, every_game
from tests.staff import kept, operator, upsert, valid
from tests.world import Client, World, forge

TUESDAY = dt.datetime(2026, 3, 3, 5, 0, tzinfo=dt.UTC)
WEDNESDAY = TUESDAY + dt.timedelta(days=1)
FRIDAY, SATURDAY = (dt.datetime(2026, 3, day, 15, 0, tzinfo=dt.UTC) for day in (5, 6))
"""When Friday, the 6th, begins in Seoul, and when it ends."""

SECOND = dt.timedelta(seconds=1)
CONFIG_KINDS = {
    FeatureType.DICE: Kind.DICE_CONFIG,
    FeatureType.ROULETTE: Kind.ROULETTE_CONFIG,
    FeatureType.LOTTERY: Kind.LOTTERY_CONFIG,
}
ON = {
    FeatureType.DICE: """{ diceStatus {
        ... on DiceStatus { config { name isActive isWithdrawn } } ... on UserError { code } } }""",
    FeatureType.ROULETTE: """{ rouletteStatus {
        ... on RouletteStatus { config { name isActive isWithdrawn } } ... on UserError { code } } }""",
    FeatureType.LOTTERY: """{ lotteryStatus {
        ... on LotteryStatus { config { name isActive isWithdrawn } } ... on UserError { code } } }""",
}


async def name_at(world: World, game: GameUnderTest, instant: dt.datetime) -> Any:
    """What the game's revision in force is called at an instant that the clock is set to."""
    world.clock.now = instant
    await world.today(game.feature)
    status = (await (await world.player()).data(ON[game.feature]))[game.status]
    if "config" not in status:
        return status["code"]
    assert (status["config"]["isActive"], status["config"]["isWithdrawn"]) == (True, False)
    return status["config"]["name"]


@every_game
async def test_a_special_friday_and_back_to_normal_with_nobody_awake(world: World, game: GameUnderTest) -> None:
    world.clock.now = TUESDAY
    olive = await operator(world)
    ahead = {
        "effectiveFrom": FRIDAY.isoformat(timespec="milliseconds"),
        "effectiveUntil": SATURDAY.isoformat(timespec="milliseconds"),
    }
    special = await upsert(olive, game.upsert, valid(game.upsert, name="special") | ahead)
    assert (special["isActive"], special["effectiveFrom"]) == (False, FRIDAY.isoformat(timespec="milliseconds"))
    assert special["announcedAt"] == TUESDAY.isoformat(timespec="milliseconds")
    world.clock.now = WEDNESDAY
    olive = await operator(world)
    mended = await upsert(olive, game.upsert, valid(game.upsert, name="mended", expectedRevision=2))
    assert (mended["isActive"], mended["effectiveUntil"]) == (True, None)
    names = [await name_at(world, game, at) for at in (WEDNESDAY, FRIDAY - SECOND, FRIDAY, SATURDAY - SECOND, SATURDAY)]
    assert names == ["mended", "mended", "special", "special", "mended"]


@every_game
async def test_what_is_played_is_what_the_log_points_at(world: World, game: GameUnderTest) -> None:
    world.clock.now = FRIDAY - SECOND
    olive, alice = await operator(world), await world.player()
    await upsert(olive, game.upsert, valid(game.upsert, effectiveFrom=FRIDAY.isoformat(timespec="milliseconds")))
    for instant in (FRIDAY - SECOND, FRIDAY):
        world.clock.now = instant
        await world.today(game.feature)
        assert (await alice.play(game.mutation))["__typename"] == game.played
    rows = await world.sql.fetch(
        f"SELECT c.revision, l.daily_max FROM {game.log} l JOIN {game.config} c ON c.id = l.config_id ORDER BY l.id"
    )
    assert [tuple(row) for row in rows] == [(1, 3), (2, 5)]


async def test_two_commands_of_one_batch_need_two_revisions(world: World) -> None:
    """The first comes an instant before noon, the second at noon, and both wait for the same batch."""
    olive, noon = await operator(world), world.clock.now + SECOND
    await upsert(
        olive, "upsertDiceConfig", valid("upsertDiceConfig", effectiveFrom=noon.isoformat(timespec="milliseconds"))
    )
    players = [await world.player(f"player-{number}") for number in range(24)]
    turn = iter(range(len(players)))
    world.parts.lanes._clock = lambda: noon - SECOND if next(turn) % 2 == 0 else noon
    answers = await asyncio.gather(*(player.play() for player in players))
    assert sorted({(a["playedAt"], a["dailyLimit"]["max"]) for a in answers}) == [
        ((noon - SECOND).isoformat(timespec="milliseconds"), 3),
        (noon.isoformat(timespec="milliseconds"), 5),
    ]


async def test_batches_on_both_sides_of_midnight(world: World) -> None:
    world.clock.now = FRIDAY - SECOND
    await world.today(FeatureType.DICE)
    olive = await operator(world)
    await upsert(
        olive, "upsertDiceConfig", valid("upsertDiceConfig", effectiveFrom=FRIDAY.isoformat(timespec="milliseconds"))
    )
    world.clock.now = FRIDAY
    await world.today(FeatureType.DICE)
    times = iter([FRIDAY - SECOND, FRIDAY] * 8)
    world.parts.lanes._clock = lambda: next(times)
    players = [await world.player(f"player-{number}") for number in range(16)]
    answers = await asyncio.gather(*(player.play() for player in players))
    seen = sorted({(answer["businessDate"], answer["dailyLimit"]["max"]) for answer in answers})
    assert seen == [("2026-03-05", 3), ("2026-03-06", 5)]


async def test_windows_are_told_to_operators(world: World) -> None:
    olive, now = await operator(world), world.clock()
    later, end = now + dt.timedelta(hours=2), now + dt.timedelta(hours=3)
    times = {
        "effectiveFrom": later.isoformat(timespec="milliseconds"),
        "effectiveUntil": end.isoformat(timespec="milliseconds"),
    }
    await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig") | times)
    page = await revisions(world.parts.database, DICE, now=now, first=10)
    assert [(one.rules.revision, one.is_active, one.is_withdrawn) for one in page.rows] == [
        (2, False, False),
        (1, True, False),
    ]
    for instant, active in ((later, 2), (end, 1)):
        page = await revisions(world.parts.database, DICE, now=instant, first=10)
        assert [one.rules.revision for one in page.rows if one.is_active] == [active]


async def test_of_a_time_those_revisions_are_read_that_are_played_in_it(world: World) -> None:
    """A window has its first instant, and not its end; what lies behind one that is there all along is not read."""
    olive, days = await operator(world), [FRIDAY + dt.timedelta(days=day) for day in range(4)]
    for day in (0, 1):
        window = {"effectiveFrom": days[day].isoformat(), "effectiveUntil": days[day + 1].isoformat()}
        await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig", expectedRevision=1 + day) | window)
    for first, last, played in ((0, 1, [2]), (1, 2, [3]), (0, 2, [3, 2, 1]), (1, 3, [3, 1]), (2, 3, [1])):
        async with world.parts.database.read() as connection:
            found = await played_within(connection, DICE, days[first], days[last])
        assert [one.revision for one in found] == played


@pytest.mark.parametrize("feature", list(GAMES))
async def test_a_window_in_the_past_is_refused(world: World, feature: FeatureType) -> None:
    olive, mutation = await operator(world), f"upsert{feature.capitalize()}Config"
    before, past = await kept(world), (world.clock() - SECOND).isoformat(timespec="milliseconds")
    for window, path in (
        ({"effectiveFrom": past}, "effectiveFrom"),
        ({"effectiveUntil": past}, "effectiveUntil"),
        (
            {
                "effectiveFrom": FRIDAY.isoformat(timespec="milliseconds"),
                "effectiveUntil": FRIDAY.isoformat(timespec="milliseconds"),
            },
            "effectiveUntil",
        ),
    ):
        refused = await upsert(olive, mutation, valid(mutation) | window)
        assert [issue["path"] for issue in refused["issues"]] == [[path]]
    assert await kept(world) == before


async def test_what_is_published_by_a_slow_clock_still_comes_later(world: World) -> None:
    """Two servers differ by a second: the next revision does not begin before the one that was published at once."""
    olive = await operator(world)
    await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig", name="first"))
    world.clock.now -= SECOND
    second = await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig", name="second", expectedRevision=2))
    assert second["effectiveFrom"] == (world.clock.now + SECOND).isoformat(timespec="milliseconds")
    assert await world.sql.fetchval("SELECT count(*) FROM dice_config WHERE published_at = $1", world.clock.now) == 0
    page = await revisions(world.parts.database, DICE, now=world.clock.now + SECOND, first=10)
    assert [one.rules.name for one in page.rows if one.is_active] == ["second"]


async def publish_again(world: World, game: Game[Any, Any], revision: int, expected: int | None, window: Window) -> Any:
    config = await world.sql.fetchval(f"SELECT id FROM {game.config.__tablename__} WHERE revision = $1", revision)
    outcome = await world.parts.transact(
        lambda tx: configs.republish(
            tx,
            game,
            actor=Actor("olive"),
            action="republishConfig",
            config_id=config,
            window=window,
            expected_revision=expected,
        )
    )
    return outcome.made


async def contents(world: World, game: GameUnderTest) -> list[tuple[Any, ...]]:
    """What each revision says, without what it is numbered and when it is played."""
    own = ["id", "config_id", "revision", "hash", "published_at", "effective_from", "effective_until"]
    parts = GAMES[game.feature].parts
    of_it = (
        f"(SELECT json_agg(to_jsonb(p) - $1::text[] ORDER BY p.label) FROM {parts.table.__tablename__} p"
        " WHERE p.config_id = c.id)"
        if parts
        else "NULL"
    )
    query = f"SELECT (to_jsonb(c) - $1::text[])::text, {of_it}::text FROM {game.config} c ORDER BY revision"
    return [tuple(row) for row in await world.sql.fetch(query, own)]


@every_game
async def test_an_old_revision_is_published_again(world: World, game: GameUnderTest) -> None:
    olive = await operator(world)
    await upsert(olive, game.upsert, valid(game.upsert))
    again = await publish_again(world, GAMES[game.feature], 1, 2, Window())
    assert (again.rules.revision, again.is_active, again.rules.effective_from) == (3, True, world.clock())
    first, second, third = await contents(world, game)
    assert first == third != second
    with pytest.raises(RevisionConflict):
        await publish_again(world, GAMES[game.feature], 1, 2, Window())
    with pytest.raises(ValidationFailed):
        await publish_again(world, GAMES[game.feature], 1, 3, Window(world.clock() - SECOND))
    with pytest.raises(NotFound):
        await publish_again(world, GAMES[game.feature], 99, 3, Window())
    assert len(await contents(world, game)) == 3


async def withdraw(world: World, config_id: int, reason: str = "The date was wrong.") -> Any:
    outcome = await world.parts.transact(
        lambda tx: configs.withdraw(
            tx, DICE, actor=Actor("olive"), action="withdrawConfig", config_id=config_id, reason=reason
        )
    )
    return outcome.made


async def test_what_has_not_begun_can_be_withdrawn(world: World) -> None:
    olive = await operator(world)
    await upsert(
        olive, "upsertDiceConfig", valid("upsertDiceConfig", effectiveFrom=FRIDAY.isoformat(timespec="milliseconds"))
    )
    config = await world.sql.fetchval("SELECT max(id) FROM dice_config")
    withdrawn = await withdraw(world, config)
    assert (withdrawn.is_active, withdrawn.is_withdrawn) == (False, True)
    page = await revisions(world.parts.database, DICE, now=FRIDAY, first=10)
    assert [(one.is_active, one.is_withdrawn) for one in page.rows] == [(False, True), (True, False)]
    world.clock.now = FRIDAY
    await world.today(FeatureType.DICE)
    assert (await (await world.player()).play())["dailyLimit"]["max"] == 3
    entries = await world.sql.fetch("SELECT action, target FROM audit_log ORDER BY id DESC LIMIT 1")
    assert [tuple(entry) for entry in entries] == [("withdrawConfig", "dice_config revision 2")]


async def test_what_has_begun_is_not_withdrawn(world: World) -> None:
    olive = await operator(world)
    await upsert(
        olive, "upsertDiceConfig", valid("upsertDiceConfig", effectiveFrom=FRIDAY.isoformat(timespec="milliseconds"))
    )
    config = await world.sql.fetchval("SELECT max(id) FROM dice_config")
    for refusal, wanted, reason in (
        (NotFound, 99, "x"),
        (ValidationFailed, config, ""),
        (ValidationFailed, config - 1, "x"),
    ):
        with pytest.raises(refusal):
            await withdraw(world, wanted, reason)
    assert await world.count("dice_withdrawal") == 0
    await withdraw(world, config)
    with pytest.raises(ValidationFailed):
        await withdraw(world, config)
    world.clock.now = FRIDAY
    assert await world.count("dice_withdrawal") == 1


ISSUES = "query ($date: Date!) { scheduleIssues(from: $date, to: $date) { code message } }"


async def test_each_day_is_judged_by_what_its_windows_will_play(world: World) -> None:
    """Friday's special is sold out from noon on, and from six there is nothing at all."""
    world.clock.now = TUESDAY
    olive = await operator(world)
    noon, six = FRIDAY + dt.timedelta(hours=12), FRIDAY + dt.timedelta(hours=18)
    lottery = valid(
        "upsertLotteryConfig",
        effectiveFrom=noon.isoformat(timespec="milliseconds"),
        effectiveUntil=six.isoformat(timespec="milliseconds"),
    )
    lottery["prizes"] = [{"label": "gone", "weight": 1, "stock": 0, "reward": {"type": "POINT", "amount": 1}}]
    await upsert(olive, "upsertLotteryConfig", lottery)
    await world.sql.execute("UPDATE feature_schedule SET feature_type = 'LOTTERY'")
    await forge(world.sql, "UPDATE lottery_config SET effective_until = $1 WHERE revision = 1", six)
    found = (await olive.data(ISSUES, date="2026-03-06"))["scheduleIssues"]
    assert [issue["code"] for issue in found] == ["OUT_OF_STOCK", "INVALID_FEATURE_SCHEDULE"]
    assert "revision 2" in found[0]["message"]
    assert "from 2026-03-06T03:00:00Z on" in found[0]["message"]
    assert "from 2026-03-06T09:00:00Z on" in found[1]["message"]
    assert (await olive.data(ISSUES, date="2026-03-05"))["scheduleIssues"] == []
    nothing = (await olive.data(ISSUES, date="2026-03-07"))["scheduleIssues"]
    assert [issue["code"] for issue in nothing] == ["INVALID_FEATURE_SCHEDULE"]
    world.clock.now = six  # what is over is not judged
    olive = await operator(world)
    today = (await olive.data(ISSUES, date="2026-03-06"))["scheduleIssues"]
    assert [issue["code"] for issue in today] == ["INVALID_FEATURE_SCHEDULE"]


async def test_the_load_finds_few_of_many_revisions(world: World) -> None:
    """Whatever was published over the years, a day loads what may be played on it."""
    await forge(
        world.sql,
        "INSERT INTO dice_config SELECT (json_populate_record(c, json_build_object('id', n + 100000, 'revision', n,"
        " 'hash', encode(sha256(n::text::bytea), 'hex'),"
        " 'published_at', $1::timestamptz - (2000 - n) * interval '1 hour',"
        " 'effective_from', $1::timestamptz - (2000 - n) * interval '1 hour'))).*"
        " FROM dice_config c, generate_series(2, 1500) n",
        world.clock(),
    )
    day = (await world.parts.reads.day_of(dt.date(2026, 3, 2))).day
    assert len(DICE.revisions(day.game)) <= 2


CONFIG = """... on ConfigPayload { dryRun config {
    id revision isActive isWithdrawn ... on LotteryConfig { prizes { label stockId } } } }"""
PRIZE = "... on AdjustStockPayload { prize { label stock initialStock } }"


async def command(client: Client, name: str, **given: Any) -> dict[str, Any]:
    """Send republishConfig, withdrawConfig or adjustStock: the member of its union. A greater payout is meant."""
    given = {"acknowledge": ["PAYOUT_FAR_ABOVE_BEFORE"]} | given
    document = f"""mutation Command($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
        __typename {PRIZE if name == "adjustStock" else CONFIG}
        ... on ValidationFailed {{ issues {{ path }} }} ... on UserError {{ code }}
    }} }}"""
    answer: dict[str, Any] = (await client.data(document, input=given))[name]
    return answer


@every_game
async def test_operators_roll_back_and_withdraw_by_the_api(world: World, game: GameUnderTest) -> None:
    olive = await operator(world)
    await upsert(olive, game.upsert, valid(game.upsert))
    first = node_id(CONFIG_KINDS[game.feature], await world.sql.fetchval(f"SELECT min(id) FROM {game.config}"))
    ahead = {"configId": first, "effectiveFrom": FRIDAY.isoformat()}
    assert (await command(olive, "republishConfig", **ahead, expectedRevision=1))["code"] == "REVISION_CONFLICT"
    tried = await command(olive, "republishConfig", **ahead, expectedRevision=2, mode="DRY_RUN")
    assert (tried["dryRun"], tried["config"]) == (True, None)
    again = (await command(olive, "republishConfig", **ahead, expectedRevision=2))["config"]
    assert (again["revision"], again["isActive"], again["isWithdrawn"]) == (3, False, False)
    withdrawn = (await command(olive, "withdrawConfig", configId=again["id"], reason="not this one"))["config"]
    assert (withdrawn["id"], withdrawn["isWithdrawn"]) == (again["id"], True)
    for name, more in (("republishConfig", {"expectedRevision": 3}), ("withdrawConfig", {"reason": "x"})):
        for unknown in (node_id(CONFIG_KINDS[game.feature], 999_999), node_id(Kind.SEASON, 1), "nothing"):
            assert (await command(olive, name, configId=unknown, **more))["code"] == "NOT_FOUND"
    past = (world.clock() - SECOND).isoformat()
    refused = await command(olive, "republishConfig", configId=first, expectedRevision=3, effectiveFrom=past)
    assert refused["issues"] == [{"path": ["effectiveFrom"]}]
    begun = await command(olive, "withdrawConfig", configId=first, reason="too late")
    assert begun["issues"] == [{"path": ["configId"]}]


async def test_a_rollback_is_warned_of_as_a_publication_is(world: World) -> None:
    """The demo's dice pay far more than a revision that pays next to nothing."""
    olive, point = await operator(world), {"type": "POINT", "amount": 1}
    first = node_id(Kind.DICE_CONFIG, await world.sql.fetchval("SELECT id FROM dice_config"))
    rewards = dict.fromkeys(("winReward", "drawReward", "loseReward"), point)
    await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig", **rewards))
    given = {"configId": first, "expectedRevision": 2}
    assert (await command(olive, "republishConfig", **given, acknowledge=[]))["code"] == "WARNINGS_UNACKNOWLEDGED"
    again = await command(olive, "republishConfig", **given)
    assert again["config"]["revision"] == 3


async def test_a_rollback_goes_on_with_the_same_stocks(world: World) -> None:
    olive = await operator(world)
    first = node_id(Kind.LOTTERY_CONFIG, await world.sql.fetchval("SELECT id FROM lottery_config"))
    await upsert(olive, "upsertLotteryConfig", valid("upsertLotteryConfig"))
    again = (await command(olive, "republishConfig", configId=first, expectedRevision=2))["config"]
    query = "query ($id: ID!) { node(id: $id) { ... on LotteryConfig { prizes { label stockId } } } }"
    assert (await olive.data(query, id=first))["node"]["prizes"] == again["prizes"]


async def test_a_stock_is_adjusted_by_the_api(world: World) -> None:
    olive = await operator(world)
    stock = node_id(
        Kind.LOTTERY_STOCK, await world.sql.fetchval('SELECT id FROM lottery_stock WHERE "left" = 3 AND initial = 3')
    )
    more = {"by": 2, "reason": "Two more were found."}
    assert (await command(olive, "adjustStock", stockId=stock, expectedLeft=2, **more))["code"] == "REVISION_CONFLICT"
    adjusted = (await command(olive, "adjustStock", stockId=stock, expectedLeft=3, **more))["prize"]
    assert (adjusted["stock"], adjusted["initialStock"]) == (5, 5)
    assert (await command(olive, "adjustStock", stockId="nothing", expectedLeft=5, **more))["code"] == "NOT_FOUND"
    refused = await command(olive, "adjustStock", stockId=stock, expectedLeft=5, by=-6, reason="gone")
    assert refused["issues"] == [{"path": ["by"]}]
