"""eFuse (TRM chapter 4): the MAC address, and words that read 0."""

from __future__ import annotations

from typing import ClassVar

from emulator.clock import Clock
from emulator.peripherals.base import Peripheral, Register

_MAC_0, _MAC_1 = 0x44, 0x48


class Efuse(Peripheral):
    """Read-only; nothing is burnt but the MAC.

    Args:
        clock: virtual time.
        mac: 6 bytes, as printed.
    """

    SIZE: ClassVar = 0x200
    REGISTERS: ClassVar = {offset: Register(f"RD_{offset:#x}", read_only=True) for offset in range(0x2C, 0x17C, 4)}

    def __init__(self, clock: Clock, mac: bytes) -> None:
        super().__init__("EFUSE", 0x60008800, clock)
        self._mac = mac
        self.clear()

    def clear(self) -> None:
        """The words as burnt."""
        super().clear()
        mac = getattr(self, "_mac", bytes(6))
        self.values[_MAC_0] = int.from_bytes(mac[2:], "big")
        self.values[_MAC_1] = int.from_bytes(mac[:2], "big")
