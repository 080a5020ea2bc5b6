"""Small int8 models of one operator or a few, made with the schema, and what TensorFlow Lite Micro and the C say of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export import flatbuffer
from models.export.c.generate import Source, compiled
from models.export.interpreters import Micro
from tests.models.export.c.host import Sanitized

Int8 = NDArray[np.int8]
TYPES = {np.dtype(np.int8): flatbuffer.INT8, np.dtype(np.int16): flatbuffer.INT16, np.dtype(np.int32): flatbuffer.INT32}


class Single:
    """A model under construction: tensors and operators of its one graph."""

    def __init__(self, shape: Sequence[int], scale: float = 0.05, zero: int = 0) -> None:
        self._join = flatbuffer.Join()
        self.graph = self._join.graph()
        self.input = self.tensor(shape, scale, zero)
        self.graph.inputs = np.array([self.input], np.int32)
        self._shape = tuple(shape)

    def tensor(
        self, shape: Sequence[int], scale: float | Sequence[float] = 0.05, zero: int = 0,
        data: NDArray[Any] | None = None, kind: Any = np.int8,
    ) -> int:  # fmt: skip
        """A tensor; a constant when there is data."""
        made = flatbuffer.schema().TensorT()
        made.shape, made.hasRank, made.isVariable = np.array(shape, np.int32), True, False
        made.type = TYPES[np.dtype(kind if data is None else data.dtype)]
        scales = np.atleast_1d(np.array(scale, np.float32))
        flatbuffer.set_scale(made, float(scales[0]), zero)
        made.quantization.scale = scales
        made.quantization.zeroPoint = np.full(len(scales), zero, np.int64)
        return self._join.tensor(self.graph, made, data)

    def numbers(self, values: Sequence[int]) -> int:
        """An int32 constant, such as axes."""
        return self._join.plain(self.graph, (len(values),), flatbuffer.INT32, np.array(values, np.int32))

    def add(self, name: str, inputs: Sequence[int], out: int, **options: Any) -> int:
        """Append an operator with these options of the schema (fusedActivationFunction=1); its output."""
        kind = {
            "FULLY_CONNECTED": "FullyConnected", "CONV_2D": "Conv2D", "MEAN": "Reducer", "BATCH_MATMUL": "BatchMatMul",
            "STRIDED_SLICE": "StridedSlice",
        }.get(name, name.title())  # fmt: skip
        table = getattr(flatbuffer.schema(), f"{kind}OptionsT", None)
        made = None if table is None else table()
        for key, value in options.items():
            setattr(made, key, value)
        self._join.operator(self.graph, name, inputs, [out], made)
        return out

    def content(self, output: int) -> bytes:
        """The file."""
        self.graph.outputs = np.array([output], np.int32)
        return flatbuffer.write(self._join.model)


def source_of(content: bytes) -> Source:
    """The C of a model that is no network of ours, so without a description."""
    return compiled(content, "")


def inputs(shape: Sequence[int], count: int, seed: int = 0) -> Int8:
    """Random inputs (count, *shape[1:]) over the whole range, near its middle, and all at its ends."""
    draws = np.random.default_rng(seed)
    x = draws.integers(-128, 128, (count, *shape[1:]))
    x[1::4] = np.clip(np.rint(draws.normal(0, 20, x[1::4].shape)), -128, 127)
    x[2::8] = draws.choice([-128, 127], x[2::8].shape)
    x[:2] = np.array([-128, 127]).reshape(2, *[1] * (x.ndim - 1))
    return x.astype(np.int8)


def check(content: bytes, x: Int8, folder: Path) -> Int8:
    """Byte equality on inputs (n, ...), with the sanitizers on; what both say."""
    interpreter = Micro(content)
    said = np.stack([np.ravel(interpreter(each[None])) for each in x])
    found = Sanitized(source_of(content), folder).run(x)
    np.testing.assert_array_equal(found, said)
    return said
