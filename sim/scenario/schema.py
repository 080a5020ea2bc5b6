"""The scenario: everything one YAML file says."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sim.drive import Operation
from sim.environment import Environment
from sim.faults import AnyFault
from sim.machine.machine import Machine
from sim.scenario.expect import Expect
from sim.scenario.quantity import Distribution, Quantity
from sim.scenario.reader import Include
from sim.scenario.spec import Spec
from sim.sensors.imu import ImuSpec

NORMAL = "normal"
"""The class, label and fault kind of a machine without fault."""

_NAME = r"^[A-Za-z0-9_.-]{1,64}$"


def _upper(value: float | Distribution) -> float:
    """The value, or the highest that can be drawn."""
    return value.support()[1] if isinstance(value, Distribution) else value


class Sampling(Spec):
    """Listen now and then, as a battery-powered sensor does; without this the sensors record all the time."""

    every_s: Annotated[float, Quantity(gt=0, le=1e9)]
    """Time from the start of one capture to the next."""
    windows: Annotated[int, Field(ge=1, le=1000)] = 1
    """Windows per capture."""


class Dataset(Spec):
    """The dataset plan: how `simtwin augment` cuts and labels."""

    window_length: Annotated[int, Field(ge=64, le=65536)] = 1024
    """Samples in a window."""
    windows_per_recording: Annotated[int, Field(ge=1, le=10000)] = 16
    """Contiguous windows of one synthetic recording: one draw of all distributions; the unit that splits keep whole."""
    windows: Annotated[int, Field(ge=1, le=100_000_000)] = 1000
    """Windows to make from the scenario as written, each labelled by the faults that are there at its time."""
    windows_per_class: Annotated[dict[str, Annotated[int, Field(ge=0, le=100_000_000)]], Field(min_length=1)] | None = (
        None
    )
    """Windows of each class instead: `normal`, the name of a fault, `SENSOR.KIND` of a sensor fault, or several with `+`.
    A class has its faults at full size from the start, and no others."""

    @model_validator(mode="after")
    def _one_plan(self) -> Self:
        if self.windows_per_class is not None and "windows" in self.model_fields_set:
            raise ValueError("give either `windows` or `windows_per_class`, not both")
        return self


class Scenario(Spec):
    """A machine, how it is run, what goes wrong, what is around it, who listens, and what dataset is made of it."""

    schema_version: Literal[1] = 1
    """Version of this format."""
    name: Annotated[str, Field(pattern=_NAME)]
    """Name of the scenario; it enters the random streams, so two scenarios never share their noise."""
    description: Annotated[str, Field(max_length=2000)] = ""
    """For people."""
    machine: Annotated[Machine, Include()]
    """The machine, or the path of a YAML file with it, relative to this file."""
    operation: Operation
    faults: Annotated[list[Annotated[AnyFault, Field(discriminator="kind")]], Field(max_length=32)] = []
    environment: Environment = Environment()
    sensors: Annotated[list[ImuSpec], Field(min_length=1, max_length=16)]
    fusion: Literal["none", "median"] = "none"
    """`median`: the sensors' windows are rotated to machine axes and fused into one row by the median."""
    sampling: Sampling | None = None
    dataset: Dataset = Dataset()
    expect: Annotated[Expect, Field(exclude=True)] = Expect()
    """What `simtwin e2e` must see. It changes no sample, so it is not part of the scenario's hash."""
    oversampling: Annotated[int, Field(ge=2, le=16)] = 4
    """Fineness of the internal grid: points per sample of the fastest sensor, at the least."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, names in (
            ("faults", [fault.name for fault in self.faults]),
            ("sensors", [sensor.id for sensor in self.sensors]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"two {what} are called `{name}`; give each an `id` of its own")
        for fault in self.faults:
            lacking = fault.requires(self.machine)
            if lacking:
                raise ValueError(f"fault `{fault.name}` {lacking}")
        if self.fusion == "median":
            rates = {(sensor.device, sensor.odr_hz) for sensor in self.sensors}
            if len(self.sensors) < 3 or len(rates) > 1:
                raise ValueError("`fusion: median` needs at least 3 sensors of one device and rate")
        for name in self.dataset.windows_per_class or ():
            self.class_members(name)
        self._rates_suffice()
        return self

    def _rates_suffice(self) -> None:
        """Refuse speeds whose wanted orders no sensor can carry: 1x above half the output rate tells nothing."""
        top_rpm = max(_upper(segment.speed_rpm) for segment in self.operation.plan())
        for sensor in self.sensors:
            if not sensor.anti_alias:
                continue  # folding is wanted, or at least known
            if top_rpm / 60.0 * self.machine_top_order() > sensor.odr_hz / 2.0:
                raise ValueError(
                    f"sensor `{sensor.id}` at {sensor.odr_hz:g} Hz cannot carry order {self.machine_top_order():g} at "
                    f"{top_rpm:g} rpm ({top_rpm / 60.0 * self.machine_top_order():.0f} Hz, above half the rate); lower the "
                    "speed, raise `odr_hz`, or say `anti_alias: false` if folding is meant"
                )

    def machine_top_order(self) -> float:
        """The highest order the scenario's faults put their main line at (at least 1)."""
        orders = [1.0]
        for fault in self.faults:
            order = getattr(fault, "passage_order", None)
            if order is not None:
                orders.append(order(self.machine.bearings[fault.position].build()))  # type: ignore[union-attr]
            if fault.kind == "fan_blade" and self.machine.fan is not None:
                orders.append(float(self.machine.fan.blades))
        return max(orders)

    def slowest_odr_hz(self) -> float:
        """Output rate of the slowest sensor."""
        return min(sensor.odr_hz for sensor in self.sensors)

    def life_windows(self) -> int:
        """Windows of one whole run under the sampling plan, the last capture included."""
        assert self.sampling is not None
        duration_s = sum(_upper(segment.duration_s) for segment in self.operation.plan())
        return self.sampling.windows * math.ceil(duration_s / _upper(self.sampling.every_s))

    def grid_rate_hz(self) -> float:
        """Rate of the internal grid: `oversampling` times the fastest sensor's rate, or more where that is too coarse.

        It must carry what the machine does even if the sensor does not: 6 kHz at least, or lines would fold before the
        sensor's own filter; and 8 times the highest mode up to twice the sensor's rate (5 % of error below resonance, as
        forces are taken as linear between grid points). It stays a multiple of the fastest sensor's rate.
        """
        fastest = max(sensor.odr_hz for sensor in self.sensors)
        modes = [_upper(mode.frequency_hz) for mode in self.machine.structure.modes]
        wanted = max(6000.0, 8.0 * max((f for f in modes if f <= 2.0 * fastest), default=0.0))
        return fastest * max(self.oversampling, math.ceil(wanted / fastest))

    def class_members(self, name: str) -> tuple[list[str], list[tuple[str, str]]]:
        """Names of the faults, and (sensor id, kind) of the sensor faults, in a dataset class.

        Raises ValueError for a name that is not in the scenario.
        """
        faults: list[str] = []
        sensor_faults: list[tuple[str, str]] = []
        known = [fault.name for fault in self.faults]
        known_sensor = [(s.id, f.kind) for s in self.sensors for f in s.faults]
        for token in name.split("+"):
            sensor, _, kind = token.rpartition(".")
            if token == NORMAL:
                continue
            if token in known:
                faults.append(token)
            elif (sensor, kind) in known_sensor:
                sensor_faults.append((sensor, kind))
            else:
                allowed = [NORMAL, *known, *(f"{s}.{k}" for s, k in known_sensor)]
                raise ValueError(f"`windows_per_class` names `{token}`, which is none of {', '.join(allowed)}")
        return faults, sensor_faults


def json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file (draft 2020-12)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
