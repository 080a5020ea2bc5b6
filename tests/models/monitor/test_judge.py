"""The judge on Linux says what the chip says: held against TensorFlow Lite Micro on 1,000 windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="no LiteRT: pip install simtwin[monitor]")
pytest.importorskip("tensorflow", reason="no TensorFlow to train with: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES
from models.artifact import INT8, ArtifactError, write_artifact
from models.export.interpreters import Lite
from models.monitor.judge import Judge
from models.preprocessing import to_float
from tests.models.export.made import MIXED, made, windows
from tests.models.monitor.agreement import Agreement, agreement, artifact_of, changed, differing

MOST_DIFFERING = {"cnn": 10, "lstm": 60, "gru": 180, "transformer": 100, "autoencoder": 0}
"""Of 1,000 windows; docs/monitor.md has what was seen."""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_host_and_chip_agree(name: str) -> None:
    found = agreement(name)
    assert len(found.expected) == 1000
    numbers = np.bincount([number for number, _ in found.expected])
    assert (numbers > 50).all(), "verdicts of every class"
    assert differing(found.int8, found.micro) <= MOST_DIFFERING[name]
    assert differing(found.int8, found.micro) < max(1, differing(found.default, found.micro))
    assert changed(found.verdicts, found.expected) <= 2
    _only_close_calls(found)
    x, _ = windows(1000, seed=1, level=MIXED)
    # LiteRT's reference kernels are those of TFLite, whose every difference from TFLM tests/models/export explains.
    np.testing.assert_array_equal(found.int8, Lite(made(name).exported.converted.int8).run(x))


def _only_close_calls(found: Agreement) -> None:
    for verdict, (number, level), one, other in zip(
        found.verdicts, found.expected, found.int8, found.micro, strict=True
    ):
        if verdict.number != number:
            off = np.abs(one.astype(int) - other).max()
            assert off > 0
            assert abs(level - found.threshold) <= 32 or np.ptp(np.sort(other.astype(int))[-2:]) <= 32


@pytest.mark.parametrize("name", ["cnn", "autoencoder"])
def test_the_dynamic_range_model_says_what_keras_says(name: str, tmp_path: Path) -> None:
    artifact = artifact_of(name, tmp_path / "artifact")
    x, _ = windows(300, seed=4, level=MIXED)
    exact = made(name).model.predict(to_float(x), verbose=0).astype(np.float64)
    level = ((to_float(x) - exact) ** 2).mean(axis=(1, 2)) if name == "autoencoder" else exact[:, 1:].sum(axis=1)
    judge = Judge(artifact, dynamic=True)
    found = [judge(window) for window in x.astype(np.int16)]
    np.testing.assert_allclose([verdict.level for verdict in found], level, rtol=0.02, atol=0.03)
    clear = np.abs(level - artifact.threshold) > 0.05
    assert clear.sum() > 100
    flagged = np.array([verdict.number > 0 for verdict in found])
    np.testing.assert_array_equal(flagged[clear], (level > artifact.threshold)[clear])


def test_a_state_is_not_carried_from_window_to_window(tmp_path: Path) -> None:
    judge = Judge(artifact_of("lstm", tmp_path / "artifact"))
    x = windows(20, seed=5, level=MIXED)[0].astype(np.int16)
    forward = [judge(window) for window in x]
    assert [judge(window) for window in x[::-1]][::-1] == forward


def test_a_model_that_is_none_is_one_line(tmp_path: Path) -> None:
    good = artifact_of("cnn", tmp_path / "good")
    files = {entry["file"]: good.read(entry["file"]) for entry in good.manifest["files"]}
    bad = write_artifact(tmp_path / "bad", {**files, INT8: b"TFL3 but no model"}, good.manifest)
    with pytest.raises(ArtifactError, match=r"model_int8\.tflite: LiteRT does not run it") as error:
        Judge(bad)
    assert "\n" not in str(error.value)
    facts = {key: value for key, value in good.manifest.items() if key != "threshold_int8"}
    with pytest.raises(ArtifactError, match="no usable 'threshold_int8'"):
        Judge(write_artifact(tmp_path / "old", files, facts))
