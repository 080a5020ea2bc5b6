"""From a sensor's counts to a network's input: the one definition, in integers, the same in Python and in C.

Per window, from counts x int16 (window, channels) to y int8 (length, channels), the oldest sample first, every channel
by itself. `>>` is an arithmetic shift (towards minus infinity), `floor(a / b)` a division rounded towards minus infinity,
`clz` the number of leading zeros of a 32-bit word. No intermediate value leaves int32 (`n` below: uint32); the bounds are
checked when a `Preprocessing` is made.

1. **Decimation**, when `decimation` > 1, by a FIR of `taps` t[0..m-1] (int16, Q15; tap 0 meets the oldest sample):

       a[i] = sum over k of t[k] * x[i * decimation + k]                 int32, for i = 0 .. length - 1
       x[i] = clamp((a[i] + 16384) >> 15, -32768, 32767)                 int16

   Only where the FIR lies inside the window; samples behind the last one needed are not used. Without decimation the
   first `length` samples are taken.
2. **Detrending**, when `detrend`:

       s = sum of x[0 .. length - 1]                                     int32
       m = floor((s + (length >> 1)) / length)                           int16, the mean, halves up
       d[i] = x[i] - m                                                   int32, 17 bits with sign

   else d = x - offset (int16, per channel; offset is 0 with detrending).
3. **Scaling** to int8, `log` or `linear`:

       log:     u = |d| + 2^knee                                         knee 0 .. 14, per channel
                l = log2_q8(u) - 256 * knee                              0 .. 4096
                y = min((gain * l + (1 << (shift - 1))) >> shift, 127), negated where d < 0
                                                                         gain 0 .. 65535, shift 1 .. 16, per channel
       linear:  y = clamp((gain * d + (1 << (shift - 1))) >> shift, -127, 127)
                                                                         gain 0 .. 32767, shift 1 .. 16, per channel

       log2_q8(u), 0 < u < 2^17: 256 * log2(u) to within 0.56 (0.0022 octaves), exact for powers of two
                z = clz(u);  n = u << z                                  uint32, the leading one at bit 31
                i = (n >> 26) & 31;  r = (n >> 16) & 1023                segment of the table, place in it
                q = T[i] + (((T[i + 1] - T[i]) * r + 512) >> 10)         Q15
                log2_q8 = 256 * (31 - z) + ((q + 64) >> 7)
       T[i] = round(32768 * log2(1 + i / 32)), i = 0 .. 32 (`LOG2_TABLE`, uint16): the only table

The network's float input is y / 32 (`to_float`), which is what an int8 input of scale 1/32 and zero point 0 holds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from scipy import signal

from sim.dataset.manifest import write_aside
from sim.errors import DatasetError
from sim.sensors.devices import DEVICES

Counts = NDArray[np.int16]
Inputs = NDArray[np.int8]
Floats32 = NDArray[np.float32]
Ints32 = NDArray[np.int32]

INPUT_SCALE = 1.0 / 32.0
"""What one step of the network's int8 input stands for; its zero point is 0."""
TOP = 127
"""Largest input; -128 is never used."""
SEGMENTS = 32
LOG2_TABLE = np.array([round(32768 * math.log2(1 + i / SEGMENTS)) for i in range(SEGMENTS + 1)], np.int32)
MULTIPLE = 16
"""`length` is a multiple of this after a decimation, as the networks' strides ask for."""

_CHUNK = 2048  # windows at a time: a few tens of megabytes
_KNEE_OF_LEVEL = 0.25  # the curve bends at a quarter of the normal windows' RMS
_FULL_QUANTILE = 0.9995  # of |d|: what lies above is cut off
_LEVELS_OF_SPREAD = 32.0  # linear: one standard deviation of normal windows is 1.0 at the network's input
_TAPS_PER_STEP = 12  # of the decimating FIR
_KAISER_BETA = 5.0  # 53 dB
_WHOLE = 1e-3  # counts: how near to whole numbers samples must be for a step to be theirs
_ACCELEROMETER, _GYROSCOPE = "_g", "_dps"


class Preprocessing(BaseModel):
    """All constants of the arithmetic above; a value of this class is a preprocessing.

    Attributes:
        channels: names of the channels, in the order of the counts.
        lsb: what one count stands for, per channel, in the channel's unit (g, deg/s).
        rate_hz: sampling rate of the counts; None for rows without a rate.
        window: samples of a window at that rate.
        hop: samples from one window to the next.
        length: samples of the network's input.
        decimation, taps, detrend, offset, scaling, knee, gain, shift: see the module.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    channels: tuple[str, ...]
    lsb: tuple[float, ...]
    rate_hz: float | None
    window: int
    hop: int
    length: int
    decimation: int = 1
    taps: tuple[int, ...] = ()
    detrend: bool = True
    offset: tuple[int, ...]
    scaling: Literal["log", "linear"]
    knee: tuple[int, ...]
    gain: tuple[int, ...]
    shift: tuple[int, ...]

    @model_validator(mode="after")
    def _bounds(self) -> Preprocessing:
        n = len(self.channels)
        for name in ("lsb", "offset", "knee", "gain", "shift"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} values for {n} channels")
        top_gain = 65535 if self.scaling == "log" else 32767
        asked = [
            (n > 0 and len(set(self.channels)) == n, "channels must be named, each once"),
            (all(step > 0 for step in self.lsb), "every lsb must be above 0"),
            (self.rate_hz is None or self.rate_hz > 0, "rate_hz must be above 0"),
            (self.hop >= 1, "hop must be at least 1"),
            (1 <= self.length <= 65535, "length must be 1 to 65535: its sum must fit in int32"),
            (self.decimation >= 1, "decimation must be at least 1"),
            ((self.decimation > 1) == bool(self.taps), "taps and a decimation above 1 go together"),
            (all(-32768 <= tap <= 32767 for tap in self.taps), "taps must fit in int16"),
            (sum(map(abs, self.taps)) <= 65534, "the taps' absolute sum must be at most 65534 (2.0 in Q15)"),
            (self.window >= self.needed, f"a window of {self.window} is shorter than the {self.needed} samples needed"),
            (all(-32768 <= v <= 32767 for v in self.offset), "every offset must fit in int16"),
            (not (self.detrend and any(self.offset)), "with detrending every offset is 0"),
            (all(0 <= v <= 14 for v in self.knee), "every knee must be 0 to 14"),
            (all(0 <= v <= top_gain for v in self.gain), f"every gain must be 0 to {top_gain}"),
            (all(1 <= v <= 16 for v in self.shift), "every shift must be 1 to 16"),
        ]
        for holds, message in asked:
            if not holds:
                raise ValueError(message)
        return self

    @property
    def needed(self) -> int:
        """Samples of a window that are used."""
        return (self.length - 1) * self.decimation + max(len(self.taps), 1)

    def counts(self, samples: NDArray[Any], channels: Sequence[str] | None = None) -> Counts:
        """Counts int16 (n, window, channels) of samples (n, window, C) in the channels' units; whole steps, halves to even.

        Args:
            samples: windows; values beyond int16 are cut off there.
            channels: names of the samples' channels, in order, to pick this preprocessing's own from; None: they are
                just these.

        Raises:
            DatasetError: NaN or infinite samples, a missing channel, another shape.
        """
        if channels is not None:
            samples = samples[:, :, picked(channels, self.channels)]
        if samples.ndim != 3 or samples.shape[1:] != (self.window, len(self.channels)):
            raise DatasetError(
                f"windows have shape {samples.shape}; allowed is (n, {self.window}, {len(self.channels)}): "
                f"{self.window} samples of {', '.join(self.channels)}"
            )
        return to_counts(samples, self.lsb)

    def apply(self, counts: Counts) -> Inputs:
        """The network's input int8 (n, length, channels) of counts (n, window, channels).

        Raises:
            DatasetError: another type or shape.
        """
        if counts.dtype != np.int16 or counts.ndim != 3 or counts.shape[1:] != (self.window, len(self.channels)):
            raise DatasetError(
                f"counts are {counts.dtype} {counts.shape}; allowed is int16 (n, {self.window}, {len(self.channels)})"
            )
        out = np.empty((len(counts), self.length, len(self.channels)), np.int8)
        for at in range(0, len(counts), _CHUNK):
            d = self._centred(counts[at : at + _CHUNK])
            for channel, table in enumerate(self._tables):
                out[at : at + _CHUNK, :, channel] = table[d[:, :, channel] + 65535]
        return out

    def _centred(self, counts: Counts) -> Ints32:
        """Steps 1 and 2."""
        x = decimated(counts, self.taps, self.decimation, self.length)
        if not self.detrend:
            return x - np.array(self.offset, np.int32)
        total = x.sum(axis=1, dtype=np.int32, keepdims=True)
        return np.asarray(x - (total + (self.length >> 1)) // self.length, np.int32)

    @cached_property
    def _tables(self) -> list[Inputs]:
        """Step 3 of every d from -65535 to 65535, per channel: looking up is faster than computing."""
        every = np.arange(-65535, 65536, dtype=np.int32)
        return [
            (log_scaled(every, knee, gain, shift) if self.scaling == "log" else linear_scaled(every, gain, shift))
            for knee, gain, shift in zip(self.knee, self.gain, self.shift, strict=True)
        ]

    def save(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        write_aside(path, json.dumps(self.model_dump(mode="json"), indent=1) + "\n")

    @staticmethod
    def open(path: Path) -> Preprocessing:
        """Read what `save` wrote.

        Raises:
            DatasetError: missing, broken, or constants outside the arithmetic's bounds.
        """
        try:
            return Preprocessing.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "preprocessing"
            raise DatasetError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None


def to_float(inputs: Inputs) -> Floats32:
    """The network's float input: y / 32, exactly."""
    return inputs * np.float32(INPUT_SCALE)


def picked(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Places of the wanted channels among `names`; DatasetError for one that is not there."""
    for name in wanted:
        if name not in names:
            raise DatasetError(f"no channel {name!r}; there are {', '.join(names)}")
    return [list(names).index(name) for name in wanted]


def to_counts(samples: NDArray[Any], lsb: Sequence[float]) -> Counts:
    """Samples (..., channels) as counts: nearest whole steps, halves to even, cut off at int16; NaN and inf refused."""
    if not np.isfinite(samples).all():
        bad = np.argwhere(~np.isfinite(samples))[0]
        raise DatasetError(f"window {bad[0]} has a sample that is not a number (sample {bad[1]}, channel {bad[2]})")
    steps = samples / np.asarray(lsb, np.float64)
    return np.asarray(np.clip(np.rint(steps), -32768, 32767), np.int16)


def decimated(counts: Counts, taps: Sequence[int], decimation: int, length: int) -> Ints32:
    """Step 1: (n, window, channels) to (n, length, channels)."""
    if decimation == 1:
        return counts[:, :length].astype(np.int32)
    total = np.full((len(counts), length, counts.shape[2]), 1 << 14, np.int32)
    for k, tap in enumerate(taps):
        total += np.int32(tap) * counts[:, k : k + (length - 1) * decimation + 1 : decimation].astype(np.int32)
    return np.asarray(np.clip(total >> 15, -32768, 32767), np.int32)


def log2_q8(u: Ints32) -> Ints32:
    """256 log2(u), 0 < u < 2^17, by table and linear interpolation; see the module."""
    exponent = np.frexp(u.astype(np.float64))[1].astype(np.int32) - 1  # 31 - clz, exact for integers below 2^53
    n = u.astype(np.int64) << (31 - exponent)
    i, r = ((n >> 26) & 31).astype(np.int32), ((n >> 16) & 1023).astype(np.int32)
    q = LOG2_TABLE[i] + (((LOG2_TABLE[i + 1] - LOG2_TABLE[i]) * r + 512) >> 10)
    return np.asarray(256 * exponent + ((q + 64) >> 7), np.int32)


def log_scaled(d: Ints32, knee: int, gain: int, shift: int) -> Inputs:
    """Step 3, logarithmic."""
    octaves = log2_q8(np.abs(d) + np.int32(1 << knee)) - np.int32(256 * knee)
    y = np.minimum((np.int32(gain) * octaves + np.int32(1 << (shift - 1))) >> shift, TOP)
    return np.asarray(np.where(d < 0, -y, y), np.int8)


def linear_scaled(d: Ints32, gain: int, shift: int) -> Inputs:
    """Step 3, linear."""
    return np.asarray(np.clip((np.int32(gain) * d + np.int32(1 << (shift - 1))) >> shift, -TOP, TOP), np.int8)


def fit(
    samples: NDArray[Any],
    channels: Sequence[str],
    rate_hz: float | None,
    *,
    normal: NDArray[np.bool_] | None = None,
    lsb: Sequence[float] | None = None,
    scaling: Literal["log", "linear"] = "log",
    detrend: bool = True,
    decimation: int = 1,
    hop: int | None = None,
) -> Preprocessing:
    """Choose the constants from windows to TRAIN on, and from these alone.

    Args:
        samples: windows (n, window, C) in the channels' units, or counts int16 when `lsb` is given.
        channels: names of the C channels.
        rate_hz: sampling rate; None for rows without one.
        normal: (n,) which windows are normal: their level sets the scale. None: all.
        lsb: what one count stands for, per channel; None: found by `steps_of`.
        scaling, detrend, decimation: see the module. The FIR of a decimation passes up to 0.8 of the new Nyquist frequency.
        hop: samples from one window to the next; None: no overlap.

    Raises:
        DatasetError: no (normal) windows, NaN, or windows too short for the decimation.
    """
    if samples.ndim != 3 or samples.shape[2] != len(channels) or not len(samples):
        raise DatasetError(
            f"windows to fit on have shape {samples.shape}; allowed is (n, window, {len(channels)}), n > 0"
        )
    chosen = np.ones(len(samples), np.bool_) if normal is None else normal
    if not chosen.any():
        raise DatasetError("no normal windows to take the scale from")
    lsb = tuple(steps_of(samples, channels) if lsb is None else map(float, lsb))
    counts = samples if samples.dtype == np.int16 else to_counts(samples, lsb)
    window, n = samples.shape[1], len(channels)
    taps = low_pass(decimation)
    length = (window - len(taps)) // decimation + 1 if taps else window
    length -= length % MULTIPLE if taps else 0
    if length < 1:
        raise DatasetError(f"windows of {window} samples are too short for a decimation by {decimation}")
    plain: dict[str, Any] = {
        "channels": tuple(channels), "lsb": lsb, "rate_hz": rate_hz, "window": window, "hop": hop or window,
        "length": length, "decimation": decimation, "taps": taps, "detrend": detrend, "scaling": scaling,
    }  # fmt: skip
    x = np.concatenate([decimated(part, taps, decimation, length) for part in _pieces(counts)])
    offset = [0] * n if detrend else np.rint(x[chosen].mean(axis=(0, 1))).astype(int).tolist()
    zeros = (0,) * n
    draft = Preprocessing(**plain, offset=tuple(offset), knee=zeros, gain=zeros, shift=(1,) * n)
    d = np.concatenate([draft._centred(part) for part in _pieces(counts)])
    level = np.sqrt(np.mean(d[chosen].astype(np.float64) ** 2, axis=1))  # (normal windows, channels)
    full = np.quantile(np.abs(d).reshape(-1, n), _FULL_QUANTILE, axis=0)
    scales = [
        (_log_scale if scaling == "log" else _linear_scale)(float(np.median(level[:, c])), float(full[c]))
        for c in range(n)
    ]
    knee, gain, shift = zip(*scales, strict=True)
    return Preprocessing(**plain, offset=tuple(offset), knee=knee, gain=gain, shift=shift)


def _pieces(counts: Counts) -> list[Counts]:
    return [counts[at : at + _CHUNK] for at in range(0, len(counts), _CHUNK)]


def _log_scale(level: float, full: float) -> tuple[int, int, int]:
    """Knee at the power of two nearest to a quarter of the level; gain so that `full` counts become 127."""
    knee = int(np.clip(np.rint(np.log2(max(level * _KNEE_OF_LEVEL, 1.0))), 0, 14))
    octaves = 256 * math.log2(1 + max(full, 2.0**knee) / 2.0**knee)
    return (knee, *_ratio(TOP / octaves, 65535))


def _linear_scale(level: float, full: float) -> tuple[int, int, int]:
    """One standard deviation of normal windows is 32 steps, 1.0 at the network; less where `full` would not fit."""
    return (0, *_ratio(min(_LEVELS_OF_SPREAD / max(level, 1.0), 4 * TOP / max(full, 1.0)), 32767))


def _ratio(value: float, top: int) -> tuple[int, int]:
    """`value` as gain / 2^shift with as many bits as fit."""
    shift = int(np.clip(math.floor(math.log2(top / value)), 1, 16))
    return min(round(value * 2**shift), top), shift


def low_pass(decimation: int) -> tuple[int, ...]:
    """Q15 taps of the FIR before a decimation: symmetric, 12 a step, Kaiser; their sum is 32768 to within rounding."""
    if decimation == 1:
        return ()
    taps = signal.firwin(_TAPS_PER_STEP * decimation, 0.8 / decimation, window=("kaiser", _KAISER_BETA))
    return tuple(int(tap) for tap in np.rint(np.asarray(taps) * 32768))


def steps_of(samples: NDArray[Any], channels: Sequence[str]) -> tuple[float, ...]:
    """What one count stands for, per channel: the coarsest step of a known sensor that the samples are whole multiples of.

    Where there is none (an analogue sensor, fused sensors, a table), the finest known step whose range holds the
    samples; for other units, a step that leaves a factor of two above the largest sample.

    Args:
        samples: (n, window, C) in g for channels called *_g, in deg/s for *_dps.
        channels: names of the C channels.
    """
    found = []
    for channel, name in enumerate(channels):
        x = np.asarray(samples[:, :, channel], np.float64)
        known = sorted(_known_steps(name), reverse=True)
        top = float(np.abs(x[np.isfinite(x)]).max(initial=0.0))
        fitting = [step for step in known if top <= 32767 * step]
        whole = [
            step
            for step in fitting
            if top and np.abs(x / step - np.rint(x / step)).max() < _WHOLE * max(1, top / step / 1e3)
        ]
        found.append(whole[0] if whole else fitting[-1] if fitting else 2 * max(top, 1e-30) / 32767)
    return tuple(found)


def _known_steps(channel: str) -> set[float]:
    """Steps per count of the known digital sensors, in the channel's unit."""
    if channel.endswith(_ACCELEROMETER):
        return {mg / 1e3 for device in DEVICES.values() if device.has_gyro for mg in device.accel_lsb_mg.values()}
    if channel.endswith(_GYROSCOPE):
        return {mdps / 1e3 for device in DEVICES.values() for mdps in device.gyro_lsb_mdps.values()}
    return set()
