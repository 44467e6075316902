"""What players do, and how they get their tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import strawberry

from models import FeatureType, Role
from resolvers.admin import grant_reward, set_player_blocked
from resolvers.operators import (
    upsert_dice_config,
    upsert_feature_config,
    upsert_feature_schedule,
    upsert_lottery_config,
    upsert_roulette_config,
    upsert_season,
)
from resolvers.ranking import delete_ranking, publish_ranking, upload_ranking
from resolvers.root import external_id, idempotency_key, root
from resolvers.staff import as_staff
from schema.context import Info
from schema.games import DrawLotteryResult, PlayDiceResult, PlayInput, SpinRouletteResult, play_of
from schema.players import IssuedToken, IssueTokenInput, IssueTokenResult
from schema.season_pass import ClaimRewardInput, ClaimRewardResult, LevelReward, StampInput, StampReceipt, StampResult
from services.errors import Forbidden
from services.rules.play import Claim, Play, Stamp
from services.tokens import admit


async def _play(info: Info, input: PlayInput, feature: FeatureType) -> Any:  # noqa: A002 (the contract's name)
    app, key, now = info.context.app, idempotency_key(input.idempotency_key), info.context.app.clock()
    action = Play(info.context.me.player_id, key, now, app.calendar.business_date(now), feature)
    return play_of(await app.lanes.submit(action))


@root("Play dice against the dealer, on the day of the dice.")
async def play_dice(info: Info, input: PlayInput) -> PlayDiceResult:  # noqa: A002
    """Play dice."""
    return await _play(info, input, FeatureType.DICE)


@root("Spin the wheel, on the day of the roulette.")
async def spin_roulette(info: Info, input: PlayInput) -> SpinRouletteResult:  # noqa: A002
    """Spin the wheel."""
    return await _play(info, input, FeatureType.ROULETTE)


@root("Draw a prize, on the day of the lottery.")
async def draw_lottery(info: Info, input: PlayInput) -> DrawLotteryResult:  # noqa: A002
    """Draw a prize."""
    return await _play(info, input, FeatureType.LOTTERY)


@root("Stamp the season pass for today, without playing. The day's first play stamps by itself.")
async def stamp(info: Info, input: StampInput) -> StampResult:  # noqa: A002
    """Stamp today."""
    app, key, now = info.context.app, idempotency_key(input.idempotency_key), info.context.app.clock()
    action = Stamp(info.context.me.player_id, key, now, app.calendar.business_date(now), input.source_feature)
    return StampReceipt.of(await app.lanes.submit(action))


@root("Claim the reward of a level that is reached and does not claim itself.")
async def claim_reward(info: Info, input: ClaimRewardInput) -> ClaimRewardResult:  # noqa: A002
    """Claim a level's reward."""
    app, key, now = info.context.app, idempotency_key(input.idempotency_key), info.context.app.clock()
    action = Claim(info.context.me.player_id, key, now, app.calendar.business_date(now), input.level)
    return LevelReward.of(await app.lanes.submit(action))


@root("Issue an access token. Servers of the product call this for their players.")
async def issue_token(info: Info, input: IssueTokenInput) -> IssueTokenResult:  # noqa: A002
    """Issue an access token."""
    if input.role is not Role.PLAYER and info.context.me.role is not Role.ADMIN:
        raise Forbidden("Only ADMIN may issue tokens of other roles than PLAYER.")
    app, command = info.context.app, partial(admit, external_id=external_id(input.external_id), role=input.role)
    if info.context.me.role is Role.SERVICE:
        player = await app.transact(partial(command, actor=None))
    else:
        player = await as_staff(info, command)
    return IssuedToken.of(app.issue_token(player.id, input.role), player)


@strawberry.type(description="What can be done. Root fields run one after another.")
class Mutation:
    """What can be done."""

    play_dice = play_dice
    spin_roulette = spin_roulette
    draw_lottery = draw_lottery
    stamp = stamp
    claim_reward = claim_reward
    issue_token = issue_token
    upsert_feature_schedule = upsert_feature_schedule
    upsert_feature_config = upsert_feature_config
    upsert_dice_config = upsert_dice_config
    upsert_roulette_config = upsert_roulette_config
    upsert_lottery_config = upsert_lottery_config
    upsert_season = upsert_season
    upload_ranking = upload_ranking
    publish_ranking = publish_ranking
    delete_ranking = delete_ranking
    grant_reward = grant_reward
    set_player_blocked = set_player_blocked
