"""Grants, blocks and imports beside players: the ledger is exact, and each code is given once."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from services.audit import Actor
from services.coupon_files import Code
from services.coupons import Imported, import_codes
from services.errors import LockNotAcquired, ValidationFailed
from tests.goods import COFFEE, admin, block, grant, grant_of, version
from tests.ledgers import assert_ledger_holds
from tests.races.workers import patient
from tests.world import World, forge

CODE_FAULTS = """
SELECT 'a code for another grant', c.id FROM coupon_code c JOIN reward_ledger l USING (user_id, line_no)
WHERE l.coupon_type <> c.coupon_type
UNION ALL
SELECT 'neither a code nor waiting, or both', l.line_no FROM reward_ledger l
WHERE l.reward_type = 'COUPON' AND l.amount = 1 AND
    (SELECT count(*) FROM coupon_code c WHERE (c.user_id, c.line_no) = (l.user_id, l.line_no))
    + (SELECT count(*) FROM coupon_waiting w WHERE (w.user_id, w.line_no) = (l.user_id, l.line_no)) <> 1
UNION ALL
SELECT 'waits beside a free code', w.id FROM coupon_waiting w
WHERE EXISTS (SELECT FROM coupon_code c WHERE c.coupon_type = w.coupon_type AND c.line_no IS NULL)
"""


async def insist(action: Any) -> dict[str, Any]:
    """Send the same again for as long as it may help, as a client does."""
    while True:
        answer: dict[str, Any] = await action()
        if not answer.get("retryable"):
            return answer


def by_few(action: Any, desks: asyncio.Semaphore) -> Any:
    """What staff do, a few at a time: the engine has but a few connections."""

    async def at_a_desk() -> dict[str, Any]:
        async with desks:
            return await insist(action)

    return at_a_desk()


async def load_codes(world: World, coupon_type: str, codes: list[Code]) -> Imported:
    while True:
        try:
            return await world.parts.transact(
                lambda tx: import_codes(tx, actor=Actor("test"), action="import", coupon_type=coupon_type, codes=codes)
            )
        except LockNotAcquired:
            continue


async def test_grants_beside_plays_of_the_same_players(world: World) -> None:
    ada = patient(await admin(world))
    await forge(world.sql, "UPDATE dice_config SET max_daily_plays = 0")
    players, desks = [patient(await world.player(f"player-{number}")) for number in range(4)], asyncio.Semaphore(6)
    work: list[Any] = []
    for player in players:
        for number in range(15):
            play = f"play-{number}"
            work.append(insist(lambda player=player, play=play: player.play(key=play)))
            given = grant_of(player, {"type": "POINT", "amount": 1000 + number}, idempotencyKey=f"grant-{number}")
            work += [by_few(lambda given=given: grant(ada, given), desks) for _ in range(2)]  # each twice at once
    answers = await asyncio.gather(*work)
    assert {answer["__typename"] for answer in answers} == {"DicePlay", "RewardEntry"}
    assert len({answer["id"] for answer in answers}) == 4 * 30
    assert await world.sql.fetchval("SELECT count(*) FROM reward_ledger WHERE cause = 'ADMIN_GRANT'") == 60
    assert await world.count("dice_log") == 60
    assert await world.count("audit_log") == 60
    await assert_ledger_holds(world.sql)


async def test_reversals_never_take_more_than_there_is(world: World) -> None:
    alice, ada = patient(await world.player()), patient(await admin(world))
    await grant(ada, grant_of(alice, {"type": "TOKEN", "amount": 10}, idempotencyKey="first"))
    back = [grant_of(alice, {"type": "TOKEN", "amount": -3}, idempotencyKey=f"back-{number}") for number in range(8)]
    answers = await asyncio.gather(*(insist(lambda given=given: grant(ada, given)) for given in back))
    assert sorted(answer["__typename"] for answer in answers) == ["RewardEntry"] * 3 + ["ValidationFailed"] * 5
    assert await world.sql.fetchval("SELECT amount FROM reward_balance") == 1


async def test_blocking_beside_plays(world: World) -> None:
    alice, ada = patient(await world.player()), patient(await admin(world))
    await forge(world.sql, "UPDATE dice_config SET max_daily_plays = 0")

    async def play_until_blocked() -> int:
        for number in count():
            answer = await insist(lambda number=number: alice.play(key=f"k-{number}"))
            if answer.get("code") == "USER_BLOCKED":
                break
        return number

    async def block_soon() -> None:
        while await world.count("dice_log") < 20:
            await asyncio.sleep(0.01)
        assert (await insist(lambda: block(ada, alice)))["isBlocked"] is True
        played = await world.count("dice_log")
        before = await version(world, alice)
        assert (await alice.play())["code"] == "USER_BLOCKED"
        assert (await world.count("dice_log"), await version(world, alice)) == (played, before)

    played, _ = await asyncio.gather(play_until_blocked(), block_soon())
    assert await world.count("dice_log") == played


async def test_codes_are_given_once_beside_imports(world: World) -> None:
    ada = patient(await admin(world))
    await forge(world.sql, "DELETE FROM coupon_code")
    await forge(
        world.sql,
        """UPDATE dice_config SET max_daily_plays = 0, win_reward_type = 'COUPON', win_reward_amount = 1,
        win_coupon_type = 'COFFEE', draw_reward_type = 'COUPON', draw_reward_amount = 1, draw_coupon_type = 'COFFEE',
        lose_reward_type = 'COUPON', lose_reward_amount = 1, lose_coupon_type = 'COFFEE'""",
    )
    players, desks = [patient(await world.player(f"player-{number}")) for number in range(6)], asyncio.Semaphore(4)

    async def play(number: int) -> None:
        player = players[number % 6]
        answer = await insist(lambda: player.play(key=f"p-{number}"))
        assert answer["reward"]["type"] == "COUPON"

    async def give(number: int) -> None:
        given = grant_of(players[number % 6], COFFEE, idempotencyKey=f"g-{number}")
        assert (await by_few(lambda: grant(ada, given), desks))["type"] == "COUPON"

    async def load(number: int) -> int:
        done = await load_codes(world, "COFFEE", [Code(line, f"C-{number}-{line}") for line in range(12)])
        return done.served

    work: list[Any] = []
    for number in range(60):
        work += [play(number), give(number)]
        if number % 15 == 7:
            work.append(load(number))
    await asyncio.gather(*work)
    assert await world.sql.fetchval("SELECT sum(amount) FROM reward_ledger WHERE coupon_type = 'COFFEE'") == 120
    assert await world.count("coupon_code") == 48
    assert not await world.sql.fetch(CODE_FAULTS)
    assert await world.count("coupon_waiting") == 72

    served = await load(1000) + await load(1001)
    assert served == 24
    assert not await world.sql.fetch(CODE_FAULTS)
    waiting = await world.sql.fetch("SELECT id FROM coupon_waiting ORDER BY id")
    assert len(waiting) == 48


async def test_two_imports_of_the_same_codes_at_once(world: World) -> None:
    codes = [Code(line, f"T-{line}") for line in range(200)]

    async def load(these: list[Code]) -> str:
        try:
            await load_codes(world, "TEA", these)
        except ValidationFailed:
            return "refused"
        return "imported"

    outcomes = await asyncio.gather(load(codes), load(codes[::-1]), load(codes[50:]))
    assert sorted(outcomes) == ["imported", "refused", "refused"]
    assert await world.sql.fetchval("SELECT count(*) FROM coupon_code WHERE coupon_type = 'TEA'") in {150, 200}
