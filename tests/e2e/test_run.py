"""Scenarios from end to end with the reference models: a sample here, all of them under `slow`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from e2e.cli import e2e
from e2e.run import axes
from models.artifact import REFERENCES
from sim.errors import ParameterError, SimtwinError
from sim.scenario.reader import load
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec, mount_rotation

SCENARIOS = Path(__file__).parents[2] / "scenarios"

SAMPLE = (
    "bearing_rig_healthy",
    "bearing_rig_bearing_outer",
    "desk_fan_imbalance",
    "sensor_fault_only",
)
"""What every change is held against: a sound machine, two faults on two machines, a sensor's fault on a sound machine."""

NOT_RUN = {
    "run_up": "goes to twice the highest speed the model was shown",
    "wear_to_failure": "sixteen weeks",
    "no_anti_alias": "its sensor runs at 200 Hz, for which there is no model",
    "adxl356_rig": "its sensor is no LSM6DSO",
    "cwru_motor_12khz": "its sensor is no LSM6DSO",
    "contact_fidelity": "its machine has no reference model",
    "bearing_rig": "a plan for datasets: all faults at once",
    "cwru_motor": "a plan for datasets: all faults at once",
    "desk_fan": "a plan for datasets: all faults at once",
    "industrial_axial_fan": "a plan for datasets: all faults at once",
    "sensor_faults": "a plan for datasets: all faults at once",
}


def names() -> list[str]:
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml") if path.stem not in NOT_RUN)


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(e2e, [str(argument) for argument in arguments])
    if isinstance(result.exception, SimtwinError):
        raise result.exception
    return result.exit_code, result.output


def test_those_that_are_not_run_are_there() -> None:
    assert set(NOT_RUN) <= {path.stem for path in SCENARIOS.glob("*.yaml")}
    assert set(SAMPLE) <= set(names())


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_of_the_scenarios_is_as_expected(name: str) -> None:
    code, output = invoke(SCENARIOS / f"{name}.yaml")
    assert code == 0, output
    assert output.count("ok  ") >= 2, output


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in names() if name not in SAMPLE])
def test_every_scenario_is_as_expected(name: str) -> None:
    code, output = invoke(SCENARIOS / f"{name}.yaml")
    assert code == 0, output


def test_a_run_keeps_its_console_result_and_picture_and_repeats_to_the_byte(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        code, output = invoke(SCENARIOS / "desk_fan_imbalance.yaml", "--out", tmp_path / folder, "--seed", 3)
        assert code == 0, output
    a, b = (tmp_path / folder / "desk_fan_imbalance" for folder in ("a", "b"))
    assert (a / "transcript.txt").read_bytes() == (b / "transcript.txt").read_bytes()
    assert (a / "timeline.png").stat().st_size > 10_000
    result = json.loads((a / "result.json").read_text())
    assert result["passed"] is True
    assert {alert["state"] for alert in result["alerts"]} & {"imbalance", "fan_blade"}
    assert result["instructions"]["inference"] > 0


def test_gdb_gets_one_scenario_on_the_built_in_emulator() -> None:
    one, two = (SCENARIOS / f"{name}.yaml" for name in SAMPLE[:2])
    for arguments in ((one, two), (one, "--engine", "renode"), ()):
        result = CliRunner().invoke(e2e, ["--gdb", "0", *map(str, arguments)])
        assert result.exit_code == 2
        assert "--gdb goes with one scenario and the built-in emulator" in result.output


def test_a_run_that_is_not_as_expected_fails(tmp_path: Path) -> None:
    text = (SCENARIOS / "bearing_rig_imbalance.yaml").read_text()
    text = text.replace("machine: machines/", f"machine: {SCENARIOS}/machines/") + "expect: {machine: [looseness]}\n"
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    code, output = invoke(path)
    assert code == 1
    assert "FAIL" in output
    assert "0 of 1 scenarios as expected" in output


def test_a_model_for_another_rate_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SimtwinError) as caught:
        invoke(SCENARIOS / "desk_fan_healthy.yaml", "--model", REFERENCES / "bearing_rig", "--out", tmp_path / "out")
    assert "made for 3332 Hz; sensor imu0 of desk_fan_healthy has 1666 Hz" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_machine_without_a_reference_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(SimtwinError, match="no reference model for machine 'bearing_rig_contact'"):
        invoke(SCENARIOS / "contact_fidelity.yaml")


@pytest.mark.parametrize("rotation_deg", [(0, 0, 0), (0, 0, 90), (180, 0, 0), (90, 0, -90), (0, 270, 0)])
def test_axes_turn_a_sensors_reading_into_machine_axes(rotation_deg: tuple[float, float, float]) -> None:
    digits = axes(ImuSpec(id="imu0", rotation_deg=rotation_deg))
    machine = np.array([0.3, -1.0, 0.7])
    sensor = mount_rotation(rotation_deg).T @ machine
    read = [sensor[int(d) - 1] if int(d) <= 3 else -sensor[int(d) - 4] for d in digits]
    np.testing.assert_allclose(read, machine, atol=1e-12)


def test_a_mounting_askew_is_refused() -> None:
    with pytest.raises(ParameterError, match="quarter turns only"):
        axes(ImuSpec(id="imu0", rotation_deg=(0, 0, 45)))


def test_scenarios_say_what_else_is_right_only_where_it_looks_alike() -> None:
    for name in names():
        expect = load(SCENARIOS / f"{name}.yaml", Scenario).model.expect
        assert expect.machine is None or set(expect.machine) <= {"imbalance", "fan_blade", "bent_shaft"}, name
