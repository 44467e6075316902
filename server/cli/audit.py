"""`haru audit`: whether everything in the database follows from what else is in it."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from server.cli.common import DATE, application_role, database_of, owner_url_of, settings_or_exit
from server.cli.telling import CouldNotLookError, json_option, print_json, watched
from server.clock import wall_clock
from server.migrations.verification import CannotVerifyError, verify
from server.settings import Settings
from services.audits.check import ALWAYS, Check, Finding, Snapshot
from services.audits.registry import CHECKS
from services.audits.run import Looked, Progress, look, reading
from services.audits.seals import copies, unseen
from services.calendar import Calendar
from services.seal_copies import CopyError, read_copies

DEFINITIONS = "Tables, constraints, triggers, functions and rights are as they are made; nothing turns durability off."


@dataclass(frozen=True)
class Report:
    """What each check found, and what could not be seen."""

    looked: Sequence[Looked]
    unseen: Sequence[str]

    @property
    def count(self) -> int:
        """How many rows are not as they ought to be."""
        return sum(one.count for one in self.looked)


@click.command("audit")
@json_option
@click.option(
    "--since",
    type=DATE,
    help="Trust what happened before this day, in the event's time zone.",
)
@click.option(
    "--seals",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the seals that is kept outside: haru seal --out FILE.",
)
def audit(*, as_json: bool, since: dt.date | None, seals: Path | None) -> None:
    """Work out anew what ought to be in the database; exit 1 if something is not, 2 if that could not be done.

    Each finding names its check, the table, the row's key and what is wrong. Everything is read in one snapshot;
    nothing is changed, and nobody waits. docs/verify.md tells what an audit shows, and what it cannot.
    """
    with _could_not_run(seals), database_of(settings_or_exit(), as_owner=True) as settings:
        role = application_role(settings)
        report = asyncio.run(_audit(settings, role, since, seals, hidden=as_json))
    if as_json:
        print_json(_json(report))
    else:
        click.echo("\n".join(_lines(report)))
    if report.count:
        raise SystemExit(1)


@contextmanager
def _could_not_run(seals: Path | None) -> Iterator[None]:
    try:
        yield
    except CopyError as broken:
        raise CouldNotLookError(f"{seals}: {broken}.") from None
    except click.ClickException as failed:
        raise CouldNotLookError(failed.message) from None


async def _audit(
    settings: Settings, role: str | None, since: dt.date | None, seals: Path | None, *, hidden: bool
) -> Report:
    url, calendar, now = owner_url_of(settings), Calendar(settings.zone), wall_clock()
    trusted = calendar.starts_at(since) if since else ALWAYS
    with _kept(seals) as against_copies:
        checks = (*CHECKS, *against_copies, definitions_of(url, role))
        async with reading(url) as connections:
            snapshots = [Snapshot(connection, calendar, now, trusted) for connection in connections]
            with _progress(checks, hidden=hidden) as progress:
                looked = await look(snapshots, checks, progress=progress)
            told = await unseen(snapshots[0], has_copy=seals is not None)
    if since is not None:
        told.append(f"what happened before {since}: it is trusted")
    return Report(looked, told)


@contextmanager
def _kept(seals: Path | None) -> Iterator[list[Check]]:
    """The check against a copy of the seals, where there is one."""
    if seals is None:
        yield []
        return
    with seals.open(encoding="utf-8") as lines:
        yield [copies(read_copies(lines))]


def definitions_of(url: str, role: str | None) -> Check:
    """The check of the database's own rules and rights, which compares them as `haru db verify` does."""

    async def find(_: Snapshot) -> AsyncIterator[Finding]:
        try:
            verified = await verify(url, role=role)
        except CannotVerifyError as failed:
            raise click.ClickException(str(failed)) from None
        for finding in verified.findings:
            if finding.is_fault:
                thing = finding.thing
                key = {"kind": thing.kind} | ({"name": thing.name} if thing.name else {})
                yield Finding(thing.table or "", key, str(finding))

    return Check("database.definitions", DEFINITIONS, find)


@contextmanager
def _progress(checks: Sequence[Check], *, hidden: bool) -> Iterator[Progress]:
    """Show which check is under way, where a terminal looks on."""

    def begin(done: int, check: Check) -> None:
        bar.update(done - bar.pos, check)
        bar.render_progress()

    show: Callable[[Check | None], str] = lambda check: check.name if check else ""  # noqa: E731
    hidden = hidden or not watched()
    with click.progressbar(
        length=len(checks), label="auditing", item_show_func=show, file=sys.stderr, hidden=hidden
    ) as bar:
        yield begin
        bar.update(len(checks) - bar.pos)


def _lines(report: Report) -> Iterator[str]:
    """The findings for people to read, and what was looked at, and what was not."""
    for one in report.looked:
        for finding in one.findings:
            key = ", ".join(f"{name} {value}" for name, value in finding.key.items())
            yield f"{one.check.name}: {finding.table} ({key}): {finding.fault}"
        if one.count > len(one.findings):
            yield f"{one.check.name}: and {one.count - len(one.findings)} more"
    yield f"{len(report.looked)} checks, {report.count} findings"
    for what in report.unseen:
        yield f"not seen: {what}"


def _json(report: Report) -> dict[str, Any]:
    """The same for programs."""
    return {
        "findings": report.count,
        "checks": [
            {
                "check": one.check.name,
                "promise": one.check.promise,
                "count": one.count,
                "findings": [
                    {"table": finding.table, "key": finding.key, "fault": finding.fault} for finding in one.findings
                ],
            }
            for one in report.looked
        ],
        "notSeen": list(report.unseen),
    }
