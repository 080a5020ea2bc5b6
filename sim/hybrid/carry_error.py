"""How wrong carrying is: what a machine's healthy recordings at several speeds say of one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from sim.effect import Array
from sim.hybrid.carry import Analysis, GrowthLaw, carried_samples, carry
from sim.seeds import generator

ASSUMED_DB = 3.0
"""Error over one octave of speed, where no two healthy recordings are at different speeds (an assumption)."""

_WINDOW = 1024
_MOST_WINDOWS = 8
_LOWEST_BIN = 8
_LEAST_OCTAVES = 0.05


@dataclass(frozen=True)
class CarryError:
    """Standard deviation between a recording carried to a speed and one that was made there, of levels in octave bands.

    It grows with the root of the distance in octaves of speed, as a sum of many small independent changes does.

    Attributes:
        one_octave_db: over one octave of speed.
    """

    one_octave_db: float

    @staticmethod
    def fit(healthy: Sequence[Analysis], law: GrowthLaw) -> CarryError:
        """From all pairs of healthy recordings at different speeds, each carried to where the other one is."""
        rng = generator(0, "carry error")
        levels = [_levels_db(a.recording.samples.T) for a in healthy]
        squares = octaves = 0.0
        for (source, _), (target, level) in permutations(zip(healthy, levels, strict=True), 2):
            distance = abs(math.log2(target.speed_hz / source.speed_hz))
            rate_hz = target.recording.rate_hz
            count = min(_MOST_WINDOWS, carried_samples(source, target.speed_hz, rate_hz) // _WINDOW)
            if distance < _LEAST_OCTAVES or count < 1 or len(target.recording.samples) < _WINDOW:
                continue
            carried, _ = carry(source, law, target.speed_hz, rate_hz, count * _WINDOW, rng)
            squares += float(np.mean((_levels_db(carried) - level) ** 2))
            octaves += distance
        return CarryError(math.sqrt(squares / octaves) if octaves > 0.0 else ASSUMED_DB)

    def deviation_db(self, from_hz: float, to_hz: float) -> float:
        """The standard deviation after carrying from one shaft speed to another."""
        return self.one_octave_db * math.sqrt(abs(math.log2(to_hz / from_hz)))


def _levels_db(samples: NDArray[np.floating]) -> Array:
    """Levels (c, bands) of samples (c, n) in octave bands, dB; the lowest octaves, with the shaft's lines, left out."""
    count = samples.shape[1] // _WINDOW
    windows = samples[:, : count * _WINDOW].reshape(len(samples), count, _WINDOW) * np.hanning(_WINDOW)
    power = np.mean(np.abs(np.fft.rfft(windows)) ** 2, axis=1)
    edges = [_LOWEST_BIN << k for k in range(20) if _LOWEST_BIN << k < power.shape[1]]
    return np.asarray(10.0 * np.log10(np.add.reduceat(power, edges, axis=1) + 1e-20))
