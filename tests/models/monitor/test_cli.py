"""`simtwin monitor` as a user meets it, on a machine without TensorFlow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="no LiteRT: pip install simtwin[monitor]")

from models.artifact import INT8, Artifact
from models.datasets.adi import Adi
from tests.models.export.made import windows
from tests.models.monitor.conftest import CHANNELS, LSB_G

ROOT = Path(__file__).parents[3]

WITHOUT_TENSORFLOW = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "tflite_micro", "tf_keras", "torch"):
            raise SystemExit(f"imports {name}")

sys.meta_path.insert(0, Refused())
from sim.cli import main
sys.argv = ["simtwin", *sys.argv[1:]]
main()
"""
"""The command with an importer that ends the process when TensorFlow is asked for."""


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-c", WITHOUT_TENSORFLOW, "monitor", *map(str, arguments)]


def simtwin(*arguments: object, text: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command(*arguments), input=text, capture_output=True, text=True, env=env, timeout=300, check=False
    )


def wrong(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line of an error."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, result.stderr
    return lines[0]


def csv(count: int = 12) -> str:
    x, truth = windows(400, seed=21)
    rows = np.concatenate([x[truth == kind][:count] for kind in (0, 1)]).reshape(-1, 3) * LSB_G
    return "\n".join([",".join(CHANNELS), *(",".join(f"{v:.9g}" for v in row) for row in rows.tolist())]) + "\n"


def test_the_importer_does_refuse() -> None:
    code = WITHOUT_TENSORFLOW.replace("from sim.cli import main", "import tensorflow")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "imports tensorflow" in done.stderr


@pytest.mark.skipif(not Adi().there(), reason="no data: `simtwin data fetch adi` or SIMTWIN_DATA")
@pytest.mark.parametrize("form", ["int8", "float"])
def test_real_recordings_without_tensorflow(adi_artifact: Artifact, form: str) -> None:
    options = ["--float"] if form == "float" else []
    result = simtwin("--model", adi_artifact.folder, "--source", "data:adi/1800_H*R*", *options)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("cnn of ")
    assert "recording 1800_HOR_GS_BaLo_WA_00lb (bearing_wear)" in lines
    assert sum("  level " in line for line in lines) == 2 * 39
    assert any("ALERT raised: anomaly (raised by 4 of 6 windows, cleared by 6 in a row)" in line for line in lines)
    assert lines[-2].startswith("78 windows: ")
    assert lines[-1].startswith("judged in ")


def test_lines_of_json(artifact: Artifact) -> None:
    result = simtwin("--model", artifact.folder, "--source", "stdin:3332", "--json", "--raise", "2/3", text=csv())
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["event"] for event in events[:3]] == ["window"] * 3
    assert [event["change"] for event in events if event["event"] == "alert"] == ["raised"]
    assert events[-1]["event"] == "summary"
    assert events[-1]["total"]["windows"] == sum(event["event"] == "window" for event in events) == 47
    quiet = simtwin("--model", artifact.folder, "--source", "stdin:3332", "--json", "--quiet", text=csv())
    assert [json.loads(line)["event"] for line in quiet.stdout.splitlines()] == ["alert", "summary"]


def test_a_scenario_is_watched_without_tensorflow(artifact: Artifact) -> None:
    path = ROOT / "scenarios" / "bearing_rig_healthy.yaml"
    result = simtwin("--model", artifact.folder, "--source", f"scenario:{path}", "--duration-s", 2, "--seed", 1)
    assert result.returncode == 0, result.stderr
    assert sum("  level " in line for line in result.stdout.splitlines()) == (2 * 3332 - 1024) // 512 + 1


def test_verdicts_come_as_the_samples_do_and_an_interrupt_ends_with_the_summary(artifact: Artifact) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = command("--model", artifact.folder, "--source", "stdin:3332")
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
        # A test run that itself runs in the background hands down an ignored SIGINT; a user's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(csv().splitlines()[:1300]) + "\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith("cnn of ")
        assert "  level " in process.stdout.readline()  # while the pipe is still open
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        errors = process.stderr.read() if process.stderr else ""
    assert process.returncode == 0, errors
    assert rest.splitlines()[0].startswith("1 windows: ")
    assert errors == ""


def test_a_reader_that_goes_away_is_no_error(artifact: Artifact) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = command(
        "--model", artifact.folder, "--source", f"scenario:{ROOT / 'scenarios/bearing_rig_healthy.yaml'}"
    )
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read() if process.stderr else ""
    assert process.returncode == 0
    assert errors == ""


def test_bad_input_is_one_line(artifact: Artifact, tmp_path: Path) -> None:
    model = ["--model", artifact.folder]
    assert "nowhere: no such folder" in wrong(simtwin("--model", "nowhere", "--source", "stdin:3332"), 5)
    assert "does not fit" in wrong(simtwin(*model, "--source", "stdin:1000", text=csv(1)), 6)
    assert "stdin:1: no channel" in wrong(simtwin(*model, "--source", "stdin:3332", text="a,b\n1,2\n"), 6)
    assert "no such source" in wrong(simtwin(*model, "--source", "usb:0"), 6)
    assert "/dev/i2c-4711 cannot be opened" in wrong(simtwin(*model, "--source", "i2c:4711:0x6a"), 6)
    assert "not a number" in wrong(simtwin(*model, "--source", "stdin:3332", text=csv(1) + "0,x,0\n"), 6)
    for bad in ("7/6", "six", "1/40"):
        result = simtwin(*model, "--source", "stdin:3332", "--raise", bad, text="")
        assert result.returncode == 2
        assert f"--raise {bad}: " in result.stderr
        assert "Traceback" not in result.stderr


def test_an_altered_artifact_is_refused(artifact: Artifact, tmp_path: Path) -> None:
    copy = tmp_path / "artifact"
    copy.mkdir()
    for path in artifact.folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / INT8).write_bytes(artifact.read(INT8)[:-1] + b"\0")
    line = wrong(simtwin("--model", copy, "--source", "stdin:3332", text=""), 5)
    assert "altered since it was exported" in line
