"""What the API shows of what the services found: where a value has an edge, what is shown on both sides of it."""

from __future__ import annotations

import datetime as dt
from math import exp, inf
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from strawberry import ID

from models import EventName, FeatureType, Language, Role
from schema.conformance import DrawConformance
from schema.context import Principal
from schema.events import UserEvent, UserEventFilter
from schema.languages import LocalizedText, Wording
from schema.nodes import NOBODY, Kind, node_id
from schema.odds import OddsSheet
from schema.rewards import Odds
from schema.season_pass import SeasonProgress
from services.conformance import Conformance, Outcome, RevisionConformance
from services.events import EventFilter, EventRow
from services.rules.registry import GAMES
from services.rules.state import Progress
from tests.unit import rules

DAY = dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    ("weight", "total", "percent"), [(0, 0, 0.0), (0, 7, 0.0), (3, 8, 37.5), (1, 3, 100 / 3), (5, 5, 100.0)]
)
def test_odds(weight: int, total: int, percent: float) -> None:
    assert Odds.of(weight, total) == Odds(weight=weight, total_weight=total, percent=percent)


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        (None, (0, 0, 0, None, 100)),
        (Progress(UUID(int=1)), (0, 0, 0, None, 100)),
        (Progress(UUID(int=1), 120, 1, 2, DAY), (1, 120, 2, DAY, 250)),
        (Progress(UUID(int=1), 250, 2, 3, DAY), (2, 250, 3, DAY, 700)),
        (Progress(UUID(int=1), 900, 3, 4, DAY), (3, 900, 4, DAY, None)),
    ],
)
def test_the_progress_of_a_season(progress: Progress | None, shown: tuple[Any, ...]) -> None:
    level, xp, stamps, last, following = shown
    assert SeasonProgress.of(progress, rules.season([(100, True), (250, False), (700, True)])) == SeasonProgress(
        current_level=level,
        current_xp=xp,
        total_stamps=stamps,
        last_stamp_date=last,
        next_level_xp=following,
    )


@pytest.mark.parametrize(("log_evidence", "shown"), [(0.0, 1.0), (-3.0, exp(-3.0)), (inf, 1e300)])
def test_evidence_beyond_what_json_has(log_evidence: float, shown: float) -> None:
    """At most 1e300 is told, of all the days and of each revision."""
    game = next(iter(GAMES.values()))
    outcomes = [Outcome("1", 3, 2.5), Outcome("2", 0, 0.5)]
    one = RevisionConformance(game, rules.dice(), 1, 3, log_evidence, outcomes)
    found = DrawConformance.of(Conformance(shown if log_evidence < 700 else inf, [one, one]))
    assert (found.draws, found.alarm_at, found.is_alarm) == (6, 1000.0, log_evidence > 700)
    assert [found.evidence, *(each.evidence for each in found.revisions)] == pytest.approx([shown] * 3)
    assert [(each.label, each.drawn, each.expected) for each in found.revisions[0].outcomes] == [
        ("1", 3, 2.5),
        ("2", 0, 0.5),
    ]


KO, EN = Language.KO, Language.EN


def test_what_is_told_in_which_language() -> None:
    both, one = {EN: "dice", KO: "주사위"}, {EN: "dice"}
    assert [Wording("own", both).told(language) for language in (None, KO, EN)] == ["own", "주사위", "dice"]
    assert [Wording("own", one).told(language) for language in (None, KO, EN)] == ["own", "own", "dice"]
    assert [(text.language, text.text) for text in LocalizedText.all_of(both)] == [(KO, "주사위"), (EN, "dice")]
    assert [(text.language, text.text) for text in LocalizedText.all_of(one)] == [(EN, "dice")]


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        ({}, [None, None, None]),
        ({EN: "1 coin"}, ["1 coin"] * 3),
        ({EN: "1 coin", KO: "동전"}, ["동전", "동전", "1 coin"]),
    ],
)
def test_a_cost_is_told_in_a_language_that_it_has(cost: dict[Language, str], shown: list[str | None]) -> None:
    sheet = OddsSheet.of(next(iter(GAMES.values())), rules.dice(cost=cost))
    tell: Any = sheet.cost
    assert [tell(language) for language in (None, KO, EN)] == shown


WHO, WHICH = UUID(int=7), UUID(int=8)
PLAYED = {"playId": str(WHICH), "playNo": 2, "revisionId": 9, "reward": {"type": "POINT"}}
SPIN, DRAW, ROLL = (node_id(kind, WHO, WHICH) for kind in (Kind.ROULETTE_SPIN, Kind.LOTTERY_DRAW, Kind.DICE_PLAY))
EVENTS: list[tuple[EventName, FeatureType | None, dict[str, Any], dict[str, Any]]] = [
    (EventName.FEATURE_VIEW, FeatureType.DICE, {}, {}),
    (
        EventName.PLAY,
        FeatureType.ROULETTE,
        PLAYED | {"drawn": {"type": "segment", "id": 3, "label": "a"}},
        {
            "playId": SPIN,
            "revisionId": node_id(Kind.ROULETTE_CONFIG, 9),
            "drawn": {"type": "segment", "id": node_id(Kind.ROULETTE_SEGMENT, 3), "label": "a"},
        },
    ),
    (
        EventName.PLAY,
        FeatureType.LOTTERY,
        PLAYED | {"drawn": {"type": "prize", "id": 4}},
        {
            "playId": DRAW,
            "revisionId": node_id(Kind.LOTTERY_CONFIG, 9),
            "drawn": {"type": "prize", "id": node_id(Kind.LOTTERY_PRIZE, 4)},
        },
    ),
    (
        EventName.PLAY,
        FeatureType.DICE,
        PLAYED | {"drawn": {"type": "dice", "outcome": "WIN"}},
        {"playId": ROLL, "revisionId": node_id(Kind.DICE_CONFIG, 9)},
    ),
    (EventName.SEASON_PASS_STAMP, FeatureType.SEASON_PASS, {"source": "DICE", "playId": str(WHICH)}, {"playId": ROLL}),
    (EventName.SEASON_PASS_STAMP, FeatureType.SEASON_PASS, {"source": "SEASON_PASS", "playId": None}, {}),
    (EventName.SEASON_PASS_LEVEL_UP, FeatureType.SEASON_PASS, {"fromLevel": 1, "toLevel": 2}, {}),
    (EventName.REWARD_CLAIM, FeatureType.SEASON_PASS, {"level": 3}, {}),
    (
        EventName.REWARD_GRANT,
        None,
        {"causeId": str(WHICH), "lineNo": 5},
        {"causeId": node_id(Kind.ADMIN_GRANT, WHO, WHICH)},
    ),
]


@pytest.mark.parametrize(("name", "feature", "meta", "named"), EVENTS)
def test_what_an_event_tells(
    name: EventName, feature: FeatureType | None, meta: dict[str, Any], named: dict[str, Any]
) -> None:
    """With the ids of the API; what staff wrote for one another is for staff."""
    private = {"actor": "ada (ADMIN)", "reason": "a mistake of ours"}
    event = UserEvent.of(EventRow(WHO, WHICH, feature, name, meta | private, rules.NOW))
    tell: Any = event.meta
    for role in Role:
        info = SimpleNamespace(context=SimpleNamespace(me=Principal(WHO, role)))
        is_staff = role in {Role.AUDITOR, Role.OPERATOR, Role.ADMIN}
        assert tell(info) == meta | named | (private if is_staff else {}), role


def test_which_events_are_wanted() -> None:
    assert UserEventFilter().to_filter() == EventFilter()
    wanted = UserEventFilter(
        player_id=node_id(Kind.PLAYER, WHO),
        feature_type=FeatureType.DICE,
        event_name=EventName.PLAY,
        from_=rules.NOW,
        to=rules.ENDS_AT,
    )
    assert wanted.to_filter() == EventFilter(WHO, FeatureType.DICE, EventName.PLAY, rules.NOW, rules.ENDS_AT)
    assert UserEventFilter(player_id=ID("x")).to_filter() == EventFilter(player_id=NOBODY)
    assert UserEventFilter(player_id=None, feature_type=None).to_filter() == EventFilter()
