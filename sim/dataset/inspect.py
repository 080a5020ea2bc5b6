"""Looking into a dataset: what is in it, whether it is whole, and pictures by class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim.dataset.manifest import common_orders, sha256_of
from sim.errors import DatasetError
from sim.plots import DatasetSummary, plot_dataset

SAMPLED_ROWS = 2000
"""Windows that the pictures are drawn from, spread evenly over the dataset."""


def verify(folder: Path, manifest: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Check every part against its SHA-256; yields (parts checked, parts in all).

    Raises:
        DatasetError: a part is missing or altered.
    """
    parts = manifest["parts"]
    for i, part in enumerate(parts, start=1):
        path = folder / part["file"]
        if not path.is_file():
            raise DatasetError(f"{path}: missing, but listed in the manifest")
        if sha256_of(path) != part["sha256"]:
            raise DatasetError(f"{path}: altered since it was written (SHA-256 differs from the manifest)")
        yield i, len(parts)


def labels(folder: Path, manifest: dict[str, Any]) -> pd.DataFrame:
    """All columns but the samples, one row a window."""
    names = [
        "label", "fault_kind", "sensor_state", "severity", "severity_value", "severity_unit", "speed_rpm", "load",
        "machine_id", "sensor_id", "recording_id", "provenance", "scenario", "sampling_rate_hz",
    ]  # fmt: skip
    tables = []
    for part in manifest["parts"]:
        path = folder / part["file"]
        try:
            tables.append(pq.read_table(path, columns=names))
        except (OSError, ValueError) as error:
            raise DatasetError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None
    table: pd.DataFrame = pa.concat_tables(tables).unify_dictionaries().to_pandas()
    return table


def sample_windows(folder: Path, manifest: dict[str, Any], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """The samples of some rows, (n, window_length, n_channels); `rows` must rise."""
    shape = (-1, manifest["window_length"], len(manifest["channels"]))
    picked, first = [], 0
    for part in manifest["parts"]:
        inside = rows[(rows >= first) & (rows < first + part["rows"])] - first
        if len(inside):
            column = pq.read_table(folder / part["file"], columns=["samples"])["samples"].combine_chunks()
            picked.append(column.take(inside).flatten().to_numpy().reshape(shape))
        first += part["rows"]
    return np.concatenate(picked)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Windows, recordings, severity and speed by class, sensor state and provenance."""
    grouped = table.groupby(["label", "fault_kind", "sensor_state", "provenance"], sort=True, observed=True)
    counted: pd.DataFrame = grouped.agg(
        windows=("label", "size"),
        recordings=("recording_id", "nunique"),
        severity_min=("severity", "min"),
        severity_max=("severity", "max"),
        speed_min_rpm=("speed_rpm", "min"),
        speed_max_rpm=("speed_rpm", "max"),
    )
    table_of_counts: pd.DataFrame = counted.reset_index()
    return table_of_counts


def draw(folder: Path, manifest: dict[str, Any], table: pd.DataFrame, pictures: Path) -> list[Path]:
    """Pictures by class into the folder `pictures`, made if need be."""
    rows = np.unique(np.linspace(0, len(table) - 1, min(SAMPLED_ROWS, len(table))).astype(np.intp))
    rates = table["sampling_rate_hz"].unique()
    shown = DatasetSummary(
        title=f"{folder.name}: {len(table)} windows",
        fs_hz=float(rates[0]),
        channel_names=manifest["channels"],
        samples=sample_windows(folder, manifest, rows),
        label=table["label"].to_numpy(dtype=str),
        fault_kind=table["fault_kind"].to_numpy(dtype=str),
        severity=table["severity"].to_numpy(dtype=np.float64),
        speed_rpm=table["speed_rpm"].to_numpy(dtype=np.float64),
        sensor_state=table["sensor_state"].to_numpy(dtype=str),
        sample_rows=rows,
        marks=common_orders(manifest),
    )
    try:
        pictures.mkdir(parents=True, exist_ok=True)
        return plot_dataset(pictures, shown)
    except OSError as error:
        raise DatasetError(f"{pictures}: cannot be written ({error.strerror or error})") from None
