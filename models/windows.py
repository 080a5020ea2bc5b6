"""Labelled windows of a task, cut from real recordings at the task's rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim.dataset.real import REAL, RealRecording, cut
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL

Samples = NDArray[np.float32]
Strings = NDArray[np.str_]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_TAPS_PER_RATIO = 24  # half length of the anti-alias filter, in samples of the slower rate
_CUTOFF = 0.9  # of the slower Nyquist frequency
_KAISER_BETA = 8.0  # 80 dB of attenuation in the stop band


@dataclass(frozen=True)
class Task:
    """What a model has to do: tell these classes apart in windows of this length and rate.

    Attributes:
        classes: names of the classes, `normal` first.
        rate_hz: sampling rate of the windows.
        length: samples of a window.
        target: whether a class is a machine state (`label`) or a kind of fault (`kind`).
        bearing_orders: passing orders of the machine's bearings by name, as far as known.
    """

    classes: tuple[str, ...]
    rate_hz: float
    length: int
    target: Literal["label", "kind"] = "label"
    bearing_orders: Mapping[str, float] = field(default_factory=dict)

    @property
    def train_hop(self) -> int:
        """Samples from one window to train on to the next: three quarters of overlap, for want of recordings."""
        return self.length // 4

    @property
    def test_hop(self) -> int:
        """Samples from one window to test on to the next: half overlap."""
        return self.length // 2

    def class_of(self, recording: RealRecording) -> str:
        """The class a recording belongs to, whether the task knows it or not."""
        if self.target == "label" or recording.normal:
            return recording.label
        return recording.fault_kind or recording.label


@dataclass(frozen=True)
class LabelledWindows:
    """Windows with what a model or a split must know of each.

    Attributes:
        x: (n, length, n_channels) float32; accelerometer channels in g, gyroscope channels in deg/s.
        label: (n,) class, one of the task's.
        kind: (n,) kind of the fault (`bearing_outer`, ...), `normal` without.
        group: (n,) what must stay on one side of a split: the group of the recording; of a hybrid window the group
            of the real recording it rests on; of a simulated one "".
        speed_rpm: (n,) shaft speed.
        provenance: (n,) `real`, `classical`, `synthetic` or `hybrid`.
    """

    x: Samples
    label: Strings
    kind: Strings
    group: Strings
    speed_rpm: Floats
    provenance: Strings

    def __post_init__(self) -> None:
        if self.x.ndim != 3:
            raise ValueError(f"windows have shape {self.x.shape}; allowed is (n, length, n_channels)")
        for name in ("label", "kind", "group", "speed_rpm", "provenance"):
            if getattr(self, name).shape != (len(self.x),):
                raise ValueError(f"{name} has shape {getattr(self, name).shape}; allowed is ({len(self.x)},)")

    def __len__(self) -> int:
        return len(self.x)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> LabelledWindows:
        """The chosen windows, by index or mask."""
        return LabelledWindows(
            self.x[chosen],
            self.label[chosen],
            self.kind[chosen],
            self.group[chosen],
            self.speed_rpm[chosen],
            self.provenance[chosen],
        )

    def centred(self) -> LabelledWindows:
        """The windows without their means: neither gravity nor a sensor's offset tells a model the recording."""
        x = self.x - self.x.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
        return LabelledWindows(x, self.label, self.kind, self.group, self.speed_rpm, self.provenance)


def concatenate(parts: Sequence[LabelledWindows]) -> LabelledWindows:
    """All windows of `parts` in one; ValueError when there are none or shapes differ."""
    return LabelledWindows(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.group for part in parts]),
        np.concatenate([part.speed_rpm for part in parts]),
        np.concatenate([part.provenance for part in parts]),
    )


def at_rate(samples: Samples, rate_hz: float, wanted_hz: float) -> Samples:
    """Samples (n, n_channels) at a lower or equal rate, anti-aliased; passes up to 0.85 of the new Nyquist frequency.

    Zero-phase FIR low-pass (Kaiser, 80 dB) and polyphase resampling. Raises DatasetError for a higher rate, or one
    whose ratio is no fraction of small numbers.
    """
    if np.isclose(rate_hz, wanted_hz, rtol=1e-6):
        return samples
    ratio = Fraction(wanted_hz / rate_hz).limit_denominator(200)
    if wanted_hz > rate_hz or abs(float(ratio) * rate_hz / wanted_hz - 1.0) > 1e-6:
        raise DatasetError(
            f"recordings of {rate_hz:g} Hz cannot be brought to {wanted_hz:g} Hz: allowed are lower rates in a ratio of"
            " numbers up to 200"
        )
    slower = max(ratio.numerator, ratio.denominator)
    taps = signal.firwin(2 * _TAPS_PER_RATIO * slower + 1, _CUTOFF / slower, window=("kaiser", _KAISER_BETA))
    resample: Any = signal.resample_poly  # its stubs know no array of taps
    resampled = resample(
        samples.astype(np.float64), ratio.numerator, ratio.denominator, axis=0, window=taps, padtype="line"
    )
    return np.asarray(resampled, np.float32)


def windows_of(recordings: Sequence[RealRecording], task: Task, hop: int | None = None) -> LabelledWindows:
    """Windows of `recordings` at the task's rate, `hop` samples apart (default: no overlap), in their order.

    Raises DatasetError when there are none, or a recording is of a class the task does not know.
    """
    parts = []
    for recording in recordings:
        name = task.class_of(recording)
        if name not in task.classes:
            raise DatasetError(
                f"recording {recording.id} is {name!r}; the task's classes are {', '.join(task.classes)}"
            )
        x = cut(at_rate(recording.samples, recording.rate_hz, task.rate_hz), task.length, hop)
        kind = NORMAL if recording.normal else recording.fault_kind or recording.label
        parts.append(labelled(x, name, kind, recording.group, recording.speed_rpm, REAL))
    if not any(map(len, parts)):
        raise DatasetError(f"no recording is as long as a window of {task.length} samples at {task.rate_hz:g} Hz")
    return concatenate(parts)


def labelled(
    x: Samples, label: str, kind: str, group: str, speed_rpm: float | Floats, provenance: str
) -> LabelledWindows:
    """Windows (n, length, n_channels) that share label, kind, group and provenance."""
    n = len(x)
    return LabelledWindows(
        x,
        np.full(n, label),
        np.full(n, kind),
        np.full(n, group),
        np.broadcast_to(np.asarray(speed_rpm, np.float64), (n,)).copy(),
        np.full(n, provenance),
    )
