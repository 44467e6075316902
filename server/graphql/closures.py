"""The closures under every plan: leaves and lists of values, the arguments of fields, and the run they belong to.

A closure takes a value and the run, and answers what graphql-core would answer, or raises; see
`server/graphql/completion.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from inspect import iscoroutine
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLNonNull,
    GraphQLString,
    is_enum_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import FieldNode, VariableNode
from graphql.pyutils import Undefined, is_awaitable
from graphql.type import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT


class Anomaly(Exception):
    """Only graphql-core can complete it exactly."""


class Waiting(NamedTuple):
    """A field whose resolver is not done: where its completed value belongs."""

    awaitable: Awaitable[Any]
    target: dict[str, Any]
    key: str
    complete: Complete


class Run:
    """One execution of an operation: what its resolvers are told, and the fields that are still awaited."""

    __slots__ = ("context", "variables", "waiting")

    def __init__(self, context: Any, variables: VariableValues) -> None:
        self.context = context
        self.variables = variables
        self.waiting: list[Waiting] = []


Complete: TypeAlias = Callable[[Any, Run], Any]
Resolve: TypeAlias = Callable[[Any, Run], Any]


def abandon(awaitables: Iterable[Any]) -> None:
    """Close coroutines that nobody will await any more; futures belong to their loaders and stay untouched."""
    for awaitable in awaitables:
        if iscoroutine(awaitable):
            awaitable.close()


def many(item: Complete, *, nullable: bool) -> Complete:
    """Complete a list or a tuple; any other iterable may be readable only once and is left untouched."""

    def complete(value: Any, run: Run) -> Any:
        if type(value) is list or type(value) is tuple:
            return [item(each, run) for each in value]
        if value is None and nullable:
            return None
        raise Anomaly

    return complete


def refuse_unusual(value: Any) -> None:
    """Refuse what graphql-core treats in a way of its own: null, exceptions, awaitables. Raises: Anomaly."""
    if value is None or value is Undefined or isinstance(value, Exception) or is_awaitable(value):
        raise Anomaly


def leaf(type_: GraphQLLeafType, *, nullable: bool) -> Complete:
    """Complete a scalar or an enum: by a test of the Python type where that is enough, else as the type says."""
    serialize = type_.coerce_output_value
    enum_names: dict[Enum, str] = {}

    def by_type(value: Any, _run: Run) -> Any:
        if value is None and nullable:
            return None
        refuse_unusual(value)
        serialized = serialize(value)
        if serialized is None or serialized is Undefined:
            raise Anomaly
        return serialized

    def string(value: Any, run: Run) -> Any:
        return value if type(value) is str else by_type(value, run)

    def integer(value: Any, run: Run) -> Any:
        return value if type(value) is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT else by_type(value, run)

    def number(value: Any, run: Run) -> Any:
        return value if type(value) is float and isfinite(value) else by_type(value, run)

    def boolean(value: Any, run: Run) -> Any:
        return value if type(value) is bool else by_type(value, run)

    def enum(value: Any, run: Run) -> Any:
        if not isinstance(value, Enum):
            return by_type(value, run)
        name = enum_names.get(value)
        if name is None:
            name = enum_names[value] = by_type(value, run)
        return name

    quick: dict[GraphQLLeafType, Complete] = {
        GraphQLString: string,
        GraphQLID: string,
        GraphQLInt: integer,
        GraphQLFloat: number,
        GraphQLBoolean: boolean,
    }
    return quick.get(type_, enum if is_enum_type(type_) else by_type)


def arguments_of(field: GraphQLField, node: FieldNode) -> Callable[[Run], dict[str, Any]]:
    """Coerce the field's arguments: constants folded, plain variables looked up, the rest by graphql-core."""
    given = {argument.name.value: argument for argument in node.arguments or ()}
    variables = {
        name: argument.value.name.value for name, argument in given.items() if isinstance(argument.value, VariableNode)
    }
    if any(name not in variables and has_variables(argument.value) for name, argument in given.items()):
        return lambda run: get_argument_values(field, node, run.variables)

    constant_field = GraphQLField(field.type, {n: a for n, a in field.args.items() if n not in variables})
    constant_node = FieldNode(name=node.name, arguments=tuple(a for n, a in given.items() if n not in variables))
    constants = get_argument_values(constant_field, constant_node)
    lookups = [
        (field.args[name].out_name or name, variable, isinstance(field.args[name].type, GraphQLNonNull))
        for name, variable in variables.items()
    ]

    def look_up(run: Run) -> dict[str, Any]:
        coerced, arguments = run.variables.coerced, constants.copy()
        for out_name, variable, required in lookups:
            value = coerced.get(variable, Undefined)
            if value is Undefined or (value is None and required):
                return get_argument_values(field, node, run.variables)
            arguments[out_name] = value
        return arguments

    return look_up if lookups else lambda _run: constants


def has_variables(node: Any) -> bool:
    """Tell whether a variable is anywhere in this literal."""
    if isinstance(node, VariableNode):
        return True
    parts = getattr(node, "values", None) or [part.value for part in getattr(node, "fields", None) or ()]
    return any(has_variables(part) for part in parts)
