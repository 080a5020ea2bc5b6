"""Windows a second that `simtwin augment SCENARIO --real DATASET` writes to Parquet: 1024 x 3, faults on real healthy ones.

Real windows of the recordings are few beside them. Beside it, in the same run, what is commonly done instead with the same
windows: noise, scaling and time warp by tsaug (`models.classical`), written to Parquet in parts of the same size.

The recordings are the set ADI at 5 kHz if it is on this machine, else noise and lines of the same length.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.classical import classical
from models.curation.recordings import real_set
from models.datasets.base import known
from models.windows import Task
from sim.dataset.parts import PART_ROWS, write_part
from sim.dataset.real import RealRecording, RealSet, columns, content_sha256
from sim.dataset.table import Windows
from sim.hybrid.dataset import augment_real
from sim.scenario.reader import Loaded, load
from sim.scenario.schema import Scenario

_HERE = Path(__file__).parent
RATE_HZ = 5000.0
LENGTH = 1024
CHANNELS = ("accel_x_g", "accel_y_g", "accel_z_g")


def _recordings() -> RealSet:
    """The healthy recordings of ADI, or what stands in for them."""
    if known()["adi"].there():
        found = real_set("adi", rate_hz=RATE_HZ)
        healthy = [i for i, recording in enumerate(found.recordings) if recording.normal]
        return replace(
            found,
            recordings=tuple(found.recordings[i] for i in healthy),
            at_rate=tuple(found.at_rate[i] for i in healthy),
        )
    made = tuple(_made(rpm) for rpm in (600.0, 1200.0, 1800.0, 2400.0, 3000.0))
    return RealSet("made", made, made, content_sha256(made))


def _made(speed_rpm: float) -> RealRecording:
    rng = np.random.default_rng(int(speed_rpm))
    t = np.arange(round(2.0 * RATE_HZ)) / RATE_HZ
    samples = 0.05 * (speed_rpm / 1800.0) ** 1.5 * rng.standard_normal((len(t), 3))
    samples += 0.02 * (speed_rpm / 1800.0) ** 2 * np.cos(2.0 * np.pi * speed_rpm / 60.0 * t)[:, None]
    name = f"normal-{speed_rpm:.0f}"
    return RealRecording(
        samples.astype(np.float32), CHANNELS, RATE_HZ, name, "normal", speed_rpm=speed_rpm, source="made"
    )


def _hybrid(loaded: Loaded[Scenario], real: RealSet, windows: int, workers: int) -> tuple[float, float, float]:
    """Windows a second, all in all and from when the recordings are taken apart on; and ms of this process a window."""
    ready: list[tuple[float, float]] = []

    def tell(done: int, total: int) -> None:
        ready.append((time.perf_counter(), time.process_time()))

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        rows = augment_real(
            loaded, real, Path(folder) / "dataset", 1, windows=windows, workers=workers, progress=tell
        )["rows"]  # fmt: skip
        tell(rows, rows)
    (first, first_cpu), (last, last_cpu) = ready[0], ready[-1]
    return rows / (last - started), rows / (last - first), 1e3 * (last_cpu - first_cpu) / rows


def _classical(real: RealSet, windows: int) -> tuple[float, float]:
    """Windows a second, and ms of processor a window: tsaug on the real windows, in one process, written to Parquet."""
    task = Task(("normal",), RATE_HZ, LENGTH)
    said = columns(real.at_rate[0], PART_ROWS, LENGTH)
    waiting = np.empty((0, LENGTH, 3), np.float32)
    made = parts = call = 0
    with tempfile.TemporaryDirectory() as folder:
        started, started_cpu = time.perf_counter(), time.process_time()
        while made < windows:
            waiting = np.concatenate([waiting, classical(real.at_rate, task, call).x])
            call += 1
            while len(waiting) >= PART_ROWS:
                write_part(Path(folder), f"part-{parts:06d}.parquet", [Windows(waiting[:PART_ROWS], said)])
                waiting, parts, made = waiting[PART_ROWS:], parts + 1, made + PART_ROWS
        return made / (time.perf_counter() - started), 1e3 * (time.process_time() - started_cpu) / made


def run(windows: int = 20_000, workers: int = 2) -> dict[str, float | str]:
    """Measure; the first, small runs compile the kernels and are not counted."""
    loaded = load(_HERE.parent / "scenarios" / "bearing_rig.yaml", Scenario)
    real = _recordings()
    _hybrid(loaded, real, 100, 1)
    _classical(real, 10)
    _, _, hybrid_ms = _hybrid(loaded, real, windows // 10, 1)
    whole, steady, _ = _hybrid(loaded, real, windows, workers)
    plain, plain_ms = _classical(real, windows // 4)
    return {
        "recordings": f"{real.name}, {len(real.recordings)} healthy, at {RATE_HZ:g} Hz",
        f"hybrid, {workers} processes, windows/s": whole,
        "the same once the processes are at work": steady,
        "tsaug, 1 process, windows/s": plain,
        "hybrid, ms of processor a window": hybrid_ms,
        "tsaug, ms of processor a window": plain_ms,
        "ratio tsaug / hybrid in processor time": plain_ms / hybrid_ms,
    }


def main() -> None:
    """Print the figures."""
    for name, value in run().items():
        print(f"{name:55s} {value:12.2f}" if isinstance(value, float) else f"{name:55s} {value}")


if __name__ == "__main__":
    main()
