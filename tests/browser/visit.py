"""A visit to one of haru's pages, and everything about it that would be a fault."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from tests.outside import axe

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Request

AUDIT = """
async (include) => {
  const { violations } = await axe.run({ include }, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}
"""
ARTIFACTS = Path(__file__).parents[2] / ".artifacts"
"""Where pictures are kept: whoever runs the tests can look at what they saw."""


@dataclass(frozen=True)
class Sent:
    """A GraphQL request as it left the page; of one with a file only the headers."""

    operation: str
    variables: dict[str, Any]
    authorization: str | None
    content_type: str


@dataclass
class Visit:
    """A page in the browser."""

    page: "Page"
    home: str
    requests: list[str] = field(default_factory=list)
    audited: ClassVar[Sequence[str]] = ("html",)
    """What of the page is ours to keep accessible, as selectors of CSS."""
    heard: list[str] = field(default_factory=list)
    """Uncaught errors, refusals of the policy, and everything that the page wrote to the console."""
    expected: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def to(cls, browser: "Browser", home: str, **context: Any) -> AsyncIterator[Self]:
        """A fresh visit; at its end nothing was asked of another host and nothing was complained about."""
        window = await browser.new_context(**context)
        window.set_default_timeout(60_000)
        visit = cls(await window.new_page(), home)
        await visit._watch()
        try:
            yield visit
        finally:
            await window.close()
        assert visit.foreign_requests == []
        assert visit.complaints == [], visit.complaints

    async def _watch(self) -> None:
        self.page.context.on("request", self._note)
        self.page.on("websocket", lambda opened: self.requests.append(opened.url.replace("ws", "http", 1)))
        self.page.on("pageerror", lambda error: self.heard.append(f"uncaught: {error}"))
        self.page.on("console", lambda message: self.heard.append(f"{message.type}: {message.text}"))
        await self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective, e.blockedURI))"
        )

    def _note(self, request: "Request") -> None:
        self.requests.append(request.url)
        if request.method != "POST":
            return
        content_type, authorization = request.headers["content-type"], request.headers.get("authorization")
        body = json.loads(request.post_data or "{}")  # the browser does not show what a form with a file holds
        variables = body.get("variables") or {}
        self.sent.append(Sent(body.get("operationName", ""), variables, authorization, content_type))

    @property
    def foreign_requests(self) -> list[str]:
        own = urlsplit(self.home).netloc
        return [url for url in self.requests if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != own]

    def of(self, operation: str) -> list[Sent]:
        """What was sent of an operation, in order."""
        return [sent for sent in self.sent if sent.operation == operation]

    @property
    def complaints(self) -> list[str]:
        """What was heard and not expected."""
        return [text for text in self.heard if not any(part in text for part in self.expected)]

    def forget(self, expected: str) -> None:
        """Leave out the complaints that hold this, also those still under way: the test has brought them about."""
        self.expected.append(expected)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.1)

    async def shoot(self, name: str) -> None:
        """Keep a picture of the whole page as `name`, a path; nothing may stick out, nor be in anybody's way."""
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await self.audit()
        path = ARTIFACTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path, full_page=True, animations="disabled")

    async def audit(self) -> None:
        """Have axe look at what is ours: it finds nothing serious."""
        await self.page.evaluate(axe())  # as the developer tools do, which the page's policy does not concern
        shown = [selector for selector in self.audited if await self.page.locator(selector).count()]
        found = await self.page.evaluate(AUDIT, shown)
        assert found == [], "\n".join(found)
