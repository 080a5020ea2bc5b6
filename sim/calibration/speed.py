"""Shaft speed from a vibration recording alone: a comb of harmonics, read to a fraction of a bin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage, signal

from sim.calibration.estimate import Estimate
from sim.errors import DatasetError

Array = NDArray[np.float64]

HARMONICS = 10
"""Orders 1 to 10: higher ones add little and smear first when the speed wanders."""

MAINS_HZ = (50.0, 60.0)
"""Multiples of these may be the grid's (or a converter's) instead of the shaft's."""

_PAD = 4  # points of the spectrum per 1/T
_SIGNIFICANT = 12.0  # power of a line over the noise, at the least: e^-12 by chance
_WEIGHT = -0.4  # power of the order with which it counts in the comb
_DRIFT_STANDS_OUT = 3.0  # log power that a drift must gain over a steady speed
_SATURATION = 1e4  # a line that far above the noise says all it can of where the comb is
_MAINS_COUNT = 300.0  # the same for a line that may be the grid's
_STEEPEST = 0.06  # change of speed over the recording, relative, that is looked for
_HANN = 2.34  # variance of a frequency read under a Hann window over the bound of Rife and Boorstyn
_OTHER_LINES = 0.05  # of 1/T: how far unresolved neighbours (sidebands, slip lines) pull a line, at the least


@dataclass(frozen=True)
class Speed(Estimate):
    """Mean shaft speed of a recording, in Hz.

    Attributes:
        drift: speed at the end less that at the start, Hz (linear course assumed); 0 when no drift stands out.
        orders: the orders of the shaft that were found.
    """

    drift: float = 0.0
    orders: tuple[int, ...] = ()

    @property
    def rpm(self) -> float:
        """The mean speed in revolutions per minute."""
        return 60.0 * self.value


class _Spectrum(NamedTuple):
    """Power over noise of a recording whose time was warped, padded: `power[i]` at `i * step_hz`."""

    power: Array  # (bins,), mean over the channels
    information: Array  # (bins,), sum over the channels
    floor: Array  # (bins, c), power of the noise
    step_hz: float
    duration_s: float

    def at(self, frequency_hz: Array) -> Array:
        """Power over noise at any frequency (nearest point of the padded spectrum), 0 beyond the spectrum's end."""
        index = np.rint(frequency_hz / self.step_hz).astype(np.intp)
        return np.where(index < len(self.power), self.power[np.minimum(index, len(self.power) - 1)], 0.0)


def estimate_speed(samples: ArrayLike, rate_hz: float, low_rpm: float, high_rpm: float) -> Speed:
    """Mean shaft speed of a recording from its spectrum.

    The comb 1x..10x that stands out most between `low_rpm` and `high_rpm` is searched, over steady and over linearly
    changing speeds; then each harmonic's frequency is read from the lowest order up, and one that does not fit those
    below it (a sideband, a line of the motor's slip) is left out. A harmonic near a multiple of the mains frequency
    may be the grid's, so it counts for no more than its distance from there. The standard deviation comes from each
    line's signal-to-noise ratio (Rife and Boorstyn 1974, IEEE Trans. Inf. Theory 20(5)) and the harmonics' scatter.

    Known limits: the orders of another shaft in the range cannot be told from this one's (give a narrow range); a speed
    that wanders to and fro widens the lines and so the deviation, but is not followed.

    Args:
        samples: (n, c) or (n,), in any unit.
        rate_hz: sampling rate.
        low_rpm, high_rpm: range to search, 0 < low < high.

    Returns:
        The speed in Hz (not rpm), with its standard deviation and the drift over the recording.

    Raises:
        DatasetError: fewer than eight turns, or no line of a shaft in the range.
        ValueError: a range that makes no sense, or samples that are not finite.
    """
    x = np.asarray(samples, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    low_hz, high_hz = low_rpm / 60.0, high_rpm / 60.0
    if not (0.0 < low_hz < high_hz < rate_hz / 2.0):
        raise ValueError(
            f"speed range {low_rpm:g} to {high_rpm:g} rpm; allowed is 0 < low < high < {30 * rate_hz:g} rpm"
        )
    if not np.isfinite(x).all():
        raise ValueError("the samples hold NaN or infinity")
    if len(x) / rate_hz * high_hz < 8.0:
        raise DatasetError(
            f"{len(x) / rate_hz:.3g} s are less than eight turns at {high_rpm:g} rpm: too short for a speed"
        )
    x, rate_hz = _narrowed(x - x.mean(axis=0), rate_hz, 1.3 * HARMONICS * high_hz)
    x = x[:, np.ptp(x, axis=0) > 0.0]
    if x.shape[1] == 0:
        raise DatasetError("all channels are constant: no shaft turns there")
    slope, coarse_hz, spectrum = _search(x, rate_hz, low_hz, high_hz)
    value, std, orders = _refine(spectrum, coarse_hz)
    if not orders:
        raise DatasetError(f"no line of a shaft stands out between {low_rpm:g} and {high_rpm:g} rpm")
    return Speed(value, std, "Hz", False, slope * value, orders)


def _narrowed(x: Array, rate_hz: float, top_hz: float) -> tuple[Array, float]:
    """The recording at the lowest rate that still carries `top_hz`."""
    down = max(int(rate_hz / (2.6 * top_hz)), 1)
    return (x, rate_hz) if down == 1 else (signal.resample_poly(x, 1, down, axis=0), rate_hz / down)


def _spectrum(x: Array, rate_hz: float, slope: float, floor: Array | None = None) -> _Spectrum:
    """Spectrum over the shaft's own time: a speed that changes by `slope` (relative, linear) gives sharp lines.

    The noise floor, (bins, c), is the running median over 40/T (wider than a line, narrower than a resonance); one that
    is known already can be given.
    """
    n = len(x)
    if slope != 0.0:
        u = np.arange(n) / n
        own = n * (u + 0.5 * slope * (u * u - u))  # turns so far, in samples at the mean speed
        at = np.interp(np.arange(n), own, np.arange(n))
        x = np.column_stack([ndimage.map_coordinates(channel, [at], order=3) for channel in x.T])
    length = fft.next_fast_len(_PAD * n, real=True)
    power = np.abs(fft.rfft(x * np.hanning(n)[:, None], length, axis=0)) ** 2
    if floor is None:
        floor = ndimage.median_filter(power[::_PAD], size=(41, 1), mode="nearest") / math.log(2.0)
        floor = np.repeat(floor, _PAD, axis=0)[: len(power)] + 1e-30 * power.max()
    ratio = power / floor
    ratio[: 2 * _PAD] = 0.0  # what is left of the mean
    return _Spectrum(ratio.mean(axis=1), ratio.sum(axis=1), floor, rate_hz / length, n / rate_hz)


def _search(x: Array, rate_hz: float, low_hz: float, high_hz: float) -> tuple[float, float, _Spectrum]:
    """Relative slope and mean frequency of the comb that stands out most, and the spectrum it does so in."""
    duration_s = len(x) / rate_hz
    grid = np.arange(low_hz, high_hz, 1.0 / (4.0 * HARMONICS * duration_s))
    spectrum = _spectrum(x, rate_hz, 0.0)
    _, at_hz = _best_comb(spectrum, grid)
    # The grid does not drift, so its lines count in full when drifts are compared with a steady speed.
    slope, steady = 0.0, _best_comb(spectrum, grid, mains_count=_SATURATION)[0]
    best = steady
    # Slopes so fine that a step smears the fifth order by about a line's width, where the range's middle speed has it.
    step = max(1.5 / (2.5 * (low_hz + high_hz) * duration_s), _STEEPEST / 60.0)
    for k in range(1, int(_STEEPEST / step) + 1):
        for tried in (-k * step, k * step):
            tilted = _spectrum(x, rate_hz, tried, spectrum.floor)
            score, hz = _best_comb(tilted, grid, mains_count=_SATURATION)
            if score > max(best, steady + _DRIFT_STANDS_OUT):
                best, slope, at_hz = score, tried, hz
    if slope == 0.0:
        return 0.0, at_hz, spectrum
    near = at_hz * np.linspace(0.99, 1.01, 401)
    finer = [(_spectrum(x, rate_hz, float(s), spectrum.floor), float(s)) for s in slope + step * np.linspace(-1, 1, 17)]
    (best, at_hz), slope, spectrum = max(
        ((_best_comb(f, near, mains_count=_SATURATION), s, f) for f, s in finer), key=lambda found: found[0][0]
    )
    return slope, at_hz, spectrum


def _best_comb(spectrum: _Spectrum, grid: Array, mains_count: float = _MAINS_COUNT) -> tuple[float, float]:
    """How far the best comb stands out, and its frequency: log power of its orders, beyond what noise would give.

    Low orders count more: a comb of half the frequency has every line of this one, but at even orders.
    """
    total = np.zeros(len(grid))
    resolution_hz = 1.0 / spectrum.duration_s
    for k in range(1, HARMONICS + 1):
        mains = np.any([np.abs(k * grid - np.rint(k * grid / m) * m) < resolution_hz for m in MAINS_HZ], axis=0)
        power = np.minimum(spectrum.at(k * grid), np.where(mains, mains_count, _SATURATION))
        total += (np.log1p(power) - 0.6) * k**_WEIGHT  # 0.6: mean of log(1 + power) in noise
    i = int(total.argmax())
    return float(total[i]), float(grid[i])


def _refine(spectrum: _Spectrum, coarse_hz: float) -> tuple[float, float, tuple[int, ...]]:
    """Mean frequency of the harmonics, its standard deviation, and the orders that took part."""
    resolution_hz = 1.0 / spectrum.duration_s
    value, std = coarse_hz, 0.5 * resolution_hz
    weights: list[float] = []
    values: list[float] = []
    orders: list[int] = []
    for k in range(1, HARMONICS + 1):
        # The comb may have been caught by the flank of a line: the first one is looked for as far as a flank reaches.
        reach_hz = min(3.0 * k * std + 0.1 * resolution_hz, resolution_hz) if orders else 2.0 * resolution_hz
        line = _peak(spectrum, k * value, reach_hz)
        if line is None:
            continue
        at_hz, power, smear_hz = line
        variance = _HANN * resolution_hz**2 / (math.pi**2 * power) + (_OTHER_LINES * resolution_hz) ** 2
        variance += (0.25 * smear_hz) ** 2
        variance += _mains_distance(k * value if orders else at_hz, resolution_hz) ** 2
        deviation_hz = abs(at_hz - k * value)
        if orders and deviation_hz > 3.0 * math.sqrt(variance + (k * std) ** 2):
            continue
        weights.append(k * k / variance)
        values.append(at_hz / k)
        orders.append(k)
        total = sum(weights)
        value = float(np.average(values, weights=weights))
        scatter = sum(w * (v - value) ** 2 for w, v in zip(weights, values, strict=True))
        std = math.sqrt(max(1.0, scatter / max(len(values) - 1, 1)) / total)
    return value, std, tuple(orders)


def _peak(spectrum: _Spectrum, near_hz: float, reach_hz: float) -> tuple[float, float, float] | None:
    """Frequency, power over noise (all channels) and smear of the highest peak within reach, if one is significant.

    The smear is what its width at half power has beyond that of a steady sine (Hz): speed that changed meanwhile.
    """
    first = max(math.floor((near_hz - reach_hz) / spectrum.step_hz), 1)
    last = min(math.ceil((near_hz + reach_hz) / spectrum.step_hz), len(spectrum.information) - 2)
    if last <= first:
        return None
    i = first + int(np.argmax(spectrum.information[first : last + 1]))
    below, here, above = spectrum.information[i - 1 : i + 2]
    if here < _SIGNIFICANT or here < max(below, above):  # on a flank: the line is another one's
        return None
    left, middle, right = math.log(below + 1e-9), math.log(here), math.log(above + 1e-9)
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    half = (
        np.flatnonzero(spectrum.information[: i + 1] < 0.5 * here),
        np.flatnonzero(spectrum.information[i:] < 0.5 * here),
    )
    width_hz = (i + half[1][0] - half[0][-1] - 1) * spectrum.step_hz if half[0].size and half[1].size else 0.0
    smear_hz = math.sqrt(max(width_hz**2 - (1.6 / spectrum.duration_s) ** 2, 0.0))
    return (i + shift) * spectrum.step_hz, float(here), smear_hz


def _mains_distance(frequency_hz: float, resolution_hz: float) -> float:
    """Distance from the nearest multiple of a mains frequency if that is too near to be told apart, else 0."""
    distances = (abs(frequency_hz - round(frequency_hz / mains) * mains) for mains in MAINS_HZ)
    return max((d for d in distances if d < 2.0 * resolution_hz), default=0.0)
