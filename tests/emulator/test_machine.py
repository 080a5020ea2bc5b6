"""The board as a whole: boot, UARTs, pins, memory, counters, and the same bytes however a run is cut."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.elf import Image
from emulator.errors import MachineError
from emulator.machine import Machine, Sensor
from emulator.sources import ArraySource
from sim.errors import ParameterError
from tests.emulator.programs import TRAP, program

HELLO = 'int main(void) { text("hello\\n"); line("from", (uint32_t)&main); for (;;) wait(); }'

# Timer alarms, FIFO reads over SPI, a software division: memory and output depend on every event's time.
BUSY = """
static uint32_t sum[64];
__attribute__((noinline)) void bus(uint8_t *bytes, uint32_t n) { spi(bytes, n); }
int main(void) {
    spi_init(); imu_write(0x12, 0x44); imu_write(0x10, 0x84); imu_write(0x09, 0x08); imu_write(0x0A, 0x06);
    every(1700); interrupts_on();
    for (uint32_t last = 0, n = 0; ticks < 60;) {
        for (uint32_t i = 0; i < 1000; i++) sum[i & 63] = sum[i & 63] * 33 + i / (ticks + 1);
        if (ticks == last) continue;
        last = ticks;
        uint32_t words = imu_read(0x3A);
        while (words--) {
            uint8_t f[8] = {0x80 | 0x78}; bus(f, 8);
            sum[n++ & 63] ^= (uint32_t)now() + f[2];
        }
        if (ticks % 20 == 0) line("sum", sum[ticks & 63]);
        if (ticks % 7 == 0) wait();
    }
    text("end\\n"); for (;;) wait();
}
"""


def ramp(n: int = 2000) -> ArraySource:
    counts = np.zeros((n, 6), dtype=np.int64)
    counts[:, 0] = np.arange(n)
    counts[:, 1] = -np.arange(n)
    return ArraySource(counts, 1666.0)


@pytest.mark.parametrize("layout", ["ram.ld", "flash.ld"])
@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_boots_from_ram_and_from_flash_with_both_compilers(layout: str, compiler: str) -> None:
    elf = program(HELLO, layout=layout, compiler=compiler)
    machine = Machine(elf)
    assert machine.run_until_line("hello", 0.1) == "hello"
    assert machine.run_until_line("from", 0.1) == f"from {Image.load(elf).symbols['main']:08x}"


def test_uart_sends_at_the_roms_baud_rate() -> None:
    # 115200 baud from the 40 MHz crystal over 347 + 3/16; a frame has 10 bits.
    times: list[float] = []
    machine = Machine(program(HELLO))
    machine.on_uart(0, lambda byte, time_s: times.append(time_s))
    machine.run(0.01)
    assert machine.uart_output().startswith(b"hello\nfrom ")
    np.testing.assert_allclose(np.diff(times), 10 * (347 + 3 / 16) / 40e6, atol=1e-8)


def fingerprint(machine: Machine) -> tuple[Any, ...]:
    memory = machine.read_memory(0x3FC80000, 0x60000)
    return (
        hashlib.sha256(memory).hexdigest(),
        machine.uart_output(),
        machine.instructions,
        machine.virtual_time_s,
        machine.stage_instructions(),
        machine.function_instructions(),
    )


def run_in_slices(slice_s: float, hook: str, total_s: float = 0.11) -> tuple[Any, ...]:
    machine = Machine(
        program(BUSY),
        [Sensor(ramp())],
        hook=hook,
        stages={"bus": ["bus"], "timer": ["trap"]},  # type: ignore[arg-type]
    )
    n = 0
    while (n + 1) * slice_s < total_s:
        n += 1
        machine.run_until(n * slice_s)
    machine.run_until(total_s)
    return fingerprint(machine)


def test_the_same_bytes_in_every_run_and_for_every_slice() -> None:
    whole = run_in_slices(1.0, "native")
    assert b"sum" in whole[1]
    assert b"end" in whole[1]
    assert [run_in_slices(1.0, "native") for _ in range(2)] == [whole, whole]
    assert [run_in_slices(s, "native") for s in (0.05, 0.00173, 0.0001)] == [whole] * 3


def test_the_hook_in_python_is_slower_but_not_different() -> None:
    assert run_in_slices(1.0, "python") == run_in_slices(1.0, "native")
    assert run_in_slices(0.0031, "python") == run_in_slices(1.0, "native")


def test_wfi_skips_to_the_alarm_and_costs_no_instructions() -> None:
    body = "every(10000); interrupts_on(); while (ticks < 200) wait();"
    machine = Machine(program(f'int main(void) {{ {body} text("end\\n"); for (;;) wait(); }}'))
    machine.run_until_line("end", 3.0)
    # 200 alarms of 10 ms, and the line's four bytes on the UART.
    assert machine.virtual_time_s == pytest.approx(2.0, abs=1e-3)
    assert machine.instructions < 200 * 200
    before = machine.instructions
    machine.run(0.005)
    assert machine.instructions == before


COUNTED = """
__attribute__((noinline, naked)) uint32_t loop(uint32_t n);
uint32_t loop(__attribute__((unused)) uint32_t n) {
    __asm__ volatile("1: addi a0, a0, -1\\n add a1, a1, a0\\n bnez a0, 1b\\n ret");
}
__attribute__((noinline)) void outer(void) { loop(1000); loop(500); __asm__ volatile("nop"); }
int main(void) { loop(10); outer(); outer(); text("end\\n"); for (;;) wait(); }
"""


@pytest.mark.parametrize("hook", ["native", "python"])
def test_instructions_are_those_of_the_listing(hook: Any) -> None:
    # loop(n) executes 3 n + 1 instructions.
    machine = Machine(program(COUNTED), hook=hook, stages={"outer": ["outer"], "loop": ["loop"]})
    machine.run_until_line("end", 0.1)
    assert machine.function_instructions()["loop"] == 31 + 2 * (3001 + 1501)
    stages = machine.stage_instructions()
    assert stages["loop"] == 31 + 2 * (3001 + 1501)
    assert stages["outer"] == machine.function_instructions()["outer"]
    assert sum(stages.values()) == sum(machine.function_instructions().values()) == machine.instructions
    assert machine.virtual_time_s * 160e6 >= machine.instructions


def test_interrupt_handlers_are_a_stage_of_their_own() -> None:
    body = "every(1000); interrupts_on(); for (volatile uint32_t i = 0; ticks < 50; i++) {}"
    machine = Machine(program(f'int main(void) {{ {body} text("end\\n"); for (;;) wait(); }}'))
    machine.run_until_line("end", 1.0)
    handler = sum(n for name, n in machine.function_instructions().items() if name in ("trap", "trap_entry", "vectors"))
    # The jump in the vector table has no function symbol of its own in every linker; it is one instruction an alarm.
    assert machine.stage_instructions()["interrupts"] == pytest.approx(handler, abs=51)
    assert machine.stage_instructions()["interrupts"] > 50 * 30


def test_uart1_receives_with_interrupts() -> None:
    trap = TRAP.replace(
        "    line(",
        """    if (cause == 0x8000000Du) {
        while (REG(UART1 + 0x1C) & 0x3FF) REG(UART1) = REG(UART1) ^ 0x20;
        REG(UART1 + 0x10) = 1; return epc;
    }
    line(""",
    )
    main = """int main(void) {
        route(UART1_SOURCE, 13, 3); REG(UART1 + 0x24) = 0; REG(UART1 + 0x0C) = 1; interrupts_on();
        text("ready\\n"); for (;;) wait();
    }"""
    machine = Machine(program(main, trap=trap))
    machine.run_until_line("ready", 0.1)
    machine.write_uart(1, b"Hello")
    machine.run(0.1)
    assert machine.uart_output(1) == b"hELLO"


def test_uart_sends_with_the_interrupt_of_an_emptying_fifo() -> None:
    trap = """
    volatile uint32_t ticks; static uint32_t next;
    uint32_t trap(uint32_t cause, uint32_t epc) {
        (void)cause; ticks++;
        while (next < 300 && (REG(UART1 + 0x1C) >> 16 & 0x3FF) < 100) REG(UART1) = next++;
        if (next == 300) REG(UART1 + 0x0C) = 1u << 14;
        REG(UART1 + 0x10) = 1u << 14 | 2;
        return epc;
    }"""
    main = """int main(void) {
        REG(UART1 + 0x24) = 20u << 9; route(UART1_SOURCE, 13, 3); REG(UART1 + 0x0C) = 2; interrupts_on(); for (;;) wait();
    }"""
    machine = Machine(program(main, trap=trap))
    machine.run(0.2)
    assert machine.uart_output(1) == bytes(n & 0xFF for n in range(300))
    # 100 bytes at first, 81 whenever 19 are left, and the interrupt of the last byte.
    assert int.from_bytes(machine.read_memory(machine.symbol("ticks"), 4), "little") == 1 + 3 + 1


def test_text_reaches_the_firmware_and_what_it_leaves_overflows() -> None:
    main = """int main(void) {
        text("ready\\n");
        every(500000); interrupts_on(); wait();
        line("raw", REG(UART0 + 0x04) & 0x11); line("held", REG(UART0 + 0x1C) & 0x3FF);
        uint32_t sum = 0; while (REG(UART0 + 0x1C) & 0x3FF) sum += REG(UART0) & 0xFF;
        line("sum", sum); for (;;) wait();
    }"""
    machine = Machine(program(main))
    machine.run_until_line("ready", 0.1)
    machine.write_uart(0, bytes(range(200)))
    assert machine.run_until_line("raw", 1.0) == "raw 00000011"  # full, and overflown
    assert machine.run_until_line("held", 1.0) == f"held {128:08x}"
    assert machine.run_until_line("sum", 1.0) == f"sum {sum(range(128)):08x}"


def test_pins_go_out_and_come_in() -> None:
    main = """int main(void) {
        REG(GPIO + 0x24) = 1u << 5; REG(GPIO + 0x08) = 1u << 5; line("in", REG(GPIO + 0x3C) & (1u << 4));
        REG(GPIO + 0x0C) = 1u << 5; text("low\\n"); for (;;) wait();
    }"""
    machine = Machine(program(main))
    machine.drive_pin(4, False)
    assert machine.run_until_line("in", 0.1) == "in 00000000"
    machine.run_until_line("low", 0.1)
    assert machine.pin(5) is False
    assert machine.pin(6) is True  # pulled up


def test_reset_button_starts_anew_and_keeps_ram() -> None:
    main = """static uint32_t *const kept = (uint32_t *)0x3FCDF000;
    int main(void) { line("boot", *kept); *kept = *kept + 1; for (;;) wait(); }"""
    machine = Machine(program(main))
    assert machine.run_until_line("boot", 0.1) == "boot a5a5a5a5"  # RAM is not zero after power-on
    machine.reset()
    assert machine.run_until_line("boot", 0.1) == "boot a5a5a5a6"
    assert [cause.name for _, cause in machine.resets] == ["POWER_ON"]


def test_memory_can_be_read_and_bits_flipped() -> None:
    main = """volatile uint32_t word = 0x12345678;
    __attribute__((noinline, naked)) uint32_t seven(void) { __asm__ volatile("li a0, 7\\n ret"); }
    int main(void) { text("ready\\n"); for (;;) { wait(); line("word", word); line("code", seven()); } }"""
    machine = Machine(
        program("volatile uint32_t go;" + main.replace("wait();", "every(1000); interrupts_on(); wait();"))
    )
    machine.run_until_line("code 00000007", 0.1)
    address = machine.symbol("word")
    assert machine.read_memory(address, 4) == bytes.fromhex("78563412")
    machine.flip_bit(address, 3)
    machine.run_until_line("word 12345670", 0.1)
    # li a0, 7 is c.li (0x451d) with the immediate's lowest bits from bit 2 on: 7 becomes 3.
    code = machine.symbol("seven")
    assert machine.read_memory(code, 2) == bytes.fromhex("1d45")
    machine.flip_bit(code, 4)
    machine.run_until_line("code 00000003", 0.1)


def test_a_line_that_never_comes_says_so() -> None:
    machine = Machine(program(HELLO))
    with pytest.raises(MachineError, match=r"no line with 'bye' on UART0 within 0\.2 s .*last line: from"):
        machine.run_until_line("bye", 0.2)


def test_wrong_files_and_wiring_are_one_line_errors(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot be read"):
        Machine(tmp_path / "none.elf")
    text = tmp_path / "text.elf"
    text.write_text("hello")
    with pytest.raises(MachineError, match="not an ELF"):
        Machine(text)
    with pytest.raises(ParameterError, match="chip select 0 is taken"):
        Machine(program(HELLO), [Sensor(ramp(), line=0), Sensor(ramp(), line=0)])
    with pytest.raises(MachineError, match="no function 'nothing' for stage 'x'"):
        Machine(program(HELLO), stages={"x": ["nothing"]})
