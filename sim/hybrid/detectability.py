"""How strong a fault must be to be seen: levels in bands against the scatter of healthy windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from sim.effect import Array

BANDS_PER_OCTAVE = 3
LEAST_SCATTER_DB = 0.5
"""No band is taken to be steadier than this: windows of one recording are steadier than the machine is."""

EDGE_SCATTERS = 2.0
"""Edge of detectability: a mean rise of two standard deviations of healthy windows, in the band the fault affects most.
Whoever knows that band then finds half of such windows at one false alarm in forty."""


def band_levels_db(windows: NDArray[np.floating]) -> Array:
    """Levels of windows (n, length, c) in narrow bands: (n, bands, c), dB re 1 g^2.

    Hann window; bands are single bins at the low end (where the shaft's lines lie), thirds of an octave above.
    """
    return 10.0 * np.log10(_band_power(windows) + 1e-20)


def _band_power(windows: NDArray[np.floating]) -> Array:
    length = windows.shape[1]
    taper, edges = _taper(length), _edges(length)
    spectrum = rfft((windows * taper[:, None]).transpose(0, 2, 1))
    power = spectrum.real**2 + spectrum.imag**2
    bands = np.add.reduceat(power, edges, axis=2)[:, :, :-1] * (2.0 / (length * float((taper**2).sum())))
    return np.asarray(bands.transpose(0, 2, 1))


@cache
def _taper(length: int) -> NDArray[np.float32]:
    return np.hanning(length + 1)[:length].astype(np.float32)


@cache
def _edges(length: int) -> NDArray[np.intp]:
    """First bin of each band; the last is where the last band ends. Bin 0 (the mean) is left out."""
    top = length // 2
    ratio = 2.0 ** (1.0 / BANDS_PER_OCTAVE)
    edges = [1]
    while edges[-1] < top:
        edges.append(max(edges[-1] + 1, round(edges[-1] * ratio)))
    edges[-1] = top
    return np.array(sorted(set(edges)), dtype=np.intp)


@dataclass(frozen=True)
class HealthyLevels:
    """Levels of healthy windows at one speed.

    Attributes:
        mean_db, scatter_db: (bands, c).
    """

    mean_db: Array
    scatter_db: Array

    @staticmethod
    def of(windows: Sequence[NDArray[np.floating]]) -> HealthyLevels:
        """From healthy windows, one array (n, length, c) a recording: scatter within and between recordings counts."""
        levels = np.concatenate([band_levels_db(w) for w in windows])
        return HealthyLevels(levels.mean(axis=0), np.maximum(levels.std(axis=0), LEAST_SCATTER_DB))

    def ratio(self, response: NDArray[np.floating]) -> Array:
        """Mean power (bands, c) of a response (n, length, c) over the healthy one."""
        return np.asarray(_band_power(response).mean(axis=0) / 10.0 ** (self.mean_db / 10.0))

    def edge_gain(self, ratio: Array) -> float:
        """The gain at which a response of this `ratio` is at the edge of detectability; infinite for a silent one."""
        if not ratio.max() > 0.0:
            return math.inf
        # Each band alone would need gain^2 ratio = 10^(edge scatter / 10) - 1; the most affected one decides.
        with np.errstate(divide="ignore"):
            needed = (10.0 ** (EDGE_SCATTERS * self.scatter_db / 10.0) - 1.0) / ratio
        return float(np.sqrt(needed.min()))


def rises_db(ratio: Array, gain: float) -> Array:
    """Mean rise (bands, c) that `gain` times a response of this `ratio` brings."""
    return np.asarray(10.0 * np.log10(1.0 + gain**2 * ratio))
