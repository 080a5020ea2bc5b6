"""sim.plots: what can be asserted without looking. The figures' data are read back from their artists."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text
from numpy.typing import NDArray

from sim import analysis, plots
from sim.errors import SimtwinError

Array = NDArray[np.float64]
FS_HZ = 3332.0
MARKS = {"1x": 1.0, "2x": 2.0, "3x": 3.0, "BPFO": 3.052, "BPFI": 4.948, "2xBSF": 3.984, "FTF": 0.382, "blade pass": 7.0}


def knocks(angle_rad: Array, order: float, modulated: bool) -> Array:
    """Ringing at 1050 Hz, struck `order` times a turn; `modulated` once a turn, as a defect that turns with the shaft."""
    turned = np.floor(angle_rad * order / (2 * np.pi))
    strikes = np.zeros(len(angle_rad))
    at = np.flatnonzero(np.diff(turned) > 0)
    strikes[at] = 1.0 + 0.8 * np.cos(angle_rad[at]) if modulated else 1.0
    t = np.arange(66) / FS_HZ
    return np.convolve(strikes, np.exp(-500.0 * t) * np.sin(2 * np.pi * 1050.0 * t))[: len(angle_rad)]


def demo_run(duration_s: float = 8.0) -> plots.RunData:
    """A ramp from 900 to 1800 rpm; imbalance grows from the start, an inner-race defect from the middle on."""
    rng = np.random.default_rng(1)
    t = np.arange(int(duration_s * FS_HZ)) / FS_HZ
    speed_rpm = np.interp(t, [0.0, duration_s / 2, duration_s], [900.0, 1800.0, 1700.0])
    angle_rad = analysis.shaft_angle_rad(speed_rpm, FS_HZ)
    imbalance = 0.6 * np.clip(t / duration_s * 2, 0, 1)
    wear = 0.9 * np.clip(t / duration_s * 2 - 1, 0, 1)
    dropout = np.where((t > 0.8 * duration_s) & (t < 0.9 * duration_s), 1.0, 0.0)
    accel_g = 0.02 * rng.standard_normal((len(t), 3)) + [0.0, -1.0, 0.0]
    for axis in range(3):
        accel_g[:, axis] += (0.02 + 0.2 * imbalance) * (speed_rpm / 1500.0) ** 2 * np.cos(angle_rad + axis)
        accel_g[:, axis] += 0.02 * np.cos(7 * angle_rad) + 0.02 * np.cos(2 * np.pi * 100.0 * t)
        accel_g[:, axis] += (0.5 + 0.3 * axis) * wear * knocks(angle_rad, MARKS["BPFI"], modulated=True)
    return plots.RunData(
        time_s=t,
        accel_g=accel_g,
        gyro_dps=0.05 * rng.standard_normal((len(t), 3)) + 0.2 * np.cos(angle_rad)[:, None],
        fs_hz=FS_HZ,
        speed_rpm=speed_rpm,
        marks=MARKS,
        fixed_marks_hz={"2x line": 100.0},
        faults=[
            plots.FaultTrack("imbalance", t, imbalance),
            plots.FaultTrack("bearing_wear", t, wear),
            plots.FaultTrack("dropout", t, dropout),
        ],
        title="Bearing rig: imbalance, then inner-race wear",
        sensor_id="imu0",
    )


def demo_dataset(per_class: int = 12, length: int = 1024) -> plots.DatasetSummary:
    rng = np.random.default_rng(2)
    classes = ["normal", "normal", "imbalance", "misalignment", "bearing_wear"]
    label = np.repeat(classes, per_class)
    severity = np.where(label == "normal", 0.0, rng.uniform(0.1, 1.0, len(label)))
    speed_rpm = rng.choice([900.0, 1500.0, 1800.0], len(label))
    t = np.arange(length) / FS_HZ
    samples = 0.02 * rng.standard_normal((len(label), length, 6)).astype(np.float32)
    for row, name in enumerate(label):
        angle_rad = 2 * np.pi * speed_rpm[row] / 60 * t
        signal = 0.02 * np.cos(2 * angle_rad)
        if name == "imbalance":
            signal += 0.4 * severity[row] * np.cos(angle_rad)
        elif name == "misalignment":
            signal += 0.2 * severity[row] * np.cos(2 * angle_rad)
        elif name == "bearing_wear":
            signal += severity[row] * knocks(angle_rad, MARKS["BPFO"], modulated=False)
        samples[row, :, :3] += signal[:, None]
    return plots.DatasetSummary(
        title="Demo dataset",
        fs_hz=FS_HZ,
        channel_names=[f"{kind}_{axis}" for kind in ("accel", "gyro") for axis in "xyz"],
        samples=samples,
        label=label,
        fault_kind=np.where(label == "bearing_wear", "outer_race", label),
        severity=severity,
        speed_rpm=speed_rpm,
        sensor_state=np.where(np.arange(len(label)) % 10 == 3, "stuck", "ok"),
        marks={"1x": 1.0, "BPFO": 3.052, "BPFI": 4.948},
    )


@pytest.fixture(scope="module")
def run() -> plots.RunData:
    return demo_run()


@pytest.fixture(scope="module")
def dataset() -> plots.DatasetSummary:
    return demo_dataset()


def png_size(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert content[-8:-4] == b"IEND"
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def texts(figure: Figure) -> set[str]:
    return {text.get_text() for axes in figure.axes for text in axes.texts}


def bars(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def outline(axes: Axes, area: int) -> Array:
    """Corners of a filled area `(n, 2)`."""
    return np.asarray(axes.collections[area].get_paths()[0].vertices, np.float64)


def colour_of(axes: Axes, area: int) -> str:
    return to_hex(np.asarray(axes.collections[area].get_facecolor())[0])


def heights(axes: Axes, line: int = 0) -> Array:
    return np.asarray(axes.lines[line].get_ydata(), np.float64)


def vertical_lines_at(axes: Axes) -> list[float]:
    """Places of axvline's: lines of two points with the same x."""
    lines = [np.asarray(line.get_xdata(), np.float64) for line in axes.lines]
    return [float(x[0]) for x in lines if len(x) == 2 and x[0] == x[1]]


def drawn_curve(axes: Axes) -> tuple[Array, Array]:
    curve = max(axes.lines, key=lambda line: len(np.asarray(line.get_xdata())))
    return np.asarray(curve.get_xdata(), np.float64), np.asarray(curve.get_ydata(), np.float64)


def assert_names_do_not_overlap(figure: Figure) -> None:
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    named = 0
    for axes in figure.axes:
        names = [text for text in axes.texts if isinstance(text, Annotation) and text.arrow_patch is not None]
        boxes = [Text.get_window_extent(text) for text in names]  # without the line
        named += len(names)
        for (a, box_a), (b, box_b) in combinations(zip(names, boxes, strict=True), 2):
            assert not box_a.padded(-0.5).overlaps(box_b.padded(-0.5)), (a.get_text(), b.get_text())
        for box in boxes:
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1
            assert box.y1 <= figure.bbox.y1
    assert named > 0


# --- files -----------------------------------------------------------------------------------------------------------


def test_run_pictures_are_written_whole(tmp_path: Path, run: plots.RunData) -> None:
    written = plots.plot_run_pictures(tmp_path, run)
    names = ["overview.png", "waveform.png", "spectrum.png", "envelope.png", "spectrogram.png"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    sizes = {path.stem: png_size(path) for path in written}
    assert {width for width, _ in sizes.values()} == {1210}
    assert sizes["overview"][1] > sum(sizes[name][1] for name in ("waveform", "spectrum", "envelope", "spectrogram"))
    assert all(height > 500 for _, height in sizes.values())


def test_dataset_pictures_are_written_whole(tmp_path: Path, dataset: plots.DatasetSummary) -> None:
    def pictures() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    written = plots.plot_dataset(tmp_path, dataset)
    assert [path.stem for path in written] == ["counts", "waveforms", "spectra", "envelopes", "features"]
    assert {png_size(path)[0] for path in written} == {1210}
    first = pictures()
    assert len(first) == 5
    plots.plot_dataset(tmp_path, replace(dataset, samples=2 * dataset.samples))
    assert {name for name, content in pictures().items() if content == first[name]} == {"counts.png"}


def test_same_input_same_bytes_whatever_the_settings(tmp_path: Path) -> None:
    def picture(name: str, run: plots.RunData) -> bytes:
        plots.plot_run(tmp_path / name, run)
        return (tmp_path / name).read_bytes()

    first = picture("a.png", demo_run(2.0))
    with mpl.rc_context({"font.size": 20.0, "lines.linewidth": 5.0, "savefig.dpi": 50, "axes.grid": False}):
        assert picture("b.png", demo_run(2.0)) == first
        assert mpl.rcParams["font.size"] == 20.0  # the reader's settings are left as they were
    assert b"matplotlib" not in first.lower()  # no version in the metadata


def test_a_failure_says_where_and_leaves_nothing(tmp_path: Path, dataset: plots.DatasetSummary) -> None:
    with pytest.raises(SimtwinError, match=r"cannot write .*counts.png: No such file.*; choose a writable folder"):
        plots.plot_dataset(tmp_path / "nowhere", dataset)
    occupied = tmp_path / "file"
    occupied.write_text("mine")
    with pytest.raises(SimtwinError, match="cannot write"):
        plots.plot_dataset(occupied, dataset)
    (tmp_path / "counts.png").mkdir()
    with pytest.raises(SimtwinError, match="cannot write"):
        plots.plot_dataset(tmp_path, dataset)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counts.png", "file"]
    assert occupied.read_text() == "mine"


# --- one run ---------------------------------------------------------------------------------------------------------


def test_spectrum_marks_orders_and_fixed_lines(run: plots.RunData) -> None:
    figure = plots.run_figure(run, ["spectrum"])
    assert set(MARKS) | {"2x line (range)"} <= texts(figure)
    x, y, z, whole = figure.axes
    for axes in (x, y, z):
        assert sorted(vertical_lines_at(axes)) == pytest.approx(sorted(MARKS.values()))
        orders, amplitude_g = drawn_curve(axes)
        assert abs(orders[amplitude_g.argmax()] - 1.0) < 0.05  # imbalance is the highest line
        assert axes.get_xlim()[1] > 7.0
        low_g, high_g = axes.get_ylim()
        assert 0 < low_g < amplitude_g.max() < high_g
    assert whole.get_xlim() == (0.0, FS_HZ / 2)
    assert_names_do_not_overlap(figure)


def test_fixed_lines_are_lines_at_constant_speed(run: plots.RunData) -> None:
    steady = replace(run, speed_rpm=np.full(len(run.time_s), 1500.0))
    figure = plots.run_figure(steady, ["spectrum"])
    assert "2x line" in texts(figure)
    assert 4.0 in [pytest.approx(at) for at in vertical_lines_at(figure.axes[0])]  # 100 Hz at 25 turns a second
    assert_names_do_not_overlap(figure)


def test_two_bearings_share_names_only_where_alike(run: plots.RunData) -> None:
    bearing = {"BPFO": 3.052, "BPFI": 4.948, "2xBSF": 3.984, "FTF": 0.382}
    alike = {f"{name} {end}": order for end in ("DE", "NDE") for name, order in bearing.items()}
    assert texts(plots.run_figure(replace(run, marks=alike), ["envelope"])) == {*bearing, "−1x", "+1x", "−FTF", "+FTF"}
    unlike = {**alike, "BPFO NDE": 3.585, "BPFI NDE": 5.415, "2xBSF NDE": 4.714, "FTF NDE": 0.398}
    figure = plots.run_figure(replace(run, marks=unlike), ["envelope"])
    assert set(unlike) <= texts(figure)
    assert_names_do_not_overlap(figure)


def test_envelope_shows_the_defect_and_marks_its_sidebands(run: plots.RunData) -> None:
    figure = plots.run_figure(run, ["envelope"])
    assert set(MARKS) | {"−1x", "+1x", "−FTF", "+FTF"} == texts(figure)
    for axes in figure.axes:
        places = vertical_lines_at(axes)
        for at in (3.948, 5.948, 3.984 - 0.382, 3.984 + 0.382):
            assert min(abs(place - at) for place in places) < 1e-9
        orders, amplitude_g = drawn_curve(axes)
        beyond = orders > 1.5
        assert orders[beyond][amplitude_g[beyond].argmax()] == pytest.approx(4.948, abs=0.03)
    assert_names_do_not_overlap(figure)


def test_waveform_shows_the_whole_run_and_five_turns_where_faults_are_worst(run: plots.RunData) -> None:
    figure = plots.run_figure(run, ["waveform"])
    grid = np.array(figure.axes).reshape(6, 2)
    assert grid[0, 0].get_xlim() == pytest.approx((run.time_s[0], run.time_s[-1]))
    spans = [axes.patches[0].get_extents().transformed(axes.transData.inverted()) for axes in grid[:, 0]]
    start_s, stop_s = spans[0].x0, spans[0].x1
    assert 0.85 * 8.0 < start_s < 0.9 * 8.0 < stop_s < 0.95 * 8.0  # wear is worst where the dropout ends
    turns = (stop_s - start_s) * float(np.interp(start_s, run.time_s, run.speed_rpm)) / 60
    assert turns == pytest.approx(5.0, rel=0.02)
    assert grid[0, 1].get_xlim() == pytest.approx((0.0, 1e3 * (stop_s - start_s)), rel=1e-3)
    inside = (run.time_s >= start_s - 1e-9) & (run.time_s <= stop_s + 1e-9)
    np.testing.assert_array_equal(heights(grid[1, 1]), run.accel_g[inside, 1])
    labels = [axes.get_ylabel() for axes in grid[:, 0]]
    assert labels == [*(f"accel {a} (g)" for a in "xyz"), *(f"gyro {a} (deg/s)" for a in "xyz")]
    assert len(plots.run_figure(replace(run, gyro_dps=None), ["waveform"]).axes) == 6


def test_spectrogram_spans_the_run_and_names_its_lines(run: plots.RunData) -> None:
    figure = plots.run_figure(run, ["spectrogram"])
    whole, low = figure.axes[:2]
    assert set(MARKS) | {"2x line"} == texts(figure)
    for axes in (whole, low):
        (image,) = axes.images
        left, right, _, top = image.get_extent()
        assert run.time_s[0] <= left < 0.3
        assert run.time_s[-1] - 0.3 < right <= run.time_s[-1]
        assert top >= 0.95 * axes.get_ylim()[1]
    assert whole.get_ylim() == (0.0, FS_HZ / 2)
    speed_line = next(line for line in low.lines if line.get_linestyle() == "-")
    at_s, hz = (np.asarray(data, np.float64) for data in speed_line.get_data())
    np.testing.assert_allclose(hz, np.interp(at_s, run.time_s, run.speed_rpm / 60), rtol=0.01)
    # The brightest row of the low image follows the speed line in the second half, where imbalance is largest.
    level_db = np.asarray(low.images[0].get_array())
    left, right, bottom, top = low.images[0].get_extent()
    columns_s = left + (np.arange(level_db.shape[1]) + 0.5) / level_db.shape[1] * (right - left)
    rows_hz = bottom + (np.arange(level_db.shape[0]) + 0.5) / level_db.shape[0] * (top - bottom)
    late = (columns_s > 4.5) & (columns_s < 7.5)
    below = rows_hz < 60.0
    brightest_hz = rows_hz[below][level_db[below][:, late].argmax(axis=0)]
    assert np.abs(brightest_hz - np.interp(columns_s[late], at_s, hz)).max() <= 1.5 * (rows_hz[1] - rows_hz[0])
    assert_names_do_not_overlap(figure)


def test_plan_shows_speed_and_each_fault_in_its_colour(run: plots.RunData) -> None:
    speed, faults = plots.run_figure(run, ["plan"]).axes
    assert [label.get_text() for label in faults.get_yticklabels()] == ["imbalance", "bearing_wear", "dropout"]
    assert texts(plots.run_figure(run, ["plan"])) == {"max 0.6", "max 0.9", "max 1"}
    for row, name in enumerate(("imbalance", "bearing_wear", "dropout")):
        assert colour_of(faults, row) == plots.class_colour(name).lower()
    wear = outline(faults, 1)
    assert wear[wear[:, 1] > -1 + 1e-6, 0].min() == pytest.approx(4.0, abs=0.01)  # its onset
    assert speed.get_ylim()[0] == 0.0
    assert speed.get_ylim()[1] > 1800.0


def test_machine_at_rest_has_no_orders(run: plots.RunData) -> None:
    rest = replace(run, speed_rpm=np.zeros(len(run.time_s)), faults=())
    spectrum = plots.run_figure(rest, ["spectrum"])
    assert texts(spectrum) == {"2x line"}
    assert spectrum.axes[2].get_xlabel().startswith("frequency (Hz)")
    assert texts(plots.run_figure(rest, ["envelope"])) == set()
    assert texts(plots.run_figure(rest, ["spectrogram"])) == {"2x line"}


@pytest.mark.filterwarnings("error")
def test_dead_sensor_draws_without_complaint(tmp_path: Path) -> None:
    run = demo_run(2.0)
    plots.plot_run(tmp_path / "dead.png", replace(run, accel_g=np.full_like(run.accel_g, 0.1), gyro_dps=None))
    assert png_size(tmp_path / "dead.png")[0] == 1210


def test_a_stop_is_left_out_of_the_orders(run: plots.RunData) -> None:
    stopped = replace(run, speed_rpm=np.where((run.time_s > 3.0) & (run.time_s < 5.0), 0.0, run.speed_rpm))
    assert plots.run_figure(stopped, ["envelope"]).axes[2].get_xlabel().endswith("from 5 to 8 s")
    zoomed = plots.run_figure(stopped, ["waveform"]).axes[1]
    assert zoomed.get_title(loc="left").startswith("5 turns")


def test_captures_are_joined_but_not_mixed(run: plots.RunData) -> None:
    """Four captures of two seconds, a minute apart: joined on the time axes, the last one in the spectra."""
    capture = (run.time_s // 2.0).clip(0, 3)
    captures = replace(run, time_s=run.time_s + 60.0 * capture, faults=())
    assert captures.joins == [int(np.flatnonzero(capture == number)[0]) for number in (1, 2, 3)]
    wave = plots.run_figure(captures, ["waveform"]).axes
    assert wave[-2].get_xlabel() == "recorded time (s), 4 captures joined"
    assert wave[0].get_xlim() == pytest.approx((0.0, 8.0), abs=0.01)
    assert plots.run_figure(captures, ["plan"]).axes[1].get_xlim() == pytest.approx((0.0, 188.0), abs=0.01)
    envelope = plots.run_figure(captures, ["envelope"]).axes[2]
    assert envelope.get_xlabel().endswith("from 186 to 188 s")
    low = plots.run_figure(captures, ["spectrogram"]).axes[1]
    assert low.get_xlim() == pytest.approx((0.0, 8.0), abs=0.01)


def test_run_of_wrong_shape_is_refused(run: plots.RunData) -> None:
    with pytest.raises(ValueError, match=r"accel_g has shape \(26656, 2\); allowed is \(26656, 3\)"):
        replace(run, accel_g=run.accel_g[:, :2])
    with pytest.raises(ValueError, match=r"speed_rpm has shape \(10,\)"):
        replace(run, speed_rpm=run.speed_rpm[:10])
    with pytest.raises(ValueError, match="the run has 100 samples; pictures need at least 512"):
        replace(run, time_s=run.time_s[:100], accel_g=run.accel_g[:100], speed_rpm=run.speed_rpm[:100], gyro_dps=None)


# --- a dataset -------------------------------------------------------------------------------------------------------


def test_counts_are_the_tables(dataset: plots.DatasetSummary) -> None:
    classes, states = plots.dataset_figure(dataset, "counts").axes
    names = [label.get_text() for label in classes.get_yticklabels()]
    counts = [bar.get_width() for bar in bars(classes)]
    assert dict(zip(names, counts, strict=True)) == {
        "normal": 24,
        "bearing_wear: outer_race": 12,
        "imbalance": 12,
        "misalignment": 12,
    }
    assert [bar.get_width() for bar in bars(states)] == [54, 6]
    assert [label.get_text() for label in states.get_yticklabels()] == ["ok", "stuck"]


def test_a_class_has_one_colour_in_all_pictures(dataset: plots.DatasetSummary) -> None:
    drawn = bars(plots.dataset_figure(dataset, "counts").axes[0])
    colours = {name: to_hex(bar.get_facecolor()) for name, bar in zip(dataset.classes, drawn, strict=True)}
    assert len(set(colours.values())) == 4
    for picture in ("waveforms", "spectra", "envelopes"):
        panels = [axes for axes in plots.dataset_figure(dataset, picture).axes if axes.get_title(loc="left")]
        shown = {axes.get_title(loc="left").split(" - ")[0]: to_hex(axes.lines[0].get_color()) for axes in panels}
        assert shown == colours
    scatter = plots.dataset_figure(dataset, "features").axes[0]
    assert [colour_of(scatter, i) for i in range(4)] == list(colours.values())
    assert plots.class_colour("a name nobody foresaw") == "#332288"  # by checksum: the same in every process
    assert plots.class_colour("sensor: stuck") == plots.class_colour("stuck")


def test_waveforms_are_windows_of_their_class(dataset: plots.DatasetSummary) -> None:
    axes = plots.dataset_figure(dataset, "waveforms").axes
    for name, row in zip(dataset.classes, np.array(axes).reshape(4, 3), strict=True):
        title = row[0].get_title(loc="left")
        number = int(title.removeprefix(f"{name} - row "))
        assert dataset.label[number] == name
        level_g = np.linalg.norm(dataset.samples[dataset.label == name][:, :, :3].std(axis=1), axis=-1)
        own_g = np.linalg.norm(dataset.samples[number, :, :3].std(axis=0))
        assert abs(np.mean(level_g < own_g) - 0.5) <= 1 / len(level_g)  # of median level
        for channel in range(3):
            window = dataset.samples[number, :, channel].astype(np.float64)
            np.testing.assert_allclose(heights(row[channel]), window - window.mean(), atol=1e-12)


def test_spectra_show_median_and_range_of_each_class(dataset: plots.DatasetSummary) -> None:
    panels = plots.dataset_figure(dataset, "spectra").axes
    imbalance = next(axes for axes in panels if axes.get_title(loc="left").startswith("imbalance"))
    accel_g = np.moveaxis(dataset.samples[dataset.label == "imbalance", :, :3].astype(np.float64), 1, 0)
    density = np.sqrt(analysis.welch_psd(accel_g, FS_HZ, 512)[1].sum(axis=-1))[1:-1]
    np.testing.assert_allclose(heights(imbalance), np.median(density, axis=1), rtol=1e-9)
    edges = outline(imbalance, 0)[:, 1]
    assert edges.max() == pytest.approx(np.percentile(density, 90, axis=1).max())
    assert edges.min() == pytest.approx(np.percentile(density, 10, axis=1).min())


def test_envelopes_peak_at_the_fault_order(dataset: plots.DatasetSummary) -> None:
    figure = plots.dataset_figure(dataset, "envelopes")
    assert {"1x", "BPFO", "BPFI"} == texts(figure)
    wear = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("bearing_wear"))
    orders, amplitude_g = np.asarray(wear.lines[0].get_data(), np.float64)
    inside = (orders > 2.0) & (orders < 5.5)
    assert orders[inside][amplitude_g[inside].argmax()] == pytest.approx(3.052, abs=0.1)
    assert_names_do_not_overlap(figure)


def test_features_show_every_window(dataset: plots.DatasetSummary) -> None:
    scatter, severity, speed = plots.dataset_figure(dataset, "features").axes
    points = [len(np.asarray(cloud.get_offsets())) for cloud in scatter.collections]
    assert points == [24, 12, 12, 12]
    assert [label.get_text() for label in severity.get_yticklabels()] == ["bearing_wear", "imbalance", "misalignment"]
    assert [label.get_text() for label in speed.get_yticklabels()] == dataset.classes
    kurtosis = np.asarray(scatter.collections[1].get_offsets())[:, 1]
    assert np.median(kurtosis) > 5.0  # bearing wear is impulsive


def test_samples_of_a_few_rows_stand_for_the_table(dataset: plots.DatasetSummary) -> None:
    rows = np.array([1, 30, 31, 50, 58])
    few = replace(dataset, samples=dataset.samples[rows], sample_rows=rows)
    assert sum(bar.get_width() for bar in bars(plots.dataset_figure(few, "counts").axes[0])) == 60
    clouds = plots.dataset_figure(few, "features").axes[0].collections
    assert sum(len(np.asarray(cloud.get_offsets())) for cloud in clouds) == 5
    titles = [axes.get_title(loc="left") for axes in plots.dataset_figure(few, "waveforms").axes]
    assert "normal - row 1" in titles


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("length", "speed_known"), [(256, True), (1024, False)])
def test_without_speed_or_long_windows_there_are_no_envelopes(tmp_path: Path, length: int, speed_known: bool) -> None:
    dataset = demo_dataset(per_class=3, length=length)
    if not speed_known:
        dataset = replace(dataset, speed_rpm=np.full(len(dataset.label), np.nan))
    written = plots.plot_dataset(tmp_path, dataset)
    assert [path.stem for path in written] == ["counts", "waveforms", "spectra", "features"]


def test_dataset_of_wrong_shape_is_refused(dataset: plots.DatasetSummary) -> None:
    with pytest.raises(ValueError, match=r"samples has shape \(59, 1024, 6\); allowed is \(60, length, 6\)"):
        replace(dataset, samples=dataset.samples[1:])
    with pytest.raises(ValueError, match="severity has 3 entries; allowed is 60"):
        replace(dataset, severity=dataset.severity[:3])
    with pytest.raises(ValueError, match="at least 1"):
        replace(dataset, samples=dataset.samples[:0], sample_rows=np.array([], np.intp))
