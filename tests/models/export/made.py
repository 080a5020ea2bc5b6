"""Preprocessed windows that are easily told apart, and networks trained on them within seconds.

`python -m tests.models.export.made [NAME ...]` prints what the tests check: cost and parity of every network.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.architectures import ARCHITECTURES, build
from models.export.export import Exported, export
from models.keras_runtime import keras
from models.preprocessing import to_float

LENGTH, CHANNELS, CLASSES = 1024, 3, 4
RATE_HZ = 3332.0


CLEAR, MIXED = (0.7, 1.4), (0.1, 1.2)
"""Range of the signal's level: told apart without doubt, or not always, so that probabilities lie between 0 and 1 too."""


@cache
def windows(count: int, seed: int, level: tuple[float, float] = CLEAR) -> tuple[NDArray[np.int8], NDArray[np.intp]]:
    """Int8 windows (count, 1024, 3) of noise alone (0), with a low line (1), a high line (2), or shocks (3)."""
    draws = np.random.default_rng(seed)
    truth = draws.integers(0, CLASSES, count)
    time_s = np.arange(LENGTH)[:, None] / RATE_HZ
    x = 0.4 * draws.standard_normal((count, LENGTH, CHANNELS))
    ring = np.exp(-np.arange(30) / 8) * np.sin(2 * np.pi * 900 / RATE_HZ * np.arange(30))
    for window, kind in zip(x, truth.tolist(), strict=True):
        gain, phase = draws.uniform(*level) * draws.uniform(0.8, 1.2, CHANNELS), draws.uniform(0, 2 * np.pi)
        if kind in (1, 2):
            line_hz = draws.uniform(*((20, 40), (300, 500))[kind - 1])
            window += gain * np.sin(2 * np.pi * line_hz * time_s + phase)
        elif kind == 3:
            for at in np.arange(draws.uniform(0, 60), LENGTH - 30, draws.uniform(60, 90)).astype(int):
                window[at : at + 30] += 2.5 * gain * ring[:, None]
    return np.clip(np.rint(32 * x), -127, 127).astype(np.int8), truth


def trained(name: str) -> Any:
    """A network after some epochs on 1,000 windows; the autoencoder on the normal ones alone."""
    x, truth = windows(1000, seed=0, level=MIXED)
    keras().utils.set_random_seed(0)
    model = build(name, LENGTH, CHANNELS, CLASSES, seed=0)
    epochs, batch = 10, 32
    optimizer = keras().optimizers.Adam(keras().optimizers.schedules.CosineDecay(5e-3, epochs * len(x) // batch))
    if name == "autoencoder":
        model.compile(optimizer, "mse")
        x = to_float(x[truth == 0])
        model.fit(x, x, batch_size=batch, epochs=epochs, verbose=0)
        return model
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(to_float(x), truth, batch_size=batch, epochs=epochs, verbose=0)
    return model


def exported(name: str, model: Any) -> Exported:
    """A trained network, exported and compared on 1,000 windows that it has not seen, many of them hard to tell."""
    check, truth = windows(1000, seed=1, level=MIXED)
    return export(name, model, windows(200, seed=0, level=MIXED)[0], check, truth)


class Made(NamedTuple):
    """A trained network and what became of it."""

    model: Any
    exported: Exported


@cache
def made(name: str) -> Made:
    """A network, trained and exported once in a process."""
    model = trained(name)
    return Made(model, exported(name, model))


if __name__ == "__main__":
    for each in sys.argv[1:] or ARCHITECTURES:
        print("\n".join(exported(each, trained(each)).lines()))
