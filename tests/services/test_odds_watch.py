"""The watch over odds: a sampler that is made wrong on purpose is found while it is played, and honest ones are not."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import Counter
from functools import partial
from typing import Any

import pytest

from models import FeatureType, Role
from services import odds_watch
from services.odds_watch import OddsWatch, judge, raise_alarm
from services.request_errors import Unavailable
from services.rules.draws import DaySeed, Source
from services.rules.registry import GAMES
from services.seals import LATE
from services.tallies import counts_of
from services.vitals import Odds, Vitals, read_vitals
from tests.api.test_schedule import issues
from tests.games import UNDER_TEST, GameUnderTest, another_session, every_game, on
from tests.staff import kept, operator, send_upsert, valid
from tests.world import Client, World, forge

DICE, ROULETTE, LOTTERY = UNDER_TEST
TODAY = "2026-03-02"
MARGIN_SECONDS = LATE.total_seconds() + 60

TALLIES = "SELECT config_id, place, drawn_from, outcome, draws FROM draw_tally WHERE feature_type = $1"
ALARMS = "SELECT id, feature_type, evidence, draws, raised_at, closed_at FROM draw_alarm ORDER BY id"
ENTRIES = "SELECT actor, actor_id, action, target, before, after FROM audit_log ORDER BY id"


class Stuck(Source):
    """A sampler that always draws the first."""

    def below(self, _bound: int) -> int:
        return 0


def stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the sampler wrong on purpose."""
    monkeypatch.setattr(DaySeed, "stream", lambda *_: Stuck())


def server(world: World, *, pauses: bool = False) -> OddsWatch:
    """What one server does once a minute."""
    parts = world.parts
    return OddsWatch(parts.database, parts.clock, parts.transact, pauses=pauses)


async def look(world: World, watch: OddsWatch) -> list[FeatureType]:
    """Look once all that was played is old enough to be counted; the games that an alarm was raised over."""
    world.clock.advance(seconds=MARGIN_SECONDS)
    return [alarm.feature_type for alarm in await watch.look()]


async def play(client: Client, game: GameUnderTest, times: int) -> None:
    for _ in range(times):
        assert (await client.play(game.mutation))["__typename"] == game.played


async def counted_alike(world: World) -> bool:
    """Whether what is counted is what the logs have."""
    for game in GAMES.values():
        tallies = Counter(map(str, await world.sql.fetch(TALLIES, game.feature)))
        if tallies != Counter(map(str, await world.sql.fetch(counts_of(game, "true")))):
            return False
    return True


@every_game
async def test_honest_draws_raise_no_alarm(world: World, game: GameUnderTest) -> None:
    await on(world, game, limit=0)
    watch, alice = server(world, pauses=True), await world.player()
    for _ in range(4):
        await play(alice, game, 10)
        assert await look(world, watch) == []
        assert await counted_alike(world)
    assert await world.count("draw_alarm") == 0
    assert await issues(await operator(world)) == []


async def test_a_look_counts_what_came_since_the_last(world: World) -> None:
    await on(world, DICE, limit=0)
    watch, alice = server(world), await world.player()
    await play(alice, DICE, 3)
    await watch.look()
    assert await world.count("draw_tally") == 0, "a play is stored a moment after its instant"
    world.clock.advance(seconds=MARGIN_SECONDS)
    await play(alice, DICE, 2)
    await watch.look()
    assert await world.sql.fetchval("SELECT sum(draws) FROM draw_tally") == 3 * 4
    await forge(world.sql, "DELETE FROM dice_log WHERE play_no <= 3")  # nobody looks at it any more
    world.clock.advance(seconds=MARGIN_SECONDS)
    await watch.look()
    assert await world.sql.fetchval("SELECT sum(draws) FROM draw_tally") == 5 * 4


async def test_a_look_of_half_a_minute_ago_is_enough(world: World) -> None:
    """Each server asks once a minute; the draws are counted once."""

    async def counted_until() -> dt.datetime:
        await server(world).look()
        rows = await world.sql.fetch("SELECT counted_until FROM draw_watch")
        until: dt.datetime = rows[0]["counted_until"]
        assert {row["counted_until"] for row in rows} == {until}
        return until

    began = await counted_until()
    assert began == world.clock() - LATE
    for seconds, counted in ((0, 0), (30, 0), (1, 31)):
        world.clock.advance(seconds=seconds)
        assert await counted_until() == began + dt.timedelta(seconds=counted)
    world.clock.advance(hours=1)
    async with another_session(world.settings.owner_url or "") as session, session.transaction():
        await session.execute("SELECT FROM draw_watch FOR UPDATE")
        async with asyncio.timeout(10):
            await server(world).look()  # leaves it to whoever counts
    assert await counted_until() == world.clock() - LATE


@every_game
async def test_a_sampler_made_wrong_on_purpose_is_found(
    world: World, game: GameUnderTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without HARU_PAUSE_ON_ALARM it is told, once, and the day goes on."""
    await on(world, game, limit=0)
    watch, alice = server(world), await world.player()
    await play(alice, game, 10)
    assert await look(world, watch) == []
    stuck(monkeypatch)
    played = 0
    while not (found := await look(world, watch)):
        await play(alice, game, 10)
        played += 10
        assert played <= 200
    assert found == [game.feature]
    assert await issues(await operator(world), TODAY, TODAY) == [(TODAY, "DRAW_ALARM")]
    await play(alice, game, 10)
    assert await look(world, watch) == [], "it has one alarm at a time"
    told = [record.getMessage() for record in caplog.records if record.name == "haru.odds"]
    (alarm,) = await world.sql.fetch(ALARMS)
    assert told == [
        f"draw alarm {alarm['id']}: what was drawn of {game.feature} does not fit its published odds"
        f" (evidence {alarm['evidence']:.4g}, {10 + played} plays)"
    ]
    assert (alarm["feature_type"], alarm["draws"], alarm["closed_at"]) == (game.feature, 10 + played, None)
    assert alarm["evidence"] >= 1000
    entry = (await world.sql.fetch(ENTRIES))[-1]
    assert (entry["actor"], entry["actor_id"], entry["target"]) == ("haru", None, f"draw_alarm {alarm['id']}")


async def test_what_has_no_chance_and_comes_is_an_alarm_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await on(world, ROULETTE, limit=0)
    await forge(world.sql, "UPDATE roulette_segment SET weight = 0 WHERE slot = 0")
    monkeypatch.setattr("services.rules.weights.position_of", lambda *_: 0)
    await play(await world.player(), ROULETTE, 1)
    assert await look(world, server(world)) == ["ROULETTE"]
    (alarm,) = await world.sql.fetch(ALARMS)
    read = "{ auditLog(first: 1) { nodes { action after } } }"
    (told,) = (await (await world.player("ada", Role.ADMIN)).data(read))["auditLog"]["nodes"]
    assert (told["action"], told["after"]["evidence"]) == ("drawAlarm", alarm["evidence"])
    assert alarm["evidence"] > 2**64  # a number that the database writes with all of its digits


async def switch_on(client: Client, revision: int, **changes: Any) -> dict[str, Any]:
    """Switch the dice on again: the member of the union, or the code of an error."""
    given = valid("upsertFeatureConfig", expectedRevision=revision, **changes)
    return await send_upsert(client, "upsertFeatureConfig", given)


async def paused(world: World, monkeypatch: pytest.MonkeyPatch) -> OddsWatch:
    """A day of the dice that an alarm has switched off."""
    await on(world, DICE, limit=0)
    watch = server(world, pauses=True)
    with monkeypatch.context() as wrong:
        stuck(wrong)
        await play(await world.player(), DICE, 40)
    assert await look(world, watch) == ["DICE"]
    return watch


async def test_an_alarm_switches_the_feature_off(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await paused(world, monkeypatch)
    assert caplog.text.endswith(" plays); it is switched off\n")
    alice, before = await world.player(), await world.written()
    refused = await alice.play(DICE.mutation)
    assert (refused["__typename"], refused["code"]) == ("NoFeatureToday", "NO_FEATURE_TODAY")
    today = (await alice.data("{ todayFeature { ... on UserError { code } } }"))["todayFeature"]
    assert today["code"] == "NO_FEATURE_TODAY"
    assert {**await world.written(), "user_event_log": 0} == {**before, "user_event_log": 0}
    assert await issues(await operator(world), TODAY, TODAY) == [(TODAY, "NO_FEATURE_TODAY"), (TODAY, "DRAW_ALARM")]
    raised, switched = (await world.sql.fetch(ENTRIES))[-2:]
    assert raised["before"] is None
    assert {(one["actor"], one["actor_id"], one["action"]) for one in (raised, switched)} == {
        ("haru", None, "drawAlarm")
    }
    (alarm,) = await world.sql.fetch(ALARMS)
    assert (raised["target"], switched["target"]) == (f"draw_alarm {alarm['id']}", "feature_config DICE")
    assert '"isEnabled": false' in switched["after"]
    assert f"Draw alarm {alarm['id']}: what was drawn did not fit the published odds." in switched["after"]


async def test_an_admin_switches_it_on_again_with_a_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = await paused(world, monkeypatch)
    ada, alice, before = await world.player("ada", Role.ADMIN), await world.player(), await kept(world)
    upserting = "mutation ($input: UpsertFeatureConfigInput!) { upsertFeatureConfig(input: $input) { __typename } }"
    given = valid("upsertFeatureConfig", expectedRevision=2, reason="It was mended.")
    assert await (await operator(world)).error_code(upserting, input=given) == "FORBIDDEN"
    unexplained = await switch_on(ada, 2)
    assert unexplained["code"] == "VALIDATION_FAILED"
    assert [issue["path"] for issue in unexplained["issues"]] == [["reason"]]
    assert (await switch_on(ada, 1, reason="It was mended."))["code"] == "REVISION_CONFLICT"
    tried = await switch_on(ada, 2, reason="It was mended.", mode="DRY_RUN")
    assert (tried["dryRun"], tried["feature"]) == (True, None)
    assert await kept(world) == before
    assert (await world.sql.fetch(ALARMS))[0]["closed_at"] is None

    assert (await switch_on(ada, 2, reason="It was mended."))["feature"]["isEnabled"]
    (alarm,) = await world.sql.fetch(ALARMS)
    assert alarm["closed_at"] == world.clock()
    entry = (await world.sql.fetch(ENTRIES))[-1]
    assert (entry["actor"], entry["action"]) == ("ada (ADMIN)", "upsertFeatureConfig")
    assert '"reason": "It was mended."' in entry["after"]
    assert f'"closesAlarm": {alarm["id"]}' in entry["after"]
    await play(alice, DICE, 5)
    for _ in range(3):
        assert await look(world, watch) == [], "what raised the alarm raises no other"
    assert await world.sql.fetchval("SELECT sum(draws) FROM draw_tally") == 5 * 4
    assert await issues(await operator(world)) == []

    stuck(monkeypatch)
    await play(alice, DICE, 60)
    assert await look(world, watch) == ["DICE"], "what is wrong anew is an alarm anew"
    assert (await alice.play(DICE.mutation))["code"] == "NO_FEATURE_TODAY"


async def test_only_switching_on_again_ends_an_alarm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was not switched off, whoever may configures it as ever, but nobody else than an admin off and on."""
    await on(world, DICE, limit=0)
    stuck(monkeypatch)
    await play(await world.player(), DICE, 40)
    assert await look(world, server(world)) == ["DICE"]
    olive, ada = await operator(world), await world.player("ada", Role.ADMIN)
    assert (await switch_on(olive, 1, reason="Another title."))["feature"]["revision"] == 2
    assert (await switch_on(olive, 2, isEnabled=False))["feature"]["revision"] == 3
    assert (await switch_on(olive, 3, isEnabled=False, title="Not yet"))["feature"]["revision"] == 4
    assert (await world.sql.fetch(ALARMS))[0]["closed_at"] is None
    assert (await switch_on(ada, 4, reason="It was explained."))["feature"]["revision"] == 5
    assert (await world.sql.fetch(ALARMS))[0]["closed_at"] is not None


@pytest.mark.parametrize("is_off", [False, True])
async def test_a_feature_that_is_off_or_gone_is_not_switched_off_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, is_off: bool
) -> None:
    await on(world, DICE, limit=0)
    stuck(monkeypatch)
    await play(await world.player(), DICE, 40)
    if is_off:
        assert (await switch_on(await operator(world), 1, isEnabled=False))["feature"]["revision"] == 2
    else:
        await forge(world.sql, "DELETE FROM feature_config WHERE feature_type = 'DICE'")
    assert await look(world, server(world, pauses=True)) == ["DICE"]
    revisions = await world.sql.fetch("SELECT revision FROM feature_config WHERE feature_type = 'DICE'")
    assert [row["revision"] for row in revisions] == [2] * is_off
    assert caplog.text.endswith(" plays)\n")


async def test_another_game_is_watched_while_one_has_an_alarm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = await paused(world, monkeypatch)
    await on(world, LOTTERY, limit=0)
    await play(await world.player(), LOTTERY, 5)
    assert await look(world, watch) == []
    stuck(monkeypatch)
    await play(await world.player(), LOTTERY, 60)
    assert await look(world, watch) == ["LOTTERY"]
    assert [row["feature_type"] for row in await world.sql.fetch(ALARMS)] == ["DICE", "LOTTERY"]
    watched = "SELECT * FROM draw_watch JOIN draw_tally USING (feature_type) WHERE feature_type = 'LOTTERY'"
    before = await world.sql.fetch(watched)
    world.clock.advance(seconds=1)
    assert (await switch_on(await world.player("ada", Role.ADMIN), 2, reason="It was mended."))["feature"]["isEnabled"]
    assert await world.sql.fetch(watched) == before, "what was counted of another game stays"
    dice, lottery = await world.sql.fetch(ALARMS)
    assert (dice["closed_at"], lottery["closed_at"]) == (world.clock(), None)


async def test_two_alarms_of_one_look_are_two(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck(monkeypatch)
    alice = await world.player()
    for game in (DICE, LOTTERY):
        await on(world, game, limit=0)
        await play(alice, game, 60)
    assert sorted(await look(world, server(world))) == ["DICE", "LOTTERY"]


async def test_several_servers_count_and_raise_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await on(world, DICE, limit=0)
    stuck(monkeypatch)
    servers = [server(world, pauses=True) for _ in range(4)]
    await play(await world.player(), DICE, 40)
    world.clock.advance(seconds=MARGIN_SECONDS)
    found = await asyncio.gather(*(one.look() for one in servers))
    assert sum(map(len, found)) == 1
    assert await counted_alike(world)
    (alarm,) = await world.sql.fetch(ALARMS)
    targets = [row["target"] for row in await world.sql.fetch(ENTRIES)]
    assert targets == [f"draw_alarm {alarm['id']}", "feature_config DICE"]


async def test_one_that_comes_late_raises_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several saw the alarm; by the time that they have their turn it is raised, and even over."""
    await paused(world, monkeypatch)
    late = partial(raise_alarm, suspect=FeatureType.DICE, pauses=True)
    assert await asyncio.gather(*(world.parts.transact(late) for _ in range(3))) == [None] * 3
    await switch_on(await world.player("ada", Role.ADMIN), 2, reason="It was mended.")
    assert await world.parts.transact(late) is None
    async with world.parts.database.snapshot() as connection:
        assert await judge(connection) == (1.0, None, 0)

    async def suspects() -> FeatureType:
        return FeatureType.DICE

    watch = server(world, pauses=True)
    monkeypatch.setattr(watch, "_suspect", suspects)
    assert await look(world, watch) == []
    assert await world.count("draw_alarm") == 1


async def test_prometheus_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def vitals() -> Vitals:
        return await read_vitals(world.parts.database, world.parts.calendar, world.clock())

    assert (await vitals()).proofs.uncounted_seconds == 0, "no server has begun to look"
    await server(world).look()
    honest = await vitals()
    assert honest.odds == Odds(1.0, dict.fromkeys(GAMES, False))
    assert honest.proofs.uncounted_seconds == LATE.total_seconds()
    await paused(world, monkeypatch)
    assert (await vitals()).odds == Odds(1.0, dict.fromkeys(GAMES, False) | {FeatureType.DICE: True})
    world.clock.advance(hours=1)
    assert (await vitals()).proofs.uncounted_seconds == LATE.total_seconds() + 3600


async def test_it_looks_whatever_goes_wrong(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [Unavailable(), ValueError("a bug")]
    looked = asyncio.Event()

    async def fail() -> None:
        if failures:
            raise failures.pop(0)
        looked.set()

    monkeypatch.setattr(odds_watch, "LOOK_SECONDS", 0.0)
    watch = server(world)
    monkeypatch.setattr(watch, "look", fail)
    with caplog.at_level(logging.ERROR):
        async with watch, asyncio.timeout(10):
            await looked.wait()
    assert caplog.text.count("draws could not be looked at; it will be tried again") == 2
