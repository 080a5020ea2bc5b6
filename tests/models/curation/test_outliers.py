"""Spikes of the sensor go, and nothing else: not anomalies, not shocks, not steps."""

from __future__ import annotations

import numpy as np
import pytest

from models.curation.outliers import SensorOutliers
from models.curation.series import Span
from tests.models.curation.made import ar1, draft, labels

RULE = SensorOutliers()
N = 5000


def dropped(x: np.ndarray, anomaly: np.ndarray | None = None, rule: SensorOutliers = RULE) -> list[int]:
    start = draft(x, labels(len(x)) if anomaly is None else anomaly)
    after, _ = rule.apply(start)
    kept = np.zeros(len(x), bool)
    for span in after.kept:
        kept[span.start : span.stop] = True
    return np.flatnonzero(~kept).tolist()


def test_planted_spikes_go_to_the_sample_and_the_slice_is_cut_there() -> None:
    x = ar1(N, 3, 0.8, seed=0)
    x[1000, 0], x[2000, 2], x[3000, 1] = 60.0, -60.0, 45.0
    assert dropped(x) == [1000, 2000, 3000]
    assert RULE.judge(draft(x, labels(N))).kept == (Span(0, 1000), Span(1001, 2000), Span(2001, 3000), Span(3001, N))


@pytest.mark.parametrize("seed", range(3))
def test_healthy_noise_has_no_spikes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert dropped(rng.laplace(size=(50_000, 3)).astype(np.float32)) == []


def test_labelled_anomalies_are_never_excluded() -> None:
    x = ar1(N, 3, 0.8, seed=1)
    x[1000, 0] = x[2000, 0] = 60.0
    assert dropped(x, labels(N, (1000, 1001))) == [2000]


def test_what_other_channels_confirm_is_no_artefact() -> None:
    x = ar1(N, 3, 0.8, seed=2)
    x[1000, :2] = 60.0
    assert dropped(x) == []


def test_shocks_that_ring_steps_and_pairs_stay() -> None:
    x = ar1(N, 2, 0.8, seed=3)
    ring = 80 * np.exp(-np.arange(60) / 12) * np.cos(np.arange(60))
    x[1000:1060, 0] += ring.astype(np.float32)  # falls off over many samples
    x[2000:, 1] += 100.0  # a step
    x[3000:3002, 0] = 60.0  # two samples
    assert dropped(x) == []


def test_a_reset_between_different_levels_stays() -> None:
    # As where a filter is changed: 82, 82, then 27 once, then 62 and rising.
    x = np.random.default_rng(4).normal(70, 1, (N, 2)).astype(np.float32)
    x[1000, 0] = 10.0
    x[1001:1020, 0] = np.linspace(45, 70, 19)
    assert dropped(x) == []


def test_too_many_to_be_artefacts_are_left_and_said() -> None:
    x = ar1(N, 2, 0.8, seed=5)
    x[10::100, 0] = 60.0
    ruling = RULE.judge(draft(x, labels(N)))
    assert ruling.kept is None
    assert "50 single-sample spikes left in" in ruling.notes[0]
    assert len(dropped(x, rule=SensorOutliers(most=0.02))) == 50


def test_values_that_are_no_numbers_go_whatever_the_label() -> None:
    x = ar1(N, 2, 0.8, seed=6)
    x[100, 0], x[200, 1] = np.nan, np.inf
    assert dropped(x, labels(N, (100, 101))) == [100, 200]


def test_both_sides_of_a_gap_are_not_neighbours() -> None:
    x = ar1(N, 1, 0.8, seed=7)
    x[1000] = 60.0
    kept = RULE.judge(draft(x, labels(N), (0, 1001), (1002, N))).kept
    assert kept is None  # the last sample of a stretch has nothing after it to come back to
