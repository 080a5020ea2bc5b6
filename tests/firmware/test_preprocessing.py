"""Preprocessing in C is models/preprocessing.py's, byte for byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from firmware.host import Core
from models.preprocessing import low_pass
from tests.firmware import tiny_model
from tests.firmware.conftest import BuildHost

FIR = low_pass(4)
CASES: dict[str, dict[str, Any]] = {
    "log": {},
    "log, no detrending": {"detrend": False, "offset": (12, -300, 2049)},
    "linear": {"scaling": "linear", "knee": (0, 0, 0), "gain": (32767, 500, 1), "shift": (16, 4, 1)},
    "each channel its own": {"knee": (0, 7, 14), "gain": (65535, 1, 3000), "shift": (16, 1, 12)},
    "odd length": {"length": 997},
    "decimated": {"decimation": 4, "taps": FIR, "length": 240},
    "decimated, linear": {
        "decimation": 4, "taps": FIR, "length": 240, "scaling": "linear", "knee": (0,) * 3, "gain": (900,) * 3,
        "shift": (9,) * 3,
    },
    "loudest taps": {"decimation": 2, "taps": (32767, -32767), "length": 500},
}  # fmt: skip


def _windows(count: int, channels: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Noise from a whisper to full scale, extremes, constants, and both in turn."""
    draws = np.random.default_rng(1)
    x = draws.normal(0, np.geomspace(0.5, 60000, count)[:, None, None], (count, 1024, channels))
    x += draws.integers(-20000, 20000, (count, 1, channels))
    counts = np.clip(np.rint(x), -32768, 32767).astype(np.int16)
    counts[0], counts[1], counts[2] = 32767, -32768, 0
    counts[3, ::2], counts[3, 1::2] = 32767, -32768
    return counts


@pytest.mark.parametrize("case", CASES)
def test_c_equals_python(case: str, build_host: BuildHost) -> None:
    pre = tiny_model.preprocessing(**CASES[case])
    counts = _windows(40, 3)
    expected = pre.apply(counts)
    assert len(np.unique(expected)) > 100  # it is worth comparing
    np.testing.assert_array_equal(Core(build_host(pre)).preprocess(counts, pre.length), expected)


def test_six_channels(build_host: BuildHost) -> None:
    pre = tiny_model.preprocessing(gyro=True)
    counts = _windows(20, 6)
    np.testing.assert_array_equal(Core(build_host(pre)).preprocess(counts, pre.length), pre.apply(counts))
