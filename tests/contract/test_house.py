"""What a reader may count on, wherever they open the code: it fits into the head."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from server.settings import PROJECT

FOLDERS = ("server", "resolvers", "schema", "services", "models", "alembic", "tests", "benchmarks", "examples")
NOT_WRITTEN_HERE = {"node_modules", ".venv"}
MIGRATIONS = PROJECT / "alembic" / "versions"
"""Left out: a migration is one list of statements, read from top to bottom, and as long as the tables are many."""
MODULES = sorted(
    path
    for folder in FOLDERS
    for path in (PROJECT / folder).rglob("*.py")
    if NOT_WRITTEN_HERE.isdisjoint(path.relative_to(PROJECT).parts) and MIGRATIONS not in path.parents
)
MODULE_LINES = 400
FUNCTION_LINES = 60


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every function with its length in lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def type_variables(tree: ast.Module) -> Iterator[str]:
    """The name of every type variable, without the mark of its variance."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "TypeVar":
            yield ast.unparse(node.args[0]).strip("'").removesuffix("_co")


def test_every_module_and_function_is_read_at_one_sitting() -> None:
    long: list[tuple[str, int]] = []
    for module in MODULES:
        name, text = str(module.relative_to(PROJECT)), module.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > MODULE_LINES:
            long.append((name, lines))
        sizes = [(f"{name}: {function}", lines) for function, lines in functions(ast.parse(text))]
        long += [(function, lines) for function, lines in sizes if lines > FUNCTION_LINES]
    assert len(MODULES) > 200
    assert long == []


def test_type_variables_end_in_t() -> None:
    named = {name for module in MODULES for name in type_variables(ast.parse(module.read_text(encoding="utf-8")))}
    assert {name for name in named if not name.endswith("T")} == set()
    assert "NodeT" in named
