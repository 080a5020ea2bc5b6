"""The little of RV32IMC that the emulator decodes itself: lengths, refused instructions, loads and stores."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator


def instruction_lengths(code: bytes) -> Iterator[int]:
    """Lengths of the instructions of a block: 2 or 4 bytes."""
    at = 0
    while at < len(code):
        length = 4 if code[at] & 3 == 3 else 2
        yield length
        at += length


def is_refused(word: int, allowed_csrs: Container[int]) -> bool:
    """Atomics, and control registers that the C3 has not: Unicorn would run them.

    Args:
        word: a 32-bit instruction.
        allowed_csrs: numbers of the control registers there are.
    """
    if word & 0x7F == 0x2F:
        return True
    if word & 0x7F == 0x73 and word >> 12 & 3:
        return word >> 20 not in allowed_csrs
    return False


def faulting_instruction(
    code: bytes, pc: int, address: int, register: Callable[[int], int], *, store: bool
) -> int | None:
    """Address of the load or store in a block that accesses `address`, by its base register's present value.

    Args:
        code: the block.
        pc: its address.
        address: what is accessed.
        register: value of x0 to x31.
        store: whether it is a store.

    Returns:
        The first that fits; None: none does.
    """
    at = 0
    for length in instruction_lengths(code):
        word = int.from_bytes(code[at : at + length], "little")
        operand = _memory_operand(word, length)
        if operand is not None:
            is_store, base, offset = operand
            if is_store == store and (register(base) + offset) & 0xFFFFFFFF == address:
                return pc + at
        at += length
    return None


def _memory_operand(word: int, length: int) -> tuple[bool, int, int] | None:
    """(is a store, base register, offset) of a load or store; None for any other instruction."""
    if length == 4:
        base = word >> 15 & 31
        if word & 0x7F == 0x03:
            return False, base, _signed(word >> 20, 12)
        if word & 0x7F == 0x23:
            return True, base, _signed(word >> 25 << 5 | word >> 7 & 31, 12)
        return None
    kind = (word >> 13, word & 3)
    if kind in ((2, 0), (6, 0)):  # c.lw, c.sw
        return kind[0] == 6, 8 + (word >> 7 & 7), (word >> 10 & 7) << 3 | (word >> 6 & 1) << 2 | (word >> 5 & 1) << 6
    if kind == (2, 2):  # c.lwsp
        return False, 2, (word >> 12 & 1) << 5 | (word >> 4 & 7) << 2 | (word >> 2 & 3) << 6
    if kind == (6, 2):  # c.swsp
        return True, 2, (word >> 9 & 15) << 2 | (word >> 7 & 3) << 6
    return None


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
