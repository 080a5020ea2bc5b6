"""MEAN over time, or over the elements of every row."""

from __future__ import annotations

from models.export.c.code import Code
from models.export.c.fixed import Factor, factor
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Buffer, Places, Step


class _Mean(Step):
    def __init__(self, x: Value, out: Value, count: int) -> None:
        super().__init__(out, along=(x,))
        self.x, self.count = x, count

    def struct(self, code: Code) -> str:
        folded = divided(factor(self.x.scale / self.out.scale), self.count)
        fields = {
            "zeros": self.x.zero * self.count,
            "multiplier": folded.multiplier,
            "shift": code.shift(folded),
            "zero": self.out.zero,
        }
        return code.struct("mean", fields)


class MeanOfRow(_Mean):
    """Of a row's elements."""

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("mean_row")
        return [f"*({places.row(self.out)}) = mean_row({self.struct(code)}, {places.row(self.x)}, {self.x.width});"]


class MeanOfRows(_Mean):
    """Over time."""

    def __init__(self, x: Value, out: Value) -> None:
        super().__init__(x, out, x.rows)
        self.rows, self.late = x.rows, True
        self.buffers = [Buffer("int32_t", x.width)]

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("mean_rows")
        return [f"sum_row({places.buffer(self.buffers[0])}, {places.row(self.x)}, {places.time}, {self.x.width});"]

    def after(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        sums = places.buffer(self.buffers[0])
        return [f"mean_rows({self.struct(code)}, {sums}, {places.whole(self.out)}, {self.x.width});"]


def divided(of: Factor, count: int) -> Factor:
    """The factor with the division by `count` in it, in as many bits as the multiplier has room for."""
    more = min(count.bit_length() - 1, 32, 31 - of.right)
    return Factor((of.multiplier << more) // count, of.right + more)


def mean(lowering: Lowering, operator: Operator) -> None:
    """MEAN."""
    x, axes, out = operator.input(0), operator.input(1), operator.outputs[0]
    shape = operator.shapes[0]
    if axes.data is None:
        raise operator.unknown("over axes that are no constants")
    over = {int(each) % len(shape) for each in axes.data} - {i for i, size in enumerate(shape) if size == 1}
    if over == {len(shape) - 1}:
        lowering.add(MeanOfRow(x, out, x.width))
    elif over and over == {i for i, size in enumerate(shape[:-1]) if size > 1}:
        lowering.add(MeanOfRows(x, out))
    else:
        raise operator.unknown(f"of {shape} over the axes {sorted(over)}; allowed is the last one, or all others")
