"""RESHAPE and its like, which cost nothing, and STRIDED_SLICE of one row."""

from __future__ import annotations

from models.export.c.code import Code
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Places, Step


class Reshape(Step):
    """The same elements in rows of another width."""

    def __init__(self, x: Value, out: Value) -> None:
        super().__init__(out, whole=(x,))
        self.rows, self.late = 1, True
        out.alias = x

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        return []


class Pick(Step):
    """One row of all."""

    def __init__(self, x: Value, out: Value, number: int) -> None:
        super().__init__(out, along=(x,))
        self.x, self.number = x, number
        self.rows, self.late = x.rows, True

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("copy")
        return [
            f"if ({places.time} == {self.number})",
            f"    copy_bytes({places.whole(self.out)}, {places.row(self.x)}, {self.x.width});",
        ]


def reshape(lowering: Lowering, operator: Operator) -> None:
    """RESHAPE, EXPAND_DIMS, SQUEEZE."""
    x, out = operator.input(0), operator.outputs[0]
    if (x.rows, x.width) == (out.rows, out.width):
        lowering.same(x, out)
    else:
        lowering.add(Reshape(x, out))


def strided_slice(lowering: Lowering, operator: Operator) -> None:
    """STRIDED_SLICE that picks one row."""
    x, out = operator.input(0), operator.outputs[0]
    begin, shape = operator.input(1).data, operator.shapes[0]
    if begin is None or out.size != x.width or len(begin) != len(shape):
        raise operator.unknown(f"from {shape} to {out.shape}; allowed is one row")
    starts = [0 if int(operator.options.beginMask) >> axis & 1 else int(each) for axis, each in enumerate(begin)]
    number = 0
    for start, size in zip(starts[:-1], shape[:-1], strict=True):
        number = number * size + start % size
    lowering.add(Pick(x, out, number))
