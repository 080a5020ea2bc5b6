"""What every reader of a set of recordings shares: where the data lies, what its files must be, how it is checked."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from models.datasets.checks import Expected, Source, Survey, survey
from models.datasets.origin import FETCHED, Origin, fetched
from sim.dataset.manifest import MANIFEST, sha256_of
from sim.dataset.real import RealRecording
from sim.errors import DatasetError

VARIABLE = "SIMTWIN_DATA"
"""Environment variable that names the folder of the data."""

_READERS = ("adi", "cwru", "uci_fan", "ceiling_fan", "skab", "smartmanuad")
_MEMBER = re.compile(r"smartmanuad/([0-9]+)")


def data_folder() -> Path:
    """The folder that holds the sets, one subfolder each.

    SIMTWIN_DATA if it is set, else `../shared/data` beside the repository if it is there, else `simtwin/data` in the
    user's cache folder. The folder need not exist.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if beside.is_dir():
        return beside
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "simtwin" / "data"


class Reader(ABC):
    """One set of recordings. A subclass says what the set is and delivers its recordings; this class checks them."""

    name: ClassVar[str]
    """What the set is called on the command line."""
    title: ClassVar[str]
    folder: ClassVar[str]
    """Subfolder of the data folder."""
    licence: ClassVar[str]
    citation: ClassVar[str]
    units: ClassVar[str]
    """What is measured, in which unit, with what done to it."""
    traps: ClassVar[tuple[str, ...]] = ()
    """What one must know before trusting a result on this set."""
    origins: ClassVar[tuple[Origin, ...]]
    """Public places `simtwin data fetch` gets it from."""
    files: ClassVar[dict[str, str]]
    """File -> SHA-256 of the set as it was packed for this project."""
    expected: ClassVar[Expected] = Expected()
    """What the checks may take for granted of every recording."""

    def place(self) -> Path:
        """The set's folder."""
        return data_folder() / self.folder

    def there(self) -> bool:
        """Whether all files of the set are on this machine."""
        return all((self.place() / name).is_file() for name in self.files)

    def check_files(self, folder: Path, names: Sequence[str]) -> None:
        """Raise DatasetError unless the files are what was packed, or what `data fetch` wrote."""
        own = fetched(folder)
        for name in names:
            path = folder / name
            if not path.is_file():
                raise DatasetError(
                    f"{path}: not there; run `simtwin data fetch {self.name.split('/')[0]}`, or name the folder of the data"
                    f" in {VARIABLE}"
                )
            if name not in self.files:
                raise DatasetError(f"{path}: not a file of the set {self.name}")
            found = sha256_of(path)
            if found not in (self.files[name], own.get(name)):
                raise DatasetError(
                    f"{path}: SHA-256 is {found[:16]}..., expected {self.files[name][:16]}...; the file is damaged or of"
                    f" another version: delete it and run `simtwin data fetch {self.name.split('/')[0]}`"
                )

    def wanted(self) -> Sequence[str]:
        """The files that `_read` opens."""
        return list(self.files)

    def read(self) -> list[RealRecording]:
        """All recordings, files checked but the recordings not; see `open_recordings`."""
        folder = self.place()
        self.check_files(folder, self.wanted())
        return self._read(folder)

    @abstractmethod
    def pack(self, origin: Path, out: Path) -> None:
        """Make `files` in `out` from the origin's files below `origin`."""

    @abstractmethod
    def _read(self, folder: Path) -> list[RealRecording]:
        """The recordings in `folder`, whose files are what they should be."""


def known() -> dict[str, Reader]:
    """Every known set by name; the members of a collection (smartmanuad/54) are not counted."""
    return {name: _known(name) for name in _READERS}


def _known(name: str) -> Reader:
    reader = import_module(f"models.datasets.{name}").READER
    assert isinstance(reader, Reader)
    return reader


def reader_of(name: str) -> Reader | None:
    """The reader of a known set or of a member of the collection (smartmanuad/54); None for any other text."""
    if member := _MEMBER.fullmatch(name):
        from models.datasets.smartmanuad import Table

        return Table(int(member[1]))
    return _known(name) if name in _READERS else None


def _source(name_or_path: str | os.PathLike[str]) -> Source:
    name, path = os.fspath(name_or_path), Path(name_or_path)
    if reader := reader_of(name):
        return Source(reader.read(), reader.expected)
    if path.suffix.lower() in (".yaml", ".yml"):
        from models.datasets.described import read_described

        return read_described(path)
    if (path / MANIFEST).is_file():
        from models.datasets.own import read_own

        return Source(read_own(path), Expected())
    if path.is_dir():
        raise DatasetError(
            f"{path}: no {MANIFEST} in it, so it is not a dataset of simtwin; describe its files in a YAML file"
        )
    if path.exists():
        raise DatasetError(f"{path}: describe the file in a few lines of YAML and name that file; see docs/data.md")
    raise DatasetError(
        f"{name}: no such set or file; known sets are {', '.join(_READERS)}, smartmanuad/NUMBER; or name a YAML file"
        " that describes recordings, or a dataset folder"
    )


def survey_recordings(name_or_path: str | os.PathLike[str], skip_bad: bool = False) -> Survey:
    """Read and check recordings: which are good, which were left out and why, and what is questionable.

    Args:
        name_or_path: a known set (adi, cwru, uci_fan, ceiling_fan, skab, smartmanuad/54), a YAML file that describes
            recordings, or a dataset folder of simtwin, whose rows of one recording are joined.
        skip_bad: leave out what cannot be used instead of raising.

    Raises:
        DatasetError: a file is missing, damaged or of another version; or a recording cannot be used (unless `skip_bad`).
    """
    found = survey(_source(name_or_path), skip_bad=skip_bad)
    if not found.recordings:
        first = (
            f"; the first of {len(found.left_out)} left out: {': '.join(found.left_out[0])}" if found.left_out else ""
        )
        raise DatasetError(f"{os.fspath(name_or_path)}: no usable recording in it{first}")
    return found


def open_recordings(name_or_path: str | os.PathLike[str], skip_bad: bool = False) -> list[RealRecording]:
    """The good recordings of a set or a file; see `survey_recordings`."""
    return list(survey_recordings(name_or_path, skip_bad).recordings)


__all__ = [
    "FETCHED", "VARIABLE", "Expected", "Origin", "Reader", "Survey", "data_folder", "known", "open_recordings",
    "reader_of", "survey_recordings",
]  # fmt: skip
