"""Looseness against the Fourier transform of the strikes themselves, drawn in time."""

import numpy as np
import pytest

from sim.drive import RPM
from sim.faults.looseness import STRIKE_TURN, Looseness
from tests.sim import rig

GAP_UM, MASS_KG = 80.0, 5.0


def lines(unevenness: float, speed_rpm: float = 1800.0, gap_um: float = GAP_UM) -> rig.Complex:
    """(3, 20) complex amplitudes at the orders 0.5 ... 10."""
    fault = Looseness(gap_um=gap_um, unevenness=unevenness)
    made = rig.run(fault.stream(rig.site(rig.machine()), rig.FULL), speed_rpm=speed_rpm, seconds=2.0)
    assert not made.forces_n[[0, 2, 3]].any()
    return np.column_stack([rig.phasor(made.force("drive_end"), k / 2 * made.angle_rad) for k in range(1, 21)])


def strikes(unevenness: float, speed_rpm: float = 1800.0) -> rig.Array:
    """(20,) amplitudes by FFT of two turns in time: half sines of momentum m g w (1 +- u), one a turn."""
    n = 2**16
    turn = 2.0 * np.arange(n) / n
    speed = speed_rpm * RPM
    seconds_per_turn = 2 * np.pi / speed
    force = np.zeros(n)
    for at, size in ((0.3, 1 + unevenness), (1.3, 1 - unevenness)):
        inside = (turn >= at) & (turn < at + STRIKE_TURN)
        half_sine = np.sin(np.pi * (turn[inside] - at) / STRIKE_TURN)
        momentum = 0.5 * MASS_KG * GAP_UM * 1e-6 * speed * size
        force[inside] = momentum * half_sine / (STRIKE_TURN * seconds_per_turn * 2 / np.pi)
    return np.asarray(2 * np.abs(np.fft.rfft(force))[1:21] / n)


@pytest.mark.parametrize("unevenness", [0.0, 0.5, 1.0])
def test_lines_are_those_of_the_strikes(unevenness: float) -> None:
    assert np.abs(lines(unevenness)[1]) == pytest.approx(strikes(unevenness), rel=2e-3, abs=1e-3)


def test_even_strikes_have_no_half_orders_and_uneven_ones_have() -> None:
    halves, wholes = slice(0, None, 2), slice(1, None, 2)
    assert np.abs(lines(0.0)[1, halves]).max() < 1e-3 * np.abs(lines(0.0)[1, wholes]).min()
    uneven = np.abs(lines(0.5)[1])
    assert uneven[halves][:4] / uneven[wholes][:4] == pytest.approx(0.5, rel=0.2)  # 0.5x, 1.5x, 2.5x, 3.5x


def test_strikes_are_short_and_keep_their_shape() -> None:
    """All lines in phase somewhere in the two turns: the series adds up to pulses, not to a hum."""
    fault = Looseness(gap_um=GAP_UM, unevenness=0.5)
    made = rig.run(fault.stream(rig.site(rig.machine()), rig.FULL), speed_rpm=60.0, seconds=2.0)
    force = made.force("drive_end")[1]
    assert force.max() > 5.0 * force.std()
    after_a_turn = np.roll(force, -20_000)
    strongest = np.argmax(force)
    assert force[strongest] / after_a_turn[strongest] == pytest.approx(3.0, rel=0.1)  # (1 + 0.5) / (1 - 0.5)


def test_force_goes_with_gap_and_speed_squared() -> None:
    once = np.abs(lines(0.5)[1])
    assert np.abs(lines(0.5, gap_um=2 * GAP_UM)[1]) == pytest.approx(2 * once, rel=1e-6)
    assert np.abs(lines(0.5, speed_rpm=900.0)[1]) == pytest.approx(once / 4, rel=5e-3)


def test_severity() -> None:
    severity = Looseness(gap_um=50.0).severity(rig.machine(), np.array([0.5, 1.0]))
    assert severity.value == pytest.approx([25.0, 50.0])
    assert severity.normalised == pytest.approx([0.125, 0.25])
