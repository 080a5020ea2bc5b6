"""Pictures of one run (`simtwin simulate`) and of a dataset (`simtwin inspect`), as PNG files.

Drawn with matplotlib's Agg canvas through its object-oriented interface, whatever the reader's own matplotlib settings:
the same input gives the same bytes with the same matplotlib. Files are written aside and renamed.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from sim import analysis
from sim.errors import SimtwinError

Array = NDArray[np.float64]
Strings = NDArray[np.str_]

DPI = 110
WIDTH_IN = 11.0
_HEADLINE: dict[str, Any] = {"fontsize": 11.0, "fontweight": "bold"}
_ABOVE_NAMES = 32.0  # points from the axes to a title above the names of marks
STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,  # not the grid over the data
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "lines.linewidth": 0.9,
    "legend.frameon": False,
    "figure.titlesize": 13.0,
    "figure.titleweight": "bold",
    "agg.path.chunksize": 20000,
    "image.origin": "lower",
    "image.interpolation": "nearest",
}

# Okabe and Ito's colours, told apart by readers with any of the common colour-vision deficiencies.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, INK, GREY = "#CC79A7", "#56B4E9", "#222222", "#8a8a8a"
AXIS_COLOURS = (BLUE, VERMILLION, GREEN)
_CLASS_COLOURS = {
    "normal": "#5c5c5c", "ok": "#5c5c5c", "imbalance": BLUE, "misalignment": ORANGE, "bearing_wear": VERMILLION,
    "looseness": PURPLE, "fan_blade": GREEN, "bent_shaft": SKY,
    "bearing_outer": "#882255", "bearing_inner": "#332288", "bearing_ball": "#999933",
    "stuck": "#332288", "saturation": "#44AA99", "drift": "#117733", "bias_step": "#999933", "dropout": "#CC6677",
    "spike": "#882255", "axis_swap": "#AA4499", "rate_skew": "#88CCEE",
}  # fmt: skip
# For other names: Tol's "muted" colours, by a checksum of the name, so that a name keeps its colour anywhere.
_OTHER_COLOURS = ("#332288", "#44AA99", "#117733", "#999933", "#CC6677", "#882255", "#AA4499", "#88CCEE", "#DDCC77")
_MARKERS = "osD^vP*X<>"
_MARK_COLOURS = {"BPFO": VERMILLION, "BPFI": BLUE, "2xBSF": GREEN, "BSF": GREEN, "FTF": PURPLE}


class FaultTrack(NamedTuple):
    """Severity of one fault of the machine or of a sensor over the run."""

    name: str
    time_s: Array
    severity: Array

    def share(self) -> Array:
        """Severity over its largest value in the run; zero where there is none."""
        return self.severity / (float(np.max(self.severity, initial=0.0)) or 1.0)


@dataclass(frozen=True)
class RunData:
    """One run at one sensor, as the pictures need it.

    `marks` are orders by name, e.g. `{"1x": 1.0, "BPFO": 3.052, "BPFI": 4.948, "2xBSF": 3.984, "FTF": 0.382}`; the
    bearing names get their sidebands. Two bearings are told apart by a suffix after a blank: `"BPFI fan end"`.
    `fixed_marks_hz` are lines that do not follow the shaft, e.g. `{"2x line": 100.0}`. Where `time_s` leaps, a further
    capture begins: waveform and spectrogram then show the captures joined, the plan shows when they were.
    """

    time_s: Array
    accel_g: Array
    fs_hz: float
    speed_rpm: Array
    title: str
    sensor_id: str
    gyro_dps: Array | None = None
    marks: Mapping[str, float] = field(default_factory=dict)
    fixed_marks_hz: Mapping[str, float] = field(default_factory=dict)
    faults: Sequence[FaultTrack] = ()

    def __post_init__(self) -> None:
        n = len(self.time_s)
        if n < analysis.MIN_ENVELOPE_SAMPLES:
            raise ValueError(f"the run has {n} samples; pictures need at least {analysis.MIN_ENVELOPE_SAMPLES}")
        shapes = {"accel_g": (self.accel_g, (n, 3)), "speed_rpm": (self.speed_rpm, (n,))}
        if self.gyro_dps is not None:
            shapes["gyro_dps"] = (self.gyro_dps, (n, 3))
        for name, (array, allowed) in shapes.items():
            if array.shape != allowed:
                raise ValueError(f"{name} has shape {array.shape}; allowed is {allowed}, as time_s has {n} samples")

    @property
    def joins(self) -> list[int]:
        """First samples of the second and further captures."""
        return [int(i) + 1 for i in np.flatnonzero(np.diff(self.time_s) > 1.5 / self.fs_hz)]

    @property
    def shown_s(self) -> tuple[Array, str]:
        """Time for the axes of joined captures, and its label."""
        if not self.joins:
            return self.time_s, "time (s)"
        return np.arange(len(self.time_s)) / self.fs_hz, f"recorded time (s), {len(self.joins) + 1} captures joined"


@dataclass(frozen=True)
class DatasetSummary:
    """A dataset as the pictures need it: one entry per row of its table, and the samples of some rows.

    `samples` is `(n, length, channels)` in g and deg/s, of the rows `sample_rows` (default: all rows, in order).
    Channels named `accel...` make the spectra; without any, all do. `speed_rpm` and `severity` are NaN where unknown.
    """

    title: str
    fs_hz: float
    channel_names: Sequence[str]
    samples: NDArray[np.float32]
    label: Strings
    fault_kind: Strings
    severity: Array
    speed_rpm: Array
    sensor_state: Strings
    sample_rows: NDArray[np.intp] | None = None
    marks: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.label)
        for name in ("fault_kind", "severity", "speed_rpm", "sensor_state"):
            if len(getattr(self, name)) != rows:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries; allowed is {rows}, one per row")
        count, channels = len(self.rows), len(self.channel_names)
        if self.samples.ndim != 3 or self.samples.shape[::2] != (count, channels) or count == 0:
            allowed = f"({count or 'at least 1'}, length, {channels})"
            raise ValueError(f"samples has shape {self.samples.shape}; allowed is {allowed}")

    @property
    def classes(self) -> list[str]:
        """Labels, `normal` first, the others by name."""
        return sorted({str(name) for name in self.label}, key=lambda name: (name != "normal", name))

    @property
    def rows(self) -> NDArray[np.intp]:
        """The rows that `samples` belong to."""
        return np.arange(len(self.label)) if self.sample_rows is None else self.sample_rows

    def accel_g(self) -> tuple[list[str], Array]:
        """Names of the channels of acceleration, and their samples with time first: `(length, n, channels)`."""
        names = [name for name in self.channel_names if name.startswith("accel")] or list(self.channel_names)
        chosen = [list(self.channel_names).index(name) for name in names]
        return names, np.moveaxis(self.samples[:, :, chosen].astype(np.float64), 1, 0)


def class_colour(name: str) -> str:
    """The colour of a class, fault or sensor state, with or without `sensor: ` before it: the same in every picture."""
    name = name.removeprefix("sensor: ")
    return _CLASS_COLOURS.get(name) or _OTHER_COLOURS[zlib.crc32(name.encode()) % len(_OTHER_COLOURS)]


def plot_run(out_png: Path, run: RunData) -> None:
    """Write the tall overview of a run, all its pictures in one; SimtwinError when it cannot be written."""
    _write(out_png, lambda: run_figure(run))


def plot_run_pictures(out_dir: Path, run: RunData) -> list[Path]:
    """Write `overview.png` and each picture alone: `waveform`, `spectrum`, `envelope`, `spectrogram`.

    Returns the files written; raises SimtwinError when one cannot be written.
    """
    names = ("overview", "waveform", "spectrum", "envelope", "spectrogram")
    for name in names:
        _write(out_dir / f"{name}.png", partial(run_figure, run, [name] if name in _RUN_PICTURES else ()))
    return [out_dir / f"{name}.png" for name in names]


@style.context(["default", STYLE])
def run_figure(run: RunData, pictures: Sequence[str] = ()) -> Figure:
    """The figure with the named pictures below one another; all of them by default."""
    run = replace(run, marks=analysis.merge_marks(run.marks))
    chosen = [_RUN_PICTURES[name] for name in pictures or _RUN_PICTURES]
    heights = [height(run) for _, height in chosen]
    figure = Figure(figsize=(WIDTH_IN, sum(heights) + 0.3), dpi=DPI, layout="constrained")
    figure.suptitle(f"{run.title} - sensor {run.sensor_id}", x=0.01, ha="left")
    parts = figure.add_gridspec(len(chosen), 1, height_ratios=heights)
    for part, (draw, _) in zip(parts, chosen, strict=True):  # type: ignore[call-overload]
        draw(figure, part, run)
    return _settled(figure)


def _draw_plan(_: Figure, part: SubplotSpec, run: RunData) -> None:
    """Speed over the run, and when which fault is present how severely."""
    heights = [1.0, 0.35 * max(len(run.faults), 1)]
    speed, faults = part.subgridspec(2, 1, height_ratios=heights).subplots(sharex=True, squeeze=False)[:, 0]
    speed.set_title("Speed and faults over the run", **_HEADLINE)
    speed.fill_between(*analysis.min_max(run.time_s, run.speed_rpm), color=INK, linewidth=0.9)
    speed.set(ylim=(0, max(1.12 * float(run.speed_rpm.max()), 1.0)), ylabel="speed (rpm)")
    for row, fault in enumerate(run.faults):
        faults.fill_between(fault.time_s, -row, 0.8 * fault.share() - row, color=class_colour(fault.name), linewidth=0)
        faults.axhline(-row, color=GREY, linewidth=0.5)
        largest = f"max {np.max(fault.severity, initial=0.0):.3g}"
        faults.text(1.005, 0.15 - row, largest, transform=faults.get_yaxis_transform(), fontsize=8)
    _name_rows(faults, [fault.name for fault in run.faults])
    faults.set(xlim=run.time_s[[0, -1]], xlabel="time (s)" if run.faults else "time (s) - no faults in this run")


def _draw_waveform(figure: Figure, part: SubplotSpec, run: RunData) -> None:
    """Each channel over the whole run and over a few revolutions."""
    channels = [(f"accel {axis} (g)", run.accel_g[:, i]) for i, axis in enumerate("xyz")]
    if run.gyro_dps is not None:
        channels += [(f"gyro {axis} (deg/s)", run.gyro_dps[:, i]) for i, axis in enumerate("xyz")]
    worst = sum((np.interp(run.time_s, f.time_s, f.share(), 0, 0) for f in run.faults), np.zeros(len(run.time_s)))
    zoom = analysis.worst_turns(run.speed_rpm, run.fs_hz, worst, run.joins)
    time_s, time_label = run.shown_s
    start_s, stop_s = time_s[zoom.start], time_s[zoom.stop - 1]
    grid = part.subgridspec(len(channels), 2, width_ratios=[2.0, 1.0]).subplots(sharex="col", squeeze=False)
    for (label, values), (whole, detail) in zip(channels, grid, strict=True):
        whole.fill_between(*analysis.min_max(time_s, values), color=BLUE, linewidth=0.5)
        whole.axvspan(start_s, stop_s, color=ORANGE, alpha=0.7, linewidth=1)
        whole.set_ylabel(label)
        detail.plot(1e3 * (time_s[zoom] - start_s), values[zoom], color=BLUE)
    grid[0, 0].set_title("Waveform", **_HEADLINE)
    turns = (stop_s - start_s) * run.speed_rpm[zoom].mean() / 60
    grid[0, 1].set(title=f"{turns:.2g} turns, orange on the left", xlim=(0, 1e3 * (stop_s - start_s)))
    grid[-1, 0].set(xlabel=time_label, xlim=time_s[[0, -1]])
    grid[-1, 1].set_xlabel(f"time after {run.time_s[zoom.start]:.4g} s (ms)")
    figure.align_ylabels(grid[:, 0])


def _draw_spectrum(_: Figure, part: SubplotSpec, run: RunData) -> None:
    """Amplitude over orders with the marks, one row per axis, and the density over the sensor's whole band."""
    *rows, whole = part.subgridspec(4, 1, height_ratios=[1.0, 1.0, 1.0, 1.2]).subplots(squeeze=False)[:, 0]
    rows[0].set_title("Spectrum", **_HEADLINE, pad=_ABOVE_NAMES)
    lines = analysis.run_spectrum(run.accel_g, run.speed_rpm, run.fs_hz, run.joins)
    for axes, amplitude in zip(rows, _draw_lines(rows, run, lines, BLUE).T, strict=True):
        limits_g = max(0.3 * float(np.median(amplitude)), 1e-9), max(2.0 * float(amplitude.max()), 1e-8)
        axes.set(ylim=limits_g, yscale="log")
    slowest, fastest = lines.rotation_hz or (1.0, 1.0)
    # A line of fixed frequency covers a range of orders where the speed changes.
    fixed = [_Mark(hz / fastest, hz / slowest, name, SKY, "--") for name, hz in run.fixed_marks_hz.items()]
    _draw_marks(rows, [*(_order_marks(run.marks) if lines.rotation_hz else ()), *fixed])
    frequency_hz, density = analysis.welch_psd(run.accel_g, run.fs_hz, 2048)
    for axis, colour, values in zip("xyz", AXIS_COLOURS, np.sqrt(density[1:-1]).clip(1e-9).T, strict=True):
        whole.semilogy(frequency_hz[1:-1], values, color=colour, label=f"accel {axis}")
    band_hz = analysis.choose_band(run.accel_g, run.fs_hz)
    whole.axvspan(*band_hz, color=ORANGE, alpha=0.18, linewidth=0, label="band of the envelope")
    whole.set(xlim=(0, run.fs_hz / 2), xlabel="frequency (Hz)", ylabel="density (g/√Hz)")
    whole.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4)


def _draw_envelope(_: Figure, part: SubplotSpec, run: RunData) -> None:
    """Spectrum of the envelope over orders, with the bearing's orders and their sidebands."""
    band_hz = analysis.choose_band(run.accel_g, run.fs_hz)
    rows = list(part.subgridspec(3, 1).subplots(squeeze=False)[:, 0])
    headline = "Envelope spectrum, band {:.0f} to {:.0f} Hz".format(*band_hz)
    rows[0].set_title(headline, **_HEADLINE, pad=_ABOVE_NAMES)
    envelope_g = analysis.envelope(run.accel_g, run.fs_hz, band_hz)
    lines = analysis.run_spectrum(envelope_g, run.speed_rpm, run.fs_hz, run.joins)
    for axes, amplitude in zip(rows, _draw_lines(rows, run, lines, INK).T, strict=True):
        axes.set_ylim(0, 1.08 * float(amplitude.max()) or 1.0)
    sidebands = [
        _Mark(at, at, name, _MARK_COLOURS[of.split()[0]], ":") for of, name, at in analysis.sidebands(run.marks)
    ]
    _draw_marks(rows, [*_order_marks(run.marks), *sidebands] if lines.rotation_hz else ())


def _draw_spectrogram(figure: Figure, part: SubplotSpec, run: RunData) -> None:
    """Density over time on the axis that moves most: the whole band, and the range of the orders with speed lines."""
    axis = int(np.argmax(run.accel_g.std(axis=0)))
    shown_s, time_label = run.shown_s
    time_s, _, rotation_hz = analysis.min_max(shown_s, run.speed_rpm / 60)
    at_speed_hz = rotation_hz[rotation_hz > max(0.5 * rotation_hz.max(), 0.02)]
    orders = {"1x": 1.0, **run.marks} if len(at_speed_hz) else {}
    top_hz, nperseg = run.fs_hz / 2, 10.0
    if orders:  # eight turns tell 1x from 2x and still follow a ramp
        top_hz = min(_top_order(run.marks) * float(rotation_hz.max()), top_hz)
        nperseg = np.log2(8 * run.fs_hz / np.median(at_speed_hz)).round()
    whole, low = part.subgridspec(2, 1).subplots(sharex=True, squeeze=False)[:, 0]
    whole.set_title(f"Spectrogram, accel {'xyz'[axis]}", **_HEADLINE)
    _draw_density(figure, whole, run, axis, 256, run.fs_hz / 2)
    _draw_density(figure, low, run, axis, int(2 ** np.clip(nperseg, 7, np.log2(len(run.time_s) / 4) // 1)), top_hz)
    ends = dict(run.fixed_marks_hz)
    for hz in run.fixed_marks_hz.values():
        low.axhline(hz, color=SKY, linewidth=0.8, linestyle=(0, (1, 3)))
    for name, order in orders.items():
        dashes = "-" if name == "1x" else (0, (1, 3))
        low.plot(time_s, order * rotation_hz, color="white", linewidth=0.8, linestyle=dashes)
        ends[name] = order * float(at_speed_hz[-1])  # where it was last at speed, should it end at rest
    named = sorted((hz / top_hz, name) for name, hz in ends.items() if hz <= top_hz)
    places = _spread([height for height, _ in named], [0.055] * len(named))
    for (height, name), beside in zip(named, places, strict=True):
        _label(low, name, (1.0, height), (1.02, beside), INK)
    low.set(ylim=(0, top_hz), xlim=shown_s[[0, -1]], xlabel=time_label)


_RUN_PICTURES: dict[str, tuple[Callable[[Figure, SubplotSpec, RunData], None], Callable[[RunData], float]]] = {
    "plan": (_draw_plan, lambda run: 2.0 + 0.3 * len(run.faults)),
    "waveform": (_draw_waveform, lambda run: 4.2 if run.gyro_dps is None else 7.4),
    "spectrum": (_draw_spectrum, lambda _: 7.4),
    "envelope": (_draw_envelope, lambda _: 5.4),
    "spectrogram": (_draw_spectrogram, lambda _: 6.4),
}


class _Mark(NamedTuple):
    low: float
    high: float
    text: str
    colour: str
    dashes: str


def _top_order(marks: Mapping[str, float]) -> float:
    """The highest order worth showing: beyond the last mark and its sidebands."""
    return max([*marks.values(), 5.0]) * 1.1 + 1.0


def _draw_lines(rows: Sequence[Axes], run: RunData, lines: analysis.RunSpectrum, colour: str) -> Array:
    """A row per axis; returns the amplitudes that show, without the trend at the left end."""
    unit, limit = "frequency (Hz) - the shaft hardly turns", run.fs_hz / 2
    if lines.rotation_hz:
        first_s, last_s = run.time_s[lines.stretch.start], run.time_s[lines.stretch.stop - 1]
        part = f" from {first_s:.4g} to {last_s:.4g} s" if len(run.time_s[lines.stretch]) < len(run.time_s) else ""
        unit, limit = f"order (cycles per revolution){part}", min(_top_order(run.marks), float(lines.at[-1]))
    for axis, axes, amplitude in zip("xyz", rows, lines.amplitude.T, strict=True):
        axes.plot(lines.at, amplitude, color=colour)
        axes.set(xlim=(0, limit), ylabel=f"accel {axis} (g)")
        axes.tick_params(labelbottom=axis == "z")
    rows[-1].set_xlabel(unit)
    return lines.amplitude[(lines.at > 0.02 * limit) & (lines.at <= limit)]


def _order_marks(marks: Mapping[str, float]) -> list[_Mark]:
    return [_Mark(at, at, name, _MARK_COLOURS.get(name.split()[0], GREY), "-") for name, at in marks.items()]


def _draw_marks(rows: Sequence[Axes], marks: Sequence[_Mark], named: bool = True) -> None:
    """Lines (bands where they are wide) through all rows; names above the first row, moved apart where they crowd."""
    left, right = rows[0].get_xlim()
    middles, texts = [], []
    for mark in sorted(marks, key=lambda mark: max(mark.low, left) + min(mark.high, right)):
        low, high = max(mark.low, left), min(mark.high, right)
        if low > high:
            continue
        for axes in rows:
            if high - low > 0.005 * (right - left):
                axes.axvspan(low, high, color=mark.colour, alpha=0.15, linewidth=0, zorder=0.5)
            else:
                axes.axvline(low, color=mark.colour, linestyle=mark.dashes, linewidth=0.9, alpha=0.75, zorder=0.5)
        middles.append(((low + high) / 2 - left) / (right - left))
        text = mark.text if low == high else f"{mark.text} (range)"
        texts.append((text, INK if mark.colour in (GREY, SKY) else mark.colour))
    # In points; laying out will widen the axes by a seventh, and a character of the names takes about five.
    width = 1.15 * rows[0].get_position().width * WIDTH_IN * 72
    above = _spread(middles, [5.0 * (len(text) + 1.5) / width for text, _ in texts])
    for (text, colour), middle, beside in zip(texts, middles, above, strict=True) if named else ():
        _label(rows[0], text, (middle, 1.0), (beside, 1.09), colour)


def _spread(wanted: Sequence[float], widths: Sequence[float]) -> Array:
    """Places near the wanted ones (ascending) where things of these widths do not overlap."""
    at, half = np.array(wanted, dtype=np.float64), np.array(widths, dtype=np.float64) / 2
    for _ in range(300):
        overlap = np.maximum(half[:-1] + half[1:] - np.diff(at), 0.0) / 2
        at[:-1] -= overlap
        at[1:] += overlap
    return at


def _label(axes: Axes, text: str, at: tuple[float, float], beside: tuple[float, float], colour: str) -> None:
    """Text outside the axes with a thin line to the point it names; both in fractions of the axes."""
    line = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0}
    label = axes.annotate(text, at, beside, "axes fraction", fontsize=8, color=colour, arrowprops=line)
    label.set(ha="left" if beside[0] > 1 else "center", va="center" if beside[0] > 1 else "bottom")


def _draw_density(figure: Figure, axes: Axes, run: RunData, axis: int, nperseg: int, limit_hz: float) -> None:
    """An image of the spectrogram in dB, frames averaged down to about a thousand columns."""
    values = run.accel_g[:, axis]
    hop = max(min((len(values) - nperseg) // 800, nperseg // 2), 1)
    frequency_hz, frame_s, density = analysis.spectrogram(values, run.fs_hz, nperseg, hop, max_frames=1000)
    level_db = 10 * np.log10(np.maximum(density[frequency_hz <= limit_hz], 1e-15))
    extent = (*(run.shown_s[0][0] + frame_s[[0, -1]]), -frequency_hz[1] / 2, (len(level_db) - 0.5) * frequency_hz[1])
    low_db, high_db = np.percentile(level_db, [30.0, 99.9])
    image = axes.imshow(level_db, "magma", aspect="auto", vmin=low_db, vmax=max(high_db, low_db + 1), extent=extent)
    axes.set(ylim=(0, limit_hz), ylabel="frequency (Hz)")
    axes.grid(False)
    figure.colorbar(image, ax=axes, label="dB re 1 g²/Hz", pad=0.01, fraction=0.04, aspect=14)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names beside rows of height one, the first row from 0 to 1 and the others below it."""
    axes.set_yticks(0.4 - np.arange(len(names)), names)
    axes.set_ylim(1 - max(len(names), 1), 1)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")


def plot_dataset(out_dir: Path, summary: DatasetSummary) -> list[Path]:
    """Write `counts`, `waveforms`, `spectra`, `envelopes` and `features` as PNG.

    `envelopes` only where windows have 512 samples and some speeds are known. A few hundred windows with samples are
    enough. Returns the files written; raises SimtwinError when one cannot be written.
    """
    pictures = dict.fromkeys(_DATASET_PICTURES)
    if summary.samples.shape[1] < analysis.MIN_ENVELOPE_SAMPLES or not (summary.speed_rpm[summary.rows] > 0).any():
        del pictures["envelopes"]
    for name in pictures:
        _write(out_dir / f"{name}.png", partial(dataset_figure, summary, name))
    return [out_dir / f"{name}.png" for name in pictures]


@style.context(["default", STYLE])
def dataset_figure(summary: DatasetSummary, picture: str) -> Figure:
    """One picture of a dataset: `counts`, `waveforms`, `spectra`, `envelopes` or `features`."""
    draw, height = _DATASET_PICTURES[picture]
    figure = Figure(figsize=(WIDTH_IN, height(summary)), dpi=DPI, layout="constrained")
    figure.suptitle(summary.title, x=0.01, ha="left")
    draw(figure, summary)
    return _settled(figure)


def _draw_counts(figure: Figure, summary: DatasetSummary) -> None:
    """Windows per class and fault kind, and per state of the sensor."""
    kinds: list[tuple[str, str, int]] = []
    for label in summary.classes:
        for kind, count in zip(*np.unique(summary.fault_kind[summary.label == label], return_counts=True), strict=True):
            kinds.append((label if kind in (label, "none", "") else f"{label}: {kind}", label, int(count)))
    found = zip(*np.unique(summary.sensor_state, return_counts=True), strict=True)
    states = sorted(((state, state, int(count)) for state, count in found), key=lambda bar: (bar[0] != "ok", bar[0]))
    panels = figure.subplots(1, 2, width_ratios=[1.4, 1.0])
    for axes, bars, title in zip(panels, (kinds, states), ("per class", "per sensor state"), strict=True):
        names, classes, counts = zip(*bars, strict=True)
        drawn = axes.barh(names, counts, color=[class_colour(name) for name in classes], height=0.7)
        axes.bar_label(drawn, [f"{count:,}" for count in counts], padding=3)
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set(ylim=(max(len(kinds), len(states)) - 0.4, -0.6), xlim=(0, 1.15 * max(counts)))
        axes.set(xlabel="windows", title=f"Windows {title}")


def _draw_waveforms(figure: Figure, summary: DatasetSummary) -> None:
    """Of each class the window of median level, all channels of acceleration, without their means."""
    label = summary.label[summary.rows]
    channels, accel_g = summary.accel_g()
    shown = [name for name in summary.classes if (label == name).any()]
    grid = figure.subplots(len(shown), len(channels), sharex=True, sharey="row", squeeze=False)
    time_ms = 1e3 * np.arange(len(accel_g)) / summary.fs_hz
    for name, row in zip(shown, grid, strict=True):
        members = np.flatnonzero(label == name)
        ranked = members[np.argsort(np.linalg.norm(accel_g[:, members].std(axis=0), axis=-1), kind="stable")]
        typical = int(ranked[len(ranked) // 2])
        window_g = accel_g[:, typical] - accel_g[:, typical].mean(axis=0)
        for axes, values in zip(row, window_g.T, strict=True):
            axes.plot(time_ms, values, color=class_colour(name))
        row[0].set_title(f"{name} - row {summary.rows[typical]}", color=class_colour(name))
        row[0].set_ylabel("g")
    for axes, channel in zip(grid[-1], channels, strict=True):
        axes.set_xlabel(f"{channel}, time (ms)")
    grid[0, 0].set_xlim(0, time_ms[-1])


def _draw_spectra(figure: Figure, summary: DatasetSummary) -> None:
    """Density per class over all axes of acceleration: median and the range of the middle 80 % of windows."""
    frequency_hz, density = analysis.welch_psd(summary.accel_g()[1], summary.fs_hz, 512)
    total = np.sqrt(density.sum(axis=-1))  # (bins, windows): independent of how the sensor is turned
    panels = _class_panels(figure, summary, frequency_hz[1:-1], total[1:-1], summary.label[summary.rows])
    panels[0].set_xlim(0, summary.fs_hz / 2)
    figure.supylabel("density, all axes (g/√Hz)", fontsize=9)
    figure.supxlabel("frequency (Hz)", fontsize=9)


def _draw_envelopes(figure: Figure, summary: DatasetSummary) -> None:
    """Envelope spectrum per class over orders, of the windows whose speed is known."""
    speed_rpm = summary.speed_rpm[summary.rows]
    turning = speed_rpm > 0  # and not NaN
    accel_g = summary.accel_g()[1][:, turning]
    low_hz, high_hz = band_hz = analysis.choose_band(accel_g, summary.fs_hz)
    frequency_hz, amplitude = analysis.envelope_spectrum(accel_g, summary.fs_hz, band_hz)
    total = np.sqrt((amplitude**2).sum(axis=-1))
    orders = np.linspace(0.0, _top_order(summary.marks), 400)[10:]  # without the trend
    values = analysis.over_orders(total, frequency_hz, speed_rpm[turning], orders)
    label, top_pad = summary.label[summary.rows][turning], _ABOVE_NAMES if summary.marks else 6.0
    panels = _class_panels(figure, summary, orders, values, label, top_pad)
    panels[0].set_xlim(0, orders[-1])
    for i, axes in enumerate(panels):
        _draw_marks([axes], _order_marks(summary.marks), named=i < 2)
    figure.supylabel("envelope, all axes (g)", fontsize=9)
    figure.supxlabel(f"order (cycles per revolution), band {low_hz:.0f} to {high_hz:.0f} Hz", fontsize=9)


def _draw_features(figure: Figure, summary: DatasetSummary) -> None:
    """Level against kurtosis of each window; how severities and speeds are spread over the classes."""
    axes = figure.subplot_mosaic([["scatter", "severity"], ["scatter", "speed"]], width_ratios=[1.4, 1.0])
    accel_g, label = summary.accel_g()[1], summary.label[summary.rows]
    kurtosis = np.nan_to_num(analysis.features(accel_g)["kurtosis"], nan=1.0).max(axis=-1)
    scatter = axes["scatter"]
    level_g = np.linalg.norm(accel_g.std(axis=0), axis=-1).clip(1e-6)  # a dead sensor on a logarithmic axis
    for name, marker in zip(summary.classes, cycle(_MARKERS), strict=False):
        at, colour = label == name, class_colour(name)
        scatter.scatter(level_g[at], kurtosis[at], s=16, c=colour, marker=marker, alpha=0.6, linewidth=0, label=name)
    scatter.set(xscale="log", yscale="log", xlabel="level, all axes (g rms)", title="Level and impulsiveness")
    scatter.set_ylabel("kurtosis, largest axis (sine 1.5, noise 3)")
    for scale in (scatter.xaxis, scatter.yaxis):
        scale.set_minor_locator(LogLocator(subs=(2, 5)))
        scale.set_minor_formatter("{x:g}")
        scale.set_major_formatter("{x:g}")
    figure.legend(*scatter.get_legend_handles_labels(), loc="outside lower left", ncols=5)
    _draw_ridges(axes["severity"], summary, summary.severity, "severity, where above 0")
    _draw_ridges(axes["speed"], summary, summary.speed_rpm, "speed (rpm), where known")


def _draw_ridges(axes: Axes, summary: DatasetSummary, values: Array, name: str) -> None:
    """A histogram per class, each to its own height, on common bins."""
    rows = [label for label in summary.classes if (values[summary.label == label] > 0).any()]
    bins = np.histogram_bin_edges(values[values > 0] if rows else np.ones(1), 24)
    for row, label in enumerate(rows):
        count, _ = np.histogram(values[summary.label == label], bins)
        axes.stairs(0.85 * count / count.max() - row, bins, baseline=-row, fill=True, color=class_colour(label))
    _name_rows(axes, rows)
    axes.set_xlabel(name)


_DATASET_PICTURES: dict[str, tuple[Callable[[Figure, DatasetSummary], None], Callable[[DatasetSummary], float]]] = {
    "counts": (_draw_counts, lambda s: 1.5 + 0.28 * max(len(set(s.fault_kind)) + 1, len(set(s.sensor_state)))),
    "waveforms": (_draw_waveforms, lambda s: 0.9 + 1.3 * len(s.classes)),
    "spectra": (_draw_spectra, lambda s: 0.9 + 2.2 * ((len(s.classes) + 1) // 2)),
    "envelopes": (_draw_envelopes, lambda s: 0.9 + 2.5 * ((len(s.classes) + 1) // 2)),
    "features": (_draw_features, lambda s: 4.5 + 0.25 * len(s.classes)),
}


def _class_panels(
    figure: Figure, summary: DatasetSummary, at: Array, values: Array, label: Strings, top_pad: float = 6.0
) -> list[Axes]:
    """A panel per class: median and 10-90 % range of `values` `(len(at), windows)`, the median of `normal` dashed."""
    values = values.clip(1e-9)  # a stuck sensor's zeros on a logarithmic axis
    median = {name: np.nanmedian(values[:, label == name], axis=1) for name in summary.classes if name in label}
    shape = (len(median) + 1) // 2, min(len(median), 2)
    grid = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
    for i, (name, axes) in enumerate(zip(median, grid.flat, strict=False)):
        colour, title = class_colour(name), f"{name} - {int((label == name).sum())} windows"
        axes.fill_between(at, *np.nanpercentile(values[:, label == name], [10, 90], axis=1), color=colour, alpha=0.3)
        axes.semilogy(at, median[name], color=colour)
        if name != "normal" and "normal" in median:
            axes.plot(at, median["normal"], color=class_colour("normal"), linestyle=(0, (3, 2)))
            title += " (dashed: normal)"
        axes.set_title(title, color=colour, pad=top_pad if i < 2 else 6.0)
    if len(median) < grid.size:
        grid[-1, -1].remove()
        grid[-2, -1].tick_params(labelbottom=True)
    return list(grid.flat[: len(median)])


def _settled(figure: Figure) -> Figure:
    """The figure laid out once, places rounded: the layout's solver differs in the last bit from call to call."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 6))
    for text in figure.texts:
        text.set_position(np.round(text.get_position(), 6))  # type: ignore[arg-type]
    return figure


@style.context(["default", STYLE])
def _write(path: Path, draw: Callable[[], Figure]) -> None:
    """Draw and put the file in place whole, or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draw().savefig(aside, format="png", metadata={"Software": None})
        aside.replace(path)
    except OSError as error:
        raise SimtwinError(f"cannot write {path}: {error.strerror}; choose a writable folder") from None
    finally:
        with suppress(OSError):
            aside.unlink()
