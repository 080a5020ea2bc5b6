"""From forces at some points of a structure to the motion of others, through its modes, sample by sample.

The exact step of `sim.machine.oscillator` (force linear between samples), written as a transfer function: of each mode's
force f, w[n] = f[n] + trace w[n-1] - determinant w[n-2] alone waits for its own results; acceleration and velocity are
three-point sums over w, which run in the processor's vectors. That is half the work of carrying displacement and velocity
along. Its price: rounding disturbs the acceleration of a sine at w rad per sample by some 1e-15 / w^2 of it (1e-7 at 1 Hz
on a grid of 80 kHz).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.machine.oscillator import OscillatorBank

Array = NDArray[np.float64]

_LANES = 6  # modes advanced together: one mode waits for its own last result, six overlap
_CHUNK = 512  # samples; the work space of six modes then stays in the processor's nearest caches
_HISTORY = 2


class ModalPath:
    """The modes of `bank` between nine forces and any number of points; at rest and unforced before its first sample.

    Args:
        bank: the modes, (n_modes,).
        force_shapes: (n_modes, 9) how much each mode takes of each force.
        shapes, tilts: (3 n_points, n_modes) part of each mode's acceleration and velocity in the outputs.
    """

    def __init__(self, bank: OscillatorBank, force_shapes: Array, shapes: Array, tilts: Array) -> None:
        velocity, acceleration = bank.zeros
        self._poles, self._velocity, self._acceleration = _padded(bank.poles), _padded(velocity), _padded(acceleration)
        self._force_shapes, self._shapes, self._tilts = _padded(force_shapes), _padded(shapes.T), _padded(tilts.T)
        self._state = np.zeros((len(self._poles), _HISTORY))

    def move(self, forces_n: Array, out: Array) -> None:
        """Advance through one block.

        Args:
            forces_n: (9, n).
            out: (2, 3 n_points, n), overwritten: sums of accelerations (m/s2), of velocities (m/s).
        """
        _move(
            forces_n, self._force_shapes, self._poles, self._acceleration, self._velocity, self._shapes, self._tilts,
            self._state, out,
        )  # fmt: skip


def _padded(of_modes: Array) -> Array:
    """A row a mode, up to whole groups of lanes: those beyond the last mode are idle, all their factors are 0."""
    rows = np.zeros((-(-len(of_modes) // _LANES) * _LANES, of_modes.shape[1]))
    rows[: len(of_modes)] = of_modes
    return rows


@njit(cache=True)
def _combine(share: Array, forces: Array, start: int, n: int, out: Array) -> None:
    """Sum of the nine forces' samples `start` to `start` + n, each times its share."""
    s0, s1, s2, s3, s4, s5, s6, s7, s8 = share
    part = slice(start, start + n)
    a, b, c, d, e = forces[0, part], forces[1, part], forces[2, part], forces[3, part], forces[4, part]
    f, g, h, j = forces[5, part], forces[6, part], forces[7, part], forces[8, part]
    for k in range(n):
        out[k] = (s0 * a[k] + s1 * b[k] + s2 * c[k]) + (s3 * d[k] + s4 * e[k] + s5 * f[k]) + (
            s6 * g[k] + s7 * h[k] + s8 * j[k]
        )  # fmt: skip


@njit(cache=True)
def _recur(poles: Array, force: Array, w: Array, n: int) -> None:
    """w[n] = force[n] + trace w[n-1] - determinant w[n-2] of six modes; force (6, n), w (6, 2 + n) behind its history."""
    t0, t1, t2, t3, t4, t5 = poles[0, 0], poles[1, 0], poles[2, 0], poles[3, 0], poles[4, 0], poles[5, 0]
    d0, d1, d2, d3, d4, d5 = poles[0, 1], poles[1, 1], poles[2, 1], poles[3, 1], poles[4, 1], poles[5, 1]
    p0, p1, p2, p3, p4, p5 = w[0, 1], w[1, 1], w[2, 1], w[3, 1], w[4, 1], w[5, 1]
    q0, q1, q2, q3, q4, q5 = w[0, 0], w[1, 0], w[2, 0], w[3, 0], w[4, 0], w[5, 0]
    for k in range(n):
        p0, q0 = (force[0, k] - d0 * q0) + t0 * p0, p0
        p1, q1 = (force[1, k] - d1 * q1) + t1 * p1, p1
        p2, q2 = (force[2, k] - d2 * q2) + t2 * p2, p2
        p3, q3 = (force[3, k] - d3 * q3) + t3 * p3, p3
        p4, q4 = (force[4, k] - d4 * q4) + t4 * p4, p4
        p5, q5 = (force[5, k] - d5 * q5) + t5 * p5, p5
        i = k + _HISTORY
        w[0, i], w[1, i], w[2, i], w[3, i], w[4, i], w[5, i] = p0, p1, p2, p3, p4, p5


@njit(cache=True)
def _three_points(zeros: Array, w: Array, out: Array, n: int) -> None:
    """zeros[0] w[n] + zeros[1] w[n-1] + zeros[2] w[n-2] of one mode."""
    z0, z1, z2 = zeros
    now, before, before_that = w[2:], w[1:], w
    for k in range(n):
        out[k] = z0 * now[k] + (z1 * before[k] + z2 * before_that[k])


@njit(cache=True)
def _add_six(share: Array, signals: Array, n: int, out: Array) -> None:
    """Add six signals (6, n), each times its share."""
    s0, s1, s2, s3, s4, s5 = share
    a, b, c, d, e, f = signals[0], signals[1], signals[2], signals[3], signals[4], signals[5]
    for k in range(n):
        out[k] += (s0 * a[k] + s1 * b[k] + s2 * c[k]) + (s3 * d[k] + s4 * e[k] + s5 * f[k])


@njit(cache=True)
def _move(forces, force_shapes, poles, acceleration, velocity, shapes, tilts, state, out):  # type: ignore[no-untyped-def]
    w, signal = np.zeros((_LANES, _HISTORY + _CHUNK)), np.zeros((_LANES, _CHUNK))
    for start in range(0, forces.shape[1], _CHUNK):
        n = min(_CHUNK, forces.shape[1] - start)
        for row in range(out.shape[1]):
            out[0, row, start : start + n] = 0.0
            out[1, row, start : start + n] = 0.0
        for first in range(0, state.shape[0], _LANES):
            group = slice(first, first + _LANES)
            for lane in range(_LANES):
                w[lane, :_HISTORY] = state[first + lane]
                _combine(force_shapes[first + lane], forces, start, n, signal[lane])
            _recur(poles[group], signal, w, n)
            state[group] = w[:, n : n + _HISTORY]
            for kind, zeros, shares in ((0, acceleration, shapes), (1, velocity, tilts)):
                for lane in range(_LANES):
                    if np.any(shares[first + lane]):  # else the lane keeps an older signal, and nothing takes of it
                        _three_points(zeros[first + lane], w[lane], signal[lane], n)
                for row in range(shares.shape[1]):
                    _add_six(shares[group, row], signal, n, out[kind, row, start : start + n])
