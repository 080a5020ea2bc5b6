"""The evaluation as a whole, on small recordings of its own: arms, leaks, resuming, the report."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

pytest.importorskip("sklearn", reason="no scikit-learn: pip install simtwin[train]")
pytest.importorskip("tsaug", reason="no tsaug: pip install simtwin[train]")

from models import evaluation
from models.evaluation import (
    CLASSICAL,
    REAL,
    Arm,
    chosen_arms,
    chosen_models,
    evaluate,
    plan,
    run_job,
    training_windows,
)
from models.evaluation_report import summarise, tables, write
from models.forest import Forest
from models.mahalanobis import Mahalanobis
from models.protocols import PROTOCOLS, Protocol, on
from models.splits import LeakError
from models.windows import LabelledWindows, Task, labelled, windows_of
from sim.cli import cli
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

FOREST = ["forest", "mahalanobis"]
SPEEDS_RPM = range(200, 1000, 50)


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    """The fan's protocol on recordings of 16 speeds: an imbalance is a larger line at 1x."""
    folder = tmp_path_factory.mktemp("fan")
    draws, time_s = np.random.default_rng(0), np.arange(1000) / 50.0
    for rpm in SPEEDS_RPM:
        for state, amplitude in (("normal", 0.05), ("imbalance", 0.12)):
            line = amplitude * (rpm / 600) ** 2 * np.sin(2 * np.pi * rpm / 60 * time_s[:, None] + np.arange(3))
            x = line + 0.05 * draws.standard_normal((1000, 3)) + np.array([1.0, 0.0, 0.0])
            np.savez(folder / f"{state}_{rpm}.npz", x=x.astype(np.float32))
    channels = {f"accel_{axis}": {"column": "x", "index": i, "unit": "g"} for i, axis in enumerate("xyz")}
    described = {
        "files": "*.npz", "channels": channels, "rate_hz": 50.0, "gravity": "included",
        "pattern": "(?P<state>[a-z]+)_(?P<rpm>[0-9]+)", "label": {"group": "state"}, "speed_rpm": {"group": "rpm"},
    }  # fmt: skip
    path = folder / "fan.yaml"
    path.write_text(yaml.safe_dump(described))
    return on(PROTOCOLS["e"], str(path))


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.forest.TREES", 40)


def stealing(train: list[RealRecording], task: Task, seed: int) -> LabelledWindows:
    """An augmenter that has seen a recording to test."""
    tested = sorted({f"{state}_{rpm}" for state in ("normal", "imbalance") for rpm in SPEEDS_RPM})
    left = [name for name in tested if name not in {r.id for r in train}]
    return labelled(np.zeros((1, task.length, 3), np.float32), "imbalance", "imbalance", left[0], 300.0, "hybrid")


def perfect(train: list[RealRecording], task: Task, seed: int) -> LabelledWindows:
    """An augmenter that brings simulated imbalance and normals at all speeds."""
    draws, time_s = np.random.default_rng(seed), np.arange(task.length) / task.rate_hz
    parts = []
    for rpm in SPEEDS_RPM:
        for state, amplitude in (("normal", 0.05), ("imbalance", 0.12)):
            line = amplitude * (rpm / 600) ** 2 * np.sin(2 * np.pi * rpm / 60 * time_s[:, None] + np.arange(3))
            x = line + 0.05 * draws.standard_normal((20, task.length, 3))
            parts.append(labelled(x.astype(np.float32), state, state, "", float(rpm), "synthetic"))
    return evaluation.concatenate(parts)


def values(results: dict) -> dict[tuple, list[float]]:
    return {
        (name, *place): [float(p.anomaly.sum()) for p in by_seed]
        for name, by_arm in results.items()
        for place, by_seed in by_arm.items()
    }


def test_two_processes_one_process_and_a_second_run_give_the_same_figures(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.forest.TREES", 300)  # as in the other processes
    arms = [REAL, CLASSICAL]
    one = evaluate([protocol], arms, FOREST, 2, tmp_path / "one", workers=1)
    again = evaluate([protocol], arms, FOREST, 2, tmp_path / "two", workers=2)
    assert values(one) == values(again)
    assert set(one["e"]) == {(arm, model) for arm in ("real", "classical") for model in FOREST}
    assert all(len(by_seed) == 2 for by_seed in one["e"].values())
    first, second = one["e"]["real", "forest"]
    assert first.anomaly.tolist() != second.anomaly.tolist()
    truth = np.concatenate([first.truth, second.truth])
    assert len(first.truth) == 28 * ((1000 - 128) // 64 + 1)
    assert set(truth) == {0, 1}


def test_an_interrupted_evaluation_goes_on_where_it_was(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[tuple[str, int]] = []
    for kind in (Forest, Mahalanobis):

        def counting(self: Forest, windows: LabelledWindows, original: Callable = kind.fit) -> Forest:
            if fitted == [("forest", 0), ("mahalanobis", 0), ("forest", 1)] and not resuming:
                raise KeyboardInterrupt
            fitted.append((self.name, self.seed))
            return original(self, windows)

        monkeypatch.setattr(kind, "fit", counting)
    resuming = False
    with pytest.raises(KeyboardInterrupt):
        evaluate([protocol], [REAL], FOREST, 3, tmp_path)
    assert len(fitted) == 3
    resuming = True
    resumed = evaluate([protocol], [REAL], FOREST, 3, tmp_path)
    assert fitted[3:] == [("mahalanobis", 1), ("forest", 2), ("mahalanobis", 2)]  # and none of the first three again
    assert values(resumed) == values(evaluate([protocol], [REAL], FOREST, 3, tmp_path / "whole"))
    kept = sorted((tmp_path / "runs" / "e").glob("real-forest-*-seed0.npz"))
    kept[0].write_bytes(kept[0].read_bytes()[:100])  # a damaged file is made again
    assert values(evaluate([protocol], [REAL], FOREST, 3, tmp_path)) == values(resumed)


def test_what_is_kept_is_not_used_for_other_data(protocol: Protocol, tmp_path: Path) -> None:
    job = plan([protocol], [REAL], ["mahalanobis"], 1)[0]
    run_job(job, tmp_path)
    path = job.file(tmp_path, "mahalanobis")
    before = path.read_bytes()
    run_job(job, tmp_path)
    assert path.read_bytes() == before
    folder = Path(protocol.dataset).parent
    trained = protocol.folds(evaluation.recordings_of(protocol.dataset), 0)[0].train[0].id
    file = folder / f"{trained}.npz"
    original = file.read_bytes()
    try:
        np.savez(file, x=np.load(file)["x"] * np.float32(1.5))
        evaluation.recordings_of.cache_clear()
        run_job(job, tmp_path)
        assert path.read_bytes() != before
    finally:
        file.write_bytes(original)
        evaluation.recordings_of.cache_clear()


def test_an_augmenter_that_uses_a_recording_to_test_is_refused(protocol: Protocol, tmp_path: Path) -> None:
    with pytest.raises(LeakError, match="windows to train rest on"):
        evaluate([protocol], [Arm("hybrid", stealing, True)], FOREST, 1, tmp_path)


def test_windows_to_train_are_the_real_ones_and_the_added_ones_without_their_means(protocol: Protocol) -> None:
    split = protocol.folds(evaluation.recordings_of(protocol.dataset), 0)[0]
    real = windows_of(split.train, protocol.task, protocol.task.train_hop)
    assert abs(float(real.x[..., 0].mean()) - 1.0) < 0.1  # gravity is in the recordings
    train = training_windows(split, Arm("synthetic", perfect, True), protocol.task, 0)
    assert (train.provenance == "real").sum() == len(real)
    assert (train.provenance == "synthetic").sum() == 640
    assert np.abs(train.x.mean(axis=1)).max() < 1e-5


def test_a_good_augmenter_is_seen_to_help_and_the_report_says_so(protocol: Protocol, tmp_path: Path) -> None:
    results = evaluate([protocol], [REAL, CLASSICAL, Arm("synthetic", perfect, True)], FOREST, 5, tmp_path)
    summary = summarise([protocol], results)
    (difference,) = (
        row for row in summary["protocols"]["e"]["differences"]
        if (row["model"], row["arm"], row["minus"], row["score"]) == ("forest", "synthetic", "real", "macro_f1")
    )  # fmt: skip
    assert difference["low"] > 0
    scores = {(row["arm"], row["model"]): row for row in summary["protocols"]["e"]["scores"]}
    gain = scores["synthetic", "forest"]["macro_f1"]["value"] - scores["real", "forest"]["macro_f1"]["value"]
    assert difference["value"] == pytest.approx(gain, abs=2e-6)
    assert "macro_f1" not in scores["real", "mahalanobis"]
    text = tables(summary)
    assert f"{difference['value']:+.3f} [" in text
    assert "synthetic - real" in text
    files = write(summary, tmp_path / "out")
    assert [file.name for file in files] == ["evaluation.md", "results.json", "evaluation.png"]
    assert json.loads(files[1].read_text()) == json.loads(json.dumps(summary))
    assert files[2].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_fault_labels_only_arms_that_bring_faults_teach_classifiers(protocol: Protocol) -> None:
    unlabelled = Protocol("x", "", protocol.dataset, protocol.task, protocol.folds, fault_labels=False)
    jobs = plan([unlabelled], [REAL, Arm("hybrid", perfect, True)], FOREST, 1)
    assert [(job.arm.name, job.models) for job in jobs] == [("real", ("mahalanobis",)), ("hybrid", tuple(FOREST))]


def test_an_arm_is_left_out_where_it_cannot_work(protocol: Protocol) -> None:
    here = evaluation.recordings_of(protocol.dataset)[0].source
    for sources, there in ((None, True), (frozenset({here}), True), (frozenset({"adi"}), False)):
        arm = Arm("hybrid", perfect, True, sources)
        assert [job.arm.name for job in plan([protocol], [REAL, arm], FOREST, 1)] == ["real"] + ["hybrid"] * there


def test_names_of_arms_and_models() -> None:
    assert [arm.name for arm in chosen_arms("real, classical")] == ["real", "classical"]
    assert [arm.name for arm in chosen_arms()][:2] == ["real", "classical"]
    assert chosen_models() == ["conv", "forest", "forest-normalised", "gated-forest", "mahalanobis"]
    with pytest.raises(DatasetError, match="no arm 'magic'; allowed are real, classical"):
        chosen_arms("magic")
    with pytest.raises(DatasetError, match="no model 'svm'; allowed are conv, forest"):
        chosen_models("svm")


def test_the_command_prints_the_tables_and_names_the_files(protocol: Protocol, tmp_path: Path) -> None:
    options = ["--protocol", "e", "--dataset", protocol.dataset, "--models", "mahalanobis", "--arms", "real"]
    command = ["evaluate-augmentation", *options, "--seeds", "2", "--workers", "1", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert result.exit_code == 0
    assert "| mahalanobis | real " in result.output
    assert result.output.rstrip().endswith("evaluation.png")
    assert (tmp_path / "out" / "evaluation.md").read_text() in result.output
