"""Renode's model of the LSM6DSO, as Renode 1.16.1 and its successors have it, for the built-in emulator.

It differs from the device and from `emulator.lsm6dso` (docs/fidelity.md): integer rates taken from the batch rate, registers
of which only some bits hold, a software reset that does nothing, an overrun that lasts until the FIFO is bypassed,
accelerometer before gyroscope, tags without counter and parity, and zeros at the batch rate while nobody feeds it. Source: the
model's behaviour as read in Renode's sources (`LSM6DSO_IMU.cs`, `RESDStream.cs`, `BaseClockSource.cs`). What came after
1.16.1 makes no difference to a driver on SPI that batches: I2C, register banks, the output data rate where none is batched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from numpy.typing import NDArray

from emulator.clock import CPU_HZ, Clock
from emulator.lsm6dso import WHO_AM_I
from renode.errors import RenodeError
from renode.resd import Block, SampleType
from sim.sensors.devices import LSM6DSO

FIFO_WORDS = 512
RATES_HZ = (12.0, 26.0, 52.0, 104.0, 208.0, 416.0, 833.0, 1660.0, 3330.0, 6660.0)
"""The model's integer rates, by code from 1 on."""
_ACCEL_TAG, _GYRO_TAG = 0x02, 0x01
_FS_G, _FS_DPS = (2, 16, 4, 8), (250.0, 500.0, 1000.0, 2000.0)
_WTM_1, _WTM_2, _BDR, _MODE, _CTRL1, _CTRL2, _CTRL3 = 0x07, 0x08, 0x09, 0x0A, 0x10, 0x11, 0x12
_OUT_TEMP, _OUT_GYRO, _OUT_ACCEL, _STATUS1, _STATUS2, _TAG, _END = 0x20, 0x22, 0x28, 0x3A, 0x3B, 0x78, 0x7E
_HOLD = {
    _WTM_1: 0xFF,
    _WTM_2: 0x01,
    _BDR: 0xFF,
    _MODE: 0x07,
    0x0D: 0x10,
    _CTRL1: 0xFC,
    _CTRL2: 0xFE,
    _CTRL3: 0x04,
    0x17: 0x02,
}
"""The bits that a written register keeps; the others read as 0, which a driver that reads back notices."""
_BYPASS, _CONTINUOUS = 0, 6
_NS = 1_000_000_000


class _Feed:
    """Samples at the model's rate: defaults (zero) until fed, then the file's, then defaults again."""

    def __init__(self) -> None:
        self.rows: NDArray[np.int64] | None = None
        self.at = 0
        self.period_ns = 0
        self.next_ns: int | None = None


class RenodeLsm6dso:
    """One device; an `emulator.machine.SensorModel`.

    Args:
        clock: virtual time.

    Attributes:
        words_lost: FIFO words that were overwritten.
        unfed: FIFO words of nobody's data since the last reset or bypass.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.words_lost = self.unfed = 0
        self._temperature_c = Decimal(0)
        self._word: tuple[int, tuple[Decimal, ...]] | None = None
        self.power_on()

    def power_on(self) -> None:
        """As when Renode resets the machine: registers and FIFO cleared, feeds gone; temperature and last word stay."""
        self._registers = dict.fromkeys(_HOLD, 0) | {_CTRL3: 0x04}
        self._fifo: deque[tuple[int, tuple[Decimal, ...]]] = deque()
        self.unfed = 0
        self._overrun = self._overrun_seen = False
        self._latest: dict[int, tuple[Decimal, ...]] = {}
        self._feeds = {_ACCEL_TAG: _Feed(), _GYRO_TAG: _Feed()}
        self._temperature: Block | None = None
        self._address: int | None = None

    # The bus

    def select(self) -> None:
        """A transaction begins."""
        self._address = None
        self.catch_up(self._clock.now_s)

    def deselect(self) -> None:
        """A transaction ends."""
        self._address = None

    def transfer(self, byte: int) -> int:
        """The first byte is the address (bit 7: read), then data; the address counts up by itself."""
        if self._address is None:
            self._address = byte
            return 0
        address, answer = self._address & 0x7F, 0
        if self._address & 0x80:
            answer = self._read(address)
        else:
            self._write(address, byte)
        if address == _END:
            address = _TAG
        elif self._registers[_CTRL3] & 0x04:
            address = (address + 1) & 0x7F
        self._address = self._address & 0x80 | address
        return answer

    def _read(self, address: int) -> int:
        if address == _TAG:
            if not self._fifo:
                return 0  # the data registers keep the last word
            tag, sample = self._fifo.popleft()
            self._keep(tag, sample)
            return tag << 3
        if _TAG < address <= _END:
            return 0 if self._word is None else self._output(*self._word, address - _TAG - 1)
        for tag, first in ((_GYRO_TAG, _OUT_GYRO), (_ACCEL_TAG, _OUT_ACCEL)):
            if first <= address < first + 6:
                return self._output(tag, self._latest[tag], address - first) if tag in self._latest else 0
        if address == _STATUS1:
            return len(self._fifo) & 0xFF
        if address == _STATUS2:
            return self._status2()
        if address in (_OUT_TEMP, _OUT_TEMP + 1):
            return self._temperature_counts() >> 8 * (address - _OUT_TEMP) & 0xFF
        return {0x02: 0x3F, 0x0F: WHO_AM_I}.get(address, self._registers.get(address, 0))

    def _write(self, address: int, value: int) -> None:
        if address not in _HOLD:
            return
        before, self._registers[address] = self._registers[address], value & _HOLD[address]
        if address == _MODE and value & 7 == _BYPASS:
            self._fifo.clear()
            self._latest.clear()
            self._overrun = False
            self.unfed = 0
        elif address == _BDR and value != before:
            for tag, code in ((_ACCEL_TAG, value & 15), (_GYRO_TAG, value >> 4)):
                self._batch(tag, code)

    def _batch(self, tag: int, code: int) -> None:
        """The batch rate is the rate; while nobody feeds, default samples come at it, the first at once."""
        feed, now_ns = self._feeds[tag], self._now_ns()
        if not 1 <= code <= len(RATES_HZ):
            feed.next_ns = None
            return
        feed.period_ns = -(-_NS // int(RATES_HZ[code - 1]))
        if feed.next_ns is None:
            if feed.rows is None:
                self._give(tag, feed)
            feed.next_ns = now_ns + feed.period_ns

    def _status2(self) -> int:
        n = len(self._fifo)
        watermark = self._registers[_WTM_1] | self._registers[_WTM_2] << 8
        batched = (self._registers[_BDR] & 15 > 0 < self._registers[_CTRL1] >> 4) + (
            self._registers[_BDR] >> 4 > 0 < self._registers[_CTRL2] >> 4
        )
        latched = self._overrun and not self._overrun_seen
        self._overrun_seen = self._overrun
        return (
            n >> 8 & 3
            | latched << 3
            | (n >= FIFO_WORDS - batched) << 5
            | self._overrun << 6
            | (0 < watermark <= n) << 7
        )

    def _output(self, tag: int, sample: tuple[Decimal, ...], byte: int) -> int:
        """One byte of a sample in counts."""
        if tag == _ACCEL_TAG:
            range_g = (
                2
                if self._registers[0x17] & 2 and self._registers[_CTRL1] >> 2 & 3 == 1
                else _FS_G[self._registers[_CTRL1] >> 2 & 3]
            )
            per_unit = Decimal(32768) / range_g
        else:
            range_dps = 125.0 if self._registers[_CTRL2] & 2 else _FS_DPS[self._registers[_CTRL2] >> 2 & 3]
            per_unit = Decimal(1000) / Decimal(str(LSM6DSO.gyro_lsb_mdps[range_dps]))
        counts = int((sample[byte // 2] * per_unit).quantize(Decimal(1), ROUND_HALF_EVEN))
        return max(-32768, min(32767, counts)) >> 8 * (byte % 2) & 0xFF

    def _temperature_counts(self) -> int:
        if self._temperature is not None:
            block = self._temperature
            at = (self._now_ns() - block.start_ns) // block.period_ns
            if 0 <= at < len(block.samples):
                self._temperature_c = Decimal(int(block.samples[at, 0])) / 1000
        return int((self._temperature_c - 25) * 256)

    # Samples

    def feed(self, blocks: Sequence[Block]) -> None:
        """Give it a file's samples from now on: the first at once, then one at every tick of the batch rate.

        Raises:
            RenodeError: samples of a kind that is not batched.
        """
        now_ns = self._now_ns()
        self.catch_up(now_ns / _NS)
        for tag, kind in ((_ACCEL_TAG, SampleType.ACCELERATION_UG), (_GYRO_TAG, SampleType.ANGULAR_RATE_1E5_RAD_S)):
            parts = [block.samples for block in blocks if block.type is kind]
            feed = self._feeds[tag]
            if parts and feed.next_ns is None:
                raise RenodeError(f"{kind.name}: no batch rate is set; Renode's model takes no samples then")
            if parts:
                feed.rows, feed.at, feed.next_ns = np.concatenate(parts).astype(np.int64), 0, now_ns
        self._temperature = next((b for b in blocks if b.type is SampleType.TEMPERATURE_MILLI_C), self._temperature)
        self.catch_up(now_ns / _NS)

    def catch_up(self, now_s: float) -> None:
        """Take all samples up to this time."""
        now_ns = round(now_s * _NS)
        accel, gyro = self._feeds[_ACCEL_TAG], self._feeds[_GYRO_TAG]
        while True:
            due = [
                (feed.next_ns, tag)
                for tag, feed in ((_ACCEL_TAG, accel), (_GYRO_TAG, gyro))
                if feed.next_ns is not None
            ]
            if not due:
                return
            at_ns, tag = min(due, key=lambda entry: entry[0])  # of two at once the accelerometer's, which stands first
            if at_ns > now_ns:
                return
            feed = self._feeds[tag]
            self._give(tag, feed)
            feed.next_ns = at_ns + feed.period_ns

    def _give(self, tag: int, feed: _Feed) -> None:
        if feed.rows is None or feed.at >= len(feed.rows):
            sample: tuple[Decimal, ...] = (Decimal(0),) * 3
            self.unfed += self._registers[_MODE] != _BYPASS
        else:
            sample = tuple(_in_unit(tag, int(value)) for value in feed.rows[feed.at])
            feed.at += 1
        if self._registers[_MODE] == _BYPASS:
            self._keep(tag, sample)
            return
        if self._registers[_MODE] == _CONTINUOUS and len(self._fifo) >= FIFO_WORDS:
            self._overrun = True
            self.words_lost += 1
            self._fifo.popleft()
        self._fifo.append((tag, sample))

    def _keep(self, tag: int, sample: tuple[Decimal, ...]) -> None:
        """What the output registers show from now on."""
        self._latest[tag] = sample
        self._word = (tag, sample)

    def _now_ns(self) -> int:
        return self._clock.now * (_NS // 1_000_000) // (CPU_HZ // 1_000_000)


_DEGREES_PER_1E5_RAD = Decimal(180) / Decimal("3.14159265358979") / 100_000


def _in_unit(tag: int, value: int) -> Decimal:
    """G of micro-g, deg/s of 1e-5 rad/s."""
    return Decimal(value) / 1_000_000 if tag == _ACCEL_TAG else value * _DEGREES_PER_1E5_RAD
