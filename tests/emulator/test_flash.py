"""The flash behind SPI1: what NOR flash does, also when the supply fails in the middle."""

import pytest

from emulator.errors import MachineError
from emulator.machine import Machine
from tests.emulator.programs import program

# Erase a sector, program 64 bytes at its start and 8 across a page's end, read all back; by command bits and by USR.
DRIVER = """
#pragma clang diagnostic ignored "-Wunused-function"
#define CMD (SPI1 + 0x00)
#define ADDR (SPI1 + 0x04)
static inline void start(uint32_t bit) { REG(CMD) = 1u << bit; while (REG(CMD)) {} }
static inline uint32_t status(void) { start(27); return REG(SPI1 + 0x2C) & 0xFF; }
static inline void ready(void) { while (status() & 1) {} }
static inline void erase(uint32_t at) { start(30); REG(ADDR) = at; start(24); ready(); }
static inline void put_words(uint32_t first, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) REG(SPI1 + 0x58 + 4 * i) = first + i;
}
static inline void user(uint32_t command, uint32_t at, uint32_t phases, uint32_t bytes) {
    REG(SPI1 + 0x20) = 7u << 28 | command; REG(SPI1 + 0x1C) = 23u << 26; REG(ADDR) = at;
    REG(SPI1 + 0x24) = REG(SPI1 + 0x28) = 8 * bytes - 1; REG(SPI1 + 0x18) = 1u << 31 | phases; start(18);
}
static inline void program_words(uint32_t at, uint32_t first, uint32_t n) {
    start(30); put_words(first, n); REG(ADDR) = at | 4 * n << 24; start(25); ready();
}
static inline uint32_t read_word(uint32_t at) { user(0x03, at, 1u << 30 | 1u << 28, 4); return REG(SPI1 + 0x58); }
"""

STORE = (
    DRIVER
    + """int main(void) {
    start(28); line("id", REG(SPI1 + 0x58) & 0xFFFFFF);
    erase(0x10000); program_words(0x10000, 0xA0, 16); program_words(0x100FC, 0xB0, 2);
    line("first", read_word(0x10000)); line("last", read_word(0x1003C)); line("blank", read_word(0x10040));
    line("end", read_word(0x100FC)); line("wrapped", read_word(0x10000));
    start(30); put_words(0xF0F0F0F0u, 1); user(0x02, 0x10040, 1u << 30 | 1u << 27, 4); ready();
    start(30); put_words(0xFF00FF00u, 1); user(0x02, 0x10040, 1u << 30 | 1u << 27, 4); ready();
    line("and", read_word(0x10040)); text("end of it\\n"); for (;;) wait();
}"""
)


def test_erase_program_read_as_nor_flash_does() -> None:
    machine = Machine(program(STORE))
    machine.run_until_line("end of it", 0.5)
    said = dict(line.split() for line in machine.uart_output().decode().splitlines()[:-1])
    assert said["id"] == "001640ef"  # Winbond, 4 MB
    assert said["first"] == "000000a0"
    assert said["last"] == "000000af"
    assert said["blank"] == "ffffffff"
    assert said["end"] == "000000b0"
    assert said["wrapped"] == "000000a0"  # 0xa0 & 0xb1: programming wraps within the page and only clears bits
    assert said["and"] == f"{0xF0F0F0F0 & 0xFF00FF00:08x}"
    assert machine.flash_operations == 5
    assert machine.virtual_time_s > 45e-3 + 4 * 0.4e-3  # W25Q32JV, typical
    assert machine.flash[0xFFFF] == 0xFF
    assert machine.flash[0x10044:0x100FC] == b"\xff" * (0xFC - 0x44)


def test_flash_can_be_given_and_outlives_a_power_cut() -> None:
    main = DRIVER + 'int main(void) { line("word", read_word(0x20)); for (;;) wait(); }'
    machine = Machine(program(main), flash=b"\xff" * 0x20 + b"\x01\x02\x03\x04")
    assert machine.run_until_line("word", 0.1) == "word 04030201"
    machine.power_on()
    assert machine.run_until_line("word", 0.1) == "word 04030201"


WRITER = (
    DRIVER
    + """int main(void) {
    line("boot", read_word(0x10000)); erase(0x10000); program_words(0x10000, 0x11111111, 4); text("done\\n"); for (;;) wait();
}"""
)


@pytest.mark.parametrize(
    ("operation", "byte", "expected"),
    [
        (1, 0, "0f" + "00" * 15),  # a byte half erased, nothing else
        (1, 3, "ffffff0f" + "00" * 12),
        (1, 4096, "ff" * 16),
        (2, 0, "1f" + "ff" * 15),  # the upper four bits of 0x11 are programmed
        (2, 5, "1111111112"[:10] + "1f" + "ff" * 10),
        (2, 16, "11111111" + "12111111" + "13111111" + "14111111"),
    ],
)
def test_power_cut_leaves_what_was_done(operation: int, byte: int, expected: str) -> None:
    machine = Machine(program(WRITER), flash=b"\x00" * 0x11000)
    machine.cut_power_at(operation, byte)
    machine.run(1.0)
    assert not machine.powered
    assert b"done" not in machine.uart_output()
    # Half a byte erased: the upper four bits are 1 already.
    expected = expected.replace("0f", "f0") if operation == 1 else expected
    assert machine.flash[0x10000:0x10010].hex() == expected
    stopped_at = machine.instructions
    machine.run(1.0)
    assert machine.instructions == stopped_at
    machine.power_on()
    machine.run_until_line("done", 1.0)
    assert machine.flash[0x10000:0x10004].hex() == "11111111"
    assert machine.flash_operations == operation + 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("REG(ADDR) = 0; start(24);", "flash: erase at 0x0 without write enable: it is ignored"),
        ("start(30); REG(ADDR) = 0; start(24); start(28);", "command 0x9f while it is erasing or programming"),
        ("start(30); REG(ADDR) = 0; start(25);", "length 0 in bits 31 to 24"),
        ("REG(CMD) = 1u << 21;", "0x200000 is not one of the commands"),
        ("user(0x32, 0, 1u << 30 | 1u << 27, 4);", "flash: command 0x32 is not modelled"),
    ],
)
def test_what_the_flash_would_ignore_is_an_error(wrong: str, message: str) -> None:
    with pytest.raises(MachineError, match=message):
        Machine(program(f"{DRIVER} int main(void) {{ {wrong} for (;;) wait(); }}")).run(0.1)


def test_code_in_flash_must_not_run_while_the_flash_is_busy() -> None:
    with pytest.raises(MachineError, match="code in flash runs while the flash is erasing"):
        Machine(program(WRITER, layout="flash.ld")).run(0.1)
