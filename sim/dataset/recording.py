"""One synthetic recording: a realisation of a scenario, cut into labelled windows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.dataset.table import OK, Windows
from sim.effect import Array
from sim.scenario.realise import Plan
from sim.scenario.schema import NORMAL, Scenario
from sim.seeds import generator
from sim.sensors.fusion import median_fusion, to_machine_axes
from sim.sensors.imu import ImuSpec
from sim.twin import Twin
from sim.world import Capture


@dataclass(frozen=True)
class RecordingJob:
    """What to simulate: the number of the recording, the dataset class or None for "as written", how many windows."""

    number: int
    class_name: str | None
    windows: int


def simulate_recording(
    scenario: Scenario, plan: Plan[Scenario], scenario_hash: str, seed: int, job: RecordingJob
) -> list[Windows]:
    """Simulate one recording; a pure function of its arguments.

    Args:
        scenario: the scenario as written.
        plan: its prepared draw (`sim.scenario.realise.plan(scenario)`).
        scenario_hash: SHA-256 of its content, for the rows.
        seed: seed of the run.
        job: which recording.

    Returns:
        One `Windows` per sensor and capture (one per capture when fused), `job.windows` windows a sensor in all.
    """
    realised = plan.draw(seed, scenario.name, job.number)
    length, rate = scenario.dataset.window_length, scenario.slowest_odr_hz()
    captures = None
    if scenario.sampling is None or job.class_name is not None:
        duration_s = job.windows * length / rate
        slack_s = max(sum(s.duration_s for s in realised.operation.plan()) - duration_s, 0.0)
        start_s = float(generator(seed, scenario.name, job.number, "start").uniform(0.0, slack_s))
        captures = [(start_s, duration_s)]
    twin = Twin(realised, seed, job.number, job.class_name, captures)
    result: list[Windows] = []
    left = job.windows
    for capture in twin.timeline.captures:
        count = min(left, round(capture.duration_s * rate / length))
        if count == 0:
            break
        left -= count
        result += _windows(twin, capture, count, scenario_hash, seed, job)
    return result


@dataclass
class _Collected:
    """Samples of the sensors of a capture, filled chunk by chunk."""

    counts: list[NDArray[np.int16]]
    taken_s: list[Array]
    """When each sample was really taken, by the sensor's own clock."""
    filled: list[int]
    time_s: list[Array] = field(default_factory=list)
    speed_rpm: list[Array] = field(default_factory=list)


def _collect(twin: Twin, capture: Capture, samples: int) -> _Collected:
    got = _Collected(
        [np.empty((samples, len(s.channel_names)), dtype=np.int16) for s in twin.sensors],
        [np.empty(samples) for _ in twin.sensors],
        [0] * len(twin.sensors),
    )
    for chunk in twin.capture(capture, samples):
        got.time_s.append(chunk.time_s)
        got.speed_rpm.append(chunk.speed_rpm)
        for i, new in enumerate(chunk.samples):
            room = samples - got.filled[i]
            here = slice(got.filled[i], got.filled[i] + len(new))
            got.counts[i][here] = new[:room]
            got.taken_s[i][here] = chunk.sample_time_s[i][:room]
            got.filled[i] += min(len(new), room)
    return got


def _windows(
    twin: Twin, capture: Capture, count: int, scenario_hash: str, seed: int, job: RecordingJob
) -> list[Windows]:
    scenario, length = twin.scenario, twin.scenario.dataset.window_length
    got = _collect(twin, capture, count * length)
    time_s, speed_rpm = np.concatenate(got.time_s), np.concatenate(got.speed_rpm)
    floats = [
        sensor.to_units(counts).reshape(count, length, -1)
        for counts, sensor in zip(got.counts, twin.sensors, strict=True)
    ]
    common = {
        "machine_id": scenario.machine.id,
        "recording_id": f"{scenario.name}/{job.number:06d}",
        "provenance": "synthetic",
        "scenario": scenario.name,
        "scenario_hash": scenario_hash,
        "seed": seed,
    }

    def rows(sensors: list[ImuSpec], samples: NDArray[np.float32], taken_s: Array) -> Windows:
        start_s, end_s = taken_s[::length], taken_s[length - 1 :: length]
        middle_s = 0.5 * (start_s + end_s)
        columns = {
            **common,
            **machine_state(twin, middle_s),
            "sensor_state": sensor_state(sensors, start_s, end_s),
            "sensor_severity": sensor_severity(sensors, start_s, end_s),
            "channels": ",".join(sensors[0].channel_names),
            "sampling_rate_hz": sensors[0].odr_hz,
            "speed_rpm": _window_means(time_s, speed_rpm, start_s, end_s),
            "load": twin.timeline.profile.load_at(middle_s),
            "start_s": start_s,
            "sensor_id": "+".join(sensor.id for sensor in sensors),
        }
        return Windows(samples, columns)

    if scenario.fusion == "median":
        width = floats[0].shape[-1]
        in_machine_axes = [
            to_machine_axes(samples.reshape(-1, width).astype(np.float64), sensor.rotation_deg)
            for sensor, samples in zip(twin.sensors, floats, strict=True)
        ]
        fused = median_fusion(np.stack(in_machine_axes)).astype(np.float32)
        return [rows(twin.sensors, fused.reshape(count, length, width), got.taken_s[0])]
    return [
        rows([sensor], samples, taken_s)
        for sensor, samples, taken_s in zip(twin.sensors, floats, got.taken_s, strict=True)
    ]


def _window_means(time_s: Array, values: Array, start_s: Array, end_s: Array) -> Array:
    """Mean of a sparse record over each window, (n,)."""
    first = np.searchsorted(time_s, start_s)
    first = np.minimum(first, len(values) - 1)
    last = np.maximum(np.searchsorted(time_s, end_s), first + 1)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return (sums[last] - sums[first]) / (last - first)


def machine_state(twin: Twin, time_s: Array) -> dict[str, object]:
    """Columns that say what is wrong with the machine at `time_s` (n,): label, kinds, and the worst fault's severity."""
    machine, n = twin.scenario.machine, len(time_s)
    present = np.zeros((len(twin.faults), n), dtype=bool)
    severity, value, unit = np.zeros(n), np.zeros(n), np.full(n, "", dtype=object)
    for i, (fault, extent) in enumerate(zip(twin.faults, twin.extents, strict=True)):
        size = extent.at(time_s)
        present[i] = size > 0.0
        of_fault = fault.severity(machine, size)
        worse = present[i] & ((of_fault.normalised > severity) | (unit == ""))
        severity[worse], value[worse], unit[worse] = of_fault.normalised[worse], of_fault.value[worse], of_fault.unit
    return {
        "label": _joined(present, [fault.label for fault in twin.faults], NORMAL),
        "fault_kind": _joined(present, [fault.kind for fault in twin.faults], NORMAL),
        "severity": severity,
        "severity_value": value,
        "severity_unit": unit.tolist(),
    }


def sensor_state(sensors: list[ImuSpec], start_s: Array, end_s: Array) -> list[str]:
    """State of the sensors in each of the stretches [start, end], (n,): the faults that act there, or ok."""
    faults = [fault for sensor in sensors for fault in sensor.faults]
    present = np.zeros((len(faults), len(start_s)), dtype=bool)
    for i, fault in enumerate(faults):
        present[i] = (end_s >= fault.onset_s) & (True if fault.clear_s is None else start_s < fault.clear_s)
    return _joined(present, [fault.state for fault in faults], OK)


def sensor_severity(sensors: list[ImuSpec], start_s: Array, end_s: Array) -> Array:
    """Normalised severity of the worst sensor fault in each stretch, (n,)."""
    faults = [fault for sensor in sensors for fault in sensor.faults]
    worst = [
        max((f.severity(max(f.onset_s, 0.5 * (a + b))) for f in faults if f.overlaps(a, b)), default=0.0)
        for a, b in zip(start_s.tolist(), end_s.tolist(), strict=True)
    ]
    return np.array(worst)


def _joined(present: NDArray[np.bool_], names: list[str], none: str) -> list[str]:
    """For each column of `present` (n_names, n) the names that are there, sorted and joined by +; `none` without."""
    if not present.any():
        return [none] * present.shape[1]
    if (present == present[:, :1]).all():  # the usual case, and much cheaper than sorting
        codes, inverse = present[:, :1], np.zeros(present.shape[1], dtype=np.intp)
    else:
        codes, inverse = np.unique(present, axis=1, return_inverse=True)
    texts = ["+".join(sorted({names[i] for i in np.flatnonzero(code)})) or none for code in codes.T]
    return [texts[i] for i in inverse.ravel()]
