"""A program that only waits, for tests that play the processor's part themselves."""

from __future__ import annotations

import struct
from pathlib import Path

_ENTRY = 0x40380000
_CODE = struct.pack("<II", 0x10500073, 0xFFDFF06F)  # wfi; j -4
_HEADER, _SEGMENT = 52, 32
_RISCV, _RVC = 243, 1


def write_idle(path: Path) -> Path:
    """Write the ELF: one segment of two instructions in SRAM."""
    offset = _HEADER + _SEGMENT
    header = struct.pack(
        "<4sBBB9xHHIIIIIHHHHHH",
        b"\x7fELF", 1, 1, 1, 2, _RISCV, 1, _ENTRY, _HEADER, 0, _RVC, _HEADER, _SEGMENT, 1, 0, 0, 0,
    )  # fmt: skip
    segment = struct.pack("<8I", 1, offset, _ENTRY, _ENTRY, len(_CODE), len(_CODE), 5, 4)
    path.write_bytes(header + segment + _CODE)
    return path
