"""Long short-term memory (Hochreiter and Schmidhuber 1997) behind two strided convolutions: 64 steps, 24 cells.

The outputs of all steps are averaged: the fused operator has them anyway, and learning takes half as long as from the
last one alone.
"""

from __future__ import annotations

from typing import Any

from models.architectures.base import Weights, front, probabilities
from models.keras_runtime import keras

FILTERS = (12, 16)
CELLS = 24


def build(length: int, channels: int, classes: int, seed: int) -> Any:
    """The untrained Keras model: windows (n, length, channels) to probabilities (n, classes)."""
    weights = Weights(seed, "lstm")
    inputs = keras().Input((length, channels))
    x = front(inputs, weights, FILTERS)
    x = keras().layers.LSTM(
        CELLS, kernel_initializer=weights.glorot(), recurrent_initializer=weights.orthogonal(), return_sequences=True,
        name="lstm",
    )(x)  # fmt: skip
    x = keras().layers.GlobalAveragePooling1D(name="pool")(x)
    return keras().Model(inputs, probabilities(x, classes, weights), name="lstm")
