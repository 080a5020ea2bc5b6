"""Kernel distance and domain classifier against closed forms, another implementation and sets made for the test."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.dataset.report import compare
from sim.dataset.report.compare import domain_auc, mmd

Floats = NDArray[np.float64]


def named(count: int, of_each: int, prefix: str) -> NDArray[np.str_]:
    return np.array([f"{prefix}{i // of_each}" for i in range(count)])


def gaussian_mmd2(distance: float, s1: float, s2: float, width: float, dims: int) -> float:
    """MMD^2 of N(0, s1^2 I) and N(m, s2^2 I), |m| = distance: the kernel's mean is a Gaussian integral."""

    def mean_kernel(variance: float, apart: float) -> float:
        wide = width**2 + variance
        return float((width**2 / wide) ** (dims / 2) * np.exp(-(apart**2) / (2 * wide)))

    return mean_kernel(2 * s1**2, 0) + mean_kernel(2 * s2**2, 0) - 2 * mean_kernel(s1**2 + s2**2, distance)


@pytest.mark.parametrize(("distance", "s1", "s2"), [(0.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 1.0, 2.0), (2.0, 0.5, 1.5)])
def test_mmd_of_two_gaussians_is_the_closed_form(distance: float, s1: float, s2: float) -> None:
    rng = np.random.default_rng(7)
    n, dims, width = 300, 3, 1.5
    found = []
    for _ in range(20):
        x = s1 * rng.standard_normal((n, dims))
        y = s2 * rng.standard_normal((n, dims)) + np.array([distance, 0.0, 0.0])
        found.append(mmd(x, y, named(n, 30, ""), named(n, 30, ""), rng, width, permutations=1).squared)
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(gaussian_mmd2(distance, s1, s2, width, dims), abs=4 * error)
    assert error < 0.006


def test_mmd_is_what_another_implementation_of_the_kernel_gives() -> None:
    from sklearn.metrics.pairwise import rbf_kernel

    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((13, 4)), 1.3 * rng.standard_normal((9, 4)) + 0.4
    found = mmd(x, y, named(13, 4, ""), named(9, 4, ""), rng, permutations=3)
    pooled = np.concatenate([x, y])
    distances = [np.linalg.norm(a - b) for i, a in enumerate(pooled) for b in pooled[:i]]
    assert found.bandwidth == pytest.approx(np.median(distances))
    gamma = 1 / (2 * found.bandwidth**2)
    xx, yy, xy = rbf_kernel(x, x, gamma), rbf_kernel(y, y, gamma), rbf_kernel(x, y, gamma)
    np.fill_diagonal(xx, 0.0)
    np.fill_diagonal(yy, 0.0)
    assert found.squared == pytest.approx(xx.sum() / (13 * 12) + yy.sum() / (9 * 8) - 2 * xy.mean())


def test_recordings_are_dealt_not_windows() -> None:
    """Of equal distributions, 1 in 20 tests rejects; one that deals windows takes recordings for a difference."""
    rng = np.random.default_rng(11)
    rejected = by_window = 0
    for _ in range(60):
        recordings = [0.2 * rng.standard_normal((8, 2)) + rng.standard_normal(2) for _ in range(12)]
        x, y = np.concatenate(recordings[:6]), np.concatenate(recordings[6:])
        rejected += mmd(x, y, named(48, 8, ""), named(48, 8, ""), rng, permutations=199).p_value <= 0.05
        by_window += mmd(x, y, named(48, 1, ""), named(48, 1, ""), rng, permutations=199).p_value <= 0.05
    assert rejected <= 8
    assert by_window >= 40


def test_one_recording_against_three_proves_little() -> None:
    rng = np.random.default_rng(0)
    found = mmd(
        rng.standard_normal((8, 2)) + 50.0, rng.standard_normal((24, 2)), named(8, 8, ""), named(24, 8, ""), rng
    )
    assert found.squared > 0.5
    assert found.p_value == pytest.approx(0.25, abs=0.05)


def test_far_apart_recordings_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 2)), rng.standard_normal((64, 2)) + 3.0
    found = mmd(x, y, named(64, 4, ""), named(64, 4, ""), rng)
    assert found.p_value == pytest.approx(1 / (compare.PERMUTATIONS + 1))
    assert found.squared > 3 * found.null_95


def test_speeds_are_no_chance() -> None:
    """A small shift at every speed is seen, although the speeds themselves lie farther apart."""
    rng = np.random.default_rng(0)
    level = np.repeat(np.arange(4), 12)
    x = 0.2 * rng.standard_normal((48, 2)) + 5.0 * level[:, None]
    y = 0.2 * rng.standard_normal((48, 2)) + 5.0 * level[:, None] + 0.8
    names = named(48, 4, "")
    blocked = mmd(x, y, names, names, rng, 1.0, x_level=level, y_level=level)
    assert blocked.p_value == pytest.approx(1 / (compare.PERMUTATIONS + 1), abs=0.002)
    assert blocked.squared > 1.5 * blocked.null_95
    assert mmd(x, y, names, names, rng, 1.0).null_95 > blocked.null_95
    same = mmd(x, y - 0.8, names, names, rng, 1.0, x_level=level, y_level=level)
    assert same.p_value > 0.05
    assert same.squared == pytest.approx(0.0, abs=0.01)


def test_mmd_of_a_single_window_is_refused() -> None:
    one = np.zeros((1, 2))
    with pytest.raises(ValueError, match="at least 2 windows"):
        mmd(one, np.zeros((5, 2)), named(1, 1, ""), named(5, 1, ""), np.random.default_rng(0))


def test_equal_distributions_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(5)
    means = []
    for seed in range(4):
        x, y = rng.standard_normal((2, 200, 5))
        found = domain_auc(x, y, named(200, 10, "real"), named(200, 10, "twin"), seed=seed)
        assert found is not None
        assert found.folds == compare.FOLDS
        assert found.low <= found.mean <= found.high
        means.append(found.mean)
    assert np.mean(means) == pytest.approx(0.5, abs=0.05)


def test_separated_ones_are_told_apart() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((60, 3)), rng.standard_normal((60, 3)) + 6.0
    found = domain_auc(x, y, named(60, 6, "real"), named(60, 6, "twin"))
    assert found is not None
    assert found.low > 0.99


def test_what_differs_at_every_speed_is_found_at_another() -> None:
    """Twice the spread of the difference lies between the speeds; a threshold learnt at one would not do at another."""
    rng = np.random.default_rng(8)
    level = np.repeat(np.arange(4), 20)
    x = 0.1 * rng.standard_normal((80, 3)) + rng.permutation(4)[level][:, None]
    y = 0.1 * rng.standard_normal((80, 3)) + x + 0.5
    found = domain_auc(x, y, named(80, 10, "real"), named(80, 10, "twin"), level, level)
    assert found is not None
    assert found.low > 0.95


def test_a_recordings_fingerprint_is_no_difference_between_real_and_synthetic() -> None:
    """Every recording lies somewhere of its own; a split by window would find each by its neighbours."""
    rng = np.random.default_rng(2)

    def side() -> Floats:
        return np.concatenate([0.01 * rng.standard_normal((10, 4)) + rng.standard_normal(4) for _ in range(20)])

    found = [domain_auc(side(), side(), named(200, 10, "real"), named(200, 10, "twin"), seed=s) for s in range(6)]
    assert np.mean([f.mean for f in found if f is not None]) == pytest.approx(0.5, abs=0.12)


def test_the_speed_does_not_give_the_answer() -> None:
    """Real recordings have one speed each, synthetic ones all: without one real recording its speed would mean synthetic."""
    level = np.repeat(np.arange(5), 12)
    features = np.repeat(level[:, None].astype(float), 2, axis=1)
    synthetic = np.array([f"twin{i % 4}" for i in range(60)])
    found = domain_auc(features, features, named(60, 12, "real"), synthetic, level, level)
    assert found is not None
    assert (found.low, found.high, found.folds) == (0.5, 0.5, 5)


def test_one_real_recording_of_each_speed_is_not_told_by_being_one() -> None:
    """All recordings are alike, but at each speed one is real and four are synthetic."""
    means = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        speed = np.repeat(3.0 * rng.standard_normal((5, 20)), 12, axis=0)
        real = np.repeat(rng.standard_normal((5, 20)), 12, axis=0)
        synthetic = np.repeat(rng.standard_normal((20, 20)), 3, axis=0)
        sides = [speed + recordings + 0.2 * rng.standard_normal((60, 20)) for recordings in (real, synthetic)]
        level = np.repeat(np.arange(5), 12)
        found = domain_auc(sides[0], sides[1], named(60, 12, "real"), named(60, 3, "twin"), level, level, seed)
        assert found is not None
        means.append(found.mean)
    assert np.mean(means) == pytest.approx(0.5, abs=0.15)


def test_nothing_that_rests_on_a_tested_recording_is_trained_on() -> None:
    level = np.tile(np.repeat(np.arange(6), 8), 2)
    real = named(48, 8, "r")
    resting = np.array([f"r{i % 6}" for i in range(48)])
    recording, is_real = np.concatenate([real, resting]), np.arange(96) < 48
    folds = list(compare._folds(is_real, recording, level, 0))
    assert len(folds) == compare.FOLDS
    for train, test in folds:
        assert not (train & test).any()
        assert not set(recording[test & is_real]) & set(recording[train])
        assert not set(level[test]) & set(level[train])
        assert (train & ~is_real).any()
    assert sum(test.sum() for _, test in folds) == 96


def test_too_few_recordings_give_no_figure() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 40, 2))
    assert domain_auc(x, y, named(40, 20, "real"), named(40, 4, "twin")) is None
    assert domain_auc(x, y, named(40, 40, "real"), named(40, 4, "twin")) is None


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    x = np.zeros((20, 2))
    with pytest.raises(compare.ExtraMissing, match=r"pip install 'simtwin\[train\]'"):
        domain_auc(x, x, named(20, 4, "real"), named(20, 4, "twin"))
