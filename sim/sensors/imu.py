"""The IMU: from the true motion at its mounting point to the samples its driver reads.

The chain, in this order:

1. specific force (acceleration minus gravity: +1 g along y at rest) and angular rate, turned into the sensor's axes;
2. scale error, cross-axis sensitivity and offset, each with temperature. These are linear and constant over a block, so
   they commute with the filters and are done in one step with the rotation;
3. mechanical or analogue response of the transducer (second order), always there;
4. anti-alias low-pass (Butterworth, discretised by the bilinear transform with the cutoff held exact), if it is on;
5. sampling at the sensor's own clock;
6. noise: white within the sensor's bandwidth, flicker and random walk;
7. sensor faults of the signal; 8. clipping at full scale and rounding to int16; 9. sensor faults of the counts.

Limits: no g-sensitivity of the gyroscope, no vibration rectification, no rate ripple of the clock. The noise density is
kept when the anti-alias filter is off, although real electronics would then fold their own noise as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator

from sim.effect import GRAVITY_M_S2, MountPoint
from sim.errors import ParameterError
from sim.scenario.quantity import Distribution, Normal, Quantity
from sim.scenario.spec import Spec
from sim.sensors.clock import HISTORY, SampleClock, interpolate
from sim.sensors.devices import DEVICES, Device
from sim.sensors.faults import AnySensorFault, RateSkew, SensorFacts, SensorFault
from sim.sensors.low_pass import WIDTH, Cascade, chain_sections, low_pass_sections
from sim.sensors.noise import NoiseStream

COUNT_LIMIT = 32767
_TINY = 1e-30  # added to every input, so that filter states of a silent channel never decay to slow subnormal numbers


def _device_names(schema: dict[str, Any]) -> None:
    schema["enum"] = list(DEVICES)


_Angle = Annotated[float, Quantity(ge=-360, le=360)]
_Percent = Annotated[float, Quantity(ge=-50, le=50)]
_Amount = Annotated[float, Quantity(ge=-1e4, le=1e4)]
_Percents: TypeAlias = tuple[_Percent, _Percent, _Percent]
_Amounts: TypeAlias = tuple[_Amount, _Amount, _Amount]
_Triple: TypeAlias = tuple[float, float, float]


def _widest(ranges: str) -> Any:
    """Default of a range: the device's widest, None where it has none."""

    def of(data: dict[str, Any]) -> Any:
        device = DEVICES.get(data.get("device", ""))
        return None if device is None else max(getattr(device, ranges), default=None)

    return Field(default_factory=of)


def _of_specimen(name: str) -> Any:
    """Default of an error of the specimen: drawn as the device's datasheet says, or zero for a nominal one."""

    def of(data: dict[str, Any]) -> Any:
        device = DEVICES.get(data.get("device", ""))
        typical = device is not None and data.get("specimen") == "typical"
        deviation = getattr(device.typical, name) if device is not None and typical else 0.0
        value = Normal((0.0, deviation)) if deviation else 0.0
        return value if name == "rate_error_ppm" else (value,) * 3

    return Field(default_factory=of)


class RandomSource(Protocol):
    """Where a stream takes its generators from; `sim.effect.Site` is one."""

    def noise(self, purpose: str) -> np.random.Generator:
        """A generator for what is new in every capture, the same for the same purpose."""


class ImuSpec(Spec):
    """One sensor of a scenario.

    Errors of the specimen (scale, offset and so on) that are left out are drawn per axis from the device's
    datasheet-typical distribution: two sensors of a plant are never equal, and a detector trained on nominal ones would
    not know. `specimen: nominal` makes those that are left out zero instead.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """Name of the sensor, unique in the scenario."""
    device: str = Field(default="lsm6dso", json_schema_extra=_device_names)
    """Which sensor, by datasheet."""
    odr_hz: float = Field(default=3332.0, gt=0, le=200000)
    """Nominal output data rate."""
    range_g: float = _widest("accel_lsb_mg")
    """Full scale of the accelerometer; left out: the widest of the device."""
    range_dps: float | None = _widest("gyro_lsb_mdps")
    """Full scale of the gyroscope (deg/s); left out: the widest of the device."""
    mount: MountPoint = "drive_end"
    """Where it sits on the machine."""
    rotation_deg: tuple[_Angle, _Angle, _Angle] = (0.0, 0.0, 0.0)
    """Mounting: the sensor, first aligned with the machine axes, is turned about its own x, then y, then z axis."""
    anti_alias: bool = True
    """Whether the low-pass before sampling is on; off: content above half the ODR folds into the band."""
    bandwidth_hz: float | None = Field(default=None, gt=0)
    """-3 dB of the low-pass for all channels; left out: the device's own."""
    specimen: Literal["typical", "nominal"] = "typical"
    """What errors of the specimen are where they are left out: drawn as the datasheet says, or zero."""
    accel_noise_ug_per_sqrt_hz: Annotated[float, Quantity(ge=0, le=1e6)] | None = None
    """White noise of the accelerometer; left out: the datasheet's."""
    rate_error_ppm: Annotated[float, Quantity(ge=-100000, le=100000)] = _of_specimen("rate_error_ppm")
    """Deviation of the sampling rate from its nominal value."""
    accel_scale_error_pct: _Percents = _of_specimen("accel_scale_error_pct")
    """Per axis."""
    gyro_scale_error_pct: _Percents = _of_specimen("gyro_scale_error_pct")
    """Per axis."""
    accel_scale_drift_pct_per_c: _Percents = _of_specimen("accel_scale_drift_pct_per_c")
    """Per axis, from the device's reference temperature."""
    gyro_scale_drift_pct_per_c: _Percents = _of_specimen("gyro_scale_drift_pct_per_c")
    """Per axis, from the device's reference temperature."""
    cross_axis_pct: _Percents = _of_specimen("cross_axis_pct")
    """Part of one axis' input seen on the other, for the pairs y-z, z-x, x-y; both triads."""
    zero_g_offset_mg: _Amounts = _of_specimen("zero_g_offset_mg")
    """Per axis, at the reference temperature."""
    zero_rate_offset_dps: _Amounts = _of_specimen("zero_rate_offset_dps")
    """Per axis, at the reference temperature (deg/s)."""
    zero_g_drift_mg_per_c: _Amounts = _of_specimen("zero_g_drift_mg_per_c")
    """Per axis, from the reference temperature."""
    zero_rate_drift_dps_per_c: _Amounts = _of_specimen("zero_rate_drift_dps_per_c")
    """Per axis, from the reference temperature (deg/s per degree)."""
    faults: tuple[AnySensorFault, ...] = ()
    """Faults of this sensor."""

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        if device not in DEVICES:
            raise ValueError(f"unknown device '{device}'; allowed: {', '.join(DEVICES)}")
        return device

    @field_validator("odr_hz")
    @classmethod
    def _odr_of_device(cls, odr_hz: float, info: ValidationInfo) -> float:
        device = DEVICES.get(info.data.get("device", ""))
        if device and device.odrs_hz and odr_hz not in device.odrs_hz:
            raise ValueError(f"{device.name} has no output data rate {odr_hz:g}; allowed: {_listed(device.odrs_hz)}")
        return odr_hz

    @field_validator("range_g", "range_dps")
    @classmethod
    def _range_of_device(cls, value: float | None, info: ValidationInfo) -> float | None:
        device = DEVICES.get(info.data.get("device", ""))
        if device is None:
            return value
        ranges = device.accel_lsb_mg if info.field_name == "range_g" else device.gyro_lsb_mdps
        if value is not None and not ranges:
            raise ValueError(f"{device.name} has no gyroscope; leave {info.field_name} out")
        if ranges and value not in ranges:
            raise ValueError(f"{device.name} has no such range; allowed: {_listed(ranges)}")
        return value

    @field_validator("faults")
    @classmethod
    def _faults_on_own_channels(cls, faults: tuple[SensorFault, ...], info: ValidationInfo) -> tuple[SensorFault, ...]:
        device = DEVICES.get(info.data.get("device", ""))
        gyro = [c for fault in faults for c in fault.used_channels() if c.startswith("gyro")]
        if device and not device.has_gyro and gyro:
            raise ValueError(f"{device.name} has no {gyro[0]}; allowed: accel_x, accel_y, accel_z")
        return faults

    @property
    def figures(self) -> Device:
        """The device's datasheet figures."""
        return DEVICES[self.device]

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels without unit: accel_x .. gyro_z."""
        kinds = ("accel", "gyro") if self.figures.has_gyro else ("accel",)
        return tuple(f"{kind}_{axis}" for kind in kinds for axis in "xyz")

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels with unit: accel_x_g .. gyro_z_dps."""
        return tuple(c + ("_g" if c.startswith("accel") else "_dps") for c in self.channels)

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each channel."""
        return tuple("g" if c.startswith("accel") else "deg/s" for c in self.channels)

    @property
    def scale(self) -> NDArray[np.float64]:
        """Per channel: `counts * scale` is in g and deg/s."""
        lsb = [self.figures.accel_lsb_mg[self.range_g]] * 3
        if self.range_dps is not None:
            lsb += [self.figures.gyro_lsb_mdps[self.range_dps]] * 3
        return np.array(lsb) / 1000

    def to_units(self, counts: NDArray[np.int16]) -> NDArray[np.float32]:
        """Counts (..., n_channels) in g and deg/s."""
        return np.multiply(counts, self.scale.astype(np.float32), dtype=np.float32)

    @property
    def bandwidths_hz(self) -> tuple[float, float]:
        """-3 dB of the anti-alias filter of accelerometer and gyroscope (used if `anti_alias`)."""
        own = self.figures.bandwidths_hz(self.odr_hz)
        return own if self.bandwidth_hz is None else (self.bandwidth_hz, self.bandwidth_hz)


def _listed(values: Any) -> str:
    return ", ".join(f"{v:g}" for v in values)


def mount_rotation(rotation_deg: Sequence[float]) -> NDArray[np.float64]:
    """Matrix (3, 3) from sensor axes to machine axes for a mounting turned about x, then its own y, then its own z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(rotation_deg)), np.sin(np.radians(rotation_deg))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_x @ about_y @ about_z)


@njit(cache=True)
def _to_sensor_axes(
    motion: NDArray[np.float64], front: NDArray[np.float64], signal: NDArray[np.float64], row: int
) -> None:
    """Rows `row` to `row` + 2 of the signal, behind its history: front (3, 4), gain and offset, applied to motion (3, n)."""
    n = motion.shape[1]
    for a in range(3):
        xx, xy, xz, x0, axis = (
            front[a, 0],
            front[a, 1],
            front[a, 2],
            front[a, 3],
            signal[row + a, HISTORY : HISTORY + n],
        )
        for i in range(n):
            axis[i] = x0 + (xx * motion[0, i] + xy * motion[1, i] + xz * motion[2, i])


@njit(cache=True, error_model="numpy")
def _to_counts(
    signal: NDArray[np.float64], lsb: NDArray[np.float64], limit: NDArray[np.float64], counts: NDArray[np.int16]
) -> None:
    """Round (half to even) and clip each channel: signal (c, m), overwritten, to counts (m, c)."""
    for c in range(counts.shape[1]):
        step, most, row = lsb[c], limit[c], signal[c]
        for i in range(counts.shape[0]):
            row[i] = min(max(np.rint(row[i] / step), -most), most)
    for i in range(counts.shape[0]):
        for c in range(counts.shape[1]):
            counts[i, c] = np.int16(signal[c, i])


class ImuStream:
    """One sensor at work, block by block. The samples do not depend, bit for bit, on how the stream is cut.

    Args:
        spec: the sensor, realised (no distributions left).
        grid_rate_hz: rate of the motion that is pushed in, at least twice (better 4 times) the ODR.
        random: source of generators (e.g. a `sim.effect.Site`); the noise and each fault take their own, so a fault
            changes no other random number.
        start_time_s: scenario time of the first grid point, which is the first sample's.

    Raises:
        ParameterError: distributions left in `spec`, grid too coarse.
    """

    def __init__(
        self,
        spec: ImuSpec,
        grid_rate_hz: float,
        random: RandomSource,
        start_time_s: float = 0.0,
    ) -> None:
        _require_numbers(spec)
        device = spec.figures
        self.spec = spec
        skews = [f for f in spec.faults if isinstance(f, RateSkew)]
        self.clock = SampleClock(spec.odr_hz, spec.rate_error_ppm, grid_rate_hz, start_time_s, skews)
        n = len(spec.channels)
        self._lsb = spec.scale
        full_scale = np.repeat([spec.range_g, spec.range_dps or 0.0], 3)[:n]
        self._limit = np.minimum(COUNT_LIMIT, np.floor(full_scale / self._lsb + 1e-9))
        self._front, self._front_per_c = _front_end(spec)

        cutoffs_hz = spec.bandwidths_hz if spec.anti_alias else (None, None)
        self._filter = Cascade(chain_sections(device.name, cutoffs_hz, grid_rate_hz))
        self._signal = np.empty((WIDTH, HISTORY))
        self._n_grid = 0
        self._n_samples = 0

        # A low-pass below half the ODR is in the way of the sensor's noise too.
        noise_sections = low_pass_sections(cutoffs_hz, spec.odr_hz, device.anti_alias_order)
        self._noise_filter = Cascade(noise_sections) if len(noise_sections) else None
        density, instability, walk = (np.repeat(pair, 3)[:n] for pair in device.noise(spec.range_g))
        if spec.accel_noise_ug_per_sqrt_hz is not None:
            density[:3] = 1e-6 * spec.accel_noise_ug_per_sqrt_hz
        self._noise = NoiseStream(density, instability, walk, spec.odr_hz, n, random.noise("noise"))
        if self._noise_filter is not None:
            self._draw_noise(
                min(20000, math.ceil(5 * spec.odr_hz / min(spec.bandwidths_hz)))
            )  # let the noise filter settle

        facts = SensorFacts(spec.channels, full_scale, self._limit)
        self._on_signal, self._on_counts = (
            [
                fault.start(facts, random.noise(f"{fault.kind} {sum(f.kind == fault.kind for f in spec.faults[:i])}"))
                for i, fault in enumerate(spec.faults)
                if fault.acts_on == where
            ]
            for where in ("signal", "counts")
        )

    @property
    def scale(self) -> NDArray[np.float32]:
        """Per channel: `counts * scale` is in g and deg/s."""
        return self._lsb.astype(np.float32)

    def push(
        self, accel_m_s2: NDArray[np.float64], rate_rad_s: NDArray[np.float64], temperature_c: float = 25.0
    ) -> NDArray[np.int16]:
        """The samples that a block of motion completes.

        Args:
            accel_m_s2: (3, n) kinematic acceleration in machine axes, without gravity.
            rate_rad_s: (3, n) angular rate in machine axes; ignored by a sensor without gyroscope.
            temperature_c: of the sensor, over this block.

        Returns:
            Counts (m, n_channels); m follows from `clock.samples_after`. Before the first block the machine is taken to
            have rested at the first value, so the filters do not ring at the start.
        """
        n = accel_m_s2.shape[1]
        if accel_m_s2.shape != (3, n) or rate_rad_s.shape != (3, n):
            raise ParameterError(f"motion must be two arrays (3, n), not {accel_m_s2.shape} and {rate_rad_s.shape}")
        counts = np.empty((self.clock.samples_after(self._n_grid + n) - self._n_samples, len(self._lsb)), np.int16)
        if n == 0:
            return counts
        front = self._front + (temperature_c - self.spec.figures.reference_temperature_c) * self._front_per_c
        if self._signal.shape[1] < HISTORY + n:
            self._signal = np.concatenate([self._signal[:, :HISTORY], np.empty((WIDTH, n))], axis=1)
        _to_sensor_axes(accel_m_s2, front[0], self._signal, 0)
        _to_sensor_axes(rate_rad_s, front[1], self._signal, 3)
        if self._n_grid == 0:
            first = self._signal[:, HISTORY].copy()
            self._filter.rest_at(first)
            self._signal[:, :HISTORY] = first[:, None]
        self._filter.run(self._signal, HISTORY, HISTORY + n)
        self._sample_into(counts)
        self._signal[:, :HISTORY] = self._signal[:, n : n + HISTORY]
        self._n_grid += n
        return counts

    def _sample_into(self, counts: NDArray[np.int16]) -> None:
        """Samples, noise, faults, counts."""
        m = len(counts)
        if m == 0:
            return
        positions = self.clock.positions(self._n_samples, self._n_samples + m)
        self._n_samples += m
        signal = self._draw_noise(m)
        interpolate(self._signal, float(self._n_grid - HISTORY), positions, signal)
        if self._on_signal or self._on_counts:
            times_s = self.clock.times_s(positions)
        for apply in self._on_signal:
            apply(signal.T, times_s)
        _to_counts(signal, self._lsb, self._limit, counts)
        for apply in self._on_counts:
            apply(counts, times_s)

    def _draw_noise(self, m: int) -> NDArray[np.float64]:
        """The sensor's noise at the next m samples, (n_channels, m)."""
        noise = np.zeros((WIDTH, m))
        channels = noise[: len(self._lsb)]
        self._noise.fill(channels)
        if self._noise_filter is not None:
            self._noise_filter.run(noise, 0, m)
        return channels


def _front_end(spec: ImuSpec) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset of both triads, (2, 3, 4), at the reference temperature, and their change per degree.

    The gain leads from motion in machine axes (m/s2, rad/s) to sensor axes (g, deg/s).
    """
    yz, zx, xy = np.array(spec.cross_axis_pct) / 100
    mixing = np.array([[1, xy, zx], [xy, 1, yz], [zx, yz, 1]]) @ mount_rotation(spec.rotation_deg).T
    to_output = np.array([1 / GRAVITY_M_S2, 180 / math.pi])[:, None, None] * mixing

    def triads(scale: Any, offset_mg: _Triple, offset_dps: _Triple) -> NDArray[np.float64]:
        front = np.empty((2, 3, 4))
        front[:, :, :3] = scale[:, :, None] * to_output
        # At rest the specific force is +1 g along the machine's y.
        front[0, :, 3] = np.array(offset_mg) / 1000 + GRAVITY_M_S2 * front[0, :, 1]
        front[1, :, 3] = offset_dps
        return front

    scale = 1 + np.array((spec.accel_scale_error_pct, spec.gyro_scale_error_pct)) / 100
    drift_per_c = np.array((spec.accel_scale_drift_pct_per_c, spec.gyro_scale_drift_pct_per_c)) / 100
    front = triads(scale, spec.zero_g_offset_mg, spec.zero_rate_offset_dps)
    front[:, :, 3] += _TINY
    return front, triads(drift_per_c, spec.zero_g_drift_mg_per_c, spec.zero_rate_drift_dps_per_c)


def _require_numbers(spec: Spec) -> None:
    """Raise ParameterError if a distribution is left in the spec or its faults."""
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Distribution):
                raise ParameterError(f"{name} is still a distribution; realise the scenario first")
            if isinstance(item, Spec):
                _require_numbers(item)
