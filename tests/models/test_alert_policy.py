"""The alert policy: its rules by hand, by counting all sequences, and against a plain second reading of the text."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.alert_policy import Alert, AlertPolicy, Change
from sim.errors import ParameterError


def said(policy: AlertPolicy, classes: list[int]) -> list[tuple[Change | None, int]]:
    alert = Alert(policy)
    return [(alert.step(each), alert.alert) for each in classes]


def test_three_of_five_raise_and_two_in_a_row_clear() -> None:
    windows = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1]
    changes = [change for change, _ in said(AlertPolicy(3, 5, 2), windows)]
    # The third flag within five windows raises; single quiet windows do not clear, two do; then it starts from nothing.
    assert changes == [None] * 5 + ["raised"] + [None] * 3 + ["cleared"] + [None] * 3 + ["raised"]


def test_flags_too_far_apart_never_raise() -> None:
    assert {change for change, _ in said(AlertPolicy(3, 5, 4), [1, 0, 1, 0, 0] * 20)} == {None}


def test_an_alert_stays_as_long_as_the_quiet_is_short() -> None:
    found = said(AlertPolicy(2, 4, 3), [1, 1] + [0, 0, 1] * 30)
    assert [change for change, _ in found if change] == ["raised"]


def test_the_class_is_that_of_most_windows_and_of_equals_the_lower() -> None:
    assert said(AlertPolicy(3, 5, 5), [2, 3, 3])[-1] == ("raised", 3)
    assert said(AlertPolicy(4, 5, 5), [2, 3, 3, 2])[-1] == ("raised", 2)


def test_an_alert_becomes_that_of_another_class_when_this_alone_would_raise_it_and_outnumbers_the_first() -> None:
    found = said(AlertPolicy(3, 6, 6), [1, 1, 1, 2, 2, 2, 2])
    assert found[2] == ("raised", 1)
    assert found[5] == (None, 1)  # three to three
    assert found[6] == ("changed", 2)


def test_one_window_is_enough_where_the_policy_says_so() -> None:
    assert said(AlertPolicy(1, 1, 1), [0, 4, 4, 0, 0]) == [
        (None, 0), ("raised", 4), (None, 4), ("cleared", 0), (None, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(("k", "n"), [(1, 5), (3, 5), (4, 6), (6, 6)])
def test_of_all_sequences_of_n_windows_those_with_k_flags_raise(k: int, n: int) -> None:
    policy = AlertPolicy(k, n, 255)
    raised = sum(any(change for change, _ in said(policy, list(each))) for each in product((0, 1), repeat=n))
    assert raised == sum(comb(n, flags) for flags in range(k, n + 1))


class Reading:
    """The rules read again, over the whole history instead of a ring."""

    def __init__(self, k: int, n: int, m: int) -> None:
        self.k, self.n, self.m, self.alert = k, n, m, 0
        self.windows: list[int] = []
        self.since = 0

    def step(self, window: int) -> str | None:
        self.windows.append(window)
        recent = self.windows[self.since :][-self.n :]
        votes = {each: recent.count(each) for each in range(1, 256) if each in recent}
        leader = min(votes, key=lambda each: (-votes[each], each), default=0)
        if not self.alert:
            if sum(votes.values()) >= self.k:
                self.alert = leader
                return "raised"
        elif len(self.windows) >= self.m and not any(self.windows[-self.m :]):
            self.alert, self.since = 0, len(self.windows)
            return "cleared"
        elif leader != self.alert and votes.get(leader, 0) >= self.k and votes[leader] > votes.get(self.alert, 0):
            self.alert = leader
            return "changed"
        return None


@given(st.data())
def test_every_sequence_gives_what_a_second_reading_of_the_rules_gives(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 32))
    k, m = data.draw(st.integers(1, n)), data.draw(st.integers(1, 40))
    windows = data.draw(st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 255]), max_size=200))
    alert, reading = Alert(AlertPolicy(k, n, m)), Reading(k, n, m)
    for window in windows:
        change = alert.step(window)
        assert change == reading.step(window)
        assert alert.alert == reading.alert
        assert change != "raised" or window > 0  # never at a window that is not flagged


@pytest.mark.parametrize("numbers", [(0, 5, 1), (6, 5, 1), (1, 33, 1), (1, 5, 0), (1, 5, 256)])
def test_numbers_that_make_no_policy_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ParameterError, match="allowed is"):
        AlertPolicy(*numbers)


@pytest.mark.parametrize("window", [-1, 256])
def test_classes_are_bytes(window: int) -> None:
    with pytest.raises(ParameterError, match="allowed is 0 to 255"):
        Alert(AlertPolicy()).step(window)
