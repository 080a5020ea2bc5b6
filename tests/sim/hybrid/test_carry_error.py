import math
from dataclasses import replace

import numpy as np
import pytest

from sim.hybrid.carry import Analysis, GrowthLaw
from sim.hybrid.carry_error import ASSUMED_DB, CarryError
from tests.sim.hybrid.made import recording


def analysed(speed_rpm: float, gain_db: float = 0.0) -> Analysis:
    made = recording(speed_rpm)
    made = replace(made, samples=(made.samples * 10 ** (gain_db / 20)).astype(np.float32))
    return Analysis.of(made, speed_rpm / 60)


def law(*analyses: Analysis) -> GrowthLaw:
    """The law without a floor: what it would say of one of them alone."""
    return GrowthLaw.fit(analyses[:1])


@pytest.mark.parametrize("gain_db", [3.0, 6.0, -8.0])
def test_two_recordings_that_contradict_each_other_by_so_many_db(gain_db: float) -> None:
    pair = [analysed(1000), analysed(2000, gain_db)]
    assert CarryError.fit(pair, law(*pair)).one_octave_db == pytest.approx(abs(gain_db), abs=0.6)


def test_the_same_contradiction_over_twice_the_distance_is_a_smaller_error() -> None:
    near, far = [analysed(1000), analysed(2000, 15.0)], [analysed(500), analysed(2000, 15.0)]
    ratio = CarryError.fit(near, law(*near)).one_octave_db / CarryError.fit(far, law(*far)).one_octave_db
    assert ratio == pytest.approx(math.sqrt(2.0), rel=0.1)


def test_a_machine_that_keeps_to_the_law_has_next_to_no_error() -> None:
    healthy = [analysed(rpm) for rpm in (800, 1200, 1800, 2700)]
    assert (
        CarryError.fit(healthy, law(*healthy)).one_octave_db < 1.3
    )  # measured to about 1 dB: lines cross from octave to octave


def test_one_speed_says_nothing() -> None:
    alone = [analysed(1500)]
    assert CarryError.fit(alone, law(*alone)).one_octave_db == ASSUMED_DB


def test_it_grows_with_the_root_of_the_distance() -> None:
    error = CarryError(4.0)
    assert error.deviation_db(10.0, 20.0) == pytest.approx(4.0)
    assert error.deviation_db(40.0, 10.0) == pytest.approx(4.0 * math.sqrt(2.0))
    assert error.deviation_db(25.0, 25.0) == 0.0
