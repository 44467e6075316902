"""Running tests with a fault: a fork of a process in which all is loaded but the project itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from tests.mutants.faults import Fault

LOADED = (
    "alembic.command",
    "asyncpg",
    "graphql",
    "jwt",
    "orjson",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "starlette.applications",
    "strawberry",
    "uvicorn",
)
"""What takes long to import, and is the same with every fault."""

for name in LOADED:
    import_module(name)


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


def run_tests(fault: Fault, tests: Sequence[Sequence[str]], url: str, log: Path) -> None:
    """Become the process that runs these tests with this fault, batch by batch, until one fails. Never returns.

    Its exit code is pytest's.
    """
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 70
    try:
        if not fault.path.startswith(MIGRATED):
            os.environ["HARU_TEST_TEMPLATE"] = url.partition("?")[0].rpartition("/")[2]
        sys.meta_path.insert(0, Finder(fault))
        import pytest

        quietly = ["-x", "-q", "--tb=no", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        quietly += [word for name in WITHOUT for word in ("-p", f"no:{name}")]
        for batch in tests:
            # A case whose name the fault has changed is not found: then all cases of its test are run.
            for some in (batch, list(dict.fromkeys(test.partition("[")[0] for test in batch))):
                os.environ |= {"DATABASE_URL": url.replace("//owner@", "//app@"), "HARU_OWNER_URL": url}
                code = int(pytest.main([*quietly, *some]))
                if code != pytest.ExitCode.USAGE_ERROR:
                    break
            if code:
                break
    finally:
        sys.stdout.flush()
        os._exit(code)
