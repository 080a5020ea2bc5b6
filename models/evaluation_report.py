"""The report of an evaluation: `results.json`, `evaluation.md` with the same tables, `evaluation.png`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.mahalanobis import Mahalanobis
from models.protocols import Protocol
from models.scores import (
    LEVEL,
    REPLICATES,
    Interval,
    Predictions,
    Replicates,
    Resampling,
    auroc,
    by_class,
    by_speed,
    interval_text,
)
from models.scores import macro_f1 as macro_f1_of
from sim.dataset.manifest import write_aside
from sim.plots import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, STYLE, VERMILLION

ByArm = Mapping[tuple[str, str], Sequence[Predictions]]

METHOD = (
    f"Scores are of all windows to test, pooled over the folds, means over the seeds. Brackets: {LEVEL:.0%} bootstrap"
    f" interval ({REPLICATES} replicates, percentiles), recordings within their class and seeds resampled independently"
    " in each replicate, windows of a recording together (pigeonhole bootstrap, Owen 2007; n - 1 of n drawn, Rao and Wu"
    " 1988); differences are paired: same recordings, same seeds. * marks one whose interval is clear of zero. AUROC:"
    " 1 - p(normal), or the distance, of normal against all faults."
)

_TITLES = {
    "macro_f1": "macro-F1",
    "auroc": "AUROC",
    "named_f1": "macro-F1 of {named}",
    "named_only_f1": "macro-F1 of {named}, other windows not tested",
}
_COLOURS = {"real": GREY, "classical": SKY, "synthetic": ORANGE, "hybrid": VERMILLION}
_OTHER_COLOURS = (BLUE, GREEN, PURPLE)


def summarise(protocols: Sequence[Protocol], results: Mapping[str, ByArm]) -> dict[str, Any]:
    """All tables of an evaluation as plain data."""
    return {
        "method": METHOD,
        "protocols": {p.name: _protocol(p, results[p.name]) for p in protocols if results[p.name]},
    }


def _protocol(protocol: Protocol, by_arm: ByArm) -> dict[str, Any]:
    classes = protocol.task.classes
    resampling = Resampling(next(iter(by_arm.values())))
    measured = {place: _replicates(protocol, by_seed, resampling) for place, by_seed in by_arm.items()}
    scores = []
    for (arm, model), by_seed in by_arm.items():
        classifies = by_seed[0].predicted is not None
        scores.append(
            {
                "arm": arm,
                "model": model,
                **{name: _plain(r.interval()) for name, r in measured[arm, model].items()},
                "by_class": by_class(by_seed, classes) if classifies else {},
                "by_speed": by_speed(by_seed, len(classes)),
            }
        )
    return {
        "title": protocol.title,
        "dataset": protocol.dataset,
        "classes": list(classes),
        "named_classes": list(protocol.named_classes),
        "remarks": list(protocol.remarks),
        "seeds": len(next(iter(by_arm.values()))),
        "recordings": len(resampling.groups),
        "windows": int(sum(len(p.truth) for p in next(iter(by_arm.values()))) / len(next(iter(by_arm.values())))),
        "scores": scores,
        "differences": _differences(protocol, measured),
    }


def _replicates(protocol: Protocol, by_seed: Sequence[Predictions], resampling: Resampling) -> dict[str, Replicates]:
    found = {}
    if by_seed[0].predicted is not None:
        classes = protocol.task.classes
        found["macro_f1"] = macro_f1_of(by_seed, len(classes), resampling)
        if protocol.named_classes:
            named = [classes.index(name) for name in protocol.named_classes]
            found["named_f1"] = macro_f1_of(by_seed, len(classes), resampling, named)
            found["named_only_f1"] = macro_f1_of(by_seed, len(classes), resampling, named, only=True)
    found["auroc"] = auroc(by_seed, resampling)
    return found


def _differences(
    protocol: Protocol, measured: Mapping[tuple[str, str], Mapping[str, Replicates]]
) -> list[dict[str, Any]]:
    """Each arm against real and classical, model by model; without fault labels also against Mahalanobis on real."""
    rows = []
    for (arm, model), scores in measured.items():
        for base in ("real", "classical"):
            if arm == base or (arm, base) == ("real", "classical") or (base, model) not in measured:
                continue
            for name, replicates in scores.items():
                difference = replicates.minus(measured[base, model][name])
                rows.append({"model": model, "arm": arm, "minus": base, "score": name, **_plain(difference)})
        baseline = measured.get(("real", Mahalanobis.name))
        if not protocol.fault_labels and baseline is not None and model != Mahalanobis.name:
            difference = scores["auroc"].minus(baseline["auroc"])
            rows.append(
                {
                    "model": model,
                    "arm": arm,
                    "minus": f"real, {Mahalanobis.name}",
                    "score": "auroc",
                    **_plain(difference),
                }
            )
    return rows


def _plain(interval: Interval) -> dict[str, float | None]:
    values = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: round(value, 6) if math.isfinite(value) else None for name, value in values.items()}


def tables(summary: Mapping[str, Any]) -> str:
    """The summary as Markdown that is also fit for a terminal."""
    lines = ["# Does augmentation help?", "", METHOD, ""]
    for name, protocol in summary["protocols"].items():
        named = ", ".join(protocol["named_classes"])
        lines += [f"## {name}: {protocol['title']}", ""]
        lines += [
            f"{protocol['windows']} windows of {protocol['recordings']} recordings tested, {protocol['seeds']} seeds.", ""
        ]  # fmt: skip
        lines += [f"- {remark}" for remark in protocol["remarks"]] + [""] * bool(protocol["remarks"])
        columns = [key for key in _TITLES if any(key in row for row in protocol["scores"])]
        rows = [
            [row["model"], row["arm"], *(interval_text(row.get(key)) for key in columns)]
            for row in _in_order(protocol["scores"])
        ]
        lines += markdown_table(["model", "arm", *(_TITLES[key].format(named=named) for key in columns)], rows)
        if protocol["differences"]:
            rows = [
                [
                    row["model"],
                    f"{row['arm']} - {row['minus']}",
                    _TITLES[row["score"]].format(named=named),
                    _signed(row),
                ]
                for row in _in_order(protocol["differences"])
            ]
            lines += ["Paired differences:", "", *markdown_table(["model", "arms", "score", "difference"], rows)]
        classifying = [row for row in _in_order(protocol["scores"]) if row["by_class"]]
        if classifying:
            rows = [
                [row["model"], row["arm"], *(_f1_and_recall(row["by_class"].get(c)) for c in protocol["classes"])]
                for row in classifying
            ]
            lines += ["F1 / recall by class:", "", *markdown_table(["model", "arm", *protocol["classes"]], rows)]
        speeds = sorted({speed for row in protocol["scores"] for speed in row["by_speed"]}, key=float)
        rows = [
            [row["model"], row["arm"], *(_f1_and_auroc(row["by_speed"].get(speed)) for speed in speeds)]
            for row in _in_order(protocol["scores"])
        ]
        lines += ["Macro-F1 / AUROC by speed in rpm:", "", *markdown_table(["model", "arm", *speeds], rows)]
    return "\n".join(lines).rstrip() + "\n"


def _in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of one model together, models and arms in the order they first came."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    return sorted(rows, key=lambda row: models.index(row["model"]))


def _signed(row: Mapping[str, Any]) -> str:
    if row["value"] is None or row["low"] is None:
        return "-"
    clear = row["low"] > 0 or row["high"] < 0
    return f"{row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]{' *' if clear else ''}"


def _f1_and_recall(scores: Mapping[str, float] | None) -> str:
    return f"{scores['f1']:.2f} / {scores['recall']:.2f}" if scores else "-"


def _f1_and_auroc(scores: Mapping[str, float | None] | None) -> str:
    values = [] if scores is None else [scores["macro_f1"], scores["auroc"]]
    return " / ".join("-" if value is None else f"{value:.2f}" for value in values) or "-"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table with columns padded for a terminal: `head` and each row have the same number of cells."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return [line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows), ""]


def draw(summary: Mapping[str, Any], path: Path) -> None:
    """Picture of macro-F1 and AUROC with their intervals: a row per protocol, colours by arm."""
    protocols = summary["protocols"]
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(11.0, 0.6 + 2.3 * len(protocols)), layout="constrained")
        axes = figure.subplots(len(protocols), 2, squeeze=False)
        arms = list(dict.fromkeys(row["arm"] for p in protocols.values() for row in p["scores"]))
        for (name, protocol), (left, right) in zip(protocols.items(), axes, strict=True):
            _points(left, protocol["scores"], "macro_f1", arms)
            _points(right, protocol["scores"], "auroc", arms)
            left.set_title(f"{name}: {protocol['title']}", fontsize=8.5)
            left.set_ylabel("macro-F1")
            right.set_ylabel("AUROC")
        handles = [axes[0][0].scatter([], [], color=_colour(arm, arms), label=arm) for arm in arms]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(arms))
        aside = path.with_name(f".{path.name}")
        figure.savefig(aside, format="png", dpi=110, metadata={"Software": None})
    aside.replace(path)


def _points(axes: Axes, scores: Sequence[Mapping[str, Any]], key: str, arms: Sequence[str]) -> None:
    rows = [row for row in scores if key in row and row[key]["value"] is not None]
    models = list(dict.fromkeys(row["model"] for row in rows))
    for row in rows:
        place = models.index(row["model"]) + (arms.index(row["arm"]) - (len(arms) - 1) / 2) * 0.7 / len(arms)
        value = row[key]["value"]
        low, high = (value if row[key][end] is None else row[key][end] for end in ("low", "high"))
        spread = [[max(value - low, 0.0)], [max(high - value, 0.0)]]
        axes.errorbar(place, value, spread, fmt="o", ms=4, lw=1.4, color=_colour(row["arm"], arms))
    axes.set_xticks(range(len(models)), models)
    axes.set_xlim(-0.6, max(len(models) - 0.4, 0.6))
    axes.grid(visible=False, axis="x")


def _colour(arm: str, arms: Sequence[str]) -> str:
    others = [name for name in arms if name not in _COLOURS]
    return _COLOURS.get(arm) or _OTHER_COLOURS[others.index(arm) % len(_OTHER_COLOURS)]


def write(summary: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the three files of the report; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in ("evaluation.md", "results.json", "evaluation.png")]
    write_aside(files[0], tables(summary))
    write_aside(files[1], json.dumps(summary, indent=1) + "\n")
    draw(summary, files[2])
    return files
