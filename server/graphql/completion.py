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

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    default_field_resolver,
    default_type_resolver,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues
from graphql.language import FieldNode, OperationDefinitionNode
from graphql.pyutils import Path, gather_with_cancel, is_awaitable
from graphql.type import GraphQLResolveInfoHelpers
from strawberry import Schema
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.field import StrawberryField

from server.graphql.closures import (
    Anomaly,
    Complete,
    Resolve,
    Run,
    Waiting,
    abandon,
    arguments_of,
    leaf,
    many,
    refuse_unusual,
)

DEFINITION = "strawberry-definition"
"""Where Strawberry keeps its own definition in a graphql-core type's extensions."""


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
    track=abandon,
)


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
        resolve = field.resolve or default_field_resolver
        arguments, tell = arguments_of(field, details[0].node), self.info(parent, field, details, path)

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
        grouped, _, _ = collect_subfields(self.schema, self.fragments, self.conditions, self.operation, parent, details)
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
