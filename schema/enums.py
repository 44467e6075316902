"""The enums of the API: the domain's own, with descriptions."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from models import DiceOutcome, FeatureType, RewardType, Role
from services.errors import ErrorCode, HaruError, public_message


class LevelRewardState(StrEnum):
    """How a level's reward stands for a player."""

    LOCKED = "LOCKED"
    CLAIMABLE = "CLAIMABLE"
    CLAIMED = "CLAIMED"


def _describe(enum: type[StrEnum], description: str, **values: str) -> None:
    """Make an enum part of the API. Raises: KeyError when a value has no description."""
    definition = strawberry.enum(enum, description=description).__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]


def _errors_by_code() -> dict[str, str]:
    """Every code with the public message of the exception that carries it."""
    messages: dict[str, str] = {}
    families = [HaruError]
    while families:
        error = families.pop()
        families.extend(error.__subclasses__())
        if error.code not in messages or "code" in vars(error):
            messages[error.code] = public_message(error)
    return messages


_describe(
    FeatureType,
    "What a day is about.",
    ROULETTE="A wheel of six segments.",
    DICE="Two dice against the dealer's two.",
    LOTTERY="A draw among prizes, some in limited stock.",
    RANKING="The day's published ranking.",
    SEASON_PASS="The season pass itself.",
)
_describe(
    RewardType,
    "What a reward is made of.",
    POINT="Points, kept as a balance.",
    COUPON="A coupon code.",
    TOKEN="Tokens, kept as a balance.",
    NONE="Nothing.",
)
_describe(
    DiceOutcome,
    "How a game of dice ended for the player.",
    WIN="The player's sum is higher.",
    DRAW="Both sums are the same.",
    LOSE="The dealer's sum is higher.",
)
_describe(
    LevelRewardState,
    "How a level's reward stands for the caller.",
    LOCKED="The level is not reached yet.",
    CLAIMABLE="Reached; `claimReward` gives it.",
    CLAIMED="Given, by itself or by `claimReward`.",
)
_describe(
    Role,
    "What a token's bearer may do.",
    PLAYER="Plays.",
    SERVICE="Issues tokens to players.",
    AUDITOR="Reads what staff may read.",
    OPERATOR="Reads, schedules and publishes.",
    ADMIN="All of that, and grants rewards, blocks players and issues staff tokens.",
)
_describe(ErrorCode, "What went wrong, for a program to switch on. docs/errors.md explains each.", **_errors_by_code())
