"""The built-in copy of Renode's LSM6DSO against what is known of that model: read in its sources, or seen on a Renode."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from emulator.clock import CPU_HZ, Clock
from emulator.sources import ArraySource
from renode.errors import RenodeError
from renode.feed import blocks_of
from renode.lsm6dso import RenodeLsm6dso
from renode.resd import SampleType


class Bus:
    """The device with a clock that is set by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.device = RenodeLsm6dso(self.clock)

    def at(self, seconds: float) -> Bus:
        self.clock.slept = round(seconds * CPU_HZ)
        return self

    def transfer(self, *sent: int, more: int = 0) -> list[int]:
        self.device.select()
        answer = [self.device.transfer(byte) for byte in (*sent, *[0] * more)]
        self.device.deselect()
        return answer[len(sent) :] if more else answer

    def read(self, address: int, count: int = 1) -> list[int]:
        return self.transfer(0x80 | address, more=count)

    def write(self, address: int, value: int) -> None:
        self.transfer(address, value)

    def words(self) -> list[tuple[int, list[int]]]:
        """All that the FIFO holds: tag byte, three values."""
        low, high = self.read(0x3A, 2)
        found = []
        for _ in range(low | (high & 3) << 8):
            word = self.read(0x78, 7)
            found.append((word[0], np.array(word[1:], np.uint8).view("<i2").tolist()))
        return found


def configured(gyro: bool = True) -> Bus:
    bus = Bus()
    for address, value in (
        (0x12, 0x44),
        (0x10, 0x84),
        (0x11, 0x8C if gyro else 0),
        (0x09, 0x88 if gyro else 0x08),
        (0x0A, 6),
    ):
        bus.write(address, value)
    return bus


def source(samples: int = 3000) -> tuple[ArraySource, np.ndarray[tuple[int, ...], np.dtype[np.int16]]]:
    counts = np.random.default_rng(1).integers(-32768, 32768, (samples, 6)).astype(np.int16)
    return ArraySource(counts, 1666.0), counts


def test_registers_hold_only_what_the_model_holds() -> None:
    bus = Bus()
    assert bus.read(0x0F) == [0x6C]
    assert bus.read(0x12) == [0x04]
    bus.write(0x12, 0x44)
    assert bus.read(0x12) == [0x04]  # BDU is a tag without storage there
    bus.write(0x14, 0x05)
    assert bus.read(0x14) == [0]  # no self-test
    bus.write(0x10, 0x86)
    assert bus.read(0x10) == [0x84]
    bus.write(0x10, 0x84)
    bus.write(0x12, 0x05)
    assert bus.read(0x10) == [0x84]  # the software reset does nothing
    assert bus.read(0x1E) == [0]  # no STATUS_REG


def test_every_sample_comes_once_in_order_from_the_first() -> None:
    """As seen on Renode 1.16.1, fed right after the batch rate was set: 2,905 samples in 175 alarms of 10 ms, accelerometer
    (tag 0x10) and gyroscope (0x08) in turn."""
    bus, (samples, counts) = configured(), source()
    bus.at(0.0001).device.feed(blocks_of(samples)[0])
    got = []
    for tick in range(1, 176):
        got += bus.at(0.01 * tick).words()
    assert [tag for tag, _ in got] == [0x10, 0x08] * 2905
    accel = [values for tag, values in got if tag == 0x10]
    gyro = [values for tag, values in got if tag == 0x08]
    np.testing.assert_array_equal(accel, counts[: len(accel), :3])
    np.testing.assert_array_equal(gyro, counts[: len(gyro), 3:])


def test_defaults_come_while_nobody_feeds() -> None:
    bus = configured(gyro=False)
    words = bus.at(0.01).words()
    assert len(words) == 16  # 1660 Hz; the one at once came before the FIFO was on
    assert set(map(str, words)) == {str((0x10, [0, 0, 0]))}


def test_an_overrun_lasts_until_the_fifo_is_bypassed() -> None:
    bus = configured(gyro=False)
    assert bus.at(0.5).read(0x3A, 2)[1] & 0x48 == 0x48
    assert bus.device.words_lost > 100
    bus.words()
    assert bus.read(0x3B)[0] & 0x48 == 0x40  # latched is told once, the overrun again and again
    bus.write(0x0A, 0)
    bus.write(0x0A, 6)
    assert bus.read(0x3A, 2) == [0, 0]


def test_without_a_batch_rate_it_cannot_be_fed() -> None:
    """Renode's model would make a thread of 0 Hz, which is an error there."""
    bus, (samples, _) = Bus(), source()
    bus.write(0x0A, 6)
    with pytest.raises(RenodeError, match="ACCELERATION_UG: no batch rate"):
        bus.device.feed(blocks_of(samples)[0])
    assert bus.at(0.1).words() == []
    with pytest.raises(RenodeError, match="ANGULAR_RATE_1E5_RAD_S: no batch rate"):
        configured(gyro=False).device.feed(blocks_of(samples)[0])


def test_after_the_last_sample_come_defaults() -> None:
    bus, (samples, counts) = configured(), source(20)
    bus.device.feed(blocks_of(samples)[0])
    accel = [values for tag, values in bus.at(0.05).words() if tag == 0x10]
    np.testing.assert_array_equal(accel[:20], counts[:, :3])
    assert len(accel) > 50
    assert accel[20:] == [[0, 0, 0]] * (len(accel) - 20)


def test_output_registers_keep_the_last_word_but_for_a_bypass() -> None:
    bus, (samples, counts) = configured(gyro=False), source()
    bus.device.feed([block for block in blocks_of(samples)[0] if block.type is not SampleType.ANGULAR_RATE_1E5_RAD_S])
    last = bus.at(0.01).words()[-1][1]
    assert last == counts[16, :3].tolist()
    bus.write(0x09, 0)  # no more samples
    assert np.array(bus.read(0x78, 7)[1:], np.uint8).view("<i2").tolist() == last  # the tag reads 0
    assert np.array(bus.read(0x28, 6), np.uint8).view("<i2").tolist() == last
    bus.write(0x0A, 0)
    assert bus.read(0x28, 6) == [0] * 6


def test_temperature_is_the_feeds() -> None:
    bus, counts = configured(), np.zeros((100, 6), np.int16)
    assert np.array(bus.read(0x20, 2), np.uint8).view("<i2")[0] == -25 * 256  # 0 degrees
    bus.device.feed(blocks_of(ArraySource(counts, 1666.0, temperature_c=31.5))[0])
    assert np.array(bus.read(0x20, 2), np.uint8).view("<i2")[0] == 6.5 * 256
    bus.device.power_on()  # a reset of the machine stops the feed; the property stays
    assert np.array(bus.read(0x20, 2), np.uint8).view("<i2")[0] == 6.5 * 256
