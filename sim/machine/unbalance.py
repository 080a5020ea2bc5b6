"""Unbalance: the force of a rotor's mass that does not sit on the axis of rotation."""

from __future__ import annotations

import math

from numba import njit

from sim.effect import Array, Block, Site
from sim.extent import Extent


@njit(cache=True)
def _add(
    out: Array, size: Array, cos_angle: Array, sin_angle: Array, speed: Array, accel: Array, u_kg_m: float, phase: float
) -> None:
    """Add U (w^2 cos + a sin, w^2 sin - a cos)(theta + phase) to the first two rows of `out`."""
    pc, ps = math.cos(phase), math.sin(phase)
    for i in range(size.shape[0]):
        c, s = cos_angle[i] * pc - sin_angle[i] * ps, sin_angle[i] * pc + cos_angle[i] * ps
        w2 = speed[i] * speed[i]
        out[0, i] += size[i] * u_kg_m * (w2 * c + accel[i] * s)
        out[1, i] += size[i] * u_kg_m * (w2 * s - accel[i] * c)


class UnbalanceStream:
    """Centrifugal force of a static unbalance on the disk, and of a couple unbalance on the bearings.

    Static: m e w^2, turning with the shaft, with the tangential m e dw/dt of a speed that changes. Couple: opposite
    forces U_c w^2 / span at the two bearings (rigid rotor; ISO 21940-1 for the terms), plus at the drive end.
    """

    def __init__(self, site: Site, extent: Extent, static_g_mm: float, couple_g_mm2: float) -> None:
        self._extent = extent
        self._phase = heavy_spot_rad(site)
        self._couple_phase = float(site.rng("couple phase").uniform(0.0, 2.0 * math.pi))
        self._static_kg_m = static_g_mm * 1e-6
        self._couple_kg_m = couple_g_mm2 * 1e-9 / site.machine.rotor.bearing_span_m

    def add(self, block: Block) -> None:
        """Add the forces."""
        size = self._extent.over(block)
        if size is None:
            return
        motion = (block.cos_angle, block.sin_angle, block.speed_rad_s, block.accel_rad_s2)
        if self._static_kg_m != 0.0:
            _add(block.force("disk"), size, *motion, self._static_kg_m, self._phase)
        if self._couple_kg_m != 0.0:
            _add(block.force("drive_end"), size, *motion, self._couple_kg_m, self._couple_phase)
            _add(block.force("non_drive_end"), size, *motion, -self._couple_kg_m, self._couple_phase)


def heavy_spot_rad(site: Site) -> float:
    """Angle of the static unbalance of the effect at `site`, from x towards y when the shaft's angle is 0."""
    return float(site.rng("unbalance phase").uniform(0.0, 2.0 * math.pi))


def balance_grade_mm_s(unbalance_g_mm: float, rotor_mass_kg: float, speed_rad_s: float) -> float:
    """Balance quality grade G = e w in mm/s, e the permissible residual specific unbalance (ISO 21940-11:2016, 5)."""
    return unbalance_g_mm / (rotor_mass_kg * 1e3) * speed_rad_s
