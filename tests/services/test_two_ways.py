"""Two ways to the same answers: players who are remembered or loaded, readers who ride together or alone.

Random histories of commands, of staff and of rows edited by hand run on two databases at once: on one as haru does it,
on the other without a memory, and each command and each look by itself. Whatever is told and left has to be the same,
field by field; ids and what chance alone decides are left out.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models import FeatureType, RewardType, Role
from server.migrations.roles import make_grants, role_at
from services import statuses
from services.answers import Reward
from services.audit import Actor
from services.errors import HaruError
from services.grants import Grant, grant_reward
from services.load import load
from services.paging import PageOf
from services.players import set_blocked
from services.reads import ListName
from services.rules.play import Claim, Play, Stamp
from tests.contract.test_database import scratch
from tests.games import UNDER_TEST, on, only_points
from tests.roles import as_application, furnish
from tests.world import NOON, World, forge, running

DICE, ROULETTE, _ = UNDER_TEST
PLAYERS = 3
ADA = Actor("ada", UUID(int=1), Role.ADMIN)
NUMBERS = count()
"""No two histories have the same players, however often one is run."""

IDS = {"id", "cause_id", "progress_id", "play_id", "stamp_id"}
CHANCE = IDS | {"drawn", "meta", "ledger_hash", "hash", "version"}


class Both(NamedTuple):
    """The two worlds, each with its way, and the loop that they live in."""

    runner: asyncio.Runner
    remembering: World
    loading: World


async def grant_rights(url: str) -> None:
    """Let the application have its rights there."""
    await make_grants(url, await role_at(as_application(url)))


async def two_worlds(stack: AsyncExitStack, urls: Sequence[str]) -> list[World]:
    worlds = [await stack.enter_async_context(running(url)) for url in urls]
    for world in worlds:
        await only_points(world)
        account = 'INSERT INTO "user" (id, external_id, created_at) VALUES ($1, $2, $3)'
        await world.sql.execute(account, ADA.player_id, "ada", NOON)
    worlds[1].parts.reads._memory.recall = lambda *_: None  # type: ignore[method-assign]
    return worlds


@pytest.fixture(scope="module")
def both(server_url: str) -> Iterator[Both]:
    with scratch(server_url, "remembering") as one, scratch(server_url, "loading") as other, asyncio.Runner() as runner:
        for url in (one, other):
            furnish(url)
            runner.run(grant_rights(url))
        stack = AsyncExitStack()
        yield Both(runner, *runner.run(two_worlds(stack, (one, other))))
        runner.run(stack.aclose())


def told(value: Any) -> Any:
    """A value without what chance decides."""
    if isinstance(value, HaruError):
        return type(value).__name__, {name: told(one) for name, one in vars(value).items()}
    if hasattr(value, "__dataclass_fields__") or hasattr(value, "__struct_fields__"):
        names = getattr(value, "__struct_fields__", None) or value.__dataclass_fields__
        return type(value).__name__, {name: told(getattr(value, name)) for name in names if name not in CHANCE}
    if isinstance(value, dict):
        return {told(name): told(one) for name, one in value.items() if name not in CHANCE}
    if isinstance(value, (list, tuple)):
        return [told(one) for one in value]
    return msgspec.to_builtins(value) if isinstance(value, dt.date) else value


async def outcome(awaitable: Awaitable[Any]) -> Any:
    try:
        return told(await awaitable)
    except HaruError as refusal:
        return told(refusal)


Command = Callable[[World, UUID], Awaitable[Any]]


def playing(feature: FeatureType, key: str) -> Command:
    return lambda world, player: world.parts.lanes.submit(Play(player, key, feature))


def stamping(source: FeatureType, key: str) -> Command:
    return lambda world, player: world.parts.lanes.submit(Stamp(player, key, source))


def claiming(level: int, key: str) -> Command:
    return lambda world, player: world.parts.lanes.submit(Claim(player, key, level))


async def today(world: World) -> Any:
    """What is on, but for the name of the facts."""
    day, feature = await statuses.today(world.parts.reads, world.clock())
    return msgspec.structs.replace(day, revision=None), feature


async def look(world: World, player: UUID) -> list[Any]:
    """All that a screen tells."""
    reads, now = world.parts.reads, world.clock()
    pages = [(name, PageOf(player, 3)) for name in ListName]
    seen, *rest = await asyncio.gather(
        reads.player(player, now, pages),
        outcome(today(world)),
        *(outcome(statuses.game_status(reads, player, game, now)) for game in (FeatureType.DICE, FeatureType.ROULETTE)),
        outcome(statuses.season_status(reads, player, now)),
    )
    lists = [told(seen.pages[page].rows) for page in pages]
    return [told(seen.accounts[player]), told(seen.player(player).balances), lists, rest]


KEYS = st.sampled_from([f"key {number}" for number in range(6)])
COMMANDS = st.one_of(
    st.builds(playing, st.sampled_from([FeatureType.DICE, FeatureType.ROULETTE]), KEYS),
    st.builds(playing, st.just(FeatureType.DICE), st.uuids().map(str)),
    st.builds(stamping, st.sampled_from([FeatureType.DICE, FeatureType.SEASON_PASS]), KEYS),
    st.builds(claiming, st.integers(1, 4), KEYS),
    st.just(look),
)

BY_HAND = (
    "UPDATE dice_log SET play_no = play_no + 100 WHERE user_id = PLAYER AND daily_max = 0",
    "DELETE FROM dice_log WHERE user_id = PLAYER",
    "DELETE FROM season_pass_reward_log WHERE user_id = PLAYER",
    "DELETE FROM season_pass_stamp_log WHERE user_id = PLAYER",
    "UPDATE season_pass_progress SET current_xp = current_xp + 50 WHERE user_id = PLAYER",
    "UPDATE season_pass_progress SET current_level = 0 WHERE user_id = PLAYER",
    'UPDATE "user" SET is_blocked = NOT is_blocked WHERE id = PLAYER',
    "DELETE FROM idempotency_key WHERE user_id = PLAYER",
    "UPDATE season_pass_config SET base_xp_per_stamp = base_xp_per_stamp + 10",
    "UPDATE season_pass_level SET required_xp = required_xp + 1",
    "UPDATE feature_config SET is_enabled = NOT is_enabled WHERE feature_type = 'DICE'",
    "UPDATE feature_config SET stamp_xp_bonus = stamp_xp_bonus + 1",
    "UPDATE dice_config SET max_daily_plays = (max_daily_plays + 1) % 4",
    "UPDATE feature_schedule SET is_active = NOT is_active",
)


def by_hand(statement: str) -> Command:
    return lambda world, player: forge(world.sql, statement.replace("PLAYER", f"'{player}'"))


def blocking(blocked: bool) -> Command:
    change = partial(set_blocked, actor=ADA, action="setPlayerBlocked", blocked=blocked, reason="r")
    return lambda world, player: world.parts.transact(partial(change, player_id=player))


def granting(amount: int, key: str) -> Command:
    def run(world: World, player: UUID) -> Awaitable[Any]:
        grant = Grant(player, key, Reward(RewardType.POINT, amount, None), "r")
        return world.parts.transact(partial(grant_reward, actor=ADA, action="grantReward", grant=grant))

    return run


def another_day(feature: FeatureType) -> Command:
    async def run(world: World, _: UUID) -> None:
        world.clock.advance(days=1)
        await world.today(feature)

    return run


STEPS = st.one_of(
    st.tuples(st.lists(st.tuples(st.integers(0, PLAYERS - 1), COMMANDS), min_size=1, max_size=6)),
    st.tuples(
        st.tuples(
            st.integers(0, PLAYERS - 1),
            st.one_of(
                st.builds(by_hand, st.sampled_from(BY_HAND)),
                st.builds(blocking, st.booleans()),
                st.builds(granting, st.sampled_from([1, 100, -5]), KEYS),
                st.builds(another_day, st.sampled_from([FeatureType.DICE, FeatureType.ROULETTE])),
            ),
        ).map(lambda one: [one])
    ),
)
"""Commands that are given at the same moment; or something that staff, an editor or the calendar does."""


async def left(world: World, players: Sequence[UUID]) -> list[Any]:
    """What is in the database, as a batch would find it, and the rows that tell how it came there."""
    wanted = [Stamp(player, "none", FeatureType.DICE) for player in players]
    date = world.parts.calendar.business_date(world.clock())
    async with world.parts.database.hot() as connection:
        state = await load(connection, world.parts.reads._memory.days, date, wanted)
    rows = [
        await world.sql.fetch(
            f"SELECT (to_jsonb(t) - $2::text[])::text FROM {table} t WHERE user_id = ANY ($1) ORDER BY 1",
            players,
            list(CHANCE | {"meta_json", "answer", "business_date"} | OF_CHANCE),
        )
        for table in (
            "dice_log",
            "roulette_log",
            "reward_ledger",
            "reward_balance",
            "season_pass_stamp_log",
            "season_pass_progress",
            "season_pass_reward_log",
            "idempotency_key",
            "user_event_log",
        )
    ]
    return [told(list(state.players.values())), [[row[0] for row in found] for found in rows]]


OF_CHANCE = {"segment_id", "outcome", "user_dice_1", "user_dice_2", "dealer_dice_1", "dealer_dice_2", "daily_max"}


async def undrawn(world: World) -> None:
    """Let no day be closed yet: the history before may have gone beyond its first days, whose seeds are revealed."""
    seeds = world.parts.seeds
    await forge(world.sql, "TRUNCATE draw_root, draw_leaves, draw_seed_sealed, draw_seed")
    seeds._known.clear()
    await seeds.look()


async def live(both: Both, steps: Sequence[tuple[list[tuple[int, Command]]]], seed: UUID) -> None:
    worlds, players = both[1:], [uuid5(seed, str(next(NUMBERS))) for _ in range(PLAYERS)]
    for world in worlds:
        world.clock.now = NOON
        await undrawn(world)
        await world.sql.execute("DELETE FROM feature_schedule")
        await world.sql.execute("UPDATE feature_config SET is_enabled = true")
        await world.sql.executemany(
            'INSERT INTO "user" (id, external_id, created_at) VALUES ($1, $2, $3)',
            [(player, str(player), NOON) for player in players],
        )
        await on(world, DICE, limit=3)
    for (commands,) in steps:
        together = await asyncio.gather(
            *(outcome(command(both.remembering, players[who])) for who, command in commands)
        )
        alone = [await outcome(command(both.loading, players[who])) for who, command in commands]
        if len(commands) > 1 and any(command is look for _, command in commands):
            continue  # what is seen beside commands is of a moment that nobody knows
        assert together == alone
    assert await left(both.remembering, players) == await left(both.loading, players)


@settings(
    deadline=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a history is told as it was: to shrink it takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14), seed=st.uuids())
def test_both_ways_tell_and_leave_the_same(
    both: Both, steps: list[tuple[list[tuple[int, Command]]]], seed: UUID
) -> None:
    both.runner.run(live(both, steps, seed))
