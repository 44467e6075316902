"""`haru audit`: its answers, for people and for programs, and its exit codes."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from models import LEDGER_START
from services.audits.registry import CHECKS
from services.audits.run import TOLD
from services.seal_copies import copy_of
from services.seals import Seal, hash_of
from tests.conftest import Haru
from tests.world import NOON, World, forge

UNSEALED = "what is not sealed yet, 2 lines"
UNCOPIED = "seals that were made anew, and all that they cover: no copy of them was given (--seals)"
BY_HAND = 'UPDATE "user" SET ledger_lines = ledger_lines + 1 WHERE external_id = $1'


def report(result: Result) -> dict[str, Any]:
    """What was found, by check."""
    answer = json.loads(result.stdout)
    assert answer["findings"] == sum(check["count"] for check in answer["checks"])
    return {check["check"]: check for check in answer["checks"] if check["count"]}


async def test_a_database_that_is_whole(world: World, haru: Haru) -> None:
    alice = await world.player("alice")
    await alice.play()
    told = await haru("audit")
    assert told.exit_code == 0
    assert told.stdout.splitlines() == [
        f"{len(CHECKS) + 1} checks, 0 findings",
        f"not seen: {UNSEALED}",
        f"not seen: {UNCOPIED}",
    ]
    as_json = await haru("audit", "--json")
    assert as_json.exit_code == 0
    answer = json.loads(as_json.stdout)
    looked_at = [(check["check"], check["promise"]) for check in answer["checks"]]
    assert looked_at[:-1] == [(check.name, check.promise) for check in CHECKS]
    assert looked_at[-1][0] == "database.definitions"
    assert answer["notSeen"] == [UNSEALED, UNCOPIED]


async def test_what_is_found_is_told_with_its_row(world: World, haru: Haru) -> None:
    alice = await world.player("alice")
    await world.sql.execute(BY_HAND, "alice")
    told = await haru("audit")
    assert told.exit_code == 1
    start = bytes(32).hex()
    fault = f"counts 1 lines, the last with hash {start}; the ledger has 0, and {start}"
    assert told.stdout.splitlines()[0] == f"ledger.heads: user (id {alice.player_id}): {fault}"
    found = report(await haru("audit", "--json"))
    assert found.keys() == {"ledger.heads"}
    assert found["ledger.heads"]["findings"] == [{"table": "user", "key": {"id": str(alice.player_id)}, "fault": fault}]
    await world.sql.execute('UPDATE "user" SET ledger_lines = 0')


async def test_a_rule_that_is_switched_off(world: World, haru: Haru) -> None:
    await world.sql.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
    told = await haru("audit", "--json")
    await world.sql.execute("ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only")
    assert told.exit_code == 1
    (finding,) = report(told)["database.definitions"]["findings"]
    assert finding["table"] == "audit_log"
    assert finding["key"] == {"kind": "trigger", "name": "audit_log_append_only"}
    assert "SWITCHED OFF" in finding["fault"]


async def test_many_findings_are_counted_and_the_first_are_told(world: World, haru: Haru) -> None:
    await world.sql.execute(
        'INSERT INTO "user" (external_id, ledger_lines, created_at) SELECT n, 1, now() FROM generate_series(1, $1) n',
        TOLD + 5,
    )
    told = await haru("audit")
    assert told.exit_code == 1
    lines = told.stdout.splitlines()
    assert lines[TOLD:] == [
        "ledger.heads: and 5 more",
        f"{len(CHECKS) + 1} checks, {TOLD + 5} findings",
        f"not seen: {UNCOPIED}",
    ]
    await world.sql.execute('DELETE FROM "user" WHERE ledger_lines = 1')


async def test_what_is_older_is_trusted(world: World, haru: Haru) -> None:
    alice = await world.player("alice")
    play = await alice.play()
    assert play["businessDate"] == "2026-03-02"
    await forge(world.sql, "DELETE FROM user_event_log WHERE event_name = 'PLAY'")
    assert report(await haru("audit", "--json", "--since", "2026-03-02")).keys() == {"events.plays"}
    trusting = await haru("audit", "--since", "2026-03-03")
    assert trusting.exit_code == 0
    assert trusting.stdout.endswith("not seen: what happened before 2026-03-03: it is trusted\n")


async def test_seals_are_compared_with_their_copy(world: World, haru: Haru, tmp_path: Path) -> None:
    copy = tmp_path / "seals.jsonl"
    await (await world.player("alice")).play()
    assert (await haru("seal", "--out", str(copy))).exit_code == 0
    told = await haru("audit", "--seals", str(copy))
    assert (told.exit_code, told.stdout) == (0, f"{len(CHECKS) + 2} checks, 0 findings\n")
    (kept,) = [json.loads(line) for line in copy.read_text().splitlines()]
    seal = Seal(1, dt.datetime.fromisoformat(kept["sealedAt"]), NOON, 1, bytes(32), 1, 0, 10, 0, LEDGER_START)
    other = seal._replace(hash=hash_of(seal, LEDGER_START))
    copy.write_text(copy_of(other, LEDGER_START))
    found = report(await haru("audit", "--json", "--seals", str(copy)))
    assert found.keys() == {"seals.copies"}
    assert found["seals.copies"]["findings"][0]["key"] == {"number": 1}
    copy.write_text("no seal")
    broken = await haru("audit", "--seals", str(copy))
    assert (broken.exit_code, broken.stdout) == (2, "")
    assert f"{copy}: line 1 is no seal" in broken.stderr
    assert (await haru("audit", "--seals", str(tmp_path / "none"))).exit_code == 2


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://nobody@127.0.0.1:1/haru", "The database cannot be used: the database is out of reach"),
        ("no url", "DATABASE_URL"),
    ],
)
async def test_an_audit_that_cannot_run(haru: Haru, monkeypatch: pytest.MonkeyPatch, url: str, why: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    told = await haru("audit")
    assert (told.exit_code, told.stdout) == (2, "")
    assert why in told.stderr


async def test_a_date_that_is_none(haru: Haru) -> None:
    assert (await haru("audit", "--since", "yesterday")).exit_code == 2


async def test_who_looks_on_is_told_how_far_it_is(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click._termui_impl.isatty", lambda _stream: True)
    monkeypatch.setattr("server.cli.audit.watched", lambda: True)
    told = await haru("audit")
    assert told.exit_code == 0
    count = len(CHECKS) + 1
    shares = [int(share) for share in re.findall(r"(\d+)%", told.stderr)]
    assert shares == sorted(shares)
    assert {0, 100} <= {*shares} <= {int(done / count * 100) for done in range(count + 1)}
    assert len({*shares}) > count // 2  # several are looked at once
    for check in CHECKS:
        assert check.name in told.stderr
    assert "100%" not in (await haru("audit", "--json")).stderr
