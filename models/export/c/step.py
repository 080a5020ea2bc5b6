"""A step of the plan: what makes one row of a value from rows of others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass

from models.export.c.code import Code
from models.export.c.graph import Value


@dataclass(eq=False)
class Buffer:
    """Memory that a step keeps from row to row.

    Attributes:
        kind: of its elements, a key of `memory.POOLS`.
        size: elements.
    """

    kind: str
    size: int


class Places(ABC):
    """Where values are, as C expressions, while a row is made."""

    @abstractmethod
    def row(self, value: Value) -> str:
        """The present row."""

    @abstractmethod
    def whole(self, value: Value) -> str:
        """The first row of a value that is all there."""

    @abstractmethod
    def buffer(self, buffer: Buffer) -> str:
        """A step's own memory."""

    @abstractmethod
    def pulled(self, value: Value, at: str, to: str) -> str | None:
        """Statement that makes row `at` of a value at `to`; None when all of the value is there."""

    @property
    @abstractmethod
    def time(self) -> str:
        """The number of the present row."""


class Step(ABC):
    """What makes row t of `out` from row t of `along`, from all of `whole`, and from a window of rows of `sliding`.

    Attributes:
        out: what is made.
        along, whole: what of.
        sliding: the value of which several rows about t are read.
        rows: how often the step is taken in a window.
        late: `out` is there only after the last row.
        buffers: memory of its own.
        level: it runs in no loop of a lower level.
    """

    def __init__(
        self, out: Value, along: tuple[Value, ...] = (), whole: tuple[Value, ...] = (), sliding: Value | None = None
    ) -> None:
        self.out = out
        self.along, self.whole, self.sliding = along, whole, sliding
        self.rows = out.rows
        self.late = False
        self.buffers: list[Buffer] = []
        self.level = 0

    def before(self, code: Code, places: Places) -> list[str]:
        """Statements before the first row."""
        return []

    @abstractmethod
    def each(self, code: Code, places: Places) -> list[str]:
        """Statements of a row."""

    def after(self, code: Code, places: Places) -> list[str]:
        """Statements after the last row."""
        return []

    def again(self, new: Mapping[Value, Value], level: int) -> Step:
        """The same step on other values, where `new` names one, in a loop of this level."""
        made = copy(self)
        made.level = level
        for name, each in vars(self).items():
            if isinstance(each, Value):
                setattr(made, name, new.get(each, each))
            elif isinstance(each, tuple):
                setattr(made, name, tuple(new.get(one, one) if isinstance(one, Value) else one for one in each))
        return made
