"""Commands that cannot do what they are asked: a message, an exit code, and nothing of a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from server.settings import PROJECT
from tests.conftest import run_sql
from tests.doors import tcp_door
from tests.ports import reserved_port
from tests.roles import as_application
from tests.world import SEED_KEYS

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TIMED = re.compile(rf"{TIME.pattern} (WARNING|ERROR|INFO) ")
LOOKING = ("db verify", "schedule check", "coupons list", "audit", "seeds list", "verify odds")
"""Commands that look for faults: that they could not look is not that they found some."""

NOWHERE = "postgresql://nobody:a-password@127.0.0.1:1/haru"


async def run(*command: str, **environment: str) -> tuple[int, str]:
    """Run a command as a shell does: its exit code, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from server.cli.main import main; main()", *command),
        env=os.environ | environment,
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize(
    "command",
    ["db upgrade", "db demo", "db prune", "seal", "token --external-id bob", "serve", *LOOKING],
)
async def test_a_database_that_is_not_there(command: str) -> None:
    code, said = await run(*command.split(), DATABASE_URL=NOWHERE, PORT="0")
    assert code == (2 if command in LOOKING else 1)
    assert said.startswith("Error: The database ")
    assert said.count("\n") == 1
    assert "a-password" not in said


async def test_a_database_that_does_not_let_haru_in(server_url: str) -> None:
    stranger = server_url.replace("//owner@", "//stranger@")
    if stranger == server_url:
        pytest.skip("only the embedded database is known to have no such role")
    code, said = await run("db", "upgrade", DATABASE_URL=stranger)
    assert code == 1
    assert said.startswith("Error: The database cannot be used: the login is refused ")


async def test_a_port_that_is_taken_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = await run("serve", PORT=port, HARU_STATE_DIR=str(tmp_path))
    assert code == 1
    assert said == f"Error: 127.0.0.1, port {port}: Address already in use. HOST and PORT name another.\n"
    assert list(tmp_path.iterdir()) == []


async def test_where_metrics_have_nowhere_to_count_into(tmp_path: Path) -> None:
    nowhere = "import tempfile; tempfile._candidate_tempdir_list = lambda: []; "
    serve = f"{nowhere}from server.cli.main import main; main(['serve'])"
    with reserved_port() as port:
        environment = {"HARU_METRICS_PORT": str(port), "HARU_STATE_DIR": str(tmp_path), "PORT": "0"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", serve), env=os.environ | environment, cwd=PROJECT, stderr=asyncio.subprocess.PIPE
        )
        _, said = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 1
    assert b"HARU_METRICS_PORT needs a directory for temporary files" in said
    assert list(tmp_path.iterdir()) == []


CAUSES = {
    "postgresql://haru:a-password@no-such-host.invalid/haru": "the host is unknown (no-such-host.invalid:5432)",
    "postgresql://haru:a-password@127.0.0.1:1/haru": "the database is out of reach (127.0.0.1:1): ",
}


@pytest.mark.parametrize("url", CAUSES)
async def test_the_cause_is_told(url: str) -> None:
    for command in ("db upgrade", "token --external-id bob", "serve"):
        code, said = await run(*command.split(), DATABASE_URL=url, PORT="0")
        assert code == 1
        assert said.startswith(f"Error: The database cannot be used: {CAUSES[url]}")
        assert "try again" not in said


async def test_tls_that_is_refused_is_told(database_url: str) -> None:
    async with tcp_door(database_url) as port:
        url = f"postgresql://app:a-password@127.0.0.1:{port}/haru"
        code, said = await run("db", "verify", DATABASE_URL=f"{url}?sslmode=require")
    assert code == 2
    assert "rejected SSL upgrade" in said


async def test_what_is_left_out_of_an_address_is_told_with_a_time(database_url: str) -> None:
    url = f"{database_url}{'&' if '?' in database_url else '?'}keepalives=1&channel_binding=require"
    code, said = await run("db", "verify", DATABASE_URL=as_application(database_url), HARU_OWNER_URL=url)
    assert code == 0, said
    told = [line for line in said.splitlines() if "left out" in line]
    assert [line.partition("left out ")[2].partition(":")[0] for line in told] == ["channel_binding", "keepalives"]
    assert all(TIMED.match(line) for line in told)


@pytest.mark.parametrize("url", ["postgresql://db/haru?pgbouncer=true", "postgresql://db/haru?sslmode=on"])
async def test_an_address_that_does_not_start(url: str) -> None:
    code, said = await run("serve", DATABASE_URL=url)
    assert code == 1
    assert said.startswith("Error: haru does not start with these settings:\nDATABASE_URL: ")
    assert url.rpartition("?")[2].partition("=")[0] in said


async def test_the_rights_that_an_upgrade_needs_are_told(server_url: str) -> None:
    name = f"haru_rights_{os.getpid()}"
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    await run_sql(server_url, f"CREATE DATABASE {name}")
    try:
        await run_sql(url, "REVOKE CREATE ON SCHEMA public FROM pg_database_owner")
        code, said = await run("db", "upgrade", DATABASE_URL=url)
        assert code == 1
        assert "the role lacks a right" in said
        assert "permission denied for schema public" in said
        assert "GRANT USAGE, CREATE ON SCHEMA public TO" in said
        await run_sql(url, "GRANT CREATE ON SCHEMA public TO CURRENT_USER")
        code, said = await run("db", "upgrade", DATABASE_URL=url)
        assert code == 0, said
    finally:
        await run_sql(server_url, f"DROP DATABASE {name}")


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_without_its_database_tells_so_and_when(workers: int, tmp_path: Path) -> None:
    environment = {
        "HARU_ENV": "stage",
        "HARU_SECRET": "x" * 32,
        "HARU_SEED_KEYS": SEED_KEYS,
        "DATABASE_URL": NOWHERE,
        "WORKERS": str(workers),
    }
    with reserved_port() as port, (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from server.cli.main import main; main(['serve'])"),
            env=os.environ | environment | {"PORT": str(port)},
            cwd=PROJECT,
            stdout=log,
            stderr=log,
        )
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http, asyncio.timeout(120):
            while (ready := await answer_of(http, "/readyz")) is None:
                await asyncio.sleep(0.05)
            assert (ready.status_code, ready.json()["reason"]) == (503, "the database does not answer")
            assert (await http.get("/healthz")).status_code == 200
        process.terminate()
        assert await process.wait() == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert all(TIME.fullmatch(line["time"]) for line in lines)
    for told in ("the server starts without its database", "Uvicorn running on", "not ready: "):
        assert any(told in line["message"] for line in lines), lines


async def answer_of(http: httpx.AsyncClient, path: str) -> httpx.Response | None:
    """The answer, if anybody is there."""
    try:
        return await http.get(path)
    except httpx.TransportError:
        return None
