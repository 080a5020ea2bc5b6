"""The page as a whole: what it says of a dataset whose differences are known, and that the file stands on its own."""

from __future__ import annotations

import base64
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.backends.backend_agg import FigureCanvasAgg

from sim.cli import cli
from sim.dataset.report import compare, pictures
from sim.dataset.report.measure import measure
from sim.dataset.report.report import write_report
from sim.dataset.report.samples import Dataset
from sim.errors import DatasetError
from sim.scenario.reader import load
from sim.scenario.schema import Scenario
from tests.sim.dataset.report.conftest import NOISE_G, RATE_HZ, made, windows, write

SCENARIOS = Path(__file__).parents[4] / "scenarios"


class Page(HTMLParser):
    """Headings, pictures, tables and texts of a page; every tag must be closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.headings.append(f"{self.open[-1]} {data}")
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def row(self, *start: str) -> list[str]:
        return next(row for row in self.rows if row[: len(start)] == list(start))

    def svgs(self) -> list[str]:
        return [base64.b64decode(str(image["src"]).split("base64,")[1]).decode() for image in self.images]


@pytest.fixture(scope="module", autouse=True)
def small_forests() -> Iterator[None]:
    """Most of a report's time is the classifier's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "TREES", 10)
        yield


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the fixture `dataset`'s windows."""
    return write_report(write(tmp_path_factory.mktemp("report") / "made", made()))


def test_the_page_says_what_is_there(written: Path) -> None:
    page = Page(written)
    assert page.headings == [
        "h1 Dataset made", "h2 Real against synthetic", "h2 Spectra and envelope spectra by class", "h3 normal",
        "h3 imbalance", "h2 Coverage in feature space", "h2 What is in it", "h2 How strong the simulated faults are",
        "h2 Settings and hashes", "h2 How it was measured",
    ]  # fmt: skip
    text = written.read_text(encoding="utf-8")
    assert "No real ones to compare with: looseness." in text
    assert "312 windows (96 real, 216 hybrid) of 1024 samples x 3 channels at 3332 Hz" in text
    assert page.row("normal", "ok") == ["normal", "ok", "48", "6", "72", "6", "120"]
    assert page.row("looseness", "ok") == ["looseness", "ok", "-", "-", "72", "6", "72"]
    assert page.row("mix")[1] == "carry yes, span_db 26"
    assert page.row("scenario made, content_sha256")[1] == "c0ffee"


def test_windows_too_loud_are_told_apart_and_equal_ones_are_not(dataset_of: Callable[..., Path]) -> None:
    page = Page(write_report(dataset_of("loud", gain=30.0)))
    loud, like = page.row("normal", "hybrid"), page.row("imbalance", "hybrid")
    assert float(loud[2]) > 10 * abs(float(like[2]))
    assert float(loud[2]) > float(loud[3])
    assert float(like[2]) < float(like[3])
    assert float(loud[5]) > 0.99
    assert 0.3 < float(like[5]) < 0.7
    coverages = [row for row in page.rows if row[:2] in (["normal", "hybrid"], ["imbalance", "hybrid"])][2:]
    assert [float(value) for value in coverages[0][2:]] == [0.0, 0.0, 0.0, 0.0]
    assert min(float(value) for value in coverages[1][2:]) > 0.7


def test_spectra_are_in_the_unit_that_stands_beside_them(dataset: Path) -> None:
    measured = measure(Dataset(dataset))
    picture = pictures.spectra(measured, "normal")
    assert "the median of hybrid lies +6.0 dB from the real one" in picture.alt
    shown = pictures._shown(measured, "normal")["hybrid"]
    # White noise of three channels; the mean of many bins, so the median is the mean.
    wide = shown.real_density[-20:]
    assert wide == pytest.approx(NOISE_G * np.sqrt(3 * 2 / RATE_HZ), rel=0.1)
    assert shown.axis[-1] * shown.rpm / 60 == pytest.approx(0.95 * RATE_HZ / 2, rel=0.02)


def test_a_line_lies_at_its_order_whatever_the_speed_of_the_window(dataset: Path) -> None:
    measured = measure(Dataset(dataset))
    shown = pictures._shown(measured, "imbalance")["hybrid"]
    assert np.ptp(shown.synthetic.speed_rpm) > 0.02 * shown.rpm
    for density in (shown.real_density, shown.synthetic_density):
        assert shown.axis[density.argmax()] == pytest.approx(1.0, abs=0.6 * RATE_HZ / 1024 * 60 / shown.rpm)


@pytest.mark.parametrize("bearings", [[""], [" DE", " NDE"]])
def test_names_of_orders_neither_overlap_nor_leave_the_picture(bearings: list[str], dataset: Path) -> None:
    found = Dataset(dataset)
    per_turn = {"BPFO": 3.05, "BPFI": 4.95, "2xBSF": 3.98, "FTF": 0.38}
    found.orders = {"1x": 1.0, "2x": 2.0, "3x": 3.0}
    for i, bearing in enumerate(bearings):
        found.orders |= {f"{name}{bearing}": order * (1 + 0.05 * i) for name, order in per_turn.items()}
    figure = pictures.spectra_figure(measure(found), "normal")
    FigureCanvasAgg(figure).draw()
    names = [text for axes in figure.axes for text in axes.texts]
    assert {text.get_text() for text in names} >= set(found.orders)
    boxes = [text.get_window_extent() for text in names]
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 2
    for box in [*boxes, *titles]:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    for one, other in combinations([*boxes, *titles], 2):
        assert (
            min(one.x1, other.x1) - max(one.x0, other.x0) < 0.5 or min(one.y1, other.y1) - max(one.y0, other.y0) < 0.5
        )


def test_severities_are_those_of_simulated_faults(dataset: Path) -> None:
    values, unit = pictures.severity_of(Dataset(dataset))
    assert unit == "rise over healthy (dB)"
    assert sorted(values) == ["imbalance", "looseness"]
    assert (values["imbalance"].min(), values["imbalance"].max(), len(values["imbalance"])) == (5.0, 22.0, 72)


def test_the_file_stands_on_its_own_and_can_be_read_without_pictures(written: Path) -> None:
    page = Page(written)
    assert not page.tags & {"script", "link", "iframe", "object", "embed"}
    assert written.stat().st_size < 3_000_000
    assert len(page.images) == 5
    for image, svg in zip(page.images, page.svgs(), strict=True):
        assert len(str(image["alt"])) > 60
        assert str(image["src"]).startswith("data:image/svg+xml;base64,")
        tree = ElementTree.fromstring(svg)
        for element in tree.iter():
            assert not element.tag.endswith("script")
            for name, value in element.attrib.items():
                assert not name.endswith("href") or value.startswith(("#", "data:image/png;base64,"))
    assert "url(http" not in written.read_text(encoding="utf-8")


def test_the_same_dataset_gives_the_same_bytes(written: Path, dataset: Path) -> None:
    assert write_report(dataset).read_bytes() == written.read_bytes()


def test_twins_stand_beside_the_hybrid_windows(dataset: Path, tmp_path: Path) -> None:
    scenario = load(SCENARIOS / "bearing_rig.yaml", Scenario).model
    quieter = scenario.model_copy(update={"name": "quieter"})
    page = Page(write_report(dataset, tmp_path / "twins.html", scenario=scenario, calibrated=quieter))
    for name in ("normal", "imbalance"):
        for origin in ("twin, not calibrated", "twin, calibrated", "hybrid"):
            assert float(page.row(name, origin)[2]) > -0.2
    assert len(page.row("twin calibrated, SHA-256")[1]) == 64
    spectra = next(
        str(i["alt"]) for i in page.images if str(i["alt"]).startswith("Spectra and envelope spectra of normal")
    )
    assert all(origin in spectra for origin in ("twin, not calibrated", "twin, calibrated", "hybrid"))


def test_a_dataset_without_calibration_beside_it(
    dataset: Path, dataset_of: Callable[..., Path], tmp_path: Path
) -> None:
    other = dataset_of("other", seed=2, gain=8.0)
    page = Page(write_report(dataset, tmp_path / "two.html", uncalibrated=other))
    assert float(page.row("normal", "hybrid, not calibrated")[2]) >= float(page.row("normal", "hybrid")[2])
    alt = next(str(i["alt"]) for i in page.images if str(i["alt"]).startswith("Spectra and envelope spectra of normal"))
    assert "hybrid, not calibrated lies +18.0 dB" in alt


def test_a_dataset_without_real_windows_is_described_all_the_same(dataset_of: Callable[..., Path]) -> None:
    path = write_report(dataset_of("simulated", real=False))
    page = Page(path)
    assert "No real ones to compare with: normal, imbalance, looseness." in path.read_text(encoding="utf-8")
    assert page.row("normal", "ok") == ["normal", "ok", "72", "6", "72"]
    assert len(page.images) == 1  # severities


def test_without_speeds_the_axis_is_frequency(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [windows(rng, "normal", "real", float("nan"), f"r{i}", 8) for i in range(4)]
    rows += [windows(rng, "normal", "hybrid", float("nan"), f"r{i}", 8, gain=2.0) for i in range(4)]
    page = Page(write_report(write(tmp_path / "still", [rows])))
    assert float(page.row("normal", "hybrid")[5]) > 0.9
    assert "frequency (Hz)" in page.svgs()[1]
    assert "rpm" not in str(page.images[1]["alt"])


def test_without_scikit_learn_the_rest_is_there(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    path = write_report(dataset)
    assert "the domain classifier needs scikit-learn: pip install &#x27;simtwin[train]&#x27;" in path.read_text("utf-8")
    assert Page(path).row("normal", "hybrid")[5] == "-"
    assert float(Page(path).row("normal", "hybrid")[2]) > 0.1


def test_the_command_writes_beside_the_dataset(dataset: Path, written: Path) -> None:
    result = CliRunner().invoke(cli, ["report", str(dataset)])
    assert result.exit_code == 0, result.output
    assert result.output.strip() == str(dataset / "report.html")
    assert (dataset / "report.html").read_bytes() == written.read_bytes()


def test_a_calibration_needs_its_scenario(dataset: Path) -> None:
    result = CliRunner().invoke(cli, ["report", str(dataset), "--calibration", "x.yaml"])
    assert result.exit_code == 2
    assert "--calibration needs the --scenario" in result.output


def test_what_cannot_be_is_said(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        write_report(tmp_path / "nothing")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_report(dataset, tmp_path / "no" / "folder" / "r.html")
    rng = np.random.default_rng(0)
    slower = write(tmp_path / "slower", [[windows(rng, "normal", "hybrid", 1800, "r", 8, rate_hz=1666.0)]])
    with pytest.raises(DatasetError, match=r"slower: sampling rate \(Hz\) 1666.0, but .*made has 3332.0"):
        write_report(dataset, uncalibrated=slower)
