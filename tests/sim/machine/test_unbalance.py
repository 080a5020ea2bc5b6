"""Unbalance forces against the acceleration of an eccentric mass, differentiated numerically, and against statics."""

import numpy as np
import pytest

from sim.drive import RPM
from sim.extent import Course, Extent, Growth, WorkClock
from sim.machine.unbalance import UnbalanceStream, balance_grade_mm_s, heavy_spot_rad
from tests.sim import rig

RATE_HZ = 20_000.0


def stream(
    static_g_mm: float = 0.0, couple_g_mm2: float = 0.0, extent: Extent = rig.FULL, seed: int = 1
) -> UnbalanceStream:
    return UnbalanceStream(rig.site(rig.machine(), RATE_HZ, seed), extent, static_g_mm, couple_g_mm2)


def run_up(time_s: rig.Array) -> tuple[rig.Array, rig.Array, rig.Array]:
    """A hard run-up with ripple, given by its angle; derivatives by hand."""
    angle = 20 * time_s + 150 * time_s**2 + 0.3 * np.sin(40 * time_s)
    return angle, 20 + 300 * time_s + 12 * np.cos(40 * time_s), 300 - 480 * np.sin(40 * time_s)


def test_static_unbalance_is_the_inertia_of_an_eccentric_mass() -> None:
    """350 g mm: -m d2(e cos, e sin)/dt2 by central differences, while the speed changes fast."""
    made = rig.run(stream(static_g_mm=350.0), seconds=1.0, rate_hz=RATE_HZ, angle_rad=run_up)
    place = made.angle_rad + heavy_spot_rad(rig.site(rig.machine(), RATE_HZ))
    moment_kg_m = 350e-6 * np.array([np.cos(place), np.sin(place)])
    inertia = -(moment_kg_m[:, 2:] - 2 * moment_kg_m[:, 1:-1] + moment_kg_m[:, :-2]) * RATE_HZ**2
    force = made.force("disk")
    assert np.abs(force[:2, 1:-1] - inertia).max() < 1e-4 * np.abs(inertia).max()
    assert not force[2].any()
    assert not made.forces_n[1:].any()


@pytest.mark.parametrize("speed_rpm", [300.0, 3000.0])
def test_steady_size_is_m_e_w2(speed_rpm: float) -> None:
    made = rig.run(stream(static_g_mm=350.0), seconds=0.5, speed_rpm=speed_rpm)
    expected_n = 350e-6 * (speed_rpm * RPM) ** 2
    x, y = rig.phasor(made.force("disk")[:2], made.angle_rad)
    assert abs(x) == pytest.approx(expected_n)
    assert y / x == pytest.approx(-1j)  # it turns from x to y, with the shaft


def test_couple_turns_in_opposite_directions_at_the_two_ends() -> None:
    """A moment U_c w^2 on a span of 0.4 m; nothing in sum."""
    made = rig.run(stream(couple_g_mm2=5000.0), seconds=0.5)
    drive_end, non_drive_end = made.force("drive_end"), made.force("non_drive_end")
    assert np.abs(drive_end).max() > 0.1
    assert np.abs(drive_end + non_drive_end).max() < 1e-12
    size_n = np.hypot(*drive_end[:2])
    assert size_n * 0.4 == pytest.approx(5000e-9 * (1800 * RPM) ** 2)
    assert not made.force("disk").any()


def test_grows_with_the_fault() -> None:
    clock = WorkClock(np.zeros(1), np.zeros(1))
    growing = Extent(Course(onset_s=0.2, growth=Growth(duration_s=0.5, start_fraction=0.1)), clock)
    made = rig.run(stream(static_g_mm=100.0, extent=growing), seconds=1.0)
    full = rig.run(stream(static_g_mm=100.0), seconds=1.0)
    share = np.hypot(*made.force("disk")[:2]) / np.hypot(*full.force("disk")[:2])
    assert share == pytest.approx(np.where(made.time_s < 0.2, 0.0, np.minimum(0.1 + 1.8 * (made.time_s - 0.2), 1.0)))


def test_heavy_spots_lie_anywhere() -> None:
    at = np.array([heavy_spot_rad(rig.site(rig.machine(), seed=seed)) for seed in range(400)])
    assert ((at >= 0) & (at < 2 * np.pi)).all()
    assert abs(np.exp(1j * at).mean()) < 5 / np.sqrt(400)


def test_balance_grade_of_the_standard() -> None:
    """ISO 21940-11: G is e times angular speed in mm/s. G 6.3 at 3000 rpm is e = 20.05 um: 2005 g mm on 100 kg."""
    assert balance_grade_mm_s(2005.0, 100.0, 3000 * RPM) == pytest.approx(6.3, rel=1e-3)
    assert balance_grade_mm_s(0.0, 100.0, 300.0) == 0.0
