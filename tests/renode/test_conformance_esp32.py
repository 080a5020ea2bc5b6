"""The ESP32's table of register-level scripts on the C# peripherals, and what else must hold of them and their wiring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from renode.conformance import Read, Script, run
from renode.conformance_esp32 import SCRIPTS
from renode.platform import FOLDER, parts_of
from tests.renode.csharp_board import CsharpBoard


@pytest.fixture
def board() -> Iterator[CsharpBoard]:
    board = CsharpBoard("esp32")
    yield board
    board.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_csharp_peripherals_conform(script: Script, board: CsharpBoard) -> None:
    assert run(script, board) == []
    assert board.log() == ""


def test_a_wrong_value_is_found() -> None:
    """Every read of some scripts, with its lowest bit turned, fails: no step is passed over."""
    for script in (SCRIPTS[0], SCRIPTS[3], SCRIPTS[6]):
        for n, step in enumerate(script.steps):
            if isinstance(step, Read):
                low = step.mask & -step.mask
                turned = replace(script, steps=[*script.steps[:n], replace(step, value=step.value ^ low)])
                board = CsharpBoard("esp32")
                assert len(run(turned, board)) == 1
                board.close()


def test_the_alarm_keeps_its_period(board: CsharpBoard) -> None:
    """A hundred alarms of 20 ms, each served 150 us late, are 2 s: a driver's delay does not add up."""
    timg, served = 0x3FF5F000, 0
    settings = 1 << 31 | 1 << 30 | 1 << 29 | 80 << 13 | 1 << 11 | 1 << 10
    board.write(0x3FF00104 + 4 * 14, 2)
    board.write(timg + 0x24, 1 << 31 | 1 << 30 | 80 << 13)
    board.write(timg + 0x10, 20_000)
    board.write(timg + 0x98, 1)
    board.write(timg, settings)
    while served < 100:
        board.advance(50e-6)
        if board.interrupt_line() == 2:
            board.advance(150e-6)
            board.write(timg + 0xA4, 1)
            board.write(timg, board.read(timg) | 1 << 10)
            served += 1
    board.write(timg + 0x30, 1 << 31)
    assert 2_000_000 <= board.read(timg + 0x28) <= 2_000_250


def test_registers_have_the_reset_values_that_espressif_says(board: CsharpBoard) -> None:
    """Espressif's SVD file, as labwired packs it: every register that is modelled and is there, read after power-on."""
    labwired = pytest.importorskip("labwired", reason="no labwired: pip install simtwin[test]")
    yaml = pytest.importorskip("yaml", reason="no PyYAML")
    folder = Path(labwired.__file__).parent / "configs" / "peripherals" / "esp32"
    names = {
        "intmatrix": "dport", "flash": "spi1", "iomux": "io_mux", "rtc": "rtc_cntl", "efuse": "efuse",
        **{name: name for name in ("uart0", "uart1", "spi2", "gpio", "timg0", "timg1")},
    }  # fmt: skip
    own = {name: part for name, part in parts_of("esp32").items() if part.is_own}
    assert set(names) == set(own)
    seen, unlike = 0, set()
    for name, block in names.items():
        for register in yaml.safe_load((folder / f"{block}.yaml").read_text())["registers"]:
            offset = register["address_offset"]
            if offset >= {"intmatrix": 0x218, "spi2": 0x100, "uart0": 0x100, "uart1": 0x100}.get(name, 0x400):
                continue
            value = board.read(own[name].places[0] + offset)
            if "is not modelled" in board.log():
                continue
            seen += 1
            if value != register["reset_value"]:
                unlike.add((name, register["id"], value))
    assert seen > 200
    # The cause of the reset is power-on, an empty FIFO of a UART says that it is, and this chip has an address.
    address = {("efuse", "BLK0_RDATA1", 0xA1000001), ("efuse", "BLK0_RDATA2", 0x7CDF)}
    assert unlike == {("rtc", "RESET_STATE", 0x3001)} | address | {(f"uart{n}", "INT_RAW", 1 << 1) for n in (0, 1)}


def test_every_register_of_the_port_is_modelled(board: CsharpBoard) -> None:
    header = (FOLDER.parent / "firmware" / "ports" / "esp32" / "registers.h").read_text()
    plain = [int(found, 16) for found in re.findall(r"REGISTER\((0x3[0-9A-Fa-f]{7})u", header)]
    uart = [0x3FF40000 + int(found, 16) for found in re.findall(r"REGISTER\(\(base\) \+ (0x[0-9A-Fa-f]+)u\)", header)]
    assert len(plain) > 45
    assert len(uart) == 8
    for address in plain + uart:
        board.read(address)
        assert board.log() == "", hex(address)


def test_the_cpu_gets_only_lines_for_peripherals() -> None:
    """6, 7, 11, 15, 16 and 29 are the core's own, 14 is the NMI (TRM, table of CPU interrupts)."""
    wires = [wire for wire in parts_of("esp32")["intmatrix"].wires if wire.destination == "cpu"]
    assert [wire.number for wire in wires] == [wire.input for wire in wires]
    assert {wire.input for wire in wires} == set(range(32)) - {6, 7, 11, 15, 16, 29}


def test_the_port_takes_lines_of_level_1() -> None:
    """0 to 5, 8, 9, 12, 13, 17 and 18 are of level 1 and follow the source's level (TRM, table of CPU interrupts)."""
    header = (FOLDER.parent / "firmware" / "ports" / "esp32" / "registers.h").read_text()
    lines = {int(number) for number in re.findall(r"#define LINE_\w+ (\d+)u", header)}
    assert len(lines) == 3
    assert lines <= {0, 1, 2, 3, 4, 5, 8, 9, 12, 13, 17, 18}
