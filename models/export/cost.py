"""What an exported model costs: bytes, operators, arena, multiply-adds, and the time they may take on the chip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from models.export.convert import ExportError
from models.export.flatbuffer import INT8, constant, operator_name, read, shape
from models.export.interpreters import Micro

LARGEST_BYTES = 40 * 1024
"""Of the int8 .tflite file."""
LARGEST_ARENA_BYTES = 24 * 1024

CYCLES_PER_MAC = 8
"""RV32IMC without vector instructions: two loads, zero point, multiply, add, two pointers and a branch. An estimate."""
CYCLES_PER_VALUE = 30
"""Of rescaling, table look-ups and the like, for each value an operator writes. An estimate."""
CLOCK_HZ = 160e6
"""ESP32-C3 at full speed (datasheet, section 1)."""


@dataclass(frozen=True)
class Cost:
    """Of one int8 model and one window.

    Attributes:
        tflite_bytes: size of the file.
        arena_bytes: what TensorFlow Lite Micro uses of its arena on this machine; with 4-byte pointers it is less.
        operators: how many of each are in the file; inside a loop they are counted once.
        macs: multiply-adds; inside a loop times its steps.
        values: values written by all operators but reshapes, likewise.
    """

    tflite_bytes: int
    arena_bytes: int
    operators: dict[str, int]
    macs: int
    values: int

    @property
    def expected_ms(self) -> float:
        """Time on an ESP32-C3, by the estimates above."""
        return 1e3 * (self.macs * CYCLES_PER_MAC + self.values * CYCLES_PER_VALUE) / CLOCK_HZ

    def excess(self) -> list[str]:
        """What is over the chip's budget, one line each."""
        found = []
        if self.tflite_bytes > LARGEST_BYTES:
            found.append(f".tflite of {self.tflite_bytes} bytes, more than {LARGEST_BYTES}")
        if self.arena_bytes > LARGEST_ARENA_BYTES:
            found.append(f"arena of {self.arena_bytes} bytes, more than {LARGEST_ARENA_BYTES}")
        return found


def cost(content: bytes) -> Cost:
    """Cost of an int8 .tflite file; ExportError when TensorFlow Lite Micro does not run it."""
    model = read(content)
    graph = model.subgraphs[0]
    first = graph.tensors[int(graph.inputs[0])]
    if first.type != INT8:
        raise ExportError("not an int8 model: its input is of another type")
    micro = Micro(content)
    micro(np.zeros(shape(first), np.int8))
    names = Counter(operator_name(model, each) for part in model.subgraphs for each in part.operators)
    macs, values = _work(model, 0)
    return Cost(len(content), micro.arena_bytes(), dict(sorted(names.items())), macs, values)


def _work(model: Any, number: int) -> tuple[int, int]:
    """Multiply-adds and values written in one pass over a subgraph."""
    graph = model.subgraphs[number]
    macs = values = 0
    for operator in graph.operators:
        name = operator_name(model, operator)
        inputs = [shape(graph.tensors[int(each)]) if each >= 0 else () for each in operator.inputs]
        written = prod(shape(graph.tensors[int(operator.outputs[0])]))
        if name == "WHILE":
            steps = loop_steps(model, operator)
            inside_macs, inside_values = _work(model, int(operator.builtinOptions.bodySubgraphIndex))
            macs, values = macs + steps * inside_macs, values + steps * inside_values
        elif name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
            units = shape(graph.tensors[int(operator.outputs[0])])[-1]
            macs += written * 4 * (inputs[0][-1] + units)
            values += written * 8  # four gates, two products, their sum, the output
        elif name != "RESHAPE":
            values += written
            if name == "CONV_2D":
                macs += written * prod(inputs[1][1:])
            elif name == "FULLY_CONNECTED":
                macs += written * inputs[1][-1]
            elif name == "BATCH_MATMUL":
                macs += written * inputs[0][-2 if operator.builtinOptions.adjX else -1]
    return macs, values


def loop_steps(model: Any, operator: Any) -> int:
    """How often a WHILE goes round: the limit in its condition."""
    condition = model.subgraphs[int(operator.builtinOptions.condSubgraphIndex)]
    limit = constant(model, condition.tensors[int(condition.operators[0].inputs[1])])
    if limit is None:
        raise ValueError("a loop without a constant limit")
    return int(limit.view(np.int32)[0])
