"""Kernels against numpy's trigonometry, the continuous first-order process, and pulses integrated by hand."""

import math

import numpy as np
import pytest
from scipy import integrate, signal

from sim.drive import RPM
from sim.effect import Block
from sim.waveforms import ShaftLines, ShapedNoise, add_pulses, add_tone, phasor
from tests.sim import rig

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("reach_rad", [10.0, 1e5])
def test_sine_and_cosine(reach_rad: float) -> None:
    angle = RNG.uniform(-reach_rad, reach_rad, 100_000)
    c, s = np.empty_like(angle), np.empty_like(angle)
    phasor(angle, c, s)
    assert np.abs(c - np.cos(angle)).max() < 2e-11
    assert np.abs(s - np.sin(angle)).max() < 2e-11


@pytest.mark.parametrize("columns", [slice(None), slice(1, None, 2)], ids=["half orders", "whole orders"])
@pytest.mark.parametrize("lines", [2, 24, 61])
@pytest.mark.parametrize("turns", [0.0, 1e5], ids=["at the start", "after hours"])
def test_shaft_lines_are_a_fourier_series(columns: slice, lines: int, turns: float) -> None:
    """Two series on three axes, one of them without force, each with a phase of its own; worst case over 20 000 angles."""
    angle = 2 * np.pi * turns + np.sort(RNG.uniform(-50, 3000, 20_000))
    gain = RNG.uniform(0, 2, 20_000)
    amplitudes, directions = np.zeros((2, lines), dtype=complex), np.zeros((3, 2), dtype=complex)
    amplitudes[:, columns] = _complex(*amplitudes[:, columns].shape)
    directions[::2] = _complex(2, 2)
    before = RNG.standard_normal((3, 20_000))
    out, made = before.copy(), rig.block(seconds=1.0)
    made.angle_rad, made.cos_angle, made.sin_angle = angle, np.cos(angle), np.sin(angle)
    ShaftLines(amplitudes, directions).add(out, gain, made)
    series = np.zeros((2, 20_000), dtype=complex)
    for k in range(lines):
        series += amplitudes[:, k : k + 1] * np.exp(0.5j * (k + 1) * angle)
    expected = gain * (directions @ series).real
    # The stated accuracy, 3e-6 of the largest force: 20 dB below a step of a sensor driven to full scale by it.
    assert np.abs(out - before - expected).max() < 3e-6 * np.abs(expected).max()
    assert not (out - before)[1].any()


def _complex(*shape: int) -> rig.Complex:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


def test_shaft_lines_take_one_series_an_axis_without_directions() -> None:
    amplitudes = np.zeros((3, 4), dtype=complex)
    amplitudes[0, 1], amplitudes[2, 3] = 2.0, 3.0j
    made = rig.block(seconds=0.1)
    out = np.zeros((3, made.n))
    ShaftLines(amplitudes).add(out, np.ones(made.n), made)
    expected = (2.0 * np.cos(made.angle_rad), 0.0 * made.angle_rad, -3.0 * np.sin(2.0 * made.angle_rad))
    assert out == pytest.approx(np.array(expected), abs=1e-5)


def test_tone() -> None:
    time_s, amplitude = RNG.uniform(-1e4, 1e4, 500), np.array([0.5, 0.0, -2.0])
    out = np.ones((3, 500))
    add_tone(out, time_s, 3.0, 0.7, amplitude)
    assert out == pytest.approx(1.0 + np.outer(amplitude, np.cos(3.0 * time_s + 0.7)), abs=1e-9)


# ------------------------------------------------------------------------------------------------------------- pulses


def _pulse_shape(t: float, rise: float, hold: float, fall: float) -> float:
    """Half-cosine flanks around a plateau, from 0 to rise + hold + fall."""
    if not 0.0 <= t <= rise + hold + fall:
        return 0.0
    if t < rise:
        return math.sin(0.5 * math.pi * t / rise) ** 2
    return 1.0 if t <= rise + hold else math.cos(0.5 * math.pi * (t - rise - hold) / fall) ** 2


@pytest.mark.parametrize(
    "timing", [(10.3, 2.0, 0.0, 2.0), (40.9, 7.5, 20.2, 3.1), (95.0, 30.0, 100.0, 50.0), (-3.6, 5, 1, 9)]
)
@pytest.mark.parametrize("block", [1, 7, 64, 300])
def test_pulses_fall_where_they_belong_however_time_is_cut(
    timing: tuple[float, float, float, float], block: int
) -> None:
    start, *shape = timing
    pulses = np.array([[start, *shape, 1.0, -2.0, 0.5]])
    out = np.zeros((3, 300))
    for first in range(0, 300, block):
        part = np.zeros((3, min(block, 300 - first)))
        add_pulses(part, float(first), pulses)
        out[:, first : first + block] = part
    expected = np.array([_pulse_shape(i - start, *shape) for i in range(300)])
    assert out == pytest.approx(np.outer([1.0, -2.0, 0.5], expected), abs=1e-12)


def test_pulse_carries_its_impulse() -> None:
    """Sampled finely enough, the sum is the integral: plateau plus half of both flanks."""
    out = np.zeros((3, 2000))
    add_pulses(out, 0.0, np.array([[100.37, 250.0, 400.0, 130.0, 3.0, 0.0, 0.0]]))
    by_hand, _ = integrate.quad(_pulse_shape, 0, 780, args=(250, 400, 130), points=[250, 650], epsabs=1e-10)
    assert by_hand == pytest.approx(125 + 400 + 65)
    assert out[0].sum() == pytest.approx(3.0 * by_hand, rel=1e-6)


# ------------------------------------------------------------------------------------------------------- shaped noise

DIRECTIONS = ((0.6, 0.8, 0.0), (0.0, 0.0, 2.0))


class _Noise(ShapedNoise):
    """As a stream of its own: 3 N on the casing."""

    def add(self, block: Block) -> None:  # type: ignore[override]
        super().add(block, "casing", np.full(block.n, 3.0))


def _noise(
    corner_order: float, seconds: float, rate_hz: float, modulation: float = 0.0, phase: float = 0.0, length: int = 8192
) -> rig.Array:
    """(3, n) force."""
    source = _Noise(np.random.default_rng(5), DIRECTIONS, corner_order, modulation, phase)
    return rig.add(source, rig.block(seconds=seconds, speed_rpm=1800.0, rate_hz=rate_hz), length).force("casing")


def test_shaped_noise_is_the_continuous_first_order_process() -> None:
    """Density 4 sigma^2 / wc / (1 + (w / wc)^2), one-sided, where the corner wc lies well inside the grid's range."""
    corner_order, rate_hz = 20.0, 40_000.0
    force = _noise(corner_order, 60.0, rate_hz)
    frequency, density = signal.welch(force, rate_hz, nperseg=4000)
    inside = (frequency > 20) & (frequency < 3000)
    corner = corner_order * 1800 * RPM
    expected = 4.0 / corner / (1.0 + (2 * math.pi * frequency[inside] / corner) ** 2)
    for row, sigma in zip(density, (3 * 0.6, 3 * 0.8, 3 * 2.0), strict=True):
        # 600 segments: each bin scatters by about 4 %; their mean over 300 bins by 0.3 %.
        ratio = row[inside] / (sigma**2 * expected)
        assert ratio.mean() == pytest.approx(1.0, abs=0.02)
        assert np.polyfit(frequency[inside], ratio, 1)[0] * 3000 == pytest.approx(0.0, abs=0.04)
    assert force.std(axis=1) == pytest.approx([1.8, 2.4, 6.0], rel=0.02)
    assert np.allclose(force[0], 0.75 * force[1], rtol=0, atol=1e-9)  # one noise in two directions
    assert abs(np.corrcoef(force[1], force[2])[0, 1]) < 0.02  # the other is independent of it


def test_shaped_noise_does_not_depend_on_the_grid() -> None:
    """A bearing's corner (400 orders: 12 kHz) lies beyond the grid: what is below must not depend on the grid."""
    heard = []
    for rate_hz in (6664.0, 13328.0, 53312.0):
        force = _noise(400.0, 20.0, rate_hz)
        frequency, density = signal.welch(force[1], rate_hz, nperseg=round(rate_hz / 10))
        heard.append(density[(frequency > 50) & (frequency < 1000)].mean())
    assert heard == pytest.approx([heard[-1]] * 3, rel=0.05)


def test_modulation_once_a_turn() -> None:
    force = _noise(400.0, 30.0, 20_000.0, modulation=0.5, phase=1.2)
    whole = rig.block(seconds=30.0)
    # Power is sigma^2 (1 + m cos)^2 = sigma^2 (1 + m^2/2 + 2 m cos + m^2/2 cos 2.): its line at 1x over the mean.
    power = force[1] ** 2 / np.mean(force[1] ** 2)
    assert rig.phasor(power, whole.angle_rad) == pytest.approx(2 * 0.5 / 1.125 * np.exp(1.2j), abs=0.02)
    assert abs(rig.phasor(power, 2 * whole.angle_rad)) == pytest.approx(0.125 / 1.125, abs=0.02)


def test_shaped_noise_does_not_depend_on_cuts() -> None:
    """But for rounding: it is worked out four samples at a time."""
    whole = _noise(50.0, 1.0, 20_000.0, 0.3, 0.4)
    assert _noise(50.0, 1.0, 20_000.0, 0.3, 0.4, length=777) == pytest.approx(whole, abs=1e-12)
