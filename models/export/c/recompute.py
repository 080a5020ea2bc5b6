"""Values that are made again where they are read rather than kept as a whole: memory for instructions.

Such is the query of an attention block: it is read row by row, in the loop behind the one that makes it, and comes of a
normalised row, which comes of a row that is kept anyway.
"""

from __future__ import annotations

from models.export.c.graph import Value
from models.export.c.plan import Plan, plan
from models.export.c.step import Step

WORTH_BYTES = 1024
"""Smaller values are kept: making them again would not pay."""


def leaner(steps: list[Step], given: Value, output: Value) -> Plan:
    """A plan in which no larger value is kept that can be made again from what is kept anyway.

    Raises:
        ExportError: see `plan`.
    """
    found = plan(steps, given, output)
    for step in steps:
        if step.out.root in found.kept and step.out.size >= WORTH_BYTES:
            other = _made_again(steps, found, step)
            if other is not None:
                return leaner(other, given, output)
    return found


def _made_again(steps: list[Step], of: Plan, maker: Step) -> list[Step] | None:
    """Steps in which a step and what it needs stand in front of its readers, in their loop; None where that cannot be."""
    value = maker.out
    readers = [step for step in steps if value in (*step.along, *step.whole, step.sliding)]
    loops = {of.loop_of(step) for step in readers}
    by_row = all(value in step.along and value not in step.whole for step in readers)
    if value.root is of.output.root or not by_row or len(loops) != 1 or of.loop_of(maker) in loops:
        return None
    makers = {step.out: step for step in steps}
    chain: list[Step] = []

    def gather(step: Step) -> bool:
        """Whether a step can be taken again, after those it needs."""
        if step.late or step.whole or step.sliding or step.buffers or step.out.alias is not None:
            return False
        for each in step.along:
            if each is of.input or each.root in of.kept or makers[each] in chain:
                continue
            if not gather(makers[each]):
                return False
        chain.append(step)
        return True

    if not gather(maker):
        return None
    new = {step.out: step.out.like(step.out.shape) for step in chain if step is not maker}
    (loop,) = loops
    again = [step.again(new, loop.level) for step in chain]
    left = [step for step in steps if step is not maker]
    at = left.index(readers[0])
    return [*left[:at], *again, *left[at:]]
