"""Running tests with a fault, in a fork of a process that has loaded all, or in a process of its own."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from io import StringIO
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn

import pytest

from tests.mutants.covered import TESTS
from tests.mutants.exchanged import exchange
from tests.mutants.faults import Fault


class Loader(SourceFileLoader):
    """Loads a module with a fault in it."""

    def __init__(self, fullname: str, fault: Fault) -> None:
        super().__init__(fullname, fault.path)
        self.fault = fault

    def get_code(self, fullname: str) -> CodeType:
        """The faulty text, compiled."""
        return compile(self.fault.text, self.fault.path, "exec", dont_inherit=True)


class Finder(MetaPathFinder):
    """Finds the module with the fault before anybody finds the one without."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.module = fault.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's specification, if it is the one."""
        if fullname != self.module:
            return None
        return spec_from_file_location(fullname, Path(self.fault.path).absolute(), loader=Loader(fullname, self.fault))


WITHOUT = ("cacheprovider", "xdist", "pytest_cov")
"""Plugins that no fault needs."""

MIGRATED = ("models/", "server/migrations/")
"""What the migration is made of: with a fault there, tables are made anew; else they are copied."""


QUIETLY = ["-x", "-q", "--tb=no", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
QUIETLY += [word for name in WITHOUT for word in ("-p", f"no:{name}")]


def load() -> None:
    """Import the project and its tests, as they are; those that run at the import are done with."""
    with redirect_stdout(StringIO()):
        code = pytest.main([*QUIETLY, "--collect-only", *(f"tests/{name}" for name in TESTS)])
    assert code == pytest.ExitCode.OK


def run_tests(fault: Fault, tests: Sequence[Sequence[str]], url: str, log: Path, *, loaded: bool) -> NoReturn:
    """Become the process that runs these tests with this fault, batch by batch, until one fails.

    A fault in what is run at the import, or in what `exchange` cannot reach, has a process that imports all anew.
    Its exit code is pytest's.
    """
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 70
    try:
        if not (loaded and exchange(fault)):
            file = log.with_suffix(".fault")
            file.write_bytes(pickle.dumps((fault, tests, url)))
            os.execv(sys.executable, [sys.executable, "-m", __name__, str(file)])
        code = _run(fault, tests, url)
    finally:
        sys.stdout.flush()
        os._exit(code)


def _run(fault: Fault, tests: Sequence[Sequence[str]], url: str) -> int:
    code = 0
    if not fault.path.startswith(MIGRATED):
        os.environ["HARU_TEST_TEMPLATE"] = url.partition("?")[0].rpartition("/")[2]
    for batch in tests:
        # A case whose name the fault has changed is not found: then all cases of its test are run.
        for some in (batch, list(dict.fromkeys(test.partition("[")[0] for test in batch))):
            os.environ |= {"DATABASE_URL": url.replace("//owner@", "//app@"), "HARU_OWNER_URL": url}
            code = int(pytest.main([*QUIETLY, *some]))
            if code != pytest.ExitCode.USAGE_ERROR:
                break
        if code:
            break
    return code


if __name__ == "__main__":
    described = pickle.loads(Path(sys.argv[1]).read_bytes())
    sys.meta_path.insert(0, Finder(described[0]))
    sys.exit(_run(*described))
