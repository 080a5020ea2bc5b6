"""Figures are scikit-learn's; intervals are those of whole recordings drawn anew."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from models.scores import Predictions, Resampling, auroc, macro_f1
from models.training.figures import Bootstrap, Judged, figures, reliability


def judged(seed: int = 0, recordings: int = 12, windows: int = 10, sharpness: float = 1.0) -> Judged:
    """Three classes, recordings that differ from each other."""
    draws = np.random.default_rng(seed)
    truth = np.repeat(np.arange(3), recordings * windows)
    group = np.array([f"r{i:03d}" for i in range(3 * recordings) for _ in range(windows)])
    own = np.repeat(draws.normal(0, 1, (3 * recordings, 3)), windows, axis=0)
    logits = sharpness * 2 * np.eye(3)[truth] + own + draws.normal(0, 1, (len(truth), 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    anomaly = np.log(p[:, 1:].sum(axis=1)) - np.log(p[:, 0])
    classes = ("normal", "a", "b")
    return Judged(
        classes, truth, p.argmax(axis=1), anomaly, p, group, np.array(classes)[truth],
        np.full(len(truth), "synthetic"), np.repeat(draws.uniform(600, 3000, 3 * recordings), windows),
        np.where(truth == 0, 0.0, draws.uniform(0, 1, len(truth))),
    )  # fmt: skip


def test_values_are_scikit_learns() -> None:
    j = judged()
    scores = figures(j, 1000.0)["scores"]
    fault = j.truth != 0
    expected = {
        "accuracy": (j.truth == j.verdict).mean(),
        "f1": f1_score(j.truth, j.verdict, average="macro"),
        "precision": precision_score(j.truth, j.verdict, average="macro"),
        "recall": recall_score(j.truth, j.verdict, average="macro"),
        "auroc": roc_auc_score(fault, j.anomaly),
        "pr_auc": average_precision_score(fault, j.anomaly),
        "detection_rate": recall_score(fault, j.verdict != 0),
        "detection_precision": precision_score(fault, j.verdict != 0),
        "detection_f1": f1_score(fault, j.verdict != 0),
        "false_alarm_rate": (j.verdict[~fault] != 0).mean(),
        "false_alarms_per_day": 1000.0 * (j.verdict[~fault] != 0).mean(),
    }
    for name, value in expected.items():
        assert scores[name]["value"] == pytest.approx(value, rel=1e-5), name
        assert scores[name]["low"] < value < scores[name]["high"], name


def test_intervals_of_f1_and_auroc_are_those_of_models_scores() -> None:
    j = judged()
    predictions = Predictions(j.truth, j.verdict, j.anomaly, j.group, j.speed_rpm)
    resampling = Resampling([predictions])
    bootstrap = Bootstrap(j)
    np.testing.assert_array_equal(bootstrap.weights, resampling.recordings)
    ours = bootstrap.scores()
    np.testing.assert_allclose(ours["f1"].draws, macro_f1([predictions], 3, resampling).draws)
    np.testing.assert_allclose(ours["auroc"].draws, auroc([predictions], resampling).draws, atol=2e-3)


def test_replicates_are_the_scores_of_the_drawn_windows() -> None:
    j = judged(recordings=6)
    bootstrap = Bootstrap(j)
    ours = bootstrap.scores()
    for number in range(8):
        weight = bootstrap.weights[number][bootstrap.place]
        fault = j.truth != 0
        expected = {
            "pr_auc": average_precision_score(fault, j.anomaly, sample_weight=weight),
            "accuracy": np.average(j.truth == j.verdict, weights=weight),
            "precision": precision_score(j.truth, j.verdict, average="macro", sample_weight=weight),
            "detection_f1": f1_score(fault, j.verdict != 0, sample_weight=weight),
        }
        for name, value in expected.items():
            assert ours[name].draws[number] == pytest.approx(value, abs=2e-3), name
    weight = bootstrap.weights[3][bootstrap.place]
    confidence = j.probabilities.max(axis=1)  # type: ignore[union-attr]
    right = j.verdict == j.truth
    gaps = []
    for low in np.arange(15) / 15:
        here = (confidence >= low) & (confidence < low + 1 / 15) | ((low > 0.93) & (confidence == 1))
        gaps.append(abs((weight[here] * (confidence[here] - right[here])).sum()))
    assert ours["ece"].draws[3] == pytest.approx(sum(gaps) / weight.sum(), abs=1e-9)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Of recordings whose own accuracy differs: windows taken one by one would cover half as often."""
    covered = 0
    for seed in range(120):
        draws = np.random.default_rng(seed)
        own = np.repeat(draws.beta(4, 1, 60), 10)  # mean 0.8
        right = draws.random(600) < own
        truth = np.repeat([0, 1], 300)
        j = judged_from(truth, np.where(right, truth, 1 - truth))
        interval = figures_accuracy(j)
        covered += interval[0] <= 0.8 <= interval[1]
    assert 105 <= covered <= 120


def judged_from(truth: np.ndarray, verdict: np.ndarray) -> Judged:
    n = len(truth)
    text = np.array([f"r{i // 10:03d}" for i in range(n)])
    zero = np.zeros(n)
    return Judged(("normal", "x"), truth, verdict, zero, None, text, np.array(["normal", "x"])[truth], text, zero, zero)


def figures_accuracy(j: Judged) -> tuple[float, float]:
    interval = Bootstrap(j).scores()["accuracy"].interval()
    return interval.low, interval.high


def test_a_rate_without_exception_has_the_exact_interval_of_its_recordings() -> None:
    truth = np.repeat([0, 1], [80, 120])
    j = judged_from(truth, truth)
    scores = figures(j, 100.0)["scores"]
    top = beta.ppf(0.975, 1, 8)  # none of 8 recordings
    assert scores["false_alarm_rate"] == {"value": 0.0, "low": 0.0, "high": pytest.approx(top, rel=1e-4)}
    assert scores["false_alarms_per_day"]["high"] == pytest.approx(100 * top, rel=1e-4)
    assert scores["detection_rate"]["low"] == pytest.approx(beta.ppf(0.025, 12, 1), rel=1e-4)


def test_rates_by_severity_speed_and_kind_count_the_right_windows() -> None:
    j = judged()
    found = figures(j)
    assert "false_alarms_per_day" not in found["scores"]
    fault = j.truth != 0
    assert sum(row["windows"] for row in found["by_severity"]) == fault.sum()
    here = fault & (j.severity >= 0.5) & (j.severity < 0.75)
    row = next(row for row in found["by_severity"] if row["name"] == "0.5-0.75")
    assert row["detection_rate"]["value"] == pytest.approx((j.verdict[here] != 0).mean(), rel=1e-5)
    assert row["false_alarm_rate"]["value"] is None
    assert sum(row["windows"] for row in found["by_speed"]) == len(j.truth)
    assert len(found["by_speed"]) == 5
    assert {row["name"] for row in found["by_kind"]} == {"a", "b"}
    assert np.array(found["confusion"]).sum() == len(j.truth)
    assert found["confusion"][1][2] == ((j.truth == 1) & (j.verdict == 2)).sum()


def test_a_model_of_anomalies_has_no_classes_and_json_has_no_nan() -> None:
    j = judged()
    detects = Judged(
        j.classes, j.truth, np.minimum(j.verdict, 1), j.anomaly, None, j.group, j.kind, j.provenance,
        np.full(len(j.truth), math.nan), np.full(len(j.truth), math.nan),
    )  # fmt: skip
    found = figures(detects, 10.0)
    assert {"f1", "accuracy", "ece", "loss"} & set(found["scores"]) == set()
    assert {"auroc", "pr_auc", "detection_rate", "detection_f1"} <= set(found["scores"])
    assert found["confusion"] == found["calibration"] == found["by_severity"] == found["by_speed"] == []
    json.dumps(found, allow_nan=False)


def test_reliability_of_a_model_that_knows_its_odds_lies_on_the_diagonal() -> None:
    draws = np.random.default_rng(0)
    p = draws.dirichlet([0.6, 0.6, 0.6], 40_000)
    truth = (p.cumsum(axis=1) < draws.random((len(p), 1))).sum(axis=1)
    group = np.array([f"r{i % 400}" for i in range(len(p))])
    zero = np.zeros(len(p))
    calibrated = Judged(("normal", "a", "b"), truth, p.argmax(axis=1), zero, p, group, group, group, zero, zero)
    for row in reliability(calibrated):
        assert row["accuracy"] == pytest.approx(row["confidence"], abs=0.05)
    assert Bootstrap(calibrated).scores()["ece"].value < 0.02


def test_a_table_and_back(tmp_path: object) -> None:
    j = judged()
    again = Judged.of(j.frame(np.arange(len(j.truth))), j.classes)
    for name in ("truth", "verdict", "anomaly", "group", "kind", "speed_rpm", "severity", "probabilities"):
        np.testing.assert_array_equal(getattr(again, name), getattr(j, name))


def test_real_and_simulated_windows_are_also_scored_apart() -> None:
    j = judged()
    real = np.arange(len(j.truth)) % 20 < 10  # every second recording
    mixed = replace(j, provenance=np.where(real, "real", "hybrid"))
    found = figures(mixed)["by_provenance"]
    assert set(found) == {"real", "hybrid"}
    here = figures(j.take(real))["scores"]
    assert found["real"]["windows"] == real.sum()
    for name in ("f1", "auroc", "detection_rate", "false_alarm_rate"):
        assert found["real"][name] == here[name]
    normal = mixed.take(~((mixed.provenance == "real") & (mixed.truth != 0)))  # real windows all normal
    alone = figures(normal)["by_provenance"]["real"]
    assert alone["detection_rate"]["value"] is None
    assert alone["false_alarm_rate"]["value"] == found["real"]["false_alarm_rate"]["value"]
    json.dumps(figures(normal), allow_nan=False)
