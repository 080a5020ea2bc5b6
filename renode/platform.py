"""The platform descriptions `CHIP.repl`, read as far as they wire this project's own peripherals."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from firmware.compiler import ChipName
from renode.errors import RenodeError

FOLDER = Path(__file__).parent
PERIPHERALS = FOLDER / "peripherals"

_ENTRY = re.compile(r"^(\w+): ([\w.]+) @ (.+)$")
_WIRE = re.compile(r"^(?:\[([\d,-]+)\]|(\d+))? ?-> (\w+)@(?:\[([\d,-]+)\]|(\d+))$")
_VALUE = re.compile(r"^(\w+): (.+)$")


@dataclass(frozen=True)
class Wire:
    """An output of a part that goes to an input of another; `number` None: its only output."""

    number: int | None
    destination: str
    input: int


@dataclass(frozen=True)
class Part:
    """An entry of the description.

    Attributes:
        name: how it is called on the bus it is on.
        kind: class, below Antmicro.Renode.Peripherals.
        bus: `sysbus` or the part it is registered at.
        places: addresses on `sysbus`, or its number at another part.
        values: what is set, as written.
        wires: where its outputs go.
    """

    name: str
    kind: str
    bus: str
    places: list[int] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)

    @property
    def is_own(self) -> bool:
        """Whether its class is one of `peripherals/`."""
        return self.kind.partition(".")[2].startswith("Esp32")


def repl(chip: ChipName) -> Path:
    """The description of a chip's platform."""
    return FOLDER / f"{chip}.repl"


def resc(chip: ChipName) -> Path:
    """The script that makes a machine of it."""
    return FOLDER / f"{chip}.resc"


def parts_of(chip: ChipName) -> dict[str, Part]:
    """All entries of a chip's description, by name; errors as of `parts`."""
    return parts(repl(chip).read_text(), repl(chip).name)


def parts(text: str, name_of_file: str) -> dict[str, Part]:
    """All entries of a description, by name.

    Raises:
        RenodeError: a line that is none of those it knows: entry, value, wire, init.
    """
    found: dict[str, Part] = {}
    part: Part | None = None
    in_init = in_places = False
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.split("//")[0].rstrip()
        if not content:
            continue
        stripped = content.strip()
        if not content.startswith(" ") and not in_places:
            entry = _ENTRY.match(content)
            if entry is None:
                raise RenodeError(f"{name_of_file}, line {number}: no entry: {content}")
            name, kind, where = entry.groups()
            in_init, in_places = False, where == "{"
            bus, _, place = where.partition(" ")
            part = Part(name, kind, "sysbus" if in_places else bus, [int(place, 0)] if place else [])
            found[name] = part
        elif part is None:
            raise RenodeError(f"{name_of_file}, line {number}: belongs to no entry: {stripped}")
        elif in_places:
            if stripped == "}":
                in_places = False
            else:
                part.places.append(int(stripped.rstrip(";").split()[1], 0))
        elif stripped == "init:":
            in_init = True
        elif in_init and content.startswith("        "):
            continue
        elif (wire := _WIRE.match(stripped)) is not None:
            part.wires.extend(_wires(wire))
        elif (value := _VALUE.match(stripped)) is not None:
            part.values[value[1]] = value[2].strip('"')
        else:
            raise RenodeError(f"{name_of_file}, line {number}: neither value nor wire: {stripped}")
    return found


def _wires(match: re.Match[str]) -> list[Wire]:
    many, one, destination, many_inputs, one_input = match.groups()
    numbers: list[int] | list[None] = _numbers(many) if many else [int(one)] if one else [None]
    inputs = _numbers(many_inputs) if many_inputs else [int(one_input)]
    return [Wire(number, destination, to) for number, to in zip(numbers, inputs, strict=True)]


def _numbers(text: str) -> list[int]:
    numbers: list[int] = []
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers
