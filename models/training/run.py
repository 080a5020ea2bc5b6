"""A run: one model cross-validated and fitted for good, in a folder that evaluation and export open.

RUN/ run.json, metrics.json, report.html, the final model (model.keras and preprocessing.json, or model.joblib),
representative.npy and validation.npz (int8 inputs for the export), fold-K/ and final/ (history.csv, tensorboard/,
fold.json; of a fold also its model and predictions.parquet).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from models.preprocessing import Inputs, Preprocessing, to_counts
from models.splits import LeakError
from models.training import baselines, fit
from models.training.crossval import (
    DETECTORS,
    FOLD,
    REPRESENTATIVE,
    VALIDATION,
    Job,
    Result,
    check_arch,
    judge,
    read_result,
    run_jobs,
)
from models.training.dataset import Examples, count_table, read_dataset
from models.training.detector import Detector, Settings
from models.training.figures import figures
from models.training.folds import Fold, make_folds
from models.training.report import write_report
from models.training.workshop import made_aside, run_workshop
from sim.dataset.manifest import to_json, versions, write_aside
from sim.errors import DatasetError
from sim.progress import Progress

RUN, METRICS, REPORT = "run.json", "metrics.json", "report.html"
FORMAT = "simtwin run 1"
FINAL = "final"

_AT_TOP = (fit.MODEL, fit.PREPROCESSING, baselines.FILE, REPRESENTATIVE, VALIDATION)
_PACKAGES = ("scikit-learn", "tensorflow", "tensorflow-cpu", "keras")


@dataclass(frozen=True)
class Run:
    """An opened run.

    Attributes:
        path: its folder.
        arch: name of the model.
        settings: how it was trained.
        classes: names, normal first.
        channels, lsb, rate_hz, window: what it was trained on.
        threshold: of the final model: probability of not normal, or distance, above which a window is flagged.
        content: all of run.json.
    """

    path: Path
    arch: str
    settings: Settings
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    lsb: tuple[float, ...]
    rate_hz: float | None
    window: int
    threshold: float
    content: Mapping[str, Any]

    @cached_property
    def detector(self) -> Detector:
        """The final model."""
        return DETECTORS[self.arch].open(self.path)

    @property
    def model(self) -> Any:
        """The final Keras model; DatasetError for a baseline."""
        return self._network().model

    @property
    def preprocessing(self) -> Preprocessing:
        """What stands before it; DatasetError for a baseline."""
        found = self._network().preprocessing
        assert found is not None
        return found

    def _network(self) -> fit.Network:
        if not isinstance(self.detector, fit.Network):
            raise DatasetError(
                f"{self.path}: {self.arch} is a baseline without a network; train a network to export it"
            )
        return self.detector

    @property
    def representative(self) -> Inputs:
        """Inputs int8 (n, length, channels) of the training part, drawn at random, to quantise by."""
        return np.asarray(_loaded(self.path / REPRESENTATIVE), np.int8)

    @property
    def validation(self) -> Mapping[str, Any]:
        """`inputs` int8, `target` and `group` of the validation part, on which float and int8 are compared."""
        with _loaded(self.path / VALIDATION) as content:
            return {name: content[name] for name in content.files}

    @property
    def windows_per_day(self) -> float | None:
        """Windows a day at the hop; None without a rate."""
        return None if self.rate_hz is None else 86400.0 * self.rate_hz / (self.settings.hop or self.window)

    def result(self) -> Result:
        """What the folds said."""
        return read_result(self.path, self.arch, self.classes)


def train(
    dataset: Path | Examples,
    arch: str,
    out: Path,
    settings: Settings | None = None,
    *,
    channels: Sequence[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Cross-validate a model, fit it for good, and judge it; the same call goes on after an interruption.

    Args:
        dataset: folder made by `simtwin augment`, or Examples.
        arch: a name of `crossval.DETECTORS`.
        out: folder of the run, to make.
        settings: None: the defaults.
        channels: to use of a folder; none: the accelerometer's.
        workers: processes.
        progress: told (epochs done, epochs in all).

    Raises:
        DatasetError, LeakError, ParameterError: one line that says what to mend.
    """
    settings = settings or Settings()
    check_arch([arch])
    data = read_dataset(dataset, settings.target, channels) if isinstance(dataset, Path) else dataset
    folds = make_folds(data, settings.folds, settings.seed)
    with run_workshop(out, plan(data, [arch], settings)) as folder:
        run_jobs(data, [Job(arch, fold, folder) for fold in folds], settings, workers, progress)
        final = json.loads((folder / FINAL / FOLD).read_text())
        for name in _AT_TOP:
            if (folder / FINAL / name).exists():
                (folder / FINAL / name).replace(folder / name)
        write_aside(folder / RUN, to_json(_content(data, arch, settings, folds, final)))
        evaluate(open_run(folder))
    return open_run(out)


def plan(data: Examples, archs: Sequence[str], settings: Settings) -> dict[str, Any]:
    """All that a run's figures depend on."""
    return {
        "format": FORMAT, "models": list(archs), "settings": settings.plain(), "dataset": data.sha256,
        "channels": list(data.channels), "versions": all_versions(),
    }  # fmt: skip


def all_versions() -> dict[str, str]:
    """Versions of the twin's packages and of those that train."""
    found = versions()
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _content(
    data: Examples, arch: str, settings: Settings, folds: Sequence[Fold], final: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "arch": arch,
        "settings": settings.plain(),
        "seed": settings.seed,
        "classes": list(data.classes),
        "channels": list(data.channels),
        "lsb": list(data.lsb),
        "rate_hz": data.rate_hz,
        "window": data.counts.shape[1],
        "threshold": final["threshold"],
        "false_alarm_rate": settings.false_alarm_rate,
        "dataset": {
            "name": data.name,
            "manifest_sha256": data.sha256,
            "windows": len(data),
            "left_out_sensor_faults": data.left_out,
            "by_class": count_table(data),
        },
        "folds": {
            fold.name: {
                side: sorted(set(data.group[rows].tolist()))
                for side, rows in (("validation", fold.validation), ("test", fold.test))
            }
            for fold in folds
        },
        "recordings": data.digests(),
        "versions": all_versions(),
    }


def open_run(path: Path) -> Run:
    """The run in a folder.

    Raises:
        DatasetError: there is none, or it is broken or unfinished.
    """
    if not path.is_dir():
        unfinished = path.with_name(path.name + ".partial").is_dir()
        raise DatasetError(f"{path}: no such folder" + ("; the run is not finished: train again" if unfinished else ""))
    try:
        content = json.loads((path / RUN).read_text())
        if content["format"] != FORMAT or content["arch"] not in DETECTORS:
            raise KeyError("format")
        known = {f.name for f in fields(Settings)}
        return Run(
            path, content["arch"], Settings(**{k: v for k, v in content["settings"].items() if k in known}),
            tuple(content["classes"]), tuple(content["channels"]), tuple(content["lsb"]), content["rate_hz"],
            content["window"], content["threshold"], content,
        )  # fmt: skip
    except FileNotFoundError:
        raise DatasetError(f"{path}: no {RUN} in it, so it is not a finished run of simtwin") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path / RUN}: cannot be read ({type(error).__name__}: {error})") from None


def evaluate(run: Run) -> dict[str, Any]:
    """The figures of the cross-validation; writes metrics.json and report.html into the run."""
    result = run.result()
    found = {
        "of": "cross-validation by recording",
        **figures(result.judged, run.windows_per_day),
        "false_alarm_rate_asked": run.settings.false_alarm_rate,
        "folds": {
            name: {key: entry[key] for key in ("threshold", "validation_false_alarm_rate", "epochs", "seconds")}
            for name, entry in result.folds.items()
        },
    }
    write_report(run.path / REPORT, _title(run), _about(run), found, result.judged, result.history)
    write_aside(run.path / METRICS, to_json(found))
    return found


def evaluate_on(run: Run, dataset: Path, out: Path) -> dict[str, Any]:
    """The final model's figures on another dataset; writes metrics.json, report.html and predictions.parquet to `out`.

    Raises:
        DatasetError: other channels, rate, window or classes than the run's.
        LeakError: the dataset has recordings the run was trained on.
    """
    data = fitting(run, read_dataset(dataset, run.settings.target, run.channels))
    rows = np.arange(len(data))
    judged = judge(data, rows, run.detector.answer(data, rows), run.threshold)
    found = {
        "of": f"the final model on {data.name}",
        "dataset": {"name": data.name, "manifest_sha256": data.sha256, "left_out_sensor_faults": data.left_out},
        **figures(judged, run.windows_per_day),
        "false_alarm_rate_asked": run.settings.false_alarm_rate,
    }
    with made_aside(out) as folder:
        judged.frame(rows).to_parquet(folder / "predictions.parquet", index=False)
        (folder / METRICS).write_text(to_json(found))
        about = _about(run) | {"tested on": f"{data.name} (manifest {data.sha256[:12]})"}
        write_report(folder / REPORT, f"{_title(run)}, tested on {data.name}", about, found, judged, {})
    return found


def fitting(run: Run, data: Examples) -> Examples:
    """Another dataset's windows in the run's counts and classes; see `evaluate_on` for what is refused."""
    what = f"{data.name}: does not fit {run.path}"
    if data.sha256 == run.content["dataset"]["manifest_sha256"]:
        raise LeakError(
            f"{data.name} is the dataset {run.path} was trained on; without --dataset its cross-validation is judged"
        )
    if data.counts.shape[1] != run.window:
        raise DatasetError(f"{what}: windows of {data.counts.shape[1]} samples; the run's have {run.window}")
    if (data.rate_hz is None) != (run.rate_hz is None) or (
        data.rate_hz and run.rate_hz and abs(data.rate_hz / run.rate_hz - 1) > 1e-6
    ):
        raise DatasetError(f"{what}: {data.rate_hz} Hz; the run was trained at {run.rate_hz} Hz")
    strange = sorted(set(data.label.tolist()) - set(run.classes))
    if strange:
        raise DatasetError(f"{what}: class {strange[0]} is not among the run's ({', '.join(run.classes)})")
    if len(set(data.label.tolist())) < 2:
        raise DatasetError(f"{what}: only one class ({data.label[0]}); there is nothing to tell it from")
    seen = {digest: name for name, digest in run.content["recordings"].items()}
    for name, digest in data.digests().items():
        if digest in seen:
            raise LeakError(f"{what}: recording {name} has the same samples as {seen[digest]}, which the run has seen")
    counts = data.counts if data.lsb == run.lsb else to_counts(data.physical(), run.lsb)
    return replace(data, counts=counts, lsb=run.lsb, classes=run.classes)


def _title(run: Run) -> str:
    return f"{run.arch} on {run.content['dataset']['name']}, {run.settings.target} target"


def _about(run: Run) -> dict[str, str]:
    """What a report says of the run."""
    s, data = run.settings, run.content["dataset"]
    rate = "without a rate" if run.rate_hz is None else f"at {run.rate_hz:g} Hz"
    return {
        "data": f"{data['name']} (manifest {data['manifest_sha256'][:12]}): {data['windows']} windows of {run.window} x"
        f" {len(run.channels)} ({', '.join(run.channels)}) {rate}; {data['left_out_sensor_faults']} windows with a sensor"
        " fault left out",
        "split": f"{s.folds} folds by recording, stratified; a part of the rest of each stops training and sets the threshold",
        "training": f"at most {s.epochs} epochs, balance: {s.balance}, seed {s.seed}",
        "threshold": f"for {s.false_alarm_rate:.1%} of normal validation windows flagged; final model: {run.threshold:.4g}",
        "versions": ", ".join(f"{name} {v}" for name, v in run.content["versions"].items()),
    }


def _loaded(path: Path) -> Any:
    try:
        return np.load(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); only networks have it") from None
