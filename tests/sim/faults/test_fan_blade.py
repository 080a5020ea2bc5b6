"""One blade with dirt on it or a piece gone: the unbalance and the lines of one blade that differs."""

import math
from typing import Any

import numpy as np
import pytest

from sim.drive import RPM
from sim.faults.fan_blade import FanBlade
from sim.machine.machine import Machine
from tests.sim import rig


def machine(**fan: Any) -> Machine:
    return rig.machine(fan={"blades": 5, "tip_radius_mm": 200.0, "blade_pass_n": 4.0, "harmonic_decay": 1.0, **fan})


def run(**keys: Any) -> rig.Block:
    fault = FanBlade(**{"mass_g": 5.0, **keys})
    return rig.run(fault.stream(rig.site(machine()), rig.FULL), seconds=1.0)


@pytest.mark.parametrize("mass_g", [5.0, -5.0])
def test_mass_on_a_blade_is_an_unbalance(mass_g: float) -> None:
    """5 g at 0.8 x 200 mm: 800 g mm."""
    made = run(mass_g=mass_g)
    assert np.hypot(*made.force("disk")[:2]) == pytest.approx(np.full(made.n, 800e-6 * (1800 * RPM) ** 2))
    severity = FanBlade(mass_g=mass_g).severity_value(machine())
    assert severity == pytest.approx(800e-6 / 5.0 * 1e3 * 1800 * RPM)  # e w in mm/s


def test_one_blade_that_lifts_less_shows_at_every_shaft_order() -> None:
    """A change of one blade's pulse by -30 %: the share -0.3 / 5 of blade pass at all orders, flat as the pulse is."""
    made = run(lift_change_pct=-30.0)
    casing = made.force("casing")[2]
    amplitude = [abs(rig.phasor(casing, k * made.angle_rad)) for k in range(1, 16)]
    assert amplitude == pytest.approx([4.0 * 0.3 / 5] * 15, rel=1e-3)


def test_blade_pass_itself_changes_in_step_with_the_fan() -> None:
    """All five blades together lose 0.3 / 5: the fault meets the fan's own phases."""
    of, fault = machine(blade_spread_pct=0.0), FanBlade(mass_g=1e-6, lift_change_pct=-30.0)
    before, after = (rig.Recorded(rig.scenario(of, faults), 1.0) for faults in ([], [fault]))
    ratio = rig.phasor(after.accel, 5 * after.angle_rad) / rig.phasor(before.accel, 5 * before.angle_rad)
    assert ratio == pytest.approx(np.full(3, 1 - 0.3 / 5), rel=1e-3)


def test_needs_a_fan() -> None:
    assert FanBlade(mass_g=1.0).requires(rig.machine()) == "needs `machine.fan`"
    assert math.isfinite(FanBlade(mass_g=1.0).severity_value(machine()))
