"""The suites' keywords on the built-in emulator: names, arguments and behaviour of Renode's and of `tests/renode.resource`.

A line counts as sent when the firmware has written its end, as on Renode; every wait stops the machine right there.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from emulator.errors import MachineError
from emulator.machine import Machine, Sensor
from emulator.peripherals.uart import Listener
from emulator.spi_bus import BusFault
from renode.lsm6dso import RenodeLsm6dso
from renode.resd import read
from renode.tests import bluetooth, transcript

DEFAULT_TIMEOUT_S = 10.0
CHIP = "esp32c3"
"""The one that the built-in emulator is."""
IMUS = 3
"""On the bus, as in esp32c3.repl."""


@dataclass(frozen=True)
class Result:
    """What a wait gives, with Renode's names: the line, the virtual time (ms), the groups of a regular expression."""

    Line: str
    Timestamp: float
    Groups: list[str]


@dataclass
class Board:
    """One machine and what was seen of it."""

    machine: Machine
    lines: deque[tuple[float, str]] = field(default_factory=deque)
    failing: list[str] = field(default_factory=list)
    written: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    asked: list[int] = field(default_factory=lambda: [0, 0])
    cut: dict[int, BusFault] = field(default_factory=dict)
    part: bytearray = field(default_factory=bytearray)

    def listen(self) -> None:
        """Take down what the firmware writes."""
        for uart, written in enumerate(self.written):
            self.machine.on_uart_written(uart, _appender(written))
        self.machine.on_uart_written(0, self._console)

    def _console(self, byte: int, time_s: float) -> None:
        if byte == 10:
            self.lines.append((time_s, self.part.decode("ascii", "replace").rstrip("\r")))
            self.part.clear()
        else:
            self.part.append(byte)


class Keywords:
    """Keywords of the built-in emulator.

    Args:
        work: folder with firmware, feeds and expected transcripts.
    """

    ROBOT_LIBRARY_SCOPE = "GLOBAL"

    def __init__(self, work: str) -> None:
        self._work = Path(work)
        self._board: Board | None = None
        self._logs = Path(mkdtemp(prefix="simtwin-uart-"))

    # As Renode's own resource has them

    def setup(self) -> None:
        """Nothing has to be started."""

    def teardown(self) -> None:
        """Nothing has to be stopped."""
        self._board = None

    def reset_emulation(self) -> None:
        """No machine."""
        self._board = None

    def test_teardown(self) -> None:
        """The machine is gone."""
        self._board = None

    # As Renode's testers have them

    def wait_for_line_on_uart(
        self,
        content: str,
        timeout: float | None = None,
        testerId: int | None = None,
        treatAsRegex: bool = False,
        includeUnfinishedLine: bool = False,
        pauseEmulation: bool | None = None,
        matchNextLine: bool | None = None,
    ) -> Result:
        """Run until a line holds this text; lines before it are passed over. The time-out is virtual (s)."""
        board = self._running()
        if testerId is not None or includeUnfinishedLine or matchNextLine or pauseEmulation is False:
            raise ValueError("only waits for whole lines of the one tester, which pause, are known here")
        result: list[Result] = []

        def matched() -> bool:
            for _, line in board.lines:  # of all lines that nobody waited for, as on Renode
                if any(text in line for text in board.failing):
                    raise AssertionError(f"Test failing entry has been found on UART: {line}")
            while board.lines and not result:
                time_s, line = board.lines.popleft()
                found = re.search(content, line) if treatAsRegex else content in line
                if found:
                    groups = list(found.groups()) if isinstance(found, re.Match) else []
                    result.append(Result(line, time_s * 1e3, groups))
            return bool(result)

        limit_s = DEFAULT_TIMEOUT_S if timeout is None else timeout
        if not (matched() or board.machine.run_until_true(matched, limit_s)):
            said = bytes(board.written[0][-2000:]).decode("ascii", "replace")
            raise AssertionError(f"no line with >>{content}<< within {limit_s:g} s of virtual time\n\nConsole:\n{said}")
        return result[0]

    def write_line_to_uart(
        self,
        content: str = "",
        testerId: int | None = None,
        waitForEcho: bool | None = None,
        pauseEmulation: bool | None = None,
    ) -> None:
        """Type a line at the console. The firmware gives no echo."""
        if testerId is not None or waitForEcho is not False or pauseEmulation is not None:
            raise ValueError("the firmware gives no echo: waitForEcho=false is needed")
        self._running().machine.write_uart(0, f"{content}\r".encode("ascii"))

    def register_failing_uart_string(self, pattern: str) -> None:
        """A wait fails when this text is on a line that nobody has waited for, or comes before what it waits for."""
        self._running().failing.append(pattern)

    # As tests/renode.resource has them

    def create_machine(self, program: str) -> None:
        """A board from power-on with this program and three IMUs."""
        path = self._work / "firmware" / CHIP / f"{program}.elf"
        if not path.is_file():
            raise MachineError(f"no program {path}")
        self._board = Board(Machine(path, [Sensor(model=RenodeLsm6dso) for _ in range(IMUS)]))
        self._board.listen()

    def feed_sensors(self, scenario: str) -> None:
        """Give the IMUs the samples of a scenario, from now on: right after `ready`, before anything else passes time.

        What comes before is nobody's; how much of it there is depends on the engine, and so would all windows.
        """
        for feed, sensor in zip(
            transcript.feeds_in(str(self._work / "feeds" / scenario)), self._running().machine.sensors, strict=False
        ):
            assert isinstance(sensor, RenodeLsm6dso)
            sensor.catch_up(self._running().machine.virtual_time_s)
            if sensor.unfed:
                raise AssertionError(
                    f"fed too late: {feed.device} has given {sensor.unfed} samples of nothing since `ready`"
                )
            sensor.feed(read(Path(feed.file)))

    def pass_time(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._running().machine.run(seconds)

    def cut_wire(self, sensor: int) -> None:
        """Cut the wire on which an IMU answers."""
        board = self._running()
        board.cut[sensor] = BusFault("cut_high")
        board.machine.wires[sensor].add(board.cut[sensor])

    def mend_wire(self, sensor: int) -> None:
        """Mend it."""
        board = self._running()
        board.machine.wires[sensor].faults.remove(board.cut.pop(sensor))

    def write_register(self, address: str, value: str) -> None:
        """Write a register."""
        self._running().machine.write_register(int(address, 0), int(value, 0))

    def register_should_be(self, address: str, value: str, mask: str = "0xFFFFFFFF") -> None:
        """A register must have this value in the bits of `mask`."""
        transcript.number_should_be(str(self._running().machine.read_register(int(address, 0))), value, mask)

    def interrupt_line_should_be(self, line: str) -> None:
        """The line of the processor that must be asserted; 0: none."""
        transcript.number_should_be(str(self._running().machine.interrupt_line), line)

    def receive_on_uart(self, uart: int, bytes: str) -> None:
        """Bytes (hexadecimal) arrive at a UART."""
        self._running().machine.write_uart(uart, bytes_from(bytes))

    def uart_should_have_sent(self, uart: int, bytes: str) -> None:
        """A UART must have sent these bytes (hexadecimal) since this was last asked of it."""
        transcript.new_bytes_should_be(self._log(uart), bytes)

    def advertisement_should_be_that_of_the_last_frame(self, key: str = "", counter: str = "0") -> None:
        """UART1 must have sent one thing: the advertisement that goes with the console's last frame."""
        expected = bluetooth.advertisement_of_the_last_frame(self._log(0), key, counter)
        transcript.new_bytes_should_be(self._log(1), expected)

    def instructions_executed(self) -> int:
        """Since power-on; sleeping has none."""
        return self._running().machine.instructions

    def transcript_should_contain(self, text: str, times: int = 1) -> None:
        """At least so many lines of the console hold this text."""
        transcript.text_should_be_there(self._log(0), text, times)

    def transcript_should_not_contain(self, text: str) -> None:
        """No line of the console holds this text."""
        transcript.text_should_not_be_there(self._log(0), text)

    def keep_transcript(self, name: str) -> None:
        """Hold the console against the expected transcript of that name; without one, this becomes it."""
        transcript.compare_or_keep(self._log(0), name, str(self._work / "expected" / CHIP))

    def verdicts_should_be(self, name: str) -> None:
        """Every judged window must be as the host judged the same samples."""
        transcript.compare_verdicts(self._log(0), str(self._work / "expected" / f"{name}.verdicts"))

    def _running(self) -> Board:
        if self._board is None:
            raise MachineError("no machine: Create Machine comes first")
        return self._board

    def _log(self, uart: int) -> str:
        """The log of a UART so far, as a file of this machine."""
        path = self._logs / f"{id(self._board)}-uart{uart}.log"
        path.write_bytes(self._running().written[uart])
        return str(path)


def _appender(written: bytearray) -> Listener:
    def append(byte: int, _time_s: float) -> None:
        written.append(byte)

    return append


def bytes_from(text: str) -> bytes:
    """Hexadecimal text as bytes."""
    return bytes(transcript.bytes_of(text))
