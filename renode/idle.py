"""A program that only waits, for tests that play the processor's part themselves."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from firmware.compiler import ChipName

_HEADER, _SEGMENT = 52, 32


@dataclass(frozen=True)
class _Idle:
    """Where the program lies, what it is, the ELF's machine and flags."""

    entry: int
    code: bytes
    machine: int
    flags: int


_OF: dict[ChipName, _Idle] = {
    "esp32c3": _Idle(0x40380000, struct.pack("<II", 0x10500073, 0xFFDFF06F), 243, 1),  # wfi; j -4; RISC-V with RVC
    "esp32": _Idle(0x40080000, bytes((0x00, 0x70, 0x00, 0x46, 0xFE, 0xFF)), 94, 0),  # waiti 0; j -3; Xtensa
}


def write_idle(path: Path, chip: ChipName = "esp32c3") -> Path:
    """Write the ELF: one segment of two instructions in SRAM."""
    idle = _OF[chip]
    offset = _HEADER + _SEGMENT
    header = struct.pack(
        "<4sBBB9xHHIIIIIHHHHHH",
        b"\x7fELF", 1, 1, 1, 2, idle.machine, 1, idle.entry, _HEADER, 0, idle.flags, _HEADER, _SEGMENT, 1, 0, 0, 0,
    )  # fmt: skip
    segment = struct.pack("<8I", 1, offset, idle.entry, idle.entry, len(idle.code), len(idle.code), 5, 4)
    path.write_bytes(header + segment + idle.code)
    return path
