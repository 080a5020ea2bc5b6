"""Looking into datasets, whole and damaged."""

from pathlib import Path
from typing import Any

import pytest

from sim.dataset import inspect as look
from sim.dataset.augment import augment
from sim.dataset.manifest import read_manifest
from sim.errors import DatasetError


@pytest.fixture
def dataset(loaded: Any, tmp_path: Path) -> Path:
    augment([loaded()], tmp_path / "out", seed=1)
    return tmp_path / "out"


def test_summary_counts_what_is_there(dataset: Path) -> None:
    table = look.labels(dataset, read_manifest(dataset))
    counted = look.summary(table)
    assert counted.windows.sum() == 64
    row = counted[counted.fault_kind == "imbalance"].iloc[0]
    assert (row.windows, row.recordings) == (12, 3)
    assert 0 < row.severity_min <= row.severity_max


def test_verify_finds_an_altered_part(dataset: Path) -> None:
    manifest = read_manifest(dataset)
    assert list(look.verify(dataset, manifest)) == [(1, 1)]
    part = dataset / manifest["parts"][0]["file"]
    content = bytearray(part.read_bytes())
    content[5000] ^= 1
    part.write_bytes(content)
    with pytest.raises(DatasetError, match="altered since it was written"):
        list(look.verify(dataset, manifest))
    part.unlink()
    with pytest.raises(DatasetError, match="missing, but listed"):
        list(look.verify(dataset, manifest))


def test_pictures_by_class(dataset: Path, tmp_path: Path) -> None:
    manifest = read_manifest(dataset)
    pictures = look.draw(dataset, manifest, look.labels(dataset, manifest), tmp_path / "pictures")
    assert {p.name for p in pictures} >= {"counts.png", "waveforms.png", "spectra.png", "features.png"}
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in pictures)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda p: None, "no such folder"),
        (lambda p: p.mkdir(), "no manifest.json"),
        (lambda p: (p.mkdir(), (p / "manifest.json").write_text("{")), "cannot be read"),
        (lambda p: (p.mkdir(), (p / "manifest.json").write_text("{}")), "not a manifest of format"),
    ],
)
def test_not_a_dataset(tmp_path: Path, make: Any, complaint: str) -> None:
    make(tmp_path / "x")
    with pytest.raises(DatasetError, match=complaint):
        read_manifest(tmp_path / "x")
