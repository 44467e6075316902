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
    for prizes, path in (
        ([{"label": "a", "carriesStockOf": few["id"], "stock": 2}], ["prizes", "0", "stock"]),
        ([{"label": "a", "carriesStockOf": unknown}], ["prizes", "0", "carriesStockOf"]),
        ([{"label": "a", "carriesStockOf": few["stockId"]}], ["prizes", "0", "carriesStockOf"]),
        ([{"label": "a"}, {"label": "b", "carriesStockOf": always["id"]}], ["prizes", "1", "carriesStockOf"]),
        ([{"label": one, "carriesStockOf": few["id"]} for one in "ab"], ["prizes", "1", "carriesStockOf"]),
    ):
        refused = await publish(olive, *prizes, revision=2)
        assert [issue["path"] for issue in refused["issues"]] == [path]
    assert await kept(world) == before
    both = await publish(olive, {"label": "a", "carriesStockOf": few["id"]}, {"label": "b", "stock": 1}, revision=2)
    assert [prize["stock"] for prize in both["prizes"]] == [2, 1]


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
