"""`simtwin data ...` as a user meets it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.datasets.adi import Adi

ROOT = Path(__file__).parents[2]


def simtwin(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim.cli", "data", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)


def wrong(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line of an error."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line]  # a progress bar in a pipe leaves an empty one
    assert len(lines) == 1, result.stderr
    return lines[0]


def write(folder: Path, bad: bool = False) -> Path:
    x = 0.1 * np.random.default_rng(0).standard_normal((400, 3)) + [0.0, -1.0, 0.0]
    np.savetxt(folder / "good_1500rpm.csv", x, delimiter=",", header="ax,ay,az", comments="")
    if bad:
        x[17, 1] = np.nan
        np.savetxt(folder / "bad_1500rpm.csv", x, delimiter=",", header="ax,ay,az", comments="")
    path = folder / "mine.yaml"
    path.write_text(
        "files: '*.csv'\npattern: '(?P<rpm>[0-9]+)rpm'\nchannels:\n"
        "  accel_x: {column: ax, unit: g}\n  accel_y: {column: ay, unit: g}\n  accel_z: {column: az, unit: g}\n"
        "rate_hz: 800\ngravity: included\nlabel: normal\nspeed_rpm: {group: rpm}\n"
    )
    return path


def test_list_names_every_set_and_whether_it_is_here(tmp_path: Path) -> None:
    result = simtwin("list", SIMTWIN_DATA=str(tmp_path))
    assert result.returncode == 0
    for name in ("adi", "cwru", "uci_fan", "ceiling_fan", "skab", "smartmanuad"):
        assert f"not here: simtwin data fetch {name}" in result.stdout
    assert "github.com/analogdevicesinc/CbM-Datasets @ 805b33c0a05a8571873ad550bf834a7caa684ce7" in result.stdout


def test_show_a_described_file(tmp_path: Path) -> None:
    result = simtwin("show", write(tmp_path))
    assert result.returncode == 0, result.stderr
    head, row = result.stdout.splitlines()[:2]
    assert head.split() == ["id", "label", "kind", "severity", "rpm", "rate/Hz", "seconds", "channels", "problems"]
    assert row.split() == [
        "good_1500rpm", "normal", "normal", "-", "1500", "800", "0.5", "accel_x_g,accel_y_g,accel_z_g", "-",
    ]  # fmt: skip
    assert "1 recordings in 1 groups, 0.5 s: 1 normal" in result.stdout


def test_show_a_bad_recording_is_one_line_or_left_out_and_listed(tmp_path: Path) -> None:
    path = write(tmp_path, bad=True)
    line = wrong(simtwin("show", path), 3)
    assert "bad_1500rpm.csv: recording bad_1500rpm: channel accel_y_g: 1 of 400 values are NaN" in line
    result = simtwin("show", path, "--skip-bad")
    assert result.returncode == 0
    assert "good_1500rpm  normal" in result.stdout
    assert "left out: " in result.stdout
    assert "channel accel_y_g: 1 of 400 values are NaN" in result.stdout.splitlines()[-1]


def test_a_mistake_in_the_description_names_file_line_and_key(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace("rate_hz: 800", "rate_hz: fast"))
    assert wrong(simtwin("show", path), 2).startswith(f"{path}:7: rate_hz = fast: must be")


def test_unknown_names(tmp_path: Path) -> None:
    assert "no such set or file; known sets are adi, cwru" in wrong(simtwin("show", "mafaulda"), 3)
    assert "mafaulda: no such set" in wrong(simtwin("fetch", "mafaulda"), 1)
    assert "run `simtwin data fetch cwru`" in wrong(simtwin("show", "cwru", SIMTWIN_DATA=str(tmp_path)), 3)


def test_fetch_without_a_connection_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "data"
    line = wrong(simtwin("fetch", "uci_fan", "--to", target, "--mirror", "http://127.0.0.1:9"), 1)
    assert "fetching needs internet" in line
    assert not target.exists()


def test_fetch_into_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in wrong(simtwin("fetch", "uci_fan", "--to", tmp_path / "file" / "data"), 1)


@pytest.mark.skipif(not Adi().there(), reason="no data: `simtwin data fetch adi` or SIMTWIN_DATA")
def test_show_adi() -> None:
    result = simtwin("show", "adi")
    assert "65 recordings in 65 groups, 130 s: 30 bearing_wear, 20 imbalance" in result.stdout
    assert "3000_HIR_GS_BaLo_WA_00lb: channel accel_x_g: 7 samples at the sensor's range of 40 g" in result.stdout


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, sim.cli; print([m for m in ('numpy', 'pandas', 'pyarrow', 'pydantic', 'scipy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert result.stdout.strip() == "[]"
