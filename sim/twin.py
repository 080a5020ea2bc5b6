"""The twin at work: one realised scenario turned into sensor samples, block by block.

drive -> machine, faults, environment (forces) -> rotor -> bearings -> structure -> sensors. Nothing here knows a physical
law; it only passes blocks from one stage to the next. Memory does not grow with the length of a capture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.drive import RPM, Drive
from sim.effect import POINTS, Array, Block, Site, Streams
from sim.extent import Extent
from sim.faults import Fault
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec, ImuStream
from sim.transfer import TransferPath
from sim.waveforms import phasor
from sim.world import Capture, Timeline, World

BLOCK = 10240
"""Grid samples per block: large enough that the cost per call vanishes, small enough that a block's forces and motions stay
in a megabyte of second-level cache (16384 took a seventh longer there). It is a constant because the last bits of a sum may
depend on it, and same seed must mean same bytes."""

SPEED_EVERY = 64
"""Grid samples between two entries of the speed record."""

_LEAD_SAMPLES = 32
_SETTLE_DECAY = 0.05
_SETTLE_MOST_S = 1.0


@dataclass(frozen=True)
class Chunk:
    """What one block brought.

    Attributes:
        time_s, speed_rpm: a sparse record of the speed, (k,) each.
        samples: for every sensor (m_i, n_channels_i) int16 counts, however many fell into the block.
        sample_time_s: for every sensor (m_i,) when its samples were really taken, by its own clock.
        temperature_c: of the machine and its sensors.
    """

    time_s: Array
    speed_rpm: Array
    samples: list[NDArray[np.int16]]
    sample_time_s: list[Array]
    temperature_c: float


class Motion(NamedTuple):
    """What one block of forces does to the machine.

    Attributes:
        first: number of the block's first grid sample; 0 is the capture's start.
        block: the block, forces included.
        points: for every sensor the acceleration (m/s2) and angular rate (rad/s) of its mount, (3, n) each.
    """

    first: int
    block: Block
    points: list[tuple[Array, Array]]


class Twin:
    """One realisation of a scenario.

    Args:
        scenario: realised scenario (no distributions left).
        seed: seed of the run.
        recording: number of the recording; with the scenario's name it roots all random streams.
        class_name: take the faults of this dataset class at full size throughout, instead of all faults by their course.
        captures: (start, duration) in s to record, instead of the scenario's sampling plan.
        faults_only: leave out what a healthy machine and its surroundings do: what remains is the response to the faults.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        recording: int = 0,
        class_name: str | None = None,
        captures: list[tuple[float, float]] | None = None,
        faults_only: bool = False,
    ) -> None:
        self.scenario, self._faults_only = scenario, faults_only
        self._seed, self._path = seed, (scenario.name, recording)
        self.timeline: Timeline = World(scenario, seed, self._path, captures).run()
        always = class_name is not None
        members, sensor_members = scenario.class_members(class_name) if class_name is not None else ([], [])
        self.faults: list[Fault] = [f for f in scenario.faults if not always or f.name in members]
        self.extents: list[Extent] = [Extent(f, self.timeline.work, always) for f in self.faults]
        self.sensors = [_with_only(s, sensor_members) if always else s for s in scenario.sensors]
        self.grid_rate_hz = scenario.grid_rate_hz()

    @property
    def samples_of_capture(self) -> int | None:
        """Samples of a capture: whole windows under a sampling plan, else (None) what the sensor's own clock brings."""
        sampling = self.scenario.sampling
        return None if sampling is None else sampling.windows * self.scenario.dataset.window_length

    def motions(self, capture: Capture, grid_samples: int | None = None) -> Iterator[Motion]:
        """Motion of every sensor's mounting point from a little before the capture on.

        The settling of structure and filters comes before the capture's start (negative `first`).

        Args:
            capture: when.
            grid_samples: how far to go beyond the capture's start; None: without end.
        """
        dt_s = 1.0 / self.grid_rate_hz
        settle = _settling_samples(self.scenario, self.grid_rate_hz)
        first_s = capture.start_s - settle * dt_s
        site = self._site(capture)
        drive = Drive(self.scenario.operation, self.timeline.profile, first_s, site.at("drive").noise("speed"))
        streams = [
            fault.stream(site.at("fault", fault.name), extent)
            for fault, extent in zip(self.faults, self.extents, strict=True)
        ]
        if not self._faults_only:
            machine, environment = self.scenario.machine, self.scenario.environment
            streams = [machine.stream(site), environment.stream(site, capture.shocks, first_s), *streams]
        sources = Streams(streams)
        path = TransferPath(site, self.faults, self.extents, [sensor.mount for sensor in self.sensors])
        fade = np.sin(0.5 * np.pi * np.arange(settle) / settle) ** 2
        buffer, forces = np.empty((7, 0)), np.empty((len(POINTS), 3, 0))
        steps = np.arange(BLOCK, dtype=np.float64)
        for start in count(0, BLOCK):
            n = BLOCK if grid_samples is None else min(BLOCK, settle + grid_samples - start)
            if n <= 0:
                return
            if n != buffer.shape[1]:
                buffer, forces = np.empty((7, n)), np.empty((len(POINTS), 3, n))
            block = self._block(drive, first_s, start + steps[:n], buffer, forces)
            sources.add(block)
            if start < settle:
                block.forces_n[:, :, : settle - start] *= fade[start : start + n]
            yield Motion(start - settle, block, path.move(block))

    def capture(self, capture: Capture, samples: int | None = None) -> Iterator[Chunk]:
        """Samples of one capture.

        Args:
            capture: when.
            samples: go on until every sensor has given at least so many, however fast or slow its clock is; by default
                until the capture's duration is over.
        """
        site, dt_s = self._site(capture), 1.0 / self.grid_rate_hz
        imus, leads = [], []
        for sensor in self.sensors:
            # Each sensor starts a little early, so that its filters have settled when the capture begins.
            leads.append(round(_LEAD_SAMPLES * self.grid_rate_hz / sensor.odr_hz))
            start_s = capture.start_s - leads[-1] * dt_s
            imus.append(ImuStream(sensor, self.grid_rate_hz, site.at("sensor", sensor.id), start_s))
        to_drop, given = [_LEAD_SAMPLES] * len(imus), [0] * len(imus)
        if samples is None:
            grid_samples = int(np.ceil(capture.duration_s * self.grid_rate_hz))
        else:
            needed = [imu.clock.grid_needed(samples + _LEAD_SAMPLES) for imu in imus]
            grid_samples = max(n - lead for n, lead in zip(needed, leads, strict=True))
        for first, block, points in self.motions(capture, grid_samples):
            end = block.n
            chunk: list[NDArray[np.int16]] = []
            taken_s: list[Array] = []
            for i, (imu, (acceleration, rate)) in enumerate(zip(imus, points, strict=True)):
                heard = slice(min(max(-first - leads[i], 0), end), end)
                counts = imu.push(acceleration[:, heard], rate[:, heard], block.temperature_c)
                positions = imu.clock.positions(given[i], given[i] + len(counts))
                chunk.append(counts[to_drop[i] :])
                taken_s.append(imu.clock.times_s(positions)[to_drop[i] :])
                to_drop[i] -= min(len(counts), to_drop[i])
                given[i] += len(counts)
            inside = slice(max(-first, 0), end, SPEED_EVERY)
            speed_rpm = block.speed_rad_s[inside] / RPM
            yield Chunk(block.time_s[inside].copy(), speed_rpm, chunk, taken_s, block.temperature_c)

    def _site(self, capture: Capture) -> Site:
        return Site(self.scenario.machine, 1.0 / self.grid_rate_hz, self._seed, self._path, capture=capture.number)

    def _block(self, drive: Drive, first_s: float, steps: Array, buffer: Array, forces: Array) -> Block:
        time_s, angle, speed, accel, load, cos_angle, sin_angle = buffer
        np.divide(steps, self.grid_rate_hz, out=time_s)
        time_s += first_s
        drive.fill(time_s, angle, speed, accel, load)
        phasor(angle, cos_angle, sin_angle)
        forces[:] = 0.0
        temperature_c = self.scenario.environment.temperature_at(float(time_s[0]), load)
        dt_s = 1.0 / self.grid_rate_hz
        return Block(time_s, dt_s, angle, speed, accel, load, cos_angle, sin_angle, forces, temperature_c)


def _with_only(sensor: ImuSpec, members: list[tuple[str, str]]) -> ImuSpec:
    """The sensor with just the faults that a dataset class names, present from the start of the run."""
    faults = [
        fault.model_copy(update={"onset_s": 0.0, "clear_s": None})
        for fault in sensor.faults
        if (sensor.id, fault.kind) in members
    ]
    return sensor.model_copy(update={"faults": faults})


def _settling_samples(scenario: Scenario, grid_rate_hz: float) -> int:
    """Grid samples before a capture in which structure and filters reach their steady state.

    The forces fade in over this time, so hardly any free vibration is set off; what remains decays meanwhile.
    """
    settle_s = scenario.machine.structure.settling_time_s(_SETTLE_DECAY)
    critical = scenario.machine.rotor.critical()
    if critical is not None:
        speed_rpm, damping = critical
        settle_s = max(settle_s, -math.log(_SETTLE_DECAY) / (damping * speed_rpm * RPM))
    settle_s = min(settle_s, _SETTLE_MOST_S)
    longest_lead_s = 2 * _LEAD_SAMPLES / scenario.slowest_odr_hz()
    return int(np.ceil(max(settle_s, longest_lead_s) * grid_rate_hz))
