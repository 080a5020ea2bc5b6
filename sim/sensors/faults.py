"""Faults of the sensor itself, never of the machine: their label is separate from the machine's.

Where a fault acts: on the `clock` (when samples are taken), on the `signal` (g and deg/s, after noise, before clipping
and rounding: what happens in the transducer or its front end), or on the `counts` (what the firmware reads: what
happens in the converter, its registers or the bus).

A new fault is one class here and one line in `SENSOR_FAULTS`; `sim.sensors.checks.check_sensor_fault` then tests it.
The taxonomy follows Ni et al., "Sensor network data fault types", ACM Trans. Sensor Networks 5(3), 2009 (doi
10.1145/1525856.1525863): stuck-at, clipping, offset, drift, gain, spike, missing data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sim.scenario.quantity import Quantity, span
from sim.scenario.spec import Spec

Channel = Literal["accel_x", "accel_y", "accel_z", "gyro_x", "gyro_y", "gyro_z"]
Apply: TypeAlias = Callable[[NDArray[Any], NDArray[np.float64]], None]
"""Changes a block in place: samples (m, n_channels), float64 signal or int16 counts, and their times (m,) in s."""

# Offsets are graded against these: severity 1 is an offset that no plant could overlook.
GRAVE_OFFSET_MG = 1000.0
GRAVE_OFFSET_DPS = 100.0
GRAVE_SKEW_PPM = 100000.0


@dataclass(frozen=True)
class SensorFacts:
    """What a fault knows of the sensor it sits in."""

    channels: tuple[str, ...]
    full_scale: NDArray[np.float64]
    """Per channel, in g or deg/s."""
    full_scale_counts: NDArray[np.float64]
    """Per channel: the largest count."""


class SensorFault(Spec):
    """One fault of one sensor, from `onset_s` on, until `clear_s` if given (scenario time, s)."""

    state: ClassVar[str]
    """Label in the dataset's sensor-state column."""
    acts_on: ClassVar[Literal["clock", "signal", "counts"]]
    citation: ClassVar[str] = "Ni et al. 2009, doi 10.1145/1525856.1525863"
    limits: ClassVar[str]
    clears: ClassVar[bool] = True
    """Whether samples after `clear_s` are those of the healthy sensor again."""
    example: ClassVar[Mapping[str, object]] = {}
    """Parameters with which the contract checks see the fault act."""

    kind: str
    """Which fault."""
    onset_s: Annotated[float, Quantity(ge=0)] = 0.0
    """Time from which the fault acts."""
    clear_s: Annotated[float, Quantity(gt=0)] | None = None
    """Time from which it no longer acts; left out: it stays."""

    @model_validator(mode="after")
    def _clears_after_onset(self) -> SensorFault:
        latest_onset_s = span(self.onset_s)[1]
        if self.clear_s is not None and span(self.clear_s)[0] <= latest_onset_s:
            raise ValueError(f"clear_s must lie after onset_s (latest onset {latest_onset_s:g} s)")
        return self

    def is_active(self, time_s: float) -> bool:
        """Whether the fault acts at this time."""
        return self.onset_s <= time_s and (self.clear_s is None or time_s < self.clear_s)

    def overlaps(self, start_s: float, stop_s: float) -> bool:
        """Whether the fault acts within [start, stop)."""
        return self.onset_s < stop_s and (self.clear_s is None or self.clear_s > start_s)

    def severity(self, time_s: float) -> float:
        """How grave the fault is at this time: 0 (absent) to 1."""
        return min(1.0, self._size(time_s - self.onset_s)[0]) if self.is_active(time_s) else 0.0

    def physical(self, time_s: float) -> tuple[float, str]:
        """The fault's size at this time and its unit; 0 while it is absent."""
        _, value, unit = self._size(max(0.0, time_s - self.onset_s))
        return (value if self.is_active(time_s) else 0.0), unit

    def span(self, time_s: NDArray[np.float64]) -> slice:
        """The samples of a block (its times, increasing) on which the fault acts."""
        stop = len(time_s) if self.clear_s is None else int(np.searchsorted(time_s, self.clear_s))
        return slice(int(np.searchsorted(time_s, self.onset_s)), stop)

    def used_channels(self) -> tuple[str, ...]:
        """Channels named in the scenario; empty where the fault takes all."""
        return ()

    def start(self, sensor: SensorFacts, rng: np.random.Generator) -> Apply:
        """The fault at work on one stream: a function that carries its state from block to block."""
        return self._start(sensor, rng)

    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Apply:
        raise NotImplementedError

    def _size(self, age_s: float) -> tuple[float, float, str]:
        """Severity (not yet bounded by 1), physical value and its unit, at this time after the onset."""
        raise NotImplementedError


class _ChannelFault(SensorFault):
    """A fault that can sit on some channels only."""

    channels: tuple[Channel, ...] | None = Field(default=None, min_length=1)
    """Affected channels; left out: all."""

    def used_channels(self) -> tuple[str, ...]:
        """Channels named in the scenario."""
        return self.channels or ()

    def columns(self, sensor: SensorFacts) -> list[int]:
        """Column numbers of the affected channels."""
        return [i for i, name in enumerate(sensor.channels) if self.channels is None or name in self.channels]


class Stuck(_ChannelFault):
    """Channels freeze at their last reading, or at a level. Acts on the counts: frozen register or dead element."""

    state = "stuck"
    acts_on = "counts"
    limits = "The reading is frozen to the bit; a real stuck element may keep its electronic noise."

    kind: Literal["stuck"] = "stuck"
    level: Annotated[float, Quantity(ge=-1, le=1)] | None = None
    """Part of full scale at which the reading sticks; left out: the last reading before the onset."""

    def _start(self, sensor: SensorFacts, _rng: np.random.Generator) -> Apply:
        columns = self.columns(sensor)
        held = None if self.level is None else np.rint(self.level * sensor.full_scale_counts[columns])

        def apply(counts: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            nonlocal held
            on = self.span(time_s)
            if self.level is None and on.start > 0:
                held = counts[on.start - 1, columns].copy()
            if on.start < on.stop:
                held = counts[0, columns].copy() if held is None else held  # stuck from the very first sample
                counts[on, columns] = held

        return apply

    def _size(self, _age_s: float) -> tuple[float, float, str]:
        return 1.0, 100.0, "% of the signal lost"


class Saturation(_ChannelFault):
    """The range shrinks to a part of itself, and an offset may drive the signal into that rail. Acts on the signal."""

    state = "saturated"
    acts_on = "signal"
    limits = "Hard, symmetric clipping without recovery time; a real overloaded front end recovers slowly."
    example: ClassVar[Mapping[str, object]] = {"range_fraction": 0.05}

    kind: Literal["saturation"] = "saturation"
    range_fraction: Annotated[float, Quantity(gt=0, le=1)] = 0.1
    """Part of the full scale that is left."""
    offset_fraction: Annotated[float, Quantity(ge=-1, le=1)] = 0.0
    """Offset before clipping, as a part of the full scale."""

    def _start(self, sensor: SensorFacts, _rng: np.random.Generator) -> Apply:
        columns = self.columns(sensor)
        full_scale = sensor.full_scale[columns]
        rail, offset = self.range_fraction * full_scale, self.offset_fraction * full_scale

        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            on = self.span(time_s)
            signal[on, columns] = np.clip(signal[on, columns] + offset, -rail, rail)

        return apply

    def _size(self, _age_s: float) -> tuple[float, float, str]:
        return max(1 - self.range_fraction, abs(self.offset_fraction)), 100 * self.range_fraction, "% of range left"


class _OffsetFault(_ChannelFault):
    """An offset in mg on accelerometer channels and in deg/s on gyroscope channels."""

    def _offset(self, age_s: float) -> tuple[float, float]:
        """Offset in (mg, deg/s) at this time after the onset."""
        raise NotImplementedError

    def _size(self, age_s: float) -> tuple[float, float, str]:
        mg, dps = self._offset(age_s)
        graded = (abs(mg) / GRAVE_OFFSET_MG, mg, "mg"), (abs(dps) / GRAVE_OFFSET_DPS, dps, "deg/s")
        return max(graded, key=lambda size: size[0])

    def _per_channel(self, sensor: SensorFacts, mg: float, dps: float) -> NDArray[np.float64]:
        names = [sensor.channels[i] for i in self.columns(sensor)]
        return np.array([mg / 1000 if name.startswith("accel") else dps for name in names])


class Drift(_OffsetFault):
    """An offset that grows steadily, without bound but for the rail. Acts on the signal: ageing, warming, stress."""

    state = "drift"
    acts_on = "signal"
    limits = "Linear in time; real drift is often exponential or follows temperature. Severity 1 is 1 g or 100 deg/s."
    example: ClassVar[Mapping[str, object]] = {"rate_mg_per_s": 20.0, "rate_dps_per_s": 5.0}

    kind: Literal["drift"] = "drift"
    rate_mg_per_s: Annotated[float, Quantity(ge=-1e6, le=1e6)] = 0.0
    """Growth on accelerometer channels."""
    rate_dps_per_s: Annotated[float, Quantity(ge=-1e6, le=1e6)] = 0.0
    """Growth on gyroscope channels (deg/s per s)."""

    @model_validator(mode="after")
    def _drifts(self) -> Drift:
        if self.rate_mg_per_s == 0 and self.rate_dps_per_s == 0:
            raise ValueError("a drift needs rate_mg_per_s or rate_dps_per_s other than 0")
        return self

    def _start(self, sensor: SensorFacts, _rng: np.random.Generator) -> Apply:
        columns = self.columns(sensor)
        rate = self._per_channel(sensor, self.rate_mg_per_s, self.rate_dps_per_s)

        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            on = self.span(time_s)
            signal[on, columns] += (time_s[on] - self.onset_s)[:, None] * rate

        return apply

    def _offset(self, age_s: float) -> tuple[float, float]:
        return self.rate_mg_per_s * age_s, self.rate_dps_per_s * age_s


class BiasStep(_OffsetFault):
    """An offset that appears at once. Acts on the signal: shock, cracked solder joint, stress of mounting."""

    state = "bias_step"
    acts_on = "signal"
    limits = "Instantaneous and constant. Severity 1 is 1 g or 100 deg/s."
    example: ClassVar[Mapping[str, object]] = {"offset_mg": 100.0, "offset_dps": 10.0}

    kind: Literal["bias_step"] = "bias_step"
    offset_mg: Annotated[float, Quantity(ge=-1e6, le=1e6)] = 0.0
    """Offset of accelerometer channels."""
    offset_dps: Annotated[float, Quantity(ge=-1e6, le=1e6)] = 0.0
    """Offset of gyroscope channels."""

    @model_validator(mode="after")
    def _steps(self) -> BiasStep:
        if self.offset_mg == 0 and self.offset_dps == 0:
            raise ValueError("a bias step needs offset_mg or offset_dps other than 0")
        return self

    def _start(self, sensor: SensorFacts, _rng: np.random.Generator) -> Apply:
        columns = self.columns(sensor)
        offset = self._per_channel(sensor, self.offset_mg, self.offset_dps)

        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            signal[self.span(time_s), columns] += offset

        return apply

    def _offset(self, _age_s: float) -> tuple[float, float]:
        return self.offset_mg, self.offset_dps


class Dropout(_ChannelFault):
    """Samples lost in random bursts, an alternating renewal process. Acts on the counts: bus errors, loose plug."""

    state = "dropout"
    acts_on = "counts"
    limits = "Lost samples are filled, so the stream keeps its length; gaps in time stamps are not made."
    example: ClassVar[Mapping[str, object]] = {"rate_per_s": 10.0, "mean_length_s": 0.02}

    kind: Literal["dropout"] = "dropout"
    mode: Literal["hold", "zero"] = "hold"
    """What stands for a lost sample: the last one that arrived, or zero."""
    rate_per_s: Annotated[float, Quantity(gt=0, le=1e4)] = 1.0
    """Bursts per second of delivered samples."""
    mean_length_s: Annotated[float, Quantity(gt=0, le=3600)] = 0.05
    """Mean length of a burst (exponentially distributed)."""

    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Apply:
        columns = self.columns(sensor)
        last: NDArray[Any] | None = None

        def burst_after(time_s: float) -> tuple[float, float]:
            begin_s = time_s + rng.exponential(1 / self.rate_per_s)
            return begin_s, begin_s + rng.exponential(self.mean_length_s)

        begin_s, end_s = burst_after(self.onset_s)

        def apply(counts: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            nonlocal last, begin_s, end_s
            on = self.span(time_s)
            while begin_s <= time_s[-1]:
                first, stop = np.searchsorted(time_s, (begin_s, end_s))
                stop = min(stop, on.stop)
                if first < stop:
                    arrived = counts[first - 1, columns] if first else last
                    filling = 0 if self.mode == "zero" else counts[first, columns] if arrived is None else arrived
                    counts[first:stop, columns] = filling
                if end_s > time_s[-1]:
                    break
                begin_s, end_s = burst_after(end_s)
            last = counts[-1, columns].copy()

        return apply

    def _size(self, _age_s: float) -> tuple[float, float, str]:
        lost = self.rate_per_s * self.mean_length_s
        share = lost / (1 + lost)
        return share, 100 * share, "% of samples lost"


class Spike(_ChannelFault):
    """Single wild samples at random times (Poisson), one channel each. Acts on the signal: discharge, bad contact."""

    state = "spike"
    acts_on = "signal"
    limits = "One sample wide, of one height; real glitches may ring through the front end."
    example: ClassVar[Mapping[str, object]] = {"rate_per_s": 50.0, "height": 0.5}

    kind: Literal["spike"] = "spike"
    rate_per_s: Annotated[float, Quantity(gt=0, le=1e4)] = 1.0
    """Spikes per second, all affected channels together."""
    height: Annotated[float, Quantity(gt=0, le=2)] = 0.5
    """Height as a part of the full scale; the sign is random."""

    def _start(self, sensor: SensorFacts, rng: np.random.Generator) -> Apply:
        columns = self.columns(sensor)
        event_s = self.onset_s + rng.exponential(1 / self.rate_per_s)
        first_s: float | None = None

        def apply(signal: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            nonlocal event_s, first_s
            on = self.span(time_s)
            first_s = time_s[0] if first_s is None else first_s
            while event_s <= time_s[-1]:
                sample = int(np.searchsorted(time_s, event_s))
                column = columns[int(rng.integers(len(columns)))]
                sign = 1 if rng.random() < 0.5 else -1
                if event_s >= first_s and sample < on.stop:
                    signal[sample, column] += sign * self.height * sensor.full_scale[column]
                event_s += rng.exponential(1 / self.rate_per_s)

        return apply

    def _size(self, _age_s: float) -> tuple[float, float, str]:
        return self.height, self.rate_per_s, "spikes/s"


class AxisSwap(SensorFault):
    """Axes exchanged or reversed in both triads. Acts on the counts: sensor refitted wrongly, wrong driver table."""

    state = "axis_swap"
    acts_on = "counts"
    limits = "Whole axes only; a sensor refitted askew is a `rotation_deg`."
    example: ClassVar[Mapping[str, object]] = {"order": ("y", "x", "z"), "signs": (1, 1, -1)}

    kind: Literal["axis_swap"] = "axis_swap"
    order: tuple[Literal["x", "y", "z"], Literal["x", "y", "z"], Literal["x", "y", "z"]] = ("y", "x", "z")
    """The axes that are read as x, y and z."""
    signs: tuple[Literal[1, -1], Literal[1, -1], Literal[1, -1]] = (1, 1, 1)
    """Signs of the three readings."""

    @model_validator(mode="after")
    def _is_permutation(self) -> AxisSwap:
        if set(self.order) != {"x", "y", "z"}:
            raise ValueError(f"order must name x, y and z once each, not {list(self.order)}")
        if self._moved() == 0:
            raise ValueError("order [x, y, z] with signs [1, 1, 1] changes nothing")
        return self

    def _start(self, sensor: SensorFacts, _rng: np.random.Generator) -> Apply:
        triad = ["xyz".index(axis) for axis in self.order]
        columns = triad + ([3 + i for i in triad] if len(sensor.channels) == 6 else [])
        signs = np.resize(self.signs, len(columns))

        def apply(counts: NDArray[Any], time_s: NDArray[np.float64]) -> None:
            on = self.span(time_s)
            counts[on] = counts[on][:, columns] * signs

        return apply

    def _moved(self) -> int:
        return sum(axis != own or sign != 1 for axis, own, sign in zip(self.order, "xyz", self.signs, strict=True))

    def _size(self, _age_s: float) -> tuple[float, float, str]:
        return self._moved() / 3, self._moved(), "axes of three"


class RateSkew(SensorFault):
    """The sensor's clock runs fast (positive) or slow. Acts on the clock, on top of the sensor's own rate error."""

    state = "rate_skew"
    acts_on = "clock"
    limits = "A step of the rate. After it clears the rate is right again, but the samples stay shifted in time."
    clears = False
    example: ClassVar[Mapping[str, object]] = {"skew_ppm": 20000.0}

    kind: Literal["rate_skew"] = "rate_skew"
    skew_ppm: Annotated[float, Quantity(ge=-200000, le=200000)] = 10000.0
    """Change of the sampling rate (parts per million)."""

    def _start(self, _sensor: SensorFacts, _rng: np.random.Generator) -> Apply:
        return lambda _samples, _time_s: None  # done by `sim.sensors.clock.SampleClock`

    def _size(self, _age_s: float) -> tuple[float, float, str]:
        return abs(self.skew_ppm) / GRAVE_SKEW_PPM, self.skew_ppm, "ppm"


SENSOR_FAULTS: tuple[type[SensorFault], ...] = (
    Stuck,
    Saturation,
    Drift,
    BiasStep,
    Dropout,
    Spike,
    AxisSwap,
    RateSkew,
)
"""Every kind of sensor fault; the one place where a new class is registered."""

if TYPE_CHECKING:
    AnySensorFault: TypeAlias = SensorFault
else:
    AnySensorFault = Annotated[Union[SENSOR_FAULTS], Field(discriminator="kind")]  # noqa: UP007
