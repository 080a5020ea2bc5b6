"""Twice the line frequency and the pole-pass sidebands, at the frequencies that slip and poles give."""

from typing import Any

import numpy as np
import pytest

from sim.machine.motor import Motor
from sim.twin import Twin
from tests.sim import rig


def run(speed_rpm: float, load: float = 1.0, seconds: float = 20.0, **keys: Any) -> rig.Block:
    motor = Motor(**{"line_frequency_hz": 50.0, "pole_pairs": 2, "twice_line_n": 3.0, "pole_pass_pct": 20.0, **keys})
    return rig.run(
        motor.stream(rig.site(rig.machine(), 2000.0)), seconds=seconds, speed_rpm=speed_rpm, load=load, rate_hz=2000.0
    )


def amplitude(made: rig.Block, frequency_hz: float) -> rig.Array:
    return np.abs(rig.phasor(made.force("casing"), 2 * np.pi * frequency_hz * made.time_s))


@pytest.mark.parametrize("speed_rpm", [100.0, 1000.0, 1450.0, 1500.0])
def test_twice_line_does_not_move_with_speed(speed_rpm: float) -> None:
    made = run(speed_rpm, pole_pass_pct=0.0)
    assert amplitude(made, 100.0) == pytest.approx([1.5, 3.0, 0.0], rel=1e-6)
    assert made.force("casing")[1].std() == pytest.approx(3.0 / np.sqrt(2), rel=1e-6)  # and nothing else is there
    assert not made.forces_n[:3].any()


@pytest.mark.parametrize(
    ("line_hz", "pole_pairs", "speed_rpm", "pole_pass_hz"),
    [
        (50.0, 2, 1440.0, 4.0),  # slip 60 rpm = 1 turn a second, 4 poles
        (50.0, 1, 2940.0, 2.0),  # the same slip, 2 poles
        (60.0, 3, 1164.0, 3.6),  # slip 36 rpm, 6 poles
    ],
)
def test_sidebands_lie_at_the_pole_pass_frequency(
    line_hz: float, pole_pairs: int, speed_rpm: float, pole_pass_hz: float
) -> None:
    made = run(speed_rpm, line_frequency_hz=line_hz, pole_pairs=pole_pairs)
    for side in (-1.0, 1.0):
        line = amplitude(made, 2 * line_hz + side * pole_pass_hz)
        assert line == pytest.approx([0.5 * 0.3, 0.3, 0.0], abs=2e-3)  # half of 20 % of 3 N
        assert amplitude(made, 2 * line_hz + 1.3 * side * pole_pass_hz)[1] < 0.02
    assert amplitude(made, 2 * line_hz)[1] == pytest.approx(3.0, rel=1e-3)


def test_sidebands_go_with_the_load() -> None:
    assert amplitude(run(1440.0, load=0.5), 104.0)[1] == pytest.approx(0.15, abs=2e-3)
    assert amplitude(run(1440.0, load=0.0), 104.0)[1] == pytest.approx(0.0, abs=2e-3)


@pytest.mark.parametrize(
    ("speed_rpm", "share"), [(1350.0, 1.0), (1275.0, 0.5), (1200.0, 0.0), (600.0, 0.0), (2000.0, 0.0)]
)
def test_far_from_synchronous_speed_there_are_no_sidebands(speed_rpm: float, share: float) -> None:
    """No induction motor runs at 20 % of slip: it is starting, or an inverter feeds it."""
    made = run(speed_rpm)
    pole_pass_hz = abs(1500.0 - speed_rpm) / 60.0 * 4
    assert amplitude(made, 100.0 + pole_pass_hz)[1] == pytest.approx(0.3 * share, abs=2e-3)


def test_a_motor_that_stands_is_off() -> None:
    assert not run(0.0).forces_n.any()


def test_slip_of_the_plan_puts_the_sidebands_where_they_belong() -> None:
    """Through the world: synchronous speed and 3 % of slip make 3 Hz of pole pass at full load."""
    motor = {"line_frequency_hz": 50.0, "pole_pairs": 2, "slip_pct": 3.0, "twice_line_n": 3.0, "pole_pass_pct": 20.0}
    scenario = rig.scenario(rig.machine(motor=motor), operation=rig.steady(1500.0, load=1.0, duration_s=60.0))
    twin = Twin(scenario, 1, captures=[(1.0, 10.0)])
    assert twin.timeline.profile.speed_rad_s[0] * 30 / np.pi == pytest.approx(1455.0)
    recorded = rig.Recorded(scenario, 10.0)
    heard, expected = {}, {}
    for f, force_n in ((94.0, 0.0), (97.0, 0.3), (100.0, 3.0), (103.0, 0.3)):
        heard[f] = abs(rig.phasor(recorded.accel[1], 2 * np.pi * f * recorded.time_s))
        path = scenario.machine.structure.frequency_response(np.array([f]), "casing", "drive_end")[0, 1]
        expected[f] = force_n * abs(path @ [0.5, 1.0, 0.0])
    assert heard == pytest.approx(expected, rel=0.02, abs=1e-3 * expected[100.0])
