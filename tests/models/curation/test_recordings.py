"""Recordings on their way into a dataset: what is left out and why, states, rates, and what curation decides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.curation.recordings import real_set
from models.datasets.base import known
from sim.dataset.manifest import FORMAT, MANIFEST, sha256_of, to_json
from sim.dataset.real import to_windows
from sim.dataset.table import Windows, to_table
from sim.errors import DatasetError

RATE_HZ = 2000.0


def write(folder: Path, x: np.ndarray, label: str) -> Path:
    """A described file of one recording with the channels x and y."""
    np.savez(folder / "r.npz", x=x.astype(np.float32), anomaly=np.arange(len(x)) >= 6000)
    (folder / "r.yaml").write_text(
        f"files: r.npz\nrate_hz: {RATE_HZ:g}\nspeed_rpm: 1500\n{label}"
        "channels:\n  accel_x: {column: x, index: 0, unit: g}\n  accel_y: {column: x, index: 1, unit: g}\n"
    )
    return folder / "r.yaml"


def waveform(n: int = 10_000) -> np.ndarray:
    rng = np.random.default_rng(0)
    t = np.arange(n) / RATE_HZ
    return 0.2 * rng.standard_normal((n, 2)) + np.sin(2 * np.pi * 25 * t)[:, None]


def test_a_recording_labelled_by_samples_comes_in_one_state_each(tmp_path: Path) -> None:
    label = "label: {column: anomaly, map: {'False': normal, 'True': looseness, '0': normal, '1': looseness}}\n"
    found = real_set(write(tmp_path, waveform(), label))
    assert [(r.label, r.fault_kind, len(r.samples), r.start_s) for r in found.recordings] == [
        ("normal", "normal", 6000, 0.0),
        ("looseness", found.recordings[1].fault_kind, 4000, 3.0),
    ]
    assert len({r.id for r in found.recordings}) == 1
    assert all(r.anomaly is None for r in found.recordings)


def test_without_a_label_it_is_left_out(tmp_path: Path) -> None:
    found = real_set(write(tmp_path, waveform(), ""))
    assert found.recordings == ()
    assert [reason for _, reason in found.left_out] == ["has no label"]


def test_a_spike_is_cut_out_and_shuffled_rows_are_refused(tmp_path: Path) -> None:
    x = waveform()
    x[5000, 1] = 400.0
    path = write(tmp_path, x, "label: normal\n")
    curated = real_set(path)
    assert [len(r.samples) for r in curated.recordings] == [5000, 4999]
    assert curated.decisions is not None
    assert [d["rule"] for d in curated.decisions[0]["decisions"]] == ["outliers"]
    plain = real_set(path, curated=False)
    assert [len(r.samples) for r in plain.recordings] == [10_000]
    assert plain.decisions is None
    assert plain.content_sha256 == curated.content_sha256
    shuffled = np.random.default_rng(1).permutation(waveform())
    refused = real_set(write(tmp_path, shuffled, "label: normal\n"))
    assert refused.recordings == ()
    assert len(refused.left_out) == 1
    assert refused.content_sha256 != plain.content_sha256


def test_windows_at_a_lower_rate(tmp_path: Path) -> None:
    path = write(tmp_path, waveform(), "label: normal\n")
    found = real_set(path, rate_hz=500.0)
    (own,), (lower,) = found.recordings, found.at_rate
    assert (own.rate_hz, lower.rate_hz, len(lower.samples)) == (2000.0, 500.0, 2500)
    # The line at 25 Hz passes.
    t = np.arange(2500) / 500.0
    assert 2 * (lower.samples[:, 0] * np.sin(2 * np.pi * 25 * t)).mean() == pytest.approx(1.0, abs=0.02)
    with pytest.raises(DatasetError, match="cannot be brought to 4000 Hz"):
        real_set(path, rate_hz=4000.0)


def test_two_loads_of_one_bearing_keep_their_ids_and_share_a_group() -> None:
    if not known()["cwru"].there():
        pytest.skip("the set cwru is not on this machine: simtwin data fetch cwru")
    found = real_set("cwru", curated=False)
    rows = [to_windows(r, 1024).columns for r in found.recordings]
    assert len({row["recording_id"] for row in rows}) == 19
    assert len({row["group"] for row in rows}) == 10


def test_hybrid_windows_are_no_real_recordings(tmp_path: Path) -> None:
    """A dataset that is read back gives its real recordings only."""
    write(tmp_path, waveform(), "label: normal\n")
    made = tmp_path / "made"
    made.mkdir()
    columns = to_windows(real_set(tmp_path / "r.yaml").recordings[0], 1000)
    hybrid = Windows(columns.samples, {**columns.columns, "provenance": "hybrid"})
    pq.write_table(to_table([columns, hybrid]), made / "part.parquet")
    parts = [{"file": "part.parquet", "sha256": sha256_of(made / "part.parquet")}]
    content = {"format": FORMAT, "parts": parts, "window_length": 1000, "channels": ["accel_x_g", "accel_y_g"]}
    (made / MANIFEST).write_text(to_json(content))
    found = real_set(made)
    assert [len(r.samples) for r in found.recordings] == [10_000]
    assert [reason for _, reason in found.left_out] == ["is no real recording but hybrid"]
