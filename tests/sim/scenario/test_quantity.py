from __future__ import annotations

import json
import math
import sys
from typing import Annotated, Any

import jsonschema
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.scenario.quantity import Choice, Distribution, LogUniform, Normal, Quantity, Uniform, span
from sim.scenario.spec import Spec

FREE = (-sys.float_info.max, sys.float_info.max)


class Free(Spec):
    x_mm: Annotated[float, Quantity()]


class Closed(Spec):
    x_mm: Annotated[float, Quantity(ge=0, le=10)]


class Open(Spec):
    x_mm: Annotated[float, Quantity(gt=0, lt=10)]


def message(model: type[Spec], value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"x_mm": value})
    (error,) = caught.value.errors()
    return error["msg"]


FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=5e-324, allow_infinity=False)


def ordered(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    return st.lists(numbers, min_size=2, max_size=2, unique=True).map(sorted).filter(lambda p: p[0] < p[1])


DISTRIBUTIONS = st.one_of(
    ordered(FINITE).map(lambda p: {"uniform": p}),
    ordered(POSITIVE).map(lambda p: {"loguniform": p}),
    st.tuples(FINITE, st.floats(min_value=0, allow_infinity=False)).map(lambda p: {"normal": list(p)}),
    st.lists(FINITE, min_size=1).map(lambda p: {"choice": p}),
)


@given(FINITE | st.integers(-(10**300), 10**300) | DISTRIBUTIONS)
def test_valid_quantities_round_trip(value: Any) -> None:
    model = Free.model_validate({"x_mm": value})
    assert isinstance(model.x_mm, float | Distribution)
    assert json.loads(model.model_dump_json()) == {"x_mm": float(value) if isinstance(value, int) else value}
    assert Free.model_validate_json(model.model_dump_json()) == model


@settings(max_examples=300)
@given(DISTRIBUTIONS, st.integers(0, 2**32))
def test_draws_are_finite_and_inside_whatever_the_parameters(value: Any, seed: int) -> None:
    distribution = Free.model_validate({"x_mm": value}).x_mm
    assert isinstance(distribution, Distribution)
    low, high = FREE if isinstance(distribution, Normal) else distribution.support()
    rng = np.random.default_rng(seed)
    for _ in range(20):
        drawn = distribution.draw(rng, *FREE)
        assert type(drawn) is float
        assert low <= drawn <= high


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e12), st.integers(0, 2**32))
def test_normal_is_truncated_to_the_bounds(
    mean: float, below: float, above: float, deviation: float, seed: int
) -> None:
    low, high = mean - below, mean + above
    rng = np.random.default_rng(seed)
    assert all(low <= Normal((mean, deviation)).draw(rng, low, high) <= high for _ in range(20))


@pytest.mark.parametrize(
    ("distribution", "bounds", "reference"),
    [
        (Uniform((-2.0, 5.0)), FREE, scipy.stats.uniform(-2.0, 7.0)),
        (LogUniform((1e-3, 1e4)), FREE, scipy.stats.loguniform(1e-3, 1e4)),
        (Normal((3.0, 2.0)), FREE, scipy.stats.norm(3.0, 2.0)),
        (Normal((3.0, 2.0)), (2.0, 9.0), scipy.stats.truncnorm(-0.5, 3.0, 3.0, 2.0)),
        (Normal((3.0, 2.0)), (3.0, FREE[1]), scipy.stats.truncnorm(0.0, np.inf, 3.0, 2.0)),
        (Normal((0.5, 1000.0)), (0.0, 1.0), scipy.stats.uniform(0.0, 1.0)),
    ],
)
def test_draws_follow_the_closed_form(distribution: Distribution, bounds: tuple[float, float], reference: Any) -> None:
    rng = np.random.default_rng(20240607)
    drawn = [distribution.draw(rng, *bounds) for _ in range(20000)]
    assert scipy.stats.kstest(drawn, reference.cdf).pvalue > 0.01


def test_choice_takes_all_values_equally_often() -> None:
    rng = np.random.default_rng(1)
    drawn = [Choice((1.0, 2.0, 8.0)).draw(rng, *FREE) for _ in range(9000)]
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [1.0, 2.0, 8.0]
    assert scipy.stats.chisquare(counts).pvalue > 0.01


def test_normal_without_deviation_is_its_mean() -> None:
    assert Normal((4.0, 0.0)).draw(np.random.default_rng(1), 4.0, 5.0) == 4.0


NUMBER = "a finite number or one of {uniform: [...], loguniform: [...], normal: [...], choice: [...]}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("5", f"expected {NUMBER}"),
        (None, f"expected {NUMBER}"),
        (True, f"expected {NUMBER}"),
        (math.nan, f"expected {NUMBER}"),
        (-math.inf, f"expected {NUMBER}"),
        (10**400, f"expected {NUMBER}"),
        ([1, 2], f"expected {NUMBER}"),
        ({}, f"expected {NUMBER}"),
        ({"uniform": [1, 2], "choice": [1]}, f"expected {NUMBER}"),
        ({"unifrom": [1, 2]}, f"unknown distribution; expected {NUMBER}"),
        ({"uniform": 1}, "uniform takes a list of finite numbers"),
        ({"uniform": [1, "2"]}, "uniform takes a list of finite numbers"),
        ({"choice": [1, math.inf]}, "choice takes a list of finite numbers"),
        ({"choice": [1, True]}, "choice takes a list of finite numbers"),
        ({"uniform": [1]}, "uniform takes [low, high]"),
        ({"uniform": [2, 1]}, "uniform needs low < high"),
        ({"uniform": [1, 1]}, "uniform needs low < high"),
        ({"loguniform": [1, 2, 3]}, "loguniform takes [low, high]"),
        ({"loguniform": [0, 1]}, "loguniform needs low > 0"),
        ({"normal": [0]}, "normal takes [mean, standard deviation]"),
        ({"normal": [0, -1]}, "normal needs a standard deviation >= 0"),
        ({"choice": []}, "choice needs at least one value"),
    ],
)
def test_what_is_not_a_quantity(value: object, text: str) -> None:
    assert message(Free, value) == text


@pytest.mark.parametrize("value", [0, 10, {"uniform": [0, 10]}, {"choice": [10, 0]}, {"normal": [0, 99]}])
def test_inclusive_bounds(value: object) -> None:
    Closed.model_validate({"x_mm": value})
    prefix = "every value that can be drawn must be" if isinstance(value, dict) else "must be"
    assert message(Open, value) == f"{prefix} > 0 and < 10"


@pytest.mark.parametrize("value", [-1e-300, 10.000000000000002, {"uniform": [-1, 5]}, {"choice": [1, 11]}])
def test_outside_the_bounds(value: object) -> None:
    assert message(Closed, value).endswith("must be >= 0 and <= 10")


@pytest.mark.parametrize("value", [5e-324, 9.999999999999998, {"loguniform": [1e-300, 9]}, {"normal": [1, 99]}])
def test_exclusive_bounds_admit_the_next_float(value: object) -> None:
    Open.model_validate({"x_mm": value})


def test_normal_never_draws_an_exclusive_bound() -> None:
    bounds = Quantity(gt=0, lt=1e-3)
    rng = np.random.default_rng(3)
    drawn = [Normal((5e-4, 1e3)).draw(rng, bounds.low(), bounds.high()) for _ in range(2000)]
    assert 0 < min(drawn) < max(drawn) < 1e-3


def test_span() -> None:
    assert span(3.0) == (3.0, 3.0)
    assert span(Uniform((1.0, 2.0))) == (1.0, 2.0)
    assert span(Choice((5.0, 1.0, 3.0))) == (1.0, 5.0)
    assert span(Normal((5.0, 1.0))) == (5.0, 5.0)


def test_a_default_is_dumped_as_a_float() -> None:
    class Model(Spec):
        x_mm: Annotated[float, Quantity()] = 5

    assert Model().model_dump_json() == Model.model_validate({"x_mm": 5}).model_dump_json() == '{"x_mm":5.0}'


@given(FINITE | DISTRIBUTIONS | st.none() | st.text() | st.booleans() | st.dictionaries(st.text(), FINITE))
def test_the_json_schema_admits_what_is_accepted_and_no_other_type(value: object) -> None:
    try:
        Closed.model_validate({"x_mm": value})
    except ValidationError:
        return
    jsonschema.validate({"x_mm": value}, Closed.model_json_schema())


@pytest.mark.parametrize("value", ["5", None, True, -1, 11, {"uniform": [0, 11]}, {"uniform": [1]}, {"odd": [1, 2]}])
def test_the_json_schema_refuses(value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"x_mm": value}, Closed.model_json_schema())
