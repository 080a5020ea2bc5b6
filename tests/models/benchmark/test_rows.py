"""Windows of rows: nothing on two sides, labels of the last row, spells whole."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="no scikit-learn: pip install simtwin[train]")

from models.benchmark.rows import CuratedSet, Cut, Prepared, prepare, read_curated
from models.curation.curate import curate
from models.curation.folder import curate_folder, load
from models.curation.series import LabelledSeries, Span
from sim.errors import DatasetError
from tests.models.benchmark.made import levels, save, spells
from tests.models.curation.made import labels

CUT = Cut(window=16, windows=800, folds=3)


def numbered(anomaly: np.ndarray, *slices: tuple[int, int]) -> CuratedSet:
    """A set whose only channel is the row's number, so that windows tell which rows they are of."""
    x = np.arange(len(anomaly), dtype=np.float32)[:, None]
    return CuratedSet(
        LabelledSeries(x, anomaly, "numbered"), tuple(Span(*s) for s in slices) or (Span(0, len(anomaly)),)
    )


def rows_of(prepared: Prepared, start: int, stop: int) -> np.ndarray:
    """Numbers of the rows (n, window) of all windows; the middle of the range was taken off."""
    level = prepared.data.physical()[:, :, 0].astype(np.float64)
    return np.rint(level + start - level.min()).astype(int).clip(start, stop - 1)


def test_no_row_is_on_two_sides_and_windows_are_labelled_by_their_last_row() -> None:
    anomaly = spells(5000, 300, 30)
    prepared = prepare(numbered(anomaly), CUT)
    rows = rows_of(prepared, 0, 5000)
    assert (np.diff(rows, axis=1) == 1).all()
    np.testing.assert_array_equal(prepared.data.label == "anomaly", anomaly[rows[:, -1]])
    assert len(prepared.folds) == 3
    for fold in prepared.folds:
        sides = [set(rows[part].ravel().tolist()) for part in (fold.train, fold.validation, fold.test)]
        assert all(sides)
        assert not sides[0] & sides[1]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
    assert sorted(np.concatenate([fold.test for fold in prepared.folds])) == list(range(len(prepared.data)))


def test_a_spell_is_on_one_side_where_there_are_spells_enough() -> None:
    anomaly = spells(5000, 625, 150)
    prepared = prepare(numbered(anomaly), CUT)
    assert (prepared.spells, prepared.spells_cut) == (8, 0)
    rows = rows_of(prepared, 0, 5000)[:, -1]
    for number in range(8):
        start = 312 + 625 * number
        inside = (rows >= start) & (rows < start + 150)
        assert len(set(prepared.data.group[inside].tolist())) == 1


def test_a_single_spell_is_cut_and_counted() -> None:
    prepared = prepare(numbered(labels(5000, (3000, 5000))), CUT)
    assert (prepared.spells, prepared.spells_cut) == (1, 1)
    assert all((prepared.data.label[fold.test] == "anomaly").any() for fold in prepared.folds)


def test_windows_do_not_reach_over_what_curation_cut_out() -> None:
    prepared = prepare(numbered(spells(5000, 300, 30), (0, 1010), (2000, 5000)), CUT)
    rows = rows_of(prepared, 0, 5000)
    assert not ((rows >= 1010) & (rows < 2000)).any()
    assert (np.diff(rows, axis=1) == 1).all()


def test_repeated_windows_are_left_out() -> None:
    """A noise-free period of 10 rows has 10 different windows; as anomalies it has as many again."""
    anomaly = spells(4000, 200, 40)
    x = np.tile(np.arange(10, dtype=np.float32), 400)[:, None]
    noise = np.random.default_rng(0).standard_normal((4000, 1)).astype(np.float32)
    x[1000:] = noise[1000:]
    prepared = prepare(CuratedSet(LabelledSeries(x, anomaly, "periodic"), (Span(0, 4000),)), CUT)
    windows = [window.tobytes() for window in prepared.data.counts]
    assert len(set(windows)) == len(windows)
    assert prepared.repeated == 800 - len(windows)
    assert 100 < prepared.repeated < 200  # about a quarter of 800 windows, but 10


def test_a_share_of_anomalies_and_centred_windows() -> None:
    anomaly = labels(6000, (3000, 6000))
    curated = CuratedSet(LabelledSeries(levels(6000, anomaly, 0), anomaly, "half"), (Span(0, 6000),))
    assert prepare(curated, CUT).anomalies == pytest.approx(0.5, abs=0.05)
    prepared = prepare(curated, Cut(16, 800, 3, centred=True, share=0.05))
    assert prepared.anomalies == pytest.approx(0.05, abs=0.002)
    assert len(prepared.data) == 800
    assert np.abs(prepared.data.physical().mean(axis=1)).max() < 0.01


def test_too_few_of_a_class_is_refused() -> None:
    with pytest.raises(DatasetError, match="class normal has 2 recordings"):
        prepare(numbered(labels(5000, (60, 5000))), CUT)


def test_what_curation_writes_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "sets"
    folder.mkdir()
    anomaly = spells(60_000, 400, 60)
    x = levels(60_000, anomaly, 5)
    x[7] = np.nan  # a sample that curation cuts out
    save(folder / "1_long.npz", x, anomaly)
    curate_folder(folder, out=tmp_path / "curated")
    curated, kept = read_curated(tmp_path / "curated" / "1_long.parquet"), curate(load(folder / "1_long.npz"))
    assert len(kept.slices) > 1
    for span, (values, flags) in zip(curated.slices, kept.parts(), strict=True):
        np.testing.assert_array_equal(curated.series.x[span.start : span.stop], values)
        np.testing.assert_array_equal(curated.series.anomaly[span.start : span.stop], flags)
    (tmp_path / "other.parquet").write_bytes(b"no")
    with pytest.raises(DatasetError, match=r"other\.parquet: cannot be read as a curated set"):
        read_curated(tmp_path / "other.parquet")
