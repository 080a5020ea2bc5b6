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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from scipy.fft import irfft, next_fast_len, prev_fast_len, rfft
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls

from sim.calibration.lines import fit_lines
from sim.dataset.real import RealRecording
from sim.effect import Array

INERTIAL_EXPONENT = 2.0
"""Shaft lines grow with speed squared, as m e w^2 does."""

ROLLING_EXPONENT = 1.5
"""Broad band in a fixed band: `sim.machine.rolling_noise`; used where healthy recordings at several speeds are lacking."""

FAULT_EXPONENTS = (0.5, 1.5)
"""Range of the broad band's growth under a fault. A rough contact under constant preload only meets more asperities a
second (power with speed, RMS with its root); impacts whose size also goes with the speed of impact, 1.5."""

_ORDERS = tuple(range(1, 11))
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
        orders: (k,) of its shaft lines.
        amplitude_g: (k, c) complex amplitudes of the lines, phase against the recording's start.
        residual: (n, c) what is left.
        frequency_hz: (bins,) of the envelope.
        density: (bins, c) smoothed power spectral density of the residual, g^2/Hz.
    """

    recording: RealRecording
    speed_hz: float
    orders: Array
    amplitude_g: NDArray[np.complex128]
    residual: Array
    frequency_hz: Array
    density: Array

    @staticmethod
    def of(recording: RealRecording, speed_hz: float) -> Analysis:
        """Take `recording` apart at its shaft speed."""
        samples = recording.samples.astype(np.float64)
        samples -= samples.mean(axis=0)
        orders = [k for k in _ORDERS if k * speed_hz < 0.45 * recording.rate_hz]
        lines = fit_lines(samples, recording.rate_hz, speed_hz, orders)
        amplitude_g = np.asarray(lines.amplitude, dtype=np.complex128)
        times_s = np.arange(len(samples)) / recording.rate_hz
        residual = samples - _tones(np.array(orders), amplitude_g, speed_hz, times_s)
        n = min(2 * _ENVELOPE_BINS, len(samples))
        frequency_hz, density = signal.welch(residual, recording.rate_hz, "hann", n, axis=0)
        density = np.exp(gaussian_filter1d(np.log(density + _FLOOR), _SMOOTH_BINS, axis=0))
        return Analysis(recording, speed_hz, np.array(orders, float), amplitude_g, residual, frequency_hz, density)


@dataclass(frozen=True)
class GrowthLaw:
    """How a healthy machine's broad band grows: density = floor + rest * (speed)^(2 exponent), bin by bin.

    Attributes:
        frequency_hz: (bins,).
        floor: (bins, c) part that does not depend on speed (the sensor's noise, surroundings), g^2/Hz.
        exponent: growth of the rest's RMS with speed.
    """

    frequency_hz: Array
    floor: Array
    exponent: float

    @staticmethod
    def fit(healthy: Sequence[Analysis]) -> GrowthLaw:
        """Fit to healthy recordings: non-negative least squares of relative errors, in each bin and channel.

        With speeds closer than a factor of 1.5 nothing can be said about growth: no floor, exponent 1.5.
        """
        speeds = np.array([a.speed_hz for a in healthy])
        first = healthy[0]
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
) -> tuple[Array, float]:
    """A stretch of the recording as it would be at another speed.

    Args:
        analysis: the recording.
        law: growth law of the machine.
        speed_hz: the new shaft speed.
        rate_hz: sampling rate of the result.
        samples: length of the result; at most `carried_samples`.
        rng: chooses the stretch and the shaft's angle at its start; fills frequencies the recording did not reach.
        exponent: growth of the broad band instead of the law's.

    Returns:
        (samples, c), g; and the speed it has, Hz (lengths that transform fast may shift it by a per cent).
    """
    available = carried_samples(analysis, speed_hz, rate_hz)
    if samples > available:
        raise ValueError(f"{samples} samples wanted, the recording gives {available} at {60 * speed_hz:g} rpm")
    stretch = speed_hz / analysis.speed_hz
    source_hz = analysis.recording.rate_hz
    out = samples + 2 * _MARGIN
    # Lengths with small factors, or the transforms take many times as long; the speed gives way for it.
    out = next_fast_len(out, real=True)
    count = prev_fast_len(min(round(out / rate_hz * stretch * source_hz), len(analysis.residual)), real=True)
    stretch = count / source_hz * rate_hz / out
    speed_hz = stretch * analysis.speed_hz
    start = int(rng.integers(0, len(analysis.residual) - count + 1))
    spectrum = rfft(analysis.residual[start : start + count], axis=0)
    bins = out // 2 + 1
    shared = min(bins, len(spectrum))
    moved = np.zeros((bins, spectrum.shape[1]), dtype=np.complex128)
    moved[:shared] = spectrum[:shared] * (out / count)
    frequency_hz = np.arange(bins) * rate_hz / out
    power = 2.0 * (law.exponent if exponent is None else exponent)
    target = _target(analysis, law, stretch**power)
    stretched_from = analysis.frequency_hz * stretch
    gain = np.sqrt(
        _interp(frequency_hz, analysis.frequency_hz, target)
        / (_interp(frequency_hz, stretched_from, analysis.density) / stretch)
    )
    moved *= gain
    beyond = frequency_hz > 0.95 * stretch * source_hz / 2.0
    if beyond.any():
        scale = np.sqrt(_interp(frequency_hz[beyond], analysis.frequency_hz, target) * rate_hz * out / 4.0)
        noise = rng.standard_normal((2, *scale.shape))
        moved[beyond] = scale * (noise[0] + 1j * noise[1])
    result: Array = irfft(moved, out, axis=0)[_MARGIN : _MARGIN + samples]
    heard = analysis.orders * speed_hz < 0.45 * rate_hz
    amplitude_g = analysis.amplitude_g[heard] * stretch**INERTIAL_EXPONENT
    times_s = rng.uniform(0.0, 1.0 / speed_hz) + np.arange(samples) / rate_hz
    result += _tones(analysis.orders[heard], amplitude_g, speed_hz, times_s)
    return result, speed_hz


def _tones(orders: Array, amplitude_g: NDArray[np.complex128], speed_hz: float, times_s: Array) -> Array:
    """Sum (n, c) of tones at whole orders: powers of one phasor, which are cheaper than a cosine each."""
    once = np.exp(2j * math.pi * speed_hz * times_s)
    result = np.zeros((len(times_s), amplitude_g.shape[1]))
    phasor, reached = np.ones_like(once), 0
    for order, amplitude in zip(orders.astype(int), amplitude_g, strict=True):
        for _ in range(order - reached):
            phasor = phasor * once
        reached = order
        result += np.outer(phasor.real, amplitude.real) - np.outer(phasor.imag, amplitude.imag)
    return result


def _target(analysis: Analysis, law: GrowthLaw, growth: float) -> Array:
    floor = np.minimum(law.floor, analysis.density)
    return np.asarray((analysis.density - floor) * growth + floor)


def _interp(at: Array, frequency_hz: Array, density: Array) -> Array:
    """Densities (bins, c) at other frequencies, log-linear, constant beyond the ends."""
    logs = np.log(density + _FLOOR)
    return np.asarray(np.exp(np.stack([np.interp(at, frequency_hz, log) for log in logs.T], axis=1)))
