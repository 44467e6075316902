"""The page to play at /, in the local environment: an example of a game's frontend, built from examples/web."""

from pathlib import Path

from starlette.routing import BaseRoute, Route

from server.pages.assets import BuiltPage, security_headers

DIST = Path(__file__).parents[2] / "examples" / "web" / "dist"


def web_routes(dist: Path = DIST) -> list[BaseRoute]:
    """Make the routes of the page and its assets; none where haru was installed without its examples."""
    if not dist.is_dir():
        return []
    built = BuiltPage(dist, security_headers())
    return [Route("/", built.page), Route("/web/assets/{name}", built.asset)]
