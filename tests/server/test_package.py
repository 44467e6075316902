"""The wheel and the source distribution: built, installed elsewhere beside strangers, served, migrated and played."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from server.settings import PROJECT
from tests.ports import reserved_port
from tests.serving import zone_of_noon

REVISION = "20241206_0001"
STRANGERS = ("server", "schema", "resolvers", "services", "models")
"""Names of haru's folders that other distributions have, too."""
PRINTED_TOKEN = re.compile(r"\(PLAYER\):\n\s+(\S+)")
PLAY = """mutation { playDice(input: {idempotencyKey: "first"}) {
    __typename ... on DicePlay { replayed outcome } ... on UserError { code } } }"""
START_SECONDS = 90


def run(*command: str | Path, cwd: Path = PROJECT) -> str:
    """Run a command without a DATABASE_URL to its good end; what it printed."""
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def environment(**added: str) -> dict[str, str]:
    """What is inherited, without anything that names haru's settings or this checkout."""
    strange = ("HARU_", "PYTHON", "DATABASE_URL", "HOST", "PORT", "WORKERS")
    return {name: value for name, value in os.environ.items() if not name.startswith(strange)} | added


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Path]:
    """A directory that PostgreSQL's account may pass, as it runs for root."""
    with tempfile.TemporaryDirectory(prefix="haru-package-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture(scope="module")
def built(elsewhere: Path) -> tuple[Path, Path]:
    """The wheel and the source distribution of this checkout."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(elsewhere / "built"))
    (wheel,), (source,) = (elsewhere / "built").glob("*.whl"), (elsewhere / "built").glob("*.tar.gz")
    return wheel, source


@pytest.fixture(scope="module")
def haru(elsewhere: Path, built: tuple[Path, Path]) -> Path:
    """The command, installed beside other people's `server` and `models`, with this environment's libraries."""
    target = elsewhere / "environment"
    venv.create(target, with_pip=False, symlinks=True)
    python = target / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", built[0])
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))  # which reads no .pth there: no checkout
    for name in STRANGERS:
        (packages / f"{name}.py").write_text("raise ImportError('a stranger')")
    return target / "bin" / "haru"


@pytest.fixture
def empty(elsewhere: Path) -> Path:
    """A directory with nothing in it."""
    directory = Path(tempfile.mkdtemp(dir=elsewhere))
    directory.chmod(0o711)
    return directory


def test_only_the_name_haru_is_taken(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        names = wheel.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"haru"}
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx", ".graphql"))]


def test_the_source_distribution_makes_the_same_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    wheel, source = built
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    run(*pip, "--wheel-dir", tmp_path, source)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_it_tells_its_version(haru: Path, empty: Path) -> None:
    assert run(haru, "--version", cwd=empty) == "haru, version 0.2.0\n"


def test_it_migrates_a_database_in_the_directory_where_it_is_started(haru: Path, empty: Path) -> None:
    assert run(haru, "db", "upgrade", cwd=empty) == f"alembic_version: {REVISION}\n"
    assert run(haru, "db", "verify", cwd=empty) == f"alembic_version: {REVISION}\nexpected:        {REVISION}\n"
    assert [path.name for path in empty.iterdir()] == [".haru"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_its_pages_and_plays(haru: Path, empty: Path, workers: str) -> None:
    with serving(haru, empty, workers) as (http, token):
        assert "<title>" in http.get("/").text
        assert "<title>" in http.get("/graphiql").text
        asset = re.search(r'src="(/graphiql/assets/[^"]+)"', http.get("/graphiql").text)
        assert asset is not None
        assert http.get(asset[1]).status_code == 200
        for replayed in (False, True):
            answer = http.post("/graphql", json={"query": PLAY}, headers={"Authorization": f"Bearer {token}"}).json()
            assert answer["data"]["playDice"]["__typename"] == "DicePlay"
            assert answer["data"]["playDice"]["replayed"] is replayed


@contextmanager
def serving(haru: Path, directory: Path, workers: str) -> Iterator[tuple[httpx.Client, str]]:
    """`haru serve` in a directory, once it is ready: a client, and the demo player's token."""
    noon, log = {"HARU_DEMO_TODAY": "DICE", "HARU_TIME_ZONE": zone_of_noon()}, directory / "log"
    with (
        reserved_port() as port,
        log.open("wb") as output,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
    ):
        settings = environment(PORT=str(port), WORKERS=workers, **noon)
        server = subprocess.Popen([haru, "serve"], cwd=directory, env=settings, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_ready(http):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            token = PRINTED_TOKEN.search(log.read_text())
            assert token is not None
            yield http, token[1]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def is_ready(http: httpx.Client) -> bool:
    """Whether it serves, with a database at the expected revision."""
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
