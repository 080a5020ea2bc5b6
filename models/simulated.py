"""Simulated augmentation as arms of the evaluation: hybrid (on real recordings) and synthetic (all simulated)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from models.windows import LabelledWindows, Task, concatenate, labelled
from sim.dataset.real import RealRecording
from sim.dataset.recording import RecordingJob, simulate_recording
from sim.errors import DatasetError
from sim.hybrid.hybrid import Hybrid, Mix
from sim.scenario.reader import load
from sim.scenario.realise import plan
from sim.scenario.schema import NORMAL, Scenario
from sim.sensors.imu import ImuSpec

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"

TWINS = {"adi": "bearing_rig.yaml"}
"""Scenario that is the twin of each set's machine. Sets without one have no simulated arms."""

NORMAL_WINDOWS = 480
WINDOWS_PER_CLASS = 640
"""Windows that are added of each class, shared evenly by the kinds of fault it has in the scenario."""

_WINDOWS_PER_RECORDING = 8


def hybrid(train: Sequence[RealRecording], task: Task, seed: int) -> LabelledWindows:
    """Real recordings carried to other speeds, and simulated faults on carried healthy ones (`sim.hybrid`)."""
    scenario = twin_of(train[0].source)
    source = Hybrid(scenario, train, task.length, task.rate_hz, Mix())
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
    """Windows of the twin alone: nothing of the recordings is in them."""
    scenario = twin_of(train[0].source)
    sensor = ImuSpec(id="imu0", device="adxl356", odr_hz=task.rate_hz, mount=scenario.sensors[0].mount)
    dataset = scenario.dataset.model_copy(update={"window_length": task.length})
    scenario = scenario.model_copy(update={"sensors": [sensor], "dataset": dataset, "sampling": None})
    draws = plan(scenario)
    parts = []
    for name, wanted in _wanted(scenario, task).items():
        for number in range(-(-wanted // _WINDOWS_PER_RECORDING)):
            job = RecordingJob(number, name, _WINDOWS_PER_RECORDING)
            for windows in simulate_recording(scenario, draws, "", seed, job):
                fault = next((f for f in scenario.faults if f.name == name), None)
                label = NORMAL if fault is None else fault.label if task.target == "label" else fault.kind
                kind = NORMAL if fault is None else fault.kind
                speed_rpm = windows.columns["speed_rpm"]
                parts.append(labelled(windows.samples, label, kind, "", speed_rpm, "synthetic"))
    return concatenate(parts)


AUGMENTERS: dict[str, Callable[[Sequence[RealRecording], Task, int], LabelledWindows]] = {
    "synthetic": synthetic,
    "hybrid": hybrid,
}


@cache
def twin_of(source: str) -> Scenario:
    """The scenario of a set's machine; DatasetError where there is none."""
    if source not in TWINS:
        raise DatasetError(f"no scenario is a twin of the machine of {source!r}; there are twins of {', '.join(TWINS)}")
    return load(SCENARIOS / TWINS[source], Scenario).model


def _wanted(scenario: Scenario, task: Task) -> dict[str, int]:
    """Windows to make of `normal` and of each fault of the task's classes."""
    class_of = {f.name: f.label if task.target == "label" else f.kind for f in scenario.faults}
    members = list(class_of.values())
    wanted = {NORMAL: NORMAL_WINDOWS}
    for name, of_class in class_of.items():
        if of_class in task.classes:
            wanted[name] = WINDOWS_PER_CLASS // members.count(of_class)
    return wanted
