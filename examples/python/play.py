"""A player's day: see what is on, play until the day's limit, claim what the season pass owes, look at the balance.

Needs the generated package: `ariadne-codegen`. The token is in TOKEN, the address in HARU_URL.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from itertools import count
from uuid import uuid4

import httpx
from haru_client.client import Client
from haru_client.draw_lottery import DrawLottery
from haru_client.enums import FeatureType, LevelRewardState
from haru_client.exceptions import GraphQLClientError, GraphQLClientHttpError
from haru_client.input_types import ClaimRewardInput, PlayInput
from haru_client.play_dice import PlayDice
from haru_client.spin_roulette import SpinRoulette

Played = PlayDice | SpinRoulette | DrawLottery
Play = Callable[[PlayInput], Awaitable[Played]]


async def play(client: Client, feature: FeatureType) -> None:
    """Play the day's game until its limit is reached, or three times where there is none."""
    games: dict[FeatureType, Play] = {
        FeatureType.DICE: client.play_dice,
        FeatureType.ROULETTE: client.spin_roulette,
        FeatureType.LOTTERY: client.draw_lottery,
    }
    if feature not in games:
        return
    for plays in count(1):
        # One key per play. Made before the first attempt, it makes sending it again safe.
        answer = (await send_again_when_lost(games[feature], PlayInput(idempotency_key=str(uuid4())))).play
        match answer.typename__:
            case "DailyLimitReached":
                print(f"come back at {answer.daily_limit.resets_at:%Y-%m-%d %H:%M %Z}")
                return
            case _ if hasattr(answer, "code"):  # every other refusal has one, also one that a later version adds
                print(f"{answer.code.value}: {answer.message}")
                return
            case game:
                won, limit = answer.reward, answer.daily_limit
                left = "no limit" if limit.unlimited else f"{limit.remaining} left"
                print(f"{game}: {won.amount} {won.type_.value}, {left}")
                if limit.unlimited and plays == 3:
                    return


async def send_again_when_lost(play: Play, command: PlayInput) -> Played:
    """Send a play; when the answer is lost on its way, or may be another, send the very same again."""
    for attempt in range(5):
        await asyncio.sleep(attempt)
        try:
            played = await play(command)
        except httpx.TransportError:
            continue
        if not getattr(played.play, "retryable", False):
            return played
    raise SystemExit("The server does not answer.")


async def claim(client: Client) -> None:
    """Claim every level of the season pass that can be claimed."""
    status = (await client.pass_()).season_pass_status
    if hasattr(status, "code"):
        print(f"{status.code.value}: {status.message}")
        return
    print(f"season pass: level {status.progress.current_level}, {status.progress.current_xp} XP")
    for level in status.levels:
        if level.state is LevelRewardState.CLAIMABLE:
            # The key says what is claimed: however often this runs, the level is claimed once.
            command = ClaimRewardInput(idempotency_key=f"claim-{level.level}", level=level.level)
            claimed = (await client.claim_reward(command)).claim_reward
            print(f"level {level.level}: {claimed.typename__}")


async def main() -> None:
    """Play the day."""
    url = os.environ.get("HARU_URL", "http://127.0.0.1:8000")
    headers = {"Authorization": f"Bearer {os.environ.get('TOKEN')}"}
    async with Client(f"{url}/graphql", headers=headers) as client:
        today = (await client.today()).today_feature
        if hasattr(today, "code"):
            raise SystemExit(f"{today.code.value}: {today.message}")
        print(f"{today.date}: {today.title}")
        await play(client, today.feature_type)
        await claim(client)
        me = (await client.balances()).me
        for balance in me.balances:
            print(f"{me.external_id} has {balance.amount} {balance.type_.value}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except GraphQLClientHttpError as refusal:  # as of a token that is not valid: the body says so
        raise SystemExit(refusal.response.text) from None
    except (GraphQLClientError, httpx.TransportError) as error:
        raise SystemExit(str(error)) from None
