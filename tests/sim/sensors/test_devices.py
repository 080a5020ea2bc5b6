from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.sensors import imu
from sim.sensors.checks import check_sensor
from sim.sensors.devices import DEVICES, LSM6DSO, Device, Tolerances
from sim.sensors.noise import NoiseStream


@pytest.mark.parametrize("name", DEVICES)
def test_contract(name: str) -> None:
    check_sensor(name)


@pytest.mark.parametrize("name", DEVICES)
def test_the_widest_count_reaches_the_range(name: str) -> None:
    """An int16 must span the range: LSB x 32767 at least 99.8 % of it, and never more than 20 % beyond."""
    device = DEVICES[name]
    for lsb_by_range in (device.accel_lsb_mg, device.gyro_lsb_mdps):
        for full_scale, lsb_milli in lsb_by_range.items():
            assert 0.998 < lsb_milli * 32.767 / full_scale < 1.2


@pytest.mark.parametrize("name", DEVICES)
def test_assumptions_name_figures(name: str) -> None:
    known = {f.name for f in fields(Device)} | {f.name for f in fields(Tolerances)}
    assert set(DEVICES[name].assumed) <= known


def test_lsm6dso_figures_of_the_datasheet() -> None:
    """DS12140 Table 2 and Table 18, typed in anew from the datasheet."""
    noise = {"2": 70, "4": 75, "8": 80, "16": 110}
    assert {f"{r:g}": v for r, v in LSM6DSO.accel_noise_ug_per_sqrt_hz.items()} == noise
    assert LSM6DSO.gyro_noise_mdps_per_sqrt_hz == 3.8
    assert LSM6DSO.odrs_hz == (12.5, 26, 52, 104, 208, 416, 833, 1666, 3332, 6664)
    assert LSM6DSO.bandwidths_hz(3332) == (1666, 1320.7)
    assert LSM6DSO.bandwidths_hz(12.5) == (6.25, 4.2)
    assert (LSM6DSO.typical.zero_g_offset_mg, LSM6DSO.typical.zero_rate_offset_dps) == (20, 1)


def test_the_contract_catches_a_wrong_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imu, "COUNT_LIMIT", 30000)
    with pytest.raises(AssertionError, match="clip"):
        check_sensor("lsm6dso")


@pytest.mark.parametrize("wrong", [1.02 * np.eye(3), np.diag([1.0, -1.0, -1.0]), np.eye(3)[[1, 0, 2]]])
def test_the_contract_catches_wrong_axes_and_gains(monkeypatch: pytest.MonkeyPatch, wrong: NDArray[np.float64]) -> None:
    true_rotation = imu.mount_rotation
    monkeypatch.setattr(imu, "mount_rotation", lambda rotation_deg: true_rotation(rotation_deg) @ wrong)
    with pytest.raises(AssertionError, match="g at"):
        check_sensor("lsm6dso")


def test_the_contract_catches_wrong_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    true_fill = NoiseStream.fill

    def louder(self: NoiseStream, noise: NDArray[np.float64]) -> None:
        true_fill(self, noise)
        noise *= 1.1

    monkeypatch.setattr(NoiseStream, "fill", louder)
    with pytest.raises(AssertionError, match="noise rms"):
        check_sensor("lsm6dso")


def test_the_contract_catches_lost_state(monkeypatch: pytest.MonkeyPatch) -> None:
    true_push = imu.ImuStream.push

    def forgetful(self: imu.ImuStream, accel: NDArray[np.float64], rate: NDArray[np.float64]) -> NDArray[np.int16]:
        self._signal[:, :3] = 0  # the grid points kept for the interpolation
        return true_push(self, accel, rate)

    monkeypatch.setattr(imu.ImuStream, "push", forgetful)
    with pytest.raises(AssertionError, match="cut into blocks"):
        check_sensor("lsm6dso")
