"""Tokens that no longer hold: revoked ones, and those of staff who are blocked. Everywhere, for every role."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from models import Role
from services import players, standing
from services.changes import Outcome
from services.error_codes import WarningCode
from services.errors import Warned
from services.request_errors import Unauthenticated, Unavailable
from tests.goods import POINTS, admin, block, grant, grant_of
from tests.live import Events, Socket
from tests.world import Client, World, running

REVOKE = """
mutation Revoke($input: RevokeTokensInput!) {
  revokeTokens(input: $input) {
    __typename
    ... on RevokeTokensPayload { player { id } }
    ... on StaffPayload { dryRun changes { path before after } warnings { code path message } }
    ... on UserError { code message retryable }
    ... on ValidationFailed { issues { path message } }
    ... on WarningsUnacknowledged { warnings { code path message } }
  }
}
"""
ISSUE = """
mutation Issue($input: IssueTokenInput!) {
  issueToken(input: $input) { ... on IssuedToken { accessToken player { id } } }
}
"""
ME = "{ me { id } }"
TODAY = "subscription { todayFeatureChanged { __typename } }"
NEXT = "2026-03-02T03:00:01Z"
STAFF = [role for role in Role if role is not Role.PLAYER]


async def revoke(staff: Client, account: Client, **changes: Any) -> dict[str, Any]:
    """Revoke an account's tokens: the member of the result union."""
    given = {"playerId": account.id, "reason": "a phone was stolen"} | changes
    answer: dict[str, Any] = (await staff.data(REVOKE, input=given))["revokeTokens"]
    return answer


async def is_refused(client: Client) -> bool:
    """Whether the client's token no longer holds, for a read."""
    response = await client.post(ME)
    if response.status_code == 401:
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        return True
    assert response.json()["data"]["me"] == {"id": client.id}
    return False


async def within_a_second(happens: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something happens. A busy machine is given longer than the second that is promised."""
    async with asyncio.timeout(10):
        while not await happens():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def beside(world: World) -> AsyncIterator[World]:
    """Another process on the same database."""
    assert world.settings.owner_url is not None
    async with running(world.settings.owner_url, demo=False) as other:
        yield other


@pytest.mark.parametrize("role", Role)
async def test_a_revoked_token_is_refused_and_the_next_one_holds(world: World, role: Role) -> None:
    ada, olga = await admin(world), await world.player("olga", role)
    assert not await is_refused(olga)
    assert await revoke(ada, olga) == {
        "__typename": "RevokeTokensPayload",
        "player": {"id": olga.id},
        "dryRun": False,
        "changes": [{"path": ["tokensValidFrom"], "before": None, "after": NEXT}],
        "warnings": [],
    }
    assert await is_refused(olga)
    assert not await is_refused(ada)
    issued = (await ada.data(ISSUE, input={"externalId": "olga", "role": role}))["issueToken"]
    assert issued["player"]["id"] == olga.id
    again = Client(world.http, issued["accessToken"], olga.player_id)  # of the same second, and yet told apart
    assert (await is_refused(olga), await is_refused(again)) == (True, False)


async def test_what_is_issued_after_the_second_holds(world: World) -> None:
    ada, olga = await admin(world), await world.player("olga", Role.OPERATOR)
    old = Client(world.http, olga.token, olga.player_id)
    await revoke(ada, olga)
    world.clock.advance(seconds=1)
    olga = await world.player("olga", Role.OPERATOR)
    assert (await is_refused(old), await is_refused(olga)) == (True, False)
    world.clock.advance(seconds=5)
    again = await revoke(ada, olga)
    assert again["changes"] == [{"path": ["tokensValidFrom"], "before": NEXT, "after": "2026-03-02T03:00:07Z"}]
    assert await is_refused(olga)


async def test_a_clock_that_is_behind_gives_no_revoked_token_back(world: World) -> None:
    ada, olga = await admin(world), await world.player("olga")
    await revoke(ada, olga)
    world.clock.advance(seconds=-30)
    assert (await revoke(ada, olga))["changes"] == []


async def test_it_is_on_record(world: World) -> None:
    ada, olga = await admin(world), await world.player("olga", Role.OPERATOR)
    await revoke(ada, olga)
    (entry,) = await world.sql.fetch("SELECT * FROM audit_log")
    assert (entry["actor"], entry["action"]) == ("ada (ADMIN)", "revokeTokens")
    assert entry["target"] == f"player {olga.player_id}"
    assert json.loads(entry["before"]) == {"tokensValidFrom": None}
    assert json.loads(entry["after"]) == {
        "tokensValidFrom": NEXT,
        "reason": "a phone was stolen",
    }


async def kept(world: World) -> tuple[list[asyncpg.Record], int]:
    """What a revocation may write."""
    accounts = await world.sql.fetch('SELECT id, tokens_valid_from, is_blocked, version FROM "user" ORDER BY id')
    return accounts, await world.count("audit_log")


async def test_a_dry_run_checks_everything_and_writes_nothing(world: World) -> None:
    ada, olga = await admin(world), await world.player("olga", Role.OPERATOR)
    before = await kept(world)
    tried = await revoke(ada, olga, mode="DRY_RUN")
    assert await kept(world) == before
    assert not await is_refused(olga)
    assert (await revoke(ada, Client(world.http, player_id=UUID(int=1)), mode="DRY_RUN"))["code"] == "NOT_FOUND"
    assert (await revoke(ada, olga, mode="DRY_RUN", reason=" "))["code"] == "VALIDATION_FAILED"
    assert tried == await revoke(ada, olga, mode="RUN") | {"dryRun": True, "player": None}


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "a\u202eb"])
async def test_a_reason_is_checked(world: World, reason: str) -> None:
    ada, olga = await admin(world), await world.player("olga")
    before = await kept(world)
    refused = await revoke(ada, olga, reason=reason)
    assert [issue["path"] for issue in refused["issues"]] == [["reason"]]
    assert await kept(world) == before
    assert (await revoke(ada, olga, reason="x" * 500))["__typename"] == "RevokeTokensPayload"


@pytest.mark.parametrize("player_id", ["999", "x", "-1", "01", ""])
async def test_nobody_s_tokens_cannot_be_revoked(world: World, player_id: str) -> None:
    ada = await admin(world)
    assert (await revoke(ada, ada, playerId=player_id))["code"] == "NOT_FOUND"
    assert await world.count("audit_log") == 0


async def test_what_there_is_a_warning_about_needs_an_acknowledgement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, warned = players.revoke_tokens, Warned(WarningCode.STOCK_RESTATED, ("reason",), "Think twice.")

    async def warning(*arguments: Any, **named: Any) -> Outcome[players.PlayerRow]:
        outcome = await command(*arguments, **named)
        return Outcome(outcome.made, outcome.changes, [warned])

    monkeypatch.setattr(players, "revoke_tokens", warning)
    ada, olga = await admin(world), await world.player("olga")
    told = [{"code": "STOCK_RESTATED", "path": ["reason"], "message": "Think twice."}]
    before = await kept(world)
    for acknowledge in ([], ["COUPON_POOL_EMPTY"]):
        refused = await revoke(ada, olga, acknowledge=acknowledge)
        assert (refused["code"], refused["retryable"], refused["warnings"]) == ("WARNINGS_UNACKNOWLEDGED", False, told)
    assert (await revoke(ada, olga, mode="DRY_RUN"))["warnings"] == told
    assert await kept(world) == before
    done = await revoke(ada, olga, acknowledge=["COUPON_POOL_EMPTY", "STOCK_RESTATED"])
    assert (done["__typename"], done["warnings"]) == ("RevokeTokensPayload", told)


# Blocked staff


@pytest.mark.parametrize("role", STAFF)
async def test_no_token_of_blocked_staff_holds(world: World, role: Role) -> None:
    ada, olga = await admin(world), await world.player("olga", role)
    assert not await is_refused(olga)
    await block(ada, olga)
    assert await is_refused(olga)
    world.clock.advance(days=2)
    assert await is_refused(await world.player("olga", role))  # nor one that was issued long after
    await block(await admin(world), olga, blocked=False)
    assert not await is_refused(olga)


async def test_staff_who_are_blocked_at_the_first_sight_of_them_are_refused(world: World) -> None:
    olga = await world.player("olga", Role.ADMIN)
    await world.sql.execute('UPDATE "user" SET is_blocked = true WHERE id = $1', olga.player_id)
    assert await is_refused(olga)


async def test_nobody_slips_in_while_they_are_looked_up(world: World) -> None:
    olga = await world.player("olga", Role.ADMIN)
    await world.sql.execute('UPDATE "user" SET is_blocked = true WHERE id = $1', olga.player_id)
    assert await asyncio.gather(*(is_refused(olga) for _ in range(5))) == [True] * 5


async def test_a_blocked_player_is_told_so_and_may_look(world: World) -> None:
    ada, alice = await admin(world), await world.player()
    await block(ada, alice)
    assert not await is_refused(alice)
    assert (await alice.play())["code"] == "USER_BLOCKED"


async def test_a_blocked_admin_grants_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in the moment before this process hears of it: the grant's own transaction looks."""
    ada, eve, alice = await admin(world), await world.player("eve", Role.ADMIN), await world.player()
    await block(ada, eve)
    monkeypatch.setattr(world.parts.standing, "holds", lambda _bearer: True)
    before = await world.written()
    for reward in (POINTS, POINTS | {"amount": 1_000_000_000}):
        answer = await eve.execute(
            "mutation ($input: GrantRewardInput!) { grantReward(input: $input) { __typename } }",
            input=grant_of(alice, reward),
        )
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await world.written() == before
    assert (await grant(ada, grant_of(alice)))["__typename"] == "RewardEntry"


async def test_of_revoked_staff_nothing_is_done_either(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, eve, alice = await admin(world), await world.player("eve", Role.ADMIN), await world.player()
    await revoke(ada, eve)
    monkeypatch.setattr(world.parts.standing, "holds", lambda _bearer: True)
    assert await eve.error_code(REVOKE, input={"playerId": str(alice.player_id), "reason": "x"}) == "UNAUTHENTICATED"


# Everywhere


@pytest.mark.parametrize("role", [Role.PLAYER, Role.ADMIN])
async def test_other_processes_refuse_it_within_a_second(world: World, role: Role) -> None:
    ada, olga = await admin(world), await world.player("olga", role)
    async with beside(world) as other:
        there = Client(other.http, olga.token, olga.player_id)
        assert not await is_refused(there)
        await revoke(ada, olga)
        await within_a_second(lambda: is_refused(there))


async def test_other_processes_refuse_blocked_staff_though_no_signal_comes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silence(*_: Any) -> None:
        return

    monkeypatch.setattr("services.signals.announce", silence)
    ada, olga = await admin(world), await world.player("olga", Role.SERVICE)
    async with beside(world) as other:
        there = Client(other.http, olga.token, olga.player_id)
        assert not await is_refused(there)
        await block(ada, olga)
        await within_a_second(lambda: is_refused(there))


@pytest.mark.parametrize("role", [Role.PLAYER, Role.OPERATOR])
async def test_open_connections_end(world: World, role: Role) -> None:
    ada, olga, alice = await admin(world), await world.player("olga", role), await world.player()
    sockets = [Socket(world.app) for _ in range(2)]
    for one, client in zip(sockets, (olga, alice), strict=True):
        await one.open()
        await one.init(client.token)
        await one.subscribe(TODAY)
        await one.data()
    stream = Events(world.app, TODAY, token=olga.token)
    await stream.open()
    await stream.data()
    await revoke(ada, olga)
    assert await sockets[0].close_code() == 4403
    assert await stream.event() is None  # cut off, without `complete`
    await stream.ended()
    await sockets[0].ended()
    await sockets[1].subscribe(ME, id="2")
    assert (await sockets[1].data())["me"] == {"id": alice.id}
    await sockets[1].leave()


async def test_open_connections_of_blocked_staff_end_and_those_of_blocked_players_stay(world: World) -> None:
    ada, olga, alice = await admin(world), await world.player("olga", Role.AUDITOR), await world.player()
    sockets = [Socket(world.app) for _ in range(2)]
    for one, client in zip(sockets, (olga, alice), strict=True):
        await one.open()
        await one.init(client.token)
        await block(ada, client)
    assert await sockets[0].close_code() == 4403
    await sockets[0].ended()
    await sockets[1].subscribe(ME)
    assert (await sockets[1].data())["me"] == {"id": alice.id}
    await sockets[1].leave()


async def test_a_revoked_token_opens_nothing(world: World) -> None:
    ada, olga = await admin(world), await world.player("olga")
    await revoke(ada, olga)
    one = Socket(world.app)
    await one.open()
    await one.send("connection_init", payload={"Authorization": f"Bearer {olga.token}"})
    assert await one.close_code() == 4403
    await one.ended()
    stream = Events(world.app, TODAY, token=olga.token)
    await stream.open()
    assert stream.status == 401
    await stream.leave()


# Where the database does not answer


async def test_staff_are_refused_where_nobody_can_tell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    olga, alice = await world.player("olga", Role.OPERATOR), await world.player()
    assert (await is_refused(olga), await is_refused(alice)) == (False, False)

    async def away(**_: Any) -> None:
        raise Unavailable

    known = world.parts.standing
    monkeypatch.setattr(world.parts.database, "connect_hot", away)
    known._session.give_up()
    monkeypatch.setattr(standing, "FRESH_SECONDS", -1.0)
    response = await olga.post(ME)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert not await is_refused(alice)
    one = Socket(world.app)
    await one.open()
    await one.send("connection_init", payload={"Authorization": f"Bearer {olga.token}"})
    assert await one.close_code() == 1013
    await one.ended()
    monkeypatch.undo()
    await within_a_second(lambda: _is_served(olga))


async def _is_served(client: Client) -> bool:
    return (await client.post(ME)).status_code == 200


async def test_what_nobody_expects_is_logged_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known, tries = world.parts.standing, 0

    async def broken(*_: Any) -> Any:
        nonlocal tries
        tries += 1
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(standing, "POLL_SECONDS", 0.01)
        patch.setattr(known._session, "get", broken)
        async with asyncio.timeout(10):
            while tries < 3:
                await asyncio.sleep(0.01)
    assert "it will be tried again" in caplog.text
    olga = await world.player("olga", Role.OPERATOR)
    assert not await is_refused(olga)


async def test_a_member_of_staff_who_was_never_there_is_nobody(world: World) -> None:
    token = world.parts.issue_token(UUID(int=1), Role.ADMIN).text
    assert await Client(world.http, token).error_code(ME) == "UNAUTHENTICATED"
    with pytest.raises(Unauthenticated):
        await world.parts.transact(_acting)


async def _acting(tx: Any) -> Any:
    from schema.context import Principal
    from services.audit import actor_of

    return await actor_of(tx, Principal(UUID(int=1), Role.ADMIN))
