"""Whether what was drawn fits what was published, for staff."""

from __future__ import annotations

from math import exp, log

import strawberry

from schema.described import described
from schema.odds import OddsSheet
from services import conformance

MOST = 1e300


def _told(evidence: float) -> float:
    """JSON has no infinity."""
    return min(evidence, MOST)


@described
@strawberry.type
class DrawnOutcome:
    """An outcome of the draws of a revision: a prize, a segment, or a face of any of the four dice. It has no id."""

    label: str = strawberry.field(description="What it is called, in the event's own words; a face: its number.")
    drawn: int = strawberry.field(description="How often it came.")
    expected: float = strawberry.field(
        description="How often it was to be expected, among what could be drawn each time."
    )

    @classmethod
    def of(cls, outcome: conformance.Outcome) -> DrawnOutcome:
        """Convert."""
        return cls(label=outcome.label, drawn=outcome.drawn, expected=outcome.expected)


@described
@strawberry.type
class RevisionConformance:
    """The draws of one revision. It has no id."""

    sheet: OddsSheet = strawberry.field(description="The odds that were published.")
    draws: int = strawberry.field(description="How many draws there were.")
    evidence: float = strawberry.field(description="The e-value of this revision alone: what speaks against its odds.")
    outcomes: list[DrawnOutcome] = strawberry.field(description="Each outcome, in the order in which it is drawn.")

    @classmethod
    def of(cls, found: conformance.RevisionConformance) -> RevisionConformance:
        """Convert."""
        return cls(
            sheet=OddsSheet.of(found.game, found.rules),
            draws=found.draws,
            evidence=_told(exp(min(found.log_evidence, log(MOST)))),
            outcomes=[DrawnOutcome.of(one) for one in found.outcomes],
        )


@described
@strawberry.type
class DrawConformance:
    """Whether the draws of some days fit the published odds. It has no id.

    `evidence` is an e-value: where the published odds are drawn it is 1 on average, and reaches `alarmAt` once in that
    many events at most, however often it is looked at.
    """

    draws: int = strawberry.field(description="How many draws there were.")
    evidence: float = strawberry.field(description=f"What speaks against the published odds; at most {MOST:g} is told.")
    alarm_at: float = strawberry.field(description="From which evidence on it is an alarm.")
    is_alarm: bool = strawberry.field(description="Whether the draws do not fit the published odds.")
    revisions: list[RevisionConformance] = strawberry.field(
        description="The revisions of which something was drawn, of all games, in the order of their publication."
    )

    @classmethod
    def of(cls, found: conformance.Conformance) -> DrawConformance:
        """Convert."""
        return cls(
            draws=found.draws,
            evidence=_told(found.evidence),
            alarm_at=found.alarm_at,
            is_alarm=found.is_alarm,
            revisions=[RevisionConformance.of(one) for one in found.revisions],
        )
