"""Windows to train on: a dataset folder made by `simtwin augment`, or arrays, as counts with what a split must know."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.preprocessing import Counts, picked, steps_of, to_counts
from sim.dataset.manifest import MANIFEST, common_orders, read_manifest, sha256_of
from sim.dataset.table import OK
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL

Strings = NDArray[np.str_]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Target = Literal["binary", "kind", "label"]

TARGETS: tuple[Target, ...] = get_args(Target)
ANOMALY = "anomaly"
"""The other class of the binary target."""

_COLUMNS = (
    "label", "fault_kind", "sensor_state", "severity", "speed_rpm", "recording_id", "provenance", "sampling_rate_hz", "group"
)  # fmt: skip
_BEARING = {"BPFO": "bpfo", "BPFI": "bpfi", "2xBSF": "bsf2", "FTF": "ftf"}


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows of one shape, sensor and rate, with a class and a group each.

    Attributes:
        counts: (n, window, channels) int16.
        channels: names of the channels.
        lsb: what one count stands for, per channel.
        rate_hz: sampling rate; None for rows without one.
        label: (n,) class, one of `classes`.
        classes: names of the classes, `normal` first.
        kind: (n,) kind of the fault.
        group: (n,) what stays on one side of a split: the recording, or what it shares with others.
        speed_rpm: (n,) shaft speed; NaN where not known.
        severity: (n,) normalised severity: 0 none, 1 severe; NaN where not known.
        provenance: (n,) real, synthetic or hybrid.
        bearing_orders: passing orders of the bearings by name, as far as known.
        name: of the dataset.
        sha256: of its manifest; of its content without one.
        left_out: windows with a sensor fault, which are no machine state to learn.
    """

    counts: Counts
    channels: tuple[str, ...]
    lsb: tuple[float, ...]
    rate_hz: float | None
    label: Strings
    classes: tuple[str, ...]
    kind: Strings
    group: Strings
    speed_rpm: Floats
    severity: Floats
    provenance: Strings
    bearing_orders: Mapping[str, float] = field(default_factory=dict)
    name: str = ""
    sha256: str = ""
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def target(self) -> Ints:
        """(n,) number of the class; 0 is normal."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        return np.array([numbers[name] for name in self.label.tolist()], np.intp)

    @property
    def normal(self) -> NDArray[np.bool_]:
        """(n,) which windows are normal."""
        return np.asarray(self.label == NORMAL)

    def take(self, rows: Ints | NDArray[np.bool_]) -> Examples:
        """The chosen windows; the classes stay."""
        per_window = ("counts", "label", "kind", "group", "speed_rpm", "severity", "provenance")
        return replace(self, **{name: getattr(self, name)[rows] for name in per_window})

    def physical(self) -> NDArray[np.float32]:
        """Samples (n, window, channels) in the channels' units."""
        return np.multiply(self.counts, np.asarray(self.lsb, np.float32), dtype=np.float32)

    def digests(self) -> dict[str, str]:
        """SHA-256 (first 16 hex digits) of the counts of each group."""
        hashes: dict[str, Any] = {}
        for name, window in zip(self.group.tolist(), self.counts, strict=True):
            hashes.setdefault(name, hashlib.sha256()).update(np.ascontiguousarray(window))
        return {name: digest.hexdigest()[:16] for name, digest in hashes.items()}


def read_dataset(folder: Path, target: Target = "binary", channels: Sequence[str] = ()) -> Examples:
    """The windows of a dataset folder whose sensor is sound.

    Args:
        folder: made by `simtwin augment`.
        target: classes are normal and anomaly, the kinds of fault, or the labels.
        channels: which to use; none: the accelerometer's, or all where there is no accelerometer.

    Raises:
        DatasetError: no dataset, damaged or unreadable parts, a channel that is not there, several sampling rates, NaN.
    """
    manifest = read_manifest(folder)
    names = list(manifest["channels"])
    wanted = tuple(channels) or tuple(n for n in names if n.startswith("accel_")) or tuple(names)
    places = picked(names, wanted)
    shape = (-1, manifest["window_length"], len(names))
    paths = [(folder / part["file"], part["sha256"]) for part in manifest["parts"]]
    tables, steps = [], []
    for path, sha256 in paths:
        if path.is_file() and sha256_of(path) != sha256:
            raise DatasetError(f"{path}: altered since it was written (SHA-256 differs from the manifest)")
        table = _table(path)
        tables.append(table.select([name for name in _COLUMNS if name in table.column_names]))
        steps.append(steps_of(_samples(table, shape, places), wanted))
    lsb = tuple(float(step) for step in np.max(steps, axis=0))  # several sensors: the one with the widest range
    table = pa.concat_tables(tables).unify_dictionaries().to_pandas()
    sound = table["sensor_state"].to_numpy(str) == OK
    if not sound.any():
        raise DatasetError(f"{folder}: every window has a sensor fault; there is no machine state to learn")
    counts, first = [], 0
    for path, _ in paths:
        samples = _samples(_table(path, ["samples"]), shape, places)
        rows = sound[first : first + len(samples)]
        first += len(samples)
        counts.append(_counts_of(path, samples[rows], lsb))
    table = table[sound]
    rates = table["sampling_rate_hz"].unique()
    if len(rates) != 1:
        raise DatasetError(f"{folder}: windows of several sampling rates ({', '.join(f'{r:g}' for r in rates)} Hz)")
    label, classes = class_names(table["label"].to_numpy(str), table["fault_kind"].to_numpy(str), target)
    return Examples(
        counts=np.concatenate(counts),
        channels=wanted,
        lsb=lsb,
        rate_hz=float(rates[0]),
        label=label,
        classes=classes,
        kind=table["fault_kind"].to_numpy(str),
        group=table["group" if "group" in table else "recording_id"].to_numpy(str),
        speed_rpm=table["speed_rpm"].to_numpy(np.float64),
        severity=table["severity"].to_numpy(np.float64),
        provenance=table["provenance"].to_numpy(str),
        bearing_orders=_bearing_orders(manifest),
        name=folder.name,
        sha256=sha256_of(folder / MANIFEST),
        left_out=int((~sound).sum()),
    )


def examples(
    windows: NDArray[Any],
    labels: Sequence[str] | Strings,
    groups: Sequence[str] | Strings,
    *,
    channels: Sequence[str] = (),
    rate_hz: float | None = None,
    name: str = "arrays",
) -> Examples:
    """Windows of any table: rows in time order, any number of columns, any units.

    Args:
        windows: (n, window, d), finite.
        labels: (n,) class of each; `normal` must be one.
        groups: (n,) what stays on one side of a split.
        channels: names of the columns; none: x0, x1, ...
        rate_hz: sampling rate, if there is one.
        name: of the set.

    Raises:
        DatasetError: shapes that do not go together, NaN.
    """
    x = np.asarray(windows)
    label, group = np.asarray(labels, str), np.asarray(groups, str)
    if x.ndim != 3 or not len(x) or label.shape != (len(x),) or group.shape != (len(x),):
        raise DatasetError(
            f"{name}: windows {x.shape}, labels {label.shape}, groups {group.shape}; allowed is (n, window, d), (n,), (n,)"
        )
    wanted = tuple(channels) or tuple(f"x{i}" for i in range(x.shape[2]))
    lsb = steps_of(x, wanted)
    counts = _counts_of(Path(name), x, lsb)
    digest = hashlib.sha256(counts.tobytes())
    digest.update("\n".join([*label.tolist(), *group.tolist(), *wanted]).encode())
    unknown = np.full(len(x), np.nan)
    return Examples(
        counts, wanted, lsb, rate_hz, label, (NORMAL, *sorted(set(label.tolist()) - {NORMAL})), label, group, unknown,
        unknown, np.full(len(x), "real"), name=name, sha256=digest.hexdigest(),
    )  # fmt: skip


def class_names(label: Strings, kind: Strings, target: Target) -> tuple[Strings, tuple[str, ...]]:
    """Class of each window under a target, and all classes, `normal` first."""
    if target == "binary":
        return np.where(label == NORMAL, NORMAL, ANOMALY), (NORMAL, ANOMALY)
    of_window = label if target == "label" else kind
    return of_window, (NORMAL, *sorted(set(of_window.tolist()) - {NORMAL}))


def check_classes(data: Examples, folds: int) -> None:
    """Raise DatasetError unless there are normal windows and others, and recordings of each class for every part."""
    groups = {name: len(set(data.group[data.label == name].tolist())) for name in data.classes}
    there = [name for name, count in groups.items() if count]
    if NORMAL not in there:
        raise DatasetError(f"{data.name}: no normal windows; a false-alarm rate cannot be kept without them")
    if len(there) < 2:
        raise DatasetError(f"{data.name}: only one class ({there[0]}); there is nothing to tell it from")
    name, count = min(((name, groups[name]) for name in there), key=lambda item: item[1])
    if count < max(folds, 3):
        fewer = f" or ask for --folds {count}" if count >= 3 else ""
        raise DatasetError(
            f"{data.name}: class {name} has {count} recording{'s' * (count != 1)}; {folds} folds need at least"
            f" {max(folds, 3)} of each class: add some{fewer}"
        )


def count_table(data: Examples) -> dict[str, dict[str, int]]:
    """Windows and recordings of each class."""
    windows = Counter(data.label.tolist())
    return {
        name: {"windows": windows[name], "recordings": len(set(data.group[data.label == name].tolist()))}
        for name in data.classes
    }


def _table(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None


def _samples(table: pa.Table, shape: tuple[int, ...], places: list[int]) -> NDArray[np.float32]:
    return np.asarray(table["samples"].combine_chunks().flatten().to_numpy().reshape(shape)[:, :, places])


def _counts_of(source: Path, samples: NDArray[Any], lsb: Sequence[float]) -> Counts:
    try:
        return to_counts(samples, lsb)
    except DatasetError as error:
        raise DatasetError(f"{source}: {error}") from None


def _bearing_orders(manifest: Mapping[str, Any]) -> dict[str, float]:
    """Passing orders of the first bearing, where all scenarios have the same."""
    found: dict[str, float] = {}
    for name, order in common_orders(manifest).items():
        word = name.split(" ")[0]
        if word in _BEARING:
            found.setdefault(_BEARING[word], float(order))
    return found
