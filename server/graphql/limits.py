"""The document guard: refuses a document for its sheer shape, in time linear in its length, before it is validated.

What is counted, per operation and with every fragment spread expanded:

- *depth*: the fields with a selection set that lie within one another. A leaf adds no level, and fragments add none, so
  `players { edges { node { plays { edges { node { reward { type } } } } } } }` has depth 7.
- *fields*, *aliases*, *directives*: each as often as it would be executed. The one `@include` and the one `@skip`
  that a selection may have count nothing: they take away, and there are no more of them than selections.
- *plays*: the root fields that play a game. One request plays once, so that a retry with the same key repeats one play.

`__schema` and `__type` have a budget of their own: the introspection query of graphql-core and GraphiQL is deeper and
wider than any operation, and its answer is bounded by the schema, not by data.

Each fragment is measured once and remembered; a short document whose fragments spread one another twice would take
exponential time otherwise. A cyclic spread counts as nothing: validation refuses it right afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
)

from services.request_errors import QueryTooComplex


@dataclass(frozen=True)
class GraphQLLimits:
    """How large a document may be, and its answer."""

    tokens: int = 500
    """Lexical tokens of the document; the parser stops there."""

    depth: int = 8
    fields: int = 200
    aliases: int = 15
    directives: int = 8

    introspection_depth: int = 16
    introspection_fields: int = 500

    plays: int = 1
    """Root fields of one mutation that may be among `playing_mutations`."""

    playing_mutations: frozenset[str] = frozenset()
    """The names of the mutations that play a game."""

    answer_fields: int = 10_000
    """Fields that the answer would have, as `AnswerSize` counts them: the dearest keep the only loop for 0.2 s."""

    validation_errors: int = 5
    """Faults that are reported of one document."""


class Size(NamedTuple):
    """What a selection set amounts to, everything that it spreads included."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    introspection_depth: int = 0
    introspection_fields: int = 0
    plays: int = 0

    def beside(self, other: Size) -> Size:
        """Measure two parts of one selection set together: what is counted adds up, what is nested does not."""
        return Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.introspection_depth, other.introspection_depth),
            self.introspection_fields + other.introspection_fields,
            self.plays + other.plays,
        )


NOTHING = Size()
CONDITIONS = frozenset({"include", "skip"})


def guard(document: DocumentNode, limits: GraphQLLimits) -> None:
    """Refuse a document with an operation beyond the limits. Raises: QueryTooComplex, naming the limit."""
    measure = _Measure(document, limits.playing_mutations)
    try:
        sizes = [measure.operation(node) for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    except RecursionError:
        sizes = [Size(depth=limits.depth + 1)]
    for size in sizes:
        _compare(size, limits)


def guard_answer(fields: float, limits: GraphQLLimits) -> None:
    """Refuse an answer of so many fields beyond the limit. Raises: QueryTooComplex."""
    if fields > limits.answer_fields:
        raise QueryTooComplex(f"The answer might have more than {limits.answer_fields} fields; ask for shorter pages.")


def _compare(size: Size, limits: GraphQLLimits) -> None:
    for name, actual, most in (
        ("levels of fields", size.depth, limits.depth),
        ("fields", size.fields, limits.fields),
        ("aliases", size.aliases, limits.aliases),
        ("directives", size.directives, limits.directives),
        ("levels of introspection fields", size.introspection_depth, limits.introspection_depth),
        ("introspection fields", size.introspection_fields, limits.introspection_fields),
        ("plays", size.plays, limits.plays),
    ):
        if actual > most:
            raise QueryTooComplex(f"The operation has more than {most} {name}.")


def _counted(directives: Collection[DirectiveNode]) -> int:
    """How many directives of a selection count: all but an `@include` and a `@skip` that it has once."""
    names = Counter(directive.name.value for directive in directives)
    return len(directives) - sum(names[name] == 1 for name in CONDITIONS)


class _Measure:
    """Measures selection sets, each fragment once."""

    def __init__(self, document: DocumentNode, playing: Collection[str]) -> None:
        self.playing = playing
        self.sizes: dict[str, Size] = {}
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def operation(self, node: OperationDefinitionNode) -> Size:
        size = self.selections(node.selection_set)
        plays = size.plays if node.operation is OperationType.MUTATION else 0
        return size._replace(directives=size.directives + len(node.directives or ()), plays=plays)

    def selections(self, node: SelectionSetNode | None) -> Size:
        size = NOTHING
        for selection in node.selections if node else ():
            size = size.beside(self.selection(selection))
        return size

    def selection(self, node: SelectionNode) -> Size:
        if isinstance(node, FieldNode):
            size = self.field(node)
        elif isinstance(node, FragmentSpreadNode):
            size = self.fragment(node.name.value)
        else:
            size = self.selections(getattr(node, "selection_set", None))
        return size._replace(directives=size.directives + _counted(node.directives or ()))

    def field(self, node: FieldNode) -> Size:
        name, inner = node.name.value, self.selections(node.selection_set)
        level = 1 if node.selection_set else 0
        alias = 1 if node.alias else 0
        if name in ("__schema", "__type"):
            return Size(
                aliases=inner.aliases + alias,
                directives=inner.directives,
                introspection_depth=inner.depth + level,
                introspection_fields=inner.fields + 1,
            )
        return inner._replace(
            depth=inner.depth + level,
            fields=inner.fields + 1,
            aliases=inner.aliases + alias,
            plays=1 if name in self.playing else 0,
        )

    def fragment(self, name: str) -> Size:
        known = self.sizes.get(name)
        if known is None:
            definition = self.fragments.get(name)
            self.sizes[name] = NOTHING  # met again below itself, it is a cycle
            known = self.sizes[name] = self.selections(definition.selection_set) if definition else NOTHING
        return known
