"""Every number that the code has a name for is written down once more, in bounds.toml: one that moves is noticed.

What is promised, and what was measured, holds with these. Tests of a bound itself have numbers of their own.
"""

from __future__ import annotations

import ast
import datetime as dt
import tomllib
from collections.abc import Iterator
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.outside import PROJECT

PACKAGES = ("models", "services", "schema", "resolvers", "server")
BOUNDS = Path(__file__).with_name("bounds.toml")


@pytest.mark.usefixtures("hurried")
def test_every_number_is_the_one_that_is_written_down() -> None:
    assert found() == tomllib.loads(BOUNDS.read_text(encoding="utf-8"))


Numbers: TypeAlias = "float | list[Numbers]"


def found() -> dict[str, dict[str, Numbers]]:
    """The numbers of each module: its own, and those of its classes."""
    numbers: dict[str, dict[str, Numbers]] = {}
    for path in sorted(path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        names = list(named(ast.parse(path.read_text(encoding="utf-8"))))
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        of = {name: value for name in names if (value := value_of(module, name)) is not None}
        if of:
            numbers[module] = of
    return numbers


def named(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    """What a module, or a class in it, assigns."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not prefix:
            yield from named(node, f"{node.name}.")
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


def value_of(module: str, name: str) -> Numbers | None:
    """A number, seconds, or several of these; none where it is something else."""
    value: Any = import_module(module)
    for part in name.split("."):
        value = getattr(value, part, None)  # a field may have no default
    return numbers_of(value)


def numbers_of(value: Any) -> Numbers | None:
    """The same as TOML has it."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, tuple):
        several = [number for one in value if (number := numbers_of(one)) is not None]
        return several if several and len(several) == len(value) else None
    return float(value) if type(value) in {int, float, Fraction} and abs(value) < 2**53 else None
