"""Several models on the same folds of one dataset: one table, and which differences are more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.evaluation_report import markdown_table
from models.scores import Interval, Replicates, interval_text
from models.training.crossval import DETECTORS, Job, Result, check_arch, read_result, run_jobs
from models.training.dataset import Examples, count_table, read_dataset
from models.training.detector import Settings
from models.training.figures import Bootstrap, figures, plain
from models.training.folds import make_folds
from models.training.run import all_versions, plan
from models.training.workshop import run_workshop
from sim.dataset.manifest import to_json, write_aside
from sim.errors import ParameterError
from sim.progress import Progress

COMPARISON, TABLE = "comparison.json", "comparison.md"

_COLUMNS = {
    "f1": "macro-F1", "accuracy": "accuracy", "precision": "precision", "recall": "recall", "detection_f1": "F1 not normal",
    "pr_auc": "PR-AUC", "auroc": "AUROC", "false_alarm_rate": "false alarms",
}  # fmt: skip


def compare(
    dataset: Path | Examples,
    archs: Sequence[str],
    out: Path,
    settings: Settings | None = None,
    *,
    channels: Sequence[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Cross-validate several models on the same folds; the same call goes on after an interruption.

    Args are those of `train`, with several models. Writes comparison.json and comparison.md, and a folder of folds for
    each model.

    Raises:
        DatasetError, LeakError, ParameterError: one line that says what to mend.
    """
    settings = settings or Settings()
    archs = list(dict.fromkeys(archs))
    check_arch(archs)
    if len(archs) < 2:
        raise ParameterError(f"a comparison needs two models or more; there are {', '.join(DETECTORS)}")
    data = read_dataset(dataset, settings.target, channels) if isinstance(dataset, Path) else dataset
    folds = [fold for fold in make_folds(data, settings.folds, settings.seed) if len(fold.test)]
    with run_workshop(out, plan(data, archs, settings)) as folder:
        jobs = [Job(arch, fold, folder / arch) for arch in archs for fold in folds]
        run_jobs(data, jobs, settings, workers, progress)
        results = [read_result(folder / arch, arch, data.classes) for arch in archs]
        found = {
            "dataset": {"name": data.name, "manifest_sha256": data.sha256, "by_class": count_table(data)},
            "settings": settings.plain(),
            "versions": all_versions(),
            **summarise(results),
        }
        write_aside(folder / TABLE, table(found))
        write_aside(folder / COMPARISON, to_json(found))
    return found


def summarise(results: Sequence[Result]) -> dict[str, Any]:
    """Models ordered by macro-F1, paired differences, and what they mean in words.

    Models that only tell anomalies, of a task with several classes, come behind, by the F1 of "not normal".
    """
    scores = {result.arch: Bootstrap(result.judged).scores() for result in results}
    order = sorted(
        scores, key=lambda arch: [scores[arch][n].value if n in scores[arch] else -1 for n in ("f1", "detection_f1")]
    )
    order.reverse()
    models = []
    for arch in order:
        result = next(r for r in results if r.arch == arch)
        found = figures(result.judged)
        models.append(
            {
                "model": arch,
                "baseline": DETECTORS[arch].baseline,
                "scores": found["scores"],
                "by_class": found["by_class"],
                "seconds": round(sum(entry["seconds"] for entry in result.folds.values()), 1),
            }
        )
    differences = [
        {"model": a, "minus": b, "score": score, **plain(scores[a][score].minus(scores[b][score]))}
        for number, a in enumerate(order)
        for b in order[number + 1 :]
        if (score := _shared(scores[a], scores[b]))
    ]
    return {"models": models, "differences": differences, "verdicts": verdicts(order, scores)}


def _shared(a: Mapping[str, Replicates], b: Mapping[str, Replicates]) -> str:
    """The score two models are compared by."""
    return "f1" if "f1" in a and "f1" in b else "detection_f1"


def verdicts(order: Sequence[str], scores: Mapping[str, Mapping[str, Replicates]]) -> list[str]:
    """What the differences mean: who shares the first place, and how each network stands to the best baseline."""
    first, said = order[0], []
    for other in order[1:]:
        score = _shared(scores[first], scores[other])
        difference = scores[first][score].minus(scores[other][score])
        noise = "" if difference.clear_of_zero() else ": within noise"
        said.append(f"{first} - {other}: {_signed(difference)} {_COLUMNS[score]}{noise}")
    for network in (arch for arch in order if not DETECTORS[arch].baseline):
        loses, level = list[str](), list[str]()
        for baseline in (arch for arch in order if DETECTORS[arch].baseline):
            score = _shared(scores[network], scores[baseline])
            difference = scores[network][score].minus(scores[baseline][score])
            by = f"{baseline} ({_signed(difference)} {_COLUMNS[score]})"
            if difference.high < 0:
                loses.append(by)
            elif not difference.low > 0:
                level.append(by)
        said += [f"{network} LOSES to the baselines: {', '.join(loses)}"] if loses else []
        said += [f"{network} does not beat, within noise, the baselines: {', '.join(level)}"] if level else []
    return said


def _signed(difference: Interval) -> str:
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"


def table(found: Mapping[str, Any]) -> str:
    """The comparison as Markdown that is also fit for a terminal."""
    models = found["models"]
    columns = [key for key in _COLUMNS if any(key in row["scores"] for row in models)]
    rows = [
        [
            row["model"] + (" (baseline)" if row["baseline"] else ""),
            *(interval_text(row["scores"].get(key)) for key in columns),
        ]
        for row in models
    ]
    lines = markdown_table(["model", *(_COLUMNS[key] for key in columns)], rows)
    return "\n".join([*lines, *(f"- {verdict}" for verdict in found["verdicts"])]) + "\n"
