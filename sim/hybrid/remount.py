"""Another mounting of the same machine: the transfer path changes a little at every frequency.

Nominally equal structures differ: Kompella and Bernhard (1993, "Measurement of the statistical variation of
structural-acoustic characteristics of automotive vehicles", SAE 931272) found frequency responses of about a hundred
vehicles of one type to scatter by some 5 to 10 dB from a few hundred hertz on. So a path that was calibrated on a healthy
machine says only roughly how a fault elsewhere, or after the repair that seeded it, will be heard.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from sim.effect import Array

_OCTAVES = 7


def remount(samples: Array, rate_hz: float, scatter_db: float, rng: np.random.Generator) -> Array:
    """Samples (n, c) through a random smooth change of path.

    The gain of each channel is a normal draw of `scatter_db` in all and another at each octave, linear in dB against the
    logarithm of frequency between them; zero phase.
    """
    if scatter_db == 0.0:
        return samples
    n, channels = samples.shape
    padded = next_fast_len(n, real=True)
    frequency_hz = np.arange(padded // 2 + 1) * rate_hz / padded
    nodes = np.log(rate_hz / 2.0) - np.log(2.0) * np.arange(_OCTAVES, -1, -1)
    at = np.log(np.maximum(frequency_hz, 1e-9))
    draws = scatter_db * (rng.standard_normal((channels, 1)) + rng.standard_normal((channels, len(nodes))))
    gain = np.stack([np.interp(at, nodes, of_channel) for of_channel in draws], axis=1)
    spectrum = rfft(samples, padded, axis=0) * 10.0 ** (gain / 20.0)
    return np.asarray(irfft(spectrum, padded, axis=0)[:n])
