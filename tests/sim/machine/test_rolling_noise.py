"""The bearings' broad band: its size, shape and directions, and how it grows with speed, load and wear."""

from typing import Any

import numpy as np
import pytest
from scipy import signal

from sim.machine.machine import Machine
from sim.machine.rolling_noise import CORNER_ORDER, RollingNoise
from tests.sim import rig

SLOW = {"speed_rpm": 60.0, "seconds": 30.0, "rate_hz": 20_000.0}
"""One turn a second: the whole spectrum, with its corner at 400 Hz, lies inside the grid's range."""


def noisy(**rotor: Any) -> Machine:
    bearings = {"drive_end": {"designation": "6205-2RS", "noise_n": 5.0}, "non_drive_end": {"designation": "6203-2RS"}}
    return rig.machine(bearings=bearings, rotor=rotor, rated_speed_rpm=120.0)


def healthy(machine: Machine, **conditions: Any) -> rig.Array:
    """(3, n) force at the drive end."""
    return rig.run(RollingNoise.of_bearing(rig.site(machine), "drive_end"), **{**SLOW, **conditions}).force("drive_end")


def grown(machine: Machine, **cause: float) -> rig.Array:
    """(3, n) what a cause adds."""
    return rig.run(RollingNoise.growth(rig.site(machine), "drive_end", rig.FULL, **cause), **SLOW).force("drive_end")


def test_size_at_rated_speed_and_directions() -> None:
    """5 N vertically at the rated 120 rpm, with speed squared; modulation adds 0.15^2 / 2 of power."""
    force = healthy(noisy())
    modulated = np.sqrt(1 + 0.15**2 / 2)
    assert force.std(axis=1) == pytest.approx(1.25 * modulated * np.array([0.7, 1.0, 0.5]), rel=0.03)
    assert np.allclose(force[0], 0.7 * force[1], atol=1e-9)
    assert abs(np.corrcoef(force[1], force[2])[0, 1]) < 0.03
    faster = healthy(noisy(), speed_rpm=120.0)
    assert faster.std(axis=1) / force.std(axis=1) == pytest.approx(4.0, rel=0.03)


def test_a_fixed_band_grows_with_the_power_one_and_a_half_of_speed() -> None:
    """Well below the corner the density is 4 sigma^2 / corner: sigma^2 with speed^4, corner with speed, RMS with 1.5."""
    level = []
    for speed_rpm in (60.0, 120.0):
        frequency, density = signal.welch(healthy(noisy(), speed_rpm=speed_rpm)[1], 20_000.0, nperseg=4000)
        level.append(np.sqrt(density[(frequency > 5) & (frequency < 40)].mean()))
    assert np.log2(level[1] / level[0]) == pytest.approx(1.5, abs=0.06)


def test_corner_lies_at_an_order() -> None:
    for speed_rpm in (60.0, 120.0):
        frequency, density = signal.welch(healthy(noisy(), speed_rpm=speed_rpm)[1], 20_000.0, nperseg=2000)
        corner_hz = CORNER_ORDER * speed_rpm / 60.0
        plateau = density[(frequency > 20) & (frequency < 0.1 * corner_hz)].mean()
        around = density[np.abs(frequency - corner_hz) < 0.15 * corner_hz].mean()
        assert around / plateau == pytest.approx(0.5, abs=0.05)


def test_loudness_is_modulated_once_a_turn() -> None:
    """Squared force against angle: depth 2 m / (1 + m^2 / 2) at 1x for m = 0.15, and no other order."""
    force = healthy(noisy(), seconds=60.0)[1]
    angle = rig.block(**{**SLOW, "seconds": 60.0}).angle_rad
    power = force**2 / np.mean(force**2)
    # 48000 independent values of the power at this corner: each amplitude scatters by about 2 / sqrt(48000).
    assert abs(rig.phasor(power, angle)) == pytest.approx(0.297, abs=0.04)
    for order in (0.5, 2.0, 3.0, 3.585):
        assert abs(rig.phasor(power, order * angle)) < 0.04


@pytest.mark.parametrize("factor", [1.5, 4.0])
def test_wear_makes_the_bearing_as_many_times_louder(factor: float) -> None:
    quiet, added = healthy(noisy())[1].std(), grown(noisy(), roughness_factor=factor)[1].std()
    assert np.hypot(quiet, added) / quiet == pytest.approx(factor, rel=0.03)


def test_preload_makes_it_louder_in_proportion_to_the_load() -> None:
    """40 N of weight on two bearings; 30 N more on one make it 2.5 times as loud."""
    machine = noisy(mass_kg=40.0 / 9.80665)
    quiet, added = healthy(machine)[1].std(), grown(machine, preload_n=30.0)[1].std()
    assert np.hypot(quiet, added) / quiet == pytest.approx(2.5, rel=0.03)


def test_no_cause_adds_nothing() -> None:
    assert not grown(noisy(), roughness_factor=1.0, preload_n=0.0).any()


def test_what_is_added_is_independent_of_what_was_there() -> None:
    """As places of their own in the machine, the sum's power is the sum of the powers."""
    site = rig.site(noisy())
    before = rig.run(RollingNoise.of_bearing(site.at("machine", "drive_end"), "drive_end"), **SLOW).force("drive_end")[
        1
    ]
    wear = RollingNoise.growth(site.at("fault", "wear"), "drive_end", rig.FULL, roughness_factor=3.0)
    after = before + rig.run(wear, **SLOW).force("drive_end")[1]
    assert after.std() / before.std() == pytest.approx(3.0, rel=0.03)


def test_a_shaft_that_stands_is_silent() -> None:
    assert not healthy(noisy(), speed_rpm=0.0).any()
