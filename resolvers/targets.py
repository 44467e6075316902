"""What entries of the audit log are about: how a target is written there, and which node that is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from models import FeatureConfig, FeatureSchedule, FeatureType, RankingDaily, Season
from resolvers.nodes import find
from schema.context import Info
from schema.nodes import Kind, Node, node_id, read_id
from schema.ranking import RankingSnapshot, wanted_pages
from services import published, ranking
from services.errors import DomainError
from services.rules.game import Game
from services.rules.registry import GAMES

KEYED: Mapping[Kind, tuple[str, Callable[[str], Any]]] = {
    Kind.PLAYER: ("player", UUID),
    Kind.SCHEDULED_DAY: (FeatureSchedule.__tablename__, dt.date.fromisoformat),
    Kind.FEATURE_CONFIG: (FeatureConfig.__tablename__, FeatureType),
    Kind.SEASON: (Season.__tablename__, int),
    Kind.RANKING_SNAPSHOT: (RankingDaily.__tablename__, dt.date.fromisoformat),
}
"""Targets that are a word and a key, `player` and a UUID: the word, and how the key is read.

A ranking's key is its day alone: all of its snapshots are one target.
"""

REVISIONS: Mapping[Kind, Game[Any, Any]] = {
    Kind.DICE_CONFIG: GAMES[FeatureType.DICE],
    Kind.ROULETTE_CONFIG: GAMES[FeatureType.ROULETTE],
    Kind.LOTTERY_CONFIG: GAMES[FeatureType.LOTTERY],
}
"""Targets that are a game's revision, `dice_config revision 3`."""

KINDS = {word: kind for kind, (word, _) in KEYED.items()}
GAMES_OF = {game.config.__tablename__: kind for kind, game in REVISIONS.items()}


async def target_of(info: Info, text: str) -> str | None:
    """How the node of an id is written as a target; none where it is none of what staff change."""
    known = read_id(text)
    if known is None:
        return None
    kind, parts = known
    if kind in KEYED:
        return f"{KEYED[kind][0]} {parts[0]}"
    if kind in REVISIONS:
        app, game = info.context.app, REVISIONS[kind]
        found = await published.revision_with(app.database, game, parts[0], now=app.clock())
        return f"{game.config.__tablename__} revision {found.rules.revision}" if found else None
    return None


async def node_of(info: Info, target: str) -> Node | None:
    """The node that is written as a target; none where it is gone, or is no node, as a pool of coupons."""
    word, _, key = target.partition(" ")
    if word in GAMES_OF:
        return await _revision(info, GAMES_OF[word], int(key.removeprefix("revision ")))
    if word not in KINDS:
        return None
    kind = KINDS[word]
    part = KEYED[kind][1](key)
    if kind is Kind.RANKING_SNAPSHOT:
        return await _snapshot(info, part)
    found: Node | None = await find(info, node_id(kind, part))
    return found


async def _revision(info: Info, kind: Kind, revision: int) -> Node | None:
    app, game = info.context.app, REVISIONS[kind]
    page = await published.revisions(app.database, game, now=app.clock(), first=1, before_revision=revision + 1)
    newest = next((one.rules for one in page.rows if one.rules.revision == revision), None)
    found: Node | None = await find(info, node_id(kind, newest.id)) if newest else None
    return found


async def _snapshot(info: Info, date: dt.date) -> Node | None:
    """What is published of a day now."""
    app, reader = info.context.app, ranking.Reader(info.context.me.player_id, wanted_pages(info))
    try:
        return RankingSnapshot.of(await ranking.read(app.database, app.reads, date, info.context.today(), reader))
    except DomainError:
        return None
