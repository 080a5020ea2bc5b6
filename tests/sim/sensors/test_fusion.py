import numpy as np
import pytest
from numpy.typing import NDArray

from sim.sensors.checks import record, tone
from sim.sensors.fusion import median_fusion, to_machine_axes
from sim.sensors.imu import ImuSpec

G = 9.80665
SCALE = np.repeat([0.488e-3, 0.07], 3)
ACCEL = tone(3 * G, 40.0, 4 * 1666, 1.0)
RATE = tone(2.0, 25.0, 4 * 1666, 1.0, axes=[2])
MOUNTS = ((0.0, 0.0, 0.0), (90.0, 0.0, 0.0), (10.0, -35.0, 120.0), (180.0, 0.0, 45.0), (0.0, 77.0, 0.0))


def fleet(n: int, **broken: object) -> NDArray[np.float64]:
    """`n` LSM6DSO with different mountings on the same spot, in machine axes; the last one with a fault."""
    fused = []
    for i, rotation in enumerate(MOUNTS[:n]):
        keys = {"id": f"s{i}", "odr_hz": 1666, "specimen": "nominal", "rotation_deg": rotation}
        spec = ImuSpec.model_validate(keys | (broken if i == n - 1 else {}))
        fused.append(to_machine_axes(record(spec, ACCEL, RATE, seed=i) * SCALE, rotation))
    return np.array(fused)


@pytest.mark.parametrize("rotation", MOUNTS)
def test_machine_axes_come_back(rotation: tuple[float, float, float]) -> None:
    spec = ImuSpec.model_validate(
        {"id": "a", "device": "ideal", "odr_hz": 1000, "range_g": 16, "rotation_deg": rotation}
    )
    aligned = spec.model_copy(update={"rotation_deg": (0.0, 0.0, 0.0)})
    accel = ACCEL * np.array([[1.0], [0.3], [0.1]])
    scale = np.repeat([16, 2000], 3) / 32767
    back = to_machine_axes(record(spec, accel, RATE) * scale, rotation)
    assert np.abs(back - record(aligned, accel, RATE) * scale).max() < 2 * 2000 / 32767
    assert np.abs((back - record(aligned, accel, RATE) * scale)[:, :3]).max() < 2 * 16 / 32767


def test_median_is_numpys_for_odd_and_even_numbers() -> None:
    x = np.random.default_rng(1).normal(size=(5, 50, 6))
    for n in (1, 2, 3, 4, 5):
        assert np.array_equal(median_fusion(x[:n]), np.median(x[:n], axis=0))


def test_missing_samples_are_left_out() -> None:
    x = np.random.default_rng(2).normal(size=(4, 50, 3))
    x[1, 10:20] = np.nan
    x[2, 15:30] = np.nan
    fused = median_fusion(x)
    assert np.array_equal(fused, np.nanmedian(x, axis=0))
    x[:, 0] = np.nan
    assert np.isnan(median_fusion(x)[0]).all()


@pytest.mark.parametrize("n", [3, 4, 5])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "stuck", "level": 1.0},
        {"kind": "stuck", "onset_s": 0.2},
        {"kind": "dropout", "mode": "zero", "rate_per_s": 10, "mean_length_s": 0.3},
        {"kind": "spike", "rate_per_s": 100, "height": 1.0},
    ],
)
def test_one_broken_sensor_does_not_spoil_the_result(n: int, fault: dict[str, object]) -> None:
    """The fused error stays within a few noise rms (4.5 mg; 4 standard errors of the worst sample); the mean's does not."""
    sound, broken = fleet(n), fleet(n, faults=[fault])
    truth = median_fusion(fleet(5))
    assert np.abs(broken - sound).max() > 2  # g: the fault is a grave one
    assert np.abs(median_fusion(broken) - truth)[:, :3].max() < 0.03
    assert np.abs(broken.mean(axis=0) - truth)[:, :3].max() > 0.3


def test_two_sensors_cannot_outvote_each_other() -> None:
    """A stated limit: the median of two is their mean."""
    broken = fleet(2, faults=[{"kind": "stuck", "level": 1.0}])
    assert np.array_equal(median_fusion(broken), broken.mean(axis=0))


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="n_imu"):
        median_fusion(np.zeros((10, 6)))
    with pytest.raises(ValueError, match=r"\(n, 3\) or \(n, 6\)"):
        to_machine_axes(np.zeros((10, 4)), (0, 0, 0))
