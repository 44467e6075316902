"""Of several who command something at once, each is told what is its own."""

from __future__ import annotations

from models import FeatureType
from services.days import Days
from services.load import load, look
from services.rules.play import Play
from tests.world import NOBODY, World


async def test_each_of_a_batch_is_loaded_as_itself(world: World) -> None:
    """In whatever order the database finds them: here by their ids, and they came the other way round."""
    players = [(await world.player(f"p{number}")).player_id for number in range(6)]
    played = players[::2]
    for player in played:
        await world.parts.lanes.submit(Play(player, f"{player}", FeatureType.DICE))
    wanted = [Play(player, f"{player}", FeatureType.DICE) for player in sorted(players, reverse=True)]
    calendar = world.parts.calendar
    async with world.parts.database.hot() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = on")
        state = await load(connection, Days(calendar), calendar.business_date(world.clock()), wanted)
    assert {
        player.id: (list(player.earlier), player.used[FeatureType.DICE], list(player.claimed), player.stamped)
        for player in state.players.values()
    } == {player: ([f"{player}"], 1, [1], True) if player in played else ([], 0, [], False) for player in players}


async def test_each_of_those_who_look_has_an_account_and_nobody_has_none(world: World) -> None:
    alice, bob = (await world.player()).player_id, (await world.player("bob")).player_id
    calendar = world.parts.calendar
    async with world.parts.database.hot() as connection:
        for wanted in ([None], [bob, alice, bob], [NOBODY, alice]):
            state, accounts = await look(connection, Days(calendar), calendar.business_date(world.clock()), wanted)
            assert accounts.keys() == state.players.keys() == set(wanted) - {None, NOBODY}
    assert accounts[alice][:2] == (alice, "alice")
