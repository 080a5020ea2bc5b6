"""What every network must beat: distances, a forest of isolation trees and a random forest, on spectral features.

The features are those of `models/features.py`, which are given the shaft speed of every window; networks are not. Rows
without a rate or a speed get plain statistics of each column instead.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from models.features import features
from models.training.dataset import Examples, Floats, Ints
from models.training.detector import Answer, Detector, Settings
from models.training.fit import class_weights, drawn_alike
from models.windows import LabelledWindows, Task
from sim.errors import DatasetError
from sim.progress import Progress
from sim.seeds import generator

FILE = "model.joblib"
TREES = 300
VARIANCE_KEPT = 0.95
"""Share of the normal windows' variance that the principal components keep."""

_CHUNK = 2048


@lru_cache(maxsize=2)
def feature_matrix(data: Examples) -> Floats:
    """Features (n, n_features) of all windows."""
    known = data.rate_hz is not None and bool(np.isfinite(data.speed_rpm).all() and (data.speed_rpm > 0).all())
    pieces = [np.arange(at, min(at + _CHUNK, len(data))) for at in range(0, len(data), _CHUNK)]
    with threadpool_limits(1):
        return np.concatenate([(_spectral if known else _statistics)(data.take(rows)) for rows in pieces])


def _spectral(data: Examples) -> Floats:
    assert data.rate_hz is not None
    task = Task(data.classes, data.rate_hz, data.counts.shape[1], bearing_orders=data.bearing_orders)
    windows = LabelledWindows(data.physical(), data.label, data.kind, data.group, data.speed_rpm, data.provenance)
    return features(windows, task, normalised=True)


def _statistics(data: Examples) -> Floats:
    x = data.physical().astype(np.float64)
    steps = np.abs(np.diff(x, axis=1)).mean(axis=1) if x.shape[1] > 1 else np.zeros_like(x[:, 0])
    found = [
        x.mean(axis=1),
        x.std(axis=1),
        x.min(axis=1),
        x.max(axis=1),
        np.median(x, axis=1),
        steps,
        x[:, -1] - x[:, 0],
        x[:, -1],  # where labels are of the newest row, it matters most
    ]
    return np.concatenate(found, axis=1)


class Baseline(Detector):
    """A scikit-learn model on features."""

    baseline: ClassVar[bool] = True

    def __init__(self) -> None:
        self.model: Any = None

    def save(self, folder: Path) -> None:
        """See Detector."""
        import joblib  # type: ignore[import-untyped]

        joblib.dump(self.model, folder / FILE)

    @classmethod
    def open(cls, folder: Path) -> Baseline:
        """See Detector. The file is a pickle: only open runs of your own."""
        import joblib

        baseline = cls()
        try:
            baseline.model = joblib.load(folder / FILE)
        except (OSError, ValueError, EOFError, KeyError) as error:
            raise DatasetError(f"{folder / FILE}: cannot be read ({error})") from None
        return baseline


class NormalOnly(Baseline):
    """Learns from normal windows alone."""

    classifies: ClassVar[bool] = False

    def fit(
        self, data: Examples, train: Ints, validation: Ints, settings: Settings, seed: int, folder: Path,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """See Detector."""
        normal = train[data.target[train] == 0]
        if len(normal) < 2:
            raise DatasetError(f"{data.name}: {self.name} needs at least two normal windows to train on")
        with threadpool_limits(1):
            self.model = self._made(seed).fit(feature_matrix(data)[normal])

    def answer(self, data: Examples, rows: Ints) -> Answer:
        """See Detector."""
        with threadpool_limits(1):
            return Answer(np.asarray(self._distance(feature_matrix(data)[rows]), np.float64))

    def _made(self, seed: int) -> Any:
        raise NotImplementedError

    def _distance(self, x: Floats) -> Any:
        raise NotImplementedError


class MahalanobisDistance(NormalOnly):
    """Squared distance from the normal windows' mean; covariance shrunk after Ledoit and Wolf (2004)."""

    name = "mahalanobis"

    def _made(self, seed: int) -> Any:
        from sklearn.covariance import LedoitWolf
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), LedoitWolf())

    def _distance(self, x: Floats) -> Any:
        return self.model[1].mahalanobis(self.model[0].transform(x))


class PrincipalComponents(NormalOnly):
    """Square of what the normal windows' principal components leave over (Jackson and Mudholkar 1979)."""

    name = "pca"

    def _made(self, seed: int) -> Any:
        from sklearn.decomposition import PCA
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), PCA(VARIANCE_KEPT, svd_solver="full"))

    def _distance(self, x: Floats) -> Any:
        scaled = self.model[0].transform(x)
        return ((scaled - self.model[1].inverse_transform(self.model[1].transform(scaled))) ** 2).sum(axis=1)


class IsolationTrees(NormalOnly):
    """Isolation forest (Liu et al. 2008)."""

    name = "isolation-forest"

    def _made(self, seed: int) -> Any:
        from sklearn.ensemble import IsolationForest

        return IsolationForest(n_estimators=TREES, random_state=seed, n_jobs=1)

    def _distance(self, x: Floats) -> Any:
        return -self.model.score_samples(x)


class RandomForest(Baseline):
    """Random forest of scikit-learn's defaults with 300 trees (Breiman 2001)."""

    name = "random-forest"

    def fit(
        self, data: Examples, train: Ints, validation: Ints, settings: Settings, seed: int, folder: Path,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """See Detector."""
        from sklearn.ensemble import RandomForestClassifier

        target = data.target[train]
        if settings.balance == "resample":
            chosen = drawn_alike(target, generator(seed, "batches"))
            train, target = train[chosen], target[chosen]
        weight = class_weights(target) if settings.balance == "weights" else None
        model = RandomForestClassifier(TREES, random_state=seed, n_jobs=1)
        self.model = model.fit(feature_matrix(data)[train], target, sample_weight=weight)

    def answer(self, data: Examples, rows: Ints) -> Answer:
        """See Detector; probabilities are shares of the trees' votes."""
        out = np.zeros((len(rows), len(data.classes)))
        out[:, self.model.classes_] = self.model.predict_proba(feature_matrix(data)[rows])
        return Answer.of(out)


BASELINES: tuple[type[Baseline], ...] = (MahalanobisDistance, PrincipalComponents, IsolationTrees, RandomForest)
