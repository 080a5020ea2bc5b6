"""A known machine - shaft line, mode, impacts - carried to another speed is held against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from sim.analysis import line_amplitude
from sim.dataset.real import RealRecording
from sim.hybrid.carry import Analysis, GrowthLaw, carried_samples, carry

RATE_HZ = 10000.0
MODE_HZ = 1500.0


def machine(speed_hz: float, seed: int, line_g: float = 0.0, passing_order: float = 0.0) -> RealRecording:
    """4 s of noise through one mode, its level with speed^1.5, a shaft line of 1x, impacts at an order."""
    rng = np.random.default_rng(seed)
    n = int(4 * RATE_HZ)
    force = rng.standard_normal((n, 2)) * (speed_hz / 20.0) ** 1.5 * 0.01
    t = np.arange(n) / RATE_HZ
    if passing_order:
        # Flutter keeps the harmonics of so regular a train from standing for a spectrum's envelope.
        knocks = np.arange(0.0, 4.0, 1.0 / (passing_order * speed_hz)) + 1e-4 * rng.standard_normal(
            len(np.arange(0.0, 4.0, 1.0 / (passing_order * speed_hz)))
        )
        force[(np.clip(knocks, 0, 3.99) * RATE_HZ).astype(int)] += 1.0
    pole = np.exp((-0.05 + 1j) * 2 * np.pi * MODE_HZ / RATE_HZ)
    samples = signal.lfilter([1.0], [1.0, -2 * pole.real, abs(pole) ** 2], force, axis=0)
    samples[:, 0] += line_g * np.cos(2 * np.pi * speed_hz * t)
    return RealRecording(samples.astype(np.float32), ("accel_x_g", "accel_y_g"), RATE_HZ, f"r{speed_hz}", "normal")


def analysed(speed_hz: float, seed: int = 0, **what: float) -> Analysis:
    return Analysis.of(machine(speed_hz, seed, **what), speed_hz)


@pytest.mark.parametrize("to_hz", [12.0, 20.0, 45.0])
def test_the_resonance_stays_where_it_was(to_hz: float) -> None:
    carried, _ = carry(analysed(20.0), LAW, to_hz, RATE_HZ, 10000, np.random.default_rng(1))
    frequency_hz, density = signal.welch(carried[1], RATE_HZ, nperseg=512)
    assert frequency_hz[density.argmax()] == pytest.approx(MODE_HZ, abs=60.0)


@pytest.mark.parametrize("to_hz", [12.0, 45.0])
def test_broad_band_has_the_level_a_machine_at_that_speed_has(to_hz: float) -> None:
    carried, speed_hz = carry(analysed(20.0), LAW, to_hz, RATE_HZ, 10000, np.random.default_rng(1))
    direct = machine(speed_hz, 5).samples
    band = signal.butter(4, [800, 3000], "bandpass", fs=RATE_HZ, output="sos")
    ratio = signal.sosfilt(band, carried).std(axis=1) / signal.sosfilt(band, direct, axis=0).std(axis=0)
    assert ratio == pytest.approx(1.0, rel=0.12)


def test_a_shaft_line_moves_with_the_shaft_and_grows_with_speed_squared() -> None:
    carried, speed_hz = carry(analysed(20.0, line_g=0.1), LAW, 40.0, RATE_HZ, 10000, np.random.default_rng(1))
    amplitude = line_amplitude(carried[0], RATE_HZ, speed_hz)
    assert amplitude == pytest.approx(0.1 * (speed_hz / 20.0) ** 2, rel=0.05)


def test_impacts_keep_their_order() -> None:
    source = analysed(20.0, passing_order=3.05)
    carried, speed_hz = carry(source, LAW, 32.0, RATE_HZ, 20000, np.random.default_rng(1))
    envelope = np.abs(signal.hilbert(carried[1]))
    frequency_hz, power = signal.periodogram(envelope - envelope.mean(), RATE_HZ, "hann")
    searched = (frequency_hz > 20.0) & (frequency_hz < 160.0)
    strongest_hz = frequency_hz[searched][power[searched].argmax()]
    assert strongest_hz / speed_hz == pytest.approx(3.05, rel=0.02)


def test_a_floor_that_does_not_grow_with_speed_is_found() -> None:
    rng = np.random.default_rng(3)
    analyses = []
    for speed_hz in (10.0, 20.0, 30.0, 40.0):
        samples = rng.standard_normal((80000, 1)) * np.sqrt(0.05**2 + (0.02 * (speed_hz / 20.0) ** 1.5) ** 2)
        recording = RealRecording(samples.astype(np.float32), ("accel_x_g",), RATE_HZ, f"{speed_hz}", "normal")
        analyses.append(Analysis.of(recording, speed_hz))
    floor = GrowthLaw.fit(analyses).floor.mean() * RATE_HZ / 2.0
    assert np.sqrt(floor) == pytest.approx(0.05, rel=0.1)


def test_more_samples_than_the_recording_gives_are_refused() -> None:
    source = analysed(20.0)
    most = carried_samples(source, 40.0, RATE_HZ)
    assert most == pytest.approx(2 * RATE_HZ, rel=0.01)
    with pytest.raises(ValueError, match=r"the recording gives \d+ at 2400 rpm"):
        carry(source, LAW, 40.0, RATE_HZ, most + 1, np.random.default_rng(0))


LAW = GrowthLaw.fit([analysed(20.0)])
