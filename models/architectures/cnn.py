"""Convolutions only: three strided ones, mean over time, one dense layer; 3,800 parameters for 3 channels, 4 classes.

They were set by convention; of two ways of pooling and two learning rates the one was kept that serves training on real
labels alone best (ADI, protocol a of docs/evaluation.md).
"""

from __future__ import annotations

from typing import Any

from models.architectures.base import Weights
from models.keras_runtime import keras


def logits(length: int, channels: int, classes: int, seed: int) -> Any:
    """The untrained Keras model without softmax: windows (n, length, channels) to logits (n, classes)."""
    weights = Weights(seed, "conv")

    def layer(filters: int, kernel: int, stride: int) -> Any:
        return keras().layers.Conv1D(
            filters, kernel, stride, "same", activation="relu", kernel_initializer=weights.he()
        )

    inputs = keras().Input((length, channels))
    x = layer(12, 16, 4)(inputs)
    x = layer(16, 8, 4)(x)
    x = layer(24, 4, 2)(x)
    pooled = keras().layers.GlobalAveragePooling1D()(x)
    return keras().Model(inputs, keras().layers.Dense(classes, kernel_initializer=weights.glorot())(pooled))


def build(length: int, channels: int, classes: int, seed: int) -> Any:
    """The untrained Keras model: windows (n, length, channels) to probabilities (n, classes)."""
    model = logits(length, channels, classes, seed)
    return keras().Model(model.inputs, keras().layers.Softmax()(model.outputs[0]), name="cnn")
