"""Putting a fault into a process that has everything loaded: the functions around it get other code.

To import the project and its tests takes longer than most tests do. So it is done once, for all faults in lines that no
import runs.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType
from typing import TypeAlias

from tests.mutants.faults import Fault

Pair: TypeAlias = tuple[CodeType, CodeType]


def exchange(fault: Fault) -> bool:
    """Give the functions around a fault the code with it; says whether that could be done."""
    path = str(Path(fault.path).absolute())
    before, after = (
        compile(text, path, "exec", dont_inherit=True) for text in (Path(fault.path).read_text(), fault.text)
    )
    differing = list(_differing(before, after))
    others = {one: other for one, other in differing if one.co_flags & CO_OPTIMIZED}
    if any(not one.co_flags & CO_OPTIMIZED and not _is_same(one, other) for one, other in differing):
        return False  # a module's or class's body has been run already
    live = [one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__code__ in others]
    if not live or any(one.__code__.co_freevars != others[one.__code__].co_freevars for one in live):
        return False
    for one in live:
        one.__code__ = others[one.__code__]
    return True


def _differing(before: CodeType, after: CodeType) -> Iterator[Pair]:
    """The codes that differ themselves or in one that they hold."""
    ones, others = _held(before), _held(after)
    is_alike = [one.co_name for one in ones] == [other.co_name for other in others]
    held = zip(ones, others, strict=True) if is_alike else ()
    within = [pair for one, other in held for pair in _differing(one, other)]
    yield from within
    if within or not _is_same(before, after):
        yield before, after


def _held(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _is_same(one: CodeType, other: CodeType) -> bool:
    """Whether two codes do the same, but for those that they hold."""
    return _shape(one) == _shape(other)


def _shape(code: CodeType) -> tuple[object, ...]:
    values = [one.co_name if isinstance(one, CodeType) else (type(one), one) for one in code.co_consts]
    return code.co_code, values, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
