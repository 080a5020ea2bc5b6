"""Calibration end to end: a twin made from a wrong scenario and recordings sounds like the machine that made them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from models.datasets.base import open_recordings
from sim.calibration.calibration import Calibration, Figure, Fit, apply, calibrate, calibrated
from sim.calibration.plots import draw
from sim.dataset.real import RealRecording
from sim.errors import DatasetError, ScenarioError
from sim.machine.machine import Machine
from sim.scenario.quantity import Normal, Uniform
from sim.scenario.realise import realise
from sim.scenario.schema import Scenario
from tests.sim import rig
from tests.sim.calibration import twin

Array = NDArray[np.float64]


def wrong_machine() -> Machine:
    """Suspension and rotor of `twin`'s machine; other modes, bearings a third as loud, an eighth of the unbalance."""
    known = twin.machine().model_dump(mode="json")
    shape = {"drive_end": [0.5, 0.5, 0.5]}
    modes = known["structure"]["modes"]
    modes[2:] = [{**modes[2], "frequency_hz": hz, "damping_ratio": 0.06, "shape": shape} for hz in (500.0, 1600.0)]
    for bearing in known["bearings"].values():
        bearing["noise_n"] /= 3.0
    known["rotor"]["residual_unbalance_g_mm"] /= 8.0
    return Machine.model_validate(known)


def wrong(speed_rpm: float = 1800.0) -> Scenario:
    """With a sensor whose datasheet says half the noise there is."""
    scenario = twin.scenario(wrong_machine(), speed_rpm)
    sensor = scenario.sensors[0].model_copy(update={"accel_noise_ug_per_sqrt_hz": 0.5e6 * twin.NOISE_G})
    return scenario.model_copy(update={"sensors": [sensor]})


@pytest.fixture(scope="module")
def recordings() -> list[RealRecording]:
    return twin.recordings(twin.machine())


@pytest.fixture(scope="module")
def fit(recordings: list[RealRecording]) -> Fit:
    return calibrate(wrong(), recordings)


def thirds_db(recording: RealRecording) -> Array:
    """(bands, 3) level in thirds of octaves from 200 to 1900 Hz."""
    f, power = signal.welch(recording.samples[:, :3], recording.rate_hz, nperseg=4096, axis=0)
    edges = 200.0 * 2.0 ** (np.arange(11) / 3.0)
    bands = [power[(f >= low) & (f < high)].mean(axis=0) for low, high in pairwise(edges)]
    return np.asarray(10.0 * np.log10(bands))


def test_the_twin_sounds_like_the_machine_at_a_speed_it_has_not_heard(fit: Fit) -> None:
    machine = thirds_db(twin.recording(twin.scenario(twin.machine(), 2100.0), seed=11))
    before = thirds_db(twin.recording(wrong(2100.0), seed=12))
    after = thirds_db(twin.recording(realise(apply(wrong(2100.0), fit.calibration), 1, "test"), seed=12))
    assert np.sqrt(np.mean((before - machine) ** 2)) > 6.0
    assert np.sqrt(np.mean((after - machine) ** 2)) < 1.0


def test_speed_and_unbalance_lie_within_their_deviations(fit: Fit) -> None:
    for recording, rpm in zip(fit.calibration.recordings, twin.SPEEDS_RPM, strict=True):
        assert abs(recording.speed_rpm.value - rpm) < 3.0 * recording.speed_rpm.std
        assert recording.speed_rpm.std < 1.0
    unbalance = fit.calibration.residual_unbalance_g_mm
    assert not unbalance.bound
    assert abs(unbalance.value - twin.UNBALANCE_G_MM) < unbalance.std
    assert unbalance.std < 0.2 * twin.UNBALANCE_G_MM


def test_misalignment_is_told_from_unbalance() -> None:
    coupling = {"radial_stiffness_n_per_m": 1e6, "angular_stiffness_nm_per_rad": 1000}
    lines = {"stiffness_variation": (0.1, 0.2, 0.05, 0.05), "residual_angle_deg": 0.1}
    truth = twin.machine(coupling={**coupling, **lines, "residual_offset_mm": 0.2})
    assumed = twin.machine(
        coupling={**coupling, **lines, "residual_offset_mm": 0.05, "residual_angle_deg": 0.025},
        rotor={"residual_unbalance_g_mm": 10},
    )
    found = calibrate(twin.scenario(assumed), twin.recordings(truth)).calibration
    offset, unbalance = found.residual_offset_mm, found.residual_unbalance_g_mm
    assert offset is not None
    assert abs(offset.value - 0.2) < 2.0 * offset.std
    assert offset.std < 0.1
    assert abs(unbalance.value - twin.UNBALANCE_G_MM) < 2.0 * unbalance.std


def test_sensor_noise_is_found_though_the_datasheet_says_half(fit: Fit) -> None:
    for figure in fit.calibration.sensor_noise_ug_per_sqrt_hz.values():
        assert figure.value == pytest.approx(1e6 * twin.NOISE_G, rel=0.1)
    sensor = apply(wrong(), fit.calibration).sensors[0]
    assert sensor.accel_noise_ug_per_sqrt_hz == pytest.approx(1e6 * twin.NOISE_G, rel=0.1)


def test_a_perfectly_balanced_machine_gets_a_bound() -> None:
    balanced = twin.recordings(twin.machine(rotor={"residual_unbalance_g_mm": 0.0}), (1800.0,))
    found = calibrate(wrong(), balanced).calibration
    assert found.residual_unbalance_g_mm.bound
    # 300 ug/sqrt(Hz) over 6 s is a line of 0.17 mg; a g mm at 1800 rpm moves 15 kg by 0.24 mg.
    assert found.residual_unbalance_g_mm.value < 10.0
    assert isinstance(apply(wrong(), found).machine.rotor.residual_unbalance_g_mm, Uniform)


def test_noise_alone_leaves_the_scenarios_modes_and_bounds_the_bearings() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(30_000) / twin.RATE_HZ
    samples = 0.02 * rng.standard_normal((len(t), 3)) + 0.02 * np.cos(2.0 * np.pi * 30.0 * t)[:, None]
    names = ("accel_x_g", "accel_y_g", "accel_z_g")
    noise = RealRecording(samples.astype(np.float32), names, twin.RATE_HZ, "noise", "normal", speed_rpm=1800.0)
    found = calibrate(wrong(), [noise]).calibration
    assert found.modes == []
    assert all(figure.bound for figure in found.noise_n.values())
    # White noise of RMS s at the rate f has the one-sided density s sqrt(2 / f).
    expected = 1e6 * 0.02 * np.sqrt(2.0 / twin.RATE_HZ)
    for figure in found.sensor_noise_ug_per_sqrt_hz.values():
        # Bearings that shake the suspended mass are white as well: a part of it may be theirs.
        assert 0.7 * expected < figure.value < 1.03 * expected
    assert apply(wrong(), found).machine.structure == wrong_machine().structure


def test_one_speed_does_not_tell_how_the_noise_grows(recordings: list[RealRecording]) -> None:
    found = calibrate(wrong(), recordings[1:2]).calibration
    assert found.noise_speed_exponent.value == pytest.approx(2.0, abs=0.01)
    assert found.noise_speed_exponent.std >= 1.0


def test_the_artifact_comes_back_as_it_was_written(fit: Fit, tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    fit.calibration.write(path)
    assert Calibration.read(path) == fit.calibration
    path.write_text(path.read_text().replace("noise_speed_exponent", "noise_speed_exponents"))
    with pytest.raises(ScenarioError, match="noise_speed_exponent"):
        Calibration.read(path)


def test_apply_changes_what_was_calibrated_and_nothing_else(fit: Fit) -> None:
    before = wrong()
    after = apply(before, fit.calibration)
    assert after.machine.structure.modes[:2] == before.machine.structure.modes[:2]  # below the bands
    assert [m.frequency_hz for m in after.machine.structure.modes[2:]] == pytest.approx([300, 800, 1250], rel=0.01)
    noise = after.machine.bearings["drive_end"].noise_n
    assert isinstance(noise, Normal)
    assert noise.parameters[0] == fit.calibration.noise_n["drive_end"].value
    assert (after.operation, after.faults, after.environment) == (before.operation, before.faults, before.environment)
    other = before.model_copy(update={"machine": before.machine.model_copy(update={"id": "other"})})
    with pytest.raises(DatasetError, match=r"`known`.*`other`"):
        apply(other, fit.calibration)


def test_figures_become_what_a_scenario_may_hold() -> None:
    assert Figure.of(2.0, 0.0).quantity() == 2.0
    assert Figure.of(2.0, 0.5).quantity() == Normal((2.0, 0.5))
    assert Figure.of(2.0, 5.0).quantity() == Normal((2.0, 1.0))
    assert Figure.of(2.0, 0.0, bound=True).quantity() == Uniform((0.0, 2.0))


def test_calibrated_takes_healthy_recordings_of_any_sensor_and_is_deterministic(
    recordings: list[RealRecording],
) -> None:
    of = wrong().model_copy(update={"sensors": [rig.ImuSpec(id="slow", device="lsm6dso", odr_hz=833)]})
    faulty = replace(recordings[0], id="faulty", label="imbalance", samples=10.0 * recordings[0].samples)
    found = calibrated(of, recordings)
    assert found == calibrated(of, [*recordings, faulty])
    assert found.sensors == of.sensors
    modes = [m.frequency_hz for m in found.machine.structure.modes if 100.0 < m.frequency_hz < 1500.0]
    assert modes == pytest.approx([300, 800, 1250], rel=0.01)


def test_a_picture_for_each_channel(fit: Fit, tmp_path: Path) -> None:
    files = draw(fit, tmp_path / "plots")
    assert [f.name for f in files] == [f"fit_accel_{axis}_g.png" for axis in "xyz"]
    assert all(f.read_bytes().startswith(b"\x89PNG") for f in files)


def test_recordings_that_cannot_be_used_are_named(recordings: list[RealRecording]) -> None:
    one = recordings[1]
    holed = one.samples.copy()
    holed[100, 0] = np.nan
    cases: list[tuple[RealRecording, str]] = [
        (replace(one, label="imbalance"), "needs healthy recordings.*imbalance"),
        (replace(one, samples=one.samples[:1000]), "1800 has 1000 samples; calibration needs"),
        (replace(one, samples=holed), "1800 holds NaN"),
        (replace(one, rate_hz=20_000.0), "20000 Hz.*imu 5000 Hz"),
        (replace(one, channels=("a", "b", "c", "d", "e", "f")), "channels a, b.*needs accel_x_g"),
    ]
    for recording, text in cases:
        with pytest.raises(DatasetError, match=text) as error:
            calibrate(wrong(), [recording])
        assert "\n" not in str(error.value)
    with pytest.raises(DatasetError, match="all must agree"):
        calibrate(wrong(), [one, replace(recordings[0], rate_hz=4000.0)])


def test_silent_bearings_cannot_be_calibrated(recordings: list[RealRecording]) -> None:
    silent = {p: {"designation": "6205-2RS", "noise_n": 0.0} for p in ("drive_end", "non_drive_end")}
    with pytest.raises(DatasetError, match="noise_n"):
        calibrate(twin.scenario(twin.machine(bearings=silent)), recordings)


def test_adi_twin_predicts_a_speed_it_has_not_heard() -> None:
    from benchmarks.calibration import SCENARIO, leave_one_speed_out
    from sim.scenario.reader import read

    try:
        healthy = [r for r in open_recordings("adi") if r.normal]
    except DatasetError as error:
        pytest.skip(f"ADI's recordings are not on this machine: {error}")
    errors = leave_one_speed_out(read(SCENARIO, Scenario), healthy, left_out=[2])
    assert errors["calibrated"][0] < 3.0
    assert errors["calibrated"][0] < 0.4 * errors["as it stands"][0]
