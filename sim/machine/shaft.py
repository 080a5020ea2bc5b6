"""A stepped shaft in a scenario: from sections to the first bending mode that the twin runs with."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from sim.machine.rotor import BearingSupport, Disk, JeffcottRotor, ShaftElement, SteppedRotor
from sim.scenario.spec import Spec

if TYPE_CHECKING:
    from sim.machine.machine import Rotor

_Length = Annotated[float, Field(gt=0, le=50_000, strict=True)]


class Section(Spec):
    """A cylindrical piece of the shaft; finite elements join at the sections' ends."""

    length_mm: _Length
    outer_diameter_mm: _Length
    inner_diameter_mm: Annotated[float, Field(ge=0, le=50_000, strict=True)] = 0.0


class Shaft(Spec):
    """A steel shaft in sections, with the rotor's mass as a disk at one joint and the bearings at two others.

    Joint 0 is the shaft's drive end; joint i is the end of section i.
    """

    sections: Annotated[tuple[Section, ...], Field(min_length=2, max_length=200)]
    disk_joint: Annotated[int, Field(ge=0)]
    """Joint that carries the rotor's mass."""
    bearing_joints: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
    """Joints of drive-end and non-drive-end bearing."""
    bearing_stiffness_n_per_m: Annotated[float, Field(gt=0, le=1e12, strict=True)] = 1e8
    """Radial stiffness of each bearing."""
    disk_radius_mm: _Length = 100.0
    """Radius of the disk, for its inertia (a thin disk)."""

    @model_validator(mode="after")
    def _joints_exist(self) -> Self:
        last = len(self.sections)
        for name, joint in (("disk_joint", self.disk_joint), *(("bearing_joints", j) for j in self.bearing_joints)):
            if joint > last:
                raise ValueError(f"`{name}` is {joint}, but {last} sections have joints 0 to {last}")
        if self.bearing_joints[0] >= self.bearing_joints[1]:
            raise ValueError("`bearing_joints` must rise from drive end to non-drive end")
        for section in self.sections:
            if section.inner_diameter_mm >= section.outer_diameter_mm:
                raise ValueError("a section's `inner_diameter_mm` must be below its `outer_diameter_mm`")
        return self

    def rotor(self, mass_kg: float) -> SteppedRotor:
        """The finite-element rotor with a disk of `mass_kg`."""
        radius_m = self.disk_radius_mm * 1e-3
        polar = 0.5 * mass_kg * radius_m**2
        return SteppedRotor(
            [
                ShaftElement(s.length_mm * 1e-3, s.outer_diameter_mm * 1e-3, s.inner_diameter_mm * 1e-3)
                for s in self.sections
            ],
            [Disk(self.disk_joint, mass_kg, 0.5 * polar, polar)],
            [BearingSupport(joint, self.bearing_stiffness_n_per_m) for joint in self.bearing_joints],
        )

    def jeffcott(self, rotor: Rotor) -> JeffcottRotor:
        """First bending mode seen at the disk, with the rotor's damping ratio."""
        mode = _first_mode(self, rotor.mass_kg)
        return JeffcottRotor(mode.mass_kg, mode.stiffness_n_per_m, rotor.damping_ratio)


@lru_cache(maxsize=256)
def _first_mode(shaft: Shaft, mass_kg: float) -> JeffcottRotor:
    return shaft.rotor(mass_kg).to_jeffcott(shaft.disk_joint)
