"""Labels held against what the source states: inverted labels, counts that disagree, spans too few to split."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from models.curation.base import Draft, Rule, Ruling
from models.curation.series import runs


class LabelCheck(Rule):
    """Turns labels over that are the wrong way round, and notes what is odd about the others.

    Labels are inverted for certain when the source states the number of samples found, and as many anomalies as there are
    samples labelled normal. Without such a statement a majority of anomalies is only noted: it may be so.
    """

    name: ClassVar[str] = "labels"

    invert: Literal["stated", "never", "always"] = Field(
        default="stated", description="turn labels over when the source's own counts prove them inverted, never, always"
    )

    def judge(self, draft: Draft) -> Ruling:
        """Invert or note."""
        series, stated = draft.series, draft.series.stated
        n, ones = len(series.anomaly), int(series.anomaly.sum())
        proven = stated.samples == n and stated.anomalies == n - ones != ones
        if self.invert == "always" or (self.invert == "stated" and proven):
            why = f"the source states {stated.anomalies} anomalies of {n}" if proven else "as told"
            return Ruling(
                f"labels inverted: {ones} samples were labelled anomalous; {why}",
                series=replace(series, anomaly=~series.anomaly),
            )
        notes = []
        if proven:
            notes.append(
                f"labels look inverted: the source states {stated.anomalies} anomalies of {n}, there are {ones}"
            )
        elif stated.samples is not None and stated.samples != n:
            notes.append(f"the source states {stated.samples} samples, there are {n}")
        elif stated.anomalies is not None and stated.anomalies != ones:
            notes.append(f"the source states {stated.anomalies} anomalies, there are {ones}")
        if 2 * ones > n and not proven:
            notes.append(
                f"{100 * ones / n:.0f} % are labelled anomalous; if that is the wrong way round: labels.invert=always"
            )
        spans = min(len(runs(series.anomaly)), len(runs(~series.anomaly)))
        if spans == 1:
            notes.append("one class is a single span: no split in time without cutting it")
        return Ruling(f"{ones} of {n} samples anomalous", tuple(notes))
