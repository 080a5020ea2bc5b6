"""Mahalanobis distance from the normal windows, on normalised features: the baseline that needs no fault label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features import features
from models.windows import Floats, LabelledWindows, Task
from sim.scenario.schema import NORMAL


class Mahalanobis:
    """Squared distance from the mean of the normal windows, covariance shrunk after Ledoit and Wolf (2004).

    The features are scaled by their spread among the normal windows first, as shrinkage is towards a sphere.
    """

    name = "mahalanobis"

    def __init__(self, task: Task, seed: int) -> None:
        self.task, self.seed = task, seed
        self.model: Any = None

    def fit(self, windows: LabelledWindows) -> Mahalanobis:
        """Learn from the windows labelled normal; others are left alone. ValueError when fewer than two are."""
        from sklearn.covariance import LedoitWolf
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        normal = windows.take(windows.label == NORMAL)
        if len(normal) < 2:
            raise ValueError(f"a Mahalanobis distance needs at least two normal windows; given {len(normal)}")
        self.model = make_pipeline(StandardScaler(), LedoitWolf())
        self.model.fit(features(normal, self.task, normalised=True))
        return self

    def anomaly(self, windows: LabelledWindows) -> Floats:
        """Squared distance (n,)."""
        scaled: NDArray[Any] = self.model[0].transform(features(windows, self.task, normalised=True))
        return np.asarray(self.model[1].mahalanobis(scaled), np.float64)
