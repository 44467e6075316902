"""Checking a whole day by its transcript: that every draw had to be so, and that none is left out.

A transcript is JSON lines: the day, the revisions that were played, the finite stocks with what changed them, then
every draw, the lottery's by number. In the form that may be published, the hash of each draw stands for its message, so
that it names no player: then that its rolls come from the seed is for its player to check, and for staff.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from itertools import count
from typing import Any

import msgspec
import rfc8785
from msgspec import Struct

from models import FeatureType
from services.rules.draws import DaySeed, commitment_of, day_root, key_of, leaf_of, read_message, roll
from services.rules.game import Game, Outcome
from services.rules.hashes import hash_of
from services.rules.proofs import OPERATIONS, check_rolls
from services.rules.registry import GAMES

MAX_FAULTS = 100


class DayLine(Struct, tag_field="type", tag="day", rename={"committed_at": "committedAt", "root_of_d2": "rootOfD2"}):
    """The day: what it was committed to, drawn from and shuffled by, and the root of its draws."""

    date: dt.date
    commitment: str
    committed_at: str
    seed: str | None
    root_of_d2: str | None
    root: str | None


class RevisionLine(Struct, tag_field="type", tag="revision"):
    """A revision that was played, and what it says (`services.rules.hashes`)."""

    hash: str
    feature: FeatureType
    content: dict[str, Any]


class PrizeOf(Struct):
    """A prize that is drawn from a stock: its revision, by hash, and its position there."""

    revision: str
    position: int


class StockLine(Struct, tag_field="type", tag="stock"):
    """A finite stock: what was left of it before the day's first draw."""

    stock: int
    opening: int
    prizes: list[PrizeOf]


class AdjustmentLine(Struct, tag_field="type", tag="adjustment", rename={"after_no": "afterNo"}):
    """What changed a stock beside the day's draws, and after which of them."""

    stock: int
    by: int
    after_no: int


class DrawLine(Struct, tag_field="type", tag="draw", rename={"drawn_from": "drawnFrom"}, omit_defaults=True):
    """A draw. `no`: its number among the day's, of a lottery; `play`: which of the player's plays of the day."""

    no: int | None
    operation: str
    play: int
    revision: str
    drawn_from: list[int]
    rolls: list[int]
    outcome: Outcome
    player: str | None = None
    message: str | None = None
    leaf: str | None = None


Line = DayLine | RevisionLine | StockLine | AdjustmentLine | DrawLine


class Transcript:
    """A transcript that is being checked, line by line. `faults`: what is wrong so far, each with its line."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.draws = 0
        self._number = 0
        self._day: DayLine | None = None
        self._seed: DaySeed | None = None
        self._tables: dict[str, tuple[Game[Any, Any], list[int]]] = {}
        self._stock_of: dict[tuple[str, int], int] = {}
        self._left = Counter[int]()
        self._adjustments: defaultdict[int, list[AdjustmentLine]] = defaultdict(list)
        self._last_no = 0
        self._plays: defaultdict[tuple[str, str], int] = defaultdict(int)
        """Up to which number plays were there, by player and operation."""
        self._beyond: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        """Which were there before one that is below them."""
        self._leaves: list[bytes] = []

    def read(self, line: Line) -> None:
        """Check the next line."""
        self._number += 1
        match line:
            case DayLine():
                self._read_day(line)
            case RevisionLine():
                self._read_revision(line)
            case StockLine(stock=stock):
                self._left[stock] = line.opening
                self._stock_of |= {(prize.revision, prize.position): stock for prize in line.prizes}
            case AdjustmentLine():
                self._adjustments[line.after_no].append(line)
            case _:
                self._read_draw(line)

    def finish(self) -> list[str]:
        """Check what only the whole tells; all that is wrong."""
        if self._day is None:
            self._note("there is no day in it", at_line=False)
            return self.faults
        for (player, operation), last in self._plays.items():
            beyond = self._beyond.get((player, operation), set())
            missing = next(number for number in count(last + 1) if number not in beyond)
            if missing <= last + len(beyond):
                self._note(f"play: number {missing} of player {player}, {operation}, is missing", at_line=False)
        self._leaves.sort()
        if day_root(self._leaves) != self._day.root:
            self._note(f"root: it is not that of the {self.draws} draws that are here", at_line=False)
        return self.faults

    def _note(self, fault: str, *, at_line: bool = True) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(f"line {self._number}: {fault}" if at_line else fault)

    def _read_day(self, day: DayLine) -> None:
        if self._day is not None:
            self._note("there is a day in it already")
        self._day = day
        try:
            seed = bytes.fromhex(day.seed or "")
        except ValueError:
            seed = b""
        if day.seed is None or day.root_of_d2 is None:
            self._note("seed: it is not revealed yet")
        elif commitment_of(day.date, seed) != day.commitment:
            self._note("seed: the commitment is not to it")
        else:
            self._seed = DaySeed(day.date, day.commitment, key_of(day.date, seed, day.root_of_d2))

    def _read_revision(self, line: RevisionLine) -> None:
        try:
            is_named = hash_of(line.content) == line.hash
        except rfc8785.CanonicalizationError:  # it has a number that no revision has
            is_named = False
        if not is_named:
            self._note("hash: it is not that of the content")
        game = GAMES.get(line.feature)
        if game is None:
            self._note("feature: it is no game")
            return
        try:
            self._tables[line.hash] = game, msgspec.convert(game.table(line.content), list[int])
        except (AttributeError, LookupError, TypeError, msgspec.ValidationError):
            self._note("content: it is not that of this game")

    def _read_draw(self, line: DrawLine) -> None:
        self.draws += 1
        game, table = self._tables.get(line.revision, (None, []))
        if game is None or OPERATIONS.get(line.operation) is not game:
            self._note("revision: no such revision of this game is here")
            return
        faults = check_rolls(game, line.drawn_from, line.rolls)
        if not faults and game.outcome(line.drawn_from, line.rolls) != line.outcome:
            faults = ["outcome: the rolls mean another"]
        for fault in faults:
            self._note(fault)
        if game.is_numbered:
            self._read_number(line)
        self._read_table(line, table)
        self._read_message(line)
        if not faults:
            self._read_rolls(line, game)
            self._take(line)

    def _read_number(self, line: DrawLine) -> None:
        if line.no != self._last_no + 1:
            self._note(f"no: {self._last_no + 1} comes next")
        self._last_no = line.no or self._last_no + 1
        for after in [number for number in self._adjustments if number < self._last_no]:
            for adjustment in self._adjustments.pop(after):
                self._left[adjustment.stock] += adjustment.by

    def _read_table(self, line: DrawLine, table: list[int]) -> None:
        """Whether what could be drawn is what was left: a prize is missing after its last piece, and only then."""
        for position, weight in enumerate(table):
            left = self._left_of(line, position)
            expected = 0 if left is not None and left <= 0 else weight
            if len(line.drawn_from) != len(table) or line.drawn_from[position] != expected:
                told = "" if left is None else f": {left} are left"
                self._note(f"drawnFrom: position {position} weighs {expected}{told}")
                return

    def _left_of(self, line: DrawLine, position: int) -> int | None:
        stock = self._stock_of.get((line.revision, position))
        return None if stock is None else self._left[stock]

    def _take(self, line: DrawLine) -> None:
        position = line.outcome.get("position")
        stock = self._stock_of.get((line.revision, position)) if isinstance(position, int) else None
        if stock is not None:
            self._left[stock] -= 1
            if self._left[stock] < 0:
                self._note(f"outcome: nothing was left of the prize at position {position}")

    def _read_message(self, line: DrawLine) -> None:
        """Whether the draw is the one that its message names; and its leaf."""
        if line.message is None:
            self._read_leaf(line)
            return
        self._leaves.append(leaf_of(line.message, line.rolls))
        try:
            date, *said, player, play = read_message(line.message)
        except ValueError:
            self._note("message: it is not that of a draw")
            return
        told = ("operation", line.operation), ("revision", line.revision), ("player", line.player), ("play", line.play)
        for (name, value), meant in zip(told, (*said, str(player), play), strict=True):
            if value != meant:
                self._note(f"{name}: the message names another")
        if self._day is not None and date != self._day.date:
            self._note("message: it is of another day")
        whose = str(player), line.operation
        if play <= self._plays[whose] or play in self._beyond.get(whose, ()):
            self._note("play: it is here twice")
        elif play == self._plays[whose] + 1:
            self._plays[whose] = play
        else:
            self._beyond[whose].add(play)

    def _read_rolls(self, line: DrawLine, game: Game[Any, Any]) -> None:
        if self._seed is None or line.message is None:
            return
        if roll(self._seed.stream(line.message), game.bounds(line.drawn_from)) != line.rolls:
            self._note("rolls: seed, rootOfD2 and message draw others")

    def _read_leaf(self, line: DrawLine) -> None:
        try:
            self._leaves.append(bytes.fromhex(line.leaf or "no"))
        except ValueError:
            self._note("leaf: it is not hexadecimal")
