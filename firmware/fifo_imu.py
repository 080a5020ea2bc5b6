"""A stand-in for an LSM6DSO on the host: what the driver sees of it over SPI, strictly by the datasheet (DS12140).

It knows identity, reset, rates, the FIFO with its overrun, and the temperature, and gives samples that were made
elsewhere; everything else is a plain register. Faults of the bus are switched on from outside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_WHO_AM_I, _CTRL1_XL, _CTRL2_G, _CTRL3_C, _FIFO_CTRL3, _FIFO_CTRL4 = 0x0F, 0x10, 0x11, 0x12, 0x09, 0x0A
_OUT_TEMP_L, _STATUS1, _STATUS2, _TAG, _DATA_END = 0x20, 0x3A, 0x3B, 0x78, 0x7E
_IDENTITY, _CTRL3_DEFAULT, _CONTINUOUS = 0x6C, 0x04, 6
_FIFO_WORDS, _WORD_BYTES = 512, 7
_ACCEL, _GYRO = 2, 1
RATES_HZ = (0.0, 12.5, 26.0, 52.0, 104.0, 208.0, 416.0, 833.0, 1666.0, 3332.0, 6664.0)
"""Batch rates by code, table 2's nominal ones."""


class FifoImu:
    """One IMU.

    Attributes:
        answers: False: the wire is cut, every byte reads 0xFF.
        wrong_bytes: numbers of the transfers, counted from 0, whose answer is garbage.
        rate_factor: the sensor's clock against its nominal rate; see `skew`.
        temperature_c: what it reports.
        registers: by address.
    """

    def __init__(self, samples: NDArray[np.int16], time_us: Callable[[], int]) -> None:
        """Give it samples to deliver.

        Args:
            samples: counts (n, 3) of the accelerometer, or (n, 6) with the gyroscope; after the last the FIFO stays
                empty.
            time_us: the clock.
        """
        count, channels = samples.shape
        if samples.dtype != np.int16 or channels not in (3, 6):
            raise ValueError(f"samples must be int16 (n, 3) or (n, 6), not {samples.dtype} {samples.shape}")
        self._per_sample = channels // 3
        words = np.zeros((count, self._per_sample, _WORD_BYTES), np.uint8)
        # In every time slot the gyroscope's word comes first; the tag byte also holds a counter and a parity bit.
        order = (_ACCEL,) if channels == 3 else (_GYRO, _ACCEL)
        for place, kind in enumerate(order):
            tag = kind << 3 | (np.arange(count) & 3) << 1
            words[:, place, 0] = tag | _parity(tag)
            columns = samples[:, :3] if kind == _ACCEL else samples[:, 3:]
            words[:, place, 1:] = columns.astype("<i2").copy().view(np.uint8).reshape(count, 6)
        self._words = words.reshape(-1, _WORD_BYTES)
        self._time_us = time_us
        self.answers = True
        self.wrong_bytes: set[int] = set()
        self.rate_factor = 1.0
        self.temperature_c = 25.0
        self._transfers = 0
        self._delivered = 0  # words taken from the samples by earlier runs of the FIFO
        self._reset()

    def _reset(self) -> None:
        self.registers = bytearray(128)
        self.registers[_CTRL3_C] = _CTRL3_DEFAULT
        self._since_us: int | None = None
        self._tail, self._overrun = 0, False

    def skew(self, factor: float) -> None:
        """From now on the sensor's clock runs by this factor faster than nominal."""
        self._head()
        now_us = self._time_us()
        if self._since_us is not None:
            done = (now_us - self._since_us) * self._rate_hz
            self.rate_factor = factor
            self._since_us = now_us - round(done / self._rate_hz)
        self.rate_factor = factor

    def transfer(self, sent: bytes, count: int) -> bytes:
        """One transfer: `sent` are the first bytes on the wire, `count` their number in all; gives what came back."""
        number, self._transfers = self._transfers, self._transfers + 1
        if not self.answers:
            return b"\xff" * count
        if number in self.wrong_bytes:
            return b"\x5a" * count
        address, is_read = sent[0] & 0x7F, bool(sent[0] & 0x80)
        if is_read:
            return b"\x00" + self._read(address, count - 1)
        for offset, value in enumerate(sent[1:]):
            self._write(address + offset, value)
        return b"\x00" * count

    def _write(self, address: int, value: int) -> None:
        if address == _CTRL3_C and value & 1:
            self._reset()
            return
        self.registers[address] = value
        if address in (_FIFO_CTRL3, _FIFO_CTRL4, _CTRL1_XL):
            runs = self.registers[_FIFO_CTRL4] & 7 == _CONTINUOUS and self._rate_hz > 0
            if runs and self._since_us is None:
                self._since_us, self._tail = self._time_us(), 0
            elif not runs:
                self._since_us = None

    @property
    def _rate_hz(self) -> float:
        """Samples a second into the FIFO: only as batched, and only from a sensor that is switched on."""
        code, on = self.registers[_FIFO_CTRL3] & 15, self.registers[_CTRL1_XL] >> 4
        return RATES_HZ[code] * self.rate_factor if on and code < len(RATES_HZ) else 0.0

    def _head(self) -> int:
        """Words put into the FIFO since it runs."""
        if self._since_us is None:
            return 0
        produced = int((self._time_us() - self._since_us) * self._rate_hz / 1e6 + 1e-9)
        head = int(min(produced * self._per_sample, len(self._words) - self._delivered))
        if head - self._tail > _FIFO_WORDS:
            self._tail, self._overrun = head - _FIFO_WORDS, True
        return head

    def _read(self, address: int, count: int) -> bytes:
        if address == _TAG and count % _WORD_BYTES == 0:
            first = self._delivered + self._tail
            there = min(count // _WORD_BYTES, self._head() - self._tail)
            self._tail += there
            return self._words[first : first + there].tobytes() + b"\x00" * (count - there * _WORD_BYTES)
        answer = bytearray()
        for _ in range(count):
            answer.append(self._register(address))
            address = _TAG if address == _DATA_END else (address + 1) & 0x7F
        return bytes(answer)

    def _register(self, address: int) -> int:
        if address == _WHO_AM_I:
            return _IDENTITY
        if address in (_STATUS1, _STATUS2):
            waiting = self._head() - self._tail
            if address == _STATUS1:
                return waiting & 0xFF
            overrun, self._overrun = self._overrun, False
            return int(waiting >> 8) | (0x48 if overrun else 0) | (0x20 if waiting == _FIFO_WORDS else 0)
        if address in (_OUT_TEMP_L, _OUT_TEMP_L + 1):
            counts = round((self.temperature_c - 25.0) * 256) & 0xFFFF
            return counts >> 8 * (address - _OUT_TEMP_L) & 0xFF
        return int(self.registers[address])


def _parity(tag: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bit that makes the number of ones in the tag byte even."""
    bits = tag
    for shift in (4, 2, 1):
        bits = bits ^ bits >> shift
    return bits & 1
