"""The `haru` command, and its commands."""

from __future__ import annotations

import click

from resolvers.schema import players_sdl, sdl
from server.cli.audit import audit
from server.cli.conformance import verify_odds
from server.cli.coupons import coupons
from server.cli.database import db
from server.cli.schedule import schedule
from server.cli.seal import seal_ledger
from server.cli.seeds import seeds
from server.cli.serve import serve
from server.cli.tokens import token
from server.cli.transcript import print_transcript, verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="haru")
def main() -> None:
    """haru: the backend of daily live events.

    Without DATABASE_URL every command uses an embedded PostgreSQL, whose data is in HARU_STATE_DIR (default: .haru in
    the checkout; of an installed haru, in the current directory); it runs as long as a command uses it. Settings are
    environment variables: see docs/deploy.md.

    \b
    haru serve                              run the API; local: with demo data and tokens to try it
    haru db upgrade && haru db verify       before a deployment
    haru db roles                           what the application may do with the tables
    haru token --external-id alice          a player's token
    haru schedule check --days 14           what is wrong with the days ahead
    haru coupons import FILE --type COFFEE  more codes for a pool, first for the grants that wait
    haru db maintain                        what is overdue, daily
    haru audit                              whether everything follows from what happened
    haru seal --out FILE                    seals of the ledger, to be kept elsewhere
    haru seeds list                         what each day's draws are committed to by
    haru verify odds                        whether what is drawn fits the published odds
    haru transcript --date 2026-03-02       a day's draws; haru verify draws FILE checks them

    Exit codes: 0, done, and nothing is wrong; 1, refused or failed, or faults were found; 2, a wrong command line, or a
    command that looks for faults could not look. --json, where a command has it, is for programs.
    """  # noqa: D301 (\b is click's mark of a paragraph to leave as it is)


for command in (serve, db, token, schedule, coupons, audit, seal_ledger, seeds, print_transcript, verify):
    main.add_command(command)
verify.add_command(verify_odds)


@main.command("schema")
@click.option("--player", is_flag=True, help="What players may call of it, for small typed clients.")
def print_schema(*, player: bool) -> None:
    """Print the GraphQL schema."""
    click.echo(players_sdl() if player else sdl(), nl=False)
