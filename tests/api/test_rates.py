"""One sender cannot take everybody's share."""

import pytest

from server.rates import BURST_SECONDS, Rates, network
from services.errors import RateLimited
from tests.world import Client, World, running


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


async def test_a_bad_token_is_as_limited_as_none(empty_database: str) -> None:
    async with running(empty_database, HARU_ADDRESS_RATE="0.01") as world:
        stranger = Client(world.http, "not.a.token")
        assert [(await stranger.post("{ me { id } }")).status_code for _ in range(3)] == [401, 429, 429]
        assert (await world.nobody.post("{ me { id } }")).status_code == 429


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


@pytest.mark.parametrize(
    ("address", "counted_for"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
        ("2001:DB8:0:7:ffff:ffff:ffff:ffff", "2001:db8:0:7::/64"),
        ("2001:db8:0:8::1", "2001:db8:0:8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("a:proxy's:nonsense", "a:proxy's:nonsense"),
        ("testclient", "testclient"),
    ],
)
def test_what_an_address_is_counted_for(address: str, counted_for: str) -> None:
    assert network(address) == counted_for


def test_a_network_of_ipv6_shares_one_bucket() -> None:
    rates = Rates(per_player=0, per_address=1, monotonic=lambda: 0.0)
    for last in range(5):
        rates.admit({"client": (f"2001:db8::{last:x}", 1)}, None)
    with pytest.raises(RateLimited):
        rates.admit({"client": ("2001:db8::ffff", 1)}, None)
    rates.admit({"client": ("2001:db8:0:1::1", 1)}, None)
    rates.admit({"client": None}, None)
