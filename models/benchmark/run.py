"""Train and test all models on every set that curation keeps; the same call goes on after an interruption.

OUT/ benchmark.md, benchmark.json, benchmark.png; curated/ (what `simtwin data curate --out` writes); sets/, random/ and
balance/ with the folds of every model on every set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from models.benchmark.report import CNC, write
from models.benchmark.rows import Cut, Prepared, prepare, read_curated
from models.benchmark.summary import SetFacts, Tested, scores_of, summarise
from models.curation.folder import INDEX, curate_folder
from models.datasets.smartmanuad import SAMPLED, TRAPS, index
from models.splits import LeakError
from models.training.baselines import RandomForest
from models.training.crossval import DETECTORS, Job, check_arch, read_result, run_jobs
from models.training.detector import Balance, Settings
from models.training.fit import SMOOTHING, Network
from models.training.folds import make_folds
from models.training.run import all_versions
from models.training.workshop import run_workshop
from sim.dataset.manifest import MANIFEST, sha256_of
from sim.errors import DatasetError, ParameterError
from sim.progress import Progress

FORMAT = "simtwin benchmark 1"
WINDOW, WAVEFORM_WINDOW = 32, 256
"""Rows of a window; of the sets that are samples of a vibration, with a rate."""
IMBALANCED = 0.05
"""Share of anomalies to which the CNC set is brought, to see what balance does."""
BALANCES: tuple[Balance, ...] = ("none", "weights", "resample")

Phase = Callable[[str, str], AbstractContextManager[Progress]]
"""Given what is done and in which unit: a context that is told how far it is."""

_CURATED, _SETS, _RANDOM, _BALANCE = "curated", "sets", "random", "balance"


@dataclass(frozen=True)
class Effort:
    """How much work is done.

    Attributes:
        windows: of a set, at most.
        epochs: of a network, at most.
        patience: epochs without a better validation F1 after which training ends.
        folds: of the cross-validation.
        every: of the sets kept, one in so many is taken (and the CNC set).
        seed: of splits, weights and batches.
    """

    windows: int = 1000
    epochs: int = 25
    patience: int = 8
    folds: int = 3
    every: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("windows", 100), ("every", 1)):
            if getattr(self, name) < least:
                raise ParameterError(f"{name} is {getattr(self, name)}; allowed is {least} and more")

    def settings(self, balance: Balance = "weights") -> Settings:
        """Of the training: tables want linear scaling and their levels."""
        return Settings(
            folds=self.folds, epochs=self.epochs, patience=self.patience, batch=32, balance=balance,
            false_alarm_rate=0.05, seed=self.seed, scaling="linear", detrend=False,
        )  # fmt: skip


FULL, QUICK = Effort(), Effort(windows=300, epochs=8, every=4)


@dataclass(frozen=True)
class Trial:
    """Some models on the folds of one set."""

    place: Path
    prepared: Prepared
    archs: tuple[str, ...]
    settings: Settings

    def jobs(self) -> list[Job]:
        """One for each model and fold."""
        return [Job(arch, fold, self.place / arch) for arch in self.archs for fold in self.prepared.folds]

    def tested(self) -> Tested:
        """Scores of the finished models."""
        found, classes = {}, self.prepared.data.classes
        for arch in self.archs:
            alike = _network(arch) and self.settings.balance != "none"
            found[arch] = scores_of(read_result(self.place / arch, arch, classes).judged, SMOOTHING if alike else None)
        return found


def benchmark(
    folder: Path, out: Path, phase: Phase, effort: Effort = FULL, *, archs: Sequence[str] = (), workers: int = 1
) -> dict[str, Any]:
    """Curate a folder of labelled sets, and cross-validate models on each set that is kept.

    Args:
        folder: as `simtwin data curate` reads it.
        out: folder to make.
        phase: shows progress.
        effort: how much is done.
        archs: names of `crossval.DETECTORS`; none: all.
        workers: processes.

    Returns:
        What benchmark.json holds.

    Raises:
        DatasetError, ParameterError: one line that says what to mend.
    """
    archs = tuple(dict.fromkeys(archs)) or tuple(DETECTORS)
    check_arch(archs)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    with run_workshop(out, _plan(folder, archs, effort)) as work:
        if not (work / _CURATED).is_dir():
            with phase("curating", "files") as progress:
                curate_folder(folder, out=work / _CURATED, progress=progress)
        manifest = json.loads((work / _CURATED / MANIFEST).read_text())
        kept = [entry for entry in manifest["sets"] if entry["verdict"] != "refused"]
        chosen = [entry for number, entry in enumerate(kept) if number % effort.every == 0 or entry["name"] == CNC]
        facts, left_out = _facts(folder, work / _CURATED, chosen, effort)
        if not facts:
            rmtree(work / _CURATED)  # there is nothing to go on with
            first = f"; the first: {next(iter(left_out.values()))}" if left_out else ""
            raise DatasetError(f"{folder}: no set in it is fit for the benchmark ({len(kept)} were kept){first}")
        sets = {f.name: Trial(work / _SETS / f.name, f.prepared, archs, effort.settings()) for f in facts}
        random = {name: _at_random(trial, work / _RANDOM / name) for name, trial in sets.items()}
        balance = _balance_trials(work, archs, effort) if CNC in sets else {}
        with phase("training", "epochs") as progress:
            _run([*sets.values(), *random.values(), *balance.values()], workers, progress)
        found = {
            "format": FORMAT,
            "effort": asdict(effort),
            "settings": effort.settings().plain(),
            "versions": all_versions(),
            **summarise(
                facts,
                {name: trial.tested() for name, trial in sets.items()},
                {name: trial.tested()[RandomForest.name] for name, trial in random.items()},
                {name: (trial.prepared.anomalies, trial.tested()) for name, trial in balance.items()},
            ),
            "files": len(manifest["sets"]),
            "kept_by_curation": len(kept),
            "left_out": left_out,
            "mended": _mended(manifest["sets"]),
        }
        write(found, work)
    return found


def _plan(folder: Path, archs: Sequence[str], effort: Effort) -> dict[str, Any]:
    """All that the figures depend on."""
    files = sorted(path for path in folder.iterdir() if path.suffix == ".npz" or path.name == INDEX)
    return {
        "format": FORMAT, "files": {path.name: sha256_of(path) for path in files}, "models": list(archs),
        "effort": asdict(effort), "settings": effort.settings().plain(), "versions": all_versions(),
    }  # fmt: skip


def _facts(
    folder: Path, curated: Path, entries: Sequence[Mapping[str, Any]], effort: Effort
) -> tuple[list[SetFacts], dict[str, str]]:
    """The sets that folds can be made of, and why others are left out."""
    rows = {row["file"]: row for row in index(folder / INDEX).values()} if (folder / INDEX).is_file() else {}
    facts, left_out = [], {}
    for entry in entries:
        row = rows.get(entry["file"])
        number = int(row["id"]) if row else None
        waveform = number in SAMPLED
        cut = Cut(WAVEFORM_WINDOW if waveform else WINDOW, effort.windows, effort.folds, effort.seed, centred=waveform)
        try:
            prepared = prepare(read_curated(curated / f"{entry['name']}.parquet"), cut)
        except (DatasetError, LeakError) as error:
            left_out[entry["name"]] = str(error)
            continue
        labels = {"Real": "real", "Synthetic": "injected"}.get(row["labels"], "not stated") if row else "not stated"
        facts.append(SetFacts(entry["name"], labels, prepared, TRAPS.get(number, "") if number is not None else ""))
    return facts, left_out


def _at_random(trial: Trial, place: Path) -> Trial:
    """The split that leaks, to measure by how much: the same windows, each for itself at random. Random forest only."""
    data = trial.prepared.data
    scattered = replace(data, group=np.array([f"window-{number:06d}" for number in range(len(data))]))
    folds = [fold for fold in make_folds(scattered, trial.settings.folds, trial.settings.seed) if len(fold.test)]
    return Trial(
        place, replace(trial.prepared, data=scattered, folds=tuple(folds)), (RandomForest.name,), trial.settings
    )


def _balance_trials(work: Path, archs: Sequence[str], effort: Effort) -> dict[Balance, Trial]:
    """The CNC set with few anomalies, untreated and treated; models that learn from normal windows alone are left out."""
    classifying = tuple(arch for arch in archs if DETECTORS[arch].classifies)
    cut = Cut(WAVEFORM_WINDOW, effort.windows, effort.folds, effort.seed, centred=True, share=IMBALANCED)
    prepared = prepare(read_curated(work / _CURATED / f"{CNC}.parquet"), cut)
    return {how: Trial(work / _BALANCE / how, prepared, classifying, effort.settings(how)) for how in BALANCES}


def _run(trials: Sequence[Trial], workers: int, progress: Progress) -> None:
    steps = [sum(job.steps(trial.settings) for job in trial.jobs()) for trial in trials]
    total, before = sum(steps), 0
    for trial, own in zip(trials, steps, strict=True):

        def tell(done: float, _: float, before: int = before) -> None:
            progress(before + done, total)

        network = any(map(_network, trial.archs))
        # Hundreds of networks in one process would take gigabytes.
        run_jobs(trial.prepared.data, trial.jobs(), trial.settings, workers if network else 1, tell, apart=network)
        before += own


def _network(arch: str) -> bool:
    return issubclass(DETECTORS[arch], Network)


def _mended(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Sets whose labels were turned over or whose repeated rows were dropped, and how."""
    found = {}
    for entry in entries:
        done = [
            decision["reason"]
            for decision in entry.get("decisions", [])
            if decision["action"] == "changed"
            and (decision["rule"] == "labels" or (decision["rule"] == "duplicates" and _dropped(decision)))
        ]
        if done:
            found[entry["name"]] = "; ".join(done) + (" (refused)" if entry["verdict"] == "refused" else "")
    return found


def _dropped(decision: Mapping[str, Any]) -> bool:
    return bool(decision["after"]["samples"] < decision["before"]["samples"])
