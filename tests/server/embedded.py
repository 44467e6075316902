"""An embedded PostgreSQL and those who use it: processes to start and to kill, and a look at what is left of them."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from server.postgres.cluster import OWNER
from server.postgres.embedded import POSTGRES_UID
from tests.postgres import place_for_databases

AS_ROOT = os.geteuid() == 0
NOBODY = 65534
PROJECT = Path(__file__).resolve().parents[2]
SECONDS = 60
"""Longer than any test waits for what it is about."""

USER = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which is not so in the background of a shell
sys.path.insert(0, sys.argv[2])
from server.postgres.embedded import embedded_postgres
with embedded_postgres(pathlib.Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state() -> Iterator[Path]:
    """Make a state directory that uid 60700 can reach, which pytest's own temporary ones are not."""
    top = Path(tempfile.mkdtemp(prefix="haru-test-", dir=place_for_databases()))
    top.chmod(0o711)
    yield top / ".haru"
    wait_until(lambda: not left_running(top))
    shutil.rmtree(top)


@pytest.fixture
def user(state: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes that use the instance until their standard input closes."""
    started: list[subprocess.Popen[str]] = []

    def start(python: str = sys.executable, project: Path = PROJECT, **options: Any) -> subprocess.Popen[str]:
        command = [python, "-c", USER, str(state), str(project)]
        pipe = subprocess.PIPE
        started.append(
            subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True, **options
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    """Wait until the process has the instance."""
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, process.communicate()[1]
    return url


def ask(url: str, sql: str, role: str = OWNER) -> Any:
    """Run one statement, as the owner unless told; in a thread, as pytest's own loop may be in this one."""
    query = make_url(url).query

    async def fetch() -> Any:
        connection = await asyncpg.connect(
            user=role, database="app", host=str(query["host"]), port=int(str(query["port"])), timeout=SECONDS
        )
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, fetch()).result()


def as_postgres() -> dict[str, Any]:
    """Arguments of subprocess that run a program under PostgreSQL's account."""
    return {"user": POSTGRES_UID, "group": POSTGRES_UID, "extra_groups": []} if AS_ROOT else {}


def command_lines() -> dict[int, list[str]]:
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found[int(entry.name)] = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
    return found


def postmasters(state: Path) -> list[int]:
    return parents(
        pid for pid, line in command_lines().items() if line[1:3] == ["-D", str(state / "postgres" / "data")]
    )


def keepers(state: Path) -> list[int]:
    return parents(
        pid for pid, line in command_lines().items() if "postgres.keeper" in "".join(line) and str(state) in line[-2]
    )


def parents(pids: Iterable[int]) -> list[int]:
    """Those that none of the others has begun: a child has its parent's command line until it gets one of its own."""
    all_of_them = set(pids)
    return [pid for pid in all_of_them if parent(pid) not in all_of_them]


def parent(pid: int) -> int | None:
    """Who began a process; None when it is over."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return None


def left_running(top: Path) -> list[list[str]]:
    """What names the directory in its command line, or runs below it, besides the tests' users."""
    return [line for line in command_lines().values() if str(top) in " ".join(line) and USER not in line]


def ready_postmaster(state: Path) -> int:
    """The process that takes connections, by its own word; 0: none."""
    try:
        lines = (state / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return 0
    is_ready = [line.strip() for line in lines[7:]] == ["ready"] and int(lines[0]) in postmasters(state)
    return int(lines[0]) if is_ready else 0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "not within the time limit"
        time.sleep(0.02)
