"""A run becomes an artifact that opens; `simtwin export` says what it costs."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.artifact import C_HEADER, C_SOURCE, DYNAMIC, FILES, INT8, ArtifactError, open_artifact
from models.cli import export
from models.export.flatbuffer import operator_names, read
from models.export.interpreters import Lite, Micro
from models.preprocessing import to_float
from models.training.dataset import examples
from models.training.detector import Settings
from models.training.run import train
from sim.errors import DatasetError
from tests.models.export.made import windows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x, truth = windows(240, seed=9)
    names = np.array(["normal", "imbalance", "misalignment", "bearing_wear"])[truth]
    groups = [f"{name} {number % 4}" for number, name in enumerate(names.tolist())]
    data = examples(0.01 * x.astype(np.float32), names, groups, channels=("x_g", "y_g", "z_g"), rate_hz=3332.0)
    out = tmp_path_factory.mktemp("runs") / "run"
    train(data, "cnn", out, Settings(target="label", folds=2, epochs=2))
    return out


def test_a_run_becomes_an_artifact(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "artifact"
    result = CliRunner().invoke(export, [str(run), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == str(out)
    assert "macro-F1" in result.output
    artifact = open_artifact(out)
    assert artifact.architecture == "cnn"
    assert artifact.classes == ("normal", "bearing_wear", "imbalance", "misalignment")
    assert artifact.preprocessing.channels == ("x_g", "y_g", "z_g")
    assert artifact.threshold == json.loads((run / "run.json").read_text())["threshold"]
    assert "CONV_2D" in operator_names(read(artifact.read(INT8)))
    parity = artifact.metrics["export"]["parity"]
    held = np.load(run / "validation.npz")
    assert parity["keras_to_tflm"]["windows"] == len(held["inputs"])
    assert artifact.metrics["training"]["scores"]
    inputs = held["inputs"]
    p = (Micro(artifact.read(INT8)).run(inputs) + 128.0) / 256
    np.testing.assert_allclose(p, Lite(artifact.read(DYNAMIC), reference=False).run(to_float(inputs)), atol=0.1)
    source, header = artifact.read(C_SOURCE).decode(), artifact.read(C_HEADER).decode()
    assert f"SHA-256 of that file: {sha256(artifact.read(INT8)).hexdigest()} */" in source
    assert f".threshold_int8 = {artifact.manifest['threshold_int8']}u," in source
    assert 'classes[MODEL_CLASSES] = {\n    "normal", "bearing_wear", "imbalance", "misalignment",\n}' in source
    works_in = artifact.metrics["export"]["c"]["scratch_bytes"]
    assert f"#define MODEL_SCRATCH_SIZE {works_in}\n" in header
    assert f"model.c works in {works_in} bytes" in result.output
    card = (out / "card.md").read_text()
    assert "normal or bearing_wear" in card
    assert "## Limits" in card
    assert {path.name for path in out.iterdir()} == {*FILES, "manifest.json"}
    with pytest.raises(ArtifactError, match="exists already"):
        export.callback(run, out)  # type: ignore[misc]


def test_what_is_no_run_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, message in (("nowhere", "no such folder"), ("empty", "not a finished run")):
        with pytest.raises(DatasetError, match=message):
            export.callback(tmp_path / name, tmp_path / "out")  # type: ignore[misc]
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
