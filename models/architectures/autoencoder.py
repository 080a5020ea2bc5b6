"""An autoencoder for training on normal data alone: what it cannot reconstruct is not normal.

Two strided convolutions code 1024 x 3 samples as 64 steps x 8 numbers; two more unfold every step, with its neighbours',
into its 16 x 3 samples.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures.base import Weights, front, strides
from models.keras_runtime import keras
from sim.errors import ParameterError

FILTERS = (16, 8)
HIDDEN = 32


def build(length: int, channels: int, classes: int, seed: int) -> Any:
    """The untrained Keras model: windows (n, length, channels) to their reconstruction of the same shape.

    There are no classes: `classes` is not used.

    Raises:
        ParameterError: `length` is not a multiple of the front's strides (16 for 1024 samples).
    """
    if length % prod(strides(length)):
        raise ParameterError(
            f"an autoencoder needs windows of a multiple of {prod(strides(length))} samples, not {length}"
        )
    weights = Weights(seed, "autoencoder")
    layers = keras().layers
    inputs = keras().Input((length, channels))
    code = front(inputs, weights, FILTERS, relu_last=False)
    samples = length // int(code.shape[1])
    x = layers.Conv1D(HIDDEN, 3, 1, "same", activation="relu", kernel_initializer=weights.he(), name="unfold1")(code)
    x = layers.Conv1D(samples * channels, 1, kernel_initializer=weights.glorot(), name="unfold2")(x)
    return keras().Model(inputs, layers.Reshape((length, channels), name="samples")(x), name="autoencoder")


def scores(windows: NDArray[np.float32], reconstructed: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean square of what was not reconstructed, (n,)."""
    difference = windows.astype(np.float64) - reconstructed
    return np.asarray((difference * difference).mean(axis=(1, 2)), np.float64)
