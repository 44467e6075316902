"""The Python of docs/verify.md computes the hash of every line, whatever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from models import LEDGER_START
from tests.docs.examples import DOCS
from tests.goods import COFFEE, admin, grant, grant_of
from tests.ledgers import LINES
from tests.services.test_coupons import load
from tests.world import World, forge

CLAIM = 'mutation { claimReward(input: {idempotencyKey: "claim", level: 2}) { __typename } }'


def documented() -> Callable[..., bytes]:
    """The function that the page shows, run as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "verify.md").read_text(encoding="utf-8"), re.DOTALL)
    shown: dict[str, Any] = {}
    exec(code, shown)
    hash_of: Callable[..., bytes] = shown["hash_of"]
    return hash_of


async def test_anybody_can_compute_a_line_s_hash(world: World) -> None:
    """A play, a level that was claimed, a grant, one that is taken back, and a coupon given later."""
    alice, ada, hash_of = await world.player(), await admin(world), documented()
    await forge(world.sql, "UPDATE dice_config SET draw_reward_amount = 30, lose_reward_amount = 10")
    await world.sql.execute("UPDATE season_pass_level SET required_xp = level, auto_claim = false")
    assert (await alice.play())["reward"]["amount"] > 0
    assert (await alice.execute(CLAIM))["data"]["claimReward"]["__typename"] == "ClaimRewardPayload"
    await grant(ada, grant_of(alice, {"type": "TOKEN", "amount": 7}, idempotencyKey="a"))
    await grant(ada, grant_of(alice, {"type": "TOKEN", "amount": -3}, idempotencyKey="b"))
    await grant(ada, grant_of(alice, COFFEE, idempotencyKey="c"))
    await grant(ada, grant_of(alice, COFFEE | {"couponType": "차 한 잔"}, idempotencyKey="d"))
    await load(world, ["T-1"], "차 한 잔")

    lines, previous, written = await world.sql.fetch(LINES), LEDGER_START, []
    for line in lines:
        assert hash_of(dict(line), previous) == line["hash"]
        previous = line["hash"]
        written.append((line["cause"], line["amount"], line["coupon_id"] is not None))
    assert written[0] == ("DICE_PLAY", lines[0]["amount"], False)
    assert written[1][0] == "SEASON_LEVEL"
    assert written[2:] == [
        ("ADMIN_GRANT", 7, False),
        ("ADMIN_GRANT", -3, False),
        ("ADMIN_GRANT", 1, True),
        ("ADMIN_GRANT", 1, False),
        ("COUPON_GIVEN", 0, True),
    ]
    assert lines[-1]["cause_id"] == lines[-2]["cause_id"]
    assert hash_of(dict(lines[0])) == lines[0]["hash"]
    assert hash_of(dict(lines[0]) | {"amount": 1}) != lines[0]["hash"]
