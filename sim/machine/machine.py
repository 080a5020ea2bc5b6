"""The machine: rotor on two bearings, with coupling, fan and motor where it has them, in its structure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.effect import GRAVITY_M_S2, BearingPosition, Part, Site, Stream, Streams
from sim.errors import ParameterError
from sim.extent import ALWAYS
from sim.machine.bearing import CATALOGUE, BearingGeometry, LoadZone, load_zone
from sim.machine.coupling import Coupling, MisalignmentStream
from sim.machine.fan import Fan
from sim.machine.motor import Motor
from sim.machine.rolling_noise import CORNER_ORDER, RollingNoise
from sim.machine.shaft import Shaft
from sim.machine.structure import Structure
from sim.machine.unbalance import UnbalanceStream
from sim.scenario.quantity import Quantity
from sim.scenario.spec import Spec


class Geometry(Spec):
    """A bearing's inner dimensions, where its designation is not in the catalogue."""

    n_balls: Annotated[int, Field(ge=3, le=100)]
    ball_diameter_mm: Annotated[float, Field(gt=0, le=500, strict=True)]
    pitch_diameter_mm: Annotated[float, Field(gt=0, le=5000, strict=True)]
    contact_angle_deg: Annotated[float, Field(ge=0, lt=90, strict=True)] = 0.0
    diametral_clearance_um: Annotated[float, Field(ge=-100, le=1000, strict=True)] = 10.0

    def build(self) -> BearingGeometry:
        """The geometry; raises ParameterError when such a bearing cannot be assembled."""
        return BearingGeometry(
            n_balls=self.n_balls,
            ball_diameter_mm=self.ball_diameter_mm,
            pitch_diameter_mm=self.pitch_diameter_mm,
            contact_angle_deg=self.contact_angle_deg,
            diametral_clearance_um=self.diametral_clearance_um,
        )


class Bearing(Part):
    """A ball bearing as mounted: its geometry, its load, the noise it makes when healthy."""

    citation: ClassVar[str] = RollingNoise.__doc__ or ""
    limits: ClassVar[str] = "radial deep-groove ball bearings; the load points down, also where an overhung rotor lifts"

    designation: str | None = None
    """A bearing of the catalogue in sim/machine/bearing.py."""
    geometry: Geometry | None = None
    """Inner dimensions, instead of the designation."""
    diametral_clearance_um: Annotated[float, Quantity(ge=-100, le=1000)] | None = None
    """Clearance as mounted, instead of the catalogue's or the geometry's (which are those of the loose bearing)."""
    radial_load_n: Annotated[float, Quantity(ge=0, le=1e6)] = 0.0
    """Constant radial load beside the rotor's weight (belt, preload), downwards."""
    noise_n: Annotated[float, Quantity(ge=0, le=1e5)] = 1.0
    """RMS of the healthy bearing's broad-band force at rated speed, vertical axis."""
    noise_speed_exponent: Annotated[float, Quantity(ge=0, le=4)] = 2.0
    """Power of the speed with which that RMS grows; `simtwin calibrate` reads it from recordings at several speeds."""
    noise_corner_order: Annotated[float, Quantity(ge=1, le=1e5)] = CORNER_ORDER
    """Corner of the noise's spectrum as an order of the shaft speed; likewise."""
    fidelity: Literal["signal", "contact"] = "signal"
    """`signal`: fast, event by event. `contact`: nonlinear Hertz contacts with clearance, integrated in time."""

    @model_validator(mode="after")
    def _one_geometry(self) -> Self:
        if (self.designation is None) == (self.geometry is None):
            raise ValueError("give either `designation` or `geometry`")
        if self.designation is not None and self.designation not in CATALOGUE:
            known = ", ".join(f"`{name}`" for name in CATALOGUE)
            raise ValueError(f"`designation` {self.designation!r} is not in the catalogue ({known}); give `geometry`")
        if self.geometry is not None:
            try:
                self.geometry.build()
            except ParameterError as error:
                raise ValueError(str(error)) from None
        return self

    def build(self) -> BearingGeometry:
        """The geometry as numbers."""
        if self.designation is not None:
            geometry = CATALOGUE[self.designation]
        else:
            assert self.geometry is not None
            geometry = self.geometry.build()
        if isinstance(self.diametral_clearance_um, float):
            return replace(geometry, diametral_clearance_um=self.diametral_clearance_um)
        return geometry

    def static_load_n(self, machine: Machine) -> float:
        """Radial load at rest: the bearing's share of the rotor's weight (law of the lever) and the extra load."""
        share = (
            machine.rotor.disk_position
            if self.position(machine) == "non_drive_end"
            else 1.0 - machine.rotor.disk_position
        )
        # A bearing that carries nothing would have no load zone: a hundredth of the weight keeps it seated.
        return max(abs(share), 0.01) * machine.rotor.mass_kg * GRAVITY_M_S2 + self.radial_load_n

    def position(self, machine: Machine) -> BearingPosition:
        """Where on its machine this bearing is."""
        return next(position for position, bearing in machine.bearings.items() if bearing is self)

    def zone(self, machine: Machine) -> LoadZone:
        """How the static load spreads over the balls (Stribeck)."""
        return _zone(self.build(), self.static_load_n(machine))

    def stream(self, site: Site) -> Stream:
        """The healthy bearing's noise."""
        return RollingNoise.of_bearing(site, self.position(site.machine))


_zone = lru_cache(maxsize=256)(load_zone)


class Rotor(Part):
    """The rotor: a mass on a flexible shaft between two bearings (Jeffcott), or rigid."""

    citation: ClassVar[str] = "Genta 2005, Dynamics of Rotating Systems, ch. 2; ISO 21940-11:2016 for unbalance"
    limits: ClassVar[str] = "first bending mode only; no gyroscopic split of it; supports rigid against the shaft"

    mass_kg: Annotated[float, Quantity(gt=0, le=1e5)]
    """Mass of the rotor."""
    bearing_span_m: Annotated[float, Quantity(gt=0, le=50)]
    """Distance between the bearings."""
    disk_position: Annotated[float, Quantity(ge=-1, le=2)] = 0.5
    """Where the rotor's mass sits between drive end (0) and non-drive end (1); outside 0..1 it is overhung."""
    critical_speed_rpm: Annotated[float, Quantity(gt=0, le=1e6)] | None = None
    """First bending critical speed; none and no `shaft`: the rotor is rigid."""
    damping_ratio: Annotated[float, Quantity(ge=0.001, lt=1)] = 0.05
    """Damping of the first bending mode."""
    shaft: Shaft | None = None
    """A stepped shaft, from which the critical speed is computed (finite elements), instead of giving it."""
    residual_unbalance_g_mm: Annotated[float, Quantity(ge=0, le=1e9)] = 0.0
    """Static unbalance of the machine as balanced."""
    residual_couple_g_mm2: Annotated[float, Quantity(ge=0, le=1e12)] = 0.0
    """Couple unbalance of the machine as balanced."""

    @model_validator(mode="after")
    def _one_flexibility(self) -> Self:
        if self.shaft is not None and self.critical_speed_rpm is not None:
            raise ValueError("give either `critical_speed_rpm` or `shaft`, not both")
        return self

    def critical(self) -> tuple[float, float] | None:
        """First critical speed (rpm) and damping ratio; None for a rigid rotor."""
        if self.shaft is not None:
            jeffcott = self.shaft.jeffcott(self)
            return jeffcott.critical_speed_rpm, jeffcott.damping_ratio
        return None if self.critical_speed_rpm is None else (self.critical_speed_rpm, self.damping_ratio)

    def stream(self, site: Site) -> Stream:
        """The residual unbalance at work."""
        return UnbalanceStream(site, ALWAYS, self.residual_unbalance_g_mm, self.residual_couple_g_mm2)


class Machine(Spec):
    """A rotating machine. Axes: x horizontal, y vertical (up), z along the shaft."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    """Name of the machine; a column of the dataset."""
    rated_speed_rpm: Annotated[float, Quantity(gt=0, le=60000)]
    """Speed at which forces given as figures have that size."""
    rotor: Rotor
    bearings: Annotated[dict[BearingPosition, Bearing], Field(min_length=1)]
    coupling: Coupling | None = None
    fan: Fan | None = None
    motor: Motor | None = None
    structure: Structure

    def stream(self, site: Site) -> Stream:
        """Everything the healthy machine does."""
        parts: list[Stream] = [self.rotor.stream(site.at("machine", "rotor"))]
        parts += [bearing.stream(site.at("machine", position)) for position, bearing in self.bearings.items()]
        if self.coupling is not None:
            parts.append(
                MisalignmentStream(
                    site.at("machine", "coupling"),
                    ALWAYS,
                    self.coupling.residual_offset_mm,
                    self.coupling.residual_angle_deg,
                )
            )
        if self.fan is not None:
            parts.append(self.fan.stream(site.at("machine", "fan")))
        if self.motor is not None:
            parts.append(self.motor.stream(site.at("machine", "motor")))
        return Streams(parts)

    def orders(self) -> dict[str, float]:
        """The orders that matter on this machine, by name, for plots."""
        marks = {"1x": 1.0, "2x": 2.0, "3x": 3.0}
        for position, bearing in self.bearings.items():
            geometry = bearing.build()
            suffix = "" if len(self.bearings) == 1 else {"drive_end": " DE", "non_drive_end": " NDE"}[position]
            marks |= {
                f"BPFO{suffix}": geometry.bpfo_order,
                f"BPFI{suffix}": geometry.bpfi_order,
                f"2xBSF{suffix}": 2.0 * geometry.bsf_order,
                f"FTF{suffix}": geometry.ftf_order,
            }
        if self.fan is not None:
            marks["blade pass"] = float(self.fan.blades)
        return marks
