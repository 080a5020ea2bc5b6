"""Imbalance: static and couple unbalance beyond what balancing left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from sim.drive import RPM
from sim.effect import Site, Stream
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.machine.unbalance import UnbalanceStream, balance_grade_mm_s
from sim.scenario.quantity import Quantity

if TYPE_CHECKING:
    from sim.machine.machine import Machine

SEVERE_GRADE_MM_S = 40.0
"""Balance grade called severe: two grades, each a factor of 2.5, above G 6.3 of fans (ISO 21940-11, table 1)."""


class Imbalance(Fault):
    """A rotor out of balance: 1x radial force that grows with speed squared."""

    citation: ClassVar[str] = "ISO 21940-11:2016; Genta 2005, Dynamics of Rotating Systems, ch. 2"
    limits: ClassVar[str] = "a rotor that keeps its shape; through the critical speed only the first bending mode acts"
    label: ClassVar[Label] = "imbalance"
    severity_unit: ClassVar[str] = "mm/s (balance grade G)"
    severity_key: ClassVar[str] = "unbalance_g_mm"
    example: ClassVar[Mapping[str, Any]] = {"unbalance_g_mm": 300.0}

    kind: Literal["imbalance"] = "imbalance"
    unbalance_g_mm: Annotated[float, Quantity(ge=0, le=1e9)]
    """Static unbalance m e added to the rotor."""
    couple_g_mm2: Annotated[float, Quantity(ge=0, le=1e12)] = 0.0
    """Couple unbalance added to the rotor."""

    def severity_value(self, machine: Machine) -> float:
        """Balance grade at rated speed; a couple counts as the unbalance that gives the same force at a bearing."""
        span_mm = machine.rotor.bearing_span_m * 1e3
        total = self.unbalance_g_mm + 2.0 * self.couple_g_mm2 / span_mm
        return balance_grade_mm_s(total, machine.rotor.mass_kg, machine.rated_speed_rpm * RPM)

    def severity_reference(self, machine: Machine) -> float:
        """Grade G 40."""
        return SEVERE_GRADE_MM_S

    def stream(self, site: Site, extent: Extent) -> Stream:
        """The unbalance's force on disk and bearings."""
        return UnbalanceStream(site, extent, self.unbalance_g_mm, self.couple_g_mm2)
