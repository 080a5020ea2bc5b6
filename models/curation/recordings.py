"""Real recordings as a dataset is made of them: checked, curated, each in one state, at the rate of the windows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.curation.base import Rule
from models.curation.curate import all_rules, curate
from models.curation.series import from_recording
from models.datasets.base import survey_recordings
from models.windows import at_rate
from sim.dataset.real import RealRecording, RealSet, content_sha256, in_one_state

_OFF = ("labels", "share", "normal_spans", "thinning", "balance", "length")
"""Rules that judge or balance a whole set as it is. Here the plan of the dataset balances, a set of healthy recordings
alone is what augmentation is for, and a long healthy recording is what faults are put on."""

_MADE = ("synthetic", "hybrid")


def real_set(
    name_or_path: str | os.PathLike[str],
    *,
    skip_bad: bool = False,
    curated: bool = True,
    rate_hz: float | None = None,
) -> RealSet:
    """Open recordings to make a dataset of.

    Args:
        name_or_path: a known set, a YAML description, or a dataset folder (`models.datasets.base.open_recordings`).
        skip_bad: leave out recordings that cannot be used instead of raising.
        curated: ask the rules of curation that make sense for single recordings: stretches that repeat earlier ones
            (`duplicates`), rows that are not in the order of time (`order`), spikes of the sensor (`outliers`).
        rate_hz: rate of the windows, at most the recordings' own; None: their own.

    Raises:
        DatasetError: nothing there, a recording that cannot be used (unless `skip_bad`), a rate that cannot be had.
    """
    found = survey_recordings(name_or_path, skip_bad)
    left_out = list(found.left_out)
    kept: list[RealRecording] = []
    for recording in found.recordings:
        made = next((note for note in recording.notes if note in _MADE), "")
        if not recording.label:
            left_out.append((recording.id, "has no label"))
        elif made:
            left_out.append((recording.id, f"is no real recording but {made}"))
        else:
            kept.append(recording)
    decisions: list[dict[str, Any]] | None = None
    if curated:
        rules = all_rules(_OFF, ("duplicates.channels=false",))
        kept, decisions = _curated(kept, rules, left_out)
    pieces = [piece for recording in kept for piece in in_one_state(recording)]
    return RealSet(
        name=os.fspath(name_or_path),
        recordings=tuple(pieces),
        at_rate=tuple(_at_rate(piece, rate_hz) for piece in pieces),
        content_sha256=content_sha256(found.recordings),
        left_out=tuple(left_out),
        questions=found.warnings,
        decisions=None if decisions is None else tuple(decisions),
    )


def _curated(
    recordings: Sequence[RealRecording], rules: Sequence[Rule], left_out: list[tuple[str, str]]
) -> tuple[list[RealRecording], list[dict[str, Any]]]:
    """What the rules keep, and their decisions where they changed or refused something."""
    kept: list[RealRecording] = []
    decisions: list[dict[str, Any]] = []
    for recording in recordings:
        outcome = curate(from_recording(recording), rules)
        acted = [d.as_dict() for d in outcome.decisions if d.action in ("changed", "refused")]
        if acted:
            decisions.append({"recording": recording.id, "verdict": outcome.verdict, "decisions": acted})
        if outcome.verdict == "refused":
            left_out.append((recording.id, outcome.reason))
        kept += [recording.stretch(span.start, span.stop) for span in outcome.slices] if acted else [recording]
    return kept, decisions


def _at_rate(recording: RealRecording, rate_hz: float | None) -> RealRecording:
    if rate_hz is None or np.isclose(recording.rate_hz, rate_hz, rtol=1e-6):
        return recording
    return replace(recording, samples=at_rate(recording.samples, recording.rate_hz, rate_hz), rate_hz=rate_hz)
