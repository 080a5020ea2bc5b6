"""SmartManuAD: a collection of tables of factories' data with anomalies marked row by row."""

from __future__ import annotations

import csv
import pickle
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets.base import Reader
from models.datasets.checks import Expected
from models.datasets.origin import Origin, pinned
from models.datasets.packed import open_npz
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

INDEX = "index.csv"
_PACKED = pinned("smartmanuad_packed.sha256")
NUMBERS = tuple(sorted(int(name.split("_")[0]) for name in _PACKED if name != INDEX))
"""The members that could be had; the other numbers up to 100 are too large for the repository's snapshot."""

_INVERTED = 21
SAMPLED = {54: (2000.0, 1e-3, "CNC machining"), 76: (50.0, 1.0, "cooler fan")}
"""Members that are vibration samples, x, y, z with gravity: rate in Hz, g per unit of the file."""

TRAPS = {
    17: "network intrusions, no machine: 80 % are called anomalies, 494 020 rows but 145 583 different ones",
    21: "labels were inverted against the collection's own README (126 anomalies of 383 rows) and are turned round here",
    42: "the 3 000 normal rows are repeated 7 times bit by bit: a random split leaks every one of them",
    47: "much smaller than the collection's README says",
    54: "2 kHz samples, 30.2 s good and then 19.5 s bad, one block each: cut windows; rows tell chance amplitude",
    56: "over 95 % of the rows are duplicates: split by group",
    57: "over 95 % of the rows are duplicates: split by group",
    74: "over 95 % of the rows are duplicates: split by group",
    76: "labels contradict the machine's state: the balanced fan is called anomaly, the worst imbalance normal; use uci_fan",
    80: "65 % of the rows are duplicates: split by group",
    88: "43 % of the rows are duplicates: split by group; terms of the upstream set are open: check before shipping",
    14: "terms of the upstream set (inIT-OWL) are open: check before shipping",
    66: "terms of the upstream set (inIT-OWL) are open: check before shipping",
}
_INJECTED = "a tenth of the rows are anomalies that the collection's authors injected, not observed"


def index(path: Path) -> dict[int, dict[str, str]]:
    """The collection's index: number -> name, source, labels (Real, Synthetic), data_type, n, d, anomalies, ..."""
    with path.open(newline="") as file:
        return {int(row["id"]): row for row in csv.DictReader(file)}


class SmartManuAd(Reader):
    """The whole collection; `Table` is one member of it."""

    name = "smartmanuad"
    title = "SmartManuAD, tables of factories' data (54 of 100)"
    folder = "smartmanuad"
    licence = "GPL-3.0 for the collection; every member has terms of its own (`source` in index.csv)"
    citation = "SmartManuAD, Smart-Manufacturing-AD"
    units = "each table its own, mostly without units; 54 is in mg and delivered in g"
    traps = (
        "25 of the 54 tables have real labels; in the others a tenth of the rows are injected anomalies",
        "the index and the files differ from the collection's README in places: see the notes of each member",
    )
    origins = (
        Origin(
            "SmartManuAD/Smart-Manufacturing-AD",
            "06d0d609a3e35d5318bdcb8931827d6d7cf613df",
            pinned("smartmanuad.sha256"),
        ),
    )
    files = _PACKED
    expected = Expected(waveform=False, min_samples=1)

    def wanted(self) -> Sequence[str]:
        """The files that `_read` opens; the members check their own."""
        return [INDEX]

    def _read(self, folder: Path) -> list[RealRecording]:
        recordings = []
        for number in NUMBERS:
            table = Table(number)
            table.check_files(folder, table.wanted())
            recordings += table._read(folder)
        return recordings

    def pack(self, origin: Path, out: Path) -> None:
        """Single precision, and the index from the collection's README and the files."""
        rows = _listed((origin / "datasets" / "README.md").read_text())
        with (out / INDEX).open("w", newline="") as file:
            writer = csv.DictWriter(file, [*_INDEX_COLUMNS, "file", "n", "d", "anomalies"], lineterminator="\n")
            writer.writeheader()
            for name in _PACKED:
                if name == INDEX:
                    continue
                d = _open_origin(origin / "datasets" / "Classical" / name)
                np.savez_compressed(out / name, X=d["X"].astype(np.float32), y=d["y"].astype(np.int8))
                n, width = d["X"].shape
                row = rows[int(name.split("_")[0])]
                writer.writerow({**row, "file": name, "n": n, "d": width, "anomalies": int((d["y"] > 0).sum())})


_INDEX_COLUMNS = {
    "id": "ID", "name": "Transformed Name", "source": "Link to source", "labels": "Labels", "data_type": "Data_Type",
    "readme_n": "# Processed Instances", "readme_d": "# Processed Features", "readme_anom": "# Anomalies",
    "category": "SM_Category", "sub": "SM_Subcategory",
}  # fmt: skip
"""Column of the index -> column of the table in the collection's README."""


class _ArraysOnly(pickle.Unpickler):
    """Unpickles arrays of numbers and texts; every other class is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")):
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")


def _open_origin(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of one of the collection's files; one of them (64) holds its numbers as Python objects."""
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}


def _array(content: bytes) -> NDArray[Any]:
    file = BytesIO(content)
    np.lib.format.read_magic(file)
    if np.lib.format.read_array_header_1_0(file)[2].hasobject:
        return np.asarray(_ArraysOnly(file).load())
    return np.asarray(np.lib.format.read_array(BytesIO(content), allow_pickle=False))


def _listed(readme: str) -> dict[int, dict[str, str]]:
    """The table of all members in the collection's README by number."""
    lines = [line.strip().strip("|").split("|") for line in readme.splitlines() if line.startswith("|")]
    cells = [[" ".join(cell.split()) for cell in line] for line in lines]
    heads = next(line for line in cells if line[0] == "ID")
    table = [dict(zip(heads, line, strict=False)) for line in cells if line[0].isdecimal()]
    for row in table:
        row["Link to source"] = row["Link to source"].removeprefix("[link](").removesuffix(")")
    return {int(row["ID"]): {key: row[head] for key, head in _INDEX_COLUMNS.items()} for row in table}


class Table(SmartManuAd):
    """One table of the collection: a recording whose anomalous rows are marked."""

    def __init__(self, number: int) -> None:
        """The member `number`, e.g. 54 (CNCMachining)."""
        if number not in NUMBERS:
            raise DatasetError(f"smartmanuad/{number}: not there; the numbers are {', '.join(map(str, NUMBERS))}")
        self.number = number
        self.file = next(name for name in _PACKED if name.startswith(f"{number}_"))
        self.name = f"smartmanuad/{number}"  # type: ignore[misc]
        if number in SAMPLED:
            self.expected = Expected(gravity="included")  # type: ignore[misc]

    def wanted(self) -> Sequence[str]:
        """The files that `_read` opens."""
        return [INDEX, self.file]

    def _read(self, folder: Path) -> list[RealRecording]:
        path, row = folder / self.file, index(folder / INDEX)[self.number]
        d = open_npz(path)
        x, y = d["X"], d["y"] > 0
        stated = (int(float(row["n"])), int(float(row["d"])), int(float(row["anomalies"])))
        if (*x.shape, int(y.sum())) != stated or len(y) != len(x):
            raise DatasetError(
                f"{path}: {x.shape[0]} x {x.shape[1]}, {int(y.sum())} anomalies; the index says {stated}"
            )
        notes = [row["data_type"], row["category"], f"{row['labels']} labels"]
        notes += [_INJECTED] if row["labels"] == "Synthetic" else []
        notes += [TRAPS[self.number]] if self.number in TRAPS else []
        if self.number == _INVERTED:
            y = ~y
        channels: tuple[str, ...] = tuple(f"x{i}" for i in range(x.shape[1]))
        rate_hz = 1.0
        if self.number in SAMPLED:
            rate_hz, scale, _ = SAMPLED[self.number]
            x, channels = x * np.float32(scale), ("accel_x_g", "accel_y_g", "accel_z_g")
        else:
            notes.append("no rate is stated: rows are counted as seconds")
        return [
            RealRecording(
                samples=x.astype(np.float32, copy=False),
                channels=channels,
                rate_hz=rate_hz,
                id=f"smartmanuad/{self.number}",
                label="anomaly" if y.any() else "normal",
                fault_kind="anomaly" if y.any() else "normal",
                machine_id=row["name"],
                source=self.name,
                anomaly=y,
                notes=tuple(notes),
            )
        ]


READER = SmartManuAd()
