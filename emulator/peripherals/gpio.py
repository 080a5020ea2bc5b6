"""GPIO matrix and pins (TRM chapter 5): outputs drive chip selects and lamps, inputs are set from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from emulator.clock import Clock
from emulator.peripherals.base import Peripheral, Register

PINS = 22
_OUT, _ENABLE, _IN = 0x04, 0x20, 0x3C
_MASK = (1 << PINS) - 1

PinListener = Callable[[int, bool], None]
"""Called with the pin and its new level."""


class Gpio(Peripheral):
    """Pins as levels. A pin is high when its output is enabled and set; one not enabled is pulled up.

    The matrix' routing is stored, but signals do not follow it; interrupts of pins are not modelled.

    Args:
        clock: virtual time.
    """

    REGISTERS: ClassVar = (
        {
            _OUT: Register("OUT"),
            0x08: Register("OUT_W1TS"),
            0x0C: Register("OUT_W1TC"),
            _ENABLE: Register("ENABLE"),
            0x24: Register("ENABLE_W1TS"),
            0x28: Register("ENABLE_W1TC"),
            0x38: Register("STRAP", 0x8, read_only=True),
            _IN: Register("IN", read_only=True),
            0x44: Register("STATUS"),
            0x48: Register("STATUS_W1TS"),
            0x4C: Register("STATUS_W1TC"),
            0x62C: Register("CLOCK_GATE", 1),
            0x6FC: Register("DATE", 0x02006130, read_only=True),
        }
        | {0x74 + 4 * pin: Register(f"PIN{pin}", refused=0x7 << 7 | 0x1F << 13 | 1 << 10) for pin in range(26)}
        | {0x154 + 4 * signal: Register(f"FUNC{signal}_IN_SEL_CFG") for signal in range(128)}
        | {0x554 + 4 * pin: Register(f"FUNC{pin}_OUT_SEL_CFG", 0x80) for pin in range(26)}
    )

    def __init__(self, clock: Clock) -> None:
        self.listeners: list[PinListener] = []
        self._levels = _MASK
        self._inputs = _MASK
        super().__init__("GPIO", 0x60004000, clock)

    def reset(self) -> None:
        """No pin is an output."""
        self.clear()
        self._update()

    def level(self, pin: int) -> bool:
        """Level at a pin."""
        return bool(self._levels >> pin & 1)

    def drive(self, pin: int, level: bool) -> None:
        """Set the level that the world puts on a pin."""
        self._inputs = self._inputs | 1 << pin if level else self._inputs & ~(1 << pin)
        self._update()

    def _update(self) -> None:
        enable = self.values[_ENABLE]
        levels = (self.values[_OUT] & enable | self._inputs & ~enable) & _MASK
        changed = levels ^ self._levels
        self._levels = levels
        for pin in range(PINS):
            if changed >> pin & 1:
                for listener in self.listeners:
                    listener(pin, bool(levels >> pin & 1))

    def _set(self, offset: int, value: int) -> None:
        self.values[offset] = value & 0x3FFFFFF
        self._update()

    def read_in(self) -> int:
        """IN: levels of all pins."""
        return self._levels

    def write_out(self, value: int) -> None:
        """OUT."""
        self._set(_OUT, value)

    def write_out_w1ts(self, value: int) -> None:
        """OUT_W1TS: set bits."""
        self._set(_OUT, self.values[_OUT] | value)

    def write_out_w1tc(self, value: int) -> None:
        """OUT_W1TC: clear bits."""
        self._set(_OUT, self.values[_OUT] & ~value)

    def write_enable(self, value: int) -> None:
        """ENABLE."""
        self._set(_ENABLE, value)

    def write_enable_w1ts(self, value: int) -> None:
        """ENABLE_W1TS: set bits."""
        self._set(_ENABLE, self.values[_ENABLE] | value)

    def write_enable_w1tc(self, value: int) -> None:
        """ENABLE_W1TC: clear bits."""
        self._set(_ENABLE, self.values[_ENABLE] & ~value)


class IoMux(Peripheral):
    """IO MUX (TRM chapter 5): pad settings, stored only."""

    REGISTERS: ClassVar = (
        {0x00: Register("PIN_CTRL", 0x7FF)}
        | {0x04 + 4 * pin: Register(f"GPIO{pin}", 0xB00) for pin in range(PINS)}
        | {0xFC: Register("DATE", 0x02006050, read_only=True)}
    )

    def __init__(self, clock: Clock) -> None:
        super().__init__("IO_MUX", 0x60009000, clock)
