"""Windows of recordings: rate, count, labels."""

import numpy as np
import pytest

from models.windows import LabelledWindows, Task, at_rate, concatenate, labelled, windows_of
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

RATE_HZ = 20_000.0
AXES = ("accel_x_g", "accel_y_g", "accel_z_g")
TASK = Task(("normal", "imbalance"), rate_hz=5000.0, length=1024)


def tone(frequency_hz: float, n: int = 40_000, amplitude: float = 1.0) -> np.ndarray:
    x = amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(n) / RATE_HZ)
    return np.tile(x[:, None], (1, 3)).astype(np.float32)


def recording(name: str, label: str = "normal", x: np.ndarray | None = None, **more: object) -> RealRecording:
    return RealRecording(tone(50.0) if x is None else x, AXES, RATE_HZ, name, label, speed_rpm=1800.0, **more)


@pytest.mark.parametrize("frequency_hz", [30.0, 500.0, 2000.0])
def test_a_lower_rate_keeps_what_it_can_show(frequency_hz: float) -> None:
    y = at_rate(tone(frequency_hz), RATE_HZ, 5000.0)
    assert y.shape == (10_000, 3)
    expected = np.sin(2 * np.pi * frequency_hz * np.arange(10_000) / 5000.0)
    inner = slice(100, -100)
    np.testing.assert_allclose(y[inner, 1], expected[inner], atol=2e-3)


@pytest.mark.parametrize("frequency_hz", [2800.0, 4162.6, 9000.0])
def test_a_lower_rate_folds_nothing_down(frequency_hz: float) -> None:
    y = at_rate(tone(frequency_hz), RATE_HZ, 5000.0)
    assert np.abs(y[100:-100]).max() < 1e-3


def test_gravity_survives_the_lower_rate() -> None:
    y = at_rate(tone(50.0) + np.float32(1.0), RATE_HZ, 5000.0)
    assert abs(float(y.mean()) - 1.0) < 1e-3


def test_ratios_of_small_numbers_are_possible_and_higher_rates_are_not() -> None:
    y = at_rate(tone(100.0), RATE_HZ, 12_000.0)
    assert len(y) == 24_000
    np.testing.assert_allclose(
        y[200:-200, 0], np.sin(2 * np.pi * 100 * np.arange(24_000) / 12_000)[200:-200], atol=2e-3
    )
    with pytest.raises(DatasetError, match="cannot be brought to 40000 Hz"):
        at_rate(tone(100.0), RATE_HZ, 40_000.0)


def test_windows_carry_what_a_split_and_a_model_must_know() -> None:
    fault = recording("b", "imbalance", fault_kind="imbalance", group="pair")
    w = windows_of([recording("a"), fault], TASK)
    assert w.x.shape == (18, 1024, 3)  # 10,000 samples hold 9 windows
    assert w.x.dtype == np.float32
    assert w.label.tolist() == ["normal"] * 9 + ["imbalance"] * 9
    assert w.kind.tolist() == ["normal"] * 9 + ["imbalance"] * 9
    assert set(w.group[:9]) == {"a"}
    assert set(w.group[9:]) == {"pair"}
    assert set(w.provenance) == {"real"}
    assert (w.speed_rpm == 1800.0).all()
    assert len(windows_of([fault], TASK, hop=256)) == (10_000 - 1024) // 256 + 1


def test_the_class_is_the_kind_where_the_task_says_so() -> None:
    task = Task(("normal", "bearing_outer"), 5000.0, 1024, target="kind")
    w = windows_of([recording("a"), recording("b", "bearing_wear", fault_kind="bearing_outer")], task)
    assert sorted(set(w.label)) == ["bearing_outer", "normal"]


def test_an_unknown_class_and_too_short_recordings_are_refused() -> None:
    with pytest.raises(DatasetError, match="'looseness'; the task's classes are normal, imbalance"):
        windows_of([recording("a", "looseness")], TASK)
    with pytest.raises(DatasetError, match="no recording is as long"):
        windows_of([recording("a", x=tone(50.0, 2000))], TASK)


def test_centred_windows_have_no_mean() -> None:
    w = labelled(np.full((2, 64, 3), 1000.0, np.float32), "normal", "normal", "a", 600.0, "real")
    w.x[:, ::2] += 1.0
    centred = w.centred()
    np.testing.assert_allclose(centred.x.mean(axis=1), 0.0, atol=1e-4)
    np.testing.assert_allclose(np.ptp(centred.x, axis=1), 1.0, rtol=1e-3)


def test_concatenating_keeps_the_order_and_shapes_are_checked() -> None:
    a = labelled(np.zeros((2, 8, 1), np.float32), "normal", "normal", "a", 600.0, "real")
    b = labelled(np.ones((1, 8, 1), np.float32), "imbalance", "imbalance", "b", 900.0, "classical")
    both = concatenate([a, b])
    assert both.label.tolist() == ["normal", "normal", "imbalance"]
    assert both.take(both.label == "imbalance").provenance.tolist() == ["classical"]
    with pytest.raises(ValueError, match="label has shape"):
        LabelledWindows(a.x, b.label, a.kind, a.group, a.speed_rpm, a.provenance)
