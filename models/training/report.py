"""`report.html` of a run: one file with its pictures inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.scores import LEVEL, REPLICATES, interval_text
from models.training.figures import Judged
from models.training.fit import SCORES
from sim.dataset.manifest import write_aside
from sim.plots import BLUE, GREY, INK, STYLE, VERMILLION

History = Mapping[str, Mapping[str, Sequence[float]]]

NAMES = {
    "f1": "macro-F1",
    "accuracy": "accuracy",
    "precision": "macro precision",
    "recall": "macro recall",
    "loss": "loss (cross-entropy)",
    "pr_auc": "PR-AUC, normal against faults",
    "auroc": "AUROC, normal against faults",
    "detection_f1": "F1 of “not normal”",
    "detection_precision": "precision of “not normal”",
    "detection_rate": "detection rate (recall of “not normal”)",
    "false_alarm_rate": "false-alarm rate",
    "false_alarms_per_day": "false alarms per day",
    "ece": "calibration error of the confidence (ECE)",
}
"""Scores in the order in which they are shown."""

METHOD = (
    f"Brackets: {LEVEL:.0%} interval, bootstrap over recordings within their class ({REPLICATES} replicates, percentiles);"
    " a rate of 0 or 1: exact binomial interval with each recording counted once. Verdicts: normal unless the"
    " probability of “not normal” (or the distance) is above the threshold, else the most probable fault."
)

_CSS = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1000px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; margin: 0.5em 0; } td, th { padding: 0.2em 0.9em 0.2em 0; text-align: left;
vertical-align: top; border-bottom: 1px solid #e4e4e4; } th { font-weight: 600; }
td.n { font-variant-numeric: tabular-nums; white-space: nowrap; }
img { max-width: 100%; }
.method, .about { color: #555; font-size: 0.9em; } .remark { background: #fff6e0; padding: 0.4em 0.8em; }
"""


def write_report(
    path: Path, title: str, about: Mapping[str, str], found: Mapping[str, Any], judged: Judged, history: History
) -> None:
    """Write the report, whole or not at all.

    Args:
        path: file to write.
        title: of the page.
        about: what was done, by name.
        found: the figures (models/training/figures.py).
        judged: the windows they are of.
        history: of each fold: scores by epoch; empty without.
    """
    parts = [f"<h1>{escape(title)}</h1>", _rows(about.items(), "about")]
    parts += [f'<p class="remark">{escape(remark)}</p>' for remark in remarks(found)]
    scores = found["scores"]
    parts += [
        f"<h2>Scores</h2><p>{escape(found['of'])}: {found['windows']} windows of {found['recordings']} recordings.</p>",
        _rows((name, _score(key, scores[key])) for key, name in NAMES.items() if key in scores),
        f'<p class="method">{escape(METHOD)}</p>',
    ]
    if len(found["by_provenance"]) > 1:
        parts += ["<h2>Real and simulated windows apart</h2>", _provenance_table(found["by_provenance"])]
    if any("loss" in columns for columns in history.values()):
        parts += ["<h2>Over the epochs</h2>", _picture(_curves(history))]
        parts += [
            '<p class="method">Thin: each fold. Thick: mean of the folds still at work. Verdicts: most probable class.</p>'
        ]
    parts += ["<h2>Normal against faults</h2>", _picture(_detection(judged))]
    parts += ["<h2>By class</h2>"]
    parts += [_picture(_confusion(found))] if found["confusion"] else []
    parts += [_class_table(found["by_class"])]
    if found["calibration"]:
        parts += ["<h2>Calibration of the confidence</h2>", _picture(_reliability(found))]
    parts += ["<h2>What is detected</h2>", _picture(_rates(found))]
    for key, name in (("by_kind", "kind of fault"), ("by_severity", "severity"), ("by_speed", "speed, rpm")):
        parts += [_rate_table(found[key], name)] if found[key] else []
    page = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title><style>{_CSS}</style>"
    write_aside(path, page + "".join(parts) + "</html>\n")


def remarks(found: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing the figures."""
    said = []
    alarms, asked = found["scores"]["false_alarm_rate"], found["false_alarm_rate_asked"]
    if alarms["value"] is not None and not alarms["low"] <= asked <= alarms["high"]:
        side = "above" if alarms["value"] > asked else "below"
        said.append(
            f"The false-alarm rate is {side} the {asked:.1%} asked for: the threshold is set on a few recordings, and others"
            " differ from them. More normal recordings would help."
        )
    synthetic = sum(row["windows"] for name, row in found["by_provenance"].items() if name != "real")
    if synthetic:
        said.append(
            f"{synthetic} of {found['windows']} tested windows are simulated or hybrid: figures on them say how well the"
            " simulated task is solved, not how well a real machine is watched."
        )
    return said


def _score(key: str, score: Mapping[str, float | None]) -> str:
    return interval_text(score, 0 if key == "false_alarms_per_day" else 3)


def _rows(items: Any, kind: str = "") -> str:
    cells = "".join(f'<tr><td>{escape(a)}</td><td class="n">{escape(b)}</td></tr>' for a, b in items)
    return f'<table class="{kind}">{cells}</table>'.replace('class="n"', "") if kind else f"<table>{cells}</table>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f'<td class="n">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _class_table(by_class: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            name,
            str(row["windows"]),
            str(row["recordings"]),
            *(interval_text(row.get(key)) for key in ("precision", "recall", "f1")),
        ]
        for name, row in by_class.items()
    ]
    return _table(["class", "windows", "recordings", "precision", "recall", "F1"], rows)


def _provenance_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    columns = {
        "f1": "macro-F1", "auroc": "AUROC", "detection_rate": "detection rate", "false_alarm_rate": "false-alarm rate"
    }  # fmt: skip
    cells = [
        [name, str(row["windows"]), str(row["recordings"]), *(interval_text(row.get(key)) for key in columns)]
        for name, row in rows.items()
    ]
    return _table(["windows that are", "windows", "recordings", *columns.values()], cells)


def _rate_table(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """Rates; columns in which nothing is known are left out."""
    columns = {"detection_rate": "detection rate", "false_alarm_rate": "false-alarm rate"}
    shown = [key for key in columns if any(row[key]["value"] is not None for row in rows)]
    cells = [
        [row["name"], str(row["windows"]), str(row["recordings"]), *(interval_text(row[key]) for key in shown)]
        for row in rows
    ]
    return _table([name, "windows", "recordings", *(columns[key] for key in shown)], cells)


def _picture(figure: Figure) -> str:
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
        return f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _axes(columns: int, height_in: float = 3.2, rows: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(11.0, height_in * rows), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def _curves(history: History) -> Figure:
    """Scores of the training and validation parts by epoch."""
    shown = [name for name in SCORES if any(name in columns for columns in history.values())]
    with style.context(["default", STYLE]):
        figure, places = _axes(min(3, len(shown)), 2.6, -(-len(shown) // 3))
        for axes in places[len(shown) :]:
            axes.set_axis_off()
        for axes, name in zip(places, shown, strict=False):
            for prefix, colour, label in (("", BLUE, "training"), ("val_", VERMILLION, "validation")):
                lines = [columns[prefix + name] for columns in history.values() if prefix + name in columns]
                for line in lines:
                    axes.plot(np.arange(1, len(line) + 1), line, color=colour, lw=0.6, alpha=0.35)
                table = np.full((len(lines), max(map(len, lines))), np.nan)
                for row, line in zip(table, lines, strict=True):
                    row[: len(line)] = line
                axes.plot(
                    np.arange(1, table.shape[1] + 1), np.nanmean(table, axis=0), color=colour, lw=1.8, label=label
                )
            axes.set_title(name if name != "f1" else "macro-F1")
            axes.set_xlabel("epoch")
        places[0].legend()
    return figure


def _detection(judged: Judged) -> Figure:
    """ROC, precision over recall, and where the windows lie."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    fault = judged.truth != 0
    with style.context(["default", STYLE]):
        figure, (left, middle, right) = _axes(3)
        if fault.any() and not fault.all():
            false, true, _ = roc_curve(fault, judged.anomaly)
            left.plot(false, true, color=BLUE, lw=1.6)
            precision, recall, _ = precision_recall_curve(fault, judged.anomaly)
            middle.plot(recall, precision, color=BLUE, lw=1.6)
            middle.axhline(fault.mean(), color=GREY, ls=":", label="share of faults")
            middle.legend(loc="lower left")
        left.plot([0, 1], [0, 1], color=GREY, ls=":")
        left.set(title="ROC", xlabel="false-alarm rate", ylabel="detection rate")
        middle.set(title="precision over recall", xlabel="recall", ylabel="precision", ylim=(0, 1.03))
        known = judged.probabilities is not None  # a forest's log odds may be infinite but for rounding
        shown = np.clip(judged.anomaly, -16, 16) if known else np.log10(np.maximum(judged.anomaly, 1e-12))
        low, high = np.quantile(shown, [0.002, 0.998]).tolist()
        edges = np.linspace(low, high + 1e-9, 50).tolist()
        for mask, colour, name in ((~fault, GREY, "normal"), (fault, VERMILLION, "faults")):
            if mask.any():
                right.hist(
                    np.clip(shown[mask], edges[0], edges[-1]), edges, density=True, color=colour, alpha=0.6, label=name
                )
        what = "log odds of “not normal”" if known else "log10 of distance / threshold"
        right.set(title="anomaly", xlabel=what, ylabel="density")
        right.legend()
    return figure


def _confusion(found: Mapping[str, Any]) -> Figure:
    """Confusion matrix: share of each true class, and counts."""
    count = np.array(found["confusion"], float)
    share = count / np.maximum(count.sum(axis=1, keepdims=True), 1)
    names = found["classes"]
    size = 2.2 + 0.55 * len(names)
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(size + 1.2, size), layout="constrained")
        axes = figure.subplots()
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1, origin="upper")
        for (i, j), value in np.ndenumerate(count):
            axes.text(j, i, f"{value:.0f}\n{share[i, j]:.0%}", ha="center", va="center", fontsize=7.5,
                      color="white" if share[i, j] > 0.55 else INK)  # fmt: skip
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="verdict", ylabel="true class")
        axes.grid(visible=False)
    return figure


def _reliability(found: Mapping[str, Any]) -> Figure:
    """Accuracy over confidence, and how many windows have which."""
    bins = found["calibration"]
    confidence, accuracy = [b["confidence"] for b in bins], [b["accuracy"] for b in bins]
    with style.context(["default", STYLE]):
        figure, (left, right) = _axes(2)
        left.plot([0, 1], [0, 1], color=GREY, ls=":", label="well calibrated")
        left.plot(confidence, accuracy, "o-", color=BLUE, ms=4, label=f"ECE {interval_text(found['scores']['ece'])}")
        left.set(title="reliability", xlabel="confidence in the most probable class", ylabel="share that is right")
        left.set(xlim=(0, 1.02), ylim=(0, 1.02))
        left.legend(loc="upper left")
        right.bar(confidence, [b["windows"] for b in bins], width=0.04, color=BLUE)
        right.set(title="windows", xlabel="confidence", xlim=(0, 1.02))
    return figure


def _rates(found: Mapping[str, Any]) -> Figure:
    """Detection rate by kind, severity and speed; false alarms by speed."""
    shown = [
        (key, name)
        for key, name in (("by_kind", "kind"), ("by_severity", "severity"), ("by_speed", "speed, rpm"))
        if found[key]
    ]
    with style.context(["default", STYLE]):
        figure, places = _axes(max(len(shown), 1), 3.4)
        for axes, (key, name) in zip(places, shown, strict=False):
            rows = found[key]
            _points(axes, rows, "detection_rate", BLUE, "detection rate", -0.08)
            if key == "by_speed":
                _points(axes, rows, "false_alarm_rate", VERMILLION, "false-alarm rate", 0.08)
                axes.legend()
            turned = key == "by_kind" or len(rows) > 4
            axes.set_xticks(range(len(rows)), [row["name"] for row in rows], rotation=40 if turned else 0,
                            ha="right" if turned else "center")  # fmt: skip
            axes.set(title=f"by {name}", ylim=(-0.03, 1.03), xlim=(-0.6, len(rows) - 0.4))
            axes.grid(visible=False, axis="x")
        places[0].set_ylabel("share of windows")
    return figure


def _points(axes: Axes, rows: Sequence[Mapping[str, Any]], key: str, colour: str, label: str, shift: float) -> None:
    places = [i for i, row in enumerate(rows) if row[key]["value"] is not None]
    if not places:
        return
    value, low, high = (np.array([rows[i][key][end] for i in places], float) for end in ("value", "low", "high"))
    spread = np.maximum([value - low, high - value], 0.0)
    axes.errorbar(np.array(places) + shift, value, spread, fmt="o", ms=4, lw=1.4, color=colour, label=label)
