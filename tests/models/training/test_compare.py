"""Comparisons order models, say what is noise, and do not spare the networks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from models.training.compare import compare, summarise, table
from models.training.crossval import Result
from models.training.detector import Settings
from models.training.figures import Judged
from sim.cli import cli
from sim.errors import ParameterError


def result(arch: str, right: float, seed: int = 0, classes: int = 2, detects: bool = False) -> Result:
    """A model that is right with some probability, on 40 recordings of 10 windows."""
    draws = np.random.default_rng(seed)
    truth = np.repeat(np.arange(40) % classes, 10)
    hit = draws.random(400) < right
    verdict = np.where(hit, truth, (truth + 1) % classes)
    names = ("normal", *"abc"[: classes - 1])
    text = np.array([f"r{i // 10}" for i in range(400)])
    judged = Judged(
        names, truth, np.minimum(verdict, 1) if detects else verdict, verdict + draws.random(400),
        None if detects or classes == 2 else np.eye(classes)[verdict], text, text, text, np.zeros(400), np.zeros(400),
    )  # fmt: skip
    return Result(arch, judged, {"fold-0": {"seconds": 1.0}}, {})


def test_order_noise_and_a_network_that_loses() -> None:
    found = summarise([result("cnn", 0.7), result("random-forest", 0.95, 1), result("gru", 0.945, 2)])
    assert [row["model"] for row in found["models"]] == ["random-forest", "gru", "cnn"]
    said = found["verdicts"]
    assert any(line.startswith("random-forest - gru: ") and line.endswith("within noise") for line in said)
    assert any(line.startswith("random-forest - cnn: +0.") and not line.endswith("within noise") for line in said)
    assert any(line.startswith("cnn LOSES to the baselines: random-forest (-0.") for line in said)
    assert any(line.startswith("gru does not beat, within noise, the baselines: random-forest (") for line in said)
    text = table(found)
    assert text.index("random-forest (baseline)") < text.index("| gru") < text.index("| cnn")


def test_a_network_that_wins_is_not_scolded() -> None:
    found = summarise([result("cnn", 0.95), result("random-forest", 0.7, 1)])
    assert found["models"][0]["model"] == "cnn"
    assert not any("LOSES" in line or "does not beat" in line for line in found["verdicts"])


def test_differences_are_paired() -> None:
    """Two models with the same verdicts but for one window differ by next to nothing, however wide their own intervals."""
    one, two = result("cnn", 0.8), result("gru", 0.8)
    two.judged.verdict[0] = 1 - two.judged.verdict[0]
    found = summarise([one, two])
    (difference,) = found["differences"]
    own = found["models"][0]["scores"]["f1"]
    assert difference["high"] - difference["low"] < 0.2 * (own["high"] - own["low"])


def test_models_of_anomalies_come_behind_and_are_compared_by_detection() -> None:
    found = summarise([result("cnn", 0.6, classes=3), result("pca", 0.99, 1, classes=3, detects=True)])
    assert [row["model"] for row in found["models"]] == ["cnn", "pca"]
    assert found["differences"][0]["score"] == "detection_f1"
    assert any(
        line.startswith("cnn LOSES to the baselines: pca") and "F1 not normal" in line for line in found["verdicts"]
    )


def test_the_commands(dataset: Path, tmp_path: Path) -> None:
    def call(*words: str) -> Any:
        return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=True)

    out = tmp_path / "compared"
    done = call(
        "compare", dataset, "--arch", "pca,mahalanobis,random-forest", "--folds", 3, "--out", out, "--workers", 1
    )  # type: ignore[arg-type]
    assert done.exit_code == 0, done.output
    assert "| random-forest (baseline)" in done.output
    assert "F1 not normal" in done.output
    content = json.loads((out / "comparison.json").read_text())
    assert {row["model"] for row in content["models"]} == {"pca", "mahalanobis", "random-forest"}
    tests = [
        [json.loads((out / arch / f"fold-{k}" / "fold.json").read_text())["test"] for k in range(3)]
        for arch in ("pca", "mahalanobis", "random-forest")
    ]
    assert tests[0] == tests[1] == tests[2]

    run = tmp_path / "run"
    done = call("train", dataset, "--arch", "mahalanobis", "--folds", 3, "--out", run, "--workers", 1)  # type: ignore[arg-type]
    assert done.exit_code == 0, done.output
    assert "false alarms per day" in done.output
    assert str(run / "report.html") in done.output
    done = call("evaluate", run)  # type: ignore[arg-type]
    assert done.exit_code == 0, done.output
    assert "AUROC" in done.output
    for words in (
        ("train", dataset, "--arch", "nothing", "--out", tmp_path / "n"),
        ("evaluate", run, "--dataset", dataset),
    ):
        failed = call(*words)  # type: ignore[arg-type]
        assert failed.exit_code != 0
        assert "\n" not in str(failed.exception)
        assert not (tmp_path / "n").exists()


def test_a_comparison_needs_two_models(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="two models or more"):
        compare(dataset, ["pca", "pca"], tmp_path / "c", Settings(folds=3))
    assert not list(tmp_path.iterdir())
