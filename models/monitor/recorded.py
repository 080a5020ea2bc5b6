"""Recordings as a stream: a user's own files, known sets, datasets of simtwin; as fast as they are read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

import numpy as np

from models.datasets.base import known, reader_of
from models.datasets.checks import Source as Found
from models.datasets.described import Channel, Described, Time, read_described, recordings_of
from models.datasets.own import own_recordings
from models.monitor.source import Block, Format, Source, SourceError
from models.preprocessing import to_counts
from sim.dataset.real import RealRecording, same_format
from sim.errors import DatasetError

TIME = "time_s"
"""Column of times of a table without a description."""

_BLOCK = 65536  # samples: a block is a few hundred kilobytes
_SHOWN = 5


class RecordedSource(Source):
    """Recordings one after the other, in counts of the wanted step, as the windows in training were.

    Args:
        name: as the user named them.
        recordings: at least one; all of one rate and of the same channels; read as they are needed, once.
        wanted: what the model takes; of the recordings only its channels are read.

    Raises:
        SourceError: no recording, or a missing channel.
    """

    def __init__(self, name: str, recordings: Iterator[RealRecording], wanted: Format) -> None:
        first = next(recordings, None)
        if first is None:
            raise SourceError(f"{name}: no recording in it")
        missing = [channel for channel in wanted.channels if channel not in first.channels]
        if missing:
            raise SourceError(f"{name}: no channel {missing[0]!r}; there are {', '.join(first.channels)}")
        super().__init__(name, Format(wanted.channels, first.rate_hz, wanted.lsb))
        self._first, self._recordings = first, chain([first], recordings)
        self._places = [first.channels.index(channel) for channel in wanted.channels]

    def blocks(self) -> Generator[Block, None, None]:
        """Once."""
        for recording in self._recordings:
            try:
                same_format([self._first, recording])
            except DatasetError as error:
                raise SourceError(f"{self.name}: {error}") from None
            label = recording.label if recording.anomaly is None else ""
            for at in range(0, len(recording.samples), _BLOCK):
                samples = recording.samples[at : at + _BLOCK, self._places]
                if not np.isfinite(samples).all():
                    row, column = np.argwhere(~np.isfinite(samples))[0]
                    raise SourceError(
                        f"{self.name}: recording {recording.id}, channel {self.format.channels[column]}: sample {at + row}"
                        " is not a number: cut the recording there or mend the export"
                    )
                yield Block(
                    to_counts(samples, self.format.lsb),
                    recording.start_s + at / recording.rate_hz,
                    recording.id,
                    label,
                    follows=at > 0,
                )


def file_source(path: Path, wanted: Format) -> RecordedSource:
    """Files that a YAML file describes (docs/data.md), or one table.

    A table (.csv, .parquet, .npz) has the model's channels as columns, by name and in their units, and the column `time_s`
    when the model has a rate.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        found = read_described(path)
    else:
        if not path.is_file():
            raise SourceError(f"file:{path}: no such file")
        found = _table(path, wanted)
    if found.bad:
        where, reason = found.bad[0]
        raise SourceError(f"{where}: {reason}")
    return RecordedSource(f"file:{path}", iter(found.recordings), wanted)


def _table(path: Path, wanted: Format) -> Found:
    time = None if wanted.rate_hz is None else Time(column=TIME)
    rate_hz = 1.0 if time is None else None  # rows are counted where there is no time
    channels = {f"c{i}": Channel(column=name, unit="other") for i, name in enumerate(wanted.channels)}
    found = recordings_of(Described(files=path.name, channels=channels, rate_hz=rate_hz, time=time), path)
    named = [
        RealRecording(each.samples, wanted.channels, each.rate_hz, each.id, each.label) for each in found.recordings
    ]
    hint = f"; columns must be called {', '.join(wanted.channels)}{f' and {TIME}' if time else ''}, or be described in YAML"
    bad = tuple((where, f"{reason}{hint if 'no column' in reason else ''}") for where, reason in found.bad)
    return Found(named, found.expected, bad, found.files)


def known_source(text: str, wanted: Format) -> RecordedSource:
    """A known set (adi), one recording of it (adi/1800_GoB_GS_BaLo_WA_00lb), or several (adi/1800_*)."""
    parts = text.split("/")
    length = 2 if parts[0] == "smartmanuad" else 1
    name, asked = "/".join(parts[:length]), "/".join(parts[length:])
    reader = reader_of(name)
    if reader is None:
        raise SourceError(f"data:{text}: no such set; known are {', '.join(known())} (smartmanuad/NUMBER)")
    recordings = reader.read()
    chosen = [each for each in recordings if not asked or fnmatchcase(each.id, asked)]
    if not chosen:
        names = ", ".join(each.id for each in recordings[:_SHOWN])
        more = ", ..." if len(recordings) > _SHOWN else ""
        raise SourceError(f"data:{text}: no recording {asked}; there are {names}{more} (simtwin data show {name})")
    return RecordedSource(f"data:{text}", iter(chosen), wanted)


def dataset_source(folder: Path, wanted: Format) -> RecordedSource:
    """The windows of a dataset folder, those that follow each other joined."""
    return RecordedSource(f"dataset:{folder}", own_recordings(folder), wanted)
