from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from sim.scenario.quantity import Uniform
from sim.sensors import checks
from sim.sensors.checks import amplitude_at, check_sensor_fault, record, tone
from sim.sensors.faults import (
    SENSOR_FAULTS,
    BiasStep,
    Drift,
    Dropout,
    RateSkew,
    Saturation,
    SensorFacts,
    SensorFault,
    Stuck,
)
from sim.sensors.imu import ImuSpec

G = 9.80665


@pytest.mark.parametrize("cls", SENSOR_FAULTS)
def test_contract(cls: type[SensorFault]) -> None:
    check_sensor_fault(cls)


def samples(*faults: dict[str, Any], accel: NDArray[np.float64], device: str = "ideal") -> NDArray[np.float64]:
    """Readings in g and deg/s at 1000 Hz, +-16 g and +-2000 deg/s, of a device without noise; gyro channels rest."""
    spec = ImuSpec.model_validate(
        {"id": "a", "device": device, "odr_hz": 1000, "range_g": 16, "specimen": "nominal", "faults": faults}
    )
    return np.asarray(record(spec, accel, np.zeros_like(accel)) * np.repeat([16, 2000], 3) / 32767)


WAVE = tone(4 * G, 20.0, 4000, 4.0) * np.array([[1.0], [0.7], [0.4]])
SOUND = samples(accel=WAVE)
TIME_S = np.arange(len(SOUND)) / 1000


def test_stuck_repeats_the_last_reading() -> None:
    x = samples({"kind": "stuck", "onset_s": 1.2, "channels": ["accel_x", "gyro_y"]}, accel=WAVE)
    assert (x[1200:, 0] == SOUND[1199, 0]).all()
    assert np.array_equal(x[:, 1:3], SOUND[:, 1:3])


def test_stuck_at_a_level() -> None:
    x = samples({"kind": "stuck", "onset_s": 1, "clear_s": 2, "level": -0.5, "channels": ["accel_z"]}, accel=WAVE)
    assert x[1000:2000, 2] == pytest.approx(np.full(1000, -8.0), abs=5e-4)


def test_saturation_clips_at_the_range_that_is_left() -> None:
    x = samples({"kind": "saturation", "range_fraction": 0.125, "channels": ["accel_x"]}, accel=WAVE)
    assert x[:, 0] == pytest.approx(np.clip(SOUND[:, 0], -2, 2), abs=5e-4)
    driven = samples({"kind": "saturation", "range_fraction": 0.5, "offset_fraction": 0.4}, accel=WAVE)
    assert driven[:, 0] == pytest.approx(np.minimum(SOUND[:, 0] + 6.4, 8.0), abs=1e-3)


def test_drift_grows_as_stated() -> None:
    x = samples({"kind": "drift", "onset_s": 1, "rate_mg_per_s": 250, "rate_dps_per_s": -30}, accel=WAVE)
    added = x - SOUND
    assert added[:, 1] == pytest.approx(0.25 * np.maximum(TIME_S - 1, 0), abs=1e-3)
    assert added[:, 5] == pytest.approx(-30 * np.maximum(TIME_S - 1, 0), abs=0.1)


def test_bias_step() -> None:
    x = samples({"kind": "bias_step", "onset_s": 1, "clear_s": 3, "offset_mg": -300, "offset_dps": 7}, accel=WAVE)
    on = (TIME_S >= 1) & (TIME_S < 3)
    assert (x - SOUND)[:, 0] == pytest.approx(-0.3 * on, abs=1e-3)
    assert (x - SOUND)[:, 4] == pytest.approx(7.0 * on, abs=0.07)


def test_dropout_loses_the_stated_share_and_holds() -> None:
    """20 bursts a second of delivered time, 25 ms each: a third is lost; 90 s make 1200 bursts, so 3 % of scatter."""
    ramp = np.linspace(-10, 10, 360_000) * G * np.ones((3, 1))
    x = samples({"kind": "dropout", "rate_per_s": 20, "mean_length_s": 0.025}, accel=ramp)
    sound = samples(accel=ramp)
    lost = x[:, 0] != sound[:, 0]
    seen = lost.mean() + 0.5 * _bursts(lost) / len(lost)  # the ramp needs 2 samples for a count
    assert seen == pytest.approx(1 / 3, rel=0.12)
    assert np.isin(x[:, 0], sound[:, 0]).all()  # nothing but earlier readings
    assert (np.diff(x[:, 0]) >= 0).all()
    zeroed = samples({"kind": "dropout", "mode": "zero", "rate_per_s": 20, "mean_length_s": 0.025}, accel=ramp)
    assert (zeroed[:, 1] == 0).mean() == pytest.approx(1 / 3, rel=0.12)
    zero = zeroed[:, :3] == 0
    assert np.count_nonzero(zero.any(axis=1) != zero.all(axis=1)) < 10  # all channels together; the ramp crosses zero


def _bursts(lost: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(np.diff(lost.astype(int)) == 1))


def test_spikes_are_a_poisson_process_of_single_samples() -> None:
    """30 a second for 100 s: 3000 +- 55 spikes on three channels, both signs."""
    rest = np.zeros((3, 400_000))
    fault = {"kind": "spike", "rate_per_s": 30, "height": 0.25, "channels": ["accel_x", "accel_y", "accel_z"]}
    x = samples(fault, accel=rest) - samples(accel=rest)
    heights = x[x != 0]
    count = np.abs(heights).sum() / 4.0  # two spikes may meet in one sample
    assert count == pytest.approx(3000, abs=4 * 55)
    assert (heights > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert np.count_nonzero(x, axis=0)[:3] == pytest.approx(np.full(3, 1000), abs=150)
    assert not x[:, 3:].any()
    gaps_s = np.diff(np.flatnonzero(x.any(axis=1))) / 1000
    assert gaps_s.std() / gaps_s.mean() == pytest.approx(1.0, abs=0.08)  # exponential


def test_axis_swap_permutes_both_triads() -> None:
    fault = {"kind": "axis_swap", "order": ["z", "x", "y"], "signs": [1, -1, 1], "onset_s": 2}
    spec = ImuSpec.model_validate({"id": "a", "device": "ideal", "odr_hz": 1000, "faults": [fault]})
    sound_spec = spec.model_copy(update={"faults": ()})
    rate = np.cumsum(WAVE, axis=1) / 1000
    sound, swapped = record(sound_spec, WAVE, rate), record(spec, WAVE, rate)
    assert np.array_equal(swapped[2000:], sound[2000:, [2, 0, 1, 5, 3, 4]] * np.tile([1, -1, 1], 2))


def test_rate_skew_shifts_a_tone_while_it_lasts() -> None:
    x = samples({"kind": "rate_skew", "skew_ppm": 25000, "onset_s": 2}, accel=WAVE)
    slow_hz = 20 / 1.025
    assert amplitude_at(x[:2000, :1], 20.0, 1000)[0] == pytest.approx(4.0, rel=0.01)
    assert amplitude_at(x[2100:, :1], slow_hz, 1000)[0] == pytest.approx(4.0, rel=0.01)
    assert len(x) == pytest.approx(2000 + 2000 * 1.025, abs=3)


def test_severity_and_physical_value() -> None:
    drift = Drift(kind="drift", onset_s=10.0, rate_mg_per_s=5.0)
    assert drift.severity(9.9) == 0
    assert drift.severity(110.0) == pytest.approx(0.5)  # 500 of 1000 mg
    assert drift.severity(1e6) == 1
    assert drift.physical(110.0) == (500.0, "mg")
    gyro = BiasStep(kind="bias_step", offset_dps=-20.0)
    assert (gyro.severity(0.0), gyro.physical(0.0)) == (0.2, (-20.0, "deg/s"))
    assert Dropout(kind="dropout", rate_per_s=1.0, mean_length_s=1.0).severity(0.0) == 0.5
    assert RateSkew(kind="rate_skew", skew_ppm=-50000.0).severity(0.0) == pytest.approx(0.5)
    assert Saturation(kind="saturation", range_fraction=0.25).severity(0.0) == 0.75


def test_overlap_with_a_stretch_of_time() -> None:
    stuck = Stuck(kind="stuck", onset_s=5.0, clear_s=6.0)
    assert not stuck.overlaps(4.0, 5.0)
    assert stuck.overlaps(4.0, 5.1)
    assert stuck.overlaps(5.9, 7.0)
    assert not stuck.overlaps(6.0, 7.0)


def test_late_start_finds_old_faults_at_work() -> None:
    """A capture long after the onset: no spike of the past falls on its first sample, but the fault goes on."""
    from sim.sensors.checks import SeededSource
    from sim.sensors.imu import ImuStream

    spec = ImuSpec.model_validate(
        {"id": "a", "device": "ideal", "odr_hz": 1000, "faults": [{"kind": "spike", "rate_per_s": 5, "height": 0.5}]}
    )
    sound_spec = spec.model_copy(update={"faults": ()})
    rest = np.zeros((3, 40_000))
    counts = ImuStream(spec, 4000, SeededSource(), start_time_s=1000.0).push(rest, rest)
    assert np.array_equal(counts[0], record(sound_spec, rest, rest)[0])
    assert 20 <= np.count_nonzero((counts != counts[0]).any(axis=1)) <= 80


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "drift"}, "rate_mg_per_s or rate_dps_per_s"),
        ({"kind": "bias_step", "offset_mg": 0}, "offset_mg or offset_dps"),
        ({"kind": "stuck", "onset_s": 5, "clear_s": 5}, "clear_s must lie after"),
        ({"kind": "stuck", "onset_s": Uniform((1.0, 9.0)), "clear_s": 8}, "latest onset 9 s"),
        ({"kind": "stuck", "channels": []}, "at least 1"),
        ({"kind": "stuck", "channels": ["accel_w"]}, "accel_x"),
        ({"kind": "axis_swap", "order": ["x", "x", "z"]}, "once each"),
        ({"kind": "axis_swap", "order": ["x", "y", "z"]}, "changes nothing"),
        ({"kind": "melted"}, "stuck"),
        ({"kind": "saturation", "range_fraction": 0}, "> 0"),
        ({"kind": "dropout", "onset_s": -1}, ">= 0"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ImuSpec.model_validate({"id": "a", "faults": [keys]})


class _Good(BiasStep):
    """Registered for the tests below; each breaks it in one way."""

    kind: Literal["good"] = "good"  # type: ignore[assignment]


class _Early(_Good):
    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Any:
        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            signal[time_s > self.onset_s - 0.01] += 1

        return apply


class _Lingering(_Good):
    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Any:
        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            signal[time_s >= self.onset_s] += 1

        return apply


class _Idle(_Good):
    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Any:
        return lambda signal, time_s: None


class _BlockBound(_Good):
    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Any:
        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            on = self.span(time_s)
            signal[on] += rng.standard_normal() + 1

        return apply


class _Moody(_Good):
    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Any:
        fresh = np.random.default_rng()

        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            on = self.span(time_s)
            signal[on] += fresh.standard_normal(signal[on].shape)

        return apply


class _Mute(_Good):
    def _size(self, age_s: float) -> tuple[float, float, str]:
        return 1.0, 0.0, ""


class _Grave(_Good):
    def _size(self, age_s: float) -> tuple[float, float, str]:
        return 0.0, 1.0, "mg"


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (_Good, None),
        (_Early, "before its onset"),
        (_Lingering, "after it cleared"),
        (_Idle, "does nothing"),
        (_BlockBound, "cut into blocks"),
        (_Moody, "not deterministic"),
        (_Mute, "physical value"),
        (_Grave, "severity"),
    ],
)
def test_the_contract_catches_each_breach(
    monkeypatch: pytest.MonkeyPatch, cls: type[SensorFault], message: str | None
) -> None:
    monkeypatch.setattr(checks, "SENSOR_FAULTS", (*SENSOR_FAULTS, cls))
    if message is None:
        check_sensor_fault(cls)
    else:
        with pytest.raises(AssertionError, match=message):
            check_sensor_fault(cls)


def test_an_unregistered_fault_fails_the_contract() -> None:
    with pytest.raises(AssertionError, match="not registered"):
        check_sensor_fault(_Good)
