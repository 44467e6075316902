"""Dice: two for the player against two for the dealer."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, SmallInt, bounded, text_enum
from models.enums import DiceOutcome, RewardType
from models.games import (
    PlayLog,
    Revision,
    Withdrawal,
    play_log_constraints,
    revision_constraints,
    reward_constraints,
    withdrawal_constraints,
)


class DiceConfig(Revision, Base):
    """A revision of the dice game: the daily limit and the reward of each outcome."""

    __tablename__ = "dice_config"
    __table_args__ = (
        *revision_constraints("max_daily_plays"),
        *reward_constraints("win_"),
        *reward_constraints("draw_"),
        *reward_constraints("lose_"),
    )

    max_daily_plays: Mapped[int]
    win_reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "win_reward_type"))
    win_reward_amount: Mapped[int]
    win_coupon_type: Mapped[str | None]
    draw_reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "draw_reward_type"))
    draw_reward_amount: Mapped[int]
    draw_coupon_type: Mapped[str | None]
    lose_reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "lose_reward_type"))
    lose_reward_amount: Mapped[int]
    lose_coupon_type: Mapped[str | None]


class DiceWithdrawal(Withdrawal, Base):
    """A revision of the dice game that was taken back before it began."""

    __tablename__ = "dice_withdrawal"
    __table_args__ = withdrawal_constraints("dice_config")


class DiceLog(PlayLog, Base):
    """One play: the four dice, the outcome that they mean, and the reward."""

    __tablename__ = "dice_log"
    __table_args__ = (
        *play_log_constraints(),
        *(bounded(die, 1, 6) for die in ("user_dice_1", "user_dice_2", "dealer_dice_1", "dealer_dice_2")),
        CheckConstraint(
            "outcome = CASE sign(user_dice_1 + user_dice_2 - dealer_dice_1 - dealer_dice_2)"
            " WHEN 1 THEN 'WIN' WHEN 0 THEN 'DRAW' ELSE 'LOSE' END",
            name="outcome_sums",
        ),
    )

    config_id: Mapped[int] = mapped_column(ForeignKey("dice_config.id"))
    user_dice_1: Mapped[SmallInt]
    user_dice_2: Mapped[SmallInt]
    dealer_dice_1: Mapped[SmallInt]
    dealer_dice_2: Mapped[SmallInt]
    outcome: Mapped[DiceOutcome] = mapped_column(text_enum(DiceOutcome, "outcome"))
