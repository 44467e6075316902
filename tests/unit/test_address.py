"""Addresses of the database: what each of libpq's parameters becomes, and what does not start."""

from __future__ import annotations

import ssl
from math import inf
from pathlib import Path
from typing import Any

import pytest

from services.address import CHOICES, KNOWN, LEFT_OUT, InvalidAddress, parse_address
from services.connector import Connector

AT = "postgresql://u:p@db.example:6000/haru"

LIBPQ = """
application_name authtype channel_binding client_encoding connect_timeout dbname fallback_application_name
gssdelegation gssencmode gsslib host hostaddr keepalives keepalives_count keepalives_idle keepalives_interval
krbsrvname load_balance_hosts max_protocol_version min_protocol_version oauth_client_id oauth_client_secret
oauth_issuer oauth_scope options passfile password port replication require_auth requirepeer requiressl
scram_client_key scram_server_key service servicefile ssl_max_protocol_version ssl_min_protocol_version sslcert
sslcertmode sslcompression sslcrl sslcrldir sslkey sslkeylogfile sslmode sslnegotiation sslpassword sslrootcert
sslsni target_session_attrs tcp_user_timeout tty user
"""
"""PostgreSQL 18's documentation, "Parameter Key Words", with those that older versions had."""


def test_every_parameter_of_libpq_s_is_known() -> None:
    assert sorted(KNOWN) == sorted(LIBPQ.split())


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("postgresql://db/haru", [("db", 5432)]),
        ("postgres://db/haru", [("db", 5432)]),
        ("postgresql+asyncpg://db:6000", [("db", 6000)]),
        ("postgresql://a:1,b:2,c/haru", [("a", 1), ("b", 2), ("c", 5432)]),
        ("postgresql://[::1]:1,[2001:db8::2]/haru", [("::1", 1), ("2001:db8::2", 5432)]),
        ("postgresql://%2Frun%2Fpostgresql/haru", [("/run/postgresql", 5432)]),
        ("postgresql:///haru?host=/run/postgresql&port=6000", [("/run/postgresql", 6000)]),
        ("postgresql://u@/haru?host=a,b&port=1,2", [("a", 1), ("b", 2)]),
        ("postgresql://u@/haru?host=a,b&port=1", [("a", 1), ("b", 1)]),
        ("postgresql://u@/haru?host=a:1&host=b:2", [("a", 1), ("b", 2)]),
        ("postgresql://u@ignored/haru?host=::1", [("::1", 5432)]),
        ("postgresql://u@/haru?hostaddr=192.0.2.1", [("192.0.2.1", 5432)]),
        ("postgresql://u@db/haru?host=&port=", [("db", 5432)]),
        ("postgresql://,a:65535,/haru?host=,b:1,&host=c", [("b", 1), ("c", 5432)]),
        ("postgresql://:6000/haru", [("localhost", 6000)]),
        ("postgresql:///haru", []),
    ],
)
def test_hosts_and_ports(url: str, places: list[tuple[str, int]]) -> None:
    address = parse_address(url)
    assert list(address.places) == places
    assert address.left_out == ()
    if places:
        assert [*zip(address.arguments["host"], address.arguments["port"], strict=True)] == places
    else:
        assert not {"host", "port"} & address.arguments.keys()


@pytest.mark.parametrize(
    ("url", "login"),
    [
        (AT, ("u", "p", "haru")),
        ("postgresql://db", (None, None, None)),
        ("postgresql://u@db/", ("u", None, None)),
        ("postgresql://u%40x:%2F%3F%23%25+@db/h%20r", ("u@x", "/?#%+", "h r")),
        ("postgresql://u:p@ss#1@db/haru", ("u", "p@ss#1", "haru")),
        ("postgresql://a:b@db/c?user=u&password=p&dbname=haru", ("u", "p", "haru")),
    ],
)
def test_who_gets_in(url: str, login: tuple[str | None, ...]) -> None:
    arguments = parse_address(url).arguments
    assert (arguments["user"], arguments["password"], arguments["database"]) == login
    assert "password" not in repr(parse_address(url))


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("sslmode=require", {"dsn": "postgresql://?sslmode=require"}),
        (
            "sslmode=require&ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3",
            {"dsn": "postgresql://?ssl_max_protocol_version=TLSv1.3&ssl_min_protocol_version=TLSv1.2&sslmode=require"},
        ),
        ("ssl=require", {"dsn": "postgresql://?sslmode=require"}),
        ("sslpassword=a%26b", {"dsn": "postgresql://?sslpassword=a%26b"}),
        ("passfile=/p&krbsrvname=k&gsslib=gssapi", {"passfile": "/p", "krbsrvname": "k", "gsslib": "gssapi"}),
        ("service=s", {"service": "s"}),
        ("target_session_attrs=primary", {"target_session_attrs": "primary"}),
        ("application_name=mine", {"server_settings": {"application_name": "mine"}}),
        ("fallback_application_name=mine", {"server_settings": {"application_name": "mine"}}),
        ("options=endpoint%3Dep-1", {"server_settings": {"options": "endpoint=ep-1"}}),
        ("options=%20endpoint%3Dep-1%20-cWork_Mem%3D8MB", {"server_settings": {"options": "endpoint=ep-1"}}),
        ("sslmode=&application_name=", {"server_settings": {}}),
    ],
)
def test_what_the_driver_is_told(query: str, arguments: dict[str, Any]) -> None:
    address = parse_address(f"{AT}?{query}")
    assert address.arguments.items() >= arguments.items()
    assert address.left_out == ()
    assert ("dsn" in address.arguments) is ("dsn" in arguments)


def test_the_places_are_told_and_one_of_them_alone() -> None:
    address = parse_address("postgresql://u:s3cret@a:1,%2Frun%2Fpostgresql,c:3/haru")
    assert str(address) == "a:1, /run/postgresql, c:3"
    assert [str(address.only(number)) for number in range(3)] == ["a:1", "/run/postgresql", "c:3"]
    assert address.only(1).arguments == address.arguments | {"host": ["/run/postgresql"], "port": [5432]}


def test_the_system_s_certificates() -> None:
    context = parse_address(f"{AT}?sslrootcert=system&sslmode=verify-full").arguments["ssl"]
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


def test_of_several_hosts_the_one_is_meant_that_can_be_written_to() -> None:
    assert parse_address("postgresql://a,b/haru").arguments["target_session_attrs"] == "read-write"
    assert parse_address("postgresql://a,b/haru?target_session_attrs=any").arguments["target_session_attrs"] == "any"
    assert "target_session_attrs" not in parse_address("postgresql://a/haru").arguments


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("options=-csearch_path%3Dpublic", {"search_path": "public"}),
        ("options=-c%20search_path%3Da%2Cb%20--Work-Mem%3D8MB", {"search_path": "a,b", "work_mem": "8MB"}),
        ("options=-c%20search_path%3Da%5C%20b", {"search_path": "a b"}),
        (
            "search_path=mine&citus.override_table_visibility=off",
            {"search_path": "mine", "citus.override_table_visibility": "off"},
        ),
    ],
)
def test_settings_of_the_server_s(query: str, settings: dict[str, str]) -> None:
    address = parse_address(f"{AT}?{query}")
    assert dict(address.settings) == settings
    assert (address.left_out, address.arguments["server_settings"]) == ((), {})


@pytest.mark.parametrize(
    ("given", "seconds"), [("10", 10.0), ("1", 2.0), ("2", 2.0), ("0", None), ("-1", None), ("", None)]
)
def test_how_long_to_wait_for_a_host(given: str, seconds: float | None) -> None:
    assert parse_address(f"{AT}?connect_timeout={given}").connect_timeout_seconds == seconds


@pytest.mark.parametrize(
    ("query", "longest", "seconds"),
    [("", 1.5, 1.5), ("connect_timeout=3", 5.0, 3.0), ("connect_timeout=9", 5.0, 5.0), ("connect_timeout=9", inf, 9.0)],
)
def test_a_host_is_waited_for_as_the_address_says_but_no_longer_than_is_promised(
    query: str, longest: float, seconds: float
) -> None:
    assert Connector(parse_address(f"{AT}?{query}"), longest_seconds=longest).timeout_seconds == seconds


@pytest.mark.parametrize("name", sorted(LEFT_OUT.keys() - CHOICES.keys() - {"hostaddr"}))
def test_what_haru_can_do_without_is_told(name: str) -> None:
    [told] = parse_address(f"{AT}?{name}=require").left_out
    assert told.startswith(f"{name}: ")
    for harmless in LEFT_OUT[name][1]:
        assert parse_address(f"{AT}?{name}={harmless}").left_out == ()


@pytest.mark.parametrize(
    "query", ["host=db&hostaddr=192.0.2.1", "options=-cstatement_timeout%3D60000", "timezone=Asia/Seoul"]
)
def test_what_is_left_out_beside_something_else(query: str) -> None:
    [told] = parse_address(f"{AT}?{query}").left_out
    assert told.partition(":")[0] in query


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://db/haru", "must be a PostgreSQL address"),
        ("haru.sqlite", "must be a PostgreSQL address"),
        ("", "must be a PostgreSQL address"),
        ("postgresql://u:s3cret@db:port/haru", "must be a PostgreSQL address"),
        ("postgresql://u:s3cret/x@db/haru", "in a password / ? # % are written"),
        ("postgresql://db:0/haru", "port: 0 is none"),
        ("postgresql://db:65536/haru", "port: 65536 is none"),
        ("postgresql://a,b,c/haru?port=1,2", "as many as there are hosts (3)"),
        ("postgresql://db/haru?port=x", "port: must be a number"),
        ("postgresql://a,b/haru?port=1,x", "port: must be a number"),
        (f"{AT}?pgbouncer=true", "nobody knows the parameter pgbouncer"),
        (f"{AT}?work_mem=8MB", "nobody knows the parameter work_mem"),
        (f"{AT}?SSLMODE=require", "nobody knows the parameter SSLMODE"),
        (f"{AT}?sslmode", "sslmode: a parameter has a value"),
        (f"{AT}?sslmode=on", "sslmode=on: haru can use disable, allow, prefer, require"),
        (f"{AT}?gssencmode=require", "gssencmode=require: haru can use disable, prefer"),
        (f"{AT}?requiressl=1", "sslmode=require has replaced it"),
        (f"{AT}?target_session_attrs=standby", "haru can use any, primary, read-write"),
        (f"{AT}?connect_timeout=soon", "must be a number of seconds"),
        (f"{AT}?sslrootcert=/no/such.pem", "sslrootcert: there is no file /no/such.pem"),
        (f"{AT}?sslmode=on&pgbouncer=true", "sslmode=on: haru can use disable, allow, prefer, require, verify-ca, "),
    ],
)
def test_what_does_not_start(url: str, told: str) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        parse_address(url)
    assert told in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


def test_a_certificate_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "root.crt"
    file.touch()
    assert parse_address(f"{AT}?sslrootcert={file}").arguments["dsn"].endswith("root.crt")
