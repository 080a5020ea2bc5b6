"""Machine faults, one cause a file. A new fault: write its class, list it here; schema and contract checks follow."""

from __future__ import annotations

from sim.faults.base import Fault
from sim.faults.bearing_spall import BearingBall, BearingInner, BearingOuter
from sim.faults.bearing_wear import BearingWear
from sim.faults.bent_shaft import BentShaft
from sim.faults.fan_blade import FanBlade
from sim.faults.imbalance import Imbalance
from sim.faults.looseness import Looseness
from sim.faults.misalignment import Misalignment

AnyFault = (
    Imbalance
    | Misalignment
    | BearingOuter
    | BearingInner
    | BearingBall
    | BearingWear
    | Looseness
    | BentShaft
    | FanBlade
)
"""Every kind of machine fault a scenario can hold."""

__all__ = ["AnyFault", "Fault"]
