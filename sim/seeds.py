"""Random streams: one independent generator for every (seed, path), whatever else is drawn and in whatever order."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray


class _HashedSeed(ISeedSequence):
    """Seed words taken from SHAKE-128 of a path.

    The same idea as numpy's `SeedSequence(seed, spawn_key=path)`, whose mixing costs three times as much; a synthetic
    recording opens about a hundred streams, so it would take a third of the time of the simulation itself.
    """

    def __init__(self, path: bytes) -> None:
        self._path = path

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        """`n_words` of `dtype` (uint32 or uint64)."""
        words = np.frombuffer(hashlib.shake_128(self._path).digest(n_words * np.dtype(dtype).itemsize), dtype)
        return words if sys.byteorder == "little" else words.byteswap()


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """The generator of one place in the simulation, e.g. `generator(7, "rig", 12, "imbalance", "phase")`.

    The stream depends on the seed and the path alone, so results do not change with the number of workers or with
    which other effects are on.
    """
    hashed: Any = _HashedSeed(repr((seed, path)).encode())  # numpy takes any ISeedSequence, its stubs only SeedSequence
    return np.random.Generator(np.random.SFC64(hashed))
