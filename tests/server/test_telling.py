"""What commands tell programs, terminals and shells."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import subprocess
import sys
import threading
import time
from zoneinfo import ZoneInfo

import asyncpg
import click
import pytest

from server.cli.common import RIGHTS, database_of
from server.cli.main import COMMANDS, main
from server.cli.telling import working
from server.migrations.upgrade import EXPECTED_REVISION
from server.postgres.embedded import EmbeddedPostgresError
from server.settings import PROJECT
from services.errors import LockNotAcquired
from services.outages import why
from services.request_errors import Unavailable
from tests.conftest import Haru
from tests.serving import zone_of_noon
from tests.world import World


async def test_what_programs_read(haru: Haru, world: World) -> None:
    verified = json.loads((await haru("db", "verify", "--json")).stdout)
    assert verified == {
        "isExpected": True,
        "revision": EXPECTED_REVISION,
        "expectedRevision": EXPECTED_REVISION,
        "findings": [],
        "models": [],
    }
    assert json.loads((await haru("db", "prune", "--json")).stdout) == {"deleted": 0}
    [pool] = json.loads((await haru("coupons", "list", "--json")).stdout)
    assert pool == {"coupon_type": "COFFEE", "left": 100, "given": 0, "waiting": 0}


async def test_what_is_wrong_with_the_days_ahead(haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's days are others."""
    zone = zone_of_noon()
    monkeypatch.setenv("HARU_TIME_ZONE", zone)
    today = dt.datetime.now(ZoneInfo(zone)).date()
    told = await haru("schedule", "check", "--days", "3", "--json")
    found = json.loads(told.stdout)
    assert [set(issue) for issue in found] == [{"date", "code", "message"}] * len(found)
    assert {issue["date"] for issue in found} == {str(today + dt.timedelta(days=ahead)) for ahead in range(3)}
    for_people = await haru("schedule", "check", "--days", "3")
    assert for_people.output.splitlines() == [f"{one['date']} {one['code']}: {one['message']}" for one in found]
    assert (told.exit_code, for_people.exit_code) == (1, 1)


RIGHTLESS = asyncpg.InsufficientPrivilegeError("permission denied"), asyncpg.InvalidSchemaNameError("no schema")
UNUSABLE = asyncpg.DiskFullError("full"), ConnectionResetError("reset"), TimeoutError(), Unavailable()
UNABLE = EmbeddedPostgresError("it does not start")


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        *((failure, f"The database cannot be used: {why(failure)}\n{RIGHTS}") for failure in RIGHTLESS),
        *((failure, f"The database cannot be used: {why(failure)}") for failure in UNUSABLE),
        (LockNotAcquired(), LockNotAcquired().message),
        (UNABLE, str(UNABLE)),
    ],
    ids=lambda given: type(given).__name__,
)
async def test_whatever_ends_a_command_is_told(world: World, failure: Exception, told: str) -> None:
    def run() -> None:
        with database_of(world.settings):
            raise failure

    with pytest.raises(click.ClickException) as ended:
        await asyncio.to_thread(run)
    assert ended.value.message == told


async def test_a_difference_is_told_to_programs(haru: Haru, world: World) -> None:
    await world.sql.execute("ALTER TABLE dice_log ADD COLUMN extra int")
    try:
        verified = await haru("db", "verify", "--json")
    finally:
        await world.sql.execute("ALTER TABLE dice_log DROP COLUMN extra")
    assert verified.exit_code == 1
    told = json.loads(verified.stdout)
    assert not told["isExpected"]
    assert any(finding["isFault"] and "extra" in finding["finding"] for finding in told["findings"])


SHELL = "from server.cli.main import main; main(prog_name='haru')"


@pytest.mark.parametrize(
    ("begun", "completed"), [("sch", "schedule"), ("coupons l", "list"), ("db verify --j", "--json")]
)
def test_a_shell_completes(begun: str, completed: str) -> None:
    asked = {"_HARU_COMPLETE": "bash_complete", "COMP_WORDS": f"haru {begun}", "COMP_CWORD": str(len(begun.split()))}
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        env=os.environ | asked,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f"plain,{completed}\n" in done.stdout


@pytest.mark.parametrize(("command", "makes_it"), [("db", False), ("audit", False), ("token", False), ("schema", True)])
def test_the_schema_is_made_for_those_who_need_it(command: str, makes_it: bool) -> None:
    """It takes longer than all else that a command does."""
    asked = f"import sys; from server.cli.main import main; main({[command, '--help']}, standalone_mode=False)"
    done = subprocess.run(
        [sys.executable, "-c", f"{asked}; print('resolvers.schema' in sys.modules)"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == str(makes_it)


def test_every_command_is_there_by_its_name() -> None:
    context = click.Context(main)
    assert [command.name for name in main.list_commands(context) if (command := main.get_command(context, name))] == [
        *COMMANDS
    ]
    assert main.get_command(context, "nothing") is None


@pytest.mark.parametrize("is_watched", [True, False])
def test_a_terminal_is_shown_what_takes_long(
    is_watched: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("server.cli.telling.SOON_SECONDS", 0.01)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_watched)
    shown = ""
    with working("looking"):
        deadline = time.monotonic() + (60 if is_watched else 0)
        while "looking ... 0 s" not in shown and time.monotonic() < deadline:
            shown += capsys.readouterr().err
    assert ("looking" in shown) is is_watched
    assert "\n" not in shown
    assert capsys.readouterr().err.endswith("\r\x1b[K" if is_watched else "")
    assert capsys.readouterr().out == ""


def test_what_shows_a_terminal_that_work_goes_on_keeps_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.cli.telling.watched", lambda: True)
    with working("looking"):
        assert {one.daemon for one in threading.enumerate() if one.name == "working"} == {True}
    assert not [one for one in threading.enumerate() if one.name == "working"]
