"""Checking a day's transcript, without a database: what is wrong with it is told to the word, and nothing else is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from models import FeatureType
from services.rules.dice import DICE
from services.rules.draws import DaySeed, commitment_of, day_root, key_of, leaf_of, message_of
from services.rules.game import Game
from services.rules.hashes import content_of, hash_of
from services.rules.lottery import LOTTERY
from services.rules.roulette import ROULETTE
from services.rules.transcripts import (
    AdjustmentLine,
    DayLine,
    DrawLine,
    Line,
    PrizeOf,
    RevisionLine,
    StockLine,
    Transcript,
)
from tests.unit import rules
from tests.unit.rules import TODAY

ALICE, BOB = UUID(int=1), UUID(int=2)
SECRET, SHUFFLE = bytes(range(32)), "ab" * 32
COMMITMENT = commitment_of(TODAY, SECRET)
SEED = DaySeed(TODAY, COMMITMENT, key_of(TODAY, SECRET, SHUFFLE))


def named(game: Game[Any, Any], revision: Any) -> Any:
    """A revision by the hash of what it says."""
    return msgspec.structs.replace(revision, hash=hash_of(content_of(game, revision)))


FAIR = named(DICE, rules.dice())
WHEEL = named(ROULETTE, rules.roulette([3, 0, 1, 1, 1, 1]))
# The first prize is not active; of the second there are two, and of the third one.
THREE_LEFT = named(LOTTERY, rules.lottery([(9, None), (1, 2), (1, 1)], inactive=[0]))
OUT = 2
"""Of these what runs out first: a stock, and the position of its prize."""


def drawn(game: Game[Any, Any], revision: Any, player: UUID, play: int, **more: Any) -> DrawLine:
    """A draw as it had to be; `more`: its number and the stocks it finds, the day that its message names."""
    stocks = more.get("stocks", {})
    message = message_of(more.get("date", TODAY), game.operation, revision.hash, player, play)
    one = game.draw(revision, stocks, SEED.stream(message))
    if one.takes is not None:
        stocks[one.takes] -= 1
    table, rolls = list(one.drawn_from), list(one.rolls)
    outcome = game.outcome(table, rolls)
    said = {"player": str(player), "message": message}
    return DrawLine(more.get("no"), game.operation, play, revision.hash, table, rolls, outcome, **said)


def tickets() -> tuple[AdjustmentLine, list[DrawLine]]:
    """Three draws until nothing is left, one piece more of what ran out first, and a fourth."""
    stocks = THREE_LEFT.stocks()
    draws = [drawn(LOTTERY, THREE_LEFT, *who, no=no, stocks=stocks) for no, who in ((1, (ALICE, 1)), (2, (BOB, 1)))]
    assert stocks == {1: 1, OUT: 0}
    draws.append(drawn(LOTTERY, THREE_LEFT, ALICE, 2, no=3, stocks=stocks))
    stocks[OUT] += 1
    return AdjustmentLine(OUT, 1, 3), [*draws, drawn(LOTTERY, THREE_LEFT, BOB, 2, no=4, stocks=stocks)]


def a_day() -> list[Any]:
    """The day as line 1, its revisions (2 to 4), stocks (5, 6), what changed one (7), and its draws from line 8 on."""
    adjustment, draws = tickets()
    draws = [
        *(drawn(DICE, FAIR, *who) for who in ((ALICE, 1), (ALICE, 2), (ALICE, 3), (BOB, 1))),
        drawn(ROULETTE, WHEEL, ALICE, 1),
        *draws,
    ]
    root = day_root(sorted(leaf_of(draw.message or "", draw.rolls) for draw in draws))
    return [
        DayLine(TODAY, COMMITMENT, "2026-03-01T00:00:00Z", SECRET.hex(), SHUFFLE, root),
        *(
            RevisionLine(revision.hash, game.feature, content_of(game, revision))
            for game, revision in ((DICE, FAIR), (ROULETTE, WHEEL), (LOTTERY, THREE_LEFT))
        ),
        *(StockLine(stock, left, [PrizeOf(THREE_LEFT.hash, stock)]) for stock, left in THREE_LEFT.stocks().items()),
        adjustment,
        *draws,
    ]


DAY = a_day()
STOCK = 5
DICE_1, DICE_2, DICE_3, DICE_OF_BOB, SPIN, TICKET_1, TICKET_2, TICKET_3, TICKET_4 = range(7, 16)


def published(lines: list[Any]) -> list[Any]:
    """The form that names no player."""
    return [
        msgspec.structs.replace(line, player=None, message=None, leaf=leaf_of(line.message or "", line.rolls).hex())
        if isinstance(line, DrawLine)
        else line
        for line in lines
    ]


def told(lines: list[Any]) -> list[str]:
    """What is wrong with these lines, as they are read from a file."""
    checked = Transcript()
    for line in lines:
        checked.read(msgspec.json.decode(msgspec.json.encode(line), type=Line))
    return checked.finish()


def test_a_day_as_it_had_to_be_has_no_fault() -> None:
    assert told(DAY) == told(published(DAY)) == []
    nothing = [DayLine(TODAY, COMMITMENT, "", SECRET.hex(), SHUFFLE, "")]
    assert told(nothing) == []


def line(index: int, **changes: Any) -> Callable[[list[Any]], Any]:
    """Change a line; functions are applied to what is there."""

    def change(lines: list[Any]) -> None:
        was = lines[index]
        said = {name: to(getattr(was, name)) if callable(to) else to for name, to in changes.items()}
        lines[index] = msgspec.structs.replace(was, **said)

    return change


def draw(index: int, *which: Any, **more: Any) -> Callable[[list[Any]], Any]:
    """Put another draw there."""
    return lambda lines: lines.__setitem__(index, drawn(*which, **more))


def drop(index: int) -> Callable[[list[Any]], Any]:
    return lambda lines: lines.pop(index)


def flipped(text: str) -> str:
    """Hexadecimal digits with one bit changed."""
    return f"{int(text[0], 16) ^ 1:x}{text[1:]}"


def root(draws: int) -> str:
    return f"root: it is not that of the {draws} draws that are here"


NO_SEGMENTS: list[Any] = [None, 6, [6], [{}], [{"weight": "1"}]]
NO_SUCH = "revision: no such revision of this game is here"
OTHERS = "rolls: seed, rootOfD2 and message draw others"
OUT_OF_BOUNDS = "rolls: they are out of the bounds of drawnFrom"

NONE_LEFT = "0: 0 are left"


def weighs(line: int, position: int, told: str) -> str:
    return f"line {line}: drawnFrom: position {position} weighs {told}"


def taken(line: int, position: int) -> list[str]:
    """A prize is drawn of which nothing was left."""
    return [
        weighs(line, position, NONE_LEFT),
        f"line {line}: outcome: nothing was left of the prize at position {position}",
    ]


CHANGES: dict[str, tuple[Callable[[list[Any]], Any], list[str]]] = {
    "no day": (drop(0), ["there is no day in it"]),
    "a second day": (lambda lines: lines.insert(1, lines[0]), ["line 2: there is a day in it already"]),
    "no seed": (line(0, seed=None), ["line 1: seed: it is not revealed yet"]),
    "no shuffle": (line(0, root_of_d2=None), ["line 1: seed: it is not revealed yet"]),
    "odd seed": (line(0, seed="zz"), ["line 1: seed: the commitment is not to it"]),
    "seed": (line(0, seed=flipped), ["line 1: seed: the commitment is not to it"]),
    "root": (line(0, root=flipped), [root(9)]),
    "hash": (
        line(1, hash=flipped),
        ["line 2: hash: it is not that of the content", *(f"line {n}: {NO_SUCH}" for n in (8, 9, 10, 11)), root(9)],
    ),
    "no game": (
        line(2, feature=FeatureType.RANKING),
        ["line 3: feature: it is no game", f"line 12: {NO_SUCH}", root(9)],
    ),
    **{
        f"segments that are {segments}": (
            line(2, content={"segments": segments}),
            [
                "line 3: hash: it is not that of the content",
                "line 3: content: it is not that of this game",
                f"line 12: {NO_SUCH}",
                root(9),
            ],
        )
        for segments in NO_SEGMENTS
    },
    "no segments": (
        line(2, content=lambda was: {}, hash=hash_of({})),
        ["line 3: content: it is not that of this game", f"line 12: {NO_SUCH}", root(9)],
    ),
    "no number that is one": (line(1, content={"limit": 2**60}), ["line 2: hash: it is not that of the content"]),
    "another game": (line(SPIN, revision=FAIR.hash), [f"line 12: {NO_SUCH}", root(9)]),
    "no operation": (line(SPIN, operation="spin"), [f"line 12: {NO_SUCH}", root(9)]),
    "rolls out of bounds": (line(DICE_1, rolls=[0, 0, 0, 6]), [f"line 8: {OUT_OF_BOUNDS}", root(9)]),
    "other rolls": (
        line(DICE_1, rolls=[0, 1, 2, 3], outcome={"dice": [1, 2, 3, 4]}),
        [f"line 8: {OTHERS}", root(9)],
    ),
    "outcome": (
        line(SPIN, outcome=lambda was: {"slot": was["slot"] ^ 1}),
        ["line 12: outcome: the rolls mean another"],
    ),
    "message": (
        line(DICE_1, message="x"),
        [
            "line 8: message: it is not that of a draw",
            f"line 8: {OTHERS}",
            f"play: number 1 of player {ALICE}, playDice, is missing",
            root(9),
        ],
    ),
    "play": (line(DICE_1, play=9), ["line 8: play: the message names another"]),
    "player": (line(DICE_1, player=str(BOB)), ["line 8: player: the message names another"]),
    "nobody": (line(DICE_1, player=None), ["line 8: player: the message names another"]),
    "yesterday": (
        draw(DICE_3, DICE, FAIR, ALICE, 3, date=TODAY.replace(day=1)),
        ["line 10: message: it is of another day", root(9)],
    ),
    "plays in another order": (lambda lines: lines.insert(DICE_1, lines.pop(DICE_3)), []),
    "a later one twice": (
        lambda lines: lines.__setitem__(slice(DICE_1, DICE_1), [lines[DICE_2]]),
        ["line 10: play: it is here twice", root(10)],
    ),
    "a number without end": (
        draw(DICE_2, DICE, FAIR, ALICE, 10**18),
        [f"play: number 2 of player {ALICE}, playDice, is missing", root(9)],
    ),
    "two players' left out": (
        lambda lines: [change(lines) for change in (draw(DICE_OF_BOB, DICE, FAIR, BOB, 2), drop(DICE_2))],
        [
            f"play: number 2 of player {ALICE}, playDice, is missing",
            f"play: number 1 of player {BOB}, playDice, is missing",
            root(8),
        ],
    ),
    "twice": (lambda lines: lines.append(lines[DICE_2]), ["line 17: play: it is here twice", root(10)]),
    "the last twice": (lambda lines: lines.append(lines[DICE_3]), ["line 17: play: it is here twice", root(10)]),
    "the first left out": (drop(DICE_1), [f"play: number 1 of player {ALICE}, playDice, is missing", root(8)]),
    "one left out": (drop(DICE_2), [f"play: number 2 of player {ALICE}, playDice, is missing", root(8)]),
    "the last left out": (drop(DICE_3), [root(8)]),
    "two left out": (
        draw(DICE_2, DICE, FAIR, ALICE, 5),
        [f"play: number 2 of player {ALICE}, playDice, is missing", root(9)],
    ),
    "no number": (line(TICKET_2, no=None), ["line 14: no: 2 comes next"]),
    "number": (line(TICKET_2, no=3), ["line 14: no: 2 comes next", "line 15: no: 4 comes next"]),
    "no table": (line(SPIN, drawn_from=[]), [f"line 12: {OUT_OF_BOUNDS}", weighs(12, 0, "3")]),
    "a table too long": (line(SPIN, drawn_from=lambda was: [*was, 0]), [weighs(12, 0, "3")]),
    "another weight": (line(SPIN, drawn_from=[3, 0, 1, 1, 2, 1]), [weighs(12, 4, "1"), f"line 12: {OTHERS}"]),
    "no end of it": (
        line(DICE_1, drawn_from=[6, 6, 6, 2**65]),
        [f"line 8: {OUT_OF_BOUNDS}", weighs(8, 3, "6")],
    ),
    "one too few": (
        line(STOCK, opening=0),
        [weighs(13, OUT, NONE_LEFT), *taken(14, OUT), *taken(16, OUT)],
    ),
    "one too many": (line(STOCK, opening=2), [weighs(15, OUT, "1: 1 are left")]),
    "no stock": (drop(STOCK), [weighs(14, OUT, "1")]),
    "no adjustment": (drop(6), taken(15, OUT)),
    "an early adjustment": (line(6, after_no=2), [weighs(15, OUT, "1: 1 are left")]),
    "a late adjustment": (line(6, after_no=4), taken(16, OUT)),
    "an adjustment in parts": (
        lambda lines: lines.__setitem__(slice(6, 7), [AdjustmentLine(OUT, by, 3) for by in (-1, 2)]),
        [],
    ),
    "another stock's adjustment": (line(6, stock=9), taken(16, OUT)),
    "a prize kept out": (
        line(TICKET_1, drawn_from=[0, 1, 0], rolls=[0], outcome={"position": 1}),
        [weighs(13, OUT, "1: 1 are left")],
    ),
    "a prize let in": (
        line(TICKET_3, drawn_from=[0, 1, 1], rolls=[1], outcome={"position": OUT}),
        [*taken(15, OUT), weighs(16, 1, "1: 1 are left"), taken(16, OUT)[1], root(9)],
    ),
}


@pytest.mark.parametrize(("change", "faults"), CHANGES.values(), ids=CHANGES)
def test_what_is_wrong_is_told_and_nothing_else(change: Callable[[list[Any]], Any], faults: list[str]) -> None:
    lines = copy.deepcopy(DAY)
    change(lines)
    assert told(lines) == faults


@pytest.mark.parametrize("leaf", [None, "", "no", "ab"])
def test_a_draw_without_a_message_has_its_leaf(leaf: str | None) -> None:
    lines = published(DAY)
    line(SPIN, leaf=leaf)(lines)
    odd = [] if leaf == "ab" else ["line 12: leaf: it is not hexadecimal"]
    assert told(lines) == [*odd, root(9)]


def test_a_hundred_faults_are_told() -> None:
    unknown = msgspec.structs.replace(DAY[SPIN], revision="0" * 64)
    faults = told([DAY[0], *[unknown] * 101])
    assert faults == [f"line {number}: {NO_SUCH}" for number in range(2, 102)]
    assert told([DAY[0], *[unknown] * 99]) == [*faults[:99], root(99)]
