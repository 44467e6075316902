"""A toy server with the real page, and a visit to it.

The toy answers every operation of its schema with made-up values and keeps what it was sent. Nothing here needs the
database or a resolver: what is tested is the page.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from graphql import (
    GraphQLResolveInfo,
    build_schema,
    get_named_type,
    get_nullable_type,
    graphql,
    is_enum_type,
    is_list_type,
    is_union_type,
)
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.graphiql import graphiql_routes

if TYPE_CHECKING:
    from playwright.async_api import Page

SCHEMA = Path(__file__).with_name("schema.graphql")
ROLES = ("PLAYER", "OPERATOR", "ADMIN")
EXPIRY = 4_102_444_800  # the year 2100
SCALARS = {
    "Boolean": False,
    "Float": 12.5,
    "Int": 3,
    "BigInt": 9_007_199_254_740_991,
    "Date": "2024-12-06",
    "DateTime": "2024-12-06T09:00:00+09:00",
    "JSON": {"note": "toy"},
}


def demo_token(role: str) -> str:
    """A token to look at: its claims are readable, its signature is nobody's."""
    parts = {"alg": "HS256", "typ": "JWT"}, {"sub": f"toy-{role.lower()}", "role": role, "exp": EXPIRY}
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


@dataclass
class Sent:
    """One GraphQL request as it reached the server."""

    operation_name: str
    query: str
    variables: dict[str, Any]
    authorization: str | None
    content_type: str
    file_map: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass
class Toy:
    """The server: where it is, the tokens it offers, and what it was sent."""

    url: str
    tokens: dict[str, str] = field(default_factory=lambda: {role: demo_token(role) for role in ROLES})
    sent: list[Sent] = field(default_factory=list)

    def of(self, operation_name: str) -> list[Sent]:
        return [request for request in self.sent if request.operation_name == operation_name]

    def app(self) -> Starlette:
        schema = build_schema(SCHEMA.read_text())

        async def answer(request: Request) -> Response:
            sent = await _read(request)
            self.sent.append(sent)
            result = await graphql(
                schema,
                sent.query,
                field_resolver=_made_up,
                type_resolver=lambda value, *_: str(value["__typename"]),
                variable_values=_with_files(sent),
                operation_name=sent.operation_name,
            )
            return JSONResponse(result.formatted, media_type="application/graphql-response+json")

        def config() -> dict[str, object]:
            demo = [{"label": f"Demo {role.lower()}", "role": role, "token": self.tokens[role]} for role in ROLES]
            return {"endpoint": "/graphql", "subscriptionUrl": "/graphql", "demoTokens": demo}

        return Starlette(routes=[*graphiql_routes(config=config), Route("/graphql", answer, methods=["POST"])])


async def _read(request: Request) -> Sent:
    authorization, content_type = request.headers.get("authorization"), request.headers["content-type"]
    if not content_type.startswith("multipart/form-data"):
        body = await request.json()
        return Sent(body["operationName"], body["query"], body.get("variables") or {}, authorization, content_type)
    async with request.form() as form:
        body, file_map = json.loads(str(form["operations"])), json.loads(str(form["map"]))
        files = {}
        for key in file_map:
            part = form[key]
            assert isinstance(part, UploadFile)
            files[key] = (str(part.filename), await part.read())
    return Sent(body["operationName"], body["query"], body["variables"], authorization, content_type, file_map, files)


def _with_files(sent: Sent) -> dict[str, Any]:
    variables: dict[str, Any] = json.loads(json.dumps(sent.variables))
    for key, paths in sent.file_map.items():
        for path in paths:
            *parents, last = path.split(".")[1:]
            target = variables
            for name in parents:
                target = target[name]
            target[last] = sent.files[key][0]  # the toy's Upload is a plain scalar: the name will do
    return variables


def _made_up(source: Any, info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
    return _value_of(info.return_type, info)


def _value_of(of_type: Any, info: GraphQLResolveInfo[Any]) -> Any:
    nullable = get_nullable_type(of_type)
    if is_list_type(nullable):
        return [_value_of(nullable.of_type, info)]
    named: Any = get_named_type(nullable)
    if is_enum_type(named):
        return next(iter(named.values.values())).value
    if named.name in {"String", "ID"}:
        return f"toy {info.field_name}"
    if named.name in SCALARS:
        return SCALARS[named.name]
    if is_union_type(named):
        return {"__typename": next(member.name for member in named.types if member.name != "Problem")}
    return {"__typename": {"GamePlay": "DicePlay"}.get(named.name, named.name)}


@dataclass
class Visit:
    """A page in the browser, and everything about it that would be a fault."""

    page: "Page"
    toy: Toy
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def watch(self) -> None:
        """Take note of every request and of every error, refusal of the policy and warning."""
        self.page.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda opened: self.requests.append(opened.url.replace("ws", "http", 1)))
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        self.page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in {"error", "warning"} else None,
        )
        await self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective, e.blockedURI))"
        )

    @property
    def foreign_requests(self) -> list[str]:
        home = urlsplit(self.toy.url).netloc
        return [url for url in self.requests if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != home]

    async def open(self) -> None:
        await self.page.goto(f"{self.toy.url}/graphiql")
        await self.page.locator(".graphiql-query-editor .view-line").first.wait_for()
        await self.until(lambda: self.toy.of("IntrospectionQuery"))

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def go_to(self, tab: str) -> None:
        await self.page.get_by_role("tab", name=tab, exact=True).click()

    async def run(self, operation: str | None = None) -> None:
        """Press the play button and, where it offers several operations, choose one."""
        several = (
            '[aria-haspopup="menu"]' if operation else ""
        )  # the page reads the operation shortly after a change of it
        await self.page.locator(f".graphiql-execute-button{several}").click()
        if operation:
            await self.page.get_by_role("menuitem", name=operation, exact=True).click()

    async def text(self, model: str) -> str:
        """What an editor holds: `operation.graphql`, `variables.json`, `response.json`, `request-headers.json`."""
        find = "name => __MONACO.editor.getModels().find(model => model.uri.path.endsWith(name)).getValue()"
        return str(await self.page.evaluate(find, model))

    async def write(self, model: str, text: str) -> None:
        find = (
            "([name, text]) => __MONACO.editor.getModels().find(model => model.uri.path.endsWith(name)).setValue(text)"
        )
        await self.page.evaluate(find, [model, text])

    async def answer(self, holding: str) -> str:
        """The answer on the page, once it holds the given text."""
        for _ in range(100):
            text = await self.text("response.json")
            if holding in text:
                return text
            await asyncio.sleep(0.1)
        raise AssertionError(f"no {holding!r} in the answer:\n{text}")

    async def until(self, condition: Callable[[], object]) -> None:
        for _ in range(100):
            if condition():
                return
            await asyncio.sleep(0.1)
        raise AssertionError("it did not happen within ten seconds")
