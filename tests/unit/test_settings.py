"""Settings: what does not start, and why."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from server.app import create_app
from server.settings import EXAMPLE_SECRET, PROJECT, Settings, SettingsError, read_settings
from tests.world import SEED_KEYS

SECRET = "x" * 32
FOR_REAL = {
    "HARU_ENV": "production",
    "HARU_SECRET": SECRET,
    "HARU_SEED_KEYS": SEED_KEYS,
    "DATABASE_URL": "postgresql://haru:pw@db/haru",
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)


def test_nothing_needs_to_be_set_on_a_developer_s_machine() -> None:
    settings = read_settings()
    assert (settings.is_local, settings.database_url, settings.time_zone) == (True, None, "Asia/Seoul")
    assert settings.secrets == (EXAMPLE_SECRET,)


@pytest.mark.parametrize("environment", ["stage", "production"])
def test_outside_of_local_it_starts_with_a_secret_and_a_database(environment: str) -> None:
    settings = read_settings(**FOR_REAL | {"HARU_ENV": environment})
    assert not settings.is_local
    assert settings.database_url == "postgresql+asyncpg://haru:pw@db/haru"


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        ("127.0.0.1", False),
        ("127.1.2.3", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.0.2.1", True),
        ("", True),
        ("haru.example", True),
    ],
)
def test_whether_other_machines_may_reach_it(host: str, exposed: bool) -> None:
    assert read_settings(HOST=host).is_exposed is exposed


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = "https://a.example, https://b.example , ,"
    for name, value in (FOR_REAL | {"PORT": "9", "HARU_CORS_ORIGINS": origins}).items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert (settings.port, settings.cors_origins) == (9, ("https://a.example", "https://b.example"))


def test_what_browsers_write_otherwise_is_taken_as_what_it_means() -> None:
    settings = read_settings(HARU_CORS_ORIGINS="HTTPS://A.example:443/, *", HARU_HOSTS="Haru.Example")
    assert (settings.cors_origins, settings.hosts) == (("https://a.example", "*"), ("haru.example",))


def test_seed_keys_are_named_and_the_first_seals() -> None:
    assert read_settings(HARU_SEED_KEYS=f"new:{b64encode(b'n' * 32).decode()}, {SEED_KEYS},").seed_keys == {
        "new": b"n" * 32,
        "tests": bytes(range(32)),
    }
    assert "nnnn" not in repr(read_settings(HARU_SEED_KEYS=f"new:{b64encode(b'n' * 32).decode()}"))


def test_a_name_of_one_letter_is_one() -> None:
    settings = read_settings(HARU_TOKEN_ISSUER="i", HARU_TOKEN_AUDIENCE="a", HARU_SEED_KEYS=f"s{SEED_KEYS[5:]}")
    assert (settings.token_issuer, settings.token_audience, [*settings.seed_keys]) == ("i", "a", ["s"])


def test_what_was_read_stays_as_it_was_checked() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().secret = "short"


def test_an_empty_previous_secret_is_none() -> None:
    assert read_settings(**FOR_REAL, HARU_PREVIOUS_SECRET="").secrets == (SECRET,)


@pytest.mark.parametrize("environment", ["stage", "production"])
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"HARU_SECRET": None}, "HARU_SECRET is missing or the example"),
        ({"HARU_SECRET": EXAMPLE_SECRET}, "HARU_SECRET is missing or the example"),
        ({"HARU_SECRET": ""}, "HARU_SECRET must have at least 32 bytes"),
        ({"HARU_SECRET": "x" * 31}, "HARU_SECRET must have at least 32 bytes"),
        ({"HARU_PREVIOUS_SECRET": "x" * 31}, "HARU_PREVIOUS_SECRET must have at least 32 bytes"),
        ({"HARU_PREVIOUS_SECRET": EXAMPLE_SECRET}, "HARU_PREVIOUS_SECRET is missing or the example"),
        ({"HARU_SECRET": EXAMPLE_SECRET + " "}, "not white space around them"),
        ({"HARU_SECRET": " " * 48}, "not white space around them"),
        ({"HARU_CORS_ORIGINS": "https://*"}, "HARU_CORS_ORIGINS must name its origins"),
        ({"HARU_SEED_KEYS": None}, "HARU_SEED_KEYS is required"),
        ({"HARU_SEED_KEYS": ""}, "HARU_SEED_KEYS is required"),
        ({"DATABASE_URL": None}, "DATABASE_URL is required"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is required"),
        ({"HARU_CORS_ORIGINS": "*"}, "HARU_CORS_ORIGINS must name its origins"),
        ({"HARU_CORS_ORIGINS": "https://a.example,*"}, "HARU_CORS_ORIGINS must name its origins"),
        ({"HARU_METRICS_PORT": "8000"}, "HARU_METRICS_PORT must not be PORT"),
        ({"HARU_DEMO_TODAY": "DICE"}, "HARU_DEMO_TODAY is for the local environment"),
    ],
)
def test_outside_of_local_it_refuses(environment: str, changes: dict[str, Any], told: str) -> None:
    given = {
        name: value for name, value in (FOR_REAL | {"HARU_ENV": environment} | changes).items() if value is not None
    }
    with pytest.raises(SettingsError) as refusal:
        read_settings(**given)
    assert told in str(refusal.value)
    assert "x" * 31 not in str(refusal.value)  # a secret is never printed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HARU_ENV", "prod"),
        ("HARU_ENV", ""),
        ("HARU_SECRET", "short"),
        ("HARU_SEED_KEYS", "no colon"),
        ("HARU_SEED_KEYS", SEED_KEYS[6:]),
        ("HARU_SEED_KEYS", SEED_KEYS[:-5]),
        ("HARU_SEED_KEYS", f"{SEED_KEYS},{SEED_KEYS}"),
        ("HARU_SEED_KEYS", f"two words{SEED_KEYS}"),
        ("HARU_SEED_KEYS", SEED_KEYS.replace(":", ":!")),
        ("HARU_OWNER_URL", "postgresql://owner@db/haru"),
        ("HARU_TIME_ZONE", "Seoul"),
        ("HARU_TIME_ZONE", "../../etc/passwd"),
        ("HARU_TIME_ZONE", ""),
        ("DATABASE_URL", "mysql://db/haru"),
        ("DATABASE_URL", "haru.sqlite"),
        ("DATABASE_URL", "postgresql://u:p@db:port/haru"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("WORKERS", "0"),
        ("HARU_TOKEN_SECONDS", "86401"),
        ("HARU_TOKEN_SECONDS", "59"),
        ("HARU_TOKEN_ISSUER", ""),
        ("HARU_TOKEN_AUDIENCE", ""),
        ("HARU_LOCK_WAIT_SECONDS", "0"),
        ("HARU_LOCK_WAIT_SECONDS", "nan"),
        ("HARU_LOCK_WAIT_SECONDS", "60"),
        ("HARU_POOL_SIZE", "1"),
        ("HARU_LANES", "0"),
        ("HARU_DEMO_TODAY", "CHESS"),
        ("HARU_LOG_LEVEL", "loud"),
        ("HARU_CORS_ORIGINS", "https://shop.example/events"),
        ("HARU_CORS_ORIGINS", "shop.example"),
        ("HARU_CORS_ORIGINS", "https://*.example"),
        ("HARU_CORS_HEADERS", "X Shop"),
        ("HARU_CORS_HEADERS", "*"),
        ("HARU_HOSTS", "http://haru.example"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_and_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(**{name: value})
    assert name in str(refusal.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(HARU_ENV="production", HARU_CORS_ORIGINS="*", HARU_DEMO_TODAY="DICE")
    for name in ("DATABASE_URL", "HARU_SECRET", "HARU_CORS_ORIGINS", "HARU_DEMO_TODAY"):
        assert name in str(refusal.value)


def test_a_secret_is_measured_in_bytes() -> None:
    assert read_settings(HARU_SECRET="é" * 16).secret == "é" * 16


def test_lanes_are_shared_out_among_the_workers() -> None:
    lanes = [read_settings(WORKERS=workers).lanes_per_process for workers in (1, 2, 8)]
    assert lanes == [2, 1, 1]
    assert read_settings(WORKERS=8, HARU_LANES=3).lanes_per_process == 3


def test_previous_secrets_are_accepted_and_never_sign() -> None:
    assert read_settings(HARU_SECRET=SECRET, HARU_PREVIOUS_SECRET="y" * 32).secrets == (SECRET, "y" * 32)


def test_an_application_needs_a_database(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="create_app needs a database"):
        create_app(read_settings(HARU_STATE_DIR=str(tmp_path)))


BOUNDS: dict[str, tuple[float | None, float | None, float]] = {
    "PORT": (0, 65_535, 1),
    "WORKERS": (1, 64, 1),
    "HARU_METRICS_PORT": (1, 65_535, 1),
    "HARU_TOKEN_SECONDS": (60, 86_400, 1),
    "HARU_LOCK_WAIT_SECONDS": (0.5, 4.0, 0.01),
    "HARU_REQUEST_SECONDS": (2.0, 60.0, 0.01),
    "HARU_LANES": (1, 16, 1),
    "HARU_POOL_SIZE": (2, 100, 1),
    "HARU_PLAYER_RATE": (0, None, 0.01),
    "HARU_ADDRESS_RATE": (0, None, 0.01),
    "HARU_ODDS_NOTICE_HOURS": (0, 2160, 1),
}
"""The lowest and the highest value of every number, and how little is too much."""


def test_every_number_among_the_settings_has_its_bounds_here() -> None:
    numbers = {
        str(field.alias)
        for field in Settings.model_fields.values()
        if {int, float} & {field.annotation, *getattr(field.annotation, "__args__", ())}
    }
    assert numbers == BOUNDS.keys()


@pytest.mark.parametrize(("name", "low", "high", "step"), [(name, *bounds) for name, bounds in BOUNDS.items()])
def test_the_first_and_the_last_of_a_number(name: str, low: float | None, high: float | None, step: float) -> None:
    for bound, beyond in ((low, -step), (high, step)):
        if bound is not None:
            read_settings(**{name: bound})
            with pytest.raises(SettingsError, match=name):
                read_settings(**{name: bound + beyond})


def test_no_port_for_metrics_where_it_is_empty() -> None:
    assert read_settings(HARU_METRICS_PORT="").metrics_port is None
    assert read_settings(HARU_METRICS_PORT="9464").metrics_port == 9464


def test_traces_need_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(HARU_TRACES="1").traces
    monkeypatch.setattr("server.settings.find_spec", lambda _name: None)
    assert not read_settings().traces
    with pytest.raises(SettingsError, match=r"install haru\[otel\]"):
        read_settings(HARU_TRACES="1")


def test_what_is_set_where_nothing_is_said() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.workers, settings.pool_size) == ("127.0.0.1", 8000, 1, 8)
    assert (settings.token_seconds, settings.lock_wait_seconds, settings.log_level) == (3600, 2.0, "info")
    assert (settings.token_issuer, settings.token_audience) == ("haru", "haru")
    assert (settings.introspection, settings.graphiql, settings.lanes) == (False, False, None)
    assert (settings.request_seconds, settings.odds_notice_hours, settings.metrics_port) == (8.0, 0, None)
    assert (settings.pause_on_alarm, settings.traces, settings.demo_today) == (False, False, None)
    assert (settings.hosts, settings.cors_origins, settings.cors_headers, settings.seed_keys) == ((), (), (), {})
    assert [read_settings(WORKERS=workers).lanes_per_process for workers in (1, 2, 3)] == [2, 1, 1]
    assert read_settings(HARU_LANES=5, WORKERS=2).lanes_per_process == 5
    assert read_settings(HARU_REQUEST_SECONDS=3.5).execution_seconds == 2.5
    assert settings.state_dir == PROJECT / ".haru"
    assert settings.requests_per_second == (0.0, 0.0)
    real = read_settings(**FOR_REAL)
    assert real.requests_per_second == (50.0, 500.0)
    chosen = read_settings(**FOR_REAL, HARU_PLAYER_RATE=0, HARU_ADDRESS_RATE=7)
    assert chosen.requests_per_second == (0.0, 7.0)
