"""Firmware for the ESP32 on labwired, a simulator by others (PyPI, MIT), function by function.

labwired gives no access to the Xtensa core's registers, so calls are made by a few instructions of our own, put into memory
where the program has none, that `main` is made to jump to. All else is the very ELF.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

_native = pytest.importorskip("labwired", reason="no labwired: pip install simtwin[test] (wheels for x86-64 and Arm)")

AT = 0x4009F000
"""In IRAM, behind the program: literals, then code. In its first word the count of calls that have come back."""
_LITERALS = 0x400


def simulate(elf: Path) -> Any:
    """A `labwired.Sim` of the ESP32 with this program. Use it in a `with`."""
    return _native.Sim(elf, chip="esp32")


def store(board: Any, address: int, data: bytes) -> None:
    """Change memory, whole words from a word's address on."""
    assert address % 4 == 0
    data += b"\0" * (-len(data) % 4)
    for i, (word,) in enumerate(struct.iter_unpack("<I", data)):
        board.write_u32(address + 4 * i, word)


def replace(board: Any, function: str, code: bytes) -> None:
    """Change a function's first bytes."""
    start = board.symbol(function)
    kept = bytes(board.read_memory(start, len(code) + -len(code) % 4))
    store(board, start, code + kept[len(code) :])


def stub(board: Any, function: str, value: int) -> None:
    """Make a function do nothing but return a value (-32 to 95)."""
    assert -32 <= value <= 95
    replace(
        board, function, bytes((0x0C | (value >> 4 & 7) << 4, 2 | (value & 15) << 4, 0x0D, 0xF0))
    )  # movi.n a2; ret.n


def seal(board: Any) -> None:
    """Put in the CRC of an image that was changed, as firmware/build.py does for the ELF."""
    crc = 0
    for part in ("text", "rodata"):
        start = board.symbol(f"__{part}_start")
        crc = crc32(bytes(board.read_memory(start, board.symbol(f"__{part}_end") - start)), crc)
    board.write_u32(board.symbol("built"), crc)


def call_all(board: Any, calls: Sequence[tuple[str, Sequence[int]]], *, most_s: float = 5.0) -> list[tuple[int, int]]:
    """Call functions one after the other in place of `main`; what each left in a2 and a3, the registers of a result.

    Args:
        board: from `simulate`, not started yet.
        calls: names, and up to six arguments each.
        most_s: virtual time; AssertionError when it is over and a call has not come back.
    """
    literals: list[int] = []
    code = bytearray()

    def load(register: int, value: int) -> None:
        """l32r: the literal lies before the instruction."""
        literal = AT + 4 + 4 * len(literals)
        literals.append(value & 0xFFFFFFFF)
        here = AT + _LITERALS + len(code)
        code.extend((0x01 | register << 4, *struct.pack("<H", (literal - (here + 3 & ~3)) // 4 & 0xFFFF)))

    results = AT + 0x800
    for done, (function, arguments) in enumerate(calls, start=1):
        for number, value in enumerate(arguments):
            load(2 + number, value)
        load(8, board.symbol(function))
        code.extend((0xC0, 0x08, 0x00))  # callx0 a8
        load(9, results + 8 * (done - 1))
        code.extend((0x29, 0x09, 0x39, 0x19))  # s32i.n a2, a9, 0; s32i.n a3, a9, 4
        load(9, AT)
        load(8, done)
        code.extend((0x89, 0x09))  # s32i.n a8, a9, 0
    code.extend((0x06, 0xFF, 0xFF))  # j to itself
    assert 4 * len(literals) + 4 <= _LITERALS
    assert len(code) <= 0x400
    store(board, AT, struct.pack(f"<{len(literals) + 1}I", 0, *literals))
    store(board, AT + _LITERALS, bytes(code))
    distance = AT + _LITERALS - board.symbol("main") - 4
    replace(board, "main", (distance << 6 | 0x06).to_bytes(3, "little"))
    for _ in range(round(most_s / 0.01)):
        board.run_for(0.01)
        if board.read_u32(AT) == len(calls):
            return [(board.read_u32(results + 8 * n), board.read_u32(results + 8 * n + 4)) for n in range(len(calls))]
    raise AssertionError(f"{calls[board.read_u32(AT)][0]} did not come back within {most_s} s")
