"""The transfer path: from forces to the motion of the sensors, through rotor, bearing contacts and structure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from sim.drive import RPM
from sim.effect import Array, BearingPosition, Block, MountPoint, Site
from sim.extent import Extent
from sim.faults import Fault
from sim.faults.bearing_spall import BearingBall, BearingInner, BearingOuter, BearingSpall
from sim.faults.bearing_wear import BearingWear
from sim.machine.bearing_contact import ContactBearing, ContactBearingStream
from sim.machine.oscillator import BankMotion, OscillatorBank, fitting
from sim.machine.structure import StructureStream

SLIP_PER_PASSAGE = 0.005
"""Random slip of the cage where no spall says otherwise: standard deviation per ball passage, relative to its spacing."""


class TransferPath:
    """Rotor, then bearings (where a bearing is modelled contact by contact), then structure.

    Args:
        site: where; its machine is the one to pass through.
        faults, extents: all faults that are there; the contact model picks those of its bearing.
        mounts: mounting point of every sensor.
    """

    def __init__(
        self, site: Site, faults: Sequence[Fault], extents: Sequence[Extent], mounts: list[MountPoint]
    ) -> None:
        machine = site.machine
        self._mass_kg, self._position = machine.rotor.mass_kg, machine.rotor.disk_position
        self._bank: OscillatorBank | None = None
        self._motion: BankMotion | None = None
        critical = machine.rotor.critical()
        if critical is not None:
            speed_rpm, damping = critical
            two = np.ones(2)
            self._bank = OscillatorBank(
                speed_rpm * RPM * two, damping * two, self._mass_kg * two, site.dt_s, outputs=("acceleration",)
            )
        present = list(zip(faults, extents, strict=True))
        self._contacts: dict[str, ContactStage] = {
            position: ContactStage(site.at("contact", position), position, present)
            for position, bearing in machine.bearings.items()
            if bearing.fidelity == "contact"
        }
        self._structure = StructureStream(machine.structure, site.dt_s, mounts)

    def move(self, block: Block) -> list[tuple[Array, Array]]:
        """Acceleration (m/s2) and angular rate (rad/s), (3, n) each, at every sensor's mounting point."""
        disk = block.force("disk")
        if self._bank is not None:
            # The bearings feel what does not accelerate the rotor itself: force minus mass times acceleration.
            self._motion = self._bank.process(disk[:2], fitting(self._motion, block.n))
            _add_scaled(disk, self._motion.acceleration, -self._mass_kg)
        for end, share in (("drive_end", 1.0 - self._position), ("non_drive_end", self._position)):
            stage = self._contacts.get(end)
            if stage is None:
                _add_scaled(block.force(end), disk[:2], share)
            else:
                _add_scaled(block.force(end), stage.pass_on(block, share * disk[:2]), 1.0)
        _add_scaled(block.force("drive_end")[2:], disk[2:], 1.0)  # the drive-end bearing locates the shaft
        return self._structure.move(block.forces_n[1:].reshape(9, block.n))


@njit(cache=True)
def _add_scaled(out: Array, values: Array, scale: float) -> None:
    """Add scale * values (m, n) to the first rows of `out`."""
    for a in range(values.shape[0]):
        row, value = out[a], values[a]
        for i in range(value.shape[0]):
            row[i] += scale * value[i]


class ContactStage:
    """One bearing at contact fidelity: the rotor's load goes in, the balls' force on the housing comes out.

    What reaches the structure is the force of the balls on the outer ring, without its constant part. The contact model's
    pedestal stands for the housing's compliance there; its resonance (about 200 Hz by default) comes on top of the structure's
    modes, and misalignment's preload does not reach the contacts: known limits of this fidelity.
    """

    def __init__(self, site: Site, position: BearingPosition, present: list[tuple[Fault, Extent]]) -> None:
        bearing = site.machine.bearings[position]
        self._geometry = bearing.build()
        self._static_n = bearing.static_load_n(site.machine)
        self._spalls = [(f, e) for f, e in present if isinstance(f, BearingSpall) and f.position == position]
        self._wear = [(f, e) for f, e in present if isinstance(f, BearingWear) and f.position == position]
        outer = next((f for f, _ in self._spalls if isinstance(f, BearingOuter)), None)
        offset_rad = math.radians(outer.angle_from_load_deg) if outer is not None else 0.0
        spec = ContactBearing(
            self._geometry,
            static_load_n=self._static_n,
            shaft_mass_kg=0.5 * site.machine.rotor.mass_kg,
            outer_spall_angle_rad=-0.5 * math.pi + offset_rad,
        )
        self._stream = ContactBearingStream(spec, site.dt_s)
        self._rng = site.noise("slip")
        jitter = max((f.jitter_pct / 100.0 for f, _ in self._spalls), default=SLIP_PER_PASSAGE)
        # A random walk that has drifted by `jitter` spacings' standard deviation after each passage of a ball.
        self._slip_scale = jitter * 2.0 * math.pi / self._geometry.n_balls
        self._slip_rad = 0.0
        self._widest_mm = 0.9e3 * spec.largest_spall_m

    def pass_on(self, block: Block, load_n: Array) -> Array:
        """(2, n) force on the housing from the (2, n) force that the rotor puts on the bearing."""
        passages = np.abs(block.speed_rad_s) * block.dt_s * self._geometry.bpfo_order / (2.0 * math.pi)
        slip = self._slip_rad + np.cumsum(self._slip_scale * np.sqrt(passages) * self._rng.standard_normal(block.n))
        self._slip_rad = float(slip[-1])
        motion = self._stream.step(
            block.angle_rad,
            slip,
            load_n[0],
            load_n[1],
            outer_width_m=self._width_m(block, BearingOuter),
            inner_width_m=self._width_m(block, BearingInner),
            ball_width_m=self._width_m(block, BearingBall),
            added_clearance_m=sum(1e-6 * f.added_clearance_um * e.at(block.time_s) for f, e in self._wear),
        )
        return np.stack((motion.force_x_n, motion.force_y_n + self._static_n))

    def _width_m(self, block: Block, kind: type[BearingSpall]) -> Array:
        """Width of the widest spall of a kind, (n,)."""
        width_mm = np.zeros(block.n)
        for fault, extent in self._spalls:
            if isinstance(fault, kind):
                width_mm = np.maximum(width_mm, fault.defect_width_mm * extent.at(block.time_s))
        return 1e-3 * np.minimum(width_mm, self._widest_mm)
