"""One Transformer encoder block (Vaswani et al. 2017, norm first) behind two strided convolutions: 64 steps, width 24.

The layer normalisation is written out, as Keras' own has no int8 form, and without gain and offset: a dense layer
follows it everywhere, which holds both. A tanh before the block keeps loud and quiet steps within what 8 bits can
normalise: a variance of 8 bits spans 24 dB only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures.base import Weights, front, probabilities
from models.keras_runtime import keras

FILTERS = (12, 24)
WIDTH = FILTERS[1]
HIDDEN = 48
"""Width of the feed-forward layer."""
EPSILON = 0.1
"""Added to the variance, which 8 bits hold no finer than to a few hundredths."""


def build(length: int, channels: int, classes: int, seed: int) -> Any:
    """The untrained Keras model: windows (n, length, channels) to probabilities (n, classes)."""
    weights = Weights(seed, "transformer")
    ops, layers = keras().ops, keras().layers

    def dense(x: Any, width: int, name: str) -> Any:
        return layers.Dense(width, kernel_initializer=weights.glorot(), name=name)(x)

    inputs = keras().Input((length, channels))
    x = ops.tanh(front(inputs, weights, FILTERS, relu_last=False))
    x = x + positions(int(x.shape[1]), WIDTH)

    y = normalised(x)
    # The division by sqrt(WIDTH) is in the query's weights: on the chip it would cost a pass over 64 x 64 scores.
    query = layers.Dense(WIDTH, kernel_initializer=weights.glorot(scale=1 / WIDTH), name="query")(y)
    key, value = dense(y, WIDTH, "key"), dense(y, WIDTH, "value")
    scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
    attention = layers.Softmax(name="attention")(scores)
    x = x + dense(ops.matmul(attention, value), WIDTH, "mix")

    y = layers.Dense(HIDDEN, "relu", kernel_initializer=weights.he(), name="feed1")(normalised(x))
    x = x + dense(y, WIDTH, "feed2")
    x = layers.GlobalAveragePooling1D(name="pool")(normalised(x))
    return keras().Model(inputs, probabilities(x, classes, weights), name="transformer")


def normalised(x: Any) -> Any:
    """Mean 0 and variance 1 over the last axis."""
    ops = keras().ops
    deviation = x - ops.mean(x, axis=-1, keepdims=True)
    return deviation * ops.rsqrt(ops.mean(deviation * deviation, axis=-1, keepdims=True) + EPSILON)


def positions(steps: int, width: int) -> NDArray[np.float32]:
    """Sines and cosines (1, steps, width) that tell the steps apart (Vaswani et al. 2017, section 3.5)."""
    rate = 10_000.0 ** (-2.0 * np.arange((width + 1) // 2) / width)
    angle = np.arange(steps)[:, None] * rate
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(1, steps, -1)[:, :, :width].astype(np.float32)
