"""The coupling: what misaligned shafts do to the bearings, by the coupling's stiffness."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np

from sim.effect import Block, Site
from sim.extent import ALWAYS, Extent
from sim.machine.rolling_noise import RollingNoise
from sim.scenario.quantity import Quantity
from sim.scenario.spec import Spec
from sim.waveforms import ShaftLines, once_turning

STIFFNESS_VARIATION: dict[str, tuple[float, float, float, float]] = {
    "rigid": (0.20, 0.35, 0.06, 0.08),
    "gear": (0.15, 0.30, 0.05, 0.06),
    "jaw": (0.15, 0.10, 0.30, 0.04),
    "disc": (0.15, 0.20, 0.05, 0.05),
    "beam": (0.10, 0.08, 0.02, 0.02),
    "custom": (0.0, 0.0, 0.0, 0.0),
}
"""Relative variation of a coupling's stiffness at 1x..4x of the shaft, by type.

The ratios follow the symmetry of the type: two-fold flanges, keyways and disc packs give 2x and 4x, a three-jaw spider
3x, unequal elements 1x (orders as observed by Gibbons 1976, Proc. 5th Turbomachinery Symposium; Xu and Marangoni 1994,
J. Sound Vib. 176(5)). Their sizes are assumptions: no source states them for a type; give `stiffness_variation` of your
own.
"""


class Coupling(Spec):
    """A coupling between motor and driven shaft, at the drive end."""

    type: Literal["rigid", "gear", "jaw", "disc", "beam", "custom"] = "jaw"
    radial_stiffness_n_per_m: Annotated[float, Quantity(gt=0, le=1e10)]
    """Force between the shafts per parallel offset."""
    angular_stiffness_nm_per_rad: Annotated[float, Quantity(gt=0, le=1e8)]
    """Bending moment between the shafts per angle."""
    axial_radius_mm: Annotated[float, Quantity(gt=0, le=2000)] = 25.0
    """Radius at which the coupling's elements push axially when the shafts are at an angle."""
    overhang_m: Annotated[float, Quantity(ge=0, le=5)] = 0.05
    """Distance from the drive-end bearing out to the coupling."""
    stiffness_variation: tuple[float, float, float, float] | None = None
    """Relative variation of the stiffness at 1x..4x; none: by type."""
    residual_offset_mm: Annotated[float, Quantity(ge=0, le=5)] = 0.01
    """Parallel offset of the machine as aligned."""
    residual_angle_deg: Annotated[float, Quantity(ge=0, le=5)] = 0.01
    """Angle between the shafts of the machine as aligned."""

    def variation(self) -> tuple[float, float, float, float]:
        """Relative stiffness variation at 1x..4x."""
        return self.stiffness_variation or STIFFNESS_VARIATION[self.type]

    def static_reaction(self, offset_mm: float, angle_deg: float, bearing_span_m: float) -> tuple[float, float, float]:
        """Constant reaction to a misalignment: force (N) at drive end and at non-drive end, moment (N m).

        The coupling's force k_r * offset acts `overhang_m` outside the drive-end bearing, its moment k_a * angle
        bends the shaft between the bearings (statics of a simply supported, overhung shaft).
        """
        force_n = self.radial_stiffness_n_per_m * offset_mm * 1e-3
        moment_nm = self.angular_stiffness_nm_per_rad * math.radians(angle_deg)
        tilt_n = (force_n * self.overhang_m + moment_nm) / bearing_span_m
        return force_n + tilt_n, -tilt_n, moment_nm


class MisalignmentStream:
    """Forces on the bearings from shafts that do not meet.

    The fixed offset and angle meet a stiffness that varies as the coupling turns, k(theta) = k (1 + sum e_z cos(z theta
    + phi_z)), z = 1..4, so the constant reaction carries lines at 1x-4x, radial and (from the angle) axial; they do not
    depend on speed. The constant part does not shake the housing but preloads the bearings: the rolling contacts grow
    louder in proportion to their load, a broad band that is all a soft coupling shows.

    Source of the approach: reaction forces and moments after Gibbons 1976; Sekhar and Prabhu 1995, JSV 185(4).
    Assumptions: offset and angle lie in one plane; the preload always adds to the static load; a third of the lines'
    force points across the offset; the axial force is the moment over `axial_radius_mm`, at the drive end alone.
    """

    def __init__(self, site: Site, extent: Extent, offset_mm: float, angle_deg: float) -> None:
        machine = site.machine
        coupling = machine.coupling
        assert coupling is not None, "the scenario schema refuses a misalignment without a coupling"
        rng = site.rng("misalignment")
        direction, *phases = rng.uniform(0.0, 2.0 * math.pi, 9)
        drive_n, non_drive_n, moment_nm = coupling.static_reaction(offset_mm, angle_deg, machine.rotor.bearing_span_m)
        axial_n = moment_nm / (coupling.axial_radius_mm * 1e-3)
        along = np.array([math.cos(direction), math.sin(direction)])
        across = np.array([-along[1], along[0]])
        # Radial and axial variation of the stiffness at 1x..4x (every second column).
        variation = np.zeros((2, 8), dtype=np.complex128)
        variation[:, 1::2] = np.array(coupling.variation()) * np.exp(1j * np.array((phases[:4], phases[4:])))
        # The elements' force turns with them: a third of it points across the offset, a quarter turn later.
        radial = along - 1j * across / 3.0
        # x, y, z at the drive end, then at the non-drive end.
        directions = np.array([*drive_n * radial, 0, *non_drive_n * radial, 0]), np.array([0, 0, axial_n, 0, 0, 0])
        self._lines = ShaftLines(variation, np.stack(directions, axis=1))
        self._extent = extent
        reactions = {"drive_end": abs(drive_n), "non_drive_end": abs(non_drive_n)}
        self._noise = [
            RollingNoise.growth(site, position, extent, preload_n=reactions[position])
            for position in machine.bearings
            if extent is not ALWAYS  # the noise of the bearings as aligned is the healthy bearings' own
        ]

    def add(self, block: Block) -> None:
        """Add lines at the housings and the bearings' growth in noise."""
        size = self._extent.over(block)
        if size is None:
            return
        self._lines.add(block.bearing_forces, once_turning(size, block.speed_rad_s), block)
        for noise in self._noise:
            noise.add(block)
