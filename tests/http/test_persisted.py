"""Which text a request runs: persisted queries that clients register, and documents that are trusted."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.graphql.service import GraphQLOptions
from server.http.requests import JSON
from server.settings import SettingsError, read_settings
from server.trusted import read_documents
from tests.http.conftest import Check, client_of, make_endpoint
from tests.http.test_documents import post

# Automatic persisted queries

QUERY = "query Q($n: Int!) { echo(number: $n) }"


def persisted(text: str, **more: Any) -> dict[str, Any]:
    digest = sha256(text.encode()).hexdigest()
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest} | more}}


async def test_persisted_queries(client: httpx.AsyncClient) -> None:
    missing = await post(client, accept=JSON, variables={"n": 1}, **persisted(QUERY))
    assert missing.status_code == 200
    assert missing.json() == {
        "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]
    }
    assert "1" in (await post(client, QUERY, variables={"n": 1}, **persisted(QUERY))).json()["data"]["echo"]
    assert "2" in (await post(client, variables={"n": 2}, **persisted(QUERY))).json()["data"]["echo"]
    parameters = {"variables": '{"n": 3}', "extensions": json.dumps(persisted(QUERY)["extensions"])}
    assert "3" in (await client.get("/graphql", params=parameters)).json()["data"]["echo"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"version": 2}, "Only version 1 of persisted queries is served."),
        ({"version": None}, "Only version 1 of persisted queries is served."),
        ({"sha256Hash": 1}, "The persisted query's sha256Hash must be a string."),
        ({"sha256Hash": "abc"}, "The persisted query's sha256Hash must be 64 hexadecimal digits."),
        ({"sha256Hash": "0" * 63}, "The persisted query's sha256Hash must be 64 hexadecimal digits."),
        ({"sha256Hash": "0" * 65}, "The persisted query's sha256Hash must be 64 hexadecimal digits."),
        ({"sha256Hash": "0" * 64}, "The persisted query's sha256Hash is not that of the query."),
    ],
)
async def test_bad_persisted_queries(
    client: httpx.AsyncClient, refused: Check, entry: dict[str, Any], message: str
) -> None:
    bad = await post(client, QUERY, variables={"n": 1}, **persisted(QUERY, **entry))
    assert refused(bad, 400, "BAD_REQUEST")["message"] == message
    assert (await post(client, QUERY, variables={"n": 1}, **persisted(QUERY))).status_code == 200


async def test_a_persisted_query_that_is_no_object(client: httpx.AsyncClient, refused: Check) -> None:
    bad = await post(client, QUERY, variables={"n": 1}, extensions={"persistedQuery": "x"})
    assert refused(bad, 400, "BAD_REQUEST")["message"] == "Only version 1 of persisted queries is served."


async def test_a_hash_is_never_registered_for_another_query(client: httpx.AsyncClient) -> None:
    theirs = persisted(QUERY)
    assert (await post(client, "{ matrix }", **theirs)).status_code == 400
    assert "PERSISTED_QUERY_NOT_FOUND" in (await post(client, variables={"n": 1}, **theirs)).text
    assert (await post(client, QUERY, variables={"n": 1}, **theirs)).status_code == 200
    assert (await post(client, "{ matrix }", **theirs)).status_code == 400
    assert "1" in (await post(client, variables={"n": 1}, **theirs)).json()["data"]["echo"]


async def test_a_hash_in_capitals_is_the_same(client: httpx.AsyncClient) -> None:
    digest = sha256(QUERY.encode()).hexdigest().upper()
    assert (await post(client, QUERY, variables={"n": 1}, **persisted(QUERY, sha256Hash=digest))).status_code == 200
    assert (await post(client, variables={"n": 1}, **persisted(QUERY))).status_code == 200


async def test_only_valid_documents_are_registered(client: httpx.AsyncClient) -> None:
    for text in ("{ nope }", "{ syntax"):
        await post(client, text, **persisted(text))
        assert "PERSISTED_QUERY_NOT_FOUND" in (await post(client, **persisted(text))).text


async def test_the_stores_are_bounded() -> None:
    endpoint = make_endpoint(GraphQLOptions(cached_documents=3, persisted_documents=2))
    async with client_of(endpoint) as client:
        for n in range(5):
            await post(client, f"{{ a{n}: matrix }}", **persisted(f"{{ a{n}: matrix }}"))
        assert len(endpoint.service.documents.prepared) == 3
        assert len(endpoint.service.persisted.registered) == 2
        assert "PERSISTED_QUERY_NOT_FOUND" in (await post(client, **persisted("{ a0: matrix }"))).text
        assert (await post(client, **persisted("{ a4: matrix }"))).json()["data"]["a4"]


# Trusted documents


async def test_trusted_documents(refused: Check) -> None:
    digest = sha256(QUERY.encode()).hexdigest()
    options = GraphQLOptions(trusted_documents={"Matrix-1": "{ matrix }", digest: QUERY})
    async with client_of(make_endpoint(options)) as client:
        assert (await post(client, documentId="Matrix-1")).json()["data"]["matrix"]
        assert (await post(client, "{ matrix }")).json()["data"]["matrix"]
        assert (await post(client, "{ matrix }", documentId="another")).json()["data"]["matrix"]
        for chosen in (persisted(QUERY), {"documentId": digest}, {"documentId": f"sha256:{digest}"}):
            assert (await post(client, variables={"n": 1}, **chosen)).json()["data"]["echo"]
        for refusal in (
            {"query": "{ echo }"},
            {"documentId": "other"},
            {"query": "{ echo }", "documentId": "Matrix-1"},
            {"query": "{ echo }", **persisted("{ echo }")},
            persisted("{ echo }"),
            {},
        ):
            error = refused(await client.post("/graphql", json=refusal), 400, "BAD_REQUEST")
            assert error["message"] == "Only trusted documents are served here."
    async with client_of(make_endpoint()) as anybody:
        assert (await post(anybody, "{ echo }")).status_code == 200


async def test_a_trusted_id_may_be_any_hash() -> None:
    """SHA-1 is the default of GraphQL Code Generator."""
    sha1 = "0e6d3a0e4b1f4ad8c8d9f3b1c9e2a7d4f5b6c7d8"
    async with client_of(make_endpoint(GraphQLOptions(trusted_documents={sha1: "{ matrix }"}))) as client:
        chosen = {"persistedQuery": {"version": 1, "sha256Hash": sha1}}
        assert (await post(client, extensions=chosen)).json()["data"]["matrix"]


def test_a_trusted_document_that_does_not_run_is_told_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    make_endpoint(GraphQLOptions(trusted_documents={"good": "{ matrix }", "stale": "{ nope }", "cut": "{ matrix"}))
    assert "the trusted document stale does not run: Cannot query field 'nope'" in caplog.text
    assert "the trusted document cut does not run: Syntax Error" in caplog.text
    assert "good" not in caplog.text


def test_trusted_documents_are_read_as_clients_build_them(tmp_path: Path) -> None:
    file = tmp_path / "documents.json"
    file.write_text('{"a": "{ matrix }"}')
    assert read_documents(file) == {"a": "{ matrix }"}
    operation = {"id": "a", "name": "A", "type": "query", "body": "query A { matrix }"}
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]}
    file.write_text(json.dumps(manifest))
    assert read_documents(file) == {"a": "query A { matrix }"}


BROKEN = ["", "{", "[]", "1", '{"n": 1}', '{"operations": {}}', '{"operations": [{"id": 1}]}']


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_of_trusted_documents_is_a_fault_of_the_settings(tmp_path: Path, content: str) -> None:
    file = tmp_path / "documents.json"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"HARU_TRUSTED_DOCUMENTS.*documents\.json is neither"):
        read_settings(HARU_TRUSTED_DOCUMENTS=file)
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_settings(HARU_TRUSTED_DOCUMENTS=tmp_path / "missing.json")
