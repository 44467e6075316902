"""Players: accounts, balances, the ledger, and tokens."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import strawberry

from models import RewardType, Role
from schema.connections import After, Connection, First, connection_of, decode_cursor, page_size
from schema.context import AccessToken, Info
from schema.errors import Problem
from schema.rewards import Balance
from schema.scalars import BigInt
from services import players


@strawberry.type(description="A line of the ledger: one grant, and why. Lines are never changed or removed.")
class RewardEntry:
    """A line of the ledger."""

    id: strawberry.ID = strawberry.field(description="The line's id.")
    type: RewardType = strawberry.field(description="What was granted.")
    amount: BigInt = strawberry.field(description="How much; negative where a staff grant reverses an earlier one.")
    balance_after: BigInt | None = strawberry.field(description="POINT and TOKEN: the balance after this line.")
    cause: str = strawberry.field(
        description="Why: DICE_PLAY, ROULETTE_SPIN, LOTTERY_DRAW, SEASON_LEVEL or ADMIN_GRANT."
    )
    cause_id: strawberry.ID = strawberry.field(description="The id of what caused it; one line a cause.")
    coupon_code: str | None = strawberry.field(description="COUPON: the code; null while the grant waits for one.")
    created_at: dt.datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, line: players.LedgerLine) -> RewardEntry:
        """Convert."""
        return cls(
            id=strawberry.ID(f"{line.user_id}-{line.line_no}"),
            type=line.reward_type,
            amount=BigInt(line.amount),
            balance_after=None if line.balance_after is None else BigInt(line.balance_after),
            cause=line.cause,
            cause_id=strawberry.ID(str(line.cause_id)),
            coupon_code=line.coupon_code,
            created_at=line.created_at,
        )


@strawberry.type(description="Somebody who plays, or a member of staff.")
class Player:
    """A player."""

    id: strawberry.ID = strawberry.field(description="The player's id: `sub` in their tokens.")
    external_id: str = strawberry.field(description="The id in the system that sent the player here; unique.")
    is_blocked: bool = strawberry.field(description="Whether plays, stamps and claims are refused.")
    created_at: dt.datetime = strawberry.field(description="When the first token was issued.")

    @strawberry.field(description="What the player has of POINT and TOKEN; 0 where there never was any.")
    async def balances(self, info: Info) -> list[Balance]:
        """The balances."""
        held = await players.balances(info.context.app.database, int(self.id))
        return [Balance(type=reward_type, amount=BigInt(amount)) for reward_type, amount in held.items()]

    @strawberry.field(description="The ledger, newest first.")
    async def rewards(self, info: Info, first: First = 20, after: After = None) -> Connection[RewardEntry]:
        """The ledger."""
        cursor = decode_cursor(after, int)
        page = await players.ledger(
            info.context.app.database,
            int(self.id),
            first=page_size(first),
            before_line=cursor[0] if cursor else None,
        )
        return connection_of(page, lambda line: [line.line_no], RewardEntry.of)

    @classmethod
    def of(cls, row: players.PlayerRow) -> Player:
        """Convert."""
        return cls(
            id=strawberry.ID(str(row.id)),
            external_id=row.external_id,
            is_blocked=row.is_blocked,
            created_at=row.created_at,
        )


@strawberry.input(description="Issue a token. The player is created on first sight.")
class IssueTokenInput:
    """Issue a token."""

    external_id: str = strawberry.field(
        description="The player's id in the calling system: 1 to 128 printable characters."
    )
    role: Role = strawberry.field(default=Role.PLAYER, description="Only ADMIN may ask for another role than PLAYER.")


@strawberry.type(description="A signed access token.")
class IssuedToken:
    """A signed access token."""

    access_token: str = strawberry.field(description="Send it as `Authorization: Bearer <accessToken>`.")
    token_type: str = strawberry.field(description="Always Bearer.")
    expires_at: dt.datetime = strawberry.field(description="When it expires.")
    player: Player = strawberry.field(description="Whom it names.")

    @classmethod
    def of(cls, token: AccessToken, player: players.PlayerRow) -> IssuedToken:
        """Convert."""
        return cls(access_token=token.text, token_type="Bearer", expires_at=token.expires_at, player=Player.of(player))


IssueTokenResult = Annotated[
    IssuedToken | Problem, strawberry.union("IssueTokenResult", description="A token. Codes: LOCK_NOT_ACQUIRED.")
]
