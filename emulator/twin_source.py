"""A scenario as what the sensors of a machine measure: simulated block by block, while the firmware runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from emulator.sources import SampleBlock
from sim.errors import ParameterError
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec
from sim.twin import Chunk, Twin


class TwinRun:
    """One run of a scenario, listened to from its start to the end of its operating plan.

    The samples are those that `sim.simulate` writes for a scenario without a sampling plan; one with such a plan is
    listened to all the time here. All sensors share one simulation: a block is made when the first of them needs it and
    kept until the last has had it.

    Args:
        scenario: realised (no distributions left).
        seed: seed of the run.

    Attributes:
        twin: the simulation, with its timeline and faults.
        sources: what each sensor of the scenario measures, in the scenario's order.

    Raises:
        ParameterError: a sensor that is not an LSM6DSO.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        for sensor in scenario.sensors:
            if sensor.device != "lsm6dso":
                raise ParameterError(f"sensor {sensor.id} is an {sensor.device}; the emulated board has LSM6DSOs only")
        duration_s = sum(segment.duration_s for segment in scenario.operation.plan())
        self.twin = Twin(scenario, seed, captures=None if scenario.sampling is None else [(0.0, duration_s)])
        self._chunks: Iterator[Chunk] = self.twin.capture(self.twin.timeline.captures[0])
        self._waiting: list[deque[SampleBlock]] = [deque() for _ in scenario.sensors]
        self.sources = [TwinSource(self, n, sensor) for n, sensor in enumerate(self.twin.sensors)]

    def next_block(self, sensor: int) -> SampleBlock | None:
        """The next samples of a sensor; None after the last."""
        while not self._waiting[sensor]:
            chunk = next(self._chunks, None)
            if chunk is None:
                return None
            for n, waiting in enumerate(self._waiting):
                if len(chunk.samples[n]):
                    waiting.append(_block(chunk, n))
        return self._waiting[sensor].popleft()


class TwinSource:
    """What one sensor of a run measures; an `emulator.sources.SampleSource`."""

    def __init__(self, run: TwinRun, number: int, sensor: ImuSpec) -> None:
        self._run, self._number = run, number
        self.rate_hz = sensor.odr_hz
        self.rate_error = sensor.rate_error_ppm * 1e-6
        self.accel_range_g = sensor.range_g
        self.gyro_range_dps = sensor.range_dps or 2000.0

    def blocks(self) -> Iterator[SampleBlock]:
        """The samples, simulated as they are asked for."""
        while (block := self._run.next_block(self._number)) is not None:
            yield block


def _block(chunk: Chunk, sensor: int) -> SampleBlock:
    counts = chunk.samples[sensor]
    if counts.shape[1] < 6:
        counts = np.pad(counts, ((0, 0), (0, 6 - counts.shape[1])))
    return SampleBlock(chunk.sample_time_s[sensor], counts, chunk.temperature_c)
