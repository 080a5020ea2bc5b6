"""A dataset of simtwin read back as recordings."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from models.datasets.base import open_recordings
from sim.dataset.manifest import FORMAT, MANIFEST, sha256_of, to_json
from sim.dataset.real import RealRecording, to_windows
from sim.dataset.table import Windows, to_table
from sim.errors import DatasetError

CHANNELS = ("accel_x_g", "accel_y_g")


def noise(n: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((n, 2)).astype(np.float32)


def write(folder: Path, windows: list[Windows], length: int) -> Path:
    folder.mkdir()
    pq.write_table(to_table(windows), folder / "part.parquet")
    parts = [{"file": "part.parquet", "sha256": sha256_of(folder / "part.parquet")}]
    content = {"format": FORMAT, "parts": parts, "window_length": length, "channels": list(CHANNELS)}
    (folder / MANIFEST).write_text(to_json(content))
    return folder


def test_windows_are_joined_again(tmp_path: Path) -> None:
    recordings = [
        RealRecording(noise(1024, i), CHANNELS, 2000.0, f"r{i}", label, label, "0.5 mm", 1500.0, 0.3, "m", "s")
        for i, label in enumerate(("normal", "imbalance"))
    ]
    folder = write(tmp_path / "set", [to_windows(r, 128) for r in recordings], 128)
    back = open_recordings(folder)
    assert [(r.label, r.fault_kind, r.severity, r.group, r.rate_hz) for r in back] == [
        ("normal", "normal", "0.5 mm", "r0", 2000.0),
        ("imbalance", "imbalance", "0.5 mm", "r1", 2000.0),
    ]
    for made, read in zip(recordings, back, strict=True):
        np.testing.assert_array_equal(read.samples, made.samples)
        assert read.anomaly is None


def test_a_label_that_changes_and_a_pause(tmp_path: Path) -> None:
    anomaly = np.arange(1024) >= 512
    whole = RealRecording(noise(1024, 1), CHANNELS, 2000.0, "r", "imbalance", "imbalance", anomaly=anomaly)
    later = RealRecording(noise(512, 2), CHANNELS, 2000.0, "r", "imbalance", "imbalance", start_s=9.0)
    folder = write(tmp_path / "set", [to_windows(whole, 128), to_windows(later, 128)], 128)
    first, second = open_recordings(folder)
    assert first.group == second.group == "r"
    assert first.id != second.id
    assert first.anomaly is not None
    np.testing.assert_array_equal(first.anomaly, anomaly)
    assert (second.start_s, len(second.samples), second.anomaly) == (9.0, 512, None)


def test_overlapping_windows_are_refused(tmp_path: Path) -> None:
    r = RealRecording(noise(1024, 1), CHANNELS, 2000.0, "r", "normal")
    folder = write(tmp_path / "set", [to_windows(r, 128, 64)], 128)
    with pytest.raises(DatasetError, match="windows of recording r overlap by 64 samples"):
        open_recordings(folder)


def test_an_altered_part_is_refused(tmp_path: Path) -> None:
    r = RealRecording(noise(1024, 1), CHANNELS, 2000.0, "r", "normal")
    folder = write(tmp_path / "set", [to_windows(r, 128)], 128)
    content = (folder / "part.parquet").read_bytes()
    (folder / "part.parquet").write_bytes(content[:-100])
    with pytest.raises(DatasetError, match=r"part\.parquet: altered"):
        open_recordings(folder)


@pytest.mark.parametrize(("name", "said"), [("nowhere", "no such set or file"), (".", "no manifest.json in it")])
def test_what_is_no_dataset(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        open_recordings(tmp_path / name)


def test_a_bare_file_asks_for_a_description(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    with pytest.raises(DatasetError, match="describe the file in a few lines of YAML"):
        open_recordings(tmp_path / "a.csv")
