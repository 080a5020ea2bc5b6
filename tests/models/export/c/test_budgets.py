"""Size, memory and instructions of every network's C do not grow unseen, and are below the chip's goals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.architectures import ARCHITECTURES
from models.export.budgets import C_RECORD, above, recorded
from tests.models.export.c.made import figures
from tests.models.export.conftest import Made

GOALS = {"cnn": 7 * 1024, "lstm": 11 * 1024, "gru": 12 * 1024, "transformer": 21 * 1024, "autoencoder": 7 * 1024}
"""Bytes of code and constants together."""
SCRATCH_GOAL = 6 * 1024


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_figure_has_grown_above_the_record(name: str, exports: Callable[[str], Made], tmp_path: Path) -> None:
    exported = exports(name).exported
    now = figures(name, exported.converted.int8, tmp_path)
    assert set(now) == set(recorded(C_RECORD)[name])
    assert not above(name, now, C_RECORD), "; ".join(above(name, now, C_RECORD))
    assert now["scratch"] < exported.cost.arena_bytes / 3  # what TFLM takes


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_record_is_within_the_goals(name: str) -> None:
    record = recorded(C_RECORD)[name]
    assert record["text"] + record["rodata"] <= GOALS[name]
    assert record["scratch"] + record["stack"] <= SCRATCH_GOAL


def test_growth_of_more_than_3_percent_is_reported() -> None:
    record = recorded(C_RECORD)["cnn"]
    assert not above("cnn", record, C_RECORD)
    more = {**record, "instructions": round(record["instructions"] * 1.04)}
    (line,) = above("cnn", more, C_RECORD)
    assert line.startswith(f"cnn: instructions is {more['instructions']}, +4.0% against {record['instructions']}")
