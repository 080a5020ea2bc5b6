"""Long spans without any anomaly are cut."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from models.curation.base import Draft, Rule, Ruling, number_of
from models.curation.series import Span, runs_within, without


class NormalSpans(Rule):
    """Shortens spans without any anomaly to `longest` samples: what lies next to an anomaly stays, half on either side.

    Normals are never cut below the number of anomalies; the cap is raised until as many are left.
    Limit: what is cut are normals far from any anomaly, so slow changes of the healthy machine are seen less.
    """

    name: ClassVar[str] = "normal_spans"
    cuts: ClassVar[bool] = True

    longest: int = Field(default=10_000, ge=2, description="longest span without an anomaly, samples")

    def judge(self, draft: Draft) -> Ruling:
        """Cut the middles of long normal spans."""
        anomaly = draft.series.anomaly
        spans = runs_within(draft.kept, ~anomaly)
        lengths = np.array([span.length for span in spans], np.int64)
        cap = _cap(lengths, self.longest, draft.anomalies)
        drop = np.zeros(len(anomaly), np.bool_)
        starts, stops = {span.start for span in draft.kept}, {span.stop for span in draft.kept}
        for span in spans:
            if span.length > cap:
                _drop_middle(drop, span, cap, before=span.start not in starts, after=span.stop not in stops)
        count = int((lengths > cap).sum())
        if not count:
            return Ruling("no long spans without an anomaly")
        raised = f" (not to {self.longest}: as many normals as anomalies stay)" if cap > self.longest else ""
        return Ruling(
            f"{number_of(count, 'span')} without an anomaly cut to {cap} samples, {int(drop.sum())} dropped{raised}",
            kept=without(draft.kept, drop),
        )


def _cap(lengths: np.ndarray[tuple[int], np.dtype[np.int64]], longest: int, least: int) -> int:
    """Smallest cap, at least `longest`, that leaves `least` samples of spans of these lengths (or all of them)."""
    low, high = longest, max(longest, int(lengths.max(initial=0)))
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if int(np.minimum(lengths, middle).sum()) >= least else (middle + 1, high)
    return low


def _drop_middle(
    drop: np.ndarray[tuple[int], np.dtype[np.bool_]], span: Span, cap: int, before: bool, after: bool
) -> None:
    """Mark all but `cap` samples of the span: those next to the anomaly before it, after it, or both, stay."""
    head = cap if not after else 0 if not before else (cap + 1) // 2
    drop[span.start + head : span.stop - (cap - head)] = True
