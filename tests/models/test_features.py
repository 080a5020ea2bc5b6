"""Features against closed forms."""

import numpy as np
import pytest

from models.features import REFERENCE_RPM, band_rms, envelope_lines, feature_names, features, line_amplitudes
from models.windows import LabelledWindows, Task, labelled

RATE_HZ, LENGTH = 5000.0, 1024
TASK = Task(("normal", "imbalance"), RATE_HZ, LENGTH, bearing_orders={"BPFO": 3.052, "BPFI": 4.948})
TIME_S = np.arange(LENGTH) / RATE_HZ


def windows(x: np.ndarray, speed_rpm: float | np.ndarray) -> LabelledWindows:
    return labelled(x.astype(np.float32), "normal", "normal", "a", speed_rpm, "real")


def column(w: LabelledWindows, name: str, normalised: bool = False) -> np.ndarray:
    return features(w, TASK, normalised)[:, feature_names(TASK, w.x.shape[2]).index(name)]


@pytest.mark.parametrize("speed_rpm", [600.0, 1234.0, 3000.0])
def test_lines_read_the_amplitudes_of_sines_at_their_orders(speed_rpm: float) -> None:
    amplitudes = np.array([0.5, 0.02, 0.3, 0.001, 0.1, 0.07])
    phases = np.arange(6) * 1.3
    orders = np.arange(1, 7)
    x = (amplitudes * np.cos(2 * np.pi * orders * speed_rpm / 60 * TIME_S[:, None] + phases)).sum(axis=1)
    found = line_amplitudes(np.stack([x, 2 * x], axis=1)[None], RATE_HZ, np.array([speed_rpm]))
    np.testing.assert_allclose(found[0, :, 0], amplitudes, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found[0, :, 1], 2 * amplitudes, rtol=1e-6, atol=1e-9)


def test_each_window_is_read_at_its_own_speed() -> None:
    speeds = np.array([1800.0, 900.0, 1800.0])
    x = (
        np.cos(2 * np.pi * speeds[:, None, None] / 60 * TIME_S[None, :, None])
        * np.array([1.0, 2.0, 3.0])[:, None, None]
    )
    np.testing.assert_allclose(line_amplitudes(x, RATE_HZ, speeds)[:, 0, 0], [1.0, 2.0, 3.0], rtol=1e-9)


def test_lines_beyond_the_nyquist_frequency_are_zero() -> None:
    found = line_amplitudes(np.random.default_rng(0).standard_normal((1, 128, 1)), 50.0, np.array([700.0]))
    assert (found[0, :2] > 0).all()  # 11.7 and 23.3 Hz
    assert (found[0, 2:] == 0).all()


def test_a_sine_shows_in_its_band_with_its_rms() -> None:
    x = 0.4 * np.sin(2 * np.pi * 700.0 * TIME_S)  # edges at 5 kHz: 25, 100, 250, 500, 1000, ... Hz
    found = band_rms(x[None, :, None])[0, :, 0]
    assert found[3] == pytest.approx(0.4 / np.sqrt(2), rel=1e-3)
    assert np.delete(found, 3).max() < 1e-3


def test_white_noise_fills_each_band_by_its_width() -> None:
    noise = np.random.default_rng(1).standard_normal((400, LENGTH, 1))
    power = (band_rms(noise) ** 2).mean(axis=(0, 2))
    widths = np.array([0.03, 0.06, 0.1, 0.2, 0.2, 0.2, 0.15])
    np.testing.assert_allclose(power, widths, rtol=0.1)


def test_normalised_amplitudes_of_an_imbalance_are_the_same_at_every_speed() -> None:
    for rpm in (600.0, 3000.0):
        gain = (rpm / REFERENCE_RPM) ** 2
        x = gain * 0.1 * np.cos(2 * np.pi * rpm / 60 * TIME_S)
        w = windows(x[None, :, None], rpm)
        assert column(w, "1x ch0", normalised=True)[0] == pytest.approx(-1.0, abs=1e-3)
        assert column(w, "1x ch0", normalised=False)[0] == pytest.approx(-1.0 + np.log10(gain), abs=1e-3)


def test_ratios_are_not_normalised_and_match_closed_forms() -> None:
    x = np.stack([np.sin(2 * np.pi * 250.0 * TIME_S), np.random.default_rng(2).standard_normal(LENGTH)], axis=1)[None]
    for rpm in (900.0, 1800.0):
        for normalised in (False, True):
            w = windows(x, rpm)
            assert column(w, "kurtosis ch0", normalised)[0] == pytest.approx(-1.5, abs=0.02)
            assert column(w, "crest ch0", normalised)[0] == pytest.approx(np.sqrt(2), rel=0.01)
            assert abs(column(w, "kurtosis ch1", normalised)[0]) < 0.6


def test_knocks_stand_out_at_their_bearing_order_only() -> None:
    speed_rpm = 3000.0
    for name, other in (("BPFO", "BPFI"), ("BPFI", "BPFO")):
        rate = TASK.bearing_orders[name] * speed_rpm / 60
        knocks = np.exp(-(((TIME_S * rate) % 1.0) / rate) * 1500) * np.sin(2 * np.pi * 1800 * TIME_S)
        w = windows(knocks[None, :, None], speed_rpm)
        assert column(w, f"envelope {name} ch0")[0] > 8
        assert column(w, f"envelope {name} ch0")[0] > 3 * column(w, f"envelope {other} ch0")[0]


def test_noise_does_not_stand_out() -> None:
    noise = np.random.default_rng(3).standard_normal((50, LENGTH, 1))
    found = envelope_lines(noise, TASK, np.full(50, 3000.0))
    assert np.median(found) < 3.0


def test_every_column_has_a_name_and_a_dead_channel_stays_finite() -> None:
    w = windows(np.zeros((2, LENGTH, 3)), 1800.0)
    found = features(w, TASK, normalised=True)
    assert found.shape == (2, len(feature_names(TASK, 3)))
    assert np.isfinite(found).all()


def test_a_mean_changes_nothing() -> None:
    x = np.random.default_rng(4).standard_normal((3, LENGTH, 2))
    a, b = (features(windows(x + offset, 1800.0), TASK, normalised=False) for offset in (0.0, 5.0))
    np.testing.assert_allclose(a, b, atol=1e-3)


@pytest.mark.parametrize("speed_rpm", [np.nan, 0.0])
def test_a_window_without_a_speed_is_refused(speed_rpm: float) -> None:
    with pytest.raises(ValueError, match="need the speed of every window"):
        features(windows(np.zeros((1, LENGTH, 1)), speed_rpm), TASK, normalised=False)
