"""What the processor refuses, and how it says so."""

from typing import Any

import pytest

from emulator.errors import MachineError
from emulator.machine import Machine
from tests.emulator.programs import program

WRONG = {
    "*(volatile uint32_t *)0x3FF00000 = 1;": r"4-byte write at 0x3ff00000, where nothing is modelled",
    "(void)*(volatile uint8_t *)0x3C000010;": r"1-byte read at 0x3c000010, where nothing is modelled",
    "((void (*)(void))0x40000000)();": r"jump to 0x40000000, where there is no code",
    "(void)REG(0x60040000);": r"4-byte read at 0x60040000, where nothing is modelled",
    "REG(SPI2 + 0x300) = 1;": r"SPI2: register at offset 0x300 is not modelled \(0x1 written\)",
    "(void)REG(TIMG0 + 0x04);": r"TIMG0: register at offset 0x4 is not modelled \(read\)",
    "*(volatile uint8_t *)(SPI2 + 0x98) = 1;": r"SPI2: 1-byte access at 0x60024098; registers are accessed in whole",
    "REG(UART0 + 0x20) = 1u << 14;": r"UART0.CONF0: bits 0x4000 are not modelled",
    "REG(SYSTIMER + 0x40) = 1;": r"SYSTIMER.UNIT0_VALUE_HI cannot be written",
    '__asm__ volatile("csrr t0, mcycle");': r"control register that the ESP32-C3 has not",
    '__asm__ volatile("csrw mie, t0");': r"control register that the ESP32-C3 has not",
    '__asm__ volatile(".word 0x0005252f");': r"an instruction .* that the ESP32-C3 has not",  # amoadd.w
}


@pytest.mark.parametrize("hook", ["native", "python"])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_modelled_is_an_error_with_its_place(wrong: str, hook: Any) -> None:
    main = (
        f'__attribute__((noinline)) void bad(void) {{ {wrong} }} int main(void) {{ bad(); text("on\\n"); for (;;); }}'
    )
    machine = Machine(program(main), hook=hook)
    with pytest.raises(MachineError, match=WRONG[wrong]) as caught:
        machine.run(0.01)
    message = str(caught.value)
    assert "\n" not in message
    where = message.split("; at ")[1]
    assert "(bad+" in where or "called from" in where
    assert "(bad+" in where.split(", called")[0] or "jump" in message


def test_the_place_is_the_very_instruction() -> None:
    main = """__attribute__((noinline, naked)) void bad(void);
    void bad(void) { __asm__ volatile("lui a1, 0x60024\\n sw zero, 0x98(a1)\\n sw zero, 0x300(a1)\\n sw zero, 4(a1)\\n ret"); }
    int main(void) { bad(); for (;;); }"""
    machine = Machine(program(main))
    with pytest.raises(MachineError, match=r"\(bad\+0x8\), called from .*\(main\+"):
        machine.run(0.01)


def test_a_machine_that_failed_stays_failed_until_a_reset() -> None:
    main = """int main(void) {
        uint32_t *kept = (uint32_t *)0x3FCDF000;
        if ((*kept)++ == 0xA5A5A5A5u) REG(SPI2 + 0x300) = 1;
        text("second time\\n"); for (;;) wait();
    }"""
    machine = Machine(program(main))
    for _ in range(2):
        with pytest.raises(MachineError, match="0x300 is not modelled"):
            machine.run(0.01)
    machine.reset()
    assert machine.run_until_line("second time", 0.1)


def test_constants_in_flash_cannot_be_written() -> None:
    main = 'int main(void) { text("constant\\n"); REG(0x3C100000) = 1; for (;;); }'
    with pytest.raises(MachineError, match="4-byte write at 0x3c100000, which is read-only"):
        Machine(program(main, layout="flash.ld")).run(0.01)


def test_interrupt_before_the_vectors_are_set() -> None:
    main = 'int main(void) { __asm__ volatile("csrw mtvec, zero"); every(100); interrupts_on(); for (;;); }'
    with pytest.raises(MachineError, match="interrupt line 7 taken before mtvec was set"):
        Machine(program(main)).run(0.01)


def test_espressifs_cycle_counter_counts_virtual_cycles() -> None:
    main = """static inline uint32_t cycles(void) { uint32_t n; __asm__ volatile("csrr %0, 0x7E2" : "=r"(n)); return n; }
    int main(void) {
        __asm__ volatile("csrwi 0x7E0, 1\\n csrwi 0x7E1, 1\\n csrwi 0x7E2, 0");
        every(1000); interrupts_on();
        uint32_t before = cycles(); wait(); line("cycles", cycles() - before); for (;;) wait();
    }"""
    said = Machine(program(main)).run_until_line("cycles", 0.1)
    # One period of the timer less what was executed before; the handler's instructions come on top.
    assert int(said.split()[1], 16) == pytest.approx(160_000, abs=300)


def test_the_higher_priority_goes_first_and_the_threshold_holds_back() -> None:
    trap = """
    volatile uint32_t ticks;
    uint32_t trap(uint32_t cause, uint32_t epc) {
        line("line", cause & 31);
        REG(0x600C0028u + 4 * ((cause & 31) - 20)) = 0;
        return epc;
    }"""
    main = """int main(void) {
        for (uint32_t n = 0; n < 4; n++) route(FROM_CPU_SOURCE + n, 20 + n, 3 + (n == 2) * 4 - (n == 1) * 2);
        REG(INTERRUPTS + 0x194) = 3;
        for (uint32_t n = 0; n < 4; n++) REG(0x600C0028u + 4 * n) = 1;
        line("waiting", REG(INTERRUPTS + 0x110) >> 20);
        interrupts_on(); text("on\\n"); REG(INTERRUPTS + 0x194) = 1; text("end\\n"); for (;;) wait();
    }"""
    machine = Machine(program(main, trap=trap))
    machine.run_until_line("end", 0.1)
    lines = machine.uart_output().decode().split("\n")
    assert lines[:5] == [f"waiting {15:08x}", f"line {22:08x}", f"line {20:08x}", f"line {23:08x}", "on"]
    assert f"line {21:08x}" in lines[5:]


def test_an_edge_is_kept_until_it_is_cleared() -> None:
    trap = """
    volatile uint32_t ticks;
    uint32_t trap(uint32_t cause, uint32_t epc) {
        ticks++; REG(INTERRUPTS + 0x10C) = 1u << (cause & 31); return epc;
    }"""
    main = """int main(void) {
        route(FROM_CPU_SOURCE, 9, 5); REG(INTERRUPTS + 0x108) = 1u << 9; interrupts_on();
        for (uint32_t i = 0; i < 3; i++) { REG(0x600C0028u) = 1; REG(0x600C0028u) = 0; while (ticks == i) {} }
        REG(0x600C0028u) = 1;  /* it stays high: one edge only */
        for (volatile uint32_t i = 0; i < 100; i++) {}
        line("edges", ticks); for (;;) wait();
    }"""
    assert Machine(program(main, trap=trap)).run_until_line("edges", 0.1) == f"edges {4:08x}"


def test_one_shot_alarm_at_a_value_of_the_counter() -> None:
    main = """int main(void) {
        route(SYSTIMER_SOURCE, 7, 5);
        uint64_t at = now() + 16000; REG(SYSTIMER + 0x1C) = (uint32_t)(at >> 32); REG(SYSTIMER + 0x20) = (uint32_t)at;
        REG(SYSTIMER + 0x34) = 0; REG(SYSTIMER + 0x50) = 1; REG(SYSTIMER + 0x64) = 1; REG(SYSTIMER) |= 1u << 24;
        interrupts_on(); wait(); line("late", (uint32_t)(now() - at));
        every(0xFFFF); line("ticks", ticks); for (;;) wait();
    }"""
    machine = Machine(program(main))
    assert int(machine.run_until_line("late", 0.1).split()[1], 16) < 20  # 16 MHz ticks: the handler's entry and exit
    assert machine.run_until_line("ticks", 0.1) == f"ticks {1:08x}"
