"""Classical augmentation of windows with the library tsaug 0.2 (Arundo Analytics, Apache-2.0): what physics must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.windows import LabelledWindows, Task, concatenate, windows_of
from sim.dataset.real import RealRecording
from sim.seeds import generator

CLASSICAL = "classical"
"""Provenance of classically augmented windows."""

COPIES = 3
"""Changed copies of each real window."""
NOISE_OF_RANGE = (0.0, 0.05)
"""Standard deviation of the added noise, of the window's peak-to-peak."""
GAINS = tuple(2.0 ** (step / 10) for step in range(-10, 11))
"""Factors of the whole window: half to double."""
WARP_RATIO = (1.05, 1.5)
"""Fastest over slowest speed of time within a warped window."""


def classical(train: Sequence[RealRecording], task: Task, seed: int) -> LabelledWindows:
    """Copies of the training windows with noise, scaling and time warp, each with a probability of two thirds.

    `AddNoise` scales as well: multiplicative, with an offset and no noise.
    """
    from tsaug import AddNoise, TimeWarp

    windows = windows_of(train, task, task.train_hop)
    draws = generator(seed, CLASSICAL)
    copies = []
    for _ in range(COPIES):
        seeds = [int(draws.integers(2**31)) for _ in range(3)]
        chain = (
            AddNoise([gain - 1.0 for gain in GAINS], 0.0, kind="multiplicative", prob=2 / 3, seed=seeds[0])
            + AddNoise(scale=NOISE_OF_RANGE, prob=2 / 3, seed=seeds[1])
            + TimeWarp(n_speed_change=3, max_speed_ratio=WARP_RATIO, prob=2 / 3, seed=seeds[2])
        )
        x = chain.augment(windows.centred().x.astype(np.float64)).astype(np.float32)
        copies.append(
            LabelledWindows(
                x, windows.label, windows.kind, windows.group, windows.speed_rpm, np.full(len(x), CLASSICAL)
            )
        )
    return concatenate(copies)
