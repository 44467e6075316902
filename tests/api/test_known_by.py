"""One player by what a complaint names, what the pools hold, what time it is, and what a token says."""

from __future__ import annotations

from typing import Any

import pytest

from models import FeatureType, Role
from schema.nodes import Kind, node_id
from tests.world import NOBODY, World, forge

PLAYER = "query P($by: PlayerBy!) { player(by: $by) { id externalId balances { type amount } } }"
POOLS = "{ couponPools { couponType left given waiting } }"
CLOCK = "{ clock { now businessDate endsAt timeZone } }"
SESSION = "{ session { role expiresAt } }"
GRANT = "mutation G($input: GrantRewardInput!) { grantReward(input: $input) { __typename } }"
COUPON = {"type": "COUPON", "amount": 1, "couponType": "COFFEE"}


async def known_by(world: World, **by: Any) -> str | None:
    """The external id of the player whom an auditor finds."""
    found = (await (await world.player("auditor", Role.AUDITOR)).data(PLAYER, by=by))["player"]
    return found and str(found["externalId"])


async def given_a_coupon(world: World, external_id: str) -> str:
    """The code that a player was given by hand."""
    player, admin = await world.player(external_id), await world.player("ada", Role.ADMIN)
    wanted = {"idempotencyKey": external_id, "playerId": player.id, "reward": COUPON, "reason": "sorry"}
    wanted["acknowledge"] = ["COUPON_POOL_EMPTY"]
    await admin.data(GRANT, input=wanted)
    code = "SELECT code FROM coupon_code WHERE user_id = $1"
    return str(await world.sql.fetchval(code, player.player_id))


async def test_a_player_by_id_and_by_external_id(world: World) -> None:
    alice, _ = await world.player(), await world.player("alice2")
    assert await known_by(world, id=alice.id) == "alice"
    assert await known_by(world, externalId="alice") == "alice"
    assert await known_by(world, externalId="alic") is None


async def test_one_spelling_of_an_external_id_is_another(world: World) -> None:
    await world.player("하늘")
    assert await known_by(world, externalId="\u1112\u1161\u1102\u1173\u11af") == "하늘"


async def test_a_player_by_a_coupon_code(world: World) -> None:
    codes = {name: await given_a_coupon(world, name) for name in ("alice", "bob")}
    assert {name: await known_by(world, couponCode=code) for name, code in codes.items()} == {
        "alice": "alice",
        "bob": "bob",
    }
    free = await world.sql.fetchval("SELECT max(code) FROM coupon_code WHERE user_id IS NULL")
    assert await known_by(world, couponCode=free) is None
    assert await known_by(world, couponCode="NONE-SUCH") is None


@pytest.mark.parametrize(
    ("feature", "game"),
    [(FeatureType.DICE, "playDice"), (FeatureType.ROULETTE, "spinRoulette"), (FeatureType.LOTTERY, "drawLottery")],
)
async def test_a_player_by_a_play(world: World, feature: FeatureType, game: str) -> None:
    await world.today(feature)
    alice, bob = await world.player(), await world.player("bob")
    await alice.play(game)
    played = await bob.play(game)
    assert await known_by(world, playId=played["id"]) == "bob"
    assert await known_by(world, playId=node_id(Kind.DICE_PLAY, alice.player_id, NOBODY)) is None


async def test_the_id_of_something_else_finds_nobody(world: World) -> None:
    alice = await world.player()
    played = await alice.play()
    assert await known_by(world, id=played["id"]) is None
    assert await known_by(world, playId=alice.id) is None
    assert await known_by(world, id="nonsense") is None
    assert await known_by(world, playId="") is None
    assert await known_by(world, id=node_id(Kind.PLAYER, NOBODY)) is None


@pytest.mark.parametrize(
    "by",
    [
        {},
        {"id": None},
        {"id": "x", "externalId": "y"},
        {"externalId": ""},
        {"externalId": "a\u0000"},
        {"externalId": "x" * 129},
        {"couponCode": ""},
        {"couponCode": " C-1"},
        {"couponCode": "x" * 129},
    ],
)
async def test_what_nobody_can_be_known_by_is_refused(world: World, by: dict[str, Any]) -> None:
    staff = await world.player("auditor", Role.AUDITOR)
    assert await staff.error_code(PLAYER, by=by) == "BAD_REQUEST"


@pytest.mark.parametrize("by", ["{}", '{id: "x", playId: "y"}', "{id: null}"])
async def test_literals_name_one_thing_too(world: World, by: str) -> None:
    staff = await world.player("auditor", Role.AUDITOR)
    assert await staff.error_code(f"{{ player(by: {by}) {{ id }} }}") == "BAD_REQUEST"


async def test_the_pools(world: World) -> None:
    staff = await world.player("auditor", Role.AUDITOR)
    (before,) = (await staff.data(POOLS))["couponPools"]
    assert before == {"couponType": "COFFEE", "left": 100, "given": 0, "waiting": 0}
    await given_a_coupon(world, "alice")
    assert (await staff.data(POOLS))["couponPools"] == [before | {"left": 99, "given": 1}]
    await forge(world.sql, "DELETE FROM coupon_code WHERE user_id IS NULL")
    await given_a_coupon(world, "bob")
    assert (await staff.data(POOLS))["couponPools"] == [before | {"left": 0, "given": 1, "waiting": 1}]


async def test_what_time_it_is(world: World) -> None:
    alice = await world.player()
    assert (await alice.data(CLOCK))["clock"] == {
        "now": "2026-03-02T03:00:00.000+00:00",
        "businessDate": "2026-03-02",
        "endsAt": "2026-03-02T15:00:00.000+00:00",
        "timeZone": "Asia/Seoul",
    }
    world.clock.advance(hours=12)
    alice = await world.player()
    told = (await alice.data(CLOCK))["clock"]
    assert (told["businessDate"], told["endsAt"]) == ("2026-03-03", "2026-03-03T15:00:00.000+00:00")


@pytest.mark.parametrize("role", list(Role))
async def test_what_a_token_says(world: World, role: Role) -> None:
    somebody = await world.player("somebody", role)
    expires_at = "2026-03-02T04:00:00.000+00:00"
    assert (await somebody.data(SESSION))["session"] == {"role": role, "expiresAt": expires_at}
