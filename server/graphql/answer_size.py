"""How large an answer a document asks for: a hundred rows of a hundred rows are soon written, and long in the making.

Every field counts 1, as often as it would be in the answer; one with the argument `first` counts `PAGE`, for a page
costs more than a value does, also when it is empty or refused. What lies below it counts `first` times, also what a
connection tells of itself: it stands for the rows, which are read even where none is told. What lies below a list with
the argument `ids` counts as often as there are ids, and below any other list `WHOLE_LIST` times. As with the other
limits, aliases, fragments, every member of a union, and what a directive might leave out all count.

Variables are known at the request alone, and a document is prepared once. So it is measured once, as a polynomial in
its variables: a sum of products of page lengths, each with the number of fields that are there so often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInt,
    GraphQLNamedType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

PAGE = 4

WHOLE_LIST = 5
"""How long a list is taken to be that comes whole: longer than balances, shorter than the levels of a season."""

CONNECTION = "Connection"
"""What the names of Relay's connections end in, and no others'."""


class Length(NamedTuple):
    """The length of a page, or of a list of ids, that a variable tells."""

    variable: str
    otherwise: int
    """The argument's default, for a variable without a value; null in its place is refused by the field itself."""

    is_list: bool

    def rows(self, variables: Mapping[str, Any]) -> float:
        """How many rows are asked for, at least 1; what is no number is not executed, and so is 1."""
        given = variables.get(self.variable)
        if given is None:
            return self.otherwise
        if self.is_list:
            return max(1, len(given)) if isinstance(given, list) else 1  # GraphQL takes one for a list of it
        return max(1, given) if isinstance(given, int | float) else 1  # and 100.0 for an Int


Terms = Counter[tuple[Length, ...]]
"""How many fields are there as often as the product of these lengths; with none of them: once."""


class AnswerSize:
    """How many fields the answer to one operation would have."""

    def __init__(self, terms: Terms, defaults: Mapping[str, Any]) -> None:
        """Take the sum, and the values of variables that are left out."""
        self.terms = tuple(terms.items())
        self.defaults = defaults
        self.least = terms.total()
        """The size when every variable asks for a single row."""
        self.varies = any(terms)

    def fields(self, variables: Mapping[str, Any]) -> float:
        """The size with these raw variables; they need not be valid, for what is not is never executed."""
        if not self.varies:
            return self.least
        values = {**self.defaults, **variables}
        return sum(count * prod(length.rows(values) for length in lengths) for lengths, count in self.terms)


def answer_sizes(schema: GraphQLSchema, document: DocumentNode) -> dict[str | None, AnswerSize]:
    """Measure the operations of a document that is valid and passed the guard, by their names."""
    measure = _Measure(schema, document)
    return {
        node.name.value if node.name else None: measure.operation(node)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }


class _Measure:
    """Measures selection sets, each fragment once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.known: dict[str, Terms] = {}
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def operation(self, node: OperationDefinitionNode) -> AnswerSize:
        defaults = {
            definition.variable.name.value: default
            for definition in node.variable_definitions or ()
            if (default := default_of(definition)) is not None
        }
        root = self.schema.get_root_type(node.operation)
        return AnswerSize(self.selections(node.selection_set, root), defaults)

    def selections(self, node: SelectionSetNode | None, parent: Any) -> Terms:
        terms = Terms()
        for selection in node.selections if node else ():
            terms.update(self.selection(selection, parent))
        return terms

    def selection(self, node: SelectionNode, parent: Any) -> Terms:
        if isinstance(node, FieldNode):
            return self.field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            return self.fragment(node.name.value)
        condition = getattr(node, "type_condition", None)
        inner = self.schema.get_type(condition.name.value) if condition else parent
        return self.selections(getattr(node, "selection_set", None), inner)

    def fragment(self, name: str) -> Terms:
        known = self.known.get(name)
        if known is None:
            node = self.fragments[name]
            parent = self.schema.get_type(node.type_condition.name.value)
            known = self.known[name] = self.selections(node.selection_set, parent)
        return known

    def field(self, node: FieldNode, parent: Any) -> Terms:
        name, terms = node.name.value, Terms({(): 1})
        field = self.schema.get_field(parent, name)
        if field is None or name in ("__schema", "__type"):  # introspection has limits of its own
            return terms
        inner = self.selections(node.selection_set, get_named_type(field.type))
        if "first" in field.args:
            terms[()] = PAGE
            times, lengths = rows_of(field, node, "first")
        elif "ids" in field.args:
            times, lengths = rows_of(field, node, "ids")
        else:
            times, lengths = WHOLE_LIST if is_whole_list(field, parent) else 1, ()
        terms.update({lengths + below: times * count for below, count in inner.items()})
        return terms


def rows_of(field: GraphQLField, node: FieldNode, name: str) -> tuple[int, tuple[Length, ...]]:
    """How many rows a field's argument asks for: a number, or 1 and what a variable will tell."""
    taken = field.args[name]
    is_list = is_list_type(get_nullable_type(taken.type))
    otherwise = taken.default_value if isinstance(taken.default_value, int) else 1
    given = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
    if isinstance(given, VariableNode):
        return 1, (Length(given.name.value, otherwise, is_list),)
    if isinstance(given, ListValueNode):
        return max(1, len(given.values)), ()
    return max(1, int(given.value)) if isinstance(given, IntValueNode) and not is_list else otherwise, ()


def default_of(definition: VariableDefinitionNode) -> int | list[Any] | None:
    """The default of a variable that may tell a length: of an Int, or a list as long as it; none of any other."""
    default, type_ = definition.default_value, definition.type
    if isinstance(default, ListValueNode):
        return list(default.values)
    named = type_.type if isinstance(type_, NonNullTypeNode) else type_
    # An id may be written as a number, too, of more digits than Python reads.
    is_int = isinstance(named, NamedTypeNode) and named.name.value == GraphQLInt.name
    return int(default.value) if isinstance(default, IntValueNode) and is_int else None


def is_whole_list(field: GraphQLField, parent: GraphQLNamedType) -> bool:
    """Tell whether a field without `first` is a list that comes whole."""
    return is_list_type(get_nullable_type(field.type)) and not parent.name.endswith(CONNECTION)
