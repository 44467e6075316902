"""Every game of the registry is whole: players see and play it, operators publish it, GraphiQL and the demo have it."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLUnionType, OperationDefinitionNode, get_named_type
from graphql.language import FieldNode, parse
from strawberry.utils.str_converters import to_camel_case

from models import Base
from resolvers.schema import schema
from schema.roots import OPERATORS, PLAYERS, PLAYING, READERS, ROOTS
from server.settings import PROJECT
from services.error_codes import ErrorCode
from services.published import in_force_at, query_of
from services.rules.registry import GAMES
from tests.games import GameUnderTest, every_game
from tests.world import World

core = schema._schema


def root_field(operation: str, name: str) -> Any:
    """A root field, which is there."""
    fields = getattr(core, f"{operation}_type").fields
    assert name in fields, f"there is no {operation} {name}"
    return fields[name]


def members(operation: str, name: str) -> dict[str, GraphQLObjectType]:
    """The members of a root field's result union."""
    union = get_named_type(root_field(operation, name).type)
    assert isinstance(union, GraphQLUnionType)
    return {member.name: member for member in union.types}


def input_of(mutation: str) -> GraphQLInputObjectType:
    """What a mutation takes as its one argument."""
    kind = get_named_type(root_field("mutation", mutation).args["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    return kind


def ready_made() -> set[str]:
    """The root fields that GraphiQL's ready-made operations call."""
    documents = [parse(path.read_text()) for path in (PROJECT / "server/graphiql/src/tabs").glob("*.graphql")]
    return {
        field.name.value
        for document in documents
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        for field in operation.selection_set.selections
        if isinstance(field, FieldNode)
    }


def implements(member: GraphQLObjectType, interface: str) -> bool:
    return interface in {one.name for one in member.interfaces}


@every_game
def test_players_see_how_it_stands(game: GameUnderTest) -> None:
    assert members("query", game.status).keys() == {f"{game.name}Status", "NoFeatureToday", "Problem"}
    status = members("query", game.status)[f"{game.name}Status"]
    assert {"config", "dailyLimit"} <= status.fields.keys()
    assert ROOTS[game.status].roles == PLAYERS


@every_game
def test_players_play_it_once_a_key_and_document(game: GameUnderTest) -> None:
    assert input_of(game.mutation).name == "PlayInput"  # with its idempotency key
    played = members("mutation", game.mutation)
    refusals = {"NoFeatureToday", "RevisionConflict", "DailyLimitReached", "Problem"}
    assert played.keys() == {game.played, *refusals}
    assert implements(played[game.played], "GamePlay")
    assert ROOTS[game.mutation].roles == PLAYERS
    assert game.mutation in PLAYING


def test_what_plays_is_a_game() -> None:
    """The games under test are the ones that the schema has."""
    interface: Any = core.type_map["GamePlay"]
    plays = {one.name for one in core.get_possible_types(interface)}
    assert plays == {game.played for game in every_game.args[1]}


@every_game
def test_operators_read_its_revisions(game: GameUnderTest) -> None:
    found = root_field("query", game.configs)
    connection = get_named_type(found.type)
    assert isinstance(connection, GraphQLObjectType)
    assert connection.name == f"{game.name}ConfigConnection"
    revision = get_named_type(connection.fields["nodes"].type)
    assert isinstance(revision, GraphQLObjectType)
    assert revision.name == f"{game.name}Config"
    assert implements(revision, "GameConfig")
    assert found.args.keys() == {"first", "after"}
    assert ROOTS[game.configs].roles == READERS


@every_game
def test_operators_publish_what_its_draft_is(game: GameUnderTest) -> None:
    answered = {f"Upsert{game.name}ConfigPayload", "ValidationFailed", "RevisionConflict", "WarningsUnacknowledged"}
    assert members("mutation", game.upsert).keys() == answered | {"Problem"}
    draft = {to_camel_case(name) for name in GAMES[game.feature].draft.__struct_fields__}
    window = {"effectiveFrom", "effectiveUntil", "emergencyReason"}
    assert input_of(game.upsert).fields.keys() == draft | window | {"expectedRevision", "mode", "acknowledge"}
    assert ROOTS[game.upsert].roles == OPERATORS


@every_game
def test_graphiql_has_it_ready_made(game: GameUnderTest) -> None:
    wanted = {game.status, game.mutation, game.configs, game.upsert}
    assert wanted - ready_made() == set()


@every_game
async def test_it_can_be_played_on_the_demo_data(world: World, game: GameUnderTest) -> None:
    await world.today(game.feature)
    async with world.parts.database.read() as connection:
        revision = await in_force_at(connection, GAMES[game.feature], world.clock())
    assert revision is not None
    assert (revision.revision, revision.is_valid, revision.is_sold_out) == (1, True, False)
    assert (await (await world.player()).play(game.mutation))["__typename"] == game.played


def columns(table: type[Base]) -> set[str]:
    return set(table.__table__.columns.keys())


@every_game
def test_its_rules_are_its_table(game: GameUnderTest) -> None:
    """A column that the rules do not know would never be read; a field without a column fails with every play."""
    descriptor = GAMES[game.feature]
    parts = descriptor.parts
    fields = set(descriptor.rules_type.__struct_fields__)
    assert fields - ({parts.field} if parts else set()) == columns(descriptor.config)
    if parts is not None:
        assert set(parts.rules.__struct_fields__) <= set(query_of(parts).selected_columns.keys())
        assert parts.log_column in columns(descriptor.log)


def test_games_share_nothing_that_tells_them_apart() -> None:
    for told in ("cause", "config", "log", "invalid", "drawn"):
        assert len({getattr(game, told) for game in GAMES.values()}) == len(GAMES), told


@every_game
def test_its_refusal_is_named_after_it(game: GameUnderTest) -> None:
    assert GAMES[game.feature].invalid.code is ErrorCode(f"INVALID_{game.feature}_CONFIG")
