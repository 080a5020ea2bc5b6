"""The firmware on this machine: the very core of the chips, run by Python in virtual time."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections.abc import Callable, Sequence
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_bool,
    c_int,
    c_int8,
    c_int16,
    c_int32,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)  # fmt: skip
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from firmware.frames import Frame, ResetCause, frames_in

FLASH_BYTES = 8192
SECTOR_BYTES = 4096
CONSOLE, HCI = 0, 1
MAC = bytes.fromhex("7CDFA1000001")
_POWER_CUT = -1000
_ERROR_FLASH = -5
_Bytes = Any  # POINTER(c_uint8): ctypes' own types are not generic at run time


class SpiDevice(Protocol):
    """What sits at a chip select."""

    def transfer(self, sent: bytes, count: int) -> bytes:
        """One transfer of `count` bytes, of which `sent` are the first; what came back."""


class End(IntEnum):
    """Why a call into the firmware came back."""

    RUNS = 0
    REBOOT = 1
    FATAL = 2
    POWER_CUT = 3


class _Callbacks(ctypes.Structure):
    _fields_ = [
        ("spi_transfer", CFUNCTYPE(c_int, c_uint32, POINTER(c_uint8), c_size_t, c_size_t)),
        ("uart_write", CFUNCTYPE(None, c_uint32, POINTER(c_uint8), c_size_t)),
        ("uart_read", CFUNCTYPE(c_size_t, c_uint32, POINTER(c_uint8), c_size_t)),
        ("time_us", CFUNCTYPE(c_uint64)),
        ("wait_for_event", CFUNCTYPE(None)),
        ("flash_read", CFUNCTYPE(c_int, c_uint32, POINTER(c_uint8), c_size_t)),
        ("flash_program", CFUNCTYPE(c_int, c_uint32, POINTER(c_uint8), c_size_t)),
        ("flash_erase_sector", CFUNCTYPE(c_int, c_uint32)),
        ("watchdog_feed", CFUNCTYPE(None, c_uint32)),
        ("tick_start", CFUNCTYPE(None, c_uint32)),
        ("mac_address", CFUNCTYPE(None, POINTER(c_uint8))),
    ]


class BthomeReport(ctypes.Structure):
    """`struct bthome_report` of bthome.h, field by field."""

    _fields_ = [
        ("rms_mg", c_uint16),
        ("temperature_c100", c_int16),
        ("packet_id", c_uint8),
        ("machine_state", c_uint8),
        ("confidence", c_uint8),
        ("sensor", c_uint8),
        ("sensor_state", c_uint8),
        ("machine_alert", c_bool),
        ("sensor_alert", c_bool),
    ]


class _Seal(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("address", ctypes.c_char_p), ("counter", c_uint32)]


class Seal(NamedTuple):
    """What a packet is encrypted with: key (16 bytes), address (6, the most significant first), counter."""

    key: bytes
    address: bytes
    counter: int


class Core:
    """The core's parts by themselves: preprocessing, network, verdict, alert policy."""

    def __init__(self, library: Path) -> None:
        """Load a library that `firmware.build` made, by itself: two of them share nothing."""
        # The core's state is static, and a library is loaded once per path.
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copy(library, folder)
            self.library = ctypes.CDLL(copy)
        self.library.host_app_bytes.restype = c_size_t
        self.library.host_verdict.restype = c_uint32
        self.library.host_advertisement.restype = c_size_t

    def preprocess(self, counts: NDArray[np.int16], length: int) -> NDArray[np.int8]:
        """Windows of counts (n, window, channels) to the network's inputs (n, length, channels)."""
        inputs = np.empty((len(counts), length, counts.shape[2]), np.int8)
        for window, row in zip(np.ascontiguousarray(counts).copy(), inputs, strict=True):
            self.library.host_preprocess(_pointer(window, c_int16), _pointer(row, c_int8))
        return inputs

    def infer(self, inputs: NDArray[np.int8], outputs: int) -> NDArray[np.int8]:
        """Inputs (n, length, channels) to the network's outputs (n, outputs)."""
        answers = np.empty((len(inputs), outputs), np.int8)
        for row, answer in zip(np.ascontiguousarray(inputs), answers, strict=True):
            self.library.host_infer(_pointer(row, c_int8), _pointer(answer, c_int8))
        return answers

    def verdict(self, inputs: NDArray[np.int8], output: NDArray[np.int8], threshold: int) -> tuple[int, bool, int, int]:
        """Level, whether flagged, class and confidence (percent) of one window."""
        said = (c_uint8 * 3)()
        level = self.library.host_verdict(_pointer(inputs, c_int8), _pointer(output, c_int8), c_uint32(threshold), said)
        return int(level), bool(said[0]), int(said[1]), int(said[2])

    def alert_policy(
        self, flagged: int, of: int, quiet: int, classes: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What each window changes (0 nothing, 1 raised, 2 changed, 3 cleared), and the class alerted after it."""
        changes, alerts = np.empty_like(classes), np.empty_like(classes)
        self.library.host_alert_policy(
            c_int32(flagged), c_int32(of), c_int32(quiet),
            *(_pointer(each, c_uint8) for each in (classes, changes, alerts)), c_size_t(len(classes)),
        )  # fmt: skip
        return changes, alerts

    def aes128(self, key: bytes, block: bytes) -> bytes:
        """One block of 16 bytes under AES-128."""
        content = ctypes.create_string_buffer(block, len(block))
        self.library.host_aes(key, content)
        return content.raw

    def ccm(self, key: bytes, nonce: bytes, plain: bytes) -> bytes | None:
        """Cipher text and tag (4 bytes) under AES-128-CCM; None: refused."""
        content, tag = ctypes.create_string_buffer(plain, max(1, len(plain))), ctypes.create_string_buffer(4)
        if self.library.host_ccm(key, nonce, content, c_size_t(len(plain)), tag):
            return None
        return content.raw[: len(plain)] + tag.raw

    def advertisement(self, report: BthomeReport, seal: Seal | None = None) -> bytes:
        """The advertisement of a report, without the zeros after it; encrypted if there is a seal."""
        content = ctypes.create_string_buffer(31)
        given = None if seal is None else ctypes.byref(_Seal(*seal))
        count = self.library.host_advertisement(ctypes.byref(report), given, content)
        assert not any(content.raw[count:])
        return content.raw[:count]

    @property
    def state_bytes(self) -> int:
        """Memory of the whole application's state."""
        return int(self.library.host_app_bytes())


class Host(Core):
    """A device: the firmware with its IMUs and its flash.

    Attributes:
        imus: by chip select.
        flash: the core's part of it; hand it to the next `Host` to have the same device again.
        time_us: virtual time since the start.
        sent: all that was sent, by UART.
        fed_us: when the watchdog was last fed; None: it is not running.
        watchdog_ms: its time.
        spend: flash operations (bytes programmed, sectors erased) until the power is cut; None: it stays.
        flash_is_broken: it takes nothing any more.
        mac: the chip's own address, 6 bytes.
        on_hci: called with the bytes that were sent on the UART for Bluetooth; what it returns is the answer.
    """

    def __init__(self, library: Path, imus: Sequence[SpiDevice] = (), flash: bytearray | None = None) -> None:
        """Set it up; `start` starts it."""
        super().__init__(library)
        self.mac = MAC
        self.flash_is_broken = False
        self.on_hci: Callable[[bytes], bytes] | None = None
        self.imus: list[SpiDevice] = list(imus)
        self.flash = bytearray(b"\xff" * FLASH_BYTES) if flash is None else flash
        self.time_us = 0
        self.sent: dict[int, bytearray] = {CONSOLE: bytearray(), HCI: bytearray()}
        self.fed_us: int | None = None
        self.watchdog_ms = 0
        self.spend: int | None = None
        self._input: dict[int, bytearray] = {CONSOLE: bytearray(), HCI: bytearray()}
        self._period_us = 0
        self._next_us = 0
        self._callbacks = _Callbacks(*self._bound())

    def _bound(self) -> list[Any]:
        functions: list[Callable[..., Any]] = [
            self._spi_transfer, self._uart_write, self._uart_read, lambda: self.time_us, self._tick, self._flash_read,
            self._flash_program, self._flash_erase_sector, self._watchdog_feed, self._tick_start, self._mac_address,
        ]  # fmt: skip
        return [kind(function) for (_, kind, *_), function in zip(_Callbacks._fields_, functions, strict=True)]

    def start(self, cause: ResetCause = ResetCause.POWER) -> End:
        """Start it, at time 0."""
        self.time_us, self._period_us = 0, 0
        return End(self.library.host_start(ctypes.byref(self._callbacks), int(cause)))

    def run(self, seconds: float) -> End:
        """Let so much virtual time pass, tick by tick; ends early when the firmware does."""
        end_us = self.time_us + round(seconds * 1e6)
        while self._period_us and self._next_us <= end_us:
            self._tick()
            end = End(self.library.host_step())
            if end != End.RUNS:
                return end
        self.time_us = max(self.time_us, end_us)
        return End.RUNS

    def command(self, line: str) -> list[str]:
        """Send a command and run until it is answered: the lines of the answer."""
        before = len(self.sent[CONSOLE])
        self.type(line.encode() + b"\n")
        for _ in range(100):
            self.run(self._period_us / 1e6)
            lines = bytes(self.sent[CONSOLE][before:]).decode("ascii").splitlines()
            for number, each in enumerate(lines):
                if each.startswith(("ok", "error")):
                    return lines[: number + 1]
        raise TimeoutError(f"no answer to {line!r}")

    def type(self, content: bytes, port: int = CONSOLE) -> None:
        """Put bytes on a UART's receive side."""
        self._input[port] += content

    @property
    def text(self) -> str:
        """All that was sent on the console."""
        return self.sent[CONSOLE].decode("ascii")

    @property
    def lines(self) -> list[str]:
        """The console's lines for people."""
        return [line for line in self.text.splitlines() if not line.startswith("$")]

    @property
    def frames(self) -> list[Frame]:
        """The console's frames."""
        return list(frames_in(self.text))

    def _tick(self) -> None:
        self.time_us = max(self.time_us, self._next_us)
        self._next_us += self._period_us
        self.library.host_tick()

    def _tick_start(self, period_us: int) -> None:
        self._period_us, self._next_us = period_us, self.time_us + period_us

    def _spi_transfer(self, device: int, content: _Bytes, count: int, sent: int) -> int:
        given = ctypes.string_at(content, sent)
        answer = self.imus[device].transfer(given, count) if device < len(self.imus) else b"\xff" * count
        ctypes.memmove(content, answer, count)
        return 0

    def _mac_address(self, content: _Bytes) -> None:
        ctypes.memmove(content, self.mac, len(self.mac))

    def _uart_write(self, port: int, content: _Bytes, count: int) -> None:
        self.sent[port] += ctypes.string_at(content, count)
        if port == HCI and self.on_hci is not None:
            self.type(self.on_hci(ctypes.string_at(content, count)), HCI)

    def _uart_read(self, port: int, content: _Bytes, room: int) -> int:
        given = bytes(self._input[port][:room])
        del self._input[port][:room]
        ctypes.memmove(content, given, len(given))
        return len(given)

    def _flash_read(self, offset: int, content: _Bytes, count: int) -> int:
        ctypes.memmove(content, bytes(self.flash[offset : offset + count]), count)
        return 0

    def _flash_program(self, offset: int, content: _Bytes, count: int) -> int:
        if self.flash_is_broken:
            return _ERROR_FLASH
        for place, value in enumerate(ctypes.string_at(content, count), offset):
            if self._is_cut():
                return _POWER_CUT
            self.flash[place] &= value
        return 0

    def _flash_erase_sector(self, offset: int) -> int:
        if offset % SECTOR_BYTES or self.flash_is_broken:
            return _ERROR_FLASH
        for place in range(offset, offset + SECTOR_BYTES):
            if place % 256 == 0 and self._is_cut():
                return _POWER_CUT
            self.flash[place] = 0xFF
        return 0

    def _is_cut(self) -> bool:
        if self.spend is None:
            return False
        self.spend -= 1
        return self.spend < 0

    def _watchdog_feed(self, timeout_ms: int) -> None:
        self.fed_us, self.watchdog_ms = self.time_us, timeout_ms


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return c_void_p(array.ctypes.data) if not array.flags.c_contiguous else array.ctypes.data_as(POINTER(kind))
