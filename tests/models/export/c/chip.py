"""Generated C on the chip's instruction set: built for rv32imc with the compiler of pip, run in plain Unicorn.

Unicorn alone, without the emulator's peripherals: inference touches none.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[test]")
pytest.importorskip("ziglang", reason="no zig: pip install simtwin[test]")
pytest.importorskip("elftools", reason="no pyelftools: pip install simtwin[test]")

import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import riscv_const

from models.export.c.generate import Source
from models.export.c.library import INCLUDE, WARNINGS, write

TARGET = (
    "-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c+zicsr+zifencei", "-mabi=ilp32", "-ffreestanding",
    "-fno-sanitize=all", "-fno-stack-protector", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables",
)  # fmt: skip
OPTIMIZE = "-Os"
CODE, DATA, STACK, RETURN = 0x4200_0000, 0x3FC8_0000, 0x3FD0_0000, 0x4000_0000
"""Where code and constants, the memory of a call, the stack's end, and the address that ends a call are."""
_ROOM = 1 << 18
_LINK = """
SECTIONS { . = 0x42000000; .text : { *(.text*) } .rodata : { *(.rodata* .srodata*) } .data : { *(.data* .sdata*) }
 .bss : { *(.bss* .sbss* COMMON) } /DISCARD/ : { *(.eh_frame* .comment .riscv.attributes .note*) } }
"""
_PAINT = 0xA5


@dataclass(frozen=True)
class Size:
    """Bytes of a model's object file.

    Attributes:
        text, rodata: instructions, constants.
        data: of memory that keeps values; there shall be none.
        missing: functions and the like that it asks of others; there shall be none.
    """

    text: int
    rodata: int
    data: int
    missing: tuple[str, ...]


class Chip:
    """A model's C built for the chip."""

    def __init__(self, source: Source, folder: Path) -> None:
        write(source, folder)
        (folder / "link.ld").write_text(_LINK)
        compiler = [sys.executable, "-m", "ziglang", "cc", *TARGET, OPTIMIZE, *WARNINGS, f"-I{INCLUDE}"]
        subprocess.run([*compiler, "-c", "model.c", "-o", "model.o"], cwd=folder, check=True)
        subprocess.run(
            [*compiler, "-T", "link.ld", "-Wl,-e,model_infer", "model.o", "-o", "model.elf"], cwd=folder, check=True
        )
        self.size = _size(folder / "model.o")
        self._source = source
        self._uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        for start in (CODE, DATA, STACK - _ROOM, RETURN):
            self._uc.mem_map(start, _ROOM)
        with (folder / "model.elf").open("rb") as file:
            elf = ELFFile(file)
            for segment in elf.iter_segments("PT_LOAD"):
                self._uc.mem_write(segment["p_vaddr"], segment.data())
            self._start = elf["e_entry"]

    def run(self, window: NDArray[np.int8]) -> NDArray[np.int8]:
        """The output of a window; memory around the scratch memory is held to be untouched."""
        outputs = self._source.outputs
        at_out = DATA + _aligned(window.size)
        scratch = at_out + _aligned(outputs) + 16
        behind = scratch + self._source.scratch_bytes
        self._uc.mem_write(DATA, bytes([_PAINT]) * 0x10000)
        self._uc.mem_write(STACK - _ROOM, bytes([_PAINT]) * _ROOM)
        self._uc.mem_write(DATA, window.tobytes())
        for register, value in (
            (riscv_const.UC_RISCV_REG_A0, DATA), (riscv_const.UC_RISCV_REG_A1, at_out),
            (riscv_const.UC_RISCV_REG_A2, scratch), (riscv_const.UC_RISCV_REG_RA, RETURN),
            (riscv_const.UC_RISCV_REG_SP, STACK),
        ):  # fmt: skip
            self._uc.reg_write(register, value)
        self._uc.emu_start(self._start, RETURN)
        if self._uc.mem_read(DATA, window.size) != window.tobytes():
            raise AssertionError("the input was written to")
        for edge in (at_out + outputs, scratch - 16, behind):
            if set(self._uc.mem_read(edge, 16 if edge != at_out + outputs else scratch - edge)) != {_PAINT}:
                raise AssertionError(f"memory beside output or scratch was written to, at {edge:#x}")
        return np.frombuffer(self._uc.mem_read(at_out, outputs), np.int8)

    def stack_bytes(self) -> int:
        """How deep the stack was in the last run."""
        memory = np.frombuffer(self._uc.mem_read(STACK - _ROOM, _ROOM), np.uint8)
        return int(_ROOM - np.flatnonzero(memory != _PAINT)[0])

    def instructions(self, window: NDArray[np.int8]) -> int:
        """Executed for a window."""
        blocks: dict[tuple[int, int], int] = {}

        def entered(_: object, address: int, size: int, __: object) -> None:
            blocks[address, size] = blocks.get((address, size), 0) + 1

        hook = self._uc.hook_add(unicorn.UC_HOOK_BLOCK, entered)
        self._uc.ctl_flush_tb()  # what was translated without the hook does not call it
        self.run(window)
        self._uc.hook_del(hook)
        self._uc.ctl_flush_tb()
        return sum(count * _length(bytes(self._uc.mem_read(*block))) for block, count in blocks.items())


def _length(code: bytes) -> int:
    """Instructions in a block: those whose lowest two bits are set have four bytes, others two (RISC-V C extension)."""
    at = count = 0
    while at < len(code):
        at += 4 if code[at] & 3 == 3 else 2
        count += 1
    return count


def _aligned(size: int) -> int:
    return size + -size % 16


def _size(path: Path) -> Size:
    bytes_of = {"text": 0, "rodata": 0, "data": 0}
    with path.open("rb") as file:
        elf = ELFFile(file)
        for section in elf.iter_sections():
            flags = section["sh_flags"]
            if flags & 2:  # is in memory
                kind = "text" if flags & 4 else "data" if flags & 1 else "rodata"
                bytes_of[kind] += section["sh_size"]
        symbols = elf.get_section_by_name(".symtab").iter_symbols()
        missing = tuple(each.name for each in symbols if each["st_shndx"] == "SHN_UNDEF" and each.name)
    return Size(**bytes_of, missing=missing)
