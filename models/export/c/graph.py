"""The graph of an int8 .tflite as plain objects: tensors as rows x width, operators in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export import flatbuffer
from models.export.convert import ExportError

_TYPES: dict[int, type] = {
    flatbuffer.INT8: np.int8,
    flatbuffer.INT32: np.int32,
    flatbuffer.BOOL: np.bool_,
    flatbuffer.INT16: np.int16,
}


@dataclass(eq=False)
class Value:
    """A tensor: so many rows of one width; a row is one step of time.

    Attributes:
        shape: in the file, a batch of one in front.
        dtype: of the elements.
        scales: of the quantisation, one, or one per output channel; empty without.
        zero: zero point.
        data: content of a constant, flat; None of what is computed.
        alias: the value whose memory this one shares, element by element.
        still: all its rows are in one place, one after the other: the state of a loop.
    """

    shape: tuple[int, ...]
    dtype: Any = np.int8
    scales: tuple[float, ...] = ()
    zero: int = 0
    data: NDArray[Any] | None = None
    alias: Value | None = None
    still: bool = False

    @property
    def width(self) -> int:
        """Elements of a row: the last axis."""
        return self.shape[-1] if self.shape else 1

    @property
    def rows(self) -> int:
        """All other axes."""
        return prod(self.shape[:-1])

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.shape)

    @property
    def scale(self) -> float:
        """The one scale."""
        return self.scales[0]

    @property
    def root(self) -> Value:
        """The value that has the memory."""
        return self if self.alias is None else self.alias.root

    def like(self, shape: tuple[int, ...]) -> Value:
        """A new value of the same quantisation."""
        return Value(shape, self.dtype, self.scales, self.zero)


@dataclass(frozen=True)
class Operator:
    """An operator of the file; an input that is not there is None.

    Attributes:
        shapes: of the inputs in the file: an input may meanwhile be a value that only has the same rows.
    """

    name: str
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value, ...]
    options: Any
    shapes: tuple[tuple[int, ...], ...]

    def input(self, number: int) -> Value:
        """An input that must be there."""
        found = self.inputs[number] if number < len(self.inputs) else None
        if found is None:
            raise self.unknown(f"without its input {number}")
        return found

    def unknown(self, what: str) -> ExportError:
        """The error for a form of this operator that has no C."""
        return ExportError(f"no C for {self.name} {what}")


@dataclass(frozen=True)
class Graph:
    """A subgraph."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    operators: tuple[Operator, ...] = field(repr=False)


def graphs(content: bytes) -> list[Graph]:
    """The subgraphs of an int8 .tflite file, the main one first.

    Raises:
        DatasetError: not a TFLite file.
        ExportError: a tensor of a type that the chip's models do not have.
    """
    model = flatbuffer.read(content)
    return [_graph(model, each) for each in model.subgraphs]


def _graph(model: Any, graph: Any) -> Graph:
    values: dict[int, Value] = {}  # of the tensors that are used: the converter may leave others

    def picked(numbers: Any) -> tuple[Value, ...]:
        for each in (int(each) for each in numbers):
            if each not in values:
                values[each] = _value(model, graph.tensors[each])
        return tuple(values[int(each)] for each in numbers)

    operators = []
    for each in graph.operators:
        inputs = tuple(picked([number])[0] if number >= 0 else None for number in each.inputs)
        shapes = tuple(() if value is None else value.shape for value in inputs)
        name = flatbuffer.operator_name(model, each)
        operators.append(Operator(name, inputs, picked(each.outputs), each.builtinOptions, shapes))
    return Graph(picked(graph.inputs), picked(graph.outputs), tuple(operators))


def _value(model: Any, tensor: Any) -> Value:
    if tensor.type not in _TYPES:
        raise ExportError(
            f"no C for a tensor of TFLite's type {tensor.type}; allowed are int8, int16, int32 and bool:"
            " is it an int8 model?"
        )
    dtype = _TYPES[tensor.type]
    content = flatbuffer.constant(model, tensor)
    data: NDArray[Any] | None = None if content is None else np.frombuffer(content.tobytes(), dtype)
    quantization = tensor.quantization
    scales: tuple[float, ...] = ()
    zero = 0
    if quantization is not None and quantization.scale is not None and len(quantization.scale):
        scales = tuple(float(each) for each in quantization.scale)
        zeros = {int(each) for each in quantization.zeroPoint}
        if len(zeros) != 1:
            raise ExportError("no C for a tensor with several zero points")
        zero = zeros.pop()
    return Value(flatbuffer.shape(tensor), dtype, scales, zero, data)
