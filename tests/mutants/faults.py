"""The small faults that are put into a module, one at a time: what a tired programmer gets wrong.

A fault is a change of the syntax tree: a comparison that includes its bound or not, a condition turned round, a number
off by one, a statement or a call that is missing, a clause of SQL that is gone. What nobody reads a result of is left
alone: documentation, annotations, log lines, and assertions, which state what only a bug can break.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

MODULE, NOWHERE = "<module>", range(0)

Change: TypeAlias = Callable[[Any], str]
"""Makes the fault in a node, and says what it is."""


@dataclass(frozen=True)
class Fault:
    """A fault: where it is, what it is, and the module's whole text with it."""

    path: str
    function: str
    what: str
    text: str

    @property
    def name(self) -> str:
        """What tells it from all others, also when lines have moved."""
        return f"{self.path} {self.function}: {self.what}"


@dataclass(frozen=True)
class Place:
    """Where a fault can be put: the number of the node, of the kind of fault and of the fault; and the lines."""

    path: str
    function: str
    lines: range
    node: int
    kind: int
    number: int


SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
}
CALLS = {"max": "min", "min": "max", "any": "all", "all": "any"}
CHAINED = {"order_by", "where", "limit", "desc", "with_for_update", "on_conflict_do_nothing", "strip", "lower"}
CLAUSES = (
    (r"\s+ORDER BY (?:[^()'\n]|\([^()]*\))+?(?=\s+LIMIT|\s+FOR |\)|\n|$)", ""),
    (r" DESC\b", ""),
    (r"\s+FOR (?:NO KEY )?UPDATE", ""),
    (r" SKIP LOCKED", ""),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r"\bAND\b", "OR"),
    (r" \+ 1\b", ""),
    (r" - ", " + "),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bmin\(", "max("),
    (r"\bLIMIT \S+", ""),
)


def _operators(node: ast.AST) -> Iterator[Change]:
    def comparison(one: Any) -> str:
        before, other = one.ops[0], SWAPPED[type(one.ops[0])]
        one.ops[0] = other()
        return f"{type(before).__name__} -> {other.__name__}"

    def operator(one: Any) -> str:
        before, other = one.op, SWAPPED[type(one.op)]
        one.op = other()
        return f"{type(before).__name__} -> {other.__name__}"

    if isinstance(node, ast.Compare):
        yield comparison
    elif isinstance(node, (ast.BoolOp, ast.BinOp, ast.AugAssign)) and type(node.op) in SWAPPED:
        yield operator


def _conditions(node: ast.AST) -> Iterator[Change]:
    def turned(one: Any) -> str:
        one.test = ast.UnaryOp(ast.Not(), one.test)
        return "condition turned round"

    def filtered(one: Any) -> str:
        one.ifs.pop()
        return "filter gone"

    if isinstance(node, (ast.If, ast.IfExp)):
        yield turned
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield filtered


def _values(node: ast.AST) -> Iterator[Change]:
    def constant(one: Any) -> str:
        before = one.value
        one.value = not before if isinstance(before, bool) else before + 1
        return f"{before} -> {one.value}"

    def result(one: Any) -> str:
        one.value = ast.Constant(None)
        return "returns None"

    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
        yield constant
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield result
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\b[A-Z]{4,} ", node.value):
        yield from (
            _clause(match.span(), other) for clause, other in CLAUSES for match in re.finditer(clause, node.value)
        )


def _clause(span: tuple[int, int], other: str) -> Change:
    def clause(one: Any) -> str:
        before = one.value[slice(*span)]
        one.value = one.value[: span[0]] + other + one.value[span[1] :]
        return f"SQL: {' '.join(before.split())!r} -> {other!r} at {span[0]}"

    return clause


def _calls(node: ast.AST) -> Iterator[Change]:
    def renamed(one: Any) -> str:
        before = one.func.id
        one.func.id = CALLS[before]
        return f"{before} -> {one.func.id}"

    def receiver(one: Any) -> str:
        # The node itself has to stay: an attribute of what the call was made on, taken as it is.
        name, one.args, one.keywords = one.func.attr, [one.func.value], []
        one.func = ast.Lambda(
            ast.arguments([], [ast.arg("same")], None, [], [], None, []), ast.Name("same", ast.Load())
        )
        return f".{name}() gone"

    def plain(one: Any) -> str:
        one.func = ast.Name("list", ast.Load())
        one.keywords = []
        return "not sorted"

    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield renamed
        elif isinstance(node.func, ast.Name) and node.func.id == "sorted":
            yield plain
        elif isinstance(node.func, ast.Attribute) and node.func.attr in CHAINED:
            yield receiver


def _statements(node: ast.AST) -> Iterator[Change]:
    """Statements that are left out, by their place in whatever body holds them."""
    for body in ("body", "orelse", "finalbody"):
        statements = getattr(node, body, None)
        for index, statement in enumerate(statements if isinstance(statements, list) else ()):
            if isinstance(statement, (ast.Expr, ast.AugAssign, ast.Raise, ast.Break, ast.Continue)) and not _is_words(
                statement
            ):
                yield _left_out(body, index)


def _left_out(body: str, index: int) -> Change:
    def left_out(one: Any) -> str:
        statements = getattr(one, body)
        what = " ".join(ast.unparse(statements[index]).split())
        statements[index] = ast.copy_location(ast.Pass(), statements[index])
        return f"left out: {what[:80]}"

    return left_out


def _is_words(statement: ast.stmt) -> bool:
    """Whether a statement is documentation or a log line."""
    if not isinstance(statement, ast.Expr):
        return False
    called = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    return isinstance(called, ast.Constant) or (isinstance(called, ast.Call) and "logger." in ast.unparse(called.func))


KINDS = (_operators, _conditions, _values, _calls, _statements)


def places_of(path: str, text: str) -> list[Place]:
    """All places of a module where there is a fault to be made."""
    return [
        Place(path, function, lines, number, kind, index)
        for number, (node, function, lines, _) in enumerate(_places(ast.parse(text), MODULE))
        for kind, changes in enumerate(KINDS)
        for index, _ in enumerate(changes(node))
    ]


def fault_at(place: Place, text: str) -> Fault:
    """Make the fault."""
    tree = ast.parse(text)
    node, _, _, around = next(one for number, one in enumerate(_places(tree, MODULE)) if number == place.node)
    change = next(change for index, change in enumerate(KINDS[place.kind](node)) if index == place.number)
    is_number = isinstance(node, ast.Constant) and not isinstance(node.value, str)
    before = " ".join(ast.unparse(around if is_number else node).split())[:90]
    what = change(node)
    told = what if what.startswith("left out") else f"{what} in {before}"
    return Fault(place.path, place.function, told, ast.unparse(ast.fix_missing_locations(tree)))


def _places(
    node: ast.AST, function: str, lines: range = NOWHERE, around: ast.AST | None = None
) -> Iterator[tuple[ast.AST, str, range, ast.AST]]:
    """The nodes that matter, each with the function that it is in, its statement's lines, and what is around it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        function = node.name if function == MODULE else f"{function}.{node.name}"
    if isinstance(node, ast.stmt):
        head = node.body[0].lineno if isinstance(getattr(node, "body", None), list) else None  # type: ignore[attr-defined]
        end = node.end_lineno or node.lineno
        lines = range(node.lineno, max(min(end + 1, head or end + 1), node.lineno + 1))
    yield node, function, lines, around or node
    for name, field in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "keywords", "type_params"} and _is_definition(node):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                yield from _places(child, function, lines, node)


def _is_definition(node: ast.AST) -> bool:
    """Whether a node's annotations, decorators and keywords (`frozen=True`) say how it is defined."""
    return not isinstance(node, (ast.Call, ast.Lambda))


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.stmt) and _is_words(node):
        return True
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return True
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: an assertion
        return True
    return isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom))
