"""Level, flag and class of a window, held against the definitions in models/training/detector.py and export/run.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware.host import Core
from models.training.detector import Answer
from tests.firmware import tiny_model


def test_classifier_decides_as_the_detector(library: Path) -> None:
    core = Core(library)
    draws = np.random.default_rng(0)
    outputs = draws.integers(-128, 128, (2000, 3)).astype(np.int8)
    outputs[0], outputs[1] = -128, 127  # nothing likely, all likely
    outputs[2] = (-100, 5, 5)  # of equals the first
    for threshold in (0, 100, 254, 600):
        answer = Answer.of((outputs.astype(np.int32) + 128) / 256)
        expected = answer.verdicts(threshold / 256)
        said = [core.verdict(np.zeros(3072, np.int8), each, threshold) for each in outputs]
        assert [level for level, *_ in said] == (outputs[:, 1:].astype(int) + 128).sum(axis=1).tolist()
        assert [each for _, _, each, _ in said] == expected.tolist()
        assert [flagged for _, flagged, *_ in said] == (expected > 0).tolist()


def test_confidence_is_the_probability_of_what_was_decided(library: Path) -> None:
    core = Core(library)
    sure_normal, sure_low = np.array([127, -128, -128], np.int8), np.array([-128, 127, -128], np.int8)
    assert core.verdict(np.zeros(3072, np.int8), sure_normal, 127)[1:] == (False, 0, 99)
    assert core.verdict(np.zeros(3072, np.int8), sure_low, 127)[1:] == (True, 1, 99)


def test_autoencoder_measures_the_distance(tmp_path: Path) -> None:
    from firmware.build import build

    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    code = (model / "model.c").read_text().replace("MODEL_CLASSIFIER", "MODEL_AUTOENCODER")
    (model / "model.c").write_text(code[: code.index("void model_infer")] + tiny_model.HALF)
    header = (
        (model / "model.h").read_text().replace("MODEL_OUTPUT_SIZE MODEL_CLASSES", "MODEL_OUTPUT_SIZE MODEL_INPUT_SIZE")
    )
    (model / "model.h").write_text(header)
    core = Core(build(model, tmp_path / "out", "host", sanitize=True).product)
    inputs = np.random.default_rng(2).integers(-127, 128, (1, 1024, 3)).astype(np.int8)
    output = core.infer(inputs, 3072)[0]
    expected = int(((inputs.ravel().astype(int) - output) ** 2).sum())
    assert expected > 1e6
    for threshold in (expected, expected - 1, 2 * expected):
        level, flagged, state, confidence = core.verdict(inputs, output, threshold)
        assert (level, flagged, state) == (expected, expected > threshold, int(expected > threshold))
        assert confidence == pytest.approx(50 + 50 * abs(expected - threshold) / threshold, abs=1)
