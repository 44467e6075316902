"""A line as it is hashed: its text is for ever, and whoever audits has it too."""

from __future__ import annotations

import datetime as dt
import hashlib
from uuid import UUID
from zoneinfo import ZoneInfo

from models import LEDGER_START, LineCause, RewardCause, RewardType
from services.answers import Reward
from services.ledger import Chain, canonical, chain, new_line, next_hash

ALICE, BOB = UUID(int=1), UUID(int=2)
AT = dt.datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=ZoneInfo("Asia/Seoul"))


def test_the_canonical_line_is_literally_this() -> None:
    """In UTC to the microsecond, whatever zone an instant comes in."""
    head = Chain(0, LEDGER_START)
    points = Reward(RewardType.POINT, 100)
    line = new_line(ALICE, head, points, cause=RewardCause.DICE_PLAY, cause_id=BOB, now=AT, balance_after=130)
    assert canonical(line) == (
        b"haru line 1\n00000000-0000-0000-0000-000000000001\n1\n2026-03-02T03:00:00.000005Z\nDICE_PLAY\n"
        b"00000000-0000-0000-0000-000000000002\nPOINT\n100\n130\n\n"
    )
    coupon = Reward(RewardType.COUPON, 0, "커피")
    line = new_line(ALICE, head, coupon, cause=LineCause.COUPON_GIVEN, cause_id=BOB, now=AT, coupon_id=7)
    assert canonical(line) == (
        b"haru line 1\n00000000-0000-0000-0000-000000000001\n2\n2026-03-02T03:00:00.000005Z\nCOUPON_GIVEN\n"
        b"00000000-0000-0000-0000-000000000002\nCOUPON\n0\n\n7\n" + "커피".encode()
    )


def test_lines_are_chained_each_to_its_player_s() -> None:
    """The hash covers the one before, which is 32 zero bytes at first."""
    heads = {player: Chain(0, LEDGER_START) for player in (ALICE, BOB)}
    token = Reward(RewardType.TOKEN, 1)
    lines = [
        new_line(player, heads[player], token, cause=RewardCause.ADMIN_GRANT, cause_id=UUID(int=n), now=AT)
        for n, player in enumerate([ALICE, BOB, ALICE])
    ]
    chain(lines, heads)
    first = hashlib.sha256(bytes(32) + canonical(lines[0])).digest()
    assert [line["line_no"] for line in lines] == [1, 1, 2]
    assert [line["hash"] for line in lines] == [
        first,
        next_hash(bytes(32), lines[1]),
        hashlib.sha256(first + canonical(lines[2])).digest(),
    ]
    assert heads == {ALICE: Chain(2, lines[2]["hash"]), BOB: Chain(1, lines[1]["hash"])}
