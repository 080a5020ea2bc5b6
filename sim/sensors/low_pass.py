"""Filters between motion and sample: the transducer's own response and the anti-alias low-pass, on six channels.

Both are second-order low-pass sections made by the bilinear transform, so each is gain (1 + z^-1)^2 / (1 + a1 z^-1 + a2 z^-2):
its zeros need additions only and no result of the sample before, which is most of why this is fast.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.sensors.devices import DEVICES

Array = NDArray[np.float64]

WIDTH = 6
"""Channels: two triads, accelerometer and gyroscope, which may have filters of their own."""

_PIECE = 512  # samples worked on at a time, so that they stay in the first-level cache
_UNITY = np.array([1.0, 0.0, 0.0, 0.0])


@lru_cache(maxsize=256)
def low_pass_sections(cutoffs_hz: tuple[float | None, float | None], rate_hz: float, order: int) -> Array:
    """Butterworth low-pass of both triads, (s, 2, 4) with gain, zero, a1, a2 (see `Cascade`).

    Its poles lie evenly on a circle: resonances at the cutoff with Q = 1 / (2 cos(angle from the real axis)).

    Args:
        cutoffs_hz: -3 dB of each triad; None, or rate / 2 and more: no filter.
        rate_hz: sampling rate.
        order: even.
    """
    sections = np.tile(_UNITY, (order // 2, 2, 1))
    for triad, cutoff_hz in enumerate(cutoffs_hz):
        if cutoff_hz is not None and cutoff_hz < rate_hz / 2:
            for k in range(order // 2):
                quality = 1 / (2 * math.cos(math.pi * (2 * k + 1) / (2 * order)))
                sections[k, triad] = _resonance(cutoff_hz, quality, rate_hz)
    return _without_unity(sections)


def _resonance(frequency_hz: float, quality: float, rate_hz: float) -> Array:
    """w0^2 / (s^2 + s w0 / Q + w0^2) by the bilinear transform exact at w0, (4,)."""
    w = math.tan(math.pi * frequency_hz / rate_hz)
    norm = 1 / (1 + w / quality + w * w)
    return np.array([w * w * norm, 1.0, 2 * (w * w - 1) * norm, (1 - w / quality + w * w) * norm])


def _transducer(resonance_hz: float | None, quality: float, rate_hz: float) -> Array:
    """The transducer's own resonance, (4,); none, or one too near half the rate to be represented: unity."""
    return (
        _UNITY if resonance_hz is None or resonance_hz >= 0.45 * rate_hz else _resonance(resonance_hz, quality, rate_hz)
    )


@lru_cache(maxsize=256)
def chain_sections(device_name: str, cutoffs_hz: tuple[float | None, float | None], grid_rate_hz: float) -> Array:
    """All filters between motion and sampling, (s, 2, 4): the transducer's own response and the anti-alias filter."""
    device = DEVICES[device_name]
    resonance = np.stack(
        [
            _transducer(device.accel_resonance_hz, device.accel_quality, grid_rate_hz),
            _transducer(device.gyro_resonance_hz, device.gyro_quality, grid_rate_hz),
        ]
    )
    low_pass = low_pass_sections(cutoffs_hz, grid_rate_hz, device.anti_alias_order)
    return np.concatenate([_without_unity(resonance[None]), low_pass])


def _without_unity(sections: Array) -> Array:
    """The sections (s, 2, 4) that do something to either triad."""
    return np.ascontiguousarray(sections[(sections != _UNITY).any(axis=(1, 2))])


class Cascade:
    """Sections in series on six channels, block by block: bit for bit the same however the signal is cut.

    Args:
        sections: (s, 2, 4) for each triad gain, zero, a1, a2 of gain (1 + zero z^-1)^2 / (1 + a1 z^-1 + a2 z^-2), with
            unit gain at 0 Hz.
    """

    def __init__(self, sections: Array) -> None:
        self._sections = sections
        self._state = np.zeros((len(sections), 4, WIDTH))

    def rest_at(self, values: Array) -> None:
        """As if the input had always been `values` (6,)."""
        self._state[:] = values

    def run(self, signal: Array, first: int, stop: int) -> None:
        """Filter the columns `first` to `stop` of the signal (6, n), which goes on from call to call, in place."""
        if len(self._sections):
            _run(signal, first, stop, self._sections, self._state)


@njit(cache=True)
def _zeros(signal: Array, gain: float, zero: float, state: Array, out: Array) -> None:
    """The numerator of one section on one channel, (n,) to (n,); state (2,) holds the last two inputs."""
    n, middle, last = signal.shape[0], 2.0 * gain * zero, gain * zero * zero
    before, before_that = state[0], state[1]
    for i in range(min(n, 2)):
        out[i] = gain * signal[i] + (middle * before + last * before_that)
        before, before_that = signal[i], before
    now, back_1, back_2, later = signal[2:], signal[1:], signal, out[2:]  # negative indices would mean the array's end
    for i in range(n - 2):
        later[i] = gain * now[i] + (middle * back_1[i] + last * back_2[i])
    if n > 2:
        before, before_that = signal[n - 1], signal[n - 2]
    state[0], state[1] = before, before_that


@njit(cache=True)
def _poles(drive: Array, a: tuple[float, float, float, float], state: Array, out: Array, first: int, n: int) -> None:
    """The denominator of one section on all channels, n samples of (6, ...) into `out` from column `first` on.

    `a` are a1 and a2 of accelerometer and gyroscope; state (2, 6) holds the last two outputs. The channels are written out
    so that their states stay in registers: twice as fast as a loop.
    """
    accel1, accel2, gyro1, gyro2 = a
    p0, p1, p2, p3, p4, p5 = state[0]
    q0, q1, q2, q3, q4, q5 = state[1]
    for i in range(n):
        p0, q0 = (drive[0, i] - accel2 * q0) - accel1 * p0, p0
        p1, q1 = (drive[1, i] - accel2 * q1) - accel1 * p1, p1
        p2, q2 = (drive[2, i] - accel2 * q2) - accel1 * p2, p2
        p3, q3 = (drive[3, i] - gyro2 * q3) - gyro1 * p3, p3
        p4, q4 = (drive[4, i] - gyro2 * q4) - gyro1 * p4, p4
        p5, q5 = (drive[5, i] - gyro2 * q5) - gyro1 * p5, p5
        k = first + i
        out[0, k], out[1, k], out[2, k], out[3, k], out[4, k], out[5, k] = p0, p1, p2, p3, p4, p5
    state[0, 0], state[0, 1], state[0, 2], state[0, 3], state[0, 4], state[0, 5] = p0, p1, p2, p3, p4, p5
    state[1, 0], state[1, 1], state[1, 2], state[1, 3], state[1, 4], state[1, 5] = q0, q1, q2, q3, q4, q5


@njit(cache=True)
def _run(signal: Array, first: int, stop: int, sections: Array, state: Array) -> None:
    drive = np.empty((signal.shape[0], _PIECE))
    for start in range(first, stop, _PIECE):
        n = min(_PIECE, stop - start)
        for s in range(sections.shape[0]):
            accel, gyro = sections[s, 0], sections[s, 1]
            for c in range(signal.shape[0]):
                own = accel if c < 3 else gyro
                _zeros(signal[c, start : start + n], own[0], own[1], state[s, :2, c], drive[c])
            _poles(drive, (accel[2], accel[3], gyro[2], gyro[3]), state[s, 2:], signal, start, n)
