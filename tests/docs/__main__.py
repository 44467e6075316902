"""`make docs`: write the pages that code makes."""

from __future__ import annotations

import asyncio

from server.database import upgrade
from tests.docs.errors import errors_page
from tests.docs.examples import PAGE, page_with_answers
from tests.postgres import temporary_postgres
from tests.world import running


async def write_examples(url: str) -> None:
    """Send every example to a fresh world and write the answers."""
    async with running(url) as world:
        PAGE.write_text(await page_with_answers(world), encoding="utf-8")


def main() -> None:
    """Write docs/errors.md and docs/examples.md."""
    (PAGE.parent / "errors.md").write_text(errors_page(), encoding="utf-8")
    with temporary_postgres() as url:
        upgrade(url)
        asyncio.run(write_examples(url))


main()
