"""Repeated blocks and channels: what stands there twice would be on both sides of a random split."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from models.curation.base import Draft, Rule, Ruling
from models.curation.series import without

Codes = NDArray[np.int64]


class Duplicates(Rule):
    """Drops stretches that repeat earlier ones bit for bit, and channels that are copies of others.

    Single rows that occur again are not dropped but counted: a coarse or steady signal repeats itself, and taking rows out
    would break its time. For the same reason a repeated stretch counts only when its rows differ from each other, so that
    it cannot be a machine standing still. Limits: a noise-free periodic signal that repeats itself bit for bit is taken
    for copies; copies that were rescaled, or of coarse signals (few different values), are not found.
    """

    name: ClassVar[str] = "duplicates"

    rows: int = Field(default=64, ge=2, description="shortest repeated stretch that counts, samples")
    distinct: float = Field(default=0.9, gt=0, le=1, description="share of different rows such a stretch must have")
    channels: bool = Field(default=True, description="drop channels that are bit-for-bit copies of an earlier one")

    def judge(self, draft: Draft) -> Ruling:
        """Find and drop."""
        series, parts, notes = draft.series, [], []
        copies = _copied_channels(series.x) if self.channels else []
        if copies:
            left = [j for j in range(series.x.shape[1]) if j not in copies]
            parts.append(f"{len(copies)} of {series.x.shape[1]} channels dropped, bit-for-bit copies of others")
            series = replace(
                series, x=np.ascontiguousarray(series.x[:, left]), channels=tuple(series.channels[j] for j in left)
            )
        codes = row_codes(series.x)
        again, origin = repeats(codes, self.rows, self.distinct)
        kept = without(draft.kept, again)
        dropped = draft.samples - sum(span.length for span in kept)
        if dropped:
            other = int(np.count_nonzero(series.anomaly[again] != series.anomaly[origin[again]]))
            parts.append(
                f"{dropped} samples dropped, in stretches that repeat earlier ones"
                + (f", {other} of them under the other label" if other else "")
            )
        single = len(codes) - len(np.unique(codes)) - int(again.sum())
        if single > 0.01 * len(codes):
            notes.append(f"{single} single rows occur again: split by time, not at random")
        return Ruling(
            "; ".join(parts) or "no repeated stretches",
            tuple(notes),
            series=series if copies else None,
            kept=kept if dropped else None,
        )


def _copied_channels(x: NDArray[np.float32]) -> list[int]:
    """Channels that equal an earlier one bit for bit and are not constant."""
    first: dict[bytes, int] = {}
    copies = []
    for j in range(x.shape[1]):
        column = np.ascontiguousarray(x[:, j])
        if first.setdefault(column.tobytes(), j) != j and (column != column[0]).any():
            copies.append(j)
    return copies


def row_codes(x: NDArray[np.float32]) -> Codes:
    """A number (n,) for each row of x (n, d), the same for rows that are equal bit for bit.

    Rows are told apart by 64-bit hashes: two different ones among 10^6 share a number with probability 3e-8.
    """
    hashes = pd.util.hash_pandas_object(pd.DataFrame(x.view(np.int32)), index=False).to_numpy()
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)


def repeats(codes: Codes, rows: int, distinct: float) -> tuple[NDArray[np.bool_], Codes]:
    """Which samples stand in a stretch of at least `rows` that repeats an earlier one, and where each was before.

    Windows of `rows` samples are numbered exactly, by doubling: two windows of 2k are equal when both their halves are
    (Karp, Miller and Rosenberg 1972).

    Returns:
        again (n,) bool; origin (n,), the earlier sample (the sample itself where `again` is False).
    """
    n = len(codes)
    again, origin = np.zeros(n, np.bool_), np.arange(n)
    if n < 2 * rows:
        return again, origin
    windows, length = codes, 1
    while length < rows:
        step = min(length, rows - length)
        pairs = windows[:-step] * (windows.max() + 1) + windows[step:]
        windows, length = np.unique(pairs, return_inverse=True)[1].astype(np.int64), length + step
    first = np.unique(windows, return_index=True)[1][windows]
    starts = np.flatnonzero(first <= np.arange(len(windows)) - rows)
    previous = _previous(codes)
    different = np.zeros(len(starts), np.int64)
    for k in range(rows):
        different += previous[starts + k] < starts
    starts = starts[different >= distinct * rows]
    for k in range(rows):
        again[starts + k] = True
        origin[starts + k] = first[starts] + k
    return again, origin


def _previous(codes: Codes) -> Codes:
    """Index of the previous sample with the same code; -1 where there is none."""
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    previous = np.full(len(codes), -1, np.int64)
    previous[order[1:][same]] = order[:-1][same]
    return previous
