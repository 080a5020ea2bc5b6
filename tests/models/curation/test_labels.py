"""Inverted labels and odd counts."""

from __future__ import annotations

import numpy as np
import pytest

from models.curation.labels import LabelCheck
from models.curation.series import Stated
from tests.models.curation.made import ar1, draft, labels

X = ar1(383, 2, 0.5, seed=0)
WRONG = labels(383, (0, 257))  # as 21 Engine: 257 ones where the source states 126 anomalies of 383


def test_labels_the_source_proves_inverted_are_turned_over() -> None:
    ruling = LabelCheck().judge(draft(X, WRONG, stated=Stated(383, 126)))
    assert ruling.series is not None
    np.testing.assert_array_equal(ruling.series.anomaly, ~WRONG)
    assert "126 anomalies of 383" in ruling.reason


@pytest.mark.parametrize("stated", [Stated(), Stated(383), Stated(384, 126), Stated(383, 125), Stated(383, 257)])
def test_without_proof_they_stay(stated: Stated) -> None:
    ruling = LabelCheck().judge(draft(X, WRONG, stated=stated))
    assert ruling.series is None
    assert any("labels.invert=always" in note for note in ruling.notes)


def test_half_and_half_proves_nothing() -> None:
    anomaly = labels(400, (0, 200))
    assert LabelCheck().judge(draft(ar1(400, 1, 0.5, 0), anomaly, stated=Stated(400, 200))).series is None


def test_never_only_notes_and_always_obeys() -> None:
    start = draft(X, WRONG, stated=Stated(383, 126))
    ruling = LabelCheck(invert="never").judge(start)
    assert ruling.series is None
    assert "labels look inverted" in ruling.notes[0]
    turned = LabelCheck(invert="always").judge(draft(X, WRONG)).series
    assert turned is not None
    assert turned.anomaly.sum() == 126


def test_counts_that_disagree_and_single_spans_are_noted() -> None:
    notes = LabelCheck().judge(draft(X, labels(383, (300, 383)), stated=Stated(1_818_000, 930_000))).notes
    assert notes[0] == "the source states 1818000 samples, there are 383"
    assert "single span" in notes[1]
    assert LabelCheck().judge(draft(X, labels(383, (10, 20), (30, 40)), stated=Stated(383, 20))).notes == ()
