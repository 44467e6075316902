"""`make ha`: every fault in its turn, under load; what was seen, and whether all was as it has to be.

Exit 0: it was; 1: it was not; 2: something is missing that this needs.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from time import monotonic

import httpx

from server.settings import PROJECT
from tests.ha.alerts import FASTER
from tests.ha.checks import faults_of
from tests.ha.clients import TIMEOUT_SECONDS, Player, Subscriber, Told
from tests.ha.database import binaries
from tests.ha.faults import FAULTS, MANY, Fault, Stage
from tests.ha.network import apart
from tests.ha.report import HEADINGS, Seen, line, totals
from tests.ha.site import URL_OF_PLAYERS, Site

DIRECTORY = PROJECT / ".artifacts" / "ha"
SEED = 20241206
PLAYERS = 20
SUBSCRIBERS = 60
LEAST_SECONDS = 10.0
"""A fault lasts until its alerts have fired, and for so long at least."""

WARM_UP_SECONDS = 10.0
SPREAD_SECONDS = 120.0
PLAYS_AFTERWARDS = 10
"""Of each player, once a fault is over."""

NEEDED = {
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "haproxy": "haproxy",
    "pgbouncer": "pgbouncer",
    "prometheus": "prometheus",
    "psql": "postgresql",
}
"""Programs, and Debian's packages that have them."""


def lacking() -> Iterator[str]:
    """What this machine lacks."""
    if sys.platform != "linux" or os.geteuid() != 0:
        yield "root, on Linux: it makes network namespaces (sudo make ha)"
    missing = {package for program, package in NEEDED.items() if shutil.which(program) is None}
    if binaries() is None:
        missing.add("postgresql")
    if missing:
        yield f"programs: apt-get install {' '.join(sorted(missing))}"


class Load:
    """Everybody who plays and looks on."""

    def __init__(self, site: Site, told: Told) -> None:
        self._site = site
        self.told = told
        self.players: list[Player] = []
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        limits = httpx.Limits(max_connections=PLAYERS, max_keepalive_connections=PLAYERS)
        self._http = httpx.AsyncClient(base_url=URL_OF_PLAYERS, limits=limits, timeout=TIMEOUT_SECONDS)

    async def begin(self) -> None:
        """Have everybody come."""
        ids, chance = await self._site.players(PLAYERS), Random(SEED)
        secret, sockets = self._site.secret, URL_OF_PLAYERS.replace("http", "ws") + "/graphql"
        self.players = [Player(one, secret.token(one), self._http, self.told, Random(chance.random())) for one in ids]
        looking = [
            Subscriber(ids[number % PLAYERS], secret, sockets, self.told, Random(chance.random()))
            for number in range(SUBSCRIBERS)
        ]
        self._tasks = [asyncio.create_task(player.play_on(self._over)) for player in self.players]
        self._tasks += [asyncio.create_task(one.look_on()) for one in looking]

    async def more(self) -> None:
        """Wait until everybody could play some times more. Raises: Refused, TimeoutError."""
        before = len(self.told.plays)
        async with asyncio.timeout(60):
            while len(self.told.plays) < before + PLAYS_AFTERWARDS * PLAYERS:
                self.look()
                await asyncio.sleep(0.1)

    def look(self) -> None:
        """Raise what has ended somebody: nobody ends before it is over."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def end(self) -> None:
        """Have everybody go once the last play is answered."""
        self._over.set()
        await asyncio.gather(*self._tasks[:PLAYERS])
        for task in self._tasks[PLAYERS:]:
            task.cancel()

    async def close(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        await self._http.aclose()


async def see(fault: Fault, stage: Stage, load: Load) -> Seen:
    """Let a fault happen, wait until its alerts have fired, mend it, and wait until they have ended."""
    told, alerts = stage.told, stage.site.alerts
    told.begin()
    began, before = monotonic(), len(told.plays)
    faults = []
    async with fault.happens(stage):
        if silent := await alerts.fired(fault.fires, began):
            faults.append(f"did not fire: {', '.join(sorted(silent))}")
        if fault.fires:
            await asyncio.sleep(max(0.0, LEAST_SECONDS - (monotonic() - began)))
    mended = monotonic()
    await stage.site.serves()
    if endless := await alerts.ended():
        faults.append(f"does not end: {', '.join(sorted(endless))}")
    await load.more()
    sockets, is_even = await spread(stage.site)
    if not is_even:
        faults.append(f"the sockets do not spread again: {sockets}")
    fired = alerts.since(began)
    if unmeant := {alert.name for alert in fired} - fault.fires - fault.may_fire:
        faults.append(f"fired, too: {', '.join(sorted(unmeant))}")
    if fault.is_meant and told.failed:
        faults.append(f"{told.failed.total()} attempts were not answered")
    return Seen(
        fault.name,
        mended - began,
        len(told.plays) - before,
        told.failed.copy(),
        told.replayed,
        told.slowest_seconds,
        dict(told.closed),
        sockets,
        tuple(fired),
        began,
        tuple(faults),
    )


async def spread(site: Site) -> tuple[dict[str, int], bool]:
    """Wait until each server has at least half of an even share of sockets; how many each has, and whether it does."""
    deadline = monotonic() + SPREAD_SECONDS
    while True:
        found = await site.alerts.value("haru_subscribers")
        sockets = {name: int(found.get(name, 0)) for name in site.servers}
        is_even = all(2 * len(sockets) * one >= sum(sockets.values()) > 0 for one in sockets.values())
        if is_even or monotonic() > deadline:
            return sockets, is_even
        await asyncio.sleep(1)


@asynccontextmanager
async def served(directory: Path) -> AsyncIterator[Site]:
    """Everything, from its start to its stop."""
    site = Site(directory)
    try:
        await site.start()
        yield site
    finally:
        await site.stop()


async def happen(faults: Sequence[Fault]) -> bool:
    """Let all of this happen; whether everything was as it has to be."""
    began = monotonic()
    wrong: list[str] = []
    async with served(DIRECTORY) as site:
        stage = Stage(site, Told())
        load = Load(site, stage.told)
        await stage.publish(1, few=MANY)
        await load.begin()
        await asyncio.sleep(WARM_UP_SECONDS)
        tell(f"started in {monotonic() - began:.0f} s; a minute of the alerts' is {60 / FASTER:.0f} s here")
        tell(line(*HEADINGS))
        for fault in faults:
            seen = await see(fault, stage, load)
            tell(seen.row())
            if reasons := seen.reasons():
                tell(f"    {reasons}")
            wrong += [f"{fault.name}: {what}" for what in seen.faults]
        await load.end()
        wrong += await faults_of(site, stage.told, load.players)
        await load.close()
        tell(f"{totals(stage.told)}, in {monotonic() - began:.0f} s")
    for what in wrong:
        tell(f"WRONG: {what}")
    tell(
        "not as it has to be" if wrong else "nothing acknowledged was lost, nothing happened twice; the audit is clean"
    )
    return not wrong


def tell(what: str) -> None:
    """Print it at once: a run takes minutes."""
    print(what, flush=True)


def main() -> None:
    """Go into namespaces of one's own, and let it happen there; arguments choose faults by parts of their names."""
    if "--apart" not in sys.argv:
        if lacks := list(lacking()):
            print("make ha needs:", *lacks, sep="\n  ", file=sys.stderr)
            raise SystemExit(2)
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        DIRECTORY.mkdir(parents=True)
        apart("--apart", *sys.argv[1:])
    os.umask(0o022)
    chosen = [one for one in sys.argv[1:] if one != "--apart"]
    faults = [fault for fault in FAULTS if not chosen or any(one in fault.name for one in chosen)]
    raise SystemExit(not asyncio.run(happen(faults)))


if __name__ == "__main__":
    main()
