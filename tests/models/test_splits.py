"""Splits that leak are refused by the code."""

from dataclasses import replace

import numpy as np
import pytest

from models.splits import LeakError, Split, TimeCut, cut_in_time
from models.windows import labelled
from sim.dataset.real import RealRecording
from sim.errors import SimtwinError


def recording(name: str, label: str = "normal", group: str = "", seed: int | None = None) -> RealRecording:
    draws = np.random.default_rng(sum(map(ord, name)) if seed is None else seed)
    x = draws.standard_normal((2000, 3)).astype(np.float32)
    return RealRecording(x, ("accel_x_g", "accel_y_g", "accel_z_g"), 1000.0, name, label, group=group)


A, B, C = recording("a"), recording("b", "imbalance"), recording("c")


def test_a_split_by_recording_is_fine() -> None:
    split = Split("fine", (A, B), (C,))
    assert not split.shared_groups
    split.check_windows(labelled(np.zeros((1, 8, 3), np.float32), "normal", "normal", "a", 1.0, "hybrid"))


def test_a_recording_on_both_sides_is_refused() -> None:
    with pytest.raises(LeakError, match="recording a is on both sides; split by group"):
        Split("leak", (A, B), (A,))
    assert issubclass(LeakError, SimtwinError)


def test_parts_of_one_recording_on_both_sides_are_refused_without_the_exception() -> None:
    with pytest.raises(LeakError, match="recording a is on both sides"):
        Split("leak", (A.part(0.0, 0.9),), (A.part(1.1, 2.0),))


def test_a_group_on_both_sides_is_refused() -> None:
    pair = recording("d", "imbalance", group="rotor 1"), recording("e", "imbalance", group="rotor 1")
    with pytest.raises(LeakError, match="recordings d and e of group rotor 1"):
        Split("leak", (pair[0],), (pair[1],))


def test_the_same_samples_under_another_name_are_refused() -> None:
    with pytest.raises(LeakError, match="recording copy to test has the same samples as a to train"):
        Split("leak", (A,), (replace(A, id="copy", group="copy"),))


def test_the_exception_lets_normal_recordings_be_cut_in_time() -> None:
    early, late, time_cut = cut_in_time([A, C], 0.9, 0.9)
    assert time_cut.gap_s == pytest.approx(0.2)
    assert "optimistic" in time_cut.remark()
    split = Split("cut", (*early, B), tuple(late), time_cut)
    assert split.shared_groups == {"a", "c"}
    np.testing.assert_array_equal(split.train[0].samples, A.samples[:900])
    np.testing.assert_array_equal(split.test[0].samples, A.samples[-900:])
    split.check_windows(labelled(np.zeros((1, 8, 3), np.float32), "normal", "normal", "a", 1.0, "hybrid"))


@pytest.mark.parametrize(
    ("train", "test", "why"),
    [
        (A.part(0.0, 1.0), A.part(1.1, 2.0), "0.1 s apart"),  # gap too small
        (A.part(0.0, 1.2), A.part(1.0, 2.0), "apart"),  # overlap
        (A.part(1.1, 2.0), A.part(0.0, 0.9), "apart"),  # the wrong way round
        (B.part(0.0, 0.9), B.part(1.1, 2.0), "one normal recording only"),  # a fault
        (recording("f", group="g").part(0, 0.9), recording("h", group="g").part(1.1, 2), "one normal recording only"),
    ],
)
def test_the_exception_goes_no_further(train: RealRecording, test: RealRecording, why: str) -> None:
    with pytest.raises(LeakError, match=why):
        Split("cut", (train,), (test,), TimeCut(0.2))


def test_augmented_windows_must_not_rest_on_a_recording_to_test() -> None:
    split = Split("fine", (A, B), (C,))
    stolen = labelled(np.zeros((1, 8, 3), np.float32), "imbalance", "imbalance", "c", 1.0, "hybrid")
    with pytest.raises(LeakError, match="windows to train rest on c, which is to test"):
        split.check_windows(stolen)
    simulated = labelled(np.zeros((1, 8, 3), np.float32), "imbalance", "imbalance", "", 1.0, "synthetic")
    split.check_windows(simulated)


def test_too_short_to_cut_and_empty_sides_are_refused() -> None:
    with pytest.raises(LeakError, match="cannot be cut into 1 s to train and 1 s"):
        cut_in_time([A], 1.0, 1.0)
    with pytest.raises(LeakError, match="nothing to test on"):
        Split("empty", (A,), ())
