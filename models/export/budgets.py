"""The recorded cost of every network, in its file and as C; none grows unseen."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.export.cost import Cost

RECORD = Path(__file__).with_name("budgets.toml")
C_RECORD = RECORD.parent / "c" / "budgets.toml"
GROWTH = 0.03
"""By so much a figure may be above the record."""


def recorded(file: Path = RECORD) -> dict[str, dict[str, int]]:
    """The figures of every architecture at the default window: of its .tflite, or of its C (`C_RECORD`)."""
    with file.open("rb") as opened:
        return tomllib.load(opened)


def grown(name: str, cost: Cost) -> list[str]:
    """What has grown above the record, or is over the chip's budget, one line each."""
    now = {"tflite": cost.tflite_bytes, "arena": cost.arena_bytes}
    return above(name, now) + [f"{name}: {line}" for line in cost.excess()]


def above(name: str, now: Mapping[str, int], file: Path = RECORD) -> list[str]:
    """The figures of a network that have grown above the record, one line each."""
    return [
        f"{name}: {what} is {now[what]}, {now[what] / budget - 1:+.1%} against {budget} in {file.name}"
        for what, budget in recorded(file)[name].items()
        if now[what] > budget * (1 + GROWTH)
    ]
