"""The networks, one a file; every one is small enough for the chip (docs/export.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.architectures import autoencoder, cnn, gru, lstm, transformer
from models.architectures.base import check_shape
from sim.errors import ParameterError

ARCHITECTURES: dict[str, Callable[[int, int, int, int], Any]] = {
    "cnn": cnn.build,
    "lstm": lstm.build,
    "gru": gru.build,
    "transformer": transformer.build,
    "autoencoder": autoencoder.build,
}
"""Builders by name: (length, channels, classes, seed) to an untrained Keras model of windows (n, length, channels)."""
CLASSIFIERS = tuple(name for name in ARCHITECTURES if name != "autoencoder")
"""Those that answer with probabilities (n, classes); the autoencoder answers with the window as it would be if normal."""


def build(name: str, length: int, channels: int, classes: int, seed: int) -> Any:
    """The untrained Keras model `name` for windows float32 (n, length, channels), already scaled.

    Same arguments: same weights. Two classes and more (binary: 2, normal first).

    Raises:
        ParameterError: no such architecture; too short windows, no channel, fewer than two classes.
    """
    if name not in ARCHITECTURES:
        raise ParameterError(f"no architecture {name!r}; there are {', '.join(ARCHITECTURES)}")
    check_shape(length, channels, classes)
    return ARCHITECTURES[name](length, channels, classes, seed)
