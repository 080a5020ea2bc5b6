"""The command: three files, goes on after an interruption, one line for what is wrong; the real sets when they are there."""

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("sklearn", reason="no scikit-learn: pip install simtwin[train]")

from models.benchmark import run
from models.benchmark.report import CNC
from models.benchmark.run import Effort, benchmark
from models.datasets.smartmanuad import READER
from sim.cli import cli
from sim.errors import DatasetError, ParameterError
from sim.progress import Progress
from tests.models.benchmark.made import folder_of_sets

EFFORT = Effort(windows=200, epochs=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of_sets(tmp_path / "sets")


def silent(what: str, unit: str) -> AbstractContextManager[Progress]:
    return nullcontext(lambda done, total: None)


def test_the_command(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["benchmark", str(folder), "--arch", "cnn,random-forest,pca", "--windows", "200", "--epochs", "2"]
    done = CliRunner().invoke(cli, [*words, "--out", str(out), "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == [
        "benchmark.json", "benchmark.md", "benchmark.png", "curated", "random", "sets",
    ]  # fmt: skip
    assert (out / "benchmark.md").read_text() in done.output
    found = json.loads((out / "benchmark.json").read_text())
    assert [(entry["name"], entry["labels"]) for entry in found["sets"]] == [("1_one", "real"), ("2_two", "injected")]
    assert found["kept_by_curation"] == 3
    assert "class normal has" in found["left_out"]["4_few"]
    assert set(found["means"]) == {"all", "real labels", "injected labels"}
    means = found["means"]["all"]
    assert means["models"]["random-forest"]["f1"]["value"] > 0.8  # of levels 3 standard deviations apart
    ranked = sorted(means["models"], key=lambda arch: -means["models"][arch]["f1"]["value"])
    lines = [line.split("|")[1].split()[0] for line in done.output.splitlines() if line.startswith("| ")][1:4]
    assert lines == ranked
    own = [entry["models"]["random-forest"]["f1"]["value"] for entry in found["sets"]]
    assert means["models"]["random-forest"]["f1"]["value"] == pytest.approx(sum(own) / 2, abs=1e-5)
    assert any(line.startswith("cnn: a higher F1 than every baseline on") for line in found["verdicts"])
    text = done.output
    assert "beside the original" not in text  # of the cnn it reports none
    assert f"{CNC} is not among the sets" in text
    again = CliRunner().invoke(cli, [*words, "--out", str(out)])
    assert again.exit_code != 0
    assert "exists already" in str(again.exception)


def test_goes_on_after_an_interruption_with_the_same_figures(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archs = ["pca", "mahalanobis"]
    whole = benchmark(folder, tmp_path / "whole", silent, EFFORT, archs=archs)
    real, calls = run.run_jobs, list[int]()

    def breaks(*arguments: Any, **named: Any) -> None:
        calls.append(len(calls))
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments, **named)

    monkeypatch.setattr(run, "run_jobs", breaks)
    with pytest.raises(KeyboardInterrupt):
        benchmark(folder, tmp_path / "broken", silent, EFFORT, archs=archs)
    first = next((tmp_path / "broken.partial" / "sets").rglob("fold.json"))
    written = first.stat().st_mtime_ns
    monkeypatch.setattr(run, "run_jobs", real)
    resumed = benchmark(folder, tmp_path / "broken", silent, EFFORT, archs=archs)
    assert resumed == whole
    place = tmp_path / "broken" / first.relative_to(tmp_path / "broken.partial")
    assert place.stat().st_mtime_ns == written


def test_what_is_wrong_is_said_in_a_line(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        benchmark(tmp_path / "nowhere", out, silent)
    with pytest.raises(ParameterError, match="no model 'rnn'"):
        benchmark(folder, out, silent, archs=["rnn"])
    with pytest.raises(ParameterError, match="windows is 5; allowed is 100 and more"):
        Effort(windows=5)
    for name in ("1_one", "2_two"):
        (folder / f"{name}.npz").unlink()
    with pytest.raises(DatasetError, match="no set in it is fit for the benchmark"):
        benchmark(folder, out, silent, archs=["pca", "mahalanobis"])
    assert not list(tmp_path.glob("out*"))


def test_the_real_cnc_set_with_and_without_balance(tmp_path: Path) -> None:
    """54: 30.2 s good, 19.5 s bad. With few anomalies left, a forest that weighs the classes alike finds more of them."""
    place = READER.place()
    files = [place / name for name in ("index.csv", "3_tempSF.npz", f"{CNC}.npz")]
    for file in files:
        if not file.is_file():
            pytest.skip(f"{file} is not there: run `simtwin data fetch smartmanuad`, or name the data in SIMTWIN_DATA")
        (tmp_path / "sets").mkdir(exist_ok=True)
        (tmp_path / "sets" / file.name).symlink_to(file)
    found = benchmark(
        tmp_path / "sets", tmp_path / "out", silent, Effort(windows=300), archs=["random-forest", "mahalanobis"]
    )
    tempsf, cnc = found["sets"]
    assert (tempsf["labels"], tempsf["spells"], tempsf["spells_cut"], tempsf["window_rows"]) == ("real", 4, 0, 32)
    assert (cnc["labels"], cnc["spells"], cnc["spells_cut"], cnc["window_rows"]) == ("real", 1, 1, 256)
    arms = {arm["balance"]: arm for arm in found["balance"]}
    assert set(arms) == {"none", "weights", "resample"}
    assert all(arm["anomalies"] == pytest.approx(0.05, abs=0.002) for arm in arms.values())
    recall = {how: arm["models"]["random-forest"]["recall"]["value"] for how, arm in arms.items()}
    assert recall["none"] < recall["weights"]
    assert recall["none"] < recall["resample"]
    assert "mahalanobis" not in arms["none"]["models"]  # learns from normal windows alone
