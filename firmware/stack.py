"""The most stack that firmware can need, from its machine code: frames along the deepest chain of calls.

Every function's frame is what it takes from the stack pointer; its calls are its jumps to other functions. There is no
recursion in the firmware, and every call through a pointer must be named here: either is an error otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from struct import iter_unpack

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol, SymbolTableSection

from firmware.errors import FirmwareError
from firmware.xtensa import Instruction, Reader, instructions

COMMANDS = ("help", "version", "status", "threshold", "config", "defaults", "bind_key", "self_test", "reboot")
INDIRECT: Mapping[str, tuple[str, ...]] = {
    "acquire_tick": ("tick_interrupt", "trap"),
    "wait_ms": ("lsm6dso_self_test", "half_test", "averaged"),
    **dict.fromkeys(COMMANDS, ("command_poll", "run_line")),
}
"""What is called through a pointer, and the functions that may hold that call: which one, the compiler's inlining decides."""
ENTRIES = ("_start", "trap_entry", "exception_entry")
"""Of start.S, which does not say that they are functions. The last takes a stack of its own."""
_RA, _SP, _T0 = 1, 2, 5


@dataclass
class Function:
    """One function of an ELF.

    Attributes:
        name: of its symbol.
        frame_bytes: what it takes from the stack itself.
        calls: start addresses of the functions it calls or jumps to.
        through_pointer: whether it calls through a pointer.
    """

    name: str
    frame_bytes: int = 0
    calls: set[int] = field(default_factory=set)
    through_pointer: bool = False


@dataclass(frozen=True)
class Depth:
    """Bytes of stack, and the chain of functions that needs them."""

    bytes: int
    chain: tuple[str, ...]


def stack_depth(elf: Path, root: str) -> Depth:
    """The most stack that the function `root` of an RV32IMC or Xtensa ELF and all it calls can need.

    Raises:
        FirmwareError: recursion, an unknown call through a pointer, no such function.
    """
    functions = functions_of(elf)
    start = next((address for address, each in functions.items() if each.name == root), None)
    if start is None:
        raise FirmwareError(f"{elf}: no function {root!r}")
    of_name = {each.name: address for address, each in functions.items()}

    def called(function: Function) -> set[int]:
        if not function.through_pointer:
            return function.calls
        targets = {of_name[name] for name, callers in INDIRECT.items() if function.name in callers and name in of_name}
        if not targets:
            raise FirmwareError(f"{elf}: {function.name} calls through a pointer that firmware/stack.py does not know")
        return function.calls | targets

    open_: list[str] = []

    @cache
    def deepest(address: int) -> Depth:
        function = functions[address]
        if function.name in open_:
            raise FirmwareError(f"{elf}: recursion: {' -> '.join((*open_, function.name))}")
        open_.append(function.name)
        below = max((deepest(each) for each in called(function)), key=lambda each: each.bytes, default=Depth(0, ()))
        open_.pop()
        return Depth(function.frame_bytes + below.bytes, (function.name, *below.chain))

    return deepest(start)


def functions_of(elf: Path) -> dict[int, Function]:
    """Every function by its start address."""
    with elf.open("rb") as file:
        content = ELFFile(file)
        starts = {
            symbol["st_value"]: Function(symbol.name)
            for symbol in symbols_of(content)
            if symbol["st_info"]["type"] == "STT_FUNC" or symbol.name in ENTRIES
        }
        if content["e_machine"] == "EM_XTENSA":
            _read_xtensa(content, starts)
            return starts
        for section in content.iter_sections():
            if section["sh_flags"] & 4 and section["sh_size"]:
                _read(section.data(), section["sh_addr"], starts)
    return starts


def code_of(content: ELFFile) -> Iterator[tuple[str, list[Instruction]]]:
    """The instructions of every function of an Xtensa ELF, by name.

    What lies between them is literals and padding: the assembler's table `.xt.prop` says which bytes are instructions. A
    function that begins with bytes written as such (ports/esp32/divide.S) is taken as a whole.

    Raises:
        FirmwareError: the table is missing.
    """
    table = content.get_section_by_name(".xt.prop")
    if table is None:
        raise FirmwareError("the ELF has no section .xt.prop, which says where its instructions are")
    rows = iter_unpack("<3I", table.data())
    stretches = sorted({(start, size) for start, size, flags in rows if size and flags & 2 and not flags & 8})
    sections = list(content.iter_sections())
    seen = set()
    for symbol in symbols_of(content):
        start, end = symbol["st_value"], symbol["st_value"] + symbol["st_size"]
        if symbol["st_info"]["type"] != "STT_FUNC" or start == end or start in seen:
            continue
        seen.add(start)
        section = sections[symbol["st_shndx"]]
        data, base = section.data(), section["sh_addr"]
        inside = [(at, min(at + size, end)) for at, size in stretches if start <= at < end]
        if not inside or inside[0][0] != start:
            inside = [(start, end)]
        yield symbol.name, [one for at, last in inside for one in instructions(data[at - base : last - base], at)]


def _read_xtensa(content: ELFFile, functions: dict[int, Function]) -> None:
    """The same as `_read`, of a whole ELF for Xtensa."""
    words: dict[int, int] = {}
    for section in content.iter_sections():
        if section["sh_flags"] & 4:
            data, base = section.data(), section["sh_addr"]
            words |= {base + at: int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) - 3, 4)}
    for _, code in code_of(content):
        function, reader = functions[code[0].pc], Reader(words)
        for one in code:
            taken, target, calls, blind = reader.step(one)
            function.frame_bytes = max(function.frame_bytes, taken)
            if target in functions and (calls or functions[target] is not function):
                function.calls.add(target)
            function.through_pointer |= blind


def symbols_of(content: ELFFile) -> Iterator[Symbol]:
    """All symbols, in order."""
    for table in content.iter_sections("SHT_SYMTAB"):
        if isinstance(table, SymbolTableSection):
            yield from table.iter_symbols()


def _read(code: bytes, base: int, functions: dict[int, Function]) -> None:
    """Fill in frames and calls of the functions that lie in a section."""
    current: Function | None = None
    upper: dict[int, int] = {}  # registers that hold an address by auipc
    for pc, word, size in _instructions(code, base):
        if pc in functions:
            current, upper = functions[pc], {}
        if current is None:
            continue
        current.frame_bytes = max(current.frame_bytes, _taken(word, size))
        target, links = _jump(pc, word, size, upper)
        if target is not None and target in functions and (links or functions[target] is not current):
            current.calls.add(target)
        current.through_pointer |= links and target is None
        if size == 4 and word & 0x7F == 0x17:
            upper[word >> 7 & 31] = pc + _signed(word & 0xFFFFF000, 32)


def _instructions(code: bytes, base: int) -> Iterator[tuple[int, int, int]]:
    at = 0
    while at + 1 < len(code):
        size = 4 if code[at] & 3 == 3 else 2
        yield base + at, int.from_bytes(code[at : at + size], "little"), size
        at += size


def _taken(word: int, size: int) -> int:
    """Bytes that an instruction takes from the stack pointer."""
    if size == 4:
        is_addi = word & 0x7F == 0x13 and word >> 12 & 7 == 0 and word >> 7 & 31 == _SP and word >> 15 & 31 == _SP
        return max(0, -_signed(word >> 20, 12)) if is_addi else 0
    if word & 0xEF83 == 0x6101:  # c.addi16sp
        value = (
            (word >> 12 & 1) << 9
            | (word >> 6 & 1) << 4
            | (word >> 5 & 1) << 6
            | (word >> 3 & 3) << 7
            | (word >> 2 & 1) << 5
        )
        return max(0, -_signed(value, 10))
    if word & 0xEF83 == 0x0101:  # c.addi sp
        return max(0, -_signed((word >> 12 & 1) << 5 | word >> 2 & 31, 6))
    return 0


def _jump(pc: int, word: int, size: int, upper: Mapping[int, int]) -> tuple[int | None, bool]:
    """Where an instruction jumps to, if that is known, and whether it is a call (it saves the return address)."""
    if size == 4 and word & 0x7F == 0x6F:  # jal
        value = (word >> 31) << 20 | (word >> 12 & 0xFF) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3FF) << 1
        return pc + _signed(value, 21), word >> 7 & 31 in (_RA, _T0)
    if size == 4 and word & 0x707F == 0x67:  # jalr
        base, links = word >> 15 & 31, word >> 7 & 31 in (_RA, _T0)
        return (upper[base] + _signed(word >> 20, 12), links) if base in upper else (None, links)
    if size == 2 and word & 3 == 1 and word >> 13 in (1, 5):  # c.jal, c.j
        value = 0
        for to, at in ((11, 12), (4, 11), (9, 10), (8, 9), (10, 8), (6, 7), (7, 6), (3, 5), (2, 4), (1, 3), (5, 2)):
            value |= (word >> at & 1) << to
        return pc + _signed(value, 12), word >> 13 == 1
    if size == 2 and word & 0xF07F == 0x9002 and word >> 7 & 31:  # c.jalr
        base = word >> 7 & 31
        return upper.get(base), True
    return None, False


def _signed(value: int, bits: int) -> int:
    return (value & (1 << bits) - 1) - ((value >> bits - 1 & 1) << bits)
