"""What must be true in the end: what clients were told is what the database has, no less and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

import asyncpg

from schema.nodes import Kind, node_id
from tests.games import another_session
from tests.ha.clients import Player, Told
from tests.ha.database import OWNER_URL
from tests.ha.programs import command
from tests.ha.site import HARU, Site

SAMPLE = 300

COUNTS = {
    "idempotency keys": "SELECT count(*) FROM idempotency_key",
    "events": "SELECT count(*) FROM user_event_log WHERE event_name = 'PLAY'",
    "plays with their grant": """SELECT count(*) FROM lottery_log l
        JOIN reward_ledger r ON (r.user_id, r.cause_id) = (l.user_id, l.id)""",
}
"""Each is as many as plays were acknowledged."""

PLAYS = """
SELECT l.user_id, l.id, r.reward_type, r.amount, r.balance_after
FROM lottery_log l JOIN reward_ledger r ON (r.user_id, r.cause_id) = (l.user_id, l.id)
"""


async def faults_of(site: Site, told: Told, players: Sequence[Player]) -> list[str]:
    """What is not as it has to be, each in a sentence."""
    async with another_session(OWNER_URL) as sql:
        faults = [fault async for fault in _against_the_database(sql, told)]
    faults += await _played_again(told, players)
    code, said = await command(HARU, "audit", **site.as_operator)
    if code:
        faults.append(f"haru audit exited with {code}: {said[-2000:]}")
    return faults


async def _against_the_database(sql: asyncpg.Connection[asyncpg.Record], told: Told) -> AsyncIterator[str]:
    rewards = {
        answer["id"]: (answer["reward"]["type"], answer["reward"]["amount"], answer["reward"]["balance"])
        for answer in told.plays.values()
    }
    if len(rewards) != len(told.plays):
        yield f"{len(told.plays)} commands were told of {len(rewards)} plays: one was told twice"
    stored = {
        node_id(Kind.LOTTERY_DRAW, user_id, play_id): (reward, amount, balance)
        for user_id, play_id, reward, amount, balance in await sql.fetch(PLAYS)
    }
    if lost := rewards.keys() - stored.keys():
        yield f"{len(lost)} plays were acknowledged and are lost"
    if more := stored.keys() - rewards.keys():
        yield f"{len(more)} plays happened that nobody was told of, though every command was answered"
    if other := [play for play in rewards.keys() & stored.keys() if rewards[play] != stored[play]]:
        yield f"{len(other)} plays have another reward than was told, or another balance"
    for what, query in COUNTS.items():
        if (count := await sql.fetchval(query)) != len(told.plays):
            yield f"{count} {what} for {len(told.plays)} plays"


async def _played_again(told: Told, players: Sequence[Player]) -> list[str]:
    """Send some of the commands again: each has to be answered as the first time."""
    by_id = {player.id: player for player in players}
    some = Random(len(told.plays)).sample(sorted(told.plays), min(len(told.plays), SAMPLE))
    before = {command: told.plays[command] for command in some}
    answers = await asyncio.gather(*(by_id[player].attempt(key) for player, key in some))
    wrong = [one for one, answer in zip(some, answers, strict=True) if answer != before[one] | {"replayed": True}]
    return [f"{len(wrong)} of {len(some)} commands that were sent again were answered otherwise"] if wrong else []
