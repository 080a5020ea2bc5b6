"""The C# peripherals, compiled against a stub of Renode and wired as a chip's .repl says; a `renode.conformance.Board`."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from firmware.compiler import ChipName
from renode.platform import PERIPHERALS, parts_of

STUB = Path(__file__).with_name("csharp")
NEEDED = "no C# compiler and runtime: install Debian's mono-mcs and mono-runtime"


@cache
def compiled() -> Path:
    """The program; skips the test where there is no compiler."""
    if shutil.which("mcs") is None or shutil.which("mono") is None:
        pytest.skip(NEEDED)
    program = Path(mkdtemp(prefix="simtwin-renode-")) / "board.exe"
    # C# 7 at the most: Renode compiles C# 9, whose part that mcs does not know is not used.
    command = ["mcs", "-langversion:7", "-warn:4", "-warnaserror", f"-out:{program}"]
    sources = [str(path) for path in sorted(STUB.glob("*.cs")) + sorted(PERIPHERALS.glob("*.cs"))]
    done = subprocess.run([*command, *sources], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return program


class CsharpBoard:
    """One board from power-on."""

    def __init__(self, chip: ChipName = "esp32c3") -> None:
        self._process = subprocess.Popen(
            ["mono", str(compiled())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        every = parts_of(chip)
        own = {name: part for name, part in every.items() if part.is_own}
        for name in _by_dependency({name: set(part.values.values()) & set(own) for name, part in own.items()}):
            part = own[name]
            values = [f"{key}={value}" for key, value in part.values.items()]
            self.do("create", name, part.kind, ",".join(map(hex, part.places)), *values)
        for part in every.values():
            if part.is_own:
                for wire in part.wires:
                    number = "-" if wire.number is None else str(wire.number)
                    self.do("connect", part.name, number, wire.destination, str(wire.input))
            elif part.bus in own:
                self.do("device", part.bus, str(part.places[0]))

    def do(self, *words: str) -> str:
        """One step; its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().rstrip("\n")
        assert not answer.startswith("error"), f"{' '.join(words)}: {answer}"
        return answer

    def close(self) -> None:
        """End the program."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def write(self, address: int, value: int) -> None:
        self.do("write", hex(address), hex(value))

    def read(self, address: int) -> int:
        return int(self.do("read", hex(address)))

    def advance(self, seconds: float) -> None:
        self.do("advance", str(round(seconds * 1e9)))

    def execute(self, seconds: float) -> None:
        """The CPU executes so long; who does not ask it does not know."""
        self.do("execute", str(round(seconds * 1e9)))

    def interrupt_line(self) -> int:
        return int(self.do("call", "intmatrix", "Asserted"))

    def receive(self, uart: int, data: bytes) -> None:
        self.do("receive", f"uart{uart}", *(hex(byte) for byte in data))

    def sent(self, uart: int) -> bytes:
        return bytes.fromhex(self.do("sent", f"uart{uart}"))

    def cut(self, sensor: int) -> None:
        self.do("call", "spi2", "Cut", str(sensor))

    def mend(self, sensor: int) -> None:
        self.do("call", "spi2", "Mend", str(sensor))

    def log(self) -> str:
        """Warnings since this was last asked."""
        return self.do("log")


def _by_dependency(needs: dict[str, set[str]]) -> list[str]:
    ordered: list[str] = []
    while len(ordered) < len(needs):
        ready = [name for name in needs if name not in ordered and needs[name] <= set(ordered)]
        assert ready, f"peripherals need one another in a circle: {set(needs) - set(ordered)}"
        ordered += ready
    return ordered
