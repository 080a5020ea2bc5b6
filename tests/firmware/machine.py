"""Samples of a machine that hardly is one, and devices that listen to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware.fifo_imu import FifoImu
from firmware.host import End, Host

RATE_HZ = 3332.0
GRAVITY = 2049
"""Counts of 1 g at +-16 g."""


def samples(
    seconds: float,
    *,
    level: float = 0.0,
    hz: float = 30.0,
    onset_s: float = 0.0,
    seed: int = 0,
    gyro: bool = False,
    axes: int = 1,
) -> NDArray[np.int16]:
    """The LSM6DSO's own noise (110 ug/sqrt(Hz): 9 counts), gravity on z, and a tone on so many axes from `onset_s` on."""
    draws = np.random.default_rng(seed)
    count = round(seconds * RATE_HZ)
    x = draws.normal(0, 9, (count, 6 if gyro else 3))
    x[:, 2] += GRAVITY
    time_s = np.arange(count) / RATE_HZ
    x[:, :axes] += (level * np.sin(2 * np.pi * hz * time_s) * (time_s >= onset_s))[:, None]
    return np.asarray(np.clip(np.rint(x), -32768, 32767), np.int16)


def device(library: Path, *streams: NDArray[np.int16], flash: bytearray | None = None, **config: int) -> Host:
    """A started device with one IMU a stream; its fields set beforehand, so that none of them waits for the next start."""
    host = Host(library, flash=flash)
    if config:
        host.imus = [FifoImu(streams[0][:1], lambda: host.time_us) for _ in streams]
        assert host.start() == End.RUNS
        for name, value in config.items():
            answer = host.command(f"config {name} {value}")[-1]
            assert answer.startswith("ok"), answer
    for sent in host.sent.values():
        sent.clear()
    host.imus = [FifoImu(each, lambda: host.time_us) for each in streams]
    assert host.start() == End.RUNS
    return host
