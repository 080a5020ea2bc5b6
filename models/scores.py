"""Scores of pooled predictions, and how sure they are: bootstrap over recordings and seeds at once.

Recordings and seeds are resampled independently, with replacement, in each replicate (the pigeonhole bootstrap, Owen
2007, Annals of Applied Statistics 1:386): recordings as whole clusters of windows, within their true class so that no
class is lost. Of n, n - 1 are drawn and weighted n / (n - 1), without which intervals from five seeds or five recordings
would be a tenth too narrow (Rao and Wu 1988, JASA 83:231). Intervals are percentiles of 2,000 replicates. Two arms are
compared on the same replicates, so what makes a recording hard for both cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

REPLICATES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Predictions:
    """What one seed's models said of all windows to test, pooled over the folds.

    Attributes:
        truth: (n,) number of the true class; 0 is normal.
        predicted: (n,) number of the predicted class; None of a model that only tells anomalies.
        anomaly: (n,) larger for less normal.
        group: (n,) recording.
        speed_rpm: (n,) shaft speed.
    """

    truth: Ints
    predicted: Ints | None
    anomaly: Floats
    group: NDArray[np.str_]
    speed_rpm: Floats


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def clear_of_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0.0 or self.high < 0.0


def interval_text(score: Mapping[str, float | None] | None, digits: int = 3) -> str:
    """`0.912 [0.874, 0.941]`, or a dash."""
    if score is None or score["value"] is None:
        return "-"
    if score["low"] is None or score["high"] is None:
        return f"{score['value']:.{digits}f}"
    return f"{score['value']:.{digits}f} [{score['low']:.{digits}f}, {score['high']:.{digits}f}]"


@dataclass(frozen=True)
class Replicates:
    """A score of one arm and model: its value, and its values in the shared replicates."""

    value: float
    draws: Floats

    def interval(self) -> Interval:
        """Percentile interval."""
        return _interval(self.value, self.draws)

    def minus(self, other: Replicates) -> Interval:
        """Interval of the paired difference."""
        return _interval(self.value - other.value, self.draws - other.draws)


def _interval(value: float, draws: Floats) -> Interval:
    if not np.isfinite(value) or not np.isfinite(draws).any():
        return Interval(value, np.nan, np.nan)
    low, high = np.nanquantile(draws, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(value, float(low), float(high))


class Resampling:
    """Weights of recordings and seeds in every replicate, the same for all arms and models of a protocol."""

    def __init__(self, by_seed: Sequence[Predictions], seed: int = 0, replicates: int = REPLICATES) -> None:
        group = np.concatenate([p.group for p in by_seed])
        truth = np.concatenate([p.truth for p in by_seed])
        self.groups, first = np.unique(group, return_index=True)
        stratum = truth[first]
        draws = generator(seed, "bootstrap")
        self.recordings = np.zeros((replicates, len(self.groups)))
        for name in np.unique(stratum):
            members = np.flatnonzero(stratum == name)
            self.recordings[:, members] = _weights(len(members), replicates, draws)
        self.seeds = _weights(len(by_seed), replicates, draws)

    def score(self, per_seed: Floats) -> Floats:
        """Mean over the drawn seeds (replicates,) of values (replicates, seeds); NaNs are left out."""
        known = np.isfinite(per_seed)
        weight = np.where(known, self.seeds, 0.0)
        total = weight.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((weight * np.where(known, per_seed, 0.0)).sum(axis=1) / total, np.float64)


def _weights(n: int, replicates: int, draws: np.random.Generator) -> Floats:
    """Weights (replicates, n) of mean 1: n - 1 draws with replacement, each counted n / (n - 1) times."""
    if n == 1:
        return np.ones((replicates, 1))
    return np.asarray(draws.multinomial(n - 1, [1 / n] * n, replicates) * (n / (n - 1)), np.float64)


def mean_of_sets(values: Floats, seed: int = 0) -> Replicates:
    """Mean of one figure a set, (sets,); whole sets are drawn anew, the same ones for every model: differences are paired.

    One set alone has no interval.
    """
    if len(values) < 2:
        return Replicates(float(values.mean()), np.full(REPLICATES, np.nan))
    weights = _weights(len(values), REPLICATES, generator(seed, "sets"))
    return Replicates(float(values.mean()), np.asarray(weights @ values / len(values), np.float64))


def macro_f1(
    by_seed: Sequence[Predictions], classes: int, resampling: Resampling, named: Sequence[int] = (), only: bool = False
) -> Replicates:
    """Macro-F1 of the pooled windows, mean over seeds: over `named` classes (default: all that are tested).

    With `only`, windows of other classes are left out of the test; else they count where they are taken for a named one.
    """
    wanted = list(named) or list(range(classes))
    values, draws = [], []
    for predictions in by_seed:
        confusion = _confusions(predictions, classes, resampling.groups)
        if only:
            others = [number for number in range(classes) if number not in wanted]
            confusion[:, others] = 0.0
        values.append(_mean_f1(confusion.sum(axis=0)[None], wanted)[0])
        weighted = np.tensordot(resampling.recordings, confusion, axes=(1, 0))
        draws.append(_mean_f1(weighted, wanted))
    return Replicates(float(np.nanmean(values)), resampling.score(np.stack(draws, axis=1)))


def auroc(by_seed: Sequence[Predictions], resampling: Resampling) -> Replicates:
    """Area under the ROC curve of normal against all faults in the pooled windows, mean over seeds; ties count half."""
    values, draws = [], []
    for predictions in by_seed:
        wins, normal, faulty = _pairs(predictions, resampling.groups)
        values.append(wins.sum() / (normal.sum() * faulty.sum()) if normal.any() and faulty.any() else np.nan)
        w = resampling.recordings
        with np.errstate(invalid="ignore", divide="ignore"):
            draws.append(np.einsum("bi,ij,bj->b", w, wins, w, optimize=True) / ((w @ normal) * (w @ faulty)))
    return Replicates(float(np.nanmean(values)), resampling.score(np.stack(draws, axis=1)))


def by_class(by_seed: Sequence[Predictions], classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """F1, recall and number of windows of each class that is tested, means over seeds."""
    confusions = np.stack([_confusion(p, len(classes)) for p in by_seed])
    out: dict[str, dict[str, float]] = {}
    for number, name in enumerate(classes):
        true = confusions[:, number].sum(axis=1)
        if true.any():
            tested = true > 0
            hit, seen = confusions[tested, number, number], true[tested]
            taken = confusions[tested, :, number].sum(axis=1)
            out[name] = {
                "f1": float(np.mean(2 * hit / (seen + taken))),
                "recall": float(np.mean(hit / seen)),
                "windows": float(np.mean(true)),
            }
    return out


def by_speed(by_seed: Sequence[Predictions], classes: int) -> dict[str, dict[str, float | None]]:
    """Macro-F1 (over the classes tested there) and AUROC at each speed, means over seeds."""
    out: dict[str, dict[str, float | None]] = {}
    for speed in np.unique(np.concatenate([p.speed_rpm for p in by_seed])):
        there = [_where(p, p.speed_rpm == speed) for p in by_seed if (p.speed_rpm == speed).any()]
        groups = np.unique(np.concatenate([p.group for p in there]))
        f1 = None
        if there[0].predicted is not None:
            f1 = float(np.mean([_mean_f1(_confusion(p, classes)[None], range(classes))[0] for p in there]))
        areas = []
        for p in there:
            wins, normal, faulty = _pairs(p, groups)
            if normal.any() and faulty.any():
                areas.append(wins.sum() / (normal.sum() * faulty.sum()))
        out[f"{speed:.0f}"] = {"macro_f1": f1, "auroc": float(np.mean(areas)) if areas else None}
    return out


def pooled(parts: Sequence[Mapping[str, Any]]) -> Predictions:
    """Predictions of several folds in one."""

    def joined(name: str) -> Any:
        return np.concatenate([part[name] for part in parts])

    predicted = joined("predicted")
    return Predictions(
        joined("truth").astype(np.intp),
        None if (predicted < 0).any() else predicted.astype(np.intp),
        joined("anomaly"),
        joined("group"),
        joined("speed_rpm"),
    )


def _where(p: Predictions, mask: NDArray[np.bool_]) -> Predictions:
    predicted = None if p.predicted is None else p.predicted[mask]
    return Predictions(p.truth[mask], predicted, p.anomaly[mask], p.group[mask], p.speed_rpm[mask])


def _confusion(p: Predictions, classes: int) -> Floats:
    assert p.predicted is not None
    counts = np.bincount(p.truth * classes + p.predicted, minlength=classes**2)
    return counts.reshape(classes, classes).astype(np.float64)


def _confusions(p: Predictions, classes: int, groups: NDArray[np.str_]) -> Floats:
    """Confusion matrices (recordings, true, predicted) of window counts."""
    assert p.predicted is not None
    at = np.searchsorted(groups, p.group)
    counts = np.bincount((at * classes + p.truth) * classes + p.predicted, minlength=len(groups) * classes**2)
    return counts.reshape(len(groups), classes, classes).astype(np.float64)


def _mean_f1(confusion: Floats, wanted: Sequence[int] | range) -> Floats:
    """Mean F1 (n,) over the wanted classes that are tested, of confusion matrices (n, true, predicted)."""
    hit = np.diagonal(confusion, axis1=1, axis2=2)
    true, taken = confusion.sum(axis=2), confusion.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(true > 0, 2 * hit / (true + taken), np.nan)[:, list(wanted)]
    tested = np.isfinite(f1).sum(axis=1)
    return np.where(tested > 0, np.nansum(f1, axis=1) / np.maximum(tested, 1), np.nan)


def _pairs(p: Predictions, groups: NDArray[np.str_]) -> tuple[Floats, Floats, Floats]:
    """Of every normal and every faulty recording: pairs of windows ranked rightly (n, n), and windows of each (n,)."""
    at = np.searchsorted(groups, p.group)
    normal = np.bincount(at[p.truth == 0], minlength=len(groups)).astype(np.float64)
    faulty = np.bincount(at[p.truth != 0], minlength=len(groups)).astype(np.float64)
    wins = np.zeros((len(groups), len(groups)))
    fault = p.truth != 0
    for row in np.flatnonzero(normal):
        healthy = np.sort(p.anomaly[(at == row) & ~fault])
        below = np.searchsorted(healthy, p.anomaly[fault], "left") + np.searchsorted(healthy, p.anomaly[fault], "right")
        wins[row] = np.bincount(at[fault], weights=below / 2, minlength=len(groups))
    return wins, normal, faulty
