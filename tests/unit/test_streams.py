"""Streams: commitments, keys, words and leaves by the letter, written a second time from the definition."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from itertools import count
from uuid import UUID

import pytest

from services.rules.draws import (
    NO_DRAWS,
    DaySeed,
    Stream,
    commitment_of,
    day_root,
    key_of,
    leaf_of,
    message_of,
    roll,
    shuffled_by,
)
from services.rules.registry import GAMES

DATE = dt.date(2026, 3, 2)
SEED = bytes(range(32))
ALICE = UUID("00000000-0000-4000-8000-000000000001")
MESSAGE = message_of(DATE, "playDice", "ab" * 32, ALICE, 3)


def words(key: bytes, message: str, wanted: int) -> list[int]:
    found: list[int] = []
    for number in count():
        block = hmac.new(key, f"{message}\n{number}".encode(), hashlib.sha256).digest()
        found += [int.from_bytes(block[at : at + 8], "big") for at in range(0, 32, 8)]
        if len(found) >= wanted:
            return found[:wanted]
    raise AssertionError


def test_a_message_has_six_lines_and_no_end() -> None:
    assert MESSAGE.split("\n") == ["haru draw 1", "2026-03-02", "playDice", "ab" * 32, str(ALICE), "3"]


def test_a_commitment_is_the_hash_of_the_seed_behind_its_date() -> None:
    assert commitment_of(DATE, SEED) == hashlib.sha256(b"haru seed 1\n2026-03-02\n" + SEED).hexdigest()
    assert len({commitment_of(DATE, SEED), commitment_of(DATE, SEED[::-1]), commitment_of(dt.date.max, SEED)}) == 3


@pytest.mark.parametrize("shuffle", [NO_DRAWS, "cd" * 32])
def test_a_key_is_made_of_the_seed_and_of_what_was_drawn_two_days_before(shuffle: str) -> None:
    expected = hmac.new(SEED, f"haru day 1\n2026-03-02\n{shuffle}".encode(), hashlib.sha256).digest()
    assert key_of(DATE, SEED, shuffle) == expected
    assert shuffled_by(DATE) == dt.date(2026, 2, 28)


def test_a_stream_is_cut_into_words_that_favour_no_integer() -> None:
    bound = 2**63 + 1  # about every second word is skipped
    stream, all_words = Stream(b"key", MESSAGE), words(b"key", MESSAGE, 400)
    accepted = [word for word in all_words if word < 2**64 // bound * bound]
    assert 100 < len(accepted) < 300
    assert [stream.below(bound) for _ in range(100)] == [word % bound for word in accepted[:100]]


def test_every_bound_takes_the_next_word() -> None:
    stream, all_words = Stream(b"key", MESSAGE), words(b"key", MESSAGE, 9)
    bounds = [6, 6, 6, 6, 1, 2, 100, 10**9, 2**64]
    assert roll(stream, bounds) == [word % bound for word, bound in zip(all_words, bounds, strict=True)]


def test_the_same_draw_is_drawn_again_and_no_other_is() -> None:
    seed = DaySeed(DATE, commitment_of(DATE, SEED), key_of(DATE, SEED, NO_DRAWS))
    others = [message_of(DATE, "playDice", "ab" * 32, ALICE, number) for number in range(1, 6)]
    drawn = [tuple(roll(seed.stream(message), [10**9] * 4)) for message in [*others, MESSAGE]]
    assert drawn[2] == drawn[5]
    assert len(set(drawn)) == 5


def test_a_seed_is_not_told_by_accident() -> None:
    seed = DaySeed(DATE, commitment_of(DATE, SEED), key_of(DATE, SEED, NO_DRAWS))
    assert f"{seed}" == f"{seed!r}" == f"DaySeed(2026-03-02, {seed.commitment})"


def test_a_leaf_is_the_message_and_the_rolls() -> None:
    assert leaf_of(MESSAGE, [0, 5, 3, 1]) == hashlib.sha256(b"\0" + MESSAGE.encode() + b"\n0,5,3,1").digest()
    assert leaf_of(MESSAGE, (7,)) == hashlib.sha256(b"\0" + MESSAGE.encode() + b"\n7").digest()


def test_the_root_of_a_day() -> None:
    first, second, third = sorted(leaf_of(MESSAGE, [number]) for number in range(3))
    inner = hashlib.sha256(b"\1" + first + second).digest()
    assert day_root([first, second, third]) == hashlib.sha256(b"\1" + inner + third).hexdigest()
    assert day_root([first]) == first.hex()
    assert day_root([]) == NO_DRAWS == ""


def test_what_a_game_rolls_is_told_by_its_table() -> None:
    told = {
        game.operation: (list(game.bounds(table)), game.outcome(table, rolls))
        for game, table, rolls in zip(
            GAMES.values(),
            ([6, 6, 6, 6], [40, 25, 15, 12, 6, 2], [0, 9, 30, 60]),
            ([0, 5, 2, 1], [64], [9]),
            strict=True,
        )
    }
    assert told == {
        "playDice": ([6, 6, 6, 6], {"dice": [1, 6, 3, 2]}),
        "spinRoulette": ([100], {"slot": 1}),
        "drawLottery": ([99], {"position": 2}),
    }
