"""The compilers: pip's zig for everything, Debian's gcc as a second opinion on RISC-V."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from firmware.errors import FirmwareError

CompilerName = Literal["zig", "gcc"]
PortName = Literal["esp32c3", "host", "esp-idf"]

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
_LINK = ("-nostartfiles", "-Wl,--gc-sections")
GCC = "riscv64-unknown-elf-gcc"


@dataclass(frozen=True)
class Compiler:
    """A compiler for one port.

    Attributes:
        name: which.
        version: as it says.
        command: how it is called.
        flags: of the port.
        link: when linking.
    """

    name: CompilerName
    version: str
    command: tuple[str, ...]
    flags: tuple[str, ...]
    link: tuple[str, ...]


def compiler_for(port: PortName, name: CompilerName = "zig", *, sanitize: bool = False) -> Compiler:
    """The compiler for a port.

    Args:
        port: which.
        name: zig, or Debian's gcc for RISC-V (of the host: the system's).
        sanitize: undefined behaviour ends the program; host only.

    Raises:
        FirmwareError: it is not installed.
    """
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


def compile_all(compiler: Compiler, sources: Sequence[tuple[Path, Sequence[str]]], folder: Path) -> list[Path]:
    """Compile every source with its own further flags; the objects, in order.

    Raises:
        FirmwareError: a source does not compile; the compiler's first message.
    """

    def one(entry: tuple[Path, Sequence[str]]) -> Path:
        source, flags = entry
        target = folder / f"{source.stem}.o"
        run([*compiler.command, *compiler.flags, *flags, "-c", str(source), "-o", str(target)], str(source))
        return target

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(one, sources))


def link(compiler: Compiler, objects: Sequence[Path], flags: Sequence[str], target: Path) -> None:
    """Link; FirmwareError when something is missing or does not fit."""
    run(
        [*compiler.command, *compiler.flags, *map(str, objects), *compiler.link, *flags, "-o", str(target)], target.name
    )


def run(command: Sequence[str], what: str) -> None:
    """Run a compiler; FirmwareError with its first error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        first = next((line for line in lines if "error" in line), lines[0])
        raise FirmwareError(f"{what}: does not build: {first.strip()}")


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
