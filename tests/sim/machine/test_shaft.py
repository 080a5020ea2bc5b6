"""A stepped shaft of a scenario against beam formulas: the critical speed it gives to the twin."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from sim.machine.machine import Machine
from sim.machine.rotor import STEEL
from sim.machine.shaft import Shaft
from tests.sim import rig

SLENDER: dict[str, Any] = {
    "sections": [{"length_mm": 100.0, "outer_diameter_mm": 10.0}] * 6,
    "disk_joint": 3,
    "bearing_joints": (0, 6),
    "bearing_stiffness_n_per_m": 1e12,
    "disk_radius_mm": 1.0,
}


def machine(mass_kg: float, **shaft: Any) -> Machine:
    rotor = {"mass_kg": mass_kg, "bearing_span_m": 0.6, "damping_ratio": 0.07, "shaft": {**SLENDER, **shaft}}
    return rig.machine(rotor=rotor)


def critical(mass_kg: float, **shaft: Any) -> float:
    found = machine(mass_kg, **shaft).rotor.critical()
    assert found is not None
    return found[0]


BENDING_N_M2 = STEEL.youngs_modulus_pa * math.pi * 0.01**4 / 64.0
SHAFT_KG = STEEL.density_kg_per_m3 * math.pi * 0.01**2 / 4.0 * 0.6


def test_heavy_disk_in_the_middle() -> None:
    """sqrt(48 E I / (L^3 m)), with 17/35 of the shaft's mass (Rayleigh); the slender shaft's shear takes 0.05 % off."""
    expected = math.sqrt(48.0 * BENDING_N_M2 / 0.6**3 / (5.0 + 17.0 / 35.0 * SHAFT_KG)) * 30.0 / math.pi
    assert critical(5.0) == pytest.approx(expected, rel=2e-3)


def test_heavy_disk_off_the_middle() -> None:
    """Simply supported, load at a from one end and b from the other: k = 3 E I L / (a b)^2."""
    stiffness = 3.0 * BENDING_N_M2 * 0.6 / (0.2 * 0.4) ** 2
    expected = math.sqrt(stiffness / 50.0) * 30.0 / math.pi  # 50 kg: the shaft's mass is nothing beside it
    assert critical(50.0, disk_joint=2) == pytest.approx(expected, rel=5e-3)


def test_overhung_disk() -> None:
    """Load at c outside the bearing on a span L: k = 3 E I / (c^2 (L + c)); turning of the disk hardly counts."""
    stiffness = 3.0 * BENDING_N_M2 / (0.2**2 * 0.6)
    expected = math.sqrt(stiffness / 50.0) * 30.0 / math.pi
    assert critical(50.0, disk_joint=6, bearing_joints=(0, 4)) == pytest.approx(expected, rel=5e-3)


def test_soft_bearings_act_in_series_with_the_shaft() -> None:
    soft_n_per_m = 20_000.0  # each of two
    shaft_n_per_m = 48.0 * BENDING_N_M2 / 0.6**3
    together = 1.0 / (1.0 / shaft_n_per_m + 1.0 / (2.0 * soft_n_per_m))
    expected = math.sqrt(together / 50.0) * 30.0 / math.pi
    assert critical(50.0, bearing_stiffness_n_per_m=soft_n_per_m) == pytest.approx(expected, rel=5e-3)


def test_hollow_shaft_is_softer_and_lighter() -> None:
    hollow = {"length_mm": 100.0, "outer_diameter_mm": 10.0, "inner_diameter_mm": 8.0}
    ratio = critical(50.0, sections=[hollow] * 6) / critical(50.0)
    assert ratio == pytest.approx(math.sqrt(1.0 - 0.8**4), rel=5e-3)


def test_damping_is_the_rotors() -> None:
    found = machine(5.0).rotor.critical()
    assert found is not None
    assert found[1] == 0.07


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"disk_joint": 7}, "`disk_joint` is 7, but 6 sections have joints 0 to 6"),
        ({"bearing_joints": (0, 9)}, "`bearing_joints` is 9"),
        ({"bearing_joints": (4, 4)}, "must rise"),
        ({"sections": [{"length_mm": 1.0, "outer_diameter_mm": 5.0, "inner_diameter_mm": 5.0}] * 2}, "must be below"),
        ({"sections": [{"length_mm": -1.0, "outer_diameter_mm": 5.0}] * 2}, "greater than 0"),
    ],
)
def test_impossible_shafts_are_refused(change: dict[str, Any], complaint: str) -> None:
    shaft = {**SLENDER, "disk_joint": 1, "bearing_joints": (0, 2), **change}
    with pytest.raises(ValidationError, match=complaint):
        Shaft.model_validate(shaft)
