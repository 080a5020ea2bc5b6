"""Contract checks that every sensor and every sensor fault passes; a new one gets them for free.

The pattern is that of scikit-learn's `check_estimator`: a plain function that raises AssertionError with what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.effect import GRAVITY_M_S2
from sim.seeds import generator
from sim.sensors.devices import DEVICES
from sim.sensors.faults import SENSOR_FAULTS, SensorFault
from sim.sensors.imu import ImuSpec, ImuStream

_CUTS = (1, 2, 3, 1000, 17, 4096, 5, 999)
_OVERSAMPLING = 4


@dataclass(frozen=True)
class SeededSource:
    """Generators from a bare seed, for a sensor outside a simulated machine."""

    seed: int = 0

    def noise(self, purpose: str) -> np.random.Generator:
        """The generator of a purpose."""
        return generator(self.seed, purpose)


def record(
    spec: ImuSpec,
    accel_m_s2: NDArray[np.float64],
    rate_rad_s: NDArray[np.float64],
    seed: int = 0,
    cuts: Sequence[int] = (8192,),
    grid_rate_hz: float | None = None,
) -> NDArray[np.int16]:
    """All samples (m, n_channels) of a motion (3, n) given at once, pushed in blocks of `cuts` grid points in turn."""
    stream = ImuStream(spec, grid_rate_hz or _OVERSAMPLING * spec.odr_hz, SeededSource(seed))
    edges = np.cumsum(np.resize(cuts, 1 + accel_m_s2.shape[1] // max(1, min(cuts))))
    parts = zip(*(np.split(m, edges[edges < m.shape[1]], axis=1) for m in (accel_m_s2, rate_rad_s)), strict=True)
    return np.concatenate([stream.push(a, r) for a, r in parts])


def tone(
    amplitude: float, frequency_hz: float, grid_rate_hz: float, duration_s: float, axes: Sequence[int] = (0, 1, 2)
) -> NDArray[np.float64]:
    """A sine on some axes of a motion (3, n)."""
    time_s = np.arange(round(duration_s * grid_rate_hz)) / grid_rate_hz
    motion = np.zeros((3, len(time_s)))
    motion[list(axes)] = amplitude * np.sin(2 * np.pi * frequency_hz * time_s)
    return motion


def amplitude_at(samples: NDArray[np.float64], frequency_hz: float, rate_hz: float) -> NDArray[np.float64]:
    """Amplitude of a sine of known frequency in each column, by least squares beside a constant."""
    phase = 2 * np.pi * frequency_hz / rate_hz * np.arange(len(samples))
    basis = np.column_stack([np.sin(phase), np.cos(phase), np.ones_like(phase)])
    fit = np.linalg.lstsq(basis, samples, rcond=None)[0]
    return np.asarray(np.hypot(fit[0], fit[1]))


def check_sensor_fault(cls: type[SensorFault]) -> None:
    """Raise AssertionError unless the fault keeps the contract of `SensorFault`."""
    _require(cls in SENSOR_FAULTS, cls, "is not registered in SENSOR_FAULTS")
    for text in (cls.state, cls.citation, cls.limits):
        _require(isinstance(text, str) and bool(text.strip()), cls, "must state its label, citation and limits")
    kind = cls.model_fields["kind"].default
    _require([f.model_fields["kind"].default for f in SENSOR_FAULTS].count(kind) == 1, cls, "shares its kind")
    _require(cls.state != "ok", cls, "has the label of a sound sensor")

    onset_s, clear_s, end_s = 0.5, 1.5, 2.0
    fault = cls.model_validate({**cls.example, "kind": kind, "onset_s": onset_s, "clear_s": clear_s})
    for time_s in (0.0, 0.499, 1.5, 1.9):
        _require(fault.severity(time_s) == 0 and fault.physical(time_s)[0] == 0, cls, f"is not absent at {time_s} s")
    _require(0 < fault.severity(1.0) <= 1, cls, f"states severity {fault.severity(1.0)}, not in (0, 1]")
    value, unit = fault.physical(1.0)
    _require(np.isfinite(value) and value != 0 and bool(unit), cls, "states no physical value with its unit")

    for device, odr_hz in (("lsm6dso", 3332.0), ("adxl356", 5000.0)):
        sound = ImuSpec(id="check", device=device, odr_hz=odr_hz, specimen="nominal")
        faulty = sound.model_copy(update={"faults": (fault,)})
        accel, rate = _lively(sound, end_s)
        expected, got = record(sound, accel, rate), record(faulty, accel, rate)
        first, last = round(onset_s * odr_hz), round(clear_s * odr_hz)
        _require(np.array_equal(got[:first], expected[:first]), cls, "acts before its onset")
        n = min(len(got), len(expected))
        _require(not np.array_equal(got[first : min(n, last)], expected[first : min(n, last)]), cls, "does nothing")
        if cls.clears:
            _require(np.array_equal(got[last:], expected[last:]), cls, "acts after it cleared")
        _require(np.abs(got.astype(int)).max() <= np.iinfo(np.int16).max, cls, "leaves the range of counts")
        _require(np.array_equal(got, record(faulty, accel, rate)), cls, "is not deterministic")
        _require(np.array_equal(got, record(faulty, accel, rate, cuts=_CUTS)), cls, "depends on the cut into blocks")
        lasting = faulty.model_copy(update={"faults": (fault.model_copy(update={"clear_s": None}),)})
        still = record(lasting, accel, rate)
        n = min(len(still), len(expected))
        _require(not np.array_equal(still[last:n], expected[last:n]), cls, "ends although it does not clear")


def check_sensor(device_name: str) -> None:
    """Raise AssertionError unless the device, through the whole chain, measures what it should."""
    device = DEVICES[device_name]
    odr_hz = max(device.odrs_hz, default=20000.0)
    spec = ImuSpec(id="check", device=device_name, odr_hz=odr_hz, specimen="nominal")
    grid_hz = _OVERSAMPLING * odr_hz
    scale = ImuStream(spec, grid_hz, SeededSource()).scale.astype(float)
    rest = np.zeros((3, round(grid_hz)))
    _require(
        len(spec.channel_names) == len(spec.units) == len(scale), device_name, "channel names, units and scale differ"
    )
    full_scale = np.repeat([spec.range_g, spec.range_dps or 0.0], 3)[: len(scale)]
    lsb = [device.accel_lsb_mg[spec.range_g] / 1e3, device.gyro_lsb_mdps.get(spec.range_dps or 0.0, 0.0) / 1e3]
    _require(
        np.allclose(scale, np.repeat(lsb, 3)[: len(scale)], rtol=1e-6), device_name, "scale is not the datasheet's LSB"
    )

    readings = {
        rotation: record(spec.model_copy(update={"rotation_deg": rotation}), rest, rest) for rotation in _ROTATIONS
    }
    noise_rms = readings[0, 0, 0].std(axis=0) * scale
    slack = scale + 6 * noise_rms / np.sqrt(odr_hz) + 12 * np.repeat(device.noise(spec.range_g)[1], 3)[: len(scale)]
    for rotation, up in _ROTATIONS.items():
        mean = readings[rotation].mean(axis=0) * scale
        if up is not None:
            _require(np.allclose(mean[:3], up, rtol=0, atol=slack[0]), device_name, f"reads {mean[:3]} g at {rotation}")
        norm = float(np.linalg.norm(mean[:3]))
        _require(abs(norm - 1) < 2 * slack[0], device_name, f"reads {norm} g at rest, rotated by {rotation}")
        _require(bool((np.abs(mean[3:]) < slack[3:]).all()), device_name, "turns at rest")

    density = np.repeat(device.noise(spec.range_g)[0], 3)[: len(scale)]
    enbw_hz = np.array(
        [_noise_bandwidth_hz(fc, odr_hz, device.anti_alias_order) for fc in np.repeat(spec.bandwidths_hz, 3)]
    )
    expected = np.sqrt(density**2 * enbw_hz[: len(scale)] + np.where(density > 0, scale**2 / 12, 0))
    many = record(spec, np.zeros((3, 80000)), np.zeros((3, 80000))).std(axis=0) * scale
    _require(np.allclose(many, expected, rtol=0.05), device_name, f"noise rms is {many}, not {expected}")

    frequency_hz = odr_hz / 50
    accel_full, rate_full = spec.range_g * GRAVITY_M_S2, (spec.range_dps or 0.0) * np.pi / 180
    seen = []
    for part in (0.2, 0.4):
        accel, rate = (tone(part * full, frequency_hz, grid_hz, 1.0) for full in (accel_full, rate_full))
        seen.append(amplitude_at(record(spec, accel, rate) * scale, frequency_hz, odr_hz))
        _require(np.allclose(seen[-1], part * full_scale, rtol=0.01), device_name, f"reads {seen[-1]} of {part} range")
    _require(np.allclose(seen[1], 2 * seen[0], rtol=0.003), device_name, "is not linear within its range")

    limit = np.minimum(np.iinfo(np.int16).max, np.floor(full_scale / scale + 1e-3))
    for sign in (1, -1):
        rail = record(spec, np.full((3, 4000), sign * 3 * accel_full), np.full((3, 4000), sign * 3 * rate_full))
        _require(bool((rail == sign * limit).all()), device_name, f"does not clip at its range: {rail[0]}, not {limit}")

    for rate_error_ppm in (0.0, 1234.5):
        skewed = spec.model_copy(update={"rate_error_ppm": rate_error_ppm})
        accel, rate = _lively(skewed, 0.5)
        got = record(skewed, accel, rate)
        _require(np.array_equal(got, record(skewed, accel, rate)), device_name, "is not deterministic")
        cut = record(skewed, accel, rate, cuts=_CUTS)
        _require(np.array_equal(got, cut), device_name, "depends on the cut into blocks")


_ROTATIONS: dict[tuple[float, float, float], tuple[float, float, float] | None] = {
    (0, 0, 0): (0, 1, 0),
    (90, 0, 0): (0, 0, -1),
    (0, 90, 0): (0, 1, 0),
    (0, 0, 90): (1, 0, 0),
    (90, 90, 0): (1, 0, 0),
    (0, 0, 180): (0, -1, 0),
    (17, -42, 133): None,
    (-75, 12, 260): None,
}
"""Mount rotations and what the accelerometer then reads at rest (g), found by turning a box in the hand."""


def _noise_bandwidth_hz(cutoff_hz: float, rate_hz: float, order: int) -> float:
    """Equivalent noise bandwidth of the digital Butterworth low-pass, from its closed form."""
    if cutoff_hz >= rate_hz / 2:
        return rate_hz / 2
    f = (np.arange(20000) + 0.5) / 40000  # of the rate
    ratio = np.tan(np.pi * f) / np.tan(np.pi * cutoff_hz / rate_hz)
    return float(np.mean(1 / (1 + ratio ** (2 * order)))) * rate_hz / 2


def _lively(spec: ImuSpec, duration_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Motion that fills most of the range and differs from axis to axis."""
    n = round(duration_s * spec.odr_hz * _OVERSAMPLING)
    angle = 2 * np.pi * np.arange(n) / (spec.odr_hz * _OVERSAMPLING)
    wave = np.array([np.sin(37 * angle), 0.7 * np.sin(83 * angle + 1), 0.5 * np.sin(151 * angle + 2)])
    return 0.7 * spec.range_g * GRAVITY_M_S2 * wave, 0.7 * (spec.range_dps or 1.0) * np.pi / 180 * wave[::-1]


def _require(holds: bool, who: object, what: str) -> None:
    if not holds:
        raise AssertionError(f"{who.__name__ if isinstance(who, type) else who} {what}")
