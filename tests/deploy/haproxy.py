"""What HAProxy says of the servers behind it, by its socket for administrators."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Mapping
from pathlib import Path


async def servers(socket: Path) -> Mapping[str, str]:
    """How HAProxy finds each server, by its name: UP, or why not."""
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(b"show stat\n")
    lines = (await reader.read()).decode().splitlines()
    writer.close()
    rows = csv.DictReader(lines)
    return {row["svname"]: row["status"] for row in rows if row["# pxname"] == "servers" and row["svname"] != "BACKEND"}
