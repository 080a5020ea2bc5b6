"""Random forests on spectral and order features: untuned, in plain units and normalised by speed, and behind a gate."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.conv import class_numbers
from models.features import features
from models.mahalanobis import Mahalanobis
from models.windows import Floats, Ints, LabelledWindows, Task
from sim.scenario.schema import NORMAL

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
        out = np.zeros((len(windows), len(self.task.classes)))
        out[:, self.model.classes_] = self.model.predict_proba(features(windows, self.task, self.normalised))
        return out


class NormalisedForest(Forest):
    """The same on features whose amplitudes are divided by (speed / 1800 rpm)^2."""

    name = "forest-normalised"
    normalised = True


class GatedForest:
    """Whether anything is wrong, healthy windows alone say; which fault it is, a forest grown on faulty ones.

    So a fault that looks like no simulated one is still called a fault, and faint simulated faults make no healthy window
    suspect. The gate is the Mahalanobis distance that 1 % of the normal windows exceed, each quarter of every recording's
    windows measured by a distance that was learnt without it. That normals of an unseen speed lie farther off is for the
    augmentation to bring: windows that are carried there with the error of carrying (`sim.hybrid.carry_error`).
    """

    name = "gated-forest"
    FALSE_ALARM_RATE = 0.01
    QUARTERS = 4

    def __init__(self, task: Task, seed: int) -> None:
        self.task, self.seed = task, seed
        self.gate, self.namer = Mahalanobis(task, seed), NormalisedForest(task, seed)
        self.limit = 0.0
        self.only_fault: int | None = None

    def fit(self, windows: LabelledWindows) -> GatedForest:
        """Learn both; ValueError when `windows` hold no fault, or too few normal ones for a distance."""
        normal, faulty = windows.take(windows.label == NORMAL), windows.take(windows.label != NORMAL)
        if not len(faulty):
            raise ValueError("a gated forest needs faulty windows to train on; none are given")
        self.gate.fit(normal)
        self.limit = float(np.quantile(self._unseen_distances(normal), 1.0 - self.FALSE_ALARM_RATE))
        faults = np.unique(class_numbers(faulty.label, self.task.classes))
        if len(faults) == 1:
            self.only_fault = int(faults[0])
        else:
            self.namer.fit(faulty)
        return self

    def judge(self, windows: LabelledWindows) -> tuple[Ints, Floats]:
        """Class (n,), and distance from the healthy windows (n,)."""
        distance = self.gate.anomaly(windows)
        if self.only_fault is None:
            fault = self.namer.probabilities(windows).argmax(axis=1)
        else:
            fault = np.full(len(windows), self.only_fault)
        return np.where(distance <= self.limit, self.task.classes.index(NORMAL), fault), distance

    def _unseen_distances(self, normal: LabelledWindows) -> Floats:
        quarter = np.empty(len(normal), np.intp)
        for group in np.unique(normal.group):
            own = np.flatnonzero(normal.group == group)
            quarter[own] = np.arange(len(own)) * self.QUARTERS // len(own)
        found = np.empty(len(normal))
        for number in np.unique(quarter):
            left_out = quarter == number
            distance = Mahalanobis(self.task, self.seed).fit(normal.take(~left_out))
            found[left_out] = distance.anomaly(normal.take(left_out))
        return found
