"""A real LSM6DSO on an I2C bus of Linux, read through its FIFO.

By ST's datasheet DS12140: registers in section 9, FIFO words (a tag and six bytes) in section 6.5.7 and 9, sensitivities in
table 2. The bus is behind `Bus`, so that the driver is tested against a model of the registers.
"""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Protocol

import numpy as np

from models.monitor.source import LSB_TOLERANCE, RATE_TOLERANCE, Block, Format, Source, SourceError
from models.preprocessing import Counts
from sim.sensors.devices import LSM6DSO

WHO_AM_I, CTRL1_XL, CTRL2_G, CTRL3_C = 0x0F, 0x10, 0x11, 0x12
FIFO_CTRL3, FIFO_CTRL4, FIFO_STATUS1, FIFO_DATA_OUT_TAG = 0x09, 0x0A, 0x3A, 0x78
IDENTITY = 0x6C
ADDRESSES = (0x6A, 0x6B)
"""By the level at SA0."""

_SW_RESET, _BDU_IF_INC = 0x01, 0x44
_BYPASS, _CONTINUOUS = 0, 6
_RANGE_G = {2.0: 0b00, 16.0: 0b01, 4.0: 0b10, 8.0: 0b11}  # FS[1:0]_XL, bits 3:2
_RANGE_DPS = {250.0: 0b000, 125.0: 0b001, 500.0: 0b010, 1000.0: 0b100, 2000.0: 0b110}  # FS[1:0]_G and FS_125, bits 3:1
_CODE = {rate_hz: number for number, rate_hz in enumerate(LSM6DSO.odrs_hz, start=1)}  # ODR and BDR have the same codes
_TAG_GYRO, _TAG_ACCEL = 1, 2  # TAG_SENSOR, bits 7:3; TAG_CNT, the number of the time slot modulo 4, is in bits 2:1
_OVERRUN = 0x08  # FIFO_OVR_LATCHED in FIFO_STATUS2
_WORD, _BURST = 7, 32  # bytes of a word; words of one transfer, few enough for any adapter
_QUARTER = 128  # of the FIFO's words: with so many read at once there is no time to rest
_RESET_TRIES = 50

_CHANNELS = tuple(f"accel_{axis}_g" for axis in "xyz") + tuple(f"gyro_{axis}_dps" for axis in "xyz")

SETTLE_S = 0.1  # dropped after the start: filters, and the gyroscope's start; the datasheet names no one figure
RETRY_S = 0.5
PAUSE_S = 0.05  # between two looks at the FIFO, at the most


class Bus(Protocol):
    """One device on a bus; OSError when it does not answer."""

    def read(self, register: int, count: int) -> bytes:
        """`count` bytes from `register` on, in one transfer."""

    def write(self, register: int, value: int) -> None:
        """One byte to a register."""

    def close(self) -> None:
        """Give the bus back."""


class Lost(Exception):
    """Samples are missing between the last read and the next; says why."""


class Lsm6dso:
    """The sensor: start it, read what its FIFO holds, stop it.

    Args:
        bus: it alone.
        rate_hz: of LSM6DSO.odrs_hz.
        range_g, range_dps: full scale; None leaves that half of the sensor off.
    """

    def __init__(self, bus: Bus, rate_hz: float, range_g: float | None, range_dps: float | None) -> None:
        self._bus, self._code = bus, _CODE[rate_hz]
        self._range_g, self._range_dps = range_g, range_dps
        enabled = ((range_dps, _TAG_GYRO), (range_g, _TAG_ACCEL))
        self._tags = [tag for full_scale, tag in enabled if full_scale is not None]
        self._rest, self._slot = b"", -1

    def start(self) -> None:
        """Reset and configure it; its FIFO fills from now on.

        Raises:
            SourceError: it is another device. OSError: it does not answer.
        """
        found = self._bus.read(WHO_AM_I, 1)[0]
        if found != IDENTITY:
            raise SourceError(f"WHO_AM_I is 0x{found:02X}; an LSM6DSO answers 0x{IDENTITY:02X}: is it another sensor?")
        self._bus.write(CTRL3_C, _SW_RESET)
        for _ in range(_RESET_TRIES):
            if not self._bus.read(CTRL3_C, 1)[0] & _SW_RESET:
                break
        else:
            raise OSError(errno.ETIMEDOUT, "its reset does not end")
        accel, gyro = self._range_g is not None, self._range_dps is not None
        self._bus.write(CTRL3_C, _BDU_IF_INC)
        self._bus.write(FIFO_CTRL4, _BYPASS)
        self._bus.write(FIFO_CTRL3, self._code * gyro << 4 | self._code * accel)
        if self._range_g is not None:
            self._bus.write(CTRL1_XL, self._code << 4 | _RANGE_G[self._range_g] << 2)
        if self._range_dps is not None:
            self._bus.write(CTRL2_G, self._code << 4 | _RANGE_DPS[self._range_dps] << 1)
        self._bus.write(FIFO_CTRL4, _CONTINUOUS)
        self._rest, self._slot = b"", -1

    def read(self) -> Counts:
        """All whole samples in the FIFO, (n, 3 or 6) int16: accelerometer, then gyroscope; n may be 0.

        Raises:
            Lost: samples are missing; start it again. OSError: it does not answer.
        """
        left, parts = self._words(), [self._rest]
        while left:
            count = min(left, _BURST)
            parts.append(self._bus.read(FIFO_DATA_OUT_TAG, _WORD * count))
            left -= count
        try:
            return self._samples(b"".join(parts))
        except Lost:
            self._words()  # it may have run over meanwhile, which says more
            raise

    def stop(self) -> None:
        """Power down; the FIFO stays as it is."""
        self._bus.write(CTRL1_XL, 0)
        self._bus.write(CTRL2_G, 0)

    def _words(self) -> int:
        """How many words the FIFO holds; Lost when it has run over since it was asked last."""
        low, high = self._bus.read(FIFO_STATUS1, 2)
        if high & _OVERRUN:
            raise Lost("fifo overrun: the bus or this machine is too slow")
        return int(low | (high & 3) << 8)

    def _samples(self, content: bytes) -> Counts:
        width = len(self._tags)
        whole = len(content) // (_WORD * width) * _WORD * width
        self._rest = content[whole:]
        words = np.frombuffer(content[:whole], np.uint8).reshape(-1, width, _WORD)
        if not len(words):
            return np.empty((0, 3 * width), np.int16)
        tags, slots = words[:, :, 0] >> 3, words[:, :, 0] >> 1 & 3
        order = tags.argsort(axis=1)
        if (np.take_along_axis(tags, order, axis=1) != self._tags).any():
            raise Lost("fifo words out of order")
        following = (
            np.diff(slots[:, 0].astype(int), prepend=self._slot if self._slot >= 0 else int(slots[0, 0]) - 1) % 4
        )
        if (slots != slots[:, :1]).any() or (following != 1).any():
            raise Lost("fifo words missing")
        self._slot = int(slots[-1, 0])
        data = np.ascontiguousarray(words[:, :, 1:]).view("<i2")  # (n, width, 3)
        data = np.take_along_axis(data, order[:, :, None], axis=1)[:, ::-1]  # the accelerometer first
        return data.reshape(-1, 3 * width).astype(np.int16)


class SensorSource(Source):
    """An LSM6DSO set to the rate and ranges of what the model takes.

    Time is counted in samples at the nominal rate, from the start, and set by the clock after a gap. A bus that fails later
    on is trouble, not the end: the sensor is started again until it answers.

    Args:
        name: for messages.
        bus: the sensor's.
        wanted: what the model takes.
        clock, sleep: in s; other ones in tests.

    Raises:
        SourceError: a rate, channel or range that the device does not have.
    """

    def __init__(
        self,
        name: str,
        bus: Bus,
        wanted: Format,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        rate_hz = _nearest_rate(name, wanted)
        range_g = _range_of(name, wanted, "accel", {g: mg / 1e3 for g, mg in LSM6DSO.accel_lsb_mg.items()})
        range_dps = _range_of(name, wanted, "gyro", {dps: m / 1e3 for dps, m in LSM6DSO.gyro_lsb_mdps.items()})
        lsb: list[float] = []
        channels: list[str] = []
        if range_g is not None:
            lsb += [LSM6DSO.accel_lsb_mg[range_g] / 1e3] * 3
            channels += _CHANNELS[:3]
        if range_dps is not None:
            lsb += [LSM6DSO.gyro_lsb_mdps[range_dps] / 1e3] * 3
            channels += _CHANNELS[3:]
        super().__init__(name, Format(tuple(channels), rate_hz, tuple(lsb)))
        self._bus, self._sensor = bus, Lsm6dso(bus, rate_hz, range_g, range_dps)
        self._rate_hz, self._clock, self._sleep = rate_hz, clock, sleep
        self._silent_s = max(RETRY_S, 10.0 / rate_hz)

    def blocks(self) -> Generator[Block, None, None]:
        """Without end; the sensor is powered down and its bus closed when the iterator is.

        Raises:
            SourceError: nobody, or another device, answers at the start.
        """
        try:
            yield from self._blocks()
        finally:
            with suppress(OSError):
                self._sensor.stop()
            self._bus.close()

    def _blocks(self) -> Iterator[Block]:
        begin_s, end_s = self._clock(), 0.0
        try:
            self._sensor.start()
        except OSError as error:
            raise SourceError(f"{self.name}: no answer ({error.strerror or error}); is it wired and powered?") from None
        except SourceError as error:
            raise SourceError(f"{self.name}: {error}") from None
        while True:
            try:
                for block in self._run(begin_s, end_s):
                    yield block
                    end_s = block.time_s + len(block.counts) / self._rate_hz
            except (Lost, OSError) as error:
                why = str(error) if isinstance(error, Lost) else f"bus: {error.strerror or error}"
            end_s = max(end_s, self._clock() - begin_s)
            yield self._trouble(end_s, why)
            while True:
                try:
                    self._sensor.start()
                    break
                except (OSError, SourceError) as error:
                    self._sleep(RETRY_S)
                    end_s = max(end_s, self._clock() - begin_s)
                    yield self._trouble(end_s, f"bus: {getattr(error, 'strerror', None) or error}")

    def _run(self, begin_s: float, end_s: float) -> Iterator[Block]:
        """Blocks from a start of the sensor until something is lost, which is raised."""
        to_drop, follows, at_s = math.ceil(SETTLE_S * self._rate_hz), False, end_s
        heard_s = self._clock()
        while True:
            counts = self._sensor.read()
            now_s = self._clock()
            if len(counts):
                heard_s = now_s
            elif now_s - heard_s > self._silent_s:
                raise Lost(f"no samples for {now_s - heard_s:.1f} s")
            behind = len(counts) * counts.shape[1] // 3 >= _QUARTER
            dropped = min(to_drop, len(counts))
            to_drop, counts = to_drop - dropped, counts[dropped:]
            if len(counts):
                if not follows:
                    at_s = max(end_s, now_s - begin_s - len(counts) / self._rate_hz)
                yield Block(counts, at_s, follows=follows)
                at_s, follows = at_s + len(counts) / self._rate_hz, True
            if not behind:
                self._sleep(min(PAUSE_S, 64 / self._rate_hz))

    def _trouble(self, time_s: float, why: str) -> Block:
        return Block(np.empty((0, len(self.format.channels)), np.int16), time_s, follows=False, trouble=why)


def _nearest_rate(name: str, wanted: Format) -> float:
    for rate_hz in LSM6DSO.odrs_hz:
        if wanted.rate_hz is not None and math.isclose(rate_hz, wanted.rate_hz, rel_tol=RATE_TOLERANCE):
            return rate_hz
    asked = "has no rate" if wanted.rate_hz is None else f"was trained at {wanted.rate_hz:g} Hz"
    raise SourceError(
        f"{name}: the model {asked}; an LSM6DSO has {', '.join(f'{rate:g}' for rate in LSM6DSO.odrs_hz)} Hz"
    )


def _range_of(name: str, wanted: Format, kind: str, lsb: dict[float, float]) -> float | None:
    """Full scale with the wanted step; None when no channel of this kind is wanted."""
    steps = [(channel, step) for channel, step in zip(wanted.channels, wanted.lsb, strict=True) if kind in channel]
    strange = [channel for channel in wanted.channels if channel not in _CHANNELS]
    if strange:
        raise SourceError(f"{name}: no channel {strange[0]!r}; an LSM6DSO has {', '.join(_CHANNELS)}")
    if not steps:
        return None
    for full_scale, step in lsb.items():
        if all(math.isclose(each, step, rel_tol=LSB_TOLERANCE) for _, each in steps):
            return full_scale
    raise SourceError(
        f"{name}: the model was trained with {steps[0][1]:.6g} a count of {steps[0][0]}; an LSM6DSO has"
        f" {', '.join(f'{step:g} (range {full_scale:g})' for full_scale, step in lsb.items())}"
    )


class LinuxBus:
    """A device at an address of /dev/i2c-N, by the PyPI package smbus2 (combined transfers of any length)."""

    def __init__(self, number: int, address: int) -> None:
        from smbus2 import SMBus

        self._bus, self._address = SMBus(number), address

    def read(self, register: int, count: int) -> bytes:
        """`count` bytes from `register` on, after a repeated start."""
        from smbus2 import i2c_msg

        answer = i2c_msg.read(self._address, count)
        self._bus.i2c_rdwr(i2c_msg.write(self._address, [register]), answer)
        return bytes(answer)

    def write(self, register: int, value: int) -> None:
        """One byte to a register."""
        self._bus.write_byte_data(self._address, register, value)

    def close(self) -> None:
        """Close the device file."""
        self._bus.close()


def i2c_source(text: str, wanted: Format) -> SensorSource:
    """The sensor at `BUS:ADDRESS`, such as `1:0x6a`.

    Raises:
        SourceError: another form, no such bus, or no right to it; smbus2 is not installed.
    """
    name = f"i2c:{text}"
    bus, _, address = text.partition(":")
    try:
        number, at = int(bus), int(address, 0)
    except ValueError:
        raise SourceError(f"{name}: allowed is i2c:BUS:ADDRESS, such as i2c:1:0x6a") from None
    if at not in ADDRESSES or number < 0:
        raise SourceError(f"{name}: an LSM6DSO answers at 0x6a or 0x6b, by its pin SA0; the bus is a number from 0 on")
    try:
        device = LinuxBus(number, at)
    except ImportError:
        raise SourceError("smbus2 is not installed: pip install 'simtwin[monitor]'") from None
    except OSError as error:
        raise SourceError(
            f"{name}: /dev/i2c-{number} cannot be opened ({os.strerror(error.errno) if error.errno else error}): is I2C"
            " switched on, and may this user use it?"
        ) from None
    return SensorSource(name, device, wanted)
