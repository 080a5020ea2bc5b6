"""TFLite files as objects: read, joined from parts, written small and the same every time.

The schema is the one that TensorFlow Lite Micro's wheel brings, so that reading an artifact needs no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import DatasetError

INT8, INT16, INT32, BOOL, FLOAT32 = 9, 7, 2, 6, 0
"""TensorType numbers of the schema."""
_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16
_NO_TENSOR = -1


@cache
def schema() -> Any:
    """The generated classes of TFLite's flatbuffer schema."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated

    return schema_py_generated


@cache
def _operator_names() -> dict[int, str]:
    return {number: name for name, number in vars(schema().BuiltinOperator).items() if isinstance(number, int)}


def read(content: bytes, what: str = "model") -> Any:
    """The model of a .tflite file as an object tree (schema.ModelT); DatasetError when it is none."""
    if content[4:8] != _IDENTIFIER:
        raise DatasetError(f"{what}: not a TFLite file (no {_IDENTIFIER.decode()} at byte 4)")
    try:
        return schema().ModelT.InitFromObj(schema().Model.GetRootAsModel(content, 0))
    except Exception as error:  # whatever a broken flatbuffer makes of the generated reader
        raise DatasetError(f"{what}: damaged TFLite file ({type(error).__name__})") from None


def write(model: Any) -> bytes:
    """The bytes of a model, stripped of names, notes and unused buffers: half the size, and the same in every run."""
    import flatbuffers

    model.description, model.metadata, model.metadataBuffer, model.signatureDefs = "", None, None, None
    _pack_buffers(model)
    for graph in model.subgraphs:
        graph.name = None
        graph.debugMetadataIndex = 0
        for tensor in graph.tensors:
            tensor.name = None
            if tensor.quantization is not None:  # the calibration's own notes: nothing reads them
                tensor.quantization.min, tensor.quantization.max = None, None
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _pack_buffers(model: Any) -> None:
    """Drop what no tensor refers to, keep equal contents once, and align every content to 16 bytes.

    The generated classes do not align, and kernels may read int32 where it lies.
    """
    kept: list[bytes] = [b""]
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            content = b"" if data is None else bytes(np.asarray(data, np.uint8))
            if content not in kept:
                kept.append(content)
            tensor.buffer = kept.index(content)
    model.buffers = [_aligned_class()(content) for content in kept]


@cache
def _aligned_class() -> Any:
    class AlignedBuffer(schema().BufferT):  # type: ignore[misc]
        """A buffer whose content starts at a multiple of 16 bytes."""

        def __init__(self, content: bytes) -> None:
            super().__init__()
            self.data = np.frombuffer(content, np.uint8) if content else None

        def Pack(self, builder: Any) -> Any:
            if self.data is None:
                return super().Pack(builder)
            size = len(self.data)
            builder.StartVector(1, size, _ALIGNMENT)
            builder.head = builder.head - size
            builder.Bytes[builder.head : builder.head + size] = self.data.tobytes()
            vector = builder.EndVector()
            schema().BufferStart(builder)
            schema().BufferAddData(builder, vector)
            return schema().BufferEnd(builder)

    return AlignedBuffer


def operator_name(model: Any, operator: Any) -> str:
    """Such as CONV_2D."""
    code = model.operatorCodes[operator.opcodeIndex]
    return _operator_names()[max(code.builtinCode, code.deprecatedBuiltinCode)]


def operator_names(model: Any) -> list[str]:
    """Every operator of every subgraph, in order."""
    return [operator_name(model, operator) for graph in model.subgraphs for operator in graph.operators]


def input_called(model: Any, name: str) -> int:
    """Number of the input tensor that the model's signature calls `name`."""
    return next(int(each.tensorIndex) for each in model.signatureDefs[0].inputs if each.name.decode() == name)


def shape(tensor: Any) -> tuple[int, ...]:
    """A tensor's shape."""
    return () if tensor.shape is None else tuple(int(size) for size in tensor.shape)


def scale(tensor: Any) -> tuple[float, int]:
    """Scale and zero point of a tensor that has one of each."""
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])


def set_scale(tensor: Any, value: float, zero_point: int) -> None:
    """Give a tensor another scale; its values are then rounded and saturated by the operator that writes it."""
    quantization = schema().QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = np.array([value], np.float32), np.array([zero_point], np.int64)
    tensor.quantization = quantization


def constant(model: Any, tensor: Any) -> NDArray[np.uint8] | None:
    """The bytes a tensor holds, None when it holds none (an input, or computed)."""
    data = model.buffers[tensor.buffer].data
    return None if data is None or len(data) == 0 else np.asarray(data, np.uint8)


class Join:
    """A model under construction from parts of others."""

    def __init__(self) -> None:
        self.model = schema().ModelT()
        self.model.version = 3
        self.model.buffers = [schema().BufferT()]
        self.model.operatorCodes, self.model.subgraphs = [], []

    def graph(self) -> Any:
        """A new, empty subgraph."""
        graph = schema().SubGraphT()
        graph.tensors, graph.operators = [], []
        self.model.subgraphs.append(graph)
        return graph

    def tensor(self, graph: Any, like: Any, content: NDArray[Any] | None = None) -> int:
        """A new tensor of `like`'s shape, type and scale, with `content` if it is constant; its number."""
        new = schema().TensorT()
        new.shape, new.type, new.quantization = like.shape, like.type, like.quantization
        new.isVariable, new.hasRank, new.buffer = like.isVariable, like.hasRank, 0
        if content is not None:
            buffer = schema().BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            new.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        graph.tensors.append(new)
        return len(graph.tensors) - 1

    def plain(self, graph: Any, shape: Sequence[int], kind: int, content: NDArray[Any] | None = None) -> int:
        """A new tensor without a scale; its number."""
        like = schema().TensorT()
        like.shape, like.type, like.quantization = np.array(shape, np.int32), kind, None
        like.isVariable, like.hasRank = False, True
        return self.tensor(graph, like, content)

    def operator(
        self, graph: Any, name: str, inputs: Sequence[int], outputs: Sequence[int], options: Any = None
    ) -> None:
        """Append an operator; `options` is the schema's options object, such as WhileOptionsT."""
        new = schema().OperatorT()
        new.opcodeIndex = self._code(getattr(schema().BuiltinOperator, name), 1)
        new.inputs, new.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options is not None:
            new.builtinOptions = options
            kind = type(options).__name__.removesuffix("T")
            new.builtinOptionsType = getattr(schema().BuiltinOptions, kind)
        graph.operators.append(new)

    def inline(self, graph: Any, part: Any, inputs: Sequence[int], *, reshapes: bool = True) -> list[int]:
        """Append the operators of the model `part` (one subgraph), reading the tensors `inputs`; its outputs' numbers.

        Without `reshapes`, (1, n) stays (1, n) where the converter makes (n) of it for nothing.
        """
        source = part.subgraphs[0]
        number = dict(zip((int(each) for each in source.inputs), inputs, strict=True))
        number[_NO_TENSOR] = _NO_TENSOR

        def renumbered(old: Sequence[int]) -> NDArray[np.int32]:
            for each in (int(each) for each in old):
                if each not in number:
                    tensor = source.tensors[each]
                    number[each] = self.tensor(graph, tensor, constant(part, tensor))
            return np.array([number[int(each)] for each in old], np.int32)

        for operator in source.operators:
            if not reshapes and operator_name(part, operator) == "RESHAPE":
                number[int(operator.outputs[0])] = number[int(operator.inputs[0])]
                continue
            code = part.operatorCodes[operator.opcodeIndex]
            operator.opcodeIndex = self._code(max(code.builtinCode, code.deprecatedBuiltinCode), code.version)
            operator.inputs, operator.outputs = renumbered(operator.inputs), renumbered(operator.outputs)
            graph.operators.append(operator)
        return [int(each) for each in renumbered(source.outputs)]

    def _code(self, builtin: int, version: int) -> int:
        """Place of an operator code, added if it is not there."""
        for at, known in enumerate(self.model.operatorCodes):
            if (known.builtinCode, known.version) == (builtin, version):
                return at
        new = schema().OperatorCodeT()
        new.builtinCode, new.version = builtin, version
        new.deprecatedBuiltinCode = min(builtin, 127)
        self.model.operatorCodes.append(new)
        return len(self.model.operatorCodes) - 1


def subgraph_alone(model: Any, number: int) -> bytes:
    """One subgraph of a model as a model of its own, such as the body of a loop."""
    join = Join()
    graph = join.graph()
    part = read(write(model))
    part.subgraphs = [part.subgraphs[number]]
    source = part.subgraphs[0]
    graph.inputs = np.array([join.tensor(graph, source.tensors[int(each)]) for each in source.inputs], np.int32)
    graph.outputs = np.array(join.inline(graph, part, [int(each) for each in graph.inputs]), np.int32)
    return write(join.model)
