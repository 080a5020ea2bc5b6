"""What misalignment does: statics by hand, lines in the stiffness' ratios, a broad band behind a soft coupling."""

from typing import Any

import numpy as np
import pytest

from sim.machine.coupling import STIFFNESS_VARIATION, Coupling, MisalignmentStream
from sim.machine.machine import Machine
from tests.sim import rig

STIFF: dict[str, Any] = {
    "type": "custom",
    "radial_stiffness_n_per_m": 2e5,
    "angular_stiffness_nm_per_rad": 300.0,
    "overhang_m": 0.1,
    "axial_radius_mm": 30.0,
    "stiffness_variation": (0.2, 0.4, 0.1, 0.05),
}


def lines(offset_mm: float, angle_deg: float, speed_rpm: float = 1800.0, **coupling: Any) -> rig.Complex:
    """(6, 4) complex amplitudes of x, y, z at drive end and non-drive end, at 1x..4x."""
    site = rig.site(rig.machine(coupling={**STIFF, **coupling}))
    made = rig.run(MisalignmentStream(site, rig.FULL, offset_mm, angle_deg), seconds=2.0, speed_rpm=speed_rpm)
    forces = made.forces_n[1:3].reshape(6, -1)
    assert not made.force("disk").any()
    assert not made.force("casing").any()
    return np.column_stack([rig.phasor(forces, z * made.angle_rad) for z in range(1, 5)])


def test_reaction_holds_the_shaft_in_balance() -> None:
    """An overhung beam on two supports: the coupling pushes 100 N, 0.1 m outside the drive end."""
    coupling = Coupling(**STIFF)
    drive, non_drive, moment = coupling.static_reaction(0.5, 0.0, 0.4)
    assert drive + non_drive == pytest.approx(100.0)  # sum of forces
    assert non_drive * 0.4 == pytest.approx(-100.0 * 0.1)  # moments about the drive-end bearing
    assert moment == 0.0
    drive, non_drive, moment = coupling.static_reaction(0.0, 2.0, 0.4)
    assert moment == pytest.approx(300.0 * np.pi / 90)
    assert drive == pytest.approx(moment / 0.4)  # a pure moment is held by a pair of forces
    assert non_drive == pytest.approx(-moment / 0.4)


def test_parallel_offset_gives_radial_lines_in_the_ratios_of_the_stiffness() -> None:
    amplitude = lines(offset_mm=0.5, angle_deg=0.0)
    along = np.linalg.norm(np.abs(amplitude[:2]), axis=0)  # of the ellipse: sqrt(major^2 + minor^2)
    assert along == pytest.approx(125.0 * np.hypot(1, 1 / 3) * np.array([0.2, 0.4, 0.1, 0.05]), rel=1e-3)
    assert np.abs(amplitude[3:5]) == pytest.approx(np.abs(amplitude[:2]) * 25 / 125, rel=1e-3)
    assert np.abs(amplitude[[2, 5]]).max() < 1e-3  # a pure offset does not push along the shaft


def test_force_of_each_line_is_an_ellipse_of_three_to_one() -> None:
    amplitude = lines(offset_mm=0.5, angle_deg=0.0)[:2]
    for z in range(4):
        axes = np.linalg.svd(np.column_stack([amplitude[:, z].real, amplitude[:, z].imag]), compute_uv=False)
        assert axes[0] / axes[1] == pytest.approx(3.0, rel=1e-3)


def test_angle_gives_axial_lines_at_the_drive_end() -> None:
    amplitude = lines(offset_mm=0.0, angle_deg=1.0)
    moment = 300.0 * np.pi / 180
    assert np.abs(amplitude[2]) == pytest.approx(moment / 0.03 * np.array([0.2, 0.4, 0.1, 0.05]), rel=1e-3)
    assert np.abs(amplitude[5]).max() < 1e-3


def test_lines_scale_with_misalignment_and_not_with_speed() -> None:
    """A displacement held by a spring: its force does not know how fast it turns."""
    once = np.abs(lines(0.2, 0.3))
    assert np.abs(lines(0.4, 0.6)) == pytest.approx(2 * once, rel=1e-6)
    assert np.abs(lines(0.2, 0.3, speed_rpm=600.0)) == pytest.approx(once, rel=2e-3, abs=1e-3)


@pytest.mark.parametrize("kind", [k for k in STIFFNESS_VARIATION if k != "custom"])
def test_types_show_the_lines_of_their_symmetry(kind: str) -> None:
    shares = STIFFNESS_VARIATION[kind]
    amplitude = np.linalg.norm(np.abs(lines(0.5, 0.0, type=kind, stiffness_variation=None)[:2]), axis=0)
    assert amplitude / amplitude[0] == pytest.approx(np.array(shares) / shares[0], rel=1e-3)
    assert max(range(4), key=shares.__getitem__) == {"rigid": 1, "gear": 1, "jaw": 2, "disc": 1, "beam": 0}[kind]


# -------------------------------------------------------------------------------------------------------- broad band


def noisy(**coupling: Any) -> Machine:
    bearing = {"designation": "6205-2RS", "noise_n": 2.0}
    return rig.machine(coupling={**STIFF, **coupling}, bearings={"drive_end": bearing, "non_drive_end": bearing})


def broad_band(offset_mm: float, angle_deg: float = 0.0, **coupling: Any) -> rig.Array:
    """(2,) RMS of the vertical force that a fault adds at drive end and non-drive end, but for the lines."""
    made = rig.run(MisalignmentStream(rig.site(noisy(**coupling)), rig.FULL, offset_mm, angle_deg), seconds=5.0)
    force = made.forces_n[1:3, 1]
    for z in range(1, 5):
        force = force - np.real(rig.phasor(force, z * made.angle_rad)[:, None] * np.exp(1j * z * made.angle_rad))
    return np.asarray(force.std(axis=1))


def healthy_band() -> float:
    """The same of the healthy bearing, which the machine makes."""
    site = rig.site(noisy())
    return float(rig.run(site.machine.bearings["drive_end"].stream(site), seconds=5.0).force("drive_end")[1].std())


def test_bearings_grow_louder_with_their_load() -> None:
    """Static load 24.5 N each. 1 mm of offset loads the drive end with 250 N more: 11.2 times as loud, all in all."""
    weight, healthy = 2.5 * 9.80665, healthy_band()
    assert healthy > 0.1
    for offset_mm in (0.1, 1.0):
        reaction = np.array([250.0, 50.0]) * offset_mm
        total = np.hypot(broad_band(offset_mm), healthy)
        assert total / healthy == pytest.approx((weight + reaction) / weight, rel=0.03)


def test_soft_coupling_shows_no_lines_but_still_a_band() -> None:
    """What the ADI rig's beam coupling does: 1x and 2x stay, the broad band grows."""
    soft = {"type": "beam", "stiffness_variation": (1e-4, 1e-4, 0.0, 0.0), "radial_stiffness_n_per_m": 6e4}
    band = broad_band(1.0, **soft)[0]
    assert band > 2.0 * healthy_band()
    assert np.abs(lines(1.0, 0.0, **soft)).max() < 0.02 * band


def test_an_end_that_bears_no_reaction_stays_as_quiet_as_it_was() -> None:
    """Without overhang and angle the far bearing feels nothing of the offset."""
    assert broad_band(1.0, overhang_m=0.0)[1] == pytest.approx(0.0, abs=1e-9)
    assert broad_band(0.0) == pytest.approx(0.0, abs=1e-9)
