"""GraphiQL in a real browser, under its real policy, on a real server with the demo data."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.visit import Visit
from tests.staff import operator, upsert, valid
from tests.world import World

if TYPE_CHECKING:
    from playwright.async_api import Browser

CSV = b"rank,display_name,score,external_id\n1,Haru,100,demo-player\n2,Onul,90,\n"
KEY = re.compile(r'"idempotencyKey": "([0-9a-f]{32})"')
MODEL = "__MONACO.editor.getModels().find(model => model.uri.path.endsWith(name))"

SHIFTED_CLOCK = """
const shift = %d - Date.now()
Date = class extends Date {
  constructor(...given) { given.length ? super(...given) : super(Date.now()) }
  static now() { return super.now() + shift }
}
"""
"""The server's day is the page's, too. Playwright's own clock takes `performance.measure` from the editor."""


OVERLAPPING = """
[...document.querySelectorAll(".haru-header button")].flatMap((button, index, all) =>
  all.slice(index + 1)
    .filter(other => {
      const [a, b] = [button.getBoundingClientRect(), other.getBoundingClientRect()];
      return a.right > b.left + 1 && b.right > a.left + 1 && a.bottom > b.top + 1 && b.bottom > a.top + 1;
    })
    .map(other => `${button.innerText} over ${other.innerText}`))
"""
"""The header's buttons that lie over one another."""


RUN_AT_ONCE = f"""
holding => new Promise(resolve => {{
  const name = "operation.graphql";
  const run = () => {MODEL}.getValue().includes(holding)
    ? resolve(document.querySelector(".graphiql-execute-button").click())
    : requestAnimationFrame(run);
  run();
}})
"""
"""Run what stands in the editor as soon as it is what is waited for, sooner than the page has read it."""


class GraphiQL(Visit):
    """The page: an editor, its tabs, and the answer."""

    audited = (".haru-header:not([aria-hidden])", ".haru-menu", ".haru-token")

    async def open(self) -> None:
        await self.page.goto(f"{self.home}/graphiql")
        await self.page.locator(".graphiql-query-editor .view-line").first.wait_for()
        await self.until(lambda: self.of("IntrospectionQuery"))

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def sign_in(self, name: str) -> str:
        """Press the button of a demo account, and wait until the page has read the schema as that; the header."""
        before = len(self.of("IntrospectionQuery"))
        await self.press(name)
        await self.until(lambda: len(self.of("IntrospectionQuery")) > before)
        return str(self.sent[-1].authorization)

    async def go_to(self, tab: str) -> None:
        await self.page.get_by_role("tab", name=tab, exact=True).click()

    async def add(self, title: str) -> None:
        """Open a ready-made operation out of the menu."""
        await self.press("Ready-made operations")
        await self.page.get_by_role("menuitem", name=title).click()

    async def run(self, operation: str | None = None) -> None:
        """Press the play button and, where it offers several operations, choose one."""
        several = '[aria-haspopup="menu"]' if operation else ""  # the page reads an operation shortly after its change
        await self.page.locator(f".graphiql-execute-button{several}").click()
        if operation:
            await self.page.get_by_role("menuitem", name=operation, exact=True).click()

    async def text(self, model: str) -> str:
        """What an editor holds: `operation.graphql`, `variables.json`, `response.json`, `request-headers.json`."""
        return str(await self.page.evaluate(f"name => {MODEL}.getValue()", model))

    async def write(self, model: str, text: str) -> None:
        await self.page.evaluate(f"([name, text]) => {MODEL}.setValue(text)", [model, text])

    async def answer(self, holding: str) -> Any:
        """The answer on the page, once it holds the given text."""
        return json.loads(await self.holding("response.json", holding))

    async def holding(self, model: str, part: str) -> str:
        """What an editor holds, once that part is in it."""
        for _ in range(600):
            text = await self.text(model)
            if part in text:
                return text
            await asyncio.sleep(0.1)
        raise AssertionError(f"no {part!r} in {model}:\n{text}")


@pytest.fixture
async def visit(browser: "Browser", home: str, world: World) -> AsyncIterator[GraphiQL]:
    async with GraphiQL.to(browser, home, viewport={"width": 1280, "height": 800}) as visit:
        await visit.page.add_init_script(SHIFTED_CLOCK % (world.clock.now.timestamp() * 1000))
        await visit.open()
        yield visit


async def test_it_opens_with_the_ready_made_tabs(visit: GraphiQL) -> None:
    tabs = await visit.page.get_by_role("tab").all_inner_texts()
    assert tabs == ["Today", "SeasonPass", "PlayDice", "Schedule", "Published", "Complaint", "LookUpPlayers"]
    assert await visit.page.get_by_role("status").inner_text() == "Not signed in"
    assert visit.of("IntrospectionQuery")[0].authorization is None


async def test_a_query_runs(visit: GraphiQL) -> None:
    await visit.sign_in("Demo player")
    await visit.run()
    answer = await visit.answer('"todayFeature"')
    assert answer["data"]["todayFeature"]["title"] == "주사위 대결"
    await visit.shoot("graphiql/query")


async def test_one_click_signs_in(visit: GraphiQL) -> None:
    bearer = await visit.sign_in("Demo operator")
    await visit.page.get_by_role("status").get_by_text("Demo operator").wait_for()
    await visit.page.get_by_role("status").get_by_text("OPERATOR", exact=True).wait_for()

    await visit.go_to("Schedule")
    await visit.run()
    answer = await visit.answer('"featureSchedule"')
    assert answer["data"]["featureSchedule"][0]["featureType"] == "DICE"
    assert visit.of("Schedule")[0].authorization == bearer


async def test_what_stands_in_the_tab_runs_however_soon(visit: GraphiQL) -> None:
    await visit.sign_in("Demo operator")
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(visit.page.evaluate(RUN_AT_ONCE, "query Schedule"))
        tasks.create_task(visit.go_to("Schedule"))
    await visit.answer('"featureSchedule"')


async def test_a_demo_account_is_signed_in_to_long_after_the_page_was_opened(visit: GraphiQL, world: World) -> None:
    world.clock.advance(hours=2)  # the tokens that came with the page have run out
    await visit.sign_in("Demo player")
    await visit.run()
    await visit.answer('"externalId": "demo-player"')


async def test_a_mutation_runs_with_a_key_of_its_own(visit: GraphiQL, world: World) -> None:
    bearer = await visit.sign_in("Demo player")
    await visit.go_to("PlayDice")
    await visit.run("PlayDice")
    answer = await visit.answer('"DicePlay"')
    assert answer["data"]["playDice"]["replayed"] is False
    await visit.shoot("graphiql/mutation")
    await visit.run("PlayDice")
    await visit.answer('"replayed": true')  # the same key, the same play

    await visit.press("New idempotency key in the variables")
    found = KEY.search(await visit.text("variables.json"))
    assert found
    assert found[1] != visit.of("PlayDice")[0].variables["input"]["idempotencyKey"]
    await visit.run("PlayDice")
    await visit.answer('"replayed": false')
    assert await world.count("dice_log") == 2
    assert {sent.authorization for sent in visit.of("PlayDice")} == {bearer}


async def test_a_staff_mutation_runs_and_a_stale_one_is_refused(visit: GraphiQL, world: World) -> None:
    await visit.sign_in("Demo operator")
    await visit.add("Schedule a day")
    await visit.run("ScheduleDay")
    answer = await visit.answer('"UpsertFeatureSchedulePayload"')
    assert answer["data"]["upsertFeatureSchedule"]["day"]["revision"] == 2
    assert await world.count("audit_log") == 1
    await visit.run("ScheduleDay")
    await visit.answer('"REVISION_CONFLICT"')
    assert await world.count("audit_log") == 1


async def test_a_pasted_token_is_used_survives_a_reload_and_can_be_forgotten(visit: GraphiQL, world: World) -> None:
    alice = await world.player("alice")
    await visit.press("Token…")
    await visit.page.get_by_label("Access token").fill(f"Authorization: Bearer {alice.token}\n")
    await visit.press("Sign in")
    status = visit.page.get_by_role("status")
    await status.get_by_text("PLAYER", exact=True).wait_for()

    await visit.page.reload()
    await status.get_by_text("PLAYER", exact=True).wait_for()
    await visit.run()
    await visit.answer('"externalId": "alice"')
    assert visit.of("Today")[0].authorization == f"Bearer {alice.token}"

    await visit.press("Sign out")
    await status.get_by_text("Not signed in").wait_for()
    assert await visit.page.evaluate("sessionStorage.length") == 0
    await visit.run()
    await visit.answer('"UNAUTHENTICATED"')
    assert visit.of("Today")[1].authorization is None


async def test_no_token_reaches_local_storage(visit: GraphiQL) -> None:
    bearer = await visit.sign_in("Demo admin")
    await visit.press("Headers")
    await visit.write("request-headers.json", '{"Authorization": "Bearer typed-by-hand", "X-Note": "kept"}')
    await visit.run()
    await visit.answer('"todayFeature"')
    await asyncio.sleep(1)  # GraphiQL stores half a second after a change
    stored = await visit.page.evaluate("JSON.stringify({...localStorage})")
    assert "graphiql:queries" in stored  # the history has the operation
    assert "typed-by-hand" not in stored
    assert bearer.removeprefix("Bearer ") not in stored
    assert visit.of("Today")[0].authorization == bearer  # as the page shows


async def test_a_file_is_uploaded(visit: GraphiQL, world: World, tmp_path: Path) -> None:
    ranking = tmp_path / "ranking.csv"
    ranking.write_bytes(CSV)
    bearer = await visit.sign_in("Demo operator")
    await visit.add("Upload a ranking")
    await visit.run("UploadRanking")
    await visit.answer("none is picked")
    before = len(visit.sent)

    await visit.page.get_by_label("File to upload").set_input_files(ranking)
    await visit.page.get_by_role("button", name="ranking.csv", exact=True).wait_for()
    await visit.run("UploadRanking")
    answer = await visit.answer('"PublishRankingPayload"')
    assert [entry["displayName"] for entry in answer["data"]["uploadRanking"]["snapshot"]["entries"]["nodes"]] == [
        "Haru",
        "Onul",
    ]
    await visit.shoot("graphiql/upload")
    (sent,) = visit.sent[before:]
    assert sent.content_type.startswith("multipart/form-data")
    assert sent.authorization == bearer
    rows = await world.sql.fetch("SELECT display_name, score, external_id FROM ranking_daily WHERE date = '2026-03-02'")
    assert [tuple(row) for row in rows] == [("Haru", 100, "demo-player"), ("Onul", 90, None)]

    await visit.run("DeleteRanking")
    await visit.answer('"DeleteRankingPayload"')
    assert visit.of("DeleteRanking")[0].content_type == "application/json"  # it wants no file and gets none


async def test_the_explorer_opens_and_edits(visit: GraphiQL) -> None:
    await visit.press("Show GraphiQL Explorer")
    explorer = visit.page.locator(".graphiql-explorer-root")
    await explorer.get_by_text("seasonPassStatus").click()
    await visit.holding("operation.graphql", "seasonPassStatus")
    await visit.shoot("graphiql/explorer")


async def test_documentation_and_completion_know_the_schema(visit: GraphiQL) -> None:
    await visit.sign_in("Demo player")
    await visit.press("Show Documentation Explorer")
    documentation = visit.page.locator(".graphiql-doc-explorer")
    await documentation.get_by_text("Query", exact=True).first.click()
    await documentation.get_by_text("lotteryStatus", exact=True).wait_for()
    await visit.write("operation.graphql", "query Completed {\n  \n}")
    await visit.page.locator(".graphiql-query-editor .view-line").nth(1).click()
    await visit.page.keyboard.type("sched")
    suggestions = visit.page.locator(".suggest-widget")
    await suggestions.get_by_text("scheduleIssues").first.wait_for()
    await visit.page.keyboard.press("Control+Backspace")
    await visit.page.keyboard.type("diceSta")
    await suggestions.get_by_text("diceStatus").first.wait_for()
    await visit.shoot("graphiql/completion")
    await visit.page.keyboard.press("Enter")
    await visit.holding("operation.graphql", "diceStatus")


async def test_a_closed_tab_comes_back_from_the_menu(visit: GraphiQL) -> None:
    await visit.add("Grant, block, tokens")
    await visit.page.get_by_role("tab", name="GrantReward").wait_for()
    await visit.holding("operation.graphql", "grantReward")
    assert KEY.search(await visit.holding("variables.json", "idempotencyKey"))

    await visit.add("Today and me")
    await visit.page.get_by_role("tab", selected=True).get_by_text("Today", exact=True).wait_for()
    assert await visit.page.get_by_role("tab").count() == 8


async def test_a_subscription_signs_in_and_is_told_of_a_change(visit: GraphiQL, world: World) -> None:
    frames: list[dict[str, Any]] = []
    visit.page.on(
        "websocket", lambda opened: opened.on("framesent", lambda frame: frames.append(json.loads(str(frame))))
    )
    bearer = await visit.sign_in("Demo player")
    await visit.add("Live changes")
    await visit.run("TodayLive")
    await visit.answer('"featureType": "DICE"')
    await visit.until(lambda: len(frames) >= 2)
    assert frames[0] == {"type": "connection_init", "payload": {"Authorization": bearer}}
    assert frames[1]["payload"]["operationName"] == "TodayLive"

    day = valid("upsertFeatureSchedule", date="2026-03-02", featureType="LOTTERY", expectedRevision=2)
    assert (await upsert(await operator(world), "upsertFeatureSchedule", day))["__typename"] == "ScheduledDay"
    await visit.answer('"featureType": "LOTTERY"')
    await visit.shoot("graphiql/subscription")
    await visit.page.locator(".graphiql-execute-button").click()  # stop
    await visit.until(lambda: frames[-1]["type"] == "complete")


@pytest.mark.parametrize("mutation", ["PublishRoulette", "PublishDice", "PublishLottery", "PublishSeason"])
async def test_the_first_press_of_a_publication_publishes(visit: GraphiQL, mutation: str) -> None:
    await visit.sign_in("Demo operator")
    await visit.add("Publish a game or season")
    await visit.run(mutation)
    answer = await visit.answer('"__typename"')
    (payload,) = answer["data"].values()
    assert payload["__typename"].endswith("Payload"), payload
    published = payload["season" if mutation == "PublishSeason" else "config"]
    assert published["revision"] == (1 if mutation == "PublishSeason" else 2)


async def test_a_complaint_is_looked_into(visit: GraphiQL, world: World) -> None:
    await (await world.player("demo-player")).play()
    await visit.sign_in("Demo operator")
    await visit.go_to("Complaint")
    await visit.run()
    answer = await visit.answer('"DicePlay"')
    (player,) = answer["data"]["players"]["nodes"]
    assert player["rewards"]["nodes"][-1]["cause"] == "DICE_PLAY"
    await visit.shoot("graphiql/complaint")


async def test_the_menu_and_the_dialog_can_be_used_by_everybody(visit: GraphiQL) -> None:
    await visit.press("Ready-made operations")
    await visit.page.get_by_role("menuitem", name="A player's complaint").wait_for()
    await visit.shoot("graphiql/menu")
    await visit.page.keyboard.press("Escape")
    await visit.press("Token…")
    await visit.page.get_by_label("Access token").wait_for()
    await visit.shoot("graphiql/token")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844), (320, 844)])
async def test_everything_is_within_the_window(visit: GraphiQL, width: int, height: int) -> None:
    await visit.page.set_viewport_size({"width": width, "height": height})
    await visit.sign_in("Demo operator")
    await visit.run()
    await visit.answer('"todayFeature"')
    await visit.shoot(f"graphiql/{width}")
    assert await visit.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert await visit.page.evaluate(OVERLAPPING) == []
    editor = await visit.page.locator(".graphiql-query-editor .monaco-editor").bounding_box()
    answer = await visit.page.locator(".graphiql-response .monaco-editor").bounding_box()
    assert editor
    assert answer
    for box in (editor, answer):
        assert box["width"] >= min(280, width * 0.7)
        assert box["height"] >= 150
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
