"""WHILE that goes once over the rows of a sequence with a state: a counter, LESS, GATHER, one step, ADD."""

from __future__ import annotations

import numpy as np

from models.export.c.code import Code
from models.export.c.graph import Operator, Value
from models.export.c.lowering import Lowering
from models.export.c.step import Places, Step


class Start(Step):
    """The state before a row; it is in the memory of the state after the last one."""

    def __init__(self, sequence: Value, state: Value, first: Value) -> None:
        super().__init__(state, along=(sequence,), whole=(first,) if first.data is None else ())
        self.first = first

    def before(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        to = places.whole(self.out)
        if self.first.data is None:
            return [f"copy_bytes({to}, {places.whole(self.first)}, {self.out.width});"]
        if len(set(self.first.data.tolist())) == 1:
            code.needs("fill")
            return [f"fill_bytes({to}, {int(self.first.data[0])}, {self.out.width});"]
        code.needs("copy")
        return [f"copy_bytes({to}, {code.array('int8_t', self.first.data)}, {self.out.width});"]

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        return []


class Carry(Step):
    """The state behind a row, for the next one."""

    def __init__(self, after: Value, last: Value, rows: int) -> None:
        super().__init__(last, along=(after,))
        self.state = after
        self.rows, self.late = rows, True

    def each(self, code: Code, places: Places) -> list[str]:
        """See Step."""
        code.needs("copy")
        return [f"copy_bytes({places.whole(self.out)}, {places.row(self.state)}, {self.out.width});"]


def loop(lowering: Lowering, operator: Operator) -> None:
    """WHILE."""
    condition = lowering.graphs[int(operator.options.condSubgraphIndex)]
    body = lowering.graphs[int(operator.options.bodySubgraphIndex)]
    unknown = operator.unknown(
        "of another form than: a counter from 0, LESS than the steps of a sequence, GATHER of its row, a state of one row"
    )
    if len(operator.inputs) != 3 or [each.name for each in condition.operators] != ["LESS"]:
        raise unknown
    counter, sequence, first = (operator.input(number) for number in range(3))
    (less,) = condition.operators
    limit = less.input(1).data
    starts = counter.data is not None and counter.size == 1 and counter.data[0] == 0
    if (
        not starts
        or less.input(0) is not condition.inputs[0]
        or limit is None
        or sequence.rows != operator.shapes[1][1]
    ):
        raise unknown
    at, inside, state = body.inputs
    counted, passed, after = body.outputs
    if limit[0] != sequence.rows or passed is not inside or state.rows != 1 or state.dtype != np.int8:
        raise unknown

    rows = sequence.rows
    # Inside the loop, a value of one row is a value of as many rows as the loop has turns.
    moving = [state, *(each for one in body.operators for each in one.outputs)]
    for value in moving:
        if value.rows != 1:
            raise unknown
        value.shape = (rows, value.width)
    last = operator.outputs[2]
    state.alias, state.still = last, True
    lowering.add(Start(sequence, state, first))
    counts, start = False, len(lowering.steps)
    for each in body.operators:
        if each.name == "GATHER":
            if each.input(0) is not inside or each.input(1) is not at or each.options.axis != 1:
                raise unknown
            lowering.same(sequence, each.outputs[0])
        elif each.outputs[0] is counted:
            one = each.input(1).data
            counts = each.name == "ADD" and each.input(0) is at and one is not None and int(one[0]) == 1
        elif any(given is at or given is inside for given in each.inputs):
            raise unknown
        else:
            lowering.operator(each)
    if not counts:
        raise unknown
    if any(step.whole or step.late or step.sliding for step in lowering.steps[start:]):
        raise unknown
    lowering.add(Carry(lowering.found(after), last, rows))
