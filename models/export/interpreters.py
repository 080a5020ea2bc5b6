"""The interpreters an exported model runs in. TensorFlow Lite Micro's is the judge: it is what runs on the chip.

LSTM's state is set back before every window, in each of them.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.convert import ExportError
from models.export.flatbuffer import operator_names, read
from models.keras_runtime import tensorflow

Int8 = NDArray[np.int8]
Floats = NDArray[np.float32]

ROOM_BYTES = 1 << 20
"""Arena of the interpreter on this machine; how much of it is used is measured."""


class Micro:
    """A model in TensorFlow Lite Micro (the PyPI package tflite-micro).

    Raises:
        ExportError: it does not run there; with what TensorFlow Lite Micro says about it.
    """

    def __init__(self, content: bytes, *, keep_tensors: bool = False) -> None:
        from tflite_micro.python.tflite_micro import runtime

        kinds = runtime.InterpreterConfig
        kind = kinds.kPreserveAllTensors if keep_tensors else kinds.kAllocationRecording
        said: list[str] = []
        try:
            with _native_stderr(said):
                self._interpreter = runtime.Interpreter.from_bytes(
                    content, arena_size=ROOM_BYTES, intrepreter_config=kind
                )
        except RuntimeError:
            operators = ", ".join(sorted(set(operator_names(read(content)))))
            why = " ".join(" ".join(said).split()) or "it gives no reason"
            raise ExportError(f"TensorFlow Lite Micro does not run it: {why} (operators: {operators})") from None

    def __call__(self, *inputs: NDArray[Any]) -> Any:
        """The first output for one set of inputs, from a fresh state."""
        self._interpreter.reset()
        for number, each in enumerate(inputs):
            self._interpreter.set_input(each, number)
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise ExportError(f"TensorFlow Lite Micro stopped: {' '.join(str(error).split())}") from None
        return self._interpreter.get_output(0)

    def run(self, windows: Int8) -> Int8:
        """Outputs of windows (n, length, channels), one after the other."""
        return np.stack([self(window[None])[0] for window in windows])

    def tensor(self, number: int) -> NDArray[Any]:
        """What a tensor of the main graph holds after a call; only with `keep_tensors`."""
        return np.asarray(self._interpreter.GetTensor(number, 0)["tensor_data"])

    def output(self, number: int) -> NDArray[Any]:
        """An output after a call."""
        return np.asarray(self._interpreter.get_output(number))

    def arena_bytes(self) -> int:
        """Bytes of the arena in use, after a call; pointers are 8 bytes here, 4 on the chip."""
        said: list[str] = []
        with _native_stderr(said):
            self._interpreter.print_allocations()
        found = re.search(r"Arena allocation total (\d+) bytes", "\n".join(said))
        if found is None:
            raise ExportError(f"TensorFlow Lite Micro told no arena size but {said[:1]}")
        return int(found.group(1))


class Lite:
    """A model in TFLite on this machine: with its plain reference kernels, or as Linux hosts run it."""

    def __init__(self, content: bytes, *, reference: bool = True, keep_tensors: bool = False) -> None:
        lite = tensorflow().lite
        kinds = lite.experimental.OpResolverType
        with warnings.catch_warnings(), _native_stderr([]):  # which tells of a delegate it makes
            warnings.simplefilter("ignore")  # of the interpreter's coming move to another package
            self._interpreter = lite.Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=kinds.BUILTIN_REF if reference else kinds.AUTO,
                experimental_preserve_all_tensors=keep_tensors,
            )
            self._interpreter.allocate_tensors()
        self._inputs = [each["index"] for each in self._interpreter.get_input_details()]
        self._outputs = [each["index"] for each in self._interpreter.get_output_details()]

    def __call__(self, *inputs: NDArray[Any]) -> Any:
        """The first output for one set of inputs, from a fresh state."""
        self._interpreter.reset_all_variables()
        for number, each in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(number, each)
        self._interpreter.invoke()
        return self.output(0)

    def run(self, windows: NDArray[Any]) -> NDArray[Any]:
        """Outputs of windows (n, length, channels), one after the other."""
        return np.stack([self(window[None])[0] for window in windows])

    def tensor(self, number: int) -> NDArray[Any]:
        """What a tensor of the main graph holds after a call; only with `keep_tensors`."""
        return np.asarray(self._interpreter.get_tensor(number))

    def output(self, number: int) -> NDArray[Any]:
        """An output after a call."""
        return np.asarray(self._interpreter.get_tensor(self._outputs[number]))


@contextmanager
def _native_stderr(lines: list[str]) -> Iterator[None]:
    """What C++ code writes to standard error meanwhile, instead of on the user's screen."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            lines += file.read().decode(errors="replace").splitlines()
