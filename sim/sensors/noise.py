"""Noise of an inertial sensor: white noise, bias instability (flicker) and rate random walk, as one stream.

Terms and Allan variances: IEEE Std 952-1997, annex C; one-sided densities, as datasheets give them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sim.gaussian import fill_pairs
from sim.seeds import generator

FLICKER_FLOOR = float(np.sqrt(2 * np.log(2) / np.pi))
"""Allan deviation of flicker noise over its bias instability B: 0.664 (IEEE Std 952-1997, C.1.3)."""

# Flicker is a sum of Gauss-Markov processes of equal variance, three to a decade: its Allan deviation is flat within
# 2 % from 6 to 450 s. Faster processes are not needed, because above the corner frequency B^2 / (pi density^2), which is
# about 0.1 Hz at most for every sensor here, white noise covers flicker; slower ones cannot be told from a constant
# offset within an hour.
TIME_CONSTANTS_S: NDArray[np.float64] = np.geomspace(0.3, 3000.0, 13)
# For the same reason the slow part is made at 16 Hz and interpolated linearly: what the interpolation changes lies above
# 1 Hz, where white noise has ten times the power.
SLOW_RATE_HZ = 16.0


def gauss_markov_allan_variance(tau_s: ArrayLike, time_constant_s: ArrayLike) -> NDArray[np.float64]:
    """Allan variance of a first-order Gauss-Markov process of unit variance (IEEE Std 952-1997, C.1.5)."""
    x = np.asarray(tau_s, float) / np.asarray(time_constant_s, float)
    return np.asarray((2 / x) * (1 - (3 - 4 * np.exp(-x) + np.exp(-2 * x)) / (2 * x)))


_PIECE = 512  # samples worked on at a time, so that they stay in the first-level cache

_PLATEAU_TAU_S = np.geomspace(10.0, 200.0, 60)[:, None]
_PROCESS_DEVIATION = FLICKER_FLOOR / float(
    np.sqrt(gauss_markov_allan_variance(_PLATEAU_TAU_S, TIME_CONSTANTS_S).sum(axis=1).mean())
)
"""Standard deviation of each process for B = 1: the mean Allan variance of the plateau is 0.664^2."""


@njit(cache=True)
def _advance(
    state: NDArray[np.float64],
    decay: NDArray[np.float64],
    drive: NDArray[np.float64],
    normals: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Steps of all processes (state: processes x channels); `out` gets their sum after each step."""
    for i in range(normals.shape[0]):
        for c in range(state.shape[1]):
            total = 0.0
            for p in range(state.shape[0]):
                state[p, c] = decay[p] * state[p, c] + drive[p, c] * normals[i, p, c]
                total += state[p, c]
            out[i, c] = total


@njit(cache=True)
def _fill_white(keys: NDArray[np.uint64], first: int, deviation: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """White noise into `out` (channels, n): word i of a stream holds sample i of two channels (see `sim.gaussian`)."""
    pair = np.empty((2, _PIECE), np.float32)
    for start in range(0, out.shape[1], _PIECE):
        n = min(_PIECE, out.shape[1] - start)
        for p in range(keys.shape[0]):
            fill_pairs(keys[p], np.uint64(first + start), pair[0, :n], pair[1, :n])
            for c in range(2 * p, min(2 * p + 2, out.shape[0])):
                white, scale, row = pair[c - 2 * p], deviation[c], out[c, start : start + n]
                for i in range(n):
                    row[i] = scale * white[i]


@njit(cache=True)
def _add_slow(
    ticks: NDArray[np.float64], first_tick: int, first_sample: int, ticks_per_sample: float, out: NDArray[np.float64]
) -> None:
    """Add the slow part (ticks, channels), interpolated between its ticks, to the samples (channels, n)."""
    start = 0
    while start < out.shape[1]:
        tick = int((first_sample + start) * ticks_per_sample)
        stop = start + 1
        while stop < out.shape[1] and int((first_sample + stop) * ticks_per_sample) == tick:
            stop += 1
        for c in range(out.shape[0]):
            level = ticks[tick - first_tick, c]
            slope = ticks[tick - first_tick + 1, c] - level
            row = out[c, start:stop]
            for i in range(stop - start):
                row[i] += level + ((first_sample + start + i) * ticks_per_sample - tick) * slope
        start = stop


class NoiseStream:
    """Noise of several channels, stationary from the first sample (but for the random walk, which starts at zero).

    The samples do not depend, bit for bit, on the portions they are drawn in.

    Args:
        density: one-sided white noise density, unit/sqrt(Hz), scalar or (n_channels,); rms = density sqrt(rate / 2).
        bias_instability: B of IEEE Std 952-1997, in the unit; the Allan deviation's floor is 0.664 B.
        random_walk: rate random walk K, unit/sqrt(s); Allan variance K^2 tau / 3.
        rate_hz: sampling rate (Hz).
        n_channels: number of independent channels.
        rng: source of randomness, owned by this stream from now on.
    """

    def __init__(
        self,
        density: ArrayLike,
        bias_instability: ArrayLike,
        random_walk: ArrayLike,
        rate_hz: float,
        n_channels: int,
        rng: np.random.Generator,
    ) -> None:
        per_channel = [np.asarray(v, float) for v in (density, bias_instability, random_walk)]
        if rate_hz <= 0 or any((v < 0).any() for v in per_channel):
            raise ValueError(f"noise figures must be >= 0 and the rate > 0, not {per_channel} at {rate_hz} Hz")
        white, flicker, walk = (np.broadcast_to(v, (n_channels,)) for v in per_channel)
        self._deviation = white * np.sqrt(rate_hz / 2)
        # A stream for every two channels, and a generator for the slow part: each is drawn in its own order however the
        # stream is cut.
        self._keys = rng.integers(0, 2**64, size=-(-n_channels // 2), dtype=np.uint64)
        self._slow_rng = generator(int(rng.integers(1 << 63)), "slow")
        slow_rate_hz = min(SLOW_RATE_HZ, rate_hz)
        self._ticks_per_sample = slow_rate_hz / rate_hz
        self._has_slow = bool(flicker.any() or walk.any())
        decay = np.exp(-1 / (slow_rate_hz * TIME_CONSTANTS_S))
        deviation = _PROCESS_DEVIATION * flicker
        self._decay = np.append(decay, 1.0)  # the last process is the random walk
        self._drive = np.vstack([np.sqrt(1 - decay**2)[:, None] * deviation, walk / np.sqrt(slow_rate_hz)])
        n = len(decay)
        stationary = deviation * self._slow_rng.standard_normal((n, n_channels))
        self._state = np.vstack([stationary, np.zeros(n_channels)])
        self._ticks = self._state.sum(axis=0)[None, :]
        self._first_tick = 0
        self._count = 0

    def draw(self, n: int) -> NDArray[np.float64]:
        """The next `n` samples, (n, n_channels)."""
        noise = np.empty((len(self._deviation), n))
        self.fill(noise)
        return noise.T

    def fill(self, noise: NDArray[np.float64]) -> None:
        """The next samples, into (n_channels, n)."""
        n = noise.shape[1]
        _fill_white(self._keys, self._count, self._deviation, noise)
        if self._has_slow and n:
            self._make_ticks(int((self._count + n - 1) * self._ticks_per_sample) + 1)
            _add_slow(self._ticks, self._first_tick, self._count, self._ticks_per_sample, noise)
        self._count += n

    def _make_ticks(self, last: int) -> None:
        """Make ticks up to number `last` and forget those before the next sample's."""
        new = last - (self._first_tick + len(self._ticks) - 1)
        keep_from = int(self._count * self._ticks_per_sample) - self._first_tick
        if new > 0:
            out = np.empty((new, self._state.shape[1]))
            _advance(
                self._state, self._decay, self._drive, self._slow_rng.standard_normal((new, *self._state.shape)), out
            )
            self._ticks = np.vstack([self._ticks[keep_from:], out])
            self._first_tick += keep_from
