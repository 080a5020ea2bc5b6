"""What single bits that turn over may do, on a sample; `python -m benchmarks.bit_flips` counts many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")
pytest.importorskip("ziglang", reason="no zig: pip install simtwin[firmware]")

from benchmarks import bit_flips
from benchmarks.bit_flips import Flip, Network
from firmware.build import build
from models.artifact import Artifact, open_artifact, reference


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    return open_artifact(reference("bearing_rig"))


@pytest.fixture(scope="module")
def elf(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(artifact.folder, tmp_path_factory.mktemp("chip")).product


def test_every_flip_in_the_stored_configuration_is_found_and_the_older_copy_taken(library: Path) -> None:
    """All bits of a record, with undefined behaviour ending the run; bits of the blank rest of its slot change nothing."""
    record, rest = bit_flips.configuration(library)
    assert record == {"detected": record.total()}
    assert rest == {"masked": rest.total()}
    assert record.total() + rest.total() == 8 * 256
    assert record.total() > 1000


def test_flips_in_the_networks_memory_end_with_the_inference(elf: Path, artifact: Artifact) -> None:
    """Whatever happens to input and scratch, the run ends, keeps to its memory, and the next window is as ever."""
    network = Network(elf, artifact)
    (window,) = np.random.default_rng(1).normal(0, 20, (1, 1024, 3)).astype(np.int8)
    sound = network.run(window)
    assert sound is not None
    outcomes = set()
    for flip in bit_flips.drawn(network.arena, 60, "test", network.instructions):
        outcomes.add(network.outcome(window[None], [sound], flip))
    assert outcomes <= {"masked", "wrong level", "wrong verdict"}
    assert len(outcomes) > 1, "no flip did anything: they prove little"
    np.testing.assert_array_equal(network.run(window), sound)


def test_flips_in_constants_change_outputs_and_only_those_in_pointers_end_the_run(
    elf: Path, artifact: Artifact
) -> None:
    network = Network(elf, artifact)
    (window,) = np.random.default_rng(1).normal(0, 20, (1, 1024, 3)).astype(np.int8)
    sound = network.run(window)
    assert sound is not None
    found = [
        (flip, network.outcome(window[None], [sound], flip)) for flip in bit_flips.drawn(network.constants, 120, "test")
    ]
    assert {outcome for _, outcome in found} >= {"masked", "wrong level"}
    crashed = [flip for flip, outcome in found if outcome == "crashed"]
    assert len(crashed) <= 2, crashed


def test_flips_in_the_models_constants_are_found_by_the_chip(elf: Path) -> None:
    """In its first and last bytes and in between; in less time than four windows take."""
    counts = bit_flips.recorded()
    network = Network(elf, open_artifact(reference("bearing_rig")))
    ordered = sorted(network.constants)
    weights = [(first, size) for first, size in ordered if size > 500]
    flips = [Flip(first + at, 6) for first, size in weights for at in (0, size // 2, size - 1)][:4]
    found, _ = bit_flips.on_the_chip(elf, counts, flips)
    assert found == {"detected": len(flips)}
