"""The table of register-level scripts on both chips that can run here, and the Robot suite made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from firmware.compiler import ChipName
from renode.conformance import SCRIPTS, SPI2, SYSTIMER, Script, robot_suite, run
from renode.conformance_esp32 import SCRIPTS as SCRIPTS_ESP32
from renode.platform import FOLDER, PERIPHERALS, parts_of, resc
from tests.renode.csharp_board import CsharpBoard

EACH = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)


class BuiltinBoard:
    """The built-in emulator with a program that only waits."""

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")
        from emulator.machine import Machine, Sensor
        from emulator.sources import ArraySource
        from renode.idle import write_idle

        source = ArraySource(np.zeros((1, 6), np.int16), 1666.0)
        self._machine = Machine(write_idle(folder / "idle.elf"), [Sensor(source)] * 3)
        self._seen = [0, 0]
        self._cut: dict[int, object] = {}

    def write(self, address: int, value: int) -> None:
        self._machine.write_register(address, value)

    def read(self, address: int) -> int:
        return self._machine.read_register(address)

    def advance(self, seconds: float) -> None:
        self._machine.run(seconds)

    def interrupt_line(self) -> int:
        return self._machine.interrupt_line

    def receive(self, uart: int, data: bytes) -> None:
        self._machine.write_uart(uart, data)

    def sent(self, uart: int) -> bytes:
        output = self._machine.uart_output(uart)
        data, self._seen[uart] = output[self._seen[uart] :], len(output)
        return data

    def cut(self, sensor: int) -> None:
        from emulator.spi_bus import BusFault

        fault = BusFault("cut_high")
        self._cut[sensor] = fault
        self._machine.wires[sensor].add(fault)

    def mend(self, sensor: int) -> None:
        self._machine.wires[sensor].faults.remove(self._cut.pop(sensor))  # type: ignore[arg-type]


@pytest.fixture
def csharp() -> Iterator[CsharpBoard]:
    board = CsharpBoard()
    yield board
    board.close()


@EACH
def test_builtin_emulator(script: Script, tmp_path: Path) -> None:
    assert not run(script, BuiltinBoard(tmp_path))


@EACH
def test_csharp_peripherals(script: Script, csharp: CsharpBoard) -> None:
    assert not run(script, csharp)
    assert csharp.log() == ""


def test_a_script_can_fail(csharp: CsharpBoard) -> None:
    """What is read is compared: every read of every script, with one bit of the expected value turned over, fails."""
    from dataclasses import replace

    from renode.conformance import Read

    for script in SCRIPTS[:3]:
        for n, step in enumerate(script.steps):
            if isinstance(step, Read):
                low = step.mask & -step.mask
                turned = replace(script, steps=[*script.steps[:n], replace(step, value=step.value ^ low)])
                board = CsharpBoard()
                assert len(run(turned, board)) == 1
                board.close()


def test_peripherals_know_the_time_of_the_instruction(csharp: CsharpBoard) -> None:
    """Renode tells the time to others once a block; until then they must ask the CPU."""
    csharp.execute(0.005)
    csharp.write(SYSTIMER + 0x04, 1 << 30)
    assert csharp.read(SYSTIMER + 0x44) == 5 * 16000
    settings = {0xE8: 3, 0x10: 1 << 27 | 1, 0x1C: 15, 0x20: 0x3E, 0x98: 0xA0, 0x00: 1 << 23}
    for offset, value in settings.items():
        csharp.write(SPI2 + offset, value)
    csharp.execute(0.007)
    csharp.write(SPI2, 1 << 24)  # what a sensor's FIFO holds depends on the time
    assert csharp.read(SPI2 + 0x98) >> 8 & 0xFF == 12


def test_what_is_not_modelled_is_logged(csharp: CsharpBoard) -> None:
    csharp.write(0x60024030, 1 << 27)  # DMA
    csharp.read(0x60000084)
    log = csharp.log()
    assert "bits 0x8000000 are not modelled" in log
    assert "offset 0x84 is not modelled (read)" in log


def _code(text: str) -> str:
    """C# without its comments."""
    return re.sub(r"//[^\n]*", "", text)


def test_the_robot_suite_is_the_table() -> None:
    tables: dict[ChipName, list[Script]] = {"esp32c3": SCRIPTS, "esp32": SCRIPTS_ESP32}
    for chip, scripts in tables.items():
        kept = FOLDER / "tests" / f"conformance_{chip}.robot"
        assert kept.read_text() == robot_suite(scripts, chip), "run `python -m renode.conformance`"


def test_the_script_includes_every_peripheral_once_and_before_the_description() -> None:
    """What is a chip's own, and what all share, in an order in which each file finds the types that it uses."""
    for chip, own in (("esp32c3", "Esp32c3"), ("esp32", "Esp32[!c]")):
        lines = resc(chip).read_text().splitlines()
        included = [line.split("peripherals/")[1] for line in lines if line.startswith("include ")]
        there = [path.name for name in (own, "Espressif") for path in PERIPHERALS.glob(f"{name}*.cs")]
        assert sorted(included) == sorted(there)
        assert max(n for n, line in enumerate(lines) if line.startswith("include ")) < lines.index(
            f"machine LoadPlatformDescription $ORIGIN/{chip}.repl"
        )
        for n, name in enumerate(included):
            text = (PERIPHERALS / name).read_text()
            used = {other for other in included if other != name and re.search(rf"\b{other[:-3]}\b", _code(text))}
            assert used <= set(included[:n]), f"{name} is included before {used - set(included[:n])}"


def test_the_description_gives_the_cpu_only_lines_that_renode_delivers() -> None:
    """Renode's RiscV32 refuses 0 to 2, 4 to 6, 8 to 10 and never delivers 31."""
    wires = [wire for wire in parts_of("esp32c3")["intmatrix"].wires if wire.destination == "cpu"]
    assert [wire.number for wire in wires] == [wire.input for wire in wires] == [3, 7, 11, *range(12, 31)]
    mie = int(next(line for line in resc("esp32c3").read_text().splitlines() if "cpu MIE" in line).split()[-1], 16)
    assert all(mie >> wire.input & 1 for wire in wires)


def test_sources_are_the_reference_manuals() -> None:
    """TRM table 8-1, as the built-in emulator has it: two tables written apart."""
    from emulator.chip import SOURCES

    wired = {
        part.name: min(wire.input for wire in part.wires if wire.destination == "intmatrix")
        for part in parts_of("esp32c3").values()
        if any(wire.destination == "intmatrix" for wire in part.wires)
    }
    names = {"spi2": "SPI2", "uart0": "UART0", "uart1": "UART1", "rtc": "RTC", "timg0": "TG0_WDT", "timg1": "TG1_WDT"}
    names |= {"systimer": "SYSTIMER", "system": "FROM_CPU"}
    assert wired == {name: SOURCES[source] for name, source in names.items()}


def test_every_register_of_the_port_is_modelled(csharp: CsharpBoard) -> None:
    """No register that firmware/ports/esp32c3/registers.h names logs a warning when it is read."""
    header = (FOLDER.parent / "firmware" / "ports" / "esp32c3" / "registers.h").read_text()
    plain = [int(found, 16) for found in re.findall(r"REGISTER\((0x6[0-9A-Fa-f]{7})u\)", header)]
    indexed = [int(found, 16) for found in re.findall(r"REGISTER\((0x6[0-9A-Fa-f]{7})u \+ 4u", header)]
    uart = [0x60000000 + int(found, 16) for found in re.findall(r"REGISTER\(\(base\) \+ (0x[0-9A-Fa-f]+)u\)", header)]
    assert len(plain) > 30
    assert len(indexed) >= 6
    assert len(uart) >= 6
    for address in plain + indexed + uart:
        csharp.read(address)
        assert csharp.log() == "", hex(address)


def test_both_chips_have_the_same_registers_with_the_same_reset_values(csharp: CsharpBoard, tmp_path: Path) -> None:
    """Every register that the built-in chip models, read after power-on."""
    board = BuiltinBoard(tmp_path)
    seen = 0
    for peripheral in board._machine._chip.peripherals:
        for offset in peripheral.REGISTERS:
            address = peripheral.base + offset
            assert csharp.read(address) == board.read(address), f"{peripheral.name} {offset:#x}"
            seen += 1
    assert seen > 600
    assert csharp.log() == ""


def test_the_csharp_chip_has_no_registers_beyond_those(csharp: CsharpBoard, tmp_path: Path) -> None:
    peripherals = {p.base: p for p in BuiltinBoard(tmp_path)._machine._chip.peripherals}
    own = [part for part in parts_of("esp32c3").values() if part.is_own]
    assert sorted(part.places[0] for part in own) == sorted(peripherals)
    for part in own:
        peripheral = peripherals[part.places[0]]
        for offset in range(0, 0x100, 4):
            if offset not in peripheral.REGISTERS:
                csharp.read(part.places[0] + offset)
                assert "is not modelled" in csharp.log(), f"{part.name} {offset:#x}"
