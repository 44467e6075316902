"""How staff act: one command in one transaction, under their name in the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from schema.context import Info
from services.audit import actor_of
from services.transaction import Transaction

Result = TypeVar("Result")


async def as_staff(info: Info, command: Callable[[Transaction, str], Awaitable[Result]]) -> Result:
    """Run `command` with the caller as its actor.

    Raises: Unauthenticated when there is no such account, and what the command raises.
    """
    me = info.context.me

    async def run(tx: Transaction) -> Result:
        return await command(tx, await actor_of(tx, me.player_id, me.role))

    return await info.context.app.transact(run)
