"""Windows of the twin for comparison: at the speeds asked for, by the sensor's own rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.analysis import line_amplitude
from sim.dataset.report.samples import Dataset
from sim.dataset.report.twin import RECORDINGS, WINDOWS, twin_sample
from sim.errors import DatasetError
from sim.scenario.reader import load
from sim.scenario.schema import Scenario
from tests.sim.dataset.report.conftest import LENGTH, RATE_HZ, windows, write

SCENARIOS = Path(__file__).parents[4] / "scenarios"


@pytest.mark.parametrize(
    ("file", "rate_hz"), [("bearing_rig.yaml", 3332.0), ("adxl356_rig.yaml", 5000.0), ("adxl356_rig.yaml", 3332.0)]
)
def test_windows_are_at_the_speeds_asked_for(file: str, rate_hz: float, tmp_path: Path) -> None:
    """A sensor of the windows' rate; one of 20 kHz, from which they are brought down; and one of no such rate."""
    rng = np.random.default_rng(0)
    dataset = write(tmp_path / "made", [[windows(rng, "imbalance", "real", 1200, "r", 8, rate_hz=rate_hz)]])
    scenario = load(SCENARIOS / file, Scenario).model
    fault = next(f.name for f in scenario.faults if f.kind == "imbalance")
    speeds = np.array([1200.0, 2400.0])
    found = twin_sample(scenario, [fault], Dataset(dataset), speeds, seed=1)
    assert found.x.shape == (RECORDINGS * WINDOWS, LENGTH, 3)
    assert len(np.unique(found.recording)) == RECORDINGS
    assert found.speed_rpm == pytest.approx(np.tile(np.repeat(speeds, WINDOWS), RECORDINGS // 2), rel=0.01)
    ratios = []
    for x, rpm in zip(found.x, found.speed_rpm, strict=True):
        at_once, beside = (line_amplitude(x, rate_hz, order * rpm / 60).max() for order in (1.0, 1.5))
        ratios.append(at_once / beside)
    assert np.median(ratios) > 3.0
    again = twin_sample(scenario, [fault], Dataset(dataset), speeds, seed=1)
    assert np.array_equal(found.x, again.x)


def test_faults_take_turns_at_every_speed(dataset: Path) -> None:
    scenario = load(SCENARIOS / "bearing_rig.yaml", Scenario).model
    speeds = np.array([1200.0, 2400.0])
    found = twin_sample(scenario, ["normal", "imbalance"], Dataset(dataset), speeds, seed=1)
    level = np.array(
        [line_amplitude(x, RATE_HZ, rpm / 60).max() for x, rpm in zip(found.x, found.speed_rpm, strict=True)]
    )
    by_fault = level.reshape(-1, 2, 2, WINDOWS)  # turns, faults, speeds, windows
    assert (by_fault[:, 1].mean(axis=(0, 2)) > 1.5 * by_fault[:, 0].mean(axis=(0, 2))).all()


def test_channels_the_sensor_lacks_are_said(dataset: Path) -> None:
    scenario = load(SCENARIOS / "bearing_rig.yaml", Scenario).model
    found = Dataset(dataset)
    found.channels = ("accel_x_g", "roof.accel_y_g")
    with pytest.raises(DatasetError, match=r"channel `roof.accel_y_g` cannot be simulated"):
        twin_sample(scenario, ["normal"], found, np.array([1800.0]), seed=1)
