"""What staff send, for tests: valid inputs to change, and the mutations that take them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from models import Role
from tests.world import Client, World

REWARD = "{ type amount couponType }"
ANSWERS = {
    "upsertFeatureSchedule": "... on ScheduledDay { date featureType isActive revision }",
    "upsertFeatureConfig": "... on FeatureConfig { featureType title pagePath isEnabled stampXpBonus revision }",
    "upsertDiceConfig": f"""... on DiceConfig {{ id name revision isActive publishedAt maxDailyPlays
        winReward {REWARD} drawReward {REWARD} loseReward {REWARD} }}""",
    "upsertRouletteConfig": f"""... on RouletteConfig {{ id name revision isActive publishedAt maxDailySpins
        segments {{ id slot label isJackpot odds {{ weight totalWeight percent }} reward {REWARD} }} }}""",
    "upsertLotteryConfig": f"""... on LotteryConfig {{ id name revision isActive publishedAt maxDailyTickets
        prizes {{ id label stock isActive odds {{ weight totalWeight }} reward {REWARD} }} }}""",
    "upsertSeason": f"""... on Season {{ id name startDate endDate maxLevel baseXpPerStamp revision
        levels {{ level requiredXp autoClaim reward {REWARD} }} }}""",
}

POINTS = {"type": "POINT", "amount": 10}
NOTHING = {"type": "NONE", "amount": 0}
COFFEE = {"type": "COUPON", "amount": 1, "couponType": "COFFEE"}

INPUTS: dict[str, dict[str, Any]] = {
    "upsertFeatureSchedule": {"date": "2026-03-03", "featureType": "DICE", "expectedRevision": 1},
    "upsertFeatureConfig": {
        "featureType": "DICE",
        "title": "Dice",
        "pagePath": "/dice",
        "isEnabled": True,
        "stampXpBonus": 5,
        "expectedRevision": 1,
    },
    "upsertDiceConfig": {
        "name": "spring",
        "maxDailyPlays": 5,
        "winReward": POINTS,
        "drawReward": COFFEE,
        "loseReward": NOTHING,
        "expectedRevision": 1,
    },
    "upsertRouletteConfig": {
        "name": "spring",
        "maxDailySpins": 5,
        "segments": [
            {"slot": slot, "label": f"segment {slot}", "weight": slot, "reward": POINTS, "isJackpot": slot == 5}
            for slot in range(6)
        ],
        "expectedRevision": 1,
    },
    "upsertLotteryConfig": {
        "name": "spring",
        "maxDailyTickets": 5,
        "prizes": [
            {"label": "first", "weight": 1, "stock": 3, "reward": COFFEE},
            {"label": "second", "weight": 9, "reward": POINTS},
            {"label": "later", "weight": 5, "stock": None, "isActive": False, "reward": POINTS},
        ],
        "expectedRevision": 1,
    },
    "upsertSeason": {
        "name": "summer",
        "startDate": "2026-06-01",
        "endDate": "2026-06-30",
        "baseXpPerStamp": 100,
        "levels": [
            {"level": 1, "requiredXp": 100, "reward": POINTS, "autoClaim": True},
            {"level": 2, "requiredXp": 300, "reward": COFFEE, "autoClaim": False},
        ],
    },
}
"""A valid input for each upsert, in a world with the demo data. The season is a new one."""


def valid(mutation: str, **changes: Any) -> dict[str, Any]:
    """A valid input of one's own, with some fields changed."""
    return deepcopy(INPUTS[mutation]) | changes


async def operator(world: World) -> Client:
    """A client with an OPERATOR's token."""
    return await world.player("olive", Role.OPERATOR)


async def upsert(client: Client, mutation: str, given: dict[str, Any]) -> dict[str, Any]:
    """Send an upsert: the member of its result union."""
    document = f"""mutation Upsert($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ {mutation}(input: $input) {{
        __typename {ANSWERS[mutation]}
        ... on UserError {{ code message retryable }}
        ... on ValidationFailed {{ issues {{ path message }} }}
    }} }}"""
    answer: dict[str, Any] = (await client.data(document, input=given))[mutation]
    return answer


async def kept(world: World) -> dict[str, list[dict[str, Any]]]:
    """All that staff have published, and the audit log: equal before and after a refusal."""
    return {
        table: [dict(row) for row in await world.sql.fetch(f"SELECT * FROM {table} t ORDER BY t")] for table in KEPT
    }


KEPT = (
    "feature_schedule",
    "feature_config",
    "dice_config",
    "roulette_config",
    "roulette_segment",
    "lottery_config",
    "lottery_prize",
    "season_pass_config",
    "season_pass_level",
    "audit_log",
)
