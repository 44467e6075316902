"""Long random histories of several players, decided in memory and compared with a model that is as simple as can be."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from models import (
    DiceLog,
    FeatureType,
    LotteryLog,
    RewardEntry,
    RewardType,
    RouletteLog,
    SeasonReward,
    SeasonStamp,
    UserEvent,
)
from services.answers import (
    Answer,
    Claimed,
    DailyLimit,
    LevelReward,
    Played,
    Prize,
    Reward,
    Stamped,
    StampReceipt,
    encode,
)
from services.error_codes import ErrorCode
from services.errors import HaruError
from services.ids import Ids
from services.rules.day import Day, SeasonRules
from services.rules.dice import DiceRules
from services.rules.lottery import LotteryRules
from services.rules.play import Action, Claim, Play, Stamp, decide
from services.rules.roulette import RouletteRules
from services.rules.state import Earlier, Effects, PlayerState, Progress, State
from tests.unit import rules

STEPS = 4_000
PLAYERS = [UUID(int=number) for number in range(1, 7)]
FEATURES = [FeatureType.DICE, FeatureType.ROULETTE, FeatureType.LOTTERY, FeatureType.RANKING, None]
GAMES = FEATURES[:3]
LOGS = {FeatureType.DICE: DiceLog, FeatureType.ROULETTE: RouletteLog, FeatureType.LOTTERY: LotteryLog}
COUPON = Reward(RewardType.COUPON, 1, "COFFEE")


@dataclass
class Table:
    """What is published: the games' rules and the season's levels, which stay the same throughout a history."""

    dice: DiceRules
    roulette: RouletteRules
    lottery: LotteryRules
    season: SeasonRules

    def of(self, feature: FeatureType | None) -> Any:
        match feature:
            case FeatureType.DICE:
                return self.dice
            case FeatureType.ROULETTE:
                return self.roulette
            case FeatureType.LOTTERY:
                return self.lottery
        return None

    def limit(self, feature: FeatureType) -> int:
        limit: int = self.of(feature).daily_max
        return limit


def a_table(source: Random) -> Table:
    xp, levels = 0, []
    for number in range(source.randrange(1, 12)):
        xp += source.choice([1, 50, 120, 300, 700] if number else [1, 50])
        levels.append((xp, number > 0 and source.random() < 0.5))
    prizes: list[tuple[int, int | None]] = [(source.randrange(5), source.randrange(12)) for _ in range(4)]
    prizes.append((1, source.choice([None, 3])))
    lottery = rules.lottery(prizes, limit=source.choice([0, 1, 4]))
    coupons = msgspec.structs.replace(
        lottery.prizes[0], reward_type=COUPON.type, reward_amount=COUPON.amount, coupon_type=COUPON.coupon_type
    )
    weights = [source.randrange(4) for _ in range(5)] + [1]
    return Table(
        rules.dice(source.choice([0, 1, 3]), win_reward_type=RewardType.TOKEN),
        rules.roulette(weights, limit=source.choice([0, 2, 3])),
        msgspec.structs.replace(lottery, prizes=(coupons, *lottery.prizes[1:])),
        rules.season(levels, base_xp=source.choice([0, 60, 100, 400])),
    )


@dataclass
class Stored:
    """The database: rows as they are stored, and players as they are loaded from them."""

    rows: defaultdict[type, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[tuple[UUID, str], tuple[str, str]] = field(default_factory=dict)
    balances: dict[tuple[UUID, RewardType], int] = field(default_factory=dict)
    progress: dict[UUID, Progress] = field(default_factory=dict)
    stocks: dict[int, int] = field(default_factory=dict)
    blocked: set[UUID] = field(default_factory=set)

    def load(self, day: Day) -> State:
        """What a batch of this day is decided on, whoever and whatever is in it."""
        players = {number: self._player(number, day.date) for number in PLAYERS}
        return State(day, players, dict(self.stocks), rules.seed(date=day.date))

    def _player(self, number: UUID, date: dt.date) -> PlayerState:
        def mine(table: type) -> list[dict[str, Any]]:
            return [row for row in self.rows[table] if row["user_id"] == number]

        player = PlayerState(number, 0, number in self.blocked, len(mine(RewardEntry)))
        player.balances = {kind: amount for (who, kind), amount in self.balances.items() if who == number}
        for feature, log in LOGS.items():
            player.used[feature] = sum(row["business_date"] == date for row in mine(log))
        if number in self.progress:
            kept = self.progress[number]
            player.progress = Progress(
                kept.id, kept.current_xp, kept.current_level, kept.total_stamps, kept.last_stamp_date
            )
        player.stamped = any(row["date"] == date for row in mine(SeasonStamp))
        player.claimed = {row["level"]: row["created_at"] for row in mine(SeasonReward)}
        player.earlier = {key: Earlier(*kept) for (who, key), kept in self.answers.items() if who == number}
        return player

    def store(self, effects: Effects) -> None:
        for table, rows in effects.rows.items():
            self.rows[table] += rows
        self.balances |= effects.balances
        for number, (player, _, _) in effects.progress.items():
            assert player.progress is not None
            self.progress[number] = player.progress
        for prize, drawn in effects.drawn.items():
            self.stocks[prize] -= drawn
            assert self.stocks[prize] >= 0
        for number, key, request, answer, _ in effects.answers:
            assert (number, key) not in self.answers
            self.answers[number, key] = (request, encode(answer).decode())


@dataclass
class Model:
    """What must happen, by counting alone. It knows nothing of how it is decided; what was drawn, it takes as drawn."""

    table: Table
    stocks: dict[int, int]
    answers: dict[tuple[UUID, str], tuple[str, Answer]] = field(default_factory=dict)
    plays: Counter[tuple[UUID, dt.date, FeatureType]] = field(default_factory=Counter)
    stamped: set[tuple[UUID, dt.date]] = field(default_factory=set)
    xp: Counter[UUID] = field(default_factory=Counter)
    claimed: set[tuple[UUID, int]] = field(default_factory=set)
    balance: Counter[tuple[UUID, RewardType]] = field(default_factory=Counter)
    lines: Counter[UUID] = field(default_factory=Counter)

    def level(self, player: UUID) -> int:
        return sum(level.required_xp <= self.xp[player] for level in self.table.season.levels)

    def refusal(
        self, action: Action[Any], date: dt.date, on: FeatureType | None, season: bool, blocked: bool
    ) -> ErrorCode | None:
        """Why the command is refused on this day, if it is."""
        earlier = self.answers.get((action.user_id, action.key))
        if earlier:
            return None if earlier[0] == action.request else ErrorCode.IDEMPOTENCY_KEY_REUSED
        if blocked:
            return ErrorCode.USER_BLOCKED
        match action:
            case Play(feature=feature):
                if on is not feature:
                    return ErrorCode.NO_FEATURE_TODAY
                limit = self.table.limit(feature)
                if limit and self.plays[action.user_id, date, feature] >= limit:
                    return ErrorCode.DAILY_LIMIT_REACHED
                if feature is FeatureType.LOTTERY and not any(
                    prize.weight and self.stocks.get(prize.id, 1) for prize in self.table.lottery.prizes
                ):
                    return ErrorCode.OUT_OF_STOCK
            case Stamp(source=source):
                if not season:
                    return ErrorCode.NO_ACTIVE_SEASON
                if source not in (FeatureType.SEASON_PASS, on):
                    return ErrorCode.INVALID_STAMP_SOURCE
                if (action.user_id, date) in self.stamped:
                    return ErrorCode.ALREADY_STAMPED_TODAY
            case Claim(level=number):
                return self._claim_refusal(action.user_id, number, season)
        return None

    def _claim_refusal(self, player: UUID, number: int, season: bool) -> ErrorCode | None:
        if not season:
            return ErrorCode.NO_ACTIVE_SEASON
        levels = {level.level: level for level in self.table.season.levels}
        if number not in levels:
            return ErrorCode.LEVEL_NOT_FOUND
        if levels[number].required_xp > self.xp[player]:
            return ErrorCode.LEVEL_NOT_REACHED
        if levels[number].auto_claim:
            return ErrorCode.AUTO_CLAIM_LEVEL
        return ErrorCode.REWARD_ALREADY_CLAIMED if (player, number) in self.claimed else None

    def accept(self, action: Action[Any], answer: Answer, day: Day) -> None:
        """Compare an answer with what must have happened, and count it."""
        player = action.user_id
        earlier = self.answers.get((player, action.key))
        if earlier is not None:
            assert answer.replayed
            assert encode(msgspec.structs.replace(answer, replayed=False)) == encode(earlier[1])
            return
        self.answers[player, action.key] = (action.request, answer)
        match answer:
            case Played():
                assert isinstance(action, Play)
                self._played(player, action.feature, answer, day)
            case Stamped(receipt=receipt):
                assert isinstance(action, Stamp)
                assert receipt.added_stamp == 1
                self._stamp(player, receipt, day, action.source)
            case Claimed(level_reward=reward):
                self._level(player, reward.level, reward)

    def _played(self, player: UUID, feature: FeatureType, answer: Played, day: Day) -> None:
        self.plays[player, day.date, feature] += 1
        used, limit = self.plays[player, day.date, feature], self.table.limit(feature)
        assert answer.daily_limit == DailyLimit(limit, used, day.ends_at)
        assert limit == 0 or used <= limit
        assert (answer.replayed, answer.business_date) == (False, day.date)
        if isinstance(answer.drawn, Prize) and answer.drawn.id in self.stocks:
            self.stocks[answer.drawn.id] -= 1
            assert answer.drawn.stock == self.stocks[answer.drawn.id] >= 0
        self._grant(player, self._reward(answer), answer.reward)
        if not day.seasons:
            assert answer.season_pass is None
            return
        assert answer.season_pass is not None
        if (player, day.date) in self.stamped:
            assert answer.season_pass == StampReceipt(0, 0, self.xp[player], self.level(player), False, [])
        else:
            self._stamp(player, answer.season_pass, day, feature)

    def _reward(self, answer: Played) -> Reward:
        return self.table.dice.reward(answer.drawn.outcome) if hasattr(answer.drawn, "outcome") else answer.drawn.reward

    def _stamp(self, player: UUID, receipt: StampReceipt, day: Day, source: FeatureType) -> None:
        before = self.level(player)
        earned = self.table.season.base_xp_per_stamp + (50 if source is FeatureType.SEASON_PASS else 20)
        self.stamped.add((player, day.date))
        self.xp[player] += earned
        after = self.level(player)
        assert (receipt.added_stamp, receipt.xp_added, receipt.current_xp) == (1, earned, self.xp[player])
        assert (receipt.current_level, receipt.leveled_up) == (after, after > before)
        automatic = [level.level for level in self.table.season.levels[before:after] if level.auto_claim]
        assert [reward.level for reward in receipt.rewards] == automatic
        for reward in receipt.rewards:
            self._level(player, reward.level, reward)

    def _level(self, player: UUID, level: int, answer: LevelReward) -> None:
        assert (player, level) not in self.claimed
        assert level <= self.level(player)
        self.claimed.add((player, level))
        self._grant(player, self.table.season.levels[level - 1].reward, answer.reward)

    def _grant(self, player: UUID, reward: Reward, granted: Any) -> None:
        if reward.type is RewardType.NONE or not reward.amount:
            assert (granted.amount, granted.balance) == (0, None)
            return
        self.lines[player] += 1
        assert (granted.type, granted.amount) == (reward.type, reward.amount)
        if reward.type is RewardType.COUPON:
            assert granted.balance is None
        else:
            self.balance[player, reward.type] += reward.amount
            assert granted.balance == self.balance[player, reward.type]


def an_action(source: Random, on: FeatureType | None) -> Action[Any]:
    """Somebody does something: mostly what can be done today, often with a key that was used before."""
    player, key = source.choice(PLAYERS), f"k{source.randrange(STEPS // 8)}"
    match source.randrange(10):
        case 0:
            stamps = [FeatureType.SEASON_PASS, *FeatureType, on or FeatureType.RANKING]
            return Stamp(player, key, source.choice(stamps))
        case 1 | 2:
            return Claim(player, key, source.randrange(14))
        case _:
            game = on if on in GAMES and source.random() < 0.9 else source.choice(GAMES)
            assert game is not None
            return Play(player, key, game)


def decided(action: Action[Any], now: dt.datetime, state: State, effects: Effects) -> Answer | HaruError:
    try:
        return decide(action, now, state, effects)
    except HaruError as refusal:
        return refusal


def fits(stored: Stored, model: Model) -> None:
    """Everything stored is what the model counted."""
    lines = defaultdict(list)
    for row in stored.rows[RewardEntry]:
        lines[row["user_id"]].append(row)
    sums: Counter[tuple[UUID, RewardType]] = Counter()
    for player, rows in lines.items():
        assert [row["line_no"] for row in rows] == list(range(1, len(rows) + 1))
        for row in rows:
            sums[player, row["reward_type"]] += row["amount"]
            coupon = row["reward_type"] is RewardType.COUPON
            assert row["balance_after"] == (None if coupon else sums[player, row["reward_type"]])
    assert {player: len(rows) for player, rows in lines.items()} == {p: n for p, n in model.lines.items() if n}
    assert stored.balances == {key: amount for key, amount in sums.items() if key[1] is not RewardType.COUPON}
    assert stored.balances == dict(model.balance)
    assert stored.stocks == model.stocks
    causes = [(row["user_id"], row["cause"], row["cause_id"]) for row in stored.rows[RewardEntry]]
    assert len(causes) == len(set(causes))
    logs = {feature: stored.rows[log] for feature, log in LOGS.items()}
    counted = Counter((row["user_id"], row["business_date"], game) for game, rows in logs.items() for row in rows)
    assert counted == model.plays
    numbers = {(row["user_id"], row["business_date"], game, row["play_no"]) for game, rs in logs.items() for row in rs}
    assert len(numbers) == sum(counted.values())
    assert {(row["user_id"], row["date"]) for row in stored.rows[SeasonStamp]} == model.stamped
    assert {(row["user_id"], row["level"]) for row in stored.rows[SeasonReward]} == model.claimed
    assert {p: kept.current_xp for p, kept in stored.progress.items()} == dict(model.xp)
    assert all(kept.current_level == model.level(p) for p, kept in stored.progress.items())
    events = Counter(row["event_name"] for row in stored.rows[UserEvent])
    assert (events["PLAY"], events["SEASON_PASS_STAMP"]) == (sum(counted.values()), len(model.stamped))


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_fit_the_model(seed: int) -> None:
    source = Random(seed)
    table = a_table(source)
    stored, model = Stored(stocks=table.lottery.stocks()), Model(table, table.lottery.stocks())
    ids, seen = Ids(Random(seed)), Counter[str]()
    now, step = rules.NOW, 0
    while step < STEPS:
        on, season = source.choice(FEATURES), source.random() < 0.8
        date = now.date()
        content = _with_stocks(table, stored) if on is FeatureType.LOTTERY else table.of(on)
        day = rules.day(on, game=content, seasons=[table.season] if season else [], date=date)
        for _ in range(source.randrange(1, 20)):  # batches of the day
            state, effects = stored.load(day), Effects(ids)
            for _ in range(source.choice([1, 1, 2, 5, 30])):
                action, step = an_action(source, on), step + 1
                expected = model.refusal(action, date, on, season, action.user_id in stored.blocked)
                rows = {table: len(rows) for table, rows in effects.rows.items()}
                answer = decided(action, now, state, effects)
                if isinstance(answer, HaruError):
                    assert answer.code == expected
                    assert rows == {table: len(rows) for table, rows in effects.rows.items()}
                    seen[answer.code] += 1
                else:
                    assert expected is None, (expected, action, answer)
                    seen["replayed" if getattr(answer, "replayed", False) else type(answer).__name__] += 1
                    model.accept(action, answer, day)
            stored.store(effects)
            if source.random() < 0.1:
                stored.blocked ^= {source.choice(PLAYERS)}
            now += dt.timedelta(seconds=source.randrange(60))
        now += dt.timedelta(days=1)
    fits(stored, model)
    print(f"seed {seed}: {sorted(seen.items())}")
    assert {
        "Played",
        "Stamped",
        "Claimed",
        "replayed",
        "IDEMPOTENCY_KEY_REUSED",
        "USER_BLOCKED",
    } <= seen.keys()


def _with_stocks(table: Table, stored: Stored) -> LotteryRules:
    prizes = (msgspec.structs.replace(prize, stock=stored.stocks.get(prize.id)) for prize in table.lottery.prizes)
    return msgspec.structs.replace(table.lottery, prizes=tuple(prizes))
