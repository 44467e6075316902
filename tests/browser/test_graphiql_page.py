"""GraphiQL in a real browser, under its real policy."""

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.toy import Visit

if TYPE_CHECKING:
    from playwright.async_api import WebSocketRoute

CSV = b"rank,display_name,score,external_id\n1,Haru,100,\n"
STORED = "JSON.stringify({...localStorage})"
KEY = re.compile(r'"idempotencyKey": "([0-9a-f]{32})"')


@pytest.fixture(autouse=True)
async def opened(visit: Visit) -> None:
    await visit.open()


async def test_it_opens_with_the_ready_made_tabs(visit: Visit) -> None:
    tabs = await visit.page.get_by_role("tab").all_inner_texts()
    assert tabs == ["Today", "PlayDice", "SeasonPass", "Schedule", "Published", "UploadRanking", "LookUpPlayers"]
    assert await visit.page.get_by_role("status").inner_text() == "Not signed in"
    assert visit.toy.of("IntrospectionQuery")[0].authorization is None


async def test_a_query_runs(visit: Visit) -> None:
    await visit.run()
    answer = json.loads(await visit.answer('"todayFeature"'))
    assert answer["data"]["todayFeature"]["title"] == "toy title"


async def test_one_click_signs_in(visit: Visit) -> None:
    await visit.press("Demo operator")
    bearer = f"Bearer {visit.toy.tokens['OPERATOR']}"
    await visit.until(lambda: visit.toy.of("IntrospectionQuery")[-1].authorization == bearer)
    await visit.page.get_by_role("status").get_by_text("Demo operator").wait_for()
    await visit.page.get_by_role("status").get_by_text("OPERATOR", exact=True).wait_for()

    await visit.go_to("Schedule")
    await visit.run("Schedule")
    await visit.answer('"featureSchedule"')
    assert visit.toy.of("Schedule")[0].authorization == bearer


async def test_a_mutation_runs_with_a_key_of_its_own(visit: Visit) -> None:
    await visit.press("Demo player")
    await visit.go_to("PlayDice")
    await visit.run("SpinRoulette")
    await visit.answer('"RouletteSpin"')
    sent = visit.toy.of("SpinRoulette")[0]
    assert sent.authorization == f"Bearer {visit.toy.tokens['PLAYER']}"

    await visit.press("New idempotency key in the variables")
    found = KEY.search(await visit.text("variables.json"))
    assert found
    assert found[1] != sent.variables["input"]["idempotencyKey"]


async def test_a_pasted_token_is_used_survives_a_reload_and_can_be_forgotten(visit: Visit) -> None:
    await visit.press("Token…")
    await visit.page.get_by_label("Access token").fill(f"Authorization: Bearer {visit.toy.tokens['ADMIN']}\n")
    await visit.press("Sign in")
    status = visit.page.get_by_role("status")
    await status.get_by_text("ADMIN", exact=True).wait_for()

    await visit.page.reload()
    await status.get_by_text("ADMIN", exact=True).wait_for()
    await visit.run()
    await visit.answer('"todayFeature"')
    assert visit.toy.of("Today")[0].authorization == f"Bearer {visit.toy.tokens['ADMIN']}"

    await visit.press("Sign out")
    await status.get_by_text("Not signed in").wait_for()
    assert await visit.page.evaluate("sessionStorage.length") == 0
    await visit.run()
    await visit.until(lambda: len(visit.toy.of("Today")) == 2)
    assert visit.toy.of("Today")[1].authorization is None


async def test_no_token_reaches_local_storage(visit: Visit) -> None:
    await visit.press("Demo admin")
    await visit.press("Headers")
    await visit.write("request-headers.json", '{"Authorization": "Bearer typed-by-hand", "X-Note": "kept"}')
    await visit.run()
    await visit.answer('"todayFeature"')
    await asyncio.sleep(1)  # GraphiQL stores half a second after a change
    stored = await visit.page.evaluate(STORED)
    assert "graphiql:queries" in stored  # the history has the operation
    assert "typed-by-hand" not in stored
    assert visit.toy.tokens["ADMIN"] not in stored
    assert visit.toy.of("Today")[0].authorization == f"Bearer {visit.toy.tokens['ADMIN']}"  # as the page shows


async def test_a_file_is_uploaded(visit: Visit, tmp_path: Path) -> None:
    ranking = tmp_path / "ranking.csv"
    ranking.write_bytes(CSV)
    await visit.press("Demo operator")
    await visit.go_to("UploadRanking")
    await visit.run("UploadRanking")
    await visit.answer("none is picked")
    assert visit.toy.of("UploadRanking") == []

    await visit.page.get_by_label("File to upload").set_input_files(ranking)
    await visit.page.get_by_role("button", name="ranking.csv", exact=True).wait_for()
    await visit.run("UploadRanking")
    await visit.answer('"RankingSnapshot"')
    sent = visit.toy.of("UploadRanking")[0]
    assert sent.file_map == {"0": ["variables.input.file"]}
    assert sent.files == {"0": ("ranking.csv", CSV)}
    assert sent.variables["input"]["file"] is None
    assert sent.authorization == f"Bearer {visit.toy.tokens['OPERATOR']}"

    await visit.run("DeleteRanking")
    await visit.answer('"DeletedRanking"')
    assert visit.toy.of("DeleteRanking")[0].content_type == "application/json"  # it wants no file and gets none


async def test_the_explorer_opens_and_edits(visit: Visit) -> None:
    await visit.press("Show GraphiQL Explorer")
    explorer = visit.page.locator(".graphiql-explorer-root")
    await explorer.get_by_text("seasonPassStatus").click()
    for _ in range(50):
        if "seasonPassStatus" in await visit.text("operation.graphql"):
            return
        await asyncio.sleep(0.1)
    pytest.fail("the explorer wrote nothing into the operation")


async def test_documentation_and_completion_know_the_schema(visit: Visit) -> None:
    await visit.press("Show Documentation Explorer")
    await visit.page.locator(".graphiql-doc-explorer").get_by_text("Query", exact=True).first.click()
    await visit.page.locator(".graphiql-doc-explorer").get_by_text("lotteryStatus", exact=True).wait_for()
    await visit.page.locator(".graphiql-query-editor .view-line", has_text="query").click()
    await visit.page.keyboard.press("End")
    await visit.page.keyboard.press("Enter")
    await visit.page.keyboard.type("dice")
    await visit.page.keyboard.press("Control+Space")
    await visit.page.locator(".suggest-widget").get_by_text("diceStatus").first.wait_for()


async def test_a_closed_tab_comes_back_from_the_menu(visit: Visit) -> None:
    await visit.press("Ready-made operations")
    await visit.page.get_by_role("menuitem", name="Grant, block, issue tokens").click()
    await visit.page.get_by_role("tab", name="GrantReward").wait_for()
    assert "grantReward" in await visit.text("operation.graphql")
    assert KEY.search(await visit.text("variables.json"))

    await visit.press("Ready-made operations")
    await visit.page.get_by_role("menuitem", name="Today and me").click()
    assert await visit.page.get_by_role("tab", selected=True).inner_text() == "Today"
    assert await visit.page.get_by_role("tab").count() == 8


async def test_a_subscription_signs_in_in_its_first_message(visit: Visit) -> None:
    received = []

    def serve(socket: "WebSocketRoute") -> None:
        def on_message(text: str | bytes) -> None:
            message = json.loads(text)
            received.append(message)
            if message["type"] == "connection_init":
                socket.send(json.dumps({"type": "connection_ack"}))
            elif message["type"] == "subscribe":
                payload = {"data": {"todayFeatureChanged": {"title": "pushed to the page"}}}
                socket.send(json.dumps({"type": "next", "id": message["id"], "payload": payload}))

        socket.on_message(on_message)

    await visit.page.route_web_socket(re.compile(r"/graphql$"), serve)
    await visit.press("Demo player")
    await visit.press("Ready-made operations")
    await visit.page.get_by_role("menuitem", name="Live changes").click()
    await visit.run("TodayLive")
    await visit.answer("pushed to the page")
    assert received[0]["payload"] == {"Authorization": f"Bearer {visit.toy.tokens['PLAYER']}"}
    assert received[1]["payload"]["operationName"] == "TodayLive"

    await visit.page.locator(".graphiql-execute-button").click()  # stop
    await visit.until(lambda: received[-1]["type"] == "complete")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
async def test_everything_is_within_the_window(visit: Visit, width: int, height: int) -> None:
    await visit.page.set_viewport_size({"width": width, "height": height})
    await visit.press("Demo operator")
    await visit.run()
    await visit.answer('"todayFeature"')
    assert await visit.page.evaluate("document.documentElement.scrollWidth") <= width
    editor = await visit.page.locator(".graphiql-query-editor .monaco-editor").bounding_box()
    answer = await visit.page.locator(".graphiql-response .monaco-editor").bounding_box()
    assert editor
    assert answer
    for box in (editor, answer):
        assert box["width"] >= 280
        assert box["height"] >= 150
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
