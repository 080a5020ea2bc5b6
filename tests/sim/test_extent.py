"""Growth laws against their differential equations, solved by scipy; onset, removal and clocks by hand."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import integrate

from sim.extent import Course, Extent, Growth, WorkClock
from tests.sim import rig

WALL = WorkClock(np.zeros(1), np.zeros(1))
WORK = WorkClock(
    np.array([0.0, 100.0, 150.0, 200.0]), np.array([0.0, 100.0, 100.0, 300.0])
)  # runs, stands, works double


def size(course: dict[str, Any], time_s: rig.Array, clock: WorkClock = WALL, always: bool = False) -> rig.Array:
    return Extent(Course.model_validate(course), clock, always).at(time_s)


@pytest.mark.parametrize("start", [0.01, 0.3])
@pytest.mark.parametrize(
    ("law", "exponent"),
    [
        ("linear", 0.0),
        ("exponential", 1.0),
        ("paris", 0.4),
        ("paris", 1.0),
        ("paris", 1.5),
        ("paris", 2.0),
        ("paris", 4.0),
    ],
)
def test_growth_solves_da_dn_is_c_a_to_the_m(law: str, exponent: float, start: float) -> None:
    """Integrated from the start with the constant C that leads to size 1 in the growth's duration."""
    growth = Growth.model_validate(
        {"law": law, "duration_s": 50.0, "start_fraction": start, **({"exponent": exponent} if law == "paris" else {})}
    )
    duration = integrate.quad(lambda a: a**-exponent, start, 1.0)[0]  # of da/dN = a^m; C stretches it to 50 s
    rate = duration / 50.0
    time_s = np.linspace(0.0, 50.0, 101)
    solved = integrate.solve_ivp(
        lambda _, a: rate * a**exponent, (0.0, 50.0), [start], t_eval=time_s, method="DOP853", rtol=1e-10, atol=1e-13
    )
    # With m = 4 the last second makes a millionth of the start's error a hundredfold.
    assert growth.fraction(time_s) == pytest.approx(solved.y[0], rel=2e-5)


def test_before_and_after_growth() -> None:
    for law in ("linear", "exponential", "paris"):
        growth = Growth(law=law, duration_s=10.0, start_fraction=0.2)  # type: ignore[arg-type]
        assert growth.fraction(np.array([-5.0, -1e-9, 0.0, 10.0, 1e6])) == pytest.approx([0.0, 0.0, 0.2, 1.0, 1.0])


def test_onset_and_removal() -> None:
    time_s = np.array([0.0, 9.99, 10.0, 15.0, 29.99, 30.0, 100.0])
    assert size({"onset_s": 10.0, "clear_s": 30.0}, time_s).tolist() == [0, 0, 1, 1, 1, 0, 0]
    assert size({"onset_s": 10.0}, time_s).tolist() == [0, 0, 1, 1, 1, 1, 1]
    grown = size({"onset_s": 10.0, "clear_s": 30.0, "growth": {"duration_s": 10.0, "start_fraction": 0.5}}, time_s)
    assert grown == pytest.approx([0, 0, 0.5, 0.75, 1.0, 0, 0])
    assert size({"onset_s": 10.0, "clear_s": 30.0}, time_s, always=True).tolist() == [1] * 7


def test_pieces_are_the_whole() -> None:
    """Blocks that lie before, across and behind onset and removal."""
    course = {"onset_s": 20.0, "clear_s": 80.0, "growth": {"duration_s": 30.0, "law": "paris"}}
    time_s = np.linspace(0.0, 100.0, 1001)
    pieces = np.concatenate([size(course, part) for part in np.array_split(time_s, 23)])
    assert np.array_equal(pieces, size(course, time_s))


def test_work_clock_counts_what_the_machine_does() -> None:
    """Growth over 150 s of work from second 50 on: 50 while it runs, none while it stands, the rest at double rate."""
    course = {"onset_s": 50.0, "growth": {"duration_s": 150.0, "start_fraction": 0.1, "clock": "work"}}
    time_s = np.array([49.0, 50.0, 100.0, 125.0, 150.0, 160.0, 175.0, 180.0])
    done = np.array([np.nan, 0.0, 50.0, 50.0, 50.0, 90.0, 150.0, 150.0]) / 150.0
    assert size(course, time_s, WORK)[1:] == pytest.approx(0.1 + 0.9 * done[1:])
    assert size(course, time_s, WORK)[0] == 0.0
    # On the wall's clock the standstill counts.
    course["growth"] = {"duration_s": 100.0, "start_fraction": 0.1}
    assert size(course, np.array([100.0, 150.0]), WORK) == pytest.approx([0.1 + 0.9 * 0.5, 1.0])


def test_work_goes_on_behind_the_last_point() -> None:
    assert WORK.at(np.array([50.0, 120.0, 175.0, 200.0, 250.0])) == pytest.approx([50, 100, 200, 300, 500])


def test_over_a_block_is_at_its_times() -> None:
    block = rig.block(seconds=1.0)
    growing = Extent(Course(onset_s=0.4, growth=Growth(duration_s=0.5)), WALL)
    seen = growing.over(block)
    assert seen is not None
    assert np.array_equal(seen, growing.at(block.time_s))
    assert Extent(Course(onset_s=5.0), WALL).over(block) is None
    whole = Extent(Course(onset_s=5.0), WALL, always=True).over(block)
    assert whole is not None
    assert whole.tolist() == [1.0] * block.n


def test_removal_before_onset_is_refused() -> None:
    with pytest.raises(ValidationError, match="later than"):
        Course(onset_s=10.0, clear_s=10.0)
