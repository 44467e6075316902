"""Whole days of many draws: the page at /verify and `haru verify draws` agree with all, and on every change of them."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from services.rules.proofs import ProofText, check
from services.transcripts import transcript
from tests.api.test_draws import PROOF
from tests.audits.audited import findings_of
from tests.browser.test_verify_page import Lines, by_command, flipped
from tests.browser.visit import Visit
from tests.races.test_draws import SEED, three_days
from tests.races.workers import in_both_sizes, race
from tests.serving import listening
from tests.world import Client, World

if TYPE_CHECKING:
    from playwright.async_api import Browser

CLIENTS = 64
PLAYS = f"{{ me {{ plays(first: 100) {{ nodes {{ {PROOF} }} }} }} }}"


@asynccontextmanager
async def verifying(browser: Browser, world: World) -> AsyncIterator[Visit]:
    """The page, in English."""
    async with listening(world.app) as home, Visit.to(browser, home, locale="en-US") as visit:
        await visit.page.goto(f"{home}/verify")
        await visit.page.wait_for_selector("#check")
        yield visit


async def by_page(visit: Visit, file: Path, lines: Lines) -> list[str]:
    """What the page finds in a file of these lines."""
    file.write_text("\n".join(map(json.dumps, lines)))
    await visit.page.evaluate("document.getElementById('verdict').className = ''")
    async with visit.page.expect_file_chooser() as chooser:
        await visit.page.click("#file")
    await (await chooser.value).set_files(file)
    await visit.page.wait_for_selector("#verdict.good, #verdict.bad", timeout=180_000)
    faults = await visit.page.locator("#faults li").all_text_contents()
    assert await visit.page.get_attribute("#verdict", "class") == ("bad" if faults else "good")
    return faults


def third(lines: Lines) -> int:
    """Which line is somebody's third play."""
    return next(number for number, line in enumerate(lines) if line.get("play") == 3)


def of_a_draw(change: Callable[[dict[str, Any]], Any]) -> Callable[[Lines], Any]:
    """Change somebody's third play."""
    return lambda lines: change(lines[third(lines)])


def renumber(draw: dict[str, Any]) -> None:
    """One bit of the number of the play, wherever it stands."""
    draw["play"] ^= 1
    draw["message"] = f"{draw['message'].rpartition(chr(10))[0]}\n{draw['play']}"


def other_outcome(draw: dict[str, Any]) -> None:
    """One bit of what came."""
    ((name, outcome),) = draw["outcome"].items()
    draw["outcome"] = {name: [outcome[0] ^ 1, *outcome[1:]] if name == "dice" else outcome ^ 1}


CHANGES: dict[str, tuple[Callable[[Lines], Any], str]] = {
    "seed": (lambda lines: lines[0].update(seed=flipped(lines[0]["seed"])), "seed: the commitment is not to it"),
    "root": (lambda lines: lines[0].update(root=flipped(lines[0]["root"])), "root: it is not that of the"),
    "revision": (of_a_draw(lambda draw: draw.update(revision=flipped(draw["revision"]))), "revision: no such revision"),
    "play": (of_a_draw(renumber), "is missing"),  # the other message may, by chance, draw the same
    "outcome": (of_a_draw(other_outcome), "outcome: the rolls mean another"),
    "a draw left out": (lambda lines: lines.pop(third(lines)), "root: it is not that of the"),
}
"""One bit each, or one draw, and what is told of it."""


def changed(lines: Lines) -> Iterator[tuple[Lines, str]]:
    """The day with each change."""
    for change, fault in CHANGES.values():
        wrong = copy.copy(lines)
        for place in (0, third(lines)):
            wrong[place] = copy.deepcopy(lines[place])
        change(wrong)
        yield wrong, fault


async def proofs_hold(players: Sequence[list[Client]]) -> None:
    """A proof is the play's for ever."""
    for player, *_ in players[:5]:
        nodes = (await player.data(PLAYS))["me"]["plays"]["nodes"]
        assert len(nodes) >= 30
        assert [fault for node in nodes for fault in check(msgspec.convert(node["proof"], ProofText))] == []


@in_both_sizes
async def test_every_draw_is_as_it_had_to_be(browser: Browser, empty_database: str, tmp_path: Path, size: str) -> None:
    each, file = 33_334 if size == "full" else 700, tmp_path / "transcript.jsonl"
    async with race(empty_database, workers=2, seed=SEED) as racing, verifying(browser, racing.world) as page:
        players = await racing.players(CLIENTS)
        async for date in three_days(racing, players, each):
            for for_staff in (False, True):
                async with racing.world.parts.database.snapshot() as connection:
                    told = transcript(connection, date, for_staff=for_staff)
                    lines = [msgspec.json.decode(msgspec.json.encode(line)) async for line in told]
                assert [line["type"] for line in lines].count("draw") == each
                assert by_command(lines) == await by_page(page, file, lines) == []
            for wrong, fault in changed(lines):
                faults = by_command(wrong)
                assert any(fault in one for one in faults), (fault, faults)
                assert await by_page(page, file, wrong) == faults
        await proofs_hold(players)
    assert await findings_of(empty_database) == []
