"""Firmware on labwired, a simulator by others (PyPI, MIT): a check of ours that does not rest on what we think the chip is.

    with simulate(elf, "esp32c3") as board:      # or "esp32", for a program for the Xtensa core
        board.expect(r"hello .*", timeout="300ms")
        board.read_u32(0x6002400C)

Of the ESP32-C3 it models no flash, no time and no interrupts for a program without boot loader (docs/fidelity.md), so a
test must not wait for any.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "labwired",
    reason="no labwired: pip install simtwin[test] (it has wheels for Linux, macOS and Windows on x86-64, and Arm)",
)
pytest.importorskip("elftools", reason="no pyelftools: pip install simtwin[test]")

import labwired
from elftools.elf.elffile import ELFFile

CONFIGS = Path(labwired.__file__).with_name("configs")
_PC, _RA, _A0 = 32, 1, 10
"""Numbers of the RISC-V registers."""
_STEPS = 20_000


def simulate(elf: Path, chip: str) -> Any:
    """A `labwired.Sim` of one chip with this program; its console is `uart0`. Close it, or use it in a `with`."""
    return labwired.Sim(elf, chip=chip, uart="uart0")


class Processor:
    """The RISC-V core with a program in memory, for calls of single functions.

    Args:
        elf: program.
        folder: for the description of the board.
        devices: lines of YAML, entries of the board's `external_devices`.
    """

    def __init__(self, elf: Path, folder: Path, devices: Sequence[str] = ()) -> None:
        board = folder / "board.yaml"
        listed = "\n".join(f"  {line}" for line in devices)
        chip = os.path.relpath(CONFIGS / "chips" / "esp32c3.yaml", folder)
        board.write_text(
            f'name: "board"\nchip: "{chip}"\nexternal_devices:{" []" if not devices else ""}\n{listed}\nboard_io: []\n'
        )
        self._machine = labwired.Machine(str(elf), str(board))
        with elf.open("rb") as file:
            table = ELFFile(file).get_section_by_name(".symtab")
            self._symbols: dict[str, int] = {each.name: each["st_value"] for each in table.iter_symbols()}

    def run_to(self, function: str, most: int) -> None:
        """Run the program until it enters a function, for at most so many instructions."""
        for _ in range(most):
            if self._machine.get_pc() == self._symbols[function]:
                return
            self._machine.step(1)
        raise AssertionError(f"{function} was not entered; pc {self._machine.get_pc():#x}")

    def call(self, function: str, *arguments: int, most: int) -> int:
        """Call a function of the program; what it returns. AssertionError after `most` instructions.

        Args:
            function: its name.
            arguments: as many as go into registers.
            most: instructions.
        """
        back = self._symbols["vectors"]  # nobody goes there: no interrupts are on
        self.write(back, b"\x01\xa0")  # c.j to itself
        self._machine.write_register(_RA, back)
        for number, value in enumerate(arguments):
            self._machine.write_register(_A0 + number, value)
        self._machine.write_register(_PC, self._symbols[function])
        for _ in range(0, most, _STEPS):
            self._machine.step(_STEPS)
            if self._machine.get_pc() == back:
                return int(self._machine.read_register(_A0))
        raise AssertionError(f"{function} did not come back; pc {self._machine.get_pc():#x}")

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory."""
        return bytes(self._machine.read_memory(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Change bytes of memory, code too."""
        self._machine.write_memory(address, list(data))
