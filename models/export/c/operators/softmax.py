"""SOFTMAX of every row."""

from __future__ import annotations

from models.export.c.code import Code
from models.export.c.fixed import softmax_table
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Places, Step


class Softmax(Step):
    """Of a row."""

    def __init__(self, x: Value, out: Value, beta: float) -> None:
        super().__init__(out, along=(x,))
        self.x, self.beta = x, beta

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("softmax")
        table = softmax_table(self.x.scale, self.beta)
        powers = code.array("int32_t", table)
        return [f"softmax({powers}, {len(table)}, {places.row(self.x)}, {places.row(self.out)}, {self.x.width});"]


def softmax(lowering: Lowering, operator: Operator) -> None:
    """SOFTMAX."""
    x, out = operator.input(0), operator.outputs[0]
    if (out.scale, out.zero) != (1 / 256, -128) or x.width > 2048:
        raise operator.unknown(f"of {x.width} values to a scale of {out.scale:g} and a zero point of {out.zero}")
    lowering.add(Softmax(x, out, float(operator.options.beta)))
