"""Every registered fault keeps the contract; a class that breaks it is caught."""

from typing import ClassVar, get_args

import numpy as np
import pytest

from sim.effect import Block, Site, Stream
from sim.extent import Extent
from sim.faults import AnyFault
from sim.faults.base import Fault
from sim.faults.checks import check_fault
from sim.faults.looseness import Looseness


@pytest.mark.parametrize("cls", get_args(AnyFault), ids=lambda cls: cls.__name__)
def test_contract(cls: type[Fault]) -> None:
    check_fault(cls)


class _Wrapped:
    def __init__(self, inner: Stream) -> None:
        self.inner = inner

    def add(self, block: Block) -> None:
        self.inner.add(block)


class _Leaks(Looseness):
    """Acts before its onset."""

    def stream(self, site: Site, extent: Extent) -> Stream:
        class Stray(_Wrapped):
            def add(self, block: Block) -> None:
                super().add(block)
                block.force("casing")[0] += 0.01 * np.sin(block.angle_rad)

        return Stray(super().stream(site, extent))


class _Unrepeatable(Looseness):
    """Draws from a generator of its own."""

    rng: ClassVar[np.random.Generator] = np.random.default_rng()

    def stream(self, site: Site, extent: Extent) -> Stream:
        class Noisy(_Wrapped):
            def add(self, block: Block) -> None:
                super().add(block)
                block.force("casing")[0] += _Unrepeatable.rng.standard_normal(block.n) * extent.at(block.time_s)

        return Noisy(super().stream(site, extent))


class _Multiplies(Looseness):
    """Scales whatever other effects did: not additive."""

    def stream(self, site: Site, extent: Extent) -> Stream:
        class Scaled(_Wrapped):
            def add(self, block: Block) -> None:
                block.forces_n *= 1.0 + 0.5 * extent.at(block.time_s)
                super().add(block)

        return Scaled(super().stream(site, extent))


class _BlockBound(Looseness):
    """Depends on where blocks are cut."""

    def stream(self, site: Site, extent: Extent) -> Stream:
        class Bound(_Wrapped):
            def add(self, block: Block) -> None:
                super().add(block)
                block.force("casing")[0] += np.linspace(0, 1, block.n) * extent.at(block.time_s)

        return Bound(super().stream(site, extent))


@pytest.mark.parametrize(
    ("cls", "complaint"),
    [
        (_Leaks, "before its onset"),
        (_Unrepeatable, "same seed"),
        (_Multiplies, "not additive"),
        (_BlockBound, "cut into blocks"),
    ],
)
def test_contract_catches(cls: type[Fault], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_fault(cls)
