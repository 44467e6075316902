"""Commands without a database: what they check for themselves, what they refuse, and how they tell it."""

from __future__ import annotations

import json
import logging
import re
from math import inf, log
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from server.cli import conformance, coupons
from server.cli.common import database_of
from server.cli.main import main
from server.cli.telling import print_json
from server.migrations.roles import grants
from server.settings import Settings, read_settings
from services.conformance import Conformance, Outcome, RevisionConformance
from services.rules.registry import GAMES
from tests.docs.vectors import VECTORS
from tests.unit.rules import dice, roulette

NOWHERE = "postgresql+asyncpg://haru@127.0.0.1:1/haru"
PROOF, *_ = json.loads(VECTORS.read_text(encoding="utf-8"))["proofs"]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)


def haru(*arguments: str, **options: Any) -> Result:
    """A command's answer, which is never a traceback."""
    told = CliRunner().invoke(main, arguments, **options)
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return told


# haru verify draws


@pytest.mark.parametrize("indent", [None, 2])
def test_a_proof_is_checked(tmp_path: Path, indent: int | None) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(PROOF, indent=indent))
    told = haru("verify", "draws", str(file))
    assert (told.exit_code, told.output) == (0, "draws: 1, all as they had to be\n")
    wrong = json.dumps(PROOF | {"rolls": [9, 9, 9, 9]}, indent=indent)
    told = haru("verify", "draws", "-", input=wrong)
    assert (told.exit_code, told.stdout) == (1, "draws: 1, faults: 1\n")
    assert told.stderr == "rolls: they are out of the bounds of drawnFrom\n"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no JSON",
        b"[]",
        b'{"type": "day"',
        b'{"type": "day"}\n',
        b'{"type": "adjustment"}\n\xff\n',
        b'"\xff"',
        b"1\n2",
    ],
)
def test_what_is_neither_a_proof_nor_a_transcript(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "what.json"
    file.write_bytes(text)
    told = haru("verify", "draws", str(file))
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith("what.json is neither a proof nor a transcript: ")


def test_empty_lines_of_a_transcript_are_none(tmp_path: Path) -> None:
    line = json.dumps({"type": "adjustment", "stock": 1, "by": 1, "afterNo": 0})
    told = [haru("verify", "draws", "-", input=text) for text in (f"{line}\n{line}", f"{line}\n\n \n{line}\n\n")]
    assert told[0].exit_code == 1
    assert (told[0].stdout, told[0].stderr) == (told[1].stdout, told[1].stderr)


# haru verify odds


def conformity(*logs: float) -> Conformance:
    """So much evidence against revisions, 12 draws each."""
    games = list(GAMES.values())
    rules = (dice(hash="a" * 64, revision=1), roulette([1, 1]), dice(hash="b" * 64, revision=2))
    found = [
        RevisionConformance(games[number % 2], rules[number], number + 1, 12, one, [Outcome("6", 3, 2.0)])
        for number, one in enumerate(logs)
    ]
    return Conformance(1234.5678, found)


def test_evidence_is_told_as_powers_of_ten(capsys: pytest.CaptureFixture[str]) -> None:
    found = conformity(log(1000), log(0.1), inf)
    conformance._tell(found)
    first, second = (game.feature for game in list(GAMES.values())[:2])
    assert capsys.readouterr().out.splitlines() == [
        f"{first} revision 1 ({'a' * 64}): 12 draws, evidence 10^3.00",
        f"{second} revision 3 ({'0' * 64}): 12 draws, evidence 10^-1.00",
        f"{first} revision 2 ({'b' * 64}): 12 draws, evidence 10^inf",
        "draws: 36, evidence: 1235, ALARM",
    ]
    conformance._tell(Conformance(1.0, []))
    assert capsys.readouterr().out == "draws: 0, evidence: 1, no alarm\n"


def test_programs_are_told_no_number_where_none_is_great_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON knows no infinity."""
    print_json(conformance._object(conformity(log(1000), inf)))
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    first, second = told.pop("revisions")
    assert told == {"draws": 24, "evidence": 1234.5678, "alarmAt": 1000.0, "isAlarm": True}
    assert first.pop("log10Evidence") == pytest.approx(3)
    assert first == {
        "featureType": next(iter(GAMES)),
        "revision": 1,
        "hash": "a" * 64,
        "draws": 12,
        "outcomes": [{"label": "6", "drawn": 3, "expected": 2.0}],
    }
    assert second["log10Evidence"] is None


@pytest.mark.parametrize(
    "command",
    ["audit --since", "verify odds --from", "verify odds --to", "transcript --date"],
)
@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("0001-01-01", "is not from 2000-01-01 to 2999-12-31."),
        ("1999-12-31", "is not from 2000-01-01 to 2999-12-31."),
        ("3000-01-01", "is not from 2000-01-01 to 2999-12-31."),
        ("2026-02-29", "'2026-02-29' is no date, as 2026-03-02."),
        ("today", "'today' is no date, as 2026-03-02."),
    ],
)
def test_dates_that_no_event_has_are_a_wrong_command_line(command: str, date: str, told: str) -> None:
    refused = haru(*command.split(), date)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.endswith(f"{told}\n")


@pytest.mark.parametrize("date", ["2000-01-01", "2999-12-31"])
def test_the_first_and_the_last_date(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    assert "The database cannot be used" in haru("transcript", "--date", date).stderr


# What commands tell


def test_values_are_printed_for_programs_and_read_by_people(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"커피": [1]})
    assert capsys.readouterr().out == '{\n  "커피": [\n    1\n  ]\n}\n'


def test_how_far_an_import_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("click._termui_impl.isatty", lambda _stream: True)
    told = {}
    for is_watched in (True, False):
        monkeypatch.setattr(coupons, "watched", lambda seen=is_watched: seen)
        with coupons._progress(4) as show:
            for done in (1, 2, 4):
                show(done)
        told[is_watched] = capsys.readouterr()
    assert re.findall(r"\d+/\d+", told[True].err) == ["0/4", "1/4", "2/4", "4/4"]
    assert told[False] == ("", "")
    assert told[True].out == ""


# The database and its roles


def test_the_role_of_the_address_is_granted_its_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    def printed(*options: str) -> str:
        told = haru("db", "roles", "--sql", *options)
        assert told.exit_code == 0, told.output
        return told.stdout

    def expected(role: str, schema: str) -> str:
        return "".join(f"{one};\n" for one in ("BEGIN", *grants(role, schema), "COMMIT"))

    refused = haru("db", "roles", "--sql")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.endswith("Error: DATABASE_URL names no role: give --role.\n")
    assert printed("--role", "app") == expected("app", "public")
    monkeypatch.setenv("DATABASE_URL", "postgresql://login@db/haru")
    assert printed() == expected("login", "public")
    assert printed("--role", 'an "app"', "--schema", "event") == expected('an "app"', "event")
    monkeypatch.setenv("DATABASE_URL", "postgresql://login@db/haru?options=-c%20role%3Dapp")
    assert printed() == expected("app", "public")


@pytest.mark.parametrize(
    ("command", "checked"),
    [
        ("db upgrade", "HARU_OWNER_URL"),
        ("db roles", "HARU_OWNER_URL"),
        ("db verify", "HARU_OWNER_URL"),
        ("audit", "HARU_OWNER_URL"),
        ("db prune", "DATABASE_URL"),
        ("coupons list", "DATABASE_URL"),
    ],
)
def test_who_acts_as_the_owner_has_the_owner_s_address_checked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: str, checked: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{NOWHERE}?keepalives=1")
    told = []
    for owner in (f"{NOWHERE}?keepalives=1", ""):
        caplog.clear()
        monkeypatch.setenv("HARU_OWNER_URL", owner)
        assert haru(*command.split()).exit_code in {1, 2}
        told += [record.getMessage().partition(" keepalives")[0] for record in caplog.records]
    assert told == [f"{checked}: left out", "DATABASE_URL: left out"]


def test_a_server_that_is_for_real_starts_without_its_database(caplog: pytest.LogCaptureFixture) -> None:
    settings = read_settings(DATABASE_URL=NOWHERE)
    with pytest.raises(click.ClickException), database_of(settings):
        pass
    assert not caplog.records
    with database_of(settings, for_real=True) as given:
        assert given is settings
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("the server starts without its database: the database is out of reach")


@pytest.mark.parametrize("warning", ["the role owns the tables", None])
def test_what_is_to_be_warned_of_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, warning: str | None
) -> None:
    async def check(url: str, *, for_real: bool) -> str | None:
        assert (url, for_real) == (NOWHERE, True)
        return warning

    monkeypatch.setattr("server.cli.common.check_suitability", check)
    with database_of(read_settings(DATABASE_URL=NOWHERE), for_real=True):
        pass
    assert caplog.messages == ([] if warning is None else [warning])
