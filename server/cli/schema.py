"""`haru schema`: the GraphQL schema, as clients' generators read it."""

from __future__ import annotations

import click

from resolvers.schema import players_sdl, sdl


@click.command("schema")
@click.option("--player", is_flag=True, help="What players may call of it, for small typed clients.")
def print_schema(*, player: bool) -> None:
    """Print the GraphQL schema."""
    click.echo(players_sdl() if player else sdl(), nl=False)
