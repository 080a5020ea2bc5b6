"""How bad a misalignment is; what it does is the coupling's (tests/sim/machine/test_coupling.py)."""

from typing import Any

import numpy as np
import pytest

from sim.faults.misalignment import Misalignment
from tests.sim import rig

COUPLING: dict[str, Any] = {
    "radial_stiffness_n_per_m": 1e5,
    "angular_stiffness_nm_per_rad": 100.0,
    "overhang_m": 0.1,
    "residual_offset_mm": 0.0,
    "residual_angle_deg": 0.0,
}


def test_severity_is_the_reaction_at_the_drive_end() -> None:
    """0.3 mm x 100 N/mm, with the overhang's lever: 30 N x (1 + 0.1 / 0.4); an angle adds its moment over the span."""
    machine = rig.machine(coupling=COUPLING)
    assert Misalignment(offset_mm=0.3).severity_value(machine) == pytest.approx(37.5)
    assert Misalignment(angle_deg=1.0).severity_value(machine) == pytest.approx(100.0 * np.pi / 180 / 0.4)
    # Severe is three times the static load, half of 5 kg.
    severity = Misalignment(offset_mm=0.3).severity(machine, np.array([0.5, 1.0]))
    assert severity.normalised == pytest.approx(np.array([0.5, 1.0]) * 37.5 / (3 * 2.5 * 9.80665))


def test_needs_a_coupling() -> None:
    assert Misalignment(offset_mm=0.3).requires(rig.machine()) == "needs `machine.coupling`"
    assert Misalignment(offset_mm=0.3).requires(rig.machine(coupling=COUPLING)) is None


def test_fault_is_what_is_added_to_the_residual() -> None:
    """On the machine: lines of residual and fault have their own phases; without either there are none."""
    aligned = rig.scenario(rig.machine(coupling=COUPLING), [Misalignment(offset_mm=0.0)])
    assert not rig.Recorded(aligned, 0.2).accel.any()
    for of in (
        rig.scenario(rig.machine(coupling={**COUPLING, "residual_offset_mm": 0.1})),
        rig.scenario(rig.machine(coupling=COUPLING), [Misalignment(offset_mm=0.1)]),
    ):
        heard = rig.Recorded(of, 1.0)
        assert np.abs(rig.phasor(heard.accel, 2 * heard.angle_rad)).min() > 1e-3
