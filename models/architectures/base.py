"""What the networks share: repeatable weights, the strided convolutions in front, the dense layer at the end."""

from __future__ import annotations

from math import ceil
from typing import Any

from models.keras_runtime import keras
from sim.errors import ParameterError
from sim.seeds import generator

STEPS = 64
"""Most steps that recurrence and attention see: attention's memory grows with their square."""


class Weights:
    """Initialisers of one network's layers: each has its own seed, in the order in which they are asked for."""

    def __init__(self, seed: int, name: str) -> None:
        self._draws = generator(seed, name, "weights")

    def _seed(self) -> int:
        return int(self._draws.integers(2**31))

    def he(self) -> Any:
        """For layers with ReLU (He et al. 2015)."""
        return keras().initializers.HeNormal(seed=self._seed())

    def glorot(self, scale: float = 1.0) -> Any:
        """For layers without (Glorot and Bengio 2010); the variance is multiplied by `scale`."""
        return keras().initializers.VarianceScaling(scale, "fan_avg", "uniform", seed=self._seed())

    def orthogonal(self) -> Any:
        """For recurrent matrices (Saxe et al. 2014)."""
        return keras().initializers.Orthogonal(seed=self._seed())


def check_shape(length: int, channels: int, classes: int) -> None:
    """ParameterError unless a network can be built for such windows."""
    if length < 16 or channels < 1 or classes < 2:
        raise ParameterError(
            f"a network needs windows of at least 16 samples x 1 channel and at least 2 classes; "
            f"given: {length} x {channels}, {classes} classes"
        )


def strides(length: int) -> tuple[int, int]:
    """Strides of the two convolutions in front: powers of two that leave at most 64 steps (4 x 4 of 1024 samples)."""
    halvings = (ceil(length / STEPS) - 1).bit_length()
    return 2 ** ((halvings + 1) // 2), 2 ** (halvings // 2)


def front(x: Any, weights: Weights, filters: tuple[int, int], *, relu_last: bool = True) -> Any:
    """Two strided convolutions: (n, 1024, channels) to (n, 64, filters[1])."""
    first, second = strides(int(x.shape[1]))
    layers = keras().layers
    x = layers.Conv1D(
        filters[0], 4 * first, first, "same", activation="relu", kernel_initializer=weights.he(), name="front1"
    )(x)
    return layers.Conv1D(
        filters[1], max(3, 2 * second), second, "same", activation="relu" if relu_last else None,
        kernel_initializer=weights.he(), name="front2",
    )(x)  # fmt: skip


def probabilities(x: Any, classes: int, weights: Weights) -> Any:
    """The dense layer with softmax at the end: (n, classes)."""
    return keras().layers.Dense(classes, "softmax", kernel_initializer=weights.glorot(), name="classes")(x)
