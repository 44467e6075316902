"""What proves draws."""

from __future__ import annotations

from resolvers.root import root
from schema.context import Info
from schema.draws import DrawCommitment
from schema.schedule import From, To
from services.proofs import commitments


@root
async def draw_commitments(info: Info, from_: From, to: To) -> list[DrawCommitment]:
    """What each day's seed is committed to by, by day: public ahead of the day, the seed itself after it."""
    return [DrawCommitment.of(one) for one in await commitments(info.context.app.database, from_, to)]
