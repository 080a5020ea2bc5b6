"""Keras to TFLite, int8 for the chip and dynamic-range for Linux, in a process that may die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.flatbuffer import FLOAT32, INT8, operator_name, read, scale
from models.export.scales import PROBABILITY_SCALE, PROBABILITY_ZERO
from models.preprocessing import INPUT_SCALE
from sim.errors import SimtwinError

CALIBRATION_WINDOWS = 200
"""At most so many windows calibrate, evenly spaced among those given."""
TIMEOUT_S = 900.0


class ExportError(SimtwinError):
    """A model that cannot be exported; says at which step it failed and why."""

    exit_code = 4


@dataclass(frozen=True)
class Converted:
    """The two .tflite files of one model."""

    int8: bytes
    dynamic: bytes


def convert(model: Any, windows: NDArray[np.int8], *, timeout_s: float = TIMEOUT_S) -> Converted:
    """Convert a Keras model, calibrated on int8 windows (n, length, channels) of the training set.

    Same model, same windows: same bytes of the int8 model.

    Raises:
        ExportError: windows that do not fit the model; a converter that fails, dies or takes too long.
    """
    shape = tuple(model.input_shape[1:])
    if windows.dtype != np.int8 or windows.ndim != 3 or len(windows) == 0 or windows.shape[1:] != shape:
        raise ExportError(
            f"{model.name}: needs int8 windows (n, {', '.join(map(str, shape))}) to calibrate; "
            f"given: {windows.dtype} {windows.shape}"
        )
    chosen = np.linspace(0, len(windows) - 1, min(len(windows), CALIBRATION_WINDOWS)).round().astype(int)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.save(folder / "model.keras")
        np.save(folder / "windows.npy", windows[chosen])
        _run(model.name, folder, timeout_s)
        converted = Converted((folder / "int8.tflite").read_bytes(), (folder / "dynamic.tflite").read_bytes())
    _check(model, converted.int8)
    return converted


def _run(name: str, folder: Path, timeout_s: float) -> None:
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "models.export.worker", str(folder)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise ExportError(f"{name}: the converter took more than {timeout_s:g} s {_stage(folder)}") from None
    if done.returncode < 0:
        cause = signal.Signals(-done.returncode).name
        raise ExportError(f"{name}: TensorFlow's converter crashed ({cause}) {_stage(folder)}; nothing was written")
    if done.returncode > 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise ExportError(f"{name}: the converter failed {_stage(folder)}: {lines[-1].strip()}")


def _stage(folder: Path) -> str:
    """What the converter was at, such as "while making the int8 model"."""
    path = folder / "stage"
    return f"while {path.read_text()}" if path.exists() else "before it began"


def _check(model: Any, content: bytes) -> None:
    """Integers throughout; the input is preprocessing's int8 at 1/32, and the output probabilities at 1/256, exactly."""
    converted = read(content)
    for graph in converted.subgraphs:
        for operator in graph.operators:
            if any(graph.tensors[int(each)].type == FLOAT32 for each in operator.inputs if each >= 0):
                raise ExportError(
                    f"{model.name}: the converter left {operator_name(converted, operator)} in floating point, which the"
                    " firmware does not have"
                )
    graph = converted.subgraphs[0]
    first, last = graph.tensors[int(graph.inputs[0])], graph.tensors[int(graph.outputs[0])]
    is_classifier = len(model.output_shape) == 2
    expected = (PROBABILITY_SCALE, PROBABILITY_ZERO) if is_classifier else (INPUT_SCALE, 0)
    if (first.type, last.type) != (INT8, INT8) or scale(first) != (INPUT_SCALE, 0) or scale(last) != expected:
        raise ExportError(
            f"{model.name}: the converter gave input scale {scale(first)} and output scale {scale(last)}; "
            f"needed are {(INPUT_SCALE, 0)} and {expected}: does the model end in a softmax?"
        )
