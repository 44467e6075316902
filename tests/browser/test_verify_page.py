"""The page at /verify says what `haru verify draws` says, of a proof and of a day, and of every change of them."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest

from services.rules.draws import DaySeed, commitment_of, key_of, leaf_of, message_of, roll
from services.rules.hashes import content_of, hash_of
from services.rules.merkle import inclusion, root_of
from services.rules.proofs import ProofText
from services.rules.proofs import check as check_proof
from services.rules.registry import GAMES
from services.rules.transcripts import Line, Transcript
from tests.browser.visit import Visit
from tests.docs.vectors import VECTORS
from tests.unit import rules

if TYPE_CHECKING:
    from playwright.async_api import Browser

DATE = dt.date(2026, 3, 2)
SEED, SHUFFLE = bytes(range(32)), "0f" * 32
COMMITMENT = commitment_of(DATE, SEED)
DAY_SEED = DaySeed(DATE, COMMITMENT, key_of(DATE, SEED, SHUFFLE))
Lines = list[dict[str, Any]]


def a_day() -> Lines:
    """A day of each game, of which one prize ran out after its last piece, as its transcript for staff."""
    lines: Lines = []
    draws: Lines = []
    revisions = (rules.dice(), rules.roulette([1, 2, 3, 0, 5, 89]), rules.lottery([(1, 2), (1, None)]))
    for game, revision in zip(GAMES.values(), revisions, strict=True):
        said = content_of(game, revision)
        digest = hash_of(said)
        lines.append({"type": "revision", "hash": digest, "feature": game.feature, "content": said})
        left = 2
        if game.is_numbered:
            prizes = [{"revision": digest, "position": 0}]
            lines.append({"type": "stock", "stock": 7, "opening": left, "prizes": prizes})
        for number in range(12):
            player, play = UUID(int=number % 3 + 1), number // 3 + 1
            message = message_of(DATE, game.operation, digest, player, play)
            table = game.table(said)
            if game.is_numbered:
                table = [0 if left == 0 else 1, 1]
            rolls = roll(DAY_SEED.stream(message), game.bounds(table))
            outcome = game.outcome(table, rolls)
            left -= outcome.get("position") == 0
            draws.append(
                {
                    "type": "draw",
                    "no": number + 1 if game.is_numbered else None,
                    "operation": game.operation,
                    "player": str(player),
                    "play": play,
                    "revision": digest,
                    "message": message,
                    "drawnFrom": table,
                    "rolls": rolls,
                    "outcome": outcome,
                }
            )
    root = root_of(sorted(leaf_of(draw["message"], draw["rolls"]) for draw in draws)).hex()
    day = {"type": "day", "date": str(DATE), "commitment": COMMITMENT, "committedAt": "2026-02-23T00:00:00.000Z"}
    return [day | {"seed": SEED.hex(), "rootOfD2": SHUFFLE, "root": root}, *lines, *draws]


def published(lines: Lines) -> Lines:
    """The same without players."""
    bare = copy.deepcopy(lines)
    for line in bare:
        if line["type"] == "draw":
            del line["player"]
            line["leaf"] = leaf_of(line.pop("message"), line["rolls"]).hex()
    return bare


def a_proof(lines: Lines, index: int = -1) -> dict[str, Any]:
    """The proof of one of the draws."""
    draws = [line for line in lines if line["type"] == "draw"]
    leaves = sorted(leaf_of(draw["message"], draw["rolls"]) for draw in draws)
    draw = draws[index]
    at = leaves.index(leaf_of(draw["message"], draw["rolls"]))
    return {
        "commitment": COMMITMENT,
        "shuffle": SHUFFLE,
        "seed": SEED.hex(),
        "message": draw["message"],
        "drawnFrom": draw["drawnFrom"],
        "rolls": draw["rolls"],
        "revisionHash": draw["revision"],
        "root": root_of(leaves).hex(),
        "inclusion": [one.hex() for one in inclusion(leaves, at)],
        "leafIndex": at,
        "leafCount": len(leaves),
    }


def by_command(lines: Lines) -> list[str]:
    decode, checked = msgspec.json.Decoder(Line).decode, Transcript()
    for line in lines:
        checked.read(decode(json.dumps(line)))
    return checked.finish()


def flipped(digest: str) -> str:
    """A hash with one bit changed."""
    return f"{int(digest[0], 16) ^ 1:x}{digest[1:]}"


def put(index: int, **changes: Any) -> Callable[[Lines], None]:
    return lambda lines: lines[index].update(changes)


def of(index: int, name: str, change: Callable[[Any], Any]) -> Callable[[Lines], None]:
    return lambda lines: lines[index].update({name: change(lines[index][name])})


def drop(index: int) -> Callable[[Lines], None]:
    def change(lines: Lines) -> None:
        del lines[index]

    return change


def no_leaf(lines: Lines) -> None:
    del lines[-1]["message"]
    lines[-1]["leaf"] = "zz"


CHANGES: dict[str, Callable[[Lines], None]] = {
    "seed": of(0, "seed", flipped),
    "commitment": of(0, "commitment", flipped),
    "shuffle": of(0, "rootOfD2", flipped),
    "root": of(0, "root", flipped),
    "seed to come": put(0, seed=None),
    "seed in no hexadecimal": put(0, seed="xy"),
    "no day": drop(0),
    "revision": of(-1, "revision", flipped),
    "content": lambda lines: lines[1]["content"].update(name="another"),
    "weights": lambda lines: lines[2]["content"]["segments"][0].update(weight=2),
    "no segments": put(2, content={}),
    "no weights": put(2, content={"segments": [{}]}),
    "no game": put(1, feature="RANKING"),
    "play": of(-1, "play", lambda play: play + 1),
    "player": put(-1, player=str(UUID(int=9))),
    "rolls": put(-1, rolls=[1]),
    "rolls beyond": put(-1, rolls=[2]),
    "dice": of(6, "rolls", lambda rolls: [(rolls[0] + 1) % 6, *rolls[1:]]),
    "outcome": put(-1, outcome={"position": 0}),
    "table": put(-1, drawnFrom=[1, 1]),
    "table without end": put(7, drawnFrom=[6, 6, 6, 2**65]),
    "number": put(-1, no=99),
    "a draw left out": drop(-1),
    "a play left out": drop(8),
    "a number without end": lambda lines: lines[8].update(message=f"{lines[8]['message']}{'0' * 12}"),
    "a draw twice": lambda lines: lines.append(lines[-1]),
    "another day": lambda lines: lines[-1].update(message=lines[-1]["message"].replace("-02\n", "-03\n")),
    "no message": put(-1, message="x"),
    "stock": put(4, opening=1),
    "stock added": lambda lines: lines.insert(5, {"type": "adjustment", "stock": 7, "by": 1, "afterNo": 2}),
    "leaf": no_leaf,
}


@pytest.fixture(scope="module")
def day() -> Lines:
    return a_day()


@pytest.fixture
async def page(browser: Browser, home: str) -> AsyncIterator[Visit]:
    async with Visit.to(browser, home, locale="en-US") as visit:
        await visit.page.goto(f"{home}/verify")
        await visit.page.wait_for_selector("#check")
        yield visit


async def told(visit: Visit, text: str) -> tuple[str, list[str]]:
    """What the page says of a text: whether all is well, and each fault."""
    await visit.page.fill("#text", text)
    await visit.page.click("#check")
    await visit.page.wait_for_selector("#verdict.good, #verdict.bad")
    kind = await visit.page.get_attribute("#verdict", "class")
    return kind or "", await visit.page.locator("#faults li").all_text_contents()


def written(lines: Lines) -> str:
    return "\n".join(json.dumps(line) for line in lines)


async def test_the_page_and_the_command_agree_on_a_day_and_on_each_change_of_it(page: Visit, day: Lines) -> None:
    assert by_command(day) == by_command(published(day)) == []
    assert await told(page, written(day)) == ("good", [])
    assert await told(page, written(published(day))) == ("good", [])
    for name, change in CHANGES.items():
        changed = copy.deepcopy(day)
        change(changed)
        faults = by_command(changed)
        assert faults, name
        await page.page.evaluate("document.getElementById('verdict').className = ''")
        assert await told(page, written(changed)) == ("bad", faults), name


def proofs(day: Lines) -> Iterator[tuple[str, dict[str, Any]]]:
    """Proofs of each game, and what may be wrong with one."""
    for index in (0, 12, -1):
        yield "as it is", a_proof(day, index)
    good = a_proof(day, 0)  # of the dice, which no other seed rolls by chance
    for name in ("seed", "commitment", "shuffle", "root", "revisionHash"):
        yield name, good | {name: flipped(good[name])}
    changes: list[dict[str, Any]] = [
        {"seed": None},
        {"seed": "xy"},
        {"message": "x"},
        {"message": good["message"].replace("playDice", "spinRoulette")},
        {"message": good["message"] + "1"},
        {"rolls": [6, 0, 0, 0]},
        {"rolls": []},
        {"rolls": [(good["rolls"][0] + 1) % 6, *good["rolls"][1:]]},
        {"inclusion": good["inclusion"][1:]},
        {"inclusion": ["xy"]},
        {"inclusion": None},
        {"leafIndex": good["leafIndex"] ^ 1},
        {"leafCount": 0},
    ]
    for change in changes:
        yield str(change), good | change


async def test_the_page_and_the_command_agree_on_a_proof_and_on_each_change_of_it(page: Visit, day: Lines) -> None:
    for name, proof in proofs(day):
        faults = check_proof(msgspec.convert(proof, ProofText))
        assert bool(faults) == (name != "as it is"), name
        await page.page.evaluate("document.getElementById('verdict').className = ''")
        assert await told(page, json.dumps(proof)) == ("bad" if faults else "good", faults), name


async def test_the_page_holds_what_the_vectors_hold_and_names_what_they_name(page: Visit) -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    known = [*vectors["proofs"], *vectors["wrong"]]
    assert len(known) >= 15
    for one in known:
        proof = one.get("proof", one)
        await page.page.evaluate("document.getElementById('verdict').className = ''")
        kind, faults = await told(page, json.dumps(proof))
        assert kind == ("bad" if "fault" in one else "good"), one
        assert all(fault.startswith(f"{one['fault']}:") for fault in faults[:1]), (one, faults)


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", '{"type": "x"}', '{"seed": 1}'])
async def test_what_is_neither_is_told(page: Visit, text: str) -> None:
    assert (await told(page, text))[0] == "bad"
    assert await page.page.inner_text("#verdict") == "This is neither a proof nor a transcript."


async def test_a_proof_that_a_link_brings_is_checked_at_once(page: Visit, day: Lines) -> None:
    proof = json.dumps({"proof": a_proof(day)})
    await page.page.evaluate("(text) => { location.hash = encodeURIComponent(text); }", proof)
    await page.page.wait_for_selector("#verdict.good")
