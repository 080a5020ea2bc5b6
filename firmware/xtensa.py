"""Xtensa machine code, read as far as it takes to say which instructions, calls and stack frames there are.

Encodings: Xtensa Instruction Set Architecture (ISA) Reference Manual, chapter "Instruction formats and opcodes": the low four
bits of an instruction say whether it is one of two bytes (8 to 13) or of three.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from firmware.errors import FirmwareError

Foreign = Literal["windowed", "floating point", "loop", "mac16", "boolean"]
_SP = 1


@dataclass(frozen=True)
class Instruction:
    """One instruction: its address, its bits, its size in bytes."""

    pc: int
    word: int
    size: int

    def bits(self, high: int, low: int) -> int:
        """A field."""
        return self.word >> low & (1 << high - low + 1) - 1

    @property
    def op0(self) -> int:
        """The major opcode."""
        return self.word & 15


def instructions(code: bytes, base: int) -> Iterator[Instruction]:
    """One after the other, from the first byte on: there may be nothing but instructions in `code`."""
    at = 0
    while at < len(code):
        size = 2 if code[at] & 15 in range(8, 14) else 3
        yield Instruction(base + at, int.from_bytes(code[at : at + size], "little"), size)
        at += size


def foreign(one: Instruction) -> Foreign | None:
    """What kind an instruction is that a call0 image for a core without FPU, loops, MAC16 and booleans must not hold."""
    op0, n, m, r = one.op0, one.bits(5, 4), one.bits(7, 6), one.bits(15, 12)
    op1, op2 = (one.bits(19, 16), one.bits(23, 20)) if one.size == 3 else (0, 0)
    if op0 == 5 and n:  # call4, call8, call12
        return "windowed"
    if op0 == 6 and n == 3 and m == 0:  # entry
        return "windowed"
    if op0 == 6 and n == 3 and m == 1 and r >= 8:
        return "loop"
    if op0 == 6 and n == 3 and m == 1 and r < 2:  # bf, bt
        return "boolean"
    if op0 == 13 and r == 15 and one.bits(7, 4) == 1:  # retw.n
        return "windowed"
    if op0 == 3 or (op0 == 0 and op1 in (8, 10, 11, 14)):
        return "floating point"
    if op0 == 4:
        return "mac16"
    if op0 == 0 and op1 == 9:  # l32e, s32e
        return "windowed"
    if (op0 == 0 and op1 == 2 and op2 < 5) or (op0 == 0 and op1 == 3 and op2 in (12, 13)):  # andb ..., movf, movt
        return "boolean"
    if op0 == 0 and op1 == 0 and op2 == 0:
        if r == 0 and ((m == 2 and n == 1) or (m == 3 and n)):  # retw, callx4, callx8, callx12
            return "windowed"
        if r == 1:  # movsp
            return "windowed"
        if r == 3 and m == 0 and n == 0 and one.bits(11, 8) in (4, 5):  # rfwo, rfwu
            return "windowed"
        if r in (8, 9, 10, 11):  # any4, all4, any8, all8
            return "boolean"
    if op0 == 0 and op1 == 0 and op2 == 4 and r == 8:  # rotw
        return "windowed"
    return None


@dataclass
class Reader:
    """Follows a function from its start to its end: what it takes from the stack, where it jumps.

    Args:
        memory: literals by address, as `l32r` reads them.
    """

    memory: Mapping[int, int]
    _known: dict[int, int] = field(default_factory=dict)
    _below_sp: dict[int, int] = field(default_factory=dict)
    _saved: dict[int, int] = field(default_factory=dict)
    """Constants in registers; how far below the stack pointer others point; constants on the stack, by offset."""

    def step(self, one: Instruction) -> tuple[int, int | None, bool, bool]:
        """One instruction further.

        Returns:
            Bytes it takes from the stack pointer; where it jumps to if that is known; whether it is a call; whether it is a
            call of an address that is not known.

        Raises:
            FirmwareError: the stack pointer gets a value that is not known.
        """
        taken, target, calls, blind = 0, None, False, False
        if one.op0 == 5:  # call0
            target, calls = (one.pc & ~3) + 4 * _signed(one.bits(23, 6), 18) + 4, True
        elif one.op0 == 6 and one.bits(5, 4) == 0:  # j
            target = one.pc + 4 + _signed(one.bits(23, 6), 18)
        elif one.size == 3 and one.word & 0xFFF0FF == 0x0000C0:  # callx0
            target, calls = self._known.get(one.bits(11, 8)), True
            blind = target is None
        elif one.size == 3 and one.word & 0xFFF0FF == 0x0000A0:  # jx
            target = self._known.get(one.bits(11, 8))
        else:
            taken = self._arithmetic(one)
        if calls:  # a2 to a11 are the callee's
            self._known = {register: value for register, value in self._known.items() if register > 11}
        return taken, target, calls, blind

    def _arithmetic(self, one: Instruction) -> int:
        """Keep track of constants and of copies of the stack pointer; bytes taken from it."""
        written, source, value, below = _written(one), one.bits(11, 8), None, None
        t = one.bits(7, 4)
        if one.op0 == 1:  # l32r
            value = self.memory.get((one.pc + 3 & ~3) + 4 * (one.bits(23, 8) - 0x10000))
        elif (one.op0 in (8, 9) and source == _SP) or (one.op0 == 2 and one.bits(15, 12) in (2, 6) and source == _SP):
            at = 4 * (one.bits(15, 12) if one.op0 > 2 else one.bits(23, 16))
            if one.op0 == 8 or (one.op0 == 2 and one.bits(15, 12) == 2):  # l32i
                value = self._saved.get(at)
            elif t in self._known:  # s32i
                self._saved[at] = self._known[t]
            else:
                self._saved.pop(at, None)
        elif one.op0 == 12 and not t & 8:  # movi.n
            seven = t << 4 & 0x70 | one.bits(15, 12)
            written, value = source, seven - 128 if seven >= 96 else seven
        elif one.op0 == 2 and one.bits(15, 12) == 10:  # movi
            value = _signed(source << 8 | one.bits(23, 16), 12)
        elif one.op0 == 2 and one.bits(15, 12) in (12, 13):  # addi, addmi
            step = _signed(one.bits(23, 16), 8) << (8 if one.bits(15, 12) == 13 else 0)
            below = self._below(source, -step)
            value = self._known[source] + step if source in self._known else None
        elif one.op0 == 11:  # addi.n
            below = self._below(source, -(t or -1))
        elif (one.op0 == 13 and one.bits(15, 12) == 0) or (
            one.op0 == 0 and one.bits(19, 16) == 0 and one.bits(23, 20) == 2 and source == t
        ):  # mov.n
            below, value = self._below(source, 0), self._known.get(source)
        elif one.op0 == 0 and one.bits(19, 16) == 0 and one.bits(23, 20) == 12 and t in self._known:  # sub
            below = self._below(source, self._known[t])
        elif one.op0 == 10 or (one.op0 == 0 and one.bits(19, 16) == 0 and one.bits(23, 20) == 8):  # add.n, add
            for base, more in ((source, t), (t, source)):
                if more in self._known:
                    below = self._below(base, -self._known[more])
        if written is None:
            return 0
        if written == _SP and below is None and value is None:
            raise FirmwareError(
                f"{one.pc:#x}: the stack pointer changes in a way that firmware/xtensa.py does not follow"
            )
        self._known.pop(written, None)
        self._below_sp.pop(written, None)
        if written == _SP:
            return max(0, below or 0)
        if value is not None:
            self._known[written] = value
        if below is not None:
            self._below_sp[written] = below
        return 0

    def _below(self, register: int, more: int) -> int | None:
        if register == _SP:
            return more
        return self._below_sp[register] + more if register in self._below_sp else None


def _written(one: Instruction) -> int | None:
    """The register that an instruction changes; None for those that change none."""
    op0, r, s, t = one.op0, one.bits(15, 12), one.bits(11, 8), one.bits(7, 4)
    if op0 == 1 or op0 == 8:  # l32r, l32i.n
        return t
    if op0 in (10, 11):  # add.n, addi.n
        return r
    if op0 == 12:  # movi.n; beqz.n, bnez.n
        return s if not t & 8 else None
    if op0 == 13:  # mov.n; the rest returns
        return t if r == 0 else None
    if op0 == 2:  # loads, movi, addi, addmi; r 4 to 7 are stores and the like
        return t if r in (0, 1, 2, 9, 10, 12, 13) else None
    if op0 == 0:
        op1, op2 = one.bits(19, 16), one.bits(23, 20)
        if op1 == 3 and op2 in (0, 1):  # rsr, wsr
            return t if op2 == 0 else None
        if op1 == 0 and op2 in (0, 4):  # returns, waits, shift amounts; rsil and nsa
            return t if (op2 == 0 and r == 6) or (op2 == 4 and r >= 14) else None
        return r
    return None


def _signed(value: int, bits: int) -> int:
    return (value & (1 << bits) - 1) - ((value >> bits - 1 & 1) << bits)
