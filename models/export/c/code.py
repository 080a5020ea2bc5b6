"""The text of a C file as it grows: constants, each content once, and the kernels they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from models.export.c.fixed import Factor

_KERNELS = Path(__file__).with_name("kernels")
ORDER = (
    "clamp", "rescale", "copy", "fill", "dot", "dense", "window", "table", "add", "multiply", "mean", "mean_row", "mean_rows",
    "transpose", "pack_row", "pack_column", "product", "softmax", "lstm",
)  # fmt: skip
"""All kernels, each behind those it calls."""
_CALLS = {
    "dense": ("dot", "clamp", "rescale"),
    "window": ("copy", "fill"),
    "add": ("clamp", "rescale"),
    "multiply": ("clamp", "rescale"),
    "mean": ("clamp", "rescale"),
    "mean_row": ("mean",),
    "mean_rows": ("mean",),
    "product": ("dot", "clamp", "rescale"),
    "softmax": ("clamp",),
    "lstm": ("dot", "clamp", "rescale"),
}
_LINE = 116


class Code:
    """Constants and kernels of one model.

    Attributes:
        left_shifts: whether any factor is 1 or above.
        dot_remainders: whether any row's length is no multiple of four.
        power_tables, powers_computed: whether any softmax has a table, or none.
    """

    def __init__(self) -> None:
        self.left_shifts = False
        self.dot_remainders = False
        self.power_tables = self.powers_computed = False
        self._kernels: set[str] = set()
        self._arrays: dict[str, str] = {}  # definition without its name -> name
        self._structs: dict[str, str] = {}
        self._tables: list[str] = []

    def needs(self, kernel: str) -> None:
        """Have a kernel, and those it calls, in the file."""
        self._kernels.add(kernel)
        for each in _CALLS.get(kernel, ()):
            self.needs(each)

    def shift(self, of: Factor) -> int:
        """What kernels/rescale.c calls the shift of a factor; it is noted when that is to the left."""
        self.left_shifts |= of.right <= 0
        return of.right - 1

    def length(self, elements: int) -> int:
        """Length of a row of dot products, noted when four do not divide it."""
        self.dot_remainders |= elements % 4 != 0
        return elements

    def array(self, kind: str, values: Iterable[int]) -> str:
        """Name of a constant array of these values."""
        numbers = [str(int(each)) for each in values]
        text = f"{kind}|[{len(numbers)}] = {{\n{wrapped(numbers)}\n}};\n"
        return self._arrays.setdefault(text, f"data_{len(self._arrays)}")

    def struct(self, kind: str, fields: Mapping[str, int | str | Sequence[int]]) -> str:
        """Address of a constant struct of a kernel."""
        lines = []
        for name, value in fields.items():
            text = value if isinstance(value, str | int) else "{" + ", ".join(map(str, value)) + "}"
            lines.append(f".{name} = {text}")
        text = f"struct {kind}|= {{\n{wrapped(lines)}\n}};\n"
        return "&" + self._structs.setdefault(text, f"{kind}_{len(self._structs)}")

    def named_table(self, text: str) -> None:
        """A constant that kernels know by name; once."""
        if text not in self._tables:
            self._tables.append(text)

    def text(self) -> str:
        """Constants and kernels, those first that others need."""
        switches = {
            "LEFT_SHIFTS": self.left_shifts,
            "DOT_REMAINDERS": self.dot_remainders,
            "POWER_TABLES": self.power_tables,
            "POWERS_COMPUTED": self.powers_computed,
        }
        flags = "".join(f"#define MODEL_{name} {int(on)}\n" for name, on in switches.items())
        arrays = [f"static const {text.replace('|', f' {name}', 1)}" for text, name in self._arrays.items()]
        structs = [f"static const {text.replace('|', f' {name} ', 1)}" for text, name in self._structs.items()]
        kernels = [(_KERNELS / f"{name}.c").read_text() for name in ORDER if name in self._kernels]
        return "\n".join([flags, *self._tables, *arrays, *kernels, *structs])


def wrapped(items: Iterable[str]) -> str:
    """Items of an initialiser, comma behind each, in lines."""
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > _LINE:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join([*lines, line])
