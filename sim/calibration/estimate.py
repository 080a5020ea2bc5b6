"""A figure with its standard deviation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A fitted figure.

    Attributes:
        value: the figure, in `unit`.
        std: its standard deviation, in `unit`.
        unit: the unit; empty for a pure number.
        bound: whether the recordings only say that the figure is no larger than `value`.
    """

    value: float
    std: float
    unit: str = ""
    bound: bool = False

    def __str__(self) -> str:
        if self.bound:
            return f"< {self.value:.4g} {self.unit}".rstrip()
        return f"{self.value:.5g} +- {self.std:.2g} {self.unit}".rstrip()
