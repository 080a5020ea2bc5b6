"""Is it a time series? Neighbouring samples of a series resemble each other; rows of a shuffled table do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import norm, rankdata

from models.curation.base import Draft, Rule, Ruling
from models.curation.series import finite, without

_BLOCK = 61  # samples; prime, so that every lag runs through the whole block in one cycle
_FEWEST_BLOCKS = 2
_LAGS = range(1, 9)
_MOST_BLOCKS = 1500
_RARE = 0.95  # a channel that nearly always has the same value makes the statistic far from normal
_MONOTONE = 0.98  # share of steps to one side that makes a counter
_FEWEST_STEPS = 20


class TimeOrder(Rule):
    """Refuses sets whose rows have no more order in time than chance gives.

    The test: values become ranks within their class (a table sorted by class thus shows nothing); blocks of 61 neighbouring
    samples, spread over the set, are centred each (a table in long groups hardly shows anything either); the circular
    autocorrelation at lags 1 to 8 is summed over the blocks. Were the rows of each block shuffled, mean and variance of
    that sum are known exactly, given the values (Wald and Wolfowitz 1943), so each channel and lag has a z-score. The set is
    in order when the largest |z| exceeds the normal quantile for `alpha`, two-sided, divided by the number of channels and
    lags (Bonferroni). Channels that only count or are sorted, or nearly always have the same value, give no evidence.

    Limits: a series without memory (white noise, or sampled far slower than it moves) is refused; a table whose neighbouring
    rows are alike for another reason (a factorial grid, several rows a machine, parts in the order of production) is not;
    fewer than 122 samples without a gap are not judged.
    """

    name: ClassVar[str] = "order"

    alpha: float = Field(default=1e-4, gt=0, lt=1, description="probability that a shuffled set passes for a series")

    def judge(self, draft: Draft) -> Ruling:
        """Test and refuse."""
        evidence = evidence_of(draft, self.alpha)
        series = draft.series
        notes = []
        if evidence.counters:
            names = ", ".join(series.channels[j] for j in evidence.counters[:4])
            more = ", ..." if len(evidence.counters) > 4 else ""
            notes.append(f"{names}{more}: clock, counter or sort key, no evidence; do not train on it")
        if not evidence.judged:
            return Ruling("not judged", ("too few samples, or no channel, to judge the order in time by", *notes))
        figures = (
            f"largest |z| {evidence.z:.1f}, by chance up to {evidence.threshold:.1f} (r {evidence.r:+.2f} at lag"
            f" {evidence.lag}, {series.channels[evidence.channel]})"
        )
        if evidence.z <= evidence.threshold:
            if _rows_are_series(series.x):
                notes.append("each row looks like a whole series: read it along the columns")
            return Ruling(
                f"not a time series: rows in no more order than chance, {figures}", tuple(notes), refused=True
            )
        if "tabular" in series.stated.kind.lower():
            notes.append("called tabular by its source, yet its rows are in order: look at it")
        return Ruling(f"in order: {figures}", tuple(notes))


@dataclass(frozen=True)
class Evidence:
    """Outcome of the test: the strongest channel and lag, the threshold, and the channels that gave no evidence."""

    z: float
    r: float
    lag: int
    channel: int
    threshold: float
    judged: int
    counters: tuple[int, ...]


def evidence_of(draft: Draft, alpha: float) -> Evidence:
    """Test what is kept of a series for order in time; see TimeOrder."""
    rows = _blocks(draft)
    x, anomaly = draft.series.x, draft.series.anomaly
    labels = anomaly[rows]
    best, judged, counters = (0.0, 0.0, 1, 0), 0, []
    for j in range(x.shape[1] if len(rows) >= _FEWEST_BLOCKS else 0):
        values = x[:, j][rows]
        if np.unique(values, return_counts=True)[1].max() > _RARE * values.size:
            continue
        if _counts(values):
            counters.append(j)
            continue
        judged += 1
        z, r = order_z(_ranks(values, labels))
        lag = int(np.argmax(np.abs(z)))
        if abs(z[lag]) > best[0]:
            best = (abs(float(z[lag])), float(r[lag]), _LAGS[lag], j)
    threshold = float(norm.isf(alpha / (2 * max(judged, 1) * len(_LAGS))))
    return Evidence(*best, threshold, judged, tuple(counters))


def order_z(blocks: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """z-scores and serial correlations at lags 1 to 8 of blocks (k, m), each in its own order, m > 8 and prime.

    Under random order within each centred block the circular sum of products has mean -S2/(m-1) and variance
    (S2^2-S4)/(m-1) + (S2^2-2 S4)/((m-1)(m-2)) - S2^2/(m-1)^2, with Sp the block's sum of p-th powers (Wald and Wolfowitz,
    Ann. Math. Statist. 14 (1943) 378, for S1 = 0).
    """
    m = blocks.shape[1]
    centred = blocks - blocks.mean(axis=1, keepdims=True)
    s2, s4 = (centred**2).sum(axis=1), (centred**4).sum(axis=1)
    variance = (s2**2 - s4) / (m - 1) + (s2**2 - 2 * s4) / ((m - 1) * (m - 2)) - s2**2 / (m - 1) ** 2
    scale, power = float(np.sqrt(variance.sum())), float(s2.sum())
    if scale == 0.0:
        return np.zeros(len(_LAGS)), np.zeros(len(_LAGS))
    excess = np.array([((centred * np.roll(centred, -h, axis=1)).sum(axis=1) + s2 / (m - 1)).sum() for h in _LAGS])
    return excess / scale, excess / power


def _blocks(draft: Draft) -> NDArray[np.int64]:
    """Sample numbers (k, 61) of at most 1500 blocks without gaps, spread evenly over what is kept."""
    spans = without(draft.kept, ~finite(draft.series.x))
    firsts = [np.arange(s.length // _BLOCK) * _BLOCK + s.start + s.length % _BLOCK // 2 for s in spans]
    starts = np.concatenate([np.empty(0, np.int64), *firsts])
    if len(starts) > _MOST_BLOCKS:
        starts = starts[np.linspace(0, len(starts) - 1, _MOST_BLOCKS).round().astype(np.int64)]
    return np.asarray(starts[:, None] + np.arange(_BLOCK), np.int64)


def _ranks(values: NDArray[np.float32], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Ranks of the values within their class, from -1/2 to 1/2; same shape."""
    ranks = np.empty(values.shape)
    for label in (False, True):
        chosen = labels == label
        count = int(chosen.sum())
        if count:
            ranks[chosen] = rankdata(values[chosen]) / (count + 1) - 0.5
    return ranks


def _counts(blocks: NDArray[np.float32]) -> bool:
    """Whether a channel is a clock, a counter or a sort key: nearly all its steps go to the same side."""
    steps = np.diff(blocks.astype(np.float64), axis=1)
    up, down = int((steps > 0).sum()), int((steps < 0).sum())
    return up + down >= _FEWEST_STEPS and max(up, down) >= _MONOTONE * (up + down)


def _rows_are_series(x: NDArray[np.float32]) -> bool:
    """Whether neighbouring columns resemble each other as neighbouring samples do (each row a window of its own)."""
    if x.shape[1] < 2 * _BLOCK:
        return False
    spread = x.std(axis=0, dtype=np.float64)
    if (spread == 0.0).any():
        return False
    columns = ((x - x.mean(axis=0, dtype=np.float64)) / spread)[:2000, : x.shape[1] // _BLOCK * _BLOCK]
    z, r = order_z(columns.reshape(-1, _BLOCK))
    return bool(z[0] > 10 and r[0] > 0.5)
