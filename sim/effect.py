"""The contract of everything that shakes the machine: an `Effect` adds its force to blocks of machine time.

The twin computes on an internal grid, several times finer than any sensor's output rate. A `Block` is a stretch of
that grid; each effect's `Stream` adds the force it causes (N, machine axes) to `block.forces_n` and carries its own
state to the next block. Effects never see each other, so any of them can be switched off without trace.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.scenario.spec import Spec
from sim.seeds import generator

if TYPE_CHECKING:
    from sim.machine.machine import Machine

Array = NDArray[np.float64]
"""Real samples on the internal grid, float64."""

POINTS = ("disk", "drive_end", "non_drive_end", "casing")
"""Where forces act. `disk` is the rotor (filtered by its dynamics); the others are points of the structure."""

_ROWS = {point: row for row, point in enumerate(POINTS)}

MountPoint = Literal["drive_end", "non_drive_end", "casing"]
"""Points of the structure: bearing housings and the casing; where sensors sit."""

BearingPosition = Literal["drive_end", "non_drive_end"]
"""The two bearings."""

GRAVITY_M_S2 = 9.80665
"""Standard gravity (ISO 80000-3)."""


@dataclass(slots=True)
class Block:
    """A stretch of machine time on the internal grid.

    Attributes:
        time_s: (n,) time since the start of the run.
        dt_s: grid spacing.
        angle_rad, speed_rad_s, accel_rad_s2: (n,) shaft angle and its derivatives.
        load: (n,) load as a fraction of rated, 0..1.5.
        cos_angle, sin_angle: (n,) cosine and sine of the shaft angle.
        forces_n: (4, 3, n) force at each of `POINTS` along x, y, z; effects add to it.
        temperature_c: temperature of the machine's surface, one value per block.
    """

    time_s: Array
    dt_s: float
    angle_rad: Array
    speed_rad_s: Array
    accel_rad_s2: Array
    load: Array
    cos_angle: Array
    sin_angle: Array
    forces_n: Array
    temperature_c: float = 25.0

    def force(self, point: str) -> Array:
        """The (3, n) force at one of `POINTS`, to be added to in place."""
        view: Array = self.forces_n[_ROWS[point]]
        return view

    @property
    def bearing_forces(self) -> Array:
        """The (6, n) forces at drive end and non-drive end together, to be added to in place."""
        view: Array = self.forces_n[1:3].reshape(6, -1)
        return view

    @property
    def n(self) -> int:
        """Samples in the block."""
        return len(self.time_s)


class Stream(Protocol):
    """The running form of an effect, with whatever state it carries from block to block."""

    def add(self, block: Block) -> None:
        """Add this effect's force to `block.forces_n`."""


@dataclass(frozen=True)
class Site:
    """What an effect may know of where it acts when it starts to run, and its random streams."""

    machine: Machine
    dt_s: float
    seed: int
    recording: tuple[str | int, ...]
    """Path of the recording's random streams, e.g. (scenario name, recording number)."""
    place: tuple[str, ...] = ()
    """Path of the effect's own streams within the recording, e.g. ("fault", "imbalance")."""
    capture: int = 0
    """Number of the contiguous capture within the recording."""

    def at(self, *place: str) -> Site:
        """The same site for another effect."""
        return Site(self.machine, self.dt_s, self.seed, self.recording, place, self.capture)

    def rng(self, purpose: str) -> np.random.Generator:
        """A stream for what stays the same through the whole recording: phases, blade tolerances."""
        return generator(self.seed, *self.recording, *self.place, purpose)

    def noise(self, purpose: str) -> np.random.Generator:
        """A stream for what is new in every capture: noise, jitter."""
        return generator(self.seed, *self.recording, *self.place, purpose, self.capture)


class Effect(Spec):
    """One physical effect: its parameters are a mapping in the scenario file.

    Subclasses state their source and their limits, and offer `stream` to run; machine parts as `Part`, faults as
    `sim.faults.base.Fault`.
    """

    citation: ClassVar[str]
    limits: ClassVar[str]


class Part(Effect, ABC):
    """A part of the healthy machine that shakes it."""

    @abstractmethod
    def stream(self, site: Site) -> Stream:
        """Start the effect at `site`. Parameters must have been realised (no distributions left)."""


@dataclass(slots=True)
class Streams:
    """Several streams run as one."""

    parts: list[Stream] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Let every part add its force."""
        for part in self.parts:
            part.add(block)
