"""A bent shaft: a permanent bow that turns with the shaft."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from sim.effect import Block, Site, Stream, Streams
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.machine.unbalance import UnbalanceStream, heavy_spot_rad
from sim.scenario.quantity import Quantity
from sim.waveforms import ShaftLines, once_turning

if TYPE_CHECKING:
    from sim.machine.machine import Machine


SECOND_ORDER_SHARE = 0.3
"""Axial 2x per axial 1x: bearing clearance and an uneven seat make the wobble uneven (an assumption)."""


class BowStream:
    """Axial rocking of the bearings' inner rings, tilted by the bow: 1x at both ends, in opposite phase, and some 2x.

    The bow tilts the journals by pi * bow / span (half-sine bow), one to either side; the inner rings wobble by that
    angle, and the housing, as stiff against it as `axial_stiffness_n_per_m`, is pushed to and fro at the race radius.
    Of the wobble, which goes round the ring, the force stands for the ring's top, where sensors sit: there the drive
    end is pushed inwards (+z) most when the bow points down.
    """

    def __init__(self, site: Site, extent: Extent, fault: BentShaft) -> None:
        self._extent = extent
        # The bow points where its unbalance lies; a quarter turn makes its cosine the height of the bow over the shaft.
        phase = heavy_spot_rad(site) - 0.5 * math.pi
        tilt_rad = math.pi * fault.bow_um * 1e-6 / site.machine.rotor.bearing_span_m
        wobble = np.array([[0.0, np.exp(1j * phase), 0.0, SECOND_ORDER_SHARE * np.exp(2j * phase)]])
        force_n = np.zeros((6, 1))  # x, y, z at the drive end, then at the non-drive end
        for position, bearing in site.machine.bearings.items():
            row, sign = (2, -1.0) if position == "drive_end" else (5, 1.0)
            radius_m = 0.5e-3 * bearing.build().pitch_diameter_mm
            force_n[row] = sign * fault.axial_stiffness_n_per_m * radius_m * tilt_rad
        self._lines = ShaftLines(wobble, force_n)

    def add(self, block: Block) -> None:
        """Add the axial forces."""
        size = self._extent.over(block)
        if size is not None:
            self._lines.add(block.bearing_forces, once_turning(size, block.speed_rad_s), block)


def bow_share(position: float) -> float:
    """Eccentricity of a shaft with a half-sine bow at `position` between its bearings (0..1), per bow at mid-span.

    Overhung ends stay straight and stick out to the other side.
    """
    if 0.0 <= position <= 1.0:
        return math.sin(math.pi * position)
    return math.pi * (position if position < 0.0 else 1.0 - position)


class BentShaft(Fault):
    """A shaft with a permanent bow: an unbalance of the rotor's mass times its bow, and axial 1x at the bearings.

    A bowed Jeffcott rotor, m z'' + c z' + k (z - bow e^(j theta)) = 0, loads its bearings with -m z'': the force of an
    unbalance m * bow, but for the damper's share (Nicholas, Gunter and Allaire 1976). What a bow does to the shaft's
    displacement at low speed, where an unbalance does nothing, a sensor on the housing cannot see.
    """

    citation: ClassVar[str] = (
        "Nicholas, Gunter and Allaire 1976, J. Eng. Power 98(2): residual shaft bow; Eshleman 1984"
    )
    limits: ClassVar[str] = (
        "half-sine bow; the damper acts as on an unbalance, so the bearings' force is 1 + 2j zeta speed / critical "
        "speed of the exact one; the size of the axial force is an assumption (`axial_stiffness_n_per_m`)"
    )
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
        at_disk = bow_share(site.machine.rotor.disk_position)
        unbalance_g_mm = site.machine.rotor.mass_kg * self.bow_um * at_disk  # kg * um = g * mm
        return Streams([UnbalanceStream(site, extent, unbalance_g_mm, 0.0), BowStream(site, extent, self)])
