"""Carrying a recording to another shaft speed: what turns follows the shaft, what rings stays where it was.

A recording is taken apart as a source behind a filter (as speech is when its pitch is changed and its vowels are kept):
the source, shaft lines and the impacts and noise of contacts, is a function of the shaft's angle; the filter, the
structure's resonances, is fixed in frequency. So the signal is stretched in time by the ratio of the speeds, which moves
every order, passage frequency and modulation to where it belongs, and its spectral envelope is then put back in place
and scaled by a growth law that healthy recordings at several speeds give.

Known limits: phases of the structure stay stretched; lines that do not follow the shaft (mains) move as if they did; a
resonance excited by a low order is not told from a loud line; the growth law of a fault is taken from a range, not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import linalg, signal
from scipy.fft import irfft, next_fast_len, prev_fast_len, rfft
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls

from sim.dataset.real import RealRecording
from sim.effect import Array
from sim.hybrid.remount import AS_IT_WAS, Mounting
from sim.waveforms import cos_sin

Single = NDArray[np.float32]
Complex = NDArray[np.complex128]

INERTIAL_EXPONENT = 2.0
"""Shaft lines grow with speed squared, as m e w^2 does."""

ROLLING_EXPONENT = 1.5
"""Broad band in a fixed band: `sim.machine.rolling_noise`; used where healthy recordings at several speeds are lacking."""

FAULT_EXPONENTS = (0.5, 1.5)
"""Range of the broad band's growth under a fault. A rough contact under constant preload only meets more asperities a
second (power with speed, RMS with its root); impacts whose size also goes with the speed of impact, 1.5."""

_ORDERS = 10
_ENVELOPE_BINS = 512
_SMOOTH_BINS = 2.0
_MARGIN = 64
_FLOOR = 1e-14


@dataclass(frozen=True)
class Analysis:
    """A recording taken apart.

    Attributes:
        recording: the recording.
        speed_hz: its shaft speed.
        mean_g: (c,) its mean: gravity and the sensor's offset.
        amplitude_g: (c, k) complex amplitudes of the shaft's orders 1 to k, phase against the recording's start.
        residual: (c, n) what is left.
        frequency_hz: (bins,) of the envelope.
        density: (c, bins) smoothed power spectral density of the residual, g^2/Hz.
    """

    recording: RealRecording
    speed_hz: float
    mean_g: Array
    amplitude_g: Complex
    residual: Single
    frequency_hz: Array
    density: Array
    log_density: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_density", np.log(self.density + _FLOOR))

    @staticmethod
    def of(recording: RealRecording, speed_hz: float) -> Analysis:
        """Take `recording` apart at its shaft speed."""
        samples = recording.samples.T.astype(np.float64)
        mean_g = samples.mean(axis=1)
        samples -= mean_g[:, None]
        rate_hz, n = recording.rate_hz, samples.shape[1]
        amplitude_g = _fit(samples, speed_hz / rate_hz, min(_ORDERS, math.ceil(0.45 * rate_hz / speed_hz) - 1))
        add_orders(samples, -amplitude_g, 0.0, speed_hz / rate_hz)
        frequency_hz, density = signal.welch(samples, rate_hz, "hann", min(2 * _ENVELOPE_BINS, n))
        density = np.exp(gaussian_filter1d(np.log(density + _FLOOR), _SMOOTH_BINS, axis=1))
        return Analysis(recording, speed_hz, mean_g, amplitude_g, samples.astype(np.float32), frequency_hz, density)


@dataclass(frozen=True)
class GrowthLaw:
    """How a healthy machine's broad band grows: density = floor + rest * (speed)^(2 exponent), bin by bin.

    Attributes:
        frequency_hz: (bins,).
        floor: (c, bins) part that does not depend on speed (the sensor's noise, surroundings), g^2/Hz.
        exponent: growth of the rest's RMS with speed.
    """

    frequency_hz: Array
    floor: Array
    exponent: float

    @staticmethod
    def fit(healthy: Sequence[Analysis]) -> GrowthLaw:
        """Fit to healthy recordings: non-negative least squares of relative errors, in each bin and channel.

        With speeds closer than a factor of 1.5 nothing can be said about growth: no floor, exponent 1.5. A recording too
        short for the envelope of the others has no say.
        """
        first = max(healthy, key=lambda analysis: len(analysis.frequency_hz))
        healthy = [analysis for analysis in healthy if len(analysis.frequency_hz) == len(first.frequency_hz)]
        speeds = np.array([a.speed_hz for a in healthy])
        if speeds.max() < 1.5 * speeds.min():
            return GrowthLaw(first.frequency_hz, np.zeros_like(first.density), ROLLING_EXPONENT)
        grown = (speeds / np.exp(np.log(speeds).mean())) ** (2.0 * ROLLING_EXPONENT)
        floor = np.zeros_like(first.density)
        densities = np.stack([a.density for a in healthy])
        for index in np.ndindex(floor.shape):
            measured = densities[(slice(None), *index)]
            terms = np.stack([1.0 / measured, grown / measured], axis=1)
            floor[index] = nnls(terms, np.ones(len(speeds)))[0][0]
        return GrowthLaw(first.frequency_hz, floor, ROLLING_EXPONENT)

    def floor_at(self, frequency_hz: Array) -> Array:
        """The floor at the bins (m,) of another recording's envelope, (c, m)."""
        if len(frequency_hz) == len(self.frequency_hz):
            return self.floor
        return _interp(frequency_hz, self.frequency_hz, self.floor)


def carried_samples(analysis: Analysis, speed_hz: float, rate_hz: float) -> int:
    """How many samples at `rate_hz` the recording gives at `speed_hz`."""
    stretch = speed_hz / analysis.speed_hz
    return math.floor(analysis.recording.duration_s / stretch * rate_hz) - 2 * _MARGIN


def carry(
    analysis: Analysis,
    law: GrowthLaw,
    speed_hz: float,
    rate_hz: float,
    samples: int,
    rng: np.random.Generator,
    exponent: float | None = None,
    mounting: Mounting = AS_IT_WAS,
) -> tuple[Array, float]:
    """A stretch of the recording as it would be at another speed, without its mean.

    Args:
        analysis: the recording.
        law: growth law of the machine.
        speed_hz: the new shaft speed.
        rate_hz: sampling rate of the result.
        samples: length of the result; at most `carried_samples`.
        rng: chooses the stretch and the shaft's angle at its start; fills frequencies the recording did not reach.
        exponent: growth of the broad band instead of the law's.
        mounting: another mounting of the machine.

    Returns:
        (c, samples), g; and the speed it has, Hz (lengths that transform fast may shift it by a per cent).
    """
    available = carried_samples(analysis, speed_hz, rate_hz)
    if samples > available:
        raise ValueError(f"{samples} samples wanted, the recording gives {available} at {60 * speed_hz:g} rpm")
    stretch = speed_hz / analysis.speed_hz
    source_hz, available = analysis.recording.rate_hz, analysis.residual.shape[1]
    out = samples + 2 * _MARGIN
    # Lengths with small factors, or the transforms take many times as long; the speed gives way for it.
    out = next_fast_len(out, real=True)
    count = prev_fast_len(min(round(out / rate_hz * stretch * source_hz), available), real=True)
    stretch = count / source_hz * rate_hz / out
    speed_hz = stretch * analysis.speed_hz
    start = int(rng.integers(0, available - count + 1))
    spectrum = rfft(analysis.residual[:, start : start + count])
    bins = out // 2 + 1
    frequency_hz: Array = np.arange(bins, dtype=np.float64) * (rate_hz / out)
    target = _target(analysis, law, stretch ** (2.0 * (law.exponent if exponent is None else exponent)))
    log_target = _interp(frequency_hz, analysis.frequency_hz, np.log(target + _FLOOR))
    log_gain = 0.5 * (log_target - _interp(frequency_hz, analysis.frequency_hz * stretch, analysis.log_density))
    log_gain += mounting.log_gain(frequency_hz)
    shared = min(bins, spectrum.shape[1])
    moved = np.zeros((len(spectrum), bins), dtype=np.complex64)
    moved[:, :shared] = spectrum[:, :shared]
    moved *= (math.sqrt(stretch) * out / count * np.exp(log_gain)).astype(np.float32)
    beyond = frequency_hz > 0.95 * stretch * source_hz / 2.0
    if beyond.any():
        scale = np.exp(0.5 * log_target[:, beyond] + mounting.log_gain(frequency_hz[beyond]))
        noise = rng.standard_normal((2, *scale.shape))
        moved[:, beyond] = math.sqrt(rate_hz * out / 4.0) * scale * (noise[0] + 1j * noise[1])
    result: Array = irfft(moved, out)[:, _MARGIN : _MARGIN + samples].astype(np.float64)
    heard_hz = speed_hz * np.arange(1, analysis.amplitude_g.shape[1] + 1)
    heard_hz = heard_hz[heard_hz < 0.45 * rate_hz]
    lines = analysis.amplitude_g[:, : len(heard_hz)] * stretch**INERTIAL_EXPONENT * np.exp(mounting.log_gain(heard_hz))
    add_orders(result, lines, rng.uniform(), speed_hz / rate_hz)
    return result, speed_hz


@njit(cache=True)
def add_orders(out: Array, amplitude: Complex, turns: float, turns_per_sample: float) -> None:
    """Add whole orders of a shaft: out[c, i] += Re sum_k amplitude[c, k] exp(2 pi j (k + 1) (turns + i turns_per_sample)).

    Horner's rule, order by order, so that the loops over samples vectorise.
    """
    n, orders = out.shape[1], amplitude.shape[1]
    x, y, u, v = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        x[i], y[i] = cos_sin(2.0 * math.pi * (turns + i * turns_per_sample))
    for c in range(out.shape[0]):
        row = out[c]
        for i in range(n):
            u[i], v[i] = 0.0, 0.0
        for k in range(orders - 1, -1, -1):
            a, b = amplitude[c, k].real, amplitude[c, k].imag
            for i in range(n):
                p, q = u[i] + a, v[i] + b
                u[i], v[i] = p * x[i] - q * y[i], p * y[i] + q * x[i]
        for i in range(n):
            row[i] += u[i]


def _fit(samples: Array, turns_per_sample: float, orders: int) -> Complex:
    """Complex amplitudes (c, orders) of the shaft's orders in samples (c, n), all at once by least squares.

    As `sim.calibration.lines.fit_lines`, without the deviations, which take four times as long.
    """
    once = np.exp(2j * math.pi * turns_per_sample * np.arange(samples.shape[1]))
    orders_of_shaft = np.cumprod(np.broadcast_to(once, (max(orders, 0), len(once))), axis=0)
    basis = np.concatenate([orders_of_shaft.real, -orders_of_shaft.imag])
    gram = basis @ basis.T
    gram[np.diag_indices(len(gram))] *= 1.0 + 1e-9
    solution = linalg.solve(gram, basis @ samples.T, assume_a="pos") if orders > 0 else np.zeros((0, len(samples)))
    return np.ascontiguousarray((solution[:orders] + 1j * solution[orders:]).T)


def _target(analysis: Analysis, law: GrowthLaw, growth: float) -> Array:
    floor = np.minimum(law.floor_at(analysis.frequency_hz), analysis.density)
    return np.asarray((analysis.density - floor) * growth + floor)


def _interp(at: Array, frequency_hz: Array, values: Array) -> Array:
    """Values (c, bins) at other frequencies, linear, constant beyond the ends."""
    return np.stack([np.interp(at, frequency_hz, of_channel) for of_channel in values])
