"""The table of root fields has a row for each, and the server does what the table says: who may call, what plays."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations_with_replacement
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLUnionType, get_named_type

from models import Base, Role
from schema.roots import MUTATIONS, PLAYING, QUERIES, ROOTS, SUBSCRIPTIONS, codes
from tests.documents import a_document, a_value, ask, core, roots
from tests.world import Client, World

NAMES = {name: name for name in ("DailyLimitReached", "ValidationFailed", "WarningsUnacknowledged")}
"""The refusals that carry data, with their types."""

REFUSALS = ("UNAUTHENTICATED", "FORBIDDEN")
NOBODY, EXPIRED = "nobody", "an expired token"


async def asked(client: Client, operation: str, name: str, field: GraphQLField) -> str:
    """UNAUTHENTICATED, FORBIDDEN, or `served`: whatever else came of it, it was allowed."""
    errors = (await ask(client, operation, name, field)).get("errors", [])
    codes = [error["extensions"]["code"] for error in errors]
    assert "INTERNAL" not in codes, (name, errors)
    assert not any(error["message"].startswith("Variable") for error in errors), errors
    return codes[0] if codes and codes[0] in REFUSALS else "served"


def test_every_root_field_has_a_row_and_every_row_a_root_field() -> None:
    assert {name for _, name, _ in roots("query")} == QUERIES.keys()
    assert {name for _, name, _ in roots("mutation")} == MUTATIONS.keys()
    assert {name for _, name, _ in roots("subscription")} == SUBSCRIPTIONS.keys()
    assert len(ROOTS) == len(QUERIES) + len(MUTATIONS) + len(SUBSCRIPTIONS)


def test_every_row_admits_somebody() -> None:
    assert [name for name, root in ROOTS.items() if not root.roles] == []


def test_nothing_is_for_players_that_changes_what_staff_publish() -> None:
    playing = {"playDice", "spinRoulette", "drawLottery", "stamp", "claimReward"}
    assert {name for name, root in MUTATIONS.items() if Role.PLAYER in root.roles} == playing == PLAYING


def test_every_refusal_is_a_member_of_the_fields_union() -> None:
    for _, name, field in roots("query", "mutation", "subscription"):
        refusals, answer = ROOTS[name].refusals, get_named_type(field.type)
        if not isinstance(answer, GraphQLUnionType):
            assert refusals == (), name
            continue
        own = {NAMES.get(refusal.__name__, "Problem") for refusal in (*refusals, *ROOTS[name].reserved)}
        assert {member.name for member in answer.types} & {"Problem", *NAMES.values()} == own, name
        assert all(code in (answer.description or "") for code in codes(refusals)), name


@pytest.mark.parametrize("plays", list(combinations_with_replacement(sorted(PLAYING), 2)), ids="-".join)
async def test_two_plays_in_one_document_are_refused(world: World, plays: tuple[str, str]) -> None:
    alice, before = await world.player(), await world.written()
    query, variables = together(*plays)
    for document in (query, query.replace("{", "{ ...both } fragment both on Mutation {", 1)):
        answer = await alice.execute(document, **variables)
        assert [error["extensions"]["code"] for error in answer.pop("errors")] == ["QUERY_TOO_COMPLEX"]
        assert answer == {}, "nothing was executed"
    assert await world.written() == before


@pytest.mark.parametrize("play", sorted(PLAYING))
async def test_one_play_in_a_document_is_served(world: World, play: str) -> None:
    query, variables = together(play)
    await (await world.player()).data(query, **variables)


def together(*names: str) -> tuple[str, dict[str, Any]]:
    """A document that calls these mutations, with its variables: each of its own key."""
    assert core.mutation_type is not None
    inputs = [core.mutation_type.fields[name].args["input"].type for name in names]
    declared = ", ".join(f"$_{number}: {type_}" for number, type_ in enumerate(inputs))
    called = " ".join(f"_{n}: {name}(input: $_{n}) {{ __typename }}" for n, name in enumerate(names))
    variables = {f"_{n}": a_value(type_, "", []) | {"idempotencyKey": f"{n}"} for n, type_ in enumerate(inputs)}
    return f"mutation ({declared}) {{ {called} }}", variables


async def test_the_matrix(world: World) -> None:
    clients = {role: await world.player(f"the {role}", role) for role in Role}
    expired = await world.player("late")
    world.clock.advance(hours=2)
    for role in Role:
        await world.player(f"the {role}", role)  # with a fresh token
    answered: dict[str, dict[str, str]] = defaultdict(dict)
    expected: dict[str, dict[str, str]] = defaultdict(dict)
    for operation, name, field in roots("query", "mutation"):
        for who, client in ((NOBODY, world.nobody), (EXPIRED, expired)):
            answered[name][who] = await asked(client, operation, name, field)
            expected[name][who] = "UNAUTHENTICATED"
        for role, client in clients.items():
            answered[name][role] = await asked(client, operation, name, field)
            expected[name][role] = "served" if role in ROOTS[name].roles else "FORBIDDEN"
    assert answered == expected
    print(f"{sum(map(len, answered.values()))} cells of {len(answered)} root fields")


async def test_a_refused_caller_changes_nothing(world: World) -> None:
    """No refusal writes a row anywhere."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    clients = [world.nobody, *[await world.player(f"the {role}", role) for role in Role]]
    before = {table: await world.count(table) for table in tables}
    roles: list[Role | None] = [None, *Role]
    for role, client in zip(roles, clients, strict=True):
        for operation, name, field in roots("mutation"):
            if role not in ROOTS[name].roles:
                assert await asked(client, operation, name, field) in REFUSALS
    assert {table: await world.count(table) for table in tables} == before


def test_the_documents_know_every_scalar() -> None:
    for operation, name, field in roots("query", "mutation", "subscription"):
        assert name in a_document(operation, name, field)[0]
