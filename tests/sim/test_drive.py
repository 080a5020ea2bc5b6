"""The shaft's motion against integrals and derivatives worked out otherwise, and its random parts against theory."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import integrate

from sim.drive import RPM, Drive, Operation, SpeedProfile
from tests.sim import rig

Points = Sequence[tuple[float, float, float]]

PLAN: Points = [  # time (s), speed (rpm), load: start, hold, ramp down to a stop, stand still, start again
    (0.0, 1200.0, 0.5),
    (2.0, 1200.0, 0.5),
    (2.5, 2400.0, 1.0),
    (4.0, 2400.0, 1.0),
    (6.0, 0.0, 0.0),
    (7.0, 0.0, 0.0),
    (7.25, 900.0, 1.2),
    (9.0, 900.0, 1.2),
]


def profile(points: Points = PLAN) -> SpeedProfile:
    time_s, speed_rpm, load = (np.array(c, dtype=float) for c in zip(*points, strict=True))
    return SpeedProfile.from_points(time_s, speed_rpm * RPM, load)


def drive(
    seconds: float,
    rate_hz: float = 5000.0,
    start_s: float = 0.0,
    cuts: Sequence[int] = (),
    points: Points = PLAN,
    seed: int = 3,
    **keys: float,
) -> rig.Array:
    """(5, n) time, angle, speed, acceleration, load; filled in blocks that end at `cuts`."""
    operation = Operation(speed_rpm=1.0, **{"ripple_pct": 0.0, "wander_pct": 0.0, **keys})
    shaft = Drive(operation, profile(points), start_s, np.random.default_rng(seed))
    n = round(seconds * rate_hz)
    out = np.empty((5, n))
    for first, end in zip((0, *cuts), (*cuts, n), strict=True):
        part = out[:, first:end]
        part[0] = start_s + np.arange(first, end) / rate_hz
        rows = np.empty((4, end - first))
        shaft.fill(part[0], *rows)
        part[1:] = rows
    return out


# ---------------------------------------------------------------------------------------------------- without noise


def test_follows_the_plan_and_turns_by_its_integral() -> None:
    time_s, angle, speed, accel, load = drive(10.0)
    plan_s, plan_rpm, plan_load = np.array(PLAN).T
    assert np.allclose(speed, np.interp(time_s, plan_s, plan_rpm) * RPM, rtol=0, atol=1e-9)
    assert np.allclose(load, np.interp(time_s, plan_s, plan_load), rtol=0, atol=1e-12)
    # By hand: areas of the trapezes, in turns: 40, 15, 60, 40, 0, 1.875, 26.25, and one second more at the last speed.
    turns = [(angle[time_s == t][0] - angle[0]) / (2 * math.pi) for t in (2.0, 2.5, 4.0, 6.0, 7.0, 7.25, 9.0)]
    assert turns == pytest.approx([40, 55, 115, 155, 155, 156.875, 183.125], abs=1e-9)
    assert (angle[-1] - angle[0]) / (2 * math.pi) == pytest.approx(183.125 + 15.0 * (10.0 - 9.0 - 1 / 5000), abs=1e-9)
    expected = {1.0: 0.0, 2.25: 2400.0 * RPM, 5.0: -1200.0 * RPM, 6.5: 0.0, 7.125: 3600.0 * RPM}
    for t, value in expected.items():
        assert accel[time_s == t][0] == pytest.approx(value, abs=1e-8)


def test_stands_still_in_a_stop() -> None:
    time_s, angle, speed, accel, _ = drive(10.0, ripple_pct=5.0, wander_pct=2.0, wander_time_s=0.5)
    stopped = (time_s > 6.3) & (time_s < 6.7)  # wander warps the plan's time by some hundredths
    assert np.ptp(angle[stopped]) == 0.0
    assert np.abs(speed[stopped]).max() == 0.0
    assert np.abs(accel[stopped]).max() == 0.0


def test_before_the_plan_its_first_condition_holds() -> None:
    """The settling of a capture that starts with the run."""
    _, angle, speed, _, load = drive(1.0, start_s=-0.5)
    assert speed == pytest.approx(1200 * RPM)
    assert load == pytest.approx(0.5)
    assert np.diff(angle) == pytest.approx(1200 * RPM / 5000)


def test_a_capture_in_the_middle_sees_the_same_plan() -> None:
    whole, part = drive(9.0), drive(2.0, start_s=5.0)
    assert np.allclose(part[2:], whole[2:, 25_000:35_000], rtol=0, atol=1e-9)


# -------------------------------------------------------------------------------------------- consistency of motion

BOTH = {"ripple_pct": 1.0, "ripple_order": 3.0, "wander_pct": 1.0, "wander_time_s": 0.5}


@pytest.mark.parametrize("keys", [{"ripple_pct": 3.0}, {"wander_pct": 2.0, "wander_time_s": 0.2}, BOTH], ids=str)
def test_speed_is_the_derivative_of_the_angle_and_acceleration_that_of_the_speed(keys: dict[str, float]) -> None:
    rate_hz = 200_000.0
    time_s, angle, speed, accel, _ = drive(3.0, rate_hz, start_s=1.6, **keys)  # a hold, a ramp, a hold
    smooth = np.ones(len(time_s) - 2, dtype=bool)  # everywhere but at the plan's corners and the wander's nodes
    for corner in (2.0, 2.5, 4.0):
        smooth &= np.abs(time_s[1:-1] - corner) > 0.1
    smooth &= np.abs((time_s[1:-1] - 1.6) * 32 % 1 - 0.5) < 0.49
    # Central differences; their error is h^2/6 of the third derivative, and rounding of an angle of some hundred rad.
    for value, rate in ((angle, speed), (speed, accel)):
        error = np.abs((value[2:] - value[:-2]) * rate_hz / 2 - rate[1:-1])
        assert error[smooth].max() < 1e-5 * np.abs(rate).max()
        assert error.max() < (2e-6 if rate is speed else 1.01) * np.abs(rate).max()  # the speed bends, but never jumps
    turned = integrate.simpson(speed[:-1], dx=1 / rate_hz)
    assert angle[-2] - angle[0] == pytest.approx(turned, abs=1e-5)


def test_blocks_cut_anywhere_give_the_same_motion() -> None:
    keys = {"seconds": 4.0, "ripple_pct": 2.0, "wander_pct": 1.0, "wander_time_s": 0.3}
    whole = drive(**keys)  # type: ignore[arg-type]
    for cuts in ((8192,), (1, 2, 3, 5000, 5001, 17_000), tuple(range(156, 20_000, 157))):
        assert np.allclose(drive(cuts=cuts, **keys), whole, rtol=0, atol=1e-9)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- ripple and wander

STEADY: Points = [(0.0, 1800.0, 1.0), (4000.0, 1800.0, 1.0)]


@pytest.mark.parametrize(("pct", "order"), [(0.5, 1.0), (2.0, 2.0), (1.0, 6.5)])
def test_ripple_has_its_amplitude_at_its_order(pct: float, order: float) -> None:
    time_s, angle, speed, _, _ = drive(2.0, points=STEADY, ripple_pct=pct, ripple_order=order)
    # In the angle of the plan, w t, the ripple is a pure cosine.
    mean = 1800 * RPM
    assert abs(rig.phasor(speed, order * mean * time_s)) / mean == pytest.approx(pct / 100, rel=1e-6)
    assert abs(rig.phasor(angle - mean * time_s, order * mean * time_s)) == pytest.approx(pct / 100 / order, rel=1e-6)
    assert speed.max() == pytest.approx(mean * (1 + pct / 100), rel=1e-4)


def test_wander_is_an_ornstein_uhlenbeck_process() -> None:
    """Standard deviation as stated; correlation exp(-lag / time), here over 4000 correlation times."""
    _, _, speed, _, _ = drive(
        4000.0, 64.0, points=[(0.0, 1800.0, 1.0), (5000.0, 1800.0, 1.0)], wander_pct=1.5, wander_time_s=1.0
    )
    deviation = speed / (1800 * RPM) - 1
    # With 2000 independent values: 1.6 % of the deviation; of the mean 1.5 % / sqrt(2000).
    assert deviation.std() == pytest.approx(0.015, rel=0.06)
    assert deviation.mean() == pytest.approx(0.0, abs=5 * 0.015 / math.sqrt(2000))
    for lag_s in (0.25, 0.5, 1.0, 2.0):
        lag = round(64 * lag_s)
        correlation = np.mean(deviation[:-lag] * deviation[lag:]) / deviation.var()
        assert correlation == pytest.approx(math.exp(-lag_s), abs=0.06)


def test_seeds_and_captures_differ() -> None:
    assert not np.array_equal(drive(1.0, seed=1, wander_pct=1.0), drive(1.0, seed=2, wander_pct=1.0))


# --------------------------------------------------------------------------------------------------- the scenario's


def test_operation_wants_one_form() -> None:
    segment = {"duration_s": 1.0, "speed_rpm": 100.0}
    for wrong in ({}, {"speed_rpm": 100.0, "segments": [segment]}, {"segments": [segment], "load": 0.5}):
        with pytest.raises(ValidationError, match="segments"):
            Operation.model_validate(wrong)
    (only,) = Operation(speed_rpm=100.0, load=0.3, duration_s=7.0).plan()
    assert (only.speed_rpm, only.load, only.duration_s, only.ramp_s) == (100.0, 0.3, 7.0, 0.0)
