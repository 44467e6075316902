"""The pages that code makes are what it makes now."""

from pathlib import Path

import pytest

from tests.docs.checks import VERIFY, page_with_checks
from tests.docs.errors import errors_page
from tests.docs.examples import DOCS, EXAMPLE, PAGES, page_with_answers
from tests.world import World


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_examples_answer_what_the_page_says(page: Path, world: World) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(EXAMPLE.findall(text)) == text.count("```graphql")
    assert await page_with_answers(page, world) == text
    assert '"code": "NOT_FOUND"' not in text  # the page's ids are written by hand, the answers are not


def test_the_error_catalogue_is_the_code_s() -> None:
    assert (DOCS / "errors.md").read_text(encoding="utf-8") == errors_page()


def test_the_list_of_checks_is_the_audit_s() -> None:
    text = VERIFY.read_text(encoding="utf-8")
    assert page_with_checks(text) == text
