"""Splits by recording: one that leaks is refused, not warned about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from models.windows import LabelledWindows
from sim.dataset.real import RealRecording
from sim.errors import SimtwinError


class LeakError(SimtwinError):
    """A split with something of one recording (or bearing, or machine) on both sides."""

    exit_code = 4


@dataclass(frozen=True)
class TimeCut:
    """The one exception: normal recordings cut in time, an early part to train, a late part to test.

    Optimistic, and reported so: both parts share the mounting of the sensor and the temperature of the day, which a
    recording made later would not.

    Attributes:
        gap_s: least time between the two parts, s.
    """

    gap_s: float

    def remark(self) -> str:
        """What a report has to say of it."""
        return (
            f"optimistic: normal recordings are on both sides, cut in time with a gap of at least {self.gap_s:g} s"
            " (same mounting, same day)"
        )


@dataclass(frozen=True)
class Split:
    """Recordings to train on and recordings to test on; making one that leaks raises LeakError.

    Attributes:
        name: of the fold.
        train: recordings a model and an augmenter may see.
        test: recordings they are judged by.
        time_cut: the exception for normal recordings, when it is asked for by name.
    """

    name: str
    train: tuple[RealRecording, ...]
    test: tuple[RealRecording, ...]
    time_cut: TimeCut | None = None

    def __post_init__(self) -> None:
        if not self.train or not self.test:
            raise LeakError(f"split {self.name}: nothing to {'test' if self.train else 'train'} on")
        train_groups: dict[str, list[RealRecording]] = {}
        for recording in self.train:
            train_groups.setdefault(recording.group, []).append(recording)
        digests = {_digest(recording): recording.id for recording in self.train}
        for tested in self.test:
            for trained in train_groups.get(tested.group, ()):
                self._refuse_unless_cut(trained, tested)
            if (twin := digests.get(_digest(tested))) is not None:
                raise LeakError(
                    f"split {self.name}: recording {tested.id} to test has the same samples as {twin} to train"
                )

    def _refuse_unless_cut(self, trained: RealRecording, tested: RealRecording) -> None:
        if trained.id == tested.id:
            what = f"recording {tested.id} is on both sides"
        else:
            what = f"recordings {trained.id} and {tested.id} of group {tested.group} are on both sides"
        if self.time_cut is None:
            raise LeakError(f"split {self.name}: {what}; split by group, so that each is on one side only")
        if not (trained.normal and tested.normal and trained.id == tested.id):
            raise LeakError(f"split {self.name}: {what}; a cut in time is allowed for one normal recording only")
        gap_s = tested.start_s - (trained.start_s + trained.duration_s)
        if gap_s < self.time_cut.gap_s - 0.5 / tested.rate_hz:
            raise LeakError(
                f"split {self.name}: {what}, {gap_s:.3g} s apart; a cut in time needs {self.time_cut.gap_s:g} s between"
                " the part to train and the later part to test"
            )

    @property
    def shared_groups(self) -> frozenset[str]:
        """Groups on both sides, by the exception."""
        return frozenset(r.group for r in self.train) & frozenset(r.group for r in self.test)

    def check_windows(self, train: LabelledWindows) -> None:
        """Raise LeakError when windows to train, augmented ones among them, rest on a recording to test."""
        tested = {r.group for r in self.test} - self.shared_groups
        leaked = sorted(tested & set(train.group.tolist()))
        if leaked:
            raise LeakError(f"split {self.name}: windows to train rest on {leaked[0]}, which is to test")


def cut_in_time(
    recordings: Sequence[RealRecording], train_s: float, test_s: float
) -> tuple[list[RealRecording], list[RealRecording], TimeCut]:
    """First `train_s` and last `test_s` of each recording, and the exception with the gap that leaves.

    Raises LeakError when a recording is too short to leave a gap.
    """
    gaps = [recording.duration_s - train_s - test_s for recording in recordings]
    for recording, gap_s in zip(recordings, gaps, strict=True):
        if gap_s <= 0:
            raise LeakError(
                f"recording {recording.id} of {recording.duration_s:g} s cannot be cut into {train_s:g} s to train and"
                f" {test_s:g} s to test with a gap between"
            )
    early = [recording.part(0.0, train_s) for recording in recordings]
    late = [recording.part(recording.duration_s - test_s, recording.duration_s) for recording in recordings]
    return early, late, TimeCut(round(min(gaps), 6))


def _digest(recording: RealRecording) -> str:
    return hashlib.sha256(recording.samples.tobytes()).hexdigest()
