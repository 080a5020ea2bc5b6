"""A user's own recordings, described by a few lines of YAML: which files, which columns, which units, what they show."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from models.datasets.checks import MIN_SAMPLES, Expected, Floats, Source, time_faults
from models.datasets.tables import Dialect, Table, numbers, open_tables
from sim.dataset.real import RealRecording
from sim.effect import GRAVITY_M_S2
from sim.errors import DatasetError
from sim.scenario.reader import read
from sim.scenario.schema import NORMAL
from sim.scenario.spec import Spec

_UNITS: dict[str, tuple[str, float]] = {
    "g": ("_g", 1.0),
    "mg": ("_g", 1e-3),
    "m/s^2": ("_g", 1.0 / GRAVITY_M_S2),
    "deg/s": ("_dps", 1.0),
    "rad/s": ("_dps", 180.0 / math.pi),
    "other": ("", 1.0),
}
"""Unit of a column -> ending of the channel's name, factor to g or deg/s."""
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


class Channel(Spec):
    """One channel: `accel_x: {column: ax, unit: m/s^2}`."""

    column: Annotated[str, Field(min_length=1)]
    """Name of the column, or of the array in an NPZ file."""
    index: Annotated[int, Field(ge=0)] | None = None
    """Which entry of the array's last axis, for NPZ arrays that hold several channels."""
    unit: Literal["g", "mg", "m/s^2", "deg/s", "rad/s", "other"]
    """Unit of the column; `other` for process data, which is taken as it is."""


class Time(Spec):
    """The column of times."""

    column: Annotated[str, Field(min_length=1)]
    unit: Literal["s", "ms", "us", "ns", "datetime"] = "s"


class From(Spec):
    """Where a value is written: in a column, or in a named group of `pattern`."""

    column: str | None = None
    group: str | None = None
    map: dict[str, str] = {}
    """Words of the files -> words of simtwin; others stay as they are."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.column is None) == (self.group is None):
            raise ValueError("needs either `column` or `group` (a named group of `pattern`)")
        return self


class Csv(Spec):
    """How CSV files are written."""

    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    skip_rows: Annotated[int, Field(ge=0)] = 0
    """Lines before the header."""
    header: bool = True
    """Without a header the columns are called "0", "1", ..."""


class Described(Spec):
    """Recordings in CSV, Parquet or NPZ files."""

    name: str = ""
    """Name of the set; the YAML file's own by default."""
    files: str | list[str]
    """File names, relative to the YAML file; `*` and `**` stand for any."""
    pattern: str | None = None
    """Regular expression with named groups, searched in each file's name: `(?P<state>[a-z]+)_(?P<rpm>[0-9]+)rpm`."""
    channels: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Channel], Field(min_length=1)]
    rate_hz: Annotated[float, Field(gt=0.0)] | None = None
    time: Time | None = None
    """With `rate_hz` as well, the one is checked against the other."""
    recording: From | None = None
    """The recording's name; each file (each first entry of an NPZ array) is one recording by default."""
    group: str | From | None = None
    """What must stay on one side of a split; the recording by default."""
    label: str | From = ""
    fault_kind: str | From | None = None
    severity: str | From = ""
    speed_rpm: float | From | None = None
    load: float | From | None = None
    machine_id: str | From = ""
    sensor_id: str | From = ""
    gravity: Literal["included", "removed", "unknown"] = "unknown"
    """Whether acceleration contains gravity; with it the unit can be checked."""
    range_g: Annotated[float, Field(gt=0.0)] | None = None
    """The accelerometer's range."""
    min_samples: Annotated[int, Field(ge=1)] = MIN_SAMPLES
    csv: Csv = Csv()

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, text: str | None) -> str | None:
        try:
            re.compile(text or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rate_hz is None and self.time is None:
            raise ValueError("needs `rate_hz`, or `time` with the column of times, or both")
        groups = re.compile(self.pattern or "").groupindex
        for key in (
            "recording",
            "group",
            "label",
            "fault_kind",
            "severity",
            "speed_rpm",
            "load",
            "machine_id",
            "sensor_id",
        ):
            source = getattr(self, key)
            if isinstance(source, From) and source.group is not None and source.group not in groups:
                raise ValueError(
                    f"`{key}` names the group `{source.group}`, but `pattern` has {list(groups) or 'none'}"
                )
        for name, channel in self.channels.items():
            kind = {"_g": "accel", "_dps": "gyro"}.get(_UNITS[channel.unit][0])
            if kind is not None and not name.startswith(kind):
                raise ValueError(f"channel `{name}` is in {channel.unit}, so its name must begin with `{kind}`")
        return self

    def expected(self) -> Expected:
        """What the checks may take for granted."""
        waveform = any(channel.unit != "other" for channel in self.channels.values())
        return Expected(self.gravity, self.range_g, waveform, self.min_samples)

    def names(self) -> tuple[str, ...]:
        """Names of the channels with their units: accel_x_g, gyro_z_dps."""
        endings = ((name, _UNITS[channel.unit][0]) for name, channel in self.channels.items())
        return tuple(name if not end or name.endswith(end) else name + end for name, end in endings)


def read_described(path: Path) -> Source:
    """The recordings that a YAML file describes; what cannot be read is listed in `bad`.

    Raises:
        ScenarioError: mistakes in the YAML file, one line each.
        DatasetError: no file matches.
    """
    return recordings_of(read(path, Described), path)


def recordings_of(spec: Described, path: Path) -> Source:
    """The recordings of a description that stands, or could stand, in the file `path`; see `read_described`."""
    layout = {channel.column: channel.index is not None for channel in spec.channels.values()}
    dialect = Dialect(**spec.csv.model_dump())
    recordings: dict[str, RealRecording] = {}
    bad: list[tuple[str, str]] = []
    files: dict[str, str] = {}
    for file in _matching(path, spec):
        try:
            tables = open_tables(file, dialect, layout)
            column = spec.recording.column if spec.recording is not None else None
            if column is not None and column in tables[0].rows:
                tables = tables[0].split(column)
        except DatasetError as error:
            bad.append((str(file), str(error).removeprefix(f"{file}: ")))
            continue
        for table in tables:
            try:
                recording = _One(spec, path, file, table).recording()
                if recording.id in recordings:
                    raise DatasetError(
                        f"a recording {recording.id} is in {files[recording.id]} already; name them apart"
                    )
            except DatasetError as error:
                bad.append((f"{file}{table.suffix}", str(error)))
                continue
            recordings[recording.id], files[recording.id] = recording, str(file)
    return Source(list(recordings.values()), spec.expected(), tuple(bad), files)


def _matching(path: Path, spec: Described) -> list[Path]:
    """The files, in order of their names."""
    found: dict[Path, None] = {}
    for text in [spec.files] if isinstance(spec.files, str) else spec.files:
        try:
            matching = sorted(Path(name) for name in glob(text, root_dir=path.parent, recursive=True))
        except (OSError, ValueError) as error:
            raise DatasetError(f"{path}: files = {text}: {error}") from None
        matching = [path.parent / name for name in matching if (path.parent / name).is_file()]
        if not matching:
            raise DatasetError(
                f"{path}: files = {text}: no file of that name beside it; names are relative to this file"
            )
        found |= dict.fromkeys(matching)
    return list(found)


@dataclass(frozen=True)
class _One:
    """One recording in the making."""

    spec: Described
    path: Path
    file: Path
    table: Table

    def recording(self) -> RealRecording:
        """The recording; raises DatasetError with what is wrong with it."""
        spec = self.spec
        samples = np.stack([self._channel(name, channel) for name, channel in spec.channels.items()], axis=1)
        rate_hz = self._rate_hz()
        label, anomaly = self._label(len(samples))
        name = self._text(spec.recording) or self._file_name()
        return RealRecording(
            samples=samples,
            channels=spec.names(),
            rate_hz=rate_hz,
            id=name,
            label=label,
            fault_kind=self._text(spec.fault_kind, anomaly) or label,
            severity=self._text(spec.severity, anomaly),
            speed_rpm=self._number(spec.speed_rpm),
            load=self._number(spec.load),
            machine_id=self._text(spec.machine_id),
            sensor_id=self._text(spec.sensor_id),
            group=self._text(spec.group),
            source=spec.name or self.path.stem,
            anomaly=anomaly,
        )

    def _file_name(self) -> str:
        relative = os.path.relpath(self.file.with_suffix(""), self.path.parent)
        return Path(relative).as_posix() + self.table.suffix

    def _channel(self, name: str, channel: Channel) -> NDArray[np.float32]:
        cells = self.table.column(channel.column)
        if channel.index is not None:
            if cells.ndim != 2 or channel.index >= cells.shape[1]:
                raise DatasetError(
                    f"channel {name}: no `index` {channel.index} in {channel.column!r} of shape {cells.shape}"
                )
            cells = cells[:, channel.index]
        try:
            return (numbers(cells) * _UNITS[channel.unit][1]).astype(np.float32)
        except DatasetError as error:
            raise DatasetError(f"channel {name}: column {channel.column!r}: {error}") from None

    def _rate_hz(self) -> float:
        spec = self.spec
        if spec.time is None:
            assert spec.rate_hz is not None  # Described has seen to it
            return spec.rate_hz
        cells = self.table.column(spec.time.column)
        if spec.time.unit == "datetime":
            import pandas as pd

            try:
                moments = pd.to_datetime(pd.Series(cells), utc=True, format="ISO8601")
            except (ValueError, TypeError) as error:
                raise DatasetError(
                    f"time column {spec.time.column!r}: not dates in ISO 8601 ({str(error).splitlines()[0][:80]})"
                ) from None
            time_s: Floats = np.asarray((moments - moments.iloc[0]).dt.total_seconds(), dtype=np.float64)
        else:
            try:
                time_s = numbers(cells) * _SECONDS[spec.time.unit]
            except DatasetError as error:
                raise DatasetError(f"time column {spec.time.column!r}: {error}") from None
        if faults := time_faults(time_s, spec.rate_hz):
            raise DatasetError(faults[0])
        if spec.rate_hz is not None:
            return spec.rate_hz
        if len(time_s) < 2:
            raise DatasetError(f"only {len(time_s)} samples, so the rate cannot be told from the times")
        return float((len(time_s) - 1) / (time_s[-1] - time_s[0]))

    def _words(self, source: str | From | None) -> tuple[list[str], NDArray[np.intp]]:
        """Words in simtwin's terms and which of them each row has; one row for a constant."""
        once = np.zeros(1, dtype=np.intp)
        if not isinstance(source, From):
            return [source or ""], once
        if source.group is not None:
            where = os.path.relpath(self.file, self.path.parent)
            found = re.search(self.spec.pattern or "", Path(where).as_posix())
            if found is None:
                raise DatasetError(f"the name {where} does not match `pattern` = {self.spec.pattern}")
            words, rows = [found[source.group] or ""], once
        else:
            words, rows = self.table.words(str(source.column))
        return [source.map.get(word, word) for word in words], rows

    def _label(self, n: int) -> tuple[str, NDArray[np.bool_] | None]:
        """The label, and the anomalous rows if it changes between normal and one other."""
        words, rows = self._words(self.spec.label)
        others = sorted(set(words) - {NORMAL})
        if len(set(words)) == 1:
            return words[0], None
        if len(others) > 1 or len(rows) != n:
            raise DatasetError(
                f"`label`: {len(set(words))} different labels in one recording ({', '.join(sorted(set(words))[:5])});"
                " at most normal and one other: name the column of the recordings in `recording`, or split the file"
            )
        return others[0], np.array([word != NORMAL for word in words])[rows]

    def _text(self, source: str | From | None, anomaly: NDArray[np.bool_] | None = None) -> str:
        """A word that holds throughout, or in the anomalous rows."""
        words, rows = self._words(source)
        if anomaly is not None and len(rows) == len(anomaly):
            words = [words[i] for i in np.unique(rows[anomaly])]
        if len(set(words)) > 1:
            assert isinstance(source, From)
            raise DatasetError(
                f"column {source.column!r}: {len(set(words))} different values in one recording; must be one"
            )
        return words[0]

    def _number(self, source: float | From | None) -> float:
        """A number that holds throughout; the mean of a column."""
        if not isinstance(source, From):
            return math.nan if source is None else float(source)
        if source.column is not None and source.column in self.table.rows:
            return float(np.mean(numbers(self.table.column(source.column))))
        text = self._words(source)[0][0]
        try:
            return float(text)
        except ValueError:
            raise DatasetError(f"{text!r} from {source.group or source.column!r} is not a number") from None
