"""Cross-validation: the same folds for every model, each fold's model and predictions kept, in one process or several."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.baselines import BASELINES
from models.training.dataset import Examples, Ints, examples
from models.training.detector import Answer, Detector, Settings, threshold_for
from models.training.figures import Judged, figures
from models.training.fit import HISTORY, NETWORKS, Network
from models.training.folds import Fold, make_folds
from models.training.workshop import lines_of, made_aside
from sim.dataset.manifest import write_aside
from sim.dataset.workers import WORKER_DIED, start_worker
from sim.errors import DatasetError, ParameterError
from sim.progress import Progress
from sim.seeds import generator

DETECTORS: dict[str, type[Detector]] = {detector.name: detector for detector in (*NETWORKS, *BASELINES)}
"""All models by name, networks first."""

FOLD, PREDICTIONS = "fold.json", "predictions.parquet"
REPRESENTATIVE, VALIDATION = "representative.npy", "validation.npz"
REPRESENTATIVE_WINDOWS = 512
VALIDATION_WINDOWS = 4096
"""Windows of the training and of the validation part that are kept beside a network, at most, for its export."""

_POLL_S = 1.0


@dataclass(frozen=True)
class Job:
    """One model of one fold."""

    arch: str
    fold: Fold
    folder: Path

    @property
    def out(self) -> Path:
        """Where it is kept."""
        return self.folder / self.fold.name

    @property
    def history(self) -> Path:
        """Where its epochs are written while it is at work."""
        return self.folder / f".{self.fold.name}.partial" / HISTORY

    def steps(self, settings: Settings) -> int:
        """Epochs at most; a baseline counts as one."""
        return settings.epochs if issubclass(DETECTORS[self.arch], Network) else 1


@dataclass(frozen=True)
class Result:
    """What a cross-validation found.

    Attributes:
        arch: name of the model.
        judged: what the folds' models said of all windows.
        folds: of each fold: threshold, epochs, seconds, recordings (fold.json).
        history: of each network's fold: epoch by epoch, loss and scores of the training and validation parts.
    """

    arch: str
    judged: Judged
    folds: Mapping[str, Mapping[str, Any]]
    history: Mapping[str, Mapping[str, Sequence[float]]]

    def figures(self, windows_per_day: float | None = None) -> dict[str, Any]:
        """All figures with their intervals; see models/training/figures.py."""
        return figures(self.judged, windows_per_day)


def check_arch(names: Sequence[str]) -> None:
    """Raise ParameterError for a model that is not there."""
    for name in names:
        if name not in DETECTORS:
            raise ParameterError(f"no model {name!r}; there are {', '.join(DETECTORS)}")


def cross_validate(
    windows: NDArray[Any] | Examples,
    labels: Sequence[str] | NDArray[np.str_] | None = None,
    groups: Sequence[str] | NDArray[np.str_] | None = None,
    arch: str = "cnn",
    settings: Settings | None = None,
    *,
    channels: Sequence[str] = (),
    rate_hz: float | None = None,
    name: str = "arrays",
    folder: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Result:
    """Train and test one model on all folds of any windows: of a sensor, or rows of a table.

    Args:
        windows: (n, window, d) finite numbers, or Examples (then without labels and groups).
        labels: (n,) class of each; `normal` must be one.
        groups: (n,) what stays on one side of a split: recordings, or stretches of one that lie apart in time.
        arch: a name of `DETECTORS`.
        settings: None: the defaults. Tables want `scaling="linear"`, and `detrend=False` where levels matter.
        channels: names of the d columns.
        rate_hz: rows a second, where there is a rate.
        name: of the set, for messages.
        folder: where folds are kept, and taken up again after an interruption; None: nowhere.
        workers: processes.
        progress: told (epochs done, epochs in all).

    Raises:
        DatasetError, LeakError, ParameterError: one line that says what to mend.
    """
    settings = settings or Settings()
    check_arch([arch])
    if isinstance(windows, Examples):
        data = windows
    else:
        data = examples(
            windows, [] if labels is None else labels, [] if groups is None else groups, channels=channels,
            rate_hz=rate_hz, name=name,
        )  # fmt: skip
    folds = [fold for fold in make_folds(data, settings.folds, settings.seed) if len(fold.test)]
    with TemporaryDirectory() if folder is None else nullcontext(str(folder)) as place:
        run_jobs(data, [Job(arch, fold, Path(place)) for fold in folds], settings, workers, progress)
        return read_result(Path(place), arch, data.classes)


def read_result(folder: Path, arch: str, classes: Sequence[str]) -> Result:
    """What the finished folds in a folder hold.

    Raises:
        DatasetError: there are none, or one cannot be read.
    """
    import pandas as pd

    places = sorted(path for path in folder.glob("fold-*") if path.is_dir())
    if not places:
        raise DatasetError(f"{folder}: no finished folds in it")
    history: dict[str, dict[str, list[float]]] = {}
    folds, frames = {}, []
    for place in places:
        try:
            folds[place.name] = json.loads((place / FOLD).read_text())
            frames.append(pd.read_parquet(place / PREDICTIONS))
            if (place / HISTORY).exists():
                history[place.name] = {str(k): v.tolist() for k, v in pd.read_csv(place / HISTORY).items()}
        except (OSError, ValueError) as error:
            raise DatasetError(f"{place}: cannot be read ({str(error).splitlines()[0]})") from None
    return Result(arch, Judged.of(pd.concat(frames, ignore_index=True), classes), folds, history)


def run_jobs(
    data: Examples, jobs: Sequence[Job], settings: Settings, workers: int = 1, progress: Progress | None = None,
    *, apart: bool = False,
) -> None:  # fmt: skip
    """Run the jobs that are not finished yet; an interruption keeps what is.

    With `apart` even one worker is a process of its own: what networks leave in memory goes with it.
    """
    missing = [job for job in jobs if not job.out.is_dir()]
    total = sum(job.steps(settings) for job in jobs)
    done = total - sum(job.steps(settings) for job in missing)

    def tell(extra: float) -> None:
        if progress is not None:
            progress(min(done + extra, total), total)

    tell(0)
    if not missing:
        return
    if not apart and (workers <= 1 or len(missing) == 1):
        for job in missing:
            run_job(data, job, settings, lambda epoch, _: tell(epoch))
            done += job.steps(settings)
            tell(0)
        return
    for finished, running in _spread(data, missing, settings, workers):
        done += sum(job.steps(settings) for job in finished)
        tell(lines_of([job.history for job in running]))


def run_job(data: Examples, job: Job, settings: Settings, progress: Progress | None = None) -> None:
    """Fit one model on one fold, set its threshold, and keep what it says of the test part."""
    fold, started = job.fold, time.monotonic()
    seed = int(generator(settings.seed, "train", job.arch, fold.name).integers(2**31))
    detector = DETECTORS[job.arch]()
    with made_aside(job.out) as folder:
        detector.fit(data, fold.train, fold.validation, settings, seed, folder, progress)
        detector.save(folder)
        healthy = fold.validation[data.target[fold.validation] == 0]
        threshold = threshold_for(answer := detector.answer(data, healthy), settings.false_alarm_rate)
        entry = {
            "threshold": threshold,
            "validation_false_alarm_rate": float((answer.level > threshold).mean()),
            "seconds": round(time.monotonic() - started, 1),
            "epochs": lines_of([folder / HISTORY]),
            **{side: sorted(set(data.group[getattr(fold, side)].tolist())) for side in ("validation", "test")},
        }
        if len(fold.test):
            said = detector.answer(data, fold.test)
            judge(data, fold.test, said, threshold).frame(fold.test).to_parquet(folder / PREDICTIONS, index=False)
        elif isinstance(detector, Network):
            _keep_for_export(data, fold, detector, seed, folder)
        write_aside(folder / FOLD, json.dumps(entry, indent=1) + "\n")


def judge(data: Examples, rows: Ints, answer: Answer, threshold: float) -> Judged:
    """What was said of some rows, with what is known of them.

    Distances are divided by the threshold, so that those of several folds' models can be pooled.
    """
    return Judged(
        classes=data.classes,
        truth=data.target[rows],
        verdict=answer.verdicts(threshold),
        anomaly=answer.anomaly if answer.probabilities is not None else answer.anomaly / max(threshold, 1e-300),
        probabilities=answer.probabilities,
        group=data.group[rows],
        kind=data.kind[rows],
        provenance=data.provenance[rows],
        speed_rpm=data.speed_rpm[rows],
        severity=data.severity[rows],
    )


def _keep_for_export(data: Examples, fold: Fold, network: Network, seed: int, folder: Path) -> None:
    draws = generator(seed, "export")
    shown = draws.permutation(fold.train)[:REPRESENTATIVE_WINDOWS]
    held = np.sort(draws.permutation(fold.validation)[:VALIDATION_WINDOWS])
    np.save(folder / REPRESENTATIVE, network.inputs(data, shown))
    np.savez(folder / VALIDATION, inputs=network.inputs(data, held), target=data.target[held], group=data.group[held])


def _spread(
    data: Examples, jobs: Sequence[Job], settings: Settings, workers: int
) -> Iterator[tuple[list[Job], list[Job]]]:
    """Run the jobs in processes; yields (just finished, not finished) at least once a second."""
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(workers, len(jobs)), context, initializer=_begin, initargs=(data, settings))
    try:
        waiting: dict[Future[None], Job] = {pool.submit(_run_own, job): job for job in jobs}
        while waiting:
            done, _ = wait(waiting, _POLL_S, FIRST_COMPLETED)
            finished = [waiting.pop(future) for future in done]
            for future in done:
                future.result()
            yield finished, list(waiting.values())
    except BrokenProcessPool:
        raise DatasetError(WORKER_DIED) from None
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()  # a fold may take minutes yet; what is finished is kept
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_own: tuple[Examples, Settings] | None = None
"""What this worker process works on."""


def _begin(data: Examples, settings: Settings) -> None:
    global _own
    start_worker()
    _own = (data, settings)


def _run_own(job: Job) -> None:
    assert _own is not None
    run_job(_own[0], job, _own[1])
