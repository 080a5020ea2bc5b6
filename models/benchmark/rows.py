"""Windows of a labelled set's rows, grouped so that folds do not leak.

A window is some rows in time order; its class is that of its last row, so that the share of anomalies stays what it is
in the set. The set is cut into blocks of neighbouring rows. No window reaches into a second block, and a block is on one
side of a split only; nor is a spell of anomalies cut in two, as long as there are spells enough for all folds. Windows
that repeat an earlier one bit for bit are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.curation.series import LabelledSeries, Span, runs_within
from models.curation.thinning import time_slices
from models.splits import LeakError
from models.training.dataset import ANOMALY, Examples, Ints, examples
from models.training.folds import Fold, make_folds
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL

BLOCKS = 24
"""Blocks a set is cut into, about; more where rows were cut out of it, or where a class is rare."""
LEAST_ROWS = 2
"""Fewest rows of a block, in windows."""

_OF_SLICE, _ANOMALY = "slice", "anomaly"
_NO_CHANNELS = (_OF_SLICE, "sample", _ANOMALY, "weight")


@dataclass(frozen=True)
class CuratedSet:
    """A set as `simtwin data curate --out` writes it.

    Attributes:
        series: rows with their labels; one slice after the other.
        slices: stretches of rows that are neighbours in time.
    """

    series: LabelledSeries
    slices: tuple[Span, ...]

    @property
    def spells(self) -> list[Span]:
        """Uninterrupted stretches of anomalous rows."""
        return runs_within(self.slices, self.series.anomaly)


@dataclass(frozen=True)
class Cut:
    """How windows are cut.

    Attributes:
        window: rows of a window.
        windows: at most, evenly spread over the set.
        folds, seed: of the split.
        centred: take the mean off each window and channel, where a sensor's offset would tell the recording.
        share: of anomalies; None: as it is in the set.
    """

    window: int
    windows: int
    folds: int
    seed: int = 0
    centred: bool = False
    share: float | None = None


@dataclass(frozen=True)
class Prepared:
    """Windows of a set and their folds.

    Attributes:
        data: the windows.
        folds: each with a part to train on, one to stop by, one to test.
        cut: how they were cut.
        spells: stretches of anomalous rows in the set.
        spells_cut: how many of them had to be cut, for want of spells: their parts may be on two sides.
        repeated: windows left out because an earlier one is the same bit for bit.
    """

    data: Examples
    folds: tuple[Fold, ...]
    cut: Cut
    spells: int
    spells_cut: int
    repeated: int

    @property
    def anomalies(self) -> float:
        """Share of anomalous windows."""
        return float(1.0 - self.data.normal.mean())


def read_curated(path: Path) -> CuratedSet:
    """Read a Parquet file of `simtwin data curate --out`.

    Raises:
        DatasetError: it cannot be read, or is no such file.
    """
    try:
        table = pq.read_table(path).to_pandas()
        of_slice, anomaly = table[_OF_SLICE].to_numpy(), table[_ANOMALY].to_numpy(np.bool_)
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{path}: cannot be read as a curated set ({str(error).splitlines()[0]})") from None
    channels = tuple(str(name) for name in table.columns if name not in _NO_CHANNELS)
    edges = np.flatnonzero(np.diff(of_slice, prepend=-1, append=-1))
    series = LabelledSeries(table[list(channels)].to_numpy(np.float32), anomaly, path.stem, channels=channels)
    return CuratedSet(series, tuple(Span(int(a), int(b)) for a, b in pairwise(edges)))


def prepare(curated: CuratedSet, cut: Cut) -> Prepared:
    """Windows of a set, and folds that do not leak.

    Spells of anomalies stay whole where folds can be made so; else all is cut by time alone, and `spells_cut` counts them.

    Raises:
        DatasetError, LeakError: no folds can be made either way; the reason is that of the second.
    """
    rows = sum(span.length for span in curated.slices)
    anomalies = sum(spell.length for spell in curated.spells)
    least = LEAST_ROWS * cut.window
    length = max(rows // BLOCKS, least)
    shorter = max(min(length, min(anomalies, rows - anomalies) // (2 * cut.folds)), least)
    try:
        return _prepared(curated, cut, time_slices(curated.slices, curated.series.anomaly, length, rows))
    except (DatasetError, LeakError):
        return _prepared(curated, cut, time_slices(curated.slices, curated.series.anomaly, shorter, 0))


def _prepared(curated: CuratedSet, cut: Cut, blocks: Sequence[Span]) -> Prepared:
    series = curated.series
    last, block = window_ends(blocks, cut.window)
    chosen = _chosen(series.anomaly[last], cut)
    last, block = last[chosen], block[chosen]
    if not len(last):
        raise DatasetError(f"{series.name}: no stretch of {cut.window} rows in it")
    x = _windows(series.x, last, cut)
    first = np.sort(pd.Series([window.tobytes() for window in x]).drop_duplicates().index.to_numpy())
    label = np.where(series.anomaly[last], ANOMALY, NORMAL)
    group = np.array([f"block-{number:04d}" for number in block.tolist()])
    data = examples(x[first], label[first], group[first], channels=series.channels, name=series.name)
    folds = [fold for fold in make_folds(data, cut.folds, cut.seed) if len(fold.test)]
    across = sum(not any(b.start <= s.start and s.stop <= b.stop for b in blocks) for s in curated.spells)
    return Prepared(data, tuple(folds), cut, len(curated.spells), across, len(x) - len(first))


def window_ends(blocks: Sequence[Span], window: int) -> tuple[Ints, Ints]:
    """Last row (n,) of every window that lies in one block, and the number of its block (n,)."""
    ends = [np.arange(block.start + window - 1, block.stop, dtype=np.intp) for block in blocks]
    return np.concatenate(ends), np.repeat(np.arange(len(blocks)), [len(part) for part in ends])


def _chosen(anomaly: NDArray[np.bool_], cut: Cut) -> Ints:
    """Which windows to take: evenly in time, of both classes alike unless a share is asked for."""
    if cut.share is None:
        return _evenly(np.arange(len(anomaly)), cut.windows)
    faulty, normal = np.flatnonzero(anomaly), np.flatnonzero(~anomaly)
    total = min(cut.windows, len(normal) / (1 - cut.share), len(faulty) / cut.share)
    parts = [_evenly(normal, round(total * (1 - cut.share))), _evenly(faulty, round(total * cut.share))]
    return np.sort(np.concatenate(parts))


def _evenly(rows: Ints, most: int) -> Ints:
    """At most so many of the rows, evenly spaced."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.intp)]


def _windows(x: NDArray[np.float32], last: Ints, cut: Cut) -> NDArray[np.float32]:
    """Windows (n, window, d) that end at the rows `last`."""
    windows: NDArray[Any] = x[last[:, None] + np.arange(1 - cut.window, 1)]
    if cut.centred:
        return np.asarray(windows - windows.mean(axis=1, keepdims=True, dtype=np.float64), np.float32)
    middle = (windows.min(axis=(0, 1)) + windows.max(axis=(0, 1))) / 2  # a level far from zero would cost all the steps
    return np.asarray(windows - middle, np.float32)
