"""From a document's text to an operation that can be executed: parsed, guarded, validated, compiled, and remembered.

A public client sends the same few documents over and over, and preparing one costs more than executing it many times.
So what passed is kept, keyed by the text, in a bounded cache that drops what was used longest ago. What did not pass is
not kept, so rubbish pushes nothing out. Valid documents do: whoever sends very many makes others pay for preparing
theirs again. That is milliseconds each (`benchmarks/guard.py`), charged to whoever sends them (`Rates.meter`);
trusted documents put an end to it, for nobody can add to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    TokenKind,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.validation import recommended_rules
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from server.graphql.answer_size import answer_sizes
from server.graphql.executor import CompiledOperation
from server.graphql.limits import GraphQLLimits, guard, guard_answer
from server.wire import CONTROL_CHARACTERS
from services.recent import RecentlyUsed
from services.request_errors import BadRequest, QueryTooComplex

RULES = (*specified_rules, *recommended_rules, MaybeNullValidationRule, OneOfInputValidationRule)


class InvalidDocument(Exception):
    """graphql-core found faults in the syntax or the validity of a document."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        """Carry every fault, in the order of the document."""
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


class Document:
    """A valid document and its operations."""

    def __init__(self, schema: Schema, node: DocumentNode, *, limits: GraphQLLimits, hide_suggestions: bool) -> None:
        """Take a document that passed the guard and validation.

        Raises: QueryTooComplex, when an answer would be too large whatever the variables.
        """
        self.limits = limits
        self.sizes = answer_sizes(schema._schema, node)
        for size in self.sizes.values():
            guard_answer(size.least, limits)
        self.introspects = introspects(node)
        self.operations = {
            definition.name.value if definition.name else None: CompiledOperation(
                schema, node, definition, hide_suggestions=hide_suggestions
            )
            for definition in node.definitions
            if isinstance(definition, OperationDefinitionNode)
        }

    def operation(self, name: str | None, variables: Mapping[str, Any]) -> CompiledOperation:
        """Choose the operation to execute with these raw variables.

        Raises: BadRequest, when the name fits none, or more than one; QueryTooComplex, when its answer would be too
        large.
        """
        if name is None:
            if len(self.operations) != 1:
                raise BadRequest("Must provide operation name if query contains multiple operations.")
            (name,) = self.operations
        elif name not in self.operations:
            raise BadRequest(f"Unknown operation named '{name}'.")
        guard_answer(self.sizes[name].fields(variables), self.limits)
        return self.operations[name]


class Documents:
    """The documents of one schema, prepared once each."""

    def __init__(self, schema: Schema, *, limits: GraphQLLimits, hide_suggestions: bool, cache_size: int) -> None:
        """Prepare documents for `schema` within `limits`."""
        self.schema = schema
        self.limits = limits
        self.hide_suggestions = hide_suggestions
        self.prepared: RecentlyUsed[str, Document] = RecentlyUsed(cache_size)

    def known(self, text: str) -> Document | None:
        """The document of this text, if it is prepared."""
        return self.prepared.get(text)

    def prepare(self, text: str) -> Document:
        """Find or make the document of this text.

        Raises: QueryTooComplex, BadRequest (control characters in a string), InvalidDocument.
        """
        document = self.prepared.get(text)
        if document is None:
            node = self._parse(text)
            guard(node, self.limits)
            self._validate(node)
            document = Document(self.schema, node, limits=self.limits, hide_suggestions=self.hide_suggestions)
            self.prepared.put(text, document)
        return document

    def _parse(self, text: str) -> DocumentNode:
        try:
            node = parse(text, max_tokens=self.limits.tokens)
        except GraphQLSyntaxError as error:
            if error.description.startswith("Document contains more than"):
                raise QueryTooComplex(f"The document has more than {self.limits.tokens} tokens.") from None
            raise InvalidDocument([error]) from None
        refuse_control_characters(node)
        return node

    def _validate(self, node: DocumentNode) -> None:
        most = self.limits.validation_errors
        errors = validate(self.schema._schema, node, RULES, max_errors=most, hide_suggestions=self.hide_suggestions)
        if errors:
            raise InvalidDocument(errors[:most])


def refuse_control_characters(node: DocumentNode) -> None:
    """Refuse a string literal that hides a control character behind an escape. Raises: BadRequest."""
    token = node.loc.start_token if node.loc else None
    while token is not None:
        if token.kind in (TokenKind.STRING, TokenKind.BLOCK_STRING) and CONTROL_CHARACTERS.search(token.value or ""):
            raise BadRequest("Strings must not contain control characters.")
        token = token.next


def introspects(node: DocumentNode) -> bool:
    """Tell whether the document asks for `__schema` or `__type` anywhere."""
    found = False

    class Introspection(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            nonlocal found
            found = found or node.name.value in ("__schema", "__type")

    visit(node, Introspection())
    return found
