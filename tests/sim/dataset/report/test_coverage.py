"""Coverage on sets whose answer is known, and against its published expectation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.dataset.report.coverage import coverage


def test_the_same_points_cover_each_other() -> None:
    points = np.random.default_rng(0).standard_normal((40, 3))
    found = coverage(points, points)
    assert (found.recall, found.precision, found.coverage) == (1.0, 1.0, 1.0)


def test_points_far_away_cover_nothing() -> None:
    points = np.random.default_rng(0).standard_normal((40, 3))
    found = coverage(points, points + 100.0)
    assert (found.recall, found.precision, found.density, found.coverage) == (0.0, 0.0, 0.0, 0.0)


def test_one_of_two_clusters_is_half_covered() -> None:
    """Synthetic windows of one mode of two: all of them are like real ones, but half of the real ones are missed."""
    line = np.arange(20.0)[:, None]
    real = np.concatenate([line, line + 1000.0])
    found = coverage(real, line + 0.25)
    assert (found.recall, found.precision, found.coverage) == (0.5, 1.0, 0.5)
    swapped = coverage(line + 0.25, real)
    assert (swapped.recall, swapped.precision, swapped.coverage) == (1.0, 0.5, 1.0)


def test_balls_reach_to_the_kth_neighbour() -> None:
    """On a line with steps of 1 the ball of an inner point has radius 2 at k = 3 (neighbours at 1, 1, 2), an end's 3."""
    line = np.arange(10.0)[:, None]
    apart = np.array([4.5, 30.0, 40.0, 50.0])[:, None]
    found = coverage(line, apart, k=3)
    assert found.precision == 0.25
    assert found.density == pytest.approx(4 / (3 * 4))  # 4.5 lies in the balls of 3, 4, 5 and 6
    assert found.coverage == 0.4


def test_of_several_far_off_ones_a_wide_ball_is_no_coverage() -> None:
    """Recall is misled by scattered synthetic windows, whose balls are wide (Naeem et al. 2020); coverage is not."""
    rng = np.random.default_rng(1)
    found = coverage(0.1 * rng.standard_normal((50, 2)), 50.0 * rng.standard_normal((50, 2)))
    assert found.recall == 1.0
    assert found.coverage < 0.1


@pytest.mark.parametrize(("n", "m", "k"), [(60, 60, 5), (80, 40, 3)])
def test_expected_density_and_coverage_of_equal_distributions(n: int, m: int, k: int) -> None:
    """Naeem et al. 2020: density 1 and coverage 1 - (n - 1)...(n - k) / ((m + n - 1)...(m + n - k)) in the mean."""
    rng = np.random.default_rng(4)
    found = [coverage(rng.standard_normal((n, 2)), rng.standard_normal((m, 2)), k) for _ in range(200)]
    expected = 1 - math.prod(n - i for i in range(1, k + 1)) / math.prod(m + n - i for i in range(1, k + 1))
    assert np.mean([f.coverage for f in found]) == pytest.approx(expected, abs=0.01)
    assert np.mean([f.density for f in found]) == pytest.approx(1.0, abs=0.03)


def test_too_few_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 5 windows a side"):
        coverage(np.zeros((5, 2)), np.zeros((9, 2)))
