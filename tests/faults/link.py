"""A way to the database that breaks where it is told to: between any two messages of PostgreSQL's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import make_url


@dataclass
class Link:
    """The way. `sender` ("client" or "server") and `after`: whose messages are counted, and how many still pass."""

    url: str
    sender: str = ""
    after: int = 0
    breaks: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def arm(self, sender: str, after: int) -> None:
        """Break once, on whichever connection `sender` sends its next message but `after`."""
        self.sender, self.after = sender, after

    def disarm(self) -> bool:
        """Break no more; whether it broke since it was armed."""
        broke, self.sender = not self.sender, ""
        return broke

    def _lets_through(self, sender: str) -> bool:
        if sender != self.sender:
            return True
        if self.after > 0:
            self.after -= 1
            return True
        self.sender = ""
        self.breaks += 1
        return False

    async def _forward(self, sender: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward message by message: a byte for its type, but for a client's first, and four for its length."""
        kind = b"" if sender == "client" else await reader.readexactly(1)
        while True:
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length) - 4)
            if not self._lets_through(sender):
                return
            writer.write(kind + length + body)
            await writer.drain()
            kind = await reader.readexactly(1)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> None:
        """Carry one connection until it ends, or breaks."""
        there = make_url(target)
        host = str(there.query.get("host") or there.host)
        port = int(str(there.query.get("port") or there.port or 5432))
        if host.startswith("/"):
            far_reader, far_writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        both = [
            asyncio.create_task(self._forward("client", reader, far_writer)),
            asyncio.create_task(self._forward("server", far_reader, writer)),
        ]
        with suppress(asyncio.CancelledError):
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for end in (writer, far_writer):
            end.transport.abort()


@asynccontextmanager
async def link(target: str) -> AsyncIterator[Link]:
    """A way to the database at `target`, through a port of this machine."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await way.carry(reader, writer, target)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    there = make_url(target).set(host="127.0.0.1", port=port, query={"sslmode": "disable"})
    way = Link(there.render_as_string(hide_password=False))
    try:
        yield way
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
