"""The compilers: pip's zig for RISC-V and this machine, Debian's gcc for Xtensa; others as a second opinion on both chips.

zig has no code generator for Xtensa. Debian's gcc-xtensa-lx106 is made for an older core (LX106) of the same family: the
ESP32's LX6 runs its code, and what it lacks is in ports/esp32. Clang's code for the LX6 goes through LLVM's own `llc` and, as
text, through the same assembler: the objects that llc 22.1 writes itself have misplaced literals, and at -O1, -O2 and -Os it
fails on some networks.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from firmware.errors import FirmwareError

CompilerName = Literal["zig", "gcc", "clang"]
PortName = Literal["esp32c3", "esp32", "host", "esp-idf"]
ChipName = Literal["esp32c3", "esp32"]
CHIPS: tuple[ChipName, ...] = get_args(ChipName)

STRICT = (
    "-Wall", "-Wextra", "-Werror", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wstrict-prototypes",
    "-Wmissing-prototypes", "-Wundef", "-Wvla", "-Wcast-qual", "-Wwrite-strings", "-Wfloat-conversion",
    "-Wdouble-promotion",
)  # fmt: skip
"""Of the project's own C."""
GENERATED = ("-Wall", "-Wextra", "-Werror")
"""Of a generated model."""
_COMMON = ("-std=c11", "-g", "-ffunction-sections", "-fdata-sections", "-fno-strict-aliasing")
_ZIG_C3 = (
    "-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c+zicsr+zifencei", "-mabi=ilp32", "-ffreestanding",
    "-fno-stack-protector", "-fno-sanitize=all",
)  # fmt: skip
_GCC_C3 = (
    "-march=rv32imc",
    "-misa-spec=2.2",
    "-mabi=ilp32",
    "-ffreestanding",
    "--specs=picolibc.specs",
    "-fstack-usage",
)
_GCC_ESP32 = ("-ffreestanding", "-mtext-section-literals", "-fstack-usage")
_CLANG_ESP32 = (
    "--target=xtensa",
    "-ffreestanding",
    "-fomit-frame-pointer",
    "-fno-asynchronous-unwind-tables",
    "-emit-llvm",
)
_LLC_ESP32 = (
    "-mtriple=xtensa",
    "-mcpu=esp32",
    "-mattr=-windowed,-fp,-loop,-bool,-mac16,-div32,-mul32high,-minmax,-sext,-clamps",
)
"""call0, no floating point, and only what Debian's assembler knows."""
_LINK = ("-nostartfiles", "-Wl,--gc-sections")
_LINK_ESP32 = ("-nostdlib", *_LINK, "-Wl,-z,noexecstack", "-lgcc")
GCC = "riscv64-unknown-elf-gcc"
GCC_ESP32 = "xtensa-lx106-elf-gcc"
CLANG, LLC = "clang-22", "llc-22"
DEFAULT: dict[PortName, CompilerName] = {"esp32c3": "zig", "esp32": "gcc", "host": "zig", "esp-idf": "zig"}


@dataclass(frozen=True)
class Compiler:
    """A compiler for one port.

    Attributes:
        name: which.
        version: as it says.
        command: how it is called.
        flags: of the port.
        link: when linking.
        backend: makes assembly of what `command` gives, where that is not an object file.
        assembler: what assembles and links then.
    """

    name: CompilerName
    version: str
    command: tuple[str, ...]
    flags: tuple[str, ...]
    link: tuple[str, ...]
    backend: tuple[str, ...] = ()
    assembler: tuple[str, ...] = ()


def compiler_for(port: PortName, name: CompilerName | None = None, *, sanitize: bool = False) -> Compiler:
    """The compiler for a port.

    Args:
        port: which.
        name: zig, Debian's gcc for the chip (of the host: the system's), or, for the ESP32, Debian's clang. By default
            the port's in `DEFAULT`.
        sanitize: undefined behaviour ends the program; host only.

    Raises:
        FirmwareError: it is not installed, or has no code for this chip.
    """
    name = name or DEFAULT[port]
    if port == "esp32":
        return _for_esp32(name)
    if name == "clang":
        raise FirmwareError(f"{port}: clang is for the esp32 only; zig is clang too")
    if name == "zig":
        if find_spec("ziglang") is None:
            raise FirmwareError("the compiler is missing: pip install ziglang")
        command: tuple[str, ...] = (sys.executable, "-m", "ziglang", "cc")
        version = "zig " + _said([*command[:-1], "version"])
    else:
        program = GCC if port == "esp32c3" else "gcc"
        if shutil.which(program) is None:
            package = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf" if port == "esp32c3" else "gcc"
            raise FirmwareError(f"{program} is missing: apt install {package}")
        command = (program,)
        version = "gcc " + _said([program, "-dumpfullversion"])
    if port == "esp32c3":
        flags = (*_COMMON, *(_ZIG_C3 if name == "zig" else _GCC_C3), "-Os")
        return Compiler(name, version, command, flags, _LINK)
    checks = ("-fsanitize=undefined", "-fsanitize-trap=undefined") if sanitize else ("-fno-sanitize=all",)
    # Bound to its own functions: some have names that other libraries of the process have too (zlib's crc32).
    own = ("-shared", "-Wl,-Bsymbolic")
    return Compiler(name, version, command, (*_COMMON, "-fPIC", "-O2", *checks), own)


def chips_here(name: CompilerName | None = None) -> tuple[list[ChipName], list[str]]:
    """The chips that can be built for here, and a line for each of the others that says why not.

    Args:
        name: of the compiler; None: each chip's own.

    Raises:
        FirmwareError: none can.
    """
    found: list[ChipName] = []
    missing: list[str] = []
    for chip in CHIPS:
        try:
            compiler_for(chip, name)
        except FirmwareError as error:
            missing.append(f"the {chip} is left out: {error}")
        else:
            found.append(chip)
    if not found:
        raise FirmwareError("; ".join(missing))
    return found, missing


def _for_esp32(name: CompilerName) -> Compiler:
    if name == "zig":
        raise FirmwareError("esp32: zig has no code for Xtensa; take gcc or clang")
    if shutil.which(GCC_ESP32) is None:
        raise FirmwareError(f"{GCC_ESP32} is missing: apt install gcc-xtensa-lx106")
    if name == "gcc":
        version = "gcc " + _said([GCC_ESP32, "-dumpfullversion"])
        return Compiler("gcc", version, (GCC_ESP32,), (*_COMMON, *_GCC_ESP32, "-Os"), _LINK_ESP32)
    for program, package in ((CLANG, "clang-22"), (LLC, "llvm-22")):
        if shutil.which(program) is None:
            raise FirmwareError(f"{program} is missing: apt install {package}")
    # No -g and no sections by function: the assembler refuses the one, and literals stray from their section with the other.
    flags = ("-std=c11", "-fno-strict-aliasing", *_CLANG_ESP32, "-Oz")
    version = "clang " + _said([CLANG, "-dumpversion"])
    return Compiler("clang", version, (CLANG,), flags, _LINK_ESP32, (LLC, *_LLC_ESP32), (GCC_ESP32,))


def compile_all(compiler: Compiler, sources: Sequence[tuple[Path, Sequence[str]]], folder: Path) -> list[Path]:
    """Compile every source with its own further flags; the objects, in order.

    Raises:
        FirmwareError: a source does not compile; the compiler's first message.
    """

    def one(entry: tuple[Path, Sequence[str]]) -> Path:
        source, flags = entry
        target = folder / f"{source.stem}.o"
        if compiler.backend and source.suffix == ".c":
            middle, text = target.with_suffix(".bc"), target.with_suffix(".s")
            run([*compiler.command, *compiler.flags, *flags, "-c", str(source), "-o", str(middle)], str(source))
            run([*compiler.backend, str(middle), "-o", str(text)], str(source))
            # llc puts literals wherever it has just been; they belong to the code.
            text.write_text(text.read_text().replace("\t.literal_position\n", "\t.text\n\t.literal_position\n"))
            run([*compiler.assembler, "-c", str(text), "-o", str(target)], str(source))
        elif compiler.backend:
            run([*compiler.assembler, "-c", str(source), "-o", str(target)], str(source))
        else:
            run([*compiler.command, *compiler.flags, *flags, "-c", str(source), "-o", str(target)], str(source))
        return target

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(one, sources))


def link(compiler: Compiler, objects: Sequence[Path], flags: Sequence[str], target: Path) -> None:
    """Link; FirmwareError when something is missing or does not fit."""
    linker = compiler.assembler or (*compiler.command, *compiler.flags)
    run([*linker, *map(str, objects), *compiler.link, *flags, "-o", str(target)], target.name)


def run(command: Sequence[str], what: str) -> None:
    """Run a compiler; FirmwareError with its first error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        first = next(
            (line for line in lines if re.search(r"error|undefined reference|dangerous relocation", line)), lines[0]
        )
        raise FirmwareError(f"{what}: does not build: {first.strip()}")


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
