"""The text of model_infer: loops over time, and a function for each section that is pulled."""

from __future__ import annotations

from collections.abc import Hashable

from models.export.c.code import Code
from models.export.c.graph import Value
from models.export.c.memory import POOLS, Arena, Need, arena
from models.export.c.plan import Plan, Section
from models.export.c.step import Buffer, Places

_INDENT = "    "


def body(plan: Plan, code: Code) -> tuple[str, Arena]:
    """The functions of a plan, and the scratch memory they take."""
    memory = arena(_needs(plan))
    parts = []
    main: list[str] = []
    for number, section in enumerate(plan.sections):
        places = _Places(plan, section, memory)
        lines = [line for step in section.steps for line in step.each(code, places)]
        if section.puller is not None:
            parts.append(_function(number, lines))
            continue
        pulled = [each for each in plan.sections if plan.loop_of(each.steps[0]) is section]
        for each in pulled:
            inner = _Places(plan, each, memory)
            main += [line for step in each.steps for line in step.before(code, inner)]
        if section.rows == 1:
            main += lines
        elif lines:
            main += [
                f"for (int32_t t = 0; t < {section.rows}; t++) {{",
                *(_INDENT + line for line in lines),
                "}",
            ]
        main += [line for step in section.steps for line in step.after(code, places)]
    if not any("scratch" in line for line in main):
        main.insert(0, "(void)scratch;")
    text = "\n".join(_INDENT + line for line in main)
    parts.append(
        "void model_infer(const int8_t input[MODEL_INPUT_SIZE], int8_t output[MODEL_OUTPUT_SIZE],\n"
        f"                 model_scratch_t *scratch)\n{{\n{text}\n}}\n"
    )
    return "\n".join(parts), memory


def _function(number: int, lines: list[str]) -> str:
    text = "\n".join(_INDENT + line for line in lines)
    unused = "".join(
        f"{_INDENT}(void){name};\n" for name in ("input", "scratch") if not any(name in each for each in lines)
    )
    head = f"static void section_{number}(const int8_t *input, model_scratch_t *scratch, int32_t t, int8_t *made)"
    return f"{head}\n{{\n{unused}{text}\n}}\n"


def _needs(plan: Plan) -> list[Need]:
    """Everything in memory, and from which step to which."""
    steps = [step for section in plan.sections for step in section.steps]
    moment = {step: number for number, step in enumerate(steps)}
    span: dict[Section, tuple[int, int]] = {}
    for step in steps:
        loop = plan.loop_of(step)
        first, last = span.get(loop, (moment[step], moment[step]))
        span[loop] = min(first, moment[step]), max(last, moment[step])
    needs: dict[Hashable, Need] = {}
    gives = {section.gives for section in plan.sections}
    for step in steps:
        low, high = span[plan.loop_of(step)]
        for buffer in step.buffers:
            needs[buffer] = Need(buffer, buffer.kind, buffer.size, low, high)
        value = step.out
        if value.root is plan.output.root or value in gives or (value.root is not value and not value.still):
            continue
        root = value.root
        if root in plan.kept:
            users = [each for each in steps if _reads(each, root)]
            last = max([high, *(span[plan.loop_of(each)][1] for each in users)])
            before = needs.get(root)
            first = low if before is None else min(before.first, low)
            needs[root] = Need(root, "int8_t", root.size, first, last)
        else:
            users = [each for each in steps if _reads(each, value)]
            needs[value] = Need(
                value, "int8_t", value.width, moment[step], max(map(moment.__getitem__, [step, *users]))
            )
    return list(needs.values())


def _reads(step: object, root: Value) -> bool:
    read = (*step.along, *step.whole, step.sliding)  # type: ignore[attr-defined]
    return any(each is not None and each.root is root for each in read)


class _Places(Places):
    """In model_infer, or in a section's function."""

    def __init__(self, plan: Plan, section: Section, memory: Arena) -> None:
        self._plan, self._section, self._memory = plan, section, memory

    @property
    def time(self) -> str:
        return "0" if self._section.rows == 1 and self._section.puller is None else "t"

    def whole(self, value: Value) -> str:
        root = value.root
        if root is self._plan.input:
            return "input"
        if root is self._plan.output.root:
            return "output"
        return self._at(root, "int8_t")

    def row(self, value: Value) -> str:
        if value is self._section.gives:
            return "made"
        if value.root is not self._plan.input and value.root not in self._plan.kept:
            return self._at(value, "int8_t")
        whole = self.whole(value)
        if value.still or value.rows == 1:
            return whole
        return f"{whole} + {self.time}" if value.width == 1 else f"{whole} + {self.time} * {value.width}"

    def buffer(self, buffer: Buffer) -> str:
        return self._at(buffer, buffer.kind)

    def pulled(self, value: Value, at: str, to: str) -> str | None:
        section = self._plan.pulled(value)
        if section is None:
            return None
        return f"section_{self._plan.sections.index(section)}(input, scratch, {at}, {to});"

    def _at(self, what: Hashable, kind: str) -> str:
        offset = self._memory.offsets[what]
        return f"scratch->{POOLS[kind]}" + (f" + {offset}" if offset else "")
