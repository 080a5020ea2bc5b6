"""Whether the sensor was sound in a window, from its counts alone; a broken sensor's window is not judged.

Integers only. Of the channels that measure vibration (process data may well stand still), first rule that holds:

    saturated   some channel has at least max(1, window >> 7) counts of 32767 and above or -32767 and below
    stuck       some channel has one value throughout
    dropout     in at least max(16, window >> 5) samples in a row every channel repeats its sample before
    ok          none of these

Known limits: a range that shrank, an offset, spikes and swapped axes are not seen, nor the gyroscope's clipping below the
end of int16.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.preprocessing import Counts
from sim.dataset.table import OK

RAIL = 32767
SATURATED, STUCK, DROPOUT = "saturated", "stuck", "dropout"
_VIBRATION = ("_g", "_dps")


def vibration_channels(channels: Sequence[str]) -> list[int]:
    """Places of the channels that measure vibration, by the unit in their names."""
    return [place for place, name in enumerate(channels) if name.endswith(_VIBRATION)]


def sensor_state(counts: Counts, places: Sequence[int]) -> str:
    """State of the sensor in counts (window, channels), by the channels at `places`; see the module."""
    if not places:
        return OK
    x = counts[:, list(places)].astype(np.int32)
    window = len(x)
    if (np.abs(x) >= RAIL).sum(axis=0).max() >= max(1, window >> 7):
        return SATURATED
    if (x.max(axis=0) == x.min(axis=0)).any():
        return STUCK
    moved = np.flatnonzero((np.diff(x, axis=0) != 0).any(axis=1))
    edges = np.concatenate([[-1], moved, [window - 1]])
    if int(np.diff(edges).max()) - 1 >= max(16, window >> 5):
        return DROPOUT
    return OK
