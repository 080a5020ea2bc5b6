"""Folds keep recordings whole and classes present; what leaks is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.splits import LeakError
from models.training.folds import Fold, make_folds
from sim.errors import DatasetError
from tests.models.training.made import sines


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.integers(6, 9), st.integers(1, 5), st.integers(0, 2**40))
def test_every_window_is_tested_once_and_no_recording_is_on_two_sides(
    folds: int, per_class: int, windows: int, seed: int
) -> None:
    data = sines(per_class=per_class, windows=windows)
    made = make_folds(data, folds, seed)
    assert [fold.name for fold in made] == [*(f"fold-{i}" for i in range(folds)), "final"]
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in made])), np.arange(len(data)))
    for fold in made:
        rows = np.concatenate([fold.train, fold.validation, fold.test])
        np.testing.assert_array_equal(np.sort(rows), np.arange(len(data)))
        sides = [set(data.group[part].tolist()) for part in (fold.train, fold.validation, fold.test)]
        assert sum(map(len, sides)) == len(set().union(*sides))
        for part in (fold.train, fold.validation, *([fold.test] if len(fold.test) else [])):
            assert set(data.label[part].tolist()) == {"normal", "slow", "fast"}
    again = make_folds(data, folds, seed)
    for one, two in zip(made, again, strict=True):
        np.testing.assert_array_equal(one.test, two.test)
        np.testing.assert_array_equal(one.validation, two.validation)


def test_another_seed_gives_other_folds() -> None:
    data = sines()
    assert make_folds(data, 3, 0)[0].test.tolist() != make_folds(data, 3, 1)[0].test.tolist()


def test_a_binary_target_has_every_kind_of_fault_in_every_part() -> None:
    data = sines()
    binary = replace(data, label=np.where(data.normal, "normal", "anomaly"), classes=("normal", "anomaly"))
    for fold in make_folds(binary, 4, 0)[:-1]:
        for part in (fold.train, fold.validation, fold.test):
            assert set(data.kind[part].tolist()) == {"normal", "slow", "fast"}


def test_a_recording_on_two_sides_is_refused() -> None:
    data = sines(per_class=4)
    group = {name: np.flatnonzero(data.group == name) for name in set(data.group.tolist())}
    rows = [np.concatenate([group[f"{c}-{i}"] for c in data.classes]) for i in range(3)]
    Fold("good", rows[0], rows[1], rows[2]).check(data, data.digests())
    for leaking in (
        Fold("bad", rows[0], rows[1], np.concatenate([rows[2], rows[0][:1]])),
        Fold("bad", rows[0], np.concatenate([rows[1], rows[2][-1:]]), rows[2]),
        Fold("bad", np.concatenate([rows[0], rows[1][:1]]), rows[1], rows[2]),
    ):
        with pytest.raises(LeakError, match=r"split bad: recording .* is on two sides"):
            leaking.check(data, data.digests())
    with pytest.raises(DatasetError, match="fold bad has no recording of class fast to test"):
        Fold("bad", rows[0], rows[1], rows[2][data.label[rows[2]] != "fast"]).check(data, data.digests())


def test_a_recording_under_two_names_is_refused() -> None:
    data = sines(per_class=6)
    counts = data.counts.copy()
    counts[data.group == "slow-1"] = counts[data.group == "slow-0"]
    twins = replace(data, counts=counts)
    refused = 0
    for seed in range(6):
        try:
            folds = make_folds(twins, 3, seed)
        except LeakError as error:
            refused += "has the same samples as" in str(error)
        else:  # both on one side in every fold: nothing leaks
            for fold in folds:
                for part in (fold.train, fold.validation, fold.test):
                    assert len({"slow-0", "slow-1"} & set(twins.group[part].tolist())) != 1
    assert refused
