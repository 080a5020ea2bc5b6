"""What a rule is: it sees a series and what is still kept of it, and rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from models.curation.series import LabelledSeries, Span

Action = Literal["passed", "noted", "changed", "refused", "skipped", "off"]


@dataclass(frozen=True)
class Draft:
    """A series on its way through the rules: `kept` are the stretches that remain, in order and disjoint."""

    series: LabelledSeries
    kept: tuple[Span, ...]
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Number of samples kept."""
        return sum(span.length for span in self.kept)

    @property
    def anomalies(self) -> int:
        """Number of anomalous samples kept."""
        anomaly = self.series.anomaly
        return sum(int(np.count_nonzero(anomaly[span.start : span.stop])) for span in self.kept)

    def counts(self) -> dict[str, int]:
        """Samples, anomalies and slices kept."""
        return {"samples": self.samples, "anomalies": self.anomalies, "slices": len(self.kept)}


@dataclass(frozen=True)
class Ruling:
    """What a rule says: the reason in one line, what should be looked at, and what it changes (None: nothing)."""

    reason: str
    notes: tuple[str, ...] = ()
    refused: bool = False
    series: LabelledSeries | None = None
    kept: tuple[Span, ...] | None = None
    weights: dict[str, float] | None = None

    def action(self) -> Action:
        """The ruling in one word."""
        if self.refused:
            return "refused"
        if self.series is not None or self.kept is not None:
            return "changed"
        return "noted" if self.notes else "passed"


@dataclass(frozen=True)
class Decision:
    """One line of the record: which rule did what, with the counts before and after."""

    rule: str
    action: Action
    before: dict[str, int]
    after: dict[str, int]
    reason: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


class Rule(BaseModel, ABC):
    """One rule of curation; its fields are its parameters.

    A subclass gives `name` and `judge`. A rule that only cuts (`cuts`) is skipped once the set is refused; one that refuses
    is still asked, so that a refused set has all its reasons.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    cuts: ClassVar[bool] = False

    @abstractmethod
    def judge(self, draft: Draft) -> Ruling:
        """Rule on what is left of the series; must not change it in place."""

    def apply(self, draft: Draft) -> tuple[Draft, Decision]:
        """The draft after this rule, and the decision for the record."""
        ruling = self.judge(draft)
        after = Draft(
            draft.series if ruling.series is None else ruling.series,
            draft.kept if ruling.kept is None else ruling.kept,
            draft.weights if ruling.weights is None else ruling.weights,
        )
        decision = Decision(self.name, ruling.action(), draft.counts(), after.counts(), ruling.reason, ruling.notes)
        return after, decision

    def passed_over(self, draft: Draft, action: Action, reason: str) -> Decision:
        """The decision for the record when the rule is not asked."""
        return Decision(self.name, action, draft.counts(), draft.counts(), reason)


def number_of(count: int, thing: str) -> str:
    """The count with the thing, in the plural where that is due: "1 span", "3 spans"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
