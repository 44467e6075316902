"""The hash of a revision: of all that it says and of nothing else, and kept by the database."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from schema.nodes import Kind, node_id
from services.error_codes import WarningCode
from services.rules.hashes import NOT_SAID, NOT_SAID_OF_A_PART, content_of, hash_of
from services.rules.registry import GAMES
from tests.games import UNDER_TEST, GameUnderTest, every_game
from tests.staff import operator, upsert, valid
from tests.world import World

LOTTERY = UNDER_TEST[2]

ODD = 'a "quoted" \\ slash / 한글 🎲 \u2028é\u007f'


REPUBLISH = """mutation ($input: RepublishConfigInput!) { republishConfig(input: $input) {
    ... on ConfigPayload { config { hash } } ... on UserError { code message } } }"""


async def stored(world: World, game: GameUnderTest) -> list[dict[str, Any]]:
    """Each revision as the tables have it: its hash, and what it says."""
    kind = GAMES[game.feature]
    rows = [dict(row) for row in await world.sql.fetch(f"SELECT * FROM {game.config} ORDER BY revision")]
    found = []
    for row in rows:
        said = {name: value for name, value in row.items() if name not in NOT_SAID} | {"cost": json.loads(row["cost"])}
        if kind.parts is not None:
            parts = await world.sql.fetch(
                f"SELECT * FROM {kind.parts.table.__tablename__} WHERE config_id = $1 ORDER BY {kind.parts.order}",
                row["id"],
            )
            said[kind.parts.field] = [
                {name: value for name, value in part.items() if name not in NOT_SAID_OF_A_PART} for part in parts
            ]
            for part in said[kind.parts.field]:
                part["labels"] = json.loads(part["labels"])
        found.append({"hash": row["hash"], "said": said})
    return found


def canonical(value: Any) -> bytes:
    """RFC 8785 of what has no floats and no names beyond ASCII."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@every_game
async def test_a_hash_is_of_all_columns_but_ids_dates_and_what_is_left(world: World, game: GameUnderTest) -> None:
    olive = await operator(world)
    given = valid(game.upsert, name=ODD[:-1].replace("\u2028", ""))
    await upsert(olive, game.upsert, given)
    first, second = await stored(world, game)
    assert first["hash"] != second["hash"]
    for one in (first, second):
        assert one["hash"] == sha256(canonical(one["said"])).hexdigest()
    shown = await olive.data(f"{{ {game.configs} {{ nodes {{ revision hash }} }} }}")
    assert shown[game.configs]["nodes"] == [
        {"revision": 2, "hash": second["hash"]},
        {"revision": 1, "hash": first["hash"]},
    ]


@every_game
async def test_who_decides_on_a_play_has_the_hash_at_hand(world: World, game: GameUnderTest) -> None:
    await world.today(game.feature)
    day = (await world.parts.reads.day(world.clock())).day
    kind = GAMES[game.feature]
    rules = kind.rules(day.game, world.clock())
    (kept,) = await stored(world, game)
    assert rules.hash == kept["hash"] == hash_of(content_of(kind, rules))
    assert content_of(kind, rules) == kept["said"]


async def test_what_is_drawn_or_adjusted_leaves_the_hash_alone(world: World) -> None:
    await world.today(LOTTERY.feature)
    before = await stored(world, LOTTERY)
    await (await world.player()).play("drawLottery")
    await world.sql.execute('UPDATE lottery_stock SET initial = initial + 5, "left" = "left" + 1')
    assert await stored(world, LOTTERY) == before


@every_game
async def test_the_database_refuses_another_hash(world: World, game: GameUnderTest) -> None:
    rows = f"SELECT (jsonb_populate_record(c, $1)).* FROM {game.config} c WHERE revision = 1"
    changes = {"id": 7, "revision": 2, "hash": "0" * 64}
    with pytest.raises(asyncpg.CheckViolationError, match=r"revision 2 of .* does not have the hash") as refused:
        await world.sql.execute(f"INSERT INTO {game.config} {rows}", json.dumps(changes))
    assert refused.value.constraint_name == f"{game.config}_hash"
    assert await world.sql.fetchval(f"SELECT count(*) FROM {game.config}") == 1


async def test_nothing_is_added_to_a_revision_afterwards(world: World) -> None:
    part = {"id": 7, "position": 99, "stock_id": None, "quantity": None}
    copied = "SELECT (jsonb_populate_record(p, $1)).* FROM lottery_prize p WHERE position = 0"
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await world.sql.execute(f"INSERT INTO lottery_prize {copied}", json.dumps(part))
    assert refused.value.constraint_name == "lottery_prize_hash"
    assert await world.sql.fetchval("SELECT count(*) FROM lottery_prize WHERE position = 99") == 0


@pytest.mark.parametrize(
    "value", [{}, [], {"b": [1, None, True], "a": {"é": ODD}}, {"B": 1, "a": 2, "_": [[]]}, "\x01\t\x1f"]
)
async def test_the_database_writes_what_the_standard_says(world: World, value: Any) -> None:
    written = await world.sql.fetchval("SELECT haru_canonical($1)", json.dumps(value))
    assert written.encode() == canonical(value)
    assert hash_of(value) == sha256(canonical(value)).hexdigest()


async def test_what_is_announced_of_a_stock_stays_as_it_was(world: World) -> None:
    """A revision announces how many there ever were of what it carries; so does one that is published again."""
    olive = await operator(world)
    prize = await world.sql.fetchrow(
        "SELECT p.id, p.config_id, p.stock_id, p.quantity FROM lottery_prize p WHERE stock_id IS NOT NULL LIMIT 1"
    )
    assert prize is not None
    await world.sql.execute('UPDATE lottery_stock SET initial = initial + 5, "left" = "left" + 5')
    given = valid("upsertLotteryConfig")
    carried = given["prizes"][0] | {"carriesStockOf": node_id(Kind.LOTTERY_PRIZE, prize["id"]), "stock": None}
    given["prizes"][0] = carried
    await upsert(olive, "upsertLotteryConfig", given)
    again: dict[str, Any] = {"configId": node_id(Kind.LOTTERY_CONFIG, prize["config_id"]), "expectedRevision": 2}
    again["acknowledge"] = [*WarningCode]
    answer = await olive.data(REPUBLISH, input=again)
    assert "config" in answer["republishConfig"], answer
    announced = await world.sql.fetch(
        "SELECT quantity FROM lottery_prize WHERE stock_id = $1 ORDER BY config_id", prize["stock_id"]
    )
    assert [row["quantity"] - prize["quantity"] for row in announced] == [0, 5, 5]
