"""Does augmentation help? The same models on the same splits, with and without it, over several seeds.

The work is cut into jobs - one protocol, fold, arm and seed - that run in processes of one thread each. What a job's
models said is kept in the folder under a key of everything it depends on, so that an interrupted evaluation goes on
where it was, and one after a change runs only what the change touches.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from inspect import getsource
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from threadpoolctl import threadpool_limits

from models.classical import classical
from models.conv import ConvNet
from models.forest import Forest, GatedForest, NormalisedForest
from models.mahalanobis import Mahalanobis
from models.protocols import Protocol
from models.scores import Predictions, pooled
from models.simulated import ABLATIONS, AUGMENTERS, SCENARIOS, TWINS
from models.simulated import __name__ as SIMULATED
from models.splits import Split
from models.windows import LabelledWindows, Task, concatenate, windows_of
from sim.dataset.real import RealRecording
from sim.dataset.workers import WORKER_DIED, start_worker
from sim.errors import DatasetError
from sim.progress import Progress
from sim.seeds import generator

T = TypeVar("T")

Augmenter = Callable[[Sequence[RealRecording], Task, int], LabelledWindows]
"""Given the recordings to train on (at their own rate), the task and a seed: windows to train on beside the real ones."""

Models = dict[str, type[ConvNet] | type[Forest] | type[GatedForest] | type[Mahalanobis]]
MODELS: Models = {model.name: model for model in (ConvNet, Forest, NormalisedForest, GatedForest, Mahalanobis)}

_FOLDER = "runs"
_PACKAGES = ("numpy", "scipy", "scikit-learn", "tensorflow", "tsaug")


@dataclass(frozen=True)
class Arm:
    """What a model is trained on.

    Attributes:
        name: `real`, `classical`, `synthetic`, `hybrid`, ...
        augment: what is added to the real windows; None adds nothing. A function of a module, as it goes to processes.
        brings_faults: whether the added windows hold faults where training has no real one.
        sources: sets of recordings the arm can work on; None: all.
    """

    name: str
    augment: Augmenter | None = None
    brings_faults: bool = False
    sources: frozenset[str] | None = None


REAL = Arm("real")
CLASSICAL = Arm("classical", classical)


def known_arms() -> dict[str, Arm]:
    """All arms by name; the simulated ones work on sets whose machine has a twin among the scenarios."""
    twins = frozenset(TWINS)
    arms = {**AUGMENTERS, **ABLATIONS}
    simulated = [Arm(name, augment, brings_faults=True, sources=twins) for name, augment in arms.items()]
    return {arm.name: arm for arm in (REAL, CLASSICAL, *simulated)}


def chosen_arms(names: str = "") -> list[Arm]:
    """The arms of comma-separated names, all but ablations without; DatasetError for one that is not there."""
    known = known_arms()
    return list(_chosen("arm", names or ",".join(name for name in known if name not in ABLATIONS), known).values())


def chosen_models(names: str = "") -> list[str]:
    """The models of comma-separated names, all without; DatasetError for one that is not there."""
    return list(_chosen("model", names, MODELS))


def _chosen(what: str, names: str, allowed: Mapping[str, T]) -> dict[str, T]:
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(allowed)
    for name in wanted:
        if name not in allowed:
            raise DatasetError(f"no {what} {name!r}; allowed are {', '.join(allowed)}")
    return {name: allowed[name] for name in wanted}


@dataclass(frozen=True)
class Job:
    """One unit of work: the models of one protocol, fold, arm and seed."""

    protocol: Protocol
    fold: int
    arm: Arm
    models: tuple[str, ...]
    seed: int

    def file(self, folder: Path, model: str) -> Path:
        """Where one model's predictions are kept."""
        return folder / _FOLDER / self.protocol.name / f"{self.arm.name}-{model}-fold{self.fold}-seed{self.seed}.npz"


def plan(protocols: Sequence[Protocol], arms: Sequence[Arm], models: Sequence[str], seeds: int) -> list[Job]:
    """The jobs of an evaluation; an arm is left out where it cannot work, a classifier where nothing shows it a fault."""
    jobs = []
    for protocol in protocols:
        recordings = recordings_of(protocol.dataset)
        folds = len(protocol.folds(recordings, 0))
        for arm in arms:
            if arm.sources is not None and not {r.source for r in recordings} <= arm.sources:
                continue
            teaches = protocol.fault_labels or arm.brings_faults
            able = tuple(name for name in models if teaches or name == Mahalanobis.name)
            if able:
                jobs += [Job(protocol, fold, arm, able, seed) for seed in range(seeds) for fold in range(folds)]
    return sorted(jobs, key=lambda job: ([p.name for p in protocols].index(job.protocol.name), job.seed))


def evaluate(
    protocols: Sequence[Protocol],
    arms: Sequence[Arm],
    models: Sequence[str],
    seeds: int,
    folder: Path,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, dict[tuple[str, str], list[Predictions]]]:
    """Run what is not yet kept in `folder`; returns pooled predictions of each seed by protocol, and (arm, model).

    Raises DatasetError for data that is missing, LeakError for a split or an augmenter that leaks.
    """
    jobs = plan(protocols, arms, models, seeds)
    for done, _ in enumerate(_run(jobs, folder, workers), 1):
        if progress is not None:
            progress(done, len(jobs))
    results: dict[str, dict[tuple[str, str], list[Predictions]]] = {protocol.name: {} for protocol in protocols}
    by_seed: dict[tuple[str, str, str, int], list[Mapping[str, Any]]] = {}
    for job in jobs:
        for model in job.models:
            place = (job.protocol.name, job.arm.name, model, job.seed)
            by_seed.setdefault(place, []).append(_load(job.file(folder, model)))
    for (protocol_name, arm, model, _), parts in by_seed.items():
        results[protocol_name].setdefault((arm, model), []).append(pooled(parts))
    return results


def run_job(job: Job, folder: Path) -> None:
    """Train and test the job's models, those that are not kept already, and keep what they said."""
    split = job.protocol.folds(recordings_of(job.protocol.dataset), job.seed)[job.fold]
    keys = {model: _key(job, split, model) for model in job.models}
    missing = [model for model in job.models if _kept(job.file(folder, model)) != keys[model]]
    if not missing:
        return
    task = job.protocol.task
    test = windows_of(split.test, task, task.test_hop).centred()
    train = training_windows(split, job.arm, task, job.seed, job.fold)
    truth = np.array([task.classes.index(name) for name in test.label.tolist()])
    for name in missing:
        with threadpool_limits(1):  # the workers are processes
            predicted, anomaly = predict(name, train, test, task, job.seed)
        path = job.file(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{os.getpid()}-{path.name}")
        np.savez(
            aside, key=keys[name], truth=truth.astype(np.int8), predicted=predicted.astype(np.int8), anomaly=anomaly,
            group=test.group, speed_rpm=test.speed_rpm, trained_on=len(train),
        )  # fmt: skip
        aside.replace(path)


def training_windows(split: Split, arm: Arm, task: Task, seed: int, fold: int = 0) -> LabelledWindows:
    """Real windows and those the arm adds; LeakError when these rest on a recording to test."""
    train = windows_of(split.train, task, task.train_hop)
    if arm.augment is not None:
        own_seed = int(generator(seed, "augment", fold).integers(2**31))
        train = concatenate([train, arm.augment(split.train, task, own_seed)])
    split.check_windows(train)
    return train.centred()


def predict(model: str, train: LabelledWindows, test: LabelledWindows, task: Task, seed: int) -> tuple[Any, Any]:
    """Predicted class (n,), -1 of a model that tells anomalies only, and anomaly (n,): log odds of not normal."""
    fitted = MODELS[model](task, seed).fit(train)
    if isinstance(fitted, Mahalanobis):
        return np.full(len(test), -1), fitted.anomaly(test)
    if isinstance(fitted, GatedForest):
        return fitted.judge(test)
    probability = fitted.probabilities(test)
    normal = np.clip(probability[:, 0], 1e-300, 1.0)
    faulty = np.clip(probability[:, 1:].sum(axis=1), 1e-300, 1.0)
    return probability.argmax(axis=1), np.log(faulty) - np.log(normal)  # ranks as 1 - p(normal), without its rounding


@lru_cache(maxsize=4)
def recordings_of(dataset: str) -> tuple[RealRecording, ...]:
    """All recordings of a set, read once per process; DatasetError when it is not on this machine."""
    from models.datasets.base import open_recordings

    return tuple(open_recordings(dataset))


def _run(jobs: Sequence[Job], folder: Path, workers: int) -> Iterator[None]:
    if workers <= 1:
        for job in jobs:
            run_job(job, folder)
            yield
        return
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker)
    running: list[Future[None]] = []
    try:
        running = [executor.submit(run_job, job, folder) for job in jobs]
        for future in as_completed(running):
            future.result()
            yield
    except BrokenProcessPool:
        raise DatasetError(f"{folder}: {WORKER_DIED}") from None
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _key(job: Job, split: Split, model: str) -> str:
    """SHA-256 of all that a model's predictions depend on: data, split, task, seed, source of the code, versions."""
    augment = job.arm.augment
    content = {
        "train": [_recording(recording) for recording in split.train],
        "test": [_recording(recording) for recording in split.test],
        "task": repr(job.protocol.task),
        "arm": [job.arm.name, _source(augment) if augment else ""],
        "model": [
            model,
            _source(MODELS[model]),
            _source(LabelledWindows),
            getsource(predict),
            getsource(training_windows),
        ],
        "seed": [job.seed, job.fold],
        "versions": _versions(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _recording(recording: RealRecording) -> list[str | float]:
    digest = hashlib.sha256(recording.samples.tobytes()).hexdigest()
    return [recording.id, recording.label, recording.fault_kind, recording.group, recording.speed_rpm, digest]


def _source(thing: Any) -> str:
    """SHA-256 of the module a function or class comes from, and the arguments bound to it."""
    if isinstance(thing, partial):
        return f"{_source(thing.func)} {thing.args!r} {thing.keywords!r}"
    module = importlib.import_module(thing.__module__)
    return _source_of(module.__name__, str(module.__file__))


@lru_cache
def _source_of(module: str, file: str) -> str:
    own = Path(file)
    files = [own]
    if module == Forest.__module__:
        files += [own.with_name("features.py"), own.with_name("mahalanobis.py")]
    elif module == Mahalanobis.__module__:
        files += [own.with_name("features.py")]
    elif module == ConvNet.__module__:
        files += [own.with_name("architectures") / "cnn.py"]
    elif module == SIMULATED:  # rests on all of the twin, and on its scenarios
        root = own.parents[1]
        files += sorted([*(root / "sim").rglob("*.py"), *SCENARIOS.glob("*.yaml")])
    digest = hashlib.sha256()
    for path in files:
        if path.name not in ("cli.py", "plots.py"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache
def _versions() -> tuple[str, ...]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} -")
    return tuple(found)


def _kept(path: Path) -> str:
    """Key of predictions that are kept; "" without."""
    try:
        with np.load(path) as content:
            return str(content["key"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return ""


def _load(path: Path) -> dict[str, Any]:
    with np.load(path) as content:
        return {name: content[name] for name in content.files}
