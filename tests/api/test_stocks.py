"""Stocks: prizes of several revisions share one, and staff adjust it."""

from __future__ import annotations

from typing import Any

import pytest

from models import FeatureType, Role
from schema.nodes import Kind, node_id, parts_of
from services import stocks
from services.audit import Actor
from services.errors import NotFound, RevisionConflict, ValidationFailed
from services.rules.lottery import LotteryDraft, PrizeDraft, restated
from tests.staff import kept, operator, upsert, valid
from tests.unit import rules
from tests.world import Client, World

POINTS = {"type": "POINT", "amount": 10}
READ = "{ lotteryConfigs(first: 1) { nodes { id revision prizes { id label stock initialStock stockId } } } }"


async def read(client: Client) -> dict[str, Any]:
    """The newest revision, as staff read it."""
    config: dict[str, Any] = (await client.data(READ))["lotteryConfigs"]["nodes"][0]
    return config


async def publish(client: Client, *prizes: dict[str, Any], revision: int) -> dict[str, Any]:
    """Publish these prizes, for anybody to draw as often as they like."""
    given = [{"weight": 1, "reward": POINTS} | prize for prize in prizes]
    return await upsert(
        client,
        "upsertLotteryConfig",
        valid("upsertLotteryConfig", maxDailyTickets=0, prizes=given, expectedRevision=revision),
    )


async def mended(client: Client, config: dict[str, Any], *, label: str) -> dict[str, Any]:
    """Publish the one prize of a revision under another label; what is left of it is left of both."""
    (prize,) = config["prizes"]
    return await publish(client, {"label": label, "carriesStockOf": prize["id"]}, revision=config["revision"])


async def test_of_two_phones_two_are_given_though_the_label_is_mended(world: World) -> None:
    await world.today(FeatureType.LOTTERY)
    olive = await operator(world)
    await publish(olive, {"label": "Phnoe", "stock": 2}, revision=1)
    seen = await read(olive)
    players = [await world.player(f"player-{number}") for number in range(4)]
    won = [await players[0].play("drawLottery")]
    await mended(olive, seen, label="Phone")
    won += [await player.play("drawLottery") for player in players[1:]]
    assert [answer.get("code", answer.get("prize", {}).get("label")) for answer in won] == [
        "Phnoe",
        "Phone",
        "OUT_OF_STOCK",
        "OUT_OF_STOCK",
    ]
    after = await read(olive)
    assert [(prize["stock"], prize["initialStock"]) for prize in after["prizes"]] == [(0, 2)]
    assert after["prizes"][0]["stockId"] == seen["prizes"][0]["stockId"]
    assert after["prizes"][0]["id"] != seen["prizes"][0]["id"]


async def test_an_unlimited_prize_has_no_stock(world: World) -> None:
    olive = await operator(world)
    await publish(olive, {"label": "always"}, revision=1)
    (prize,) = (await read(olive))["prizes"]
    assert (prize["stock"], prize["initialStock"], prize["stockId"]) == (None, None, None)


async def test_what_carries_a_stock_is_checked_whole(world: World) -> None:
    olive = await operator(world)
    await publish(olive, {"label": "few", "stock": 2}, {"label": "always"}, revision=1)
    few, always = (await read(olive))["prizes"]
    before = await kept(world)
    unknown = node_id(Kind.LOTTERY_PRIZE, 999_999)
    nobody, unlimited = "No prize has this id.", "That prize is unlimited: it has no stock to go on with."
    both = "Goes on with what carriesStockOf has left: leave one of them out."
    for prizes, path, message in (
        ([{"label": "a", "carriesStockOf": few["id"], "stock": 2}], ["0", "stock"], both),
        ([{"label": "a", "carriesStockOf": unknown}], ["0", "carriesStockOf"], nobody),
        ([{"label": "a", "carriesStockOf": few["stockId"]}], ["0", "carriesStockOf"], nobody),
        ([{"label": "a"}, {"label": "b", "carriesStockOf": always["id"]}], ["1", "carriesStockOf"], unlimited),
        (
            [{"label": one, "carriesStockOf": few["id"]} for one in "ab"],
            ["1", "carriesStockOf"],
            "Another prize goes on with this stock.",
        ),
    ):
        refused = await publish(olive, *prizes, revision=2)
        assert refused["issues"] == [{"path": ["prizes", *path], "message": message}]
    assert await kept(world) == before
    made = await publish(olive, {"label": "a", "carriesStockOf": few["id"]}, {"label": "b", "stock": 1}, revision=2)
    assert [prize["stock"] for prize in made["prizes"]] == [2, 1]


def test_a_stock_that_is_stated_anew_is_told() -> None:
    before = rules.lottery([(1, 3), (1, 0), (1, None)])

    def draft(label: str, stock: int | None, carries: int | None = None) -> PrizeDraft:
        return PrizeDraft(label, before.prizes[0].reward, 1, stock, True, carries_stock_of=carries)

    config = LotteryDraft("again", 1, (draft("new", 5), draft("prize 0", 2), draft("prize 1", 2), draft("prize 2", 2)))
    assert restated(before, config) == [(1, before.prizes[0])]
    assert restated(before, LotteryDraft("carried", 1, (draft("prize 0", None, 0),))) == []
    assert restated(None, config) == []


async def adjust(world: World, stock: int, by: int, expected: int, reason: str = "Two more were found.") -> Any:
    ada = await world.player("ada", Role.ADMIN)
    actor = Actor("ada", ada.player_id, Role.ADMIN)
    told: Any = {"by": by, "expected_left": expected, "reason": reason}
    return await world.parts.transact(
        lambda tx: stocks.adjust(tx, actor=actor, action="adjustStock", stock_id=stock, **told)
    )


@pytest.mark.parametrize(("by", "left", "initial"), [(2, 4, 4), (-2, 0, 0), (10**9 - 2, 10**9, 10**9)])
async def test_a_stock_is_adjusted_for_every_prize_that_has_it(world: World, by: int, left: int, initial: int) -> None:
    olive = await operator(world)
    first = await publish(olive, {"label": "few", "stock": 2}, revision=1)
    await mended(olive, first, label="mended")
    (stock,) = parts_of((await read(olive))["prizes"][0]["stockId"], Kind.LOTTERY_STOCK) or ()
    outcome = await adjust(world, stock, by, 2)
    assert (outcome.made.prize.label, outcome.made.prize.stock) == ("mended", left)
    assert [(tuple(change.path), change.before, change.after) for change in outcome.changes] == [
        (("initialStock",), 2, initial),
        (("stock",), 2, left),
    ]
    (prize,) = (await read(olive))["prizes"]
    assert (prize["stock"], prize["initialStock"]) == (left, initial)
    entries = await world.sql.fetch("SELECT action, target FROM audit_log ORDER BY id DESC LIMIT 1")
    assert [tuple(entry) for entry in entries] == [("adjustStock", f"lottery_stock {stock}")]


async def test_a_stock_is_told_by_what_is_played_now_or_else_by_the_newest_that_has_it(world: World) -> None:
    """2 goes on in the revision that is played, 3 in one that is played later, too, and 5 is of that alone."""
    olive = await operator(world)
    await publish(olive, {"label": "1", "stock": 1}, {"label": "2", "stock": 2}, {"label": "3", "stock": 3}, revision=1)
    _, two, three = (await read(olive))["prizes"]
    played = [{"label": "4", "stock": 4}, {"label": "two", "carriesStockOf": two["id"]}]
    await publish(olive, *played, {"label": "three", "carriesStockOf": three["id"]}, revision=2)
    later = [{"label": "5", "stock": 5}, {"label": "Three", "carriesStockOf": three["id"]}]
    given = [{"weight": 1, "reward": POINTS} | prize for prize in later]
    ahead = {"expectedRevision": 3, "effectiveFrom": "2026-03-06T00:00:00+09:00"}
    await upsert(olive, "upsertLotteryConfig", valid("upsertLotteryConfig", prizes=given, **ahead))
    told = []
    for number in range(1, 6):
        stock = await world.sql.fetchval("SELECT max(id) FROM lottery_stock WHERE initial = $1", number)
        made = (await adjust(world, stock, 1, number)).made
        told.append((made.rules.revision, made.prize.label, made.prize.stock))
        await adjust(world, stock, 100, number + 1)
    assert told == [(2, "1", 2), (3, "two", 3), (3, "three", 4), (3, "4", 5), (4, "5", 6)]


async def test_a_stock_is_adjusted_from_what_was_seen_and_within_bounds(world: World) -> None:
    olive = await operator(world)
    await publish(olive, {"label": "few", "stock": 2}, revision=1)
    (stock,) = parts_of((await read(olive))["prizes"][0]["stockId"], Kind.LOTTERY_STOCK) or ()
    before = await kept(world)
    for refusal, given in (
        (NotFound, (999_999, 1, 2)),
        (RevisionConflict, (stock, 1, 3)),
        (ValidationFailed, (stock, 0, 2)),
        (ValidationFailed, (stock, -3, 2)),
        (ValidationFailed, (stock, 10**9 - 1, 2)),
        (ValidationFailed, (stock, 1, 2, "")),
    ):
        with pytest.raises(refusal):
            await adjust(world, *given)
    assert await kept(world) == before


async def test_what_is_adjusted_is_drawn(world: World) -> None:
    await world.today(FeatureType.LOTTERY)
    olive, alice = await operator(world), await world.player()
    await publish(olive, {"label": "few", "stock": 0}, revision=1)
    assert (await alice.play("drawLottery"))["code"] == "OUT_OF_STOCK"
    (stock,) = parts_of((await read(olive))["prizes"][0]["stockId"], Kind.LOTTERY_STOCK) or ()
    await adjust(world, stock, 1, 0)
    assert (await alice.play("drawLottery"))["prize"]["stockAfter"] == 0
    assert (await alice.play("drawLottery"))["code"] == "OUT_OF_STOCK"
