"""Distributed wear: rougher races everywhere and a clearance that grows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from numba import njit

from sim.effect import GRAVITY_M_S2, Array, BearingPosition, Block, Site, Stream, Streams
from sim.extent import Extent
from sim.faults.base import Fault, Label, Severity
from sim.machine.bearing import BearingGeometry, contact_stiffness
from sim.machine.rolling_noise import RollingNoise
from sim.scenario.quantity import Quantity
from sim.waveforms import cos_sin

if TYPE_CHECKING:
    from sim.machine.machine import Machine

SEVERE_ROUGHNESS_FACTOR = 5.0
"""Five times the healthy noise (14 dB) is called severe (an assumption; ISO 20816 zones span a factor of about 6)."""


@njit(cache=True)
def _sag_m(n_balls: int, gap_m: float, stiffness: float, load_n: float, cage_angle_rad: float) -> float:
    low, high = -abs(gap_m), 4.0 * abs(gap_m) + 10.0 * (load_n / stiffness) ** (2.0 / 3.0)
    cosines = np.cos(cage_angle_rad + 2.0 * math.pi * np.arange(n_balls) / n_balls)
    for _ in range(60):  # bisection, to 1e-18 of the range
        middle, carried = 0.5 * (low + high), 0.0
        for cosine in cosines:
            squeezed = max(middle * cosine - gap_m, 0.0)
            carried += stiffness * squeezed * math.sqrt(squeezed) * cosine
        if carried > load_n:
            high = middle
        else:
            low = middle
    return float(0.5 * (low + high))


def sag_m(geometry: BearingGeometry, load_n: float, cage_angle_rad: float) -> float:
    """How far the inner ring sinks under a radial load, m, with the nearest ball `cage_angle_rad` off the load's line.

    Static equilibrium of Hertz contacts along the load: sum K max(x cos psi_i - c/2, 0)^1.5 cos psi_i = load.
    """
    gap_m = 0.5e-6 * geometry.diametral_clearance_um
    stiffness = contact_stiffness(replace(geometry, diametral_clearance_um=0.0))  # the clearance does not change it
    return float(_sag_m(geometry.n_balls, gap_m, stiffness, load_n, cage_angle_rad))


def compliance_swing_m(geometry: BearingGeometry, load_n: float) -> float:
    """How much the shaft rises and sinks as balls pass the load: sag between two balls minus sag over one, m."""
    return sag_m(geometry, load_n, math.pi / geometry.n_balls) - sag_m(geometry, load_n, 0.0)


@njit(cache=True)
def _add_swing(
    housing: Array, size: Array, angle_rad: Array, speed_rad_s: Array, order: float, phase: float, swing_m: float,
    load_n: float,
) -> None:  # fmt: skip
    """Add the reaction to a swing at `order` and 0.3 of it at twice the order; no more of either than the load."""
    x, y, scale = housing[0], housing[1], 0.5 * swing_m * load_n / GRAVITY_M_S2
    for i in range(size.shape[0]):
        w = order * speed_rad_s[i]
        amplitude = min(scale * size[i] * w * w, load_n)
        c = cos_sin(order * angle_rad[i] + phase)[0]
        force = amplitude * (c + 0.3 * (2.0 * c * c - 1.0))
        x[i] += 0.25 * force
        y[i] += force


class ClearanceStream:
    """Variable compliance that grown clearance adds: as balls pass the load, the shaft sinks and rises more.

    The swing's acceleration at BPFO times the mass the bearing carries is the force on the housing; it cannot exceed
    the load that presses the shaft down (Sunnersjoe 1978, J. Sound Vib. 58(3): varying compliance). Assumptions: 0.3 of
    it at twice BPFO, a quarter of it horizontally.
    """

    def __init__(self, site: Site, extent: Extent, position: BearingPosition, clearance_um: float) -> None:
        bearing = site.machine.bearings[position]
        healthy = bearing.build()
        self._load_n = bearing.static_load_n(site.machine)
        worn = replace(healthy, diametral_clearance_um=healthy.diametral_clearance_um + clearance_um)
        self._swing_m = compliance_swing_m(worn, self._load_n) - compliance_swing_m(healthy, self._load_n)
        self._order, self._extent, self._position = healthy.bpfo_order, extent, position
        self._phase = float(site.rng("cage angle").uniform(0.0, 2.0 * math.pi))

    def add(self, block: Block) -> None:
        """Add the reaction: vertical, and a quarter of it horizontally."""
        size = self._extent.over(block)
        if self._swing_m == 0.0 or size is None:
            return
        _add_swing(
            block.force(self._position), size, block.angle_rad, block.speed_rad_s, self._order, self._phase,
            self._swing_m, self._load_n,
        )  # fmt: skip


class BearingWear(Fault):
    """Worn races without a single large defect: louder broad band, modulated by the shaft, and growing clearance."""

    citation: ClassVar[str] = "Antoni 2009, Mech. Syst. Signal Process. 23(4); Sunnersjoe 1978, J. Sound Vib. 58(3)"
    limits: ClassVar[str] = "no change of the spectrum's shape as wear goes on; quasi-static variable compliance"
    label: ClassVar[Label] = "bearing_wear"
    severity_unit: ClassVar[str] = "times louder than healthy"
    severity_key: ClassVar[str] = "roughness_factor"
    example: ClassVar[Mapping[str, Any]] = {"roughness_factor": 3.0}

    kind: Literal["bearing_wear"] = "bearing_wear"
    position: BearingPosition = "drive_end"
    """The bearing that wears."""
    roughness_factor: Annotated[float, Quantity(ge=1, le=1000)]
    """How many times louder the worn bearing's broad-band noise is."""
    added_clearance_um: Annotated[float, Quantity(ge=0, le=1000)] = 0.0
    """Diametral clearance that wear has added."""

    def severity_value(self, machine: Machine) -> float:
        """Growth of the noise above healthy."""
        return self.roughness_factor - 1.0

    def severity_reference(self, machine: Machine) -> float:
        """A factor of five."""
        return SEVERE_ROUGHNESS_FACTOR - 1.0

    def severity(self, machine: Machine, size: Array) -> Severity:
        """Loudness at shares of the full size (n,): the added noise power goes with the size squared."""
        value = np.sqrt(1.0 + size**2 * (self.roughness_factor**2 - 1.0)) - 1.0
        return Severity(value, self.severity_unit, value / self.severity_reference(machine))

    def requires(self, machine: Machine) -> str | None:
        """A bearing at the position."""
        return None if self.position in machine.bearings else f"needs a bearing `machine.bearings.{self.position}`"

    def stream(self, site: Site, extent: Extent) -> Stream:
        """The added noise and the variable compliance."""
        noise = RollingNoise.growth(site, self.position, extent, roughness_factor=self.roughness_factor)
        if site.machine.bearings[self.position].fidelity == "contact":
            return noise  # the contacts themselves feel the clearance (`sim.transfer`)
        return Streams([noise, ClearanceStream(site, extent, self.position, self.added_clearance_um)])
