"""Which steps run in one loop over time, and which values are kept whole.

A step reads its inputs row by row, so steps follow each other within one loop and most values are a row only. What asks
for all of a value (`whole`, or one that is `late`) is in a later loop. A convolution in the midst of a loop pulls the
rows it needs, one after the other, from a section of steps of its own, which runs at its input's pace, and keeps the
last few; where that cannot be, its input is kept whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from models.export.c.graph import Value
from models.export.c.step import Step
from models.export.convert import ExportError


@dataclass(eq=False)
class Section:
    """Steps that make a row each, one after the other.

    Attributes:
        steps: in order.
        rows: how often.
        level: loops of a lower level come before.
        puller: the step of another section that asks for its rows; None: it is a loop of its own.
        gives: the value the puller asks for.
    """

    steps: list[Step]
    rows: int
    level: int
    puller: Step | None = None
    gives: Value | None = None


@dataclass(frozen=True)
class Plan:
    """What runs in which order.

    Attributes:
        sections: loops in their order, each behind the sections that it pulls.
        kept: values that are in memory as a whole.
        inputs, output: of the model.
    """

    sections: tuple[Section, ...]
    kept: frozenset[Value] = field(repr=False)
    input: Value
    output: Value

    def section_of(self, step: Step) -> Section:
        """The section a step is in."""
        return next(each for each in self.sections if step in each.steps)

    def pulled(self, value: Value) -> Section | None:
        """The section that is asked for rows of a value."""
        return next((each for each in self.sections if each.gives is value), None)

    def loop_of(self, step: Step) -> Section:
        """The loop within which a step runs."""
        section = self.section_of(step)
        while section.puller is not None:
            section = self.section_of(section.puller)
        return section


def plan(steps: list[Step], given: Value, output: Value) -> Plan:
    """Group steps into sections, with as few values kept whole as this finds.

    Raises:
        ExportError: a graph that does not go from its input over rows to its output.
    """
    if output.root is given or output.root.data is not None:
        raise ExportError("no C for a model whose output is its input or a constant")
    whole: set[Value] = set()  # inputs of convolutions that cannot be pulled
    while True:
        sections, conflict = _sections(steps, _levels(steps, given, whole), whole)
        kept = _kept(steps, sections, given, output, whole)
        conflict = conflict or _conflict(sections, kept)
        if conflict is None:
            return Plan(tuple(_ordered(sections)), frozenset(kept), given, output)
        whole.add(conflict)


def _levels(steps: list[Step], given: Value, whole: set[Value]) -> dict[Step, int]:
    levels: dict[Step, int] = {}
    makers = {step.out: step for step in steps}

    def after(value: Value, complete: bool) -> int:
        if value is given or value.data is not None:
            return 0
        maker = makers.get(value)
        if maker is None:
            raise ExportError("no C for a graph with more than one input")
        return levels[maker] + int(complete or maker.late)

    for step in steps:
        found = [after(each, False) for each in step.along] + [after(each, True) for each in step.whole]
        if step.sliding is not None:
            found.append(after(step.sliding, step.sliding in whole))
        levels[step] = max([step.level, *found])
    return levels


def _sections(steps: list[Step], levels: dict[Step, int], whole: set[Value]) -> tuple[list[Section], Value | None]:
    """Steps that read each other's rows belong together; and a value that two convolutions pull, when there is one."""
    makers = {step.out: step for step in steps}
    group = {step: step for step in steps}

    def first(step: Step) -> Step:
        while group[step] is not step:
            step = group[step]
        return step

    def streams(value: Value, reader: Step) -> Step | None:
        maker = makers.get(value)
        return maker if maker is not None and not maker.late and levels[maker] == levels[reader] else None

    for step in steps:
        for value in step.along:
            maker = streams(value, step)
            if maker is not None:
                group[first(step)] = first(maker)
    found: dict[Step, Section] = {}
    for step in steps:
        section = found.setdefault(first(step), Section([], step.rows, levels[step]))
        section.steps.append(step)
        if section.rows != step.rows:
            raise ExportError(f"no C for steps of {section.rows} and of {step.rows} rows that read each other's rows")
    for step in steps:
        maker = None if step.sliding is None or step.sliding in whole else streams(step.sliding, step)
        if maker is not None and step.sliding is not None:
            section = found[first(maker)]
            if section.puller is not None:
                return list(found.values()), step.sliding
            section.puller, section.gives = step, step.sliding
    return list(found.values()), None


def _kept(steps: list[Step], sections: list[Section], given: Value, output: Value, whole: set[Value]) -> set[Value]:
    home = {step: section for section in sections for step in section.steps}
    makers = {step.out: step for step in steps}
    kept = {output.root, *(step.out.root for step in steps if step.late), *(each.root for each in whole)}
    for step in steps:
        kept |= {each.root for each in step.whole}
        for each in step.along:
            if each in makers and home[makers[each]] is not home[step]:
                kept.add(each.root)
        sliding = step.sliding
        if sliding in makers and home[makers[sliding]].gives is not sliding:
            kept.add(sliding.root)
    return kept - {given}


def _conflict(sections: list[Section], kept: set[Value]) -> Value | None:
    """A value that cannot be pulled: its section makes what is kept, or reads what comes of it."""
    home = {step: section for section in sections for step in section.steps}
    for section in sections:
        if section.gives is None:
            continue
        if any(step.out.root in kept for step in section.steps):
            return section.gives
        above, seen = section, {section}
        while above.puller is not None:
            above = home[above.puller]
            if above in seen:
                return section.gives
            seen.add(above)
    return None


def _ordered(sections: list[Section]) -> list[Section]:
    """Loops by level, what they pull before them."""
    home = {step: section for section in sections for step in section.steps}

    def depth_first(section: Section) -> list[Section]:
        below = [each for each in sections if each.puller is not None and home[each.puller] is section]
        return [*(one for each in below for one in depth_first(each)), section]

    loops = sorted((each for each in sections if each.puller is None), key=lambda each: each.level)
    return [one for each in loops for one in depth_first(each)]
