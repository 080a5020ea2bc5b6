"""Scores are scikit-learn's; decisions for accuracy alone are Bayes'."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="no scikit-learn: pip install simtwin[train]")

from sklearn import metrics

from models.benchmark.summary import ALWAYS, blind_scores, means_over, scores_of
from models.training.figures import Judged

SHARE = 0.1


def judged(known: bool, n: int = 4000) -> tuple[Judged, np.ndarray]:
    """Two Gaussians one and a half apart, of which a tenth are anomalies; odds as of classes that weigh alike."""
    draws = np.random.default_rng(1)
    truth = (np.arange(n) % 10 == 0).astype(np.intp)
    value = draws.standard_normal(n) + 1.5 * truth
    log_odds = 1.5 * (value - 0.75)
    p = 1 / (1 + np.exp(-log_odds))
    group = np.array([f"g{i // 50}" for i in range(n)])
    unknown = np.full(n, np.nan)
    verdict = (value > 2.0).astype(np.intp)
    return Judged(
        ("normal", "anomaly"), truth, verdict, log_odds if known else value,
        np.stack([1 - p, p], axis=1) if known else None, group, group, group, unknown, unknown,
    ), value  # fmt: skip


def check(found: Any, truth: np.ndarray, said: np.ndarray, score: np.ndarray) -> None:
    expected = {
        "accuracy": metrics.accuracy_score(truth, said),
        "precision": metrics.precision_score(truth, said, zero_division=0),
        "recall": metrics.recall_score(truth, said),
        "f1": metrics.f1_score(truth, said),
        "auroc": metrics.roc_auc_score(truth, score),
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, abs=1e-5)


def test_the_more_probable_class_and_the_verdict_of_a_distance() -> None:
    one, value = judged(known=True)
    check(scores_of(one), one.truth, value > 0.75, value)
    two, value = judged(known=False)
    found = scores_of(two)
    check(found, two.truth, value > 2.0, value)
    assert "accuracy_at_own_share" not in found


def test_for_accuracy_alone_the_decision_is_that_of_bayes() -> None:
    """Linear discriminant of equal variances: value > d/2 + log((1 - share) / share) / d."""
    one, value = judged(known=True)
    said = value > 0.75 + np.log((1 - SHARE) / SHARE) / 1.5
    found = scores_of(one, 0.0)
    assert found["accuracy_at_own_share"]["value"] == pytest.approx((said == one.truth).mean(), abs=1e-5)
    assert found["f1_at_own_share"]["value"] == pytest.approx(metrics.f1_score(one.truth, said), abs=1e-5)
    assert found["accuracy_at_own_share"]["value"] > found["accuracy"]["value"]
    assert one.probabilities is not None
    smoothed = replace(one, probabilities=0.025 + 0.95 * one.probabilities)  # what labels smoothed by 5 % teach
    assert scores_of(smoothed, 0.05)["accuracy_at_own_share"] == found["accuracy_at_own_share"]


@pytest.mark.parametrize("share", [0.1, 0.7])
def test_models_that_do_not_look(share: float) -> None:
    truth = (np.arange(1000) < 1000 * share).astype(int)
    found = blind_scores(share)
    for name, said in zip(ALWAYS, (0, 1, int(share > 0.5)), strict=True):
        constant = np.full(1000, said)
        assert found[name]["accuracy"] == pytest.approx(metrics.accuracy_score(truth, constant))
        assert found[name]["precision"] == pytest.approx(metrics.precision_score(truth, constant, zero_division=0))
        assert found[name]["recall"] == pytest.approx(metrics.recall_score(truth, constant))
        assert found[name]["f1"] == pytest.approx(metrics.f1_score(truth, constant))
        assert found[name]["auroc"] == metrics.roc_auc_score(truth, constant)


def test_means_are_over_sets_each_counting_once() -> None:
    def entry(f1: float) -> dict[str, Any]:
        scores = {
            name: {"value": f1, "low": 0.0, "high": 1.0} for name in ("accuracy", "precision", "recall", "f1", "auroc")
        }
        return {"models": {"cnn": scores, "pca": scores}, "blind": blind_scores(0.1)}

    found = means_over([entry(value) for value in (0.2, 0.4, 0.9)])
    assert found["models"]["cnn"]["f1"]["value"] == pytest.approx(0.5)
    assert 0.2 <= found["models"]["cnn"]["f1"]["low"] < 0.5 < found["models"]["cnn"]["f1"]["high"] <= 0.9
    assert found["blind"]["always normal"]["accuracy"]["value"] == pytest.approx(0.9)
