"""The embedded PostgreSQL as its users meet it: real processes, real signals, one small state directory per test."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from server.postgres import embedded as module
from server.postgres.durability import WEAK_SETTINGS
from server.postgres.embedded import EmbeddedPostgresError, as_its_owner, binary_directories, embedded_postgres
from tests.outside import unavailable
from tests.server.embedded import (
    SECONDS,
    as_postgres,
    ask,
    command_lines,
    keepers,
    left_running,
    postmasters,
    ready_postmaster,
    url_of,
    wait_until,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see what is left running")


# --- The ordinary way -------------------------------------------------------------------------------------------------


ROLE = "SELECT (rolsuper, rolcreaterole, rolcreatedb) FROM pg_roles WHERE rolname = current_user"
DATABASE_OWNER = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'"


def test_the_first_start_gives_a_database_whose_owner_is_not_who_serves(state: Path) -> None:
    with embedded_postgres(state) as url:
        assert url == f"postgresql+asyncpg://app@/app?host={state}/postgres/socket&port=5432"
        assert as_its_owner(url) == url.replace("app@", "owner@")
        assert {one.daemon for one in threading.enumerate() if one.name == "embedded-postgres"} == {True}
        assert ask(url, ROLE) == (False, False, True)
        assert ask(url, ROLE, "app") == (False, False, False)
        assert ask(url, DATABASE_OWNER) == "owner"
        assert ask(url, "CREATE DATABASE beside") is None
        assert ask(url, "CREATE TABLE public.mine (id int)") is None
        for refused in ("SELECT FROM mine", "CREATE TABLE public.yours (id int)", "CREATE DATABASE theirs"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                ask(url, refused, "app")


def test_a_database_of_one_role_is_divided_into_two(state: Path) -> None:
    """As 0.1.0 left it: one role, which owns what it serves."""
    data, rules = state / "postgres" / "data", state / "postgres" / "data" / "pg_hba.conf"
    with embedded_postgres(state) as url:
        ask(url, "CREATE TABLE public.kept AS SELECT 42 AS answer")
        rules.write_text("local all postgres trust\n")
        os.kill(ready_postmaster(state), signal.SIGHUP)
        wait_until(lambda: lets_in(url, "postgres"))
        ask(url, "REASSIGN OWNED BY owner TO app", "postgres")
        ask(url, "DROP ROLE owner", "postgres")
        ask(url, "ALTER ROLE app CREATEDB", "postgres")
        rules.write_text("local all app trust\n")
    for _ in range(2):
        with embedded_postgres(state) as url:
            assert ask(url, "SELECT answer FROM kept") == 42
            assert ask(url, ROLE) == (False, False, True)
            assert ask(url, ROLE, "app") == (False, False, False)
            assert ask(url, DATABASE_OWNER) == "owner"
            assert not lets_in(url, "postgres")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                ask(url, "SELECT FROM kept", "app")
    assert data.stat().st_uid == rules.stat().st_uid


def lets_in(url: str, role: str) -> bool:
    try:
        ask(url, "SELECT 1", role)
    except asyncpg.InvalidAuthorizationSpecificationError:
        return False
    return True


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
        assert not lets_in(url, "postgres")


def test_settings_of_the_caller_and_a_stray_pgport(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    fast = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    with embedded_postgres(state, settings={**fast, "max_connections": "20"}) as url:
        weak = WEAK_SETTINGS.replace("$1", "'{}'")
        assert ask(url, f"SELECT array_agg(setting) FROM ({weak}) AS weak") == sorted(fast)
        assert ask(url, "SHOW max_connections") == "20"


def test_data_survives_and_nothing_is_left_running(state: Path) -> None:
    with embedded_postgres(state) as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        [keeper], [_] = keepers(state), postmasters(state)
        assert os.getsid(keeper) != os.getsid(0), "a Ctrl-C of ours would reach it"
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
    assert other.communicate(timeout=SECONDS)[1] == ""
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
    assert "KeyboardInterrupt" in process.communicate(timeout=SECONDS)[1]
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
@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGTERM], ids=lambda one: one.name)
def test_a_server_that_dies_is_started_again_by_its_users(
    state: Path,
    user: Callable[..., subprocess.Popen[str]],
    victims: Callable[[Path], list[int]],
    with_signal: signal.Signals,
) -> None:
    url = url_of(user())
    user()
    ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    before = ready_postmaster(state)
    [victim] = [before] if victims is postmasters else keepers(state)
    os.kill(victim, with_signal)
    wait_until(lambda: ready_postmaster(state) not in {0, before})
    assert ask(url, "SELECT answer FROM kept") == 42
    wait_until(lambda: len(keepers(state)) == 1)  # the one before may be about to end


def test_a_server_that_does_not_start_again_is_tried_and_told(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.2)
    with embedded_postgres(state) as url:
        before = ready_postmaster(state)
        with monkeypatch.context() as patch:
            patch.setattr(module, "binary_directories", list)
            os.kill(before, signal.SIGKILL)
            wait_until(lambda: caplog.text.count("no usable PostgreSQL binaries") >= 2)
        wait_until(lambda: ready_postmaster(state) not in {0, before})
        assert ask(url, "SELECT 1") == 1
    assert "PostgreSQL has ended; it is started again" in caplog.text
    assert left_running(state) == []


def test_a_keeper_killed_during_the_first_start(state: Path, user: Callable[..., subprocess.Popen[str]]) -> None:
    process = user()
    wait_until(lambda: bool(list((state / "postgres").glob("data.new.*"))) if state.exists() else False)
    for keeper in keepers(state):
        os.kill(keeper, signal.SIGKILL)
    assert "DATABASE_URL" in process.communicate(timeout=SECONDS)[1]
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
        command = command_lines()[ready_postmaster(state)][:-1]
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    socket, data = state / "postgres" / "socket", state / "postgres" / "data"
    socket.mkdir(mode=0o700)
    shutil.chown(socket, data.stat().st_uid, data.stat().st_gid)
    orphan = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **as_postgres())
    wait_until((socket / ".s.PGSQL.5432").exists)
    with embedded_postgres(state) as url:
        assert orphan.wait(timeout=SECONDS) == 0
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
        unavailable("no PostgreSQL of the system's (Debian: apt-get install postgresql)")
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
