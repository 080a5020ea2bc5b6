"""Several IMUs on one machine: back to machine axes, and the median of all.

Limits: the median is taken sample by sample, so the sensors must share their clock and their place. Two sensors whose
samples lie dt apart disagree at frequency f by the phase 2 pi f dt (18 degrees at 500 Hz and 0.1 ms), and sensors at
different places see different motion: both turn the median into a mixture of waveforms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.sensors.imu import mount_rotation


def to_machine_axes(samples: NDArray[np.float64], rotation_deg: Sequence[float]) -> NDArray[np.float64]:
    """Samples (n, 3 or 6) of a sensor mounted with `rotation_deg`, turned back to machine axes, triad by triad."""
    if samples.ndim != 2 or samples.shape[1] not in (3, 6):
        raise ValueError(f"samples must be (n, 3) or (n, 6), not {samples.shape}")
    triads = samples.reshape(len(samples), -1, 3)
    return np.asarray(triads @ mount_rotation(rotation_deg).T).reshape(samples.shape)


def median_fusion(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over sensors: (n_imu, n, channels), in machine axes -> (n, channels).

    NaN stands for a sample that is missing; the median is that of the others, NaN if none is left. With an even number
    of sensors it is the mean of the middle two. As long as the sound sensors are in the majority, the result lies
    between sound readings whatever the others say; so two sensors cannot outvote each other, and three can lose one.
    """
    if samples.ndim != 3 or len(samples) == 0:
        raise ValueError(f"samples must be (n_imu, n, channels) of at least one sensor, not {samples.shape}")
    ordered = np.sort(samples, axis=0)  # NaN last
    present = np.count_nonzero(~np.isnan(samples), axis=0)
    low, high = np.maximum(present - 1, 0) // 2, present // 2
    high = np.where(present == 0, 0, high)
    pick = (np.take_along_axis(ordered, i[None], axis=0)[0] for i in (low, high))
    return np.asarray(sum(pick) / 2)
