"""Trained and exported networks, made once for all tests of the folder, and only those that are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from models.export.export import Exported
from tests.models.export.made import exported, trained


class Made(NamedTuple):
    """A trained network and what became of it."""

    model: Any
    exported: Exported


@pytest.fixture(scope="session")
def exports() -> Callable[[str], Made]:
    @cache
    def made(name: str) -> Made:
        model = trained(name)
        return Made(model, exported(name, model))

    return made
