"""The process that owns the embedded PostgreSQL: starts it and stops it once nobody uses it.

`server.postgres.embedded` runs it in a session of its own, so a Ctrl-C in the terminal reaches the users and never the
database. It needs the standard library only and no environment, and starts no thread before PostgreSQL is up.

Three kernel locks (flock) in the home directory are the only bookkeeping, because nothing else survives SIGKILL:

- `users`: shared by every user for as long as it uses the database; exclusive by the keeper while it stops.
- `keeper`: exclusive; the starter takes it and hands the open descriptor over, so it is held without a gap.
- `ready`: exclusive by the keeper for as long as PostgreSQL accepts connections.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

from server.postgres.cluster import (
    DIVIDING_HBA,
    DIVIDING_SQL,
    HBA,
    START_TIMEOUT_SECONDS,
    STOP_TIMEOUT_SECONDS,
    KeeperError,
    Request,
    as_account,
    choose_binaries,
    create_cluster,
    die_with_keeper,
    run,
    settle_pid_file,
)

if sys.platform != "win32":  # `embedded_postgres` refuses Windows with a sentence; importing this must not come first
    import fcntl

PORT = "5432"  # names the socket file only: nothing listens on TCP
ORPHANS_TIMEOUT_SECONDS = 15

# Durable, reachable through the socket alone, and the same for everyone whatever the machine's defaults are.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "off",
}


def open_own(path: Path, flags: int = 0) -> int:
    """Open a file of the home directory for reading and writing, made 0600 if missing, and return its descriptor.

    Root makes it for the owner of the directory, who may come back without being root, and follows no symbolic link.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o600)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags)
    if os.geteuid() == 0:
        home = path.parent.stat()
        os.fchown(descriptor, home.st_uid, home.st_gid)
    return descriptor


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if it is free, at once; tell whether it was taken."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def spawn(request: Request, log: IO[bytes]) -> None:
    """Start a keeper that outlives the caller, who keeps no child; `request.keeper_lock` is inherited."""
    project = str(Path(__file__).resolve().parents[2])
    # Isolated and at the end of the path: nothing of the project can shadow the standard library.
    run = f"import sys; sys.path.append({project!r}); from server.postgres.keeper import main; main()"
    subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-I", "-S", "-c", run, json.dumps(asdict(request))],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        start_new_session=True,
        pass_fds=[request.keeper_lock],
        check=True,
    )


def main() -> None:
    """Become a process of nobody's, then keep; on failure leave the reason in the keeper's lock file."""
    request = Request(**json.loads(sys.argv[1]))
    if os.fork():
        os._exit(0)  # the starter waits for this one only
    os.umask(0o077)
    try:
        keep(request)
    except (KeeperError, OSError, subprocess.SubprocessError) as error:
        os.pwrite(request.keeper_lock, str(error).encode(), 0)
        sys.exit(f"keeper: {error}")


def keep(request: Request) -> None:
    """Run PostgreSQL from now until its last user is gone.

    Raises: KeeperError, OSError or subprocess.SubprocessError when it cannot be started.
    """
    home, data = Path(request.home), Path(request.home, "data")
    binaries = choose_binaries(request, data)
    if not data.exists():
        create_cluster(binaries, data, request)
    settle_pid_file(data)
    _empty_private_directory(Path(request.socket_directory), request)
    if (data / "pg_hba.conf").read_text() != HBA:
        _divide_roles(binaries, data, request)
    postmaster = _start(binaries, data, request)
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop_signal, lambda *_: postmaster.send_signal(signal.SIGINT))
    ready = open_own(home / "ready")
    fcntl.flock(ready, fcntl.LOCK_EX)
    threading.Thread(target=_stop_when_unused, args=(home, ready, postmaster), daemon=True).start()
    postmaster.wait()
    with suppress(OSError):  # PostgreSQL has emptied it, unless it was killed
        Path(request.socket_directory).rmdir()


def _divide_roles(binaries: Path, data: Path, request: Request) -> None:
    """Give a cluster of one role the two of today. Only the superuser can log in meanwhile; whoever else comes waits.

    Raises: KeeperError, with what PostgreSQL says.
    """
    _write_rules(data, DIVIDING_HBA, request)
    postmaster = _start(binaries, data, request)
    try:
        psql = [str(binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-U", "postgres", "-d", "app"]
        run([*psql, "-h", request.socket_directory, "-p", PORT], request.uid, request.gid, stdin=DIVIDING_SQL)
    finally:
        postmaster.send_signal(signal.SIGINT)
        postmaster.wait()
    _write_rules(data, HBA, request)


def _write_rules(data: Path, rules: str, request: Request) -> None:
    """Write who may log in, all or nothing."""
    new = data / "pg_hba.conf.new"
    new.write_text(rules)
    os.chown(new, request.uid, request.gid)
    new.replace(data / "pg_hba.conf")


def _stop_when_unused(home: Path, ready: int, postmaster: subprocess.Popen[bytes]) -> None:
    """Wait, asleep in the kernel, until nobody holds `users`; then stop PostgreSQL, harder the longer it takes."""
    fcntl.flock(open_own(home / "users"), fcntl.LOCK_EX)  # kept to the end of the process: newcomers wait
    fcntl.flock(ready, fcntl.LOCK_UN)
    postmaster.send_signal(signal.SIGINT)  # a clean stop with a checkpoint
    time.sleep(STOP_TIMEOUT_SECONDS)
    postmaster.send_signal(signal.SIGQUIT)  # at once; the next start recovers from the write-ahead log
    time.sleep(10)
    postmaster.kill()


def _empty_private_directory(path: Path, request: Request) -> None:
    """Make the directory of the socket, 0700 and PostgreSQL's own, and clear it of what a killed server left.

    Raises: KeeperError when somebody else made it: in /tmp anyone may.
    """
    try:
        path.mkdir(mode=0o700)
        os.chown(path, request.uid, request.gid)
    except FileExistsError:
        found = path.lstat()
        if path.is_symlink() or not path.is_dir() or found.st_uid != request.uid or found.st_mode & 0o077:
            raise KeeperError(f"{path} is not a private directory of uid {request.uid}: remove it") from None
    for leftover in path.glob(".s.PGSQL.*"):
        leftover.unlink()


def _start(binaries: Path, data: Path, request: Request) -> subprocess.Popen[bytes]:
    """Start the postmaster and return it when it accepts connections.

    Raises: KeeperError when it does not within the time limit.
    """
    settings = {**SETTINGS, **request.settings, "unix_socket_directories": request.socket_directory}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    log = Path(request.home, "postgres.log")
    orphans_deadline = time.monotonic() + ORPHANS_TIMEOUT_SECONDS
    while True:
        log_start = log.stat().st_size
        postmaster = subprocess.Popen(  # noqa: S603 - PostgreSQL itself
            [str(binaries / "postgres"), "-D", str(data), *options],
            cwd="/",
            env={"LC_ALL": "C"},
            preexec_fn=die_with_keeper(signal.SIGINT),  # noqa: PLW1509 - no other thread yet
            **as_account(request.uid, request.gid),
        )
        if _becomes_ready(postmaster, data):
            return postmaster
        # Backends of a postmaster that was killed take a moment to notice it, and hold its shared memory meanwhile.
        orphaned = b"pre-existing shared memory block" in log.read_bytes()[log_start:]
        if not orphaned or time.monotonic() > orphans_deadline:
            raise KeeperError("PostgreSQL ended while it started")
        time.sleep(0.5)


def _becomes_ready(postmaster: subprocess.Popen[bytes], data: Path) -> bool:
    """Wait until the postmaster says "ready", which it writes into the eighth line of its pid file, or ends."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while postmaster.poll() is None:
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        if len(lines) >= 8 and lines[0] == str(postmaster.pid) and lines[7].strip() == "ready":
            return True
        if time.monotonic() > deadline:
            postmaster.send_signal(signal.SIGQUIT)
            raise KeeperError(f"PostgreSQL was not ready after {START_TIMEOUT_SECONDS} s")
        time.sleep(0.01)
    return False
