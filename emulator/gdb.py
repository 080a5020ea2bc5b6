"""A remote target for GDB: the emulated processor by GDB's remote serial protocol, over TCP on this machine.

    gdb-multiarch firmware.elf -ex "target remote :3333"

Breakpoints change no memory, so the program cannot tell. Protocol: "Debugging with GDB", appendix E. The register numbers are
those of GDB's feature org.gnu.gdb.riscv.cpu: x0 to x31, pc.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from emulator.cpu import Cpu
from emulator.errors import MachineError
from sim.errors import ParameterError

_TARGET = b"""<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">
<target version="1.0"><architecture>riscv:rv32</architecture><feature name="org.gnu.gdb.riscv.cpu">%s</feature></target>"""
_NAMES = (*(f"x{n}" for n in range(32)), "pc")
_TRAP, _INTERRUPTED, _OK, _ERROR = b"S05", b"S02", b"OK", b"E01"
_MOST = 4096


class GdbServer:
    """An `emulator.machine.Debugger` that asks GDB. The processor waits for it before its first instruction.

    Args:
        port: of TCP, on this machine alone; 0: a free one, see `port`.
        told: called with a line when it listens and when GDB has gone.

    Raises:
        ParameterError: the port cannot be had.
    """

    def __init__(self, port: int, told: Callable[[str], None] = lambda _line: None) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise ParameterError(f"port {port}: cannot listen there ({error})") from None
        self.port = int(self._listener.getsockname()[1])
        self._told = told
        self._client: socket.socket | None = None
        self._received = b""
        self._cpu: Cpu

    def attach(self, cpu: Cpu) -> None:
        """Wait for GDB and let it look at the processor before it runs."""
        self._cpu = cpu
        self._listener.listen(1)  # not before: GDB asks again when it waits too long for an answer
        self._told(f'waiting for: gdb-multiarch {cpu.chip.image.path} -ex "target remote :{self.port}"')
        self._client, _ = self._listener.accept()
        cpu.halted = True
        self._serve()

    def before_run(self) -> None:
        """Stop when GDB says so (Ctrl-C)."""
        if self._client is not None and select.select([self._client], [], [], 0)[0]:
            if not self._receive():
                self._gone()
            elif self._received[:1] == b"\x03":
                self._received = self._received[1:]
                self._cpu.halted = True
                self._send(_INTERRUPTED)
                self._serve()

    def halted(self) -> None:
        """Tell GDB, and do what it asks until it lets the processor go on."""
        self._send(_TRAP)
        self._serve()

    def close(self) -> None:
        """Let GDB go."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._listener.close()

    def _serve(self) -> None:
        while self._cpu.halted:
            packet = self._packet()
            if packet is None or packet[:1] in (b"D", b"k"):
                if packet is not None:
                    self._send(_OK)
                self._gone()
            elif packet[:1] == b"c":
                self._cpu.halted = False
            else:
                self._send(self._answer(packet))

    def _gone(self) -> None:
        self._told("GDB has gone; the run goes on")
        if self._client is not None:
            self._client.close()
        self._client, self._cpu.halted, self._cpu.debugged = None, False, False

    def _answer(self, packet: bytes) -> bytes:
        kind, rest = packet[:1], packet[1:].decode("ascii", "replace")
        try:
            if packet == b"?":
                return _TRAP
            if kind == b"g":
                return b"".join(self._register(n) for n in range(33))
            if kind == b"G":
                for n, value in enumerate(_words(bytes.fromhex(rest))):
                    self._cpu.set_register(n, value)
                return _OK
            if kind == b"p":
                return self._register(int(rest, 16))
            if kind == b"P":
                number, _, value_hex = rest.partition("=")
                self._cpu.set_register(int(number, 16), int.from_bytes(bytes.fromhex(value_hex), "little"))
                return _OK
            if kind == b"m":
                address, size = (int(each, 16) for each in rest.split(","))
                return self._cpu.chip.peek(address, min(size, _MOST)).hex().encode()
            if kind == b"M":
                place, _, content = rest.partition(":")
                self._cpu.chip.poke(int(place.split(",")[0], 16), bytes.fromhex(content))
                self._cpu.code_changed()
                return _OK
            if packet[:2] in (b"Z0", b"Z1", b"z0", b"z1"):
                change = self._cpu.set_breakpoint if kind == b"Z" else self._cpu.clear_breakpoint
                change(int(rest.split(",")[1], 16))
                return _OK
            if kind == b"s":
                return self._step()
            return self._query(rest) if kind == b"q" else _OK if kind == b"H" else b""
        except (ValueError, MachineError):
            return _ERROR

    def _step(self) -> bytes:
        self._cpu.halted = False
        try:
            self._cpu.step()
        finally:
            self._cpu.halted = True
        return _TRAP

    def _query(self, what: str) -> bytes:
        if what.startswith("Supported"):
            return b"PacketSize=%x;qXfer:features:read+" % _MOST
        if what.startswith("Attached"):
            return b"1"
        if what.startswith("Xfer:features:read:target.xml:"):
            first, size = (int(each, 16) for each in what.rsplit(":", 1)[1].split(","))
            registers = b"".join(b'<reg name="%s" bitsize="32"/>' % name.encode() for name in _NAMES)
            part = (_TARGET % registers)[first:]
            return (b"m" if len(part) > size else b"l") + part[:size]
        return b""

    def _register(self, number: int) -> bytes:
        if number > 32:
            raise ValueError(number)
        value = self._cpu.pc if number == 32 else self._cpu.register(number)
        return value.to_bytes(4, "little").hex().encode()

    def _packet(self) -> bytes | None:
        """The next packet, acknowledged; None: GDB has gone."""
        while True:
            start, end = self._received.find(b"$"), self._received.find(b"#")
            if start >= 0 and end > start and len(self._received) >= end + 3:
                body, check = self._received[start + 1 : end], self._received[end + 1 : end + 3]
                self._received = self._received[end + 3 :]
                sound = f"{sum(body) & 0xFF:02x}".encode() == check.lower()
                self._write(b"+" if sound else b"-")
                if sound:
                    return body
            elif not self._receive():
                return None

    def _receive(self) -> bool:
        try:
            more = self._client.recv(_MOST) if self._client is not None else b""
        except OSError:
            more = b""
        self._received += more
        return bool(more)

    def _send(self, body: bytes) -> None:
        self._write(b"$%s#%02x" % (body, sum(body) & 0xFF))

    def _write(self, data: bytes) -> None:
        try:
            if self._client is not None:
                self._client.sendall(data)
        except OSError:
            pass  # it is seen when the next packet is asked for


def _words(content: bytes) -> list[int]:
    return [int.from_bytes(content[at : at + 4], "little") for at in range(0, len(content), 4)]
