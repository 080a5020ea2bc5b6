"""BATCH_MATMUL of rows with a matrix that is computed before, and TRANSPOSE."""

from __future__ import annotations

from models.export.c.code import Code
from models.export.c.fixed import HIGHEST_ACCUMULATOR, factor
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Buffer, Places, Step


class Transpose(Step):
    """Rows become columns, as they come."""

    def __init__(self, x: Value, out: Value) -> None:
        super().__init__(out, along=(x,))
        self.x = x
        self.rows, self.late = x.rows, True

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("transpose")
        to = f"{places.whole(self.out)} + {places.time}"
        return [f"put_column({to}, {places.row(self.x)}, {self.x.rows}, {self.x.width});"]


class Pack(Step):
    """Rows, or columns, become the rows of a matrix as products want it: interleaved by fours, up to a multiple of four."""

    def __init__(self, x: Value, *, turned: bool) -> None:
        self.x, self.turned = x, turned
        self.count, self.length = (x.width, x.rows) if turned else (x.rows, x.width)
        super().__init__(x.like((-(-self.count // 4) * 4, self.length)), along=(x,))
        self.rows, self.late = x.rows, True

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        kernel = "pack_column" if self.turned else "pack_row"
        code.needs(kernel)
        size = f"{self.length}, {self.count}" if self.turned else f"{self.length}"
        number = f"(uint32_t){places.time}"
        return [f"{kernel}({places.whole(self.out)}, {places.row(self.x)}, {number}, {size});"]


class Product(Step):
    """A row of `a` times all rows of `b`: a row of as many elements as `b` has rows."""

    def __init__(self, a: Value, b: Pack, out: Value) -> None:
        super().__init__(out, along=(a,), whole=(b.out,))
        self.a, self.b, self.outputs = a, b.out, b.count
        self.buffers = [Buffer("int32_t", self.b.rows)]

    def _struct(self, code: Code) -> str:
        found = factor(self.a.scale * self.b.scale / self.out.scale)
        fields = {
            "multiplier": found.multiplier,
            "shift": code.shift(found),
            "inputs": code.length(self.a.width),
            "outputs": self.outputs,
            "a_zero": self.a.zero,
            "b_zero": self.b.zero,
            "zero": self.out.zero,
        }
        return code.struct("product", fields)

    def before(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        return [f"product_bias({self._struct(code)}, {places.whole(self.b)}, {places.buffer(self.buffers[0])});"]

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("product")
        a, b, out = places.row(self.a), places.whole(self.b), places.row(self.out)
        return [f"product({self._struct(code)}, {a}, {b}, {places.buffer(self.buffers[0])}, {out});"]


def batch_matmul(lowering: Lowering, operator: Operator) -> None:
    """BATCH_MATMUL of a batch of one; both factors computed."""
    a, b, out = operator.input(0), operator.input(1), operator.outputs[0]
    batches = [size for shape in (*operator.shapes, out.shape) for size in shape[:-2]]
    if operator.options.adjX or a.data is not None or b.data is not None or any(size != 1 for size in batches):
        raise operator.unknown(
            f"of {operator.shapes[0]} and {operator.shapes[1]}; allowed is a batch of one, of computed values, a not turned"
        )
    if a.width * 255 * 255 >= HIGHEST_ACCUMULATOR:
        raise operator.unknown(f"over {a.width} elements; allowed are {HIGHEST_ACCUMULATOR // 255**2}")
    turned = not operator.options.adjY
    before = lowering.maker(b)
    if isinstance(before, Transpose) and lowering.readers(b) == 1:
        lowering.remove(before)
        b, turned = before.x, not turned
    packed = Pack(b, turned=turned)
    lowering.add(packed)
    lowering.add(Product(a, packed, out))


def transpose(lowering: Lowering, operator: Operator) -> None:
    """TRANSPOSE of the last two axes of a batch of one."""
    x, order, out = operator.input(0), operator.input(1), operator.outputs[0]
    shape = operator.shapes[0]
    last = len(shape) - 1
    turns = order.data is not None and [int(each) for each in order.data] == [*range(last - 1), last, last - 1]
    if not turns or any(size != 1 for size in shape[:-2]):
        raise operator.unknown(f"of {shape} to {out.shape}; allowed is to swap the last two axes of a batch of one")
    lowering.add(Transpose(x, out))
