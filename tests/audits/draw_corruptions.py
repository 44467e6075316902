"""The corruptions of draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from models import LEAVES_OF_A_CHUNK
from services.roots import DRAWS
from services.rules.draws import day_root, leaf_of, message_of
from services.rules.merkle import root_of
from tests.audits.corruptions import Row, row, seeds
from tests.audits.insider import Insider

LAST = "SELECT * FROM lottery_log ORDER BY draw_no DESC LIMIT 1"
UNLIKE = """
SELECT * FROM dice_log WHERE user_dice_1 <> user_dice_2 OR dealer_dice_1 <> dealer_dice_2 ORDER BY created_at LIMIT 1
"""
SWAPPED = """
UPDATE dice_log SET user_dice_1 = user_dice_2, user_dice_2 = user_dice_1, dealer_dice_1 = dealer_dice_2,
    dealer_dice_2 = dealer_dice_1, rolls = ARRAY[rolls[2], rolls[1], rolls[4], rolls[3]] WHERE id = $1
"""


DAY = "SELECT * FROM draw_root WHERE draws > 0"
KEPT = """
INSERT INTO draw_leaves (date, chunk, least, leaves, root) VALUES ($1, $2, substr($3::bytea, 1, 32), $3, $4)
"""


async def leaves_of(insider: Insider, date: dt.date) -> list[bytes]:
    """The leaves of a date's draws, as the logs have them."""
    draws: Any = (await insider.connection.exec_driver_sql(DRAWS, (date,))).all()
    return sorted(leaf_of(message_of(date, *draw[:4]), draw.rolls) for draw in draws)


async def keep(insider: Insider, date: dt.date, leaves: Sequence[bytes]) -> None:
    """Make a day's root of these leaves, and keep them."""
    made = "UPDATE draw_root SET root = $1, draws = $2 WHERE date = $3"
    await insider.run(made, day_root(leaves), len(leaves), date)
    await insider.connection.exec_driver_sql("DELETE FROM draw_leaves WHERE date = $1", (date,))
    for chunk, at in enumerate(range(0, len(leaves), LEAVES_OF_A_CHUNK)):
        some = leaves[at : at + LEAVES_OF_A_CHUNK]
        await insider.run(KEPT, date, chunk, b"".join(some), root_of(some))


@seeds("draws.outcomes")
async def a_draw_is_from_other_weights(insider: Insider) -> Row:
    draw = await insider.row(LAST)
    await insider.run("UPDATE lottery_log SET drawn_from = '{2}' WHERE id = $1", draw.id)
    return row("lottery_log", draw)


@seeds("draws.seeds")
async def dice_fall_in_another_order(insider: Insider) -> Row:
    """And the day's root is made of them."""
    play = await insider.row(UNLIKE)
    await insider.run(SWAPPED, play.id)
    dice = {"userDice": [play.user_dice_2, play.user_dice_1], "dealerDice": [play.dealer_dice_2, play.dealer_dice_1]}
    await insider.answer(play.user_id, play.id, "drawn", {"type": "dice", **dice, "outcome": play.outcome})
    await keep(insider, play.business_date, await leaves_of(insider, play.business_date))
    return row("dice_log", play)


@seeds("draws.roots")
async def a_root_is_of_other_draws(insider: Insider) -> Row:
    """And so are the leaves that are kept."""
    date = (await insider.row(DAY)).date
    _, *others = await leaves_of(insider, date)
    await keep(insider, date, [bytes(32), *others])
    return "draw_root", {"date": str(date)}


@seeds("draws.leaves")
async def a_draw_cannot_be_shown_to_be_in_its_day(insider: Insider) -> Row:
    """Another leaf is kept in its place, and the chunk's root is made of that."""
    day = await insider.row(DAY)
    _, *others = await leaves_of(insider, day.date)
    await keep(insider, day.date, [bytes(32), *others])
    await insider.run("UPDATE draw_root SET root = $1 WHERE date = $2", day.root, day.date)
    return "draw_root", {"date": str(day.date)}


@seeds("alarms.told")
async def an_alarm_is_not_over_any_more(insider: Insider) -> Row:
    reopened = "UPDATE draw_alarm SET closed_at = NULL RETURNING id"
    return "draw_alarm", {"id": (await insider.row(reopened)).id}


@seeds("draws.numbers")
async def a_draw_is_left_out(insider: Insider) -> Row:
    draw = await insider.row(LAST)
    await insider.run("UPDATE lottery_log SET draw_no = draw_no + 1 WHERE id = $1", draw.id)
    await insider.run("UPDATE lottery_day SET draws = draws + 1 WHERE date = $1", draw.business_date)
    return row("lottery_log", draw)
