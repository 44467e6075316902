"""The `haru` command, and its commands."""

from __future__ import annotations

from collections import UserDict
from pkgutil import resolve_name
from typing import Any

import click

COMMANDS = {
    "audit": "server.cli.audit:audit",
    "coupons": "server.cli.coupons:coupons",
    "db": "server.cli.database:db",
    "schedule": "server.cli.schedule:schedule",
    "schema": "server.cli.schema:print_schema",
    "seal": "server.cli.seal:seal_ledger",
    "seeds": "server.cli.seeds:seeds",
    "serve": "server.cli.serve:serve",
    "token": "server.cli.tokens:token",
    "transcript": "server.cli.transcript:print_transcript",
    "verify": "server.cli.verify:verify",
}


class Imported(UserDict[str, Any]):
    """Imports a command when it is called: most of them need no GraphQL schema, which takes a second to make."""

    def __getitem__(self, name: str) -> click.Command:
        """The command of a name."""
        command: click.Command = resolve_name(self.data[name])
        return command


@click.group(commands=Imported(COMMANDS), context_settings={"help_option_names": ["-h", "--help"]})
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
