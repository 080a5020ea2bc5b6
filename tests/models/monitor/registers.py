"""An LSM6DSO as its master sees it, by ST's datasheet DS12140 and by nothing of the driver: registers, FIFO, time.

Figures are written out from the datasheet: table 2 (sensitivities, rates), section 9 (registers). Reading beyond 7Eh within a
transfer goes on at 78h; reading the tag takes the next word out of the FIFO.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

RATES_HZ = {1: 12.5, 2: 26.0, 3: 52.0, 4: 104.0, 5: 208.0, 6: 416.0, 7: 833.0, 8: 1666.0, 9: 3332.0, 10: 6664.0}
MG_PER_COUNT = {0b00: 0.061, 0b01: 0.488, 0b10: 0.122, 0b11: 0.244}  # FS_XL: 2, 16, 4, 8 g
MDPS_PER_COUNT = {0b000: 8.75, 0b001: 4.375, 0b010: 17.5, 0b100: 35.0, 0b110: 70.0}  # FS_G with FS_125
FIFO_WORDS = 512
RESET_S = 50e-6

Signal = Callable[[float], tuple[tuple[float, float, float], tuple[float, float, float]]]
"""Acceleration in g and rate in deg/s at a time in s."""


@dataclass
class Clock:
    """Time that passes only when told."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s


def still(_time_s: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    return (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)


@dataclass
class Registers:
    """The device; a `Bus` of models/monitor/lsm6dso.py.

    Attributes:
        clock: time, shared with the driver.
        signal: what is measured.
        bit_hz: clock of the bus: a transfer takes 9 bits a byte, address and register included.
        skew: part by which its own oscillator is fast.
        identity: of WHO_AM_I.
        unplugged: nobody answers.
        batched: all samples that went into the FIFO since the last start, accelerometer then gyroscope.
        lose: numbers of time slots, from a start, that get lost on their way into the FIFO, once each.
    """

    clock: Clock
    signal: Signal = still
    bit_hz: float = 400e3
    skew: float = 0.0
    identity: int = 0x6C
    unplugged: bool = False
    closed: bool = False
    batched: list[tuple[int, ...]] = field(default_factory=list)
    lose: set[int] = field(default_factory=set)
    transfers: int = 0

    def __post_init__(self) -> None:
        self.power_up()

    def power_up(self) -> None:
        """As after power came, or a software reset."""
        self.registers = {0x09: 0, 0x0A: 0, 0x0F: self.identity, 0x10: 0, 0x11: 0, 0x12: 0x04}
        self.fifo: deque[bytes] = deque()
        self.word = bytes(7)
        self.overrun = False
        self.slot, self.next_s = 0, float("inf")
        self.reset_until_s = 0.0

    def read(self, register: int, count: int) -> bytes:
        self._transfer(count + 3)
        out = bytearray()
        for _ in range(count):
            out.append(self._get(register))
            if self.registers[0x12] & 0x04:  # IF_INC
                register = 0x78 if register == 0x7E else register + 1
        return bytes(out)

    def write(self, register: int, value: int) -> None:
        self._transfer(3)
        if register == 0x0F:
            return  # read only
        if register == 0x12 and value & 0x01:
            self.power_up()
            self.reset_until_s = self.clock.now_s + RESET_S
            return
        before = self.registers.get(0x0A, 0) & 7
        self.registers[register] = value
        if self.registers[0x0A] & 7 == 0:
            self.fifo.clear()
            self.overrun = False
        elif before == 0:
            self.batched.clear()
            self.next_s = self.clock.now_s + 1 / self._rate_hz()

    def close(self) -> None:
        self.closed = True

    def _transfer(self, count: int) -> None:
        self.transfers += 1
        self.clock.now_s += 9 * count / self.bit_hz
        if self.unplugged:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        self._pass_time()

    def _rate_hz(self) -> float:
        batch = self.registers[0x09]
        code = max(batch & 0xF, batch >> 4)
        return RATES_HZ.get(code, 1e-9) * (1 + self.skew)

    def _pass_time(self) -> None:
        on = self.registers[0x10] >> 4 or self.registers[0x11] >> 4
        while on and self.registers[0x0A] & 7 == 6 and self.next_s <= self.clock.now_s:
            self._sample(self.next_s)
            self.next_s += 1 / self._rate_hz()

    def _sample(self, time_s: float) -> None:
        accel_g, rate_dps = self.signal(time_s)
        accel_on = self.registers[0x10] >> 4 and self.registers[0x09] & 0xF
        gyro_on = self.registers[0x11] >> 4 and self.registers[0x09] >> 4
        accel = _counts(accel_g, MG_PER_COUNT[self.registers[0x10] >> 2 & 3])
        gyro = _counts(rate_dps, MDPS_PER_COUNT[self.registers[0x11] >> 1 & 7])
        number = self.slot
        self.slot += 1
        if number in self.lose:
            self.lose.remove(number)
            return
        self.batched.append((accel if accel_on else ()) + (gyro if gyro_on else ()))
        for on, tag, values in ((gyro_on, 0x01, gyro), (accel_on, 0x02, accel)):
            if not on:
                continue
            if len(self.fifo) == FIFO_WORDS:
                self.fifo.popleft()
                self.overrun = True
            head = tag << 3 | (number & 3) << 1
            head |= head.bit_count() & 1
            self.fifo.append(bytes([head]) + b"".join(v.to_bytes(2, "little", signed=True) for v in values))

    def _get(self, register: int) -> int:
        if register == 0x78:
            self.word = self.fifo.popleft() if self.fifo else bytes(7)
        if 0x78 <= register <= 0x7E:
            return self.word[register - 0x78]
        if register == 0x3A:
            return len(self.fifo) & 0xFF
        if register == 0x3B:
            latched, self.overrun = self.overrun, False  # cleared by reading
            full = len(self.fifo) == FIFO_WORDS
            return len(self.fifo) >> 8 | latched << 3 | full << 5 | latched << 6
        if register == 0x12 and self.clock.now_s < self.reset_until_s:
            return self.registers[0x12] | 0x01
        return self.registers.get(register, 0)


def _counts(values: tuple[float, float, float], milli_per_count: float) -> tuple[int, ...]:
    return tuple(max(-32768, min(32767, round(1000 * value / milli_per_count))) for value in values)
