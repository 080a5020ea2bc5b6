"""Pictures of a report, as SVG texts: spectra by class, distances, where windows lie in feature space, severities."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from sim import analysis
from sim.dataset.real import REAL
from sim.dataset.report.measure import Comparison, Measured
from sim.dataset.report.samples import Dataset, Sample, spread
from sim.plots import (
    _ABOVE_NAMES,
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
    WIDTH_IN,
    _draw_marks,
    _order_marks,
    _settled,
    _spread,
    _top_order,
    class_colour,
)  # fmt: skip
from sim.scenario.schema import NORMAL

Floats = NDArray[np.float64]

_SVG: dict[str, Any] = {
    **STYLE,
    "svg.hashsalt": "simtwin",
    "svg.fonttype": "none",  # texts as texts: a third of the size; where DejaVu Sans is missing, other fonts are narrower
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
}
_STYLES = {  # colour and marker of each origin; Okabe and Ito's colours, and never told apart by colour alone
    "hybrid": (VERMILLION, "^"), "hybrid, not calibrated": (ORANGE, "v"), "twin, calibrated": (BLUE, "s"),
    "twin, not calibrated": (SKY, "D"), "carried fault": (GREEN, "<"), "synthetic": (PURPLE, "P"),
}  # fmt: skip
_OTHER_STYLE = ("#882255", "X")
_ENVELOPE_BAND = (0.4, 0.95)  # of the Nyquist frequency: above the lines, where bearings ring; as the features have it
_TOP = 0.95  # of the Nyquist frequency: beyond, the filter before resampling has taken everything away
_LOW_ORDER = 0.4  # below, a window holds no whole turn to speak of
_EXACT_BINS, _BANDS = 60, 90  # bins drawn one by one; bands above them, evenly spaced on the logarithmic axis
_NAMES_ABREAST = 60.0  # characters that fit above a panel
_UPRIGHT_NAMES = 64.0  # points from the axes to a title above upright names
_POINTS_DPI = 160  # of points in the map, which are too many to be drawn one by one
_LARGE = 64  # points of a class and origin in the map of the feature space


@dataclass(frozen=True)
class Picture:
    """A picture: the SVG's text, and what it shows in words."""

    svg: str
    alt: str


def style_of(origin: str) -> tuple[str, str]:
    """Colour and marker of an origin."""
    return _STYLES.get(origin, _OTHER_STYLE)


@style.context(["default", _SVG])
def to_svg(draw: Callable[[], Figure]) -> str:
    """The SVG of a figure: the same text for the same figure."""
    buffer = io.StringIO()
    _settled(draw()).savefig(buffer, format="svg", dpi=_POINTS_DPI, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    # Tenths of a point are finer than anyone sees, and nobody reads the blanks: half the size.
    text = re.sub(r' (d|x|y)="[^"]*"', lambda found: _short(found[0]), text)
    return re.sub(r"<!--.*?-->\s*|(?<=\n) +", "", text)


def _short(attribute: str) -> str:
    text = re.sub(r"(\.\d)\d+", r"\1", attribute)
    return re.sub(r"\s*([MLCQz])\s*", r"\1", text).replace(" -", "-") if attribute.startswith(" d=") else text


def distances(measured: Measured) -> Picture:
    """MMD^2 and the classifier's AUC of every class and origin."""
    means = "; ".join(f"{origin} {value:.2f}" for origin, value in mean_distances(measured).items())
    return Picture(
        to_svg(lambda: distances_figure(measured)),
        f"Dots: MMD squared and domain-classifier AUC of each class, by origin. Mean MMD squared: {means}. All figures are in"
        " the table below.",
    )


def mean_distances(measured: Measured) -> dict[str, float]:
    """Mean MMD^2 of each origin over its classes."""
    found = measured.comparisons.values()
    return {origin: float(np.mean([c.mmd.squared for c in found if c.origin == origin])) for origin in measured.origins}


def distances_figure(measured: Measured) -> Figure:
    """Left MMD^2 with what chance reaches, right AUC; a row for each class."""
    names = list(dict.fromkeys(name for name, _ in measured.comparisons))
    figure = Figure(figsize=(WIDTH_IN, 1.2 + (0.2 + 0.11 * len(measured.origins)) * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    step = 0.7 / max(len(measured.origins), 1)
    for i, origin in enumerate(measured.origins):
        colour, marker = style_of(origin)
        for row, name in enumerate(names):
            found = measured.comparisons.get((name, origin))
            if found is None:
                continue
            at = row + (i - (len(measured.origins) - 1) / 2) * step
            left.plot([0.0, found.mmd.null_95], [at, at], color=colour, linewidth=5, alpha=0.3, solid_capstyle="butt")
            left.plot(found.mmd.squared, at, marker, color=colour, markersize=6)
            if found.auc is not None:
                right.plot([found.auc.low, found.auc.high], [at, at], color=colour, linewidth=1.2)
                right.plot(found.auc.mean, at, marker, color=colour, markersize=6)
        left.plot([], [], marker, color=colour, label=origin)
    left.set(
        xlabel="MMD² (bar: 95 % of chance, recordings dealt at random)", title="Kernel distance from the real windows"
    )
    left.set_xlim(left=min(left.get_xlim()[0], -0.02))
    right.set(
        xlabel="AUC (line: range over the folds)", title="Classifier that tells them from real ones", xlim=(-0.02, 1.04)
    )
    right.axvline(0.5, color=GREY, linestyle=(0, (3, 2)))
    right.annotate(
        "cannot tell", (0.5, 1.0), (3, -9), "axes fraction", textcoords="offset points", fontsize=8, color=INK
    )
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.4, -0.6)
    figure.legend(loc="outside upper left", ncols=len(measured.origins))
    return figure


def spectra(measured: Measured, name: str) -> Picture:
    """Spectra and envelope spectra of a class, real against each origin, at one speed."""
    shown = _shown(measured, name)
    figure = to_svg(lambda: _spectra_figure(measured.dataset, shown))
    first = next(iter(shown.values()))
    speed = f" at {first.rpm:.0f} rpm" if np.isfinite(first.rpm) else ""
    parts = []
    for origin, side in shown.items():
        over_db = 20.0 * np.log10(side.synthetic_density / side.real_density)
        parts.append(
            f"the median of {origin} lies {np.median(over_db):+.1f} dB from the real one, {_worst(over_db, side)}"
        )
    return Picture(figure, f"Spectra and envelope spectra of {name}{speed}: {'; '.join(parts)}.")


def _worst(over_db: Floats, side: _Shown) -> str:
    at = int(np.abs(over_db).argmax())
    return f"farthest {over_db[at]:+.0f} dB at {side.axis[at]:.3g} {'orders' if np.isfinite(side.rpm) else 'Hz'}"


@dataclass(frozen=True)
class _Shown:
    """The windows of a pair at one speed, and their median densities."""

    rpm: float
    real: Sample
    synthetic: Sample
    axis: Floats
    real_density: Floats
    synthetic_density: Floats


def _shown(measured: Measured, name: str) -> dict[str, _Shown]:
    """For each origin the windows at the speed that most of all origins' windows share."""
    pairs = {origin: measured.pairs[name, origin] for origin in measured.origins if (name, origin) in measured.pairs}
    windows = {
        number: [int((pair.real.level == number).sum()) for pair in pairs.values()]
        for number in sorted({int(n) for pair in pairs.values() for n in pair.real.level})
    }
    # The speed that most origins have, with the most windows of the poorest one; of about equal ones the middle one.
    rank = {number: (len(having := [n for n in counts if n]), min(having)) for number, counts in windows.items()}
    best = max(rank.values())
    enough = [number for number, (origins, least) in rank.items() if origins == best[0] and least >= 0.7 * best[1]]
    chosen = enough[len(enough) // 2]
    rpm = float(np.median(np.concatenate([_at(pair.real, chosen).speed_rpm for pair in pairs.values()])))
    shown = {}
    for origin, pair in pairs.items():
        real, synthetic = (_at(sample, chosen) for sample in (pair.real, pair.synthetic))
        if len(real.x) == 0:
            continue
        axis, densities = _densities(measured.dataset, [real, synthetic], rpm)
        medians = [np.median(density, axis=1) for density in densities]
        shown[origin] = _Shown(rpm, real, synthetic, axis, medians[0], medians[1])
    return shown


def _at(sample: Sample, level: int) -> Sample:
    rows = sample.level == level
    return Sample(sample.x[rows], sample.speed_rpm[rows], sample.recording[rows], sample.level[rows])


def _accelerations(dataset: Dataset, sample: Sample) -> Floats:
    """Channels of acceleration (all, if there is none), time first: (length, n, channels)."""
    chosen = [i for i, name in enumerate(dataset.channels) if "accel" in name] or list(range(len(dataset.channels)))
    return np.moveaxis(sample.x[:, :, chosen].astype(np.float64), 1, 0)


def _densities(dataset: Dataset, samples: Sequence[Sample], rpm: float) -> tuple[Floats, list[Floats]]:
    """Axis (bands,) in orders of `rpm` or in Hz, and amplitude densities (bands, n) of all channels together."""
    axis, found = np.empty(0), []
    low = _LOW_ORDER if np.isfinite(rpm) else 0.0
    for sample in samples:
        x = _accelerations(dataset, sample)
        frequency_hz, power = analysis.welch_psd(x, dataset.rate_hz, len(x))
        kept = slice(1, int(_TOP * len(frequency_hz)))
        axis, power = _over_orders(frequency_hz[kept], power.sum(axis=2)[kept], sample.speed_rpm, rpm)
        axis, power = _banded(axis[axis >= low], power[axis >= low])
        found.append(np.sqrt(power).clip(1e-9))
    return axis, found


def _over_orders(frequency_hz: Floats, values: Floats, speed_rpm: Floats, rpm: float) -> tuple[Floats, Floats]:
    """Values (bins, n) over orders, each window at its own speed; over Hz where there is no speed."""
    if not np.isfinite(rpm):
        return frequency_hz, values
    orders = frequency_hz * 60.0 / rpm
    read = analysis.over_orders(values, frequency_hz, speed_rpm, orders)
    return orders, np.where(np.isnan(read), values[-1], read)


def _banded(axis: Floats, power: Floats) -> tuple[Floats, Floats]:
    """Low bins as they are, higher ones averaged in bands as wide as a logarithmic axis can show."""
    edges = np.unique(
        np.concatenate([np.arange(min(_EXACT_BINS, len(axis))), np.geomspace(_EXACT_BINS, len(axis), _BANDS).round()])
    ).astype(int)
    edges = edges[edges < len(axis)]
    widths = np.diff([*edges, len(axis)])
    middles = np.add.reduceat(axis, edges) / widths
    return middles, np.add.reduceat(power, edges, axis=0) / widths[:, None]


def spectra_figure(measured: Measured, name: str) -> Figure:
    """A row for each origin: densities on the left, envelope spectra on the right."""
    return _spectra_figure(measured.dataset, _shown(measured, name))


def _spectra_figure(dataset: Dataset, shown: Mapping[str, _Shown]) -> Figure:
    rows, first = len(shown), next(iter(shown.values()))
    turns = np.isfinite(first.rpm)
    marks = analysis.merge_marks(dataset.orders or {"1x": 1.0, "2x": 2.0, "3x": 3.0}) if turns else {}
    crowded = sum(len(name) + 1.5 for name in marks) > _NAMES_ABREAST
    above_in = 0.3 + (_UPRIGHT_NAMES if crowded else _ABOVE_NAMES) / 72
    height_in = above_in + 0.5 + 2.0 * rows
    figure = Figure(figsize=(WIDTH_IN, height_in))
    figure.subplots_adjust(0.07, 0.5 / height_in, 0.99, 1.0 - above_in / height_in, wspace=0.16, hspace=0.12)
    grid = figure.subplots(rows, 2, squeeze=False, sharex="col", sharey="col", width_ratios=[1.25, 1.0])
    for (origin, side), (whole, envelope) in zip(shown.items(), grid, strict=True):
        colour = style_of(origin)[0]
        _, densities = _densities(dataset, [side.real, side.synthetic], side.rpm)
        _bands(whole, side.axis, dict(zip((REAL, origin), densities, strict=True)), colour)
        whole.set(xscale="log", yscale="log", xlim=(side.axis[0], side.axis[-1]), ylabel=f"{_unit(dataset)}/√Hz")
        whole.legend(loc="upper left", fontsize=8, ncols=2)
        _draw_envelopes(envelope, dataset, side, origin, colour)
    grid[0, 0].set_ylim(top=6.0 * grid[0, 0].get_ylim()[1])  # room for the legend
    grid[0, 0].xaxis.set_major_formatter("{x:g}")
    grid[0, 0].yaxis.set_major_formatter("{x:g}")
    pad = 72 * above_in - 18.0 if turns else 6.0
    grid[0, 0].set_title("Spectrum, all axes", pad=pad)
    grid[0, 1].set_title("Envelope spectrum, all axes", pad=pad)
    for column, band in enumerate(("", _band_text(dataset))):
        axis_name = (
            f"order (1x is {first.rpm / 60.0:.3g} Hz, {first.rpm:.0f} rpm){band}" if turns else f"frequency (Hz){band}"
        )
        grid[-1, column].set_xlabel(axis_name)
    if turns:
        _draw_marks(list(grid[:, 1]), _order_marks(marks), named=not crowded)
        if crowded:
            _name_upright(grid[0, 1], marks)
        for order in (1, 2, 3, 10, 30):
            if first.axis[0] <= order <= first.axis[-1]:
                for axes in grid[:, 0]:
                    axes.axvline(order, color=GREY, linewidth=0.9, zorder=0.5)
                grid[0, 0].annotate(
                    f"{order}x", (order, 1.0), (0, 4), ("data", "axes fraction"), textcoords="offset points", ha="center",
                    fontsize=8, color=INK,
                )  # fmt: skip
    return figure


def _name_upright(axes: Axes, marks: Mapping[str, float]) -> None:
    """Names of marks above the axes, upright, where they are too many to stand side by side."""
    right = axes.get_xlim()[1]
    inside = sorted((order / right, mark) for mark in _order_marks(marks) if (order := mark.low) <= right)
    width = 72 * WIDTH_IN * axes.get_position().width
    places = _spread([at for at, _ in inside], [10.0 / width] * len(inside))
    for (at, mark), place in zip(inside, places, strict=True):
        line = {"arrowstyle": "-", "color": mark.colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0}
        axes.annotate(
            mark.text, (at, 1.0), (place, 1.07), "axes fraction", rotation=90, ha="center", va="bottom", fontsize=8,
            color=INK if mark.colour == GREY else mark.colour, arrowprops=line,
        )  # fmt: skip


def _unit(dataset: Dataset) -> str:
    return "g" if any("accel" in name for name in dataset.channels) else "unit"


def _band_text(dataset: Dataset) -> str:
    low, high = (part * dataset.rate_hz / 2 for part in _ENVELOPE_BAND)
    return f", band {low:.0f}-{high:.0f} Hz"


def _bands(axes: Axes, at: Floats, values: Mapping[str, Floats], colour: str) -> None:
    """Median and 10-90 % band of `values` (len(at), n) of the real windows (grey) and the others."""
    for (name, of_windows), shade in zip(values.items(), (INK, colour), strict=True):
        low, middle, high = np.percentile(of_windows, [10.0, 50.0, 90.0], axis=1)
        axes.fill_between(at, low, high, color=shade, alpha=0.22, linewidth=0)
        dashes: Any = "-" if name == REAL else (0, (5, 1.5))
        label = f"{name} ({of_windows.shape[1]} windows)"
        axes.plot(at, middle, color=shade, linestyle=dashes, linewidth=1.1, label=label)


def _plain_numbers(axis: Axis, values: Mapping[str, Floats]) -> None:
    """Numbers as people write them, on a logarithmic axis of however few decades."""
    low, high = (np.log10(end(np.concatenate([v.ravel() for v in values.values()]))) for end in (np.min, np.max))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(LogLocator(subs=(2, 5)))
    axis.set_minor_formatter("{x:g}" if high - low < 2.0 else NullFormatter())


def _draw_envelopes(axes: Axes, dataset: Dataset, side: _Shown, origin: str, colour: str) -> None:
    top = _top_order(dataset.orders) if np.isfinite(side.rpm) else dataset.rate_hz / 8
    found, at = {}, np.empty(0)
    for name, sample in ((REAL, side.real), (origin, side.synthetic)):
        x = _accelerations(dataset, sample)
        if len(x) < analysis.MIN_ENVELOPE_SAMPLES:
            axes.text(0.5, 0.5, "windows too short", transform=axes.transAxes, ha="center", color=INK)
            return
        band_hz = (_ENVELOPE_BAND[0] * dataset.rate_hz / 2, _ENVELOPE_BAND[1] * dataset.rate_hz / 2)
        frequency_hz, amplitude = analysis.envelope_spectrum(x, dataset.rate_hz, band_hz)
        total = np.sqrt((amplitude**2).sum(axis=2))[1:]
        at, values = _over_orders(frequency_hz[1:], total, sample.speed_rpm, side.rpm)
        found[name] = values[at <= top].clip(1e-9)
    at = at[at <= top]
    if not len(at):
        return
    _bands(axes, at, found, colour)
    axes.set(yscale="log", xlim=(0.0, top), ylabel=_unit(dataset))
    _plain_numbers(axes.yaxis, found)


def feature_map(measured: Measured) -> Picture:
    """Where the windows lie on the first two principal components of the real ones."""
    space = measured.space
    assert space is not None
    share = space.explained[:2].sum()
    return Picture(
        to_svg(lambda: feature_map_figure(measured)),
        f"Scatter, a panel for each class: real and synthetic windows on two axes that hold {share:.0%} of the variance of the"
        " real windows; shares that overlap are in the table below.",
    )


def feature_map_figure(measured: Measured) -> Figure:
    """A panel for each class; all real windows pale behind it. Points beyond the frame lie on its edge."""
    assert measured.space is not None
    names = list(dict.fromkeys(name for name, _ in measured.comparisons))
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(WIDTH_IN, 0.9 + 3.0 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    everything = np.concatenate([_thinned(found.points[0]) for found in _by_name(measured).values()])
    # Where the real ones are and as far again; the few that lie beyond are drawn at the edge.
    low, high = np.percentile(everything, [1.0, 99.0], axis=0)
    frame = low - 0.5 * (high - low), high + 0.5 * (high - low)
    for name, axes in zip(names, grid.flat, strict=False):
        marks: dict[str, Any] = {"markeredgewidth": 0, "rasterized": True}
        axes.plot(*np.clip(everything, *frame).T, "o", color="#c4c4c4", markersize=2.0, **marks)
        axes.plot(
            *np.clip(_thinned(_by_name(measured)[name].points[0]), *frame).T, "o", color=INK, markersize=3.5, **marks
        )
        for origin in measured.origins:
            found = measured.comparisons.get((name, origin))
            if found is not None:
                colour, marker = style_of(origin)
                axes.plot(
                    *np.clip(_thinned(found.points[1]), *frame).T,
                    marker,
                    color=colour,
                    markersize=3.5,
                    alpha=0.6,
                    markeredgewidth=0,
                )
        axes.set_title(name)
    for axes in grid.flat[len(names) :]:
        axes.remove()
    last = grid.flat[0]
    last.plot([], [], "o", color=INK, label="real")
    last.plot([], [], "o", color="#c4c4c4", label="real, of the other classes")
    for origin in measured.origins:
        colour, marker = style_of(origin)
        last.plot([], [], marker, color=colour, label=origin)
    first, second = measured.space.explained[:2]
    for i, axes in enumerate(grid.flat[: len(names)]):
        if i + columns >= len(names):  # nothing below
            axes.set_xlabel(f"first component ({first:.0%} of the variance)")
            axes.tick_params(labelbottom=True)
        if i % columns == 0:
            axes.set_ylabel(f"second component ({second:.0%})")
    figure.legend(loc="outside upper left", ncols=len(measured.origins) + 2)
    return figure


def _by_name(measured: Measured) -> dict[str, Comparison]:
    """For each class the comparison with the most real windows."""
    found: dict[str, Comparison] = {}
    for (name, _), comparison in measured.comparisons.items():
        if name not in found or comparison.windows > found[name].windows:
            found[name] = comparison
    return found


def _thinned(points: Floats) -> Floats:
    return points[spread(np.arange(len(points)), min(len(points), _LARGE))]


def severities(dataset: Dataset) -> Picture | None:
    """How strong the synthetic faults are; None where no window says it."""
    values, unit = severity_of(dataset)
    if not values:
        return None
    spans = "; ".join(
        f"{name} {np.min(v):.3g} to {np.max(v):.3g}, median {np.median(v):.3g}" for name, v in values.items()
    )
    return Picture(
        to_svg(lambda: severities_figure(values, unit)),
        f"Histograms of the severity of synthetic faults, {unit}: {spans}.",
    )


def severity_of(dataset: Dataset) -> tuple[dict[str, Floats], str]:
    """Severities of synthetic windows by class, and their unit: the rise in dB where windows have it, else 0 to 1."""
    table = dataset.table[(dataset.table["provenance"] != REAL) & (dataset.table["name"] != NORMAL)]
    in_db = bool(table["rise_db"].notna().any())
    column, unit = ("rise_db", "rise over healthy (dB)") if in_db else ("severity", "severity, 0 to 1")
    found = {}
    for name in dataset.classes:
        values = table.loc[table["name"] == name, column].to_numpy(dtype=np.float64)
        values = values[np.isfinite(values)]
        if len(values):
            found[name] = values
    return found, unit


def severities_figure(values: Mapping[str, Floats], unit: str) -> Figure:
    """A small histogram for each class, on common bins."""
    columns = min(4, len(values))
    rows = -(-len(values) // columns)
    figure = Figure(figsize=(WIDTH_IN, 0.6 + 1.7 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    bins = np.histogram_bin_edges(np.concatenate(list(values.values())), 20)
    for (name, of_class), axes in zip(values.items(), grid.flat, strict=False):
        axes.hist(of_class, bins, color=class_colour(name))
        axes.axvline(float(np.median(of_class)), color=INK, linestyle=(0, (3, 2)))
        axes.set_title(f"{name} (n = {len(of_class)})")
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    for column, axes in enumerate(grid.flat[len(values) :], start=len(values) % columns):
        axes.remove()
        if rows > 1:
            grid[-2, column].tick_params(labelbottom=True)
    figure.supxlabel(f"{unit}; dashed: median", fontsize=9)
    figure.supylabel("windows", fontsize=9)
    return figure
