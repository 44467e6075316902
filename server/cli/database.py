"""`haru db`: upgrading, verifying, filling and tidying the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import SystemRandom  # noqa: TID251 (a command is a process of its own)
from typing import Any, TypeVar

import click

from server.cli.common import (
    application_role,
    connected,
    database_of,
    in_transaction,
    named_role,
    owner_url_of,
    settings_or_exit,
    url_of,
)
from server.cli.telling import json_option, looking, print_json, working
from server.clock import wall_clock
from server.demo import load_demo
from server.migrations.roles import grants, make_grants
from server.migrations.upgrade import EXPECTED_REVISION, upgrade
from server.migrations.verification import CannotVerifyError, Verified, verify
from server.postgres.suitability import ONE_ROLE
from server.seed_keys import seed_keys_of
from server.settings import Settings
from services.calendar import Calendar
from services.database import Database
from services.maintenance import Maintained, maintain, prune_all
from services.seeds import Seeds
from services.transaction import Transactor

ResultT = TypeVar("ResultT")


@click.group()
def db() -> None:
    """Upgrade, verify or fill the database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the expected revision. Deployments that do so at the same time take turns.

    Where HARU_OWNER_URL is another role's address than DATABASE_URL, the application's role is given its rights, too.
    """
    with database_of(settings_or_exit(), as_owner=True) as settings, working("upgrading"):
        upgrade_with_rights(settings)
        click.echo(f"alembic_version: {EXPECTED_REVISION}")


def upgrade_with_rights(settings: Settings) -> None:
    """Upgrade, and give the application's role what it needs, where that is not the owner's."""
    upgrade(owner_url_of(settings))
    if (role := application_role(settings)) is not None:
        asyncio.run(make_grants(owner_url_of(settings), role))


@db.command("roles")
@click.option("--role", help="The application's role. [default: the one of DATABASE_URL]")
@click.option("--sql", is_flag=True, help="Print the statements instead, for whoever may run them.")
@click.option("--schema", default="public", show_default=True, help="With --sql: where haru's tables are.")
def db_roles(*, role: str | None, sql: bool, schema: str) -> None:
    """Give the application's role its rights on haru's tables, and take all others from it and from everybody.

    The role is there (CREATE ROLE haru LOGIN PASSWORD '...'), the tables, too. Done by the owner (HARU_OWNER_URL); it
    can be done again at any time. After `haru db upgrade` with both addresses it is done already.
    """
    if sql:
        name = role or named_role(settings_or_exit())
        for statement in ("BEGIN", *grants(name, schema), "COMMIT"):
            click.echo(f"{statement};")
        return
    with database_of(settings_or_exit(), as_owner=True) as settings:
        if (found := role or application_role(settings)) is None:
            raise click.ClickException(ONE_ROLE)
        asyncio.run(make_grants(owner_url_of(settings), found))
        click.echo(f"{found} may do what haru does, and nothing else.")


@db.command("verify")
@json_option
def db_verify(*, as_json: bool) -> None:
    """Tell whether the database is as the migrations make it; exit 1 if it is not, 2 if it could not look.

    Prints its alembic_version and the expected one, and everything that is missing, differs or is extra: tables,
    columns, constraints, indexes, triggers, rules, functions and rights. A constraint that is not validated and a
    trigger that is switched off differ. An extra index that is not unique, or an extra function, is named, but is no
    fault, unless the function runs with its owner's rights.

    The migrations run in a scratch schema and are rolled back, so nothing changes and nobody waits. The role needs
    CREATE on the database, as its owner has.

    Where HARU_OWNER_URL is another role's address than DATABASE_URL, a right that the application lacks, and one too
    many, whoever has it, differ as well; where it is not, that is told, and no fault.
    """
    with looking(), database_of(settings_or_exit(), as_owner=True) as settings, working("verifying"):
        role = application_role(settings)
        try:
            verified = asyncio.run(verify(owner_url_of(settings), role=role))
        except CannotVerifyError as failed:
            raise click.ClickException(str(failed)) from None
    if as_json:
        print_json(_report(verified))
    else:
        _tell(verified, role)
    if not verified.is_expected:
        raise SystemExit(1)


def _report(verified: Verified) -> dict[str, Any]:
    """What was verified, for programs."""
    return {
        "isExpected": verified.is_expected,
        "revision": verified.revision,
        "expectedRevision": EXPECTED_REVISION,
        "findings": [{"isFault": finding.is_fault, "finding": str(finding)} for finding in verified.findings],
        "models": list(map(str, verified.models)),
    }


def _tell(verified: Verified, role: str | None) -> None:
    """The same for people."""
    click.echo(f"alembic_version: {verified.revision or 'none'}\nexpected:        {EXPECTED_REVISION}")
    if role is None:
        click.echo(f"warning: {ONE_ROLE}", err=True)
    for finding in verified.findings:
        click.echo(str(finding), err=True)
    for difference in verified.models:
        click.echo(f"the models differ from the migrations: {difference}", err=True)


@db.command("demo")
def db_demo() -> None:
    """Add the demo data (local environment only). What is there stays; HARU_DEMO_TODAY=DICE sets today's feature."""
    with database_of(settings_or_exit()) as settings:
        if not settings.is_local:
            raise click.ClickException("Demo data is for the local environment.")
        asyncio.run(in_transaction(settings, lambda tx: load_demo(tx, settings.demo_today)))
        click.echo("The demo data is there.")


@db.command("prune")
@json_option
def db_prune(*, as_json: bool) -> None:
    """Delete idempotency keys that are older than 30 days, and print how many: for a daily job.

    A key is promised for 30 days; a request that comes again with an older one is a new request. Deletes in chunks of
    5,000, each in a transaction of its own, so that nobody waits; it can be stopped and run again at any time.
    """
    with database_of(settings_or_exit()) as settings, working("deleting"):
        deleted = asyncio.run(_with_database(settings, lambda _, transact: prune_all(transact)))
    if as_json:
        print_json({"deleted": deleted})
    else:
        click.echo(f"deleted: {deleted}")


@db.command("maintain")
@json_option
def db_maintain(*, as_json: bool) -> None:
    """Do what is overdue: old keys deleted, seeds and roots made, days closed, the ledger sealed. Print how far it is.

    Servers do all of it by themselves: this is for a daily job all the same, and for times when no server is up. It
    needs no more than the application's rights, and is safe at any time, by several at once, and to be run again.
    Exit 0 when all is done; 1 when something could not be, with the cause.
    """
    with database_of(settings_or_exit()) as settings, working("maintaining"):
        keys = seed_keys_of(settings)

        async def work(database: Database, transact: Transactor) -> Maintained:
            seeds = Seeds(database, Calendar(settings.zone), wall_clock, SystemRandom(), keys)
            return await maintain(database, transact, seeds, wall_clock)

        done = asyncio.run(_with_database(settings, work))
    if as_json:
        print_json(_json(done))
    else:
        click.echo("\n".join(f"{name}: {to}" for name, to in _progress(done).items()))
    if done.fault is not None:
        raise click.ClickException(f"Nothing can be drawn: {done.fault}")


def _progress(done: Maintained) -> dict[str, object]:
    return {
        "keys deleted": done.keys_deleted,
        "seeds committed to until": done.seeds_to or "none",
        "roots of draws until": done.roots_to or "none",
        "seeds revealed until": done.revealed_to or "none",
        "last seal": done.seal or "none",
    }


def _json(done: Maintained) -> dict[str, object]:
    days = {"seedsTo": done.seeds_to, "rootsTo": done.roots_to, "revealedTo": done.revealed_to}
    isoformat = {name: day and day.isoformat() for name, day in days.items()}
    return {"keysDeleted": done.keys_deleted, **isoformat, "seal": done.seal, "fault": done.fault}


async def _with_database(settings: Settings, work: Callable[[Database, Transactor], Awaitable[ResultT]]) -> ResultT:
    async with connected(url_of(settings)) as database:
        return await work(database, Transactor(database, Calendar(settings.zone), wall_clock, SystemRandom()))
