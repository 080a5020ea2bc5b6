"""Fan blade faults: build-up on a blade, or loss of a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from sim.drive import RPM
from sim.effect import Site, Stream, Streams
from sim.extent import Extent
from sim.faults.base import Fault, Label
from sim.faults.imbalance import SEVERE_GRADE_MM_S
from sim.machine.fan import FanStream
from sim.machine.unbalance import UnbalanceStream, balance_grade_mm_s
from sim.scenario.quantity import Quantity

if TYPE_CHECKING:
    from sim.machine.machine import Machine


class FanBlade(Fault):
    """One blade heavier (dirt, ice) or lighter (a piece lost): unbalance, and one blade that lifts differently."""

    citation: ClassVar[str] = "ISO 14694:2003 (fan balance and vibration); Neise 1992, J. Sound Vib. 158(3)"
    limits: ClassVar[str] = "rigid blades; the lift's change is given, not computed from the shape"
    label: ClassVar[Label] = "fan_blade"
    severity_unit: ClassVar[str] = "mm/s (balance grade G)"
    severity_key: ClassVar[str] = "mass_g"
    example: ClassVar[Mapping[str, Any]] = {"mass_g": 5.0}

    kind: Literal["fan_blade"] = "fan_blade"
    mass_g: Annotated[float, Quantity(ge=-1e5, le=1e5)]
    """Mass added to the blade (build-up), or lost (negative)."""
    radius_share: Annotated[float, Quantity(gt=0, le=1)] = 0.8
    """Where on the blade, as a share of the tip radius."""
    lift_change_pct: Annotated[float, Quantity(ge=-100, le=100)] = -10.0
    """Change of that blade's lift."""

    def _unbalance_g_mm(self, machine: Machine) -> float:
        assert machine.fan is not None
        return self.mass_g * self.radius_share * machine.fan.tip_radius_mm

    def severity_value(self, machine: Machine) -> float:
        """Balance grade of the mass at rated speed."""
        grade = balance_grade_mm_s(self._unbalance_g_mm(machine), machine.rotor.mass_kg, machine.rated_speed_rpm * RPM)
        return abs(grade)

    def severity_reference(self, machine: Machine) -> float:
        """Grade G 40, as for imbalance."""
        return SEVERE_GRADE_MM_S

    def requires(self, machine: Machine) -> str | None:
        """A fan."""
        return "needs `machine.fan`" if machine.fan is None else None

    def stream(self, site: Site, extent: Extent) -> Stream:
        """The blade's unbalance and the change of its share in blade pass."""
        fan = site.machine.fan
        assert fan is not None
        change = np.zeros(fan.blades)
        change[int(site.rng("blade").integers(fan.blades))] = self.lift_change_pct / 100.0
        return Streams(
            [
                UnbalanceStream(site, extent, self._unbalance_g_mm(site.machine), 0.0),
                FanStream(fan, site, change, extent, flow_noise_n=0.0),
            ]
        )
