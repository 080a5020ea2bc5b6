"""The benchmark's report: `benchmark.md` (also fit for a terminal), `benchmark.json`, `benchmark.png`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.benchmark.summary import ALWAYS, OWN_SHARE
from models.evaluation_report import markdown_table
from models.scores import LEVEL, interval_text
from models.training.crossval import DETECTORS
from sim.dataset.manifest import to_json, write_aside
from sim.plots import BLUE, DPI, GREY, INK, ORANGE, STYLE, VERMILLION, WIDTH_IN

TABLES, CONTENT, PICTURE = "benchmark.md", "benchmark.json", "benchmark.png"

ORIGINAL_ACCURACY = {"lstm": 0.906, "gru": 0.915, "transformer": 0.887}
"""Mean accuracies that the original project reports; on which sets, windows and splits is not known here."""
ORIGINAL_CNC = {"recall before": 0.07, "recall": 0.85, "f1": 0.89}
"""What it reports of its CNC set before and after balance was treated."""
CNC = "54_CNCMachining"
"""The one set of CNC machining that curation keeps; whether it is the original's is not known."""

FREQUENT = ALWAYS[-1]

_NAMES = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1", "auroc": "AUROC"}


def write(found: Mapping[str, Any], folder: Path) -> None:
    """Write the three files of the report."""
    write_aside(folder / TABLES, tables(found))
    draw(found, folder / PICTURE)
    write_aside(folder / CONTENT, to_json(dict(found)))


def tables(found: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    parts = (_head, _means, _beside_the_original, _reasons, _balance, _by_set, _left_out)
    return "\n".join(line for part in parts for line in part(found)).rstrip() + "\n"


def _head(found: Mapping[str, Any]) -> list[str]:
    effort, sets = found["effort"], found["sets"]
    windows = sum(entry["windows"] for entry in sets)
    return [
        "# All models on SmartManuAD", "",
        f"{len(sets)} of the {found['kept_by_curation']} sets that curation keeps, {windows} windows;"
        f" {effort['folds']} folds by blocks of rows, at most {effort['windows']} windows a set and {effort['epochs']} epochs,"
        f" seed {effort['seed']}. Precision, recall and F1 are of the anomalies, 0 where none is called one. Networks and the"
        " random forest say the more probable class; the others flag above a threshold that at most"
        f" {found['settings']['false_alarm_rate']:.0%} of the normal validation windows exceed.", "",
    ]  # fmt: skip


def _means(found: Mapping[str, Any]) -> list[str]:
    lines = [
        f"Brackets: {LEVEL:.0%} bootstrap interval, whole sets drawn anew. One training seed.", ""
    ]  # fmt: skip
    for name, means in found["means"].items():
        count = f"{means['sets']} set{'s' * (means['sets'] != 1)}"
        lines += [f"## Means over {count}" + (f": {name}" if name != "all" else ""), ""]
        rows = [[_title(arch), *_cells(means["models"][arch])] for arch in _by_f1(means)]
        rows += [[f"({name})", *_cells(means["blind"][name])] for name in ALWAYS]
        lines += markdown_table(["model", *_NAMES.values()], rows)
    return lines + [f"- {verdict}" for verdict in found["verdicts"]] + [""]


def _beside_the_original(found: Mapping[str, Any]) -> list[str]:
    means = found["means"]["all"]
    said, rows = [], []
    for arch, theirs in ORIGINAL_ACCURACY.items():
        if arch in means["models"]:
            scores = means["models"][arch]
            own = (interval_text(scores[key]) for key in OWN_SHARE)
            rows.append([arch, f"{theirs:.3f}", interval_text(scores["accuracy"]), interval_text(scores["f1"]), *own])
            said.append(
                f"{arch}: here - original = {scores['accuracy']['value'] - theirs:+.3f}, decided for accuracy alone"
                f" {scores['accuracy_at_own_share']['value'] - theirs:+.3f}"
            )
    if not rows:
        return []
    for name in ("always normal", FREQUENT):
        scores = means["blind"][name]
        rows.append([f"({name})", "-", interval_text(scores["accuracy"]), interval_text(scores["f1"]), "-", "-"])
    head = ["model", "original", "accuracy", "F1", "accuracy, decided for it alone", "F1 of that"]
    lines = ["## Mean accuracy beside the original's", "", *markdown_table(head, rows)]
    return lines + [f"- {line}" for line in said] + [""]


def _reasons(found: Mapping[str, Any]) -> list[str]:
    """Why figures differ, as far as it can be measured here."""
    means, sets = found["means"]["all"], found["sets"]
    blind = means["blind"]
    lines = [
        "## Why figures differ", "",
        "- Which sets, windows, labels of windows and splits the original's means are of is not known. Here: what"
        f" curation keeps of the {found['files']} files of the folder.",
        f"- Accuracy under imbalance: a model that always says normal has a mean accuracy of"
        f" {_value(blind['always normal'])} on these sets, one that says each set's more frequent class"
        f" {_value(blind[FREQUENT])}, with F1 0 and {_value(blind[FREQUENT], 'f1')}.",
    ]  # fmt: skip
    networks = {arch: scores for arch, scores in means["models"].items() if arch in ORIGINAL_ACCURACY}
    if networks and found["settings"]["balance"] != "none":
        said = ", ".join(f"{a} {_value(s)} -> {_value(s, OWN_SHARE[0])} (F1 {_value(s, 'f1')} -> {_value(s, OWN_SHARE[1])})"
                         for a, s in networks.items())  # fmt: skip
        lines.append(
            "- Balance: the networks are trained with classes that count alike, which gives accuracy away for recall. The same"
            f" networks, decided for accuracy alone by multiplying their odds with the set's own: {said}."
        )
    if "random-forest" in means["models"]:
        forest, leaking = means["models"]["random-forest"], found["random_split"]
        lines.append(
            f"- Leaks: with the same windows split at random - neighbours on both sides, no honest figure - the random"
            f" forest's mean accuracy is {_value(leaking)} instead of {_value(forest)}, its F1"
            f" {_value(leaking, 'f1')} instead of {_value(forest, 'f1')}."
        )
    repeated = sum(entry["repeated_windows"] for entry in sets)
    lines.append(f"- {repeated} windows that repeat another bit for bit are left out.")
    lines += [f"- Mended by curation, {name}: {how}." for name, how in found["mended"].items()]
    cut = [entry["name"] for entry in sets if entry["spells_cut"]]
    if cut:
        lines.append(
            f"- In {', '.join(cut)} the anomalies come in so few spells that parts of one spell are on both sides: there the"
            " figures tell how well two stretches of one recording are told apart, not whether a new one would be."
        )
    return [*lines, ""]


def _balance(found: Mapping[str, Any]) -> list[str]:
    if not found["balance"]:
        return [f"{CNC} is not among the sets: nothing can be said of balance on it.", ""]
    share = found["balance"][0]["anomalies"]
    own = next(entry for entry in found["sets"] if entry["name"] == CNC)
    lines = [
        f"## {CNC}: with and without balance", "",
        f"The original reports a recall of {ORIGINAL_CNC['recall before']} before and {ORIGINAL_CNC['recall']} after balance"
        f" was treated, with F1 {ORIGINAL_CNC['f1']}. As curated, {own['anomalies']:.0%} of the windows here are anomalies;"
        f" with anomalies taken out evenly until {share:.0%} are left:", "",
    ]  # fmt: skip
    rows = [
        [_title(arch), f"{entry['anomalies']:.0%}", entry["balance"], *_cells(entry["models"][arch])]
        for arch in found["balance"][0]["models"]
        for entry in [*found["balance"], {**own, "balance": found["settings"]["balance"]}]
    ]
    rows.append(["(always normal)", f"{share:.0%}", "-", *_cells(found["balance"][0]["blind"]["always normal"])])
    return lines + markdown_table(["model", "anomalies", "balance", *_NAMES.values()], rows)


def _by_set(found: Mapping[str, Any]) -> list[str]:
    archs = _by_f1(found["means"]["all"])
    lines = ["## By set", ""]
    rows = [
        [
            entry["name"] + "*" * bool(entry["spells_cut"]),
            entry["labels"],
            str(entry["window_rows"]),
            str(entry["windows"]),
            f"{entry['anomalies']:.1%}",
            str(entry["spells"]),
            _value(entry["blind"]["always normal"], digits=2),
            *(f"{_value(entry['models'][a], digits=2)} / {_value(entry['models'][a], 'f1', 2)}" for a in archs),
        ]
        for entry in found["sets"]
    ]
    head = ["set", "labels", "rows", "windows", "anomalies", "spells", "always normal", *archs]
    lines += ["Accuracy / F1; accuracy of always saying normal. Intervals are in benchmark.json.", ""]
    lines += markdown_table(head, rows)
    lines += ["\\* parts of a spell of anomalies are on both sides of the split.", ""]
    return lines + [f"- {entry['name']}: {entry['trap']}" for entry in found["sets"] if entry["trap"]] + [""]


def _left_out(found: Mapping[str, Any]) -> list[str]:
    return [f"- left out: {reason}" for reason in found["left_out"].values()]


def _by_f1(means: Mapping[str, Any]) -> list[str]:
    """Models, the best first."""
    return sorted(means["models"], key=lambda arch: -means["models"][arch]["f1"]["value"])


def _title(arch: str) -> str:
    return arch + (" (baseline)" if DETECTORS[arch].baseline else "")


def _cells(scores: Mapping[str, Any]) -> list[str]:
    return [interval_text(score if isinstance(score := scores[key], Mapping) else _plain(score)) for key in _NAMES]


def _plain(value: float) -> dict[str, float | None]:
    return {"value": value, "low": None, "high": None}


def _value(scores: Mapping[str, Any], key: str = "accuracy", digits: int = 3) -> str:
    score = scores[key]
    value = score["value"] if isinstance(score, Mapping) else score
    return "-" if value is None else f"{value:.{digits}f}"


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Picture: mean accuracy beside the original's, mean F1, and F1 of every model on every set."""
    means, sets = found["means"]["all"], found["sets"]
    archs = _by_f1(means)
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH_IN, 4.6 + 0.24 * len(sets)), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=[3.4, 1.2 + 0.24 * len(sets)])
        left, right, below = (figure.add_subplot(grid[place]) for place in ((0, 0), (0, 1), (1, slice(None))))
        for axes, score in ((left, "accuracy"), (right, "f1")):
            _points(axes, {arch: means["models"][arch] for arch in archs}, score)
            axes.set(title=f"mean {_NAMES[score]}, {means['sets']} sets", xlim=(0, 1.02))
        theirs = [(a, archs.index(a)) for a in ORIGINAL_ACCURACY if a in archs]
        left.scatter([ORIGINAL_ACCURACY[a] for a, _ in theirs], [y for _, y in theirs], marker="x", color=VERMILLION,
                     label="original", zorder=3)  # fmt: skip
        alone = [
            (scores[OWN_SHARE[0]]["value"], y)
            for y, scores in enumerate(means["models"][arch] for arch in archs)
            if OWN_SHARE[0] in scores
        ]
        left.scatter([x for x, _ in alone], [y for _, y in alone], marker="o", facecolors="none", edgecolors=INK, s=28,
                     label="decided for accuracy alone", zorder=2)  # fmt: skip
        left.axvline(means["blind"]["always normal"]["accuracy"]["value"], color=INK, ls=":", label="always normal")
        left.axvline(means["blind"][FREQUENT]["accuracy"]["value"], color=GREY, ls="--", label=FREQUENT)
        left.legend(loc="lower left")
        _heat(below, sets, archs)
        aside = path.with_name(f".{path.name}")
        figure.savefig(aside, format="png", dpi=DPI, metadata={"Software": None})
    aside.replace(path)


def _points(axes: Axes, models: Mapping[str, Any], score: str) -> None:
    for place, (arch, scores) in enumerate(models.items()):
        value, low, high = (scores[score][end] for end in ("value", "low", "high"))
        spread = None if low is None or high is None else [[max(value - low, 0)], [max(high - value, 0)]]
        axes.errorbar(
            value, place, xerr=spread, fmt="o", ms=4, lw=1.4, color=ORANGE if DETECTORS[arch].baseline else BLUE
        )
    axes.set_yticks(range(len(models)), [_title(arch) for arch in models])
    axes.invert_yaxis()


def _heat(axes: Axes, sets: Sequence[Mapping[str, Any]], archs: Sequence[str]) -> None:
    f1 = np.array([[entry["models"][arch]["f1"]["value"] for arch in archs] for entry in sets], float)
    axes.imshow(f1, cmap="Blues", vmin=0, vmax=1, origin="upper", aspect="auto")
    for (i, j), value in np.ndenumerate(f1):
        axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7.5, color="white" if value > 0.55 else INK)
    axes.set_xticks(range(len(archs)), [_title(arch) for arch in archs], rotation=20, ha="right")
    axes.set_yticks(range(len(sets)), [f"{e['name']}{'*' * bool(e['spells_cut'])} ({e['labels']})" for e in sets])
    axes.set_title("F1 by set")
    axes.grid(visible=False)
