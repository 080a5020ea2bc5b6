"""The parts of a dataset: how the work is cut up, and how one part is written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow.parquet as pq

from sim.dataset.manifest import sha256_of, write_aside
from sim.dataset.table import Windows, to_table
from sim.errors import DatasetError

PART_ROWS = 512
"""Rows a part holds, about; a few tens of megabytes in memory whatever the size of the dataset."""

COUNTED = ("label", "fault_kind", "sensor_state", "provenance")
"""Columns whose combinations the manifest counts."""

J = TypeVar("J")
N = TypeVar("N", bound=str | None)


@dataclass(frozen=True)
class Part(Generic[J]):
    """One Parquet file to be: the jobs that give its rows."""

    number: int
    jobs: tuple[J, ...]
    rows: int

    @property
    def file_name(self) -> str:
        """Name of the part's file."""
        return f"part-{self.number:06d}.parquet"


def cut_into_parts(jobs: Iterable[tuple[J, int]], first: int = 0) -> list[Part[J]]:
    """Parts of about `PART_ROWS` from jobs and the rows that each gives; numbers count from `first`."""
    parts: list[Part[J]] = []
    batch: list[J] = []
    rows = 0
    for job, count in jobs:
        batch.append(job)
        rows += count
        if rows >= PART_ROWS:
            parts.append(Part(first + len(parts), tuple(batch), rows))
            batch, rows = [], 0
    if batch:
        parts.append(Part(first + len(parts), tuple(batch), rows))
    return parts


def in_turns(wanted: Mapping[N, int], most: int) -> Iterator[tuple[N, int]]:
    """Name and size of batches of at most `most` windows until each has its number wanted.

    Classes take turns, so that every part holds all of them: the one that is furthest behind its share comes next.
    """
    left = {name: count for name, count in wanted.items() if count > 0}
    while left:
        name = max(left, key=lambda n: left[n] / wanted[n])
        count = min(most, left[name])
        left[name] -= count
        if not left[name]:
            del left[name]
        yield name, count


def share(classes: Mapping[str, int], windows: int) -> dict[str, int]:
    """Split `windows` in proportion to `classes`, by largest remainder."""
    total = sum(classes.values())
    if total == 0:
        return dict.fromkeys(classes, 0)
    exact = {name: windows * count / total for name, count in classes.items()}
    shares = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda n: shares[n] - exact[n])[: windows - sum(shares.values())]:
        shares[name] += 1
    return shares


def write_part(folder: Path, file_name: str, windows: Sequence[Windows]) -> dict[str, Any]:
    """Write one part and, beside it, its entry of the manifest, which is returned.

    Raises:
        DatasetError: the disk is full or the folder cannot be written.
    """
    table = to_table(windows)
    path, aside = folder / file_name, folder / f".{file_name}.{os.getpid()}"
    try:
        with as_dataset_error(folder):
            pq.write_table(
                table, aside, compression={c: "NONE" if c == "samples.list.element" else "ZSTD" for c in _leaves(table)},
                use_dictionary=[c for c in table.column_names if c != "samples"], write_statistics=False,
            )  # fmt: skip
            counts = Counter(zip(*(table[name].to_pylist() for name in COUNTED), strict=True))
            entry = {
                "file": file_name,
                "sha256": sha256_of(aside),
                "bytes": aside.stat().st_size,
                "rows": table.num_rows,
                "counts": [[*key, count] for key, count in sorted(counts.items())],
            }
            aside.replace(path)
            write_aside(path.with_suffix(".json"), json.dumps(entry))
    finally:
        aside.unlink(missing_ok=True)
    return entry


def finished(folder: Path, file_name: str) -> dict[str, Any] | None:
    """The manifest's entry of a part that an earlier run finished and that is still whole."""
    path = folder / file_name
    try:
        entry: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
        return entry if sha256_of(path) == entry["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def as_dataset_error(folder: Path) -> Iterator[None]:
    """Turn what the operating system says of writing into one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            text = (
                f"{folder}: the disk is full; free some space and run the same command again, finished parts are kept"
            )
        else:
            text = f"{folder}: cannot be written ({error.strerror or error})"
        raise DatasetError(text) from None


def _leaves(table: Any) -> list[str]:
    return ["samples.list.element" if name == "samples" else name for name in table.column_names]
