"""CSV, Parquet and NPZ files as tables of named columns, with one clear line for whatever is wrong with a file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets.packed import open_npz, open_parquet
from sim.errors import DatasetError

Column = NDArray[Any]

_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class Dialect:
    """How CSV files are written; `skip_rows` lines stand before the header."""

    separator: str = ","
    decimal: str = "."
    skip_rows: int = 0
    header: bool = True


@dataclass(frozen=True)
class Table:
    """Columns of a file, or of one recording in it.

    Attributes:
        rows: columns of one length; an NPZ array of several channels is (n, channels).
        values: what is stated once for the whole table.
        suffix: what tells it from the file's other tables.
    """

    rows: Mapping[str, Column]
    values: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""

    def column(self, name: str) -> Column:
        """A column of the rows.

        Raises:
            DatasetError: there is none of that name.
        """
        if name not in self.rows:
            names = [*self.rows, *self.values]
            shown = ", ".join(map(repr, names[:12])) + (", ..." if len(names) > 12 else "")
            raise DatasetError(f"no column {name!r}; there are {shown}")
        return self.rows[name]

    def words(self, name: str) -> tuple[list[str], NDArray[np.intp]]:
        """Distinct texts of a column in order of appearance, and for each row which one; one row for a stated value."""
        cells = np.asarray([self.values[name]]) if name in self.values else self.column(name)
        first: dict[str, int] = {}
        values, inverse = np.unique(cells.astype(str) if cells.dtype == object else cells, return_inverse=True)
        codes = np.array([first.setdefault(text_of(value), len(first)) for value in values], dtype=np.intp)[inverse]
        appearance = np.unique(codes, return_index=True)[1].argsort()
        words = list(first)
        return [words[code] for code in appearance], np.argsort(appearance)[codes]

    def split(self, name: str) -> list[Table]:
        """One table for each distinct text of a column, rows in their order."""
        words, codes = self.words(name)
        if len(words) == 1:
            return [self]
        return [
            replace(self, rows={key: rows[codes == i] for key, rows in self.rows.items()}, suffix=f"#{word}")
            for i, word in enumerate(words)
        ]


def text_of(value: Any) -> str:
    """A cell as a word: whole numbers without their point."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def open_tables(path: Path, dialect: Dialect, channels: Mapping[str, bool]) -> list[Table]:
    """The tables of a file: one, or in an NPZ file of (recordings, n[, channels]) arrays one for each recording.

    Args:
        path: file whose name ends in .csv, .txt, .tsv, .parquet, .pq or .npz.
        dialect: of CSV files.
        channels: column of each channel -> whether it is an array with several channels.

    Raises:
        DatasetError: it cannot be read; the message begins with the file's name.
    """
    kind = path.suffix.lower()
    if kind == ".npz":
        return _npz(path, channels)
    if kind in (".csv", ".txt", ".tsv"):
        return [_csv(path, dialect)]
    if kind in (".parquet", ".pq"):
        frame = open_parquet(path)
        return [Table({str(name): frame[name].to_numpy() for name in frame.columns})]
    raise DatasetError(f"{path}: not a kind of file that is read here; must be .csv, .txt, .tsv, .parquet, .pq or .npz")


def _npz(path: Path, channels: Mapping[str, bool]) -> list[Table]:
    arrays = open_npz(path)
    Table(arrays).column(next(iter(channels)))  # a wrong name is told with the names there are
    lead = {arrays[name].ndim - 1 - several for name, several in channels.items() if name in arrays}
    if lead == {0}:
        n = len(arrays[next(iter(channels))])
        rows = {name: a for name, a in arrays.items() if a.ndim and len(a) == n}
        return [Table(rows, {name: a.item() for name, a in arrays.items() if name not in rows and a.size == 1})]
    if lead != {1}:
        shapes = ", ".join(f"{name} {arrays[name].shape}" for name in channels if name in arrays)
        raise DatasetError(
            f"{path}: arrays have shapes {shapes}; a channel is (n) or (recordings, n), an array of several channels"
            " (with `index`) is (n, channels) or (recordings, n, channels)"
        )
    count = len(arrays[next(iter(channels))])
    tables = []
    for i in range(count):
        per = {name: a[i] for name, a in arrays.items() if a.ndim and len(a) == count}
        values = {name: a.item() for name, a in per.items() if a.ndim == 0}
        values |= {name: a.item() for name, a in arrays.items() if a.size == 1}
        tables.append(Table({name: a for name, a in per.items() if a.ndim}, values, f"#{i}"))
    return tables


def _csv(path: Path, dialect: Dialect) -> Table:
    import pandas as pd

    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, sep=dialect.separator, decimal=dialect.decimal, skiprows=dialect.skip_rows, low_memory=False,
                header=0 if dialect.header else None, skipinitialspace=True, index_col=False, encoding="utf-8-sig",
            )  # fmt: skip
    except pd.errors.EmptyDataError:
        raise DatasetError(f"{path}: empty; export it again") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not UTF-8 text; export it as UTF-8") from None
    except (OSError, ValueError) as error:  # pandas' ParserError is a ValueError
        reason = str(error).strip().splitlines()[-1]
        raise DatasetError(f"{path}: cannot be read as CSV ({reason}); is `csv: separator` right?") from None
    last = _last_line(path)
    cells = last.count(dialect.separator) + 1
    if '"' not in last and len(frame) > 1 and cells < len(frame.columns):
        raise DatasetError(
            f"{path}: broken off: the last line has {cells} of {len(frame.columns)} values; copy or export it again"
        )
    return Table({str(name).strip(): frame[name].to_numpy() for name in frame.columns})


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(os.path.getsize(path) - _TAIL_BYTES, 0))
        lines = file.read().decode(errors="replace").rstrip("\r\n").splitlines()
    return lines[-1] if lines else ""


def numbers(cells: Column) -> NDArray[np.float64]:
    """A column as numbers; empty cells are NaN.

    Raises:
        DatasetError: a cell is no number; says which.
    """
    if cells.dtype.kind in "fiub":
        return cells.astype(np.float64)
    import pandas as pd

    values = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy(np.float64)
    wrong = np.isnan(values) & ~pd.isna(cells)
    if wrong.any():
        at = int(wrong.argmax())
        raise DatasetError(
            f"{str(cells[at])[:40]!r} in row {at + 1} is not a number: mend the export, or set `csv: decimal` or `separator`"
        )
    return values
