"""The picture of a run: how the machine shook, what was wrong with it, and what the firmware said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from e2e.judge import Alert, Subject, presences
from sim.plots import STYLE

if TYPE_CHECKING:
    from e2e.run import Outcome

_MACHINE, _SENSOR, _LINE = "#c0392b", "#8e6bbf", "#2f5d8a"


@style.context(["default", STYLE])
def draw(outcome: Outcome, path: Path) -> None:
    """Write the picture as PNG."""
    figure = Figure(figsize=(11.0, 6.2), layout="constrained")
    verdict = "passed" if outcome.passed else "FAILED"
    figure.suptitle(f"{outcome.scenario.name}: {verdict}", x=0.01, ha="left")
    vibration, levels, states = figure.subplots(3, 1, sharex=True, height_ratios=[2.2, 1.6, 1.2])
    for level in outcome.levels:
        vibration.plot(level.time_s, level.rms_g, label=level.sensor)
    vibration.set_ylabel("vibration\n(g RMS of 50 ms)")
    vibration.set_ylim(bottom=0)
    if len(outcome.levels) > 1:
        vibration.legend(loc="upper left")
    judged = [(time_s, frame) for time_s, frame in outcome.windows if frame.machine_state is not None]
    if judged:
        threshold = judged[-1][1].threshold
        levels.plot([t for t, _ in judged], [100 * f.level / max(threshold, 1) for _, f in judged], ".", color=_LINE)
        levels.axhline(100, color=_MACHINE, linewidth=0.8)
    levels.set_ylabel("level of a window\n(% of threshold)")
    levels.set_ylim(bottom=0)
    rows = _bars(states, outcome)
    states.set_yticks(range(len(rows)), rows)
    states.set_ylim(len(rows) - 0.4, -0.6)
    states.set_xlabel("time (s)")
    states.set_xlim(0, outcome.duration_s)
    states.grid(axis="y", visible=False)
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


def _bars(axes: Axes, outcome: Outcome) -> list[str]:
    """One row for what was there and one for what was alerted, of machine and sensors; their names."""
    rows: list[str] = []
    colours: dict[Subject, str] = {"machine": _MACHINE, "sensor": _SENSOR}
    for subject, colour in colours.items():
        there = presences(outcome.scenario, subject)
        told = [alert for alert in outcome.alerts if alert.subject == subject]
        if subject == "sensor" and not there and not told:
            continue
        rows.append(f"{subject} fault")
        for presence in there:
            end_s = min(presence.end_s, outcome.duration_s)
            axes.broken_barh([(presence.start_s, end_s - presence.start_s)], (len(rows) - 1.35, 0.7), color="#9a9a9a")
            axes.text(presence.start_s, len(rows) - 1, f" {presence.name}", va="center")
        rows.append(f"{subject} alert")
        for start_s, end_s, state in raised(told, outcome.duration_s):
            axes.broken_barh([(start_s, end_s - start_s)], (len(rows) - 1.35, 0.7), color=colour, alpha=0.75)
            axes.text(start_s, len(rows) - 1, f" {state}", va="center", color="white")
    return rows


def raised(alerts: list[Alert], end_s: float) -> list[tuple[float, float, str]]:
    """Stretches (start, end, state) in which an alert stood, from its frames in time order."""
    stretches: list[tuple[float, float, str]] = []
    standing: dict[str, tuple[float, str]] = {}
    for alert in alerts:
        before = standing.get(alert.source)
        if alert.change == "cleared" or (before is not None and before[1] != alert.state):
            if before is not None:
                stretches.append((before[0], alert.time_s, before[1]))
            standing.pop(alert.source, None)
        if alert.change != "cleared" and alert.source not in standing:
            standing[alert.source] = (alert.time_s, alert.state)
    return [*stretches, *((start, end_s, state) for start, state in standing.values())]
