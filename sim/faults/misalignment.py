"""Misalignment: shafts that meet at an offset or an angle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from sim.effect import Site, Stream
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.machine.coupling import MisalignmentStream
from sim.scenario.quantity import Quantity

if TYPE_CHECKING:
    from sim.machine.machine import Machine

SEVERE_PRELOAD_SHARE = 3.0
"""A reaction of three times the bearing's own static load is called severe (an assumption of this project)."""


class Misalignment(Fault):
    """Parallel and angular misalignment at the coupling; how much it shows depends on the coupling's stiffness."""

    citation: ClassVar[str] = (
        "Gibbons 1976, Proc. 5th Turbomachinery Symposium; Sekhar and Prabhu 1995, J. Sound Vib. 185(4), 655-671; "
        "Xu and Marangoni 1994, J. Sound Vib. 176(5)"
    )
    limits: ClassVar[str] = (
        "quasi-static reaction, no lateral-torsional coupling; stiffness variation of the coupling given"
    )
    label: ClassVar[Label] = "misalignment"
    severity_unit: ClassVar[str] = "N (reaction at the drive-end bearing)"
    severity_key: ClassVar[str] = "offset_mm"
    example: ClassVar[Mapping[str, Any]] = {"offset_mm": 0.5}

    kind: Literal["misalignment"] = "misalignment"
    offset_mm: Annotated[float, Quantity(ge=0, le=10)] = 0.0
    """Parallel offset of the shafts, added to the residual one."""
    angle_deg: Annotated[float, Quantity(ge=0, le=10)] = 0.0
    """Angle between the shafts, added to the residual one."""

    def severity_value(self, machine: Machine) -> float:
        """Constant reaction force at the drive-end bearing."""
        assert machine.coupling is not None
        return abs(machine.coupling.static_reaction(self.offset_mm, self.angle_deg, machine.rotor.bearing_span_m)[0])

    def severity_reference(self, machine: Machine) -> float:
        """A multiple of the static load of the drive-end bearing."""
        bearing = machine.bearings.get("drive_end") or next(iter(machine.bearings.values()))
        return SEVERE_PRELOAD_SHARE * bearing.static_load_n(machine)

    def requires(self, machine: Machine) -> str | None:
        """A coupling."""
        return "needs `machine.coupling`" if machine.coupling is None else None

    def stream(self, site: Site, extent: Extent) -> Stream:
        """Lines and preload noise at the bearings."""
        return MisalignmentStream(site, extent, self.offset_mm, self.angle_deg)
