"""The drive: operating plan, and the shaft angle as the exact integral of a speed that ramps, ripples, slips, wanders.

Angle-domain generation rests on this: every shaft-locked effect is a function of `angle_rad`, so ramps smear nothing
that order tracking could not restore.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numba import njit
from pydantic import Field, model_validator

from sim.effect import Array
from sim.scenario.quantity import Quantity
from sim.scenario.spec import Spec
from sim.waveforms import cos_sin

RPM = math.pi / 30.0
"""rad/s per rpm."""

_WANDER_NODE_S = 1.0 / 32.0


class Segment(Spec):
    """One stretch of the operating plan: go to a speed and a load within `ramp_s`, then stay there."""

    duration_s: Annotated[float, Quantity(gt=0, le=1e9)]
    """Length of the stretch, ramp included."""
    speed_rpm: Annotated[float, Quantity(ge=0, le=60000)]
    """Speed at the end of the ramp, before slip; 0 is a stop."""
    load: Annotated[float, Quantity(ge=0, le=1.5)] = 1.0
    """Load at the end of the ramp, as a fraction of rated."""
    ramp_s: Annotated[float, Quantity(ge=0, le=1e9)] = 1.0
    """Time to reach speed and load, linearly; the plan's first segment starts at its own speed and load."""


class Operation(Spec):
    """The operating plan: one steady condition, or a list of segments (ramps, stops, load steps)."""

    duration_s: Annotated[float, Quantity(gt=0, le=1e9)] = 10.0
    """Length of the run when no segments are given."""
    speed_rpm: Annotated[float, Quantity(ge=0, le=60000)] | None = None
    """Speed of the run when no segments are given, before slip."""
    load: Annotated[float, Quantity(ge=0, le=1.5)] = 1.0
    """Load of the run when no segments are given, as a fraction of rated."""
    segments: Annotated[list[Segment], Field(max_length=10_000)] = []
    """The plan in stretches, instead of `speed_rpm`, `load` and `duration_s`."""
    ripple_pct: Annotated[float, Quantity(ge=0, le=20)] = 0.05
    """Amplitude of the speed's ripple once a turn order `ripple_order`, per cent of speed."""
    ripple_order: Annotated[float, Quantity(gt=0, le=100)] = 2.0
    """Order of the speed ripple."""
    wander_pct: Annotated[float, Quantity(ge=0, le=20)] = 0.05
    """Standard deviation of the slow random speed variation, per cent of speed."""
    wander_time_s: Annotated[float, Quantity(ge=0.1, le=1e5)] = 2.0
    """Correlation time of the random speed variation."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.segments) == (self.speed_rpm is not None):
            raise ValueError("give either `speed_rpm` (one steady condition) or `segments`, not both and not neither")
        if self.segments and self.model_fields_set & {"duration_s", "load"}:
            raise ValueError("`duration_s` and `load` belong to the segments when `segments` are given")
        return self

    def plan(self) -> list[Segment]:
        """The plan as segments, whichever form it was written in."""
        if self.speed_rpm is None:
            return self.segments
        return [Segment(duration_s=self.duration_s, speed_rpm=self.speed_rpm, load=self.load, ramp_s=0.0)]


@dataclass(frozen=True)
class SpeedProfile:
    """The operating plan as break points: speed and load are linear between them.

    Attributes:
        time_s, speed_rad_s, load: (k,) values at the break points, time increasing.
        angle_rad: (k,) shaft angle at the break points, the exact integral of the speed.
    """

    time_s: Array
    speed_rad_s: Array
    load: Array
    angle_rad: Array

    @staticmethod
    def from_points(time_s: Array, speed_rad_s: Array, load: Array) -> SpeedProfile:
        """Integrate the speed exactly over its linear pieces."""
        steps = np.diff(time_s) * (speed_rad_s[1:] + speed_rad_s[:-1]) / 2.0
        return SpeedProfile(time_s, speed_rad_s, load, np.concatenate(([0.0], np.cumsum(steps))))

    def speed_at(self, time_s: Array | float) -> Array:
        """Speed in rad/s, constant beyond the plan's ends."""
        return np.asarray(np.interp(time_s, self.time_s, self.speed_rad_s), dtype=np.float64)

    def load_at(self, time_s: Array | float) -> Array:
        """Load as a fraction of rated, constant beyond the plan's ends."""
        return np.asarray(np.interp(time_s, self.time_s, self.load), dtype=np.float64)


@njit(cache=True)
def _piece(
    time_s: Array,
    node_start_s: float,
    d0: float,
    bend: float,
    warp0: float,
    t0: float,
    w0: float,
    slope: float,
    q0: float,
    load_slope: float,
    theta0: float,
    ripple: float,
    ripple_order: float,
    ripple_phase: float,
    angle: Array,
    speed: Array,
    accel: Array,
    load: Array,
) -> None:
    """`_evaluate` where neither the wander's node nor the piece of the plan changes: no branches, so it vectorises."""
    sway = ripple / ripple_order
    for m in range(time_s.shape[0]):
        tau = time_s[m] - node_start_s
        d = d0 + bend * tau
        t = time_s[m] + warp0 + tau * (d0 + 0.5 * bend * tau) - t0
        w = w0 + slope * t
        theta = theta0 + t * (w0 + 0.5 * slope * t)
        a = slope * (1.0 + d) * (1.0 + d) + w * bend
        w *= 1.0 + d
        cos_p, sin_p = cos_sin(ripple_order * theta + ripple_phase)
        rate = 1.0 + ripple * cos_p
        angle[m] = theta + sway * sin_p
        speed[m] = w * rate
        accel[m] = a * rate - ripple * ripple_order * w * w * sin_p
        load[m] = q0 + load_slope * t


@njit(cache=True)
def _evaluate(
    time_s: Array,
    points_s: Array,
    speeds: Array,
    loads: Array,
    angles: Array,
    ripple: float,
    ripple_order: float,
    ripple_phase: float,
    wander_start_s: float,
    node_s: float,
    wander: Array,
    wander_s: Array,
    angle: Array,
    speed: Array,
    accel: Array,
    load: Array,
) -> None:
    """Angle, speed, acceleration and load at `time_s` (see `Drive.fill`).

    Slow wander is a warp of the plan's time, t + integral of d, so that angle, speed and load stay consistent exactly.
    It works in runs of samples that share a wander node and a piece of the plan.
    """
    n, last, k, i = time_s.shape[0], points_s.shape[0] - 1, 0, 0
    while i < n:
        j = min(max(int((time_s[i] - wander_start_s) / node_s), 0), wander.shape[0] - 2)
        node_start_s, d0, warp0, bend = wander_start_s + j * node_s, wander[j], wander_s[j], wander[j + 1] - wander[j]
        bend /= node_s
        end = i + 1
        while end < n and time_s[end] < node_start_s + node_s:
            end += 1
        tau = time_s[i] - node_start_s
        warped = time_s[i] + warp0 + tau * (d0 + 0.5 * bend * tau)
        while k < last and warped >= points_s[k + 1]:
            k += 1
        if k < last:
            tau = time_s[end - 1] - node_start_s
            if time_s[end - 1] + warp0 + tau * (d0 + 0.5 * bend * tau) >= points_s[k + 1]:
                end = i + 1  # the plan turns a corner within this node: one sample at a time
            span = points_s[k + 1] - points_s[k]
            slope, load_slope = (speeds[k + 1] - speeds[k]) / span, (loads[k + 1] - loads[k]) / span
        else:  # past the plan's end its last condition goes on
            slope, load_slope = 0.0, 0.0
        _piece(
            time_s[i:end], node_start_s, d0, bend, warp0, points_s[k], speeds[k], slope, loads[k], load_slope, angles[k],
            ripple, ripple_order, ripple_phase, angle[i:end], speed[i:end], accel[i:end], load[i:end],
        )  # fmt: skip
        i = end


class Drive:
    """Shaft motion for one contiguous capture that starts at `start_s` of the plan."""

    def __init__(self, operation: Operation, profile: SpeedProfile, start_s: float, rng: np.random.Generator) -> None:
        self._profile = profile
        self._ripple = operation.ripple_pct / 100.0
        self._ripple_order = operation.ripple_order
        self._ripple_phase, self._angle0 = rng.uniform(0.0, 2.0 * math.pi, 2)
        self._start_s = start_s
        self._rng = rng
        self._sigma = operation.wander_pct / 100.0
        self._decay = math.exp(-_WANDER_NODE_S / operation.wander_time_s)
        self._wander = np.array([self._sigma * rng.standard_normal()])
        self._first_node = 0
        self._offset_s = 0.0

    def _nodes_until(self, end_s: float) -> tuple[float, Array, Array]:
        """Wander nodes that cover the time up to `end_s`: the first node's time, values, and integral at each node."""
        wanted = int((end_s - self._start_s) / _WANDER_NODE_S) + 3 - self._first_node
        if wanted > len(self._wander):
            draws = self._rng.standard_normal(wanted - len(self._wander)) * self._sigma * math.sqrt(1 - self._decay**2)
            values, last = np.empty(len(draws)), float(self._wander[-1])
            for i, draw in enumerate(draws):
                last = self._decay * last + draw
                values[i] = last
            self._wander = np.concatenate((self._wander, values))
        steps = _WANDER_NODE_S * (self._wander[1:] + self._wander[:-1]) / 2.0
        integral = np.concatenate(([self._offset_s], self._offset_s + np.cumsum(steps)))
        return self._start_s + self._first_node * _WANDER_NODE_S, self._wander, integral

    def fill(self, time_s: Array, angle: Array, speed: Array, accel: Array, load: Array) -> None:
        """Write shaft angle (rad), speed (rad/s), acceleration (rad/s2) and load at `time_s`, which must move on.

        All arrays are (n,). Speed is the exact derivative of the angle, acceleration that of the speed.
        """
        node0_s, wander, integral = self._nodes_until(float(time_s[-1]))
        p = self._profile
        _evaluate(
            time_s, p.time_s, p.speed_rad_s, p.load, p.angle_rad, self._ripple, self._ripple_order, self._ripple_phase,
            node0_s, _WANDER_NODE_S, wander, integral, angle, speed, accel, load,
        )  # fmt: skip
        angle += self._angle0
        done = min(int((time_s[-1] - node0_s) / _WANDER_NODE_S), len(wander) - 2)
        self._wander, self._offset_s = wander[done:].copy(), float(integral[done])
        self._first_node += done
