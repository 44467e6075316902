"""Seeds and roots, where the public door does not lead: what is lost, what is late, and what goes wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import stat
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from server.seed_keys import seed_keys_of
from server.settings import read_settings
from services import roots, seeds
from services.request_errors import Unavailable
from services.rules.draws import commitment_of
from services.rules.proofs import ProofText, check
from services.rules.transcripts import DayLine, Transcript
from services.seeds import Seeds
from tests.api.test_draws import DICE, TODAY, again, close_the_day, play
from tests.conftest import Haru
from tests.games import on
from tests.serving import zone_of_noon
from tests.statements import watched
from tests.world import NOON, SEED_KEYS, World

TOMORROW = TODAY + dt.timedelta(days=1)


def another(world: World) -> Seeds:
    """What another server knows."""
    app = world.parts
    return Seeds(app.database, app.calendar, app.clock, Random(1), seed_keys_of(world.settings))


async def test_a_seed_that_is_lost_is_told(world: World) -> None:
    await world.parts.seeds.look()
    assert await world.parts.seeds.fault() is None
    await world.sql.execute("DELETE FROM draw_seed_sealed WHERE date = $1", TOMORROW)
    assert await world.parts.seeds.fault() is None  # it is known here
    assert await another(world).fault() == "the seed of 2026-03-03 is lost"
    third = another(world)
    assert await third.of(TODAY) is not None  # what is known of today says nothing of tomorrow
    assert await third.fault() == "the seed of 2026-03-03 is lost"
    await world.sql.execute("DELETE FROM draw_seed_sealed WHERE date = $1", TODAY)
    assert await another(world).fault() == "the seed of 2026-03-02 is lost"


async def test_what_was_looked_after_is_known_without_a_question(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Today's, and yesterday's, by which a play may have begun; what is over is nobody's to draw from."""
    keeper, yesterday = another(world), TODAY
    assert await keeper.of(TODAY) is not None
    world.clock.now = world.parts.calendar.ends_at(TODAY)
    await keeper.look()
    with watched(world) as statements:
        for date in (yesterday, TOMORROW):
            assert await keeper.of(date) is not None
        assert await keeper.fault() is None
    assert len(statements) == 0
    closer = world.parts.seeds
    assert await closer.of(TOMORROW) is not None
    await close_the_day(world)
    assert await closer.of(TOMORROW) is None
    assert "nothing can be drawn: 2026-03-03 is over: its draws are closed" in caplog.text
    await keeper.look()
    assert await keeper.of(yesterday) is None


async def test_days_that_were_slept_through_are_closed_all(world: World) -> None:
    await play(await world.player("alice"), DICE)
    world.clock.advance(days=30)
    await another(world).look()
    days = await world.sql.fetch("SELECT date, seed IS NOT NULL AS is_revealed FROM draw_seed ORDER BY date")
    today = TODAY + dt.timedelta(days=30)
    made = [TODAY + dt.timedelta(days=number) for number in (*range(8), *range(30, 38))]
    assert [tuple(day) for day in days] == [(date, date < today) for date in made]
    assert await world.sql.fetchval("SELECT draws FROM draw_root WHERE date = $1", TODAY) == 1


async def test_a_day_whose_seed_is_lost_has_a_root_all_the_same(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The draws of two days later are shuffled by it."""
    await play(await world.player("alice"), DICE)
    await world.sql.execute("DELETE FROM draw_seed_sealed WHERE date = $1", TODAY)
    await close_the_day(world)
    await world.parts.seeds.look()
    assert await world.sql.fetchval("SELECT draws FROM draw_root WHERE date = $1", TODAY) == 1
    assert await world.sql.fetchval("SELECT revealed_at FROM draw_seed WHERE date = $1", TODAY) is None
    assert "a seed cannot be revealed: CannotUnsealError: the seed of 2026-03-02 is lost" in caplog.text


async def test_one_server_closes_a_day(world: World) -> None:
    await play(await world.player("alice"), DICE)
    async with world.sql.transaction():
        await world.sql.execute(seeds.TAKE_TURN.replace("$1", f"'{TODAY}'"))
        await close_the_day(world)
        assert await world.sql.fetchval("SELECT count(*) FROM draw_root WHERE date = $1", TODAY) == 0
    await world.parts.seeds.look()
    assert await world.sql.fetchval("SELECT draws FROM draw_root WHERE date = $1", TODAY) == 1


async def test_nothing_is_drawn_until_the_root_of_two_days_before_is_made(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.parts.seeds.look()
    late = another(world)

    async def behind(_: object) -> dt.datetime:
        return world.clock() - dt.timedelta(days=2)

    late.database_clock = behind
    await world.sql.execute("ALTER TABLE draw_root DISABLE TRIGGER USER")
    await world.sql.execute("DELETE FROM draw_root")
    await world.sql.execute("ALTER TABLE draw_root ENABLE TRIGGER USER")
    assert await late.of(TODAY) is None
    assert "2026-03-02 is shuffled by the draws of 2026-02-28, whose root is missing" in caplog.text
    late.database_clock = seeds.database_clock
    assert await late.of(TODAY) is not None
    assert "draws go on" in caplog.text


async def test_what_cannot_be_read_is_not_waited_for_without_end(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = another(world)

    async def hanging(_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(seeds, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(blind, "_look", hanging)
    assert await blind.of(TODAY) is None
    assert await blind.fault() == "seeds cannot be read"
    assert "nothing can be drawn: seeds cannot be read" in caplog.text
    assert "seeds cannot be read: there is no answer in time" in caplog.text


async def test_seeds_are_looked_after_whatever_goes_wrong(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [Unavailable(), ValueError("a bug")]
    looked = asyncio.Event()

    async def look() -> None:
        if failures:
            raise failures.pop(0)
        looked.set()

    monkeypatch.setattr(seeds, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(seeds, "ROUND_SECONDS", 0.0)
    keeper = another(world)
    monkeypatch.setattr(keeper, "look", look)
    async with keeper, asyncio.timeout(10):
        await looked.wait()
    assert caplog.text.count("seeds were not looked after; it will be tried again") == 2
    looked.clear()
    for _ in range(9):
        await asyncio.sleep(0)
    assert not looked.is_set()  # nobody keeps them any more


async def test_who_still_waits_for_a_seed_when_a_server_stops_is_let_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def hanging(_: Seeds, __: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Seeds, "_ensure", hanging)
    async with another(world) as seeds_of_another:
        waiting = asyncio.create_task(seeds_of_another.of(TODAY))
        await asked.wait()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_tree_of_many_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "LEAVES_OF_A_CHUNK", 4)
    monkeypatch.setattr(roots, "CHUNKS_AT_ONCE", 2)
    await on(world, DICE, limit=0)
    alice = await world.player("alice")
    plays = [(await play(alice, DICE))["id"] for _ in range(19)]
    await close_the_day(world)
    assert await world.count("draw_leaves") == 5
    for one in plays:
        assert check(msgspec.convert(await again(alice, one), ProofText)) == []


async def test_what_was_added_past_haru_is_in_no_root(world: World) -> None:
    alice = await world.player("alice")
    first = await play(alice, DICE)
    await close_the_day(world)
    for number in range(2, 8):  # some before the first leaf, some behind it
        await world.sql.execute(
            "INSERT INTO dice_log SELECT (jsonb_populate_record(d, jsonb_build_object('play_no', $1::int,"
            " 'daily_max', 0, 'id', gen_random_uuid()))).* FROM dice_log d WHERE play_no = 1",
            number,
        )
    ids = (await alice.data("{ me { plays { nodes { id proof { root inclusion } } } } }"))["me"]["plays"]["nodes"]
    assert {one["id"] for one in ids if one["proof"]["root"]} == {first["id"]}


async def test_how_each_day_s_seed_stands_is_listed(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARU_TIME_ZONE", zone_of_noon())
    monkeypatch.setenv("HARU_SEED_KEYS", SEED_KEYS)
    today = dt.datetime.now(ZoneInfo(zone_of_noon())).date()
    days = [today + dt.timedelta(days=ahead) for ahead in range(-3, 3)]
    commitments = [commitment_of(day, bytes([number]) * 32) for number, day in enumerate(days)]
    revealed_at = dt.datetime.combine(days[2], dt.time(15, 4), dt.UTC)
    for number, (day, commitment) in enumerate(zip(days, commitments, strict=True)):
        reveal = (bytes([number]) * 32, revealed_at) if number < 2 else (None, None)
        await world.sql.execute("INSERT INTO draw_seed VALUES ($1, $2, $3, $4, $5)", day, commitment, NOON, *reveal)
        if number > 2:
            row = (day, "gone" if number == 4 else "tests", b"n" * 12, b"s" * 48)
            await world.sql.execute("INSERT INTO draw_seed_sealed VALUES ($1, $2, $3, $4)", *row)
    listed = await haru("seeds", "list", "--days", "2")
    revealed = f"revealed {days[2]} 15:04Z"
    lacking = "sealed by gone, which HARU_SEED_KEYS does not have"
    states = [revealed, "lost", "sealed by tests", lacking, "sealed by tests"]
    assert (listed.exit_code, listed.output.splitlines()) == (
        1,
        [f"{day}  {one}  {state}" for day, one, state in zip(days[1:], commitments[1:], states, strict=True)],
    )
    told = await haru("seeds", "list", "--days", "2", "--json")
    kids = [None, None, "tests", "gone", "tests"]
    assert (told.exit_code, json.loads(told.stdout)) == (
        1,
        [
            {
                "date": str(day),
                "commitment": commitment,
                "revealedAt": revealed_at.isoformat() if day == days[1] else None,
                "sealedBy": kid,
                "isKeyGiven": {None: None, "tests": True, "gone": False}[kid],
            }
            for day, commitment, kid in zip(days[1:], commitments[1:], kids, strict=True)
        ],
    )
    monkeypatch.setenv("HARU_SEED_KEYS", f"{SEED_KEYS},{SEED_KEYS.replace('tests', 'gone')}")
    assert (await haru("seeds", "list")).exit_code == 0
    made = await haru("seeds", "make")
    assert made.stdout == f"committed to: {today} to {today + dt.timedelta(days=7)}\n", made.output


@pytest.mark.parametrize("is_there", [False, True])
def test_a_local_key_is_made_once_and_for_its_owner_alone(tmp_path: Path, is_there: bool) -> None:
    state = tmp_path / "of haru" / "state"
    if is_there:
        state.mkdir(parents=True)
    settings = read_settings(HARU_STATE_DIR=state, HARU_SEED_KEYS="")
    first, second = seed_keys_of(settings), seed_keys_of(settings)
    sealed = first.seal(TODAY, "c", b"s" * 32, b"n" * 12)
    assert second.unseal(TODAY, "c", sealed) == b"s" * 32
    (file,) = state.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_transcript_names_a_hundred_faults_at_most() -> None:
    told = Transcript()
    for _ in range(120):
        told.read(DayLine(TODAY, "c" * 64, "", None, None, None))
    assert len(told.finish()) == 100
