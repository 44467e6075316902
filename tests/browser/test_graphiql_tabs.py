"""The ready-made operations of GraphiQL: on the demo data each works as it stands, at the first try."""

import datetime as dt
import json
import re
from typing import Any
from uuid import uuid4

import pytest
from graphql import parse, print_ast
from graphql.utilities import separate_operations

from models import FeatureType, Role
from server.graphiql import DIST
from tests import live
from tests.world import World

TABS = DIST.parent / "src" / "tabs"
STAFF = {"admin": Role.ADMIN, "look_up": Role.ADMIN} | dict.fromkeys(("publish", "schedule", "upload"), Role.OPERATOR)
CSV = b"rank,display_name,score,external_id\n1,Haru,100,\n"

DAY = {"ranking": FeatureType.RANKING}
"""What is on when a tab is tried; else the dice."""
REFUSED = {
    "SpinRoulette": "NO_FEATURE_TODAY",
    "DrawLottery": "NO_FEATURE_TODAY",
    "RouletteStatus": "NO_FEATURE_TODAY",
    "LotteryStatus": "NO_FEATURE_TODAY",
    "ClaimReward": "LEVEL_NOT_REACHED",  # after a single stamp
}
"""What no single day and no first day can answer."""


def operations_of(tab: str) -> dict[str, str]:
    """The documents of a tab's operations by their names, in their order."""
    separate = separate_operations(parse((TABS / f"{tab}.graphql").read_text()))
    return {name: print_ast(document) for name, document in separate.items()}


def variables_of(tab: str, today: dt.date) -> dict[str, Any]:
    """A tab's variables, with what the page fills in: dates, and a fresh key each time."""
    text = re.sub(r"\{\{key\}\}", lambda _: uuid4().hex, (TABS / f"{tab}.json").read_text())
    text = re.sub(r"\{\{today(?:\+(\d+))?\}\}", lambda found: str(today + dt.timedelta(int(found[1] or 0))), text)
    variables: dict[str, Any] = json.loads(text)
    return variables


@pytest.mark.parametrize("tab", sorted(path.stem for path in TABS.glob("*.graphql")))
async def test_a_tab_works_as_it_stands(world: World, tab: str) -> None:
    await world.today(DAY.get(tab, FeatureType.DICE))
    today, used = world.parts.calendar.business_date(world.clock()), set()
    role = STAFF.get(tab, Role.PLAYER)
    client = await world.player(f"demo-{role.lower()}", role)
    for name, document in operations_of(tab).items():
        variables = {key: value for key, value in variables_of(tab, today).items() if f"${key}:" in document}
        used |= set(variables)
        if document.startswith("subscription"):
            async with live.socket(world.app, client.token) as socket:
                await socket.subscribe(document, **variables)
                if name != "RankingLive":  # which says nothing before the next ranking
                    await socket.data()
            continue
        if name == "UploadRanking":
            answer = await client.upload(document, CSV, "input.file", variables)
        else:
            answer = await client.execute(document, **variables)
        assert "errors" not in answer, answer
        codes = [value["code"] for value in answer["data"].values() if isinstance(value, dict) and "code" in value]
        assert codes == ([REFUSED[name]] if name in REFUSED else []), answer
    assert used == set(variables_of(tab, today))
