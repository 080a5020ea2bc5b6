"""System registers (TRM chapter 16): clocks and resets of the peripherals, software interrupts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from emulator.clock import Clock
from emulator.peripherals.base import Interrupt, Peripheral, Register

_RST0 = 0x18


class System(Peripheral):
    """Clock settings are stored: the processor always runs at 160 MHz, the peripherals' clocks are always on.

    Args:
        clock: virtual time.
        software_interrupts: FROM_CPU_INTR0 to 3.
    """

    REGISTERS: ClassVar = {
        0x00: Register("CPU_PERI_CLK_EN"),
        0x04: Register("CPU_PERI_RST_EN", 0xC0),
        0x08: Register("CPU_PER_CONF", 0x0D),
        0x0C: Register("MEM_PD_MASK", 1),
        0x10: Register("PERIP_CLK_EN0", 0xF9C1E06F),
        0x14: Register("PERIP_CLK_EN1", 0x200),
        _RST0: Register("PERIP_RST_EN0"),
        0x1C: Register("PERIP_RST_EN1", 0x1FE),
        **{0x28 + 4 * n: Register(f"CPU_INTR_FROM_CPU_{n}") for n in range(4)},
        0x40: Register("CACHE_CONTROL", 0x5),
        0x54: Register("CLOCK_GATE", 1),
        0x58: Register("SYSCLK_CONF", 0x401),
        0xFFC: Register("DATE", 0x02007150, read_only=True),
    }

    def __init__(self, clock: Clock, software_interrupts: Sequence[Interrupt]) -> None:
        self._software_interrupts = software_interrupts
        self.resets: Mapping[int, Peripheral] = {}
        """Peripherals by their bit in PERIP_RST_EN0."""
        super().__init__("SYSTEM", 0x600C0000, clock)

    def reset(self) -> None:
        """As the ROM leaves it: 160 MHz from the PLL."""
        self.clear()
        for interrupt in self._software_interrupts:
            interrupt(False)

    def write(self, offset: int, value: int) -> None:
        """Write a register; software interrupts follow theirs."""
        before = self.values.get(offset)
        super().write(offset, value)
        if 0x28 <= offset < 0x38:
            self._software_interrupts[(offset - 0x28) // 4](bool(value & 1))
        if offset == _RST0 and before is not None:
            for bit, peripheral in self.resets.items():
                if value & ~before & 1 << bit:
                    peripheral.reset()
