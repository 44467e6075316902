"""The first view of a day is an event, recorded once; no answer fails for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest

from models import Role
from services import feature_views
from services.feature_views import REMEMBERED_VIEWS
from services.recent import RecentlyUsed
from tests.api.test_history import events_of
from tests.games import another_session
from tests.races.test_publishing import until_somebody_waits
from tests.world import World

TODAY = "{ todayFeature { __typename ... on TodayFeature { featureType } ... on UserError { code } } }"


async def test_the_first_view_of_a_day_is_recorded_once(world: World) -> None:
    alice, bob = await world.player(), await world.player("bob")
    for _ in range(3):
        assert (await alice.data(TODAY))["todayFeature"]["featureType"] == "DICE"
    await bob.data(TODAY)
    (view,) = (await events_of(alice))["nodes"]
    assert (view["eventName"], view["featureType"]) == ("FEATURE_VIEW", "DICE")
    assert await world.count("user_event_log") == 2
    world.clock.advance(days=1)
    await (await world.player()).data(TODAY)
    assert await world.count("user_event_log") == 3


async def test_what_another_process_recorded_is_not_recorded_again(world: World) -> None:
    alice = await world.player()
    await alice.data(TODAY)
    world.parts.reads._views._recorded = RecentlyUsed(REMEMBERED_VIEWS)
    await asyncio.gather(*(alice.data(TODAY) for _ in range(5)))
    assert await world.count("user_event_log") == 1


async def test_the_views_that_are_remembered_are_bounded(world: World) -> None:
    world.parts.reads._views._recorded = RecentlyUsed(2)
    for name in ("alice", "bob", "carol", "dave"):
        await (await world.player(name)).data(TODAY)
    assert len(world.parts.reads._views._recorded) == 2
    assert await world.count("user_event_log") == 4


@asynccontextmanager
async def no_view_recorded(world: World) -> AsyncIterator[None]:
    """Whatever adds to the event log waits."""
    assert world.settings.owner_url is not None
    async with another_session(world.settings.owner_url) as session, session.transaction():
        await session.execute("LOCK user_event_log IN SHARE MODE")
        yield


async def test_who_looks_twice_at_once_is_recorded_once_and_answered_when_it_is(world: World) -> None:
    alice = await world.player()
    async with no_view_recorded(world):
        leaving, staying = asyncio.create_task(alice.data(TODAY)), asyncio.create_task(alice.data(TODAY))
        await until_somebody_waits(world)
        leaving.cancel()
        await asyncio.wait([leaving])
        assert not staying.done()
    assert (await staying)["todayFeature"]["featureType"] == "DICE"
    assert await world.count("user_event_log") == 1


async def test_a_view_that_is_not_recorded_in_time_keeps_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feature_views, "VIEW_SECONDS", 0.05)
    alice = await world.player()
    async with no_view_recorded(world):
        assert (await alice.data(TODAY))["todayFeature"]["featureType"] == "DICE"
        assert "a view was not recorded: there is no answer in time" in caplog.text
        assert await world.count("user_event_log") == 0
    monkeypatch.setattr(feature_views, "VIEW_SECONDS", 60.0)
    await alice.data(TODAY)
    assert await world.count("user_event_log") == 1


async def test_a_view_under_way_is_given_up_at_the_end(world: World, caplog: pytest.LogCaptureFixture) -> None:
    alice = await world.player()
    async with no_view_recorded(world):
        asked = asyncio.create_task(alice.data(TODAY))
        await until_somebody_waits(world)
        await world.parts.reads.stop()
        assert (await asked)["todayFeature"]["featureType"] == "DICE"
    assert await world.count("user_event_log") == 0
    assert "a view was not recorded" not in caplog.text


async def test_a_bug_in_recording_a_view_fails_no_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await world.player()

    async def broken(_: object) -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(world.parts.reads._views._record, "_work", broken)
    assert (await alice.data(TODAY))["todayFeature"]["featureType"] == "DICE"
    assert "ZeroDivisionError" in caplog.text
    assert await world.count("user_event_log") == 0


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PLAYER])
async def test_staff_views_are_not_recorded(world: World, role: Role) -> None:
    await (await world.player("staff", role)).data(TODAY)
    assert await world.count("user_event_log") == 0


async def test_no_view_where_nothing_is_on(world: World) -> None:
    await world.today(None)
    alice = await world.player()
    assert (await alice.data(TODAY))["todayFeature"]["code"] == "NO_FEATURE_TODAY"
    assert await world.count("user_event_log") == 0


async def test_a_view_that_cannot_be_recorded_is_shown_all_the_same(world: World) -> None:
    alice = await world.player()
    async with world.sql.transaction():
        await world.sql.execute("LOCK TABLE user_event_log IN ACCESS EXCLUSIVE MODE")
        assert (await alice.data(TODAY))["todayFeature"]["featureType"] == "DICE"
    assert await world.count("user_event_log") == 0
    await alice.data(TODAY)
    assert await world.count("user_event_log") == 1


async def test_a_deleted_account_s_view_is_shown(world: World) -> None:
    alice = await world.player()
    await world.sql.execute('DELETE FROM "user" WHERE external_id = $1', "alice")
    assert (await alice.data(TODAY))["todayFeature"]["featureType"] == "DICE"
    assert await world.count("user_event_log") == 0
