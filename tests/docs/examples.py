"""docs/examples.md: every GraphQL document in it is sent, in order, and its answer written behind it.

A line `<!-- as: PLAYER, today: DICE -->` before a document says who sends it and what is on; variables are a block
`json variables`. Clock, dice and ids are fixed, so that the answers come out the same every time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from models import FeatureType, Role
from tests.world import World

PAGE = Path(__file__).parents[2] / "docs" / "examples.md"

EXAMPLE = re.compile(
    r"<!-- as: (?P<role>\w+), today: (?P<today>\w+) -->\n+"
    r"```graphql\n(?P<query>.*?)```\n+"
    r"(?:```json variables\n(?P<variables>.*?)```\n+)?"
    r"```json\n(?P<answer>.*?)```",
    re.DOTALL,
)

NAMES = {Role.PLAYER: "demo-player", Role.OPERATOR: "demo-operator", Role.ADMIN: "demo-admin"}


async def page_with_answers(world: World) -> str:
    """The page, with the answers that this world gives."""
    page, out, end = PAGE.read_text(encoding="utf-8"), [], 0
    for match in EXAMPLE.finditer(page):
        role = Role(match["role"])
        client = await world.player(NAMES.get(role, f"demo-{role.lower()}"), role)
        await world.today(FeatureType(match["today"]))
        world.clock.advance(seconds=1)
        answer = await client.execute(match["query"], **json.loads(match["variables"] or "{}"))
        out += [page[end : match.start("answer")], json.dumps(answer, indent=2, ensure_ascii=False), "\n"]
        end = match.end("answer")
    return "".join([*out, page[end:]])
