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
from tests.outside import PROJECT
from tests.world import NOON, World

TABS = DIST.parent / "src" / "tabs"
CHANGES = ("schedule_day", "publish", "upload")
LOOKS = ("schedule", "published", "complaint", "look_up")
STAFF = {"admin": Role.ADMIN} | dict.fromkeys((*CHANGES, *LOOKS), Role.OPERATOR)
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


async def test_what_staff_look_up_is_found(world: World) -> None:
    await (await world.player("demo-player")).play()
    staff = await world.player("demo-operator", Role.OPERATOR)
    found: dict[str, Any] = {}
    for tab in ("published", "complaint", "look_up"):
        for document in operations_of(tab).values():
            variables = {key: value for key, value in variables_of(tab, NOON.date()).items() if f"${key}:" in document}
            found |= await staff.data(document, **variables)
    assert "demo-player" in [player["externalId"] for player in found["players"]["nodes"]]
    assert found["player"]["externalId"] == "demo-player"
    assert found["couponPools"][0]["left"] > 0
    assert {event["player"]["externalId"] for event in found["userEvents"]["nodes"]} == {"demo-player"}
    assert all(len(found[name]["nodes"]) == 1 for name in ("rouletteConfigs", "diceConfigs", "lotteryConfigs"))


def test_reads_and_writes_are_apart_in_the_menu() -> None:
    groups = dict(
        re.findall(r'{ name: "(\w+)", title: "[^"]+", group: "([^"]+)"', (TABS.parent / "tabs.ts").read_text())
    )
    assert sorted(groups) == sorted(path.stem for path in TABS.glob("*.graphql"))
    for tab, group in groups.items():
        kinds = {document.split()[0] for document in operations_of(tab).values()} - {"fragment"}
        who, _, what = group.partition(": ")
        assert (kinds == {"mutation"}) is (what in {"play", "change"}), tab
        assert who == ("Staff" if tab in STAFF else "Players")


def test_the_complaint_is_looked_into_as_the_page_of_operations_says() -> None:
    page = (PROJECT / "docs" / "operations.md").read_text()
    (documented,) = re.findall(r"```graphql\n(query Complaint.*?)```", page, re.DOTALL)
    (ready_made,) = operations_of("complaint").values()
    assert print_ast(parse(documented)) == ready_made
