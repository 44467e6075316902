"""The database that tests run on: their own, made by the real migrations beside the one that DATABASE_URL names."""

from __future__ import annotations

import asyncio
import os
import pkgutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import asyncpg
import hypothesis
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

import services
from server.cli.main import main
from services import paging
from services.database import connect_arguments
from tests import answered
from tests.ledgers import assert_ledger_holds
from tests.postgres import temporary_postgres
from tests.roles import EMPTY, furnish, roles_of
from tests.world import World, running

# How long a machine takes for an example is no fault. CI repeats itself; a developer's run explores further.
PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("default", **PATIENT)
hypothesis.settings.register_profile("ci", derandomize=True, **PATIENT)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


async def run_sql(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    connection = await asyncpg.connect(**connect_arguments(url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def drop_database(url: str, name: str) -> None:
    """Drop a database, whoever is connected. Only a superuser may send autovacuum away: it is waited for."""
    for _ in range(100):
        with suppress(asyncpg.InsufficientPrivilegeError):
            await run_sql(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            return
        await asyncio.sleep(0.3)
    raise TimeoutError(f"{name} could not be dropped")


@pytest.fixture(scope="session", autouse=True)
def answers() -> Iterator[None]:
    """Note the errors in every answer."""
    with answered.noting():
        yield


GIVEN_UP_IN_SECONDS = (
    "server.postgres.suitability.PATIENCE_SECONDS",
    "services.connector.CONNECT_TIMEOUT_SECONDS",
    "services.feature_views.VIEW_SECONDS",
    "services.health.PATIENCE_SECONDS",
    "services.seeds.PATIENCE_SECONDS",
    "services.standing.PATIENCE_SECONDS",
)


def have_patience(patch: pytest.MonkeyPatch) -> None:
    """Let take as long as it does on a busy machine what is given up within seconds."""
    for name in GIVEN_UP_IN_SECONDS:
        patch.setattr(name, 60.0)


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[pytest.MonkeyPatch]:
    """Have patience throughout; tests of what is given up say when."""
    with pytest.MonkeyPatch.context() as patch:
        have_patience(patch)
        yield patch


@pytest.fixture
def hurried(unhurried: pytest.MonkeyPatch) -> Iterator[None]:
    """What is given up within seconds is, as it is served."""
    unhurried.undo()
    yield
    have_patience(unhurried)


@pytest.fixture(scope="session", autouse=True)
def frugal() -> Iterator[None]:
    """A page is made of its own rows and of one more, that tells whether there is a next: no query reads others."""

    def page_of(rows: Sequence[Any], first: int, *, has_previous: bool) -> paging.Page[Any]:
        assert len(rows) <= first + 1, f"{len(rows)} rows were read for a page of {first}"
        return made(rows, first, has_previous=has_previous)

    made = paging.page_of
    with pytest.MonkeyPatch.context() as patch:
        for found in pkgutil.iter_modules(services.__path__, "services."):
            if vars(module := import_module(found.name)).get("page_of") is made:
                patch.setattr(module, "page_of", page_of)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line how many tests were skipped, and for want of what."""
    skipped = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.getreports("skipped"))
    if skipped:
        terminalreporter.write_line("Skipped: " + "; ".join(f"{why}: {count}" for why, count in skipped.most_common()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what was answered in one of the processes that share a run, and came to its end."""
    answered.take(getattr(node, "workeroutput", {}).get("answered", ()))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in which a field answered what its row lacks, and one of all tests in which an error never came."""
    options = session.config.option
    if (given := getattr(session.config, "workeroutput", None)) is not None:  # one of several processes
        given["answered"] = answered.noted()
        return
    whole = session.config.args == session.config.getini("testpaths") and not options.keyword
    faults = list(answered.faults(whole=whole and options.markexpr == "not soak"))
    if exitstatus == pytest.ExitCode.OK and faults:
        print("", *faults, sep="\n")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The owner's address of a PostgreSQL server: DATABASE_URL's (`roles.NEEDED`), or an embedded one."""
    given, owner = os.environ.pop("DATABASE_URL", None), os.environ.pop("HARU_OWNER_URL", None)
    with temporary_postgres() if given is None else roles_of(given, owner) as url:
        yield url.replace("postgresql://", "postgresql+asyncpg://")


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """An empty database at the head of the migrations, as its owner; the application has its rights there.

    What DATABASE_URL names itself is never touched. HARU_TEST_TEMPLATE: a database that has the tables already.
    """
    name, template = f"haru_test_{os.getpid()}", os.environ.get("HARU_TEST_TEMPLATE", "template1")
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    made = f"CREATE DATABASE {name} TEMPLATE {template}"
    asyncio.run(run_sql(server_url, f"DROP DATABASE IF EXISTS {name}", made))
    furnish(url)
    yield url
    asyncio.run(drop_database(server_url, name))


async def make_empty(connection: asyncpg.Connection[Any]) -> None:
    """Take every row away; fails where a test before left a transaction open, and ends it so that others go on."""
    await connection.execute("SET lock_timeout = '30s'")
    try:
        await connection.execute(EMPTY)
    except asyncpg.LockNotAvailableError:
        left = [dict(row) for row in await connection.fetch(LEFT_OPEN)]
        await connection.execute(EMPTY)
        pytest.fail(f"A test before this one left transactions open: {left}")


LEFT_OPEN = """
SELECT pid, state, xact_start, query, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[str]:
    """The database without a row. Whatever the test did, the ledger's invariant must hold afterwards."""
    connection = await asyncpg.connect(**connect_arguments(database_url))
    await make_empty(connection)
    yield database_url
    await assert_ledger_holds(connection)
    await connection.close()


@pytest.fixture
async def world(empty_database: str) -> AsyncIterator[World]:
    """A running haru with the demo data, at noon of a day of the dice."""
    async with running(empty_database) as world:
        yield world


Haru = Callable[..., Awaitable[Result]]


@pytest.fixture
def haru(world: World, monkeypatch: pytest.MonkeyPatch) -> Haru:
    """The `haru` command on this world's database."""
    assert world.settings.database_url is not None
    assert world.settings.owner_url is not None
    monkeypatch.setenv("DATABASE_URL", world.settings.database_url)
    monkeypatch.setenv("HARU_OWNER_URL", world.settings.owner_url)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, arguments)

    return run
