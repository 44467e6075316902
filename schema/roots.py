"""The root fields: who may call each, whether it plays, and which refusals it answers. The one table of it.

What is made from it: the guard of each field and the type that it answers (`resolvers/root.py`), the limit of one play
in a document (`server/app.py`), and docs/errors.md. Tests hold the schema against it, and every refusal that a client
was ever answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models import Role
from services.error_codes import ErrorCode
from services.errors import (
    AlreadyStampedToday,
    AutoClaimLevel,
    BalanceOutOfBounds,
    DailyLimitReached,
    DomainError,
    IdempotencyKeyReused,
    InvalidDiceConfig,
    InvalidFeatureSchedule,
    InvalidLotteryConfig,
    InvalidRankingUpload,
    InvalidRouletteConfig,
    InvalidSeasonConfig,
    InvalidStampSource,
    LevelNotFound,
    LevelNotReached,
    LockNotAcquired,
    NoActiveSeason,
    NoActiveSeasonConflict,
    NoFeatureToday,
    NotFound,
    OutOfStock,
    RankingNotFound,
    RevisionConflict,
    RewardAlreadyClaimed,
    UserBlocked,
    ValidationFailed,
    WarningsUnacknowledged,
)
from services.rules.registry import GAMES

Refusals = tuple[type[DomainError], ...]
"""Errors that are answered as data, in the order in which they are checked."""

PLAYERS = frozenset({Role.PLAYER})
EVERYBODY = frozenset(Role)
TOKEN_ISSUERS = frozenset({Role.SERVICE, Role.ADMIN})
READERS = frozenset({Role.AUDITOR, Role.OPERATOR, Role.ADMIN})
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True)
class Root:
    """A root field. One that refuses nothing as data answers its type itself, every other a union with the refusals."""

    roles: frozenset[Role]
    refusals: Refusals = ()
    tells: Refusals = ()
    """Errors that it has not met itself, but tells about: their codes are in what it answers."""

    reserved: Refusals = ()
    """Members of its union that it does not answer yet, so that one day it may without breaking a client."""

    plays: bool = False
    """Whether it is a player's command. One document has one at most, so that a retry repeats just that."""

    result: str = ""
    """The union's name, for a field that shares another's; else it is the field's own, as PlayDiceResult."""


SEASON: Refusals = (NoActiveSeason, NoActiveSeasonConflict, InvalidSeasonConfig)
PUBLISHED: Refusals = (ValidationFailed, RevisionConflict, WarningsUnacknowledged, LockNotAcquired)
CHANGED: Refusals = (ValidationFailed, RevisionConflict, LockNotAcquired)
UNWARNED: Refusals = (WarningsUnacknowledged,)
"""What a command that there is no warning about yet may answer one day."""


def _play(invalid: type[DomainError], *drawing: type[DomainError]) -> Root:
    """Play a game: `invalid` is for a broken revision of it, `drawing` what its draw itself may refuse."""
    checked = (IdempotencyKeyReused, UserBlocked, NoFeatureToday, invalid, RevisionConflict, DailyLimitReached)
    season = (NoActiveSeasonConflict, InvalidSeasonConfig)
    return Root(PLAYERS, (*checked, *season, *drawing, BalanceOutOfBounds, LockNotAcquired), plays=True)


QUERIES: Mapping[str, Root] = {
    "me": Root(EVERYBODY),
    "clock": Root(EVERYBODY),
    "session": Root(EVERYBODY),
    "node": Root(EVERYBODY),
    "nodes": Root(EVERYBODY),
    "todayFeature": Root(EVERYBODY, (NoFeatureToday, InvalidFeatureSchedule)),
    "diceStatus": Root(PLAYERS, (NoFeatureToday, InvalidDiceConfig)),
    "rouletteStatus": Root(PLAYERS, (NoFeatureToday, InvalidRouletteConfig)),
    "lotteryStatus": Root(PLAYERS, (NoFeatureToday, InvalidLotteryConfig)),
    "seasonPassStatus": Root(PLAYERS, SEASON),
    "rankingSnapshot": Root(EVERYBODY, (NoFeatureToday, RankingNotFound)),
    "oddsSheets": Root(EVERYBODY),
    "drawConformance": Root(READERS),
    "drawCommitments": Root(EVERYBODY),
    "featureSchedule": Root(READERS),
    "scheduleIssues": Root(
        READERS,
        tells=(
            NoFeatureToday,
            InvalidFeatureSchedule,
            *(game.invalid for game in GAMES.values()),
            OutOfStock,
            *SEASON,
            RankingNotFound,
        ),
    ),
    "featureConfigs": Root(READERS),
    "diceConfigs": Root(READERS),
    "rouletteConfigs": Root(READERS),
    "lotteryConfigs": Root(READERS),
    "seasons": Root(READERS),
    "players": Root(READERS),
    "player": Root(READERS),
    "userEvents": Root(READERS),
    "auditLog": Root(READERS),
    "couponPools": Root(READERS),
}

MUTATIONS: Mapping[str, Root] = {
    "playDice": _play(InvalidDiceConfig),
    "spinRoulette": _play(InvalidRouletteConfig),
    "drawLottery": _play(InvalidLotteryConfig, OutOfStock),
    "stamp": Root(
        PLAYERS,
        (
            IdempotencyKeyReused,
            UserBlocked,
            *SEASON,
            InvalidStampSource,
            AlreadyStampedToday,
            BalanceOutOfBounds,
            LockNotAcquired,
        ),
        plays=True,
    ),
    "claimReward": Root(
        PLAYERS,
        (
            IdempotencyKeyReused,
            UserBlocked,
            *SEASON,
            LevelNotFound,
            LevelNotReached,
            AutoClaimLevel,
            RewardAlreadyClaimed,
            BalanceOutOfBounds,
            LockNotAcquired,
        ),
        plays=True,
    ),
    "issueToken": Root(TOKEN_ISSUERS, (LockNotAcquired,)),
    "upsertFeatureSchedule": Root(OPERATORS, CHANGED, reserved=UNWARNED),
    "upsertFeatureConfig": Root(OPERATORS, CHANGED, reserved=UNWARNED),
    "upsertDiceConfig": Root(OPERATORS, PUBLISHED),
    "upsertRouletteConfig": Root(OPERATORS, PUBLISHED),
    "upsertLotteryConfig": Root(OPERATORS, PUBLISHED),
    "republishConfig": Root(
        OPERATORS,
        (ValidationFailed, NotFound, RevisionConflict, WarningsUnacknowledged, LockNotAcquired),
        result="ConfigResult",
    ),
    "withdrawConfig": Root(
        OPERATORS,
        (ValidationFailed, NotFound, LockNotAcquired),
        reserved=(RevisionConflict, WarningsUnacknowledged),
        result="ConfigResult",
    ),
    "adjustStock": Root(
        OPERATORS,
        (ValidationFailed, NotFound, RevisionConflict, LockNotAcquired),
        reserved=UNWARNED,
    ),
    "upsertSeason": Root(OPERATORS, (NotFound, *PUBLISHED)),
    "removeSeason": Root(OPERATORS, (NotFound, *CHANGED), reserved=UNWARNED, result="RemoveResult"),
    "removeScheduledDay": Root(OPERATORS, (NotFound, *CHANGED), reserved=UNWARNED, result="RemoveResult"),
    "uploadRanking": Root(OPERATORS, (InvalidRankingUpload, ValidationFailed, RevisionConflict, LockNotAcquired)),
    "publishRanking": Root(OPERATORS, CHANGED, reserved=UNWARNED),
    "deleteRanking": Root(OPERATORS, (RankingNotFound, RevisionConflict, LockNotAcquired), reserved=UNWARNED),
    "grantReward": Root(
        ADMINS,
        (ValidationFailed, NotFound, IdempotencyKeyReused, WarningsUnacknowledged, LockNotAcquired),
        reserved=(RevisionConflict,),
    ),
    "revokeTokens": Root(ADMINS, (ValidationFailed, NotFound, WarningsUnacknowledged, LockNotAcquired)),
    "setPlayerBlocked": Root(ADMINS, (ValidationFailed, NotFound, LockNotAcquired), reserved=UNWARNED),
}

SUBSCRIPTIONS: Mapping[str, Root] = {
    "todayFeatureChanged": Root(EVERYBODY, QUERIES["todayFeature"].refusals, result="TodayFeatureResult"),
    "rankingPublished": Root(EVERYBODY, QUERIES["rankingSnapshot"].refusals, result="RankingSnapshotResult"),
    "lotteryStockChanged": Root(PLAYERS, QUERIES["lotteryStatus"].refusals, result="LotteryStatusResult"),
}

ROOTS: Mapping[str, Root] = {**QUERIES, **MUTATIONS, **SUBSCRIPTIONS}

PLAYING = frozenset(name for name, root in ROOTS.items() if root.plays)


def result_name(field: str) -> str:
    """The name of the union that a root field answers."""
    return ROOTS[field].result or f"{field[0].upper()}{field[1:]}Result"


def fields_of(result: str) -> Mapping[str, Root]:
    """The root fields that answer the union of this name."""
    return {name: root for name, root in ROOTS.items() if root.refusals and result_name(name) == result}


def codes(refusals: Refusals) -> list[ErrorCode]:
    """What clients know these refusals by."""
    return [refusal.code for refusal in refusals]
