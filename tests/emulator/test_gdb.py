"""The remote target for GDB: held against the protocol's description by a client of our own, and against GDB itself."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")

from emulator.cpu import Cpu
from emulator.gdb import GdbServer
from emulator.machine import Machine
from sim.errors import ParameterError
from tests.emulator.programs import program

MAIN = """
__attribute__((noinline)) uint32_t twice(uint32_t x) { __asm__ volatile("" : "+r"(x)); return 2 * x; }
int main(void) { every(1000); interrupts_on(); for (uint32_t i = 1; i < 4; i++) { line("twice", twice(i)); } for (;;) wait(); }
"""


def elf() -> Path:
    return program(MAIN)


class Client:
    """Speaks the protocol: `$body#checksum`, acknowledged by `+`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self._socket.makefile("rb")

    def send(self, body: str) -> None:
        self._socket.sendall(f"${body}#{sum(body.encode()) & 0xFF:02x}".encode())
        assert self._file.read(1) == b"+"

    def answer(self) -> str:
        assert self._file.read(1) == b"$"
        body = b""
        while (byte := self._file.read(1)) != b"#":
            body += byte
        assert int(self._file.read(2), 16) == sum(body) & 0xFF
        self._socket.sendall(b"+")
        return body.decode()

    def ask(self, body: str) -> str:
        self.send(body)
        return self.answer()

    def pc(self) -> int:
        return int.from_bytes(bytes.fromhex(self.ask("p20")), "little")

    def raw(self, data: bytes) -> bytes:
        self._socket.sendall(data)
        return self._file.read(1)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def debugged(main: str = MAIN) -> tuple[Machine, GdbServer, threading.Thread]:
    """A machine that runs in a thread of its own, once a client is there."""
    waits = threading.Event()
    machine, server = Machine(program(main)), GdbServer(0, lambda _line: waits.set())

    def run() -> None:
        machine.debug(server)
        machine.run(0.05)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert waits.wait(20)
    return machine, server, thread


def test_registers_memory_breakpoints_and_steps() -> None:
    machine, server, thread = debugged()
    client = Client(server.port)
    assert client.ask("?") == "S05"
    assert client.pc() == machine._chip.image.entry
    assert len(client.ask("g")) == 33 * 8
    place = machine.symbol("twice")
    saved = client.ask(f"m{place:x},2")
    assert bytes.fromhex(saved) == machine.read_memory(place, 2)
    for turn in (1, 2):
        assert client.ask(f"Z0,{place:x},2") == "OK"
        before = machine.instructions
        assert client.ask("c") == "S05"
        assert client.pc() == place
        assert machine.instructions > before
        assert client.ask(f"m{place:x},2") == saved
        assert int.from_bytes(bytes.fromhex(client.ask("pa")), "little") == turn  # a0, the argument
        before = machine.instructions
        assert client.ask("s") == "S05"
        assert machine.instructions == before + 1
        assert client.pc() == place + 2
    assert client.ask(f"z0,{place:x},2") == "OK"
    assert client.ask("Pa=64000000") == "OK"  # a0: 2 * 2 has become 100
    assert client.ask("p40") == "E01"
    assert client.ask("m10,4") == "E01"
    assert client.ask("vMustReplyEmpty") == ""
    client.send("D")
    assert client.answer() == "OK"
    client.close()
    thread.join(20)
    said = machine.uart_output().decode().split("\n")
    assert said[0] == "twice 00000002"
    assert said[1] in ("twice 00000064", "twice 000000c8")  # before or after the doubling
    assert said[2] == "twice 00000006"


def test_a_breakpoint_at_every_turn_leaves_the_count_of_instructions_as_it_is() -> None:
    """In the middle of a block, without an interrupt in between: the program has done the same up to its end."""
    main = """uint32_t x; int main(void) {
        for (uint32_t i = 0; i < 50; i++) { x += i; __asm__ volatile("nop\\n here: nop\\n nop" ::: "memory"); }
        line("x", x); for (;;) wait(); }"""
    plain = Machine(program(main))
    plain.run_until_line("x", 0.1)
    machine = Machine(program(main))
    hits = 0

    class Counting:
        def attach(self, cpu: Cpu) -> None:
            self.cpu = cpu
            cpu.set_breakpoint(machine.symbol("here"))

        def before_run(self) -> None:
            pass

        def halted(self) -> None:
            nonlocal hits
            hits += 1
            assert self.cpu.pc == machine.symbol("here")
            self.cpu.halted = False
            self.cpu.step()

    machine.debug(Counting())
    machine.run_until_line("x", 0.1)
    assert hits == 50
    assert machine.instructions == plain.instructions


def test_an_ebreak_of_the_program_stops_too() -> None:
    machine, server, thread = debugged(
        'int main(void) { __asm__ volatile("stop: ebreak"); text("on\\n"); for (;;) wait(); }'
    )
    client = Client(server.port)
    assert client.ask("c") == "S05"
    assert client.pc() == machine.symbol("stop")
    client.close()
    thread.join(20)


def test_ctrl_c_stops_a_run_that_goes_on() -> None:
    over, waits = threading.Event(), threading.Event()
    machine, server = Machine(elf()), GdbServer(0, lambda _line: waits.set())

    def run() -> None:
        machine.debug(server)
        while not over.is_set():
            machine.run(0.01)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert waits.wait(20)
    client = Client(server.port)
    client.send("c")
    client._socket.sendall(b"\x03")
    assert client.answer() == "S02"
    time_s = machine.virtual_time_s
    assert client.pc() > 0
    assert machine.virtual_time_s == time_s
    over.set()
    client.send("D")
    assert client.answer() == "OK"
    thread.join(20)
    assert not thread.is_alive()


def test_a_packet_with_a_wrong_sum_is_refused_and_gdb_may_go() -> None:
    machine, server, thread = debugged()
    client = Client(server.port)
    assert client.raw(b"$?#00") == b"-"
    assert client.ask("?") == "S05"
    client.close()
    thread.join(20)
    assert machine.uart_output() == _plain()


def _plain() -> bytes:
    machine = Machine(elf())
    machine.run(0.05)
    return machine.uart_output()


def test_gdb_itself() -> None:
    gdb = shutil.which("gdb-multiarch")
    if gdb is None:
        pytest.skip("no gdb-multiarch: apt install gdb-multiarch")
    machine, server, thread = debugged()
    commands = [
        f"target remote :{server.port}", "break *twice", "continue", "print ticks", "print $pc == (long)twice", "print x",
        "stepi", "print $pc == (long)twice", "continue", "print x", "delete", "detach",
    ]  # fmt: skip
    arguments = [each for command in commands for each in ("-ex", command)]
    done = subprocess.run(
        [gdb, "-nx", "-batch", *arguments, str(elf())], capture_output=True, text=True, timeout=120, check=False
    )
    values = re.findall(r"^\$\d+ = (\S+)", done.stdout, re.MULTILINE)
    assert values == ["0", "1", "1", "0", "2"], done.stdout + done.stderr
    thread.join(20)
    assert machine.uart_output() == _plain()


def test_a_port_that_is_taken_is_one_line() -> None:
    first = GdbServer(0)
    first._listener.listen()
    with pytest.raises(ParameterError, match=f"^port {first.port}: cannot listen there"):
        GdbServer(first.port)
    first.close()
