"""Calibration: how long it takes, and whether it predicts a speed it has not seen.

Leave one speed out on ADI's healthy recordings: the twin is calibrated at four speeds and predicts the broad band of the
fifth. The error is model less measurement in thirds of octaves, dB RMS over bands and axes; beside it that of the scenario
as it stands, of the same with its level set by the four speeds, and of no physics at all: the mean of the four spectra,
interpolated in ln speed.

Run: python -m benchmarks.calibration
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets.base import open_recordings
from sim.calibration.calibration import apply, calibrate
from sim.calibration.spectra import TOP_SHARE, Channels, Healthy, bands, listen, segment_length
from sim.calibration.spectral_model import healthy_density
from sim.dataset.real import RealRecording
from sim.scenario.reader import load
from sim.scenario.schema import Scenario

Array = NDArray[np.float64]

SCENARIO = Path(__file__).resolve().parent.parent / "scenarios" / "adxl356_rig.yaml"
LOW_HZ = 100.0
_DB = 10.0 / math.log(10.0)


def thirds(log_density: Array, frequency_hz: Array) -> Array:
    """(bands, c) mean level in dB in thirds of octaves from 100 Hz on of ln densities (f, c), which may be NaN."""
    number = np.floor(3.0 * np.log2(frequency_hz / LOW_HZ) + 1e-9).astype(int)
    return np.array([_DB * np.nanmean(log_density[number == i], axis=0) for i in range(number.max() + 1)])


def predicted(scenario: Scenario, channels: Channels, frequency_hz: Array, speed_hz: float, rate_hz: float) -> Array:
    """Ln of the twin's density (f, c)."""
    sensor = scenario.sensors[0]
    noise_g = sensor.figures.noise(sensor.range_g)[0][0]
    if sensor.accel_noise_ug_per_sqrt_hz is not None:
        noise_g = 1e-6 * sensor.accel_noise_ug_per_sqrt_hz
    gain = channels.sensor_gain(frequency_hz, rate_hz, scenario.grid_rate_hz())
    noise = np.full(len(channels.rows), noise_g)
    return np.log(healthy_density(scenario.machine, channels, frequency_hz, gain, speed_hz, noise))


def _rms(x: Array) -> float:
    return float(np.sqrt(np.nanmean(np.square(x))))


def leave_one_speed_out(
    scenario: Scenario, recordings: list[RealRecording], left_out: Sequence[int] | None = None
) -> dict[str, list[float]]:
    """Error in dB at every speed left out: `as it stands`, `level alone`, `interpolated`, `calibrated`.

    Args:
        scenario: with the recordings' sensor.
        recordings: one a speed.
        left_out: which of them, one after the other; none: all.
    """
    rate_hz, names = recordings[0].rate_hz, recordings[0].channels
    channels = Channels.of(scenario, names)
    resolution_hz = rate_hz / segment_length(len(recordings[0].samples), rate_hz)
    edges = bands(LOW_HZ, TOP_SHARE * rate_hz, resolution_hz)
    frequency = np.sqrt(edges[1:] * edges[:-1])
    heard: list[Healthy] = [listen(r, scenario, channels, edges) for r in recordings]
    measured = [thirds(np.log(h.density), frequency) for h in heard]
    plain = [thirds(predicted(scenario, channels, frequency, h.speed.value, rate_hz), frequency) for h in heard]
    errors: dict[str, list[float]] = {
        name: [] for name in ("as it stands", "level alone", "interpolated", "calibrated")
    }
    speeds = np.log([h.speed.value for h in heard])
    for out in range(len(recordings)) if left_out is None else left_out:
        others = [i for i in range(len(recordings)) if i != out]
        level = np.nanmean([measured[i] - plain[i] for i in others])
        slope = np.polyfit(speeds[others], np.array([measured[i].ravel() for i in others]), 1)
        line = (slope[0] * speeds[out] + slope[1]).reshape(measured[out].shape)
        twin = apply(scenario, calibrate(scenario, [recordings[i] for i in others]).calibration)
        fitted = thirds(predicted(twin, channels, frequency, heard[out].speed.value, rate_hz), frequency)
        for name, guess in zip(errors, (plain[out], plain[out] + level, line, fitted), strict=True):
            errors[name].append(_rms(guess - measured[out]))
    return errors


def run() -> dict[str, float | str]:
    """Seconds for 10 s of three axes (five recordings of 2 s), and errors in dB."""
    scenario = load(SCENARIO, Scenario).model
    healthy = [r for r in open_recordings("adi") if r.normal]
    calibrate(scenario, [replace(healthy[2])])  # imports and compiled code
    wall, cpu = time.perf_counter(), time.process_time()
    calibrate(scenario, healthy)
    figures: dict[str, float | str] = {
        "seconds for 10 s of 3 axes (floor 20)": round(time.perf_counter() - wall, 2),
        "processor seconds": round(time.process_time() - cpu, 2),
    }
    errors = leave_one_speed_out(scenario, healthy)
    for name, values in errors.items():
        by_speed = ", ".join(f"{r.speed_rpm:.0f}: {e:.1f}" for r, e in zip(healthy, values, strict=True))
        figures[f"left out, {name}, dB RMS"] = round(_rms(np.array(values)), 2)
        figures[f"left out, {name}, by rpm"] = by_speed
    return figures


def main() -> None:
    """Print the figures."""
    for name, figure in run().items():
        print(f"{name:45s} {figure}")


if __name__ == "__main__":
    main()
