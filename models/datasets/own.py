"""A dataset of simtwin itself as recordings: the windows of one recording joined again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.dataset.inspect import verify
from sim.dataset.manifest import read_manifest
from sim.dataset.real import RealRecording
from sim.dataset.table import OK
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL

_SAME = ("recording_id", "sensor_id", "machine_id", "channels", "sampling_rate_hz", "scenario", "provenance")
"""Columns that one recording has in common."""

_CLOCK = 0.05
"""Share of a window by which the next one may seem to start early or late: a sensor's own clock is off by some per cent."""


def read_own(folder: Path) -> list[RealRecording]:
    """The recordings of a dataset folder; see `own_recordings`."""
    return list(own_recordings(folder))


def own_recordings(folder: Path) -> Iterator[RealRecording]:
    """The recordings of a dataset folder, part after part, every part first checked against its SHA-256.

    Windows that follow each other without a pause are joined; where the label changes, the recording's `anomaly` says
    which samples are anomalous. Recordings that were cut with a pause come in pieces `id`, `id#2`, ... of one group.

    Raises:
        DatasetError: not a dataset, damaged, or with windows that overlap.
    """
    manifest = read_manifest(folder)
    for _ in verify(folder, manifest):
        pass
    shape = (-1, manifest["window_length"], len(manifest["channels"]))
    pieces: dict[str, int] = {}
    for part in manifest["parts"]:
        path = folder / part["file"]
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise DatasetError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None
        samples = table["samples"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(shape)
        rows = table.drop_columns(["samples"]).to_pylist()
        for first, after in _stretches(rows, shape[1], folder):
            name = f"{rows[first]['recording_id']}/{rows[first]['sensor_id']}".rstrip("/")
            pieces[name] = pieces.get(name, 0) + 1
            suffix = f"#{pieces[name]}" if pieces[name] > 1 else ""
            joined = samples[first:after].reshape(-1, shape[2])
            yield _recording(rows[first:after], joined, name + suffix)


def _stretches(rows: list[dict[str, Any]], length: int, folder: Path) -> list[tuple[int, int]]:
    """First row and row after the last of each stretch of windows without a pause."""
    starts = [0]
    for i in range(1, len(rows)):
        before, here = rows[i - 1], rows[i]
        step = (here["start_s"] - before["start_s"]) * here["sampling_rate_hz"]
        same = all(here[key] == before[key] for key in _SAME)
        faults = {before["label"], here["label"]} - {NORMAL}
        if same and len(faults) < 2 and 0.5 < step < (1.0 - _CLOCK) * length:
            raise DatasetError(
                f"{folder}: windows of recording {here['recording_id']} overlap by {length - step:.0f} samples; make the"
                " dataset without overlap to join them"
            )
        if not same or len(faults) > 1 or abs(step - length) > _CLOCK * length:
            starts.append(i)
    return list(zip(starts, [*starts[1:], len(rows)], strict=True))


def _recording(rows: list[dict[str, Any]], samples: np.ndarray[Any, Any], name: str) -> RealRecording:
    labels = [row["label"] for row in rows]
    worst = next((row for row in rows if row["label"] != NORMAL), rows[0])
    states = sorted({row["sensor_state"] for row in rows} - {OK})
    figure, unit = worst["severity_value"], worst["severity_unit"]
    changing = len(set(labels)) > 1
    first = rows[0]
    return RealRecording(
        samples=np.ascontiguousarray(samples),
        channels=tuple(first["channels"].split(",")),
        rate_hz=float(first["sampling_rate_hz"]),
        id=name,
        label=worst["label"],
        fault_kind=worst["fault_kind"],
        severity=unit if not np.isfinite(figure) else f"{figure:.4g} {unit}".strip(),
        speed_rpm=float(np.mean([row["speed_rpm"] for row in rows])),
        load=float(np.mean([row["load"] for row in rows])),
        machine_id=first["machine_id"],
        sensor_id=first["sensor_id"],
        group=first.get("group", first["recording_id"]),  # datasets made before there was such a column have none
        source=first["scenario"],
        start_s=float(first["start_s"]),
        anomaly=np.repeat([label != NORMAL for label in labels], len(samples) // len(rows)) if changing else None,
        notes=(first["provenance"], *(f"sensor {state}" for state in states)),
    )
