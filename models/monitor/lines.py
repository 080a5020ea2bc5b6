"""CSV lines from a pipe: a header of channel names, then one sample a line, in the channels' units."""

from __future__ import annotations

import math
import sys
from collections.abc import Generator
from typing import TextIO

import numpy as np

from models.monitor.source import Block, Format, Source, SourceError
from models.preprocessing import to_counts

_DELAY_S = 0.05  # that a block may wait for its last line
_MOST_LINES = 4096


class LineSource(Source):
    """Lines such as `0.01,-0.98,0.11` under a header such as `accel_x_g,accel_y_g,accel_z_g`; further columns are ignored.

    Args:
        name: for messages.
        lines: the text; the header is read at once.
        rate_hz: of the lines, as the sender says.
        wanted: what the model takes; the lines become counts of its step.

    Raises:
        SourceError: no header, or a channel that is not in it.
    """

    def __init__(self, name: str, lines: TextIO, rate_hz: float | None, wanted: Format) -> None:
        super().__init__(name, Format(wanted.channels, rate_hz, wanted.lsb))
        self._lines = lines
        columns = [cell.strip() for cell in self._read().split(",")]
        for channel in wanted.channels:
            if channel not in columns:
                raise SourceError(
                    f"{name}:1: no channel {channel!r} in the header; it has {', '.join(filter(None, columns)) or 'nothing'}"
                )
        self._columns, self._places = len(columns), [columns.index(channel) for channel in wanted.channels]

    def blocks(self) -> Generator[Block, None, None]:
        """Until the pipe is closed."""
        rate_hz = self.format.rate_hz or 1.0
        size = min(max(1, int(rate_hz * _DELAY_S)), _MOST_LINES)
        rows: list[list[float]] = []
        given = 0
        number = 1
        while True:
            line = self._read()
            number += 1
            if line.strip():
                rows.append(self._row(line, number))
            if rows and (len(rows) == size or not line):
                counts = to_counts(np.array(rows), self.format.lsb)
                yield Block(counts, given / rate_hz, follows=given > 0)
                given += len(rows)
                rows = []
            if not line:
                return

    def _read(self) -> str:
        try:
            return self._lines.readline()
        except UnicodeDecodeError:
            raise SourceError(f"{self.name}: not UTF-8 text") from None

    def _row(self, line: str, number: int) -> list[float]:
        cells = line.split(",")
        if len(cells) != self._columns:
            raise SourceError(f"{self.name}:{number}: {len(cells)} values; the header has {self._columns}")
        row = []
        for place in self._places:
            try:
                row.append(float(cells[place]))
            except ValueError:
                row.append(math.nan)
            if not math.isfinite(row[-1]):
                raise SourceError(f"{self.name}:{number}: {cells[place].strip()[:40]!r} is not a number")
        return row


def stdin_source(rate: str, wanted: Format) -> LineSource:
    """Standard input, `stdin:RATE_HZ`; the rate may be left out for a model without one."""
    if not rate and wanted.rate_hz is not None:
        raise SourceError(f"stdin: say at which rate the lines come, such as stdin:{wanted.rate_hz:g}")
    try:
        rate_hz = float(rate) if rate else None
    except ValueError:
        rate_hz = math.nan
    if rate_hz is not None and not 0 < rate_hz < math.inf:
        raise SourceError(f"stdin:{rate}: the rate must be a number of Hz above 0")
    return LineSource("stdin", sys.stdin, rate_hz, wanted)
