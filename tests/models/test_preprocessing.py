"""The integer preprocessing against a second implementation, in plain Python integers, written from its docstring alone."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.preprocessing import (
    INPUT_SCALE,
    LOG2_TABLE,
    Preprocessing,
    fit,
    linear_scaled,
    log2_q8,
    log_scaled,
    low_pass,
    steps_of,
    to_counts,
    to_float,
)  # fmt: skip
from sim.errors import DatasetError

# --- the second implementation: one window, one channel, every intermediate held against the type it is stated to fit


def int32(value: int) -> int:
    assert -(2**31) <= value < 2**31
    return value


def scalar_log2_q8(u: int) -> int:
    z = 32 - u.bit_length()
    n = u << z
    assert 2**31 <= n < 2**32
    i, r = (n >> 26) & 31, (n >> 16) & 1023
    low, high = (round(32768 * math.log2(1 + k / 32)) for k in (i, i + 1))
    q = low + (int32(int32((high - low) * r) + 512) >> 10)
    return 256 * (31 - z) + ((q + 64) >> 7)


def scalar_scale(scaling: str, d: int, knee: int, gain: int, shift: int) -> int:
    half = 1 << (shift - 1)
    if scaling == "log":
        octaves = scalar_log2_q8(abs(d) + (1 << knee)) - 256 * knee
        assert 0 <= octaves <= 4096
        y = min(int32(int32(gain * octaves) + half) >> shift, 127)
        return -y if d < 0 else y
    return max(-127, min(127, int32(int32(gain * d) + half) >> shift))


def scalar(p: Preprocessing, channel: int, window: list[int]) -> list[int]:
    x = window[: p.length]
    if p.decimation > 1:
        x = []
        for i in range(p.length):
            a = 0
            for k, tap in enumerate(p.taps):
                a = int32(a + tap * window[i * p.decimation + k])
            x.append(max(-32768, min(32767, int32(a + 16384) >> 15)))
    level = int32(sum(x) + (p.length >> 1)) // p.length if p.detrend else p.offset[channel]
    assert -32768 <= level <= 32767
    return [scalar_scale(p.scaling, v - level, p.knee[channel], p.gain[channel], p.shift[channel]) for v in x]


# --- properties

int16 = st.integers(-32768, 32767)


@st.composite
def preprocessings(draw: Any) -> Preprocessing:
    channels, decimation, length = (
        draw(st.integers(1, 3)),
        draw(st.sampled_from([1, 1, 2, 3])),
        draw(st.integers(1, 20)),
    )
    scaling, detrend = draw(st.sampled_from(["log", "linear"])), draw(st.booleans())
    taps: tuple[int, ...] = ()
    if decimation > 1:
        taps = tuple(draw(st.lists(st.integers(-6000, 6000), min_size=1, max_size=9)))
    each = {"min_size": channels, "max_size": channels}
    return Preprocessing(
        channels=tuple(f"c{i}" for i in range(channels)), lsb=(1.0,) * channels, rate_hz=100.0, hop=1, length=length,
        window=(length - 1) * decimation + max(len(taps), 1) + draw(st.integers(0, 3)), decimation=decimation,
        taps=taps, detrend=detrend, scaling=scaling,
        offset=tuple(draw(st.lists(int16, **each))) if not detrend else (0,) * channels,
        knee=tuple(draw(st.lists(st.integers(0, 14), **each))),
        gain=tuple(draw(st.lists(st.integers(0, 65535 if scaling == "log" else 32767), **each))),
        shift=tuple(draw(st.lists(st.integers(1, 16), **each))),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(preprocessings(), st.data())
def test_every_input_equals_the_plain_integers(p: Preprocessing, data: Any) -> None:
    extreme = st.one_of(int16, st.sampled_from([-32768, 32767, 0, -1, 1]))
    n = p.window * len(p.channels)
    values = data.draw(st.lists(extreme, min_size=n, max_size=n))
    counts = np.array(values, np.int16).reshape(1, p.window, len(p.channels))
    y = p.apply(counts)
    assert y.dtype == np.int8
    for channel in range(len(p.channels)):
        assert y[0, :, channel].tolist() == scalar(p, channel, counts[0, :, channel].tolist())


@pytest.mark.parametrize(("knee", "gain", "shift"), [(0, 65535, 1), (0, 2032, 16), (7, 5283, 16), (14, 65535, 16)])
def test_logarithmic_scaling_of_every_deviation_there_is(knee: int, gain: int, shift: int) -> None:
    every = np.arange(-65535, 65536, dtype=np.int32)
    expected = [scalar_scale("log", d, knee, gain, shift) for d in every.tolist()]
    np.testing.assert_array_equal(log_scaled(every, knee, gain, shift), expected)


@pytest.mark.parametrize(("gain", "shift"), [(32767, 1), (32767, 16), (1, 16), (0, 3), (999, 14)])
def test_linear_scaling_of_every_deviation_there_is(gain: int, shift: int) -> None:
    every = np.arange(-65535, 65536, dtype=np.int32)
    expected = [scalar_scale("linear", d, 0, gain, shift) for d in every.tolist()]
    np.testing.assert_array_equal(linear_scaled(every, gain, shift), expected)


def test_log2_is_as_near_as_stated_rises_and_is_exact_for_powers_of_two() -> None:
    u = np.arange(1, 2**17, dtype=np.int32)
    found = log2_q8(u)
    exact = np.array([256 * math.log2(v) for v in u.tolist()])
    assert np.abs(found - exact).max() < 0.56
    assert (np.diff(found) >= 0).all()
    powers = 2 ** np.arange(17, dtype=np.int32)
    np.testing.assert_array_equal(log2_q8(powers), 256 * np.arange(17))
    assert LOG2_TABLE[0] == 0
    assert LOG2_TABLE[-1] == 32768
    assert LOG2_TABLE.max() < 2**16


def test_extremes_stay_in_int32_where_the_bounds_are_tightest() -> None:
    """The scalar implementation asserts it: a full-scale square wave, the longest window, the largest taps and gains."""
    taps = (32767, 32767)
    p = Preprocessing(
        channels=("x",), lsb=(1.0,), rate_hz=None, window=4, hop=4, length=2, decimation=2, taps=taps, detrend=False,
        offset=(-32768,), scaling="linear", knee=(0,), gain=(32767,), shift=(16,),
    )  # fmt: skip
    for level in (-32768, 32767):
        counts = np.full((1, 4, 1), level, np.int16)
        assert p.apply(counts)[0, :, 0].tolist() == scalar(p, 0, [level] * 4)
    longest = Preprocessing(
        channels=("x",), lsb=(1.0,), rate_hz=None, window=65535, hop=1, length=65535, offset=(0,), scaling="log",
        knee=(0,), gain=(65535,), shift=(16,),
    )  # fmt: skip
    assert not longest.apply(np.full((1, 65535, 1), -32768, np.int16)).any()
    step = np.full((1, 65535, 1), -32768, np.int16)
    step[0, 0] = 32767
    assert longest.apply(step)[0, :2, 0].tolist() == scalar(longest, 0, step[0, :, 0].tolist())[:2]


# --- constants


def plain(**changes: Any) -> Preprocessing:
    content: dict[str, Any] = {
        "channels": ("x", "y"), "lsb": (0.1, 0.1), "rate_hz": 10.0, "window": 8, "hop": 4, "length": 8, "offset": (0, 0),
        "scaling": "log", "knee": (3, 3), "gain": (900, 900), "shift": (12, 12),
    }  # fmt: skip
    return Preprocessing(**(content | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lsb": (0.1,)}, "lsb has 1 values for 2 channels"),
        ({"knee": (3, 15)}, "every knee must be 0 to 14"),
        ({"gain": (65536, 0)}, "every gain must be 0 to 65535"),
        ({"gain": (32768, 0), "scaling": "linear"}, "every gain must be 0 to 32767"),
        ({"shift": (0, 1)}, "every shift must be 1 to 16"),
        ({"offset": (1, 0)}, "with detrending every offset is 0"),
        ({"taps": (1, 2)}, "taps and a decimation above 1 go together"),
        ({"decimation": 2, "taps": (32767, 32767, 1), "length": 3}, "absolute sum"),
        ({"length": 9}, "a window of 8 is shorter than the 9 samples needed"),
        ({"decimation": 3, "taps": (100, 100, 100), "length": 3}, "a window of 8 is shorter than the 9 samples"),
        ({"channels": ("x", "x")}, "each once"),
    ],
)
def test_constants_outside_the_bounds_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plain(**changes)


def test_json_round_trip_and_broken_files(tmp_path: Path) -> None:
    p = plain()
    p.save(tmp_path / "p.json")
    assert Preprocessing.open(tmp_path / "p.json") == p
    (tmp_path / "p.json").write_text((tmp_path / "p.json").read_text().replace("900", "-900"))
    with pytest.raises(DatasetError, match=r"p.json: preprocessing: every gain must be 0 to 65535"):
        Preprocessing.open(tmp_path / "p.json")
    with pytest.raises(DatasetError, match="No such file"):
        Preprocessing.open(tmp_path / "none.json")


def test_counts_are_whole_steps_halves_to_even_cut_off_and_picked_by_name() -> None:
    x = np.array([0.12, 0.125, 0.375, 0.625, -0.125, -0.375, 1e9, -1e9])
    samples = np.stack([x, np.zeros(8), -x], axis=1)[None]
    counts = plain(lsb=(0.25, 0.25)).counts(samples, ["y", "other", "x"])
    assert counts.dtype == np.int16
    assert counts[0, :, 1].tolist() == [0, 0, 2, 2, 0, -2, 32767, -32768]  # y is first among the samples
    assert counts[0, :, 0].tolist() == [0, 0, -2, -2, 0, 2, -32768, 32767]
    with pytest.raises(DatasetError, match="no channel 'y'; there are x, z, w"):
        plain().counts(samples, ["x", "z", "w"])
    with pytest.raises(DatasetError, match=r"allowed is \(n, 8, 2\)"):
        plain().counts(samples)
    samples[0, 3, 0] = np.nan
    with pytest.raises(DatasetError, match=r"window 0 has a sample that is not a number \(sample 3, channel 1\)"):
        plain().counts(samples, ["y", "other", "x"])
    with pytest.raises(DatasetError, match="allowed is int16"):
        plain().apply(np.zeros((1, 8, 2), np.int32))  # type: ignore[arg-type]


def test_float_inputs_are_exact_multiples_of_the_input_scale() -> None:
    every = np.arange(-128, 128).astype(np.int8)
    assert to_float(every).dtype == np.float32
    assert (to_float(every) == np.arange(-128, 128) / 32).all()
    assert INPUT_SCALE == 1 / 32


# --- fitting


def made(n: int = 20, window: int = 256, rms: float = 0.2) -> NDArray[np.float32]:
    x = np.random.default_rng(0).normal(0, rms, (n, window, 2)) - np.array([0.0, 1.0])
    return (np.round(x / 0.488e-3) * 0.488e-3).astype(np.float32)


def test_the_step_of_a_digital_sensor_is_found_and_its_samples_come_back_exactly() -> None:
    names = ("accel_x_g", "accel_y_g", "gyro_x_dps")
    x = np.concatenate([made(), 0.0175 * np.random.default_rng(1).integers(-9000, 9000, (20, 256, 1))], axis=2)
    x = x.astype(np.float32)
    assert steps_of(x, names) == (0.488e-3, 0.488e-3, 0.0175)
    lsb = steps_of(x, names)
    np.testing.assert_allclose(to_counts(x, lsb) * np.array(lsb), x, rtol=3e-7, atol=1e-9)
    analogue = np.random.default_rng(2).normal(0, 1, (5, 100, 1))
    assert steps_of(analogue, ("accel_x_g",))[0] == pytest.approx(0.122e-3, rel=0.01)  # 4 g holds it, 2 g does not
    table = np.random.default_rng(2).normal(0, 500, (5, 100, 1))
    assert np.abs(table).max() / steps_of(table, ("temperature",))[0] == pytest.approx(32767 / 2)


def test_the_scale_is_that_of_the_normal_windows_alone_and_the_range_that_of_all() -> None:
    normal = made()
    loud = made(rms=2.0)
    both, which = np.concatenate([normal, loud]), np.repeat([True, False], 20)
    names = ("accel_x_g", "accel_y_g")
    p = fit(both, names, 100.0, normal=which)
    assert p.knee == fit(normal, names, 100.0).knee  # 0.2 g / 4 is 102 counts: the nearest power of two is 128
    assert p.knee == (7, 7)
    y = p.apply(p.counts(both))
    assert 0.9 * 127 < np.quantile(np.abs(y[20:].astype(int)), 0.999) <= 127
    assert (np.abs(y.astype(int)) == 127).mean() < 0.01
    linear = fit(both, names, 100.0, normal=which, scaling="linear", detrend=False)
    y = linear.apply(linear.counts(both))
    assert np.abs(y[:20].mean(axis=(0, 1))).max() < 1.0  # the offset of -1 g is gone
    assert fit(normal, names, 100.0, scaling="linear").gain[0] / 2**16 * 0.2 / 0.488e-3 == pytest.approx(32, rel=0.02)


def test_decimation_keeps_what_is_below_and_stops_what_is_above() -> None:
    time_s = np.arange(1024) / 1000.0
    sines = np.stack([np.sin(2 * np.pi * f * time_s) for f in (20.0, 180.0)])[:, :, None]
    p = fit(sines, ("accel_x_g",), 1000.0, decimation=4, scaling="linear", lsb=[1e-4])
    assert p.length % 16 == 0
    x = p._centred(p.counts(sines))[:, :, 0] * 1e-4
    assert np.sqrt(2) * x[0].std() == pytest.approx(1.0, abs=0.02)
    assert np.sqrt(2) * x[1].std() < 10 ** (-45 / 20)  # 180 Hz lies above the new Nyquist frequency of 125 Hz
    assert sum(low_pass(4)) == pytest.approx(32768, abs=20)


def test_windows_that_nothing_can_be_fitted_to_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"shape \(0, 256, 2\)"):
        fit(made()[:0], ("x", "y"), 1.0)
    with pytest.raises(DatasetError, match="no normal windows"):
        fit(made(), ("x", "y"), 1.0, normal=np.zeros(20, np.bool_))
    with pytest.raises(DatasetError, match="too short for a decimation by 16"):
        fit(made()[:, :100], ("x", "y"), 1.0, decimation=16)
    broken = made()
    broken[3, 4, 1] = np.inf
    with pytest.raises(DatasetError, match=r"window 3 .* \(sample 4, channel 1\)"):
        fit(broken, ("x", "y"), 1.0)
