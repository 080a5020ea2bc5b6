"""The world: SimPy processes for operating plan, wear, disturbances and sampling; their outcome is a `Timeline`.

The discrete-event world decides WHEN things happen, over seconds or years; the signals are then computed only for the
stretches that a sensor listens to (`Capture`).
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.drive import RPM, SpeedProfile
from sim.environment import Shock
from sim.extent import WorkClock
from sim.seeds import generator

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

Process = Generator[simpy.Event, object, None]

# Gauss-Legendre nodes and weights on 0..1, exact to degree 5: speed x load^3 is of degree 4 on a linear piece.
_NODES, _WEIGHTS = (0.5 + 0.5 * np.polynomial.legendre.leggauss(3)[0], 0.5 * np.polynomial.legendre.leggauss(3)[1])


@dataclass(frozen=True)
class Capture:
    """A contiguous stretch that the sensors record."""

    number: int
    start_s: float
    duration_s: float
    shocks: list[Shock]


@dataclass
class Timeline:
    """What the world's processes decided.

    Attributes:
        profile: speed and load over the run.
        work: work done (s at rated speed and load) over the run, the clock of wear.
        captures: the stretches to record, in time order.
        duration_s: length of the run.
    """

    profile: SpeedProfile
    work: WorkClock
    captures: list[Capture] = field(default_factory=list)
    duration_s: float = 0.0


class World:
    """Run the scenario's discrete events once.

    Args:
        scenario: realised scenario.
        seed, recording: root of the random streams.
        captures: (start, duration) pairs in s to record instead of what the scenario's sampling plan says.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        recording: tuple[str | int, ...],
        captures: list[tuple[float, float]] | None = None,
    ) -> None:
        self._scenario, self._seed, self._recording = scenario, seed, recording
        self._env = simpy.Environment()
        self._points: list[tuple[float, float, float]] = []
        self._work: list[tuple[float, float]] = [(0.0, 0.0)]
        self._captures: list[Capture] = []
        self._wanted = captures

    def run(self) -> Timeline:
        """Run to the end of the operating plan."""
        changed = simpy.Store(self._env)
        self._env.process(self._operate(changed))
        self._env.process(self._wear(changed))
        self._env.process(self._sample())
        self._env.run()
        time_s, speed, load = (np.array(column) for column in zip(*self._points, strict=True))
        work = WorkClock(*(np.array(column) for column in zip(*self._work, strict=True)))
        duration_s = float(time_s[-1])
        return Timeline(SpeedProfile.from_points(time_s, speed, load), work, self._captures, duration_s)

    def _operate(self, changed: simpy.Store) -> Process:
        """The operating plan: every segment ramps to its speed and load, then holds them."""
        rated_slip = self._scenario.machine.motor.slip_pct / 100.0 if self._scenario.machine.motor else 0.0
        speed = load = None
        for segment in self._scenario.operation.plan():
            target = segment.speed_rpm * RPM * (1.0 - rated_slip * segment.load)
            if speed is None or load is None:
                speed, load = target, segment.load
                self._note(speed, load)
            ramp_s = min(segment.ramp_s, segment.duration_s) if (target, segment.load) != (speed, load) else 0.0
            if ramp_s == 0.0 and (target, segment.load) != (speed, load):
                ramp_s = min(1e-3, segment.duration_s)  # a jump of the speed would be an infinite torque
            if ramp_s > 0.0:
                yield self._env.timeout(ramp_s)
                speed, load = target, segment.load
                self._note(speed, load)
                yield changed.put(None)
            if segment.duration_s > ramp_s:
                yield self._env.timeout(segment.duration_s - ramp_s)
                self._note(speed, load)
                yield changed.put(None)

    def _note(self, speed: float, load: float) -> None:
        self._points.append((self._env.now, speed, load))

    def _wear(self, changed: simpy.Store) -> Process:
        """Sum up work, revolutions weighted with the cube of the load, over every stretch that the drive completes."""
        rated = self._scenario.machine.rated_speed_rpm * RPM
        seen = 0
        while True:
            yield changed.get()
            (t0, w0, q0), (t1, w1, q1) = self._points[seen], self._points[seen + 1]
            seen += 1
            share = (w0 + (w1 - w0) * _NODES) / rated * (q0 + (q1 - q0) * _NODES) ** 3
            self._work.append((t1, self._work[-1][1] + (t1 - t0) * float(_WEIGHTS @ share)))

    def _sample(self) -> Process:
        """Listen when the sampling plan says so: all the time, or a stretch every so often."""
        if self._wanted is not None:
            for start_s, duration_s in self._wanted:
                yield self._env.timeout(max(start_s - self._env.now, 0.0))
                self._captures.append(self._listen(duration_s, start_s))
            return
        plan, run_s = self._scenario.sampling, sum(s.duration_s for s in self._scenario.operation.plan())
        if plan is None:
            self._captures.append(self._listen(run_s, 0.0))
            return
        length_s = plan.windows * self._scenario.dataset.window_length / self._scenario.slowest_odr_hz()
        for number in range(math.ceil(run_s / plan.every_s)):  # none begins when the run is over
            yield self._env.timeout(max(number * plan.every_s - self._env.now, 0.0))
            self._captures.append(self._listen(length_s, number * plan.every_s))

    def _listen(self, duration_s: float, start_s: float) -> Capture:
        """One capture with the shocks that fall into it: a Poisson process, so each capture can draw its own."""
        number, shocks = len(self._captures), self._scenario.environment.shocks
        drawn: list[Shock] = []
        if shocks.rate_per_hour > 0.0:
            rng = generator(self._seed, *self._recording, "shocks", number)
            world = simpy.Environment(initial_time=start_s)

            def knock() -> Process:
                while True:
                    yield world.timeout(float(rng.exponential(3600.0 / shocks.rate_per_hour)))
                    direction = rng.standard_normal(3)
                    size = shocks.impulse_n_s * float(rng.lognormal(0.0, 0.7)) / float(np.linalg.norm(direction))
                    x, y, z = (float(v) for v in direction * size)
                    drawn.append(Shock(world.now, (x, y, z)))

            world.process(knock())
            world.run(until=start_s + duration_s)
        return Capture(number, start_s, duration_s, drawn)
