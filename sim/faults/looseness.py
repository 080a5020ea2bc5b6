"""Looseness: a foot or pedestal that lifts and strikes; half-order and many-order lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from sim.effect import BearingPosition, Block, Site, Stream
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.scenario.quantity import Quantity
from sim.waveforms import ShaftLines, with_speed_squared

if TYPE_CHECKING:
    from sim.machine.machine import Machine

LINES = 60
"""Orders 0.5, 1, ... 30 are simulated: beyond the first zero of a strike's spectrum."""

STRIKE_TURN = 0.08
"""Length of a strike as a share of a turn."""


class LoosenessStream:
    """Strikes of a loose foot, once a turn, every second one harder: the series of orders 0.5, 1, 1.5, ...

    A mass lifted over a gap every turn falls back at a speed in proportion to gap times shaft speed; with more
    looseness every second fall is higher (period doubling: Muszynska and Goldman 1995, Chaos, Solitons and Fractals
    5(9); Chu and Tang 2001, J. Sound Vib. 241(5)). Each strike is a half-sine force; the series is its closed-form
    Fourier series over two turns, so a ramp moves the lines with it. What lifts is taken to be half of the rotor's mass
    (an assumption).
    """

    def __init__(self, site: Site, extent: Extent, fault: Looseness) -> None:
        self._extent, self._position = extent, fault.position
        self._moment_kg_m = 0.5 * site.machine.rotor.mass_kg * fault.gap_um * 1e-6
        phase, lean = site.rng("strike").uniform(0.0, 2.0 * math.pi, 2)
        k = np.arange(1, LINES + 1)
        turns = 2.0  # one period
        width = STRIKE_TURN / turns
        # Fourier series of a half-sine pulse of unit area, width w of the period: 2 cos(pi k w) / (1 - (2 k w)^2).
        denominator = 1.0 - (2.0 * k * width) ** 2
        pulse = 2.0 * np.where(np.abs(denominator) < 1e-9, math.pi / 4.0, np.cos(math.pi * k * width) / denominator)
        uneven = 1.0 + fault.unevenness * np.array([1.0, -1.0])
        series = pulse * sum(size * np.exp(-2j * math.pi * k * i / 2.0) for i, size in enumerate(uneven)) / 2.0
        series = series * np.exp(1j * k * phase)
        direction = np.array([0.4 * math.cos(lean), 1.0, 0.1])
        self._lines = ShaftLines(series[None, :], direction[:, None])

    def add(self, block: Block) -> None:
        """Add the strikes to the housing: momentum m gap w once a turn, a mean force of m gap w^2 / 2 pi."""
        size = self._extent.over(block)
        if size is not None:
            gain = with_speed_squared(size, block.speed_rad_s, self._moment_kg_m / (2.0 * math.pi))
            self._lines.add(block.force(self._position), gain, block)


class Looseness(Fault):
    """A loose foot or housing."""

    citation: ClassVar[str] = (
        "Muszynska and Goldman 1995, Chaos, Solitons and Fractals 5(9); Chu and Tang 2001, JSV 241(5)"
    )
    limits: ClassVar[str] = "periodic strikes at half-order; no chaotic motion, no change of the structure's stiffness"
    label: ClassVar[Label] = "looseness"
    severity_unit: ClassVar[str] = "um (gap)"
    severity_key: ClassVar[str] = "gap_um"
    example: ClassVar[Mapping[str, Any]] = {"gap_um": 50.0}

    kind: Literal["looseness"] = "looseness"
    position: BearingPosition = "drive_end"
    """The housing that is loose."""
    gap_um: Annotated[float, Quantity(gt=0, le=5000)]
    """Height by which the foot lifts."""
    unevenness: Annotated[float, Quantity(ge=0, le=1)] = 0.5
    """Difference between even and odd strikes: 0 leaves whole orders only, 1 strikes every second turn only."""

    def severity_value(self, machine: Machine) -> float:
        """The gap."""
        return self.gap_um

    def severity_reference(self, machine: Machine) -> float:
        """200 um: a foot that can be felt to move."""
        return 200.0

    def stream(self, site: Site, extent: Extent) -> Stream:
        """The strikes."""
        return LoosenessStream(site, extent, self)
