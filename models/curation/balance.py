"""Classes are weighted, or balanced by slices."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from models.curation.base import Draft, Rule, Ruling
from models.curation.series import Labels, Span, runs_within, without
from models.curation.thinning import evenly, time_slices


class Balance(Rule):
    """Gives each class a weight that makes both count the same, n / (2 n_class), and with `method=slices` balances them first.

    Balancing takes out whole slices of `slice` samples of the larger class, evenly in time, until both are equal or no full
    slice is left (where the classes alternate faster than that); the weights make up for the rest.
    """

    name: ClassVar[str] = "balance"
    cuts: ClassVar[bool] = True

    method: Literal["weights", "slices"] = Field(
        default="weights", description="weigh classes, or take slices out first"
    )
    slice: int = Field(default=1_000, ge=1, description="length of a slice taken out, samples")

    def judge(self, draft: Draft) -> Ruling:
        """Weigh, and balance."""
        kept, excess = draft.kept, abs(draft.samples - 2 * draft.anomalies)
        if self.method == "slices":
            larger = draft.series.anomaly if 2 * draft.anomalies > draft.samples else ~draft.series.anomaly
            kept = without(kept, self._surplus(kept, larger, excess))
        after = Draft(draft.series, kept)
        normals, anomalies = after.samples - after.anomalies, after.anomalies
        if not normals or not anomalies:
            return Ruling("no weights", ("only one class",))
        weights = {"normal": after.samples / (2 * normals), "anomaly": after.samples / (2 * anomalies)}
        taken = draft.samples - after.samples
        reason = f"weights {weights['normal']:.3g} normal, {weights['anomaly']:.3g} anomaly"
        if not taken:
            return Ruling(reason, weights=weights)
        return Ruling(f"{taken} samples of the larger class taken out in slices; {reason}", kept=kept, weights=weights)

    def _surplus(self, kept: tuple[Span, ...], larger: Labels, excess: int) -> Labels:
        """Samples to take out: full slices within the larger class's own spans."""
        slices = time_slices(runs_within(kept, larger), np.zeros(len(larger), np.bool_), self.slice, 0)
        slices = [s for s in slices if s.length == self.slice]
        drop = np.zeros(len(larger), np.bool_)
        lengths = np.array([s.length for s in slices], np.int64)
        for span, out in zip(slices, evenly(lengths, min(excess, int(lengths.sum())), excess), strict=True):
            drop[span.start : span.stop] = out
        return drop
