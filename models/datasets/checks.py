"""Whether a recording can be used: missing values, dead and clipped channels, wrong units, gaps, wrong rates.

A fault makes the recording unusable; a warning is a question to the user. Every text names the recording, the channel
and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.dataset.real import RealRecording
from sim.effect import GRAVITY_M_S2
from sim.errors import DatasetError

Floats = NDArray[np.float64]
Gravity = Literal["included", "removed", "unknown"]

MIN_SAMPLES = 64
MAX_SHOWN = 20
"""Bad recordings named in one message."""

_CLIPPED_RUN = 3  # samples in a row at the extreme
_CLIPPED_MANY = 10  # samples at the extreme
_CLIPPED_SHARE = 0.01  # of the samples; more is no recording of the machine any more
_BESIDE = 0.03  # of the peak-to-peak value
_LOUD_G = 20.0  # RMS; housings of running machines stay well below, see ISO 20816-1 and the sets in docs/data.md
_RATE_TOLERANCE = 0.01
_GAP = 1.5  # of the sampling interval


@dataclass(frozen=True)
class Expected:
    """What is known of recordings beforehand.

    Attributes:
        gravity: whether accelerometer channels contain gravity.
        range_g: range of the accelerometer, g; None when not known.
        waveform: vibration samples; False for process data and tables, where a constant column is no fault.
        min_samples: shortest usable recording.
    """

    gravity: Gravity = "unknown"
    range_g: float | None = None
    waveform: bool = True
    min_samples: int = MIN_SAMPLES


@dataclass(frozen=True)
class Source:
    """Recordings as read, before any check.

    Attributes:
        recordings: what could be read.
        expected: what the checks may take for granted.
        bad: (file, reason) of what could not.
        files: recording's id -> its file, for messages.
    """

    recordings: Sequence[RealRecording]
    expected: Expected
    bad: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Survey:
    """Recordings after the checks.

    Attributes:
        recordings: those that can be used.
        left_out: (file or id, reason) of the others.
        warnings: (id, question) of recordings that can be used but should be looked at.
    """

    recordings: tuple[RealRecording, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


def survey(source: Source, skip_bad: bool = False) -> Survey:
    """Check all recordings.

    Raises:
        DatasetError: a recording cannot be used, and `skip_bad` is not set; names all of them (at most 20), one a line.
    """
    good, bad, questions = [], list(source.bad), []
    for recording in source.recordings:
        name = recording.id
        faults = find_faults(recording, source.expected)
        if faults:
            bad.append((f"{source.files[name]}: recording {name}" if name in source.files else name, faults[0]))
            continue
        good.append(recording)
        questions += [(name, question) for question in find_questions(recording, source.expected)]
    if bad and not skip_bad:
        lines = [f"{where}: {reason}" for where, reason in bad[:MAX_SHOWN]]
        more = [f"... and {len(bad) - MAX_SHOWN} more"] if len(bad) > MAX_SHOWN else []
        raise DatasetError("\n".join([*lines, *more]))
    return Survey(tuple(good), tuple(bad), tuple(questions))


def find_faults(recording: RealRecording, expected: Expected) -> list[str]:
    """What makes the recording unusable; empty when nothing does."""
    n, x = len(recording.samples), recording.samples
    faults: list[str] = []
    if n < expected.min_samples:
        faults.append(f"only {n} samples; at least {expected.min_samples} are needed: join files or leave it out")
    if not np.isfinite(recording.rate_hz) or recording.rate_hz <= 0.0:
        faults.append(f"sampling rate {recording.rate_hz:g} Hz; must be above 0: state the true rate")
    if faults:
        return faults
    for i, channel in enumerate(recording.channels):
        column = x[:, i]
        invalid = ~np.isfinite(column)
        if invalid.any():
            faults.append(
                f"channel {channel}: {int(invalid.sum())} of {n} values are NaN or infinite, the first at sample"
                f" {int(invalid.argmax())}: cut the recording there or mend the export"
            )
        elif expected.waveform and column.min() == column.max():
            faults.append(
                f"channel {channel}: constant at {column[0]:.6g} throughout, so the axis is dead or the column is wrong:"
                " leave the channel out or name another column"
            )
        elif expected.waveform and (share := clipped_share(column)) > _CLIPPED_SHARE:
            faults.append(
                f"channel {channel}: clipped, {share:.1%} of the samples stand at {column.min():.4g} or"
                f" {column.max():.4g}: use a wider range of the sensor"
            )
    return faults or _unit_faults(recording, expected)


def find_questions(recording: RealRecording, expected: Expected) -> list[str]:
    """What should be looked at in a usable recording."""
    questions = []
    for i, channel in enumerate(recording.channels):
        if not expected.waveform:
            break
        column = recording.samples[:, i]
        clipped = round(clipped_share(column) * len(column))
        if clipped:
            questions.append(
                f"channel {channel}: {clipped} samples stand at {column.min():.4g} or {column.max():.4g};"
                " clipped? their peaks are lost"
            )
        elif channel.endswith("_g") and expected.range_g is not None:
            over = int((np.abs(column) > 0.975 * expected.range_g).sum())
            if over:
                what = "1 sample" if over == 1 else f"{over} samples"
                questions.append(f"channel {channel}: {what} at the sensor's range of {expected.range_g:g} g")
    return questions + _unit_questions(recording, expected)


def clipped_share(column: NDArray[np.float32]) -> float:
    """Share of samples that stand at a clipped extreme.

    Clipping piles up at the extreme what would have gone beyond it, so there is more at it than beside it, which noise and
    smooth signals never show, however coarse their resolution. Few such samples count only when they come in a row.
    """
    steps = np.abs(np.diff(column))
    moved = steps[steps > 0.0]
    if not len(moved):
        return 0.0
    near, clipped = max(_BESIDE * float(np.ptp(column)), 3.5 * float(moved.min())), 0
    for extreme in (column.min(), column.max()):
        depth = np.abs(column - extreme)
        at = depth == 0.0
        if at.sum() <= ((depth > 0.0) & (depth < near)).sum():
            continue
        in_a_row = bool(np.convolve(at, np.ones(_CLIPPED_RUN), "valid").max(initial=0.0) >= _CLIPPED_RUN)
        if in_a_row or at.sum() >= _CLIPPED_MANY:
            clipped += int(at.sum())
    return clipped / len(column)


# --- units -----------------------------------------------------------------------------------------------------------


def _accelerations(recording: RealRecording) -> list[int]:
    return [i for i, c in enumerate(recording.channels) if c.startswith("accel") and c.endswith("_g")]


def _steady_g(recording: RealRecording) -> float:
    """Length of the mean of the acceleration channels, g: gravity, when they contain it."""
    return float(np.linalg.norm(recording.samples[:, _accelerations(recording)].mean(axis=0, dtype=np.float64)))


def _unit_faults(recording: RealRecording, expected: Expected) -> list[str]:
    axes = _accelerations(recording)
    if not axes or expected.gravity != "included":
        return []
    steady = _steady_g(recording)
    ratios = {"m/s^2": GRAVITY_M_S2, "mg": 1000.0}
    if len(axes) == 3:
        ratios["g"] = 1.0 / GRAVITY_M_S2  # divided although it was in g already
    for unit, ratio in ratios.items():
        if abs(steady / ratio - 1.0) < 0.1:
            return [
                f"channels {', '.join(recording.channels[i] for i in axes)}: gravity measures {steady:.4g} g where it must"
                f" be 1 g; are the values in {unit}? state the unit"
            ]
    return []


def _unit_questions(recording: RealRecording, expected: Expected) -> list[str]:
    axes = _accelerations(recording)
    if not axes:
        return []
    names = ", ".join(recording.channels[i] for i in axes)
    steady = _steady_g(recording)
    questions = []
    if expected.gravity == "included" and len(axes) == 3 and abs(steady - 1.0) > 0.2:
        questions.append(
            f"channels {names}: gravity measures {steady:.3g} g where it must be 1 g; unit or offset wrong?"
        )
    elif expected.gravity != "included" and abs(steady / GRAVITY_M_S2 - 1.0) < 0.1:
        questions.append(
            f"channels {names}: the mean is {steady:.3g} g, which looks like gravity in m/s^2; state the unit"
        )
    peak = float(np.abs(recording.samples[:, axes]).max())
    rms = float(recording.samples[:, axes].std(axis=0, dtype=np.float64).max())
    if expected.range_g is not None and peak > 1.25 * expected.range_g:
        questions.append(f"channels {names}: {peak:.4g} g exceeds the range of {expected.range_g:g} g; m/s^2 or mg?")
    elif rms > _LOUD_G:
        questions.append(
            f"channels {names}: RMS {rms:.4g} g is more than machines have; are the values in m/s^2 or mg?"
        )
    return questions


# --- time ------------------------------------------------------------------------------------------------------------


def _only_rounded(time_s: Floats, gaps: NDArray[np.intp]) -> bool:
    """Whether steps that look like lost samples come from stamps about as coarse as the interval (999 Hz in whole ms).

    Then they recur evenly, and no stamp is further from a straight line than rounding puts it. One or two such steps
    cannot be told from lost samples.
    """
    number, steps = np.arange(len(time_s)), np.diff(time_s)
    if len(gaps) < 3 or steps.max() > 2.5 * np.median(steps[steps > 0.0]):
        return False
    off_line = time_s - np.polynomial.Polynomial.fit(number, time_s, 1)(number)
    return float(np.ptp(off_line)) < 1.05 * float(steps.max() - steps.min())


def time_faults(time_s: Floats, rate_hz: float | None) -> list[str]:
    """What is wrong with a column of times against the stated rate (None: any steady rate will do)."""
    if len(time_s) < 2:
        return []
    steps = np.diff(time_s)
    if not np.isfinite(time_s).all():
        return [f"time column: not a number at sample {int(np.argmin(np.isfinite(time_s)))}: mend the export"]
    if (steps < 0.0).any():
        at = int(np.argmax(steps < 0.0)) + 1
        return [
            f"time column: goes back from {time_s[at - 1]:.6g} s to {time_s[at]:.6g} s at sample {at}: sort or split it"
        ]
    if not (steps > 0.0).any():
        return ["time column: never advances; name another column or leave `time` out"]
    # Stamps coarser than the interval repeat; then steps are judged with that coarseness on top. Pauses do not count.
    usual, shortest = float(np.median(steps)), float(steps[steps > 0.0].min())
    coarse = shortest if (steps == 0.0).any() else 0.0
    interval = float(steps[steps <= 2.5 * (usual or shortest)].mean())
    stated = interval if rate_hz is None else 1.0 / rate_hz
    if rate_hz is not None and abs(interval * rate_hz - 1.0) > _RATE_TOLERANCE:
        return [
            f"time column: one sample every {interval:.6g} s, that is {1.0 / interval:.6g} Hz, but the rate is stated as"
            f" {rate_hz:g} Hz: correct `rate_hz`, or the time unit"
        ]
    gaps = np.flatnonzero(steps > _GAP * stated + coarse)
    if len(gaps) and not _only_rounded(time_s, gaps):
        at = int(gaps[0])
        lost = round(steps[at] / stated) - 1
        return [
            f"time column: {len(gaps)} gap{'s' if len(gaps) > 1 else ''}, the first at {time_s[at]:.6g} s"
            f" (sample {at}), {lost} sample{'s' if lost != 1 else ''} missing: split the recording there"
        ]
    mean = float(time_s[-1] - time_s[0]) / len(steps)
    if rate_hz is not None and abs(mean * rate_hz - 1.0) > _RATE_TOLERANCE:
        return [
            f"time column: {1.0 / mean:.6g} Hz on average, but the rate is stated as {rate_hz:g} Hz: correct `rate_hz`"
        ]
    return []
