"""Fixed-point arithmetic of int8 inference, as TensorFlow Lite Micro has it, for constants and tables.

Rescaling by a real factor is a multiplication by a 31-bit multiplier, of which the high half is kept, rounded, and a
right shift, rounded again (halves away from zero there); see kernels/rescale.c. The exponential of softmax is
gemmlowp's (https://github.com/google/gemmlowp, fixedpoint/fixedpoint.h): a Taylor polynomial on [-1/4, 0) and one
factor for every bit above.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, frexp

import numpy as np

LARGEST = 2**31 - 1
HIGHEST_ACCUMULATOR = 2**30
"""Sums that are rescaled stay below it: the kernel doubles them."""


@dataclass(frozen=True)
class Factor:
    """A real factor as multiplier / 2^31 * 2^-right; multiplier 0 or 2^30 .. 2^31 - 1, `right` -31 .. 31."""

    multiplier: int
    right: int


def factor(real: float) -> Factor:
    """The nearest factor; 0 for what is below 2^-32."""
    fraction, exponent = frexp(real)
    multiplier = floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, exponent = 2**30, exponent + 1
    return Factor(0, 1) if exponent < -31 else Factor(multiplier, -exponent)


def float32_product(one: float, other: float) -> float:
    """Product of two float32 scales, rounded to float32."""
    return float(np.float32(one) * np.float32(other))


def activation_range(name: int, scale: float, zero: int) -> tuple[int, int] | None:
    """Lowest and highest int8 that a fused activation lets through; None for one that is not known."""
    # Numbers of the schema's ActivationFunctionType: none, ReLU, ReLU between -1 and 1, ReLU up to 6.
    real = {0: (None, None), 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}.get(name)
    if real is None:
        return None

    def level(value: float) -> int:
        steps = float(np.float32(value) / np.float32(scale))
        return zero + int(floor(abs(steps) + 0.5)) * (1 if steps >= 0 else -1)

    low, high = real
    return (-128 if low is None else max(-128, level(low)), 127 if high is None else min(127, level(high)))


@dataclass(frozen=True)
class Powers:
    """exp(-beta * scale * d) of whole d as softmax has it.

    Attributes:
        multiplier, left: beta * scale in Q26 as multiplier / 2^31 * 2^left.
        depth: from this d on, at most 256, it is taken for 0.
    """

    multiplier: int
    left: int
    depth: int

    @staticmethod
    def of(scale: float, beta: float) -> Powers:
        """For an input of this scale."""
        found = factor(min(beta * scale * 2**26, LARGEST))
        radius = floor(31 * 2**26 / 2**-found.right)
        return Powers(found.multiplier, -found.right, min(radius, 255) + 1)

    def table(self) -> list[int]:
        """All of them, in Q31."""
        return [_exp(_high(-d * 2**self.left, self.multiplier)) for d in range(self.depth)]


def _high(one: int, other: int) -> int:
    """The product's high half, doubled and rounded; halves up."""
    return (one * other + (1 << 30)) >> 31


def _shifted(value: int, right: int) -> int:
    """Shifted and rounded, halves away from zero."""
    return (value + (1 << (right - 1)) - (value < 0)) >> right


def _exp(value: int) -> int:
    """The exponential of a value in Q26, at most 0, in Q31."""
    if value == 0:
        return LARGEST
    quarter = 1 << 24
    inside = (value & (quarter - 1)) - quarter
    x = (inside << 5) + (1 << 28)  # -1/8 .. 1/8 in Q31, about the middle
    x2 = _high(x, x)
    x3, x4 = _high(x2, x), _high(x2, x2)
    third, middle = 715827883, 1895147668  # 1/3, exp(-1/8)
    tail = _shifted(_high(_shifted(x4, 2) + x3, third) + x2, 1)
    result = middle + _high(middle, x + tail)
    rest = inside - value
    for bit, power in enumerate((1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)):
        if rest >> (24 + bit) & 1:  # exp(-1/4), exp(-1/2), exp(-1), ... exp(-16)
            result = _high(result, power)
    return result
