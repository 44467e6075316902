"""Putting right by hand: grants, reversals, and who may play."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from models import Role
from schema.nodes import Kind, node_id
from tests.goods import BLOCK, COFFEE, GRANT, POINTS, admin, block, grant, grant_of, version
from tests.ledgers import write_lines
from tests.world import Client, World

NOT_ADMINS = [role for role in Role if role is not Role.ADMIN]
NOBODIES = ["0", "-1", "999999", "1e3", "nonsense", "", f"{2**63 - 1}", f"{2**63}", "99999999999999999999999"]


async def state(world: World) -> dict[str, Any]:
    """All that a grant or a block may write: equal before and after a refusal."""
    return await world.written() | {
        "audit": await world.count("audit_log"),
        "players": await world.sql.fetch('SELECT id, version, ledger_lines, is_blocked FROM "user" ORDER BY id'),
        "free": await world.sql.fetchval("SELECT count(*) FROM coupon_code WHERE line_no IS NULL"),
    }


async def refused(world: World, staff: Client, given: dict[str, Any], code: str) -> dict[str, Any]:
    """A grant that must be refused without a trace."""
    before = await state(world)
    answer = await grant(staff, given)
    assert answer["code"] == code, answer
    assert await state(world) == before
    return answer


async def test_a_grant_of_points(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    before = await version(world, alice)
    line = await grant(ada, grant_of(alice, reason="the server was down"))
    assert line == {
        "__typename": "RewardEntry",
        "id": node_id(Kind.REWARD_ENTRY, alice.player_id, 1),
        "type": "POINT",
        "amount": 100,
        "balanceAfter": 100,
        "cause": "ADMIN_GRANT",
        "causeId": line["causeId"],
        "couponCode": None,
        "createdAt": "2026-03-02T03:00:00.000+00:00",
    }
    moved, lines = await version(world, alice)
    assert (moved != before[0], lines) == (True, 1)
    me = (await alice.data("{ me { balances { type amount } rewards { nodes { id causeId } } } }"))["me"]
    assert me["balances"] == [{"type": "POINT", "amount": 100}, {"type": "TOKEN", "amount": 0}]
    assert me["rewards"]["nodes"] == [{"id": line["id"], "causeId": line["causeId"]}]


async def test_players_never_see_what_staff_wrote(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    line = await grant(ada, grant_of(alice, reason="a lawyer called"))
    seen = {
        "causeId": line["causeId"],
        "lineNo": 1,
        "reward": {"type": "POINT", "amount": 100, "couponType": None},
    }
    events = "events { nodes { meta } }"
    assert (await alice.data(f"{{ me {{ {events} }} }}"))["me"]["events"]["nodes"] == [{"meta": seen}]
    shop = await world.player("alice", Role.SERVICE)
    assert (await shop.data(f"{{ me {{ {events} }} }}"))["me"]["events"]["nodes"] == [{"meta": seen}]
    told = seen | {"actor": "ada (ADMIN)", "reason": "a lawyer called"}
    for role in (Role.AUDITOR, Role.OPERATOR, Role.ADMIN):
        staff = await world.player("olga", role)
        assert (await staff.data("{ userEvents { nodes { meta } } }"))["userEvents"]["nodes"] == [{"meta": told}]
        players = (await staff.data(f'{{ players(search: "alice") {{ nodes {{ {events} }} }} }}'))["players"]
        assert players["nodes"] == [{"events": {"nodes": [{"meta": told}]}}]


async def test_a_grant_is_told_to_both_logs(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice))
    (cause,) = await world.sql.fetch("SELECT cause_id FROM reward_ledger")
    told = {
        "causeId": str(cause["cause_id"]),
        "lineNo": 1,
        "reward": {"type": "POINT", "amount": 100, "couponType": None},
        "reason": "sorry",
    }
    (event,) = await world.sql.fetch("SELECT * FROM user_event_log")
    assert (event["user_id"], event["event_name"]) == (alice.player_id, "REWARD_GRANT")
    assert json.loads(event["meta_json"]) == told | {"actor": "ada (ADMIN)"}
    (entry,) = await world.sql.fetch("SELECT * FROM audit_log")
    assert (entry["actor"], entry["action"], entry["target"]) == (
        "ada (ADMIN)",
        "grantReward",
        f"player {alice.player_id}",
    )
    assert json.loads(entry["before"]) == {"balance": 0}
    assert json.loads(entry["after"]) == told | {"balance": 100}


async def test_the_same_grant_again_is_the_same_line(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    first = await grant(ada, grant_of(alice))
    await grant(ada, grant_of(alice, idempotencyKey="another"))
    before = await state(world)
    world.clock.advance(minutes=30)
    assert await grant(ada, grant_of(alice)) == first
    assert await state(world) == before


@pytest.mark.parametrize(
    "change",
    [
        {"reward": {"type": "POINT", "amount": 101}},
        {"reward": {"type": "TOKEN", "amount": 100}},
        {"reward": COFFEE},
        {"reason": "sorry again"},
    ],
)
async def test_the_same_key_for_another_grant(world: World, change: dict[str, Any]) -> None:
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice))
    await refused(world, ada, grant_of(alice) | change, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_is_one_player_s_whoever_used_it(world: World) -> None:
    alice, bob, ada = await world.player(), await world.player("bob"), await admin(world)
    await alice.play(key="mine")
    await refused(world, ada, grant_of(alice, idempotencyKey="mine"), "IDEMPOTENCY_KEY_REUSED")
    assert (await grant(ada, grant_of(bob, idempotencyKey="mine")))["amount"] == 100
    assert (await grant(ada, grant_of(alice)))["amount"] == 100
    assert (await alice.play(key="g"))["code"] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("reward_type", ["POINT", "TOKEN"])
async def test_a_wrong_grant_is_put_right_by_another(world: World, reward_type: str) -> None:
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice, {"type": reward_type, "amount": 1000}))
    line = await grant(ada, grant_of(alice, {"type": reward_type, "amount": -900}, idempotencyKey="back"))
    assert (line["amount"], line["balanceAfter"]) == (-900, 100)
    again = await refused(
        world, ada, grant_of(alice, {"type": reward_type, "amount": -101}, idempotencyKey="more"), "VALIDATION_FAILED"
    )
    assert [issue["path"] for issue in again["issues"]] == [["reward", "amount"]]
    line = await grant(ada, grant_of(alice, {"type": reward_type, "amount": -100}, idempotencyKey="rest"))
    assert line["balanceAfter"] == 0


async def test_a_balance_stays_within_what_clients_can_hold(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    line = {"user_id": alice.player_id, "reward_type": "POINT", "amount": 1_000_000_000, "cause": "DICE_PLAY"}
    line |= {"created_at": world.clock()}
    more = [{"balance_after": number * 1_000_000_000, "cause_id": UUID(int=number)} for number in (1, 2)]
    await write_lines(world.sql, [line | one for one in more])
    # A balance as high as it goes, with a ledger that is not: only for as long as the refusal takes.
    await world.sql.execute(
        "INSERT INTO reward_balance (user_id, reward_type, amount) VALUES ($1, 'POINT', 9007199254740991)",
        alice.player_id,
    )
    await refused(world, ada, grant_of(alice, {"type": "POINT", "amount": 1}), "VALIDATION_FAILED")
    await world.sql.execute("UPDATE reward_balance SET amount = 2000000000")


async def test_a_coupon_of_the_pool(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    line = await grant(ada, grant_of(alice, COFFEE))
    assert (line["type"], line["balanceAfter"], line["couponCode"]) == ("COUPON", None, "COFFEE-0001")
    assert await grant(ada, grant_of(alice, COFFEE)) == line
    assert (await grant(ada, grant_of(alice, COFFEE, idempotencyKey="next")))["couponCode"] == "COFFEE-0002"
    entry = await world.sql.fetchrow("SELECT before FROM audit_log LIMIT 1")
    assert entry is not None
    assert entry["before"] is None


async def test_a_coupon_that_waits_for_its_code(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    tea = COFFEE | {"couponType": "TEA"}
    line = await grant(ada, grant_of(alice, tea))
    assert line["couponCode"] is None
    (waiting,) = await world.sql.fetch("SELECT coupon_type, user_id, line_no FROM coupon_waiting")
    assert tuple(waiting) == ("TEA", alice.player_id, 1)
    assert await grant(ada, grant_of(alice, tea)) == line
    assert await world.count("coupon_waiting") == 1


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"reward": {"type": "NONE", "amount": 0}}, [["reward", "type"]]),
        ({"reward": {"type": "NONE", "amount": 5}}, [["reward", "type"]]),
        ({"reward": {"type": "POINT", "amount": 0}}, [["reward", "amount"]]),
        (
            {"reward": {"type": "TOKEN", "amount": 0, "couponType": "COFFEE"}},
            [["reward", "amount"], ["reward", "couponType"]],
        ),
        ({"reward": {"type": "POINT", "amount": 1_000_000_001}}, [["reward", "amount"]]),
        ({"reward": {"type": "TOKEN", "amount": -1_000_000_001}}, [["reward", "amount"]]),
        ({"reward": {"type": "POINT", "amount": 1, "couponType": "COFFEE"}}, [["reward", "couponType"]]),
        ({"reward": {"type": "COUPON", "amount": 2, "couponType": "COFFEE"}}, [["reward", "amount"]]),
        ({"reward": {"type": "COUPON", "amount": -1, "couponType": "COFFEE"}}, [["reward", "amount"]]),
        ({"reward": {"type": "COUPON", "amount": 1}}, [["reward", "couponType"]]),
        ({"reward": {"type": "COUPON", "amount": 1, "couponType": "x" * 65}}, [["reward", "couponType"]]),
        ({"reward": {"type": "COUPON", "amount": 1, "couponType": ""}}, [["reward", "couponType"]]),
        ({"reason": ""}, [["reason"]]),
        ({"reason": "x" * 501}, [["reason"]]),
        ({"reason": " "}, [["reason"]]),
        (
            {"reward": {"type": "COUPON", "amount": 2}, "reason": ""},
            [["reward", "amount"], ["reward", "couponType"], ["reason"]],
        ),
    ],
)
async def test_every_fault_of_a_grant_is_listed(world: World, change: dict[str, Any], paths: list[list[str]]) -> None:
    alice, ada = await world.player(), await admin(world)
    answer = await refused(world, ada, grant_of(alice) | change, "VALIDATION_FAILED")
    assert [issue["path"] for issue in answer["issues"]] == paths


async def test_the_longest_reason_of_the_strangest_characters(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    assert (await grant(ada, grant_of(alice, reason='"\\' * 250)))["amount"] == 100


@pytest.mark.parametrize("player_id", NOBODIES)
async def test_nobody_of_that_id(world: World, player_id: str) -> None:
    ada = await admin(world)
    await refused(world, ada, grant_of(ada, playerId=player_id), "NOT_FOUND")
    before = await state(world)
    given = {"playerId": player_id, "blocked": True, "reason": "cheats"}
    assert (await ada.data(BLOCK, input=given))["setPlayerBlocked"]["code"] == "NOT_FOUND"
    assert await state(world) == before


@pytest.mark.parametrize("key", ["", "x" * 129, "schlüssel"])
async def test_a_malformed_key(world: World, key: str) -> None:
    alice, ada = await world.player(), await admin(world)
    before = await state(world)
    assert await ada.error_code(GRANT, input=grant_of(alice, idempotencyKey=key)) == "BAD_REQUEST"
    assert await state(world) == before


@pytest.mark.parametrize("role", NOT_ADMINS)
async def test_admins_alone_put_right(world: World, role: Role) -> None:
    alice, somebody = await world.player(), await world.player("somebody", role)
    before = await state(world)
    assert await somebody.error_code(GRANT, input=grant_of(alice)) == "FORBIDDEN"
    given = {"playerId": alice.id, "blocked": True, "reason": "cheats"}
    assert await somebody.error_code(BLOCK, input=given) == "FORBIDDEN"
    assert await state(world) == before


async def test_a_blocked_player_may_look_but_not_play(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    first = await alice.play(key="before")
    before = await version(world, alice)
    answer = await block(ada, alice)
    assert answer == {
        "__typename": "Player",
        "id": alice.id,
        "externalId": "alice",
        "isBlocked": True,
    }
    moved, lines = await version(world, alice)
    assert (moved != before[0], lines) == (True, before[1])
    written = await world.written()
    for refusal in (await alice.play(), await alice.stamp(), await alice.claim(2)):
        assert refusal["code"] == "USER_BLOCKED"
    assert await world.written() == written
    assert (await alice.play(key="before")) == first | {"replayed": True}
    assert (await alice.data("{ me { isBlocked } }"))["me"]["isBlocked"] is True
    assert (await grant(ada, grant_of(alice)))["amount"] == 100

    assert (await block(ada, alice, blocked=False, reason="a mistake"))["isBlocked"] is False
    assert (await alice.play())["__typename"] == "DicePlay"
    entries = await world.sql.fetch("SELECT * FROM audit_log WHERE action = 'setPlayerBlocked' ORDER BY id")
    assert [(json.loads(entry["before"]), json.loads(entry["after"])) for entry in entries] == [
        ({"isBlocked": False}, {"isBlocked": True, "reason": "cheats"}),
        ({"isBlocked": True}, {"isBlocked": False, "reason": "a mistake"}),
    ]
    assert {(entry["actor"], entry["target"]) for entry in entries} == {("ada (ADMIN)", f"player {alice.player_id}")}


@pytest.mark.parametrize("reason", ["", "x" * 501])
async def test_a_block_needs_a_reason(world: World, reason: str) -> None:
    alice, ada = await world.player(), await admin(world)
    before = await state(world)
    answer = await block(ada, alice, reason=reason)
    assert (answer["code"], answer["issues"][0]["path"]) == ("VALIDATION_FAILED", ["reason"])
    assert await state(world) == before


@pytest.mark.parametrize("reward", [POINTS, COFFEE])
async def test_a_locked_player_is_told(world: World, reward: dict[str, Any]) -> None:
    alice, ada = await world.player(), await admin(world)
    async with world.sql.transaction():
        await world.sql.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
        answer = await grant(ada, grant_of(alice, reward))
        assert (answer["code"], answer["retryable"]) == ("LOCK_NOT_ACQUIRED", True)
        assert (await block(ada, alice))["code"] == "LOCK_NOT_ACQUIRED"
    assert (await grant(ada, grant_of(alice, reward)))["__typename"] == "RewardEntry"
    assert await world.count("reward_ledger") == 1


async def test_a_locked_pool_is_told(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    before = await state(world)
    async with world.sql.transaction():
        await world.sql.execute("SELECT pg_advisory_xact_lock(hashtextextended('haru.coupon:COFFEE', 0))")
        assert (await grant(ada, grant_of(alice, COFFEE)))["code"] == "LOCK_NOT_ACQUIRED"
    assert await state(world) == before


@pytest.mark.parametrize("change", ["UPDATE reward_ledger SET amount = 1", "DELETE FROM reward_ledger"])
async def test_no_line_is_ever_changed_or_removed(world: World, change: str) -> None:
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice))
    with pytest.raises(Exception, match="append-only"):
        await world.sql.execute(change)
