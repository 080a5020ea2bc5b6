"""Pictures of a calibration: fit against measurement, a file a channel, a panel a recording."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from sim.calibration.calibration import Fit
from sim.errors import DatasetError
from sim.plots import BLUE, DPI, GREEN, GREY, INK, VERMILLION, WIDTH_IN, _settled, _write

_MOST_PANELS = 8
_NAMED_ORDERS = (1, 2, 3, 4, 6, 8, 10)
_SIGMAS = 2.0


def draw(fit: Fit, folder: Path) -> list[Path]:
    """`fit_CHANNEL.png` for every channel; returns the files.

    Of more than eight recordings the slowest, the fastest and some between are shown.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be written ({error.strerror or error})") from None
    files = []
    for c, name in enumerate(fit.path.setting.channels.names):
        files.append(folder / f"fit_{name}.png")
        _write(files[-1], partial(_channel, fit, c))
    return files


def _shown(fit: Fit) -> list[int]:
    """Recordings to show, by speed."""
    by_speed = np.argsort([h.speed.value for h in fit.healthy], kind="stable")
    if len(by_speed) > _MOST_PANELS:
        by_speed = by_speed[np.unique(np.linspace(0, len(by_speed) - 1, _MOST_PANELS).round().astype(int))]
    return [int(i) for i in by_speed]


def _channel(fit: Fit, c: int) -> Picture:
    shown = _shown(fit)
    columns = 1 if len(shown) == 1 else 2
    rows = -(-len(shown) // columns)
    picture = Picture(figsize=(WIDTH_IN, 0.9 + 2.9 * rows), dpi=DPI, layout="constrained")
    axes = picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    name = fit.path.setting.channels.names[c]
    picture.suptitle(f"{fit.calibration.machine_id}, {name}: fit within {fit.calibration.misfit_db[name]:.1f} dB RMS")
    for i, panel in enumerate(axes.flat):
        if i < len(shown):
            _panel(fit, c, shown[i], panel, first=i == 0)
        else:
            panel.set_visible(False)
    levels = np.array([fit.path.log_density[r, :, c] for r in shown] + [np.log(fit.healthy[r].density[:, c]) for r in shown])
    low, high = (math.exp(0.5 * q) for q in np.nanpercentile(levels, (0.5, 99.5)))
    axes[0, 0].set_ylim(0.3 * low, 4.0 * high)
    hz = fit.path.setting.frequency_hz
    axes[0, 0].set_xlim(min(0.8 * min(fit.healthy[r].speed.value for r in shown), hz[0]), hz[-1] * 1.05)
    for panel in axes[-1]:
        panel.set_xlabel("frequency (Hz)")
    for panel in axes[:, 0]:
        panel.set_ylabel("g/$\\sqrt{\\mathrm{Hz}}$")
    return _settled(picture)


def _panel(fit: Fit, c: int, r: int, panel: Axes, first: bool) -> None:
    healthy, hz = fit.healthy[r], fit.path.setting.frequency_hz
    measured, dof = np.sqrt(healthy.density[:, c]), np.maximum(healthy.dof, 1.0)
    fitted, std = np.exp(0.5 * fit.path.log_density[r, :, c]), 0.5 * np.nan_to_num(fit.path.log_std[r, :, c], nan=0.0)
    scatter = np.exp(_SIGMAS * 0.5 * np.sqrt(2.0 / dof))
    panel.fill_between(hz, measured / scatter, measured * scatter, color=GREY, alpha=0.35, linewidth=0)
    panel.loglog(hz, measured, color=INK, label="measured, lines taken out, 2 $\\sigma$")
    wide = np.exp(_SIGMAS * std)
    panel.fill_between(hz, fitted / wide, fitted * wide, color=VERMILLION, alpha=0.3, linewidth=0)
    panel.loglog(hz, fitted, color=VERMILLION, linewidth=1.4, label="twin, 2 $\\sigma$")
    floor = math.sqrt(fit.path.best.floor[c])
    panel.axhline(floor, color=GREEN, linestyle="--", linewidth=0.9, label="sensor noise")
    for mode in fit.calibration.modes:
        panel.axvline(mode.frequency_hz.value, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
    lines = healthy.lines
    seen = lines.significant[:, c] & (lines.frequency_hz > 0.0)
    at, tall = lines.frequency_hz[seen], np.abs(lines.amplitude[seen, c])
    axis = panel.twinx()
    axis.set_yscale("log")
    axis.vlines(at, 1e-4, tall, color=BLUE, linewidth=1.0, alpha=0.8)
    axis.set_ylim(1e-4, 1e2)
    axis.spines["right"].set_visible(True)
    axis.grid(False)
    axis.tick_params(axis="y", labelsize=7, colors=BLUE)
    axis.set_ylabel("lines (g)", color=BLUE, fontsize=7)
    for x, y, order in zip(at, tall, lines.orders[seen], strict=True):
        if order in _NAMED_ORDERS:
            axis.annotate(f"{order:g}x", (x, y), fontsize=6.5, color=BLUE, ha="center", va="bottom")
    panel.xaxis.set_major_locator(LogLocator(10.0, (1.0, 2.0, 5.0)))
    panel.xaxis.set_major_formatter(ScalarFormatter())
    panel.xaxis.set_minor_formatter(NullFormatter())
    level = fit.calibration.recordings[r].level_db.value
    panel.set_title(f"{healthy.id}: {healthy.speed.rpm:.1f} rpm, {level:+.1f} dB beside the law of growth")
    panel.set_zorder(axis.get_zorder() + 1)
    panel.patch.set_visible(False)
    if first:
        panel.legend(fontsize=7.5, loc="lower left")
