"""Kernels that effects are made of: shaft-locked lines, shaped noise, contact pulses.

They work through a block in pieces of `_PIECE` samples, loop by loop: each loop is free of branches and of results that wait
for one another, so that it runs in the processor's vectors, and the piece stays in its first-level cache.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.effect import Array, Block
from sim.gaussian import WhiteNoise, fill_pairs

_PIECE = 512

Lines = NDArray[np.complexfloating]
"""Complex amplitudes A of lines A exp(j phase), whose real part is meant."""

Single = NDArray[np.float32]


@njit(cache=True, inline="always")
def cos_sin(angle_rad: float) -> tuple[float, float]:
    """Cosine and sine to 1e-11: reduced to one turn, divided by 8, expanded, doubled three times.

    No branches and no library calls, so loops over it vectorise (several times faster than the library's sine).
    """
    turns = angle_rad * (0.5 / math.pi)
    u = (turns - np.floor(turns + 0.5)) * (0.25 * math.pi)
    v = u * u
    s = u * (1.0 + v * (-1 / 6 + v * (1 / 120 + v * (-1 / 5040 + v * (1 / 362880 + v * (-1 / 39916800))))))
    c = 1.0 + v * (-1 / 2 + v * (1 / 24 + v * (-1 / 720 + v * (1 / 40320 + v * (-1 / 3628800 + v / 479001600)))))
    s, c = 2.0 * s * c, c * c - s * s
    s, c = 2.0 * s * c, c * c - s * s
    return c * c - s * s, 2.0 * s * c


@njit(cache=True)
def phasor(angle_rad: Array, cos_angle: Array, sin_angle: Array) -> None:
    """Cosine and sine of the angle, all (n,), see `cos_sin`."""
    for i in range(angle_rad.shape[0]):
        cos_angle[i], sin_angle[i] = cos_sin(angle_rad[i])


@njit(cache=True)
def _sum_series(amplitudes: Lines, cosine: Single, sine: Single, real: Single, imag: Single) -> None:
    """Real + j imag = sum_k amplitudes[k] z^(k + 1), z = cosine + j sine: Horner's rule, four lines at a time."""
    for i in range(real.shape[0]):
        real[i], imag[i] = 0.0, 0.0
    for k in range(amplitudes.shape[0] - 1, -1, -4):
        a, b = amplitudes[k].real, amplitudes[k].imag
        c, d = amplitudes[k - 1].real, amplitudes[k - 1].imag
        e, f = amplitudes[k - 2].real, amplitudes[k - 2].imag
        g, h = amplitudes[k - 3].real, amplitudes[k - 3].imag
        for i in range(real.shape[0]):
            x, y, u, v = cosine[i], sine[i], real[i] + a, imag[i] + b
            u, v = u * x - v * y + c, u * y + v * x + d
            u, v = u * x - v * y + e, u * y + v * x + f
            u, v = u * x - v * y + g, u * y + v * x + h
            real[i], imag[i] = u * x - v * y, u * y + v * x


@njit(cache=True)
def _add_lines(
    out: Array, gain: Array, directions: Lines, amplitudes: Lines, half: bool, angle_rad: Array, cos_angle: Array,
    sin_angle: Array,
) -> None:  # fmt: skip
    """`ShaftLines.add`, at the shaft's angle or at `half` of it."""
    work = np.empty((4, _PIECE), dtype=np.float32)
    for start in range(0, gain.shape[0], _PIECE):
        stop = min(start + _PIECE, gain.shape[0])
        n = stop - start
        cosine, sine, real, imag = work[0, :n], work[1, :n], work[2, :n], work[3, :n]
        factor, angle, whole_cos, whole_sin = (
            gain[start:stop], angle_rad[start:stop], cos_angle[start:stop], sin_angle[start:stop]
        )  # fmt: skip
        if half:
            for i in range(n):
                cosine[i], sine[i] = cos_sin(0.5 * angle[i])
        else:
            for i in range(n):
                cosine[i], sine[i] = whole_cos[i], whole_sin[i]
        for j in range(amplitudes.shape[0]):
            _sum_series(amplitudes[j], cosine, sine, real, imag)
            for a in range(directions.shape[0]):
                x, y = directions[a, j].real, directions[a, j].imag
                row = out[a, start:stop]
                if x != 0.0 or y != 0.0:
                    for i in range(n):
                        row[i] += factor[i] * (x * real[i] - y * imag[i])


class ShaftLines:
    """A force that repeats every two turns of the shaft: lines at the orders 0.5, 1, 1.5, ...

    F(theta) = Re(directions @ S(theta)), S_j(theta) = sum_k amplitudes[j, k] exp(j (k + 1) theta / 2)

    Summed in single precision: to 3e-6 of the largest force, 20 dB below the step of a 16-bit sensor that this force
    drives to full scale.

    Args:
        amplitudes: (n_series, n_lines) complex; column k is the order (k + 1) / 2.
        directions: (n_axes, n_series) complex share of each series along each axis; none: one series an axis.
    """

    def __init__(self, amplitudes: Lines, directions: Lines | Array | None = None) -> None:
        self._directions = (np.eye(len(amplitudes)) if directions is None else directions).astype(np.complex64)
        self._half = bool(amplitudes[:, ::2].any())
        lines = amplitudes if self._half else amplitudes[:, 1::2]
        self._amplitudes = np.zeros((lines.shape[0], -(-lines.shape[1] // 4) * 4), dtype=np.complex64)
        self._amplitudes[:, : lines.shape[1]] = lines

    def add(self, out: Array, gain: Array, block: Block) -> None:
        """Add the force, times `gain` (n,), to the (n_axes, n) forces `out`."""
        _add_lines(
            out, gain, self._directions, self._amplitudes, self._half, block.angle_rad, block.cos_angle, block.sin_angle
        )


@njit(cache=True)
def _low_pass(noise: Single, corner: float, state: float, out: Array) -> None:
    """First-order low-pass with its corner (rad per sample) of white noise (n,), n a multiple of 4, after the value `state`.

    The density is that of a continuous process of unit variance below the grid's range; what such a process has beyond it
    is left out, not folded in, so the level does not depend on the grid. Four samples a step: each waits for the last
    of the four before, not for its neighbour.
    """
    keep = math.exp(-corner)
    feed = (1.0 - keep) * math.sqrt(2.0 / corner)
    keep2 = keep * keep
    keep3, keep4 = keep2 * keep, keep2 * keep2
    for i in range(0, noise.shape[0], 4):
        a = feed * noise[i]
        b = keep * a + feed * noise[i + 1]
        c = keep * b + feed * noise[i + 2]
        d = keep * c + feed * noise[i + 3]
        out[i], out[i + 1], out[i + 2] = keep * state + a, keep2 * state + b, keep3 * state + c
        state = keep4 * state + d
        out[i + 3] = state


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
        key, first: random stream, number of its first word here (see `sim.gaussian`).
        states: (3,) filter states, and the corner that they are at (0 at first); carried on.
    """
    mc, ms = modulation * math.cos(phase), modulation * math.sin(phase)
    d00, d01, d02 = directions[0]
    d10, d11, d12 = directions[1]
    white, shaped = np.zeros((2, _PIECE), dtype=np.float32), np.empty((2, _PIECE))
    start = 0
    while start < gain.shape[0]:
        word = np.int64(first) + start
        # The corner needs no exactness: the speed of now serves for a piece, and pieces begin where they do however time
        # is cut into blocks.
        if word % _PIECE == 0 or states[2] == 0.0:
            states[2] = max(corner_order * speed_rad_s[start] * dt_s, 1e-9)
        stop = min(start + _PIECE - word % _PIECE, gain.shape[0])
        piece, n = slice(start, stop), stop - start
        factor, cosine, sine = gain[piece], cos_angle[piece], sin_angle[piece]
        x, y, z = out[0, piece], out[1, piece], out[2, piece]
        fill_pairs(key, np.uint64(word), white[0, :n], white[1, :n])
        for j in range(2):
            _low_pass(white[j, : -(-n // 4) * 4], states[2], states[j], shaped[j])
            states[j] = shaped[j, n - 1]
        noise0, noise1 = shaped[0], shaped[1]
        for i in range(n):
            g = factor[i] * (1.0 + mc * cosine[i] - ms * sine[i])
            x[i] += g * (d00 * noise0[i] + d10 * noise1[i])
            y[i] += g * (d01 * noise0[i] + d11 * noise1[i])
            z[i] += g * (d02 * noise0[i] + d12 * noise1[i])
        start = stop


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

    def add(self, block: Block, point: str, gain: Array, rms_n: float = 1.0) -> None:
        """Add the noise with RMS `gain` (n,) times `rms_n` to the force at `point`."""
        white = self._white
        add_shaped_noise(
            block.force(point), gain, rms_n * self._directions, block.speed_rad_s, self._corner_order, block.dt_s,
            block.cos_angle, block.sin_angle, self._modulation, self._phase, white.key, self._words, self._states,
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


@njit(cache=True)
def add_tone(out: Array, time_s: Array, frequency_rad_s: float, phase: float, amplitude: Array) -> None:
    """Add a tone of constant frequency: out[a] += amplitude[a] cos(frequency_rad_s time_s + phase).

    Args:
        out: (n_axes, n), added to.
        time_s: (n,).
        amplitude: (n_axes,).
    """
    wave = np.empty(time_s.shape[0])
    for i in range(wave.shape[0]):
        wave[i] = cos_sin(frequency_rad_s * time_s[i] + phase)[0]
    for a in range(out.shape[0]):
        row, share = out[a], amplitude[a]
        if share != 0.0:
            for i in range(wave.shape[0]):
                row[i] += share * wave[i]


@njit(cache=True)
def once_turning(size: Array, speed_rad_s: Array) -> Array:
    """The gain (n,) of forces that do not depend on speed: `size`, but nothing at rest, where nothing varies.

    Below a tenth of a turn per second they fade with the speed.
    """
    gain = np.empty(size.shape[0])
    for i in range(gain.shape[0]):
        gain[i] = size[i] * min(speed_rad_s[i] * (1.0 / 0.6), 1.0)
    return gain


@njit(cache=True)
def with_speed_squared(size: Array, speed_rad_s: Array, scale: float) -> Array:
    """The gain (n,) of forces of inertia or flow: size * scale * speed^2."""
    gain = np.empty(size.shape[0])
    for i in range(gain.shape[0]):
        gain[i] = size[i] * (scale * speed_rad_s[i] * speed_rad_s[i])
    return gain
