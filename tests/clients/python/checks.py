"""The client that ariadne-codegen generates, against a running server: HARU_URL and HARU_TOKENS as in haru.mjs.

Each `check_*` is run, and how it went printed as a line of JSON.
"""

import asyncio
import datetime as dt
import io
import json
import os
import traceback

from haru_client import Client, GraphQLClientGraphQLMultiError, GraphQLClientHttpError, Upload
from haru_client.enums import ErrorCode, FeatureType, RewardType
from haru_client.input_types import UploadRankingInput
from haru_client.me import Me

URL = os.environ["HARU_URL"]
TOKENS = json.loads(os.environ["HARU_TOKENS"])
TODAY = dt.datetime.now(dt.UTC).date()


def client(role: str | None) -> Client:
    headers = {"Authorization": f"Bearer {TOKENS.get(role, role)}"} if role else {}
    # Over WebSocket the token travels in `connection_init`.
    payload = {"Authorization": headers.get("Authorization")}
    ws_url = f"{URL.replace('http', 'ws', 1)}/graphql"
    return Client(f"{URL}/graphql", headers=headers, ws_url=ws_url, ws_connection_init_payload=payload)


async def check_query() -> None:
    async with client("PLAYER") as player:
        me = (await player.me()).me
    assert me.external_id == "demo-player"
    assert all(type(balance.amount) is int for balance in me.balances)


async def check_date_as_variable_and_answer() -> None:
    async with client("OPERATOR") as operator:
        days = (await operator.configured(TODAY)).feature_schedule
    assert [day.date for day in days] == [TODAY]
    assert type(days[0].date) is dt.date


async def check_instants_and_json() -> None:
    async with client("OPERATOR") as operator:
        for event in (await operator.events()).user_events.nodes:
            assert event.created_at.tzinfo is not None
            assert isinstance(event.meta, dict)


async def check_upload() -> None:
    content = "rank,display_name,score,external_id\n1,하늘,9007199254740991,\n".encode()
    file = Upload("ranking.csv", io.BytesIO(content), "text/csv")
    async with client("OPERATOR") as operator:
        given = UploadRankingInput(date=TODAY + dt.timedelta(days=41), file=file)
        answer = (await operator.send_ranking(given)).upload_ranking
    assert answer.typename__ == "PublishRankingPayload", answer
    assert answer.snapshot.entries.nodes[0].score == 2**53 - 1


async def check_every_fault_of_an_upload() -> None:
    file = Upload("ranking.csv", io.BytesIO(b"rank,display_name,score,external_id\nfirst,,x,\n"), "text/csv")
    async with client("OPERATOR") as operator:
        given = UploadRankingInput(date=TODAY + dt.timedelta(days=42), file=file)
        refusal = (await operator.send_ranking(given)).upload_ranking
    assert refusal.typename__ in {"ValidationFailed", "Problem"}, refusal
    assert refusal.code in {ErrorCode.VALIDATION_FAILED, ErrorCode.INVALID_RANKING_UPLOAD}


async def check_value_that_a_later_version_adds() -> None:
    told = Me.model_validate({"me": {"externalId": "x", "balances": [{"type": "GEM", "amount": 1}]}})
    (balance,) = told.me.balances
    assert balance.type_ == "GEM"
    assert balance.type_ not in list(RewardType)


async def check_top_level_error() -> None:
    async with client("PLAYER") as player:
        assert await code_of(player.everybody()) == "FORBIDDEN"


async def check_without_a_token() -> None:
    async with client(None) as nobody:
        assert await code_of(nobody.me()) == "UNAUTHENTICATED"


async def check_bad_token() -> None:
    async with client("nonsense") as nobody:
        try:
            await nobody.me()
        except GraphQLClientHttpError as error:
            assert error.status_code == 401
            assert error.response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        else:
            raise AssertionError("a bad token was taken")


async def check_subscription() -> None:
    async with client("PLAYER") as player:
        subscribed = player.today()
        told = (await anext(subscribed)).today_feature_changed
        await subscribed.aclose()
    assert told.typename__ == "TodayFeature"
    assert told.feature_type is FeatureType.DICE
    assert told.server_time.tzinfo is not None


async def code_of(request) -> str:
    try:
        await request
    except GraphQLClientGraphQLMultiError as failed:
        return failed.errors[0].extensions["code"]
    raise AssertionError("there was no error")


async def main() -> None:
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            try:
                await asyncio.wait_for(check(), 60)
            except Exception:
                print(json.dumps({"name": name, "ok": False, "reason": traceback.format_exc()}))
            else:
                print(json.dumps({"name": name, "ok": True}))


asyncio.run(main())
