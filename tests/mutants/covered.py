"""Which tests run which lines, measured once, and the order in which they are tried on a fault there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import coverage

from tests.mutants.faults import MODULE, Place

TESTS = ("unit", "contract", "services", "http", "api", "server", "observing", "audits", "races")
"""Where tests are that run in one process; the quick ones first."""

WORK = Path(".artifacts/mutants")
COVERAGE = WORK / "coverage"
SECONDS = WORK / "seconds"

WHOLE = {
    "": ("tests/contract/test_bounds.py", "tests/contract/test_schema.py"),
    "models/": ("tests/contract/test_database.py", "tests/contract/test_constraints.py"),
    "schema/": ("tests/contract/test_roots.py",),
    "server/settings.py": ("tests/unit/test_settings.py",),
}
"""Tests of what modules come to, once they are imported, by what their paths begin with: no test runs a line there."""

BATCHES = (12, 48, 400)
"""How many tests a fault has passed when more are looked for: of the first ones every directory has its part."""

SLOW_SECONDS = 8.0
"""A test that takes so long is tried after all others."""

WHOLE_TESTS = 100
"""How many tests it has to pass at last in all of their cases, to have survived."""

Covering = Mapping[str, Mapping[int, frozenset[str]]]
"""The tests that run each line of each module."""

Lines = Mapping[str, frozenset[int]]
"""Lines of each module."""


def measure(only: str) -> None:
    """Run the tests whose directory or file fits, and note which lines each of them runs, and how long it takes.

    What was noted before of other tests stays, unless all are run.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    for noted in WORK.glob("[cs]*") if not only else ():
        noted.unlink()
    files = [path for name in TESTS for path in sorted(Path("tests", name).glob("test_*.py"))]
    chosen = [str(path) for path in files if re.search(only, str(path))]
    report = SECONDS.with_suffix(f".{len(list(WORK.glob('seconds.*')))}")
    kept = f"--cov --cov-context=test --cov-append --cov-report= --junitxml={report}"
    spread = "-p tests.mutants.few -n auto --maxprocesses 4 --dist loadfile"
    command = [sys.executable, "-m", "pytest", "-q", *kept.split(), *spread.split(), *chosen]
    subprocess.run(command, env=os.environ | {"COVERAGE_FILE": str(COVERAGE.absolute())}, check=False)


def covering() -> tuple[Covering, Lines]:
    """What `measure` noted of the tests that are still there, and the lines that are run outside of all tests."""
    data = coverage.CoverageData(str(COVERAGE))
    data.read()
    found: dict[str, dict[int, frozenset[str]]] = {}
    at_import: dict[str, frozenset[int]] = {}
    names = {context: context.rpartition("|")[0] for context in data.measured_contexts()}
    texts = {
        path: Path(path).read_text()
        for path in {name.partition("::")[0] for name in names.values()}
        if Path(path).is_file()
    }
    there = {
        context
        for context, name in names.items()
        if f"def {name.partition('::')[2].partition('[')[0]}(" in texts.get(name.partition("::")[0], "")
    }
    for name in data.measured_files():
        lines = data.contexts_by_lineno(name)
        path = str(Path(name).relative_to(Path.cwd()))
        found[path] = {line: frozenset(names[one] for one in tests if one in there) for line, tests in lines.items()}
        at_import[path] = frozenset(line for line, tests in lines.items() if "" in tests)
    return found, at_import


def seconds() -> Mapping[str, float]:
    """How long each test took."""
    took: dict[str, float] = {}
    for report in sorted(WORK.glob("seconds.*")):
        for case in ET.parse(report).iter("testcase"):
            path = case.attrib["classname"].replace(".", "/")
            took[f"{path}.py::{case.attrib['name']}"] = float(case.attrib["time"])
    return took


def covers(place: Place, text: str, covered: Covering) -> frozenset[str]:
    """The tests that run a place's lines; for what runs at the import, those that run where its name is used."""
    lines = covered.get(place.path, {})
    tests = frozenset[str]().union(*(lines.get(line, frozenset()) for line in place.lines))
    if tests or not (place.function == MODULE or place.function[0].isupper()):
        return tests
    return _imported(place, text, covered).union(*(those for of, those in WHOLE.items() if place.path.startswith(of)))


def _imported(place: Place, text: str, covered: Covering) -> frozenset[str]:
    lines, tests = covered.get(place.path, {}), frozenset[str]()
    names = re.findall(
        r"^[A-Z_][A-Z_0-9]*", "\n".join(text.splitlines()[line - 1] for line in place.lines), re.MULTILINE
    )
    if not names:
        return frozenset().union(*lines.values())
    used = re.compile(rf"\b({'|'.join(names)})\b")
    return tests.union(
        *(
            contexts
            for path, of_path in covered.items()
            for number, line in enumerate(Path(path).read_text().splitlines(), 1)
            if used.search(line)
            for contexts in [of_path.get(number, frozenset())]
        )
    ) or frozenset().union(*lines.values())


class Order:
    """The order in which tests are run: those that run the fewest lines in the least time, each directory's in turn."""

    def __init__(self, covered: Covering, took: Mapping[str, float]) -> None:
        self.size: Counter[str] = Counter()
        for lines in covered.values():
            for tests in lines.values():
                self.size.update(tests)
        self._took = took

    def __call__(self, tests: frozenset[str]) -> list[Sequence[str]]:
        """The tests, in batches, one after another."""
        by_directory: defaultdict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=lambda test: (self.size[test] * (0.1 + self._took.get(test, 1.0)), test)):
            by_directory[test.split("/")[1]].append(test)
        places = {test: place for those in by_directory.values() for place, test in enumerate(those)}
        turns = sorted(
            tests,
            key=lambda test: (
                self._took.get(test, 0.0) > SLOW_SECONDS,
                places[test],
                TESTS.index(test.split("/")[1]),
            ),
        )
        batches = [turns[begin:end] for begin, end in zip((0, *BATCHES), BATCHES, strict=False)]
        whole = list(dict.fromkeys(test.partition("[")[0] for test in turns if "[" in test))
        return [batch for batch in (*batches, whole[:WHOLE_TESTS]) if batch]
