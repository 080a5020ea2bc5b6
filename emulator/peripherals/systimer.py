"""System timer (TRM chapter 10): two 52-bit counters at 16 MHz, three comparators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from emulator.clock import CPU_HZ, Clock
from emulator.peripherals.base import Interrupt, Peripheral, Register

HZ = 16_000_000
_CYCLES = CPU_HZ // HZ
_MASK = (1 << 52) - 1
_UPDATE, _VALID = 1 << 30, 1 << 29
_PERIOD_MODE, _UNIT_SEL = 1 << 30, 1 << 31


class _Unit:
    """A counter: stands at `held` while off, at `(now // _CYCLES) - started` while on."""

    def __init__(self, running: bool) -> None:
        self.running, self.held, self.started = running, 0, 0
        self.snapshot = 0

    def value(self, now: int) -> int:
        return (now // _CYCLES - self.started) & _MASK if self.running else self.held

    def run(self, running: bool, now: int) -> None:
        if running != self.running:
            self.held = self.value(now)
            self.running = running
            self.load(self.held, now)

    def load(self, value: int, now: int) -> None:
        self.held, self.started = value, now // _CYCLES - value


class _Comparator:
    def __init__(self) -> None:
        self.enabled = False
        self.due: int | None = None
        """The counter's value at which it fires next."""


class SystemTimer(Peripheral):
    """Alarms at a value or with a period.

    Args:
        clock: virtual time.
        interrupts: of the three comparators.
    """

    REGISTERS: ClassVar = (
        {
            0x00: Register("CONF", 0x46000000, refused=0x1),
            0x04: Register("UNIT0_OP"),
            0x08: Register("UNIT1_OP"),
            0x5C: Register("UNIT0_LOAD"),
            0x60: Register("UNIT1_LOAD"),
            0x64: Register("INT_ENA"),
            0x68: Register("INT_RAW", read_only=True),
            0x6C: Register("INT_CLR"),
            0x70: Register("INT_ST", read_only=True),
            0xFC: Register("DATE", 0x02006171, read_only=True),
        }
        | {0x0C + 8 * unit: Register(f"UNIT{unit}_LOAD_HI") for unit in range(2)}
        | {0x10 + 8 * unit: Register(f"UNIT{unit}_LOAD_LO") for unit in range(2)}
        | {0x40 + 8 * unit: Register(f"UNIT{unit}_VALUE_HI", read_only=True) for unit in range(2)}
        | {0x44 + 8 * unit: Register(f"UNIT{unit}_VALUE_LO", read_only=True) for unit in range(2)}
        | {0x1C + 8 * n: Register(f"TARGET{n}_HI") for n in range(3)}
        | {0x20 + 8 * n: Register(f"TARGET{n}_LO") for n in range(3)}
        | {0x34 + 4 * n: Register(f"TARGET{n}_CONF") for n in range(3)}
        | {0x50 + 4 * n: Register(f"COMP{n}_LOAD") for n in range(3)}
    )

    def __init__(self, clock: Clock, interrupts: Sequence[Interrupt]) -> None:
        self._interrupts = interrupts
        super().__init__("SYSTIMER", 0x60023000, clock)
        self.reset()

    def reset(self) -> None:
        """Both counters at zero, unit 0 runs, no alarm."""
        self.clear()
        self._units = [_Unit(True), _Unit(False)]
        self._units[0].load(0, self.clock.now)
        self._comparators = [_Comparator() for _ in range(3)]
        self._raw = 0
        self._signal()

    def advance(self, now: int) -> None:
        """Fire the comparators that are due."""
        for n, comparator in enumerate(self._comparators):
            if comparator.due is None:
                continue
            value = self._unit(n).value(now)
            if value < comparator.due:
                continue
            self._raw |= 1 << n
            period = self._period(n)
            comparator.due += period * ((value - comparator.due) // period + 1) if period else 0
            if not period:
                comparator.due = None
        self._signal()

    def next_event(self) -> int | None:
        """Cycles of the next alarm."""
        return min((at for n in range(3) if (at := self._due_cycles(n)) is not None), default=None)

    def _due_cycles(self, n: int) -> int | None:
        due, unit = self._comparators[n].due, self._unit(n)
        return None if due is None or not unit.running else (due + unit.started) * _CYCLES

    def _unit(self, n: int) -> _Unit:
        return self._units[1 if self.values[0x34 + 4 * n] & _UNIT_SEL else 0]

    def _period(self, n: int) -> int:
        """Ticks; 0: not in period mode."""
        conf = self.values[0x34 + 4 * n]
        return conf & 0x3FFFFFF if conf & _PERIOD_MODE else 0

    def _arm(self, n: int) -> None:
        comparator, now = self._comparators[n], self.clock.now
        comparator.due = None
        if comparator.enabled:
            if self.values[0x34 + 4 * n] & _PERIOD_MODE:
                period = self._period(n)
                comparator.due = self._unit(n).value(now) + period if period else None
            else:
                comparator.due = self.values[0x1C + 8 * n] & 0xFFFFF
                comparator.due = comparator.due << 32 | self.values[0x20 + 8 * n]
        self.clock.attention()

    def _signal(self) -> None:
        for n, interrupt in enumerate(self._interrupts):
            interrupt(bool(self._raw & self.values[0x64] & 1 << n))

    def write_conf(self, value: int) -> None:
        """CONF: which counters run and which comparators work."""
        self.values[0x00] = value
        now = self.clock.now
        for unit, bit in enumerate((30, 29)):
            self._units[unit].run(bool(value >> bit & 1), now)
        for n, comparator in enumerate(self._comparators):
            enabled = bool(value >> (24 - n) & 1)
            if enabled != comparator.enabled:
                comparator.enabled = enabled
                self._arm(n)
        self.clock.attention()

    def write_unit0_op(self, value: int) -> None:
        """UNIT0_OP: take the value."""
        self._snapshot(0, value)

    def write_unit1_op(self, value: int) -> None:
        """UNIT1_OP: take the value."""
        self._snapshot(1, value)

    def _snapshot(self, unit: int, value: int) -> None:
        if value & _UPDATE:
            self._units[unit].snapshot = self._units[unit].value(self.clock.now)

    def read_unit0_op(self) -> int:
        """UNIT0_OP: a value taken is valid at once."""
        return _VALID

    def read_unit1_op(self) -> int:
        """UNIT1_OP: a value taken is valid at once."""
        return _VALID

    def read_unit0_value_hi(self) -> int:
        """Bits 51 to 32 of the value taken."""
        return self._units[0].snapshot >> 32

    def read_unit0_value_lo(self) -> int:
        """Bits 31 to 0 of the value taken."""
        return self._units[0].snapshot & 0xFFFFFFFF

    def read_unit1_value_hi(self) -> int:
        """Bits 51 to 32 of the value taken."""
        return self._units[1].snapshot >> 32

    def read_unit1_value_lo(self) -> int:
        """Bits 31 to 0 of the value taken."""
        return self._units[1].snapshot & 0xFFFFFFFF

    def write_unit0_load(self, value: int) -> None:
        """UNIT0_LOAD: set the counter."""
        self._load(0, value)

    def write_unit1_load(self, value: int) -> None:
        """UNIT1_LOAD: set the counter."""
        self._load(1, value)

    def _load(self, unit: int, value: int) -> None:
        if value & 1:
            wanted = (self.values[0x0C + 8 * unit] & 0xFFFFF) << 32 | self.values[0x10 + 8 * unit]
            self._units[unit].load(wanted, self.clock.now)
            self.clock.attention()

    def write_comp0_load(self, value: int) -> None:
        """COMP0_LOAD: take over target and period."""
        self._arm(0)

    def write_comp1_load(self, value: int) -> None:
        """COMP1_LOAD: take over target and period."""
        self._arm(1)

    def write_comp2_load(self, value: int) -> None:
        """COMP2_LOAD: take over target and period."""
        self._arm(2)

    def write_int_ena(self, value: int) -> None:
        """INT_ENA."""
        self.values[0x64] = value & 7
        self.advance(self.clock.now)

    def write_int_clr(self, value: int) -> None:
        """INT_CLR: write 1 to clear."""
        self.advance(self.clock.now)
        self._raw &= ~value
        self._signal()

    def read_int_raw(self) -> int:
        """INT_RAW."""
        self.advance(self.clock.now)
        return self._raw

    def read_int_st(self) -> int:
        """INT_ST."""
        return self.read_int_raw() & self.values[0x64]
