"""All rules together: verdicts, reasons, the record, and the switches."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from models.curation.curate import RULES, all_rules, curate
from models.curation.series import LabelledSeries, Span, Stated, from_recording
from sim.dataset.real import RealRecording
from sim.errors import DatasetError, ParameterError, SimtwinError
from tests.models.curation.made import ar1, labels, series

NAMES = [kind.name for kind in RULES]


def good(n: int = 20_000) -> LabelledSeries:
    return series(ar1(n, 3, 0.8, seed=1), labels(n, (3000, 4000), (12_000, 13_000)))


def test_a_good_set_is_kept_whole_with_weights_and_a_record() -> None:
    curated = curate(good())
    assert (curated.verdict, curated.slices, curated.reason) == ("kept", (Span(0, 20_000),), "")
    assert curated.weights == {"normal": pytest.approx(20 / 36), "anomaly": pytest.approx(5.0)}
    assert [d.rule for d in curated.decisions] == NAMES
    assert {d.action for d in curated.decisions} == {"passed"}
    ((x, anomaly),) = curated.parts()
    assert x.shape == (20_000, 3)
    assert anomaly.sum() == 2000


def test_everything_at_once() -> None:
    n = 160_000
    x = ar1(n, 3, 0.8, seed=2)
    anomaly = labels(n, *[(i, i + 800) for i in range(2000, n, 4000)])
    x[100_500:101_500] = x[500:1500]  # a copy
    assert anomaly[50_100]
    assert not anomaly[52_000]
    x[[50_100, 52_000], 1] = 90.0  # a spike that is a labelled anomaly, and one among normals
    curated = curate(series(x, anomaly))
    assert curated.verdict == "thinned"
    by_rule = {d.rule: d for d in curated.decisions}
    assert by_rule["duplicates"].after["samples"] == n - 1000
    assert by_rule["outliers"].before["samples"] - by_rule["outliers"].after["samples"] == 1
    assert by_rule["thinning"].after["samples"] <= 100_000
    assert curated.samples == by_rule["length"].after["samples"]
    assert "repeat earlier ones" in curated.reason
    assert "slices" in curated.reason
    for before, after in zip(curated.decisions, curated.decisions[1:], strict=False):
        assert before.after == after.before


def test_a_refused_set_has_all_its_reasons_and_is_not_cut() -> None:
    rng = np.random.default_rng(0)
    curated = curate(series(rng.standard_normal((1500, 4)).astype(np.float32), labels(1500, (0, 30))))
    assert curated.verdict == "refused"
    assert (curated.slices, curated.weights, list(curated.parts())) == ((), {}, [])
    assert "not a time series" in curated.reason
    assert "2 % anomalies, fewer than 5 %" in curated.reason
    assert "1500 samples, fewer than 2000" in curated.reason
    actions = {d.rule: d.action for d in curated.decisions}
    assert actions["thinning"] == actions["normal_spans"] == actions["balance"] == actions["outliers"] == "skipped"


def test_counting_is_done_after_mending() -> None:
    x = np.tile(ar1(1500, 2, 0.8, seed=3), (2, 1))
    curated = curate(series(x, labels(3000, (100, 400), (1600, 1900))))
    assert curated.verdict == "refused"
    assert "1500 samples, fewer than 2000" in curated.reason


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_can_be_switched_off_alone(name: str) -> None:
    rules = all_rules(off=[name])
    assert [r.name for r in rules] == [n for n in NAMES if n != name]
    curated = curate(good(), rules)
    assert {d.rule: d.action for d in curated.decisions}[name] == "off"
    assert curated.verdict == "kept"


BAD = {
    "order": series(np.random.default_rng(0).standard_normal((5000, 3)).astype(np.float32), labels(5000, (0, 500))),
    "share": series(ar1(5000, 2, 0.8, 0), labels(5000, (0, 100))),
    "length": series(ar1(1900, 2, 0.8, 0), labels(1900, (0, 500))),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_what_one_rule_refuses_passes_without_it(name: str) -> None:
    assert curate(BAD[name]).verdict == "refused"
    assert [d.rule for d in curate(BAD[name]).decisions if d.action == "refused"] == [name]
    assert curate(BAD[name], all_rules(off=[name])).verdict == "kept"


def test_parameters_are_obeyed() -> None:
    assert curate(good(), all_rules(settings=["length.least=20001"])).verdict == "refused"
    assert curate(good(), all_rules(settings=["share.least=0.11"])).verdict == "refused"
    thinned = curate(good(), all_rules(settings=["thinning.over=1", "thinning.target=9000"]))
    assert thinned.verdict == "thinned"
    assert thinned.samples <= 9000
    assert curate(good(), all_rules(settings=["balance.method=slices"])).samples == 4000


@pytest.mark.parametrize(
    ("off", "settings", "text"),
    [
        (["thinnning"], [], "no rule 'thinnning'; there are labels, "),
        ([], ["thinning.taget=5"], "parameters are labels.invert, duplicates.rows"),
        ([], ["thinning"], "is not RULE.PARAMETER=VALUE"),
        ([], ["nothing.over=5"], "is not RULE.PARAMETER=VALUE"),
        ([], ["thinning.target=many"], "thinning.target=many: "),
        ([], ["share.least=5"], "share.least=5: Input should be less than or equal to 1"),
    ],
)
def test_wrong_switches_are_named(off: list[str], settings: list[str], text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        all_rules(off, settings)
    assert text in str(caught.value)
    assert isinstance(caught.value, SimtwinError)
    assert "\n" not in str(caught.value)


def test_the_record_is_json_and_the_same_each_time() -> None:
    first, second = (
        json.dumps([d.as_dict() for d in curate(good(), all_rules(settings=["normal_spans.longest=500"])).decisions])
        for _ in range(2)
    )
    assert first == second


def test_the_input_is_not_changed() -> None:
    made = good()
    x, anomaly = made.x.copy(), made.anomaly.copy()
    curate(made, all_rules(settings=["labels.invert=always", "thinning.over=1", "thinning.target=9000"]))
    np.testing.assert_array_equal(made.x, x)
    np.testing.assert_array_equal(made.anomaly, anomaly)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 100])
def test_tiny_sets_are_refused_and_nothing_breaks(n: int) -> None:
    curated = curate(series(np.zeros((n, 1), np.float32), labels(n)))
    assert curated.verdict == "refused"
    assert "fewer than 2000" in curated.reason


def test_a_set_of_gaps_alone() -> None:
    curated = curate(series(np.full((3000, 2), np.nan, np.float32), labels(3000, (0, 600))))
    assert curated.verdict == "refused"
    assert "3000 samples excluded, not finite numbers" in curated.reason


def recording(label: str, anomaly: np.ndarray | None) -> RealRecording:
    return RealRecording(np.zeros((10, 2), np.float32), ("a", "b"), 1.0, "r1", label, anomaly=anomaly, notes=("odd",))


def test_series_of_recordings() -> None:
    marks = labels(10, (3, 5))
    made = from_recording(recording("anomaly", marks))
    assert (made.name, made.channels, made.notes, made.stated) == ("r1", ("a", "b"), ("odd",), Stated())
    assert made.anomaly is marks
    assert from_recording(recording("imbalance", None)).anomaly.all()
    assert not from_recording(recording("normal", None)).anomaly.any()
    with pytest.raises(DatasetError, match="r1: has no label"):
        from_recording(recording("", None))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"\(5, 2\).*\(4,\)"):
        LabelledSeries(np.zeros((5, 2), np.float32), labels(4), "s")
    with pytest.raises(DatasetError, match="1 channel names for 2"):
        LabelledSeries(np.zeros((5, 2), np.float32), labels(5), "s", channels=("a",))


def test_weights_balance_after_all_cuts() -> None:
    curated = curate(good(), all_rules(settings=["normal_spans.longest=500"]))
    anomaly = np.concatenate([a for _, a in curated.parts()])
    assert math.isclose(curated.weights["anomaly"] * anomaly.sum(), curated.weights["normal"] * (~anomaly).sum())
