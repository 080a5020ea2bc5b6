"""One run of a scenario: samples of every sensor to Parquet, with the truth beside them, and pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim.dataset.manifest import sha256_of, to_json, versions
from sim.dataset.recording import machine_state, sensor_state
from sim.dataset.workshop import refuse_to_overwrite
from sim.effect import Array
from sim.errors import DatasetError
from sim.plots import FaultTrack, RunData, plot_run_pictures
from sim.progress import Progress
from sim.scenario.reader import Loaded, content_hash
from sim.scenario.realise import plan as plan_draws
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec
from sim.twin import Chunk, Twin
from sim.world import Capture

PLOT_SAMPLES = 2_000_000
"""Samples of a sensor that the pictures show at the most; of a longer run they show its end."""


def simulate(
    loaded: Loaded[Scenario],
    out: Path,
    seed: int,
    *,
    plots: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Simulate one run into the new folder `out`; returns its manifest.

    Every sensor gives `SENSOR.parquet` (capture, time_s, its channels, speed_rpm, label, severity, sensor_state); the
    samples stream to disk, so a long run needs no more memory than a short one.

    Args:
        loaded: scenario with the files it came from.
        out: folder to make; must not exist.
        seed: seed of all random streams.
        plots: also draw the pictures.
        progress: called with (simulated s, total s).

    Raises:
        DatasetError: `out` exists or cannot be written.
    """
    with new_folder(out) as folder:
        scenario = plan_draws(loaded.model).draw(seed, loaded.model.name, 0)
        twin = Twin(scenario, seed)
        recorded = _record(twin, folder, progress)
        if plots:
            for i, sensor in enumerate(twin.sensors):
                run = _run_data(twin, sensor, recorded[i])
                pictures = folder / sensor.id
                pictures.mkdir()
                plot_run_pictures(pictures, run)
        manifest = {
            "format": "simtwin run 1",
            "seed": seed,
            "versions": versions(),
            "scenario": {
                "name": scenario.name,
                "content_sha256": content_hash(loaded.model),
                "files": [{"file": Path(f).name, "sha256": sha} for f, sha in loaded.files.items()],
                "realised_sha256": content_hash(scenario),
            },
            "files": [
                {"file": path.relative_to(folder).as_posix(), "sha256": sha256_of(path)}
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            ],
        }
        (folder / "manifest.json").write_text(to_json(manifest))
    return manifest


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that appears under its name only when all in it is done; on any error nothing remains."""
    refuse_to_overwrite(out)
    aside = out.with_name(f".{out.name}.unfinished")
    try:
        try:
            aside.mkdir(parents=True)
        except FileExistsError:
            shutil.rmtree(aside)
            aside.mkdir()
        yield aside
        aside.rename(out)
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


class _Tail:
    """The last samples of one sensor, for the pictures."""

    def __init__(self) -> None:
        self.time_s: list[Array] = []
        self.samples: list[NDArray[np.float32]] = []
        self.speed_rpm: list[Array] = []
        self._n = 0

    def add(self, time_s: Array, samples: NDArray[np.float32], speed_rpm: Array) -> None:
        self.time_s.append(time_s)
        self.samples.append(samples)
        self.speed_rpm.append(speed_rpm)
        self._n += len(time_s)
        while self._n - len(self.time_s[0]) > PLOT_SAMPLES:
            self._n -= len(self.time_s.pop(0))
            self.samples.pop(0)
            self.speed_rpm.pop(0)


def _record(twin: Twin, folder: Path, progress: Progress | None) -> list[_Tail]:
    tails = [_Tail() for _ in twin.sensors]
    total_s = sum(c.duration_s for c in twin.timeline.captures)
    done_s = 0.0
    with ExitStack() as stack:
        writers = [
            stack.enter_context(pq.ParquetWriter(folder / f"{sensor.id}.parquet", _schema(sensor), compression="zstd"))
            for sensor in twin.sensors
        ]
        for capture in twin.timeline.captures:
            given = [0] * len(writers)
            for chunk in twin.capture(capture, twin.samples_of_capture):
                for i, sensor in enumerate(twin.sensors):
                    table, entry = _rows(twin, capture, sensor, chunk, i, given[i])
                    if table.num_rows:
                        writers[i].write_table(table)
                        tails[i].add(*entry)
                    given[i] += table.num_rows
                if progress is not None and len(chunk.time_s):
                    progress(done_s + float(chunk.time_s[-1]) - capture.start_s, total_s)
            done_s += capture.duration_s
    return tails


def _schema(sensor: ImuSpec) -> pa.Schema:
    fields = [("capture", pa.int32()), ("time_s", pa.float64())]
    fields += [(name, pa.float32()) for name in sensor.channel_names]
    text = pa.dictionary(pa.int32(), pa.string())
    fields += [("speed_rpm", pa.float32()), ("label", text), ("severity", pa.float32()), ("sensor_state", text)]
    return pa.schema(fields, metadata={"simtwin": "run 1", "sampling_rate_hz": f"{sensor.odr_hz:g}"})


def _rows(
    twin: Twin, capture: Capture, sensor: ImuSpec, chunk: Chunk, index: int, given: int
) -> tuple[pa.Table, tuple[Array, NDArray[np.float32], Array]]:
    counts = chunk.samples[index]
    n = len(counts)
    # Nominal times: what a reader of the sensor would write beside the samples.
    time_s = capture.start_s + np.arange(given, given + n) / sensor.odr_hz
    samples: NDArray[np.float32] = np.multiply(counts, sensor.scale.astype(np.float32), dtype=np.float32)
    # The truth beside the samples is that of the time at which they were really taken.
    taken_s = chunk.sample_time_s[index]
    speed = np.interp(taken_s, chunk.time_s, chunk.speed_rpm) if len(chunk.time_s) else np.zeros(n)
    state = machine_state(twin, taken_s)
    faulty = sensor_state([sensor], taken_s, taken_s)
    columns = [
        pa.array(np.full(n, capture.number, dtype=np.int32)),
        pa.array(time_s),
        *(pa.array(column) for column in samples.T),
        pa.array(speed.astype(np.float32)),
        pa.array(state["label"], type=pa.string()).dictionary_encode(),
        pa.array(np.asarray(state["severity"], dtype=np.float32)),
        pa.array(faulty, type=pa.string()).dictionary_encode(),
    ]
    return pa.Table.from_arrays(columns, schema=_schema(sensor)), (time_s, samples, speed)


def _run_data(twin: Twin, sensor: ImuSpec, tail: _Tail) -> RunData:
    """What the pictures of one sensor show."""
    scenario = twin.scenario
    time_s, samples = np.concatenate(tail.time_s), np.concatenate(tail.samples).astype(np.float64)
    at = np.linspace(time_s[0], time_s[-1], 500)
    tracks = [
        FaultTrack(
            fault.name,
            at,
            fault.severity(scenario.machine, extent.at(at)).normalised,
        )
        for fault, extent in zip(twin.faults, twin.extents, strict=True)
    ]
    tracks += [
        FaultTrack(f"sensor: {fault.kind}", at, np.array([fault.severity(float(t)) for t in at]))
        for fault in sensor.faults
    ]
    motor = scenario.machine.motor
    return RunData(
        time_s=time_s,
        accel_g=samples[:, :3],
        gyro_dps=samples[:, 3:] if samples.shape[1] > 3 else None,
        fs_hz=sensor.odr_hz,
        speed_rpm=np.concatenate(tail.speed_rpm),
        title=f"{scenario.name}: {scenario.machine.id}",
        sensor_id=sensor.id,
        marks=scenario.machine.orders(),
        fixed_marks_hz={} if motor is None else {"2x line": 2.0 * motor.line_frequency_hz},
        faults=tracks,
    )
