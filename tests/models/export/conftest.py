"""Trained and exported networks, made once for all tests, and only those that are asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("tensorflow", reason="no TensorFlow: pip install simtwin[train]")
pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from tests.models.export.made import Made, made


@pytest.fixture(scope="session")
def exports() -> Callable[[str], Made]:
    return made
