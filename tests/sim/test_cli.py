"""The commands as a user meets them: what they print, how they fail, what they leave behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest
import yaml

from sim.faults.checks import PLAIN_MACHINE

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"


class Yaml12(yaml.SafeLoader):
    """PyYAML reads 2e5 as a text (YAML 1.1); editors and simtwin read it as a number (YAML 1.2)."""


Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9.]+e[-+]?[0-9]+$"), list("-+0123456789.")
)


def simtwin(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sim.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300)


@pytest.fixture
def scenario(tmp_path: Path) -> Any:
    def write(**changes: Any) -> Path:
        content = {
            "name": "small",
            "machine": PLAIN_MACHINE,
            "operation": {"speed_rpm": 1500, "duration_s": 2},
            "faults": [{"kind": "imbalance", "unbalance_g_mm": 500, "onset_s": 1}],
            "sensors": [{"id": "imu0", "odr_hz": 1666, "specimen": "nominal"}],
            "dataset": {"window_length": 128, "windows": 32},
            **changes,
        }
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}, sort_keys=False))
        return path

    return write


def refused(result: subprocess.CompletedProcess[str], code: int, *texts: str) -> None:
    """One line on standard error, nothing on standard output, no traceback."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for text in texts:
        assert text in lines[0], lines[0]


def test_validate_says_ok(scenario: Any) -> None:
    result = simtwin("validate", scenario())
    assert result.returncode == 0
    assert "small.yaml: ok (machine check; faults: imbalance; sensors: 1)" in result.stdout


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({"fautls": []}, ["small.yaml:", "fautls", "did you mean `faults`"]),
        ({"operation": {"speed_rmp": 1500}}, ["operation.speed_rmp", "did you mean `speed_rpm`"]),
        (
            {"faults": [{"kind": "imbalance", "unbalance_kg_m": 1}]},
            ["faults[0].unbalance_kg_m", "did you mean `unbalance_g_mm`", "wrong unit"],
        ),
        (
            {"machine": {**PLAIN_MACHINE, "rotor": {"mass_kg": -5, "bearing_span_m": 0.4}}},
            ["rotor.mass_kg = -5", "> 0"],
        ),
        ({"operation": {"speed_rpm": {"uniform": [600, 90000]}}}, ["operation.speed_rpm", "<= 60000"]),
        ({"operation": {"speed_rpm": "1500"}}, ["operation.speed_rpm = ", "number"]),
        (
            {
                "machine": {
                    **PLAIN_MACHINE,
                    "bearings": {
                        "drive_end": {"geometry": {"n_balls": 30, "ball_diameter_mm": 10, "pitch_diameter_mm": 40}}
                    },
                }
            },
            ["bearings.drive_end", "ball_diameter_mm", "30 balls"],
        ),
        (
            {"operation": {"speed_rpm": 30000}, "faults": [{"kind": "bearing_outer", "defect_width_mm": 1}]},
            ["imu0", "cannot carry order 3.58", "30000 rpm"],
        ),
        ({"sensors": [{"id": "imu0", "odr_hz": 3000}]}, ["sensors[0].odr_hz = 3000", "3332"]),
        ({"sensors": [{"id": "a"}, {"id": "a"}]}, ["two sensors are called `a`"]),
        ({"faults": [{"kind": "wobble"}]}, ["faults[0].kind = wobble", "imbalance"]),
        (
            {"dataset": {"windows_per_class": {"unbalance": 5}}},
            ["`windows_per_class` names `unbalance`", "normal, imbalance"],
        ),
        ({"machine": "nowhere.yaml"}, ["nowhere.yaml"]),
    ],
)
def test_validate_refuses_in_one_line(scenario: Any, changes: dict[str, Any], texts: list[str]) -> None:
    path = scenario(**changes)
    result = simtwin("validate", path)
    refused(result, 2, *texts)
    assert result.stderr.startswith(str(path))


def test_validate_reports_every_file(scenario: Any, tmp_path: Path) -> None:
    good = scenario()
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: [}\n")
    result = simtwin("validate", bad, good)
    assert result.returncode == 2
    assert "bad.yaml:1" in result.stderr
    assert "small.yaml: ok" in result.stdout


def test_schema_accepts_what_the_reader_accepts() -> None:
    schema = json.loads(simtwin("schema").stdout)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    files = sorted(SCENARIOS.glob("*.yaml"))
    assert len(files) > 20
    for path in files:
        errors = list(validator.iter_errors(yaml.load(path.read_text(), Yaml12)))
        assert not errors, f"{path.name}: {errors[0].message}"
    wrong = yaml.safe_load(files[0].read_text()) | {"speed": 3}
    assert list(validator.iter_errors(wrong))


def test_simulate_writes_samples_truth_and_pictures(scenario: Any, tmp_path: Path) -> None:
    result = simtwin("simulate", scenario(), "--out", tmp_path / "run", "--seed", "5")
    assert result.returncode == 0, result.stderr
    table = pq.read_table(tmp_path / "run" / "imu0.parquet")
    assert table.num_rows == 2 * 1666
    frame = table.to_pandas()
    assert set(frame.label[frame.time_s < 1.0]) == {"normal"}
    assert set(frame.label[frame.time_s >= 1.0]) == {"imbalance"}
    names = {p.name for p in (tmp_path / "run" / "imu0").iterdir()}
    assert names == {"overview.png", "waveform.png", "spectrum.png", "envelope.png", "spectrogram.png"}
    again = simtwin("simulate", scenario(), "--out", tmp_path / "again", "--seed", "5", "--no-plots")
    assert again.returncode == 0
    assert (tmp_path / "again" / "imu0.parquet").read_bytes() == (tmp_path / "run" / "imu0.parquet").read_bytes()
    refused(simtwin("simulate", scenario(), "--out", tmp_path / "run"), 3, "exists already and is not overwritten")


def test_simulate_over_a_sampling_plan(scenario: Any, tmp_path: Path) -> None:
    path = scenario(operation={"speed_rpm": 1500, "duration_s": 3600}, sampling={"every_s": 600, "windows": 4})
    result = simtwin("simulate", path, "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    frame = pq.read_table(tmp_path / "run" / "imu0.parquet").to_pandas()
    assert frame.groupby("capture").size().tolist() == [512] * 6
    assert frame.groupby("capture").time_s.min().tolist() == pytest.approx([0, 600, 1200, 1800, 2400, 3000])


def test_augment_and_inspect(scenario: Any, tmp_path: Path) -> None:
    result = simtwin("augment", scenario(), "--out", tmp_path / "d", "--windows", "48", "--workers", "1")
    assert result.returncode == 0, result.stderr
    assert "48 windows" in result.stdout
    result = simtwin("inspect", tmp_path / "d", "--verify", "--plots", tmp_path / "pictures")
    assert result.returncode == 0, result.stderr
    assert (
        "48 windows of 128 x 6 (accel_x_g, accel_y_g, accel_z_g, gyro_x_dps, gyro_y_dps, gyro_z_dps)" in result.stdout
    )
    assert (tmp_path / "pictures" / "spectra.png").is_file()


def test_failures_are_one_line(scenario: Any, tmp_path: Path) -> None:
    refused(simtwin("validate", tmp_path / "none.yaml"), 2, "none.yaml")
    refused(simtwin("inspect", tmp_path / "none"), 3, "no such folder")
    refused(simtwin("augment", scenario(), "--out", "/proc/nothing/here"), 3, "cannot be written")
    refused(simtwin("simulate", scenario(), "--out", "/proc/nothing/here"), 3, "cannot be written")
    (tmp_path / "there").mkdir()
    refused(simtwin("augment", scenario(), "--out", tmp_path / "there"), 3, "exists already")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: x\nmachine: {rotor: [1, 2}\n")
    refused(simtwin("augment", broken, "--out", tmp_path / "out"), 2, "broken.yaml:2")
    assert {p.name for p in tmp_path.iterdir()} == {"small.yaml", "there", "broken.yaml"}


def test_help_is_quick_and_names_the_commands() -> None:
    result = simtwin("--help")
    assert result.returncode == 0
    for command in ("validate", "schema", "simulate", "augment", "inspect"):
        assert command in result.stdout


def test_interrupted_augment_says_how_to_go_on(scenario: Any, tmp_path: Path) -> None:
    path = scenario(dataset={"window_length": 128, "windows": 400_000})
    command = [sys.executable, "-m", "sim.cli", "augment", str(path), "--out", str(tmp_path / "d"), "--workers", "2"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
        # A test run that itself runs in the background hands down an ignored SIGINT; a user's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("d.partial/part-*.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to the workers too
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.split("\n")[-2].startswith("interrupted; give the same command again")
    assert "Traceback" not in errors
    assert not (tmp_path / "d").exists()
