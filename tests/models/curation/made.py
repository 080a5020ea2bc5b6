"""Series whose truth is known, for the tests of the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.curation.base import Draft
from models.curation.series import LabelledSeries, Span


def ar1(n: int, d: int, phi: float, seed: int) -> NDArray[np.float32]:
    """(n, d) of unit variance with autocorrelation phi^lag."""
    noise = np.random.default_rng(seed).standard_normal((n + 200, d))
    return np.asarray(lfilter([np.sqrt(1 - phi**2)], [1, -phi], noise, axis=0)[200:], np.float32)


def labels(n: int, *spans: tuple[int, int]) -> NDArray[np.bool_]:
    """Anomalous in the spans (start, stop), normal elsewhere."""
    anomaly = np.zeros(n, np.bool_)
    for start, stop in spans:
        anomaly[start:stop] = True
    return anomaly


def series(x: NDArray[np.float32], anomaly: NDArray[np.bool_], **more: Any) -> LabelledSeries:
    return LabelledSeries(x, anomaly, "made", **more)


def draft(x: NDArray[np.float32], anomaly: NDArray[np.bool_], *kept: tuple[int, int], **more: Any) -> Draft:
    """The whole series, or the spans `kept` of it."""
    spans = tuple(Span(*k) for k in kept) or (Span(0, len(x)),)
    return Draft(series(x, anomaly, **more), spans)
