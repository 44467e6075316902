"""Compiles output types into closures that complete resolved values straight into dicts.

A closure takes a value and the run it belongs to, and answers what graphql-core would answer, or raises. It never
answers an error of its own: whatever is unusual (a null for a non-null, a value that does not serialize, an iterator, a
type that cannot be told) raises, and the caller completes the same resolved values again with graphql-core, whose
errors, paths and null propagation are the specification's. So a closure may only be *exact or loud*.

Decided once per operation: which fields are selected for which type (graphql-core's own `collect_subfields`), how each
is read, and the static half of what a resolver is told. Learnt once per Python class: which object type its instances
are, where the class alone decides that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from inspect import iscoroutine
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    GraphQLAbstractType,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    default_type_resolver,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import FieldNode, OperationDefinitionNode, VariableNode
from graphql.pyutils import Path, Undefined, gather_with_cancel, is_awaitable
from graphql.type import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT, GraphQLResolveInfoHelpers
from strawberry import Schema
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.field import StrawberryField

DEFINITION = "strawberry-definition"
"""Where Strawberry keeps its own definition in a graphql-core type's extensions."""


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


class ResolveInfo(NamedTuple):
    """What a resolver is told: the fields of Strawberry's own info, in its order."""

    field_name: str
    field_nodes: list[FieldNode]
    return_type: GraphQLOutputType
    parent_type: GraphQLObjectType
    path: Path
    schema: GraphQLSchema
    fragments: dict[str, Any]
    root_value: Any
    operation: OperationDefinitionNode
    variable_values: dict[str, Any]
    context: Any
    is_awaitable: Callable[[Any], bool]
    abort_signal: Any
    async_helpers: GraphQLResolveInfoHelpers
    operation_extensions: dict[str, Any] | None


HELPERS = GraphQLResolveInfoHelpers(
    gather=lambda values: gather_with_cancel(*values),
    track=lambda values: abandon(value for value in values if is_awaitable(value)),
)


def abandon(awaitables: Any) -> None:
    """Close coroutines that nobody will await any more; futures belong to their loaders and stay untouched."""
    for awaitable in awaitables:
        if iscoroutine(awaitable):
            awaitable.close()


class Completion:
    """The closures of one operation, for one set of values of its @skip and @include variables."""

    def __init__(
        self,
        schema: Schema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        conditions: VariableValues,
    ) -> None:
        """Compile for `operation`, whose @skip and @include read `conditions`; other variables are not looked at."""
        self.schema: GraphQLSchema = schema._schema
        self.read: Callable[[Any, str], Any] = schema.config.default_resolver
        self.operation = operation
        self.fragments = fragments
        self.fragment_nodes = {name: details.definition for name, details in fragments.items()}
        self.conditions = conditions

    # Fields

    def resolver(
        self, parent: GraphQLObjectType, field: GraphQLField, details: FieldDetailsList, path: Path
    ) -> Resolve:
        """Call the schema's own resolver: Strawberry's wrapper, with permissions and exception handlers in it.

        `path` names the response keys down to the field; what is below a list carries no index.
        """
        resolve, arguments = field.resolve, arguments_of(field, details[0].node)
        tell = self.info(parent, field, details, path)
        if resolve is None:
            raise Anomaly

        def call(source: Any, run: Run) -> Any:
            return resolve(source, tell(run), **arguments(run))

        return call

    def info(
        self, parent: GraphQLObjectType, field: GraphQLField, details: FieldDetailsList, path: Path
    ) -> Callable[[Run], Any]:
        """Tell the field's resolver what it may ask; only the variables and the context change between runs."""
        nodes = [detail.node for detail in details]
        head = (nodes[0].name.value, nodes, field.type, parent, path, self.schema, self.fragment_nodes, None)
        operation = self.operation

        def tell(run: Run) -> ResolveInfo:
            return ResolveInfo(*head, operation, run.variables.coerced, run.context, is_awaitable, None, HELPERS, None)

        return tell

    def selection(self, parent: GraphQLObjectType, details: FieldDetailsList, path: Path) -> Complete:
        """Complete an object of exactly the type `parent` with the fields that `details` select on it."""
        grouped, deferred, _ = collect_subfields(
            self.schema, self.fragments, self.conditions, self.operation, parent, details
        )
        if deferred:
            raise Anomaly
        template: dict[str, Any] = {}
        attributes: list[tuple[str, str, Complete]] = []
        resolved: list[tuple[str, Resolve, Complete]] = []
        for key, group in grouped.items():
            name = group[0].node.name.value
            template[key] = parent.name if name == "__typename" else None
            if name == "__typename":
                continue
            field = self.schema.get_field(parent, name)
            if field is None:
                raise Anomaly
            below = Path(path, key, parent.name)
            complete = self.value(field.type, parent, field, group, below)
            attribute = attribute_of(field)
            if attribute is None:
                resolved.append((key, self.resolver(parent, field, group, below), complete))
            else:
                attributes.append((key, attribute, complete))
        return self._with_resolvers(template, attributes, resolved) if resolved else self._plain(template, attributes)

    def _plain(self, template: dict[str, Any], attributes: Sequence[tuple[str, str, Complete]]) -> Complete:
        read = self.read

        def fields(source: Any, run: Run) -> dict[str, Any]:
            # The template holds every key in the order of the document, and the constant __typename.
            target = template.copy()
            for key, attribute, complete in attributes:
                target[key] = complete(read(source, attribute), run)
            return target

        return fields

    def _with_resolvers(
        self,
        template: dict[str, Any],
        attributes: Sequence[tuple[str, str, Complete]],
        resolved: Sequence[tuple[str, Resolve, Complete]],
    ) -> Complete:
        plain = self._plain(template, attributes)

        def fields(source: Any, run: Run) -> dict[str, Any]:
            target: dict[str, Any] = plain(source, run)
            for key, resolve, complete in resolved:
                result = resolve(source, run)
                if is_awaitable(result):
                    run.waiting.append(Waiting(result, target, key, complete))
                else:
                    target[key] = complete(result, run)
            return target

        return fields

    # Values

    def value(
        self,
        type_: GraphQLOutputType,
        parent: GraphQLObjectType,
        field: GraphQLField,
        details: FieldDetailsList,
        path: Path,
        *,
        nullable: bool = True,
    ) -> Complete:
        """Complete a value of `type_`, found in `field` of `parent`."""
        if isinstance(type_, GraphQLNonNull):
            return self.value(type_.of_type, parent, field, details, path, nullable=False)
        if is_list_type(type_):
            return many(self.value(type_.of_type, parent, field, details, path), nullable=nullable)
        if is_leaf_type(type_):
            return leaf(type_, nullable=nullable)
        if is_abstract_type(type_) or is_object_type(type_):
            return self._one(type_, self.info(parent, field, details, path), details, path, nullable=nullable)
        raise Anomaly

    def _one(
        self,
        type_: GraphQLAbstractType | GraphQLObjectType,
        tell: Callable[[Run], Any],
        details: FieldDetailsList,
        path: Path,
        *,
        nullable: bool,
    ) -> Complete:
        by_class: dict[type, Complete] = {}
        by_type: dict[str, Complete] = {}
        # strawberry.cast marks single objects, and only these types look at the mark.
        castable = not isinstance(type_, GraphQLObjectType) or type_.is_type_of is not None

        def one(value: Any, run: Run) -> Any:
            fields = by_class.get(type(value))
            if fields is not None and not (castable and hasattr(value, TYPE_CAST_ATTRIBUTE)):
                return fields(value, run)
            if value is None and nullable:
                return None
            return unknown(value, run)

        def unknown(value: Any, run: Run) -> Any:
            refuse_unusual(value)
            runtime = self._runtime_type(type_, value, tell(run))
            fields = by_type.get(runtime.name)
            if fields is None:
                fields = by_type[runtime.name] = self.selection(runtime, details, path)
            if class_decides(type_, runtime, value):
                by_class[type(value)] = fields
            return fields(value, run)

        return one

    def _runtime_type(self, type_: GraphQLAbstractType | GraphQLObjectType, value: Any, info: Any) -> GraphQLObjectType:
        """Ask the schema which object type `value` is of. Raises: where it does not say so plainly."""
        runtime: Any = type_
        if is_abstract_type(type_):
            name = (type_.resolve_type or default_type_resolver)(value, info, type_)
            if not isinstance(name, str):
                abandon([name])
                raise Anomaly
            runtime = self.schema.get_type(name)
            if not is_object_type(runtime) or not self.schema.is_sub_type(type_, runtime):
                raise Anomaly
        if runtime.is_type_of is not None:
            belongs = runtime.is_type_of(value, info)
            if belongs is not True:
                abandon([belongs])
                raise Anomaly
        return runtime  # type: ignore[no-any-return]


def class_decides(type_: GraphQLAbstractType | GraphQLObjectType, runtime: GraphQLObjectType, value: Any) -> bool:
    """Tell whether every instance of the value's class, short of a `strawberry.cast`, is of the type `runtime` too."""
    definition = runtime.extensions.get(DEFINITION)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of is not None:
        return False
    if is_object_type(type_):
        # With no predicate anything goes; with Strawberry's own only the cast and the class count, unless generic.
        return type_.is_type_of is None or definition.concrete_of is None
    # Only an instance of the runtime type's own class, for its plain definition has no type variables to look at.
    if definition.is_graphql_generic or getattr(type(value), "__strawberry_definition__", None) is not definition:
        return False
    abstract = type_.extensions.get(DEFINITION)
    if isinstance(abstract, StrawberryObjectDefinition):  # an interface
        return abstract.resolve_type is None and isinstance(value, abstract.origin)
    return abstract is not None


def attribute_of(field: GraphQLField) -> str | None:
    """Find the attribute that the field merely reads; None where a resolver of its own has to be called."""
    definition = field.extensions.get(DEFINITION)
    if (
        isinstance(definition, StrawberryField)
        and definition.is_basic_field
        and type(definition).get_result is StrawberryField.get_result
    ):
        return definition.python_name
    return None


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
        return value if value is True or value is False else by_type(value, run)

    def enum(value: Any, run: Run) -> Any:
        if not isinstance(value, Enum):
            return by_type(value, run)
        name = enum_names.get(value)
        if name is None:
            name = enum_names[value] = by_type(value, run)
        return name

    if type_ is GraphQLString or type_ is GraphQLID:
        return string
    if type_ is GraphQLInt:
        return integer
    if type_ is GraphQLFloat:
        return number
    if type_ is GraphQLBoolean:
        return boolean
    return enum if is_enum_type(type_) else by_type
