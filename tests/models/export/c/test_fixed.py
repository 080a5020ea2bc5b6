"""Fixed-point constants against real numbers."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.export.c.fixed import Factor, Powers, activation_range, factor
from models.export.c.operators.mean import divided


@given(st.floats(2.0**-30, 2.0**8))
def test_a_factor_is_the_nearest_with_31_bits(real: float) -> None:
    found = factor(real)
    assert 2**30 <= found.multiplier < 2**31
    made = found.multiplier / 2**31 * 2.0**-found.right
    assert made == pytest.approx(real, rel=2.0**-31)


def test_factors_at_their_limits() -> None:
    assert factor(0.5) == Factor(2**30, 0)
    assert factor(1.0) == Factor(2**30, -1)
    assert factor(0.25 * (2 - 2.0**-40)) == Factor(2**30, 0)  # rounds up to the next power of two
    assert factor(2.0**-40) == Factor(0, 1)


@given(st.floats(1e-4, 2.0), st.integers(1, 5000))
def test_a_mean_divides_in_its_factor(real: float, count: int) -> None:
    found = divided(factor(real), count)
    assert 0 < found.multiplier < 2**31
    assert found.multiplier / 2**31 * 2.0**-found.right == pytest.approx(real / count, rel=1e-6)


@pytest.mark.parametrize("scale", [0.001, 0.0376, 0.3, 4.0])
def test_powers_are_exponentials(scale: float) -> None:
    powers = Powers.of(scale, 1.0)
    table = powers.table()
    assert len(table) == powers.depth <= 256
    assert powers.depth == 256 or exp(-scale * powers.depth) < 2e-7  # what is cut off is far below 1/256
    for steps, value in enumerate(table):
        assert value / 2**31 == pytest.approx(
            exp(-scale * steps), abs=3e-7
        )  # the polynomial leaves out x^5 / 120, at most 2.5e-7


def test_fused_activations_in_int8() -> None:
    assert activation_range(0, 0.1, 5) == (-128, 127)
    assert activation_range(1, 0.1, 5) == (5, 127)
    assert activation_range(2, 0.1, 5) == (-5, 15)
    assert activation_range(3, 0.1, -100) == (-100, -40)
    assert activation_range(4, 0.1, 5) is None
