"""The ELF for the ESP32-C3 on labwired, as far as its models reach: boot, console, registers, SPI, the network.

labwired was written by others, from others' captures of a chip; where it and the built-in emulator agree, neither is there
to please this firmware. What it does not reach is listed in docs/fidelity.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tests.labwired")
pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from emulator.machine import Machine
from firmware.build import Built, build
from firmware.frames import Hello, frames_in
from models.artifact import reference
from tests.firmware import tiny_model
from tests.labwired import Processor, simulate

REGISTERS_H = Path(__file__).parents[2] / "firmware" / "ports" / "esp32c3" / "registers.h"
NO_FLASH = {"FLASH_CMD", "FLASH_ADDR", "FLASH_USER", "FLASH_USER2", "FLASH_MISO_DLEN"}
"""labwired's SPI1 is a memory of registers: it never ends a transaction, so the driver gives up at its first."""
NO_TIME = {"SYSTIMER_UNIT0_OP", "SYSTIMER_UNIT0_LO"}
"""labwired's SYSTIMER stands still."""
NO_EFFECT = {"GPIO_ENABLE_W1TS", "RTC_WDT_FEED", "SYSTIMER_COMP0_LOAD", "SYSTIMER_INT_CLR"}
"""Written for their effect; labwired keeps what was written, the emulator reads 0 as the manual says."""
OF_THE_CHIP = {"EFUSE_MAC_LOW", "EFUSE_MAC_HIGH"}
"""Every chip has an address of its own."""
STATE = {"RTC_RESET_STATE": 0x1}
"""labwired does not say why the chip was reset."""


def registers() -> dict[str, int]:
    """Every register the port touches, by name, as `registers.h` has them; of arrays those in use."""
    text = REGISTERS_H.read_text()
    found = {name: int(at, 16) for name, at in re.findall(r"#define (\w+) REGISTER\((0x\w+)u\)", text)}
    for name, at in re.findall(r"#define (UART_\w+)\(base\) REGISTER\(\(base\) \+ (0x\w+)u\)", text):
        if name != "UART_FIFO":  # reading takes a byte
            found |= {f"{name}({n})": base + int(at, 16) for n, base in enumerate((0x60000000, 0x60010000))}
    used = {
        "GPIO_FUNC_OUT_SEL": (3, 4), "IO_MUX_GPIO": (2, 3, 4, 6, 7, 10), "INTERRUPT_MAP": (21, 22, 37),
        "INTERRUPT_PRIORITY": (7, 12, 13),
    }  # fmt: skip
    for name, at in re.findall(r"#define (\w+)\(\w+\) REGISTER\((0x\w+)u \+ 4u \* \(\w+\)\)", text):
        found |= {f"{name}({n})": int(at, 16) + 4 * n for n in used.get(name, ())}
    return found


def test_it_boots_says_hello_and_sets_the_registers_that_the_emulator_says(chip_build: Built) -> None:
    board = Machine(chip_build.product)
    board.run_until_line("hello", 1)
    board.run(0.005)
    with simulate(chip_build.product, "esp32c3") as other:
        other.expect(r"hello simtwin .*\n", timeout="300ms")  # half a million polls of the flash before it
        other.run_for("5ms")
        console = other.uart_transcript()
        here, there = (
            {name: read(at) for name, at in registers().items()} for read in (board.read_register, other.read_u32)
        )
    (hello,) = frames_in(console)
    assert isinstance(hello, Hello)
    assert (hello.build_id, hello.model_sha256) == (chip_build.build_id, tiny_model.SHA256.hex())
    assert "flash: configuration not saved" in console
    unlike = {name for name in here if (here[name] ^ there[name]) & ~STATE.get(name, 0)}
    assert unlike == NO_FLASH | NO_TIME | NO_EFFECT | OF_THE_CHIP
    assert len(here) - len(unlike) > 45


ADXL345 = '- {id: "imu", type: "adxl345_spi", connection: "spi2", config: {cs_pin: 10}}'


@pytest.mark.parametrize(
    ("first", "count", "other_than_0"), [(0x00, 1, {0x00: 0xE5}), (0x1D, 21, {0x2C: 0x0A, 0x30: 0x02})]
)
def test_the_spi_driver_reads_a_sensor_of_others(
    first: int, count: int, other_than_0: dict[int, int], chip_build: Built, tmp_path: Path
) -> None:
    """Registers of an ADXL345 after reset (data sheet, table 19). One burst each: labwired's SPI2 never ends the selection."""
    memory = 0x3FCD0000
    board = Processor(chip_build.product, tmp_path, [ADXL345])
    board.run_to("image_check_all", 100_000)  # behind chip_init
    board.write(memory, bytes([0x80 | 0x40 | first, *[0xFF] * count]))  # read, go on to the next
    assert board.call("hal_spi_transfer", 0, memory, 1 + count, 1, most=200_000) == 0
    read = dict(enumerate(board.read(memory + 1, count), first))
    assert {address: value for address, value in read.items() if value} == other_than_0


def test_the_reference_network_is_as_in_tflm(tmp_path: Path) -> None:
    """Three windows through `model_infer` of the firmware's very ELF, on labwired's processor."""
    pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")
    from models.export.interpreters import Micro

    model = reference("bearing_rig")
    board = Processor(build(model, tmp_path / "firmware").product, tmp_path)
    board.run_to("main", 100_000)
    windows = np.random.default_rng(0).integers(-128, 128, (3, 1024, 3)).astype(np.int8)
    windows[1] //= 8
    windows[2] = windows[2] // 2 - 30
    outputs = Micro((model / "model_int8.tflite").read_bytes()).run(windows).reshape(3, -1)
    assert len(np.unique(outputs, axis=0)) == 3
    at_input, at_output, at_scratch = 0x3FCC0000, 0x3FCC2000, 0x3FCC3000
    for window, said in zip(windows, outputs, strict=True):
        board.write(at_input, window.tobytes())
        board.call("model_infer", at_input, at_output, at_scratch, most=5_000_000)
        assert board.read(at_output, len(said)) == said.tobytes()
