"""`simtwin calibrate` and the option --calibration, as a user meets them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

from sim.cli import cli
from sim.errors import DatasetError, SimtwinError
from tests.sim.calibration import twin


def simtwin(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def refused(result: Result) -> str:
    assert isinstance(result.exception, SimtwinError), result.output
    return str(result.exception)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario, and its healthy recordings at three speeds as a user has them: NPZ files and a description."""
    place = tmp_path_factory.mktemp("user")
    of = twin.machine()
    for number, rpm in enumerate(twin.SPEEDS_RPM, 1):
        recording = twin.recording(twin.scenario(of, rpm), seed=number)
        np.savez(place / f"run_{rpm:.0f}.npz", a=recording.samples[:, :3] * 9.80665)
    channels = {f"accel_{axis}": {"column": "a", "index": i, "unit": "m/s^2"} for i, axis in enumerate("xyz")}
    described = {
        "files": "run_*.npz",
        "rate_hz": twin.RATE_HZ,
        "channels": channels,
        "pattern": "run_(?P<rpm>[0-9]+)",
        "speed_rpm": {"group": "rpm"},
        "label": "normal",
    }
    (place / "healthy.yaml").write_text(yaml.safe_dump(described))
    known = twin.scenario(of, 1800.0).model_dump(mode="json", exclude_defaults=True)
    (place / "machine.yaml").write_text(yaml.safe_dump({**known, "dataset": {"window_length": 1024, "windows": 8}}))
    return place


def test_calibrate_prints_and_writes_and_the_twin_takes_it(folder: Path) -> None:
    out, plots = folder / "twin.yaml", folder / "plots"
    arguments = (
        "calibrate",
        folder / "machine.yaml",
        "--healthy",
        folder / "healthy.yaml",
        "--out",
        out,
        "--plots",
        plots,
    )
    result = simtwin(*arguments)
    assert result.exit_code == 0, result.output
    assert "machine known, 3 healthy recordings" in result.output
    assert len(list(plots.glob("*.png"))) == 3
    assert len(yaml.safe_load(out.read_text())["modes"]) == len(twin.MODES)

    for command, target in (("augment", folder / "set"), ("simulate", folder / "run")):
        more = ("--no-plots",) if command == "simulate" else ("--workers", 1)
        result = simtwin(command, folder / "machine.yaml", "--calibration", out, "--out", target, *more)
        assert result.exit_code == 0, result.output
        manifest = json.loads((target / "manifest.json").read_text())
        read = (manifest["scenarios"][0] if command == "augment" else manifest["scenario"])["files"]
        assert {"file": "twin.yaml", "sha256": sha256(out.read_bytes()).hexdigest()} in read


def test_where_chooses_recordings(folder: Path) -> None:
    common = ("calibrate", folder / "machine.yaml", "--healthy", folder / "healthy.yaml", "--out", folder / "one.yaml")
    result = simtwin(*common, "--where", "speed_rpm=1800")
    assert result.exit_code == 0, result.output
    assert "1 healthy recordings" in result.output
    assert "no recording has that" in refused(simtwin(*common, "--where", "speed_rpm=900"))
    assert "'fast' is not a number" in refused(simtwin(*common, "--where", "speed_rpm=fast"))
    assert "KEY=VALUE with KEY one of id, speed_rpm" in refused(simtwin(*common, "--where", "colour=red"))


def test_bad_input_is_one_line_and_leaves_no_file(folder: Path) -> None:
    out = folder / "never.yaml"
    description = (folder / "healthy.yaml").read_text()
    cases = {
        "faulty": (description.replace("normal", "imbalance"), "needs healthy recordings"),
        "fast": (description.replace("5000.0", "20000.0"), "20000 Hz, but the sensors"),
    }
    for name, (text, expected) in cases.items():
        path = folder / f"{name}.yaml"
        path.write_text(text)
        message = refused(simtwin("calibrate", folder / "machine.yaml", "--healthy", path, "--out", out))
        assert expected in message
        assert "\n" not in message
        assert not out.exists()
    assert "no such set" in refused(simtwin("calibrate", folder / "machine.yaml", "--healthy", "nonsense"))
    missing = folder / "gone" / "x.yaml"
    result = simtwin("calibrate", folder / "machine.yaml", "--healthy", folder / "healthy.yaml", "--out", missing)
    assert isinstance(result.exception, DatasetError)
    result = simtwin("simulate", folder / "machine.yaml", "--calibration", folder / "gone.yaml", "--out", folder / "no")
    assert "gone.yaml" in refused(result)
    assert not (folder / "no").exists()
