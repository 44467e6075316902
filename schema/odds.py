"""The odds' sheets: what a play may give and how likely it is, as it was published, for everybody to read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import strawberry

from models import FeatureType, Language
from schema.described import described
from schema.languages import In, Wording
from schema.nodes import Kind, Node, node_id
from schema.rewards import Odds, RewardSpec
from services.rules.game import Game, Rules
from services.rules.odds import Item


@described
@strawberry.type
class OddsItem:
    """Something that a play may give. It has no id."""

    reward: RewardSpec = strawberry.field(description="What it is worth.")
    odds: Odds = strawberry.field(description="How likely it is, exactly, before anything is sold out.")
    quantity: int | None = strawberry.field(
        description="How many there were of it in all when it was published; null is unlimited."
    )
    wording: strawberry.Private[Wording]

    @described
    @strawberry.field
    def label(self, language: In = strawberry.UNSET) -> str:
        """What it is called."""
        return self.wording.told(language)

    @classmethod
    def of(cls, item: Item) -> OddsItem:
        """Convert."""
        return cls(
            wording=Wording(item.label, item.labels),
            reward=RewardSpec.of(item.reward),
            odds=Odds.of(item.weight, item.total_weight),
            quantity=item.quantity,
        )


@described
@strawberry.type
class OddsSheet(Node):
    """The odds of a revision: what is shown here is what is drawn from, and neither ever changes.

    What is played at an instant is, of the sheets whose window [effectiveFrom, effectiveUntil) holds it, the one whose
    window began last; of two that began at once, the greater revision. `/odds/<hash>` shows the same to everybody.
    """

    feature_type: FeatureType = strawberry.field(description="Which game.")
    revision: int = strawberry.field(
        description="1, 2, 3, ... As `expectedRevision` of a play: draw at these odds, or not at all."
    )
    hash: str = strawberry.field(
        description="What the revision says, as 64 hexadecimal digits: the SHA-256 of the RFC 8785 form of its content."
    )
    announced_at: dt.datetime = strawberry.field(description="Since when it has been public.")
    effective_from: dt.datetime = strawberry.field(description="The first instant of its window.")
    effective_until: dt.datetime | None = strawberry.field(
        description="The first instant after its window; null: the window has no end."
    )
    notice_hours: int = strawberry.field(
        description="How many hours ahead changed odds had to be announced when it was published; 0: not ahead."
    )
    emergency_reason: str | None = strawberry.field(
        description="Why the odds may change sooner than that, in the operator's words; null: nothing is changed so."
    )
    items: list[OddsItem] = strawberry.field(description="All that a play may give, in the order in which it is drawn.")
    price: strawberry.Private[dict[Language, str]]

    @described
    @strawberry.field
    def cost(self, language: In = strawberry.UNSET) -> str | None:
        """What a play costs, in the operator's words; null: it is free."""
        return next((self.price[one] for one in (language, *Language) if one in self.price), None)

    @classmethod
    def of(cls, game: Game[Any, Any], rules: Rules) -> OddsSheet:
        """Convert."""
        return cls(
            id=node_id(Kind.ODDS_SHEET, game.feature, rules.id),
            feature_type=game.feature,
            revision=rules.revision,
            hash=rules.hash,
            announced_at=rules.published_at,
            effective_from=rules.effective_from,
            effective_until=rules.effective_until,
            notice_hours=rules.notice_hours,
            emergency_reason=rules.emergency_reason,
            items=[OddsItem.of(item) for item in rules.items()],
            price=rules.cost,
        )
