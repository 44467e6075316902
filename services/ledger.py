r"""The reward ledger: every line of it is made and chained here, whoever grants.

Each player's lines are a chain. A line's hash is SHA-256(hash of the line before + canonical line), where 32 zero bytes
stand before the first, and the player's row holds its head: how many lines there are, and the hash of the last. So a
line that is changed, left out or put between shows, unless every hash after it is made again, the head too: that is
what the seals are for.

The canonical line is the UTF-8 text of eleven lines joined by "\n", none at the end:

    haru line 1
    the player's id, a UUID
    the number of the line, from 1
    when, in UTC to the microsecond: 2026-03-02T03:00:00.000000Z
    the cause, such as DICE_PLAY
    the cause's id, a UUID
    POINT, TOKEN or COUPON
    the amount
    the balance after it; empty for a coupon
    the id of the coupon that the line hands out, a whole number; empty where it hands out none
    the type of the coupon, which is the name of its pool; empty where there is none

No external id, no code and no words about a player are in it: a player can be forgotten, and the chain still holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from models import LineCause, RewardCause
from services.answers import Reward
from services.transaction import Transaction

Line = dict[str, Any]
"""A line by its columns."""

COLUMNS: Mapping[str, str] = {
    "user_id": "uuid",
    "line_no": "bigint",
    "created_at": "timestamptz",
    "cause": "text",
    "cause_id": "uuid",
    "reward_type": "text",
    "amount": "bigint",
    "balance_after": "bigint",
    "coupon_id": "bigint",
    "coupon_type": "text",
    "hash": "bytea",
}
"""The columns in the order of the canonical line, and their types."""

APPEND = f"""
WITH heads AS (
    UPDATE "user" u SET ledger_lines = h.line_no, ledger_hash = h.hash
    FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS h(id, line_no, hash) WHERE u.id = h.id
)
INSERT INTO reward_ledger ({", ".join(COLUMNS)})
SELECT * FROM unnest({", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(COLUMNS.values(), start=4))})
"""  # noqa: S608 (only the constants above)


class Head(Protocol):
    """The head of a player's chain: the number of its last line, and the hash of that."""

    ledger_lines: int
    ledger_hash: bytes


@dataclass(slots=True)
class Chain:
    """The head of a chain, read from the player's row, which the caller has locked."""

    ledger_lines: int
    ledger_hash: bytes


def new_line(
    player_id: UUID,
    head: Head,
    reward: Reward,
    *,
    cause: RewardCause | LineCause,
    cause_id: UUID,
    now: dt.datetime,
    balance_after: int | None = None,
    coupon_id: int | None = None,
) -> Line:
    """The player's next line, not chained yet: what it hands out may still have to be found."""
    head.ledger_lines += 1
    return {
        "user_id": player_id,
        "line_no": head.ledger_lines,
        "created_at": now,
        "cause": cause,
        "cause_id": cause_id,
        "reward_type": reward.type,
        "amount": reward.amount,
        "balance_after": balance_after,
        "coupon_id": coupon_id,
        "coupon_type": reward.coupon_type,
    }


def instant(at: dt.datetime) -> str:
    """An instant as it is hashed: in UTC to the microsecond, 2026-03-02T03:00:00.000000Z."""
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def canonical(line: Mapping[str, Any]) -> bytes:
    """A line as it is hashed; see the module's text."""
    at, balance, coupon = instant(line["created_at"]), line["balance_after"], line["coupon_id"]
    return (
        f"haru line 1\n{line['user_id']}\n{line['line_no']}\n{at}\n{line['cause']}\n{line['cause_id']}\n"
        f"{line['reward_type']}\n{line['amount']}\n{'' if balance is None else balance}\n"
        f"{'' if coupon is None else coupon}\n{line['coupon_type'] or ''}"
    ).encode()


def next_hash(previous: bytes, line: Mapping[str, Any]) -> bytes:
    """The hash of a line after one whose hash is `previous`."""
    return sha256(previous + canonical(line)).digest()


def chain(lines: Iterable[Line], heads: Mapping[UUID, Head]) -> None:
    """Hash lines, whole and in their order, each onto the chain of its player, and move the heads on."""
    for line in lines:
        head = heads[line["user_id"]]
        head.ledger_hash = line["hash"] = next_hash(head.ledger_hash, line)


async def append(tx: Transaction, heads: Mapping[UUID, Chain], lines: Sequence[Line]) -> None:
    """Chain lines of these players, all locked, and write them; each player's state is another from now on."""
    chain(lines, heads)
    moved = (list(heads), [head.ledger_lines for head in heads.values()], [head.ledger_hash for head in heads.values()])
    columns = ([line[name] for line in lines] for name in COLUMNS)
    await tx.connection.exec_driver_sql(APPEND, (*moved, *columns))
