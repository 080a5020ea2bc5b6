"""Spalls: localised damage on a race or a ball, at signal level (the contact model has its own, in bearing_contact)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from numba import njit

from sim.effect import Array, BearingPosition, Block, Site, Stream, Streams
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.gaussian import TABLE, WhiteNoise, normal_at
from sim.machine.bearing import contact_stiffness
from sim.scenario.quantity import Quantity
from sim.waveforms import add_pulses

if TYPE_CHECKING:
    from sim.machine.bearing import BearingGeometry
    from sim.machine.machine import Machine

STEEL_DENSITY_KG_M3 = 7850.0

AXIAL_SHARE = 0.2
"""Axial force per radial force of a passing ball: deep-groove races guide balls a little off their middle (assumption)."""


@njit(cache=True)
def _passages(
    angle: Array,
    next_angle: float,
    spacing: float,
    jitter: float,
    key: np.uint64,
    number: np.uint64,
    table: Array,
    out: Array,
) -> tuple[int, float]:
    """Passages of a ball over the defect within this block: shaft angle (row 0) and position in samples (row 1).

    Successive spacings vary independently, so their sum is a random walk: the cage slips and never catches up
    (Antoni and Randall 2003, J. Vib. Acoust. 125(3)), which smears high harmonics and leaves no false discrete lines.

    Returns how many there are and the angle of the next passage after the block.
    """
    found, i, n = 0, 0, angle.shape[0]
    while next_angle < angle[n - 1]:
        while angle[i + 1] <= next_angle:
            i += 1
        step = angle[i + 1] - angle[i]
        out[0, found] = next_angle
        out[1, found] = i + ((next_angle - angle[i]) / step if step > 0.0 else 0.0)
        spread = normal_at(key, number + np.uint64(found), table)
        next_angle += spacing * max(1.0 + jitter * spread, 0.1)
        found += 1
    return found, next_angle


class SpallStream:
    """Force of balls that pass a spall, event by event.

    Each passage unloads the ball (force step down over the time its contact patch crosses the entry edge), and an
    impact reloads it when it meets the far edge: two events whose spacing grows with the width, the entry of low frequency,
    the exit an impulse (Sawalhi and Randall 2011, Mech. Syst. Signal Process. 25(3)). The size is the load that the ball carries where
    the defect is (Stribeck distribution), times the share of the contact's deflection that the ball can drop.
    """

    def __init__(self, site: Site, extent: Extent, fault: BearingSpall) -> None:
        bearing = site.machine.bearings[fault.position]
        geometry = bearing.build()
        self._fault, self._extent, self._geometry = fault, extent, geometry
        self._zone = bearing.zone(site.machine)
        self._spacing = 2.0 * math.pi / fault.passage_order(geometry)
        self._stiffness = contact_stiffness(geometry)
        self._ball_radius_m = 0.5e-3 * geometry.ball_diameter_mm
        self._pitch_radius_m = 0.5e-3 * geometry.pitch_diameter_mm
        self._ball_mass_kg = STEEL_DENSITY_KG_M3 * 4.0 / 3.0 * math.pi * self._ball_radius_m**3
        self._start_angle = float(site.rng("defect angle").uniform(0.0, 2.0 * math.pi))
        rng = site.noise("jitter")
        self._first = float(rng.uniform(0.0, 1.0))
        self._jitter = WhiteNoise(rng)
        self._next: float | None = None
        self._block_start = 0.0
        self._pulses = np.zeros((0, 7))

    def add(self, block: Block) -> None:
        """Add the pulses that fall into this block, those begun before it included."""
        if self._next is None:
            self._next = float(block.angle_rad[0]) + self._first * self._spacing
        size = self._extent.at(block.time_s)
        angle, index = self._passages_in(block)
        if len(angle) and size.any():
            new = self._pulses_of(block, angle, index, size[index.astype(np.int64)])
            self._pulses = np.concatenate((self._pulses, new))
        if len(self._pulses):
            add_pulses(block.force(self._fault.position), self._block_start, self._pulses)
        self._block_start += block.n
        ends = self._pulses[:, :4].sum(axis=1)
        self._pulses = self._pulses[ends >= self._block_start]

    def _passages_in(self, block: Block) -> tuple[Array, Array]:
        """Shaft angle and position in samples of the passages in this block."""
        assert self._next is not None
        turned = max(float(block.angle_rad[-1]) - self._next, 0.0)
        found = np.empty((2, int(turned / (0.1 * self._spacing)) + 2))  # room for the tightest spacing there can be
        jitter = self._fault.jitter_pct / 100.0
        count, self._next = _passages(
            block.angle_rad, self._next, self._spacing, jitter, self._jitter.key, self._jitter.count, TABLE, found
        )
        self._jitter.count += np.uint64(count)
        return found[0, :count], found[1, :count]

    def _pulses_of(self, block: Block, angle: Array, index: Array, size: Array) -> Array:
        """(m, 7) pulses, two for each passage (see `sim.waveforms.add_pulses`)."""
        fault, geometry = self._fault, self._geometry
        width_m = fault.defect_width_mm * 1e-3 * size
        speed = block.speed_rad_s[index.astype(np.int64)]
        from_load = fault.angle_from_load_rad(geometry, self._start_angle, angle)
        load_n = self._zone.ball_load_n(from_load)
        # How far the ball can drop over a gap of this width, against the deflection that its load holds.
        half = np.minimum(width_m / 2.0, self._ball_radius_m)
        drop_m = self._ball_radius_m - np.sqrt(self._ball_radius_m**2 - half**2)
        deflection_m = np.maximum((load_n / self._stiffness) ** (2.0 / 3.0), 1e-9)
        unloading_n = load_n * np.minimum(drop_m / deflection_m, 1.0)
        # Speed of the contact along the race, from the passages themselves: race circumference x passages a second / balls.
        race_m = self._pitch_radius_m * 2.0 * math.pi / geometry.n_balls
        contact_m_s = np.maximum(speed / self._spacing * race_m, 1e-6)
        # The impact: the ball arrives at the far edge at the angle width / diameter and its normal speed is stopped within
        # the contact's half period (Hertz contact linearised at the static load).
        impact_m_s = contact_m_s * half / self._ball_radius_m
        stiffness = np.maximum(1.5 * self._stiffness * np.sqrt(deflection_m), 1e5)
        contact_s = math.pi * np.sqrt(self._ball_mass_kg / stiffness)
        impulse_n = impact_m_s * np.sqrt(self._ball_mass_kg * stiffness)
        reload_n = unloading_n + impulse_n * (load_n > 0.0)
        patch_m = 0.02 * self._ball_radius_m
        dt = block.dt_s
        entry = np.maximum(patch_m / contact_m_s / dt, 2.0)
        crossing = np.maximum(half / contact_m_s / dt, entry)  # the impact comes when the centre is half-way
        impact = np.maximum(contact_s / dt / 2.0, 1.0)
        start = self._block_start + index
        zeros = np.zeros_like(start)
        # Unloading: down over the entry, back up at the impact. The reload overshoots by as much, then is gone.
        out = np.empty((2 * len(start), 7))
        out[0::2, :4] = np.column_stack((start, entry, np.maximum(crossing - entry, 0.0), impact))
        # A pulse narrower than two samples would alias: it keeps its impulse over the wider one.
        narrowing = np.minimum(contact_s / dt / 2.0 / impact, 1.0)
        out[1::2, :4] = np.column_stack((start + crossing, impact, zeros, impact))
        # The load points down (-y), so the direction from the shaft to the defect is a quarter turn behind.
        unit = np.column_stack((np.sin(from_load), -np.cos(from_load), np.full_like(from_load, AXIAL_SHARE)))
        out[0::2, 4:] = -unit * unloading_n[:, None]
        out[1::2, 4:] = unit * (reload_n * narrowing)[:, None]
        return out


class BearingSpall(Fault):
    """Base of the three spalls; subclasses say where the defect is and how often a ball meets it."""

    citation: ClassVar[str] = (
        "McFadden and Smith 1984, J. Sound Vib. 96(1); Antoni and Randall 2003, J. Vib. Acoust. 125(3); Sawalhi and Randall "
        "2011, Mech. Syst. Signal Process. 25(3)"
    )
    limits: ClassVar[str] = (
        "signal level: one spall with sharp edges, static load distribution, no change of the shaft's position by the "
        "defect (the contact fidelity has it)"
    )
    label: ClassVar[Label] = "bearing_wear"
    severity_unit: ClassVar[str] = "mm (spall width)"
    severity_key: ClassVar[str] = "defect_width_mm"
    example: ClassVar[Mapping[str, Any]] = {"defect_width_mm": 1.0}

    position: BearingPosition = "drive_end"
    """The bearing that is damaged."""
    defect_width_mm: Annotated[float, Quantity(gt=0, le=50)]
    """Width of the spall along the race."""
    jitter_pct: Annotated[float, Quantity(ge=0, le=10)] = 0.5
    """Standard deviation of the spacing between passages (slip of balls and cage), per cent; 0.5-2 % is usual."""

    def severity_value(self, machine: Machine) -> float:
        """Width of the spall."""
        return self.defect_width_mm

    def severity_reference(self, machine: Machine) -> float:
        """Half a ball's diameter."""
        return 0.5 * machine.bearings[self.position].build().ball_diameter_mm

    def requires(self, machine: Machine) -> str | None:
        """A bearing at the position."""
        return None if self.position in machine.bearings else f"needs a bearing `machine.bearings.{self.position}`"

    def passage_order(self, geometry: BearingGeometry) -> float:
        """How often, per turn of the shaft, the defect is rolled over."""
        raise NotImplementedError

    def angle_from_load_rad(self, geometry: BearingGeometry, start_angle: float, shaft_angle: Array) -> Array:
        """Angle of the defect from the load's direction at each passage, (m,)."""
        raise NotImplementedError

    def stream(self, site: Site, extent: Extent) -> Stream:
        """The passages' pulses; under contact fidelity the contacts themselves feel the spall (`sim.transfer`)."""
        if site.machine.bearings[self.position].fidelity == "contact":
            return Streams()
        return SpallStream(site, extent, self)


class BearingOuter(BearingSpall):
    """A spall on the fixed outer race: passages at BPFO, all of one size."""

    kind: Literal["bearing_outer"] = "bearing_outer"
    angle_from_load_deg: Annotated[float, Quantity(ge=-180, le=180)] = 0.0
    """Where on the race: 0 is the middle of the load zone (six o'clock), 180 opposite, where no ball is loaded."""

    def passage_order(self, geometry: BearingGeometry) -> float:
        """BPFO."""
        return geometry.bpfo_order

    def angle_from_load_rad(self, geometry: BearingGeometry, start_angle: float, shaft_angle: Array) -> Array:
        """Fixed."""
        return np.full_like(shaft_angle, math.radians(self.angle_from_load_deg))


class BearingInner(BearingSpall):
    """A spall on the inner race: passages at BPFI, through the load zone once a turn (sidebands at 1x)."""

    kind: Literal["bearing_inner"] = "bearing_inner"

    def passage_order(self, geometry: BearingGeometry) -> float:
        """BPFI."""
        return geometry.bpfi_order

    def angle_from_load_rad(self, geometry: BearingGeometry, start_angle: float, shaft_angle: Array) -> Array:
        """Turns with the shaft."""
        return shaft_angle + start_angle


class BearingBall(BearingSpall):
    """A spall on a ball: it meets both races, so passages at 2 x BSF, through the load zone with the cage (FTF)."""

    kind: Literal["bearing_ball"] = "bearing_ball"

    def passage_order(self, geometry: BearingGeometry) -> float:
        """Twice the ball spin order."""
        return 2.0 * geometry.bsf_order

    def angle_from_load_rad(self, geometry: BearingGeometry, start_angle: float, shaft_angle: Array) -> Array:
        """Turns with the cage."""
        return geometry.ftf_order * shaft_angle + start_angle
