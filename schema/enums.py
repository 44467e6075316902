"""The enums of the API: the domain's own, with descriptions."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from models import DiceOutcome, EventName, FeatureType, Language, RewardCause, RewardType, Role
from schema.described import docstring
from services.changes import MutationMode
from services.error_codes import ErrorCode, ScheduleIssueCode, WarningCode
from services.errors import DomainError, HaruError, public_message
from services.request_errors import RequestError


class LevelRewardState(StrEnum):
    """How a level's reward stands for the caller."""

    LOCKED = "LOCKED"
    CLAIMABLE = "CLAIMABLE"
    CLAIMED = "CLAIMED"


def _describe(enum: type[StrEnum], **values: str) -> None:
    """Make an enum part of the API, described by its docstring. Raises: KeyError when a value has no description."""
    definition = strawberry.enum(enum, description=docstring(enum)).__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]


def _errors_by_code() -> dict[str, str]:
    """Every code with the public message of the exception that carries it."""
    messages: dict[str, str] = {}
    families: list[type[HaruError]] = [DomainError, RequestError]
    while families:
        error = families.pop()
        families.extend(error.__subclasses__())
        if error.code not in messages or "code" in vars(error):
            messages[error.code] = public_message(error)
    return messages


_describe(
    FeatureType,
    ROULETTE="A wheel of six segments.",
    DICE="Two dice against the dealer's two.",
    LOTTERY="A draw among prizes, some in limited stock.",
    RANKING="The day's published ranking.",
    SEASON_PASS="The season pass itself.",
)
_describe(
    RewardType,
    POINT="Points, kept as a balance.",
    COUPON="A coupon code.",
    TOKEN="Tokens, kept as a balance.",
    NONE="Nothing.",
)
_describe(Language, KO="Korean.", EN="English.")
_describe(
    DiceOutcome,
    WIN="The player's sum is higher.",
    DRAW="Both sums are the same.",
    LOSE="The dealer's sum is higher.",
)
_describe(
    RewardCause,
    DICE_PLAY="A game of dice.",
    ROULETTE_SPIN="A spin of the roulette.",
    LOTTERY_DRAW="A draw of the lottery.",
    SEASON_LEVEL="A level of the season pass.",
    ADMIN_GRANT="A grant by hand, or what takes one back.",
)
_describe(
    EventName,
    FEATURE_VIEW="A player saw the day's feature, for the first time on that day.",
    PLAY="A player played a game.",
    SEASON_PASS_STAMP="The season pass was stamped, by a play or by itself.",
    SEASON_PASS_LEVEL_UP="A stamp reached one level or more.",
    REWARD_CLAIM="A player claimed a level's reward.",
    REWARD_GRANT="Staff granted a reward by hand, or took one back.",
)
_describe(
    LevelRewardState,
    LOCKED="The level is not reached yet.",
    CLAIMABLE="Reached; `claimReward` gives it.",
    CLAIMED="Given, by itself or by `claimReward`.",
)
_describe(
    Role,
    PLAYER="Plays.",
    SERVICE="Issues tokens to players.",
    AUDITOR="Reads what staff may read.",
    OPERATOR="Reads, schedules and publishes.",
    ADMIN="All of that, and grants rewards, blocks players and issues staff tokens.",
)
_describe(
    MutationMode,
    RUN="Carry it out.",
    DRY_RUN="Check everything and show what would change, and change nothing.",
)
_describe(
    ScheduleIssueCode,
    **{code: message for code, message in _errors_by_code().items() if code in set(ScheduleIssueCode)},
    COUPON_POOL_EMPTY="No code is left of a coupon that the day's game may give: grants wait for the next import.",
    DRAW_ALARM="What was drawn of the day's game did not fit its published odds; no ADMIN has said why it may go on.",
)
_describe(
    WarningCode,
    COUPON_TYPE_UNKNOWN="No code of this coupon type was ever imported.",
    COUPON_POOL_EMPTY="No code of this coupon type is left.",
    PAYOUT_FAR_ABOVE_BEFORE="A play would be worth far more than before.",
    UNLIMITED_PLAYS_OF_VALUE="Plays without a daily limit would give what is of value.",
    GRANT_FAR_ABOVE_USUAL="This grant is far larger than others.",
    STOCK_RESTATED="A prize's stock would be stated anew, and some of its former one is left.",
)
_describe(ErrorCode, **_errors_by_code())
