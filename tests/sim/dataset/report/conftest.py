"""A dataset folder made for the test: real and hybrid windows whose differences are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from sim.dataset.manifest import FORMAT, MANIFEST, sha256_of, to_json
from sim.dataset.table import Windows, to_table

RATE_HZ = 3332.0
LENGTH = 1024
CHANNELS = ("accel_x_g", "accel_y_g", "accel_z_g")
SPEEDS_RPM = (1200.0, 1800.0, 2400.0)
NOISE_G = 0.05
ORDERS = {"1x": 1.0, "2x": 2.0, "3x": 3.0, "BPFO": 3.052, "BPFI": 4.948, "2xBSF": 3.984, "FTF": 0.382}
HYBRID_GAIN = 2.0
"""Hybrid healthy windows are so many times too loud: 6.02 dB."""


def windows(
    rng: np.random.Generator, name: str, provenance: str, rpm: float, recording: str, count: int, gain: float = 1.0,
    kind: str | None = None, rise_db: float = np.nan, rate_hz: float = RATE_HZ,
) -> Windows:  # fmt: skip
    """Noise, and under imbalance a line at 1x."""
    x = NOISE_G * rng.standard_normal((count, LENGTH, 3))
    if name == "imbalance":
        t = np.arange(LENGTH) / rate_hz
        x[:, :, 0] += 0.5 * (rpm / 1800) ** 2 * np.sin(2 * np.pi * rpm / 60 * t + rng.uniform(0, 6))
    columns = {
        "channels": ",".join(CHANNELS), "sampling_rate_hz": rate_hz, "label": name, "fault_kind": kind or name,
        "severity": 0.0 if name == "normal" else 0.5, "severity_value": np.nan, "severity_unit": "", "rise_db": rise_db,
        "sensor_state": "ok", "sensor_severity": 0.0, "speed_rpm": rpm, "load": 0.0, "start_s": 0.0, "machine_id": "m",
        "sensor_id": "s", "recording_id": recording, "group": recording, "provenance": provenance, "scenario": "made",
        "scenario_hash": "", "seed": 0,
    }  # fmt: skip
    return Windows((gain * x).astype(np.float32), columns)


def write(folder: Path, parts: Sequence[Sequence[Windows]]) -> Path:
    """A dataset folder of these parts."""
    folder.mkdir()
    entries = []
    for number, of_part in enumerate(parts):
        path, table = folder / f"part-{number:06d}.parquet", to_table(of_part)
        pq.write_table(table, path)
        entries.append({"file": path.name, "sha256": sha256_of(path), "bytes": 0, "rows": table.num_rows})
    manifest = {
        "format": FORMAT, "seed": 3, "window_length": LENGTH, "channels": list(CHANNELS), "parts": entries,
        "rows": sum(entry["rows"] for entry in entries), "mix": {"carry": True, "span_db": 26.0},
        "scenarios": [{"name": "made", "orders": ORDERS, "content_sha256": "c0ffee"}],
    }  # fmt: skip
    (folder / MANIFEST).write_text(to_json(manifest))
    return folder


def made(seed: int = 1, gain: float = HYBRID_GAIN, real: bool = True) -> list[list[Windows]]:
    """Two parts: real normal and imbalance; hybrid normal, imbalance and looseness, the latter without real ones."""
    rng = np.random.default_rng(seed)
    first: list[Windows] = []
    for rpm in SPEEDS_RPM if real else ():
        for name in ("normal", "imbalance"):
            first += [windows(rng, name, "real", rpm, f"{name}-{rpm:.0f}-{letter}", 8) for letter in "ab"]
    bases = [f"normal-{rpm:.0f}-{letter}" for rpm in SPEEDS_RPM for letter in "ab"]
    second = []
    for i in range(18):
        rpm, base = float(SPEEDS_RPM[i % 3] * rng.uniform(0.95, 1.05)), bases[i // 3]
        second.append(windows(rng, "normal", "hybrid", rpm, base, 4, gain, rise_db=0.0))
        second.append(windows(rng, "imbalance", "hybrid", rpm, base, 4, rise_db=5.0 + i))
        second.append(windows(rng, "looseness", "hybrid", rpm, base, 4, rise_db=10.0))
    return [first, second] if first else [second]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write(tmp_path / "made", made())


@pytest.fixture
def dataset_of(tmp_path: Path) -> Callable[..., Path]:
    """`dataset_of(name, seed=2, gain=1.0)` -> folder."""

    def build(name: str, **settings: float) -> Path:
        return write(tmp_path / name, made(**settings))  # type: ignore[arg-type]

    return build


def noise(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
