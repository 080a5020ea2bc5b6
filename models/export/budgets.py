"""The recorded size and arena of every network; neither grows unseen."""

from __future__ import annotations

import tomllib
from pathlib import Path

from models.export.cost import Cost

RECORD = Path(__file__).with_name("budgets.toml")
GROWTH = 0.03
"""By so much a figure may be above the record."""


def recorded() -> dict[str, dict[str, int]]:
    """For each architecture, bytes of its `tflite` and its `arena` at the default window."""
    with RECORD.open("rb") as file:
        return tomllib.load(file)


def grown(name: str, cost: Cost) -> list[str]:
    """What has grown above the record, or is over the chip's budget, one line each."""
    now = {"tflite": cost.tflite_bytes, "arena": cost.arena_bytes}
    found = [
        f"{name}: {what} has {now[what]} bytes, {now[what] / budget - 1:+.1%} against {budget} in {RECORD.name}"
        for what, budget in recorded()[name].items()
        if now[what] > budget * (1 + GROWTH)
    ]
    return found + [f"{name}: {line}" for line in cost.excess()]
