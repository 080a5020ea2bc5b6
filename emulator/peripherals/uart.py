"""UART (TRM chapter 26): FIFOs of 128 bytes that fill and drain at the baud rate."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import ClassVar

from emulator.clock import CPU_HZ, Clock
from emulator.errors import AccessError
from emulator.peripherals.base import Interrupt, Peripheral, Register

FIFO_BYTES = 128

_RX_FULL, _TX_EMPTY, _RX_OVERFLOW, _RX_TIMEOUT, _TX_DONE = 1 << 0, 1 << 1, 1 << 4, 1 << 8, 1 << 14
_RXFIFO_RST, _TXFIFO_RST, _RX_TOUT_EN = 1 << 17, 1 << 18, 1 << 21
_SOURCE_HZ = {1: 80e6, 2: 17.5e6, 3: 40e6}
_INT_ENA, _CLKDIV, _CONF0, _CONF1, _MEM_CONF, _CLK_CONF, _ID = 0x0C, 0x14, 0x20, 0x24, 0x60, 0x78, 0x80
# Loopback, flow control, inverted lines, IrDA, break and auto-baud are not modelled.
_CONF0_REFUSED = 1 << 8 | 0x3F << 9 | 1 << 15 | 1 << 16 | 0x3F << 19 | 1 << 27

Listener = Callable[[int, float], None]
"""Called with a byte and the virtual time (s) at which its stop bit was sent."""


class Uart(Peripheral):
    """One UART. Every byte sent goes to the listeners; `receive` puts bytes on its RX line.

    Args:
        name: UART0 or UART1.
        base: its address.
        clock: virtual time.
        interrupt: its source.
        by_rom: leave the clock as the chip's ROM does (UART0: 115200 baud) rather than at reset values.
    """

    REGISTERS: ClassVar = {
        0x00: Register("FIFO"),
        0x04: Register("INT_RAW", read_only=True),
        0x08: Register("INT_ST", read_only=True),
        _INT_ENA: Register("INT_ENA", refused=~(_RX_FULL | _TX_EMPTY | _RX_OVERFLOW | _RX_TIMEOUT | _TX_DONE)),
        0x10: Register("INT_CLR"),
        _CLKDIV: Register("CLKDIV", 0x2B6),
        0x18: Register("RX_FILT", 0x8),
        0x1C: Register("STATUS", read_only=True),
        _CONF0: Register("CONF0", 0x1000001C, refused=_CONF0_REFUSED),
        _CONF1: Register("CONF1", 0xC060, refused=1 << 20),
        0x34: Register("FLOW_CONF", refused=0x3F),
        0x38: Register("SLEEP_CONF", 0xF0),
        0x3C: Register("SWFC_CONF0", 0x26E0),
        0x40: Register("SWFC_CONF1", 0x2200),
        0x44: Register("TXBRK_CONF", 0xA),
        0x48: Register("IDLE_CONF", 0x40100),
        0x4C: Register("RS485_CONF", refused=0x3FF),
        0x50: Register("AT_CMD_PRECNT", 0x901),
        0x54: Register("AT_CMD_POSTCNT", 0x901),
        0x58: Register("AT_CMD_GAPTOUT", 0xB),
        0x5C: Register("AT_CMD_CHAR", 0x32B),
        _MEM_CONF: Register("MEM_CONF", 0xA0012),
        _CLK_CONF: Register("CLK_CONF", 0x03701000),
        0x7C: Register("DATE", 0x02008270, read_only=True),
        _ID: Register("ID", 0x40000500),
    }

    def __init__(self, name: str, base: int, clock: Clock, interrupt: Interrupt, *, by_rom: bool) -> None:
        self._interrupt, self._by_rom = interrupt, by_rom
        self.listeners: list[Listener] = []
        self.written: list[Listener] = []
        """Called when the firmware writes a byte, with the time of the write."""
        self._arriving: deque[tuple[int, int]] = deque()
        super().__init__(name, base, clock)
        self.reset()

    def reset(self) -> None:
        """Empty FIFOs; what is still on its way to RX keeps coming."""
        self.clear()
        if self._by_rom:
            self.values[_CLKDIV], self.values[_CLK_CONF] = 347 | 3 << 20, 0x03700000
        self._sending: deque[tuple[int, int]] = deque()
        self._newlines: deque[int] = deque()
        self._received: deque[int] = deque()
        self._last_rx = 0
        self._timed_out = False
        self._raw = 0
        self._time_byte()
        self._signal()

    def receive(self, data: bytes) -> None:
        """Put bytes on the RX line from now on, one after the other at the baud rate."""
        at = max(self.clock.now, self._arriving[-1][0] if self._arriving else self._last_rx)
        for byte in data:
            at += self._byte_cycles
            self._arriving.append((at, byte))
        self.clock.attention()

    @property
    def baud(self) -> float:
        """Bits per second, as the clock registers say."""
        clock, divider = self.values[_CLK_CONF], self.values[_CLKDIV]
        source = _SOURCE_HZ.get(clock >> 20 & 3)
        ratio = (divider & 0xFFF) + (divider >> 20 & 15) / 16
        if source is None or ratio == 0:
            raise AccessError(f"{self.name}: no baud rate (CLK_CONF {clock:#x}, CLKDIV {divider:#x})")
        return source / ((clock >> 12 & 0xFF) + 1) / ratio

    def _time_byte(self) -> None:
        conf = self.values[_CONF0]
        half_bits = 2 * (1 + 5 + (conf >> 2 & 3) + (conf >> 1 & 1)) + (0, 2, 3, 4)[conf >> 4 & 3]
        self._bit_cycles = CPU_HZ / self.baud
        self._byte_cycles = round(half_bits / 2 * self._bit_cycles)

    def advance(self, now: int) -> None:
        """Send and receive what is due."""
        if self._sending and self._sending[0][0] <= now:
            while self._sending and self._sending[0][0] <= now:
                at, byte = self._sending.popleft()
                if byte == 0x0A:
                    self._newlines.popleft()
                for listener in self.listeners:
                    listener(byte, at / CPU_HZ)
            if not self._sending:
                self._raw |= _TX_DONE
        while self._arriving and self._arriving[0][0] <= now:
            at, byte = self._arriving.popleft()
            self._last_rx, self._timed_out = at, False
            if len(self._received) < FIFO_BYTES:
                self._received.append(byte)
            else:
                self._raw |= _RX_OVERFLOW
        timeout = self._timeout_at()
        if timeout is not None and timeout <= now:
            self._timed_out = True
            self._raw |= _RX_TIMEOUT
        self._signal()

    def next_event(self) -> int | None:
        """When a line ends, a byte arrives, or a FIFO reaches a threshold."""
        times = []
        if self._sending:
            times.append(self._newlines[0] if self._newlines else self._sending[-1][0])
            threshold = self._tx_threshold()
            if self.values[_INT_ENA] & _TX_EMPTY and 0 < threshold <= len(self._sending):
                times.append(self._sending[len(self._sending) - threshold][0])
        if self._arriving:
            times.append(self._arriving[0][0])
        timeout = self._timeout_at()
        if timeout is not None:
            times.append(timeout)
        return min(times, default=None)

    def _timeout_at(self) -> int | None:
        """When the line has been quiet for RX_TOUT_THRHD bits with bytes unread."""
        if not self._received or self._timed_out or not self.values[_CONF1] & _RX_TOUT_EN:
            return None
        return self._last_rx + round((self.values[_MEM_CONF] >> 16 & 0x3FF) * self._bit_cycles)

    def _tx_threshold(self) -> int:
        return self.values[_CONF1] >> 9 & 0x1FF

    def _levels(self) -> int:
        """Interrupts that come back as long as their condition holds."""
        full = _RX_FULL if len(self._received) > self.values[_CONF1] & 0x1FF else 0
        return full | (_TX_EMPTY if len(self._sending) < self._tx_threshold() else 0)

    def _signal(self) -> None:
        self._raw |= self._levels()
        self._interrupt(bool(self._raw & self.values[_INT_ENA]))

    def write_fifo(self, value: int) -> None:
        """Send a byte."""
        now = self.clock.now
        self.advance(now)
        if len(self._sending) >= FIFO_BYTES:
            raise AccessError(
                f"{self.name}: byte {value & 0xFF:#04x} written into a full TX FIFO (the chip would lose it)"
            )
        for listener in self.written:
            listener(value & 0xFF, now / CPU_HZ)
            self.clock.attention()
        at = max(now, self._sending[-1][0] if self._sending else 0) + self._byte_cycles
        if not self._sending or (value & 0xFF == 0x0A and not self._newlines) or self.values[_INT_ENA] & _TX_EMPTY:
            self.clock.attention()
        self._sending.append((at, value & 0xFF))
        if value & 0xFF == 0x0A:
            self._newlines.append(at)
        self._signal()

    def read_fifo(self) -> int:
        """The oldest byte received; 0 when there is none."""
        self.advance(self.clock.now)
        byte = self._received.popleft() if self._received else 0
        if not self._received:
            self._timed_out = False
        return byte

    def read_status(self) -> int:
        """STATUS: bytes in both FIFOs, idle lines high."""
        now = self.clock.now
        self.advance(now)
        changes = [queue[0][0] for queue in (self._sending, self._arriving) if queue]
        self.clock.steady_until(min(changes, default=now + CPU_HZ))
        return 0xE000C000 | len(self._sending) << 16 | len(self._received)

    def read_int_raw(self) -> int:
        """INT_RAW."""
        self.advance(self.clock.now)
        return self._raw

    def read_int_st(self) -> int:
        """INT_ST."""
        return self.read_int_raw() & self.values[_INT_ENA]

    def write_int_ena(self, value: int) -> None:
        """INT_ENA."""
        self.values[_INT_ENA] = value
        self.advance(self.clock.now)
        self.clock.attention()

    def write_int_clr(self, value: int) -> None:
        """INT_CLR: write 1 to clear."""
        self.advance(self.clock.now)
        self._raw &= ~value
        self._signal()

    def write_conf0(self, value: int) -> None:
        """CONF0: frame format; the reset bits empty the FIFOs."""
        self.advance(self.clock.now)
        self.values[_CONF0] = value
        if value & _RXFIFO_RST:
            self._received.clear()
        if value & _TXFIFO_RST:
            self._sending.clear()
            self._newlines.clear()
        self._time_byte()
        self._signal()
        self.clock.attention()

    def write_conf1(self, value: int) -> None:
        """CONF1: thresholds."""
        self.values[_CONF1] = value
        self.advance(self.clock.now)
        self.clock.attention()

    def write_clkdiv(self, value: int) -> None:
        """CLKDIV."""
        self.values[_CLKDIV] = value
        self._time_byte()

    def write_clk_conf(self, value: int) -> None:
        """CLK_CONF."""
        self.values[_CLK_CONF] = value
        self._time_byte()

    def write_id(self, value: int) -> None:
        """ID: REG_UPDATE takes effect at once and reads as 0."""
        self.values[_ID] = value & ~(1 << 31)
