"""The database's address, as providers and tools hand it out: a URI of libpq's, to be spoken to by asyncpg.

Each parameter of libpq's is honoured, or left out with a warning where haru can do without. What must not be left out,
and what nobody knows, is a fault. Source: PostgreSQL 18, "Connection URIs" and "Parameter Key Words".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from ssl import create_default_context
from typing import Any
from urllib.parse import unquote, urlencode

from services.sessions import OWN_SETTINGS

DEFAULT_PORT = 5432

NEEDED = "must be a PostgreSQL address: postgresql://user:password@host:port/database"

SHAPE = re.compile(
    r"(?:postgres|postgresql|postgresql\+asyncpg)://(?:(?P<login>[^/?]*)@)?(?P<hosts>[^/?@]*)"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
PLACE = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>\d*))?")
OPTION = re.compile(r"(?:-c\s*|--)(?P<name>[A-Za-z_][\w.-]*)=(?P<value>(?:\\.|[^\\\s])*)(?:\s+|$)")

DRIVER = frozenset({"passfile", "service", "krbsrvname", "gsslib", "target_session_attrs"})
"""What is an argument of the driver's."""

TLS = frozenset(
    {
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslcrl",
        "sslpassword",
        "sslnegotiation",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
    }
)
"""What the driver reads as libpq does, but out of an address alone."""

FILES = frozenset({"sslcert", "sslkey", "sslrootcert", "sslcrl"})

VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

CHOICES: Mapping[str, tuple[str, ...]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": VERSIONS,
    "ssl_max_protocol_version": VERSIONS,
    "target_session_attrs": ("any", "primary", "read-write"),  # haru writes: a standby is of no use
    "gsslib": ("gssapi", "sspi"),
    "gssencmode": ("disable", "prefer"),  # the driver encrypts by TLS alone: `require` would end up in the open
}
"""What a parameter may be, where the driver does not say so well, or less is possible than libpq knows."""

_KEEPALIVES = "haru has bounds of its own, and notices a dead connection within 20 s"
_OTHER_LOGINS = "the driver logs in by password, certificate or Kerberos"
_NO_EFFECT = "it has no effect any more"

LEFT_OUT: Mapping[str, tuple[str, frozenset[str]]] = {
    "authtype": (_NO_EFFECT, frozenset()),
    "channel_binding": ("the driver binds no channel; sslmode=verify-full is safe", frozenset({"disable", "prefer"})),
    "client_encoding": ("haru speaks UTF-8", frozenset({"auto", "utf8", "utf-8", "UTF8", "UTF-8"})),
    "gssdelegation": ("the driver delegates nothing", frozenset({"0"})),
    "gssencmode": ("the driver encrypts by TLS alone", frozenset({"disable", "prefer"})),
    "hostaddr": ("the host's name is looked up", frozenset()),
    "keepalives": (_KEEPALIVES, frozenset()),
    "keepalives_count": (_KEEPALIVES, frozenset()),
    "keepalives_idle": (_KEEPALIVES, frozenset()),
    "keepalives_interval": (_KEEPALIVES, frozenset()),
    "load_balance_hosts": ("hosts are tried in their order", frozenset({"disable"})),
    "max_protocol_version": ("the driver speaks 3.0", frozenset({"3.0"})),
    "min_protocol_version": ("the driver speaks 3.0", frozenset({"3.0"})),
    "oauth_client_id": (_OTHER_LOGINS, frozenset()),
    "oauth_client_secret": (_OTHER_LOGINS, frozenset()),
    "oauth_issuer": (_OTHER_LOGINS, frozenset()),
    "oauth_scope": (_OTHER_LOGINS, frozenset()),
    "replication": ("haru replicates nothing", frozenset({"0", "false", "no", "off"})),
    "require_auth": ("the driver logs in as the server asks", frozenset()),
    "requirepeer": ("the driver does not ask who owns a socket", frozenset()),
    "requiressl": ("sslmode has replaced it", frozenset({"0"})),
    "scram_client_key": (_OTHER_LOGINS, frozenset()),
    "scram_server_key": (_OTHER_LOGINS, frozenset()),
    "servicefile": ("PGSERVICEFILE names that file", frozenset()),
    "sslcertmode": ("the driver shows its certificate where the server asks", frozenset({"allow", "disable"})),
    "sslcompression": ("the driver compresses nothing", frozenset({"0"})),
    "sslcrldir": ("the driver reads one file, sslcrl", frozenset()),
    "sslkeylogfile": ("no secret is logged", frozenset()),
    "sslsni": ("the driver always tells the host's name", frozenset({"1"})),
    "tcp_user_timeout": (_KEEPALIVES, frozenset()),
    "tty": (_NO_EFFECT, frozenset()),
}
"""libpq's parameters that haru can do without: why, and the values that come true all the same."""

SERVER_SETTINGS = frozenset({"search_path", "role"})
"""Settings of the server that may stand by themselves, as those of extensions, with a dot; `options` takes any."""


class InvalidAddress(ValueError):
    """An address that haru cannot use; the message tells every fault, and never a password."""


@dataclass(frozen=True)
class Address:
    """Where the database is, and how to get in.

    `places`: hosts (a name, a number or a socket's directory) with their ports, in the order to try. `driver`: further
    arguments of asyncpg's. `settings`: of the server, for each session. `left_out`: parameters that are not honoured,
    each with the reason.
    """

    places: tuple[tuple[str, int], ...]
    driver: Mapping[str, Any] = field(repr=False)
    settings: Mapping[str, str]
    connect_timeout_seconds: float | None
    left_out: tuple[str, ...]

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of asyncpg's that lead to the first place that answers."""
        if not self.places:  # the driver asks the environment (PGHOST), then looks for a socket
            return dict(self.driver)
        hosts, ports = zip(*self.places, strict=True)
        return dict(self.driver) | {"host": list(hosts), "port": list(ports)}

    def only(self, number: int) -> Address:
        """The same address with one of its places alone."""
        return replace(self, places=self.places[number : number + 1])

    def __str__(self) -> str:
        """The places, without how to get in."""
        return ", ".join(host if host.startswith("/") else f"{host}:{port}" for host, port in self.places)


def parse_address(url: str) -> Address:
    """Read an address. Raises: InvalidAddress."""
    shape = SHAPE.fullmatch(url)
    if shape is None:
        raise InvalidAddress(NEEDED)
    query = _query(shape["query"] or "")
    faults = [*_faults(query)]
    if faults:
        raise InvalidAddress("; ".join(faults))
    last = {name: values[-1] for name, values in query.items() if values[-1]}
    places = tuple(_places(shape["hosts"], query))
    options, rest = _options(last.get("options", ""))
    given = options | {name: value for name, value in last.items() if _is_server_setting(name)}
    settings = {name: value for name, value in given.items() if name not in OWN_SETTINGS}
    return Address(
        places,
        _login(shape, last) | _driver(last, places) | {"server_settings": _at_start(last, rest)},
        settings,
        _connect_timeout(last),
        (*_left_out(last), *(f"{name}: haru sets it itself" for name in given if name in OWN_SETTINGS)),
    )


def _query(text: str) -> dict[str, list[str]]:
    """A URI's parameters. `+` is a plus: this is no form's."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for part in filter(None, text.split("&")):
        name, separator, value = part.partition("=")
        if not separator:
            raise InvalidAddress(f"{unquote(name)}: a parameter has a value, {unquote(name)}=...")
        found["sslmode" if name == "ssl" else unquote(name)].append(unquote(value))
    return dict(found)


def _faults(query: Mapping[str, list[str]]) -> Iterator[str]:
    """What keeps an address from being used."""
    for name, values in query.items():
        value = values[-1]
        if not (name in KNOWN or _is_server_setting(name)):
            yield f"nobody knows the parameter {name}; a setting of the server's goes into options=-c%20name%3Dvalue"
        elif value and name in CHOICES and value not in CHOICES[name]:
            yield f"{name}={value}: haru can use {', '.join(CHOICES[name])}"
        elif name == "requiressl" and value == "1":
            yield "requiressl=1: sslmode=require has replaced it"
        elif value and name in FILES and not Path(value).is_file() and (name, value) != ("sslrootcert", "system"):
            yield f"{name}: there is no file {value}"
        elif value and name == "connect_timeout" and not re.fullmatch(r"-?\d{1,6}", value):
            yield f"connect_timeout={value}: must be a number of seconds"


def _places(authority: str, query: Mapping[str, list[str]]) -> Iterator[tuple[str, int]]:
    """Hosts with their ports. Raises: InvalidAddress.

    `host` in the query wins, as in libpq; SQLAlchemy writes several of it, with ports.
    """
    named = [host for value in query.get("host") or query.get("hostaddr", []) for host in value.split(",") if host]
    hosts = [_place(host) for host in named or (unquote(host) for host in authority.split(",") if host)]
    ports = [port for value in query.get("port", []) for port in value.split(",") if port]
    if len(ports) not in {0, 1, len(hosts)} or not all(port.isdecimal() for port in ports):
        raise InvalidAddress(f"port: must be a number, or as many as there are hosts ({len(hosts)})")
    for number, (host, port) in enumerate(hosts):
        chosen = int(ports[number % len(ports)]) if ports else DEFAULT_PORT if port is None else port
        if not 0 < chosen < 65536:
            raise InvalidAddress(f"port: {chosen} is none")
        yield host, chosen


def _place(text: str) -> tuple[str, int | None]:
    """A host with its port, if it has one. Raises: InvalidAddress."""
    if text.startswith("/") or (text.count(":") > 1 and "[" not in text):  # a socket's directory; an IPv6 number
        return text, None
    place = PLACE.fullmatch(text)
    if place is None:
        raise InvalidAddress(f"{NEEDED}; in a password / ? # % are written %2F %3F %23 %25")
    return place["ipv6"] or place["host"] or "localhost", int(place["port"]) if place["port"] else None


def _login(shape: re.Match[str], query: Mapping[str, str]) -> dict[str, Any]:
    """Who gets in, and to which database; what is null is the driver's to find (PGUSER, a password file, ...)."""
    user, _, password = (shape["login"] or "").partition(":")
    return {
        "user": query.get("user") or unquote(user) or None,
        "password": query.get("password") or unquote(password) or None,
        "database": query.get("dbname") or unquote(shape["database"] or "") or None,
    }


def _driver(query: Mapping[str, str], places: tuple[object, ...]) -> dict[str, Any]:
    """Further arguments of asyncpg's. Where several hosts are named, the one is meant that can be written to."""
    several = {"target_session_attrs": "read-write"} if len(places) > 1 else {}
    arguments: dict[str, Any] = several | {name: query[name] for name in DRIVER & query.keys()}
    tls = {name: query[name] for name in sorted(TLS & query.keys())}
    if query.get("sslrootcert") == "system":
        return arguments | {"ssl": create_default_context()}
    return arguments | ({"dsn": f"postgresql://?{urlencode(tls)}"} if tls else {})


def _at_start(query: Mapping[str, str], options: str) -> dict[str, str]:
    """Start-up parameters: the session's name, and of the options what only a proxy understands."""
    name = query.get("application_name") or query.get("fallback_application_name")
    return ({"application_name": name} if name else {}) | ({"options": options} if options else {})


def _options(text: str) -> tuple[dict[str, str], str]:
    """The settings in `options` (`-c name=value`, `--name=value`), and the rest of it."""
    found = {
        option["name"].replace("-", "_").lower(): re.sub(r"\\(.)", r"\1", option["value"])
        for option in OPTION.finditer(text)
    }
    return found, OPTION.sub("", text).strip()


def _is_server_setting(name: str) -> bool:
    return name in SERVER_SETTINGS or name in OWN_SETTINGS or "." in name


def _connect_timeout(query: Mapping[str, str]) -> float | None:
    """Seconds for one attempt at one host, 2 or more as in libpq; null where nothing is said, or "for ever"."""
    seconds = int(query.get("connect_timeout", 0))
    return max(float(seconds), 2.0) if seconds > 0 else None


def _left_out(query: Mapping[str, str]) -> Iterator[str]:
    for name, (reason, come_true) in LEFT_OUT.items():
        if name in query and query[name] not in come_true and not (name == "hostaddr" and "host" not in query):
            yield f"{name}: {reason}"


KNOWN = (
    frozenset({"host", "port", "user", "password", "dbname", "options", "connect_timeout"})
    | {"application_name", "fallback_application_name"}
    | DRIVER
    | TLS
    | LEFT_OUT.keys()
)
"""Every parameter of libpq's."""
