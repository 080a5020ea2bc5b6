"""Damped oscillators stepped exactly in time: modal transfer paths, and a rotor's first mode.

Each oscillator obeys m (x'' + 2 zeta w x' + w^2 x) = f(t). Between samples the force is the straight line through its
samples (first-order hold, also called ramp-invariant); for such a force the step is exact whatever w * dt is: no
stability limit, no numerical damping, no period error. G. F. Franklin, J. D. Powell, M. Workman, Digital Control of
Dynamic Systems, 3rd ed. (1998), chapter 6 (the hold); A. K. Chopra, Dynamics of Structures, chapter 5 (oscillators).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sim.errors import ParameterError

Array = NDArray[np.float64]
Output = Literal["displacement", "velocity", "acceleration"]
OUTPUTS: tuple[Output, ...] = ("displacement", "velocity", "acceleration")

_LANES = 4  # modes advanced together: one mode's recurrence waits for its own last result, four overlap
_CHUNK = 1024  # samples; the work space of four modes then stays in the processor's cache


class BankMotion(NamedTuple):
    """Motion of every oscillator, (n_modes, n_samples) each, C-contiguous; an output not asked for has no rows."""

    displacement: Array  # m
    velocity: Array  # m/s
    acceleration: Array  # m/s^2


class OscillatorBank:
    """`n_modes` independent oscillators driven by one sampled force each.

    The state is carried between calls: processing in blocks gives the same samples as processing in one go. A new (or
    reset) bank is at rest and unforced one sample before the first it is given: the force rises to its first sample
    within one period.
    """

    def __init__(
        self,
        natural_frequencies_rad_s: ArrayLike,
        damping_ratios: ArrayLike,
        modal_masses_kg: ArrayLike,
        dt_s: float,
        outputs: Sequence[Output] = OUTPUTS,
    ) -> None:
        """Prepare the exact step of `dt_s`; the rest are (n_modes,) arrays or numbers, broadcast against each other.

        A natural frequency of 0 is a free mass; damping ratios of 1 and more (critical and over-damped) are as exact as
        the rest. `outputs` are those that `process` is to compute.

        Raises `ParameterError`: frequency or damping ratio negative, mass or dt not positive, unknown or no output.
        """
        frequency, damping, mass = (
            np.array(a, dtype=np.float64)
            for a in np.broadcast_arrays(
                np.atleast_1d(natural_frequencies_rad_s), np.atleast_1d(damping_ratios), np.atleast_1d(modal_masses_kg)
            )
        )
        if frequency.ndim != 1 or frequency.size == 0:
            raise ParameterError(f"oscillators of shape {frequency.shape}: allowed are numbers and (n_modes,) arrays")
        _require("natural_frequencies_rad_s", frequency, frequency >= 0.0, "finite and >= 0")
        _require("damping_ratios", damping, damping >= 0.0, "finite and >= 0")
        _require("modal_masses_kg", mass, mass > 0.0, "finite and > 0")
        if not (math.isfinite(dt_s) and dt_s > 0.0):
            raise ParameterError(f"dt_s = {dt_s}: must be finite and > 0")
        if not outputs or not set(outputs) <= set(OUTPUTS):
            raise ParameterError(f"outputs = {tuple(outputs)}: choose one or more of {OUTPUTS}")
        self.outputs: tuple[Output, ...] = tuple(outputs)
        self.n_modes = int(frequency.size)
        self._coefficients: Array = _discretise(frequency, damping, mass, dt_s)
        self._state = np.zeros((3, self.n_modes))

    @property
    def state(self) -> Array:
        """Displacement (m), velocity (m/s) and force (N) at the last sample: a copy, (3, n_modes); may be assigned."""
        return self._state.copy()

    @state.setter
    def state(self, state: ArrayLike) -> None:
        given = np.array(state, dtype=np.float64)
        if given.shape != self._state.shape:
            raise ParameterError(f"oscillator state of shape {given.shape}: must be {self._state.shape}")
        self._state = given

    def reset(self) -> None:
        """Back to rest, unforced."""
        self._state[:] = 0.0

    def process(self, forces_n: Array, out: BankMotion | None = None) -> BankMotion:
        """Advance through one block of forces, (n_modes, n_samples) in N, and return the motion at its samples.

        `out`, the motion of an earlier block of the same length, is overwritten and returned: on blocks of a megabyte
        that spares the page faults of new memory, which cost more than the arithmetic.

        Raises `ParameterError` on another shape of either.
        """
        forces = np.ascontiguousarray(forces_n, dtype=np.float64)
        if forces.ndim != 2 or forces.shape[0] != self.n_modes:
            raise ParameterError(f"forces of shape {forces.shape}: must be ({self.n_modes}, n_samples)")
        shapes = [(self.n_modes if o in self.outputs else 0, forces.shape[1]) for o in OUTPUTS]
        if out is None:
            out = BankMotion(*map(np.empty, shapes))
        elif [signal.shape for signal in out] != shapes:
            raise ParameterError(f"out of shapes {[signal.shape for signal in out]}: must be {shapes}")
        _advance(self._coefficients, self._state, forces, *out)
        return out

    @property
    def poles(self) -> Array:
        """(n_modes, 2) trace and determinant of one step: w[n] = force[n] + trace w[n-1] - determinant w[n-2]."""
        a11, a12, a21, a22 = self._coefficients.T[:4]
        return np.stack((a11 + a22, a11 * a22 - a12 * a21), axis=1)

    @property
    def zeros(self) -> tuple[Array, Array]:
        """(n_modes, 3) factors of w[n], w[n-1], w[n-2] (see `poles`) in velocity and in acceleration.

        (1 - A/z)^-1 is (1 - (trace - A)/z) over the poles' polynomial; it stands behind the weights of old and new force.
        """
        a11, a12, a21, a22, x0, x1, v0, v1, inverse_mass, damping, stiffness = self._coefficients.T
        trace, determinant = self.poles.T
        x = np.stack((x1, x0 - (a22 * x1 - a12 * v1), a12 * v0 - a22 * x0), axis=1)
        v = np.stack((v1, v0 - (a11 * v1 - a21 * x1), a21 * x0 - a11 * v0), axis=1)
        force = np.stack((np.ones_like(trace), -trace, determinant), axis=1)
        return v, inverse_mass[:, None] * force - damping[:, None] * v - stiffness[:, None] * x


def fitting(motion: BankMotion | None, n: int) -> BankMotion | None:
    """The motion of an earlier block, to be reused as `out`, if it is of the same length `n`."""
    return motion if motion is not None and all(signal.shape[1] == n for signal in motion) else None


def _require(name: str, values: Array, allowed: NDArray[np.bool_], what: str) -> None:
    bad = values[~(allowed & np.isfinite(values))]
    if bad.size:
        raise ParameterError(f"{name} contains {bad[0]}: must be {what}")


@njit(cache=True)
def _step_responses(stiffness, damping, step):  # type: ignore[no-untyped-def]
    """Responses of x'' + damping x' + stiffness x after one step to a unit impulse, a unit step and a unit ramp.

    The closed forms with sine and cosine lose all digits as w * dt -> 0 and at critical damping. This way does not, and
    is one for every damping and for a free mass: the power series over a short time, doubled by superposition.
    """
    reach = (np.sqrt(stiffness) + damping) * step
    doublings = max(0, int(np.ceil(np.log2(2.0 * reach)))) if reach > 0.0 else 0
    t = step / 2.0**doublings
    term, following = 0.0, t
    impulse, unit_step, ramp = 0.0, 0.0, 0.0
    for n in range(17):  # reach <= 1/2 here: the terms fall faster than 2**-n / n!
        impulse += term
        unit_step += term * t / (n + 1)
        ramp += term * t * t / ((n + 1) * (n + 2))
        ahead = -(damping * t * following + stiffness * t * t * term / (n + 1)) / (n + 2)
        term, following = following, ahead
    for _ in range(doublings):
        cosine = 1.0 - stiffness * unit_step  # the free response to a unit displacement
        ramp, unit_step, impulse = (
            ramp * (1.0 + cosine) + impulse * unit_step + t * unit_step,
            unit_step * (1.0 + cosine) + impulse * impulse,
            impulse * (2.0 * cosine - damping * impulse),
        )
        t *= 2.0
    return impulse, unit_step, ramp


@njit(cache=True)
def _discretise(frequency, damping_ratio, mass, step):  # type: ignore[no-untyped-def]
    """(n_modes, 11): 2x2 transition, weights of old and new force on x and on v, then 1/m, 2 zeta w, w^2."""
    coefficients = np.empty((frequency.size, 11))
    for m in range(frequency.size):
        stiffness = frequency[m] ** 2
        damping = 2.0 * damping_ratio[m] * frequency[m]
        impulse, unit_step, ramp = _step_responses(stiffness, damping, step)
        cosine = 1.0 - stiffness * unit_step
        coefficients[m, 0:2] = cosine, impulse
        coefficients[m, 2:4] = -stiffness * impulse, cosine - damping * impulse
        coefficients[m, 4:6] = (unit_step - ramp / step) / mass[m], ramp / step / mass[m]
        coefficients[m, 6:8] = (impulse - unit_step / step) / mass[m], unit_step / step / mass[m]
        coefficients[m, 8:11] = 1.0 / mass[m], damping, stiffness
    return coefficients


@njit(cache=True)
def _drive(c, last_force, force, x, v):  # type: ignore[no-untyped-def]
    """What the force alone adds to displacement and velocity in each step: no recurrence, so it vectorises."""
    x0, x1, v0, v1 = c[4], c[5], c[6], c[7]
    x[0] = x0 * last_force + x1 * force[0]
    v[0] = v0 * last_force + v1 * force[0]
    now, later_x, later_v = force[1:], x[1:], v[1:]  # an index k - 1 might mean the array's end, and nothing vectorises
    for k in range(now.size):
        later_x[k] = x0 * force[k] + x1 * now[k]
        later_v[k] = v0 * force[k] + v1 * now[k]


@njit(cache=True)
def _recur(c, s, x, v, n):  # type: ignore[no-untyped-def]
    """The recurrence of four modes, in place: s (2, 4) is the state, x and v (4, n) the drive and then the motion."""
    a11, a12, a21, a22 = c[0, 0], c[0, 1], c[0, 2], c[0, 3]
    b11, b12, b21, b22 = c[1, 0], c[1, 1], c[1, 2], c[1, 3]
    c11, c12, c21, c22 = c[2, 0], c[2, 1], c[2, 2], c[2, 3]
    d11, d12, d21, d22 = c[3, 0], c[3, 1], c[3, 2], c[3, 3]
    xa, xb, xc, xd = s[0, 0], s[0, 1], s[0, 2], s[0, 3]
    va, vb, vc, vd = s[1, 0], s[1, 1], s[1, 2], s[1, 3]
    for k in range(n):
        xa, va = a11 * xa + (a12 * va + x[0, k]), a21 * xa + (a22 * va + v[0, k])
        xb, vb = b11 * xb + (b12 * vb + x[1, k]), b21 * xb + (b22 * vb + v[1, k])
        xc, vc = c11 * xc + (c12 * vc + x[2, k]), c21 * xc + (c22 * vc + v[2, k])
        xd, vd = d11 * xd + (d12 * vd + x[3, k]), d21 * xd + (d22 * vd + v[3, k])
        x[0, k], x[1, k], x[2, k], x[3, k] = xa, xb, xc, xd
        v[0, k], v[1, k], v[2, k], v[3, k] = va, vb, vc, vd
    s[0, 0], s[0, 1], s[0, 2], s[0, 3] = xa, xb, xc, xd
    s[1, 0], s[1, 1], s[1, 2], s[1, 3] = va, vb, vc, vd


@njit(cache=True)
def _copy(source, out):  # type: ignore[no-untyped-def]
    """A plain loop: Numba's slice assignment costs as much as the recurrence."""
    for k in range(out.size):
        out[k] = source[k]


@njit(cache=True)
def _accelerate(c, force, x, v, out):  # type: ignore[no-untyped-def]
    """Acceleration from the equation of motion."""
    inverse_mass, damping, stiffness = c[8], c[9], c[10]
    for k in range(out.size):
        out[k] = inverse_mass * force[k] - damping * v[k] - stiffness * x[k]


@njit(cache=True)
def _advance(coefficients, state, forces, displacement, velocity, acceleration):  # type: ignore[no-untyped-def]
    """Advance all modes through one block; an output without rows is left out."""
    n_modes, n_samples = forces.shape
    x, v = np.zeros((_LANES, _CHUNK)), np.zeros((_LANES, _CHUNK))
    c, s = np.zeros((_LANES, 11)), np.zeros((2, _LANES))
    for first in range(0, n_modes, _LANES):
        lanes = min(_LANES, n_modes - first)  # lanes beyond are idle: their coefficients are made 0
        c[:] = 0.0
        c[:lanes] = coefficients[first : first + lanes]
        s[:, :lanes] = state[:2, first : first + lanes]
        for start in range(0, n_samples, _CHUNK):
            n = min(_CHUNK, n_samples - start)
            stop = start + n
            for lane in range(lanes):
                force = forces[first + lane, start:stop]
                _drive(c[lane], state[2, first + lane], force, x[lane], v[lane])
                state[2, first + lane] = force[n - 1]
            _recur(c, s, x, v, n)
            for lane in range(lanes):
                mode = first + lane
                if len(displacement):
                    _copy(x[lane], displacement[mode, start:stop])
                if len(velocity):
                    _copy(v[lane], velocity[mode, start:stop])
                if len(acceleration):
                    _accelerate(c[lane], forces[mode, start:stop], x[lane], v[lane], acceleration[mode, start:stop])
        state[:2, first : first + lanes] = s[:, :lanes]
