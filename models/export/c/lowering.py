"""From the operators of the file to steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from models.export.c.graph import Graph, Operator, Value
from models.export.c.step import Step
from models.export.convert import ExportError

Lower = Callable[["Lowering", Operator], None]


class Lowering:
    """Steps in the making.

    Attributes:
        graphs: all of the file.
        steps: so far, each behind those whose values it reads.
    """

    def __init__(self, graphs: list[Graph], operators: Mapping[str, Lower]) -> None:
        self.graphs = graphs
        self.steps: list[Step] = []
        self._operators = operators
        self._same: dict[Value, Value] = {}

    def operator(self, operator: Operator) -> None:
        """Lower one operator; ExportError when it has no C."""
        lower = self._operators.get(operator.name)
        if lower is None:
            raise ExportError(f"no C for the operator {operator.name}; there is for {', '.join(self._operators)}")
        inputs = tuple(None if each is None else self.found(each) for each in operator.inputs)
        lower(self, replace(operator, inputs=inputs))

    def add(self, step: Step) -> None:
        """Append a step."""
        self.steps.append(step)

    def replace(self, old: Step, new: Step) -> None:
        """Put a step in the place of another."""
        self.steps[self.steps.index(old)] = new

    def remove(self, step: Step) -> None:
        """Take a step away whose value nothing reads any more."""
        self.steps.remove(step)

    def same(self, value: Value, other: Value) -> None:
        """Let `other` be `value`: same rows, same width."""
        self._same[other] = value

    def found(self, value: Value) -> Value:
        """The value that this one is."""
        while value in self._same:
            value = self._same[value]
        return value

    def maker(self, value: Value) -> Step | None:
        """The step that makes a value."""
        return next((step for step in self.steps if step.out is value), None)

    def readers(self, value: Value) -> int:
        """How often operators of the file read it, reshapes apart; a graph's output counts."""
        outputs = [each for graph in self.graphs for each in graph.outputs]
        return len(self._reading(value)) + sum(self.found(each) is value for each in outputs)

    def reader_names(self, value: Value) -> set[str]:
        """The operators that read it."""
        return {each.name for each in self._reading(value)}

    def _reading(self, value: Value) -> list[Operator]:
        return [
            operator
            for graph in self.graphs
            for operator in graph.operators
            for each in operator.inputs
            if each is not None and self.found(each) is value and operator.outputs[0] not in self._same
        ]
