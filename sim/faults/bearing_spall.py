"""Spalls: localised damage on a race or a ball, at signal level (the contact model has its own, in bearing_contact)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numba import njit

from sim.effect import Array, BearingPosition, Block, Site, Stream, Streams
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.gaussian import WhiteNoise, normal_value
from sim.machine.bearing import contact_stiffness
from sim.scenario.quantity import Quantity
from sim.waveforms import add_pulses

if TYPE_CHECKING:
    from sim.machine.bearing import BearingGeometry
    from sim.machine.machine import Machine

STEEL_DENSITY_KG_M3 = 7850.0

PATCH_SHARE = 0.02
"""Width of the contact patch along the race, as a share of the ball's radius (a few hundredths under usual loads)."""

AXIAL_SHARE = 0.2
"""Axial force per radial force of a ball: deep-groove races guide balls a little off their middle (assumption)."""


class _Passing(NamedTuple):
    """What the kernel must know of a ball that passes the defect."""

    spacing_rad: float
    """Shaft angle from one passage to the next."""
    jitter: float
    start_rad: float
    turns_per_turn: float
    """Angle of the defect from the load's direction: start + turns_per_turn * shaft angle."""
    epsilon: float
    q_max_n: float
    """Load zone, see `sim.machine.bearing.load_distribution`."""
    race_speed_m: float
    """Speed of the contact along the race per rad/s of the shaft."""
    width_m: float
    ball_radius_m: float
    ball_mass_kg: float
    stiffness_n_per_m1_5: float


@njit(cache=True)
def _pulses(
    angle: Array, speed: Array, size: Array, dt_s: float, block_start: float, next_angle: float, number: int,
    noise: np.uint64, p: _Passing, out: Array,
) -> tuple[int, float]:  # fmt: skip
    """Passages of balls over the defect within a block, as two pulses each (see `sim.waveforms.add_pulses`).

    Successive spacings vary independently, so their sum is a random walk: the cage slips and never catches up
    (Antoni and Randall 2003, J. Vib. Acoust. 125(3)), which smears high harmonics and leaves no false discrete lines.

    Args:
        angle, speed, size: (n,) shaft angle, shaft speed, share of the full width, on the block's grid.
        dt_s, block_start: grid spacing; number of the block's first sample.
        next_angle, number: shaft angle of the next passage, and how many there were before.
        noise: key of the jitter (`sim.gaussian`).
        p: the passage's constants.
        out: (m, 7), filled with the pulses.

    Returns:
        How many passages there were, and the angle of the next one after the block.
    """
    found, i, n = 0, 0, angle.shape[0]
    # The impact: the ball turns about the near edge, then about the far one, so its way bends by twice the angle
    # width / diameter; the speed that this takes is stopped within the contact's half period (a Hertz contact
    # linearised at the largest static load, and the ball's mass alone). In proportion to the load (McFadden and Smith
    # 1984): a ball without load does not follow the edges.
    linear = 1.5 * p.stiffness_n_per_m1_5 ** (2.0 / 3.0) * p.q_max_n ** (1.0 / 3.0)
    blow = 2.0 / p.ball_radius_m * math.sqrt(p.ball_mass_kg * linear) / p.q_max_n
    flank = 0.5 * math.pi * math.sqrt(p.ball_mass_kg / linear) / dt_s
    wide = max(flank, 1.0)
    while next_angle < angle[n - 1]:
        while angle[i + 1] <= next_angle:
            i += 1
        step = angle[i + 1] - angle[i]
        start = block_start + i + ((next_angle - angle[i]) / step if step > 0.0 else 0.0)
        from_load = p.start_rad + p.turns_per_turn * next_angle
        load = p.q_max_n * max(1.0 - math.sin(0.5 * from_load) ** 2 / p.epsilon, 0.0) ** 1.5
        # How far the ball can drop over a gap of this width, against the deflection that its load holds.
        half = min(0.5 * p.width_m * size[i], p.ball_radius_m)
        drop = p.ball_radius_m - math.sqrt(p.ball_radius_m**2 - half * half)
        deflection = max((load / p.stiffness_n_per_m1_5) ** (2.0 / 3.0), 1e-9)
        unloading = load * min(drop / deflection, 1.0)
        contact_speed = max(speed[i] * p.race_speed_m, 1e-6)
        reload = unloading + load * blow * contact_speed * half
        travel = half / (contact_speed * dt_s)  # the impact comes when the ball's centre is half-way
        true_entry = min(PATCH_SHARE * p.ball_radius_m / (contact_speed * dt_s), travel)
        # A pulse narrower than two samples would alias: it keeps its impulse over a wider one.
        entry = max(true_entry, 2.0)
        crossing = max(travel, entry)
        thinning = (travel - 0.5 * true_entry + 0.5 * flank) / (crossing - 0.5 * entry + 0.5 * wide)
        down, up = out[2 * found], out[2 * found + 1]
        down[0], down[1], down[2], down[3] = start, entry, crossing - entry, wide
        up[0], up[1], up[2], up[3] = start + crossing, wide, 0.0, wide
        # The load points down (-y), so the direction from the shaft to the defect is a quarter turn behind.
        for a, share in enumerate((math.sin(from_load), -math.cos(from_load), AXIAL_SHARE)):
            down[4 + a] = -unloading * thinning * share if size[i] > 0.0 else 0.0
            up[4 + a] = reload * flank / wide * share if size[i] > 0.0 else 0.0
        spread = normal_value(noise, np.uint64(number + found))
        next_angle += p.spacing_rad * max(1.0 + p.jitter * spread, 0.1)
        found += 1
    return found, next_angle


@njit(cache=True)
def _add_passages(
    out: Array, angle: Array, speed: Array, size: Array, dt_s: float, block_start: float, next_angle: float, number: int,
    noise: np.uint64, p: _Passing, begun: Array,
) -> tuple[Array, int, float]:  # fmt: skip
    """Add the pulses of a block to the force (3, n), those `begun` (m, 7) before it included.

    Returns:
        The pulses that go on beyond the block, how many passages there were, the angle of the next one.
    """
    room = int(max(angle[-1] - next_angle, 0.0) / (0.1 * p.spacing_rad)) + 2  # for the tightest spacing there can be
    pulses = np.empty((begun.shape[0] + 2 * room, 7))
    pulses[: begun.shape[0]] = begun
    found, next_angle = _pulses(
        angle, speed, size, dt_s, block_start, next_angle, number, noise, p, pulses[begun.shape[0] :]
    )
    pulses = pulses[: begun.shape[0] + 2 * found]
    add_pulses(out, block_start, pulses)
    kept, end = 0, block_start + angle.shape[0]
    for j in range(pulses.shape[0]):
        if pulses[j, :4].sum() >= end:
            pulses[kept] = pulses[j]
            kept += 1
    return pulses[:kept].copy(), found, next_angle


class SpallStream:
    """Force of balls that pass a spall, event by event.

    Each passage unloads the ball (force step down over the time its contact patch crosses the entry edge), and an
    impact reloads it when it meets the far edge: two events whose spacing grows with the width, the entry of low
    frequency, the exit an impulse (Sawalhi and Randall 2011, Mech. Syst. Signal Process. 25(3)). The size is the load
    that the ball carries where the defect is (Stribeck distribution), times the share of the contact's deflection that
    it can drop.
    """

    def __init__(self, site: Site, extent: Extent, fault: BearingSpall) -> None:
        bearing = site.machine.bearings[fault.position]
        geometry, zone = bearing.build(), bearing.zone(site.machine)
        passages = fault.passage_order(geometry)
        radius_m = 0.5e-3 * geometry.ball_diameter_mm
        start_rad, turns_per_turn = fault.angle_from_load_rad(geometry, site.rng("defect angle"))
        self._passing = _Passing(
            spacing_rad=2.0 * math.pi / passages,
            jitter=fault.jitter_pct / 100.0,
            start_rad=start_rad,
            turns_per_turn=turns_per_turn,
            epsilon=zone.epsilon,
            q_max_n=zone.q_max_n,
            # Rolling without slip, the contact runs at one speed over outer race, inner race and ball.
            race_speed_m=0.25e-3 * geometry.pitch_diameter_mm * (1.0 - geometry.diameter_ratio**2),
            width_m=fault.defect_width_mm * 1e-3,
            ball_radius_m=radius_m,
            ball_mass_kg=STEEL_DENSITY_KG_M3 * 4.0 / 3.0 * math.pi * radius_m**3,
            stiffness_n_per_m1_5=contact_stiffness(geometry),
        )
        self._extent, self._position = extent, fault.position
        rng = site.noise("jitter")
        self._first = float(rng.uniform(0.0, 1.0))
        self._noise = WhiteNoise(rng).key
        self._next: float | None = None
        self._count, self._block_start = 0, 0
        self._begun = np.zeros((0, 7))

    def add(self, block: Block) -> None:
        """Add the pulses that fall into this block, those begun before it included."""
        p = self._passing
        if self._next is None:
            self._next = float(block.angle_rad[0]) + self._first * p.spacing_rad
        size = self._extent.over(block)
        self._begun, found, self._next = _add_passages(
            block.force(self._position), block.angle_rad, block.speed_rad_s, np.zeros(block.n) if size is None else size,
            block.dt_s, float(self._block_start), self._next, self._count, self._noise, p, self._begun,
        )  # fmt: skip
        self._count += found
        self._block_start += block.n


class BearingSpall(Fault):
    """Base of the three spalls; subclasses say where the defect is and how often a ball meets it."""

    citation: ClassVar[str] = (
        "McFadden and Smith 1984, J. Sound Vib. 96(1); Antoni and Randall 2003, J. Vib. Acoust. 125(3); Sawalhi and "
        "Randall 2011, Mech. Syst. Signal Process. 25(3)"
    )
    limits: ClassVar[str] = (
        "signal level: one spall with sharp edges in a flat race, static load distribution, both races alike to a "
        "ball's spall, no change of the shaft's position by the defect and so several times too little below 1 kHz "
        "(the contact fidelity has all of these)"
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

    def angle_from_load_rad(self, geometry: BearingGeometry, rng: np.random.Generator) -> tuple[float, float]:
        """Angle of the defect from the load's direction: at shaft angle 0, and per angle of the shaft."""
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

    def angle_from_load_rad(self, geometry: BearingGeometry, rng: np.random.Generator) -> tuple[float, float]:
        """Fixed."""
        return math.radians(self.angle_from_load_deg), 0.0


class BearingInner(BearingSpall):
    """A spall on the inner race: passages at BPFI, through the load zone once a turn (sidebands at 1x)."""

    kind: Literal["bearing_inner"] = "bearing_inner"

    def passage_order(self, geometry: BearingGeometry) -> float:
        """BPFI."""
        return geometry.bpfi_order

    def angle_from_load_rad(self, geometry: BearingGeometry, rng: np.random.Generator) -> tuple[float, float]:
        """Turns with the shaft."""
        return float(rng.uniform(0.0, 2.0 * math.pi)), 1.0


class BearingBall(BearingSpall):
    """A spall on a ball: it meets both races, so passages at 2 x BSF, through the load zone with the cage (FTF)."""

    kind: Literal["bearing_ball"] = "bearing_ball"

    def passage_order(self, geometry: BearingGeometry) -> float:
        """Twice the ball spin order."""
        return 2.0 * geometry.bsf_order

    def angle_from_load_rad(self, geometry: BearingGeometry, rng: np.random.Generator) -> tuple[float, float]:
        """Turns with the cage."""
        return float(rng.uniform(0.0, 2.0 * math.pi)), geometry.ftf_order
