"""What players do, and how they get their tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import strawberry

from models import FeatureType, Role
from resolvers.admin import grant_reward, revoke_tokens, set_player_blocked
from resolvers.configs import (
    adjust_stock,
    republish_config,
    upsert_dice_config,
    upsert_lottery_config,
    upsert_roulette_config,
    withdraw_config,
)
from resolvers.operators import (
    remove_scheduled_day,
    remove_season,
    upsert_feature_config,
    upsert_feature_schedule,
    upsert_season,
)
from resolvers.ranking import delete_ranking, publish_ranking, upload_ranking
from resolvers.root import root
from resolvers.staff import as_staff
from schema.context import Info
from schema.described import described
from schema.inputs import given
from schema.payloads import ClaimRewardPayload, StampPayload
from schema.players import IssuedToken, IssueTokenInput
from schema.plays import DicePlay, LotteryDraw, PlayInput, RouletteSpin, play_of
from schema.season_pass import ClaimRewardInput, StampInput
from services.players import sign_in
from services.request_errors import Forbidden
from services.rules.play import Claim, Play, Stamp
from services.rules.texts import external_id, idempotency_key
from services.tokens import admit


async def _play(info: Info, input: PlayInput, feature: FeatureType) -> Any:  # noqa: A002 (the contract's name)
    action = Play(
        info.context.me.player_id, idempotency_key(input.idempotency_key), feature, given(input.expected_revision)
    )
    return play_of(await info.context.app.lanes.submit(action), action.user_id)


@root
async def play_dice(info: Info, input: PlayInput) -> DicePlay:  # noqa: A002
    """Play dice against the dealer, on the day of the dice."""
    return await _play(info, input, FeatureType.DICE)


@root
async def spin_roulette(info: Info, input: PlayInput) -> RouletteSpin:  # noqa: A002
    """Spin the wheel, on the day of the roulette."""
    return await _play(info, input, FeatureType.ROULETTE)


@root
async def draw_lottery(info: Info, input: PlayInput) -> LotteryDraw:  # noqa: A002
    """Draw a prize, on the day of the lottery."""
    return await _play(info, input, FeatureType.LOTTERY)


@root
async def stamp(info: Info, input: StampInput) -> StampPayload:  # noqa: A002
    """Stamp the season pass for today, without playing. The day's first play stamps by itself."""
    action = Stamp(info.context.me.player_id, idempotency_key(input.idempotency_key), input.source_feature)
    return StampPayload.of(await info.context.app.lanes.submit(action), action.user_id)


@root
async def claim_reward(info: Info, input: ClaimRewardInput) -> ClaimRewardPayload:  # noqa: A002
    """Claim the reward of a level that is reached and does not claim itself."""
    action = Claim(info.context.me.player_id, idempotency_key(input.idempotency_key), input.level)
    return ClaimRewardPayload.of(await info.context.app.lanes.submit(action), action.user_id)


@root
async def issue_token(info: Info, input: IssueTokenInput) -> IssuedToken:  # noqa: A002
    """Issue an access token. Servers of the product call this for their players."""
    if input.role is not Role.PLAYER and info.context.me.role is not Role.ADMIN:
        raise Forbidden("Only ADMIN may issue tokens of other roles than PLAYER.")
    app, wanted = info.context.app, external_id(input.external_id)
    if info.context.me.role is Role.SERVICE:
        # A server of the product lets its players in all day long: that alone leaves no entry in the audit log.
        player = await app.transact(partial(sign_in, external_id=wanted))
    else:
        player = await as_staff(info, partial(admit, external_id=wanted, role=input.role))
    return IssuedToken.of(app.issue_token(player.id, input.role, player.tokens_valid_from), player)


@described
@strawberry.type
class Mutation:
    """What can be done. Root fields run one after another."""

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
    republish_config = republish_config
    withdraw_config = withdraw_config
    adjust_stock = adjust_stock
    upsert_season = upsert_season
    remove_season = remove_season
    remove_scheduled_day = remove_scheduled_day
    upload_ranking = upload_ranking
    publish_ranking = publish_ranking
    delete_ranking = delete_ranking
    grant_reward = grant_reward
    set_player_blocked = set_player_blocked
    revoke_tokens = revoke_tokens
