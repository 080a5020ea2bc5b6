"""The spectral model against simulated sensors and the structure's own closed form; the fit against known modes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from sim.calibration.path import fit_path
from sim.calibration.spectra import TOP_SHARE, Channels, bands, listen, segment_length
from sim.calibration.spectral_model import Parameters, Setting, SpectralModel, healthy_density, rolling_density
from sim.effect import GRAVITY_M_S2
from sim.machine.rolling_noise import CORNER_ORDER, DIRECTIONS, MODULATION
from tests.sim import rig
from tests.sim.calibration import twin


def channels(of: rig.Machine) -> Channels:
    return Channels.of(twin.scenario(of), ("accel_x_g", "accel_y_g", "accel_z_g"))


def test_density_is_that_of_independent_noises_through_the_structures_frequency_response() -> None:
    of = twin.machine()
    f = np.geomspace(20.0, 2000.0, 50)
    expected = np.full((50, 3), twin.NOISE_G**2)
    for position, rms_n in (("drive_end", 3.0), ("non_drive_end", 1.5)):
        path = of.structure.frequency_response(f, position, "drive_end") / GRAVITY_M_S2
        corner_hz = CORNER_ORDER * 40.0
        # 1800 rpm is rated, the speed 2400: RMS by (4/3)^2, density its square; a first-order spectrum of unit variance.
        force = (rms_n * (4.0 / 3.0) ** 2) ** 2 * 2.0 / (np.pi * corner_hz) / (1.0 + (f / corner_hz) ** 2)
        for direction in DIRECTIONS:
            expected += np.abs(path @ np.array(direction)) ** 2 * (force * (1.0 + MODULATION**2 / 2.0))[:, None]
    found = healthy_density(of, channels(of), f, np.ones(50), 40.0, np.full(3, twin.NOISE_G))
    assert found == pytest.approx(expected, rel=1e-9)


def test_rolling_density_holds_the_force_s_power() -> None:
    f = np.geomspace(1e-3, 1e8, 200_001)
    power = np.trapezoid(rolling_density(f, 20.0, 30.0, 2.0, CORNER_ORDER), f)
    assert power == pytest.approx((20.0 / 30.0) ** 4 * (1.0 + MODULATION**2 / 2.0), rel=1e-3)


def test_density_is_what_a_simulated_sensor_hears() -> None:
    of = twin.machine()
    recording = twin.recording(twin.scenario(of, 1200.0), seconds=20.0)
    f, measured = signal.welch(recording.samples[:, :3], twin.RATE_HZ, nperseg=4096, axis=0)
    inside = (f > 250.0) & (f < 1800.0)
    at = channels(of)
    gain = at.sensor_gain(f[inside], twin.RATE_HZ, twin.scenario(of).grid_rate_hz())
    model = healthy_density(of, at, f[inside], gain, 20.0, np.full(3, twin.NOISE_G))
    ratio_db = 10.0 * np.log10(measured[inside] / model)
    assert np.abs(ratio_db.mean(axis=0)).max() < 0.5
    # 48 half-overlapping segments scatter by 10 log10(e) / sqrt(45): 0.65 dB.
    assert ratio_db.std() < 0.9


@pytest.mark.parametrize(
    "names", [("accel_x_g", "accel_y_g", "accel_z_g"), ("drive_end.accel_y_g", "casing.accel_x_g")]
)
def test_derivatives_are_those_of_the_residuals(names: tuple[str, ...]) -> None:
    of = twin.machine()
    f = np.geomspace(100.0, 2000.0, 30)
    rng = np.random.default_rng(1)
    at = Channels.of(twin.scenario(of), names)
    setting = Setting(of, at, f, np.ones(30), np.array([20.0, 40.0]), 2.0, 3e-4)
    density = np.exp(rng.normal(-14.0, 1.0, (2, 30, len(names))))
    density[1, 3] = np.nan
    model = SpectralModel(setting, density, np.full((2, 30), 20.0), np.zeros((30, len(names), len(names))))
    model.expansions = np.array([model.basis.expansion(hz) for hz in (400.0, 900.0)])
    model.expansions[1, :, 0] *= -1.0
    shape = np.exp(rng.normal(-1.0, 0.5, (2, model.k)))
    floor = model.floor * 1.3
    p = Parameters(
        np.array([400.0, 900.0]), np.array([0.05, 0.02]), shape, np.array([0.2, -0.1]), 1.7, 300.0, floor
    ).vector()
    step = 1e-6
    numeric = [(model.residuals(p + step * e) - model.residuals(p - step * e)) / (2.0 * step) for e in np.eye(len(p))]
    assert model.jacobian(p) == pytest.approx(np.array(numeric).T, abs=1e-5)


def test_modes_are_found_from_a_scenario_that_knows_none_of_them() -> None:
    """Truth: `twin.MODES`. The scenario has two others, and bearings a third as loud."""
    truth = twin.machine()
    known = truth.model_dump(mode="json")
    known["structure"]["modes"][2:] = [
        {
            **known["structure"]["modes"][2],
            "frequency_hz": hz,
            "damping_ratio": 0.06,
            "shape": {"drive_end": [0.5, 0.5, 0.5]},
        }
        for hz in (500.0, 1600.0)
    ]
    for bearing in known["bearings"].values():
        bearing["noise_n"] /= 3.0
    wrong = rig.Machine.model_validate(known)
    at = channels(wrong)
    recordings = twin.recordings(truth)
    edges = bands(100.0, TOP_SHARE * twin.RATE_HZ, twin.RATE_HZ / segment_length(30_000, twin.RATE_HZ))
    heard = [listen(r, twin.scenario(wrong), at, edges) for r in recordings]
    f = np.sqrt(edges[1:] * edges[:-1])
    gain = at.sensor_gain(f, twin.RATE_HZ, twin.scenario(wrong).grid_rate_hz())
    fit = fit_path(wrong, at, heard, f, gain, twin.NOISE_G)
    assert len(fit.best.frequency_hz) == len(twin.MODES)
    for i, (hz, damping) in enumerate(twin.MODES):
        assert fit.best.frequency_hz[i] == pytest.approx(hz, rel=0.005)
        assert abs(fit.best.frequency_hz[i] / hz - 1.0) < 3.0 * fit.std.frequency_hz[i]
        assert fit.best.damping[i] == pytest.approx(damping, rel=0.15)
        assert abs(fit.best.damping[i] / damping - 1.0) < 3.0 * fit.std.damping[i]
    # Within a mode the channels share out as the true shape says (the common scale is a convention).
    out = np.einsum("cn,mnk,mk->mc", at.rows, fit.expansion, fit.best.shape)
    true = np.array([mode.shape["drive_end"] for mode in truth.structure.modes[2:]])
    shares = out / np.linalg.norm(out, axis=1, keepdims=True) * np.sign(out[:, :1] * true[:, :1])
    assert shares == pytest.approx(true / np.linalg.norm(true, axis=1, keepdims=True), abs=0.06)
    assert np.sqrt(fit.best.floor) == pytest.approx(twin.NOISE_G, rel=0.1)
    assert fit.misfit_db.max() < 1.2
