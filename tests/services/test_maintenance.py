"""What is overdue is done, by the command, by several at once, and by each server."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from services import maintenance
from services.maintenance import Pruner, maintain
from services.request_errors import Unavailable
from tests.conftest import Haru
from tests.services.test_idempotency import add_keys
from tests.serving import zone_of_noon
from tests.world import NOON, SEED_KEYS, World

OLD = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


async def test_the_command_tells_how_far_it_is(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARU_SEED_KEYS", SEED_KEYS)
    monkeypatch.setenv("HARU_TIME_ZONE", zone_of_noon())
    alice = await world.player()
    await alice.play()
    await add_keys(world, alice, OLD, keys=3)
    told = await haru("db", "maintain", "--json")
    assert told.exit_code == 0, told.output
    first = json.loads(told.stdout)
    assert first["keysDeleted"] >= 3  # by the real clock the play's own is old, too
    assert (first["seal"], first["fault"]) == (1, None)
    assert first["seedsTo"] > dt.datetime.now(ZoneInfo(zone_of_noon())).date().isoformat()
    again = await haru("db", "maintain")
    assert again.exit_code == 0
    assert again.stdout.splitlines() == [
        "keys deleted: 0",
        f"seeds committed to until: {first['seedsTo']}",
        f"roots of draws until: {first['rootsTo'] or 'none'}",
        f"seeds revealed until: {first['revealedTo'] or 'none'}",
        "last seal: 1",
    ]


async def test_what_cannot_be_done_is_told(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARU_SEED_KEYS", SEED_KEYS)
    assert (await haru("db", "maintain")).exit_code == 0
    monkeypatch.setenv("HARU_SEED_KEYS", "other:" + "A" * 43 + "=")
    told = await haru("db", "maintain", "--json")
    assert told.exit_code == 1
    assert "which is not given" in json.loads(told.stdout)["fault"]
    assert "Error: Nothing can be drawn: " in told.stderr


async def test_several_at_once_do_it_once(world: World) -> None:
    alice, parts = await world.player(), world.parts
    await alice.play()
    await add_keys(world, alice, OLD, keys=20)
    done = await asyncio.gather(*(maintain(parts.database, parts.transact, parts.seeds, world.clock) for _ in range(4)))
    assert sum(one.keys_deleted for one in done) == 20
    assert {one.seal for one in done} == {1}
    assert await world.count("ledger_seal") == 1
    assert {one.seeds_to for one in done} == {NOON.date() + dt.timedelta(days=7)}
    assert await world.count("idempotency_key") == 1


async def test_a_server_deletes_old_keys_by_itself_and_goes_on_after_trouble(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice, really, troubles = await world.player(), maintenance.prune_all, iter([Unavailable(), ValueError("a bug")])

    async def troubled(transact: object) -> int:
        if (trouble := next(troubles, None)) is not None:
            raise trouble
        return await really(world.parts.transact)

    monkeypatch.setattr(maintenance, "prune_all", troubled)
    monkeypatch.setattr(maintenance, "PRUNE_SECONDS", 0.01)
    await add_keys(world, alice, OLD, keys=3)
    async with Pruner(world.parts.transact), asyncio.timeout(30):
        while await world.count("idempotency_key"):
            await asyncio.sleep(0.01)
    assert "old keys could not be deleted; it will be tried again" in caplog.text
    assert "ValueError: a bug" in caplog.text
