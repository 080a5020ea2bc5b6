"""Kernels that effects are made of: shaft-locked lines, shaped noise, contact pulses."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.effect import Array, Block
from sim.gaussian import HALF, LOW, TABLE, WhiteNoise, normal_of, random_word

_TABLE = 4096
"""Points of a periodic waveform's table over two turns. Between them it is linear: the images that leaves of a line at
order m are (m / 2048)^2 of it, -77 dB at order 24, and above the order 2000."""


@njit(cache=True)
def _add_periodic(out: Array, rows: NDArray[np.intp], gain: Array, angle_rad: Array, table: Array) -> None:
    for i in range(angle_rad.shape[0]):
        x = angle_rad[i] * (_TABLE / (4.0 * math.pi))
        whole = math.floor(x)
        f = x - whole
        k = np.int64(whole) & (_TABLE - 1)
        for a in range(table.shape[1]):
            low = table[k, a]
            out[rows[a], i] += gain[i] * (low + f * (table[k + 1, a] - low))


class ShaftLines:
    """A force that repeats every two turns of the shaft: lines at the orders 0.5, 1, 1.5, ...

    F_a(theta) = sum_k cos_coef[a, k] cos((k + 1) theta / 2) + sin_coef[a, k] sin((k + 1) theta / 2)

    Args:
        cos_coef, sin_coef: (n_axes, n_lines) amplitudes; column k is the order (k + 1) / 2.
    """

    def __init__(self, cos_coef: Array, sin_coef: Array) -> None:
        self._rows = np.flatnonzero((cos_coef != 0.0).any(axis=1) | (sin_coef != 0.0).any(axis=1))
        cos_coef, sin_coef = cos_coef[self._rows], sin_coef[self._rows]
        n_axes, n_lines = cos_coef.shape
        line = np.arange(1, n_lines + 1)
        # The linear interpolation weakens line k by sinc^2(k / n); made up for here.
        spectrum = np.zeros((n_axes, _TABLE // 2 + 1), dtype=np.complex128)
        spectrum[:, 1 : n_lines + 1] = (cos_coef - 1j * sin_coef) * (0.5 * _TABLE / np.sinc(line / _TABLE) ** 2)
        wave = np.fft.irfft(spectrum, _TABLE, axis=1)
        self._table = np.ascontiguousarray(np.concatenate((wave, wave[:, :1]), axis=1).T)

    def add(self, out: Array, gain: Array, block: Block) -> None:
        """Add the force, times `gain` (n,), to the (n_axes, n) forces `out`."""
        _add_periodic(out, self._rows, gain, block.angle_rad, self._table)


@njit(cache=True)
def _first_order(corner: float) -> tuple[float, float]:
    """Memory and input weight of a first-order low-pass with its corner (rad per sample) for white noise.

    The weight gives the density of a continuous process of unit variance below the grid's range; what such a process has
    beyond it is left out, not folded in, so the level does not depend on the grid.
    """
    keep = math.exp(-corner)
    return keep, (1.0 - keep) * math.sqrt(2.0 / corner)


@njit(cache=True)
def add_shaped_noise(
    out: Array,
    gain: Array,
    directions: Array,
    speed_rad_s: Array,
    corner_order: float,
    dt_s: float,
    cos_angle: Array,
    sin_angle: Array,
    modulation: float,
    phase: float,
    key: np.uint64,
    first: np.uint64,
    table: Array,
    states: Array,
) -> None:
    """Add two independent broad-band noises, each along its own direction, modulated once a turn.

    out[a] += gain (1 + modulation cos(theta + phase)) sum_j directions[j, a] noise_j

    Each noise is first-order: unit variance, with a corner at a fixed order of the shaft speed, because a rough surface
    or a turbulent wake has a spectrum fixed in space. Of the variance, what lies within the grid's range is there.

    Args:
        out: (3, n), added to.
        gain, speed_rad_s, cos_angle, sin_angle: (n,).
        directions: (2, 3).
        corner_order: corner as a multiple of the shaft's angular speed.
        dt_s: grid spacing.
        modulation, phase: depth 0..1, rad.
        key, first, table: random stream, number of its first word here (see `sim.gaussian`), quantile table.
        states: (3,) filter states, and the speed that the corner was last worked out for; carried on.
    """
    mc, ms = modulation * math.cos(phase), modulation * math.sin(phase)
    s0, s1, known = states
    d00, d01, d02 = directions[0]
    d10, d11, d12 = directions[1]
    keep, feed = _first_order(max(corner_order * known * dt_s, 1e-9))
    for i in range(gain.shape[0]):
        # The corner needs no exactness: it is worked out anew only when the speed has changed by a thousandth.
        if abs(speed_rad_s[i] - known) > 1e-3 * known:
            known = speed_rad_s[i]
            keep, feed = _first_order(max(corner_order * known * dt_s, 1e-9))
        word = random_word(key, first + np.uint64(i))
        s0 = keep * s0 + feed * normal_of(np.int64(word & LOW), table)
        s1 = keep * s1 + feed * normal_of(np.int64(word >> HALF), table)
        g = gain[i] * (1.0 + mc * cos_angle[i] - ms * sin_angle[i])
        out[0, i] += g * (d00 * s0 + d10 * s1)
        out[1, i] += g * (d01 * s0 + d11 * s1)
        out[2, i] += g * (d02 * s0 + d12 * s1)
    states[0], states[1], states[2] = s0, s1, known


class ShapedNoise:
    """A stream of `add_shaped_noise`: broad-band force that follows the shaft speed.

    Args:
        rng: its random stream.
        directions: (2, 3) directions of the two independent noises, with their relative size.
        corner_order: corner of the spectrum as an order of the shaft speed.
        modulation, phase: depth and phase of the modulation once a turn.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        directions: tuple[tuple[float, float, float], tuple[float, float, float]],
        corner_order: float,
        modulation: float = 0.0,
        phase: float = 0.0,
    ) -> None:
        self._white = WhiteNoise(rng)
        self._directions = np.array(directions)
        self._corner_order, self._modulation, self._phase = corner_order, modulation, phase
        self._states = np.append(self._white.draw(2), 0.0)  # the filters start in their steady state: unit variance
        self._words = np.uint64(1)

    def add(self, block: Block, point: str, gain_n: Array) -> None:
        """Add the noise with RMS `gain_n` (n,) to the force at `point`."""
        white = self._white
        add_shaped_noise(
            block.force(point), gain_n, self._directions, block.speed_rad_s, self._corner_order, block.dt_s,
            block.cos_angle, block.sin_angle, self._modulation, self._phase, white.key, self._words, TABLE, self._states,
        )  # fmt: skip
        self._words += np.uint64(block.n)


@njit(cache=True)
def add_pulses(out: Array, first_sample: float, pulses: Array) -> None:
    """Add force pulses with half-cosine flanks, wherever they overlap the block.

    Args:
        out: (3, n), added to.
        first_sample: index of the block's first sample on the grid the pulse starts are counted on.
        pulses: (m, 7): start, rise, hold, fall in samples (fractions allowed), then the plateau's force x, y, z in N.
    """
    n = out.shape[1]
    for j in range(pulses.shape[0]):
        start, rise, hold, fall = pulses[j, 0] - first_sample, pulses[j, 1], pulses[j, 2], pulses[j, 3]
        end = start + rise + hold + fall
        for i in range(max(0, int(math.ceil(start))), min(n, int(math.floor(end)) + 1)):
            t = i - start
            if t < rise:
                u = 0.5 * (1.0 - math.cos(math.pi * t / rise))
            elif t <= rise + hold:
                u = 1.0
            else:
                u = 0.5 * (1.0 + math.cos(math.pi * (t - rise - hold) / fall))
            for a in range(3):
                out[a, i] += u * pulses[j, 4 + a]


@njit(cache=True, inline="always")
def cos_sin(angle_rad: float) -> tuple[float, float]:
    """Cosine and sine to 1e-11: reduced to one turn, divided by 8, expanded, doubled three times.

    No branches and no library calls, so loops over it vectorise (several times faster than the library's sine).
    """
    turns = angle_rad * (0.5 / math.pi)
    u = (turns - math.floor(turns + 0.5)) * (0.25 * math.pi)
    v = u * u
    s = u * (1.0 - v / 6.0 * (1.0 - v / 20.0 * (1.0 - v / 42.0 * (1.0 - v / 72.0 * (1.0 - v / 110.0)))))
    c = 1.0 - v / 2.0 * (1.0 - v / 12.0 * (1.0 - v / 30.0 * (1.0 - v / 56.0 * (1.0 - v / 90.0 * (1.0 - v / 132.0)))))
    s, c = 2.0 * s * c, c * c - s * s
    s, c = 2.0 * s * c, c * c - s * s
    return c * c - s * s, 2.0 * s * c


@njit(cache=True)
def phasor(angle_rad: Array, cos_angle: Array, sin_angle: Array) -> None:
    """Cosine and sine of the angle, all (n,), see `cos_sin`."""
    for i in range(angle_rad.shape[0]):
        cos_angle[i], sin_angle[i] = cos_sin(angle_rad[i])


@njit(cache=True)
def add_tone(out: Array, amplitude: Array, phase_rad: Array, direction: Array) -> None:
    """Add amplitude cos(phase) along a direction: out[a] += direction[a] * amplitude * cos(phase_rad).

    Args:
        out: (n_axes, n), added to.
        amplitude, phase_rad: (n,).
        direction: (n_axes,).
    """
    wave = np.empty(phase_rad.shape[0])
    for i in range(phase_rad.shape[0]):
        wave[i] = amplitude[i] * cos_sin(phase_rad[i])[0]
    for a in range(out.shape[0]):
        if direction[a] != 0.0:
            for i in range(phase_rad.shape[0]):
                out[a, i] += direction[a] * wave[i]
