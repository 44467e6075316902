"""What staff look up."""

from __future__ import annotations

import datetime as dt

import strawberry

from schema.scalars import JSON
from services.lookups import AuditRow


@strawberry.type(description="What a member of staff changed. Entries are never changed or removed.")
class AuditEntry:
    """What a member of staff changed."""

    id: strawberry.ID = strawberry.field(description="The entry's id.")
    actor: str = strawberry.field(description="Who: external id and role, as `demo-admin (ADMIN)`.")
    action: str = strawberry.field(description="What: the mutation's name, or the command's.")
    target: str = strawberry.field(description="Of what, as `feature_schedule 2026-03-02` or `player 17`.")
    before: JSON | None = strawberry.field(description="What it was; null where there was nothing.")
    after: JSON | None = strawberry.field(description="What it became; null where nothing is left.")
    created_at: dt.datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, row: AuditRow) -> AuditEntry:
        """Convert."""
        return cls(
            id=strawberry.ID(str(row.id)),
            actor=row.actor,
            action=row.action,
            target=row.target,
            before=None if row.before is None else JSON(row.before),
            after=None if row.after is None else JSON(row.after),
            created_at=row.created_at,
        )
