"""Scores of all models on all sets: by set, their means over sets, and how they stand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.benchmark.rows import Prepared
from models.scores import Replicates, mean_of_sets
from models.training.compare import verdicts
from models.training.crossval import DETECTORS
from models.training.dataset import ANOMALY
from models.training.figures import Bootstrap, Judged, plain

SCORES = ("accuracy", "precision", "recall", "f1", "auroc")
"""Precision, recall and F1 are of the anomalies."""
OWN_SHARE = ("accuracy_at_own_share", "f1_at_own_share")
"""Scores of decisions for accuracy alone."""
ALWAYS = ("always normal", "always anomaly", "the more frequent class")
"""Models that do not look: what accuracy alone is worth."""

Scores = Mapping[str, Mapping[str, float | None]]
Tested = Mapping[str, Scores]
"""Model -> score -> value, low, high."""


@dataclass(frozen=True)
class SetFacts:
    """A set of the benchmark.

    Attributes:
        name: of its file.
        labels: real, injected or not stated.
        prepared: its windows and folds.
        trap: what one must know of it.
    """

    name: str
    labels: str
    prepared: Prepared
    trap: str = ""


def scores_of(judged: Judged, smoothing: float | None = None) -> Scores:
    """Scores with intervals: of the most probable class, or, of a distance, the verdict at its threshold.

    A network is also judged as it would decide for accuracy alone (`OWN_SHARE`): trained with classes that weigh alike,
    its odds are multiplied by those of the classes in the set (Elkan 2001). A forest's votes are no such probabilities.

    Args:
        judged: two classes.
        smoothing: of a network, of the labels it was trained on: its probabilities are those of smoothed labels.
    """
    if judged.probabilities is None:
        return _scores(judged)
    scores = _scores(replace(judged, verdict=judged.probabilities.argmax(axis=1)))
    if smoothing is None:
        return scores
    share = float((judged.truth != 0).mean())
    level = smoothing / 2 + (1 - smoothing) * (1 - share)
    own = Bootstrap(replace(judged, verdict=(judged.probabilities[:, 1] > level).astype(np.intp)))
    values = (_accuracy(own), own.by_class()[ANOMALY]["f1"])
    return {**scores, **dict(zip(OWN_SHARE, values, strict=True))}


def _scores(judged: Judged) -> dict[str, dict[str, float | None]]:
    bootstrap = Bootstrap(judged)
    of_anomaly = bootstrap.by_class()[ANOMALY]
    precision = of_anomaly["precision"]
    if precision["value"] is None:  # nothing is called an anomaly
        precision = {"value": 0.0, "low": None, "high": None}
    return {
        "accuracy": _accuracy(bootstrap), "precision": precision, "recall": of_anomaly["recall"],
        "f1": of_anomaly["f1"], "auroc": plain(bootstrap.scores()["auroc"].interval()),
    }  # fmt: skip


def _accuracy(bootstrap: Bootstrap) -> dict[str, float | None]:
    right = bootstrap.judged.truth == bootstrap.judged.verdict
    return plain(bootstrap.mean(right.astype(np.float64), np.ones(len(right), np.bool_)).interval())


def blind_scores(share: float) -> dict[str, dict[str, float]]:
    """Scores of models that do not look, where `share` of the windows are anomalies."""
    normal = dict(zip(SCORES, (1 - share, 0.0, 0.0, 0.0, 0.5), strict=True))
    anomaly = dict(zip(SCORES, (share, share, 1.0, 2 * share / (1 + share), 0.5), strict=True))
    return dict(zip(ALWAYS, (normal, anomaly, anomaly if share > 0.5 else normal), strict=True))


def summarise(
    facts: Sequence[SetFacts],
    tested: Mapping[str, Tested],
    random: Mapping[str, Scores],
    balance: Mapping[str, tuple[float, Tested]],
) -> dict[str, Any]:
    """All tables as plain data.

    Args:
        facts: the sets.
        tested: set -> its models' scores.
        random: set -> the random forest's scores under a split of windows at random, which leaks.
        balance: way of balancing -> share of anomalies, and the models' scores.
    """
    sets: list[dict[str, Any]] = [
        {
            "name": f.name,
            "labels": f.labels,
            "trap": f.trap,
            "window_rows": f.prepared.cut.window,
            "windows": len(f.prepared.data),
            "anomalies": round(f.prepared.anomalies, 6),
            "blocks": len(set(f.prepared.data.group.tolist())),
            "spells": f.prepared.spells,
            "spells_cut": f.prepared.spells_cut,
            "repeated_windows": f.prepared.repeated,
            "models": tested[f.name],
            "blind": blind_scores(f.prepared.anomalies),
            "random_split": random[f.name],
        }
        for f in facts
    ]
    whole = [entry for entry in sets if not entry["spells_cut"]]
    means = {"all": means_over(sets)} | {
        name: means_over(some)
        for name, some in (
            ("real labels", [entry for entry in sets if entry["labels"] == "real"]),
            ("injected labels", [entry for entry in sets if entry["labels"] == "injected"]),
            ("no spell cut", whole),
        )
        if 0 < len(some) < len(sets)
    }
    return {
        "sets": sets,
        "means": means,
        "random_split": _mean_scores([entry["random_split"] for entry in sets]),
        "verdicts": _verdicts(sets),
        "balance": [
            {"balance": how, "anomalies": round(share, 6), "models": models, "blind": blind_scores(share)}
            for how, (share, models) in balance.items()
        ],
    }


def means_over(sets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over some sets, with intervals from drawing whole sets anew."""
    models = {arch: _mean_scores([entry["models"][arch] for entry in sets]) for arch in sets[0]["models"]}
    blind = {
        name: _mean_scores([{k: {"value": v} for k, v in entry["blind"][name].items()} for entry in sets])
        for name in ALWAYS
    }
    return {"sets": len(sets), "models": models, "blind": blind}


def _mean_scores(rows: Sequence[Scores]) -> dict[str, dict[str, float | None]]:
    shared = [score for score in (*SCORES, *OWN_SHARE) if all(score in row for row in rows)]
    return {score: plain(_replicates(rows, score).interval()) for score in shared}


def _replicates(rows: Sequence[Scores], score: str) -> Replicates:
    return mean_of_sets(np.array([row[score]["value"] for row in rows], np.float64))


def _verdicts(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """How the networks stand to the baselines, by the mean F1 over the sets, and on how many sets they are ahead."""
    archs = list(sets[0]["models"])
    scores = {arch: {"detection_f1": _replicates([entry["models"][arch] for entry in sets], "f1")} for arch in archs}
    order = sorted(archs, key=lambda arch: -scores[arch]["detection_f1"].value)
    said = verdicts(order, scores) if len(sets) > 1 and len(archs) > 1 else []
    baselines = [arch for arch in archs if DETECTORS[arch].baseline]
    for network in (arch for arch in order if not DETECTORS[arch].baseline and baselines):
        ahead = sum(
            entry["models"][network]["f1"]["value"] > max(entry["models"][b]["f1"]["value"] for b in baselines)
            for entry in sets
        )
        said.append(f"{network}: a higher F1 than every baseline on {ahead} of {len(sets)} sets")
    return said
