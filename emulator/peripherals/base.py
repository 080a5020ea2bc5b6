"""What all peripherals are: a bank of registers that knows which of them, and which of their bits, it models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from emulator.clock import Clock
from emulator.errors import AccessError


@dataclass(frozen=True)
class Register:
    """One register.

    Attributes:
        name: as in the reference manual.
        reset: value after reset.
        refused: bits whose effect is not modelled: setting one (where `reset` has it clear) is an error.
        read_only: writes are an error.
    """

    name: str
    reset: int = 0
    refused: int = 0
    read_only: bool = False


Interrupt = Callable[[bool], None]
"""Sets the level of one interrupt source."""


class Peripheral:
    """A bank of registers.

    A register in `REGISTERS` stores what is written; a subclass puts `read_NAME` and `write_NAME` methods (name in lower
    case, as the manual has it) where more happens.

    Args:
        name: for messages.
        base: address of the first register.
        clock: virtual time.
    """

    REGISTERS: ClassVar[Mapping[int, Register]]
    SIZE: ClassVar[int] = 0x1000

    def __init__(self, name: str, base: int, clock: Clock) -> None:
        self.name, self.base, self.clock = name, base, clock
        self.values: dict[int, int] = {}
        self._readers: dict[int, Callable[[], int]] = {}
        self._writers: dict[int, Callable[[int], None]] = {}
        for offset, register in self.REGISTERS.items():
            reader = getattr(self, f"read_{register.name.lower()}", None)
            writer = getattr(self, f"write_{register.name.lower()}", None)
            if reader is not None:
                self._readers[offset] = reader
            if writer is not None:
                self._writers[offset] = writer
        self.clear()

    def clear(self) -> None:
        """All registers as after reset."""
        self.values.update({offset: register.reset for offset, register in self.REGISTERS.items()})

    def reset(self) -> None:
        """The peripheral as after a reset of the chip."""
        self.clear()

    def advance(self, now: int) -> None:
        """Do what is due by `now` (cycles)."""

    def next_event(self) -> int | None:
        """When (cycles) the processor must stop for it; None: never."""
        return None

    def reader(self, offset: int) -> Callable[[], int]:
        """The shortest way to read a register there is."""
        if type(self).read is Peripheral.read:
            return self._readers.get(offset) or partial(self.values.__getitem__, offset)
        return partial(self.read, offset)

    def read(self, offset: int) -> int:
        """Read a register.

        Raises:
            AccessError: not modelled.
        """
        reader = self._readers.get(offset)
        if reader is not None:
            return reader()
        try:
            return self.values[offset]
        except KeyError:
            raise AccessError(f"{self.name}: register at offset {offset:#x} is not modelled (read)") from None

    def write(self, offset: int, value: int) -> None:
        """Write a register.

        Raises:
            AccessError: the register, or a bit that is set, is not modelled.
        """
        register = self.REGISTERS.get(offset)
        if register is None:
            raise AccessError(f"{self.name}: register at offset {offset:#x} is not modelled ({value:#x} written)")
        wrong = value & register.refused & ~register.reset
        if wrong:
            raise AccessError(f"{self.name}.{register.name}: bits {wrong:#x} are not modelled ({value:#x} written)")
        if register.read_only:
            raise AccessError(f"{self.name}.{register.name} cannot be written ({value:#x} written)")
        writer = self._writers.get(offset)
        if writer is not None:
            writer(value)
        else:
            self.values[offset] = value
