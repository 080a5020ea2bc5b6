"""The decimator against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from sim.hybrid.response import decimate


@pytest.mark.parametrize(("factor", "n_taps"), [(1, 21), (2, 41), (5, 101), (3, 7)])
def test_decimating_is_filtering_and_taking_every_so_many(factor: int, n_taps: int) -> None:
    rng = np.random.default_rng(factor)
    taps = rng.standard_normal(n_taps).astype(np.float32)
    x = rng.standard_normal((2, 3000 * factor + n_taps - 1)).astype(np.float32)
    out = np.zeros((2, 3000), dtype=np.float32)
    decimate(x, taps, factor, out)
    for row, of in zip(out, x, strict=True):
        expected = signal.convolve(of.astype(float), taps[::-1].astype(float), "valid")[::factor][:3000]
        np.testing.assert_allclose(row, expected, atol=1e-4)
