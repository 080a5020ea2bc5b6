"""Figures of a model with their confidence intervals: bootstrap over recordings (models/scores.py).

Values are those of scikit-learn on all tested windows; intervals draw whole recordings, within their class. A rate of
which not one recording is an exception (0 or 1) has no bootstrap interval; its own is the exact binomial one (Clopper
and Pearson 1934) with each recording counted once, as if its windows always agreed: wide, but never too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from models.scores import LEVEL, Interval, Predictions, Replicates, Resampling
from models.training.dataset import Floats, Ints, Strings

Mask = NDArray[np.bool_]

BINS = 15
"""Equal bins of the confidence, of the expected calibration error (Guo et al. 2017)."""
SEVERITY_EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)
SPEED_BINS = 5

_RANKS = 1000  # steps of the anomaly in which replicates of areas under curves are computed
_LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class Judged:
    """Windows that a model did not train on, with what it said of them.

    Attributes:
        classes: names, normal first.
        truth: (n,) number of the true class.
        verdict: (n,) number of the class it decided for, threshold applied; 1 stands for any fault of a model that
            only tells anomalies.
        anomaly: (n,) larger for less normal.
        probabilities: (n, classes); None of a model that only tells anomalies.
        group, kind, provenance, speed_rpm, severity: (n,) see Examples.
    """

    classes: tuple[str, ...]
    truth: Ints
    verdict: Ints
    anomaly: Floats
    probabilities: Floats | None
    group: Strings
    kind: Strings
    provenance: Strings
    speed_rpm: Floats
    severity: Floats

    @property
    def classifies(self) -> bool:
        """Whether verdicts are classes of the task: always with two."""
        return self.probabilities is not None or len(self.classes) == 2

    def take(self, chosen: Mask) -> Judged:
        """Some of the windows."""
        names = ("truth", "verdict", "anomaly", "group", "kind", "provenance", "speed_rpm", "severity")
        some = {name: getattr(self, name)[chosen] for name in names}
        return replace(self, **some, probabilities=None if self.probabilities is None else self.probabilities[chosen])

    def frame(self, rows: Ints) -> Any:
        """A pandas table, one row a window; `rows` are the windows' numbers in the dataset."""
        import pandas as pd

        names = np.array(self.classes)
        columns: dict[str, Any] = {"window": rows, "label": names[self.truth], "verdict": self.verdict}
        for name in ("anomaly", "group", "kind", "provenance", "speed_rpm", "severity"):
            columns[name] = getattr(self, name)
        if self.probabilities is not None:
            columns |= {f"p_{name}": self.probabilities[:, i] for i, name in enumerate(self.classes)}
        return pd.DataFrame(columns)

    @staticmethod
    def of(table: Any, classes: Sequence[str]) -> Judged:
        """From such tables, several in one."""
        known = f"p_{classes[0]}" in table
        numbers = {name: number for number, name in enumerate(classes)}
        return Judged(
            classes=tuple(classes),
            truth=table["label"].map(numbers).to_numpy(np.intp),
            verdict=table["verdict"].to_numpy(np.intp),
            anomaly=table["anomaly"].to_numpy(np.float64),
            probabilities=table[[f"p_{name}" for name in classes]].to_numpy(np.float64) if known else None,
            group=table["group"].to_numpy(str),
            kind=table["kind"].to_numpy(str),
            provenance=table["provenance"].to_numpy(str),
            speed_rpm=table["speed_rpm"].to_numpy(np.float64),
            severity=table["severity"].to_numpy(np.float64),
        )


class Bootstrap:
    """Scores of judged windows in shared replicates: models judged on the same windows can be compared pair by pair."""

    def __init__(self, judged: Judged, seed: int = 0) -> None:
        self.judged = judged
        predictions = Predictions(judged.truth, None, judged.anomaly, judged.group, judged.speed_rpm)
        resampling = Resampling([predictions], seed)
        self.weights = resampling.recordings  # (replicates, recordings)
        self.groups = resampling.groups
        self.place = np.searchsorted(self.groups, judged.group)

    def sums(self, values: Floats) -> Floats:
        """Sum of (n, ...) values by recording, weighted, in every replicate: (replicates, ...)."""
        by_group = np.zeros((len(self.groups), *values.shape[1:]))
        np.add.at(by_group, self.place, values)
        return np.tensordot(self.weights, by_group, axes=(1, 0))

    def mean(self, values: Floats, among: Mask) -> Replicates:
        """Mean of values (n,) among some windows; NaN without any."""
        if not among.any():
            return Replicates(math.nan, np.full(len(self.weights), math.nan))
        with np.errstate(invalid="ignore", divide="ignore"):
            draws = self.sums(np.where(among, values, 0.0)) / self.sums(among.astype(np.float64))
        return Replicates(float(values[among].mean()), draws)

    def rate(self, hit: Mask, among: Mask) -> Interval:
        """Share of the windows `among` that are hit."""
        found = self.mean(hit.astype(np.float64), among)
        if found.value in (0.0, 1.0):
            recordings = len(np.unique(self.place[among]))
            exact = binomtest(round(found.value * recordings), recordings).proportion_ci(LEVEL, "exact")
            return Interval(found.value, float(exact.low), float(exact.high))
        return found.interval()

    def scores(self) -> dict[str, Replicates]:
        """Accuracy, loss, macro precision, recall and F1, PR-AUC, AUROC, calibration error: those that there are."""
        from sklearn.metrics import average_precision_score, roc_auc_score

        j, every = self.judged, np.ones(len(self.judged.truth), np.bool_)
        fault, flagged = j.truth != 0, j.verdict != 0
        found: dict[str, Replicates] = {}
        if j.classifies:
            found["accuracy"] = self.mean((j.truth == j.verdict).astype(np.float64), every)
            found |= self._macro(j.truth, j.verdict, len(j.classes))
        if j.probabilities is not None:
            found["loss"] = self.mean(cross_entropy(j.truth, j.probabilities), every)
            found["ece"] = self._calibration_error(j.probabilities)
        found["detection_f1"] = self._of_class(fault.astype(np.intp), flagged.astype(np.intp), 2, 1)["f1"]
        if fault.any() and not fault.all():
            auroc, pr_auc = self._areas(fault)
            found["auroc"] = Replicates(float(roc_auc_score(fault, j.anomaly)), auroc)
            found["pr_auc"] = Replicates(float(average_precision_score(fault, j.anomaly)), pr_auc)
        return found

    def _confusion(self, truth: Ints, verdict: Ints, classes: int) -> tuple[Floats, Floats]:
        """Confusion matrices: (1, true, said) of all windows, (replicates, true, said)."""
        cell = np.ravel_multi_index((self.place, truth, verdict), (len(self.groups), classes, classes))
        counts = np.bincount(cell, minlength=len(self.groups) * classes**2).reshape(-1, classes, classes)
        counts = counts.astype(np.float64)
        return counts.sum(axis=0)[None], np.tensordot(self.weights, counts, axes=(1, 0))

    def _macro(self, truth: Ints, verdict: Ints, classes: int) -> dict[str, Replicates]:
        """Means of precision, recall and F1 over the classes that are tested."""
        value, draws = (_by_class(matrix) for matrix in self._confusion(truth, verdict, classes))
        tested = np.unique(truth)
        return {
            name: Replicates(float(value[name][0, tested].mean()), np.nanmean(draws[name][:, tested], axis=1))
            for name in value
        }

    def _of_class(self, truth: Ints, verdict: Ints, classes: int, number: int) -> dict[str, Replicates]:
        value, draws = (_by_class(matrix) for matrix in self._confusion(truth, verdict, classes))
        return {name: Replicates(float(value[name][0, number]), draws[name][:, number]) for name in value}

    def by_class(self) -> dict[str, dict[str, Any]]:
        """Precision, recall and F1 of each class."""
        j, found = self.judged, dict[str, dict[str, Any]]()
        for number, name in enumerate(j.classes):
            there, said = j.truth == number, j.verdict == number
            found[name] = {"windows": int(there.sum()), "recordings": len(np.unique(self.place[there]))}
            if j.classifies and there.any():
                f1 = self._of_class(j.truth, j.verdict, len(j.classes), number)["f1"].interval()
                precision, recall = self.rate(there, said), self.rate(said, there)
                found[name] |= {"precision": plain(precision), "recall": plain(recall), "f1": plain(f1)}
        return found

    def _areas(self, fault: Mask) -> tuple[Floats, Floats]:
        """AUROC and PR-AUC (average precision) in every replicate, of the anomaly in a thousand steps of like windows."""
        anomaly = self.judged.anomaly
        edges = np.unique(np.quantile(anomaly, np.linspace(0, 1, _RANKS + 1)[1:-1]))
        step = np.searchsorted(edges, anomaly, side="right")
        at = self.place * (len(edges) + 1) + step
        shape = (len(self.groups), len(edges) + 1)
        healthy, faulty = (
            self.weights @ np.bincount(at[mask], minlength=shape[0] * shape[1]).reshape(shape)
            for mask in (~fault, fault)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            below = np.cumsum(healthy, axis=1) - healthy / 2
            auroc = (faulty * below).sum(axis=1) / (faulty.sum(axis=1) * healthy.sum(axis=1))
            hits = np.cumsum(faulty[:, ::-1], axis=1)
            taken = hits + np.cumsum(healthy[:, ::-1], axis=1)
            precision = np.where(taken > 0, hits / taken, 0.0)
            pr_auc = (faulty[:, ::-1] * precision).sum(axis=1) / faulty.sum(axis=1)
        return auroc, pr_auc

    def _calibration_error(self, probabilities: Floats) -> Replicates:
        bins, confidence, right = _confidence(probabilities, self.judged.truth)
        one_hot = np.eye(BINS)[bins]
        gap = (confidence - right)[:, None] * one_hot  # (n, bins)
        value = float(np.abs(gap.sum(axis=0)).sum() / len(right))
        return Replicates(value, np.abs(self.sums(gap)).sum(axis=1) / self.sums(np.ones(len(right))))


def _by_class(confusion: Floats) -> dict[str, Floats]:
    """Precision, recall and F1 (n, classes) of matrices (n, true, said); 0 where nothing is said, NaN where nothing is."""
    hit = np.diagonal(confusion, axis1=1, axis2=2)
    true, said = confusion.sum(axis=2), confusion.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": np.where(true > 0, np.where(said > 0, hit / said, 0.0), np.nan),
            "recall": hit / true,
            "f1": np.where(true > 0, 2 * hit / (true + said), np.nan),
        }


def cross_entropy(truth: Ints, probabilities: NDArray[Any]) -> Floats:
    """Of each window (n,); a probability is taken to be at least 1e-7, as Keras does."""
    chosen = np.asarray(probabilities, np.float64)[np.arange(len(truth)), truth]
    return -np.log(np.clip(chosen, _LEAST_PROBABILITY, 1.0))


def _confidence(probabilities: Floats, truth: Ints) -> tuple[Ints, Floats, Floats]:
    """Bin and height of the most probable class's probability, and whether it is right."""
    confidence = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1), confidence, right


def reliability(judged: Judged) -> list[dict[str, float]]:
    """Mean confidence and accuracy in each bin of the confidence that is not empty."""
    if judged.probabilities is None:
        return []
    bins, confidence, right = _confidence(judged.probabilities, judged.truth)
    return [
        {
            "windows": int((bins == number).sum()),
            "confidence": float(confidence[bins == number].mean()),
            "accuracy": float(right[bins == number].mean()),
        }
        for number in np.unique(bins)
    ]


def figures(judged: Judged, windows_per_day: float | None = None) -> dict[str, Any]:
    """All figures as plain data.

    Args:
        judged: windows with what a model said of them.
        windows_per_day: to express false alarms by; None: not.
    """
    bootstrap = Bootstrap(judged)
    fault, flagged = judged.truth != 0, judged.verdict != 0
    alarms = bootstrap.rate(flagged, ~fault)
    scores = {name: plain(replicates.interval()) for name, replicates in bootstrap.scores().items()}
    scores["detection_precision"] = plain(bootstrap.rate(fault, flagged))
    scores["detection_rate"] = plain(bootstrap.rate(flagged, fault))
    scores["false_alarm_rate"] = plain(alarms)
    if windows_per_day is not None:
        per_day = (windows_per_day * v for v in (alarms.value, alarms.low, alarms.high))
        scores["false_alarms_per_day"] = plain(Interval(*per_day))
    count = np.zeros((len(judged.classes), len(judged.classes)), np.intp)
    np.add.at(count, (judged.truth, judged.verdict), 1)
    return {
        "windows": len(judged.truth),
        "recordings": len(bootstrap.groups),
        "windows_per_day": windows_per_day,
        "scores": scores,
        "by_class": bootstrap.by_class(),
        "classes": list(judged.classes),
        "confusion": count.tolist() if judged.classifies else [],
        "calibration": reliability(judged),
        "by_kind": _by_kind(bootstrap),
        "by_severity": _by_severity(bootstrap),
        "by_speed": _by_speed(bootstrap),
        "by_provenance": {name: _of_provenance(judged, name) for name in np.unique(judged.provenance).tolist()},
    }


def _of_provenance(judged: Judged, name: str) -> dict[str, Any]:
    """The main figures on the real, hybrid or synthetic windows alone."""
    bootstrap = Bootstrap(judged.take(judged.provenance == name))
    scores = {key: plain(replicates.interval()) for key, replicates in bootstrap.scores().items()}
    row = _row(bootstrap, name, np.ones(len(bootstrap.judged.truth), np.bool_))
    return row | {key: scores[key] for key in ("f1", "detection_f1", "auroc") if key in scores}


def _row(bootstrap: Bootstrap, name: str, among: Mask) -> dict[str, Any]:
    """Detection and false alarms among some windows."""
    j = bootstrap.judged
    fault, flagged = j.truth != 0, j.verdict != 0
    return {
        "name": name,
        "windows": int(among.sum()),
        "recordings": len(np.unique(bootstrap.place[among])),
        "detection_rate": plain(bootstrap.rate(flagged, among & fault)),
        "false_alarm_rate": plain(bootstrap.rate(flagged, among & ~fault)),
    }


def _by_kind(bootstrap: Bootstrap) -> list[dict[str, Any]]:
    j = bootstrap.judged
    return [_row(bootstrap, name, j.kind == name) for name in np.unique(j.kind[j.truth != 0]).tolist()]


def _by_severity(bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """Faulty windows by normalised severity; none where it is not known."""
    j, rows = bootstrap.judged, []
    edges = (*SEVERITY_EDGES[:-1], math.inf)
    for low, high in pairwise(edges):
        among = (j.truth != 0) & (j.severity >= low) & (j.severity < high)
        if among.any():
            rows.append(_row(bootstrap, f"{low:g}-{min(high, 1.0):g}", among))
    return rows


def _by_speed(bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """By shaft speed: each speed where there are few, else equal ranges."""
    speed = bootstrap.judged.speed_rpm
    known = np.unique(np.round(speed[np.isfinite(speed)]))
    if len(known) == 0:
        return []
    if len(known) <= 2 * SPEED_BINS:
        return [_row(bootstrap, f"{value:.0f}", np.round(speed) == value) for value in known]
    edges = np.round(np.linspace(known[0], known[-1], SPEED_BINS + 1))
    edges[-1] += 1.0
    bins = [(low, high, (np.round(speed) >= low) & (np.round(speed) < high)) for low, high in pairwise(edges)]
    return [_row(bootstrap, f"{low:.0f}-{high:.0f}", among) for low, high, among in bins if among.any()]


def plain(interval: Interval) -> dict[str, float | None]:
    """For JSON: no NaN."""
    values = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: float(f"{value:.6g}") if math.isfinite(value) else None for name, value in values.items()}
