"""GP-SPI2 (TRM chapter 27) as a master driven by the processor: command, address, data through W0 to W15."""

from __future__ import annotations

from typing import ClassVar

from emulator.clock import CPU_HZ, Clock
from emulator.errors import AccessError
from emulator.peripherals.base import Interrupt, Peripheral, Register
from emulator.spi_bus import SpiBus

_USR, _UPDATE = 1 << 24, 1 << 23
_DOUTDIN, _MOSI, _MISO, _DUMMY, _ADDR, _COMMAND = 1 << 0, 1 << 27, 1 << 28, 1 << 29, 1 << 30, 1 << 31
_TRANS_DONE = 1 << 12
_KEEP_ACTIVE = 1 << 30
_CLK_EN, _CLK_ACTIVE, _CLK_80M = 1, 2, 4
_CLOCK, _USER, _USER1, _USER2, _LENGTH, _MISC = 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x20
_INT_ENA, _W0, _CLK_GATE = 0x34, 0x98, 0xE8
_BUFFER = range(_W0, _W0 + 64, 4)
_SYNCHRONISED = frozenset({0x04, 0x08, _CLOCK, _USER, _USER1, _USER2, _LENGTH, _MISC, 0x24, 0x28, 0x2C, 0x30})


class Spi2(Peripheral):
    """One transaction at a time, at the clock's speed; the device sees all of it when it starts.

    Not modelled: DMA, slave mode, dual and quad lines, LSB first, segments, and which pins the signals go to.

    Args:
        clock: virtual time.
        interrupt: its source.
        bus: the devices.
    """

    REGISTERS: ClassVar = {
        0x00: Register("CMD"),
        0x04: Register("ADDR"),
        0x08: Register("CTRL", 0x003C0000, refused=1 << 25 | 1 << 26 | 0x3 << 5 | 0x3 << 8 | 0x3 << 14),
        _CLOCK: Register("CLOCK", 0x80003043),
        _USER: Register("USER", 0x800000C0, refused=1 << 3 | 0x3 << 12 | 1 << 15 | 1 << 17 | 1 << 24 | 1 << 25),
        _USER1: Register("USER1", 0xB8410007),
        _USER2: Register("USER2", 0x78000000),
        _LENGTH: Register("MS_DLEN"),
        _MISC: Register("MISC", 0x3E, refused=1 << 6 | 0x3F << 7),
        0x24: Register("DIN_MODE"),
        0x28: Register("DIN_NUM"),
        0x2C: Register("DOUT_MODE"),
        0x30: Register("DMA_CONF", refused=1 << 18 | 1 << 27 | 1 << 28),
        _INT_ENA: Register("DMA_INT_ENA", refused=~_TRANS_DONE),
        0x38: Register("DMA_INT_CLR"),
        0x3C: Register("DMA_INT_RAW", read_only=True),
        0x40: Register("DMA_INT_ST", read_only=True),
        **{offset: Register(f"W{i}") for i, offset in enumerate(_BUFFER)},
        0xE0: Register("SLAVE", 0x02800000, refused=1 << 26 | 1 << 28),
        0xE4: Register("SLAVE1"),
        _CLK_GATE: Register("CLK_GATE"),
        0xF0: Register("DATE", 0x02007220, read_only=True),
    }

    def __init__(self, clock: Clock, interrupt: Interrupt, bus: SpiBus) -> None:
        self._interrupt, self._bus = interrupt, bus
        super().__init__("SPI2", 0x60024000, clock)
        self.reset()

    def reset(self) -> None:
        """Idle; a device that was kept selected is let go."""
        self.clear()
        self._done_at: int | None = None
        self._answer: list[tuple[int, int]] = []
        self._raw = 0
        self._dirty = False
        self._bus.end(range(6))
        self._signal()

    def write(self, offset: int, value: int) -> None:
        """Write a register; a setting takes effect with CMD.UPDATE only."""
        self.advance(self.clock.now)
        if self._done_at is not None and offset in self.REGISTERS and offset not in (_INT_ENA, 0x38):
            raise AccessError(f"SPI2.{self.REGISTERS[offset].name} written while a transaction runs")
        if offset in _SYNCHRONISED and value != self.values[offset]:
            self._dirty = True
        super().write(offset, value)

    def read(self, offset: int) -> int:
        """Read a register as it is now."""
        self.advance(self.clock.now)
        return super().read(offset)

    def advance(self, now: int) -> None:
        """End the transaction that is over."""
        if self._done_at is not None and self._done_at <= now:
            self._done_at = None
            for i, byte in self._answer:
                offset, shift = _W0 + i // 4 % 16 * 4, 8 * (i % 4)
                self.values[offset] = self.values[offset] & ~(0xFF << shift) | byte << shift
            self.values[0x00] &= ~_USR
            self._raw |= _TRANS_DONE
            self._signal()

    def next_event(self) -> int | None:
        """The end of the transaction, if it is to interrupt."""
        return self._done_at if self.values[_INT_ENA] & _TRANS_DONE else None

    def read_cmd(self) -> int:
        """CMD: USR is set until the transaction is over."""
        self.clock.steady_until(self._done_at if self._done_at is not None else self.clock.now + CPU_HZ)
        return self.values[0x00]

    def write_cmd(self, value: int) -> None:
        """CMD: UPDATE takes over the settings, USR starts a transaction."""
        self.values[0x00] = value & ~(_USR | _UPDATE)
        if value & _UPDATE:
            self._dirty = False
        if value & _USR:
            if self._dirty:
                raise AccessError("SPI2: USR set before CMD.UPDATE took over the settings written")
            gate = self.values[_CLK_GATE]
            if not (gate & _CLK_EN and gate & _CLK_ACTIVE):
                raise AccessError(f"SPI2: USR set without a clock (CLK_GATE {gate:#x}): the chip would never finish")
            self.values[0x00] |= _USR
            self._start()

    def write_dma_int_ena(self, value: int) -> None:
        """DMA_INT_ENA."""
        self.values[_INT_ENA] = value
        self._signal()
        self.clock.attention()

    def write_dma_int_clr(self, value: int) -> None:
        """DMA_INT_CLR."""
        self._raw &= ~value
        self._signal()

    def read_dma_int_raw(self) -> int:
        """DMA_INT_RAW."""
        if self._done_at is not None:
            self.clock.steady_until(self._done_at)
        return self._raw

    def read_dma_int_st(self) -> int:
        """DMA_INT_ST."""
        return self.read_dma_int_raw() & self.values[_INT_ENA]

    @property
    def bit_hz(self) -> float:
        """Clock on the bus."""
        source = 80e6 if self.values[_CLK_GATE] & _CLK_80M else 40e6
        clock = self.values[_CLOCK]
        return source if clock >> 31 else source / (((clock >> 18 & 15) + 1) * ((clock >> 12 & 63) + 1))

    def _signal(self) -> None:
        self._interrupt(bool(self._raw & self.values[_INT_ENA]))

    def _start(self) -> None:
        misc, user = self.values[_MISC], self.values[_USER]
        lines = [n for n in range(6) if not misc >> n & 1]
        wire = self._bus.begin(lines)

        def exchange(byte: int) -> int:
            return wire.exchange(byte) if wire is not None else 0xFF

        bits = 0
        if user & _COMMAND:
            command_bits = (self.values[_USER2] >> 28) + 1
            bits += command_bits
            for i in range(_whole_bytes(command_bits)):  # the low byte goes first
                exchange(self.values[_USER2] >> 8 * i & 0xFF)
        if user & _ADDR:
            address_bits = (self.values[_USER1] >> 27) + 1
            bits += address_bits
            for i in range(_whole_bytes(address_bits)):  # from the register's top bit on
                exchange(self.values[0x04] >> (24 - 8 * i) & 0xFF)
        if user & _DUMMY:
            dummy = (self.values[_USER1] & 0xFF) + 1
            bits += dummy
            for _ in range(_whole_bytes(dummy)):
                exchange(0)
        data_bits = (self.values[_LENGTH] & 0x3FFFF) + 1
        self._answer = []
        if user & (_MOSI | _MISO):
            n = _whole_bytes(data_bits)
            if n > 64:
                raise AccessError(f"SPI2: {n} bytes of data in one transaction; W0 to W15 hold 64")
            full_duplex = bool(user & _DOUTDIN)
            if user & _MOSI:
                bits += data_bits
                sent = [exchange(self.values[_W0 + i // 4 * 4] >> 8 * (i % 4) & 0xFF) for i in range(n)]
                if full_duplex:
                    self._answer = list(enumerate(sent))
            if user & _MISO and not (full_duplex and user & _MOSI):
                bits += data_bits
                self._answer = [(i, exchange(0)) for i in range(n)]
        if not misc & _KEEP_ACTIVE:
            self._bus.end(lines)
        self._done_at = self.clock.now + max(1, round(bits * CPU_HZ / self.bit_hz))
        if self.values[_INT_ENA] & _TRANS_DONE:
            self.clock.attention()


def _whole_bytes(bits: int) -> int:
    if bits % 8:
        raise AccessError(f"SPI2: a phase of {bits} bits; only whole bytes are modelled")
    return bits // 8
