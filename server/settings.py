"""Settings: environment variables, checked before anything starts."""

from __future__ import annotations

import re
from base64 import b64decode
from enum import StrEnum
from functools import cached_property
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models import MAX_NOTICE_HOURS, FeatureType
from server.origins import HEADER_NAME, host_of, origin_of
from server.trusted import read_documents
from services.address import parse_address

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout, or the installed package, which has the same layout."""

STATE_DIR = PROJECT / ".haru" if (PROJECT / "pyproject.toml").is_file() else Path(".haru")
"""In the checkout; an installed haru, whose own folder goes with the next version, keeps it where it is started."""

EXAMPLE_SECRET = "haru-local-example-secret-not-for-production"
MIN_SECRET_BYTES = 32
SEED_KEY_BYTES = 32
KEY_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class SettingsError(ValueError):
    """The settings do not allow a start; the message lists every fault."""


class Environment(StrEnum):
    """Where haru runs. Everything outside of `local` is for real."""

    LOCAL = "local"
    STAGE = "stage"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Every setting; docs/deploy.md explains them to operators."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    env: Environment = Field(Environment.LOCAL, alias="HARU_ENV")
    database_url: str | None = Field(None, alias="DATABASE_URL")
    owner_database_url: str | None = Field(None, alias="HARU_OWNER_URL")
    host: str = Field("127.0.0.1", alias="HOST")
    port: int = Field(8000, alias="PORT", ge=0, le=65535)
    workers: int = Field(1, alias="WORKERS", ge=1, le=64)
    state_dir: Path = Field(STATE_DIR, alias="HARU_STATE_DIR")
    secret: str = Field(EXAMPLE_SECRET, alias="HARU_SECRET")
    previous_secret: str | None = Field(None, alias="HARU_PREVIOUS_SECRET")
    seed_keys: Annotated[dict[str, bytes], NoDecode] = Field({}, alias="HARU_SEED_KEYS", repr=False)
    token_seconds: int = Field(3600, alias="HARU_TOKEN_SECONDS", ge=60, le=86400)
    token_issuer: str = Field("haru", alias="HARU_TOKEN_ISSUER", min_length=1)
    token_audience: str = Field("haru", alias="HARU_TOKEN_AUDIENCE", min_length=1)
    time_zone: str = Field("Asia/Seoul", alias="HARU_TIME_ZONE")
    lock_wait_seconds: float = Field(2.0, alias="HARU_LOCK_WAIT_SECONDS", ge=0.5, le=4.0)
    lanes: int | None = Field(None, alias="HARU_LANES", ge=1, le=16)
    request_seconds: float = Field(8.0, alias="HARU_REQUEST_SECONDS", ge=2.0, le=60.0)
    pool_size: int = Field(8, alias="HARU_POOL_SIZE", ge=2, le=100)
    player_rate: float | None = Field(None, alias="HARU_PLAYER_RATE", ge=0)
    address_rate: float | None = Field(None, alias="HARU_ADDRESS_RATE", ge=0)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), alias="HARU_CORS_ORIGINS")
    cors_headers: Annotated[tuple[str, ...], NoDecode] = Field((), alias="HARU_CORS_HEADERS")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field((), alias="HARU_HOSTS")
    introspection: bool = Field(False, alias="HARU_INTROSPECTION")
    graphiql: bool = Field(False, alias="HARU_GRAPHIQL")
    trusted_documents: Path | None = Field(None, alias="HARU_TRUSTED_DOCUMENTS")
    odds_notice_hours: int = Field(0, alias="HARU_ODDS_NOTICE_HOURS", ge=0, le=MAX_NOTICE_HOURS)
    pause_on_alarm: bool = Field(False, alias="HARU_PAUSE_ON_ALARM")
    demo_today: FeatureType | None = Field(None, alias="HARU_DEMO_TODAY")
    metrics_port: int | None = Field(None, alias="HARU_METRICS_PORT", ge=1, le=65535)
    metrics_host: str = Field("127.0.0.1", alias="HARU_METRICS_HOST")
    traces: bool = Field(False, alias="HARU_TRACES")
    log_level: str = Field("info", alias="HARU_LOG_LEVEL", pattern="^(debug|info|warning|error)$")

    @property
    def is_local(self) -> bool:
        """Whether this is a developer's machine."""
        return self.env is Environment.LOCAL

    @property
    def owner_url(self) -> str | None:
        """The database's address for its owner, who changes and verifies the tables; the application's by default."""
        return self.owner_database_url or self.database_url

    @property
    def is_exposed(self) -> bool:
        """Whether other machines may reach the server: HOST is not known to be of the loopback."""
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The event's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys that tokens may be signed with; the first one signs."""
        return (self.secret, self.previous_secret) if self.previous_secret else (self.secret,)

    @property
    def _named_secrets(self) -> tuple[tuple[str, str], ...]:
        return tuple(zip(("HARU_SECRET", "HARU_PREVIOUS_SECRET"), self.secrets, strict=False))

    @property
    def lanes_per_process(self) -> int:
        """Lanes of one process: two in all were the fastest on two cores, and one is the least a process needs."""
        return self.lanes or max(1, 2 // self.workers)

    @property
    def execution_seconds(self) -> float:
        """How long an operation may be executed: the rest is for its token before, and to give up and answer after."""
        return self.request_seconds - 1.0

    @property
    def requests_per_second(self) -> tuple[float, float]:
        """How many requests one player, and one address, may send to a process; 0 is unlimited, as it is locally."""
        player, address = (0.0, 0.0) if self.is_local else (50.0, 500.0)
        return (
            player if self.player_rate is None else self.player_rate,
            address if self.address_rate is None else self.address_rate,
        )

    @field_validator("cors_origins", "cors_headers", "hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin if "*" in origin else origin_of(origin) for origin in value)

    @field_validator("cors_headers")
    @classmethod
    def _header_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name}: no name of a header")
        return value

    @field_validator("hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(host_of, value))

    @field_validator("seed_keys", mode="before")
    @classmethod
    def _seed_keys(cls, value: Any) -> Any:
        return seed_keys_in(value) if isinstance(value, str) else value

    @field_validator("previous_secret")
    @classmethod
    def _none_where_empty(cls, value: str | None) -> str | None:
        return value or None

    @field_validator("database_url", "owner_database_url", mode="after")
    @classmethod
    def _with_driver(cls, value: str | None) -> str | None:
        if not value:
            return None
        parse_address(value)
        return f"postgresql+asyncpg://{value.partition('://')[2]}"

    @field_validator("metrics_port", mode="before")
    @classmethod
    def _no_port_where_empty(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("must be an IANA time zone, such as Asia/Seoul")
        return value

    @field_validator("trusted_documents")
    @classmethod
    def _documents(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_documents(value)
        return value

    @model_validator(mode="after")
    def _safe(self) -> Settings:
        faults = [
            f"{name} must have at least {MIN_SECRET_BYTES} bytes, and not white space around them"
            for name, secret in self._named_secrets
            if len(secret.encode()) < MIN_SECRET_BYTES or secret != secret.strip()
        ]
        if self.metrics_port is not None and self.metrics_port == self.port:
            faults.append("HARU_METRICS_PORT must not be PORT, which is open to everybody")
        if self.traces and find_spec("opentelemetry") is None:
            faults.append("HARU_TRACES needs OpenTelemetry: install haru[otel]")
        if any("*" in origin and (origin != "*" or not self.is_local) for origin in self.cors_origins):
            faults.append(f"HARU_CORS_ORIGINS must name its origins in {self.env}")
        if self.owner_database_url is not None and self.database_url is None:
            faults.append("HARU_OWNER_URL is of the same database as DATABASE_URL, which is missing")
        if not self.is_local:
            if self.database_url is None:
                faults.append(f"DATABASE_URL is required in {self.env}")
            faults += [
                f"{name} is missing or the example in {self.env}; make one: openssl rand -base64 48"
                for name, secret in self._named_secrets
                if secret == EXAMPLE_SECRET
            ]
            if not self.seed_keys:
                faults.append(
                    f"HARU_SEED_KEYS is required in {self.env}; make one: echo seeds-1:$(openssl rand -base64 32)"
                )
            if self.demo_today is not None:
                faults.append(f"HARU_DEMO_TODAY is for the local environment, not for {self.env}")
        if faults:
            raise ValueError("; ".join(faults))
        return self


def seed_keys_in(text: str) -> dict[str, bytes]:
    """The keys that seal seeds, by name, out of `name:key,name:key`, each key in base64. The first seals.

    Raises: ValueError.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not KEY_NAME.fullmatch(name) or len(key) != SEED_KEY_BYTES or name in keys:
            raise ValueError(f"must be name:key, by commas: names of their own, and {SEED_KEY_BYTES} bytes in base64")
        keys[name] = key
    return keys


def read_settings(**overrides: Any) -> Settings:
    """The settings out of the environment, `overrides` first.

    Raises: SettingsError with every fault.
    """
    try:
        return Settings(**overrides)
    except ValidationError as invalid:
        lines = [
            ": ".join([*map(str, error["loc"]), error["msg"].removeprefix("Value error, ")])
            for error in invalid.errors()
        ]
        raise SettingsError("\n".join(lines)) from None
