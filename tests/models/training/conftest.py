"""A small simulated dataset, made once."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.models.training.made import make

# Not imported here: `models.keras_runtime` must be the first to do so, or figures differ in their last digits.
collect_ignore_glob = [] if find_spec("tensorflow") and find_spec("sklearn") else ["test_*.py"]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data"), "rig", 1)


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the same machine, with other recordings."""
    return make(tmp_path_factory.mktemp("data"), "other", 2)
