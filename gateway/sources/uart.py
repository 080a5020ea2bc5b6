"""Consoles: of a board at a serial port, or of an emulated one behind a socket."""

from __future__ import annotations

import asyncio

import serial

from gateway.console import Console
from gateway.sources.base import Intake, Source, Tell

BAUD = 115200
_CHUNK_BYTES = 4096
_POLL_S = 0.2
_CONNECT_S = 5.0


class Tcp(Source):
    """`tcp://HOST:PORT`: connects there, as to an emulator's UART."""

    def __init__(self, name: str, host: str, port: int) -> None:
        super().__init__(name)
        self._host, self._port = host, port
        self._console: Console | None = None

    async def run(self, intake: Intake, tell: Tell) -> None:
        """Receive until the other end closes."""
        self._console = self._console or intake.console(self.name)
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            tell("connected")
            self._console.connected()
            while data := await reader.read(_CHUNK_BYTES):
                intake.lines(self._console, data)
            raise EOFError("closed by the other end")
        finally:
            writer.close()


class Serial(Source):
    """`serial:///dev/ttyUSB0`: a board at a serial port."""

    failures = (serial.SerialException,)

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        self._path = path
        self._console: Console | None = None

    async def run(self, intake: Intake, tell: Tell) -> None:
        """Receive until the port goes away."""
        self._console = self._console or intake.console(self.name)
        port = await asyncio.to_thread(serial.Serial, self._path, BAUD, timeout=_POLL_S)
        try:
            tell("connected")
            self._console.connected()
            while True:
                # At least one byte, or the time runs out; a cancelled gateway waits no longer than that.
                data = await asyncio.to_thread(lambda: port.read(min(port.in_waiting, _CHUNK_BYTES) or 1))
                intake.lines(self._console, data)
        finally:
            port.close()
