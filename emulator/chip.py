"""The ESP32-C3: memory map, peripherals and how they are wired (TRM chapters 3 and 8)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from emulator.clock import Clock
from emulator.elf import Image
from emulator.errors import AccessError, MachineError
from emulator.peripherals.base import Peripheral
from emulator.peripherals.efuse import Efuse
from emulator.peripherals.flash import FlashController, NorFlash
from emulator.peripherals.gpio import Gpio, IoMux
from emulator.peripherals.interrupt_matrix import InterruptMatrix
from emulator.peripherals.rtc import ResetCause, Rtc
from emulator.peripherals.spi2 import Spi2
from emulator.peripherals.system import System
from emulator.peripherals.systimer import SystemTimer
from emulator.peripherals.timer_group import TimerGroup
from emulator.peripherals.uart import Uart
from emulator.spi_bus import SpiBus

SRAM_SIZE = 0x60000
SRAM_DATA, SRAM_CODE = 0x3FC80000, 0x40380000
RTC_FAST, RTC_FAST_SIZE = 0x50000000, 0x2000
IROM, DROM, XIP_SIZE, XIP_PAGE = 0x42000000, 0x3C000000, 0x800000, 0x10000

_PRESENT = (
    (0x3C000000, 0x3C800000, False),  # external memory, data
    (0x3FC80000, 0x3FCE0000, False),
    (0x3FF00000, 0x3FF20000, False),  # ROM, data
    (0x40000000, 0x40060000, True),  # ROM
    (0x4037C000, 0x403E0000, True),
    (0x42000000, 0x42800000, True),  # external memory, instructions
    (0x50000000, 0x50002000, True),
    (0x60000000, 0x600D1000, False),  # peripherals
)
"""The address space of TRM table 3-1: from, to, whether instructions can be fetched. All else is reserved."""

SOURCES = {
    "SPI2": 19,
    "UART0": 21,
    "UART1": 22,
    "RTC": 27,
    "TG0_WDT": 33,
    "TG1_WDT": 35,
    "SYSTIMER": 37,
    "FROM_CPU": 50,
}
"""Interrupt sources by their first number (TRM table 8-1)."""

RAM_AFTER_POWER_ON = 0xA5
"""What RAM holds that was never written: anything but the zeros that a program may wrongly rely on."""


class Timed(Protocol):
    """Something that acts at times of its own."""

    def next_event(self) -> int | None:
        """When (cycles) the processor must stop for it; None: never."""

    def advance(self, now: int) -> None:
        """Do what is due by `now` (cycles)."""


@dataclass
class Memory:
    """One stretch of the address space.

    Attributes:
        name: for people.
        base: first address.
        buffer: the bytes; two stretches may share one buffer.
        writable: whether the program may write.
        executable: whether it may hold code.
    """

    name: str
    base: int
    buffer: ctypes.Array[ctypes.c_char]
    writable: bool
    executable: bool

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.buffer)

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address within."""
        return ctypes.string_at(ctypes.addressof(self.buffer) + address - self.base, size)


class Chip:
    """Memory and peripherals, without the processor.

    Args:
        image: program; its segments decide which pages of flash the cache shows.
        flash: content of the flash chip (4 MB); None: erased. The program's own pages are not in it.
        mac: address in the eFuses, 6 bytes.

    Attributes:
        requested_reset: a reset that is to come before the next instruction.
        resets: (time in s, cause) of all so far.
        powered: False after a power cut.
    """

    def __init__(self, image: Image, flash: bytes | None = None, mac: bytes = bytes.fromhex("7cdfa1000001")) -> None:
        self.image = image
        self.requested_reset: ResetCause | None = None
        self.resets: list[tuple[float, ResetCause]] = []
        self.powered = True
        self.clock = Clock()
        self.spi_bus = SpiBus()
        self.interrupts = InterruptMatrix(self.clock)
        source = self.interrupts.source
        self.gpio = Gpio(self.clock)
        self.gpio.listeners.append(self.spi_bus.pin_changed)
        self.uarts = (
            Uart("UART0", 0x60000000, self.clock, source(SOURCES["UART0"]), by_rom=True),
            Uart("UART1", 0x60010000, self.clock, source(SOURCES["UART1"]), by_rom=False),
        )
        self.systimer = SystemTimer(self.clock, [source(SOURCES["SYSTIMER"] + n) for n in range(3)])
        self.spi2 = Spi2(self.clock, source(SOURCES["SPI2"]), self.spi_bus)
        self.system = System(self.clock, [source(SOURCES["FROM_CPU"] + n) for n in range(4)])
        self.rtc = Rtc(self.clock, source(SOURCES["RTC"]), self.request_reset)
        self.flash = NorFlash(self.clock, flash)
        self.flash.power_lost = self._lose_power
        self.system.resets = {2: self.uarts[0], 5: self.uarts[1], 6: self.spi2, 29: self.systimer}
        self.peripherals: list[Peripheral] = [
            *self.uarts,
            self.gpio,
            IoMux(self.clock),
            self.systimer,
            self.spi2,
            self.system,
            self.rtc,
            Efuse(self.clock, mac),
            TimerGroup(0, self.clock, source(SOURCES["TG0_WDT"]), self.request_reset),
            TimerGroup(1, self.clock, source(SOURCES["TG1_WDT"]), self.request_reset),
            FlashController(self.clock, self.flash, (IROM, IROM + XIP_SIZE)),
            self.interrupts,
        ]
        self.timed: list[Timed] = [p for p in self.peripherals if type(p).next_event is not Peripheral.next_event]
        self._banks: dict[int, list[Peripheral]] = {}
        for peripheral in self.peripherals:
            self._banks.setdefault(peripheral.base & ~0xFFF, []).append(peripheral)
        self._readers = {p.base + offset: p.reader(offset) for p in self.peripherals for offset in p.REGISTERS}
        self.memories = self._memories()
        self._lose_ram()
        self.load()

    @property
    def register_pages(self) -> Iterable[int]:
        """First addresses of the 4 KB pages with registers."""
        return sorted(self._banks)

    def load(self) -> None:
        """Put the program's segments where they belong, as the boot loader does."""
        for segment in self.image.segments:
            self.poke(segment.address, segment.data)

    def request_reset(self, cause: ResetCause) -> None:
        """Reset before the next instruction."""
        if self.requested_reset is None:
            self.requested_reset = cause
        self.clock.attention()

    def reset(self, cause: ResetCause) -> None:
        """What a reset of this cause resets, and the program loaded again. RAM keeps what the program does not load."""
        self.requested_reset = None
        self.rtc.cause = cause
        self.resets.append((self.clock.now_s, cause))
        if not cause.is_of_cpu:
            for peripheral in self.peripherals:
                peripheral.reset()
        self.load()

    def power_on(self) -> None:
        """The supply comes back: all but the flash is lost."""
        self.powered = True
        self.flash.power_on()
        self._lose_ram()
        self.reset(ResetCause.POWER_ON)

    def _lose_power(self) -> None:
        self.powered = False
        self.clock.attention()

    def _lose_ram(self) -> None:
        for memory in self.memories:
            if memory.writable:
                ctypes.memset(memory.buffer, RAM_AFTER_POWER_ON, memory.size)

    def read(self, address: int, size: int) -> int:
        """A read by the processor in the registers' pages."""
        reader = self._readers.get(address)
        if reader is not None and size == 4:
            return reader() & 0xFFFFFFFF
        peripheral = self._peripheral(address, size)
        return peripheral.read(address - peripheral.base) & 0xFFFFFFFF

    def write(self, address: int, size: int, value: int) -> None:
        """A write by the processor in the registers' pages."""
        peripheral = self._peripheral(address, size)
        peripheral.write(address - peripheral.base, value)

    def _peripheral(self, address: int, size: int) -> Peripheral:
        for peripheral in self._banks.get(address & ~0xFFF, ()):
            if 0 <= address - peripheral.base < peripheral.SIZE:
                if size != 4 or address % 4:
                    raise AccessError(
                        f"{peripheral.name}: {size}-byte access at {address:#010x}; registers are accessed in whole words"
                    )
                return peripheral
        raise AccessError(f"no register at {address:#010x} is modelled")

    def peek(self, address: int, size: int) -> bytes:
        """Bytes of memory.

        Raises:
            MachineError: no memory there.
        """
        return self._memory(address, size).read(address, size)

    def poke(self, address: int, data: bytes) -> None:
        """Change bytes of memory, read-only ones too.

        Raises:
            MachineError: no memory there.
        """
        memory = self._memory(address, len(data))
        ctypes.memmove(ctypes.addressof(memory.buffer) + address - memory.base, data, len(data))

    def _memory(self, address: int, size: int) -> Memory:
        for memory in self.memories:
            if memory.base <= address and address + size <= memory.base + memory.size:
                return memory
        raise MachineError(f"no memory at {address:#010x} to {address + size:#010x}; see docs/emulator.md for the map")

    def _memories(self) -> list[Memory]:
        sram = _buffer(SRAM_SIZE)
        memories = [
            Memory("SRAM", SRAM_DATA, sram, writable=True, executable=False),
            Memory("SRAM (instructions)", SRAM_CODE, sram, writable=True, executable=True),
            Memory("RTC FAST", RTC_FAST, _buffer(RTC_FAST_SIZE), writable=True, executable=True),
        ]
        for name, base, executable in (("IROM", IROM, True), ("DROM", DROM, False)):
            pages: set[int] = set()
            for segment in self.image.segments:
                if base <= segment.address < base + XIP_SIZE:
                    last = segment.address + len(segment.data) - 1
                    pages.update(range(segment.address // XIP_PAGE, last // XIP_PAGE + 1))
            memories += [
                Memory(name, first * XIP_PAGE, _buffer(n * XIP_PAGE, b"\xff"), writable=False, executable=executable)
                for first, n in _runs(sorted(pages))
            ]
        return memories


def is_reserved(address: int, *, code: bool) -> bool:
    """Whether the chip has nothing there, modelled or not, that could be accessed; or executed, if it is about `code`."""
    return not any(first <= address < end and (executable or not code) for first, end, executable in _PRESENT)


def _buffer(size: int, fill: bytes = b"\0") -> ctypes.Array[ctypes.c_char]:
    """Page-aligned memory that Unicorn can use as it is."""
    whole = ctypes.create_string_buffer(size + 0x1000)
    shift = -ctypes.addressof(whole) % 0x1000
    buffer = (ctypes.c_char * size).from_buffer(whole, shift)
    if fill != b"\0":
        ctypes.memset(buffer, fill[0], size)
    return buffer


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers as (first, length)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][0] + runs[-1][1] == number:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((number, 1))
    return runs
