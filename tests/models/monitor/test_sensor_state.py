"""A broken sensor is noticed in its counts, and a sound one is not called broken."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.datasets.adi import Adi
from models.monitor.sensor_state import sensor_state, vibration_channels
from models.preprocessing import to_counts
from sim.dataset.real import cut
from sim.sensors.checks import record, tone
from sim.sensors.faults import Dropout, Stuck
from sim.sensors.imu import ImuSpec

WINDOW = 1024


def noise(seed: int = 0) -> NDArray[np.int16]:
    return np.random.default_rng(seed).normal(0, 300, (WINDOW, 3)).astype(np.int16)


def state(x: NDArray[np.int16]) -> str:
    return sensor_state(x, [0, 1, 2])


def test_a_sound_sensor_is_ok() -> None:
    assert {state(noise(seed)) for seed in range(50)} == {"ok"}


@pytest.mark.parametrize("rail", [32767, -32767, -32768])
@pytest.mark.parametrize(("count", "found"), [(7, "ok"), (8, "saturated")])
def test_a_128th_of_the_window_at_the_rail_is_saturation(rail: int, count: int, found: str) -> None:
    x = noise()
    x[np.arange(count) * 100, 1] = rail
    assert state(x) == found


def test_one_channel_that_does_not_move_is_stuck() -> None:
    x = noise()
    x[:, 2] = -17
    assert state(x) == "stuck"
    x[500, 2] = -16
    assert state(x) == "ok"


@pytest.mark.parametrize(("repeats", "found"), [(31, "ok"), (32, "dropout"), (700, "dropout")])
@pytest.mark.parametrize("at_the_end", [False, True])
def test_samples_that_all_channels_repeat_are_a_dropout(repeats: int, found: str, at_the_end: bool) -> None:
    x = noise()
    at = WINDOW - 1 - repeats if at_the_end else 100
    x[at + 1 : at + 1 + repeats] = x[at]
    x[at + 1 + repeats :, 0] += 500  # the next one is another for certain
    assert state(x) == found
    x[at + 1 : at + 1 + repeats, 0] += np.arange(repeats, dtype=np.int16) % 2 * 9  # one channel goes on
    assert state(x) == "ok"


def test_process_data_may_stand_still() -> None:
    assert vibration_channels(["pressure", "accel_x_g", "flow", "gyro_z_dps"]) == [1, 3]
    assert sensor_state(np.zeros((64, 2), np.int16), []) == "ok"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, {"ok"}),
        (Stuck(onset_s=0.0), {"stuck"}),
        (Stuck(onset_s=0.0, level=1.0), {"saturated"}),
        (Dropout(onset_s=0.0, rate_per_s=5, mean_length_s=0.2), {"dropout", "stuck", "ok"}),
    ],
)
def test_faults_of_the_simulated_sensor_are_told_by_name(fault: Stuck | Dropout | None, expected: set[str]) -> None:
    faults = () if fault is None else (fault,)
    spec = ImuSpec(id="s", range_dps=500.0, specimen="nominal", rate_error_ppm=0.0, faults=faults)
    motion = tone(20.0, 60.0, 4 * spec.odr_hz, 3.0)
    counts = record(spec, motion, 0 * motion)[:, :3]
    found = [state(window) for window in cut(counts[100:].astype(np.float32), WINDOW).astype(np.int16)]
    assert set(found) <= expected
    assert len(found) == 9
    if isinstance(fault, Dropout):
        assert found.count("dropout") >= 4


@pytest.mark.skipif(not Adi().there(), reason="no data: `simtwin data fetch adi` or SIMTWIN_DATA")
def test_real_recordings_of_a_sound_sensor_are_ok() -> None:
    for recording in Adi().read():
        counts = to_counts(recording.samples, [0.04 / 32.768] * 3)
        assert {state(counts[at : at + WINDOW]) for at in range(0, len(counts) - WINDOW, WINDOW)} == {"ok"}, (
            recording.id
        )
