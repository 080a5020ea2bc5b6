"""A bowed shaft against the bowed Jeffcott rotor in closed form, and its axial rocking against kinematics."""

import math
from typing import Any

import numpy as np
import pytest

from sim.drive import RPM
from sim.faults.bent_shaft import SECOND_ORDER_SHARE, BentShaft, bow_share
from sim.machine.unbalance import heavy_spot_rad
from tests.sim import rig

MASS_KG, CRITICAL_RPM, ZETA, BOW_UM = 5.0, 3000.0, 0.05, 120.0


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8, 0.95, 1.0, 1.05, 1.3])
def test_radial_response_is_that_of_a_bowed_rotor(ratio: float) -> None:
    """m z'' + c z' + k (z - bow e^(j theta)) = 0 (Nicholas, Gunter and Allaire 1976): the bearings get -m z''.

    Through the structure to the sensor: amplitude within 1 %, phase but for the lead of 2 zeta ratio that is stated.
    """
    machine = rig.machine(rotor={"mass_kg": MASS_KG, "critical_speed_rpm": CRITICAL_RPM, "damping_ratio": ZETA})
    fault = BentShaft(bow_um=BOW_UM, axial_stiffness_n_per_m=0.0)
    speed_rpm = ratio * CRITICAL_RPM
    heard = rig.Recorded(rig.scenario(machine, [fault], operation=rig.steady(speed_rpm)), 2.0)
    settled = slice(heard.accel.shape[1] // 2, None)
    w, w0 = speed_rpm * RPM, CRITICAL_RPM * RPM
    displacement_m = BOW_UM * 1e-6 * w0**2 / (w0**2 - w**2 + 2j * ZETA * w0 * w)
    force_n = 0.5 * MASS_KG * w**2 * displacement_m * np.exp(1j * heavy_spot_rad(rig.fault_site(machine, fault)))
    turning = np.array([1.0, -1j, 0.0]) * force_n  # x, and y a quarter turn later, at each of the two bearings
    expected = rig.response(machine, speed_rpm / 60.0, {"drive_end": turning, "non_drive_end": turning})
    relative = rig.phasor(heard.accel[:, settled], heard.angle_rad[settled]) / expected
    assert np.abs(relative) == pytest.approx(1.0, abs=0.01)
    assert np.angle(relative) == pytest.approx(math.atan(2 * ZETA * ratio), abs=0.01)


def axial(**keys: Any) -> rig.Block:
    fault = BentShaft(bow_um=BOW_UM, axial_stiffness_n_per_m=4e6, **keys)
    return rig.run(fault.stream(rig.site(rig.machine()), rig.FULL), seconds=1.0)


def test_axial_1x_is_in_antiphase_at_the_two_ends() -> None:
    """The bow tilts the journals by pi bow / span, one to either side; the force is stiffness x tilt x race radius."""
    made = axial()
    drive, non_drive = (rig.phasor(made.force(end)[2], made.angle_rad) for end in ("drive_end", "non_drive_end"))
    assert np.angle(drive / non_drive) == pytest.approx(math.pi, abs=1e-6) or np.angle(
        drive / non_drive
    ) == pytest.approx(-math.pi, abs=1e-6)
    tilt = math.pi * BOW_UM * 1e-6 / 0.4
    assert abs(drive) == pytest.approx(4e6 * tilt * 0.5 * 1.537 * 0.0254, rel=1e-3)  # 6205: pitch 1.537 in
    assert abs(non_drive) == pytest.approx(4e6 * tilt * 0.5 * 0.0285, rel=1e-3)  # 6203: pitch 28.5 mm
    second = [abs(rig.phasor(made.force(end)[2], 2 * made.angle_rad)) for end in ("drive_end", "non_drive_end")]
    assert np.array(second) / np.abs([drive, non_drive]) == pytest.approx(SECOND_ORDER_SHARE, rel=1e-3)


def test_rocking_and_unbalance_have_one_cause() -> None:
    """Where the bow is highest, the ring's top leans out at the drive end (-z) and at the other end (+z)."""
    made = axial()
    upward = made.force("disk")[1]  # of the bow's unbalance: in phase with the bow's height
    for end, sign in (("drive_end", -1.0), ("non_drive_end", 1.0)):
        push = rig.phasor(made.force(end)[2], made.angle_rad)
        assert np.angle(sign * push / rig.phasor(upward, made.angle_rad)) == pytest.approx(0.0, abs=1e-3)


def test_axial_force_is_the_same_at_any_speed_that_turns() -> None:
    """A tilt held by a spring; a shaft that stands does not rock."""
    fault = BentShaft(bow_um=BOW_UM)
    forces = {}
    for speed_rpm in (0.0, 300.0, 3000.0):
        made = rig.run(fault.stream(rig.site(rig.machine()), rig.FULL), seconds=2.0, speed_rpm=speed_rpm)
        forces[speed_rpm] = np.abs(made.force("drive_end")[2]).max()
    assert forces[0.0] == 0.0
    assert forces[3000.0] == pytest.approx(forces[300.0], rel=0.01)


@pytest.mark.parametrize(
    ("position", "share"),
    [(0.5, 1.0), (0.0, 0.0), (1.0, 0.0), (1 / 6, 0.5), (-0.1, -0.1 * math.pi), (1.2, -0.2 * math.pi)],
)
def test_a_disk_off_the_middle_sees_less_of_the_bow(position: float, share: float) -> None:
    """A half sine between the bearings; beyond them the shaft goes on straight, to the other side."""
    assert bow_share(position) == pytest.approx(share, abs=1e-12)
    machine = rig.machine(rotor={"disk_position": position})
    made = rig.run(BentShaft(bow_um=BOW_UM).stream(rig.site(machine), rig.FULL), seconds=0.2)
    expected_n = 5.0 * abs(share) * BOW_UM * 1e-6 * (1800 * RPM) ** 2
    assert np.hypot(*made.force("disk")[:2]).max() == pytest.approx(expected_n, rel=1e-6, abs=1e-9)
