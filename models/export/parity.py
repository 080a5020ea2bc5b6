"""The same windows through Keras, TFLite's reference kernels and TensorFlow Lite Micro; every difference has its cause.

Between the two int8 interpreters a difference is traced to the first operator that answers differently to equal
inputs, inside loops too. Between float and int8 it is the rounding to 8 bits; what counts there is whether decisions
change, and how close they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures.autoencoder import scores
from models.export.cost import loop_steps
from models.export.flatbuffer import operator_name, read, subgraph_alone
from models.export.interpreters import Lite, Micro
from models.export.scales import PROBABILITY_SCALE, PROBABILITY_ZERO
from models.preprocessing import to_float
from models.training.detector import Answer

Int8 = NDArray[np.int8]
Floats = NDArray[np.float64]

CAUSES = {
    "BATCH_MATMUL": "multiplies its scales in float32, TFLM in float64",
    "FULLY_CONNECTED": "rescales in one rounding, TFLM in two",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "gates rounded otherwise; the state carries it on",
}
"""Operators whose reference kernels in TFLite and TFLM are known to round differently, and how."""


@dataclass(frozen=True)
class Between:
    """TFLite's reference kernels against TFLM, the same int8 model.

    Attributes:
        windows: how many were run.
        differing: of them, outputs that differ in any byte.
        largest_lsb: largest difference of an output.
        decisions: verdicts that differ.
        causes: for each operator that was the first to differ, in how many windows it was.
        first_lsb: for each of them, by how much at most, on equal inputs.
    """

    windows: int
    differing: int
    largest_lsb: int
    decisions: int
    causes: dict[str, int] = field(default_factory=dict)
    first_lsb: dict[str, int] = field(default_factory=dict)

    @property
    def unexplained(self) -> int:
        """Windows that differ without a known cause."""
        return self.differing - sum(count for name, count in self.causes.items() if name in CAUSES)


@dataclass(frozen=True)
class Rounded:
    """Keras float against the int8 model in TFLM.

    Attributes:
        windows: how many were run.
        largest, mean: difference of the probabilities; of an autoencoder: of the scores, relative.
        decisions: verdicts that differ.
        closest_call: how far from another verdict float was, at most, in a window whose verdict differs: between two
            classes, or from the threshold; 0 when none differs.
    """

    windows: int
    largest: float
    mean: float
    decisions: int
    closest_call: float


@dataclass(frozen=True)
class Parity:
    """One model in three interpreters.

    Attributes:
        interpreters: TFLite reference kernels and TFLM.
        rounding: Keras and TFLM.
        f1_float, f1_int8: macro-F1 of Keras' and of TFLM's verdicts on the true classes, None without them.
    """

    interpreters: Between
    rounding: Rounded
    f1_float: float | None = None
    f1_int8: float | None = None

    @property
    def f1_drop(self) -> float | None:
        """What int8 costs in macro-F1."""
        return None if self.f1_float is None or self.f1_int8 is None else self.f1_float - self.f1_int8

    def to_json(self) -> dict[str, Any]:
        """For metrics.json."""
        between = {**asdict(self.interpreters), "unexplained": self.interpreters.unexplained}
        f1 = {"float": self.f1_float, "int8": self.f1_int8, "drop": self.f1_drop}
        return {"tflite_reference_to_tflm": between, "keras_to_tflm": asdict(self.rounding), "macro_f1": f1}


def parity(
    model: Any,
    int8: bytes,
    windows: Int8,
    truth: Sequence[int] | NDArray[Any] | None = None,
    threshold: float | None = None,
) -> Parity:
    """Run int8 windows (n, length, channels) through all three.

    Args:
        model: the Keras model that `int8` was made of.
        int8: the .tflite file.
        windows: preprocessed.
        truth: (n,) numbers of the true classes, 0 is normal.
        threshold: of the anomaly's level; None: the most probable class is the verdict (and an autoencoder has none).
    """
    exact = model.predict(to_float(windows), batch_size=256, verbose=0)
    micro, lite = Micro(int8).run(windows), Lite(int8).run(windows)
    if exact.ndim == 3:
        answers = [Answer(scores(to_float(windows), each)) for each in (exact, to_float(micro), to_float(lite))]
    elif threshold is None:
        answers = [Answer(each[:, 0], each) for each in (exact, probabilities(micro), probabilities(lite))]
    else:
        answers = [Answer.of(each) for each in (exact, probabilities(micro), probabilities(lite))]
    in_float, in_micro, in_lite = (_verdicts(answer, threshold) for answer in answers)
    between = _between(int8, windows, lite, micro, int((in_lite != in_micro).sum()))
    rounding = _rounded(answers[0], answers[1], in_float, in_micro, threshold)
    if truth is None or (exact.ndim == 3 and threshold is None):
        return Parity(between, rounding)
    wanted = np.minimum(truth, 1) if exact.ndim == 3 else np.asarray(truth)
    return Parity(between, rounding, macro_f1(wanted, in_float), macro_f1(wanted, in_micro))


def probabilities(output: Int8) -> Floats:
    """Probabilities of a classifier's int8 output."""
    return (output.astype(np.float64) - PROBABILITY_ZERO) * PROBABILITY_SCALE


def macro_f1(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Mean F1 of the classes that occur in `truth`."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0.0))


def _verdicts(answer: Answer, threshold: float | None) -> NDArray[np.intp]:
    if threshold is not None:
        return answer.verdicts(threshold)
    if answer.probabilities is None:
        return np.zeros(len(answer.anomaly), np.intp)
    return np.asarray(answer.probabilities.argmax(axis=1))


def _rounded(
    exact: Answer, rounded: Answer, before: NDArray[np.intp], after: NDArray[np.intp], threshold: float | None
) -> Rounded:
    changed = np.flatnonzero(before != after)
    if exact.probabilities is None or rounded.probabilities is None:
        difference = np.abs(rounded.anomaly / exact.anomaly - 1.0)
    else:
        difference = np.abs(rounded.probabilities - exact.probabilities)
    calls = [0.0]
    for row in changed.tolist():
        if threshold is not None and 0 in (before[row], after[row]):
            calls.append(abs(float(exact.level[row]) - threshold))
        elif exact.probabilities is not None:
            calls.append(float(exact.probabilities[row, before[row]] - exact.probabilities[row, after[row]]))
    return Rounded(len(before), float(difference.max()), float(difference.mean()), len(changed), max(calls))


def _between(content: bytes, windows: Int8, lite: Int8, micro: Int8, decisions: int) -> Between:
    difference = np.abs(lite.astype(int) - micro).reshape(len(windows), -1).max(axis=1)
    differing = np.flatnonzero(difference)
    causes: Counter[str] = Counter()
    first_lsb: dict[str, int] = {}
    if len(differing):
        trace = _Trace(content)
        for window in windows[differing]:
            name, lsb = trace.first_difference(window[None])
            causes[name] += 1
            first_lsb[name] = max(lsb, first_lsb.get(name, 0))
    found = dict(sorted(causes.items()))
    return Between(len(windows), len(differing), int(difference.max()), decisions, found, first_lsb)


class _Trace:
    """A model in both interpreters with all tensors kept, side by side."""

    def __init__(self, content: bytes) -> None:
        self._model = read(content)
        self._micro, self._lite = Micro(content, keep_tensors=True), Lite(content, keep_tensors=True)

    def first_difference(self, *inputs: NDArray[Any]) -> tuple[str, int]:
        """Name of the first operator with another output, and by how much; ("", 0) when there is none."""
        self._micro(*inputs)
        self._lite(*inputs)
        graph = self._model.subgraphs[0]
        read_later = {int(each) for operator in graph.operators for each in operator.inputs} | set(graph.outputs)
        for operator in graph.operators:
            for number in read_later.intersection(int(each) for each in operator.outputs):
                lsb = _distance(self._micro.tensor(number), self._lite.tensor(number))
                if not lsb:
                    continue
                name = operator_name(self._model, operator)
                return self._inside(operator) if name == "WHILE" else (name, lsb)
        return "", 0

    def _inside(self, operator: Any) -> tuple[str, int]:
        """The same for the body of a loop, step by step from the state that TFLM had."""
        body = _Trace(subgraph_alone(self._model, int(operator.builtinOptions.bodySubgraphIndex)))
        at, sequence, state = (self._micro.tensor(int(each)).copy() for each in operator.inputs)
        for step in range(loop_steps(self._model, operator)):
            name, lsb = body.first_difference(np.array(step, at.dtype), sequence, state)
            if name:
                return name, lsb
            state = body._micro.output(2).copy()
        return "WHILE", 0


def _distance(one: NDArray[Any], other: NDArray[Any]) -> int:
    if one.size == 0:
        return 0
    return int(np.abs(one.astype(np.int64).ravel() - other.astype(np.int64).ravel()).max())
