"""The timeline that the discrete-event world decides, against the plan by hand, scipy's quad, and Poisson."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from sim.drive import RPM
from sim.environment import Shock
from sim.scenario.schema import Scenario
from sim.world import Timeline, World
from tests.sim import rig

SEGMENTS = [
    {"duration_s": 10.0, "speed_rpm": 1200.0, "load": 0.5, "ramp_s": 3.0},  # the first ramp has nothing to start from
    {"duration_s": 20.0, "speed_rpm": 3000.0, "load": 1.0, "ramp_s": 5.0},
    {"duration_s": 10.0, "speed_rpm": 3000.0, "load": 0.2, "ramp_s": 2.0},  # a load step
    {"duration_s": 15.0, "speed_rpm": 0.0, "load": 0.0, "ramp_s": 4.0},  # a stop
    {"duration_s": 5.0, "speed_rpm": 600.0, "load": 1.2, "ramp_s": 0.0},  # at once
    {"duration_s": 5.0, "speed_rpm": 1800.0, "load": 1.0, "ramp_s": 50.0},  # a ramp longer than its segment
]
BREAKS = np.array(  # time, speed before slip, load
    [
        (0, 1200, 0.5), (10, 1200, 0.5), (15, 3000, 1), (30, 3000, 1), (32, 3000, 0.2), (40, 3000, 0.2), (44, 0, 0),
        (55, 0, 0), (55.001, 600, 1.2), (60, 600, 1.2), (65, 1800, 1),
    ]
)  # fmt: skip


def world(
    seed: int = 1, captures: list[tuple[float, float]] | None = None, slip_pct: float = 0.0, **keys: Any
) -> Timeline:
    motor = {"motor": {"slip_pct": slip_pct}} if slip_pct else {}
    keys = {"operation": {"segments": SEGMENTS}, **keys}
    return World(rig.scenario(rig.machine(**motor), **keys), seed, ("test", 0), captures).run()


def test_plan_becomes_break_points() -> None:
    timeline = world()
    time_s = np.linspace(0, 65, 13001)
    assert timeline.profile.speed_at(time_s) / RPM == pytest.approx(
        np.interp(time_s, BREAKS[:, 0], BREAKS[:, 1]), abs=1e-6
    )
    assert timeline.profile.load_at(time_s) == pytest.approx(np.interp(time_s, BREAKS[:, 0], BREAKS[:, 2]), abs=1e-9)
    assert timeline.duration_s == pytest.approx(65.0)
    assert (np.diff(timeline.profile.time_s) > 0.0).all()


def test_motor_slips_with_load() -> None:
    profile = world(slip_pct=5.0).profile
    loads = BREAKS[:, 2]
    assert profile.speed_rad_s / RPM == pytest.approx(BREAKS[:, 1] * (1 - 0.05 * loads), abs=1e-6)


def test_work_is_the_integral_of_speed_and_load_cubed() -> None:
    """Revolutions in units of rated ones, weighted with the cube of the load (ISO 281: life ~ load^-3)."""
    timeline = world()

    def rate(t: float) -> float:
        speed_rpm, load = (float(np.interp(t, BREAKS[:, 0], BREAKS[:, k])) for k in (1, 2))
        return speed_rpm / 1800.0 * load**3

    for t in BREAKS[1:, 0]:
        expected = integrate.quad(rate, 0.0, t, points=[b for b in BREAKS[:, 0] if 0 < b < t], limit=200)[0]
        assert timeline.work.at(np.array([t]))[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    # By hand: 10 s at two thirds of the rated speed and half the load.
    assert timeline.work.at(np.array([10.0]))[0] == pytest.approx(10 * (2 / 3) / 8)
    stopped = timeline.work.at(np.array([44.0, 50.0, 55.0]))
    assert np.ptp(stopped) == pytest.approx(0.0, abs=1e-12)  # a machine that stands does not wear


# ----------------------------------------------------------------------------------------------------------- captures


def test_without_sampling_plan_all_is_recorded() -> None:
    (only,) = world().captures
    assert (only.number, only.start_s, only.duration_s) == (0, 0.0, pytest.approx(65.0))


@pytest.mark.parametrize(
    ("every_s", "starts"),
    [
        (30.0, [0, 30, 60]),
        (65.0, [0]),  # the run ends where the second one would begin
        (32.5, [0, 32.5]),
        (13.0, [0, 13, 26, 39, 52]),
        (5.0, list(range(0, 65, 5))),
        (1000.0, [0]),
    ],
)
def test_sampling_plan(every_s: float, starts: list[float]) -> None:
    keys = {"sampling": {"every_s": every_s, "windows": 3}, "dataset": {"window_length": 1000}}
    captures = world(**keys).captures
    assert [c.start_s for c in captures] == pytest.approx(starts)
    assert [c.number for c in captures] == list(range(len(starts)))
    assert {c.duration_s for c in captures} == {3 * 1000 / 5000.0}
    # The dataset plan counts on just as many.
    assert rig.scenario(rig.machine(), operation={"segments": SEGMENTS}, **keys).life_windows() == 3 * len(starts)


@pytest.mark.parametrize("segments", [1, 2, 3, 7])
def test_no_capture_begins_when_the_run_is_over(segments: int) -> None:
    """Whichever of the two comes first in the event queue."""
    plan = {"segments": [{"duration_s": 10.0, "speed_rpm": 100.0 * k, "ramp_s": 1.0} for k in range(1, segments + 1)]}
    for every_s in (5.0, 10.0, 10.0 * segments):
        captures = world(operation=plan, sampling={"every_s": every_s}).captures
        assert len(captures) == 10.0 * segments / every_s


def test_captures_by_wish() -> None:
    captures = world(captures=[(3.0, 1.0), (20.0, 0.5), (70.0, 2.0)], sampling={"every_s": 1.0}).captures
    assert [(c.start_s, c.duration_s) for c in captures] == [(3.0, 1.0), (20.0, 0.5), (70.0, 2.0)]


# ------------------------------------------------------------------------------------------------------------- shocks


def shocks(rate_per_hour: float, hours: float, seed: int = 1, capture: int = 0) -> list[Shock]:
    timeline = world(
        seed,
        captures=[(0.0, 1.0)] * capture + [(100.0, hours * 3600.0)],
        environment={"shocks": {"rate_per_hour": rate_per_hour, "impulse_n_s": 0.3}},
    )
    return timeline.captures[-1].shocks


def test_shocks_are_a_poisson_process() -> None:
    drawn = shocks(rate_per_hour=60.0, hours=100.0)
    times = np.array([s.time_s for s in drawn])
    low, high = stats.poisson.interval(1 - 1e-6, 6000)
    assert low <= len(drawn) <= high
    assert times.min() >= 100.0
    assert times.max() < 100.0 + 360_000.0
    gaps = np.diff(times, prepend=100.0)
    assert stats.kstest(gaps, "expon", args=(0.0, 60.0)).pvalue > 1e-6
    # Given their number, the times are uniform; and counts of separate hours do not know of each other.
    assert stats.kstest(times, "uniform", args=(100.0, 360_000.0)).pvalue > 1e-6
    counts = np.histogram(times, np.arange(101) * 3600.0 + 100.0)[0]
    assert stats.chi2.interval(1 - 1e-6, 99)[0] < 99 * counts.var(ddof=1) / 60.0 < stats.chi2.interval(1 - 1e-6, 99)[1]


def test_shocks_come_from_all_sides_with_log_normal_size() -> None:
    impulses = np.array([s.impulse_n_s for s in shocks(60.0, 100.0)])
    size = np.linalg.norm(impulses, axis=1)
    assert stats.kstest(np.log(size / 0.3), "norm", args=(0.0, 0.7)).pvalue > 1e-6
    for axis in range(3):  # on a sphere every coordinate is uniform (Archimedes)
        assert stats.kstest(impulses[:, axis] / size, "uniform", args=(-1.0, 2.0)).pvalue > 1e-6


def test_shocks_belong_to_seed_and_capture() -> None:
    first = shocks(60.0, 1.0)
    assert first == shocks(60.0, 1.0)
    assert first != shocks(60.0, 1.0, seed=2)
    assert first != shocks(60.0, 1.0, capture=1)
    assert not shocks(0.0, 100.0)


def test_life_of_years_takes_no_more_than_its_events() -> None:
    """A year in a thousand captures; the times are exact to rounding, not summed up."""
    year_s = 365 * 86400.0
    timeline = world(operation={"speed_rpm": 1500.0, "duration_s": year_s}, sampling={"every_s": year_s / 1000})
    assert len(timeline.captures) == 1000
    assert timeline.captures[-1].start_s == pytest.approx(0.999 * year_s, rel=1e-9)
    assert math.isclose(timeline.work.at(np.array([year_s]))[0], year_s * 1500 / 1800, rel_tol=1e-12)


def test_scenario_of_the_tests_is_valid() -> None:
    assert Scenario.model_validate(rig.scenario(rig.machine()).model_dump()).name == "test"
