"""Disturbances from outside: their force, momentum and frequency, and the temperature's exponential."""

import numpy as np
import pytest
from scipy import integrate

from sim.environment import Environment, NeighbourTone, Shock, ShockStream
from tests.sim import rig


def test_tone_keeps_its_frequency_whatever_the_machine_does() -> None:
    tone = NeighbourTone(frequency_hz=73.0, force_n=4.0, direction=(0.5, 1.0, 0.2))
    for speed_rpm in (0.0, 1234.0):
        heard = rig.run(tone.stream(rig.site(rig.machine())), seconds=2.0, speed_rpm=speed_rpm)
        amplitude = rig.phasor(heard.force("casing"), 2 * np.pi * 73.0 * heard.time_s)
        assert np.abs(amplitude) == pytest.approx([2.0, 4.0, 0.8], rel=1e-6)
        assert np.ptp(np.angle(amplitude)) == pytest.approx(0.0, abs=1e-6)
        # Nothing else than that line, and nothing at other points.
        assert heard.force("casing")[1].std() == pytest.approx(4.0 / np.sqrt(2), rel=1e-6)
        assert not heard.forces_n[:3].any()


def test_tone_runs_through_from_capture_to_capture() -> None:
    """The neighbour does not start anew when the sensor listens again."""
    tone = NeighbourTone(frequency_hz=73.0, force_n=4.0)
    site = rig.site(rig.machine())
    whole = rig.run(tone.stream(site), seconds=2.0).force("casing")
    later = rig.block(seconds=0.5)
    later.time_s = later.time_s + 1.5
    tone.stream(site).add(later)
    assert np.allclose(later.force("casing"), whole[:, 30_000:], atol=1e-9)


@pytest.mark.parametrize("width_s", [2e-3, 0.02])
def test_shock_brings_its_momentum_at_its_time(width_s: float) -> None:
    rate_hz = 50_000.0
    shocks = [Shock(10.2, (0.3, -0.1, 0.05)), Shock(10.7, (0.0, 1.0, 0.0))]
    block = rig.block(seconds=1.0, rate_hz=rate_hz)
    block.time_s = block.time_s + 10.0
    rig.add(ShockStream(shocks, width_s, 1 / rate_hz, 10.0), block, 3001)
    force = block.force("casing")
    for shock in shocks:
        during = (block.time_s >= shock.time_s - 1e-9) & (block.time_s <= shock.time_s + width_s + 1e-9)
        assert integrate.simpson(force[:, during], dx=1 / rate_hz) == pytest.approx(shock.impulse_n_s, abs=1e-5)
        force[:, during] = 0.0
    assert not force.any()  # nothing before, between and behind
    assert not block.forces_n[:3].any()


def test_shock_too_short_for_the_grid_keeps_its_momentum() -> None:
    """A knock of 0.02 ms on a grid of 0.5 ms."""
    block = rig.block(seconds=0.1, rate_hz=2000.0)
    rig.add(ShockStream([Shock(0.0503, (0.0, 0.2, 0.0))], 2e-5, 1 / 2000.0, 0.0), block)
    assert block.force("casing")[1].sum() / 2000.0 == pytest.approx(0.2, rel=1e-6)


def test_temperature_warms_up_exponentially_with_load() -> None:
    surroundings = Environment(temperature_c=20.0, warm_up_c=40.0, warm_up_time_s=600.0)
    for time_s, load in ((0.0, 1.0), (600.0, 1.0), (600.0, 0.5), (1e5, 1.2)):
        expected = 20.0 + 40.0 * load * -np.expm1(-time_s / 600.0)
        assert surroundings.temperature_at(time_s, np.full(10, load)) == pytest.approx(expected)
    assert surroundings.temperature_at(-1.0, np.ones(10)) == 20.0


def test_everything_together_adds_up() -> None:
    both = Environment(
        neighbours=[NeighbourTone(frequency_hz=50.0, force_n=1.0), NeighbourTone(frequency_hz=50.0, force_n=2.0)]
    )
    site = rig.site(rig.machine())
    shock = [Shock(0.5, (1.0, 0.0, 0.0))]
    whole = rig.run(both.stream(site, shock, 0.0), seconds=1.0).forces_n
    tones = rig.run(both.stream(site, [], 0.0), seconds=1.0).forces_n
    knock = rig.run(Environment().stream(site, shock, 0.0), seconds=1.0).forces_n
    assert np.allclose(whole, tones + knock, atol=1e-9)


def test_neighbours_have_phases_of_their_own() -> None:
    """Two at one frequency: the square of their sum is 1 + 4 + 4 cos of the phases' difference, 5 on average."""
    both = Environment(
        neighbours=[NeighbourTone(frequency_hz=50.0, force_n=1.0), NeighbourTone(frequency_hz=50.0, force_n=2.0)]
    )
    powers = []
    for seed in range(200):
        heard = rig.run(both.stream(rig.site(rig.machine(), 2000.0, seed), [], 0.0), seconds=0.1, rate_hz=2000.0)
        powers.append(abs(rig.phasor(heard.force("casing")[1], 2 * np.pi * 50.0 * heard.time_s)) ** 2)
    assert np.mean(powers) == pytest.approx(5.0, abs=5 * np.sqrt(8 / 200))
    assert (min(powers), max(powers)) == pytest.approx((1.0, 9.0), abs=0.05)
