"""Ids of nodes: for ever what they are now, for clients keep them."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest

from models import FeatureType
from schema.nodes import NOBODY, NOTHING, Kind, Part, node_id, number_of, parts_of, player_of, read_id
from services.paging import LAST_ROW

WHO, WHICH = UUID("019cabf0-a000-7000-8000-000000000001"), UUID("019cabf0-a000-7000-8000-0000000000ff")
DAY, NUMBER = dt.date(2026, 3, 2), 258
IDS: list[tuple[str, Kind, tuple[Part, ...]]] = [
    ("AQGcq_CgAHAAgAAAAAAAAAE", Kind.PLAYER, (WHO,)),
    ("AgGcq_CgAHAAgAAAAAAAAAEBnKvwoABwAIAAAAAAAAD_", Kind.DICE_PLAY, (WHO, WHICH)),
    ("AwGcq_CgAHAAgAAAAAAAAAEBnKvwoABwAIAAAAAAAAD_", Kind.ROULETTE_SPIN, (WHO, WHICH)),
    ("BAGcq_CgAHAAgAAAAAAAAAEBnKvwoABwAIAAAAAAAAD_", Kind.LOTTERY_DRAW, (WHO, WHICH)),
    ("BQGcq_CgAHAAgAAAAAAAAAEBnKvwoABwAIAAAAAAAAD_", Kind.SEASON_LEVEL, (WHO, WHICH)),
    ("BgGcq_CgAHAAgAAAAAAAAAEBnKvwoABwAIAAAAAAAAD_", Kind.ADMIN_GRANT, (WHO, WHICH)),
    ("BwGcq_CgAHAAgAAAAAAAAAEAAAAAAAABAg", Kind.REWARD_ENTRY, (WHO, NUMBER)),
    ("CAGcq_CgAHAAgAAAAAAAAAEBnKvwoABwAIAAAAAAAAD_", Kind.USER_EVENT, (WHO, WHICH)),
    ("CQAAAAAAAAEC", Kind.DICE_CONFIG, (NUMBER,)),
    ("CgAAAAAAAAEC", Kind.ROULETTE_CONFIG, (NUMBER,)),
    ("CwAAAAAAAAEC", Kind.LOTTERY_CONFIG, (NUMBER,)),
    ("DAAAAAAAAAEC", Kind.ROULETTE_SEGMENT, (NUMBER,)),
    ("DQAAAAAAAAEC", Kind.LOTTERY_PRIZE, (NUMBER,)),
    ("DgAAAAAAAAEC", Kind.LOTTERY_STOCK, (NUMBER,)),
    ("DwGcq_CgAHAAgAAAAAAAAAELSV0", Kind.DICE_STATUS, (WHO, DAY)),
    ("EAGcq_CgAHAAgAAAAAAAAAELSV0", Kind.ROULETTE_STATUS, (WHO, DAY)),
    ("EQGcq_CgAHAAgAAAAAAAAAELSV0", Kind.LOTTERY_STATUS, (WHO, DAY)),
    ("EgAAAAAAAAEC", Kind.SEASON, (NUMBER,)),
    ("EwGcq_CgAHAAgAAAAAAAAAEAAAAAAAABAg", Kind.SEASON_PASS_STATUS, (WHO, NUMBER)),
    ("FAtJXQAAAAAAAAEC", Kind.RANKING_SNAPSHOT, (DAY, NUMBER)),
    ("FQtJXQ", Kind.SCHEDULED_DAY, (DAY,)),
    ("FgE", Kind.FEATURE_CONFIG, (FeatureType.ROULETTE,)),
    ("FgI", Kind.FEATURE_CONFIG, (FeatureType.DICE,)),
    ("FgM", Kind.FEATURE_CONFIG, (FeatureType.LOTTERY,)),
    ("FgQ", Kind.FEATURE_CONFIG, (FeatureType.RANKING,)),
    ("FgU", Kind.FEATURE_CONFIG, (FeatureType.SEASON_PASS,)),
    ("FwAAAAAAAAEC", Kind.AUDIT_ENTRY, (NUMBER,)),
    ("GAMAAAAAAAABAg", Kind.ODDS_SHEET, (FeatureType.LOTTERY, NUMBER)),
]


@pytest.mark.parametrize(("text", "kind", "parts"), IDS)
def test_an_id_is_for_ever(text: str, kind: Kind, parts: tuple[Part, ...]) -> None:
    assert node_id(kind, *parts) == text
    assert read_id(text) == (kind, list(parts))
    assert [of for of in Kind if parts_of(text, of) is not None] == [kind]


def test_every_kind_and_every_feature_has_an_id() -> None:
    assert {kind for _, kind, _ in IDS} == set(Kind)
    assert {one for _, _, parts in IDS for one in parts if isinstance(one, FeatureType)} == set(FeatureType)


def test_another_id_is_that_of_nobody_and_of_nothing() -> None:
    player, season = node_id(Kind.PLAYER, WHO), node_id(Kind.SEASON, NUMBER)
    assert (player_of(player), number_of(season, Kind.SEASON)) == (WHO, NUMBER)
    assert (player_of(season), number_of(player, Kind.SEASON), number_of("", Kind.SEASON)) == (NOBODY, NOTHING, NOTHING)


def test_no_row_has_the_last_number() -> None:
    """One more than a row's number is still one of PostgreSQL."""
    assert read_id(node_id(Kind.SEASON, LAST_ROW - 1)) == (Kind.SEASON, [LAST_ROW - 1])
    assert read_id(node_id(Kind.SEASON, LAST_ROW)) is None


def test_what_is_written_otherwise_is_no_id() -> None:
    for text, _, _ in IDS:
        for other in (text + "A", text + "AA", text + "AAAA", text + "=", text[:-2], text[1:], f" {text}"):
            assert read_id(other) is None, other
