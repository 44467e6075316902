"""`make docs`: write the pages that code makes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from services.database import connect_arguments
from tests.docs import vectors
from tests.docs.checks import VERIFY, page_with_checks
from tests.docs.errors import errors_page
from tests.docs.examples import DOCS, PAGES, page_with_answers
from tests.postgres import temporary_postgres
from tests.roles import EMPTY, furnish
from tests.world import running


async def write(page: Path, url: str) -> None:
    """Send a page's examples to a fresh world and write the answers."""
    connection = await asyncpg.connect(**connect_arguments(url))
    await connection.execute(EMPTY)
    await connection.close()
    async with running(url) as world:
        page.write_text(await page_with_answers(page, world), encoding="utf-8")


def main() -> None:
    """Write docs/errors.md, docs/draws.json, the audit's checks in docs/verify.md and the answers in the pages."""
    (DOCS / "errors.md").write_text(errors_page(), encoding="utf-8")
    VERIFY.write_text(page_with_checks(VERIFY.read_text(encoding="utf-8")), encoding="utf-8")
    vectors.VECTORS.write_text(vectors.page(), encoding="utf-8")
    with temporary_postgres() as url:
        furnish(url)
        for page in PAGES:
            asyncio.run(write(page, url))


if __name__ == "__main__":
    main()
