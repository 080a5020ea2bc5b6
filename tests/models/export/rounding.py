"""The two ways of rescaling a sum of products, in plain integers, from their definition (gemmlowp's fixed point)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def factor(value: Any) -> tuple[Ints, Ints]:
    """A factor below 1 as multiplier / 2^31 / 2^shift."""
    fraction, exponent = np.frexp(value)
    return np.rint(fraction * 2**31).astype(np.int64), -np.asarray(exponent, np.int64)


def once(total: Ints, multiplier: Ints, shift: Ints) -> Ints:
    """Multiply, and shift with one rounding, halves up."""
    return np.asarray((total * multiplier + (1 << (30 + shift))) >> (31 + shift))


def twice(total: Ints, multiplier: Ints, shift: Ints) -> Ints:
    """Multiply and keep the high half, rounded; then shift, rounded again; halves away from zero."""
    product = total * multiplier
    high = np.where(product >= 0, product + (1 << 30), product + 1 - (1 << 30))
    high = np.sign(high) * (np.abs(high) >> 31)
    remainder = high & ((1 << shift) - 1)
    return np.asarray((high >> shift) + (remainder > ((1 << shift) - 1) // 2 + (high < 0)))
