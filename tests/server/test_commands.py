"""Commands that cannot do what they are asked: a message, an exit code, and nothing of a traceback."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from server.settings import PROJECT

NOWHERE = "postgresql://nobody:a-password@127.0.0.1:1/haru"


async def run(*command: str, **environment: str) -> tuple[int, str]:
    """Run a command as a shell does: its exit code, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from server.cli import main; main()", *command),
        env=os.environ | environment,
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize(
    "command",
    ["db upgrade", "db verify", "db demo", "db prune", "token --external-id bob", "serve"],
)
async def test_a_database_that_is_not_there(command: str) -> None:
    code, said = await run(*command.split(), DATABASE_URL=NOWHERE, PORT="0")
    assert code == 1
    assert said.startswith("Error: The database ")
    assert said.count("\n") == 1
    assert "a-password" not in said


async def test_a_database_that_does_not_let_haru_in(server_url: str) -> None:
    stranger = server_url.replace("//app@", "//stranger@")
    if stranger == server_url:
        pytest.skip("only the embedded database is known to have no such role")
    code, said = await run("db", "upgrade", DATABASE_URL=stranger)
    assert code == 1
    assert said.startswith("Error: The database refuses: ")


async def test_a_port_that_is_taken_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = await run("serve", PORT=port, HARU_STATE_DIR=str(tmp_path))
    assert code == 1
    assert said == f"Error: 127.0.0.1, port {port}: Address already in use. HOST and PORT name another.\n"
    assert list(tmp_path.iterdir()) == []
