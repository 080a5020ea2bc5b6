"""Functions of one int8 value: 256 entries, asked of TensorFlow Lite Micro for every input; a chain becomes one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export import flatbuffer
from models.export.c.code import Code
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Places, Step
from models.export.interpreters import Micro

Table = NDArray[np.int8]
FUNCTIONS = {"LOGISTIC", "TANH", "RSQRT", "QUANTIZE"}
"""Operators that are always tables."""
EVERY = np.arange(-128, 128, dtype=np.int8)


class LookUp(Step):
    """Row by row through a table; entry 0 is that of -128."""

    def __init__(self, x: Value, out: Value, table: Table) -> None:
        super().__init__(out, along=(x,))
        self.x, self.table = x, table

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("table")
        table = code.array("int8_t", self.table)
        return [f"look_up({table}, {places.row(self.x)}, {places.row(self.out)}, {self.out.width});"]


def function(lowering: Lowering, operator: Operator) -> None:
    """LOGISTIC, TANH, RSQRT, QUANTIZE from int8 to int8."""
    x, out = operator.input(0), operator.outputs[0]
    if x.dtype != np.int8 or out.dtype != np.int8:
        raise operator.unknown(f"from {np.dtype(x.dtype)} to {np.dtype(out.dtype)}; allowed is int8 to int8")
    look_up(lowering, x, out, table_of(operator, (x,)))


def look_up(lowering: Lowering, x: Value, out: Value, table: Table) -> None:
    """A table; one that follows another, which nothing else reads, takes its place."""
    last = lowering.maker(x)
    if isinstance(last, LookUp) and lowering.readers(x) == 1:
        lowering.replace(last, LookUp(last.x, out, table[last.table.astype(int) + 128]))
    else:
        lowering.add(LookUp(x, out, table))


def table_of(operator: Operator, inputs: Sequence[Value]) -> Table:
    """What TensorFlow Lite Micro makes of every int8 value, by a model of this operator alone; constants stay."""
    return np.asarray(asked(operator.name, operator.options, inputs, operator.outputs[0], EVERY), np.int8)


def asked(name: str, options: Any, inputs: Sequence[Value], out: Value, values: NDArray[Any]) -> NDArray[Any]:
    """What TensorFlow Lite Micro's operator makes of values (n,), given for the input that is no constant."""
    join = flatbuffer.Join()
    graph = join.graph()

    def tensor(value: Value, size: int, data: NDArray[Any] | None) -> int:
        made = flatbuffer.schema().TensorT()
        made.shape, made.hasRank, made.isVariable = np.array((size,), np.int32), True, False
        made.type = flatbuffer.INT16 if value.dtype == np.int16 else flatbuffer.INT8
        flatbuffer.set_scale(made, value.scale, value.zero)
        return join.tensor(graph, made, data)

    numbers = [tensor(each, len(values) if each.data is None else 1, each.data) for each in inputs]
    last = tensor(out, len(values), None)
    join.operator(graph, name, numbers, [last], options)
    free = [number for number, each in zip(numbers, inputs, strict=True) if each.data is None]
    graph.inputs, graph.outputs = np.array(free, np.int32), np.array([last], np.int32)
    return np.asarray(Micro(flatbuffer.write(join.model))(values))
