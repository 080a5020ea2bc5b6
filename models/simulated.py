"""Simulated augmentation as arms of the evaluation: hybrid (on real recordings) and synthetic (all simulated)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from models.windows import LabelledWindows, Task, concatenate, labelled
from sim.calibration.calibration import calibrated
from sim.dataset.real import RealRecording
from sim.dataset.recording import RecordingJob, simulate_recording
from sim.errors import DatasetError
from sim.hybrid.hybrid import Hybrid, Mix
from sim.hybrid.response import place
from sim.scenario.reader import load
from sim.scenario.realise import plan
from sim.scenario.schema import NORMAL, Scenario
from sim.sensors.imu import ImuSpec

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"


@dataclass(frozen=True)
class Machine:
    """The twin of a set's machine.

    Attributes:
        scenario: its file.
        device: sensor that made the recordings, as the twin knows it.
        faults: the scenario's faults that the set is about; none named: all.
    """

    scenario: str
    device: str
    faults: tuple[str, ...] = ()


TWINS = {
    "adi": Machine("bearing_rig.yaml", "adxl356"),
    "cwru": Machine("cwru_motor_12khz.yaml", "ideal", ("bearing_outer", "bearing_inner", "bearing_ball")),
}
"""Scenario of each set's machine. Sets without one have no simulated arms: the UCI fan's 50 Hz are below twice its shaft
frequency and unfiltered, so its lines are folded and cannot be carried; the others are no rotating machine of a known make."""

NORMAL_WINDOWS = 480
WINDOWS_PER_CLASS = 640
"""Windows that are added of each class, shared evenly by the kinds of fault it has in the scenario."""

DEFAULT_MIX = Mix()

_WINDOWS_PER_RECORDING = 8


def hybrid(
    train: Sequence[RealRecording], task: Task, seed: int, mix: Mix = DEFAULT_MIX, calibrate: bool = True
) -> LabelledWindows:
    """Real recordings carried to other speeds, and simulated faults on carried healthy ones (`sim.hybrid`)."""
    scenario = twin_of(train, calibrate)
    source = Hybrid(scenario, train, task.length, task.rate_hz, mix)
    parts = []
    for name, wanted in _wanted(scenario, task).items():
        made = number = 0
        while made < wanted:
            drawn = source.draw(name, seed, number)
            number, made = number + 1, made + len(drawn.samples)
            label = drawn.label if task.target == "label" else drawn.kind
            parts.append(labelled(drawn.samples, label, drawn.kind, drawn.base.group, drawn.speed_rpm, "hybrid"))
    return concatenate(parts)


def synthetic(train: Sequence[RealRecording], task: Task, seed: int) -> LabelledWindows:
    """Windows of the calibrated twin alone: of the recordings only what calibration took is in them."""
    scenario = twin_of(train)
    places = [place(channel, scenario.sensors[0]) for channel in train[0].channels]
    mounts = list(dict.fromkeys(mount for mount, _ in places))
    device = TWINS[train[0].source].device
    sensors = [ImuSpec(id=f"imu{i}", device=device, odr_hz=task.rate_hz, mount=mount) for i, mount in enumerate(mounts)]
    dataset = scenario.dataset.model_copy(update={"window_length": task.length})
    scenario = scenario.model_copy(update={"sensors": sensors, "dataset": dataset, "sampling": None})
    draws = plan(scenario)
    parts = []
    for name, wanted in _wanted(scenario, task).items():
        fault = next((f for f in scenario.faults if f.name == name), None)
        label = NORMAL if fault is None else fault.label if task.target == "label" else fault.kind
        for number in range(-(-wanted // _WINDOWS_PER_RECORDING)):
            job = RecordingJob(number, name, _WINDOWS_PER_RECORDING)
            heard = simulate_recording(scenario, draws, "", seed, job)
            samples = np.stack([heard[mounts.index(m)].samples[:, :, :3] @ along for m, along in places], axis=2)
            kind, speed_rpm = NORMAL if fault is None else fault.kind, heard[0].columns["speed_rpm"]
            parts.append(labelled(samples.astype(np.float32), label, kind, "", speed_rpm, "synthetic"))
    return concatenate(parts)


AUGMENTERS: dict[str, Callable[[Sequence[RealRecording], Task, int], LabelledWindows]] = {
    "synthetic": synthetic,
    "hybrid": hybrid,
}

ABLATIONS: dict[str, Callable[[Sequence[RealRecording], Task, int], LabelledWindows]] = {
    "hybrid-uncalibrated": partial(hybrid, calibrate=False),
    "hybrid-own-speeds": partial(hybrid, mix=Mix(carry=False)),
    "hybrid-only-carried": partial(hybrid, mix=Mix(simulate=False)),
    "hybrid-same-mounting": partial(hybrid, mix=Mix(path_scatter_db=0.0, remount_db=0.0)),
    "hybrid-half-as-strong": partial(hybrid, mix=Mix(span_db=13.0)),
}
"""The hybrid arm with one effect taken away, to say which one earns its place."""


def twin_of(train: Sequence[RealRecording], calibrate: bool = True) -> Scenario:
    """The twin of the machine that was recorded, calibrated on the healthy ones among `train`.

    Raises DatasetError where there is no twin.
    """
    source = train[0].source
    if source not in TWINS:
        raise DatasetError(f"no scenario is a twin of the machine of {source!r}; there are twins of {', '.join(TWINS)}")
    scenario = _as_shipped(source)
    return calibrated(scenario, [r for r in train if r.normal]) if calibrate else scenario


@cache
def _as_shipped(source: str) -> Scenario:
    """The scenario as it stands in its file, with the faults of the set."""
    scenario = load(SCENARIOS / TWINS[source].scenario, Scenario).model
    wanted = TWINS[source].faults
    if not wanted:
        return scenario
    return scenario.model_copy(update={"faults": [fault for fault in scenario.faults if fault.name in wanted]})


def _wanted(scenario: Scenario, task: Task) -> dict[str, int]:
    """Windows to make of `normal` and of each fault of the task's classes."""
    class_of = {f.name: f.label if task.target == "label" else f.kind for f in scenario.faults}
    members = list(class_of.values())
    wanted = {NORMAL: NORMAL_WINDOWS}
    for name, of_class in class_of.items():
        if of_class in task.classes:
            wanted[name] = WINDOWS_PER_CLASS // members.count(of_class)
    return wanted
