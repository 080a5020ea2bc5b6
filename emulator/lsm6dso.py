"""LSM6DSO on SPI, by ST's datasheet DS12140 Rev 2 and application note AN5192: registers, FIFO, rates, self-test.

Not modelled (an access is an error): embedded functions, interrupt pins, timestamps and temperature in the FIFO, compression,
high-pass filters, I2C and I3C. The low-pass settings are stored: the bandwidth is the source's.
"""

from __future__ import annotations

from collections import deque
from math import inf

from emulator.clock import Clock
from emulator.errors import AccessError
from emulator.sources import SampleBlock, SampleSource
from sim.errors import ParameterError
from sim.sensors.devices import LSM6DSO

WHO_AM_I = 0x6C
FIFO_WORDS = 512
"""3 kbyte of 6 bytes each, tags beside them."""

ACCEL_TAG, GYRO_TAG = 0x02, 0x01

_FS_G = (2.0, 16.0, 4.0, 8.0)
_FS_DPS = (250.0, 500.0, 1000.0, 2000.0)
_SELF_TEST_MG = 400.0  # datasheet, Table 2: 50 to 1700 mg
_SELF_TEST_OF_RANGE = 0.2  # of the gyroscope's full scale; Table 2: 20 to 80 dps at 250, 150 to 700 dps at 2000
_TEMPERATURE_LSB, _TEMPERATURE_ZERO_C = 256.0, 25.0
_FREQ_FINE_STEP = 0.0015
_TIMESTAMP_S = 25e-6

_FIFO_CTRL1, _FIFO_CTRL2, _FIFO_CTRL3, _FIFO_CTRL4 = 0x07, 0x08, 0x09, 0x0A
_WHO, _CTRL1, _CTRL2, _CTRL3, _CTRL5, _CTRL10 = 0x0F, 0x10, 0x11, 0x12, 0x14, 0x19
_STATUS, _OUT_TEMP, _OUT_GYRO, _OUT_ACCEL = 0x1E, 0x20, 0x22, 0x28
_FIFO_STATUS1, _FIFO_STATUS2, _TIMESTAMP, _FREQ_FINE, _TAG, _FIFO_END = 0x3A, 0x3B, 0x40, 0x63, 0x78, 0x7E
_RESET_VALUES = {
    0x02: 0x3F,
    _FIFO_CTRL1: 0,
    _FIFO_CTRL2: 0,
    _FIFO_CTRL3: 0,
    _FIFO_CTRL4: 0,
    0x0D: 0,
    0x0E: 0,
    _CTRL1: 0,
    _CTRL2: 0,
    _CTRL3: 0x04,
    0x13: 0,
    _CTRL5: 0,
    0x15: 0,
    0x16: 0,
    0x17: 0,
    0x18: 0xE0,
    _CTRL10: 0,
    0x62: 0,
}
# Bits whose effect is not modelled.
_REFUSED = {
    _FIFO_CTRL2: 0xFE,  # stop on watermark, compression, ODR changes in the FIFO
    _FIFO_CTRL4: 0xF0,  # temperature and timestamps in the FIFO
    0x0D: 0xFF,  # INT1 and INT2 pins
    0x0E: 0xFF,
    _CTRL3: 0x08,  # three wires
    0x16: 0x40,  # high-pass
    0x17: 0x04,
}
_BYPASS, _FIFO_MODE, _CONTINUOUS = 0, 1, 6


class _Channel:
    """Accelerometer or gyroscope: its rate, range and what it gives to the FIFO."""

    def __init__(self, tag: int, columns: slice) -> None:
        self.tag, self.columns = tag, columns
        self.lsb_ratio = 1.0
        self.offset = 0.0
        self.clear()

    def clear(self) -> None:
        self.code = 0
        self.batch_code = 0
        self.output = b"\0" * 6
        self.is_new = False
        self.follows_source = False
        self.next_tick_s = inf
        self.period_s = 0.0
        self.skipped = 0

    def convert(self, counts: list[int]) -> bytes:
        """Source counts at the device's range, with the self-test's offset, clipped to 16 bits."""
        values = counts[self.columns]
        if self.lsb_ratio != 1.0 or self.offset != 0.0:
            values = [max(-32768, min(32767, round(v * self.lsb_ratio + self.offset))) for v in values]
        return b"".join(v.to_bytes(2, "little", signed=True) for v in values)


class Lsm6dso:
    """One device; an `emulator.spi_bus.SpiDevice`.

    With the ODR the source's rate, every sample of the source is taken once, at the source's own times. At any other ODR the
    device takes the source's latest sample at its own ticks.

    Args:
        clock: virtual time.
        source: what it measures.
        self_test_response: 1: a healthy device; 0: one whose self-test does nothing.
        name: for messages.

    Attributes:
        resampled: samples taken at another rate than the source's.
        words_lost: FIFO words overwritten or not stored because it was full.
        source_over: the source has no more samples; its last one is repeated.

    Raises:
        ParameterError: a rate or range that the device does not have.
    """

    def __init__(
        self,
        clock: Clock,
        source: SampleSource,
        self_test_response: float = 1.0,
        name: str = "imu",
    ) -> None:
        self.name, self._clock, self._source = name, clock, source
        self._response = self_test_response
        rates = LSM6DSO.odrs_hz
        if source.rate_hz not in rates:
            raise ParameterError(
                f"{name}: source of {source.rate_hz:g} Hz; allowed: {', '.join(f'{r:g}' for r in rates)}"
            )
        if source.accel_range_g not in LSM6DSO.accel_lsb_mg or source.gyro_range_dps not in LSM6DSO.gyro_lsb_mdps:
            raise ParameterError(
                f"{name}: source of {source.accel_range_g:g} g and {source.gyro_range_dps:g} dps full scale; allowed:"
                f" {', '.join(f'{r:g}' for r in LSM6DSO.accel_lsb_mg)} g and"
                f" {', '.join(f'{r:g}' for r in LSM6DSO.gyro_lsb_mdps)} dps"
            )
        self._source_code = rates.index(source.rate_hz) + 1
        self._rates_hz = tuple(r * (1 + source.rate_error) for r in rates)
        self._blocks = source.blocks()
        self._times: list[float] = []
        self._rows: list[list[int]] = []
        self._at = 0
        self._latest = [0] * 6
        self.temperature_c = self._next_temperature_c = _TEMPERATURE_ZERO_C
        self.resampled = 0
        self.words_lost = 0
        self.source_over = False
        self._accel = _Channel(ACCEL_TAG, slice(0, 3))
        self._gyro = _Channel(GYRO_TAG, slice(3, 6))
        self._next_block()
        self.power_on()

    def power_on(self) -> None:
        """All registers and the FIFO as after power-on."""
        self._registers = dict(_RESET_VALUES)
        self._fifo: deque[tuple[int, bytes]] = deque()
        self._overrun_latched = False
        self._slot = 0
        self._word = b"\0" * 6
        self._held: dict[int, int] = {}
        self._address: int | None = None
        self._is_read = False
        self._timestamp_from_s = self._clock.now_s
        for channel in (self._accel, self._gyro):
            channel.clear()
        self._configure()

    # The bus

    def select(self) -> None:
        """A transaction begins."""
        self._address = None
        self.catch_up(self._clock.now_s)

    def deselect(self) -> None:
        """A transaction ends."""
        self._address = None

    def transfer(self, byte: int) -> int:
        """The first byte is the address (bit 7: read), then data with the address counting up (IF_INC)."""
        if self._address is None:
            self._address, self._is_read = byte & 0x7F, bool(byte & 0x80)
            return 0xFF
        address = self._address
        answer = 0xFF
        if self._is_read:
            answer = self._read(address)
        else:
            self._write(address, byte)
        if self._registers[_CTRL3] & 0x04:
            self._address = _TAG if address == _FIFO_END else (address + 1) & 0x7F
        return answer

    # Registers

    def _read(self, address: int) -> int:
        if address == _TAG:
            tag, self._word = self._fifo.popleft() if self._fifo else (0, b"\0" * 6)
            return tag
        if _TAG < address <= _FIFO_END:
            return self._word[address - _TAG - 1]
        held = self._held.pop(address, None)
        if held is not None:
            return held
        if address in self._registers:
            return self._registers[address]
        if address == _WHO:
            return WHO_AM_I
        if address == _STATUS:
            return self._accel.is_new | self._gyro.is_new << 1 | bool(self._accel.code or self._gyro.code) << 2
        if _OUT_TEMP <= address < _OUT_ACCEL + 6:
            return self._read_output(address)
        if address == _FIFO_STATUS1:
            return len(self._fifo) & 0xFF
        if address == _FIFO_STATUS2:
            status = self._fifo_status2()
            self._overrun_latched = False
            return status
        if _TIMESTAMP <= address < _TIMESTAMP + 4:
            on = bool(self._registers[_CTRL10] & 0x20)
            ticks = int((self._clock.now_s - self._timestamp_from_s) / _TIMESTAMP_S) if on else 0
            return ticks >> 8 * (address - _TIMESTAMP) & 0xFF
        if address == _FREQ_FINE:
            return max(-128, min(127, round(self._source.rate_error / _FREQ_FINE_STEP))) & 0xFF
        raise AccessError(f"{self.name}: register {address:#04x} is not modelled (read)")

    def _write(self, address: int, value: int) -> None:
        if address not in self._registers:
            raise AccessError(
                f"{self.name}: register {address:#04x} is not modelled or read-only ({value:#04x} written)"
            )
        wrong = value & _REFUSED.get(address, 0)
        if wrong:
            raise AccessError(
                f"{self.name}: bits {wrong:#04x} of register {address:#04x} are not modelled ({value:#04x} written)"
            )
        if address == _CTRL3:
            if value & 0x01:
                self.power_on()
                return
            value &= 0x7F  # BOOT is over at once
        self._registers[address] = value
        if address in (_CTRL1, _CTRL2, _CTRL5, _FIFO_CTRL3, _FIFO_CTRL4):
            self._configure()

    def _fifo_status2(self) -> int:
        n = len(self._fifo)
        watermark = self._registers[_FIFO_CTRL1] | (self._registers[_FIFO_CTRL2] & 1) << 8
        words = sum(1 for c in (self._accel, self._gyro) if c.batch_code)
        return (
            n >> 8
            | self._overrun_latched << 3
            | (words > 0 and n + words > FIFO_WORDS) << 5
            | (n == FIFO_WORDS) << 6
            | (0 < watermark <= n) << 7
        )

    def _read_output(self, address: int) -> int:
        low = address & ~1
        if low == _OUT_TEMP:
            raw = round((self.temperature_c - _TEMPERATURE_ZERO_C) * _TEMPERATURE_LSB)
            pair = max(-32768, min(32767, raw)).to_bytes(2, "little", signed=True)
        else:
            channel, first = (self._gyro, _OUT_GYRO) if low < _OUT_ACCEL else (self._accel, _OUT_ACCEL)
            pair = channel.output[low - first : low - first + 2]
            if address != low:
                channel.is_new = False
        if self._registers[_CTRL3] & 0x40:  # BDU: the other half stays until it is read
            self._held[address ^ 1] = pair[(address ^ 1) & 1]
        return pair[address & 1]

    def _configure(self) -> None:
        """Take over rates, ranges and self-test from the registers."""
        registers = self._registers
        mode = registers[_FIFO_CTRL4] & 7
        if mode not in (_BYPASS, _FIFO_MODE, _CONTINUOUS):
            raise AccessError(f"{self.name}: FIFO mode {mode} is not modelled")
        if mode == _BYPASS:
            self._fifo.clear()
            self._overrun_latched = False
        range_g = _FS_G[registers[_CTRL1] >> 2 & 3]
        range_dps = 125.0 if registers[_CTRL2] & 2 else _FS_DPS[registers[_CTRL2] >> 2 & 3]
        lsb_mg, lsb_mdps = LSM6DSO.accel_lsb_mg[range_g], LSM6DSO.gyro_lsb_mdps[range_dps]
        self._accel.lsb_ratio = LSM6DSO.accel_lsb_mg[self._source.accel_range_g] / lsb_mg
        self._gyro.lsb_ratio = LSM6DSO.gyro_lsb_mdps[self._source.gyro_range_dps] / lsb_mdps
        test = registers[_CTRL5]
        self._accel.offset = self._response * (0, 1, -1, 0)[test & 3] * _SELF_TEST_MG / lsb_mg
        self._gyro.offset = (
            self._response * (0, 1, 0, -1)[test >> 2 & 3] * _SELF_TEST_OF_RANGE * range_dps * 1000.0 / lsb_mdps
        )
        batch = registers[_FIFO_CTRL3]
        for channel, code, batch_code in (
            (self._accel, registers[_CTRL1] >> 4, batch & 15),
            (self._gyro, registers[_CTRL2] >> 4, batch >> 4),
        ):
            if code > 10 or batch_code > 10:
                raise AccessError(f"{self.name}: rate code {max(code, batch_code)} is not modelled")
            channel.batch_code = batch_code
            if code != channel.code:
                channel.code, channel.skipped = code, 0
                channel.follows_source = code == self._source_code
                held = code != 0 and not channel.follows_source
                channel.period_s = 1.0 / self._rates_hz[code - 1] if held else 0.0
                channel.next_tick_s = self._clock.now_s + channel.period_s if held else inf

    # Samples

    def _next_block(self) -> None:
        block: SampleBlock | None = next(self._blocks, None)
        while block is not None and not len(block.time_s):
            block = next(self._blocks, None)
        if block is None:  # its last sample goes on at its rate
            self.source_over = True
            period_s = 1.0 / (self._source.rate_hz * (1.0 + self._source.rate_error))
            last_s = self._times[-1] if self._times else 0.0
            self._times = [last_s + period_s * k for k in range(1, 1025)]
            self._rows = [self._rows[-1] if self._rows else [0] * 6] * 1024
        else:
            self._times, self._rows = block.time_s.tolist(), block.counts.tolist()
            self._next_temperature_c = block.temperature_c
        self._at = 0

    def catch_up(self, now_s: float) -> None:
        """Take all samples up to this time."""
        accel, gyro = self._accel, self._gyro
        while True:
            due_s = self._times[self._at]
            held_s = min(accel.next_tick_s, gyro.next_tick_s)
            if min(due_s, held_s) > now_s:
                return
            ready: list[_Channel] = []
            if due_s <= held_s:
                self._latest = self._rows[self._at]
                if self._at == 0:
                    self.temperature_c = self._next_temperature_c
                self._at += 1
                if self._at == len(self._times):
                    self._next_block()
                ready = [c for c in (gyro, accel) if c.follows_source]
            else:
                for channel in (gyro, accel):
                    if channel.next_tick_s == held_s:
                        channel.next_tick_s += channel.period_s
                        self.resampled += 1
                        ready.append(channel)
            if ready:
                self._take(ready)

    def _take(self, ready: list[_Channel]) -> None:
        mode = self._registers[_FIFO_CTRL4] & 7
        batched = []
        for channel in ready:
            channel.output = channel.convert(self._latest)
            channel.is_new = True
            if mode != _BYPASS and channel.batch_code:
                channel.skipped += 1
                if channel.skipped >= 1 << max(0, channel.code - channel.batch_code):
                    channel.skipped = 0
                    batched.append(channel)
        if not batched:
            return
        for channel in batched:
            if len(self._fifo) == FIFO_WORDS:
                self.words_lost += 1
                if mode == _FIFO_MODE:
                    continue
                self._fifo.popleft()
            tag = channel.tag << 3 | self._slot << 1
            tag |= tag.bit_count() & 1  # the whole byte has even parity, as ST's FIFO decoder wants it
            self._fifo.append((tag, channel.output))
            if len(self._fifo) == FIFO_WORDS:
                self._overrun_latched = True
        self._slot = (self._slot + 1) & 3
