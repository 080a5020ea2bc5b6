"""A series labelled sample by sample, and stretches of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.dataset.real import RealRecording
from sim.errors import DatasetError

Labels = NDArray[np.bool_]


class Span(NamedTuple):
    """Samples `start` to `stop` (exclusive) of a series."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of samples."""
        return self.stop - self.start


@dataclass(frozen=True)
class Stated:
    """What the source says about a set, to hold it against; None where it says nothing."""

    samples: int | None = None
    anomalies: int | None = None
    kind: str = ""


UNSTATED = Stated()


@dataclass(frozen=True)
class LabelledSeries:
    """A multivariate series with one label a sample.

    Attributes:
        x: (n, d) float32.
        anomaly: (n,) bool, True where the sample is anomalous.
        name: unique in its folder.
        notes: what the reader found remarkable.
        channels: names of the d channels; by default x0, x1, ...
        stated: what the source says the set holds.

    Raises:
        DatasetError: shapes that do not fit together.
    """

    x: NDArray[np.float32]
    anomaly: Labels
    name: str
    notes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    stated: Stated = UNSTATED

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", np.ascontiguousarray(self.x, np.float32))
        if self.x.ndim != 2 or self.x.shape[1] == 0 or self.anomaly.shape != self.x.shape[:1]:
            raise DatasetError(
                f"{self.name}: values have shape {self.x.shape} and labels {self.anomaly.shape}; expected (n, d) and (n,)"
            )
        if not self.channels:
            object.__setattr__(self, "channels", tuple(f"x{j}" for j in range(self.x.shape[1])))
        elif len(self.channels) != self.x.shape[1]:
            raise DatasetError(f"{self.name}: {len(self.channels)} channel names for {self.x.shape[1]} channels")


def from_recording(recording: RealRecording) -> LabelledSeries:
    """The recording as a labelled series; one label for all its samples counts for each of them.

    Raises:
        DatasetError: nobody knows the label.
    """
    anomaly = recording.anomaly
    if anomaly is None:
        if not recording.label:
            raise DatasetError(f"recording {recording.id}: has no label, so it cannot be curated for training")
        anomaly = np.full(len(recording.samples), not recording.normal)
    return LabelledSeries(recording.samples, anomaly, recording.id, recording.notes, recording.channels)


def finite(x: NDArray[np.float32]) -> Labels:
    """Where all values of a sample are finite numbers, (n,)."""
    return np.asarray(np.isfinite(x).all(axis=1), np.bool_)


def runs(mask: Labels, offset: int = 0) -> list[Span]:
    """Stretches in which `mask` (n,) is True, in order; `offset` is added to their bounds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [Span(int(a) + offset, int(b) + offset) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def runs_within(spans: Iterable[Span], mask: Labels) -> list[Span]:
    """Stretches of True in `mask`, none of them crossing from one of the spans into the next."""
    return [run for span in spans for run in runs(mask[span.start : span.stop], span.start)]


def without(spans: Iterable[Span], drop: Labels) -> tuple[Span, ...]:
    """The spans without the samples where `drop` (n,) is True."""
    return tuple(runs_within(spans, ~drop))
