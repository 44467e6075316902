"""`haru token`: tokens for whoever has a shell beside the database."""

from __future__ import annotations

import asyncio
from functools import partial

import click

from models import Role
from schema.context import AccessToken
from server.auth import tokens_of
from server.cli.common import actor, database_of, in_transaction, settings_or_exit
from server.clock import wall_clock
from services.request_errors import BadRequest
from services.rules import texts
from services.tokens import admit


def _external_id(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """What the API takes as an external id, too, and in the form in which it does."""
    try:
        return texts.external_id(given)
    except BadRequest as bad:
        raise click.BadParameter(bad.message) from None


@click.command()
@click.option(
    "--external-id",
    required=True,
    callback=_external_id,
    help="The player's id in your system; created on first sight.",
)
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.PLAYER.value, show_default=True)
def token(external_id: str, role: str) -> None:
    """Print an access token. The audit log tells who had it printed."""
    with database_of(settings_or_exit()) as settings:
        command = partial(admit, actor=actor("token"), action="issueToken", external_id=external_id, role=Role(role))
        player = asyncio.run(in_transaction(settings, command))
        issued: AccessToken = tokens_of(settings, wall_clock).issue(player.id, Role(role), player.tokens_valid_from)
        click.echo(issued.text)
