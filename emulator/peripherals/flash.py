"""SPI1 flash controller (TRM chapter 27, ESP-IDF spi_mem_reg.h) and the 4 MB NOR flash behind it (Winbond W25Q32JV datasheet).

Transfers take the time of their bits, erasing and programming what is typical (status bit WIP). What the flash would
silently ignore (no write enable, busy) is an error, and so is code that runs from flash while the flash is busy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from emulator.clock import CPU_HZ, Clock
from emulator.errors import AccessError
from emulator.peripherals.base import Peripheral, Register

SIZE, SECTOR, PAGE = 0x400000, 0x1000, 0x100
JEDEC_ID = bytes((0xEF, 0x40, 0x16))
_PROGRAM_S = 0.4e-3  # W25Q32JV, section 9.6, typical
_ERASE_S = {0x20: (SECTOR, 45e-3), 0x52: (0x8000, 120e-3), 0xD8: (0x10000, 150e-3), 0xC7: (SIZE, 10.0)}
_WIP, _WEL = 1, 2

_APB_HZ = 80_000_000

_CMD, _ADDR, _CLOCK, _USER, _USER1, _USER2 = 0x00, 0x04, 0x14, 0x18, 0x1C, 0x20
_MOSI_DLEN, _MISO_DLEN, _RD_STATUS, _W0 = 0x24, 0x28, 0x2C, 0x58
_BUFFER = range(_W0, _W0 + 64, 4)
_USR = 1 << 18
_MOSI, _MISO, _DUMMY, _HAS_ADDR, _COMMAND = 1 << 27, 1 << 28, 1 << 29, 1 << 30, 1 << 31
_BIT_COMMANDS = {22: 0xC7, 23: 0xD8, 24: 0x20, 25: 0x02, 27: 0x05, 28: 0x9F, 29: 0x04, 30: 0x06, 31: 0x03}


@dataclass
class PowerCut:
    """When the supply fails.

    Attributes:
        operation: number of the program or erase operation, 1 the first from now on.
        byte: bytes of it that are done; the next one is half done.
    """

    operation: int
    byte: int


class NorFlash:
    """The flash chip.

    Args:
        clock: virtual time.
        content: its bytes; None: erased.
    """

    def __init__(self, clock: Clock, content: bytes | None = None) -> None:
        if content is not None and len(content) > SIZE:
            raise AccessError(f"flash content of {len(content)} bytes; the flash holds {SIZE}")
        self._clock = clock
        self.content = bytearray(b"\xff" * SIZE)
        if content is not None:
            self.content[: len(content)] = content
        self.operations = 0
        """Program and erase operations begun."""
        self.cut: PowerCut | None = None
        self.power_lost: Callable[[], None] = lambda: None
        self.power_on()

    def power_on(self) -> None:
        """Ready, writing disabled."""
        self._write_enabled = False
        self._busy_until = 0

    @property
    def busy(self) -> bool:
        """Whether it is erasing or programming."""
        return self._clock.now < self._busy_until

    def command(self, opcode: int, address: int, sent: bytes, answer_bytes: int) -> bytes:
        """One transaction; returns the bytes answered.

        Raises:
            AccessError: a command that is not modelled, or that the flash would ignore.
        """
        if opcode == 0x05:
            status = (_WIP if self.busy else 0) | (_WEL if self._write_enabled else 0)
            return bytes([status]) * answer_bytes
        if self.busy:
            raise AccessError(f"flash: command {opcode:#04x} while it is erasing or programming: it is ignored")
        if opcode in (0x03, 0x0B):
            return bytes(self.content[(address + i) % SIZE] for i in range(answer_bytes))
        if opcode == 0x9F:
            return JEDEC_ID[:answer_bytes].ljust(answer_bytes, b"\0")
        if opcode in (0x06, 0x04):
            self._write_enabled = opcode == 0x06
        elif opcode == 0x02:
            self._program(address, sent)
        elif opcode in _ERASE_S:
            size, seconds = _ERASE_S[opcode]
            self._begin(f"erase at {address:#x}", seconds)
            first = address % SIZE // size * size
            self._change(range(first, first + size), b"\xff" * size)
        elif opcode in (0x66, 0x99, 0xAB):
            self._write_enabled = False
        elif opcode == 0x35 or opcode == 0x15:
            return bytes(answer_bytes)
        else:
            raise AccessError(f"flash: command {opcode:#04x} is not modelled")
        return bytes(answer_bytes)

    def _program(self, address: int, data: bytes) -> None:
        if not data:
            raise AccessError(f"flash: program at {address:#x} without data")
        self._begin(f"program at {address:#x}", _PROGRAM_S)
        page = address % SIZE // PAGE * PAGE
        where = [page + (address + i) % PAGE for i in range(len(data))]  # it wraps within the page
        self._change(where, bytes(self.content[at] & byte for at, byte in zip(where, data, strict=True)))

    def _begin(self, what: str, seconds: float) -> None:
        if not self._write_enabled:
            raise AccessError(f"flash: {what} without write enable: it is ignored")
        self._write_enabled = False
        self._busy_until = self._clock.now + round(seconds * CPU_HZ)
        self.operations += 1

    def _change(self, where: range | list[int], data: bytes) -> None:
        done = len(data)
        if self.cut is not None:
            self.cut.operation -= 1
            if self.cut.operation == 0:
                done = min(self.cut.byte, done)
        for at, byte in zip(where[:done], data, strict=False):
            self.content[at] = byte
        if self.cut is not None and self.cut.operation == 0:
            if done < len(data):
                at = where[done]
                self.content[at] = self.content[at] & 0x0F | data[done] & 0xF0
            self.cut = None
            self.power_lost()


class FlashController(Peripheral):
    """SPI1: one transaction by a command bit or as USR defines it.

    Args:
        clock: virtual time.
        flash: the chip behind it.
        code_in_flash: (first, last) addresses of code that is fetched from the flash.
    """

    REGISTERS: ClassVar = {
        _CMD: Register("CMD"),
        _ADDR: Register("ADDR"),
        0x08: Register("CTRL", 0x002CA000, refused=1 << 7 | 1 << 8 | 0x3 << 10 | 1 << 14 | 1 << 20 | 0x3 << 23),
        0x0C: Register("CTRL1", 0xFFC),
        0x10: Register("CTRL2"),
        _CLOCK: Register("CLOCK", 0x00030103),
        _USER: Register("USER", 0x80000000, refused=0xF << 12 | 0x3 << 24),
        _USER1: Register("USER1", 0x5C000007),
        _USER2: Register("USER2", 0x70000000),
        _MOSI_DLEN: Register("MOSI_DLEN"),
        _MISO_DLEN: Register("MISO_DLEN"),
        _RD_STATUS: Register("RD_STATUS"),
        0x34: Register("MISC", 0x2),
        0x38: Register("TX_CRC", 0xFFFFFFFF, read_only=True),
        0x3C: Register("CACHE_FCTRL"),
        **{offset: Register(f"W{i}") for i, offset in enumerate(_BUFFER)},
        0x98: Register("FLASH_WAITI_CTRL", 0x14),
        0x9C: Register("FLASH_SUS_CTRL", 0x08002000, refused=0x33),
        0xA0: Register("FLASH_SUS_CMD", 0x0005757A),
        0xA4: Register("SUS_STATUS"),
        0xA8: Register("TIMING_CALI"),
        0xDC: Register("CLOCK_GATE", 1),
        0x3FC: Register("DATE", 0x02007170, read_only=True),
    }

    def __init__(self, clock: Clock, flash: NorFlash, code_in_flash: tuple[int, int]) -> None:
        self.flash = flash
        self._code_in_flash = code_in_flash
        self._done_at = 0
        super().__init__("SPI1", 0x60002000, clock)

    def reset(self) -> None:
        """Idle."""
        self.clear()
        self._done_at = 0

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if self.clock.now < self._done_at:
            raise AccessError(f"SPI1: {value:#x} written at offset {offset:#x} while a transaction runs")
        super().write(offset, value)

    def read_cmd(self) -> int:
        """CMD: the command's bit is set until its transaction is over."""
        self._check_caller()
        now = self.clock.now
        if now < self._done_at:
            self.clock.steady_until(self._done_at)
            return self.values[_CMD]
        return 0

    def write_cmd(self, value: int) -> None:
        """CMD: start a transaction."""
        self.values[_CMD] = value
        bit = value.bit_length() - 1
        if value == _USR:
            bits = self._user_transaction()
        elif bit in _BIT_COMMANDS and value == 1 << bit:
            bits = self._bit_command(_BIT_COMMANDS[bit])
        elif value:
            raise AccessError(f"SPI1.CMD: {value:#x} is not one of the commands modelled")
        else:
            return
        clock = self.values[_CLOCK]
        divider = 1 if clock >> 31 else (clock >> 16 & 0xFF) + 1
        self._done_at = self.clock.now + bits * divider * CPU_HZ // _APB_HZ
        self._check_caller()

    def _check_caller(self) -> None:
        first, last = self._code_in_flash
        if first <= self.clock.state.block_pc < last and self.flash.busy:
            raise AccessError("SPI1: code in flash runs while the flash is erasing or programming; it must lie in RAM")

    def _user_transaction(self) -> int:
        """Returns the bits on the wire."""
        user = self.values[_USER]
        if not user & _COMMAND or self.values[_USER2] >> 28 != 7:
            raise AccessError("SPI1: a user transaction without a command of 8 bits")
        address = 0
        if user & _HAS_ADDR:
            if (self.values[_USER1] >> 26) + 1 != 24:
                raise AccessError("SPI1: only addresses of 24 bits are modelled")
            address = self.values[_ADDR] & 0xFFFFFF
        sent = self._buffer(self._length(_MOSI_DLEN)) if user & _MOSI else b""
        n = self._length(_MISO_DLEN) if user & _MISO else 0
        self._fill(self.flash.command(self.values[_USER2] & 0xFF, address, sent, n))
        dummy = (self.values[_USER1] & 0x3F) + 1 if user & _DUMMY else 0
        return 8 + (24 if user & _HAS_ADDR else 0) + dummy + 8 * (len(sent) + n)

    def _bit_command(self, opcode: int) -> int:
        """Returns the bits on the wire."""
        address, length = self.values[_ADDR] & 0xFFFFFF, self.values[_ADDR] >> 24
        if opcode in (0x02, 0x03) and not 1 <= length <= 64:
            raise AccessError(f"SPI1.ADDR: length {length} in bits 31 to 24; 1 to 64 bytes are allowed")
        sent = self._buffer(length) if opcode == 0x02 else b""
        n = {0x03: length, 0x9F: 3, 0x05: 1}.get(opcode, 0)
        answer = self.flash.command(opcode, address, sent, n)
        if opcode == 0x05:
            self.values[_RD_STATUS] = answer[0]
        else:
            self._fill(answer)
        return 8 + (24 if opcode in (0x02, 0x03) or opcode in _ERASE_S else 0) + 8 * (len(sent) + n)

    def _length(self, register: int) -> int:
        bits = (self.values[register] & 0x3FF) + 1
        if bits % 8 or bits > 512:
            raise AccessError(f"SPI1: {bits} bits of data; whole bytes up to 64 are modelled")
        return bits // 8

    def _buffer(self, n: int) -> bytes:
        return b"".join(self.values[offset].to_bytes(4, "little") for offset in _BUFFER)[:n]

    def _fill(self, data: bytes) -> None:
        for i in range(0, len(data), 4):
            word = data[i : i + 4]
            kept = self.values[_W0 + i].to_bytes(4, "little")[len(word) :]
            self.values[_W0 + i] = int.from_bytes(word + kept, "little")
