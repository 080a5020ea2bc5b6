"""An artifact's verdict on one window, by LiteRT.

The int8 model with LiteRT's reference kernels is the default: they round as TensorFlow Lite Micro (TFLM) on the chip does in
all but a few windows in a hundred, and then by little (docs/monitor.md), so that host and chip agree. LiteRT's own choice of
kernels (XNNPACK) is faster and rounds otherwise far more often. The dynamic-range model is the network nearest to what
was trained, but not what runs on the chip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.artifact import DYNAMIC, INT8, Artifact, ArtifactError
from models.export.scales import PROBABILITY_SCALE, PROBABILITY_ZERO
from models.preprocessing import INPUT_SCALE, Counts, to_float
from sim.errors import SimtwinError


class MonitorError(SimtwinError):
    """Monitoring that cannot begin, such as without LiteRT."""

    exit_code = 6


@dataclass(frozen=True)
class Verdict:
    """What the model says of a window.

    Attributes:
        number: of the class in the artifact's `classes`; 0 is normal: the level is not above the threshold.
        level: probability of not normal, or mean square not reconstructed; held against the artifact's threshold.
        confidence: probability of the class; None of a model without classes.
    """

    number: int
    level: float
    confidence: float | None


class Judge:
    """A model of an artifact in LiteRT.

    Args:
        artifact: what to run.
        dynamic: run the dynamic-range model, with LiteRT's own choice of kernels, instead of the int8 one.

    Raises:
        MonitorError: LiteRT is not installed.
        ArtifactError: LiteRT cannot run the model.
    """

    def __init__(self, artifact: Artifact, *, dynamic: bool = False) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError:
            raise MonitorError("LiteRT is not installed: pip install 'simtwin[monitor]'") from None
        self._preprocessing, self._dynamic = artifact.preprocessing, dynamic
        self._reconstructs, self._threshold = artifact.reconstructs, artifact.threshold
        self._threshold_int8 = artifact.threshold_int8
        name = DYNAMIC if dynamic else INT8
        try:
            self._interpreter = Interpreter(
                model_content=artifact.read(name),
                num_threads=1,
                experimental_op_resolver_type=OpResolverType.AUTO if dynamic else OpResolverType.BUILTIN_REF,
            )
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ArtifactError(
                f"{artifact.folder / name}: LiteRT does not run it: {str(error).splitlines()[0]}"
            ) from None
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def __call__(self, counts: Counts) -> Verdict:
        """The verdict on counts (window, channels) int16, in the order of the artifact's channels."""
        inputs = self._preprocessing.apply(counts[None])
        return self._float(to_float(inputs)) if self._dynamic else self._int8(inputs)

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """The model's output for one preprocessed window (1, length, channels), from a fresh state."""
        self._interpreter.reset_all_variables()
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output)[0])

    def _int8(self, inputs: NDArray[np.int8]) -> Verdict:
        """In the firmware's integers; see docs/export.md."""
        output = self.run(inputs).astype(np.int32)
        if self._reconstructs:
            level = int(((inputs[0].astype(np.int32) - output) ** 2).sum())
            return Verdict(int(level > self._threshold_int8), level * INPUT_SCALE**2 / output.size, None)
        steps = output - PROBABILITY_ZERO
        level = int(steps[1:].sum())
        number = 1 + int(steps[1:].argmax()) if level > self._threshold_int8 else 0
        return Verdict(number, level * PROBABILITY_SCALE, float(steps[number] * PROBABILITY_SCALE))

    def _float(self, inputs: NDArray[np.float32]) -> Verdict:
        output = self.run(inputs).astype(np.float64)
        if self._reconstructs:
            level = float(((inputs[0] - output) ** 2).mean())
            return Verdict(int(level > self._threshold), level, None)
        level = float(output[1:].sum())
        number = 1 + int(output[1:].argmax()) if level > self._threshold else 0
        return Verdict(number, level, float(output[number]))
