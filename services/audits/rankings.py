"""Rankings: each day's newest snapshot is there whole, and is what was published."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import msgspec

from models import RankingDaily, RankingRevision
from services.audits.check import Finding, Snapshot, check, query, row_of
from services.rules.ranking import RankingRow


@query
def numbers() -> str:
    """A day's snapshots are numbered 1, 2, 3 and so on, without a gap."""
    return f"""
    SELECT {row_of(RankingRevision, "r")}, format('follows revision %s', r.before) AS fault
    FROM (SELECT *, lag(revision, 1, 0::bigint) OVER (PARTITION BY date ORDER BY revision) AS before
          FROM ranking_revision) r
    WHERE r.revision <> r.before + 1"""


@query
def newest() -> str:
    """The rows of a day are all of its newest snapshot."""
    return f"""
    SELECT {row_of(RankingDaily, "d")}, format('is of revision %s; the newest is %s', d.revision, r.revision) AS fault
    FROM ranking_daily d JOIN (SELECT date, max(revision) AS revision FROM ranking_revision GROUP BY date) r
        ON r.date = d.date
    WHERE d.revision <> r.revision"""


CONTENTS = """
SELECT n.date, n.revision, n.total_entries, n.content_hash, d.rank, d.display_name, d.score, d.external_id
FROM (SELECT DISTINCT ON (date) * FROM ranking_revision ORDER BY date, revision DESC) n
LEFT JOIN ranking_daily d ON d.date = n.date
WHERE n.published_at >= :since ORDER BY n.date, d.rank
"""


class _Content:
    """A day's rows as they go by."""

    def __init__(self, newest: Any) -> None:
        self.newest, self.rows, self._digest = newest, 0, sha256()

    def add(self, row: Any) -> None:
        """Take the next row by rank."""
        if row.rank is not None:
            self.rows += 1
            self._digest.update(msgspec.json.encode(RankingRow(*row[-4:])))

    def findings(self) -> list[Finding]:
        """Whether these are the rows that were published."""
        was, key = self.newest, {"date": str(self.newest.date), "revision": self.newest.revision}
        if self.rows != was.total_entries:
            fault = f"published {was.total_entries} rows, of which {self.rows} are there"
        elif self.rows and self._digest.hexdigest() != was.content_hash:
            fault = "the rows are not those that were published: their digest is another"
        else:
            return []
        return [Finding(RankingRevision.__tablename__, key, fault)]


@check
async def contents(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """The rows of a day's newest snapshot are as many as were published, and their digest is that of then."""
    content: _Content | None = None
    async for row in snapshot.rows(CONTENTS):
        if content is None or content.newest.date != row.date:
            for finding in content.findings() if content else ():
                yield finding
            content = _Content(row)
        content.add(row)
    for finding in content.findings() if content else ():
        yield finding
