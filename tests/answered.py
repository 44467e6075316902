"""Which errors clients were answered in this run: the catalogue and the table of root fields are held against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from graphql import ExecutionResult, FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionNode

from resolvers.schema import schema
from schema.roots import ROOTS, codes
from server.graphql.executor import CompiledOperation
from server.http import requests
from services.error_codes import ErrorCode

CODES: set[str] = set()
"""Every code of the catalogue in an answer."""

PAIRS: set[tuple[str, str]] = set()
"""Every code in what a root field answered, with the field's name."""

TABLE = {(name, str(code)) for name, root in ROOTS.items() for code in codes(root.refusals + root.tells)}


def noted() -> tuple[list[str], list[tuple[str, str]]]:
    """What was noted here, for the process that gathers the run's."""
    return sorted(CODES), sorted(PAIRS)


def take(noted: tuple[list[str], list[tuple[str, str]]] | tuple[()]) -> None:
    """Add what another process noted; nothing where it did not come to its end."""
    if noted:
        CODES.update(noted[0])
        PAIRS.update(noted[1])


def faults(*, whole: bool) -> Iterator[str]:
    """Where the table and the answers differ; what was never answered counts in a whole run alone."""
    for name, code in sorted(PAIRS - TABLE):
        yield f"{name} answered {code}, which its row in schema/roots.py lacks."
    if whole:
        for code in sorted(set(ErrorCode) - CODES):
            yield f"No test was answered with {code}."
        for name, code in sorted(TABLE - PAIRS):
            yield f"{name} never answered {code}, which is in its row in schema/roots.py."


@contextmanager
def noting() -> Iterator[None]:
    """Note the errors in every answer."""
    respond, execute, execute_event = requests.respond, CompiledOperation.execute, CompiledOperation.execute_event

    async def respond_and_note(send: Any, body: bytes, **options: Any) -> None:
        CODES.update(re.findall(r'"code":"([A-Z_]+)"', body.decode()))
        await respond(send, body, **options)

    async def execute_and_note(operation: CompiledOperation, *arguments: Any) -> ExecutionResult:
        return note(operation, await execute(operation, *arguments))

    async def event_and_note(operation: CompiledOperation, *arguments: Any) -> ExecutionResult:
        return note(operation, await execute_event(operation, *arguments))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.http.endpoint.respond", respond_and_note)
        patch.setattr(CompiledOperation, "execute", execute_and_note)
        patch.setattr(CompiledOperation, "execute_event", event_and_note)
        yield


def note(operation: CompiledOperation, result: ExecutionResult) -> ExecutionResult:
    """Note the codes that the root fields of haru's own schema answered."""
    if operation.schema is schema and result.data:
        for key, name in root_fields(operation, operation.operation.selection_set.selections):
            answer = result.data.get(key)
            for part in answer if isinstance(answer, list) else [answer]:
                if isinstance(part, dict) and part.get("code") in set(ErrorCode):
                    PAIRS.add((name, part["code"]))
    return result


def root_fields(operation: CompiledOperation, selections: Iterable[SelectionNode]) -> Iterator[tuple[str, str]]:
    """The response key and the name of every root field that is asked for."""
    for selection in selections:
        match selection:
            case FieldNode():
                yield (selection.alias or selection.name).value, selection.name.value
            case InlineFragmentNode():
                yield from root_fields(operation, selection.selection_set.selections)
            case FragmentSpreadNode():
                fragment = operation.fragments[selection.name.value].definition
                yield from root_fields(operation, fragment.selection_set.selections)
