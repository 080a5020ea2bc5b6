"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8, cells int16; the state starts at zero in every window."""

from __future__ import annotations

from functools import cache
from math import frexp

import numpy as np

from models.export.c.code import Code, wrapped
from models.export.c.fixed import Factor, factor, float32_product
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.operators.dense import Weights
from models.export.c.operators.tables import asked
from models.export.c.step import Buffer, Places, Step

_GATES = ("input", "forget", "cell", "output")
_GATE_SCALE = 2.0**-12
_SIGMOID_SCALE = 2.0**-15
_TANH = 4  # of the schema's ActivationFunctionType


@cache
def sigmoids() -> tuple[int, ...]:
    """sigmoid(i / 24) in 1/65536, i = 0 .. 255, as TensorFlow Lite Micro has it: not always the nearest.

    Its int16 TANH looks up that table at 24 * 2 * |x| and answers 2 sigmoid - 1: with a step of 1/48 the i-th input meets
    the i-th entry. The scale is a hair above 1/48, as TFLM cuts the product with 48 off to whole numbers.
    """
    step = float(np.nextafter(np.float32(1 / 48), np.float32(1)))
    at, level = Value((256,), np.int16, (step,)), Value((256,), np.int16, (_SIGMOID_SCALE,))
    found = asked("TANH", None, (at,), level, np.arange(256, dtype=np.int16))
    return tuple(int(each) + 32768 for each in found)


def sigmoid_table() -> str:
    """The table that kernels/lstm.c looks up."""
    return f"static const uint16_t sigmoids[256] = {{\n{wrapped(map(str, sigmoids()))}\n}};\n"


def tanh_scaling(power: int) -> tuple[int, int]:
    """What makes 3 / 2^12 of cells of the scale 2^power: a factor, and a right shift."""
    return 3 << max(0, power + 12), max(0, -12 - power)


class Lstm(Step):
    """One step of time."""

    def __init__(self, operator: Operator) -> None:
        x, out = operator.input(0), operator.outputs[0]
        super().__init__(out, along=(x,))
        self.x = x
        self.state, cell = operator.input(18), operator.input(19)
        from_x = [operator.input(1 + gate) for gate in range(4)]
        from_state = [operator.input(5 + gate) for gate in range(4)]
        bias = [operator.input(12 + gate) for gate in range(4)]
        self.units = out.width

        def weights(matrices: list[Value], read: Value, biases: list[Value]) -> Weights:
            """Of all gates, four rows for each unit."""
            if any(each.data is None or each.zero or each.dtype != np.int8 for each in matrices):
                raise operator.unknown("whose weights are no symmetric int8 constants")
            stacked = np.stack([each.data.reshape(each.shape) for each in matrices if each.data is not None], axis=1)
            added = [each.data for each in biases if each.data is not None]
            # TFLM multiplies the scales in float32 and divides by the gates' in double precision.
            real = [float32_product(read.scale, each.scale) / _GATE_SCALE for each in matrices]
            start = np.stack(added, axis=1).ravel() if added else None
            return Weights(operator, stacked.reshape(-1, read.width), start, read.zero, real * self.units)

        self.from_x = weights(from_x, x, bias)
        self.from_state = weights(from_state, self.state, [])
        fraction, power = frexp(cell.scale)
        if fraction != 0.5 or cell.dtype != np.int16 or not -15 <= power - 1 <= -6:
            raise operator.unknown(
                f"whose cells have the scale {cell.scale:g}; allowed is a power of two, 2^-15 to 2^-6"
            )
        self.power = power - 1
        self.keep = factor(_SIGMOID_SCALE * cell.scale / cell.scale)
        self.new = factor(_SIGMOID_SCALE * _SIGMOID_SCALE / cell.scale)
        self.to_out = factor(_SIGMOID_SCALE * _SIGMOID_SCALE / self.state.scale)
        if min(each.right for each in (self.keep, self.new, self.to_out)) < 1:
            raise operator.unknown(f"whose outputs have the scale {self.state.scale:g}")
        clip = float(operator.options.cellClip)
        self.clip = min(int(clip / cell.scale), 32767) if clip > 0 else 32768
        self.buffers = [Buffer("int8_t", self.units), Buffer("int16_t", self.units)]

    def before(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("copy")
        code.needs("fill")
        state, cells = (places.buffer(each) for each in self.buffers)
        return [
            f"fill_bytes({state}, {self.state.zero}, {self.units});",
            f"for (uint32_t i = 0; i < {self.units}; i++)",
            f"    ({cells})[i] = 0;",
        ]

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("lstm")
        code.named_table(sigmoid_table())
        biased = self.from_state.bias.any()
        fields: dict[str, int | str | list[int]] = {
            "input_weights": code.array("int8_t", self.from_x.interleaved()),
            "state_weights": code.array("int8_t", self.from_state.interleaved()),
            "input_bias": code.array("int32_t", self.from_x.bias),
            "state_bias": code.array("int32_t", self.from_state.bias if biased else [0, 0, 0, 0]),
            "state_step": 4 if biased else 0,
            **_gates(code, "input", self.from_x.factors),
            **_gates(code, "state", self.from_state.factors),
            "keep_multiplier": self.keep.multiplier,
            "keep_shift": code.shift(self.keep),
            "new_multiplier": self.new.multiplier,
            "new_shift": code.shift(self.new),
            "out_multiplier": self.to_out.multiplier,
            "out_shift": code.shift(self.to_out),
            "tanh_factor": tanh_scaling(self.power)[0],
            "tanh_shift": tanh_scaling(self.power)[1],
            "inputs": code.length(self.x.width),
            "units": code.length(self.units),
            "clip": self.clip,
            "zero": self.state.zero,
        }
        state, cells = (places.buffer(each) for each in self.buffers)
        out = places.row(self.out)
        return [
            f"lstm({code.struct('lstm', fields)}, {places.row(self.x)}, {state}, {cells}, {out});",
            f"copy_bytes({state}, {out}, {self.units});",
        ]


def _gates(code: Code, name: str, factors: list[Factor]) -> dict[str, int | str | list[int]]:
    return {
        f"{name}_multiplier": [each.multiplier for each in factors[:4]],
        f"{name}_shift": [code.shift(each) for each in factors[:4]],
    }


def lstm(lowering: Lowering, operator: Operator) -> None:
    """UNIDIRECTIONAL_SEQUENCE_LSTM with four gates, without peepholes, projection and normalisation."""
    x, options = operator.input(0), operator.options
    extra = [number for number in (9, 10, 11, 16, 17, 20, 21, 22, 23) if len(operator.inputs) > number]
    if any(operator.inputs[number] is not None for number in extra):
        raise operator.unknown("with peepholes, projection or layer normalisation")
    if (
        options.timeMajor
        or x.rows != operator.shapes[0][-2]
        or options.fusedActivationFunction != _TANH
        or options.projClip
    ):
        raise operator.unknown(
            f"of {operator.shapes[0]}; allowed is a batch of one, time behind it, tanh, no projection clip"
        )
    lowering.add(Lstm(operator))
