"""Levels and the edge of detectability against what Gaussian noise and a sine must give."""

from __future__ import annotations

import numpy as np
import pytest

from sim.hybrid.detectability import EDGE_SCATTERS, HealthyLevels, band_levels_db, rises_db

RATE_HZ = 5000.0


def noise(n: int, seed: int, rms: float = 0.1) -> np.ndarray:
    return rms * np.random.default_rng(seed).standard_normal((n, 1024, 3))


def test_bands_add_up_to_the_mean_square() -> None:
    power = 10.0 ** (band_levels_db(noise(200, 0)) / 10.0)
    assert power.sum(axis=1).mean() == pytest.approx(0.01, rel=0.02)


def test_a_sine_shows_in_its_band_with_its_power() -> None:
    frequency_hz = 100 * RATE_HZ / 1024
    sine = 0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(1024) / RATE_HZ)
    levels = band_levels_db(np.tile(sine[None, :, None], (1, 1, 3)))
    assert levels.max() == pytest.approx(10 * np.log10(0.3**2 / 2), abs=0.1)


def test_at_the_edge_the_most_affected_band_rises_by_two_scatters() -> None:
    healthy = HealthyLevels.of([noise(100, 1), noise(100, 2)])
    tone = np.tile(np.sin(2 * np.pi * 700 * np.arange(1024) / RATE_HZ)[None, :, None], (4, 1, 3)) * [1.0, 0.0, 0.0]
    ratio = healthy.ratio(tone)
    gain = healthy.edge_gain(ratio)
    rises = rises_db(ratio, gain) / healthy.scatter_db
    assert rises.max() == pytest.approx(EDGE_SCATTERS, rel=1e-6)
    # Windows with that much added rise by as much when measured.
    measured = band_levels_db(noise(400, 3) + gain * tone[:1]).mean(axis=0) - healthy.mean_db
    assert (measured / healthy.scatter_db).max() == pytest.approx(EDGE_SCATTERS, rel=0.15)


def test_silence_has_no_edge() -> None:
    healthy = HealthyLevels.of([noise(20, 1)])
    assert healthy.edge_gain(healthy.ratio(np.zeros((2, 1024, 3)))) == np.inf
