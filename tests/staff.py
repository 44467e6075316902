"""What staff send, for tests: valid inputs to change, and the mutations that take them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from models import Role
from services.error_codes import WarningCode
from services.rules.registry import GAMES
from tests.world import Client, World

REWARD = "{ type amount couponType }"
TIMES = "isActive isWithdrawn publishedAt announcedAt effectiveFrom effectiveUntil"
ANSWERS = {
    "upsertFeatureSchedule": ("day", "__typename date featureType isActive revision"),
    "upsertFeatureConfig": ("feature", "__typename featureType title pagePath isEnabled stampXpBonus revision"),
    "upsertDiceConfig": (
        "config",
        f"""__typename id name revision {TIMES} maxDailyPlays
        winReward {REWARD} drawReward {REWARD} loseReward {REWARD}""",
    ),
    "upsertRouletteConfig": (
        "config",
        f"""__typename id name revision {TIMES} maxDailySpins
        segments {{ id slot label isJackpot odds {{ weight totalWeight percent }} reward {REWARD} }}""",
    ),
    "upsertLotteryConfig": (
        "config",
        f"""__typename id name revision {TIMES} maxDailyTickets
        prizes {{ id label stock stockId isActive odds {{ weight totalWeight }} reward {REWARD} }}""",
    ),
    "upsertSeason": (
        "season",
        f"""__typename id name startDate endDate maxLevel baseXpPerStamp revision
        levels {{ level requiredXp autoClaim reward {REWARD} }}""",
    ),
}
"""What an upsert makes: the payload's field, and what is asked of it."""

STAFF = "... on StaffPayload { dryRun changes { path before after } warnings { code path message } }"
REFUSED = {
    "ValidationFailed": "{ issues { path message } }",
    "RevisionConflict": "{ currentRevision }",
    "WarningsUnacknowledged": "{ warnings { code path message } }",
}
"""What refusals tell that carry data."""

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
    """Send an upsert, whatever it warns of: what it made, or the refusal."""
    answer = await send_upsert(client, mutation, {"acknowledge": list(WarningCode)} | given)
    made: dict[str, Any] = answer.get(ANSWERS[mutation][0], answer)
    return made


async def send_upsert(client: Client, mutation: str, given: dict[str, Any]) -> dict[str, Any]:
    """Send an upsert: the member of its result union."""
    name, (field, asked) = f"{mutation[0].upper()}{mutation[1:]}", ANSWERS[mutation]
    refused = " ".join(f"... on {name} {data}" for name, data in REFUSED.items())
    document = f"""mutation Upsert($input: {name}Input!) {{ {mutation}(input: $input) {{
        __typename ... on {name}Payload {{ {field} {{ {asked} }} }} {STAFF}
        ... on UserError {{ code message retryable }} {refused}
    }} }}"""
    answer: dict[str, Any] = (await client.data(document, input=given))[mutation]
    return answer


async def kept(world: World) -> dict[str, list[dict[str, Any]]]:
    """All that staff have published, and the audit log: equal before and after a refusal."""
    return {
        table: [dict(row) for row in await world.sql.fetch(f"SELECT * FROM {table} t ORDER BY t")] for table in KEPT
    }


KEPT = (
    "lottery_stock",
    "feature_schedule",
    "feature_config",
    *(game.config.__tablename__ for game in GAMES.values()),
    *(game.parts.table.__tablename__ for game in GAMES.values() if game.parts),
    "season_pass_config",
    "season_pass_level",
    "audit_log",
)
