"""The dataset's table: what a row is, and how windows become rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Samples = NDArray[np.float32]

OK = "ok"
"""State of a sensor without a fault."""

_TEXT = pa.dictionary(pa.int32(), pa.string())
"""Strings that repeat from row to row."""

_COLUMNS: list[tuple[str, pa.DataType, str]] = [
    ("channels", _TEXT, "names of the channels with their units, in the order of the samples, joined by commas"),
    ("sampling_rate_hz", pa.float64(), "nominal output data rate of the sensor"),
    ("label", _TEXT, "machine state: normal, or the fault's label; several joined by +"),
    ("fault_kind", _TEXT, "kinds of the faults that are there, joined by +; normal without"),
    ("severity", pa.float32(), "normalised severity of the worst fault: 0 none, 1 severe"),
    ("severity_value", pa.float32(), "physical figure of the worst fault, in severity_unit"),
    ("severity_unit", _TEXT, "unit of severity_value"),
    ("rise_db", pa.float32(), "rise over healthy windows in the band a hybrid fault affects most; NaN where not known"),
    ("sensor_state", _TEXT, "state of the sensor: ok, or the sensor fault's; never a machine fault"),
    ("sensor_severity", pa.float32(), "normalised severity of the sensor fault"),
    ("speed_rpm", pa.float32(), "mean shaft speed in the window"),
    ("load", pa.float32(), "load as a fraction of rated in the middle of the window"),
    ("start_s", pa.float64(), "start of the window, s since the start of the run"),
    ("machine_id", _TEXT, "the machine"),
    ("sensor_id", _TEXT, "the sensor; several joined by + when fused"),
    ("recording_id", _TEXT, "the recording; of hybrid windows the real one underneath"),
    ("group", _TEXT, "what must stay on one side of a split: the recording, or the specimen it shares with others"),
    ("provenance", _TEXT, "real, synthetic or hybrid"),
    ("scenario", _TEXT, "name of the scenario"),
    ("scenario_hash", _TEXT, "SHA-256 of the scenario's content"),
    ("seed", pa.int64(), "seed of the run"),
]

COLUMNS: dict[str, str] = {
    "samples": "window_length x n_channels float32, time-major: accelerometer g, gyroscope deg/s",
    **{name: meaning for name, _, meaning in _COLUMNS},
}
"""Every column of a dataset and its meaning."""


def schema(window_length: int, n_channels: int) -> pa.Schema:
    """Arrow schema of a dataset with windows of `window_length` x `n_channels`."""
    fields = [pa.field("samples", pa.list_(pa.float32(), window_length * n_channels), nullable=False)]
    fields += [pa.field(name, kind, nullable=False) for name, kind, _ in _COLUMNS]
    shape = {"window_length": str(window_length), "n_channels": str(n_channels)}
    return pa.schema(fields, metadata={"simtwin": "dataset 1", **shape})


@dataclass(frozen=True)
class Windows:
    """Windows of one recording and one sensor: the samples, and columns that are one value or one value a window.

    Attributes:
        samples: (n, window_length, n_channels) float32.
        columns: name -> a value for all windows, or a sequence of n. Without `group` it is the recording's id, without
            `rise_db` it is not known.
    """

    samples: Samples
    columns: dict[str, Any]

    def __post_init__(self) -> None:
        defaults = {"group": self.columns["recording_id"], "rise_db": math.nan}
        object.__setattr__(self, "columns", defaults | self.columns)


def to_table(windows: Sequence[Windows]) -> pa.Table:
    """One Arrow table of all `windows`, which must agree in window length and channels."""
    _, length, channels = windows[0].samples.shape
    # In pieces as they are: joining them would copy more than all the rest of this.
    pieces = [pa.FixedSizeListArray.from_arrays(pa.array(w.samples.reshape(-1)), length * channels) for w in windows]
    arrays: list[pa.Array | pa.ChunkedArray] = [pa.chunked_array(pieces)]
    for name, kind, _ in _COLUMNS:
        values: list[Any] = []
        for w in windows:
            value, n = w.columns[name], len(w.samples)
            values += list(value) if isinstance(value, (list, np.ndarray)) else [value] * n
        if kind == _TEXT:
            arrays.append(_dictionary(values))
        else:
            arrays.append(pa.array(np.asarray(values), type=kind))
    return pa.Table.from_arrays(arrays, schema=schema(length, channels))


def _dictionary(values: list[str]) -> pa.DictionaryArray:
    """Dictionary-encode with entries in order of first appearance (so that the bytes depend on the rows alone)."""
    entries = {value: i for i, value in enumerate(dict.fromkeys(values))}
    return pa.DictionaryArray.from_arrays(
        pa.array([entries[v] for v in values], type=pa.int32()), pa.array(list(entries), type=pa.string())
    )
