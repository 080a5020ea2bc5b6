"""Spectra of healthy recordings on one grid of bands: the broad band without its lines, and where each channel listens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from sim.calibration.lines import Lines, split, steady_lines, synthesise
from sim.calibration.speed import Speed, estimate_speed
from sim.dataset.real import RealRecording
from sim.effect import POINTS, MountPoint
from sim.errors import DatasetError
from sim.scenario.quantity import span
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec, mount_rotation
from sim.sensors.low_pass import chain_sections

Array = NDArray[np.float64]

NOMINAL_REACH = 0.08
"""A stated speed is the middle of the search: asynchronous motors slip by a few per cent, nameplates are rounded."""

BANDS_PER_OCTAVE = 24
TOP_SHARE = 0.4
"""Highest frequency used, over the sampling rate: above, anti-alias filters of unknown kind are at work, and fold."""

_LINE_ORDERS = 20  # taken out
_CLEAR_ORDERS = 60  # kept clear of
_CLEAR_BINS = 2.5  # half the width of a line under a Hann window, and a little


@dataclass(frozen=True)
class Healthy:
    """What one healthy recording shows.

    Attributes:
        id: the recording.
        speed: its shaft speed.
        lines: orders of the shaft, g.
        steady: lines that do not follow the shaft, g.
        density: (bands, c) broad band without lines, g^2/Hz; NaN where lines leave nothing.
        dof: (bands,) degrees of freedom of each figure.
        coherence: (bands, c, c) real part of the channels' coherency: whether they move together (1) or against (-1).
    """

    id: str
    speed: Speed
    lines: Lines
    steady: Lines
    density: Array
    dof: Array
    coherence: Array


@dataclass(frozen=True)
class Channels:
    """Where the channels listen.

    Attributes:
        names: (c,) channels as the recordings call them.
        points: (c,) mounting point of each.
        rows: (c, 9) what each sees of the motion of drive end, non-drive end and casing along x, y, z.
        sensor: the scenario's sensor they are taken to be of.
    """

    names: tuple[str, ...]
    points: tuple[MountPoint, ...]
    rows: Array
    sensor: ImuSpec

    @staticmethod
    def of(scenario: Scenario, names: Sequence[str]) -> Channels:
        """Acceleration channels: `accel_x_g` at the first sensor, or `POINT.accel_x_g` along a machine axis at a point.

        Raises:
            DatasetError: none of the channels is an acceleration.
        """
        sensor = scenario.sensors[0]
        used: list[str] = []
        points: list[MountPoint] = []
        rows: list[Array] = []
        for name in names:
            point, _, channel = name.rpartition(".")
            if channel not in ("accel_x_g", "accel_y_g", "accel_z_g") or point not in ("", *get_args(MountPoint)):
                continue
            where: MountPoint = sensor.mount if not point else next(p for p in get_args(MountPoint) if p == point)
            turn = np.eye(3) if point else _fixed_rotation(sensor)
            row = np.zeros((3, 3))
            row[POINTS[1:].index(where)] = turn[:, "xyz".index(channel[6])]
            used.append(name)
            points.append(where)
            rows.append(row.reshape(9))
        if not used:
            raise DatasetError(
                f"channels {', '.join(names)}: calibration needs accel_x_g, accel_y_g, accel_z_g (at the scenario's first"
                " sensor) or POINT.accel_x_g with a point of the machine (drive_end, non_drive_end, casing)"
            )
        return Channels(tuple(used), tuple(points), np.array(rows), sensor)

    def index(self, names: Sequence[str]) -> list[int]:
        """Columns of the used channels in a recording with channels `names`."""
        return [list(names).index(name) for name in self.names]

    def sensor_gain(self, frequency_hz: Array, rate_hz: float, grid_rate_hz: float) -> Array:
        """Magnitude of the sensor's own response (transducer and anti-alias filter) as the twin has it, (f,).

        For recordings at another rate than the scenario's sensor the filter is taken to be at half their rate.
        """
        sensor = self.sensor
        own = sensor.bandwidths_hz[0] if math.isclose(rate_hz, sensor.odr_hz, rel_tol=0.02) else 0.5 * rate_hz
        cutoff = own if sensor.anti_alias else None
        grid_hz = max(grid_rate_hz, 4.0 * rate_hz)
        z = np.exp(-2j * np.pi * frequency_hz / grid_hz)
        gain = np.ones(len(frequency_hz))
        for section, zero, a1, a2 in chain_sections(sensor.device, (cutoff, cutoff), grid_hz)[:, 0]:
            gain *= np.abs(section * (1.0 + zero * z) ** 2 / (1.0 + a1 * z + a2 * z * z))
        return gain


def _fixed_rotation(sensor: ImuSpec) -> Array:
    angles = tuple(float(np.mean(span(angle))) for angle in sensor.rotation_deg)
    return mount_rotation(angles)


def bands(low_hz: float, high_hz: float, resolution_hz: float) -> Array:
    """Edges of bands of 1/24 octave, but no narrower than two bins."""
    edges = [low_hz]
    while edges[-1] < high_hz:
        edges.append(max(edges[-1] * 2.0 ** (1.0 / BANDS_PER_OCTAVE), edges[-1] + 2.0 * resolution_hz))
    return np.array(edges)


def speed_range_rpm(scenario: Scenario, recording: RealRecording) -> tuple[float, float]:
    """Where to look for the shaft's speed: near the stated one, else in the scenario's operating range."""
    if math.isfinite(recording.speed_rpm) and recording.speed_rpm > 0.0:
        return recording.speed_rpm * (1.0 - NOMINAL_REACH), recording.speed_rpm * (1.0 + NOMINAL_REACH)
    ends = [span(segment.speed_rpm) for segment in scenario.operation.plan()]
    low, high = min((low for low, _ in ends if low > 0.0), default=0.0), max(high for _, high in ends)
    if low <= 0.0:
        raise DatasetError(f"recording {recording.id}: no speed is stated, and the scenario never turns")
    return (1.0 - NOMINAL_REACH) * low, (1.0 + NOMINAL_REACH) * high


def segment_length(n: int, rate_hz: float) -> int:
    """Samples of a Welch segment: bins of 1 to 2 Hz, but eight half-overlapping segments at least."""
    return int(min(2 ** math.ceil(math.log2(rate_hz / 2.0)), max(n // 4, 64)))


def listen(recording: RealRecording, scenario: Scenario, channels: Channels, edges: Array) -> Healthy:
    """Speed, lines and broad band of one recording.

    The broad band is the median of the bins of each band that hold no order of the shaft: narrow lines of other origin
    (the bearings' own, mains) do not reach it.
    """
    x = np.asarray(recording.samples[:, channels.index(recording.channels)], np.float64)
    x = x - x.mean(axis=0)
    rate_hz = recording.rate_hz
    try:
        speed = estimate_speed(x, rate_hz, *speed_range_rpm(scenario, recording))
    except DatasetError as error:
        raise DatasetError(f"recording {recording.id}: {error}") from None
    top = max(min(int(TOP_SHARE * rate_hz / speed.value), _LINE_ORDERS), 1)
    lines, left = split(x, rate_hz, speed, range(1, top + 1))
    steady = steady_lines(left, rate_hz)
    times = np.arange(len(x)) / rate_hz
    if len(steady.frequency_hz):
        left = left - synthesise(steady, times)
    nperseg = segment_length(len(x), rate_hz)
    frequency, cross = _cross_spectra(left, rate_hz, nperseg)
    power = np.einsum("fcc->fc", cross)
    bin_hz = rate_hz / nperseg
    distance = np.abs(frequency / speed.value - np.rint(frequency / speed.value)) * speed.value
    near_line = (distance < _CLEAR_BINS * bin_hz) & (frequency < (_CLEAR_ORDERS + 0.5) * speed.value)
    if near_line[frequency < 20.0 * speed.value].mean() > 0.8:  # orders so close that nothing lies between them
        near_line[:] = False
    segments = len(range(0, len(x) - nperseg + 1, nperseg // 2))
    dof_bin = 2.0 * segments / 1.06  # half-overlapping Hann segments are nearly independent (Welch 1967)
    which = np.digitize(frequency, edges) - 1
    density, dof = np.full((len(edges) - 1, x.shape[1]), np.nan), np.zeros(len(edges) - 1)
    coherence = np.zeros((len(edges) - 1, x.shape[1], x.shape[1]))
    shrink = (1.0 - 2.0 / (9.0 * dof_bin)) ** 3  # median of a chi-square over its mean (Wilson and Hilferty)
    for band in range(len(edges) - 1):
        inside = (which == band) & ~near_line
        if inside.any():
            density[band] = np.median(power[inside], axis=0) / shrink
            # A median has 0.64 of a mean's weight, and neighbouring bins under a Hann window are not independent.
            dof[band] = dof_bin * (1.0 + 0.6 * (np.count_nonzero(inside) - 1) / 1.5)
            size = np.sqrt(power[inside])
            coherence[band] = (cross[inside] / (size[:, :, None] * size[:, None, :] + 1e-300)).mean(axis=0)
    return Healthy(recording.id, speed, lines, steady, density, dof, coherence)


def _cross_spectra(x: Array, rate_hz: float, nperseg: int) -> tuple[Array, Array]:
    """Frequencies (f,) and real part of the cross spectral densities (f, c, c), by Welch's method."""
    n, c = x.shape
    window = signal.windows.hann(nperseg, sym=False)
    total = np.zeros((nperseg // 2 + 1, c, c))
    starts = range(0, n - nperseg + 1, nperseg // 2)
    for start in starts:
        part = x[start : start + nperseg]
        z = fft.rfft((part - part.mean(axis=0)) * window[:, None], axis=0)
        total += np.einsum("fa,fb->fab", z, z.conj()).real
    total *= 2.0 / (rate_hz * float(np.sum(window**2)) * len(starts))
    return fft.rfftfreq(nperseg, 1.0 / rate_hz), total
