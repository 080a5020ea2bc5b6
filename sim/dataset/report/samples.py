"""What a report compares: windows of each class, real and synthetic, at the same speeds and equally many of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim.dataset import inspect
from sim.dataset.manifest import common_orders, read_manifest
from sim.dataset.real import REAL
from sim.dataset.table import OK
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

WINDOWS = 256
"""Windows of a class that are compared, of each side."""

CARRIED = "carried fault"
"""Origin of hybrid windows that are a real faulty recording at another speed, with no simulated fault in them."""

_TEXTS = ("label", "fault_kind", "sensor_state", "recording_id", "group", "provenance")
_FIGURES = ("severity", "rise_db", "speed_rpm", "sampling_rate_hz")
_SAMPLES = 4_000_000  # of all channels, of a class and side
_CANDIDATES = 4000  # rows of a class and provenance that are looked at, so that few parts of a large dataset are read
_SAME_LEVEL = 1.02  # speeds this close are one
_COMPARABLE = 1.1  # speeds this close are compared


@dataclass(frozen=True)
class Sample:
    """Windows of one class and origin.

    Attributes:
        x: (n, length, n_channels) float32.
        speed_rpm: (n,), NaN where unknown.
        recording: (n,) recording; of a hybrid window the real one it rests on.
        level: (n,) number of the speed, one of the real recordings' own.
    """

    x: NDArray[np.float32]
    speed_rpm: Floats
    recording: NDArray[np.str_]
    level: Ints


@dataclass(frozen=True)
class Pair:
    """Real and synthetic windows of one class, equally many at each speed."""

    real: Sample
    synthetic: Sample


class Dataset:
    """A dataset folder as the report sees it.

    Attributes:
        folder, manifest: of the dataset.
        table: one row a window, columns as in `sim.dataset.table` but the samples; and `name`, the class: the kind of fault,
            or the label where the real recordings do not say the kind; and `origin`, the provenance, or `CARRIED`.
        rate_hz, channels: of its windows.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, read_manifest(folder)
        self.table = _read(folder, self.manifest)
        self._by_kind = _by_kind(self.table)
        names = zip(self.table["label"], self.table["fault_kind"], strict=True)
        self.table["name"] = pd.Categorical([self.class_of(label, kind) for label, kind in names])
        self.rate_hz = float(self.table["sampling_rate_hz"].iloc[0])
        self.channels = tuple(self.manifest["channels"])

    @cached_property
    def orders(self) -> dict[str, float]:
        """Fault orders of the machine by name; empty if several machines disagree."""
        return common_orders(self.manifest)

    @property
    def limit(self) -> int:
        """Windows of a class and side to compare: fewer of very long ones, for the memory's sake."""
        return min(WINDOWS, max(_SAMPLES // (int(self.manifest["window_length"]) * len(self.channels)), 32))

    @property
    def classes(self) -> list[str]:
        """Classes, `normal` first."""
        return sorted(self.table["name"].unique(), key=lambda name: (name != NORMAL, name))

    def class_of(self, label: str, kind: str) -> str:
        """The class of windows with this label and kind of fault."""
        return kind if label in self._by_kind else label

    def origins(self) -> list[str]:
        """Origins beside `real`."""
        return sorted(set(self.table["origin"].unique()) - {REAL})

    def rows(self, name: str, origin: str) -> Ints:
        """Rows of a class that are compared, of sensors without fault."""
        table = self.table
        chosen = (table["name"] == name) & (table["origin"] == origin) & (table["sensor_state"] == OK)
        return np.flatnonzero(chosen.to_numpy())[:_CANDIDATES]

    def speeds(self, rows: Ints) -> Floats:
        """Speeds (n,) of rows, rpm."""
        return self.table["speed_rpm"].to_numpy(dtype=np.float64)[rows]

    def load(self, wanted: Mapping[Any, tuple[Ints, Ints]]) -> dict[Any, Sample]:
        """The samples of rows and levels, whatever they are called; each part is read once."""
        if not wanted:
            return {}
        every = np.unique(np.concatenate([rows for rows, _ in wanted.values()]))
        x = inspect.sample_windows(self.folder, self.manifest, every)
        recordings = self.table["group"].to_numpy(dtype=str)
        return {
            key: Sample(x[np.searchsorted(every, rows)], self.speeds(rows), recordings[rows], level)
            for key, (rows, level) in wanted.items()
        }


def _read(folder: Path, manifest: dict[str, Any]) -> pd.DataFrame:
    """The columns that a report needs, of all parts; a dataset of an earlier version may lack the newest."""
    tables = []
    for part in manifest["parts"]:
        path = folder / part["file"]
        try:
            there = pq.read_schema(path).names
            tables.append(pq.read_table(path, columns=[name for name in (*_TEXTS, *_FIGURES) if name in there]))
        except (OSError, ValueError) as error:
            raise DatasetError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None
    table: pd.DataFrame = pa.concat_tables(tables).unify_dictionaries().to_pandas()
    if "group" not in table:
        table["group"] = table["recording_id"]
    if "rise_db" not in table:
        table["rise_db"] = np.nan
    carried = (table["provenance"] == "hybrid") & (table["label"] != NORMAL) & table["rise_db"].isna()
    table["origin"] = pd.Categorical(np.where(carried, CARRIED, table["provenance"].astype(str)))
    return table


def _by_kind(table: pd.DataFrame) -> set[str]:
    """Labels whose kinds are classes of their own: where the real recordings' kinds are all among the synthetic ones.

    Somebody whose real recordings only say that a bearing is worn has all worn bearings compared with them.
    """
    real = table["provenance"] == REAL
    labels = set()
    for label in table["label"].unique():
        own, made = (set(table.loc[(table["label"] == label) & side, "fault_kind"]) for side in (real, ~real))
        if label != NORMAL and (not own or not made or own <= made):
            labels.add(label)
    return labels


def pair(real_rpm: Floats, other_rpm: Floats, limit: int) -> tuple[Ints, Ints, Ints]:
    """Windows to compare: indices (n,) into both sides, and the number (n,) of their speed, equally many of each speed.

    Speeds are those of the real windows; others within 10 % of one count as that speed. Where a speed is missing, the
    sides are compared as they are. Of many windows, evenly spread ones are taken.
    """
    if not (np.isfinite(real_rpm).all() and np.isfinite(other_rpm).all()) or not len(real_rpm) or not len(other_rpm):
        count = min(len(real_rpm), len(other_rpm), limit)
        level = np.zeros(count, dtype=np.intp)
        return spread(np.arange(len(real_rpm)), count), spread(np.arange(len(other_rpm)), count), level
    centres = levels_of(real_rpm)
    real_off, other_off = (np.abs(np.log(rpm[:, None] / centres)) for rpm in (real_rpm, other_rpm))
    firsts, seconds, numbers = [], [], []
    for number in spread(np.arange(len(centres)), min(len(centres), limit)):
        of_real = np.flatnonzero(real_off.argmin(axis=1) == number)
        near = (other_off.argmin(axis=1) == number) & (other_off[:, number] <= np.log(_COMPARABLE))
        count = min(len(of_real), int(near.sum()), max(limit // len(centres), 1))
        firsts.append(spread(of_real, count))
        seconds.append(spread(np.flatnonzero(near), count))
        numbers.append(np.full(count, number))
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(numbers)


def levels_of(speed_rpm: Floats) -> Floats:
    """The distinct speeds (levels,), those within 2 % taken as one; empty where a speed is missing."""
    if not np.isfinite(speed_rpm).all():
        return np.empty(0)
    levels: list[list[float]] = []
    for rpm in np.sort(speed_rpm).tolist():
        if not levels or rpm > _SAME_LEVEL * levels[-1][0]:
            levels.append([])
        levels[-1].append(rpm)
    return np.array([np.median(level) for level in levels])


def spread(values: Ints, count: int) -> Ints:
    """`count` of the values, evenly spread over them."""
    return values[np.linspace(0, len(values) - 1, count).round().astype(np.intp)] if count else values[:0]


def check_comparable(first: Dataset, second: Dataset) -> None:
    """Raise DatasetError unless windows of both have the same channels, rate and length."""
    for what, a, b in (
        ("channels", ",".join(first.channels), ",".join(second.channels)),
        ("sampling rate (Hz)", first.rate_hz, second.rate_hz),
        ("window length", first.manifest["window_length"], second.manifest["window_length"]),
    ):
        if a != b:
            raise DatasetError(
                f"{second.folder}: {what} {b}, but {first.folder} has {a}; make both alike to compare them"
            )
