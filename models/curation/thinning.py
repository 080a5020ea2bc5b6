"""Long sets are thinned by whole slices of time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.curation.base import Draft, Rule, Ruling
from models.curation.series import Labels, Span, runs


class Thinning(Rule):
    """Reduces sets longer than `over` to at most `target` samples by taking whole slices of time, spread evenly over the set.

    A slice has about `slice` samples, is in its own order, and ends where no anomaly is cut in two, unless that is longer
    than `whole`. Slices without anomalies, with some, and of nothing else are thinned by the same factor, each evenly in
    time, so the shares stay as they were all along the set; of those with anomalies the first that fits is always taken.
    """

    name: ClassVar[str] = "thinning"
    cuts: ClassVar[bool] = True

    over: int = Field(default=50_000, ge=1, description="sets up to this many samples are left alone")
    target: int = Field(default=100_000, ge=1, description="most samples that remain")
    slice: int = Field(default=1_000, ge=1, description="length of a slice, samples")
    whole: int = Field(default=5_000, ge=0, description="longest anomaly that is never cut in two, samples")

    def judge(self, draft: Draft) -> Ruling:
        """Choose slices."""
        n = draft.samples
        if n <= self.over:
            return Ruling(f"not longer than {self.over}")
        if n <= self.target:
            return Ruling(f"longer than {self.over}, but not than {self.target}: nothing to take out")
        slices = time_slices(draft.kept, draft.series.anomaly, self.slice, self.whole)
        lengths = np.array([s.length for s in slices], np.int64)
        share = np.array([draft.series.anomaly[s.start : s.stop].mean() for s in slices])
        chosen, left = np.zeros(len(slices), np.bool_), self.target
        for group in ((share > 0) & (share < 1), share == 1):
            budget = int(lengths[group].sum()) * self.target / n
            chosen[group] = evenly(lengths[group], budget, left, eager=True)
            left -= int(lengths[group & chosen].sum())
        chosen[share == 0] = evenly(lengths[share == 0], left, left)
        taken = [s for s, c in zip(slices, chosen, strict=True) if c]
        return Ruling(
            f"{len(taken)} of {len(slices)} slices of about {self.slice} samples taken, evenly in time",
            kept=joined(taken),
        )


def time_slices(kept: Sequence[Span], anomaly: Labels, length: int, whole: int) -> list[Span]:
    """The kept spans cut into slices of about `length`; no cut lies within an anomaly of up to `whole` samples."""
    slices = []
    for span in kept:
        cuts = np.arange(span.start + length, span.stop, length, dtype=np.int64)
        spots = [run for run in runs(anomaly[span.start : span.stop], span.start) if run.length <= whole]
        if spots and len(cuts):
            bounds = np.array(spots, np.int64)
            inside = np.maximum(np.searchsorted(bounds[:, 0], cuts, side="left") - 1, 0)
            start, stop = bounds[inside, 0], bounds[inside, 1]
            nearest = np.where(cuts - start <= stop - cuts, start, stop)
            cuts = np.where((start < cuts) & (cuts < stop), nearest, cuts)
        edges = np.unique(np.concatenate([[span.start], cuts, [span.stop]]))
        slices += [Span(int(a), int(b)) for a, b in pairwise(edges)]
    return slices


def evenly(lengths: NDArray[np.int64], budget: float, most: int, *, eager: bool = False) -> Labels:
    """Which of the slices to take so that about `budget` samples are taken, evenly along the set.

    Without `eager` no more than the budget's share of what has passed is ever taken; with it the first slice that fits is
    taken in any case, and then each that brings what is taken nearer to that share; never more than `most` in all.
    """
    total = int(lengths.sum())
    chosen = np.zeros(len(lengths), np.bool_)
    taken = seen = 0
    for i, length in enumerate(lengths.tolist()):
        seen += length
        due = budget * seen / total
        if taken + length <= most and (
            not taken or taken + length / 2 <= due if eager else taken + length <= due + 1e-6
        ):
            chosen[i] = True
            taken += length
    return chosen


def joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The spans with neighbours that touch made one."""
    result: list[Span] = []
    for span in spans:
        if result and result[-1].stop == span.start:
            result[-1] = Span(result[-1].start, span.stop)
        else:
            result.append(span)
    return tuple(result)
