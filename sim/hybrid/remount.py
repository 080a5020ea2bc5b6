"""Another mounting of the same machine: the transfer path changes a little at every frequency.

Nominally equal structures differ: Kompella and Bernhard (1993, "Measurement of the statistical variation of
structural-acoustic characteristics of automotive vehicles", SAE 931272) found frequency responses of about a hundred
vehicles of one type to scatter by some 5 to 10 dB from a few hundred hertz on. So a path that was calibrated on a healthy
machine says only roughly how a fault elsewhere, or after the repair that seeded it, will be heard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from sim.effect import Array

_OCTAVES = 7


@dataclass(frozen=True)
class Mounting:
    """A random smooth change of path.

    Attributes:
        log_frequency: (nodes,) natural logarithms of the nodes' frequencies in Hz, rising.
        log_gains: (c, nodes) natural logarithms of the gain there; linear against log frequency between them.
    """

    log_frequency: Array
    log_gains: Array

    @staticmethod
    def draw(rng: np.random.Generator, channels: int, scatter_db: float, rate_hz: float) -> Mounting:
        """The gain of each channel is a normal draw of `scatter_db` in all and another at each octave below `rate_hz` / 2."""
        nodes = np.log(rate_hz / 2.0) - math.log(2.0) * np.arange(_OCTAVES, -1, -1)
        draws = scatter_db * (rng.standard_normal((channels, 1)) + rng.standard_normal((channels, len(nodes))))
        return Mounting(nodes, draws * (math.log(10.0) / 20.0))

    def log_gain(self, frequency_hz: Array) -> Array:
        """Natural logarithm of the gain, (c, n) at frequencies (n,)."""
        at = np.log(np.maximum(frequency_hz, 1e-9))
        return np.stack([np.interp(at, self.log_frequency, of_channel) for of_channel in self.log_gains])


AS_IT_WAS = Mounting(np.zeros(1), np.zeros((1, 1)))
"""No change, for any number of channels."""


def remount(samples: NDArray[np.floating], rate_hz: float, mounting: Mounting) -> NDArray[np.float32]:
    """Samples (c, n) through a change of path, zero phase, in single precision."""
    n = samples.shape[1]
    padded = next_fast_len(n, real=True)
    frequency_hz: Array = np.arange(padded // 2 + 1, dtype=np.float64) * (rate_hz / padded)
    gain = np.exp(mounting.log_gain(frequency_hz))
    spectrum = rfft(samples.astype(np.float32), padded) * gain.astype(np.float32)
    return np.asarray(irfft(spectrum, padded)[:, :n], np.float32)
