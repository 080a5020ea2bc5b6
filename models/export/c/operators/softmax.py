"""SOFTMAX of every row."""

from __future__ import annotations

from models.export.c.code import Code
from models.export.c.fixed import Powers
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Places, Step

_FEW = 64
"""Exponentials in a window: so many are computed, for more there is a table."""
_SHORT = 64
"""Entries of a table that takes no more room than the code that computes."""


class Softmax(Step):
    """Of a row."""

    def __init__(self, x: Value, out: Value, beta: float) -> None:
        super().__init__(out, along=(x,))
        self.x, self.beta = x, beta

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("softmax")
        powers = Powers.of(self.x.scale, self.beta)
        tabled = self.out.size > _FEW or powers.depth <= _SHORT
        code.power_tables |= tabled
        code.powers_computed |= not tabled
        fields: dict[str, int | str] = {
            "powers": code.array("int32_t", powers.table()) if tabled else 0,
            "multiplier": powers.multiplier,
            "depth": powers.depth,
            "n": self.x.width,
            "left": powers.left,
        }
        return [f"softmax({code.struct('softmax', fields)}, {places.row(self.x)}, {places.row(self.out)});"]


def softmax(lowering: Lowering, operator: Operator) -> None:
    """SOFTMAX."""
    x, out = operator.input(0), operator.outputs[0]
    if (out.scale, out.zero) != (1 / 256, -128) or x.width > 2048:
        raise operator.unknown(f"of {x.width} values to a scale of {out.scale:g} and a zero point of {out.zero}")
    lowering.add(Softmax(x, out, float(operator.options.beta)))
