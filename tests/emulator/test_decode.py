"""Loads and stores found by decoding, against the encodings of the RISC-V manual, volume I."""

import pytest

from emulator.decode import faulting_instruction, instruction_lengths, is_refused

REGISTERS = [0, 0x40380100, 0x3FCE0000, *(0x60000000 + 0x100 * n for n in range(3, 32))]


def test_lengths_of_compressed_and_full_instructions() -> None:
    # c.nop, addi x0, x0, 0, c.nop
    assert list(instruction_lengths(bytes.fromhex("0100130000000100"))) == [2, 4, 2]


@pytest.mark.parametrize(
    ("word", "store", "address"),
    [
        ("83a20000", False, REGISTERS[1]),  # lw x5, 0(x1)
        ("83a2c0ff", False, REGISTERS[1] - 4),  # lw x5, -4(x1)
        ("83c23106", False, REGISTERS[3] + 99),  # lbu x5, 99(x3)
        ("23ae5efe", True, REGISTERS[29] - 4),  # sw x5, -4(x29)
        ("23945e06", True, REGISTERS[29] + 0x68),  # sh x5, 0x68(x29)
        ("0c41", False, REGISTERS[10] + 0),  # c.lw a1, 0(a0)
        ("4c41", False, REGISTERS[10] + 4),  # c.lw a1, 4(a0)
        ("0cdd", True, REGISTERS[10] + 0x38),  # c.sw a1, 56(a0)
        ("b242", False, REGISTERS[2] + 12),  # c.lwsp t0, 12(sp)
        ("16c6", True, REGISTERS[2] + 12),  # c.swsp t0, 12(sp)
    ],
)
def test_the_instruction_that_accesses_an_address(word: str, store: bool, address: int) -> None:
    code = bytes.fromhex("0100" + word)
    assert faulting_instruction(code, 0x100, address, REGISTERS.__getitem__, store=store) == 0x102
    assert faulting_instruction(code, 0x100, address, REGISTERS.__getitem__, store=not store) is None
    assert faulting_instruction(code, 0x100, address + 4, REGISTERS.__getitem__, store=store) is None


def test_refused_are_atomics_and_registers_the_chip_has_not() -> None:
    assert is_refused(0x0005252F, ())  # amoadd.w
    assert is_refused(0xB0002573, (0x300,))  # csrr a0, mcycle
    assert not is_refused(0x30002573, (0x300,))  # csrr a0, mstatus
    assert not is_refused(0x00000073, ())  # ecall
    assert not is_refused(0x30200073, ())  # mret
    assert not is_refused(0x00A50533, ())  # add
