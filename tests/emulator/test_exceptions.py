"""Exceptions come to the program as the RISC-V privileged specification has it: mcause, mepc, mtval, mstatus, vector 0."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from emulator.errors import MachineError
from emulator.machine import Machine
from tests.emulator.programs import program

TRAP = """
volatile uint32_t ticks, back;
uint32_t trap(uint32_t cause, uint32_t epc) {
    uint32_t value, status;
    if (cause == 0x80000007u) { REG(SYSTIMER + 0x6C) = 1; ticks++; return epc; }
    __asm__ volatile("csrr %0, mtval\\n csrr %1, mstatus" : "=r"(value), "=r"(status));
    line("cause", cause); line("epc", epc); line("value", value); line("status", status);
    return cause == 1 ? back : epc + ((*(volatile uint16_t *)epc & 3) == 3 ? 4 : 2);
}
"""
"""Tells all, and goes on behind the instruction; after a jump to nowhere at `back`."""
MIE, MPIE, MPP = 1 << 3, 1 << 7, 3 << 11

# What `bad` does: cause, offset of the instruction in it (None: of the target of a jump), mtval.
BAD: dict[str, tuple[int, int | None, int]] = {
    "ecall": (11, 0, 0),
    "ebreak": (3, 0, 0),
    ".option norvc; ebreak": (3, 0, 0),
    ".half 0": (2, 0, 0),
    "nop; .word 0x00052007": (2, 2, 0x00052007),  # flw
    ".word 0xFFFFFFFF": (2, 0, 0xFFFFFFFF),
    "li a1, 0x10; lw a2, 0(a1)": (5, 2, 0x10),
    "lui a1, 0x20000; addi a2, a1, 5; lbu a2, 3(a1)": (5, 8, 0x20000003),
    "lui a1, 0x20000; c.sw a1, 4(a1)": (7, 4, 0x20000004),
    "lui a1, 0x20000; li a2, 7; sh a2, -2(a1)": (7, 6, 0x1FFFFFFE),
    "lui a1, 0x3FD00; lw a2, 0(a1)": (5, 4, 0x3FD00000),  # behind the SRAM
    "sw ra, back, a0; lui a1, 0x20000; jr a1": (1, None, 0x20000000),
    "sw ra, back, a0; lui a1, 0x3FC90; jr a1": (1, None, 0x3FC90000),  # SRAM, by the bus of data
}


def main_of(bad: str) -> str:
    return f"""
    __attribute__((noinline, naked)) void bad(void);
    void bad(void) {{ __asm__ volatile("{bad}\\n ret"); }}
    int main(void) {{
        interrupts_on(); bad(); text("on\\n"); every(1000); wait(); line("ticks", ticks); for (;;) wait();
    }}"""


@pytest.mark.parametrize("hook", ["native", "python"])
@pytest.mark.parametrize("bad", BAD)
def test_the_program_is_told_and_may_go_on(bad: str, hook: Any) -> None:
    cause, offset, value = BAD[bad]
    machine = Machine(program(main_of(bad), trap=TRAP), hook=hook)
    machine.run_until_line("ticks", 0.1)
    said = dict(re.findall(r"(\w+) ([0-9a-f]{8})", machine.uart_output().decode()))
    start = machine.symbol("bad")
    pc = value if offset is None else start + offset
    assert [int(said[name], 16) for name in ("cause", "epc", "value")] == [cause, pc, value]
    assert int(said["status"], 16) & (MIE | MPIE | MPP) == MPIE | MPP
    assert int(said["ticks"], 16) == 1  # interrupts are on again
    (taken,) = machine.exceptions
    assert (taken.cause, taken.pc, taken.value) == (cause, pc, value)
    assert "(bad+" in taken.text or offset is None


def test_the_place_is_the_instruction_whose_address_it_is() -> None:
    """Two accesses of a block have the same base register; the second is the wrong one."""
    bad = "lui a1, 0x3FCA0; lw a2, 0(a1); lui a1, 0x20000; lw a2, 0(a1); lw a3, 4(a1)"
    machine = Machine(program(main_of(bad), trap=TRAP))
    machine.run_until_line("on", 0.1)
    assert [taken.pc - machine.symbol("bad") for taken in machine.exceptions] == [10, 12]


def test_before_there_is_a_handler_it_is_an_error() -> None:
    main = 'int main(void) { __asm__ volatile("csrw mtvec, zero\\n .half 0"); for (;;) wait(); }'
    with pytest.raises(MachineError, match=r"^no handler for: illegal instruction 0x0; at .*\(main"):
        Machine(program(main, trap=TRAP)).run(0.01)


@pytest.mark.parametrize("wrong", ["lui sp, 0x20000", "lui a1, 0x40380; sw zero, 0(a1); fence.i"], ids=["sp", "vector"])
def test_a_handler_that_cannot_run_is_an_error(wrong: str) -> None:
    """Of the test programs: no stack that it could use; its vector an illegal instruction."""
    main = f"""int main(void) {{ __asm__ volatile("{wrong}\\n .half 0"); for (;;) wait(); }}"""
    machine = Machine(program(main.replace("0x40380", "0x3FC80"), trap=TRAP))
    with pytest.raises(MachineError, match="no handler for"):
        machine.run(0.1)
