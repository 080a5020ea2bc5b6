"""Rules that cut and count: normal spans, thinning, balance, share, length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.curation.balance import Balance
from models.curation.length import Length
from models.curation.normal_spans import NormalSpans
from models.curation.series import Span, runs, runs_within
from models.curation.share import AnomalyShare
from models.curation.thinning import Thinning, time_slices
from tests.models.curation.made import draft, labels


def blank(n: int) -> np.ndarray:
    return np.zeros((n, 1), np.float32)


# --- long normal spans ---


def test_long_normal_spans_keep_what_is_next_to_anomalies() -> None:
    anomaly = labels(1000, (300, 400), (800, 900))
    ruling = NormalSpans(longest=100).judge(draft(blank(1000), anomaly))
    # 200 before the first go, 300 in the middle go on between 50 and 50, and the last 100 stay.
    assert ruling.kept == (Span(200, 450), Span(750, 1000))


def test_normals_are_not_cut_below_the_anomalies() -> None:
    anomaly = labels(1000, (600, 1000))
    ruling = NormalSpans(longest=100).judge(draft(blank(1000), anomaly))
    assert ruling.kept == (Span(200, 1000),)
    assert "as many normals" in ruling.reason


def test_a_gap_in_what_is_kept_ends_a_span() -> None:
    anomaly = labels(1000, (0, 10))
    ruling = NormalSpans(longest=200).judge(draft(blank(1000), anomaly, (0, 310), (320, 500)))
    assert ruling.kept == (Span(0, 210), Span(320, 500))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_normal_span_stays_too_long_and_no_anomaly_goes(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 80), min_size=1, max_size=20))
    anomaly = np.concatenate([np.full(k, i % 2 == 1) for i, k in enumerate(lengths)])
    longest = data.draw(st.integers(2, 50))
    start = draft(blank(len(anomaly)), anomaly)
    after, decision = NormalSpans(longest=longest).apply(start)
    assert after.anomalies == start.anomalies
    normals, before = after.samples - after.anomalies, start.samples - start.anomalies
    assert normals >= min(before, start.anomalies)
    if decision.action == "changed" and "not to" not in decision.reason:
        assert max(span.length for span in runs_within(after.kept, ~anomaly)) <= longest
        # and nothing but long spans was touched
        assert normals == sum(min(span.length, longest) for span in runs(~anomaly))


# --- thinning ---


@pytest.mark.parametrize("n", [100, 50_000, 50_001, 100_000])
def test_up_to_the_target_nothing_is_thinned(n: int) -> None:
    assert Thinning().judge(draft(blank(n), labels(n))).kept is None


def random_labels(rng: np.random.Generator, n: int, mean_normal: float, mean_anomaly: float) -> np.ndarray:
    anomaly, at = np.zeros(n, bool), 0
    while at < n:
        at += 1 + int(rng.exponential(mean_normal))
        stop = at + 1 + int(rng.exponential(mean_anomaly))
        anomaly[at:stop] = True
        at = stop
    return anomaly


@pytest.mark.parametrize(
    ("n", "mean_normal", "mean_anomaly"),
    [(100_001, 900, 100), (250_000, 30, 5), (500_000, 9000, 1000), (300_000, 50_000, 2000), (200_000, 100, 900)],
)
def test_thinning_keeps_size_order_whole_anomalies_and_balance_over_time(
    n: int, mean_normal: float, mean_anomaly: float
) -> None:
    anomaly = random_labels(np.random.default_rng(n), n, mean_normal, mean_anomaly)
    start = draft(blank(n), anomaly)
    after, _ = Thinning().apply(start)
    assert 90_000 <= after.samples <= 100_000
    assert all(a.stop < b.start for a, b in zip(after.kept, after.kept[1:], strict=False))
    kept = np.zeros(n, bool)
    for span in after.kept:
        kept[span.start : span.stop] = True
    for span in runs(anomaly):  # whole or not at all, where it is not too long to be kept whole
        if span.length <= 5000:
            assert kept[span.start : span.stop].all() or not kept[span.start : span.stop].any()
    # The same share of anomalies in all, within a slice or two of a hundred.
    assert after.anomalies / after.samples == pytest.approx(start.anomalies / n, abs=0.03)
    # The same density all along the set, within a few slices in each quarter.
    quarters = np.add.reduceat(kept, np.arange(0, n, -(-n // 4)))
    assert quarters == pytest.approx(after.samples / 4, abs=6000)


def test_the_only_anomaly_of_a_long_set_is_not_lost() -> None:
    after, _ = Thinning().apply(draft(blank(400_000), labels(400_000, (200_500, 204_500))))
    assert after.anomalies == 4000
    assert after.samples <= 100_000


def test_an_anomaly_too_long_to_keep_whole_is_cut_at_slices() -> None:
    after, _ = Thinning().apply(draft(blank(400_000), labels(400_000, (100_000, 300_000))))
    assert after.anomalies == pytest.approx(50_000, abs=2000)
    assert after.samples <= 100_000


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_slices_cover_what_is_kept_and_cut_no_short_anomaly(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 60), min_size=1, max_size=20))
    anomaly = np.concatenate([np.full(k, i % 2 == 1) for i, k in enumerate(lengths)])
    n = len(anomaly)
    cut = data.draw(st.integers(0, n))
    kept = [s for s in (Span(0, cut), Span(cut, n)) if s.length]
    length, whole = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 60))
    slices = time_slices(kept, anomaly, length, whole)
    assert [s.start for s in slices] == [0, *[s.stop for s in slices[:-1]]]
    assert slices[-1].stop == n
    assert {cut % n} <= {s.start for s in slices}
    inner = {s.start for s in slices} - {s.start for s in kept}
    for run in runs_within(kept, anomaly):
        if run.length <= whole:
            assert not inner & set(range(run.start + 1, run.stop))
    assert max(s.length for s in slices) <= length + 2 * whole


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_never_more_than_the_target(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 300), min_size=1, max_size=30))
    anomaly = np.concatenate([np.full(k, i % 2 == 1) for i, k in enumerate(lengths)])
    target = data.draw(st.integers(1, 1000))
    rule = Thinning(over=1, target=target, slice=data.draw(st.integers(1, 100)), whole=data.draw(st.integers(0, 100)))
    after, _ = rule.apply(draft(blank(len(anomaly)), anomaly))
    assert after.samples <= target


# --- balance ---


def test_weights_make_both_classes_count_the_same() -> None:
    ruling = Balance().judge(draft(blank(1000), labels(1000, (0, 100))))
    assert ruling.weights == {"normal": pytest.approx(1000 / 1800), "anomaly": pytest.approx(5.0)}
    assert ruling.weights["normal"] * 900 == pytest.approx(ruling.weights["anomaly"] * 100)
    assert ruling.kept is None


@pytest.mark.parametrize("inverted", [False, True])
def test_slices_of_the_larger_class_go_until_both_are_equal(inverted: bool) -> None:
    anomaly = labels(20_000, (5000, 7000), (15_000, 17_000)) ^ inverted
    start = draft(blank(20_000), anomaly)
    after, _ = Balance(method="slices", slice=500).apply(start)
    assert after.anomalies == after.samples - after.anomalies == 4000
    assert after.weights == {"normal": 1.0, "anomaly": 1.0}
    smaller = ~anomaly if inverted else anomaly
    assert sum(int(smaller[s.start : s.stop].sum()) for s in after.kept) == 4000
    # evenly in time: a quarter of the larger class stays on either side of the middle
    assert sum(s.length for s in after.kept if s.stop <= 10_000) == pytest.approx(4000, abs=1000)


def test_classes_that_alternate_fast_are_left_to_the_weights() -> None:
    anomaly = labels(2000, *[(i, i + 1) for i in range(0, 2000, 10)])
    ruling = Balance(method="slices").judge(draft(blank(2000), anomaly))
    assert ruling.kept is None
    assert ruling.weights is not None
    assert ruling.weights["anomaly"] == pytest.approx(5.0)


# --- share and length ---


@pytest.mark.parametrize(
    ("anomalies", "refused"), [(0, True), (499, True), (500, False), (9999, False), (10_000, True)]
)
def test_share(anomalies: int, refused: bool) -> None:
    assert AnomalyShare().judge(draft(blank(10_000), labels(10_000, (0, anomalies)))).refused == refused


@pytest.mark.parametrize(("n", "refused"), [(1999, True), (2000, False)])
def test_length(n: int, refused: bool) -> None:
    assert Length().judge(draft(blank(n), labels(n))).refused == refused


def test_share_counts_what_is_left() -> None:
    assert not AnomalyShare().judge(draft(blank(10_000), labels(10_000, (0, 100)), (0, 1000))).refused
    assert AnomalyShare().judge(draft(blank(10_000), labels(10_000, (0, 5000)), (4990, 10_000))).refused
