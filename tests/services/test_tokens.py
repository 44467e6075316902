"""Tokens: who may be given one, and that what staff give is on record."""

from __future__ import annotations

import getpass
import json
from typing import Any

import pytest

from models import Role
from schema.nodes import Kind, parts_of
from tests.conftest import Haru
from tests.world import Client, World

ISSUE = """mutation Issue($input: IssueTokenInput!) {
  issueToken(input: $input) { ... on IssuedToken { accessToken player { id externalId } } }
}"""


async def issue(client: Client, external_id: str, role: Role = Role.PLAYER) -> Any:
    return (await client.data(ISSUE, input={"externalId": external_id, "role": role}))["issueToken"]


async def record(world: World) -> list[tuple[Any, ...]]:
    rows = await world.sql.fetch("SELECT * FROM audit_log ORDER BY id")
    return [(row["actor"], row["action"], row["target"], json.loads(row["after"])) for row in rows]


@pytest.mark.parametrize("role", Role)
async def test_whatever_token_staff_issue_is_on_record(world: World, role: Role) -> None:
    ada = await world.player("ada", Role.ADMIN)
    bob = parts_of((await issue(ada, "bob", role))["player"]["id"], Kind.PLAYER)
    assert bob is not None
    after = {"externalId": "bob", "playerId": str(bob[0]), "role": role}
    assert await record(world) == [("ada (ADMIN)", "issueToken", f"player {bob[0]}", after)]


async def test_the_product_lets_players_in_without_a_record(world: World) -> None:
    shop = await world.player("shop", Role.SERVICE)
    issued = await issue(shop, "bob")
    assert issued["player"]["externalId"] == "bob"
    assert await record(world) == []
    for role in set(Role) - {Role.PLAYER}:
        assert await shop.error_code(ISSUE, input={"externalId": "bob", "role": role}) == "FORBIDDEN"


@pytest.mark.parametrize("role", Role)
async def test_a_token_of_the_command_is_on_record(world: World, haru: Haru, role: Role) -> None:
    given = await haru("token", "--external-id", "bob", "--role", role)
    assert given.exit_code == 0
    bob = await world.sql.fetchval("SELECT id FROM \"user\" WHERE external_id = 'bob'")
    after = {"externalId": "bob", "playerId": str(bob), "role": role}
    assert await record(world) == [(f"{getpass.getuser()} (haru token)", "issueToken", f"player {bob}", after)]


async def test_a_user_of_the_system_without_a_name(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert (await haru("token", "--external-id", "bob")).exit_code == 0
    assert [actor for actor, *_ in await record(world)] == ["cli (haru token)"]


@pytest.mark.parametrize("external_id", ["", " ", " bob", "a\nb", "x" * 129])
async def test_an_external_id_is_checked_as_in_the_api(world: World, haru: Haru, external_id: str) -> None:
    ada, accounts = await world.player("ada", Role.ADMIN), await world.count("user")
    refused = await haru("token", "--external-id", external_id)
    assert refused.exit_code == 2
    assert "externalId must be 1 to 128 printable characters" in " ".join(refused.stderr.split())
    assert await ada.error_code(ISSUE, input={"externalId": external_id}) == "BAD_REQUEST"
    assert await world.count("user") == accounts
