"""Random forests on spectral and order features: untuned, in plain units and normalised by speed."""

from __future__ import annotations

from typing import Any

from models.conv import class_numbers
from models.features import features
from models.windows import Floats, LabelledWindows, Task

TREES = 300


class Forest:
    """300 trees of scikit-learn's defaults, classes weighted to balance; one thread."""

    name = "forest"
    normalised = False

    def __init__(self, task: Task, seed: int) -> None:
        self.task, self.seed = task, seed
        self.model: Any = None

    def fit(self, windows: LabelledWindows) -> Forest:
        """Grow the trees; ValueError when `windows` hold fewer than two of the task's classes."""
        from sklearn.ensemble import RandomForestClassifier

        target = class_numbers(windows.label, self.task.classes)
        if target.min() == target.max():
            raise ValueError(f"a forest needs at least two classes to train on; given: {windows.label[0]}")
        model = RandomForestClassifier(TREES, class_weight="balanced", random_state=self.seed, n_jobs=1)
        self.model = model.fit(features(windows, self.task, self.normalised), target)
        return self

    def probabilities(self, windows: LabelledWindows) -> Floats:
        """Share of the trees' votes (n, classes) for each of the task's classes."""
        import numpy as np

        out = np.zeros((len(windows), len(self.task.classes)))
        out[:, self.model.classes_] = self.model.predict_proba(features(windows, self.task, self.normalised))
        return out


class NormalisedForest(Forest):
    """The same on features whose amplitudes are divided by (speed / 1800 rpm)^2."""

    name = "forest-normalised"
    normalised = True
