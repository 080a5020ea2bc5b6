"""The structure in time against its accelerance in closed form: sines, an impulse, noise; and what a gyroscope sees."""

import numpy as np
import pytest
from pydantic import ValidationError

from sim.effect import POINTS, MountPoint
from sim.machine.structure import Structure, StructureStream
from tests.sim import rig

STRUCTURE = rig.machine().structure
RATE_HZ = 50_000.0
MOUNTS: list[MountPoint] = ["drive_end", "non_drive_end", "casing"]


def accelerance(frequency_hz: float, force_point: str, sensor_point: str) -> rig.Complex:
    """(3, 3) by the textbook, mode by mode, straight from the description (Ewins 2000, Modal Testing, ch. 2)."""
    total = np.zeros((3, 3), dtype=complex)
    s = 2j * np.pi * frequency_hz
    for mode in rig.SILENT["structure"]["modes"]:
        w0 = 2 * np.pi * mode["frequency_hz"]
        stiffness_n_per_m = mode["modal_mass_kg"] * w0**2
        damping_n_s_per_m = 2 * mode["damping_ratio"] * np.sqrt(stiffness_n_per_m * mode["modal_mass_kg"])
        receptance = 1 / (mode["modal_mass_kg"] * s**2 + damping_n_s_per_m * s + stiffness_n_per_m)
        total += s**2 * receptance * np.outer(mode["shape"][sensor_point], mode["shape"][force_point])
    return total


@pytest.mark.parametrize("force_point", MOUNTS)
@pytest.mark.parametrize("sensor_point", MOUNTS)
def test_closed_form_is_the_textbooks(force_point: str, sensor_point: str) -> None:
    frequency = np.array([3.0, 89.0, 90.0, 500.0, 1500.0, 8000.0])
    response = STRUCTURE.frequency_response(frequency, force_point, sensor_point)
    for f, matrix in zip(frequency, response, strict=True):
        assert matrix == pytest.approx(accelerance(float(f), force_point, sensor_point), rel=1e-12)


@pytest.mark.parametrize("frequency_hz", [10.0, 60.0, 90.0, 163.0, 240.0, 700.0, 1500.0, 2000.0])
def test_sine_in_time_is_the_closed_form(frequency_hz: float) -> None:
    """Amplitude and phase within 1 % for a force at any point along any axis, below, at and above the resonances."""
    time_s = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    wave = np.cos(2 * np.pi * frequency_hz * time_s)
    late = time_s > 0.4  # the slowest mode has decayed by exp(-11)
    for row in range(9):
        forces = np.zeros((9, len(time_s)))
        forces[row] = wave
        motion = StructureStream(STRUCTURE, 1 / RATE_HZ, MOUNTS).move(forces)
        for mount, (accel, _) in zip(MOUNTS, motion, strict=True):
            heard = rig.phasor(accel[:, late], 2 * np.pi * frequency_hz * time_s[late])
            expected = accelerance(frequency_hz, POINTS[1 + row // 3], mount)[:, row % 3]
            assert np.abs(heard - expected).max() < 0.01 * np.abs(expected).max()


def test_impulse_rings_with_every_mode() -> None:
    """After a blow of 1 N s an oscillator moves freely: shape_i shape_j / m exp(-zeta w t) (...), in closed form."""
    n = round(0.2 * RATE_HZ)
    forces = np.zeros((9, n))
    forces[1, 0] = RATE_HZ  # a triangle of one sample's width on either side: 1 N s along y at the drive end
    ((accel, rate),) = StructureStream(STRUCTURE, 1 / RATE_HZ, ["drive_end"]).move(forces)
    expected, tilting = np.zeros((2, 3, n))
    t = np.arange(n) / RATE_HZ
    for mode in rig.SILENT["structure"]["modes"]:
        w0, zeta = 2 * np.pi * mode["frequency_hz"], mode["damping_ratio"]
        wd, shape = w0 * np.sqrt(1 - zeta**2), np.array(mode["shape"]["drive_end"])
        decay = np.exp(-zeta * w0 * t) * shape[1] / mode["modal_mass_kg"]
        speed = decay * (np.cos(wd * t) - zeta * w0 / wd * np.sin(wd * t))
        accelerating = -decay * (2 * zeta * w0 * np.cos(wd * t) + w0 * (1 - 2 * zeta**2) * w0 / wd * np.sin(wd * t))
        expected += np.outer(shape, accelerating)
        tilting += np.outer(mode.get("tilt_rad_per_m", {}).get("drive_end", [0, 0, 0]), speed)
    free = slice(2, None)  # the blow itself is over
    assert np.abs(accel - expected)[:, free].max() < 5e-3 * np.abs(expected).max()
    assert np.abs(rate - tilting)[:, free].max() < 5e-3 * np.abs(tilting).max()


def test_random_force_is_shaped_by_the_accelerance() -> None:
    """A burst of noise and all its ringing, at all frequencies at once: the ratio of the transforms, to 1 %."""
    forces = np.zeros((9, round(2.0 * RATE_HZ)))
    forces[6, :20_000] = np.random.default_rng(4).standard_normal(20_000)  # casing, x; silence after 0.4 s
    ((accel, _),) = StructureStream(STRUCTURE, 1 / RATE_HZ, ["non_drive_end"]).move(forces)
    frequency = np.fft.rfftfreq(forces.shape[1], 1 / RATE_HZ)
    heard = np.fft.rfft(accel) / np.fft.rfft(forces[6])
    inside = (frequency > 5.0) & (frequency < 2000.0)
    expected = np.array([accelerance(f, "casing", "non_drive_end")[:, 0] for f in frequency[inside]]).T
    error = np.abs(heard[:, inside] - expected).max(axis=0) / np.abs(expected).max(axis=0)
    assert error.max() < 0.01


@pytest.mark.parametrize("frequency_hz", [20.0, 90.0, 400.0])
def test_gyroscope_sees_the_modes_tilt(frequency_hz: float) -> None:
    """Angular rate is tilt x velocity of each mode: at 90 Hz that of the first is nearly all."""
    time_s = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    forces = np.zeros((9, len(time_s)))
    forces[0] = np.cos(2 * np.pi * frequency_hz * time_s)
    ((_, rate),) = StructureStream(STRUCTURE, 1 / RATE_HZ, ["drive_end"]).move(forces)
    expected = np.zeros(3, dtype=complex)
    for mode in rig.SILENT["structure"]["modes"]:
        w, w0 = 2 * np.pi * frequency_hz, 2 * np.pi * mode["frequency_hz"]
        mobility = 1j * w / (mode["modal_mass_kg"] * (w0**2 - w**2 + 2j * mode["damping_ratio"] * w0 * w))
        tilt = np.array(mode.get("tilt_rad_per_m", {}).get("drive_end", [0.0, 0.0, 0.0]))
        expected += tilt * mobility * mode["shape"]["drive_end"][0]
    late = time_s > 0.4
    heard = rig.phasor(rate[:, late], 2 * np.pi * frequency_hz * time_s[late])
    assert np.abs(heard - expected).max() < 0.01 * np.abs(expected).max()


def test_a_point_without_tilt_shows_no_rotation() -> None:
    forces = np.random.default_rng(1).standard_normal((9, 1000))
    ((_, rate),) = StructureStream(STRUCTURE, 1 / RATE_HZ, ["casing"]).move(forces)
    assert not rate.any()


def test_blocks_and_sensors_do_not_change_the_motion() -> None:
    forces = np.random.default_rng(2).standard_normal((9, 3000))
    whole = StructureStream(STRUCTURE, 1 / RATE_HZ, ["casing"]).move(forces)[0][0]
    stream = StructureStream(STRUCTURE, 1 / RATE_HZ, ["drive_end", "casing", "casing"])
    parts = [stream.move(part) for part in np.split(forces, [1, 500, 1500], axis=1)]
    for sensor in (1, 2):
        assert np.allclose(np.concatenate([part[sensor][0] for part in parts], axis=1), whole, rtol=1e-9, atol=1e-12)


def test_settling_time_is_that_of_the_slowest_mode() -> None:
    """exp(-zeta w t): 0.05 x 2 pi x 90 Hz is the slowest of the three."""
    assert STRUCTURE.settling_time_s(0.01) == pytest.approx(np.log(100) / (0.05 * 2 * np.pi * 90))


def test_a_point_that_no_mode_moves_is_refused() -> None:
    mode = {"frequency_hz": 90.0, "modal_mass_kg": 1.0, "shape": {"drive_end": [1, 0, 0], "casing": [1, 0, 0]}}
    with pytest.raises(ValidationError, match="no mode moves `non_drive_end`"):
        Structure.model_validate({"modes": [mode]})
