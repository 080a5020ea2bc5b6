"""Bad recordings are told with channel and cure; good ones, however coarse or loud, are left in peace."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from models.datasets.checks import Expected, Source, clipped_share, find_faults, find_questions, survey, time_faults
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

RATE_HZ = 1000.0
CHANNELS = ("accel_x_g", "accel_y_g", "accel_z_g")


def samples(n: int = 4000, gravity: float = 1.0, scale: float = 0.1) -> NDArray[np.float32]:
    x = scale * np.random.default_rng(1).standard_normal((n, 3))
    x[:, 1] -= gravity
    return x.astype(np.float32)


def recording(x: NDArray[np.float32], name: str = "r1", channels: tuple[str, ...] = CHANNELS) -> RealRecording:
    return RealRecording(x, channels, RATE_HZ, name, "normal")


def test_a_good_recording_passes() -> None:
    good = recording(samples())
    assert find_faults(good, Expected("included", range_g=4.0)) == []
    assert find_questions(good, Expected("included", range_g=4.0)) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(value: float) -> None:
    x = samples()
    x[[70, 71], 2] = value
    (fault,) = find_faults(recording(x), Expected())
    assert fault.startswith("channel accel_z_g: 2 of 4000 values are NaN or infinite, the first at sample 70")


def test_a_constant_channel_is_dead_in_a_waveform_but_not_in_process_data() -> None:
    x = samples()
    x[:, 0] = 0.25
    (fault,) = find_faults(recording(x), Expected())
    assert fault.startswith("channel accel_x_g: constant at 0.25")
    assert find_faults(recording(x), Expected(waveform=False)) == []


@pytest.mark.parametrize("n", [0, 1, 63])
def test_too_short(n: int) -> None:
    (fault,) = find_faults(recording(samples(n)), Expected())
    assert fault.startswith(f"only {n} samples; at least 64 are needed")


def test_heavy_clipping_is_a_fault_and_light_clipping_a_question() -> None:
    heavy, light = samples(), samples()
    heavy[:, 0] = np.clip(heavy[:, 0], -0.15, 0.15)
    light[:, 0] = np.clip(light[:, 0], -1.0, 0.24)
    light[500:512, 0] = 0.24
    (fault,) = find_faults(recording(heavy), Expected())
    share = float((np.abs(heavy[:, 0]) == np.float32(0.15)).mean())
    assert fault.startswith(f"channel accel_x_g: clipped, {share:.1%} of the samples stand at -0.15 or 0.15")
    assert find_faults(recording(light), Expected()) == []
    (question,) = find_questions(recording(light), Expected())
    at = int((light[:, 0] == np.float32(0.24)).sum())
    assert question.startswith(f"channel accel_x_g: {at} samples stand at")


@pytest.mark.parametrize("levels", [1, 2, 3, 5, 13, 50, 500])
def test_coarse_resolution_is_not_clipping(levels: int) -> None:
    t = np.arange(20_000) / RATE_HZ
    noise = np.random.default_rng(2).standard_normal(len(t))
    for x in (levels * np.sin(2 * np.pi * 1.3 * t), levels / 3 * noise, levels * np.sin(2 * np.pi * 170 * t) + noise):
        assert clipped_share(np.round(x).astype(np.float32)) == 0.0


@pytest.mark.parametrize("limit", [0.5, 1.0, 2.0, 2.5])
def test_clipped_noise_is_counted(limit: float) -> None:
    noise = np.random.default_rng(3).standard_normal(50_000).astype(np.float32)
    clipped = np.clip(noise, -limit, limit)
    assert clipped_share(clipped) == pytest.approx((np.abs(noise) >= limit).mean(), rel=1e-6)


def test_samples_at_the_range_are_a_question() -> None:
    x = samples()
    x[100, 2] = 7.99
    (question,) = find_questions(recording(x), Expected(range_g=8.0))
    assert question == "channel accel_z_g: 1 sample at the sensor's range of 8 g"


@pytest.mark.parametrize(("factor", "unit"), [(9.80665, "m/s^2"), (1000.0, "mg"), (1 / 9.80665, "g")])
def test_gravity_tells_a_wrong_unit(factor: float, unit: str) -> None:
    (fault,) = find_faults(recording(samples() * np.float32(factor)), Expected("included"))
    assert "where it must be 1 g" in fault
    assert f"are the values in {unit}?" in fault


def test_one_axis_across_gravity_is_no_wrong_unit() -> None:
    x = samples(gravity=0.1)[:, 1:2]
    assert find_faults(recording(x, channels=("accel_y_g",)), Expected("included")) == []


def test_level_tells_a_wrong_unit() -> None:
    loud = recording(samples(gravity=0.0, scale=30.0))
    assert find_faults(loud, Expected("removed")) == []
    assert "m/s^2 or mg?" in find_questions(loud, Expected("removed"))[0]
    beyond = recording(samples(gravity=0.0, scale=1.0))
    assert any("exceeds the range of 2 g" in question for question in find_questions(beyond, Expected(range_g=2.0)))


def test_gravity_said_to_be_removed_but_there_in_m_per_s2() -> None:
    (question,) = find_questions(recording(samples(gravity=9.81)), Expected("removed"))
    assert "looks like gravity in m/s^2" in question


class TestTime:
    def test_steady_times_pass(self) -> None:
        t = np.arange(5000) / RATE_HZ
        assert time_faults(t, RATE_HZ) == time_faults(t, None) == []

    def test_stamps_rounded_to_milliseconds_pass_at_any_rate(self) -> None:
        for rate_hz in (3200.0, 1600.0, 999.0, 416.0, 50.0):
            t = np.floor(np.arange(20_000) / rate_hz * 1000.0) / 1000.0
            assert time_faults(t, rate_hz) == []

    def test_a_gap_is_told_with_its_place(self) -> None:
        t = np.arange(5000) / RATE_HZ
        t[3000:] += 0.007
        (fault,) = time_faults(t, RATE_HZ)
        assert fault.startswith("time column: 1 gap, the first at 2.999 s (sample 2999), 7 samples missing")

    def test_one_lost_sample_is_a_gap(self) -> None:
        t = np.delete(np.arange(5000) / RATE_HZ, 1234)
        assert "1 gap, the first at 1.233 s (sample 1233), 1 sample missing" in time_faults(t, None)[0]

    def test_samples_lost_at_random_are_gaps_although_stamps_are_coarse(self) -> None:
        lost = np.random.default_rng(4).choice(20_000, 200, replace=False)
        t = np.delete(np.arange(20_000) / RATE_HZ, lost)
        assert re.match(r"time column: 19[0-9] gaps|time column: 200 gaps", time_faults(t, RATE_HZ)[0])

    def test_even_pauses_are_gaps(self) -> None:
        t = np.arange(10_000) / RATE_HZ + np.arange(10_000) // 1000 * 0.2
        assert "9 gaps, the first at 0.999 s (sample 999), 200 samples missing" in time_faults(t, RATE_HZ)[0]
        assert "9 gaps" in time_faults(t, None)[0]

    def test_another_rate_than_stated(self) -> None:
        (fault,) = time_faults(np.arange(5000) / 1600.0, 3200.0)
        assert "1600 Hz, but the rate is stated as 3200 Hz" in fault

    def test_times_that_go_back_or_stand_still(self) -> None:
        t = np.arange(100) / RATE_HZ
        assert "goes back from 0.049 s to 0 s at sample 50" in time_faults(np.concatenate((t[:50], t)), None)[0]
        assert "never advances" in time_faults(np.zeros(100), None)[0]

    def test_a_time_that_is_missing(self) -> None:
        t = np.arange(100) / RATE_HZ
        t[7] = np.nan
        assert "not a number at sample 7" in time_faults(t, None)[0]


def test_all_bad_recordings_are_told_at_once_or_left_out_and_listed() -> None:
    bad = samples()
    bad[5, 1] = np.nan
    source = Source(
        [recording(samples(), "good"), recording(bad, "bad"), recording(samples(10), "short")],
        Expected(),
        bad=(("c.csv", "broken off"),),
        files={"bad": "b.csv"},
    )
    with pytest.raises(
        DatasetError, match=re.escape("c.csv: broken off\nb.csv: recording bad: channel accel_y_g: 1 of")
    ):
        survey(source)
    found = survey(source, skip_bad=True)
    assert [r.id for r in found.recordings] == ["good"]
    assert [where for where, _ in found.left_out] == ["c.csv", "b.csv: recording bad", "short"]
