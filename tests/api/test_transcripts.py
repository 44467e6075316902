"""Transcripts: a day that anybody can check, and every change of it that is named."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from services.published import read
from services.rules.hashes import content_of, hash_of
from services.rules.registry import GAMES
from services.rules.transcripts import Line, Transcript
from tests.api.test_draws import DICE, LOTTERY, ROULETTE, TODAY, close_the_day, play
from tests.api.test_stocks import adjust
from tests.conftest import Haru
from tests.games import all_in_stock, on
from tests.staff import operator, upsert, valid
from tests.world import World, forge

Lines = list[dict[str, Any]]
Change = Callable[[Lines], Any]


def check(lines: Lines) -> list[str]:
    decode, checked = msgspec.json.Decoder(Line).decode, Transcript()
    for line in lines:
        checked.read(decode(json.dumps(line)))
    return checked.finish()


async def a_day(world: World) -> None:
    """A day of all games, of which every prize ran out, and one of them was added to."""
    alice, bob = await world.player("alice"), await world.player("bob")
    for game in (DICE, ROULETTE):
        await on(world, game)
        for player in (alice, bob, alice):
            await play(player, game)
    await on(world, LOTTERY, limit=0)
    await even_odds(world, 2)
    for number in range(8):
        assert (await play((alice, bob)[number % 2], LOTTERY))["__typename"] == "LotteryDraw"
    assert (await play(alice, LOTTERY))["code"] == "OUT_OF_STOCK"
    await adjust(world, await world.sql.fetchval("SELECT min(id) FROM lottery_stock"), 1, 0)
    assert (await play(alice, LOTTERY))["__typename"] == "LotteryDraw"


async def even_odds(world: World, stock: int) -> None:
    """Let every prize of the lottery be as likely, and in finite stock."""
    await forge(world.sql, "UPDATE lottery_prize SET weight = 25")
    await all_in_stock(world.sql, stock)
    async with world.parts.database.snapshot() as connection:
        (rules,) = await read(connection, GAMES[LOTTERY.feature])
    await forge(world.sql, "UPDATE lottery_config SET hash = $1", hash_of(content_of(GAMES[LOTTERY.feature], rules)))


async def transcribed(haru: Haru, *options: str) -> Lines:
    told = await haru("transcript", "--date", str(TODAY), *options)
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


async def test_a_day_is_told_and_checked(world: World, haru: Haru, tmp_path: Path) -> None:
    await a_day(world)
    early = await haru("transcript", "--date", str(TODAY))
    assert (early.exit_code, early.stderr) == (1, f"Error: {TODAY} is not closed: its seed is not revealed.\n")
    await close_the_day(world)
    for options, draws in (["--staff"], 15), ([], 15):
        lines = await transcribed(haru, *options)
        assert check(lines) == []
        assert [line["type"] for line in lines].count("draw") == draws
        file = tmp_path / "transcript.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        checked = await haru("verify", "draws", str(file))
        assert (checked.exit_code, checked.stdout) == (0, "draws: 15, all as they had to be\n")
    text = json.dumps(lines)
    assert all(str(player.player_id) not in text for player in world.clients.values())
    numbered = [line["no"] for line in lines if line["type"] == "draw" and line["operation"] == "drawLottery"]
    assert numbered == list(range(1, 10))
    assert [line for line in lines if line["type"] == "adjustment"] == [
        {"type": "adjustment", "stock": lines[4]["stock"], "by": 1, "afterNo": 8}
    ]


def flipped(text: str) -> str:
    """Hexadecimal digits with one bit changed."""
    return f"{int(text[0], 16) ^ 1:x}{text[1:]}"


def of(lines: Lines, operation: str) -> dict[str, Any]:
    """The second draw of a game."""
    return [line for line in lines if line.get("operation") == operation][1]


def renumber(lines: Lines) -> None:
    draw = of(lines, "playDice")
    draw["play"] += 1
    draw["message"] = draw["message"][:-1] + str(draw["play"])


def other_outcome(lines: Lines) -> None:
    of(lines, "spinRoulette")["outcome"]["slot"] ^= 1


def other_dice(lines: Lines) -> None:
    draw = of(lines, "playDice")
    draw["rolls"][0] = (draw["rolls"][0] + 1) % 6
    draw["outcome"]["dice"][0] = draw["rolls"][0] + 1


def lottery(position: int, change: Callable[[dict[str, Any]], None]) -> Change:
    def changed(lines: Lines) -> None:
        change([line for line in lines if line.get("operation") == "drawLottery"][position])

    return changed


def weigh(weight: int) -> Callable[[dict[str, Any]], None]:
    """Let the prizes that could not be drawn, or those that could, have another weight."""

    def change(draw: dict[str, Any]) -> None:
        draw["drawnFrom"] = [weight if (one == 0) == (weight > 0) else one for one in draw["drawnFrom"]]

    return change


def drop(kind: str, **having: Any) -> Change:
    """Leave out a line."""

    def change(lines: Lines) -> None:
        lines.remove(next(line for line in lines if line["type"] == kind and line.items() >= having.items()))

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "seed": (
        lambda lines: lines[0].update(seed=flipped(lines[0]["seed"])),
        "line 1: seed: the commitment is not to it",
    ),
    "no seed": (lambda lines: lines[0].update(seed=None), "line 1: seed: it is not revealed yet"),
    "odd seed": (lambda lines: lines[0].update(seed="zz"), "line 1: seed: the commitment is not to it"),
    "shuffle": (lambda lines: lines[0].update(rootOfD2="ab" * 32), "rolls: seed, rootOfD2 and message draw others"),
    "root": (lambda lines: lines[0].update(root=flipped(lines[0]["root"])), "root: it is not that of the 15 draws"),
    "a second day": (lambda lines: lines.insert(1, lines[0]), "line 2: there is a day in it already"),
    "no day": (drop("day"), "there is no day in it"),
    "another day": (lambda lines: lines[0].update(date="2026-03-03"), "seed: the commitment is not to it"),
    "hash": (
        lambda lines: lines[1].update(hash=flipped(lines[1]["hash"])),
        "line 2: hash: it is not that of the content",
    ),
    "no game": (lambda lines: lines[1].update(feature="RANKING"), "line 2: feature: it is no game"),
    "odds": (lambda lines: lines[1]["content"].update(win_reward_amount=1), "hash: it is not that of the content"),
    "revision": (
        lambda lines: of(lines, "playDice").update(revision=flipped(of(lines, "playDice")["revision"])),
        "revision: no such revision of this game is here",
    ),
    "revision of another game": (
        lambda lines: of(lines, "playDice").update(revision=of(lines, "spinRoulette")["revision"]),
        "revision: no such revision of this game is here",
    ),
    "play": (lambda lines: of(lines, "playDice").update(play=9), "play: the message names another"),
    "play number": (renumber, "rolls: seed, rootOfD2 and message draw others"),
    "player": (lambda lines: of(lines, "playDice").update(player="x"), "player: the message names another"),
    "message": (lambda lines: of(lines, "playDice").update(message="x"), "message: it is not that of a draw"),
    "outcome": (other_outcome, "outcome: the rolls mean another"),
    "rolls": (other_dice, "rolls: seed, rootOfD2 and message draw others"),
    "rolls out of bounds": (lambda lines: of(lines, "playDice").update(rolls=[0, 0, 0, 6]), "rolls: they are out of"),
    "a draw twice": (lambda lines: lines.append(of(lines, "playDice")), "play: it is here twice"),
    "a draw left out": (drop("draw", operation="playDice", play=2), "root: it is not that of the 14 draws"),
    "a play left out": (drop("draw", operation="playDice", play=1), "playDice, is missing"),
    "a number left out": (drop("draw", no=4), "no: 4 comes next"),
    "the last left out": (drop("draw", no=9), "root: it is not that of the 14 draws"),
    "an adjustment left out": (drop("adjustment"), "weighs 0: 0 are left"),
    "opening": (lambda lines: lines[4].update(opening=1), "weighs 0: 0 are left"),
    "opening above": (lambda lines: lines[4].update(opening=3), "weighs 25: 1 are left"),
    "a stock left out": (drop("stock"), "weighs 25"),
    "a prize kept out": (lottery(0, weigh(0)), "drawnFrom: position 0 weighs 25: 2 are left"),
    "a prize let in": (lottery(7, weigh(5)), "weighs 0: 0 are left"),
}


async def test_every_change_of_a_day_is_named(world: World, haru: Haru, tmp_path: Path) -> None:
    await a_day(world)
    await close_the_day(world)
    lines = await transcribed(haru, "--staff")
    for name, (change, fault) in CHANGES.items():
        changed = copy.deepcopy(lines)
        change(changed)
        told = check(changed)
        assert any(fault in one for one in told), (name, told)
    file = tmp_path / "changed.jsonl"
    file.write_text("\n".join(map(json.dumps, lines[:-1])))
    checked = await haru("verify", "draws", str(file))
    assert checked.exit_code == 1
    assert checked.stdout == "draws: 14, faults: 1\n"
    file.write_text("no JSON")
    assert (await haru("verify", "draws", str(file))).exit_code == 2


async def test_what_is_published_names_nobody_and_leaves_nothing_out(world: World, haru: Haru) -> None:
    await a_day(world)
    await close_the_day(world)
    lines = await transcribed(haru)
    for change, fault in (
        (drop("draw", no=9), "root: it is not that of the 14 draws"),
        (lambda them: of(them, "playDice").update(leaf=flipped(of(them, "playDice")["leaf"])), "root: it is not that"),
        (lambda them: of(them, "playDice").update(leaf="no"), "leaf: it is not hexadecimal"),
        (other_outcome, "outcome: the rolls mean another"),
        (drop("draw", no=4), "no: 4 comes next"),
    ):
        changed = copy.deepcopy(lines)
        change(changed)
        told = check(changed)
        assert any(fault in one for one in told), told


async def test_what_is_drawn_a_moment_after_its_day_is_told_to_the_next(world: World, haru: Haru) -> None:
    """A play that straddles midnight belongs to the day of its start, and the next day's draws find its prize gone."""
    await on(world, LOTTERY, limit=0)
    await even_odds(world, 3)
    alice, bob = await world.player("alice"), await world.player("bob")
    stock = await world.sql.fetchval("SELECT min(id) FROM lottery_stock")
    await adjust(world, stock, 1, 3)
    await play(alice, LOTTERY)
    midnight = world.parts.calendar.ends_at(TODAY)
    for late in range(3):
        world.clock.now = midnight
        await world.today(LOTTERY.feature)
        await play(await world.player("alice"), LOTTERY)
        world.clock.now = midnight - dt.timedelta(milliseconds=1)
        await play(await world.player("bob"), LOTTERY)
        assert await world.sql.fetchval("SELECT max(after_no) FROM lottery_adjustment") == late + 1
    assert bob.player_id
    left = 'SELECT "left" FROM lottery_stock WHERE id = $1'
    for _ in range(2):
        world.clock.advance(days=1)  # the next day, and the one after that
        await adjust(world, stock, 2, await world.sql.fetchval(left, stock))
    first = "(SELECT min(id) FROM lottery_adjustment WHERE taken_on IS NOT NULL)"
    await forge(world.sql, f"UPDATE lottery_adjustment SET by = by WHERE id = {first}")  # it is stored last
    for date, draws, adjustments in ((TODAY, 4, [0]), (TODAY + dt.timedelta(days=1), 3, [1, 2, 3, 3])):
        world.clock.now = world.parts.calendar.starts_at(date)
        await close_the_day(world)
        told = await haru("transcript", "--date", str(date), "--staff")
        lines = [json.loads(line) for line in told.stdout.splitlines()]
        assert check(lines) == []
        assert [line["type"] for line in lines].count("draw") == draws
        assert [line["afterNo"] for line in lines if line["type"] == "adjustment"] == adjustments
        stocks = [line["stock"] for line in lines if line["type"] == "stock"]
        assert stocks == sorted(stocks) != []


async def test_the_revisions_of_a_day_are_told_as_they_were_published(world: World, haru: Haru) -> None:
    """And since when it is committed to, to the millisecond that was."""
    alice, olive = await world.player("alice"), await operator(world)
    for revision in (1, 2, 3):
        await play(alice, DICE)
        world.clock.advance(minutes=1)
        await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig", expectedRevision=revision))
    committed = f"UPDATE draw_seed SET committed_at = '2026-03-02T03:00:00.123999Z' WHERE date = '{TODAY}'"
    await forge(world.sql, committed)
    await close_the_day(world)
    day, *lines = await transcribed(haru)
    assert check([day, *lines]) == []
    assert day["committedAt"] == "2026-03-02T03:00:00.123Z"
    assert [line["content"]["revision"] for line in lines if line["type"] == "revision"] == [1, 2, 3]
