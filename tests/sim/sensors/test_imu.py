"""The chain from motion to counts against closed forms. The `ideal` device has no noise and no errors."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from sim.errors import ParameterError
from sim.scenario.quantity import Normal
from sim.scenario.realise import realise
from sim.seeds import generator
from sim.sensors.checks import SeededSource, amplitude_at, record, tone
from sim.sensors.clock import SampleClock
from sim.sensors.faults import RateSkew
from sim.sensors.imu import ImuSpec, ImuStream, mount_rotation

G = 9.80665


def sensor(**keys: object) -> ImuSpec:
    return ImuSpec.model_validate({"id": "a", "specimen": "nominal", **keys})


def readings(spec: ImuSpec, accel: NDArray[np.float64], rate: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Samples in g and deg/s on a grid of four times the ODR."""
    rate = np.zeros_like(accel) if rate is None else rate
    scale = ImuStream(spec, 4 * spec.odr_hz, SeededSource()).scale
    return np.asarray(record(spec, accel, rate) * scale, float)


def digital_butterworth(f_hz: float, cutoff_hz: float, rate_hz: float, order: int) -> float:
    ratio = np.tan(np.pi * f_hz / rate_hz) / np.tan(np.pi * cutoff_hz / rate_hz)
    return float(1 / np.sqrt(1 + ratio ** (2 * order)))


def digital_resonance(f_hz: float, resonance_hz: float, quality: float, rate_hz: float) -> float:
    u = np.tan(np.pi * f_hz / rate_hz) / np.tan(np.pi * resonance_hz / rate_hz)
    return float(1 / np.hypot(1 - u * u, u / quality))


@pytest.mark.parametrize("f_hz", [20.0, 300.0, 777.0, 1000.0, 1333.0, 1600.0])
def test_response_is_the_butterworth_of_the_bandwidth(f_hz: float) -> None:
    spec = sensor(device="ideal", odr_hz=4000, bandwidth_hz=1000)
    amplitude = amplitude_at(readings(spec, tone(8 * G, f_hz, 16000, 1.0))[500:, :3], f_hz, 4000)
    assert amplitude == pytest.approx(np.full(3, 8 * digital_butterworth(f_hz, 1000, 16000, 4)), rel=2e-3)
    analogue = 8 / np.sqrt(1 + (f_hz / 1000) ** 8)
    assert amplitude == pytest.approx(np.full(3, analogue), rel=0.1)  # the bilinear transform bends only the stop band


@pytest.mark.parametrize("f_hz", [50.0, 2000.0, 4500.0, 5500.0, 7000.0])
def test_adxl356_resonance(f_hz: float) -> None:
    spec = sensor(device="adxl356", odr_hz=20000, anti_alias=False)
    amplitude = amplitude_at(readings(spec, tone(G, f_hz, 80000, 1.0))[5000:], f_hz, 20000)
    assert amplitude == pytest.approx(np.full(3, digital_resonance(f_hz, 5500, 15, 80000)), rel=1e-3, abs=1e-3)
    if f_hz == 5500:
        assert amplitude == pytest.approx(np.full(3, 15.0), rel=0.01)


def test_a_tone_above_half_the_rate_folds() -> None:
    """1666 + 300 Hz at 3332 Hz appears at 1366 Hz: whole without the filter, weakened as its closed form says with it."""
    f_hz, folded_hz, grid_hz = 1966.0, 1366.0, 13328.0
    accel, rate = tone(5 * G, f_hz, grid_hz, 2.0), tone(np.pi, f_hz, grid_hz, 2.0)
    mechanical = digital_resonance(f_hz, 4000, 0.7071, grid_hz)
    off = amplitude_at(readings(sensor(anti_alias=False), accel, rate)[500:], folded_hz, 3332)
    assert off == pytest.approx(np.repeat([5, 180], 3) * mechanical, rel=0.005)
    on = amplitude_at(readings(sensor(), accel, rate)[500:], folded_hz, 3332)
    filters = [digital_butterworth(f_hz, fc, grid_hz, 4) for fc in (1666.0, 1320.7)]
    assert on == pytest.approx(off * np.repeat(filters, 3), rel=0.005)
    assert on[0] < 0.5 * off[0]
    assert on[3] < 0.25 * off[3]


@pytest.mark.parametrize("ppm", [-20000.0, 150.0, 10000.0])
def test_rate_error_shifts_a_tone(ppm: float) -> None:
    """Read at the nominal rate, a tone lies at f / (1 + error): a sensor that samples too fast sees it too low."""
    odr_hz, f_hz = 4000.0, 200.0
    spec = sensor(device="ideal", odr_hz=odr_hz, rate_error_ppm=ppm)
    x = readings(spec, tone(10 * G, f_hz, 4 * odr_hz, 5.0))[200:, 0]
    turns = np.unwrap(np.angle(_analytic(x, f_hz / odr_hz))) / (2 * np.pi)
    measured_hz = f_hz + np.polyfit(np.arange(len(turns)), turns, 1)[0] * odr_hz
    assert measured_hz / f_hz - 1 == pytest.approx(1 / (1 + ppm * 1e-6) - 1, abs=2e-6)
    assert amplitude_at(x[:, None], measured_hz, odr_hz)[0] == pytest.approx(10.0, rel=1e-3)


def _analytic(x: NDArray[np.float64], f: float) -> NDArray[np.complex128]:
    """Baseband of a tone near `f` (of the rate): mixed down, averaged over 400 samples."""
    mixed = x * np.exp(-2j * np.pi * f * np.arange(len(x)))
    window = np.hanning(400)
    return np.convolve(mixed, window / window.sum(), mode="valid").astype(np.complex128)


def test_interpolation_follows_a_sine_off_the_grid() -> None:
    """Cubic interpolation against the sine itself at the sensor's own times."""
    odr_hz, f_hz = 4000.0, 100.0
    spec = sensor(device="ideal", odr_hz=odr_hz, anti_alias=False, rate_error_ppm=3000.0)
    x = readings(spec, tone(10 * G, f_hz, 4 * odr_hz, 0.5))[5:, 2]
    time_s = np.arange(5, 5 + len(x)) / (odr_hz * 1.003)
    assert np.abs(x - 10 * np.sin(2 * np.pi * f_hz * time_s)).max() < 0.002  # 40 g / 32767 / 2 and 1e-6 of 10 g


def test_without_rate_error_samples_are_grid_points() -> None:
    accel = np.random.default_rng(1).uniform(-9, 9, (3, 4000)) * G
    x = record(sensor(device="ideal", odr_hz=1000, range_g=16, anti_alias=False), accel, accel)
    expected = np.rint((accel[:, ::4] / G + [[0], [1], [0]]).T * 32767 / 16)
    assert np.array_equal(x[:, :3], expected)


def test_scale_cross_axis_offset_and_temperature() -> None:
    spec = sensor(
        device="ideal",
        odr_hz=1000,
        accel_scale_error_pct=[1, 2, 3],
        accel_scale_drift_pct_per_c=[0.1, 0, 0],
        cross_axis_pct=[1, 2, 4],  # y-z, z-x, x-y
        zero_g_offset_mg=[100, -200, 0],
        zero_g_drift_mg_per_c=[0, 0, 10],
        zero_rate_offset_dps=[0, 5, 0],
        gyro_scale_error_pct=[0, 0, -5],
        zero_rate_drift_dps_per_c=[0.5, 0, 0],
        range_g=4,
        range_dps=250,
    )
    stream = ImuStream(spec, 4000, SeededSource())
    rest, turning = np.zeros((3, 4000)), np.tile([[0.0], [0.0], [np.pi / 6]], 4000)
    cold = (stream.push(rest, turning, 25.0) * stream.scale)[-1]
    warm = (stream.push(rest, turning, 45.0) * stream.scale)[-1]
    # At rest 1 g along y; 30 deg/s about z, with y-z and z-x coupling of 1 and 2 %.
    assert cold[:3] == pytest.approx([0.04 * 1.01 + 0.1, 1.02 - 0.2, 0.01 * 1.03], abs=2e-4)
    assert cold[3:] == pytest.approx([0.6, 0.3 + 5, 28.5], abs=0.01)
    assert warm[:3] == pytest.approx([0.04 * 1.03 + 0.1, 1.02 - 0.2, 0.01 * 1.03 + 0.2], abs=2e-4)
    assert warm[3:] == pytest.approx([10.6, 5.3, 28.5], abs=0.01)


@given(st.tuples(*[st.floats(-360, 360)] * 3))
def test_mount_rotation_is_scipys(angles_deg: tuple[float, float, float]) -> None:
    expected = Rotation.from_euler("XYZ", angles_deg, degrees=True).as_matrix()
    assert mount_rotation(angles_deg) == pytest.approx(expected, abs=1e-12)


def test_mount_rotation_is_intrinsic_x_y_z() -> None:
    """Turned about x by 90 degrees, then about its own y (now along machine z) by 90: sensor x points to machine y."""
    assert mount_rotation((90, 90, 0)) @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-12)
    assert mount_rotation((0, 0, 90)) @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-12)
    assert mount_rotation((90, 0, 0)) @ [0, 1, 0] == pytest.approx([0, 0, 1], abs=1e-12)


def test_a_resting_start_does_not_ring() -> None:
    counts = record(
        sensor(device="ideal", bandwidth_hz=50, odr_hz=1000), np.full((3, 4000), 3.0), np.full((3, 4000), 1.0)
    )
    assert (counts == counts[0]).all()


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 700), min_size=1, max_size=6),
    ppm=st.sampled_from([0.0, 777.7, -90000.0]),
    skewed=st.booleans(),
)
def test_the_cut_into_blocks_does_not_matter(cuts: list[int], ppm: float, skewed: bool) -> None:
    fault = {"kind": "rate_skew", "skew_ppm": 30000, "onset_s": 0.3, "clear_s": 0.61}
    spec = sensor(odr_hz=833, rate_error_ppm=ppm, faults=[fault] if skewed else [])
    accel = np.random.default_rng(3).normal(0, 20, (3, 3000))
    assert np.array_equal(record(spec, accel, accel, cuts=cuts), record(spec, accel, accel, cuts=[3000]))


@settings(max_examples=60, deadline=None)
@given(
    ppm=st.floats(-1e5, 1e5),
    grid_hz=st.sampled_from([3332.0 * 4, 10007.0, 26656.0]),
    onset_s=st.floats(0.8, 3),
    n_grid=st.integers(0, 40000),
)
def test_bookkeeping_of_samples(ppm: float, grid_hz: float, onset_s: float, n_grid: int) -> None:
    skews = [RateSkew(kind="rate_skew", skew_ppm=5e4, onset_s=onset_s, clear_s=onset_s + 0.7)]
    clock = SampleClock(3332, ppm, grid_hz, 0.5, skews)
    n = clock.samples_after(n_grid)
    positions = clock.positions(0, n + 1)
    assert (np.diff(positions) > 0).all()
    assert positions[n] >= n_grid - 2
    assert n == 0 or positions[n - 1] < n_grid - 2
    if n:
        assert clock.samples_after(clock.grid_needed(n)) >= n
        assert clock.samples_after(clock.grid_needed(n) - 1) < n
    stream = ImuStream(sensor(rate_error_ppm=ppm, faults=[s.model_dump() for s in skews]), grid_hz, SeededSource(), 0.5)
    assert len(stream.push(np.zeros((3, n_grid)), np.zeros((3, n_grid)))) == n


def test_the_clock_stays_exact_for_a_day() -> None:
    clock = SampleClock(3332.0, 123.0, 13328.0)
    k = 3332 * 86400
    exact = Fraction(13328) / (Fraction(3332) * (1 + Fraction(123, 1000000))) * k
    assert abs(Fraction(float(clock.positions(k, k + 1)[0])) - exact) < Fraction(1, 1000000)


def test_memory_stays_flat() -> None:
    stream = ImuStream(sensor(rate_error_ppm=500.0, faults=[{"kind": "dropout"}]), 13328, SeededSource())
    motion = np.zeros((3, 8192))
    stream.push(motion, motion)
    peaks = []
    for blocks in (5, 200):
        tracemalloc.start()
        for _ in range(blocks):
            stream.push(motion, motion)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 10000


def test_noise_is_that_of_the_seed_and_of_nothing_else() -> None:
    rest = np.zeros((3, 4000))
    sound = record(sensor(), rest, rest, seed=4)
    assert np.array_equal(sound, record(sensor(), rest, rest, seed=4))
    assert not np.array_equal(sound, record(sensor(), rest, rest, seed=5))
    spiking = record(sensor(faults=[{"kind": "spike", "rate_per_s": 20}]), rest, rest, seed=4)
    assert 0 < np.count_nonzero(spiking != sound) < 30


def test_unspecified_errors_follow_the_device() -> None:
    spec = ImuSpec(id="a")
    assert getattr(spec, "zero_g_offset_mg") == (Normal((0.0, 20.0)),) * 3  # noqa: B009 (typed as realised)
    assert spec.range_g == 16
    assert ImuSpec(id="a", device="adxl356", odr_hz=20000).range_dps is None
    assert ImuSpec.model_validate(spec.model_dump()) == spec
    stated = ImuSpec(id="a", zero_g_offset_mg=(1.0, 2.0, 3.0))
    assert stated.zero_g_offset_mg == (1, 2, 3)
    with pytest.raises(ParameterError, match="rate_error_ppm is still a distribution"):
        ImuStream(spec, 13328, SeededSource())
    offsets_mg = np.array([realise(spec, seed, "rig").zero_g_offset_mg for seed in range(100)])
    assert offsets_mg.std() == pytest.approx(20.0, rel=0.15)  # 300 draws: 4 %
    ImuStream(realise(spec, 1, "rig"), 13328, SeededSource())


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({"device": "adxl999"}, "device", "allowed: lsm6dso, adxl356"),
        ({"device": ["lsm6dso"]}, "device", "valid string"),
        ({"odr_hz": 1000}, "odr_hz", "no output data rate 1000; allowed: 12.5, 26, 52"),
        ({"range_g": 3}, "range_g", "allowed: 2, 4, 8, 16"),
        ({"range_dps": 400}, "range_dps", "allowed: 125, 250"),
        ({"device": "adxl356", "range_dps": 2000}, "range_dps", "no gyroscope"),
        ({"device": "adxl356", "faults": [{"kind": "stuck", "channels": ["gyro_z"]}]}, "faults", "no gyro_z"),
        ({"rotation_deg": [0, 0]}, "rotation_deg", "required"),
        ({"zero_g_offset_mg": [0, 0, "high"]}, "zero_g_offset_mg", "finite number"),
        ({"mount": "roof"}, "mount", "drive_end"),
        ({"id": "a b"}, "id", "pattern"),
        ({"colour": "red"}, "colour", "not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: dict[str, object], key: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        sensor(**keys)
    assert caught.value.errors()[0]["loc"][0] == key
    assert message in caught.value.errors()[0]["msg"]


def test_bad_motion_and_grids_are_refused() -> None:
    with pytest.raises(ParameterError, match="less than 2 points per sample"):
        ImuStream(sensor(), 5000, SeededSource())
    with pytest.raises(ParameterError, match=r"two arrays \(3, n\)"):
        ImuStream(sensor(), 13328, SeededSource()).push(np.zeros((3, 10)), np.zeros((3, 11)))


def test_channels_and_units() -> None:
    assert sensor().channel_names == (
        "accel_x_g", "accel_y_g", "accel_z_g", "gyro_x_dps", "gyro_y_dps", "gyro_z_dps",
    )  # fmt: skip
    assert sensor().units == ("g",) * 3 + ("deg/s",) * 3
    assert sensor(device="adxl356", odr_hz=20000).channel_names == ("accel_x_g", "accel_y_g", "accel_z_g")


def test_generators_are_numpys() -> None:
    assert SeededSource(3).noise("x").random() == generator(3, "x").random()
