"""Interrupt matrix (TRM chapter 8): 62 sources to 31 lines of the processor, with priority and threshold."""

from __future__ import annotations

from typing import ClassVar

from emulator.clock import Clock
from emulator.peripherals.base import Interrupt, Peripheral, Register

SOURCES = 62
LINES = 32

_STATUS_0, _STATUS_1 = 0xF8, 0xFC
_ENABLE, _TYPE, _CLEAR, _EIP, _PRIORITY, _THRESHOLD = 0x104, 0x108, 0x10C, 0x110, 0x114, 0x194


class InterruptMatrix(Peripheral):
    """A line is taken when it is enabled, its priority is not 0 and reaches the threshold; the highest first."""

    REGISTERS: ClassVar = (
        {4 * source: Register(f"MAP_{source}") for source in range(SOURCES)}
        | {
            _STATUS_0: Register("STATUS_0", read_only=True),
            _STATUS_1: Register("STATUS_1", read_only=True),
            0x100: Register("CLOCK_GATE", 1),
            _ENABLE: Register("ENABLE"),
            _TYPE: Register("TYPE"),
            _CLEAR: Register("CLEAR"),
            _EIP: Register("EIP_STATUS", read_only=True),
            _THRESHOLD: Register("THRESH"),
        }
        | {_PRIORITY + 4 * line: Register(f"PRI_{line}") for line in range(LINES)}
    )

    def __init__(self, clock: Clock) -> None:
        self._levels = 0
        self._latched = 0
        super().__init__("INTERRUPT_CORE0", 0x600C2000, clock)

    def clear(self) -> None:
        """All registers as after reset; the sources keep their levels."""
        super().clear()
        self._latched = 0
        self._update()

    def source(self, number: int) -> Interrupt:
        """Where a peripheral sets the level of its source."""
        bit = 1 << number

        def set_level(level: bool) -> None:
            before = self._levels
            self._levels = before | bit if level else before & ~bit
            if self._levels != before:
                if level:
                    self._latched |= 1 << (self.values[4 * number] & 31)
                self._update()

        return set_level

    def write(self, offset: int, value: int) -> None:
        """Write a register and see which line is first then."""
        super().write(offset, value)
        self._update()

    def write_clear(self, value: int) -> None:
        """CPU_INT_CLEAR: forget the edges."""
        self._latched &= ~value

    def read_status_0(self) -> int:
        """INTR_STATUS_REG_0: levels of sources 0 to 31."""
        return self._levels & 0xFFFFFFFF

    def read_status_1(self) -> int:
        """INTR_STATUS_REG_1: levels of sources 32 to 61."""
        return self._levels >> 32

    def read_eip_status(self) -> int:
        """CPU_INT_EIP_STATUS: lines that wait."""
        return self._waiting()

    def _waiting(self) -> int:
        level, remaining, source = 0, self._levels, 0
        while remaining:
            source = (remaining & -remaining).bit_length() - 1
            remaining &= remaining - 1
            level |= 1 << (self.values[4 * source] & 31)
        edges = self.values[_TYPE]
        return ((level & ~edges) | (self._latched & edges)) & 0xFFFFFFFE

    def _update(self) -> None:
        waiting = self._waiting() & self.values[_ENABLE]
        best, best_priority = 0, 0
        threshold = self.values[_THRESHOLD] & 15
        while waiting:
            line = (waiting & -waiting).bit_length() - 1
            waiting &= waiting - 1
            priority = self.values[_PRIORITY + 4 * line] & 15
            if priority >= threshold and priority > best_priority:
                best, best_priority = line, priority
        self.clock.state.pending_line = best
