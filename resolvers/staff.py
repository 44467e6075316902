"""How staff act: one command in one transaction, in the audit log under their name and the root field's."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from schema.context import Info
from schema.staff import StaffInput
from services.audit import Actor, actor_of
from services.changes import MutationMode, Outcome
from services.transaction import Transaction

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


class Command(Protocol[ResultT_co]):
    """What staff do, with all that it needs but the transaction, the actor and the action: `partial(command, ...)`."""

    def __call__(self, tx: Transaction, *, actor: Actor, action: str) -> Awaitable[ResultT_co]:
        """Do it."""


async def as_staff(info: Info, command: Command[ResultT]) -> ResultT:
    """Run `command` with the caller as its actor and the field as its action.

    Raises: Unauthenticated when there is no such account, and what the command raises.
    """
    me = info.context.me

    async def run(tx: Transaction) -> ResultT:
        return await command(tx, actor=await actor_of(tx, me), action=info.field_name)

    return await info.context.app.transact(run)


async def tried(
    info: Info,
    input: StaffInput,  # noqa: A002 (the contract's name)
    command: Command[Outcome[ResultT]],
) -> Outcome[ResultT]:
    """Run `command` as `as_staff` does; a dry run of it writes nothing, and its warnings are told, not refused.

    Raises: Unauthenticated, WarningsUnacknowledged, and what the command raises.
    """
    me, is_dry = info.context.me, input.mode is MutationMode.DRY_RUN

    async def run(tx: Transaction) -> Outcome[ResultT]:
        outcome = await command(tx, actor=await actor_of(tx, me), action=info.field_name)
        if not is_dry:
            outcome.refuse_unacknowledged(input.acknowledge)
        return outcome

    return await info.context.app.transact(run, dry_run=is_dry)
