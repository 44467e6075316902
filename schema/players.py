"""Players: accounts, balances, the ledger, and tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from uuid import UUID

import strawberry
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode
from strawberry.types.nodes import SelectedField, Selection

from models import EXTERNAL_ID_LENGTH, RewardCause, RewardType, Role
from schema.connections import After, Connection, First, connection_of, decode_cursor, instant, page_size, row_number
from schema.context import AccessToken, Info
from schema.described import described
from schema.events import UserEvent, event_key
from schema.inputs import REASON, TextInput
from schema.nodes import Kind, Node, node_id
from schema.owners import player_with
from schema.plays import GamePlay, play_of
from schema.rewards import Balance, RewardInput
from schema.scalars import BigInt
from schema.staff import StaffInput, StaffPayload
from services import players
from services.changes import MutationMode, Outcome
from services.grants import Granted
from services.history import LedgerLine
from services.paging import PageOf
from services.reads import ListName, ListPage
from services.request_errors import BadRequest
from services.rules.texts import rule

ROWS = 20
LISTS = frozenset[str](ListName)


@described
@strawberry.type
class RewardEntry(Node):
    """A line of the ledger: one grant, and why. Lines are never changed or removed."""

    type: RewardType = strawberry.field(description="What was granted.")
    amount: BigInt = strawberry.field(description="How much; negative where a staff grant reverses an earlier one.")
    balance_after: BigInt | None = strawberry.field(description="POINT and TOKEN: the balance after this line.")
    cause: RewardCause = strawberry.field(description="Why.")
    cause_id: strawberry.ID = strawberry.field(
        description="The id of what caused it, a play's is the play's; one line a cause."
    )
    coupon_code: str | None = strawberry.field(description="COUPON: the code; null while the grant waits for one.")
    created_at: dt.datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, line: LedgerLine) -> RewardEntry:
        """Convert."""
        return cls(
            id=node_id(Kind.REWARD_ENTRY, line.user_id, line.line_no),
            type=line.reward_type,
            amount=BigInt(line.amount),
            balance_after=None if line.balance_after is None else BigInt(line.balance_after),
            cause=RewardCause(line.cause),
            cause_id=node_id(Kind[line.cause], line.user_id, line.cause_id),
            coupon_code=line.coupon_code,
            created_at=line.created_at,
        )


@described
@strawberry.type
class Player(Node):
    """Somebody who plays, or a member of staff."""

    external_id: str = strawberry.field(description="The id in the system that sent the player here; unique.")
    is_blocked: bool = strawberry.field(description="Whether plays, stamps and claims are refused.")
    created_at: dt.datetime = strawberry.field(description="When the first token was issued.")
    key: strawberry.Private[UUID]

    @described
    @strawberry.field
    async def balances(self, info: Info) -> list[Balance]:
        """What the player has of POINT and TOKEN; 0 where there never was any."""
        held = await info.context.loaders.balances.load(self.key)
        return [Balance(type=reward_type, amount=BigInt(amount)) for reward_type, amount in held.items()]

    @described
    @strawberry.field
    async def rewards(
        self, info: Info, first: First = ROWS, after: After = strawberry.UNSET
    ) -> Connection[RewardEntry]:
        """The ledger, newest first."""
        wanted = page_of(ListName.REWARDS, self.key, first, after)
        page = await info.context.loaders.ledgers.load(wanted)
        return connection_of(page, lambda line: [line.line_no], RewardEntry.of)

    @described
    @strawberry.field
    async def plays(self, info: Info, first: First = ROWS, after: After = strawberry.UNSET) -> Connection[GamePlay]:
        """Plays of all games, newest first."""
        wanted = page_of(ListName.PLAYS, self.key, first, after)
        page = await info.context.loaders.plays.load(wanted)
        return connection_of(page, lambda play: [play.played_at, play.id], partial(play_of, player_id=self.key))

    @described
    @strawberry.field
    async def events(self, info: Info, first: First = ROWS, after: After = strawberry.UNSET) -> Connection[UserEvent]:
        """What the player did and what was done for the player, newest first."""
        wanted = page_of(ListName.EVENTS, self.key, first, after)
        page = await info.context.loaders.events.load(wanted)
        return connection_of(page, event_key, UserEvent.of)

    @classmethod
    def of(cls, row: players.PlayerRow) -> Player:
        """Convert."""
        return cls(
            id=node_id(Kind.PLAYER, row.id),
            key=row.id,
            external_id=row.external_id,
            is_blocked=row.is_blocked,
            created_at=row.created_at,
        )


def page_of(name: ListName, player_id: UUID, first: int, after: str | None) -> PageOf:
    """The page of a player's list that these arguments ask for. Raises: BadRequest."""
    key = decode_cursor(after, row_number) if name is ListName.REWARDS else decode_cursor(after, instant, UUID)
    return PageOf(player_id, page_size(first), key)


def wanted_pages(info: Info, player_id: UUID) -> set[ListPage]:
    """The pages of the lists right below the field that is resolved, so that they can be read with the player.

    Some may be skipped by a directive and are read for nothing; faulty arguments are left to the lists to refuse.
    """
    raw = info._raw_info
    if not any(_names_list(node.selection_set, raw.fragments) for node in raw.field_nodes):
        return set()  # most ask for none, and to convert what is selected costs more than all the rest
    return set(_pages((part for field in info.selected_fields for part in field.selections), player_id))


def _names_list(selected: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether one of the lists is selected, directly or by a fragment."""
    for selection in selected.selections if selected else ():
        match selection:
            case FieldNode(name=name):
                found = name.value in LISTS
            case FragmentSpreadNode(name=name):
                found = _names_list(fragments[name.value].selection_set, fragments)
            case InlineFragmentNode(selection_set=part):
                found = _names_list(part, fragments)
        if found:
            return True
    return False


def _pages(selections: Iterable[Selection], player_id: UUID) -> Iterator[ListPage]:
    for selection in selections:
        if not isinstance(selection, SelectedField):
            yield from _pages(selection.selections, player_id)
        elif selection.name in LISTS:
            first, after = selection.arguments.get("first"), selection.arguments.get("after")
            with suppress(BadRequest):
                size = ROWS if first is None else int(first)
                yield (name := ListName(selection.name)), page_of(name, player_id, size, after)


@described
@strawberry.input(one_of=True)
class PlayerBy(TextInput):
    """What a player is known by: exactly one of these."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The id in this API.")
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The whole id in the system that sent the player here."
    )
    coupon_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="A coupon code that was given to the player, to the letter."
    )
    play_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="A play's id.")


@described
@strawberry.input
class IssueTokenInput(TextInput):
    """Issue a token. The player is created on first sight."""

    external_id: str = strawberry.field(
        description=f"The player's id in the calling system: {rule(EXTERNAL_ID_LENGTH)}."
    )
    role: Role = strawberry.field(default=Role.PLAYER, description="Only ADMIN may ask for another role than PLAYER.")


@described
@strawberry.type
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


@described
@strawberry.input
class GrantRewardInput(StaffInput):
    """Grant a reward by hand, or take one back."""

    idempotency_key: str = strawberry.field(
        description="Unique per player: 1 to 128 printable ASCII characters. Retry with the same key; the first line "
        "comes again and nothing is granted twice. Keys are kept for 30 days."
    )
    player_id: strawberry.ID = strawberry.field(description="To whom.")
    reward: RewardInput = strawberry.field(
        description="POINT and TOKEN: -1,000,000,000 to 1,000,000,000 and not 0; a negative amount reverses an earlier "
        "grant, and the balance stays 0 or more. COUPON: 1, with its couponType."
    )
    reason: str = strawberry.field(description=REASON)


@described
@strawberry.input
class SetPlayerBlockedInput(StaffInput):
    """Block a player, or let one play again."""

    player_id: strawberry.ID = strawberry.field(description="Whom.")
    blocked: bool = strawberry.field(description="Whether plays, stamps and claims are refused from now on.")
    reason: str = strawberry.field(description=REASON)


@described
@strawberry.input
class RevokeTokensInput(StaffInput):
    """Revoke the tokens of an account, a player's or one of staff."""

    player_id: strawberry.ID = strawberry.field(description="Whose.")
    reason: str = strawberry.field(description=REASON)


@described
@strawberry.type
class RevokeTokensPayload(StaffPayload):
    """The account whose tokens no longer hold. Every server refuses them within a second; a new one holds."""

    player: Player | None = strawberry.field(description="Whose tokens were revoked; null in a dry run.")


@described
@strawberry.type
class SetPlayerBlockedPayload(StaffPayload):
    """The account that is blocked, or no longer."""

    player: Player | None = strawberry.field(description="The account as it is now; null in a dry run.")


@described
@strawberry.type
class GrantRewardPayload(StaffPayload):
    """A reward, as it was granted by hand."""

    entry: RewardEntry | None = strawberry.field(
        description="The line of the ledger; null in a dry run of what is not granted yet."
    )
    replayed: bool = strawberry.field(description="Whether the key had granted it before: this is the line of then.")
    player_key: strawberry.Private[UUID]

    @described
    @strawberry.field
    async def player(self, info: Info) -> Player:
        """To whom, as the player is now."""
        return await player_with(info, self.player_key)

    @classmethod
    def granted(cls, outcome: Outcome[Granted], mode: MutationMode) -> GrantRewardPayload:
        """Convert."""
        replayed, entry = outcome.made.replayed, RewardEntry.of(outcome.made.line)
        shown = entry if replayed else lambda _: entry
        return cls.of(outcome, mode, entry=shown, replayed=replayed, player_key=outcome.made.line.user_id)
