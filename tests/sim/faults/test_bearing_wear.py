"""Wear on the machine: so many times louder as stated; and variable compliance against another solver."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.drive import RPM
from sim.faults.bearing_wear import BearingWear, ClearanceStream, compliance_swing_m
from sim.machine.bearing import CATALOGUE
from sim.machine.bearing_contact import ContactBearing, pack_signals, static_equilibrium
from sim.machine.machine import Machine
from tests.sim import rig

BPFO = 4.5 * (1 - 0.3126 / 1.537)  # 3.5848: SKF 6205, CWRU Bearing Data Center


def machine(**drive_end: Any) -> Machine:
    return rig.machine(
        bearings={
            "drive_end": {"designation": "6205-2RS", "noise_n": 1.0, **drive_end},
            "non_drive_end": {"designation": "6203-2RS", "noise_n": 0.0},
        }
    )


@pytest.mark.parametrize("factor", [1.5, 3.0, 8.0])
def test_rms_grows_by_the_stated_factor(factor: float) -> None:
    """On the machine, at the sensor: all noise comes from this bearing."""
    healthy = rig.Recorded(rig.scenario(machine()), 8.0).accel.std(axis=1)
    worn = rig.Recorded(rig.scenario(machine(), [BearingWear(roughness_factor=factor)]), 8.0).accel.std(axis=1)
    assert worn / healthy == pytest.approx(factor, rel=0.03)


def test_only_the_bearing_that_wears_grows_louder() -> None:
    """Noise powers add: 1 N^2 here, 2 N^2 there; the first grows to nine times."""
    both = rig.machine(
        bearings={
            "drive_end": {"designation": "6205-2RS", "noise_n": 1.0},
            "non_drive_end": {"designation": "6203-2RS", "noise_n": math.sqrt(2.0)},
        }
    )
    silent = both.model_copy(
        update={"bearings": {**both.bearings, "drive_end": machine(noise_n=0.0).bearings["drive_end"]}}
    )
    other = rig.Recorded(rig.scenario(silent), 8.0).accel.var(axis=1)
    healthy = rig.Recorded(rig.scenario(both), 8.0).accel.var(axis=1)
    worn = rig.Recorded(rig.scenario(both, [BearingWear(roughness_factor=3.0)]), 8.0).accel.var(axis=1)
    assert (worn - other) / (healthy - other) == pytest.approx(9.0, rel=0.06)


def test_severity_is_loudness_at_any_size() -> None:
    """The added noise goes with the size, so loudness is sqrt(1 + size^2 (g^2 - 1)); severe is five times as loud."""
    severity = BearingWear(roughness_factor=5.0).severity(machine(), np.array([0.0, 0.5, 1.0]))
    assert severity.value == pytest.approx([0.0, math.sqrt(7.0) - 1.0, 4.0])
    assert severity.normalised[-1] == pytest.approx(1.0)


def test_a_factor_of_one_is_no_wear() -> None:
    healthy = rig.Recorded(rig.scenario(machine()), 0.5).accel
    assert np.array_equal(
        rig.Recorded(rig.scenario(machine(), [BearingWear(roughness_factor=1.0)]), 0.5).accel, healthy
    )


# ------------------------------------------------------------------------------------------------ grown clearance


@pytest.mark.parametrize("load_n", [5.0, 100.0, 3000.0])
@pytest.mark.parametrize("clearance_um", [-5.0, 12.5, 60.0])
def test_swing_is_that_of_the_contact_models_equilibrium(load_n: float, clearance_um: float) -> None:
    """Sag of the ring with a ball under the load and with the load between two, by minimising the contacts' energy."""
    geometry = replace(CATALOGUE["6205-2RS"], diametral_clearance_um=clearance_um)
    spec = ContactBearing(geometry, static_load_n=load_n)
    sags = []
    for cage_rad in (-0.5 * math.pi, -0.5 * math.pi + math.pi / 9):
        row = pack_signals(spec, shaft_angle_rad=np.zeros(1), slip_angle_rad=cage_rad)[0]
        state = static_equilibrium(spec.plant(), row)
        sags.append(-(state[1] - state[3]))
    swing = compliance_swing_m(geometry, load_n)
    # Of the sags themselves, some micrometres, the difference keeps nine digits.
    assert swing == pytest.approx(sags[1] - sags[0], rel=1e-3, abs=1e-10)


def vertical_lines(added_um: float, speed_rpm: float) -> rig.Array:
    """(2,) force at BPFO and its double."""
    stream = ClearanceStream(rig.site(machine()), rig.FULL, "drive_end", added_um)
    made = rig.run(stream, seconds=20.0, speed_rpm=speed_rpm, rate_hz=5000.0)
    assert np.allclose(made.force("drive_end")[0], 0.25 * made.force("drive_end")[1])
    return np.array([abs(rig.phasor(made.force("drive_end")[1], k * BPFO * made.angle_rad)) for k in (1, 2)])


def test_shaft_that_rises_and_sinks_at_bpfo_presses_on_the_housing() -> None:
    """Mass x acceleration of half the swing that was added, (BPFO w)^2; never more than the load that holds it down."""
    bearing = CATALOGUE["6205-2RS"]
    load_n = 2.5 * 9.80665
    swing_m = compliance_swing_m(replace(bearing, diametral_clearance_um=52.5), load_n) - compliance_swing_m(
        bearing, load_n
    )
    for speed_rpm in (100.0, 200.0):
        expected_n = 2.5 * 0.5 * swing_m * (BPFO * speed_rpm * RPM) ** 2
        assert expected_n < load_n
        assert vertical_lines(40.0, speed_rpm) == pytest.approx([expected_n, 0.3 * expected_n], rel=2e-3)
    assert vertical_lines(40.0, 30_000.0)[0] == pytest.approx(load_n, rel=0.01)
    assert not vertical_lines(0.0, 1800.0).any()
