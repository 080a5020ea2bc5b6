"""Impossible values from the sensor: gaps, and single samples far outside that come back at once."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.curation.base import Draft, Rule, Ruling, number_of
from models.curation.series import Span, finite, without

_MAD_TO_SIGMA = 1.4826  # of a Gaussian
_AGREE = 0.25  # of the leap: how far the samples around a spike may be apart


class SensorOutliers(Rule):
    """Excludes samples that only the sensor can have made; the slice is cut there, nothing is filled in.

    A sample is excluded when a value is not a finite number, whatever its label; or when all of this holds: it is labelled
    normal; one channel lies more than `mads` robust deviations (1.4826 MAD of the normal samples) from that channel's
    median; it stands out of the samples before and after by as much, to the same side; those two agree within a quarter of
    that leap, so that the signal went on as if nothing had been; no other channel lies outside at that sample. Where that
    would be more than `most` of the samples, it is the signal's nature and none is excluded.

    Limits: labelled anomalies are never excluded, so spikes among them stay; an unlabelled anomaly of one sample in one
    channel goes; with a single channel there is no other to contradict; glitches of two samples and more, or on several
    channels at once, stay; a channel that mostly stands still (MAD 0) is not judged.
    """

    name: ClassVar[str] = "outliers"
    cuts: ClassVar[bool] = True

    mads: float = Field(
        default=20.0, gt=3, description="distance from the median that is impossible, robust deviations"
    )
    most: float = Field(default=0.005, ge=0, le=1, description="largest share of samples that can be artefacts")

    def judge(self, draft: Draft) -> Ruling:
        """Find and exclude."""
        x, anomaly = draft.series.x, draft.series.anomaly
        gaps = ~finite(x)
        kept = without(draft.kept, gaps) if gaps.any() else draft.kept
        missing = draft.samples - sum(span.length for span in kept)
        normal = np.zeros(len(x), np.bool_)
        for span in kept:
            normal[span.start : span.stop] = ~anomaly[span.start : span.stop]
        spikes = spikes_of(x, normal, kept, self.mads)
        count, parts, notes = int(spikes.sum()), [], []
        if missing:
            parts.append(f"{number_of(missing, 'sample')} excluded, not finite numbers")
        if count > self.most * draft.samples:
            notes.append(f"{count} single-sample spikes left in: too many to be the sensor's")
        elif count:
            kept = without(kept, spikes)
            parts.append(f"{number_of(count, 'single-sample spike')} excluded")
        changed = kept != draft.kept
        return Ruling("; ".join(parts) or "none", tuple(notes), kept=kept if changed else None)


def spikes_of(
    x: NDArray[np.float32], normal: NDArray[np.bool_], kept: tuple[Span, ...], mads: float
) -> NDArray[np.bool_]:
    """Normal samples (n,) at which exactly one channel of x (n, d) leaps out and comes back; see SensorOutliers."""
    inner = np.zeros(len(x), np.bool_)  # samples with a kept neighbour on both sides
    for span in kept:
        inner[span.start + 1 : span.stop - 1] = True
    found = np.zeros(len(x), np.bool_)
    outside = np.zeros(len(x), np.int64)
    if not normal.any():
        return found
    for j in range(x.shape[1]):
        values = x[:, j].astype(np.float64)
        median = np.median(values[normal])
        limit = mads * _MAD_TO_SIGMA * float(np.median(np.abs(values[normal] - median)))
        if limit == 0.0:
            continue
        away = values - median
        with np.errstate(invalid="ignore"):
            beyond = np.abs(away) > limit
            outside += beyond
            side = np.sign(away[1:-1])
            leap = np.minimum(side * (values[1:-1] - values[:-2]), side * (values[1:-1] - values[2:]))
            back = (leap > limit) & (np.abs(values[2:] - values[:-2]) <= _AGREE * leap)
        found[1:-1] |= beyond[1:-1] & back
    found &= (outside == 1) & normal & inner
    return found
