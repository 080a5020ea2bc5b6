"""Real recordings, replayed through the IMU model into the firmware on the emulated chip: its verdicts are the host's.

The host cuts the same counts into windows, preprocesses them in Python and asks TensorFlow Lite Micro.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")

from e2e.run import Console
from emulator.machine import Machine, Sensor
from emulator.sources import ArraySource
from firmware.build import build
from firmware.frames import FrameType, State
from models.artifact import INT8, Artifact, open_artifact, reference
from models.datasets.adi import Adi
from models.export.interpreters import Micro
from sim.effect import GRAVITY_M_S2
from sim.seeds import generator
from sim.sensors.imu import ImuSpec, ImuStream

GRID_HZ = 4 * 3332.0
CHOSEN = ("normal", "imbalance", "misalignment", "bearing_wear")


class Noise:
    """The IMU's own noise."""

    def noise(self, purpose: str) -> np.random.Generator:
        return generator(5, purpose)


def replayed(samples_g: NDArray[np.float32], rate_hz: float) -> NDArray[np.int16]:
    """Counts (n, 6) of an LSM6DSO that is shaken as a recording says, gravity included."""
    spec = ImuSpec(id="imu0", odr_hz=3332, range_g=16, specimen="nominal")
    up, down = round(GRID_HZ), round(rate_hz)
    motion_g = resample_poly(samples_g.astype(np.float64) - samples_g.mean(axis=0), up, down, axis=0).T
    stream = ImuStream(spec, GRID_HZ, Noise())
    return stream.push(np.ascontiguousarray(motion_g * GRAVITY_M_S2), np.zeros_like(motion_g), 25.0)


def host_levels(artifact: Artifact, counts: NDArray[np.int16], first: int, windows: int) -> list[int]:
    """The level of every window, the first of which begins at sample `first`."""
    pre = artifact.preprocessing
    starts = first + pre.hop * np.arange(windows)
    cut = np.stack([counts[start : start + pre.window, : len(pre.channels)] for start in starts])
    output = Micro(artifact.read(INT8)).run(pre.apply(cut)).astype(np.int32)
    return [int(level) for level in (output[:, 1:] + 128).sum(axis=1)]


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(reference("bearing_rig"), tmp_path_factory.mktemp("firmware")).product


def test_verdicts_on_recordings_are_the_hosts(elf: Path) -> None:
    if not Adi().there():
        pytest.skip("no data: `simtwin data fetch adi` or SIMTWIN_DATA")
    artifact = open_artifact(reference("bearing_rig"))
    recordings = Adi().read()
    chosen = [next(r for r in recordings if r.label == label) for label in CHOSEN]
    compared, levels = 0, set()
    for recording in chosen:
        counts = replayed(recording.samples, recording.rate_hz)
        machine = Machine(elf, [Sensor(ArraySource(counts, 3332.0))])
        console = Console()
        machine.on_uart(0, console.byte)
        machine.run_until_line("hello", 1.0)
        machine.write_uart(0, b"config report_windows 1\n")
        machine.run_until(len(counts) / 3332.0)
        told = [f for _, f in console.frames if isinstance(f, State) and f.type == FrameType.WINDOW]
        assert len(told) >= 8, recording.id
        assert all(frame.machine_state is not None for frame in told), recording.id
        said = [frame.level for frame in told]
        # The firmware begins when it has set up the sensor: one of the first samples, which the console does not tell.
        firsts = [k for k in range(600) if host_levels(artifact, counts, k, 1) == said[:1]]
        assert any(host_levels(artifact, counts, first, len(said)) == said for first in firsts), recording.id
        compared += len(said)
        levels |= set(said)
    assert compared >= 32
    assert len(levels) > 12, "the verdicts hardly differ: they prove little"
