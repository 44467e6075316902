"""Players: accounts, balances, the ledger, and tokens."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

import strawberry

from models import RewardType, Role
from schema.connections import After, Connection, First, connection_of, decode_cursor, instant, page_size, row_number
from schema.context import AccessToken, Info
from schema.errors import Problem, ValidationFailed
from schema.events import UserEvent, event_key
from schema.games import GamePlay, play_of
from schema.rewards import Balance, RewardInput
from schema.scalars import BigInt
from services import players
from services.history import LedgerLine
from services.paging import PageOf


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
    def of(cls, line: LedgerLine) -> RewardEntry:
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
        held = await info.context.loaders.balances.load(int(self.id))
        return [Balance(type=reward_type, amount=BigInt(amount)) for reward_type, amount in held.items()]

    @strawberry.field(description="The ledger, newest first.")
    async def rewards(self, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[RewardEntry]:
        """The ledger."""
        wanted = PageOf(int(self.id), page_size(first), decode_cursor(after, row_number))
        page = await info.context.loaders.ledgers.load(wanted)
        return connection_of(page, lambda line: [line.line_no], RewardEntry.of)

    @strawberry.field(description="Plays of all games, newest first.")
    async def plays(self, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[GamePlay]:
        """The plays."""
        wanted = PageOf(int(self.id), page_size(first), decode_cursor(after, instant, UUID))
        page = await info.context.loaders.plays.load(wanted)
        return connection_of(page, lambda play: [play.played_at, play.id], play_of)

    @strawberry.field(description="What the player did and what was done for the player, newest first.")
    async def events(self, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserEvent]:
        """The events."""
        wanted = PageOf(int(self.id), page_size(first), decode_cursor(after, instant, UUID))
        page = await info.context.loaders.events.load(wanted)
        return connection_of(page, event_key, UserEvent.of)

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


@strawberry.input(description="Grant a reward by hand, or take one back.")
class GrantRewardInput:
    """Grant a reward by hand."""

    idempotency_key: str = strawberry.field(
        description="Unique per player: 1 to 128 printable ASCII characters. Retry with the same key; the first line "
        "comes again and nothing is granted twice. Keys are kept for 30 days."
    )
    player_id: strawberry.ID = strawberry.field(description="To whom.")
    reward: RewardInput = strawberry.field(
        description="POINT and TOKEN: -1,000,000,000 to 1,000,000,000 and not 0; a negative amount reverses an earlier "
        "grant, and the balance stays 0 or more. COUPON: 1, with its couponType."
    )
    reason: str = strawberry.field(description="Why, for the audit log: 1 to 500 printable characters.")


@strawberry.input(description="Block a player, or let one play again.")
class SetPlayerBlockedInput:
    """Block a player."""

    player_id: strawberry.ID = strawberry.field(description="Whom.")
    blocked: bool = strawberry.field(description="Whether plays, stamps and claims are refused from now on.")
    reason: str = strawberry.field(description="Why, for the audit log: 1 to 500 printable characters.")


GrantRewardResult = Annotated[
    RewardEntry | ValidationFailed | Problem,
    strawberry.union(
        "GrantRewardResult",
        description="The new line of the ledger. Codes: VALIDATION_FAILED, NOT_FOUND, IDEMPOTENCY_KEY_REUSED, "
        "LOCK_NOT_ACQUIRED.",
    ),
]
SetPlayerBlockedResult = Annotated[
    Player | ValidationFailed | Problem,
    strawberry.union(
        "SetPlayerBlockedResult",
        description="The player. Codes: VALIDATION_FAILED, NOT_FOUND, LOCK_NOT_ACQUIRED.",
    ),
]
