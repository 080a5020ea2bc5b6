"""Gated recurrent unit (Cho et al. 2014; reset after the product) behind two strided convolutions: 64 steps, 24 cells."""

from __future__ import annotations

from typing import Any

from models.architectures.base import Weights, front, probabilities
from models.keras_runtime import keras

FILTERS = (12, 16)
CELLS = 24


def build(length: int, channels: int, classes: int, seed: int) -> Any:
    """The untrained Keras model: windows (n, length, channels) to probabilities (n, classes)."""
    weights = Weights(seed, "gru")
    inputs = keras().Input((length, channels))
    x = front(inputs, weights, FILTERS)
    x = keras().layers.GRU(
        CELLS, kernel_initializer=weights.glorot(), recurrent_initializer=weights.orthogonal(), name="gru"
    )(x)
    return keras().Model(inputs, probabilities(x, classes, weights), name="gru")
