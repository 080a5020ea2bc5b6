"""Windows of the twin alone, to be held against real ones: what calibration is worth shows in them undisguised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, get_args

import numpy as np

from sim.dataset.real import cut
from sim.dataset.recording import RecordingJob, simulate_recording
from sim.dataset.report.samples import Dataset, Floats, Sample
from sim.effect import MountPoint
from sim.errors import DatasetError
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec

RECORDINGS, WINDOWS = 16, 4
"""Recordings of a class, and windows of each."""

_ANY_RATE = "adxl356"  # an analogue accelerometer, whose samples are taken at whatever rate one likes
_MARGIN = 64  # windows' samples before and after, that the resampling filter may spoil


def twin_sample(scenario: Scenario, faults: Sequence[str], dataset: Dataset, speeds_rpm: Floats, seed: int) -> Sample:
    """Windows of the twin, all of level 0.

    They go the way of real ones: taken by the scenario's sensor at its own rate, and brought to that of the dataset.

    Args:
        scenario: the twin.
        faults: names of its faults that take turns; `normal` for the healthy machine.
        dataset: whose channels, rate and length of windows they get.
        speeds_rpm: speeds that take turns; the scenario's own if empty.
        seed: of all draws.

    Raises:
        DatasetError: a channel that no sensor of the scenario has.
    """
    from models.windows import at_rate

    length = dataset.manifest["window_length"]
    sensors, picks = _listeners(_sensor(scenario, dataset.rate_hz), dataset.channels)
    own_hz = sensors[0].odr_hz
    wanted = math.ceil((WINDOWS * length + 2 * _MARGIN) * own_hz / dataset.rate_hz)
    changes: dict[str, Any] = {
        "sensors": sensors,
        "sampling": None,
        "fusion": "none",
        "dataset": scenario.dataset.model_copy(update={"window_length": wanted}),
    }
    samples, speeds = [], []
    for number in range(RECORDINGS):
        if len(speeds_rpm):
            changes["operation"] = _steady(scenario, float(speeds_rpm[number % len(speeds_rpm)]))
        fault = faults[number // max(len(speeds_rpm), 1) % len(faults)]
        listening = scenario.model_copy(update=changes)
        recorded = simulate_recording(listening, plan(listening), "", seed, RecordingJob(number, fault, 1))
        whole = np.stack([recorded[sensor].samples[0, :, channel] for sensor, channel in picks], axis=1)
        samples.append(cut(at_rate(whole, own_hz, dataset.rate_hz)[_MARGIN : _MARGIN + WINDOWS * length], length))
        speeds.append(float(np.asarray(recorded[0].columns["speed_rpm"]).mean()))
    x = np.concatenate(samples)
    recording = np.repeat([f"twin/{number}" for number in range(RECORDINGS)], WINDOWS)
    return Sample(x, np.repeat(speeds, WINDOWS), recording, np.zeros(len(x), dtype=np.intp))


def _steady(scenario: Scenario, rpm: float) -> Any:
    own = scenario.operation
    return own.model_copy(update={"speed_rpm": rpm, "load": own.plan()[0].load, "segments": [], "duration_s": 60.0})


def _sensor(scenario: Scenario, rate_hz: float) -> ImuSpec:
    """The scenario's sensor that the recordings may be from: of their rate, or a higher one from which they were thinned."""
    fast = [sensor for sensor in scenario.sensors if _thinnable(sensor.odr_hz, rate_hz)]
    if fast:
        return min(fast, key=lambda sensor: sensor.odr_hz).model_copy(update={"faults": ()})
    sensor = scenario.sensors[0]
    rates = sensor.figures.odrs_hz
    if rates and rate_hz not in rates:
        return ImuSpec(
            id=sensor.id, device=_ANY_RATE, odr_hz=rate_hz, mount=sensor.mount, rotation_deg=sensor.rotation_deg
        )
    return sensor.model_copy(update={"odr_hz": rate_hz, "faults": ()})


def _thinnable(rate_hz: float, wanted_hz: float) -> bool:
    """Whether `models.windows.at_rate` can bring one rate to the other."""
    ratio = float(Fraction(wanted_hz / rate_hz).limit_denominator(200))
    return wanted_hz <= rate_hz * (1.0 + 1e-6) and math.isclose(ratio * rate_hz, wanted_hz, rel_tol=1e-6)


def _listeners(sensor: ImuSpec, channels: Sequence[str]) -> tuple[list[ImuSpec], list[tuple[int, int]]]:
    """Sensors where the channels listen (as `sim.hybrid.response` names them), and which of their channels each is."""
    sensors: list[ImuSpec] = []
    places: list[str] = []
    picks = []
    for name in channels:
        point, _, own_name = name.rpartition(".")
        if own_name not in sensor.channel_names or (point and point not in get_args(MountPoint)):
            raise DatasetError(f"channel `{name}` cannot be simulated by sensor `{sensor.id}` of the scenario")
        if point not in places:
            # A channel with a point lies along a machine axis there, one without along the sensor's own.
            where = {"mount": point, "rotation_deg": (0.0, 0.0, 0.0)} if point else {}
            sensors.append(sensor.model_copy(update={"id": f"imu{len(sensors)}", **where}))
            places.append(point)
        picks.append((places.index(point), sensor.channel_names.index(own_name)))
    return sensors, picks
