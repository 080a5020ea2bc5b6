"""Test programs: a `main` in C, compiled for the chip with the start code in `firmware/`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).with_name("firmware")
TRAP = """
volatile uint32_t ticks;
uint32_t trap(uint32_t cause, uint32_t epc) {
    if (cause == 0x80000007u) { REG(SYSTIMER + 0x6C) = 1; ticks++; return epc; }
    line("trap", cause);
    for (;;) wait();
}
"""
"""The default: counts the alarms of the system timer."""

_COMMON = ["-O2", "-g", "-ffreestanding", "-ffunction-sections", "-Wall", "-Wextra", "-Werror", "-Wl,--gc-sections"]
_ZIG = [sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding-none"]
_ZIG += ["-mcpu=generic_rv32+m+c+zicsr+zifencei", "-mabi=ilp32", "-fno-sanitize=all", "-fno-stack-protector"]
_GCC = ["riscv64-unknown-elf-gcc", "-march=rv32imc", "-misa-spec=2.2", "-mabi=ilp32", "-nostartfiles", "-nostdlib"]


def has_gcc() -> bool:
    """Whether Debian's compiler is there."""
    return shutil.which(_GCC[0]) is not None


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="simtwin-emulator-"))


@cache
def program(main: str, trap: str = TRAP, layout: str = "ram.ld", compiler: str = "zig") -> Path:
    """The ELF of a program, built once a session.

    Args:
        main: C from after the includes on.
        trap: the trap handler.
        layout: linker script in `firmware/`.
        compiler: `zig` or `gcc`.
    """
    if compiler == "gcc" and not has_gcc():
        pytest.skip("riscv64-unknown-elf-gcc is not installed (Debian: gcc-riscv64-unknown-elf)")
    number = len(list(_folder().glob("*.c")))
    source = _folder() / f"{number}.c"
    source.write_text(f'#include "chip.h"\n{trap}\n{main}\n')
    elf = source.with_suffix(".elf")
    command = (_ZIG if compiler == "zig" else _GCC) + [*_COMMON, "-I", str(FIRMWARE), "-T", str(FIRMWARE / layout)]
    done = subprocess.run(
        [*command, str(FIRMWARE / "start.S"), str(source), "-o", str(elf)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return elf
