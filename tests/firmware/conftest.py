"""The firmware built for this machine, once a test run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.build import Built, build
from models.preprocessing import Preprocessing
from tests.firmware import tiny_model

pytest.importorskip("ziglang", reason="no zig: pip install simtwin[firmware]")
pytest.importorskip("elftools", reason="no pyelftools: pip install simtwin[firmware]")

BuildHost = Callable[[Preprocessing], Path]


@pytest.fixture(scope="session")
def build_host(tmp_path_factory: pytest.TempPathFactory) -> BuildHost:
    """Builds the host port with the tiny model under a preprocessing; undefined behaviour ends the run."""
    done: dict[str, Path] = {}

    def made(pre: Preprocessing) -> Path:
        key = pre.model_dump_json()
        if key not in done:
            folder = tmp_path_factory.mktemp("host")
            model = tiny_model.write(folder / "model", pre)
            done[key] = build(model, folder / "out", "host", sanitize=True).product
        return done[key]

    return made


@pytest.fixture(scope="session")
def library(build_host: BuildHost) -> Path:
    """The host port with the tiny model: 3332 Hz, windows of 1024 x 3."""
    return build_host(tiny_model.preprocessing())


@pytest.fixture(scope="session")
def chip_build(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The esp32c3 port with the tiny model."""
    folder = tmp_path_factory.mktemp("esp32c3")
    return build(tiny_model.write(folder / "model", tiny_model.preprocessing()), folder / "out", "esp32c3")
