"""The audit log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

import strawberry

from models import Role
from schema.context import Info
from schema.described import described
from schema.inputs import TextInput, given
from schema.nodes import Kind, Node, node_id, player_of
from schema.scalars import JSON
from services.audit import AuditRow, EntryFilter

FindNode = Callable[[Info, str], Awaitable[Node | None]]
"""Finds the node that is written as an entry's target."""


@described
@strawberry.type
class AuditEntry(Node):
    """What a member of staff changed. Entries are never changed or removed."""

    actor: str = strawberry.field(description="Who: external id and role, as `demo-admin (ADMIN)`.")
    actor_id: strawberry.ID | None = strawberry.field(
        description="Whose account that is; null: somebody at a command line beside the database."
    )
    actor_role: Role | None = strawberry.field(description="As what; null: at a command line.")
    action: str = strawberry.field(description="What: the mutation's name, or the command's.")
    target: str = strawberry.field(description="Of what, as `feature_schedule 2026-03-02` or `player` and an id.")
    before: JSON | None = strawberry.field(description="What it was; null where there was nothing.")
    after: JSON | None = strawberry.field(description="What it became; null where nothing is left.")
    created_at: dt.datetime = strawberry.field(description="When.")
    find: strawberry.Private[FindNode]

    @described
    @strawberry.field
    async def target_node(self, info: Info) -> Node | None:
        """Of what, as it is now; null where it is gone, or is no node, as a pool of coupons."""
        return await self.find(info, self.target)

    @classmethod
    def of(cls, row: AuditRow, find: FindNode) -> AuditEntry:
        """Convert."""
        return cls(
            id=node_id(Kind.AUDIT_ENTRY, row.id),
            actor=row.actor,
            actor_id=None if row.actor_id is None else node_id(Kind.PLAYER, row.actor_id),
            actor_role=row.actor_role,
            action=row.action,
            target=row.target,
            before=None if row.before is None else JSON(row.before),
            after=None if row.after is None else JSON(row.after),
            created_at=row.created_at,
            find=find,
        )


@described
@strawberry.input
class AuditFilter(TextInput):
    """Which entries are wanted: all that fit every condition given."""

    actor_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Of this member of staff alone."
    )
    action: str | None = strawberry.field(
        default=strawberry.UNSET, description="Of this mutation alone, as upsertFeatureSchedule."
    )
    target_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Of this node alone; of a ranking's snapshot: of its day."
    )
    from_: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, name="from", description="From this instant on."
    )
    to: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Before this instant.")

    def to_filter(self, target: str | None) -> EntryFilter:
        """Convert, `target` being what `target_id` names; the id of no account finds nothing."""
        actor_id = given(self.actor_id)
        return EntryFilter(
            actor_id=None if actor_id is None else player_of(actor_id),
            action=given(self.action),
            target=target,
            since=given(self.from_),
            until=given(self.to),
        )
