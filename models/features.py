"""Spectral and order features of windows, for forests and Mahalanobis distances.

The speed is given with each window (the recording's nominal one), not estimated from it: in 0.2 s a line is 5 Hz wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.windows import LabelledWindows, Task

Floats = NDArray[np.float64]

SHAFT_ORDERS = (1, 2, 3, 4, 5, 6)
BAND_EDGES = (0.01, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
"""Edges of the bands as parts of the Nyquist frequency; at 5 kHz: 25, 100, 250, 500, 1000, 1500, 2000, 2375 Hz."""
ENVELOPE_BAND = (0.4, 0.95)
"""Band whose envelope is looked at, as parts of the Nyquist frequency: above the lines, where bearings ring."""
REFERENCE_RPM = 1800.0
"""Speed at which normalised and plain features are the same."""

_FLOOR = 1e-6  # g; below what any of the sensors resolves, keeps the logarithm of a dead channel finite
_TOLERANCE = 0.03  # of an order: slip of the bearing and error of the nominal speed


def features(windows: LabelledWindows, task: Task, normalised: bool) -> Floats:
    """Features (n, n_features) of windows: see `feature_names`.

    Amplitudes are log10 of g. Normalised means lines, bands and RMS divided by (speed / 1800 rpm)^2: a force of
    imbalance grows so, and what was learnt at one speed holds at another. Ratios (kurtosis, crest factor, how far a
    bearing line stands out) are left alone. Raises ValueError for a window without a speed.
    """
    speed_rpm = windows.speed_rpm
    if not (np.isfinite(speed_rpm).all() and (speed_rpm > 0).all()):
        raise ValueError("order features need the speed of every window; some is missing or not above 0")
    x = windows.x.astype(np.float64)
    x -= x.mean(axis=1, keepdims=True)
    rms = np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    amplitudes = np.concatenate(
        [line_amplitudes(x, task.rate_hz, speed_rpm), band_rms(x), rms], axis=1
    )  # (n, lines + bands + 1, channels)
    logs = np.log10(amplitudes + _FLOOR)
    if normalised:
        logs -= 2 * np.log10(speed_rpm / REFERENCE_RPM)[:, None, None]
    with np.errstate(invalid="ignore"):
        shape = np.stack([stats.kurtosis(x, axis=1), np.abs(x).max(axis=1) / np.maximum(rms[:, 0], _FLOOR)], axis=1)
    ratios = np.concatenate([np.nan_to_num(shape), envelope_lines(x, task, speed_rpm)], axis=1)
    return np.concatenate([logs, ratios], axis=1).reshape(len(x), -1)


def feature_names(task: Task, channels: int) -> list[str]:
    """Names of the columns of `features`, in order."""
    lines = [f"{order}x" for order in SHAFT_ORDERS]
    bands = [f"band {low:g}-{high:g} Nyquist" for low, high in pairwise(BAND_EDGES)]
    rows = [*lines, *bands, "rms", "kurtosis", "crest", *(f"envelope {name}" for name in task.bearing_orders)]
    return [f"{row} ch{channel}" for row in rows for channel in range(channels)]


def line_amplitudes(x: Floats, rate_hz: float, speed_rpm: Floats) -> Floats:
    """Amplitudes (n, 6, channels) of the shaft's lines 1x-6x in windows x (n, length, channels).

    Least squares on all lines at once, which tells lines apart that a spectrum of so short a window smears together.
    Lines above 0.95 of the Nyquist frequency are 0: they are not to be seen.
    """
    amplitude = np.zeros((len(x), len(SHAFT_ORDERS), x.shape[2]))
    time_s = np.arange(x.shape[1]) / rate_hz
    for speed in np.unique(speed_rpm):
        rows = np.flatnonzero(speed_rpm == speed)
        orders = [order for order in SHAFT_ORDERS if order * speed / 60 < 0.95 * rate_hz / 2]
        phase = 2 * np.pi * speed / 60 * np.outer(time_s, orders)
        basis = np.concatenate([np.cos(phase), np.sin(phase), np.ones((len(phase), 1))], axis=1)
        fitted = np.einsum("bt,ntc->nbc", np.linalg.pinv(basis, rcond=1e-2), x[rows], optimize=True)
        amplitude[rows, : len(orders)] = np.hypot(fitted[:, : len(orders)], fitted[:, len(orders) : 2 * len(orders)])
    return amplitude


def band_rms(x: Floats) -> Floats:
    """RMS (n, bands, channels) of windows x (n, length, channels) in the bands `BAND_EDGES`, Hann window."""
    length = x.shape[1]
    taper = np.hanning(length)[:, None]
    power = np.abs(np.fft.rfft(x * taper, axis=1)) ** 2 * (2 / (length * np.sum(taper**2)))
    edges = np.round(np.asarray(BAND_EDGES) * (power.shape[1] - 1)).astype(int)
    bands = [power[:, low : max(high, low + 1)].sum(axis=1) for low, high in pairwise(edges.tolist())]
    return np.asarray(np.sqrt(np.stack(bands, axis=1)), np.float64)


def envelope_lines(x: Floats, task: Task, speed_rpm: Floats) -> Floats:
    """How far (n, bearing orders, channels) the envelope's line at each bearing order stands above the median there."""
    orders: Mapping[str, float] = task.bearing_orders
    out = np.zeros((len(x), len(orders), x.shape[2]))
    if not orders:
        return out
    length = x.shape[1]
    spectrum = np.fft.fft(x, axis=1)
    part = np.fft.fftfreq(length) * 2  # of the Nyquist frequency
    spectrum[:, (part < ENVELOPE_BAND[0]) | (part > ENVELOPE_BAND[1])] = 0.0
    envelope = np.abs(np.fft.ifft(spectrum, axis=1))
    envelope -= envelope.mean(axis=1, keepdims=True)
    amplitude = np.abs(np.fft.rfft(envelope * np.hanning(length)[:, None], axis=1))
    bin_hz = task.rate_hz / length
    for speed in np.unique(speed_rpm):
        rows = np.flatnonzero(speed_rpm == speed)
        rotation_hz = speed / 60
        top = min(int(np.ceil(2 * max(orders.values()) * rotation_hz / bin_hz)) + 8, amplitude.shape[1])
        floor = np.median(amplitude[rows, 1:top], axis=1) + 1e-12
        for number, order in enumerate(orders.values()):
            centre = order * rotation_hz / bin_hz
            half = max(_TOLERANCE * order * rotation_hz / bin_hz, 0.5)
            low, high = max(int(np.ceil(centre - half)), 1), int(np.floor(centre + half)) + 1
            if low < high <= amplitude.shape[1]:
                out[rows, number] = amplitude[rows, low:high].max(axis=1) / floor
    return out
