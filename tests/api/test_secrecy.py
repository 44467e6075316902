"""Until a day is closed nobody is told its seed: not by the database, the log, or any field, whatever the role."""

from __future__ import annotations

import json
import logging
import time
from base64 import b64encode, urlsafe_b64encode
from random import Random

import asyncpg
import pytest

from models import Base, Role
from services.rules.draws import SEED_BYTES, commitment_of
from services.seed_seals import Sealed, SeedKeys
from tests.api.test_draws import COMMITMENTS, DICE, PROOF, TODAY, play
from tests.conftest import Haru
from tests.postgres import wal_directory
from tests.serving import zone_of_noon
from tests.world import SEED_KEYS, World, forge

READ = f"""query ($id: ID!) {{
  node(id: $id) {{ ... on GamePlay {{ {PROOF} }} }}
  me {{ plays {{ nodes {{ {PROOF} }} }} events {{ nodes {{ eventName meta }} }} }}
}}"""
STAFF = "{ userEvents { nodes { eventName meta } } auditLog { nodes { action target before after } } }"
WAL = "SELECT name FROM pg_ls_waldir() WHERE position($1::bytea IN pg_read_binary_file('pg_wal/' || name)) > 0"


def spellings(seed: bytes) -> list[str]:
    """How a seed may be written, in the middle of other bytes, too."""
    coded = [code(seed[start:]).decode()[:40] for start in range(3) for code in (b64encode, urlsafe_b64encode)]
    return [seed.hex(), seed.hex().upper(), *coded, repr(seed)[2:-1]]


async def test_a_seed_is_secret_until_its_day_is_closed(
    world: World, haru: Haru, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HARU_SEED_KEYS", SEED_KEYS)
    seed = Random(20260302).randbytes(32)
    alice = await world.player("alice")
    played = await play(alice, DICE)
    assert played["proof"]["commitment"] == commitment_of(TODAY, seed)
    told = [str(played)]
    for role in Role:
        somebody = await world.player(f"a {role}", role)
        told.append((await somebody.post(COMMITMENTS, {"from": "2026-03-01", "to": "2026-03-09"})).text)
        told.append((await somebody.post(READ, {"id": played["id"]})).text)
        told.append((await somebody.post(STAFF)).text)
    tables = [table.name for table in Base.metadata.sorted_tables]
    told += [str(await world.sql.fetchval(f'SELECT json_agg(t)::text FROM "{name}" t')) for name in tables]
    told.append((await haru("seeds", "list", "--days", "180")).output)
    told.append(str(await world.sql.fetch("SELECT query FROM pg_stat_activity")))
    told.append(caplog.text)
    everything = "\n".join(told)
    assert played["proof"]["commitment"] in everything
    assert [spelling for spelling in spellings(seed) if spelling in everything] == []


class Noting(Random):
    """A random source that notes what it gives away."""

    def __init__(self) -> None:
        super().__init__(time.time_ns())
        self.given: list[bytes] = []

    def randbytes(self, n: int) -> bytes:
        self.given.append(super().randbytes(n))
        return self.given[-1]


async def test_no_seed_is_in_the_write_ahead_log(world: World) -> None:
    """Other tests reveal their seeds, and the log is one for all: these seeds are of this test alone."""
    await world.parts.seeds.look()
    await forge(world.sql, "TRUNCATE draw_seed CASCADE")
    world.parts.seeds.forget(TODAY)
    world.parts.seeds.rng, began = Noting(), time.time()
    await play(await world.player("alice"), DICE)
    seeds = [given for given in world.parts.seeds.rng.given if len(given) == SEED_BYTES]
    commitments = {row["commitment"] for row in await world.sql.fetch("SELECT commitment FROM draw_seed")}
    assert commitment_of(TODAY, seeds[0]) in commitments
    assert await in_wal(world, began, [one.encode() for one in commitments]), "what is secret would be found, too"
    secret = [one for seed in seeds for one in (seed, *(spelling.encode() for spelling in spellings(seed)))]
    assert await in_wal(world, began, secret) == []


async def in_wal(world: World, since: float, wanted: list[bytes]) -> list[bytes]:
    """Which of these bytes are in the server's write-ahead log, in what was written since an instant.

    The embedded server's files are read as they lie there: its roles may not read them, but whoever runs it may.
    """
    if (directory := wal_directory(str(world.settings.owner_url))) is not None:
        files = [file.read_bytes() for file in directory.iterdir() if file.is_file() and file.stat().st_mtime >= since]
        assert files
        return [one for one in wanted if any(one in file for file in files)]
    try:
        return [one for one in wanted if await world.sql.fetch(WAL, one)]
    except asyncpg.InsufficientPrivilegeError:
        pytest.skip("the role of DATABASE_URL may not read the server's write-ahead log (pg_read_server_files)")


async def test_seeds_are_listed_made_and_sealed_anew(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARU_SEED_KEYS", SEED_KEYS)
    monkeypatch.setenv("HARU_TIME_ZONE", zone_of_noon())
    await world.parts.seeds.look()
    made = await haru("seeds", "make")
    assert made.stdout.startswith("committed to: ")
    listed = await haru("seeds", "list")
    assert (listed.exit_code, listed.stdout.count("sealed by tests\n")) == (0, 8)
    new = f"new:{b64encode(b'n' * 32).decode()}"
    monkeypatch.setenv("HARU_SEED_KEYS", f"{new},{SEED_KEYS}")
    sealed = await world.sql.fetchval("SELECT count(*) FROM draw_seed_sealed")
    earliest = "(SELECT min(date) FROM draw_seed_sealed)"
    for table in ("draw_seed", "draw_seed_sealed"):  # it is stored last, and read as it is stored
        await forge(world.sql, f"UPDATE {table} SET date = date WHERE date = {earliest}")
    database = f"ALTER DATABASE {await world.sql.fetchval('SELECT current_database()')}"
    ways = ("mergejoin", "indexscan", "bitmapscan")
    for way in ways:
        await world.sql.execute(f"{database} SET enable_{way} = off")
    try:
        assert (await haru("seeds", "reseal")).output == f"sealed anew: {sealed}\n"
    finally:
        for way in ways:
            await world.sql.execute(f"{database} RESET enable_{way}")
    assert (await haru("seeds", "reseal")).output == "sealed anew: 0\n"
    [entry] = await world.sql.fetch("SELECT * FROM audit_log WHERE target = 'draw_seed_sealed'")
    dates = [str(date) for [date] in await world.sql.fetch("SELECT date FROM draw_seed_sealed ORDER BY date")]
    assert (entry["action"], json.loads(entry["after"])) == ("seeds reseal", {"dates": dates, "kid": "new"})
    keys = SeedKeys({"new": b"n" * 32})
    for row in await world.sql.fetch("SELECT * FROM draw_seed JOIN draw_seed_sealed USING (date)"):
        seed = keys.unseal(row["date"], row["commitment"], Sealed(row["kid"], row["nonce"], row["sealed"]))
        assert commitment_of(row["date"], seed) == row["commitment"]
    monkeypatch.setenv("HARU_SEED_KEYS", new)
    assert (await haru("seeds", "list")).output.count("sealed by new\n") == 8
    monkeypatch.setenv("HARU_SEED_KEYS", SEED_KEYS)
    lost = await haru("seeds", "list")
    assert (lost.exit_code, lost.output.count("sealed by new, which HARU_SEED_KEYS does not have")) == (1, 8)
    told = await haru("seeds", "list", "--json")
    assert told.exit_code == 1
    assert [one["date"] for one in json.loads(told.stdout)] == [line.split()[0] for line in lost.stdout.splitlines()]
    states = {(one["sealedBy"], one["isKeyGiven"], one["revealedAt"]) for one in json.loads(told.stdout)}
    assert ("new", False, None) in states
