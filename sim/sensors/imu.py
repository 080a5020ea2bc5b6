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
from functools import lru_cache
from typing import Annotated, Any, Literal, Protocol, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator
from scipy.signal import butter

from sim.effect import GRAVITY_M_S2, MountPoint
from sim.errors import ParameterError
from sim.scenario.quantity import Distribution, Normal, Quantity
from sim.scenario.spec import Spec
from sim.sensors.devices import DEVICES, Device
from sim.sensors.faults import AnySensorFault, RateSkew, SensorFacts, SensorFault
from sim.sensors.noise import NoiseStream

COUNT_LIMIT = 32767
_WIDTH = 6  # a sensor without gyroscope carries three silent channels along
_HISTORY = 3  # grid points kept from the block before, for the interpolation
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


class SampleClock:
    """When samples are taken: the sensor's rate with its error and skews, against the internal grid.

    Sample k lies at a grid position (0 is the first grid point pushed) that, between changes of the rate, is linear
    in k, so it is computed directly and no error accumulates. Off the grid, a sample needs two grid points more.

    Args:
        odr_hz, rate_error_ppm: rate of the sensor.
        grid_rate_hz: rate of the internal grid.
        start_time_s: scenario time of the first grid point, which is sample 0.
        skews: faults of the clock.
    """

    def __init__(
        self,
        odr_hz: float,
        rate_error_ppm: float,
        grid_rate_hz: float,
        start_time_s: float = 0.0,
        skews: Sequence[RateSkew] = (),
    ) -> None:
        self._grid_rate_hz = grid_rate_hz
        self._start_time_s = start_time_s
        changes_s = {t for s in skews for t in (s.onset_s, s.clear_s) if t is not None and t > start_time_s}
        knots_s = np.array([start_time_s, *sorted(changes_s)])
        factors = np.array([math.prod(1 + s.skew_ppm * 1e-6 for s in skews if s.is_active(t)) for t in knots_s])
        self._steps = grid_rate_hz / (odr_hz * (1 + rate_error_ppm * 1e-6) * factors)
        self._knot_positions = (knots_s - start_time_s) * grid_rate_hz
        self._knot_samples = np.append(0.0, np.cumsum(np.diff(self._knot_positions) / self._steps[:-1]))
        on_grid = len(knots_s) == 1 and self._steps[0] == np.rint(self._steps[0])
        self._lookahead = 0 if on_grid else 2
        if self._steps.min() < 2 * (1 - 1e-9):
            raise ParameterError(
                f"the grid of {grid_rate_hz:g} Hz has less than 2 points per sample at "
                f"{grid_rate_hz / self._steps.min():g} Hz; take 4 times the ODR"
            )

    def positions(self, first: int, stop: int) -> NDArray[np.float64]:
        """Grid positions of the samples first <= k < stop."""
        k = np.arange(first, stop, dtype=np.float64)
        i: Any = 0 if len(self._steps) == 1 else np.searchsorted(self._knot_samples, k, side="right") - 1
        positions: NDArray[np.float64] = self._knot_positions[i] + (k - self._knot_samples[i]) * self._steps[i]
        return positions

    def times_s(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scenario times of grid positions."""
        return self._start_time_s + positions / self._grid_rate_hz

    def samples_after(self, n_grid: int) -> int:
        """How many samples are out once `n_grid` grid points went in."""
        limit = n_grid - self._lookahead  # sample k is out as soon as its position lies below
        if limit <= 0:
            return 0
        i = int(np.searchsorted(self._knot_positions, limit, side="right")) - 1
        k = int(np.ceil(self._knot_samples[i] + (limit - self._knot_positions[i]) / self._steps[i]))
        while k > 0 and self._position(k - 1) >= limit:
            k -= 1
        while self._position(k) < limit:
            k += 1
        return k

    def grid_needed(self, n_samples: int) -> int:
        """How many grid points must go in for `n_samples` samples to come out."""
        return 0 if n_samples <= 0 else math.floor(self._position(n_samples - 1)) + self._lookahead + 1

    def _position(self, k: int) -> float:
        return float(self.positions(k, k + 1)[0])


@njit(cache=True)
def _three(v: NDArray[np.float64]) -> tuple[float, float, float]:
    """The first three elements as scalars, which the compiler can keep in registers."""
    return v[0], v[1], v[2]


@njit(cache=True)
def _five(v: NDArray[np.float64]) -> tuple[float, float, float, float, float]:
    """The first five elements as scalars."""
    return v[0], v[1], v[2], v[3], v[4]


@njit(cache=True)
def _to_sensor_axes(
    motion: NDArray[np.float64], front: NDArray[np.float64], rows: NDArray[np.float64], first: int
) -> None:
    """Columns first..first + 2 of rows (n, 6): front (3, 4), gain and offset, applied to the motion (3, n)."""
    xx, xy, xz = _three(front[0])
    yx, yy, yz = _three(front[1])
    zx, zy, zz = _three(front[2])
    x0, y0, z0 = _three(front[:, 3])
    for i in range(motion.shape[1]):
        x, y, z = motion[0, i], motion[1, i], motion[2, i]
        rows[i, first] = x0 + (xx * x + xy * y + xz * z)
        rows[i, first + 1] = y0 + (yx * x + yy * y + yz * z)
        rows[i, first + 2] = z0 + (zx * x + zy * y + zz * z)


@njit(cache=True)
def _step(
    x: float, section: tuple[float, float, float, float, float], p: float, q: float
) -> tuple[float, float, float]:
    """One sample through a second-order section (transposed direct form II): output and new state."""
    b0, b1, b2, a1, a2 = section
    y = b0 * x + p
    return y, b1 * x - a1 * y + q, b2 * x - a2 * y


@njit(cache=True)
def _filter(rows: NDArray[np.float64], sections: NDArray[np.float64], state: NDArray[np.float64]) -> None:
    """Rows (n, 6) in place through sections (s, 2 triads, 5) with state (s, 2, 6).

    The six channels are written out so that coefficients and states stay in registers: twice as fast as a loop.
    """
    for s in range(sections.shape[0]):
        accel, gyro = _five(sections[s, 0]), _five(sections[s, 1])
        p0, p1, p2 = _three(state[s, 0])
        p3, p4, p5 = _three(state[s, 0, 3:])
        q0, q1, q2 = _three(state[s, 1])
        q3, q4, q5 = _three(state[s, 1, 3:])
        for i in range(rows.shape[0]):
            rows[i, 0], p0, q0 = _step(rows[i, 0], accel, p0, q0)
            rows[i, 1], p1, q1 = _step(rows[i, 1], accel, p1, q1)
            rows[i, 2], p2, q2 = _step(rows[i, 2], accel, p2, q2)
            rows[i, 3], p3, q3 = _step(rows[i, 3], gyro, p3, q3)
            rows[i, 4], p4, q4 = _step(rows[i, 4], gyro, p4, q4)
            rows[i, 5], p5, q5 = _step(rows[i, 5], gyro, p5, q5)
        state[s, 0] = (p0, p1, p2, p3, p4, p5)
        state[s, 1] = (q0, q1, q2, q3, q4, q5)


@njit(cache=True)
def _sample(rows: NDArray[np.float64], positions: NDArray[np.float64], first: float, out: NDArray[np.float64]) -> None:
    """Add to `out` (m, c) the rows at `positions` by 4-point cubic (Lagrange) interpolation; row 0 is at `first`.

    Gain error of the interpolation at half the ODR on a 4x grid: at most 0.9 %.
    """
    for i in range(positions.shape[0]):
        whole = np.floor(positions[i])
        f = positions[i] - whole
        r = int(whole - first)
        if f == 0:
            for c in range(out.shape[1]):
                out[i, c] += rows[r, c]
            continue
        w0 = -f * (f - 1) * (f - 2) / 6
        w1 = (f + 1) * (f - 1) * (f - 2) / 2
        w2 = -(f + 1) * f * (f - 2) / 2
        w3 = (f + 1) * f * (f - 1) / 6
        for c in range(out.shape[1]):
            out[i, c] += w0 * rows[r - 1, c] + w1 * rows[r, c] + w2 * rows[r + 1, c] + w3 * rows[r + 2, c]


@njit(cache=True)
def _to_counts(
    signal: NDArray[np.float64], lsb: NDArray[np.float64], limit: NDArray[np.float64], counts: NDArray[np.int16]
) -> None:
    """Round (half to even) and clip each channel."""
    for i in range(signal.shape[0]):
        for c in range(signal.shape[1]):
            counts[i, c] = int(min(max(np.rint(signal[i, c] / lsb[c]), -limit[c]), limit[c]))


_UNITY = np.array([1.0, 0.0, 0.0, 0.0, 0.0])


@lru_cache(maxsize=256)
def _low_pass_sections(
    cutoffs_hz: tuple[float | None, float | None], rate_hz: float, order: int
) -> NDArray[np.float64]:
    """Butterworth low-pass of both triads, (s, 2, 5) with b0 b1 b2 a1 a2; None, or rate / 2 and more: unity."""
    sections = np.tile(_UNITY, (order // 2, 2, 1))
    for triad, cutoff_hz in enumerate(cutoffs_hz):
        if cutoff_hz is not None and cutoff_hz < rate_hz / 2:
            sos = np.asarray(butter(order, cutoff_hz, fs=rate_hz, output="sos"), np.float64)
            sos[:, :3] *= (sos[:, 3:].sum(axis=1) / sos[:, :3].sum(axis=1))[:, None]  # unit gain at 0 Hz of each
            sections[:, triad] = sos[:, [0, 1, 2, 4, 5]]
    return _without_unity(sections)


def _resonance_section(resonance_hz: float | None, quality: float, rate_hz: float) -> NDArray[np.float64]:
    """w0^2 / (s^2 + s w0 / Q + w0^2) by the bilinear transform exact at w0, (5,).

    None, or a resonance too near half the rate to be represented: unity.
    """
    if resonance_hz is None or resonance_hz >= 0.45 * rate_hz:
        return _UNITY
    w = math.tan(math.pi * resonance_hz / rate_hz)
    norm = 1 / (1 + w / quality + w * w)
    return np.array([w * w, 2 * w * w, w * w, 2 * (w * w - 1), 1 - w / quality + w * w]) * norm


@lru_cache(maxsize=256)
def _chain_sections(
    device_name: str, cutoffs_hz: tuple[float | None, float | None], grid_rate_hz: float
) -> NDArray[np.float64]:
    """All filters between motion and sampling, (s, 2, 5): the transducer's own response and the anti-alias filter."""
    device = DEVICES[device_name]
    resonance = np.stack(
        [
            _resonance_section(device.accel_resonance_hz, device.accel_quality, grid_rate_hz),
            _resonance_section(device.gyro_resonance_hz, device.gyro_quality, grid_rate_hz),
        ]
    )
    low_pass = _low_pass_sections(cutoffs_hz, grid_rate_hz, device.anti_alias_order)
    return np.concatenate([_without_unity(resonance[None]), low_pass])


def _without_unity(sections: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sections (s, 2, 5) that do something to either triad."""
    return np.ascontiguousarray(sections[(sections != _UNITY).any(axis=(1, 2))])


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
        self._sections = _chain_sections(device.name, cutoffs_hz, grid_rate_hz)
        self._state = np.zeros((len(self._sections), 2, _WIDTH))
        self._rows = np.empty((_HISTORY, _WIDTH))
        self._n_grid = 0
        self._n_samples = 0

        # A low-pass below half the ODR is in the way of the sensor's noise too.
        self._noise_sections = _low_pass_sections(cutoffs_hz, spec.odr_hz, device.anti_alias_order)
        self._noise_state = np.zeros((len(self._noise_sections), 2, _WIDTH))
        density, instability, walk = (np.repeat(pair, 3)[:n] for pair in device.noise(spec.range_g))
        self._noise = NoiseStream(density, instability, walk, spec.odr_hz, n, random.noise("noise"))
        if len(self._noise_sections):
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
        if len(self._rows) < _HISTORY + n:
            self._rows = np.concatenate([self._rows[:_HISTORY], np.empty((n, _WIDTH))])
        new = self._rows[_HISTORY : _HISTORY + n]
        _to_sensor_axes(accel_m_s2, front[0], new, 0)
        _to_sensor_axes(rate_rad_s, front[1], new, 3)
        if self._n_grid == 0:
            self._rest_at(new[0])
        _filter(new, self._sections, self._state)
        self._sample_into(counts)
        self._rows[:_HISTORY] = self._rows[n : n + _HISTORY]
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
        _sample(self._rows, positions, float(self._n_grid - _HISTORY), signal)
        if self._on_signal or self._on_counts:
            times_s = self.clock.times_s(positions)
        for apply in self._on_signal:
            apply(signal, times_s)
        _to_counts(signal, self._lsb, self._limit, counts)
        for apply in self._on_counts:
            apply(counts, times_s)

    def _draw_noise(self, m: int) -> NDArray[np.float64]:
        noise = self._noise.draw(m)
        if len(self._noise_sections):
            padded = np.zeros((m, _WIDTH))
            padded[:, : noise.shape[1]] = noise
            _filter(padded, self._noise_sections, self._noise_state)
            noise = padded[:, : noise.shape[1]]
        return noise

    def _rest_at(self, row: NDArray[np.float64]) -> None:
        """Filter states and history as if the input had always been `row` (all sections have unit gain at 0 Hz)."""
        _, b1, b2, a1, a2 = np.repeat(self._sections, 3, axis=1).transpose(2, 0, 1)  # (s, 6) each
        self._state[:, 1] = (b2 - a2) * row
        self._state[:, 0] = (b1 - a1) * row + self._state[:, 1]
        self._rows[:_HISTORY] = row


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
