"""The pages that code makes are what it makes now."""

from pathlib import Path

from tests.docs.errors import errors_page
from tests.docs.examples import EXAMPLE, PAGE, page_with_answers
from tests.world import World


async def test_examples_answer_what_the_page_says(world: World) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(EXAMPLE.findall(page)) == page.count("```graphql")
    assert await page_with_answers(world) == page


def test_the_error_catalogue_is_the_code_s() -> None:
    page = Path(__file__).parents[2] / "docs" / "errors.md"
    assert page.read_text(encoding="utf-8") == errors_page()
