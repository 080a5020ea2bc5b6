"""A scenario as files of sensor data for Renode: every sample that the twin's IMUs take, at the rates of Renode's model.

The model of the LSM6DSO turns a sample into counts by steps of range / 32768 g and of the datasheet's mdps. The files hold,
in whole micro-g and 1e-5 rad/s, what gives back the very counts of the twin: sample for sample the firmware reads the same on
both engines. The model knows integer rates only (1660 Hz for 1666): a run lasts that much longer.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emulator.sources import SampleSource
from emulator.twin_source import TwinRun
from renode.errors import RenodeError
from renode.lsm6dso import RATES_HZ
from renode.resd import Block, SampleType, write
from sim import __version__
from sim.dataset.manifest import sha256_of, to_json, versions
from sim.progress import Progress
from sim.scenario.realise import plan
from sim.scenario.schema import Scenario
from sim.sensors.devices import LSM6DSO
from sim.simulate import new_folder

FORMAT = "simtwin-renode-feed-1"
MANIFEST = "feed.json"

BLOCK_SAMPLES = 20_000
"""A block's period is whole nanoseconds, Renode's ticks are rounded up to such: within a block they stay together."""

TEMPERATURE_PERIOD_S = 0.1


def model_rate_hz(odr_hz: float) -> int:
    """The rate at which Renode's model takes samples when the batch rate is set to this output data rate.

    Raises:
        RenodeError: no rate of the device.
    """
    try:
        return int(RATES_HZ[LSM6DSO.odrs_hz.index(odr_hz)])
    except ValueError:
        raise RenodeError(f"{odr_hz:g} Hz is no rate of an LSM6DSO") from None


def tick_ns(rate_hz: int) -> int:
    """From one sample of Renode's model to the next: its clock's periods are rounded up to whole nanoseconds."""
    return math.ceil(1e9 / rate_hz)


def acceleration_ug(counts: NDArray[np.int16], range_g: float) -> NDArray[np.int32]:
    """What Renode's model turns into these counts at this full scale (32768 / range LSB/g, rounded)."""
    return np.round(counts.astype(np.float64) * range_g / 32768.0 * 1e6).astype(np.int32)


def angular_rate_1e5_rad_s(counts: NDArray[np.int16], range_dps: float) -> NDArray[np.int32]:
    """What Renode's model turns into these counts at this full scale (the datasheet's mdps a step, rounded)."""
    dps = counts.astype(np.float64) * LSM6DSO.gyro_lsb_mdps[range_dps] * 1e-3
    return np.round(np.deg2rad(dps) * 1e5).astype(np.int32)


@dataclass(frozen=True)
class Fed:
    """What was written.

    Attributes:
        files: of the sensors in order, then feed.json.
        counts: of every sensor, (n, 6) int16: the samples that the firmware will read.
    """

    files: list[Path]
    counts: list[NDArray[np.int16]]


def blocks_of(source: SampleSource, gyro: bool = True) -> tuple[list[Block], NDArray[np.int16]]:
    """All blocks of one sensor - acceleration, angular rate (unless `gyro` is False), temperature - and its counts (n, 6)."""
    counts, temperatures, taken = [], [], 0
    for block in source.blocks():
        counts.append(block.counts)
        temperatures.append((taken, block.temperature_c))
        taken += len(block.counts)
    samples = np.concatenate(counts)
    rate_hz = model_rate_hz(source.rate_hz)
    acceleration = acceleration_ug(samples[:, :3], source.accel_range_g)
    blocks = _constant(SampleType.ACCELERATION_UG, acceleration, rate_hz)
    if gyro:
        angular_rate = angular_rate_1e5_rad_s(samples[:, 3:], source.gyro_range_dps)
        blocks += _constant(SampleType.ANGULAR_RATE_1E5_RAD_S, angular_rate, rate_hz)
    return [*blocks, _temperature(temperatures, len(samples), rate_hz)], samples


def _constant(kind: SampleType, samples: NDArray[np.int32], rate_hz: int) -> list[Block]:
    period_ns = tick_ns(rate_hz)
    return [
        Block(kind, first * period_ns, period_ns, samples[first : first + BLOCK_SAMPLES])
        for first in range(0, len(samples), BLOCK_SAMPLES)
    ]


def _temperature(changes: list[tuple[int, float]], samples: int, rate_hz: int) -> Block:
    """The temperature of the blocks that the simulation was made in, ten times a second."""
    n = math.ceil(samples / rate_hz / TEMPERATURE_PERIOD_S) + 1
    at = np.arange(n) * TEMPERATURE_PERIOD_S * rate_hz
    which = np.searchsorted([first for first, _ in changes], at, side="right") - 1
    milli_c = np.round([changes[i][1] * 1000.0 for i in which]).astype(np.int32)
    return Block(SampleType.TEMPERATURE_MILLI_C, 0, round(TEMPERATURE_PERIOD_S * 1e9), milli_c[:, None])


def feed(scenario: Scenario, out: Path, seed: int = 0, *, gyro: bool = True, progress: Progress | None = None) -> Fed:
    """Write `imu0.resd` and so on, one a sensor, and feed.json into a new folder.

    Args:
        scenario: with or without distributions; they are drawn by `seed`.
        out: folder to make.
        seed: of the twin.
        gyro: whether the firmware batches the gyroscope; Renode's model refuses its samples otherwise.
        progress: told after each sensor.

    Raises:
        RenodeError: a sensor whose rate goes wrong, which Renode's model cannot show.
        ParameterError: a sensor that is no LSM6DSO.
        DatasetError: the folder is there already, or cannot be written.
    """
    realised = plan(scenario).draw(seed, scenario.name, 0)
    for sensor in realised.sensors:
        if any(fault.kind == "rate_skew" for fault in sensor.faults):
            raise RenodeError(
                f"{scenario.name}: sensor {sensor.id} has a rate_skew; the rate of Renode's model cannot change"
            )
    run = TwinRun(realised, seed)
    with new_folder(out) as folder:
        sensors: list[dict[str, Any]] = []
        counts: list[NDArray[np.int16]] = []
        for n, source in enumerate(run.sources):
            path = folder / f"imu{n}.resd"
            blocks, taken = blocks_of(source, gyro)
            write(path, blocks)
            counts.append(taken)
            sensors.append(
                {
                    "file": path.name,
                    "sha256": sha256_of(path),
                    "sensor": realised.sensors[n].id,
                    "odr_hz": source.rate_hz,
                    "rate_hz": model_rate_hz(source.rate_hz),
                    "gyro": gyro,
                    "samples": len(taken),
                }
            )
            if progress is not None:
                progress(n + 1.0, float(len(run.sources)))
        manifest = {
            "format": FORMAT,
            "simtwin": __version__,
            "scenario": scenario.name,
            "machine": scenario.machine.id,
            "seed": seed,
            "duration_s": run.twin.timeline.duration_s,
            "realised": json.loads(realised.model_dump_json()),
            "sensors": sensors,
            "versions": versions(),
        }
        (folder / MANIFEST).write_text(to_json(manifest))
    return Fed([out / sensor["file"] for sensor in sensors] + [out / MANIFEST], counts)
