"""Addresses as providers and tools hand them out, each to a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url, text

from services.address import parse_address
from services.connector import Connector
from services.database import Database, connect_arguments
from services.sessions import setting_statement
from tests.doors import place_of, tcp_door

HANDED_OUT = [
    "postgresql://USER:PASSWORD@HOST:PORT/DB?sslmode=prefer",
    "postgresql://USER:PASSWORD@HOST:PORT/DB?target_session_attrs=read-write",
    "postgresql://USER:PASSWORD@HOST:PORT/DB?options=-csearch_path%3Dpublic",
    "postgresql://USER:PASSWORD@/DB?host=HOST:PORT&host=HOST:PORT",
    "postgresql://USER:PASSWORD@HOST:PORT/DB?sslmode=prefer&channel_binding=prefer",
    "postgresql://USER:PASSWORD@HOST:PORT/DB?sslmode=prefer&channel_binding=require",
    "postgresql://USER:PASSWORD@HOST:PORT/DB?connect_timeout=10",
    "postgresql://USER:PASSWORD@HOST:PORT/DB?keepalives=1&keepalives_idle=30",
    "postgresql://USER:PASSWORD@HOST:PORT,HOST2:PORT2/DB?target_session_attrs=read-write",
    "postgresql://USER:PASSWORD@HOST2:PORT2,HOST:PORT/DB",
    "postgresql://USER:PASSWORD@HOST2:PORT2,HOST:PORT/DB?target_session_attrs=any",
    "postgresql://USER:PASSWORD@/DB?host=HOST2,HOST&port=PORT2,PORT",
    "postgresql://USER:PASSWORD@HOST:PORT/DB?gssencmode=disable&application_name=mine",
    "postgres://USER:PASSWORD@HOST:PORT/DB?search_path=public&fallback_application_name=mine",
]


@pytest.fixture
async def port(database_url: str) -> AsyncIterator[int]:
    async with tcp_door(database_url) as port:
        yield port


def filled(url: str, database_url: str, port: int) -> str:
    """The address with the real values; HOST2 is a host on which nothing listens."""
    there = make_url(database_url)
    values = {"HOST2": "127.0.0.1", "PORT2": "1", "HOST": "127.0.0.1", "PORT": str(port), "DB": str(there.database)}
    values |= {"USER": str(there.username), "PASSWORD": str(there.password or "any")}
    for name, value in values.items():
        url = url.replace(name, value)
    return url


@pytest.mark.parametrize("url", HANDED_OUT)
async def test_an_address_leads_to_the_database(url: str, database_url: str, port: int) -> None:
    database = Database(filled(url, database_url, port))
    name = "mine" if "application_name=mine" in url else "haru"
    for _ in range(2):
        async with database.read() as connection:
            assert await connection.scalar(text("SELECT current_setting('application_name')")) == name
            assert await connection.scalar(text("SELECT current_setting('statement_timeout')")) == "5s"
        async with database.hot() as hot:
            assert await hot.fetchval("SELECT current_setting('lock_timeout')") == "2s"
            assert await hot.fetchval("SELECT current_setting('search_path')") in {"public", '"$user", public'}
    await database.close()


async def test_a_host_that_cannot_be_written_to_is_passed_over(database_url: str, port: int) -> None:
    """The right one is remembered, so that another session does not begin with the wrong one."""
    standby = filled("postgresql://USER:PASSWORD@HOST:PORT/DB", database_url, port)
    read_only = Connector(parse_address(f"{standby}?options=-cdefault_transaction_read_only%3Don"))
    connection = await read_only({})
    assert await connection.fetchval("SELECT current_setting('transaction_read_only')") == "on"
    await connection.close()
    connector = Connector(
        parse_address(filled("postgresql://USER:PASSWORD@HOST2:PORT2,HOST:PORT/DB", database_url, port))
    )
    for connection in [*await asyncio.gather(connector({}), connector({})), await connector({})]:
        await connection.close()
        assert str(connector._places[0]) == f"127.0.0.1:{port}"


async def test_no_host_does(database_url: str, port: int) -> None:
    url = filled("postgresql://USER:PASSWORD@HOST2:PORT2,no-such-host.invalid/DB", database_url, port)
    with pytest.raises(OSError) as away:  # noqa: PT011 (which one is told by its notes)
        await Connector(parse_address(url))({})
    assert away.value.__notes__ == ["127.0.0.1:1: the database is out of reach; no-such-host.invalid:5432"]


async def test_a_login_that_is_refused_is_refused_by_the_first_host(server_url: str) -> None:
    if "owner@" not in server_url:
        pytest.skip("only the embedded database is known to have no such role")
    host, _ = place_of(server_url)
    connector = Connector(parse_address(f"postgresql://stranger@/app?host={host},127.0.0.1&port=5432,1"))
    with pytest.raises(Exception, match=r"no pg_hba\.conf entry") as refused:
        await connector({})
    assert refused.value.__notes__ == [host]


async def test_a_setting_that_the_server_refuses_leaves_no_session(database_url: str, port: int) -> None:
    url = filled("postgresql://USER:PASSWORD@HOST:PORT/DB?application_name=refused", database_url, port)
    with pytest.raises(Exception, match='unrecognized configuration parameter "no_such"'):
        await Connector(parse_address(f"{url}&options=-cno_such%3D1"))({})
    connection = await asyncpg.connect(**connect_arguments(database_url))
    await gone(connection, "refused")
    await connection.close()


async def gone(connection: asyncpg.Connection[asyncpg.Record], name: str) -> None:
    """Wait until no session has this name any more."""
    async with asyncio.timeout(30):
        while await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name):
            await asyncio.sleep(0.01)


async def test_settings_are_quoted(database_url: str) -> None:
    connection = await asyncpg.connect(**connect_arguments(database_url))
    value = "it's a \\ back'slash"
    await connection.execute(setting_statement({"haru.test": value}))
    assert await connection.fetchval("SELECT current_setting('haru.test')") == value
    await connection.close()
