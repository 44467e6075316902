"""How staff act: one command in one transaction, under their name in the audit log."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from schema.context import Info
from services.audit import actor_of
from services.transaction import Transaction

Result = TypeVar("Result")
Made_co = TypeVar("Made_co", covariant=True)


class Command(Protocol[Made_co]):
    """What staff do, with all that it needs but the transaction and the actor: `partial(command, ...)`."""

    def __call__(self, tx: Transaction, *, actor: str) -> Awaitable[Made_co]:
        """Do it."""


async def as_staff(info: Info, command: Command[Result]) -> Result:
    """Run `command` with the caller as its actor.

    Raises: Unauthenticated when there is no such account, and what the command raises.
    """
    me = info.context.me

    async def run(tx: Transaction) -> Result:
        return await command(tx, actor=await actor_of(tx, me.player_id, me.role))

    return await info.context.app.transact(run)
