"""One trained network to its int8 model, its cost and its parity; and a run to an artifact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.convert import Converted, convert
from models.export.cost import LARGEST_ARENA_BYTES, LARGEST_BYTES, Cost, cost
from models.export.interpreters import Lite
from models.export.parity import CAUSES, Parity, parity
from models.preprocessing import to_float

Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class Exported:
    """An exported network.

    Attributes:
        name: of the architecture.
        shape: of a window, (length, channels).
        converted: the two .tflite files.
        cost: of the int8 model.
        parity: of the int8 model.
        dynamic_difference: largest difference of the dynamic-range model's output from Keras', on the same windows.
        scratch_bytes: memory that the generated C works in; None before there is any.
    """

    name: str
    shape: tuple[int, int]
    converted: Converted
    cost: Cost
    parity: Parity
    dynamic_difference: float
    scratch_bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """For metrics.json."""
        figures = {**asdict(self.cost), "expected_ms_esp32c3": self.cost.expected_ms}
        dynamic = {"tflite_bytes": len(self.converted.dynamic), "largest_difference": self.dynamic_difference}
        generated = {"scratch_bytes": self.scratch_bytes}
        return {"int8": figures, "c": generated, "dynamic_range": dynamic, "parity": self.parity.to_json()}

    def lines(self) -> list[str]:
        """What `simtwin export` prints."""
        cost, between, rounding = self.cost, self.parity.interpreters, self.parity.rounding
        operators = ", ".join(name if count == 1 else f"{name} x{count}" for name, count in cost.operators.items())
        why = "; ".join(
            f"{name} first in {count} windows, by {between.first_lsb[name]} at most ({CAUSES.get(name, 'cause unknown')})"
            for name, count in between.causes.items()
        )
        relative = "of the score" if self.name == "autoencoder" else "in probability"
        lines = [
            f"{self.name}, windows of {self.shape[0]} x {self.shape[1]}",
            f"  int8           {cost.tflite_bytes} bytes of {LARGEST_BYTES};"
            f" arena {cost.arena_bytes} of {LARGEST_ARENA_BYTES}",
            f"  operators      {operators}",
            f"  cost           {cost.macs} multiply-adds, {cost.values} values written; about {cost.expected_ms:.0f} ms on an"
            " ESP32-C3 at 160 MHz (estimate)",
            f"  dynamic-range  {len(self.converted.dynamic)} bytes; within {self.dynamic_difference:.3f} of Keras",
            f"  parity on {between.windows} windows     differ   largest  verdicts",
            f"    TFLite reference - TFLM  {between.differing:6d}  {between.largest_lsb:4d} LSB  {between.decisions:8d}",
            f"      {why or 'byte for byte equal'}",
            f"    Keras float - TFLM            -  {rounding.largest:8.3f}  {rounding.decisions:8d}",
            f"      rounding to 8 bits: {rounding.mean:.4f} {relative} on average"
            + (
                f"; verdicts that differ were within {rounding.closest_call:.3f} in float" if rounding.decisions else ""
            ),
        ]
        if self.parity.f1_drop is not None:
            lines.append(
                f"  macro-F1       {self.parity.f1_float:.4f} float, {self.parity.f1_int8:.4f} int8: drop"
                f" {self.parity.f1_drop:+.4f}"
            )
        if self.scratch_bytes is not None:
            lines.append(f"  C              model.c works in {self.scratch_bytes} bytes")
        lines += [f"  over budget    {line}" for line in cost.excess()]
        if between.unexplained:
            lines.append(f"  unexplained    {between.unexplained} windows differ for a cause that is not known")
        return lines


def export(
    name: str,
    model: Any,
    calibration: Int8,
    check: Int8,
    truth: Sequence[int] | NDArray[Any] | None = None,
    threshold: float | None = None,
) -> Exported:
    """Export a trained network.

    Args:
        name: of the architecture.
        model: Keras, of one of `models.architectures`.
        calibration: int8 windows (n, length, channels) of the training set: 200 of them set the scales.
        check: int8 windows (n, length, channels) to compare the interpreters on, best of the validation set.
        truth: (n,) numbers of the true classes of `check`.
        threshold: of the anomaly's level, see `models.training.detector`.

    Raises:
        ExportError: the converter fails, or TensorFlow Lite Micro does not run what it made.
    """
    converted = convert(model, calibration)
    figures = cost(converted.int8)
    compared = parity(model, converted.int8, check, truth, threshold)
    few = to_float(check[:100])
    difference = Lite(converted.dynamic, reference=False).run(few) - model.predict(few, verbose=0)
    shape = (int(model.input_shape[1]), int(model.input_shape[2]))
    return Exported(name, shape, converted, figures, compared, float(np.abs(difference).max()))
