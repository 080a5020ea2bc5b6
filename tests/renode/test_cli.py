"""The commands `simtwin renode ...`: what they print and how they fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from renode.resd import SampleType, read
from renode.work import scenario_file
from sim.cli import cli
from sim.errors import SimtwinError

SHORT = """
name: short
machine: MACHINES/bearing_rig.yaml
operation: {speed_rpm: 1800, load: 0.5, duration_s: 0.5}
sensors: [{id: a, device: DEVICE, odr_hz: 3332, range_g: 16, mount: drive_end}]
"""


def short(folder: Path, device: str = "lsm6dso") -> str:
    path = folder / "short.yaml"
    machines = str(scenario_file("demo").parent / "machines")
    path.write_text(SHORT.replace("MACHINES", machines).replace("DEVICE", device))
    return str(path)


def test_feed_names_the_files_it_wrote(tmp_path: Path) -> None:
    out = tmp_path / "feed"
    said = CliRunner().invoke(cli, ["renode", "feed", short(tmp_path), "--no-gyro", "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert said.output.split() == [str(out / "imu0.resd"), str(out / "feed.json")]
    assert {block.type for block in read(out / "imu0.resd")} == {
        SampleType.ACCELERATION_UG,
        SampleType.TEMPERATURE_MILLI_C,
    }


@pytest.mark.parametrize("command", ["feed", "bundle"])
def test_failures_are_one_line_and_leave_nothing(command: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for file, says in ((str(tmp_path / "none.yaml"), "none.yaml"), (short(tmp_path, "adxl356"), "adxl356")):
        said = CliRunner().invoke(cli, ["renode", command, file, "--out", str(out)])
        assert isinstance(said.exception, SimtwinError)
        assert says in str(said.exception)
        assert not out.exists()
    out.mkdir()
    said = CliRunner().invoke(cli, ["renode", command, short(tmp_path), "--out", str(out)])
    assert isinstance(said.exception, SimtwinError)
    assert list(out.iterdir()) == []
