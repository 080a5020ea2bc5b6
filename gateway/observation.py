"""What a source tells the gateway, whichever way it came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Protocol

Kind = Literal["machine", "sensor"]

SENSOR_STATES = ("ok", "bias", "spike", "rate", "saturated", "dropout", "stuck", "bus")
"""Names of sensor states by number, as in `firmware.frames.SensorState`."""


@dataclass(frozen=True)
class Spectrum:
    """Amplitude spectrum at the time of an alert.

    Attributes:
        frequency_step_hz: distance of two lines; the first is at 0 Hz.
        amplitude_g: one value a line.
        channel: what was measured, such as `x_g`.
    """

    frequency_step_hz: float
    amplitude_g: tuple[float, ...]
    channel: str


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The state of one device at one time.

    Attributes:
        device: identity: a Bluetooth address, or the name of a serial line or socket.
        source: the source it came through.
        received_s: Unix time of its arrival.
        machine_alert, sensor_alert: which alerts stand on the device.
        about: the alerts whose details are in `machine_state`, and in `sensor` with `sensor_state`; else those are of the
            last window.
        machine_state: class of the alert or the window; None: not judged.
        confidence_pct: of that class; None: unknown.
        sensor: the IMU that a sensor alert is about; None: none.
        sensor_state: its state.
        rms_mg: of the acceleration without its mean.
        peak_mg, level, threshold, window, uptime_ms, model_id: where the source has them.
        temperature_c: of the IMU.
        sequence: of the device's packets since its start; over Bluetooth the packet id, modulo 256.
        boots: starts of the device, low 16 bits; over Bluetooth unknown.
        counter, key_id: of the encryption, and which key it was; None without.
        missed: packets lost just before this one.
        restarted: the device started anew just before this one.
        spectrum: where the source has it.
    """

    device: str
    source: str
    received_s: float
    machine_alert: bool
    sensor_alert: bool
    about: frozenset[Kind]
    machine_state: int | None
    confidence_pct: int | None
    sensor: int | None
    sensor_state: int
    rms_mg: float
    temperature_c: float | None
    sequence: int
    peak_mg: int | None = None
    level: int | None = None
    threshold: int | None = None
    window: int | None = None
    uptime_ms: int | None = None
    model_id: str | None = None
    boots: int | None = None
    counter: int | None = None
    key_id: str | None = None
    missed: int = 0
    restarted: bool = False
    spectrum: Spectrum | None = None


@dataclass
class Counts:
    """How often what was received or refused, in all and by device."""

    total: Counter[str] = field(default_factory=Counter)
    by_device: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, what: str, device: str | None = None, times: int = 1) -> None:
        """Count; `device` must be a known one, lest strangers fill the memory."""
        if not times:
            return
        self.total[what] += times
        if device is not None:
            self.by_device.setdefault(device, Counter())[what] += times


class Sink(Protocol):
    """Takes observations from sources; must not block."""

    def __call__(self, observation: Observation) -> None:
        """Take one."""
