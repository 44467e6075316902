"""Who may call which root field: the one table of it."""

from __future__ import annotations

from collections.abc import Mapping

from models import Role

PLAYERS = frozenset({Role.PLAYER})
EVERYBODY = frozenset(Role)
TOKEN_ISSUERS = frozenset({Role.SERVICE, Role.ADMIN})
READERS = frozenset({Role.AUDITOR, Role.OPERATOR, Role.ADMIN})
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

PERMISSIONS: Mapping[str, frozenset[Role]] = {
    "me": EVERYBODY,
    "todayFeature": EVERYBODY,
    "diceStatus": PLAYERS,
    "rouletteStatus": PLAYERS,
    "lotteryStatus": PLAYERS,
    "seasonPassStatus": PLAYERS,
    "rankingSnapshot": EVERYBODY,
    "featureSchedule": READERS,
    "scheduleIssues": READERS,
    "featureConfigs": READERS,
    "diceConfigs": READERS,
    "rouletteConfigs": READERS,
    "lotteryConfigs": READERS,
    "seasons": READERS,
    "players": READERS,
    "userEvents": READERS,
    "auditLog": READERS,
    "playDice": PLAYERS,
    "spinRoulette": PLAYERS,
    "drawLottery": PLAYERS,
    "stamp": PLAYERS,
    "claimReward": PLAYERS,
    "issueToken": TOKEN_ISSUERS,
    "upsertFeatureSchedule": OPERATORS,
    "upsertFeatureConfig": OPERATORS,
    "upsertDiceConfig": OPERATORS,
    "upsertRouletteConfig": OPERATORS,
    "upsertLotteryConfig": OPERATORS,
    "upsertSeason": OPERATORS,
    "uploadRanking": OPERATORS,
    "publishRanking": OPERATORS,
    "deleteRanking": OPERATORS,
    "grantReward": ADMINS,
    "setPlayerBlocked": ADMINS,
    "todayFeatureChanged": EVERYBODY,
    "rankingPublished": EVERYBODY,
    "lotteryStockChanged": PLAYERS,
}
