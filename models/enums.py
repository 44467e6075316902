"""The closed vocabularies that are stored in the database and shown in the API."""

from enum import StrEnum


class FeatureType(StrEnum):
    """What a day can be about."""

    ROULETTE = "ROULETTE"
    DICE = "DICE"
    LOTTERY = "LOTTERY"
    RANKING = "RANKING"
    SEASON_PASS = "SEASON_PASS"


class RewardType(StrEnum):
    """What a reward moves: a balance, a coupon code, or nothing."""

    POINT = "POINT"
    COUPON = "COUPON"
    TOKEN = "TOKEN"
    NONE = "NONE"


BALANCE_TYPES = (RewardType.POINT, RewardType.TOKEN)
"""The rewards that are kept as a balance."""


class Language(StrEnum):
    """A language that titles and labels can be told in."""

    KO = "KO"
    EN = "EN"


class DiceOutcome(StrEnum):
    """How a game of dice ended for the player."""

    WIN = "WIN"
    DRAW = "DRAW"
    LOSE = "LOSE"


class RewardCause(StrEnum):
    """Why a ledger line exists."""

    DICE_PLAY = "DICE_PLAY"
    ROULETTE_SPIN = "ROULETTE_SPIN"
    LOTTERY_DRAW = "LOTTERY_DRAW"
    SEASON_LEVEL = "SEASON_LEVEL"
    ADMIN_GRANT = "ADMIN_GRANT"


class LineCause(StrEnum):
    """Why a ledger line exists: what granted a reward, or that a grant which waited for its coupon was given it."""

    DICE_PLAY = RewardCause.DICE_PLAY.value
    ROULETTE_SPIN = RewardCause.ROULETTE_SPIN.value
    LOTTERY_DRAW = RewardCause.LOTTERY_DRAW.value
    SEASON_LEVEL = RewardCause.SEASON_LEVEL.value
    ADMIN_GRANT = RewardCause.ADMIN_GRANT.value
    COUPON_GIVEN = "COUPON_GIVEN"


class EventName(StrEnum):
    """What an event-log row tells."""

    FEATURE_VIEW = "FEATURE_VIEW"
    PLAY = "PLAY"
    SEASON_PASS_STAMP = "SEASON_PASS_STAMP"
    SEASON_PASS_LEVEL_UP = "SEASON_PASS_LEVEL_UP"
    REWARD_CLAIM = "REWARD_CLAIM"
    REWARD_GRANT = "REWARD_GRANT"


class Role(StrEnum):
    """What a token's bearer may do."""

    PLAYER = "PLAYER"
    SERVICE = "SERVICE"
    AUDITOR = "AUDITOR"
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"
