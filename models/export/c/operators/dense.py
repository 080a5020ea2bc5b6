"""CONV_2D over time and FULLY_CONNECTED: rows, or windows of rows, through a matrix of weights."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.c.code import Code
from models.export.c.fixed import HIGHEST_ACCUMULATOR, activation_range, factor, float32_product
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Buffer, Places, Step

_SAME = 0  # of the schema's Padding


class Weights:
    """A matrix (outputs, inputs) as the kernels want it: biases with the input's zero point, outputs in fours.

    Attributes:
        matrix: (outputs, inputs).
        bias: (outputs,) with what the zero point adds.
        factors: (outputs,).
    """

    def __init__(
        self, operator: Operator, matrix: NDArray[Any], bias: NDArray[Any] | None, zero: int, real: list[float],
        reach: int = 128,
    ) -> None:  # fmt: skip
        self.matrix = matrix.astype(np.int64)
        start = np.zeros(len(matrix), np.int64) if bias is None else bias.astype(np.int64)
        self.bias = start - zero * self.matrix.sum(axis=1)
        self.factors = [factor(each) for each in (real if len(real) > 1 else real * len(matrix))]
        highest = np.abs(self.bias) + reach * np.abs(self.matrix).sum(axis=1)
        left = np.array([max(0, -each.right) for each in self.factors])
        if (highest * 2**left >= HIGHEST_ACCUMULATOR).any():
            raise operator.unknown(f"whose sums reach {int((highest * 2**left).max())}; allowed is below 2^30")

    def padded(self) -> NDArray[Any]:
        """Biases with zeros up to a multiple of four outputs."""
        return np.pad(self.bias, (0, -len(self.bias) % 4))

    def interleaved(self) -> NDArray[Any]:
        """Four outputs' weights side by side, input by input; with zeros up to a multiple of four outputs."""
        matrix = np.pad(self.matrix, ((0, -len(self.matrix) % 4), (0, 0)))
        return matrix.reshape(-1, 4, matrix.shape[1]).swapaxes(1, 2).ravel()


class Dense(Step):
    """A row of `x`, or `kernel` rows that advance by `stride`, to a row of `out`."""

    def __init__(self, x: Value, out: Value, weights: Weights, limits: tuple[int, int], window: Window | None = None):
        super().__init__(out, along=() if window else (x,), sliding=x if window else None)
        self.x, self.weights, self.limits, self.window = x, weights, limits, window
        if window:
            self.buffers = [Buffer("int8_t", window.held * x.width)]

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("dense")
        struct = code.struct(
            "dense",
            {
                "weights": code.array("int8_t", self.weights.interleaved()),
                "bias": code.array("int32_t", self.weights.padded()),
                "multiplier": code.array("int32_t", [each.multiplier for each in self.weights.factors]),
                "shift": code.array("int8_t", [code.shift(each) for each in self.weights.factors]),
                "inputs": code.length(self.weights.matrix.shape[1]),
                "outputs": len(self.weights.matrix),
                "zero": self.out.zero,
                "low": self.limits[0],
                "high": self.limits[1],
            },
        )
        if self.window is None:
            return [f"dense({struct}, {places.row(self.x)}, {places.row(self.out)});"]
        before, x = self.window.rows_of(code, places, self.x, self.buffers[0])
        return [*before, f"dense({struct}, {x}, {places.row(self.out)});"]


class Window:
    """Which rows a convolution reads for row t: from t * stride - pad on, `kernel` of them."""

    def __init__(self, kernel: int, stride: int, pad: int):
        self.kernel, self.stride, self.pad = kernel, stride, pad
        self.held = max(kernel, stride)

    def rows_of(self, code: Code, places: Places, x: Value, buffer: Buffer) -> tuple[list[str], str]:
        """Statements, and where the window then lies."""
        held, width = places.buffer(buffer), x.width
        first = f"{places.time} * {self.stride} - {self.pad}"
        row = places.pulled(x, "row", "to")
        if row is None:
            code.needs("window")
            fields = {"rows": x.rows, "width": width, "kernel": self.kernel, "zero": x.zero}
            return [], f"window({code.struct('window', fields)}, {places.whole(x)}, {first}, {held})"
        code.needs("fill")
        kept = self.held - self.stride
        lines = []
        if kept:
            code.needs("copy")
            lines += [
                f"if ({places.time})",
                f"    copy_bytes({held}, {held} + {self.stride * width}, {kept * width});",
            ]
        return [
            *lines,
            f"for (int32_t i = {places.time} ? {kept} : 0; i < {self.held}; i++) {{",
            f"    const int32_t row = {first} + i;",
            f"    int8_t *const to = {held} + i * {width};",
            f"    if (row >= 0 && row < {x.rows})",
            f"        {row}",
            "    else",
            f"        fill_bytes(to, {x.zero}, {width});",
            "}",
        ], held


def fully_connected(lowering: Lowering, operator: Operator) -> None:
    """FULLY_CONNECTED: int8, weights symmetric, scales per tensor or per channel."""
    x, weights, out = operator.input(0), operator.input(1), operator.outputs[0]
    matrix = _matrix(operator, weights)
    if x.width != matrix.shape[1] or x.rows != out.rows:
        raise operator.unknown(f"from {x.shape} to {out.shape} with weights {weights.shape}")
    if len(weights.scales) > 1:
        real = [x.scale * each / out.scale for each in weights.scales]
    else:
        real = [float32_product(x.scale, weights.scale) / out.scale]
    lowering.add(Dense(x, out, Weights(operator, matrix, _bias(operator), x.zero, real), _limits(operator)))


def conv_2d(lowering: Lowering, operator: Operator) -> None:
    """CONV_2D over one row of images that is time: int8, weights symmetric, scales per channel."""
    x, weights, out = operator.input(0), operator.input(1), operator.outputs[0]
    options = operator.options
    matrix = _matrix(operator, weights)
    # Time is one of the two axes between batch and channels; the other has one element.
    axis = 2 if len(out.shape) == 4 and out.shape[1] == 1 else 1
    stride = int(options.strideW if axis == 2 else options.strideH)
    kernel = weights.shape[axis]
    same = options.padding == _SAME
    rows = -(-x.rows // stride) if same else -(-(x.rows - kernel + 1) // stride)
    if out.shape != ((1, 1, rows, len(matrix)) if axis == 2 else (1, rows, 1, len(matrix))) or (
        matrix.shape[1] != kernel * x.width
    ):
        raise operator.unknown(
            f"from {operator.shapes[0]} to {out.shape} with weights {weights.shape}; allowed is one axis beside the channels"
        )
    if (options.dilationWFactor, options.dilationHFactor) != (1, 1):
        raise operator.unknown("with dilation")
    pad = max((rows - 1) * stride + kernel - x.rows, 0) // 2 if same else 0
    real = [x.scale * each / out.scale for each in weights.scales]
    made = Weights(operator, matrix, _bias(operator), x.zero, real)
    window = None if (kernel, stride) == (1, 1) else Window(kernel, stride, pad)
    lowering.add(Dense(x, out, made, _limits(operator), window))


def _matrix(operator: Operator, weights: Value) -> NDArray[Any]:
    if weights.data is None or weights.dtype != np.int8 or weights.zero != 0:
        raise operator.unknown("whose weights are no symmetric int8 constants")
    return weights.data.reshape(weights.shape[0], prod(weights.shape[1:]))


def _bias(operator: Operator) -> NDArray[Any] | None:
    bias = operator.inputs[2] if len(operator.inputs) > 2 else None
    if bias is None:
        return None
    if bias.data is None or bias.dtype != np.int32:
        raise operator.unknown("whose biases are no int32 constants")
    return bias.data


def _limits(operator: Operator) -> tuple[int, int]:
    out = operator.outputs[0]
    found = activation_range(int(operator.options.fusedActivationFunction), out.scale, out.zero)
    if found is None:
        raise operator.unknown(f"with the fused activation {operator.options.fusedActivationFunction}")
    return found
