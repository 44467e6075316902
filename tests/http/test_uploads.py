"""Uploads by graphql-multipart-request-spec: good ones, broken ones, large ones, and files that are none."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import httpx
import pytest
from starlette.datastructures import FormData, UploadFile

from server.graphql.service import GraphQLOptions
from server.http.endpoint import NEEDS_CONNECTION
from server.http.multipart import operations_of, read_form
from server.http.places import Places
from server.wire import Refused
from tests.http.conftest import Check, client_of, make_endpoint

ONE = 'mutation ($file: Upload!, $note: String! = "") { upload(file: $file, note: $note) }'
MANY = "mutation ($files: [Upload!]!) { uploadMany(files: $files) }"


def form(operations: Any, places: Any, **files: bytes) -> dict[str, Any]:
    """The parts of a form in their order, values other than strings written as JSON."""
    parts: dict[str, Any] = {}
    for name, value in (("operations", operations), ("map", places)):
        if value is not None:
            parts[name] = (None, value if isinstance(value, str | bytes) else json.dumps(value))
    for name, content in files.items():
        parts[name] = (f"{name}.csv", content)
    return {"files": parts}


def one(**variables: Any) -> dict[str, Any]:
    return {"query": ONE, "variables": {"file": None} | variables}


async def test_a_file(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", **form(one(note="n"), {"a": ["variables.file"]}, a=b"x" * 1000))
    assert response.json() == {"data": {"upload": "a.csv 1000 n"}}


@pytest.mark.parametrize("charset", ["utf-8", "euc-kr", "latin-1", "nonsense"])
async def test_a_form_is_in_utf_8_whatever_it_says(client: httpx.AsyncClient, charset: str) -> None:
    request = client.build_request(
        "POST", "/graphql", files=form(one(note="하루"), {"하": ["variables.file"]})["files"] | {"하": ("하.csv", b"1")}
    )
    request.headers["content-type"] += f"; charset={charset}"
    assert (await client.send(request)).json() == {"data": {"upload": "하.csv 1 하루"}}


async def test_several_files(client: httpx.AsyncClient) -> None:
    operations = {"query": MANY, "variables": {"files": [None, None]}}
    places = {"a": ["variables.files.0"], "b": ["variables.files.1"]}
    response = await client.post("/graphql", **form(operations, places, a=b"", b=b"2"))
    assert response.json() == {"data": {"uploadMany": ["a.csv", "b.csv"]}}
    twice = {"a": ["variables.files.0", "variables.files.1"]}
    response = await client.post("/graphql", **form(operations, twice, a=b"1"))
    assert response.json() == {"data": {"uploadMany": ["a.csv", "a.csv"]}}


async def test_a_place_within_a_list(client: httpx.AsyncClient) -> None:
    spare = {"file": None, "spare": [{"f": 1}, {"f": None}]}
    response = await client.post(
        "/graphql", **form({"query": ONE, "variables": spare}, {"a": ["variables.file", "variables.spare.1.f"]}, a=b"1")
    )
    assert response.json() == {"data": {"upload": "a.csv 1 "}}


async def test_a_file_for_several_places_at_most() -> None:
    names = ["000", "1", "2", "999"]
    files: list[None] = [None] * 1_000
    operations = {"query": "", "variables": {"files": files}}
    upload = UploadFile(BytesIO(), filename="a.csv")
    places = {"a": [f"variables.files.{name}" for name in names]}
    fields: list[tuple[str, str | UploadFile]] = [
        ("operations", json.dumps(operations)),
        ("map", json.dumps(places)),
        ("a", upload),
    ]
    found = operations_of(FormData(fields))["variables"]["files"]
    assert [index for index, file in enumerate(found) if file is upload] == [0, 1, 2, 999]


@pytest.mark.parametrize("missing", [0, 1])
async def test_a_form_of_just_so_many_bytes(missing: int) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}\r\n--b--\r\n'
    messages: list[Any] = [{"type": "http.request", "body": body[:20], "more_body": True}]
    messages += [{"type": "http.request", "more_body": True}, {"type": "http.request", "body": body[20:]}]

    async def receive() -> Any:
        return messages.pop(0)

    reading = read_form(
        [(b"content-type", b"multipart/form-data; boundary=b")], receive, at_most=len(body) - missing, field=2
    )
    if missing:
        with pytest.raises(Refused) as refusal:
            await reading
        assert (refusal.value.status, refusal.value.unread) == (413, False)
    else:
        assert (await reading)["operations"] == "{}"
    assert not messages


async def test_a_subscription_is_no_upload(client: httpx.AsyncClient, refused: Check) -> None:
    places = Places(now=lambda: 0.0)
    count = {"query": "subscription { count(to: 1) }", "variables": {"file": None}}
    async with client_of(make_endpoint(places=places)) as client:
        client.headers["accept"] = "application/json, text/event-stream"
        response = await client.post("/graphql", **form(count, {"a": ["variables.file"]}, a=b""))
    assert refused(response, 200, "BAD_REQUEST")["message"] == NEEDS_CONNECTION


async def test_a_file_of_ten_megabytes(client: httpx.AsyncClient, refused: Check) -> None:
    places = {"a": ["variables.file"]}
    response = await client.post("/graphql", **form(one(), places, a=b"x" * 10 * 1024 * 1024))
    assert response.json() == {"data": {"upload": "a.csv 10485760 "}}
    refused(await client.post("/graphql", **form(one(), places, a=b"x" * 11 * 1024 * 1024)), 413, "BAD_REQUEST")


async def test_the_fields_of_a_form_are_as_small_as_any_body(client: httpx.AsyncClient, refused: Check) -> None:
    response = await client.post("/graphql", **form(one(note="n" * 70_000), {"a": ["variables.file"]}, a=b""))
    refused(response, 400, "BAD_REQUEST")


async def test_an_upload_shows_its_token_first(client: httpx.AsyncClient, refused: Check) -> None:
    client.headers["authorization"] = "Bearer bad"
    refused(await client.post("/graphql", **form(one(), "no JSON", a=b"")), 401, "UNAUTHENTICATED")


GOOD = {"a": ["variables.file"]}

BROKEN: dict[str, dict[str, dict[str, Any]]] = {
    "The multipart form needs the field 'operations'.": {
        "no operations": form(None, GOOD, a=b""),
        "nothing at all": {"content": b"", "headers": {"content-type": "multipart/form-data; boundary=b"}},
        "a form that ends early": {
            "content": b'--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query": "{ matrix }"}',
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
    },
    "The multipart form needs the field 'map'.": {
        "no map": form(one(), None, a=b""),
    },
    "The field 'map' and the files of the form do not agree.": {
        "no files": form(one(), GOOD),
        "a file that the map does not name": form(one(), GOOD, a=b"", b=b""),
        "two files of one name": {
            "files": [("operations", (None, json.dumps(one()))), ("map", (None, json.dumps(GOOD)))]
            + [("a", ("a.csv", b""))] * 2
        },
        "a name that is no file": form(one(), GOOD | {"b": ["variables.file"]}, a=b""),
    },
    "The request is not valid JSON.": {
        "no JSON in operations": form("{", GOOD, a=b""),
        "no JSON in map": form(one(), "{", a=b""),
    },
    "The field 'operations' must hold one operation; batches are not served.": {
        "a batch": form([one()], {"a": ["0.variables.file"]}, a=b""),
        "operations null": form("null", GOOD, a=b""),
    },
    "The field 'map' must name places that exist.": {
        "variables that are none": form({"query": ONE, "variables": []}, GOOD, a=b""),
        "no variables": form({"query": ONE}, GOOD, a=b""),
        "a place that does not exist": form(one(), {"a": ["variables.other"]}, a=b""),
        "a place below a scalar": form(one(note="x"), {"a": ["variables.note.x"]}, a=b""),
        "an index beyond the list": form(
            {"query": MANY, "variables": {"files": [None]}}, {"a": ["variables.files.1"]}, a=b""
        ),
        "a negative index": form({"query": MANY, "variables": {"files": [None]}}, {"a": ["variables.files.-1"]}, a=b""),
        "an index of many digits": form(
            {"query": MANY, "variables": {"files": [None]}}, {"a": ["variables.files." + "1" * 5000]}, a=b""
        ),
        "an index of four digits": form(
            {"query": MANY, "variables": {"files": [None] * 2}}, {"a": ["variables.files.0001"]}, a=b""
        ),
        "an index in other digits": form(
            {"query": MANY, "variables": {"files": [None]}}, {"a": ["variables.files.\u0660"]}, a=b""
        ),
    },
    "The field 'map' must be an object that names every file.": {
        "a map in a list": form(one(), ["a"], a=b""),
        "an empty map": form(one(), {}, a=b""),
    },
    "The field 'map' must give each file 1 to 4 places.": {
        "places that are no list": form(one(), {"a": "variables.file"}, a=b""),
        "no places": form(one(), {"a": []}, a=b""),
        "too many places": form(
            {"query": MANY, "variables": {"files": [None] * 5}},
            {"a": [f"variables.files.{number}" for number in range(5)]},
            a=b"",
        ),
    },
    "The field 'map' must name places below 'variables'.": {
        "a place that is no string": form(one(), {"a": [1]}, a=b""),
        "a place outside the variables": form(one(), {"a": ["query"]}, a=b""),
        "the variables themselves": form(one(), {"a": ["variables"]}, a=b""),
        "another part of the request": form(one(), {"a": ["query.file"]}, a=b""),
    },
    "The field 'map' must name places that hold null.": {
        "a place that holds a value": form(one(note="x"), {"a": ["variables.note"]}, a=b""),
        "one place for two files": form(one(), {"a": ["variables.file"], "b": ["variables.file"]}, a=b"", b=b""),
    },
    "Strings must not contain control characters.": {
        "a control character": form(one(note="\x00"), GOOD, a=b""),
    },
    "The multipart form is malformed: Too many files. Maximum number of files is 4.": {
        "too many files": form(one(), GOOD, a=b"", b=b"", c=b"", d=b"", e=b""),
    },
    "The multipart form is malformed: Too many fields. Maximum number of fields is 2.": {
        "another field": {"files": form(one(), GOOD, a=b"")["files"] | {"extra": (None, "x")}},
    },
    "The multipart form is malformed: Invalid multipart data.": {
        "no form": {"content": b"rubbish", "headers": {"content-type": "multipart/form-data; boundary=b"}},
    },
    "The multipart form is malformed: Missing boundary in multipart.": {
        "no boundary": {"content": b"rubbish", "headers": {"content-type": "multipart/form-data"}},
    },
    'The multipart form is malformed: The Content-Disposition header field "name" must be provided.': {
        "a part without a name": {
            "content": b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
        "a part without a disposition": {
            "content": b"--b\r\nX: y\r\n\r\nx\r\n--b--\r\n",
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
    },
    "The multipart form must be in UTF-8.": {
        "invalid UTF-8": form(json.dumps(one(note="?")).encode().replace(b"?", b"\xff"), GOOD, a=b""),
        "a quote that stays open": {
            "content": (
                '--"b; charset=latin-1\r\nContent-Disposition: form-data; name="operations"\r\n\r\n"하루"\r\n'
                '--"b; charset=latin-1--\r\n'
            ).encode(),
            "headers": {"content-type": 'multipart/form-data; boundary="b'},
        },
        "an unknown charset": {
            "content": b'--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n\xff\r\n--b--\r\n',
            "headers": {"content-type": "multipart/form-data; boundary=b; charset=nonsense"},
        },
        "a name in Korean as Windows has it": {
            "content": b"".join(
                b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
                for part in (
                    (b"operations", json.dumps(one()).encode()),
                    (b"map", json.dumps({"하": ["variables.file"]}).encode()),
                    (b'\xc7\xcf"; filename="a.csv', b""),
                )
            )
            + b"--b--\r\n",
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
    },
}
"""Forms that are refused, by the words of their refusal."""


@pytest.mark.parametrize(
    ("message", "request_"),
    [pytest.param(message, one, id=name) for message, those in BROKEN.items() for name, one in those.items()],
)
async def test_broken_forms(client: httpx.AsyncClient, refused: Check, message: str, request_: dict[str, Any]) -> None:
    assert refused(await client.post("/graphql", **request_), 400, "BAD_REQUEST")["message"] == message


@pytest.mark.parametrize("value", ["text", 1, {"filename": "x"}, True, ["a"]])
async def test_a_file_that_is_none(client: httpx.AsyncClient, refused: Check, value: Any) -> None:
    response = await client.post("/graphql", json=one(file=value))
    refused(response, 200, "BAD_REQUEST")
    literal = await client.post("/graphql", json={"query": 'mutation { upload(file: "text") }'})
    refused(literal, 200, "BAD_REQUEST")


async def test_files_are_closed_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.datastructures import UploadFile

    closed: list[str | None] = []
    close = UploadFile.close

    async def watched(self: UploadFile) -> None:
        closed.append(self.filename)
        await close(self)

    monkeypatch.setattr(UploadFile, "close", watched)
    async with client_of(make_endpoint(GraphQLOptions())) as client:
        await client.post("/graphql", **form(one(), GOOD, a=b"x"))
        await client.post("/graphql", **form(one(), {"b": ["variables.file"]}, b=b"x"))
        await client.post("/graphql", **form(one(), {"d": ["variables.file"]}, c=b"x"))
    assert closed == ["a.csv", "b.csv", "c.csv"]
