"""Pages of examples: every GraphQL document in them is sent, in order, and its answer written behind it.

A line `<!-- as: PLAYER, today: DICE -->` before a document says who sends it and what is on; variables are a block
`json variables`, an uploaded file a block `csv`. Clock, dice and ids are fixed: the answers are the same every time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from models import FeatureType, Role
from tests.world import Client, World

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "examples.md", DOCS / "operations.md", DOCS / "odds.md")

EXAMPLE = re.compile(
    r"<!-- as: (?P<role>\w+), today: (?P<today>\w+) -->\n+"
    r"```graphql\n(?P<query>.*?)```\n+"
    r"(?:```json variables\n(?P<variables>.*?)```\n+)?"
    r"(?:```csv\n(?P<file>.*?)```\n+)?"
    r"```json\n(?P<answer>.*?)```",
    re.DOTALL,
)


async def page_with_answers(page: Path, world: World) -> str:
    """A page, with the answers that this world gives."""
    text, out, end = page.read_text(encoding="utf-8"), [], 0
    for match in EXAMPLE.finditer(text):
        role = Role(match["role"])
        client = await world.player(f"demo-{role.lower()}", role)
        await world.today(FeatureType(match["today"]))
        world.clock.advance(seconds=1)
        answer = await _answer(client, match)
        out += [text[end : match.start("answer")], json.dumps(answer, indent=2, ensure_ascii=False), "\n"]
        end = match.end("answer")
    return "".join([*out, text[end:]])


async def _answer(client: Client, example: re.Match[str]) -> dict[str, Any]:
    if example["file"] is None:
        return await client.execute(example["query"], **json.loads(example["variables"] or "{}"))
    return await client.upload(example["query"], example["file"].encode())
