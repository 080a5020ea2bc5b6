"""What `simtwin data list` and `simtwin data show` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from models.datasets.base import data_folder, known, survey_recordings
from sim.dataset.real import RealRecording

_HEADS = ("id", "label", "kind", "severity", "rpm", "rate/Hz", "seconds", "channels", "problems")


def catalogue() -> Iterator[str]:
    """Each known set: whether it is here, licence, units, origin, traps."""
    yield f"data folder: {data_folder()}"
    for name, reader in known().items():
        yield ""
        yield f"{name}: {reader.title} [{'here' if reader.there() else f'not here: simtwin data fetch {name}'}]"
        yield f"  units    {reader.units}"
        yield f"  licence  {reader.licence}"
        yield f"  cite     {reader.citation}"
        for origin in reader.origins:
            yield f"  origin   github.com/{origin.repository} @ {origin.commit}"
        for trap in reader.traps:
            yield f"  note     {trap}"


def table(name_or_path: str, skip_bad: bool) -> Iterator[str]:
    """One line a recording, then what was left out and what is questionable."""
    found = survey_recordings(name_or_path, skip_bad)
    questions = Counter(name for name, _ in found.warnings)
    rows = [_HEADS, *(_row(recording, questions[recording.id]) for recording in found.recordings)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield _total(found.recordings)
    for note, count in Counter(note for recording in found.recordings for note in recording.notes).items():
        yield f"note: {note}" + (f" ({count} recordings)" if count > 1 else "")
    for name, question in found.warnings:
        yield f"question: {name}: {question}"
    for name, reason in found.left_out:
        yield f"left out: {name}: {reason}"


def _row(recording: RealRecording, questions: int) -> tuple[str, ...]:
    label = recording.label or "?"
    if recording.anomaly is not None and recording.anomaly.any():
        label += f" {recording.anomaly.mean():.0%}"
    names = recording.channels
    return (
        recording.id,
        label,
        recording.fault_kind or "?",
        recording.severity or "-",
        "-" if np.isnan(recording.speed_rpm) else f"{recording.speed_rpm:.5g}",
        f"{recording.rate_hz:.6g}",
        f"{recording.duration_s:.4g}",
        ",".join(names) if len(names) <= 6 else f"{names[0]},...,{names[-1]} ({len(names)})",
        str(questions) if questions else "-",
    )


def _total(recordings: Sequence[RealRecording]) -> str:
    labels = Counter(recording.label or "?" for recording in recordings)
    seconds = sum(recording.duration_s for recording in recordings)
    groups = len({recording.group for recording in recordings})
    counted = ", ".join(f"{count} {label}" for label, count in labels.most_common())
    return f"{len(recordings)} recordings in {groups} groups, {seconds:.6g} s: {counted}"
