"""One sender cannot take everybody's share."""

from itertools import count
from types import SimpleNamespace
from uuid import UUID

import pytest

from models import Role
from schema.context import Principal
from server.http.rates import BURST_SECONDS, Rates, TooManyRequests, network
from services.request_errors import RateLimited
from tests.world import Client, World, running


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long requests take, no bucket is filled again meanwhile."""
    monkeypatch.setattr("server.app.time", SimpleNamespace(monotonic=lambda: 1000.0))


@pytest.mark.usefixtures("at_once")
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


def test_new_documents_of_one_player_take_a_tenth_of_a_core() -> None:
    now, cpu = 0.0, 0.0
    rates = Rates(per_player=50, per_address=0, monotonic=lambda: now, cpu=lambda: cpu)
    alice, bob = (Principal(UUID(int=number), Role.PLAYER) for number in (1, 2))
    prepared, told = 0, []
    for _ in range(10_000):  # for 100 seconds she sends a document every 10 ms, which costs 15 ms
        now += 0.01
        try:
            with rates.meter(alice):
                cpu += 0.015
                prepared += 1
        except TooManyRequests as error:
            told.append(error.retry_after_seconds)
    assert 0.1 * now <= 0.015 * prepared <= 0.1 * (now + BURST_SECONDS) + 0.015
    assert prepared + len(told) == 10_000
    assert 0 < min(told) <= max(told) <= 0.015 / 0.1
    for other in (bob, None):
        with rates.meter(other):
            pass
    rates.admit({"client": None}, alice)  # what she sends otherwise is not counted for it


def test_documents_cost_nothing_where_nobody_is_limited() -> None:
    cpu = 0.0
    rates = Rates(per_player=0, per_address=0, monotonic=lambda: 0.0, cpu=lambda: cpu)
    for _ in range(100):
        with rates.meter(Principal(UUID(int=1), Role.PLAYER)):
            cpu += 1.0


@pytest.mark.usefixtures("at_once")
async def test_a_player_of_ever_new_documents_is_told_when_to_come_again(empty_database: str) -> None:
    async with running(empty_database, HARU_PLAYER_RATE="100000") as world:
        alice, bob = await world.player("alice"), await world.player("bob")
        fields = " ".join(["me { " + "id " * 19 + "}"] * 9)
        documents = (f"query Number{number} {{ {fields} }}" for number in count())
        answer = await alice.post(known := next(documents))
        while answer.status_code == 200:
            answer = await alice.post(next(documents))
        assert answer.status_code == 429
        assert answer.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryable": True}
        assert int(answer.headers["retry-after"]) >= 1
        assert (await alice.post(known)).status_code == 200
        assert (await bob.post("{ b: me { id } }")).status_code == 200


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


def test_the_buckets_of_many_senders_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was heard of longest ago begins anew; the buckets of all others are as full as they were."""
    monkeypatch.setattr("server.http.rates.KEPT_BUCKETS", 3)
    rates = Rates(per_player=0, per_address=0.1, monotonic=lambda: 0.0)

    def admitted(address: str) -> bool:
        try:
            rates.admit({"client": (address, 1)}, None)
        except RateLimited:
            return False
        return True

    assert [admitted(address) for address in ("a", "b", "c")] == [True] * 3
    assert [admitted(address) for address in ("a", "b", "c")] == [False] * 3
    assert admitted("d")
    assert admitted("a")
    assert [admitted(address) for address in ("c", "d")] == [False] * 2


def test_players_and_addresses_have_buckets_of_their_own() -> None:
    rates = Rates(per_player=0.1, per_address=0.1, monotonic=lambda: 0.0)
    seven, eight = Principal(UUID(int=7), Role.PLAYER, 0.0), Principal(UUID(int=8), Role.PLAYER, 0.0)
    rates.admit({"client": ("a", 1)}, seven)
    for address, player in (("a", eight), ("b", seven)):
        with pytest.raises(RateLimited):
            rates.admit({"client": (address, 1)}, player)
    rates.admit({"client": ("c", 1)}, Principal(UUID(int=9), Role.PLAYER, 0.0))
    for address in ("d", "e"):
        rates.admit({"client": (address, 1)}, None)


def test_whoever_is_refused_is_told_when_to_come_again() -> None:
    now = 100.0
    rates = Rates(per_player=0, per_address=0.5, monotonic=lambda: now)
    for _ in range(3):
        rates.admit({"client": ("a", 1)}, None)
    for now, left in ((100.0, 2.0), (101.5, 0.5)):  # noqa: B007
        with pytest.raises(TooManyRequests) as refused:
            rates.admit({"client": ("a", 1)}, None)
        assert refused.value.retry_after_seconds == left
        assert refused.value.message == RateLimited().message
    now = 102.0
    rates.admit({"client": ("a", 1)}, None)
