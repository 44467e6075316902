"""One sender cannot take everybody's share."""

from server.rates import BURST_SECONDS, Rates
from services.errors import RateLimited
from tests.world import World, running


async def test_a_player_beyond_the_rate_is_told_when_to_come_again(empty_database: str) -> None:
    async with running(empty_database, HARU_PLAYER_RATE="1") as world:
        alice, bob = await world.player("alice"), await world.player("bob")
        answers = [await alice.post("{ me { id } }") for _ in range(int(BURST_SECONDS) + 3)]
        assert answers[0].status_code == 200
        refused = answers[-1]
        assert refused.status_code == 429
        assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryable": True}
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert (await bob.post("{ me { id } }")).status_code == 200


async def test_in_the_local_environment_nobody_is_limited(world: World) -> None:
    alice = await world.player()
    assert {(await alice.post("{ me { id } }")).status_code for _ in range(50)} == {200}


def test_an_address_s_bucket_refills() -> None:
    now = 0.0
    rates = Rates(per_player=0, per_address=8, monotonic=lambda: now)
    scope = {"client": ("192.0.2.1", 1)}

    def admitted() -> bool:
        try:
            rates.admit(scope, None)
        except RateLimited:
            return False
        return True

    assert [admitted() for _ in range(34)] == [True] * 33 + [False]
    now = 1.0
    assert [admitted() for _ in range(9)] == [True] * 8 + [False]
