"""How much of a fault is there at a time: onset, growth, removal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import model_validator

from sim.effect import Array, Block
from sim.scenario.quantity import Quantity
from sim.scenario.spec import Spec


class Growth(Spec):
    """How a fault grows from its onset to its full size.

    Laws, with u the share of the growth time that has passed and s the `start_fraction`:

    - `linear`: s + (1 - s) u.
    - `exponential`: s^(1 - u); wear whose rate is proportional to what has worn already.
    - `paris`: a power law of growth, da/dN ~ a^m with m = `exponent`, the form of crack and spall propagation (Paris
      and Erdogan 1963; for bearing spalls Li et al. 1999, Mech. Syst. Signal Process. 13(1)), solved in closed form so
      that the size runs from s to 1.

    `clock` says what time is: `time` for the clock on the wall, `work` for revolutions weighted with the cube of the
    load and counted in seconds at rated speed and load (ISO 281: the life of a ball bearing in revolutions is
    proportional to the inverse cube of its load, here taken to go with the machine's), so that a stopped machine does
    not wear.
    """

    law: Literal["linear", "exponential", "paris"] = "linear"
    duration_s: Annotated[float, Quantity(gt=0, le=1e9)]
    """Time from onset to full size, on the chosen clock."""
    start_fraction: Annotated[float, Quantity(gt=0, lt=1)] = 0.05
    """Size at onset as a fraction of the full size."""
    exponent: Annotated[float, Quantity(gt=0, le=6)] = 2.0
    """Exponent m of the `paris` law (1 is the exponential law)."""
    clock: Literal["time", "work"] = "time"

    def fraction(self, elapsed_s: Array) -> Array:
        """Size as a fraction of the full size, (n,), for the time since onset on the growth's clock (negative: 0)."""
        u: Array = np.clip(elapsed_s / self.duration_s, 0.0, 1.0)
        s, m = self.start_fraction, self.exponent
        if self.law == "linear":
            size = s + (1.0 - s) * u
        elif self.law == "exponential" or math.isclose(m, 1.0, abs_tol=1e-6):
            size = np.power(s, 1.0 - u)
        else:
            power = 1.0 - m  # a^(1-m) is linear in N
            size = np.power(s**power + (1.0 - s**power) * u, 1.0 / power)
        size[elapsed_s < 0.0] = 0.0
        return np.asarray(size, dtype=np.float64)


class Course(Spec):
    """When a fault is there; base of machine faults."""

    onset_s: Annotated[float, Quantity(ge=0, le=1e9)] = 0.0
    """Time of the run at which the fault sets in."""
    clear_s: Annotated[float, Quantity(gt=0, le=1e9)] | None = None
    """Time of the run at which the fault is removed (repaired); none: it stays."""
    growth: Growth | None = None
    """How it grows after the onset; none: at full size at once."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if isinstance(self.onset_s, float) and isinstance(self.clear_s, float) and self.clear_s <= self.onset_s:
            raise ValueError("`clear_s` must be later than `onset_s`")
        return self


@dataclass(frozen=True)
class WorkClock:
    """Work done by the machine as a function of time: linear between the points the world's wear process noted."""

    time_s: Array
    work_s: Array

    def at(self, time_s: Array) -> Array:
        """Work in seconds at rated speed and load, (n,); beyond the last point at the last piece's mean rate."""
        inside: Array = np.asarray(np.interp(time_s, self.time_s, self.work_s), dtype=np.float64)
        if len(self.time_s) < 2:
            return inside
        rate = (self.work_s[-1] - self.work_s[-2]) / (self.time_s[-1] - self.time_s[-2])
        return np.asarray(inside + rate * np.maximum(time_s - self.time_s[-1], 0.0), dtype=np.float64)


@lru_cache(maxsize=4)
def _ones(n: int) -> Array:
    ones = np.ones(n)
    ones.flags.writeable = False
    return ones


@dataclass(frozen=True)
class Extent:
    """The size of one fault, 0..1 of its full size, as a function of time.

    With `always` the fault is there at full size whatever its course says: the form in which a dataset's classes
    take their faults.
    """

    course: Course
    clock: WorkClock
    always: bool = False

    def over(self, block: Block) -> Array | None:
        """(n,) size in a block, to be read only; None where the fault is not there at all."""
        if self.always:
            return _ones(block.n)
        size = self.at(block.time_s)
        return size if size.any() else None

    def at(self, time_s: Array) -> Array:
        """(n,) size at `time_s` as a fraction of the full size."""
        if self.always or not len(time_s):
            return np.ones_like(time_s)
        course, first, last = self.course, time_s[0], time_s[-1]
        if last < course.onset_s or (course.clear_s is not None and first >= course.clear_s):
            return np.zeros_like(time_s)
        size = np.ones_like(time_s)
        if course.growth is not None:
            if course.growth.clock == "time":
                elapsed = time_s - course.onset_s
            else:
                elapsed = self.clock.at(time_s) - float(self.clock.at(np.array([course.onset_s]))[0])
            size = course.growth.fraction(elapsed)
        size[time_s < course.onset_s] = 0.0
        if course.clear_s is not None:
            size[time_s >= course.clear_s] = 0.0
        return size


ALWAYS = Extent(Course(), WorkClock(np.zeros(1), np.zeros(1)), always=True)
"""The extent of what belongs to the healthy machine."""
