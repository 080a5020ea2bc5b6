"""The driver of a real LSM6DSO, against a model of its registers made from the datasheet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest

from models.monitor.checks import check_source
from models.monitor.lsm6dso import LinuxBus, SensorSource, i2c_source
from models.monitor.source import Block, Format, SourceError
from tests.models.monitor.registers import Clock, Registers

ACCEL = ("accel_x_g", "accel_y_g", "accel_z_g")
GYRO = ("gyro_x_dps", "gyro_y_dps", "gyro_z_dps")
RANGES_G = {2: 0.061e-3, 4: 0.122e-3, 8: 0.244e-3, 16: 0.488e-3}  # DS12140 table 2
RANGES_DPS = {125: 4.375e-3, 250: 8.75e-3, 500: 17.5e-3, 1000: 35e-3, 2000: 70e-3}


def wanted(rate_hz: float = 3332.0, accel: float | None = 0.488e-3, gyro: float | None = None) -> Format:
    channels = (ACCEL if accel else ()) + (GYRO if gyro else ())
    return Format(channels, rate_hz, (accel,) * 3 * bool(accel) + (gyro,) * 3 * bool(gyro))  # type: ignore[arg-type]


def moving(time_s: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Another value at every sample and channel."""
    a, b = math.sin(700 * time_s), math.cos(300 * time_s)
    return (1.3 * a, 0.7 * b, 1.0 + 0.5 * a * b), (90 * b, -50 * a, 20 * a * a)


def source(form: Format, **settings: Any) -> tuple[Registers, SensorSource]:
    clock = Clock()
    registers = Registers(clock, **{"signal": moving, **settings})
    return registers, SensorSource("i2c:test", registers, form, clock, clock.sleep)


def read(stream: SensorSource, blocks: int) -> list[Block]:
    return list(islice(stream.blocks(), blocks))


@pytest.mark.parametrize("rate_hz", [12.5, 26, 52, 104, 208, 416, 833, 1666, 3332, 6664])
@pytest.mark.parametrize("gyro", [None, 17.5e-3])
def test_every_sample_arrives_once_and_in_order(rate_hz: float, gyro: float | None) -> None:
    words_hz = rate_hz * (2 if gyro else 1)  # of 7 bytes, 9 bits each: 6664 of them are beyond 400 kHz
    registers, stream = source(wanted(rate_hz, gyro=gyro), bit_hz=1e6 if words_hz > 6000 else 400e3)
    blocks = check_source(stream, 60)
    got = np.concatenate([block.counts for block in blocks])
    dropped = math.ceil(0.1 * rate_hz)
    assert len(got) > 100 if rate_hz > 100 else len(got) > 5
    np.testing.assert_array_equal(got, registers.batched[dropped : dropped + len(got)])
    assert not any(block.trouble for block in blocks)
    assert [block.follows for block in blocks] == [False] + [True] * (len(blocks) - 1)


@pytest.mark.parametrize(("range_g", "lsb"), RANGES_G.items())
@pytest.mark.parametrize(("range_dps", "lsb_dps"), RANGES_DPS.items())
def test_ranges_are_set_so_that_counts_are_of_the_wanted_step(
    range_g: int, lsb: float, range_dps: int, lsb_dps: float
) -> None:
    constant = (0.9, -0.5, 0.25), (100.0, -60.0, 10.0)
    _, stream = source(wanted(416.0, lsb, lsb_dps), signal=lambda _: constant)
    assert stream.format == Format(ACCEL + GYRO, 416.0, (lsb,) * 3 + (lsb_dps,) * 3)
    counts = read(stream, 3)[-1].counts[-1]
    np.testing.assert_allclose(counts[:3] * lsb, constant[0], atol=0.51 * lsb)
    np.testing.assert_allclose(counts[3:] * lsb_dps, constant[1], atol=0.51 * lsb_dps)


def test_the_gyroscope_alone_leaves_the_accelerometer_off() -> None:
    registers, stream = source(wanted(208.0, accel=None, gyro=70e-3))
    stream_blocks = stream.blocks()
    block = next(stream_blocks)
    assert block.counts.shape[1] == 3
    assert registers.registers[0x10] == 0
    assert registers.registers[0x11] == 5 << 4 | 0b11 << 2
    stream_blocks.close()


def test_registers_are_as_the_datasheet_has_them() -> None:
    registers, stream = source(wanted())
    blocks = stream.blocks()
    next(blocks)
    assert registers.registers[0x10] == 0x94  # 3332 Hz, +-16 g
    assert registers.registers[0x09] == 0x09  # accelerometer batched at 3332 Hz, gyroscope not
    assert registers.registers[0x0A] == 0x06  # continuous
    assert registers.registers[0x12] == 0x44  # BDU, IF_INC
    blocks.close()
    assert registers.registers[0x10] == registers.registers[0x11] == 0  # powered down
    assert registers.closed


def test_a_bus_that_is_too_slow_is_told_as_lost_samples_not_hidden() -> None:
    # 3332 words of 7 bytes a second are 210 kbit/s: a standard-mode bus of 100 kHz cannot carry them.
    _, stream = source(wanted(), bit_hz=100e3)
    blocks = check_source(stream, 30)
    told = [block.trouble for block in blocks if block.trouble]
    assert told
    assert set(told) == {"fifo overrun: the bus or this machine is too slow"}
    _, stream = source(wanted(), bit_hz=400e3)
    assert not any(block.trouble for block in read(stream, 200))


def test_a_word_that_is_missing_is_noticed() -> None:
    _, stream = source(wanted(), lose={1000})
    blocks = check_source(stream, 40)
    assert [block.trouble for block in blocks if block.trouble] == ["fifo words missing"]
    after = next(i for i, block in enumerate(blocks) if block.trouble) + 1
    assert not blocks[after].follows


def test_a_sensor_that_is_unplugged_is_trouble_and_comes_back() -> None:
    registers, stream = source(wanted(1666.0))
    blocks = stream.blocks()
    before = next(blocks)
    registers.unplugged = True
    gone = [next(blocks) for _ in range(4)]
    assert {block.trouble for block in gone} == {"bus: Remote I/O error"}
    assert gone[-1].time_s - gone[0].time_s == pytest.approx(1.5, abs=0.01)  # asked again every half second
    registers.unplugged = False
    registers.power_up()
    again = next(blocks)
    assert not again.trouble
    assert not again.follows
    assert again.time_s > gone[-1].time_s > before.time_s
    np.testing.assert_array_equal(again.counts, registers.batched[167 : 167 + len(again.counts)])


def test_a_sensor_that_lost_its_power_for_a_moment_is_set_up_again() -> None:
    registers, stream = source(wanted(833.0))
    blocks = stream.blocks()
    next(blocks)
    registers.power_up()  # it answers, but nothing is configured: the FIFO stays empty
    found = [next(blocks) for _ in range(3)]
    assert found[0].trouble.startswith("no samples for 0.5")
    assert not found[1].trouble
    assert registers.registers[0x10] == 0x74


@pytest.mark.parametrize("skew", [-0.02, 0.02])
def test_time_never_goes_back_however_wrong_the_sensors_clock(skew: float) -> None:
    _, stream = source(wanted(1666.0), skew=skew, lose={3000, 9000})
    assert sum(bool(block.trouble) for block in check_source(stream, 300)) == 2


def test_another_device_or_none_is_one_line() -> None:
    _, stream = source(wanted(), identity=0x69)
    with pytest.raises(SourceError, match=r"i2c:test: WHO_AM_I is 0x69; an LSM6DSO answers 0x6C"):
        next(stream.blocks())
    registers, stream = source(wanted(), unplugged=True)
    with pytest.raises(SourceError, match=r"i2c:test: no answer \(Remote I/O error\)"):
        next(stream.blocks())
    assert registers.closed


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (wanted(20000.0), "trained at 20000 Hz; an LSM6DSO has 12.5, 26"),
        (wanted(accel=1e-3), r"0\.001 a count of accel_x_g; an LSM6DSO has 6\.1e-05 \(range 2\)"),
        (Format(("rpm",), 3332.0, (1.0,)), "no channel 'rpm'; an LSM6DSO has accel_x_g"),
        (Format(ACCEL, None, (0.488e-3,) * 3), "the model has no rate"),
    ],
)
def test_what_the_device_does_not_have_is_refused(form: Format, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        source(form)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1", "allowed is i2c:BUS:ADDRESS"),
        ("one:0x6a", "allowed is i2c:BUS:ADDRESS"),
        ("1:0x68", "answers at 0x6a or 0x6b"),
        ("-1:0x6a", "a number from 0 on"),
        ("4711:0x6a", "/dev/i2c-4711 cannot be opened"),
    ],
)
def test_a_wrong_bus_or_address_is_one_line(text: str, message: str) -> None:
    pytest.importorskip("smbus2", reason="no smbus2: pip install simtwin[monitor]")
    with pytest.raises(SourceError, match=message) as error:
        i2c_source(text, wanted())
    assert "\n" not in str(error.value)


def test_linux_transfers_are_a_register_and_a_read_after_a_repeated_start(monkeypatch: pytest.MonkeyPatch) -> None:
    smbus2 = pytest.importorskip("smbus2", reason="no smbus2: pip install simtwin[monitor]")
    clock = Clock()
    registers = Registers(clock, moving)

    class Kernel:
        """What smbus2.SMBus hands to /dev/i2c-N."""

        def __init__(self, number: int) -> None:
            assert number == 3

        def i2c_rdwr(self, ask: Any, answer: Any) -> None:
            assert (ask.addr, answer.addr) == (0x6B, 0x6B)
            assert (ask.flags, answer.flags) == (0, 1)  # I2C_M_RD
            (register,) = bytes(ask)
            for place, value in enumerate(registers.read(register, answer.len)):
                answer.buf[place] = bytes([value])

        def write_byte_data(self, address: int, register: int, value: int) -> None:
            assert address == 0x6B
            registers.write(register, value)

        def close(self) -> None:
            registers.close()

    monkeypatch.setattr(smbus2, "SMBus", Kernel)
    stream = SensorSource("i2c:3:0x6b", LinuxBus(3, 0x6B), wanted(), clock, clock.sleep)
    blocks: Iterator[Block] = islice(stream.blocks(), 20)
    got = np.concatenate([block.counts for block in blocks])
    np.testing.assert_array_equal(got, registers.batched[334 : 334 + len(got)])
