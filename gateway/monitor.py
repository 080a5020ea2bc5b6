"""From observations to alerts: what stands on each device, and what an observation changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gateway.config import Config
from gateway.observation import SENSOR_STATES, Counts, Kind, Observation

Action = Literal["raised", "changed", "repeated", "cleared"]
KINDS: tuple[Kind, ...] = ("machine", "sensor")
UNKNOWN = "unknown"
"""State of an alert whose details have not come yet."""


@dataclass
class Status:
    """What is known of a device.

    Attributes:
        device: identity.
        name: what people call it.
        first_seen_s: Unix time.
        last: the last observation.
        alerts: state of the alerts that stand, by kind.
        reading_s: when a reading of it was last stored.
    """

    device: str
    name: str
    first_seen_s: float
    last: Observation
    alerts: dict[Kind, str] = field(default_factory=dict)
    reading_s: float = 0.0


@dataclass(frozen=True)
class Change:
    """What an observation did to an alert.

    Attributes:
        kind: machine anomaly or sensor fault.
        action: what happened.
        state: of the alert: a class of the model, or a sensor state.
        observation: the cause.
    """

    kind: Kind
    action: Action
    state: str
    observation: Observation


class Monitor:
    """Keeps the state of all devices in memory; the store keeps it on disk.

    Alerts follow what stands on the device, not the messages that say so: a lost message delays an alert until the next one,
    and loses none.
    """

    def __init__(self, config: Config, counts: Counts, statuses: dict[str, Status]) -> None:
        self._config, self._counts = config, counts
        self._listed = {device.id: device for device in config.devices}
        self.statuses = statuses
        for status in statuses.values():
            status.name = self.name_of(status.device)

    def take(self, observation: Observation) -> tuple[Status, list[Change]]:
        """Take an observation: the device's new state, and what changed."""
        device = observation.device
        self._counts.add("received", device)
        self._counts.add("missed", device, observation.missed)
        self._counts.add("restarts", device, int(observation.restarted))
        status = self.statuses.get(device)
        if status is None:
            status = Status(device, self.name_of(device), observation.received_s, observation)
            self.statuses[device] = status
        status.last = observation
        changes = []
        for kind, stands in (("machine", observation.machine_alert), ("sensor", observation.sensor_alert)):
            change = self._change(status, kind, stands, observation)  # type: ignore[arg-type]
            if change is not None:
                changes.append(change)
        return status, changes

    def _change(self, status: Status, kind: Kind, stands: bool, observation: Observation) -> Change | None:
        before = status.alerts.get(kind)
        told = self._state(kind, observation) if kind in observation.about else None
        if not stands:
            if before is None:
                return None
            del status.alerts[kind]
            return Change(kind, "cleared", before, observation)
        after = told or before or UNKNOWN
        status.alerts[kind] = after
        if before is None:
            return Change(kind, "raised", after, observation)
        if after != before:
            return Change(kind, "changed", after, observation)
        return Change(kind, "repeated", after, observation) if told else None

    def _state(self, kind: Kind, observation: Observation) -> str | None:
        if kind == "sensor":
            return SENSOR_STATES[observation.sensor_state]
        if observation.machine_state is None:
            return None
        return self.class_name(observation.device, observation.machine_state)

    def class_name(self, device: str, number: int | None) -> str:
        """Name of a class of the device's model."""
        if number is None:
            return "not judged"
        listed = self._listed.get(device)
        names = self._config.classes if listed is None or listed.classes is None else listed.classes
        return names[number] if number < len(names) else f"class {number}"

    def name_of(self, device: str) -> str:
        """What people call a device."""
        listed = self._listed.get(device)
        return device if listed is None else listed.name

    def silent_after_s(self, device: str) -> float:
        """How long a device may be silent."""
        listed = self._listed.get(device)
        if listed is None or listed.silent_after_s is None:
            return self._config.silent_after_s
        return listed.silent_after_s

    def is_silent(self, status: Status, now_s: float) -> bool:
        """Whether a device was not heard for too long."""
        return now_s - status.last.received_s > self.silent_after_s(status.device)
