"""What every model here is, network or baseline: fitted on some windows, asked about others; and the threshold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from models.training.dataset import TARGETS, Examples, Floats, Ints, Target
from sim.errors import ParameterError
from sim.progress import Progress

Balance = Literal["weights", "resample", "none"]

INT8_STEPS = 256
"""Steps of an int8 network's probabilities: thresholds lie half-way between two, so that float and int8 agree on them."""


@dataclass(frozen=True)
class Settings:
    """How models are trained and judged; with the data and the seed it says all that figures depend on.

    Attributes:
        target: what is told apart: normal from anomaly, kinds of fault, or labels.
        folds: of the cross-validation, by recording.
        epochs: at most.
        patience: epochs without a better validation F1 after which training ends.
        batch: windows of a step.
        learning_rate: of Adam at the start; falls as a cosine to a hundredth at the last epoch.
        balance: classes weighted, drawn alike, or as they are.
        false_alarm_rate: share of normal windows that may be flagged, by which the threshold is set.
        seed: of splits, weights and batches.
        scaling, detrend, decimation, hop: of the preprocessing (models/preprocessing.py).
    """

    target: Target = "binary"
    folds: int = 5
    epochs: int = 60
    patience: int = 15
    batch: int = 64
    learning_rate: float = 3e-3
    balance: Balance = "weights"
    false_alarm_rate: float = 0.01
    seed: int = 0
    scaling: Literal["log", "linear"] = "log"
    detrend: bool = True
    decimation: int = 1
    hop: int | None = None

    def __post_init__(self) -> None:
        asked: list[tuple[bool, str, Any, str]] = [
            (self.target in TARGETS, "target", self.target, " or ".join(TARGETS)),
            (self.folds >= 2, "folds", self.folds, "2 and more"),
            (self.epochs >= 1, "epochs", self.epochs, "1 and more"),
            (self.patience >= 1, "patience", self.patience, "1 and more"),
            (self.batch >= 1, "batch", self.batch, "1 and more"),
            (self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0"),
            (self.balance in get_args(Balance), "balance", self.balance, " or ".join(get_args(Balance))),
            (0 < self.false_alarm_rate < 1, "false_alarm_rate", self.false_alarm_rate, "between 0 and 1"),
            (self.decimation >= 1, "decimation", self.decimation, "1 and more"),
            (self.hop is None or self.hop >= 1, "hop", self.hop, "1 and more"),
        ]
        for holds, name, given, allowed in asked:
            if not holds:
                raise ParameterError(f"{name} is {given}; allowed is {allowed}")

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Answer:
    """What a model says of n windows.

    Attributes:
        anomaly: (n,) larger for less normal: log odds of not normal, or a distance.
        probabilities: (n, classes); None of a model that only tells anomalies.
    """

    anomaly: Floats
    probabilities: Floats | None = None

    @staticmethod
    def of(probabilities: NDArray[Any]) -> Answer:
        """With the log odds of not normal, which rank as 1 - p(normal) does, without its rounding."""
        p = np.asarray(probabilities, np.float64)
        normal, other = np.clip(p[:, 0], 1e-300, 1.0), np.clip(p[:, 1:].sum(axis=1), 1e-300, 1.0)
        return Answer(np.log(other) - np.log(normal), p)

    @property
    def level(self) -> Floats:
        """(n,) what the threshold is held against: the probability of not normal, or the distance."""
        return self.anomaly if self.probabilities is None else self.probabilities[:, 1:].sum(axis=1)

    def verdicts(self, threshold: float) -> Ints:
        """(n,) normal where the level is not above the threshold, else the most probable other class (1 without)."""
        if self.probabilities is None:
            fault = np.ones(len(self.anomaly), np.intp)
        else:
            fault = self.probabilities[:, 1:].argmax(axis=1) + 1
        return np.where(self.level > threshold, fault, 0)


def threshold_for(normal: Answer, false_alarm_rate: float) -> float:
    """The lowest threshold above which at most the stated share of these normal windows lies.

    Of probabilities: half-way between two steps of an int8 output, at most 254.5 / 256, even where more windows lie
    above that.
    """
    level = np.sort(normal.level)
    allowed = int(np.floor(false_alarm_rate * len(level) + 1e-9))
    lowest = float(level[len(level) - 1 - allowed])  # so many lie above it, at most
    if normal.probabilities is None:
        return lowest
    step = int(np.clip(np.ceil(lowest * INT8_STEPS - 0.5), 0, INT8_STEPS - 2))
    return (step + 0.5) / INT8_STEPS


class Detector(ABC):
    """A model: `fit` it, ask for `answer`s, `save` and `open` it.

    Attributes:
        name: on the command line.
        classifies: whether it tells classes apart, not only anomalies.
        baseline: whether networks must beat it.
    """

    name: ClassVar[str]
    classifies: ClassVar[bool] = True
    baseline: ClassVar[bool] = False

    @abstractmethod
    def fit(
        self, data: Examples, train: Ints, validation: Ints, settings: Settings, seed: int, folder: Path,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """Learn from the rows `train` of `data`; `validation` may say when to stop. History and logs go to `folder`."""

    @abstractmethod
    def answer(self, data: Examples, rows: Ints) -> Answer:
        """What it says of the rows of `data`."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model's files into `folder`."""

    @classmethod
    @abstractmethod
    def open(cls, folder: Path) -> Detector:
        """Read what `save` wrote; DatasetError when it cannot be read."""
