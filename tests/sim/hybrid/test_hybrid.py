"""Hybrid windows on a machine made for the test: what is added, where it stays, and that draws are pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.analysis import line_amplitude
from sim.dataset.real import RealRecording
from sim.effect import GRAVITY_M_S2
from sim.errors import DatasetError
from sim.hybrid.hybrid import Hybrid, Mix
from sim.hybrid.remount import AS_IT_WAS, Mounting, remount
from sim.hybrid.response import ResponseSimulator
from tests.sim.hybrid.made import CHANNELS, RATE_HZ, RIG, recording

SCENARIO = RIG.model
HEALTHY = [recording(1200), recording(1800), recording(2400)]


@pytest.fixture(scope="module")
def source() -> Hybrid:
    return Hybrid(SCENARIO, HEALTHY, 1024, mix=Mix())


def test_the_response_to_unbalance_is_the_closed_form() -> None:
    """m e w^2 at the disk, through rotor and modes: the amplitude of 1x in g, per g mm."""
    kept = next(f for f in SCENARIO.faults if f.name == "imbalance").model_copy(update={"unbalance_g_mm": 1000.0})
    scenario = SCENARIO.model_copy(update={"faults": [kept]})
    speed_hz = 40.0
    response = ResponseSimulator(scenario, RATE_HZ, CHANNELS).draw("imbalance", 60 * speed_hz, 20000, 1, 0)
    measured = line_amplitude(response.samples_g.T, RATE_HZ, speed_hz)
    structure, rotor = scenario.machine.structure, scenario.machine.rotor
    w = 2 * np.pi * speed_hz
    critical = rotor.critical()
    assert critical is not None
    w0, zeta = critical[0] * np.pi / 30, critical[1]
    amplification = (w0**2 + 2j * zeta * w0 * w) / (w0**2 - w**2 + 2j * zeta * w0 * w)  # spring and damper carry it on
    force = 1000.0e-6 * w**2 * amplification * np.array([1.0, -1j, 0.0])
    at = np.array([speed_hz])
    each = [structure.frequency_response(at, point, "drive_end")[0] for point in ("drive_end", "non_drive_end")]
    expected = np.abs(0.5 * (each[0] + each[1]) @ force) / GRAVITY_M_S2
    assert measured[:2] == pytest.approx(expected[:2], rel=0.05)


def test_a_draw_is_a_pure_function_and_stays_with_its_recording(source: Hybrid) -> None:
    first, again = source.draw("bearing_inner", 3, 5), source.draw("bearing_inner", 3, 5)
    assert np.array_equal(first.samples, again.samples)
    assert first.label == "bearing_wear"
    assert first.kind == "bearing_inner"
    assert first.base.id in {r.id for r in HEALTHY}
    assert not np.array_equal(first.samples, source.draw("bearing_inner", 4, 5).samples)


def test_simulated_imbalance_rises_at_once_a_turn(source: Hybrid) -> None:
    draws = [source.draw("imbalance", 0, n) for n in range(6)]
    strong = max(draws, key=lambda d: d.rise_db)
    assert strong.rise_db > 10.0
    x = strong.samples.reshape(-1, 3)[:1024].astype(float)
    once = line_amplitude(x, RATE_HZ, strong.speed_rpm / 60).max()
    beside = line_amplitude(x, RATE_HZ, 3.37 * strong.speed_rpm / 60).max()
    assert once > 3 * beside


def test_own_speed_without_carrying() -> None:
    source = Hybrid(SCENARIO, HEALTHY, 1024, mix=Mix(carry=False))
    for number in range(4):
        drawn = source.draw("misalignment", 0, number)
        assert drawn.speed_rpm == pytest.approx(drawn.base.speed_rpm, rel=0.01)


def test_real_faults_are_carried() -> None:
    source = Hybrid(SCENARIO, [*HEALTHY, recording(1800, "imbalance")], 1024, mix=Mix(carried_share=1.0))
    excess_db = []
    for number in range(12):
        drawn = source.draw("imbalance", 0, number)
        assert drawn.base.id == "imbalance-1800"
        x = np.concatenate(list(drawn.samples)).astype(float)
        expected = 0.5 * (drawn.speed_rpm / 1800) ** 2
        excess_db.append(20 * np.log10(line_amplitude(x, RATE_HZ, drawn.speed_rpm / 60)[0] / expected))
    # Speed squared, but for the error of carrying, which this well-behaved machine's healthy recordings say is small.
    assert source.carry_error.one_octave_db < 1.5
    assert np.median(excess_db) == pytest.approx(0.0, abs=0.7)
    assert np.std(excess_db) < 2.0


def test_remounting_changes_gains_by_what_it_says() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 4096))
    changed = remount(x, RATE_HZ, Mounting.draw(rng, 200, 5.0, RATE_HZ))
    gains_db = 20 * np.log10(changed.std(axis=1) / x.std(axis=1))
    # White noise is mostly the top octave: the channel's own draw, and the mean of the last two nodes'.
    assert 5.0 < gains_db.std() < 5.0 * np.sqrt(2.0) * 1.1
    np.testing.assert_allclose(remount(x, RATE_HZ, AS_IT_WAS), x, atol=1e-5)


@pytest.mark.parametrize(
    ("recordings", "message"),
    [
        ([recording(1800, "imbalance")], "needs at least one healthy recording"),
        ([replace(HEALTHY[0], channels=("speed_rpm", "accel_y_g", "accel_z_g"))], "channel `speed_rpm` cannot be simulated"),
        ([replace(HEALTHY[0], channels=("roof.accel_x_g", "accel_y_g", "accel_z_g"))], "no point `roof`"),
        ([HEALTHY[0], replace(HEALTHY[1], rate_hz=4000.0)], "all must agree"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(recordings: list[RealRecording], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        Hybrid(SCENARIO, recordings, 1024)


def test_too_short_a_recording_is_said() -> None:
    source = Hybrid(SCENARIO, [HEALTHY[0].part(0.0, 0.3)], 1024, mix=Mix(carry=False))
    short = Hybrid(SCENARIO, [HEALTHY[0].part(0.0, 0.3)], 4096, mix=Mix(carry=False))
    assert len(source.draw("normal", 0, 0).samples) == 1
    with pytest.raises(DatasetError, match="too short for one window of 4096 samples"):
        short.draw("normal", 0, 0)
