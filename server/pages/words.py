"""What the pages of the odds say, in Korean and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models import FeatureType, Language, RewardType

GAMES: Mapping[FeatureType | None, Mapping[Language, str]] = {
    FeatureType.DICE: {Language.KO: "주사위", Language.EN: "Dice"},
    FeatureType.ROULETTE: {Language.KO: "룰렛", Language.EN: "Roulette"},
    FeatureType.LOTTERY: {Language.KO: "복권", Language.EN: "Lottery"},
}


@dataclass(frozen=True)
class Words:
    """Every text of the pages in one language."""

    title: str
    asked: str
    today: str
    nothing: str
    none: str
    is_on: str
    is_announced: str
    was: str
    item: str
    reward: str
    chance: str
    quantity: str
    left: str
    chance_now: str
    revision: str
    announced: str
    since: str
    until: str
    open_end: str
    now: str
    sheet: str
    cost: str
    free: str
    notice: str
    hours: str
    emergency: str
    unlimited: str
    no_reward: str
    rewards: Mapping[RewardType, str]
    proof: str
    more: str


WORDS: Mapping[Language, Words] = {
    Language.KO: Words(
        title="확률 정보",
        asked="조회 시각",
        today="오늘의 게임",
        nothing="진행 중인 게임이 없습니다",
        none="없음",
        is_on="현재 확률",
        is_announced="예고된 변경",
        was="지난 90일의 확률",
        item="항목",
        reward="보상",
        chance="확률",
        quantity="총수량",
        left="남은 수량",
        chance_now="지금 확률",
        revision="개정",
        announced="공개",
        since="시작",
        until="종료",
        open_end="정해지지 않음",
        now="현재",
        sheet="확률표",
        cost="참여 비용",
        free="무료",
        notice="사전 예고",
        hours="{}시간",
        emergency="긴급 변경 사유",
        unlimited="제한 없음",
        no_reward="없음",
        rewards={RewardType.POINT: "포인트", RewardType.TOKEN: "토큰", RewardType.COUPON: "쿠폰"},
        proof="아래 글은 이 개정의 내용 전부이며, 그 SHA-256이 위의 값입니다. 추첨 증명은 이 값을 가리킵니다.",
        more="확률표는 바뀌지 않습니다. 프로그램용:",
    ),
    Language.EN: Words(
        title="Odds",
        asked="Asked at",
        today="Today's game",
        nothing="No game is on",
        none="None",
        is_on="Now",
        is_announced="Announced",
        was="The last 90 days",
        item="Item",
        reward="Reward",
        chance="Chance",
        quantity="Quantity",
        left="Left",
        chance_now="Chance now",
        revision="Revision",
        announced="Announced at",
        since="From",
        until="Until",
        open_end="no end is set",
        now="now",
        sheet="Sheet",
        cost="A play costs",
        free="nothing, it is free",
        notice="Notice of changes",
        hours="{} hours",
        emergency="Why it changes sooner",
        unlimited="unlimited",
        no_reward="nothing",
        rewards={RewardType.POINT: "points", RewardType.TOKEN: "tokens", RewardType.COUPON: "coupon"},
        proof="The text below is all that this revision says; its SHA-256 is the value above, which proofs name.",
        more="A sheet never changes. For programs:",
    ),
}
