"""What staff may not have meant: told in a dry run, refused in a run until it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models import Role
from tests.api.test_dry_runs import everything, send
from tests.goods import COFFEE, grant_of
from tests.staff import POINTS, valid
from tests.world import Client, World, forge

TEA = {"type": "COUPON", "amount": 1, "couponType": "TEA"}
MANY = {"type": "POINT", "amount": 10_001}

Warns = Callable[[Client], dict[str, Any]]


def wheel(reward: dict[str, Any], weight: int = 1) -> dict[str, Any]:
    given = valid("upsertRouletteConfig")
    given["segments"][2] |= {"reward": reward, "weight": weight}
    return given


def prizes(**changes: Any) -> dict[str, Any]:
    given = valid("upsertLotteryConfig")
    given["prizes"][0] |= changes
    return given


def levels(reward: dict[str, Any]) -> dict[str, Any]:
    given = valid("upsertSeason")
    given["levels"][1]["reward"] = reward
    return given


CASES: list[tuple[str, Warns, str, list[str]]] = [
    ("upsertDiceConfig", lambda _: valid("upsertDiceConfig", winReward=TEA), "COUPON_TYPE_UNKNOWN", ["winReward"]),
    ("upsertRouletteConfig", lambda _: wheel(TEA), "COUPON_TYPE_UNKNOWN", ["segments", "2", "reward"]),
    ("upsertLotteryConfig", lambda _: prizes(reward=TEA), "COUPON_TYPE_UNKNOWN", ["prizes", "0", "reward"]),
    ("upsertSeason", lambda _: levels(TEA), "COUPON_TYPE_UNKNOWN", ["levels", "1", "reward"]),
    ("grantReward", lambda alice: grant_of(alice, TEA), "COUPON_TYPE_UNKNOWN", ["reward"]),
]
PATHS: list[tuple[str, Warns, str, list[str]]] = [
    *((name, given, code, [*path, "couponType"]) for name, given, code, path in CASES),
    (
        "upsertDiceConfig",
        lambda _: valid("upsertDiceConfig", winReward=POINTS | {"amount": 1000}),
        "PAYOUT_FAR_ABOVE_BEFORE",
        ["winReward", "amount"],
    ),
    (
        "upsertDiceConfig",
        lambda _: valid("upsertDiceConfig", maxDailyPlays=0),
        "UNLIMITED_PLAYS_OF_VALUE",
        ["maxDailyPlays"],
    ),
    (
        "upsertRouletteConfig",
        lambda _: valid("upsertRouletteConfig", maxDailySpins=0),
        "UNLIMITED_PLAYS_OF_VALUE",
        ["maxDailySpins"],
    ),
    ("upsertLotteryConfig", lambda _: prizes(label="대상"), "STOCK_RESTATED", ["prizes", "0", "stock"]),
    ("grantReward", lambda alice: grant_of(alice, MANY), "GRANT_FAR_ABOVE_USUAL", ["reward", "amount"]),
]


@pytest.mark.parametrize(("name", "given", "code", "path"), PATHS)
async def test_a_warning_is_told_and_refuses_until_it_is_acknowledged(
    world: World, name: str, given: Warns, code: str, path: list[str]
) -> None:
    alice, ada = await world.player(), await world.player("ada", Role.ADMIN)
    if code == "PAYOUT_FAR_ABOVE_BEFORE":
        await send(ada, name, valid(name, winReward=POINTS, acknowledge=[]))
    sent = given(alice) | ({"expectedRevision": 2} if code == "PAYOUT_FAR_ABOVE_BEFORE" else {})
    before = await everything(world)
    tried = await send(ada, name, sent | {"mode": "DRY_RUN"})
    assert [(one["code"], one["path"]) for one in tried["warnings"]] == [(code, path)]
    others = [other for other in ("STOCK_RESTATED", "COUPON_POOL_EMPTY") if other != code]
    for acknowledge in ([], others):
        refused = await send(ada, name, sent | {"acknowledge": acknowledge})
        assert (refused["code"], refused["warnings"]) == ("WARNINGS_UNACKNOWLEDGED", tried["warnings"])
    assert await everything(world) == before
    done = await send(ada, name, sent | {"acknowledge": [code]})
    assert (done["dryRun"], done["warnings"]) == (False, tried["warnings"])


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("upsertDiceConfig", valid("upsertDiceConfig")),
        ("upsertDiceConfig", valid("upsertDiceConfig", winReward=POINTS | {"amount": 999})),
        ("upsertRouletteConfig", valid("upsertRouletteConfig")),
        ("upsertRouletteConfig", wheel(TEA, weight=0)),
        ("upsertLotteryConfig", prizes(label="대상", stock=None)),
        ("upsertLotteryConfig", prizes(label="another")),
        ("upsertSeason", levels(COFFEE)),
    ],
)
async def test_what_is_usual_warns_of_nothing(world: World, name: str, given: dict[str, Any]) -> None:
    ada = await world.player("ada", Role.ADMIN)
    assert (await send(ada, name, given))["warnings"] == []


@pytest.mark.parametrize("name", ["upsertDiceConfig", "grantReward"])
async def test_a_pool_that_is_empty_is_not_unknown(world: World, name: str) -> None:
    alice, bob, ada = await world.player(), await world.player("bob"), await world.player("ada", Role.ADMIN)
    await forge(world.sql, "UPDATE coupon_code SET coupon_type = 'TEA' WHERE code <> 'COFFEE-0001'")
    assert (await send(ada, "grantReward", grant_of(bob, COFFEE)))["warnings"] == []
    given = grant_of(alice, COFFEE) if name == "grantReward" else valid(name)
    assert [one["code"] for one in (await send(ada, name, given))["warnings"]] == ["COUPON_POOL_EMPTY"]


async def test_ten_times_the_largest_grant_of_ninety_days_is_usual(world: World) -> None:
    alice, ada = await world.player(), await world.player("ada", Role.ADMIN)

    async def warned(amount: int, kind: str = "POINT", key: str = "k") -> bool:
        given = grant_of(alice, {"type": kind, "amount": amount}, idempotencyKey=key)
        return (await send(ada, "grantReward", given)).get("code") == "WARNINGS_UNACKNOWLEDGED"

    assert not await warned(1, key="first")
    assert await warned(11)
    assert not await warned(10, key="second")
    assert await warned(101)
    assert not await warned(-40, key="back")
    assert not await warned(10_000, kind="TOKEN", key="another kind")
    world.clock.advance(days=90)
    ada = await world.player("ada", Role.ADMIN)
    assert not await warned(100_000, kind="TOKEN", key="on the last day")
    world.clock.advance(days=1)
    ada = await world.player("ada", Role.ADMIN)
    assert await warned(10_001)
    assert not await warned(10_000, key="long after")


async def test_what_was_granted_already_is_not_warned_of(world: World) -> None:
    alice, ada = await world.player(), await world.player("ada", Role.ADMIN)
    given = grant_of(alice, MANY)
    assert (await send(ada, "grantReward", given | {"acknowledge": ["GRANT_FAR_ABOVE_USUAL"]}))["replayed"] is False
    again = await send(ada, "grantReward", given)
    assert (again["replayed"], again["warnings"]) == (True, [])
