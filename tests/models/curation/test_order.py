"""The test for order in time: against direct permutation, at its stated error rates, and on its known limits."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kstest

from models.curation.order import TimeOrder, evidence_of, order_z
from tests.models.curation.made import ar1, draft, labels

RULE = TimeOrder()


def refused(x: np.ndarray, anomaly: np.ndarray | None = None) -> bool:
    return RULE.judge(draft(x, labels(len(x)) if anomaly is None else anomaly)).refused


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_moments_are_those_of_all_permutations(lag: int) -> None:
    # All 5040 orders of 7 skewed values with ties: the mean of z is 0 and its variance 1, exactly.
    orders = np.array(list(permutations([0.0, 0.0, 1.0, 1.0, 3.0, 7.0, 20.0])))
    z = np.array([order_z(order[None, :])[0][lag - 1] for order in orders])
    assert z.mean() == pytest.approx(0.0, abs=1e-12)
    assert z.var() == pytest.approx(1.0, rel=1e-12)


def test_z_of_many_blocks_is_standard_normal_under_shuffling() -> None:
    rng = np.random.default_rng(0)
    z = np.array([order_z(rng.permuted(np.tile(np.arange(61.0), (33, 1)), axis=1))[0][0] for _ in range(2000)])
    assert kstest(z, "norm").pvalue > 1e-3


def test_serial_correlation_of_ar1() -> None:
    # Centring each block costs a known bias of order (1 + 3 phi) / m (Kendall 1954); phi = 0.8 at lag 1 loses 0.06.
    x = ar1(61 * 1000, 1, 0.8, seed=3)[:, 0].astype(np.float64)
    r = order_z(x.reshape(-1, 61))[1]
    assert r[0] == pytest.approx(0.8 - (1 + 3 * 0.8) / 61, abs=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_ar1_is_a_series_and_its_shuffle_is_not(seed: int) -> None:
    x = ar1(2000, 3, 0.4, seed)
    assert not refused(x)
    assert refused(np.random.default_rng(seed).permutation(x))


def test_shuffled_sets_pass_no_more_often_than_alpha_says() -> None:
    rng, passes = np.random.default_rng(5), 0
    for _ in range(400):
        x = rng.standard_exponential((1000, 3)).astype(np.float32)
        evidence = evidence_of(draft(x, rng.random(1000) < 0.1), alpha=0.05)
        passes += evidence.z > evidence.threshold
    assert passes <= 36  # 20 expected; more than 36 has probability 3e-4


def test_power_at_the_shortest_set_allowed() -> None:
    # docs/curation.md: at 2,000 samples a memory of phi = 0.2 is never missed.
    assert not any(refused(ar1(2000, 10, 0.2, seed)) for seed in range(30))


def test_anticorrelated_samples_are_order_too() -> None:
    assert not refused(ar1(3000, 1, -0.5, seed=1))
    noise = np.random.default_rng(2).standard_normal((3001, 1)).astype(np.float32)
    assert not refused(noise[1:] - 0.5 * noise[:-1])  # negative at lag 1, nothing at the others


def test_a_table_sorted_by_class_shows_nothing() -> None:
    rng = np.random.default_rng(2)
    anomaly = labels(4000, (3000, 4000))
    x = rng.standard_normal((4000, 4)).astype(np.float32)
    x[anomaly] += 5.0
    assert refused(x, anomaly)
    alternating = labels(4000, *[(i, i + 20) for i in range(0, 4000, 40)])
    x = rng.standard_normal((4000, 4)).astype(np.float32)
    x[alternating] += 5.0
    assert refused(x, alternating)


def test_a_row_counter_is_no_evidence_and_is_named() -> None:
    x = np.random.default_rng(4).standard_normal((5000, 3)).astype(np.float32)
    x[:, 1] = np.arange(5000) % 1200
    ruling = RULE.judge(draft(x, labels(5000)))
    assert ruling.refused
    assert any(note.startswith("x1: clock, counter") for note in ruling.notes)


def test_a_flag_that_is_set_once_in_a_while_is_no_evidence() -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal((20_000, 2)).astype(np.float32)
    x[:, 1] = 0.0
    x[[5000, 5001], 1] = 1.0  # two neighbours: for such a channel the z-score is far from normal
    assert refused(x)


def test_no_channel_to_judge_is_said_and_not_refused() -> None:
    x = np.arange(3000, dtype=np.float32)[:, None]
    ruling = RULE.judge(draft(x, labels(3000)))
    assert not ruling.refused
    assert "no channel" in ruling.notes[0]
    assert not RULE.judge(draft(ar1(121, 1, 0.9, 0), labels(121))).refused


def test_gaps_are_stepped_over() -> None:
    x = ar1(5000, 2, 0.9, seed=6)
    x[::100, 0] = np.nan
    assert not refused(x)
    shuffled = np.random.default_rng(1).permutation(x)
    shuffled[np.isnan(shuffled).any(axis=1)] = np.nan
    assert refused(shuffled)


def test_rows_that_are_whole_series_are_named() -> None:
    x = ar1(200 * 300, 1, 0.95, seed=9).reshape(300, 200)
    ruling = RULE.judge(draft(x, labels(300)))
    assert ruling.refused
    assert any("each row looks like a whole series" in note for note in ruling.notes)
    table = np.random.default_rng(0).standard_normal((300, 200)).astype(np.float32)
    assert RULE.judge(draft(table, labels(300))).notes == ()
