"""Where a sensor model takes its samples from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.errors import ParameterError


@dataclass(frozen=True)
class SampleBlock:
    """Some samples in a row.

    Attributes:
        time_s: (n,) when each was taken, in the machine's virtual time, increasing.
        counts: (n, 6) int16: accelerometer x, y, z and gyroscope x, y, z at the source's ranges.
        temperature_c: of the sensor meanwhile.
    """

    time_s: NDArray[np.float64]
    counts: NDArray[np.int16]
    temperature_c: float = 25.0


class SampleSource(Protocol):
    """Samples of one IMU, streamed block by block."""

    @property
    def rate_hz(self) -> float:
        """Nominal output data rate, one of the device's."""

    @property
    def rate_error(self) -> float:
        """How much faster the sensor's own clock runs than its nominal rate, as a share."""

    @property
    def accel_range_g(self) -> float:
        """Full scale of the accelerometer's counts."""

    @property
    def gyro_range_dps(self) -> float:
        """Full scale of the gyroscope's counts."""

    def blocks(self) -> Iterator[SampleBlock]:
        """The samples from virtual time 0 on, read once. After the last one the sensor repeats it."""


class Relay(ABC):
    """A source that passes another's samples on and looks at them on the way.

    Args:
        source: whose samples they are.
    """

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        self.rate_hz, self.rate_error = source.rate_hz, source.rate_error
        self.accel_range_g, self.gyro_range_dps = source.accel_range_g, source.gyro_range_dps

    @abstractmethod
    def seen(self, block: SampleBlock) -> None:
        """A block is about to be passed on."""

    def blocks(self) -> Iterator[SampleBlock]:
        """The samples of the source."""
        for block in self._source.blocks():
            self.seen(block)
            yield block


class ArraySource:
    """Samples that are all there: tests, recordings.

    Args:
        counts: (n, 6) or (n, 3) integers within int16; without gyroscope columns it reads 0.
        rate_hz: nominal rate, one of the device's.
        accel_range_g, gyro_range_dps: full scales of the counts.
        start_s: virtual time of the first sample.
        rate_error: share by which the sensor's clock runs fast.
        temperature_c: of the sensor.
    """

    BLOCK = 4096

    def __init__(
        self,
        counts: NDArray[np.integer],
        rate_hz: float,
        *,
        accel_range_g: float = 16.0,
        gyro_range_dps: float = 2000.0,
        start_s: float = 0.0,
        rate_error: float = 0.0,
        temperature_c: float = 25.0,
    ) -> None:
        if counts.ndim != 2 or counts.shape[1] not in (3, 6) or len(counts) == 0:
            raise ParameterError(f"counts of shape {counts.shape}; (n, 3) or (n, 6) is allowed")
        if counts.min() < -32768 or counts.max() > 32767:
            raise ParameterError("counts outside int16")
        self._counts = np.zeros((len(counts), 6), dtype=np.int16)
        self._counts[:, : counts.shape[1]] = counts
        self.rate_hz, self.rate_error = rate_hz, rate_error
        self.accel_range_g, self.gyro_range_dps = accel_range_g, gyro_range_dps
        self._start_s, self._temperature_c = start_s, temperature_c

    def blocks(self) -> Iterator[SampleBlock]:
        """All samples, in blocks."""
        rate_hz = self.rate_hz * (1.0 + self.rate_error)
        for first in range(0, len(self._counts), self.BLOCK):
            part = self._counts[first : first + self.BLOCK]
            time_s = self._start_s + np.arange(first, first + len(part)) / rate_hz
            yield SampleBlock(time_s, part, self._temperature_c)
