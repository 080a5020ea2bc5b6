"""Lines of a recording: what follows the shaft, what stands still (mains), and what is left without them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, linalg, ndimage

from sim.calibration.estimate import Estimate

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

SHAFT_ORDERS = tuple(range(1, 13))
"""Orders that are fitted where nothing else is asked for."""

_BLOCK = 65536  # samples whose sines are held at a time
_FLOOR_S = 20.0  # the noise beside a line: median over this many 1/T to either side
_STEADY = 25.0  # power over noise of a steady line: beyond what noise reaches in a million bins (e^-14)


@dataclass(frozen=True)
class Lines:
    """Sines of known frequency: sample c at time t is the sum over k of Re(amplitude[k, c] exp(2 pi j f_k t)).

    Attributes:
        orders: (k,) multiples of the shaft speed; NaN for lines that do not follow it.
        amplitude: (k, c) complex peak amplitudes, in the unit of the samples; phase at the first sample.
        std: (k, c) standard deviation of each of the two components of the amplitude, by the noise beside the line.
        frequency_hz: (k,).
    """

    orders: Array
    amplitude: Complex
    std: Array
    frequency_hz: Array

    @property
    def significant(self) -> NDArray[np.bool_]:
        """(k, c): whether a line stands three deviations out of the noise."""
        return np.asarray(np.abs(self.amplitude) > 3.0 * math.sqrt(2.0) * self.std)


def fit_lines(
    samples: ArrayLike,
    rate_hz: float,
    speed_hz: float | Estimate | Array,
    orders: Sequence[float] | Array = SHAFT_ORDERS,
) -> Lines:
    """Amplitude and phase of orders of the shaft, all at once, by least squares.

    Args:
        samples: (n, c) or (n,).
        rate_hz: sampling rate.
        speed_hz: shaft speed; or its course (n,), which is followed (then `frequency_hz` is the mean's).
        orders: multiples of the shaft speed. Those at or above half the rate get amplitude 0 and an infinite deviation.

    Raises:
        ValueError: fewer samples than unknowns, or samples that are not finite.
    """
    x = _channels(samples)
    course = _course(speed_hz, len(x))
    chosen = np.asarray(orders, dtype=np.float64)
    frequency = chosen * float(course.mean())
    inside = np.flatnonzero((frequency > 0.0) & (frequency < 0.5 * rate_hz))
    amplitude = np.zeros((len(chosen), x.shape[1]), np.complex128)
    std = np.full(amplitude.shape, np.inf)
    turns = _turns(course, rate_hz)
    amplitude[inside] = _solve(x, turns, chosen[inside])
    left = x - _wave(amplitude[inside], chosen[inside], turns)
    std[inside] = _deviation(left, rate_hz, frequency[inside])
    return Lines(chosen, amplitude, std, frequency)


def synthesise(lines: Lines, times: Array) -> Array:
    """The lines' samples (n, c) at `times` (n,) in s since the first sample they were fitted to (constant speed)."""
    return _wave(lines.amplitude, lines.frequency_hz, np.asarray(times, np.float64))


def split(
    samples: ArrayLike, rate_hz: float, speed: float | Estimate | Array, orders: Sequence[float] | Array = SHAFT_ORDERS
) -> tuple[Lines, Array]:
    """A recording as lines of the shaft and what is left, (n, c) with its mean: together they are the recording.

    A `Speed` that drifts, or the speed's course (n,), is followed.
    """
    x = _channels(samples)
    lines = fit_lines(x, rate_hz, speed, orders)
    return lines, x - _wave(lines.amplitude, lines.orders, _turns(_course(speed, len(x)), rate_hz))


def steady_lines(samples: ArrayLike, rate_hz: float, low_hz: float = 5.0, most: int = 40) -> Lines:
    """Sines that stand out of the broad band of a residual: mains, a converter's switching, other machines.

    A line must hold 25 times the noise's power in its own bin of the whole recording, so that a resonance, however
    sharp, is none.

    Args:
        samples: (n, c), without the shaft's lines.
        rate_hz: sampling rate.
        low_hz: lowest frequency.
        most: the strongest so many.
    """
    x = _channels(samples)
    x = x - x.mean(axis=0)
    power, floor = _floor(x, rate_hz)
    ratio = (power / floor).max(axis=1)
    step_hz = rate_hz / (2.0 * (len(power) - 1))
    inner = ratio[1:-1]
    peaks = 1 + np.flatnonzero((inner > _STEADY) & (inner >= ratio[:-2]) & (inner > ratio[2:]))
    peaks = peaks[(peaks * step_hz >= low_hz) & (peaks * step_hz < 0.49 * rate_hz)]
    peaks = np.sort(peaks[np.argsort(-ratio[peaks])][:most])
    frequency = np.array([_vertex(ratio, int(i)) * step_hz for i in peaks])
    # Two peaks of one line (a smeared one) would share its amplitude between them without sense.
    kept = (
        np.concatenate(([True], np.diff(frequency) > 2.0 * rate_hz / len(x))) if len(frequency) else np.zeros(0, bool)
    )
    frequency = frequency[kept]
    amplitude = _solve(x, np.arange(len(x)) / rate_hz, frequency)
    left = x - _wave(amplitude, frequency, np.arange(len(x)) / rate_hz)
    return Lines(np.full(len(frequency), np.nan), amplitude, _deviation(left, rate_hz, frequency), frequency)


def _channels(samples: ArrayLike) -> Array:
    x = np.asarray(samples, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError("the samples hold NaN or infinity")
    return x[:, None] if x.ndim == 1 else x


def _course(speed_hz: float | Estimate | Array, n: int) -> Array:
    """Speed (n,) in Hz of a number, an estimate (with its drift, if it has one) or a course."""
    if isinstance(speed_hz, Estimate):
        drift = float(getattr(speed_hz, "drift", 0.0))
        return speed_hz.value + drift * (np.arange(n) / n - 0.5)
    return np.broadcast_to(np.asarray(speed_hz, np.float64), (n,))


def _turns(course: Array, rate_hz: float) -> Array:
    """Turns of the shaft since the first sample."""
    turns = np.empty(len(course))
    turns[0] = 0.0
    np.cumsum(0.5 * (course[1:] + course[:-1]) / rate_hz, out=turns[1:])
    return turns


def _basis(rates: Array, at: Array) -> Array:
    """(n, 2 k + 1): cosines, sines, and a constant."""
    phase = 2.0 * np.pi * at[:, None] * rates
    return np.hstack((np.cos(phase), np.sin(phase), np.ones((len(at), 1))))


def _solve(x: Array, at: Array, rates: Array) -> Complex:
    """Complex amplitudes (k, c) of sines of `rates` over `at`, by the normal equations, block by block."""
    k, unknowns = len(rates), 2 * len(rates) + 1
    if len(x) < unknowns:
        raise ValueError(f"{len(x)} samples cannot tell {k} lines")
    gram, right = np.zeros((unknowns, unknowns)), np.zeros((unknowns, x.shape[1]))
    for start in range(0, len(x), _BLOCK):
        basis = _basis(rates, at[start : start + _BLOCK])
        gram += basis.T @ basis
        right += basis.T @ x[start : start + _BLOCK]
    # Two lines nearer than 1/T share what is there: a trace of damping keeps the sum finite.
    gram[np.diag_indices(unknowns)] *= 1.0 + 1e-9
    solution = linalg.solve(gram, right, assume_a="pos")
    return np.asarray(solution[:k] - 1j * solution[k : 2 * k])


def _wave(amplitude: Complex, rates: Array, at: Array) -> Array:
    """Sum of the sines (n, c) without the constant."""
    wave = np.empty((len(at), amplitude.shape[1]))
    coefficients = np.vstack((amplitude.real, -amplitude.imag))
    for start in range(0, len(at), _BLOCK):
        phase = 2.0 * np.pi * at[start : start + _BLOCK, None] * rates
        wave[start : start + _BLOCK] = np.hstack((np.cos(phase), np.sin(phase))) @ coefficients
    return wave


def _floor(x: Array, rate_hz: float) -> tuple[Array, Array]:
    """Power spectrum (bins, c) under a Hann window and the noise's mean power in each bin (running median)."""
    n = fft.next_fast_len(len(x), real=True)
    power = np.abs(fft.rfft((x - x.mean(axis=0)) * np.hanning(len(x))[:, None], n, axis=0)) ** 2
    width = 2 * int(_FLOOR_S) + 1
    floor = ndimage.median_filter(power, size=(min(width, len(power)), 1), mode="nearest") / math.log(2.0)
    return power, floor + 1e-30 * max(float(power.max()), 1e-300)


def _deviation(left: Array, rate_hz: float, frequency_hz: Array) -> Array:
    """Deviation of a line's components: sqrt(S / T), S the residual's density beside the line (one-sided)."""
    power, floor = _floor(left, rate_hz)
    n = 2 * (len(power) - 1)
    index = np.minimum(np.rint(frequency_hz * n / rate_hz).astype(np.intp), len(power) - 1)
    window = float(np.sum(np.hanning(len(left)) ** 2))
    density = 2.0 * floor[index] / (rate_hz * window)
    return np.asarray(np.sqrt(density * rate_hz / len(left)))


def _vertex(ratio: Array, i: int) -> float:
    """Position of a peak between the bins, by a parabola through the logarithms (within 0.02 bins under Hann)."""
    left, middle, right = np.log(ratio[i - 1 : i + 2] + 1e-12)
    bend = left - 2.0 * middle + right
    return i + (0.5 * float((left - right) / bend) if bend < 0.0 else 0.0)
