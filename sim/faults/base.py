"""What every machine fault is: an effect with a kind, a label, a severity, and a course in time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from sim.effect import Array, Effect, Site, Stream
from sim.extent import Course, Extent

if TYPE_CHECKING:
    from sim.machine.machine import Machine

Label = Literal["imbalance", "misalignment", "bearing_wear", "looseness", "bent_shaft", "fan_blade"]
"""Machine states other than `normal`; several kinds of fault can share a label."""


@dataclass(frozen=True)
class Severity:
    """How bad a fault is, over time: the physical figure (n,), its unit, and its share of the figure called severe."""

    value: Array
    unit: str
    normalised: Array


class Fault(Effect, Course, ABC):
    """A machine fault. Subclasses hold the physics of one cause and register themselves by being imported."""

    kind: str
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] = ""
    """Name of the fault in this scenario, for `windows_per_class`; by default its kind."""

    label: ClassVar[Label]
    severity_unit: ClassVar[str]
    severity_key: ClassVar[str]
    """Name of the parameter that the severity is measured by: twice the one is twice the other."""
    example: ClassVar[Mapping[str, Any]]
    """Parameters of a plain fault of this kind, for the contract checks and the manual."""

    @property
    def name(self) -> str:
        """The fault's id, or its kind."""
        return self.id or self.kind

    @abstractmethod
    def severity_value(self, machine: Machine) -> float:
        """The physical figure of the full-size fault, in `severity_unit`."""

    @abstractmethod
    def severity_reference(self, machine: Machine) -> float:
        """The figure at which the fault is severe (normalised severity 1), in `severity_unit`."""

    def severity(self, machine: Machine, size: Array) -> Severity:
        """The severity of the fault at shares `size` (n,) of its full size."""
        value = self.severity_value(machine) * size
        return Severity(value, self.severity_unit, value / self.severity_reference(machine))

    def requires(self, machine: Machine) -> str | None:
        """What this fault needs of the machine and does not find there, in words; None when all is there."""
        return None

    @abstractmethod
    def stream(self, site: Site, extent: Extent) -> Stream:
        """Start the fault at `site`; `extent` says how much of it is there at a time."""
