"""Where values and buffers lie in the scratch memory: one pool for each type of element, places shared over time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

POOLS = {"int32_t": "words", "int16_t": "halves", "int8_t": "bytes"}
"""Type of the elements -> member of model_scratch_t, in this order."""


@dataclass(frozen=True)
class Need:
    """Memory that something needs from one moment to another, both included."""

    what: Hashable
    kind: str
    size: int
    first: int
    last: int

    def meets(self, other: Need) -> bool:
        """Whether both are needed at one time."""
        return self.kind == other.kind and self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """Offsets in elements, and the elements of every pool."""

    offsets: dict[Hashable, int]
    sizes: dict[str, int]


def arena(needs: Iterable[Need]) -> Arena:
    """Place the largest first, each as low as those it meets allow."""
    placed: list[tuple[Need, int]] = []
    sizes = dict.fromkeys(POOLS, 0)
    ordered = sorted(enumerate(needs), key=lambda each: (-each[1].size, each[0]))
    for _, need in ordered:
        taken = sorted((at, at + other.size) for other, at in placed if need.meets(other))
        offset = 0
        for low, high in taken:
            if offset + need.size <= low:
                break
            offset = max(offset, high)
        placed.append((need, offset))
        sizes[need.kind] = max(sizes[need.kind], offset + need.size)
    return Arena({need.what: offset for need, offset in placed}, sizes)
