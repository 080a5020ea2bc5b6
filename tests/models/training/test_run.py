"""Runs are whole or not there, go on where they were, and say what they know of other data."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from models.preprocessing import Preprocessing
from models.splits import LeakError
from models.training.crossval import cross_validate
from models.training.dataset import read_dataset
from models.training.detector import Settings
from models.training.run import Run, evaluate, evaluate_on, open_run, train
from sim.errors import DatasetError, ParameterError
from tests.models.training.made import SCENARIO, make, sines

SETTINGS = Settings(target="kind", folds=3, epochs=6)
FOREST = Settings(target="kind", folds=3)


def by_command(dataset: Path, arch: str, out: Path) -> Run:
    """Made by the command, in a process of its own: other tests here may have loaded TensorFlow with other kernels."""
    command = [sys.executable, "-m", "sim.cli", "train", str(dataset), "--arch", arch, "--target", "kind"]
    command += ["--folds", "3", "--epochs", str(SETTINGS.epochs), "--workers", "1", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "macro-F1" in done.stdout
    return open_run(out)


@pytest.fixture(scope="session")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return by_command(dataset, "cnn", tmp_path_factory.mktemp("runs") / "cnn")


def test_a_run_holds_what_evaluation_and_export_open(run: Run, dataset: Path) -> None:
    data = read_dataset(dataset, "kind")
    assert run.classes == data.classes
    assert run.model.input_shape == (None, 256, 3)
    assert run.model.output_shape == (None, 3)
    assert run.preprocessing == Preprocessing.open(run.path / "preprocessing.json")
    assert run.representative.dtype == np.int8
    assert run.representative.shape[1:] == (256, 3)
    held = run.validation
    assert held["inputs"].dtype == np.int8
    assert sorted(set(held["group"].tolist())) == run.content["folds"]["final"]["validation"]
    rows = np.flatnonzero(np.isin(data.group, held["group"]))
    np.testing.assert_array_equal(run.preprocessing.apply(data.counts[rows]), held["inputs"])
    np.testing.assert_array_equal(data.target[rows], held["target"])
    assert not list(run.path.glob(".*"))
    assert not list(run.path.glob("*.partial")) + list(run.path.glob("lock"))


def test_every_window_is_judged_once_by_a_model_that_did_not_train_on_its_recording(run: Run, dataset: Path) -> None:
    data = read_dataset(dataset, "kind")
    frames = {path.parent.name: pd.read_parquet(path) for path in run.path.glob("fold-*/predictions.parquet")}
    table = pd.concat(frames.values())
    assert sorted(table["window"]) == list(range(len(data)))
    assert (data.label[table["window"]] == table["label"]).all()
    folds = run.content["folds"]
    for name, frame in frames.items():
        assert sorted(set(frame["group"])) == folds[name]["test"]
        assert not set(folds[name]["test"]) & set(folds[name]["validation"])
    metrics = json.loads((run.path / "metrics.json").read_text())
    truth = table["label"].map(run.classes.index)
    assert metrics["scores"]["f1"]["value"] == pytest.approx(
        f1_score(truth, table["verdict"], average="macro"), rel=1e-4
    )
    assert metrics["scores"]["auroc"]["value"] > 0.7  # the faults are heavy, the training short
    assert metrics["windows_per_day"] == pytest.approx(86400 * 1666 / 256)
    assert evaluate(run)["scores"] == metrics["scores"]


def test_the_report_is_one_file_with_curves_and_needs_nothing_else(run: Run) -> None:
    text = (run.path / "report.html").read_text()
    assert len(re.findall(r'<img src="data:image/png;base64,', text)) == 5
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    for word in (
        "macro-F1",
        "Over the epochs",
        "Calibration",
        "severity",
        "speed, rpm",
        "false alarms per day",
        "bearing_outer",
    ):
        assert word in text


@pytest.mark.parametrize("arch", ["random-forest", pytest.param("cnn", marks=pytest.mark.slow)])
def test_the_same_figures_again_from_two_processes_and_after_an_interruption(
    arch: str, dataset: Path, tmp_path: Path
) -> None:
    run, model = by_command(dataset, arch, tmp_path / "once"), "model.keras" if arch == "cnn" else "model.joblib"

    class Stopped(Exception):
        pass

    out, partial, done = tmp_path / "again", tmp_path / "again.partial", [0.0]

    def stop(now: float, total: float) -> None:
        assert total == (4 * SETTINGS.epochs if arch == "cnn" else 4)
        done.append(now / total)
        if any(partial.glob("fold-*")):
            raise Stopped

    with pytest.raises(Stopped):
        train(dataset, arch, out, SETTINGS, workers=2, progress=stop)
    assert not out.exists()
    assert not list(partial.glob(".*"))
    with pytest.raises(DatasetError, match="no such folder; the run is not finished: train again"):
        open_run(out)
    kept = {place.name: (place / model).stat().st_ino for place in partial.glob("fold-*")}
    assert 1 <= len(kept) <= 3
    with pytest.raises(DatasetError, match="unfinished run of other data, models, settings"):
        train(dataset, arch, out, replace(SETTINGS, seed=5))
    done.append(0.0)
    again = train(dataset, arch, out, SETTINGS, workers=2, progress=lambda now, total: done.append(now / total))
    assert done[-1] == 1.0
    for name, inode in kept.items():
        assert (out / name / model).stat().st_ino == inode
    for name in ("fold-0", "fold-1", "fold-2"):
        one, two = (pd.read_parquet(r.path / name / "predictions.parquet") for r in (run, again))
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert again.threshold == run.threshold
    assert not list(out.glob(".*"))
    with pytest.raises(DatasetError, match="exists already and is not overwritten"):
        train(dataset, arch, out, SETTINGS)


def test_a_run_that_cannot_start_leaves_nothing(dataset: Path, tmp_path: Path) -> None:
    for call, message in (
        (lambda: train(dataset, "cnnn", tmp_path / "x"), "no model 'cnnn'; there are cnn, lstm"),
        (lambda: train(dataset, "cnn", tmp_path / "x", Settings(folds=20)), "20 folds need at least 20 of each class"),
        (lambda: train(tmp_path / "none", "cnn", tmp_path / "x"), "no such folder"),
        (lambda: train(dataset, "cnn", tmp_path / "x", channels=("accel_q_g",)), "no channel 'accel_q_g'"),
    ):
        with pytest.raises((DatasetError, ParameterError), match=message):
            call()
    with pytest.raises(DatasetError, match="too short for a decimation by 60"):
        train(dataset, "cnn", tmp_path / "x", Settings(folds=3, decimation=60))
    assert not list(tmp_path.iterdir())


def test_another_dataset_is_judged_by_the_final_model(run: Run, other: Path, tmp_path: Path) -> None:
    found = evaluate_on(run, other, tmp_path / "on")
    assert sorted(p.name for p in (tmp_path / "on").iterdir()) == ["metrics.json", "predictions.parquet", "report.html"]
    data = read_dataset(other, "kind")
    p = run.model.predict(run.preprocessing.apply(data.counts) / np.float32(32), verbose=0)
    verdict = np.where(1 - p[:, 0] > run.threshold, 1 + p[:, 1:].argmax(axis=1), 0)
    assert found["scores"]["accuracy"]["value"] == pytest.approx((verdict == data.target).mean(), abs=0.01)
    assert found["scores"]["accuracy"]["value"] > 0.6


@pytest.fixture(scope="session")
def forest(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(dataset, "random-forest", tmp_path_factory.mktemp("runs") / "forest", FOREST)


def test_data_that_does_not_fit_or_was_trained_on_is_refused(
    forest: Run, dataset: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    out, make_in = tmp_path / "on", tmp_path_factory.mktemp("misfits")
    with pytest.raises(LeakError, match=r"is the dataset .* was trained on"):
        evaluate_on(forest, dataset, out)
    plan = SCENARIO["dataset"]
    fewer = make(make_in, "rig", 1, dataset=plan | {"windows_per_class": {"normal": 8, "imbalance": 8}})
    with pytest.raises(LeakError, match=r"has the same samples as .*, which the run has seen"):
        evaluate_on(forest, fewer, out)
    plan = plan | {"windows_per_class": {"normal": 4, "imbalance": 4}}
    short = make(make_in, "short", 3, dataset=plan | {"window_length": 128})
    with pytest.raises(DatasetError, match="windows of 128 samples; the run's have 256"):
        evaluate_on(forest, short, out)
    slow = make(make_in, "slow", 3, dataset=plan, sensors=[{"id": "imu0", "odr_hz": 833, "range_g": 16}])
    with pytest.raises(DatasetError, match=r"833.0 Hz; the run was trained at 1666.0 Hz"):
        evaluate_on(forest, slow, out)
    faults = [{"kind": "looseness", "gap_um": 200}]
    plan = plan | {"windows_per_class": {"normal": 4, "looseness": 4}}
    strange = make(make_in, "strange", 3, dataset=plan, faults=faults)
    with pytest.raises(DatasetError, match="class looseness is not among the run's"):
        evaluate_on(forest, strange, out)
    one = make(make_in, "one", 3, dataset=plan | {"windows_per_class": {"normal": 8}}, faults=faults)
    with pytest.raises(DatasetError, match=r"only one class \(normal\)"):
        evaluate_on(forest, one, out)
    assert not out.exists()


def test_a_baseline_run_has_figures_but_nothing_to_export(forest: Run) -> None:
    assert json.loads((forest.path / "metrics.json").read_text())["scores"]["f1"]["value"] > 0.8
    for name in ("model", "preprocessing"):
        with pytest.raises(DatasetError, match="random-forest is a baseline without a network"):
            getattr(forest, name)
    with pytest.raises(DatasetError, match="only networks have it"):
        _ = forest.representative


@pytest.fixture
def broken(forest: Run) -> Iterator[Path]:
    text = (forest.path / "run.json").read_text()
    yield forest.path / "run.json"
    (forest.path / "run.json").write_text(text)


@pytest.mark.parametrize("text", ["", "{}", '{"format": "other"}', "[1]"])
def test_broken_runs_are_told_in_one_line(broken: Path, text: str) -> None:
    broken.write_text(text)
    with pytest.raises(DatasetError, match=r"run.json: cannot be read") as caught:
        open_run(broken.parent)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no run.json in it"):
        open_run(tmp_path)


# --- cross-validation of arrays


def test_tables_without_rate_or_speed_can_be_cross_validated(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    n = 90
    labels = np.repeat(["normal", "bad"], [60, 30])
    x = draws.normal(50.0, 1.0, (n, 16, 5)) + np.where(labels == "bad", 3.0, 0.0)[:, None, None]
    groups = np.array([f"block {i // 3}" for i in range(n)])
    settings = Settings(folds=3, scaling="linear", detrend=False, epochs=8, batch=8)
    for arch in ("cnn", "random-forest", "mahalanobis"):
        result = cross_validate(x, labels, groups, arch, settings, folder=tmp_path / arch, name="table")
        scores = result.figures()["scores"]
        assert scores["auroc"]["value"] > 0.95, arch
        assert "false_alarms_per_day" not in scores
        assert len(result.judged.truth) == n
        assert len(result.folds) == 3
    assert set(result.history) == set()


def test_windows_of_examples_need_no_labels_and_folders_are_taken_up_again(tmp_path: Path) -> None:
    first = cross_validate(sines(), arch="pca", settings=Settings(folds=3), folder=tmp_path)
    stamp = (tmp_path / "fold-2" / "fold.json").stat().st_mtime_ns
    again = cross_validate(sines(), arch="pca", settings=Settings(folds=3), folder=tmp_path)
    assert (tmp_path / "fold-2" / "fold.json").stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first.judged.anomaly, again.judged.anomaly)
    with pytest.raises(DatasetError, match=r"labels \(0,\)"):
        cross_validate(np.zeros((4, 8, 1)))
