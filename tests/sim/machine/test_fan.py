"""Blade pass against the sum of the blades' pulses, sidebands of unequal blades, affinity laws, flow noise."""

from typing import Any

import numpy as np
import pytest
from scipy import signal

from sim.drive import RPM
from sim.machine.fan import Fan, FanStream
from tests.sim import rig

BLADES = 7


def fan(**keys: Any) -> Fan:
    return Fan(**{"blades": BLADES, "tip_radius_mm": 200.0, "blade_pass_n": 2.0, "blade_spread_pct": 0.0, **keys})


def run(part: Fan, lifts: rig.Array | None = None, seed: int = 1, **conditions: Any) -> rig.Block:
    """The fan's own stream, or one with these lifts."""
    site = rig.site(rig.machine(fan=part.model_dump()), seed=seed)
    stream = part.stream(site) if lifts is None else FanStream(part, site, lifts, rig.FULL, 0.0)
    return rig.run(stream, **{"seconds": 1.0, "rate_hz": 20_000.0, **conditions})


def orders(made: rig.Block, highest: float = 30.0) -> rig.Array:
    """(3, 2 * highest) amplitude on the casing at the orders 0.5, 1, 1.5, ..."""
    return np.column_stack(
        [np.abs(rig.phasor(made.force("casing"), k * made.angle_rad)) for k in np.arange(0.5, highest, 0.5)]
    )


def at(amplitude: rig.Array, order: float) -> rig.Array:
    return np.asarray(amplitude[:, round(2 * order) - 1])


def test_equal_blades_give_blade_pass_and_its_harmonics_only() -> None:
    amplitude = orders(run(fan(harmonic_decay=0.5)))
    for harmonic, share in ((1, 1.0), (2, 0.5), (3, 0.25)):
        assert at(amplitude, harmonic * BLADES) == pytest.approx(2.0 * share * np.array([0.6, 0.8, 1.0]), rel=1e-3)
    others = np.delete(amplitude, [2 * BLADES * h - 1 for h in (1, 2, 3)], axis=1)
    assert others.max() < 1e-3


def test_unequal_blades_fill_in_the_shaft_orders() -> None:
    """Sidebands at +-1x of blade pass are there if and only if the blades differ."""
    amplitude = orders(run(fan(blade_spread_pct=10.0)))
    for order in (BLADES - 1, BLADES + 1, 2 * BLADES - 1, 2 * BLADES + 1):
        assert at(amplitude, order).min() > 1e-3 * 2.0
    assert amplitude[:, ::2].max() < 1e-3  # but never half orders


def test_lines_are_the_sum_of_the_blades_pulses() -> None:
    """Every blade makes the same periodic force, shifted by its place and weighted with its lift."""
    lifts = np.array([1.0, 1.2, 0.7, 1.0, 0.4, 1.1, 0.9])
    one = run(fan(), lifts=np.eye(BLADES)[0]).force("casing")  # of blade 0 alone
    all_together = run(fan(), lifts=lifts).force("casing")
    turn = 2 * np.pi * 30.0 * np.arange(one.shape[1]) / 20_000.0
    expected = np.zeros_like(one)
    for order in range(1, 3 * BLADES + BLADES // 2 + 1):
        amplitude = rig.phasor(one, order * turn)
        shifts = np.exp(-2j * np.pi * order * np.arange(BLADES) / BLADES) @ lifts
        expected += np.real(np.outer(amplitude * shifts, np.exp(1j * order * turn)))
    assert np.abs(all_together - expected).max() < 2e-3 * np.abs(expected).max()


def test_blade_pass_follows_the_affinity_laws() -> None:
    """Pressure, and with it the force, goes with speed squared; a throttled fan pushes less."""
    at_rated = orders(run(fan()))
    assert at(orders(run(fan(), speed_rpm=900.0)), BLADES) == pytest.approx(at(at_rated, BLADES) / 4, rel=1e-3)
    idle, half, full = (at(orders(run(fan(), load=q)), BLADES)[2] for q in (0.0, 0.5, 1.0))
    assert full - half == pytest.approx(half - idle)
    assert 0.0 < idle < full == pytest.approx(2.0, rel=1e-3)


def test_flow_noise_is_broad_and_goes_with_speed_squared() -> None:
    """Radial along (0.6, 0.8), axial independent of it, each of the stated RMS at rated speed."""
    noisy = fan(blade_pass_n=0.0, flow_noise_n=3.0)
    for speed_rpm, rms_n in ((1800.0, 3.0), (900.0, 0.75)):
        force = run(noisy, seconds=20.0, speed_rpm=speed_rpm).force("casing")
        assert force.std(axis=1) == pytest.approx(rms_n * np.array([0.6, 0.8, 1.0]), rel=0.05)
        assert abs(np.corrcoef(force[1], force[2])[0, 1]) < 0.05
        frequency, density = signal.welch(force[2], 20_000.0, nperseg=4000)
        corner_hz = 20.0 * speed_rpm * RPM / (2 * np.pi)  # half the power at 20 times the shaft's frequency
        plateau = density[(frequency > 10) & (frequency < 0.1 * corner_hz)].mean()
        around = density[np.abs(frequency - corner_hz) < 0.1 * corner_hz].mean()
        assert around / plateau == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_blades_differ_by_the_stated_spread(seed: int) -> None:
    """Of 60 blades the lifts' standard deviation is known to 10 %: from the lines, by Parseval's theorem."""
    many = fan(blades=60, blade_spread_pct=20.0, harmonic_decay=1.0)
    amplitude = orders(run(many, seed=seed, rate_hz=40_000.0, seconds=2.0, speed_rpm=300.0), highest=180.0) * 36.0
    below = np.array([at(amplitude, k)[2] for k in range(1, 60)]) / 2.0  # |DFT_k(lifts)| / 60, k = 1..59
    assert np.sqrt((below**2).sum()) == pytest.approx(0.2, abs=5 * 0.2 / np.sqrt(120))
