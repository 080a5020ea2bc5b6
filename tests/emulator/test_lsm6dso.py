"""The LSM6DSO's model at its bus, against the figures of ST's datasheet DS12140 and application note AN5192."""

from typing import Any

import numpy as np
import pytest

from emulator.clock import CPU_HZ, Clock
from emulator.errors import AccessError
from emulator.lsm6dso import FIFO_WORDS, Lsm6dso
from emulator.sources import ArraySource
from sim.errors import ParameterError

CTRL1_XL, CTRL2_G, CTRL3_C, CTRL5_C = 0x10, 0x11, 0x12, 0x14
FIFO_CTRL1, FIFO_CTRL2, FIFO_CTRL3, FIFO_CTRL4 = 0x07, 0x08, 0x09, 0x0A
CONTINUOUS = 6
ODR_1666, FS_16G = 8 << 4, 1 << 2


class Bench:
    """A device at a bus of its own; time passes by hand."""

    def __init__(self, source: ArraySource, **options: Any) -> None:
        self.clock = Clock()
        self.device = Lsm6dso(self.clock, source, **options)

    def wait(self, seconds: float) -> None:
        self.clock.slept += round(seconds * CPU_HZ)

    def read(self, address: int, n: int = 1) -> bytes:
        self.device.select()
        self.device.transfer(0x80 | address)
        data = bytes(self.device.transfer(0) for _ in range(n))
        self.device.deselect()
        return data

    def write(self, address: int, *values: int) -> None:
        self.device.select()
        self.device.transfer(address)
        for value in values:
            self.device.transfer(value)
        self.device.deselect()

    def axes(self, address: int) -> list[int]:
        return np.frombuffer(self.read(address, 6), dtype="<i2").tolist()

    def waiting(self) -> int:
        status = self.read(0x3A, 2)
        return status[0] | (status[1] & 3) << 8

    def words(self, n: int) -> list[tuple[int, list[int]]]:
        """Tag and axes of n words, in one burst."""
        data = self.read(0x78, 7 * n)
        return [(data[i], np.frombuffer(data[i + 1 : i + 7], dtype="<i2").tolist()) for i in range(0, 7 * n, 7)]


def ramp(n: int = 4000, rate_hz: float = 1666.0, **options: Any) -> ArraySource:
    counts = np.stack([np.arange(n) * k for k in (1, -1, 2, -2, 3, -3)], axis=1)
    return ArraySource(counts, rate_hz, **options)


def still(x: int = 0, rate_hz: float = 1666.0, **options: Any) -> ArraySource:
    return ArraySource(np.full((10, 6), x), rate_hz, **options)


def test_answers_with_the_datasheets_defaults() -> None:
    bench = Bench(still())
    assert bench.read(0x0F) == b"\x6c"
    assert bench.read(CTRL3_C) == b"\x04"  # IF_INC
    assert bench.read(0x18) == b"\xe0"  # CTRL9_XL
    assert bench.read(0x02) == b"\x3f"  # PIN_CTRL
    assert bench.read(CTRL1_XL, 2) == b"\0\0"


def test_address_counts_up_only_with_if_inc() -> None:
    bench = Bench(still())
    bench.write(CTRL1_XL, 0x84, 0x8C)
    assert bench.read(CTRL1_XL, 3) == b"\x84\x8c\x04"
    bench.write(CTRL3_C, 0x00)
    assert bench.read(CTRL1_XL, 3) == b"\x84\x84\x84"


@pytest.mark.parametrize(("code", "range_g"), [(0, 2.0), (1, 16.0), (2, 4.0), (3, 8.0)])
def test_accelerometer_ranges_have_the_datasheets_sensitivity(code: int, range_g: float) -> None:
    # Table 2, LA_So: 0.061, 0.122, 0.244, 0.488 mg/LSB; 1 g is 2049 counts of the 16 g source.
    bench = Bench(still(2049))
    bench.write(CTRL1_XL, ODR_1666 | code << 2)
    bench.wait(0.01)
    mg = {2.0: 0.061, 4.0: 0.122, 8.0: 0.244, 16.0: 0.488}[range_g]
    assert bench.axes(0x28) == [round(2049 * 0.488 / mg)] * 3


def test_readings_clip_at_16_bits() -> None:
    bench = Bench(still(20000))
    bench.write(CTRL1_XL, ODR_1666)  # 2 g, and the source measures 9.8 g
    bench.wait(0.01)
    assert bench.axes(0x28) == [32767] * 3


@pytest.mark.parametrize(("bits", "range_dps"), [(0x0, 250), (0x4, 500), (0x8, 1000), (0xC, 2000), (0x2, 125)])
def test_gyroscope_ranges(bits: int, range_dps: int) -> None:
    bench = Bench(still(100))
    bench.write(CTRL2_G, ODR_1666 | bits)
    bench.wait(0.01)
    assert bench.axes(0x22) == [100 * 2000 // range_dps] * 3


def test_fifo_gives_every_sample_once_in_order() -> None:
    bench = Bench(ramp())
    bench.write(CTRL1_XL, ODR_1666 | FS_16G, ODR_1666 | 0xC)
    bench.write(FIFO_CTRL3, 0x88, CONTINUOUS)
    got: list[tuple[int, list[int]]] = []
    while bench.clock.now_s < 2.0:
        bench.wait(0.0117)
        got += bench.words(bench.waiting())
    accel = [axes for tag, axes in got if tag >> 3 == 2]
    gyro = [axes for tag, axes in got if tag >> 3 == 1]
    # Sample 0 was taken at time 0, before the device was on.
    n = int(bench.clock.now_s * 1666)
    expected = np.arange(1, n + 1)
    np.testing.assert_array_equal(accel, np.stack([expected, -expected, 2 * expected], axis=1))
    np.testing.assert_array_equal(gyro, np.stack([-2 * expected, 3 * expected, -3 * expected], axis=1))
    assert bench.device.words_lost == bench.device.resampled == 0


def test_tags_carry_a_slot_counter_and_even_parity() -> None:
    bench = Bench(ramp())
    bench.write(CTRL1_XL, ODR_1666 | FS_16G, ODR_1666 | 0xC)
    bench.write(FIFO_CTRL3, 0x88, CONTINUOUS)
    bench.wait(10.5 / 1666)
    tags = [tag for tag, _ in bench.words(bench.waiting())]
    assert len(tags) == 20
    assert all(tag.bit_count() % 2 == 0 for tag in tags)
    assert [tag >> 1 & 3 for tag in tags] == [slot % 4 for slot in range(10) for _ in range(2)]
    assert [tag >> 3 for tag in tags] == [1, 2] * 10


def test_fifo_that_nobody_reads_keeps_the_newest_and_says_so() -> None:
    bench = Bench(ramp())
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(FIFO_CTRL3, 0x08, CONTINUOUS)
    bench.wait(600.5 / 1666)
    low, status = bench.read(0x3A, 2)
    assert low | (status & 3) << 8 == FIFO_WORDS
    assert status & 0x68 == 0x68  # overrun, full, overrun latched
    values = [axes[0] for _, axes in bench.words(FIFO_WORDS)]
    assert values == list(range(600 - FIFO_WORDS + 1, 601))
    assert bench.device.words_lost == 600 - FIFO_WORDS
    assert bench.read(0x3B)[0] & 0x48 == 0  # the latch was cleared by reading it


def test_fifo_mode_stops_when_full_and_bypass_empties_it() -> None:
    bench = Bench(ramp())
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(FIFO_CTRL3, 0x08, 1)
    bench.wait(600.5 / 1666)
    assert [axes[0] for _, axes in bench.words(3)] == [1, 2, 3]
    bench.write(FIFO_CTRL4, 0)
    assert bench.waiting() == 0


def test_watermark() -> None:
    bench = Bench(ramp())
    bench.write(FIFO_CTRL1, 20)
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(FIFO_CTRL3, 0x08, CONTINUOUS)
    bench.wait(19.5 / 1666)
    assert bench.read(0x3B)[0] & 0x80 == 0
    bench.wait(1 / 1666)
    assert bench.read(0x3B)[0] & 0x80 == 0x80


def test_batch_rate_below_the_output_rate_takes_every_nth() -> None:
    bench = Bench(ramp())
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(FIFO_CTRL3, 0x06, CONTINUOUS)  # 416 Hz
    bench.wait(40.5 / 1666)
    assert [axes[0] for _, axes in bench.words(bench.waiting())] == list(range(4, 41, 4))


@pytest.mark.parametrize(
    ("code", "rate_hz"),
    [(1, 12.5), (2, 26), (3, 52), (4, 104), (5, 208), (6, 416), (7, 833), (8, 1666), (9, 3332), (10, 6664)],
)
def test_rates_of_the_datasheet(code: int, rate_hz: float) -> None:
    bench = Bench(ramp(rate_hz=6664.0))
    bench.write(CTRL1_XL, code << 4 | FS_16G)
    bench.write(FIFO_CTRL3, code, CONTINUOUS)
    taken = 0
    for _ in range(200):
        bench.wait(0.01)
        taken += len(bench.words(bench.waiting()))
    assert taken == pytest.approx(2 * rate_hz, abs=1)
    assert bench.device.resampled == (0 if code == 10 else taken)


def test_a_clock_that_is_fast_is_seen_in_the_times_and_in_internal_freq_fine() -> None:
    bench = Bench(ramp(rate_error=0.015))
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(FIFO_CTRL3, 0x08, CONTINUOUS)
    bench.wait(0.3)
    assert bench.waiting() == int(0.3 * 1666 * 1.015)
    assert bench.read(0x63)[0] == 10  # steps of 0.15 %


def test_self_test_moves_the_reading_as_table_2_allows() -> None:
    bench = Bench(still(100))
    bench.write(CTRL1_XL, ODR_1666 | FS_16G, ODR_1666 | 0xC)
    bench.wait(0.01)
    accel, gyro = bench.axes(0x28), bench.axes(0x22)
    for bits, sign in ((0x05, 1), (0x0A, -1)):
        bench.write(CTRL5_C, {0x05: 0x05, 0x0A: 0x0E}[bits])  # positive: 01 and 01; negative: 10 and 11
        bench.wait(0.01)
        moved_mg = (np.array(bench.axes(0x28)) - accel) * 0.488 * sign
        moved_dps = (np.array(bench.axes(0x22)) - gyro) * 0.070 * sign
        assert ((moved_mg > 50) & (moved_mg < 1700)).all()
        assert ((moved_dps > 150) & (moved_dps < 700)).all()


def test_self_test_of_a_dead_device_moves_nothing() -> None:
    bench = Bench(still(100), self_test_response=0.0)
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(CTRL5_C, 0x01)
    bench.wait(0.01)
    assert bench.axes(0x28) == [100] * 3


def test_temperature_and_data_ready() -> None:
    bench = Bench(still(1, temperature_c=35.5))
    assert bench.read(0x1E) == b"\0"
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.wait(0.01)
    assert np.frombuffer(bench.read(0x20, 2), dtype="<i2")[0] == 256 * 10.5  # 256 LSB per degree from 25 on
    assert bench.read(0x1E)[0] & 3 == 1
    bench.read(0x28, 6)
    assert bench.read(0x1E)[0] & 3 == 0


def test_after_its_last_sample_a_source_repeats_it_and_says_so() -> None:
    bench = Bench(ramp(n=50))
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(FIFO_CTRL3, 0x08, CONTINUOUS)
    bench.wait(40.5 / 1666)
    assert not bench.device.source_over
    bench.wait(20.0 / 1666)
    assert [axes[0] for _, axes in bench.words(bench.waiting())] == [*range(1, 50), *[49] * 11]
    assert bench.device.source_over


def test_bdu_keeps_the_halves_of_a_reading_together() -> None:
    for bdu, expected in ((0x44, 255), (0x04, 511)):
        bench = Bench(ramp())
        bench.write(CTRL3_C, bdu)
        bench.write(CTRL1_XL, ODR_1666 | FS_16G)
        bench.wait(255.5 / 1666)
        low = bench.read(0x28)[0]
        bench.wait(1 / 1666)
        assert bench.read(0x29)[0] << 8 | low == expected


def test_software_reset_and_power_down() -> None:
    bench = Bench(ramp())
    bench.write(CTRL1_XL, ODR_1666 | FS_16G)
    bench.write(FIFO_CTRL3, 0x08, CONTINUOUS)
    bench.wait(0.01)
    bench.write(CTRL3_C, 0x01)
    assert bench.waiting() == 0
    assert bench.read(CTRL1_XL) == b"\0"
    assert bench.read(CTRL3_C) == b"\x04"


def test_what_is_not_modelled_is_refused() -> None:
    bench = Bench(still())
    with pytest.raises(AccessError, match="imu: register 0x56 is not modelled"):
        bench.read(0x56)
    with pytest.raises(AccessError, match="register 0x0f is not modelled or read-only"):
        bench.write(0x0F, 1)
    with pytest.raises(AccessError, match="FIFO mode 3"):
        bench.write(FIFO_CTRL4, 3)
    with pytest.raises(AccessError, match="bits 0x40 of register 0x0a"):
        bench.write(FIFO_CTRL4, 0x46)
    with pytest.raises(ParameterError, match=r"source of 1600 Hz; allowed: 12\.5, 26"):
        Bench(still(rate_hz=1600.0))
    with pytest.raises(ParameterError, match="source of 3 g"):
        Bench(still(accel_range_g=3.0))
