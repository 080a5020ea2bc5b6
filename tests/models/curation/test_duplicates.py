"""Repeated blocks: planted ones are found to the sample, and honest repetition is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.curation.duplicates import Duplicates, repeats, row_codes
from models.curation.series import Span
from tests.models.curation.made import ar1, draft, labels

RULE = Duplicates()


def test_a_repeated_block_goes_and_its_first_copy_stays() -> None:
    x = ar1(3000, 2, 0.9, seed=0)
    x[2000:2300] = x[500:800]
    ruling = RULE.judge(draft(x, labels(3000, (2050, 2100))))
    assert ruling.kept == (Span(0, 2000), Span(2300, 3000))
    assert ruling.reason.startswith("300 samples dropped")
    assert "50 of them under the other label" in ruling.reason


def test_blocks_in_a_row_as_in_motorcondition1() -> None:
    normal, faults = ar1(300, 3, 0.5, seed=1), ar1(900, 3, 0.5, seed=2)
    x = np.concatenate([normal, faults[:300], normal, faults[300:600], normal, faults[600:]])
    ruling = RULE.judge(draft(x, labels(1800, (300, 600), (900, 1200), (1500, 1800))))
    assert ruling.kept == (Span(0, 600), Span(900, 1200), Span(1500, 1800))


@pytest.mark.parametrize(("length", "found"), [(63, False), (64, True), (65, True)])
def test_shortest_stretch_that_counts(length: int, found: bool) -> None:
    x = ar1(1000, 1, 0.5, seed=3)
    x[700 : 700 + length] = x[100 : 100 + length]
    assert (RULE.judge(draft(x, labels(1000))).kept is not None) == found


def test_one_bit_makes_it_no_copy() -> None:
    x = ar1(1000, 1, 0.5, seed=4)
    x[700:764] = x[100:164]
    x[730] = np.nextafter(x[730], np.float32(10))
    assert RULE.judge(draft(x, labels(1000))).kept is None


def test_standing_still_and_coarse_cycles_are_not_copies() -> None:
    still = np.zeros((2000, 2), np.float32)
    assert RULE.judge(draft(still, labels(2000))).kept is None
    coarse = np.round(np.sin(np.arange(4000) * 2 * np.pi / 200) * 10)[:, None].astype(np.float32)
    ruling = RULE.judge(draft(coarse, labels(4000)))
    assert ruling.kept is None
    assert "single rows occur again: split by time" in ruling.notes[0]


def test_copied_channels_go_and_constant_ones_stay() -> None:
    x = ar1(500, 4, 0.5, seed=5)
    x[:, 2], x[:, 1], x[:, 3] = x[:, 0], 1.0, 1.0
    ruling = RULE.judge(draft(x, labels(500), channels=("a", "b", "c", "d")))
    assert ruling.series is not None
    assert ruling.series.channels == ("a", "b", "d")
    np.testing.assert_array_equal(ruling.series.x, x[:, [0, 1, 3]])
    assert Duplicates(channels=False).judge(draft(x, labels(500))).series is None


@settings(max_examples=60, deadline=None)
@given(
    codes=st.lists(st.integers(0, 3), min_size=2, max_size=60),
    rows=st.integers(2, 7),
)
def test_repeats_against_the_definition(codes: list[int], rows: int) -> None:
    array = np.array(codes, np.int64)
    again, origin = repeats(array, rows, distinct=1e-9)
    expected = np.zeros(len(codes), bool)
    for i in range(len(codes) - rows + 1):
        if any(codes[j : j + rows] == codes[i : i + rows] for j in range(i - rows + 1)):
            expected[i : i + rows] = True
    assert again.tolist() == expected.tolist()
    assert (array[origin] == array).all()
    assert (origin[again] < np.flatnonzero(again)).all()
    assert (origin[~again] == np.flatnonzero(~again)).all()


def test_rows_are_told_apart_bit_by_bit() -> None:
    # Regular values on a grid are what weak hashes confuse.
    grid = np.stack(np.meshgrid(*[np.arange(20, dtype=np.float32)] * 3), axis=-1).reshape(-1, 3)
    codes = row_codes(np.concatenate([grid, grid[:7]]))
    assert len(np.unique(codes)) == 8000
    assert (codes[8000:] == codes[:7]).all()
