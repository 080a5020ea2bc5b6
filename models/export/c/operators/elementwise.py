"""ADD, SUB and MUL of two values, or of a value and a constant; one may be a single row, a column or a scalar."""

from __future__ import annotations

import numpy as np

from models.export.c.code import Code
from models.export.c.fixed import activation_range, factor
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.operators import tables
from models.export.c.step import Places, Step


class _Pair(Step):
    """Of two operands, element by element."""

    def __init__(self, operator: Operator, a: Value, b: Value) -> None:
        out = operator.outputs[0]
        for each in (a, b):
            if each.dtype != np.int8 or each.rows not in (1, out.rows) or each.width not in (1, out.width):
                raise operator.unknown(f"of {a.shape} and {b.shape} to {out.shape}")
        limits = activation_range(int(operator.options.fusedActivationFunction), out.scale, out.zero)
        if limits is None:
            raise operator.unknown(f"with the fused activation {operator.options.fusedActivationFunction}")
        # A single row of several is not there while it is being made: it is read when it is whole.
        computed = [each for each in (a, b) if each.data is None]
        super().__init__(
            out,
            along=tuple(each for each in computed if each.rows == out.rows),
            whole=tuple(each for each in computed if each.rows != out.rows),
        )
        self.a, self.b, self.limits = a, b, limits

    def place(self, code: Code, places: Places, operand: Value) -> str:
        if operand.data is not None:
            name = code.array("int8_t", operand.data)
            return name if operand.rows == 1 else f"{name} + {places.time} * {operand.width}"
        return places.row(operand) if operand.rows == self.out.rows else places.whole(operand)

    def call(self, code: Code, places: Places, kernel: str, fields: dict[str, int]) -> list[str]:
        code.needs(kernel)
        both = {
            "a_zero": self.a.zero, "b_zero": self.b.zero, "zero": self.out.zero,
            "low": self.limits[0], "high": self.limits[1],
            "a_step": int(self.a.width > 1), "b_step": int(self.b.width > 1), "n": self.out.width,
        }  # fmt: skip
        a, b = self.place(code, places, self.a), self.place(code, places, self.b)
        return [f"{kernel}({code.struct(kernel, {**fields, **both})}, {a}, {b}, {places.row(self.out)});"]


class Add(_Pair):
    """Sum or difference; the operand of the coarser scale comes first."""

    def __init__(self, operator: Operator, a: Value, b: Value) -> None:
        a_sign, b_sign = 1, -1 if operator.name == "SUB" else 1
        if a.scale < b.scale:
            a, b, a_sign, b_sign = b, a, b_sign, a_sign
        super().__init__(operator, a, b)
        self.a_sign, self.b_sign = a_sign, b_sign

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        common = 2.0 * self.a.scale
        from_b, to_out = factor(self.b.scale / common), factor(common / (2**20 * self.out.scale))
        same = from_b.right == 0  # equal scales: half of it, exactly, as a quarter of the double
        fields = {
            "a_factor": self.a_sign * 2**19,
            "b_factor": 2**21 if same else 2**20,
            "b_multiplier": from_b.multiplier,
            "b_shift": 0 if same else code.shift(from_b),
            "b_sign": self.b_sign,
            "multiplier": to_out.multiplier,
            "shift": code.shift(to_out),
        }
        return self.call(code, places, "add", fields)


class Multiply(_Pair):
    """Product."""

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        to_out = factor(self.a.scale * self.b.scale / self.out.scale)
        fields = {"multiplier": to_out.multiplier, "shift": code.shift(to_out)}
        return self.call(code, places, "multiply", fields)


def add(lowering: Lowering, operator: Operator) -> None:
    """ADD and SUB."""
    if not _of_one_value(lowering, operator):
        lowering.add(Add(operator, operator.input(0), operator.input(1)))


def multiply(lowering: Lowering, operator: Operator) -> None:
    """MUL."""
    if not _of_one_value(lowering, operator):
        lowering.add(Multiply(operator, operator.input(0), operator.input(1)))


def _of_one_value(lowering: Lowering, operator: Operator) -> bool:
    """As a table, when a table would stand before or behind it anyway: with a constant of one element."""
    a, b, out = operator.input(0), operator.input(1), operator.outputs[0]
    scalars = [each for each in (a, b) if each.data is not None and each.size == 1]
    computed = [each for each in (a, b) if each.data is None]
    if len(scalars) != 1 or len(computed) != 1 or computed[0].dtype != np.int8:
        return False
    (x,) = computed
    follows = isinstance(lowering.maker(x), tables.LookUp) and lowering.readers(x) == 1
    if not follows and not (lowering.readers(out) == 1 and lowering.reader_names(out) <= tables.FUNCTIONS):
        return False
    tables.look_up(lowering, x, out, tables.table_of(operator, (a, b)))
    return True
