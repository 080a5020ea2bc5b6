"""The noise generator against SplitMix64's published output, against scipy's normal distribution, and for independence.

Every bound is a quantile of the statistic's own distribution at a fixed seed: a failure has odds of about 1e-6.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal, stats

from sim.gaussian import WhiteNoise

N = 4_000_000
SIGMAS = 5.0  # of a statistic about its expectation


@pytest.fixture(scope="module")
def noise() -> NDArray[np.float64]:
    return WhiteNoise(np.random.default_rng(20)).draw(N)


# SplitMix64 seeded with 1234567: the values every implementation is tested with.
SPLITMIX64_OF_1234567 = (
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
)
GOLDEN_GAMMA = 0x9E3779B97F4A7C15  # added to the state before each output


def test_values_are_the_box_muller_transform_of_published_splitmix64_words() -> None:
    source = WhiteNoise(np.random.default_rng(0))
    source.key = np.uint64(1234567 + GOLDEN_GAMMA)
    upper, lower = np.array([(word >> 32, word & 0xFFFFFFFF) for word in SPLITMIX64_OF_1234567], dtype=float).T
    radius, turns = np.sqrt(-2.0 * np.log((upper + 0.5) / 2**32)), lower / 2**32
    pairs = radius * np.array([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])
    assert source.draw(10) == pytest.approx(pairs.T.ravel(), abs=1e-6)


def test_distribution(noise: NDArray[np.float64]) -> None:
    assert stats.kstest(noise, "norm").pvalue > 1e-6


def test_moments(noise: NDArray[np.float64]) -> None:
    # Standard errors of the raw moments of n normal values: sqrt((E x^2k - (E x^k)^2) / n).
    for k, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10395 - 225)):
        assert np.mean(noise**k) == pytest.approx(expected, abs=SIGMAS * np.sqrt(variance / N))


def test_tails() -> None:
    source, n = WhiteNoise(np.random.default_rng(21)), 0
    levels = np.array([2.0, 3.0, 4.0, 4.5, 5.0, 5.5])
    above, below = np.zeros(6, int), np.zeros(6, int)
    for _ in range(10):
        x = source.draw(N)
        extreme = x[np.abs(x) > 2.0]
        above += (extreme[:, None] > levels).sum(axis=0)
        below += (extreme[:, None] < -levels).sum(axis=0)
        n += N
    low, high = stats.binom.interval(1 - 1e-6, n, stats.norm.sf(levels))
    assert ((low <= above) & (above <= high)).all()
    assert ((low <= below) & (below <= high)).all()
    assert below[-2] > 0  # the tail is reached at all: 11 expected beyond 5 sigma on either side


def test_spectrum_is_flat(noise: NDArray[np.float64]) -> None:
    segments = N // 1024
    _, density = signal.welch(noise, 1.0, "boxcar", 1024, noverlap=0, detrend=False)
    inner = density[1:-1] / 2.0  # one-sided: 2 for unit variance; each bin is a mean of chi-squared pairs
    low, high = stats.gamma.ppf([1e-9, 1 - 1e-9], segments, scale=1.0 / segments)
    assert low < inner.min() < inner.max() < high


@pytest.mark.parametrize("power", [1, 2])
def test_no_memory(noise: NDArray[np.float64], power: int) -> None:
    """Values and their squares are uncorrelated over lags: neighbours come from one 64-bit word."""
    x = noise**power
    x = (x - x.mean()) / x.std()
    correlation = [np.mean(x[:-lag] * x[lag:]) for lag in range(1, 33)]
    assert np.abs(correlation).max() < SIGMAS / np.sqrt(N)


def test_two_streams_are_independent(noise: NDArray[np.float64]) -> None:
    """Also of keys that differ in one bit only."""
    key = WhiteNoise(np.random.default_rng(20)).key
    for other_key in (key ^ np.uint64(1), key ^ np.uint64(1 << 63), WhiteNoise(np.random.default_rng(22)).key):
        other = WhiteNoise(np.random.default_rng(0))
        other.key = other_key
        y = other.draw(N)
        for a, b in ((noise, y), (noise**2 - 1, y**2 - 1)):
            products = signal.correlate(a[: 1 << 20], b[: 1 << 20], "same")[(1 << 19) - 64 : (1 << 19) + 64]
            assert np.abs(products).max() / (1 << 20) < SIGMAS * a.std() * b.std() / np.sqrt(1 << 20)


def test_pieces_are_the_whole() -> None:
    whole = WhiteNoise(np.random.default_rng(23)).draw(1000)
    pieces = WhiteNoise(np.random.default_rng(23))
    assert np.array_equal(np.concatenate([pieces.draw(n) for n in (1, 2, 333, 0, 664)]), whole)
