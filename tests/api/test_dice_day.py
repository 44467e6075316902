"""One day of dice, through the public door."""

from tests.world import World


async def test_a_play_is_answered_again_for_its_key(world: World) -> None:
    alice = await world.player()
    first = await alice.play(key="k")
    again = await alice.play(key="k")
    assert first["replayed"] is False
    assert again == first | {"replayed": True}
    assert await world.count("dice_log") == 1
    assert await world.count("user_event_log") == 3  # the play, its stamp, the level it climbed


async def test_past_the_daily_limit_nothing_is_written(world: World) -> None:
    alice = await world.player()
    for _ in range(3):
        assert (await alice.play())["__typename"] == "DicePlay"
    before = await world.written()
    refused = await alice.play()
    assert refused["code"] == "DAILY_LIMIT_REACHED"
    assert refused["dailyLimit"] == {
        "max": 3,
        "used": 3,
        "remaining": 0,
        "unlimited": False,
        "resetsAt": "2026-03-02T15:00:00.000+00:00",
    }
    assert await world.written() == before
