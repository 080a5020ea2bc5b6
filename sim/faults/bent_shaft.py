"""A bent shaft: a permanent bow that turns with the shaft."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from sim.effect import Block, Site, Stream, Streams
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.machine.unbalance import UnbalanceStream
from sim.scenario.quantity import Quantity
from sim.waveforms import add_half_orders

if TYPE_CHECKING:
    from sim.machine.machine import Machine


class BowStream:
    """Axial rocking of the bearings' inner rings, tilted by the bow: 1x at both ends, in opposite phase, and some 2x.

    The bow tilts the journals by pi * bow / span (half-sine bow); the inner rings wobble by that angle, and the
    housing, as stiff against it as `axial_stiffness_n_per_m`, is pushed to and fro at the race radius.
    """

    def __init__(self, site: Site, extent: Extent, fault: BentShaft) -> None:
        self._extent = extent
        phase = float(site.rng("bow phase").uniform(0.0, 2.0 * math.pi))
        tilt_rad = math.pi * fault.bow_um * 1e-6 / site.machine.rotor.bearing_span_m
        self._parts = []
        for position, bearing in site.machine.bearings.items():
            sign = 1.0 if position == "drive_end" else -1.0
            radius_m = 0.5e-3 * bearing.build().pitch_diameter_mm
            force_n = sign * fault.axial_stiffness_n_per_m * radius_m * tilt_rad
            cos_coef, sin_coef = np.zeros((3, 4)), np.zeros((3, 4))
            for column, share in ((1, 1.0), (3, 0.3)):
                cos_coef[2, column] = force_n * share * math.cos(phase * (column + 1) / 2)
                sin_coef[2, column] = -force_n * share * math.sin(phase * (column + 1) / 2)
            self._parts.append((position, cos_coef, sin_coef))

    def add(self, block: Block) -> None:
        """Add the axial forces."""
        size = self._extent.at(block.time_s)
        if size.any():
            gain = size * np.minimum(block.speed_rad_s / 0.6, 1.0)
            for position, cos_coef, sin_coef in self._parts:
                add_half_orders(block.force(position), gain, block.cos_half, block.sin_half, cos_coef, sin_coef)


class BentShaft(Fault):
    """A shaft with a permanent bow: an unbalance of the rotor's mass times the bow, and axial 1x at the bearings."""

    citation: ClassVar[str] = (
        "Nicholas, Gunter and Allaire 1976, J. Eng. Power 98(2): residual shaft bow; Eshleman 1984"
    )
    limits: ClassVar[str] = "the bow's elastic force near the critical speed is left out; half-sine bow"
    label: ClassVar[Label] = "bent_shaft"
    severity_unit: ClassVar[str] = "um (bow)"
    severity_key: ClassVar[str] = "bow_um"
    example: ClassVar[Mapping[str, Any]] = {"bow_um": 100.0}

    kind: Literal["bent_shaft"] = "bent_shaft"
    bow_um: Annotated[float, Quantity(ge=0, le=5000)]
    """Bow at mid-span, as a dial gauge would show it (half of its reading)."""
    axial_stiffness_n_per_m: Annotated[float, Quantity(ge=0, le=1e10)] = 5e6
    """Stiffness of a bearing against the wobble of its inner ring, at the race radius."""

    def severity_value(self, machine: Machine) -> float:
        """The bow."""
        return self.bow_um

    def severity_reference(self, machine: Machine) -> float:
        """200 um."""
        return 200.0

    def stream(self, site: Site, extent: Extent) -> Stream:
        """Unbalance and axial wobble."""
        unbalance_g_mm = site.machine.rotor.mass_kg * self.bow_um  # kg * um = g * mm
        return Streams([UnbalanceStream(site, extent, unbalance_g_mm, 0.0), BowStream(site, extent, self)])
