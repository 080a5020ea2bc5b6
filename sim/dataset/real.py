"""Real recordings, as every reader delivers them, and their windows in the dataset's table."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.dataset.table import OK, Windows
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL

Samples = NDArray[np.float32]
F = TypeVar("F", np.float32, np.float64)

REAL = "real"
"""Provenance of windows that are a sensor's own."""


@dataclass(frozen=True)
class RealRecording:
    """One uninterrupted recording of one sensor, in the dataset's units.

    Attributes:
        samples: (n, n_channels) float32; accelerometer channels in g, gyroscope channels in deg/s.
        channels: name of each channel with its unit, e.g. ("accel_x_g", "accel_y_g", "accel_z_g").
        rate_hz: sampling rate.
        id: the recording; unique in its dataset.
        label: machine state: normal, imbalance, misalignment, bearing_wear, ...; "" when nobody knows.
        fault_kind: kind of the fault (bearing_outer, ...), normal without, "" when nobody knows.
        severity: the source's own word for it (light, 0.021 in); "" without.
        speed_rpm: nominal shaft speed; NaN when not stated.
        load: load in the source's own measure, as a number; NaN when not stated.
        machine_id: the machine.
        sensor_id: the sensor.
        group: what must stay on one side of a split: usually the recording, else the specimen it shares with others.
        source: name of the dataset it came from.
        start_s: start, s since the start of the source's file.
        anomaly: (n,) bool for recordings labelled sample by sample (then `label` is the anomalous state's); None: the label
            holds throughout.
    """

    samples: Samples
    channels: tuple[str, ...]
    rate_hz: float
    id: str
    label: str
    fault_kind: str = ""
    severity: str = ""
    speed_rpm: float = math.nan
    load: float = math.nan
    machine_id: str = ""
    sensor_id: str = ""
    group: str = ""
    source: str = ""
    start_s: float = 0.0
    anomaly: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[1] != len(self.channels):
            raise DatasetError(
                f"recording {self.id}: samples have shape {self.samples.shape}, but {len(self.channels)} channels are named"
            )
        if not self.group:
            object.__setattr__(self, "group", self.id)

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return len(self.samples) / self.rate_hz

    @property
    def normal(self) -> bool:
        """Whether the machine was healthy throughout."""
        return self.label == NORMAL

    def part(self, start_s: float, end_s: float) -> RealRecording:
        """The stretch from `start_s` to `end_s` of this recording (s since its own start); same id and group."""
        return self.stretch(round(start_s * self.rate_hz), round(end_s * self.rate_hz))

    def stretch(self, first: int, last: int) -> RealRecording:
        """Samples `first` to `last` (exclusive) of this recording; same id and group."""
        return replace(
            self,
            samples=self.samples[first:last],
            start_s=self.start_s + first / self.rate_hz,
            anomaly=None if self.anomaly is None else self.anomaly[first:last],
        )


@dataclass(frozen=True)
class RealSet:
    """Recordings as a dataset is made of them: usable, labelled, and each in one state of the machine throughout.

    Attributes:
        name: the known set's name, or the path of the description.
        recordings: at their own rate; stretches of one recording share its id and group.
        at_rate: the same at the rate of the windows.
        content_sha256: of all that was read, before anything was left out.
        left_out: (recording or file, reason) of what is not used.
        questions: (recording, question) of what is used but should be looked at.
        decisions: what curation did to each recording it changed or refused; None when it was off.
    """

    name: str
    recordings: tuple[RealRecording, ...]
    at_rate: tuple[RealRecording, ...]
    content_sha256: str
    left_out: tuple[tuple[str, str], ...] = ()
    questions: tuple[tuple[str, str], ...] = ()
    decisions: tuple[dict[str, Any], ...] | None = None


def content_sha256(recordings: Sequence[RealRecording]) -> str:
    """SHA-256 of recordings: samples and all that is said of them."""
    digest = hashlib.sha256()
    for recording in recordings:
        said = {f.name: getattr(recording, f.name) for f in fields(recording) if f.name not in ("samples", "anomaly")}
        digest.update(repr(sorted(said.items())).encode())
        for array in (recording.samples, recording.anomaly):
            digest.update(b"" if array is None else f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def in_one_state(recording: RealRecording) -> list[RealRecording]:
    """The stretches of a recording throughout which the machine was in one state; same id and group."""
    if recording.anomaly is None:
        return [recording]
    edges = np.flatnonzero(np.diff(recording.anomaly)) + 1
    bounds = [0, *edges.tolist(), len(recording.samples)]
    stretches = []
    for first, last in pairwise(bounds):
        stretch = replace(recording.stretch(first, last), anomaly=None)
        if not recording.anomaly[first]:
            stretch = replace(stretch, label=NORMAL, fault_kind=NORMAL, severity="")
        stretches.append(stretch)
    return stretches


def cut(samples: NDArray[F], length: int, hop: int | None = None) -> NDArray[F]:
    """Windows (n_windows, length, n_channels) of `samples` (n, n_channels), `hop` samples apart (default: no overlap)."""
    if len(samples) < length:
        return np.empty((0, length, samples.shape[1]), samples.dtype)
    views = np.lib.stride_tricks.sliding_window_view(samples, length, axis=0)[:: hop or length]
    return np.ascontiguousarray(views.transpose(0, 2, 1))


def to_windows(recording: RealRecording, length: int, hop: int | None = None) -> Windows:
    """The recording's windows as rows of the dataset's table, provenance `real`."""
    samples = cut(recording.samples, length, hop)
    return Windows(samples, columns(recording, len(samples), length, hop))


def columns(recording: RealRecording, count: int, length: int, hop: int | None = None) -> dict[str, Any]:
    """Columns of `count` windows of `length` samples of a recording, `hop` samples apart."""
    step = hop or length
    kind: Any = recording.fault_kind or recording.label
    label: Any = recording.label
    severity: Any = 0.0 if recording.normal else math.nan
    if recording.anomaly is not None:
        anomalous = [bool(recording.anomaly[i * step : i * step + length].any()) for i in range(count)]
        label, kind = ([state if a else NORMAL for a in anomalous] for state in (label, kind))
        severity = [math.nan if a else 0.0 for a in anomalous]
    return {
        "channels": ",".join(recording.channels),
        "sampling_rate_hz": recording.rate_hz,
        "label": label,
        "fault_kind": kind,
        "severity": severity,
        "severity_value": math.nan,
        "severity_unit": recording.severity,
        "sensor_state": OK,
        "sensor_severity": 0.0,
        "speed_rpm": recording.speed_rpm,
        "load": recording.load,
        "start_s": recording.start_s + np.arange(count) * step / recording.rate_hz,
        "machine_id": recording.machine_id,
        "sensor_id": recording.sensor_id,
        "recording_id": recording.id,
        "group": recording.group,
        "provenance": REAL,
        "scenario": recording.source,
        "scenario_hash": "",
        "seed": 0,
    }


def same_format(recordings: Sequence[RealRecording]) -> None:
    """Raise DatasetError unless all recordings share channels and rate."""
    first = recordings[0]
    for recording in recordings[1:]:
        if recording.channels != first.channels or not math.isclose(recording.rate_hz, first.rate_hz, rel_tol=1e-6):
            raise DatasetError(
                f"recording {recording.id} has channels {','.join(recording.channels)} at {recording.rate_hz:g} Hz, but"
                f" {first.id} has {','.join(first.channels)} at {first.rate_hz:g} Hz; all must agree"
            )
