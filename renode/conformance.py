"""What both emulated ESP32-C3 must do, register by register: scripts that write, read, wait and look at interrupt lines.

One table, three uses: on the built-in emulator, on the C# peripherals under a stub of Renode, and, as the Robot suite
`tests/conformance_esp32c3.robot` that `robot_suite` makes of it, on Renode. The ESP32's table is in
conformance_esp32.py. Expected values are the reference manual's (chapter in each script's `source`), not either
engine's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from firmware.compiler import ChipName

UART0, UART1, FLASH, GPIO, RTC, EFUSE = 0x60000000, 0x60010000, 0x60002000, 0x60004000, 0x60008000, 0x60008800
IO_MUX, TIMG0, TIMG1, SYSTIMER, SPI2 = 0x60009000, 0x6001F000, 0x60020000, 0x60023000, 0x60024000
SYSTEM, INTERRUPTS = 0x600C0000, 0x600C2000

ALL_BITS = 0xFFFFFFFF
WATCHDOG_KEY = 0x50D83AA1


class Board(Protocol):
    """What a script is run on."""

    def write(self, address: int, value: int) -> None:
        """Write a register."""

    def read(self, address: int) -> int:
        """Read a register."""

    def advance(self, seconds: float) -> None:
        """Let virtual time pass."""

    def interrupt_line(self) -> int:
        """The line of the processor that is asserted; 0: none."""

    def receive(self, uart: int, data: bytes) -> None:
        """Bytes arrive at a UART."""

    def sent(self, uart: int) -> bytes:
        """What a UART has sent since this was last asked."""

    def cut(self, sensor: int) -> None:
        """Cut the wire on which a sensor answers."""

    def mend(self, sensor: int) -> None:
        """Mend it."""


class Step(Protocol):
    """One step of a script."""

    def run(self, board: Board) -> str | None:
        """Do it; what is wrong, None if nothing."""

    def robot(self) -> list[str]:
        """The same as a line of Robot: keyword and arguments."""


@dataclass(frozen=True)
class Write:
    """Write a register."""

    address: int
    value: int

    def run(self, board: Board) -> str | None:
        """See `Step`."""
        board.write(self.address, self.value)
        return None

    def robot(self) -> list[str]:
        """See `Step`."""
        return ["Write Register", f"{self.address:#010x}", f"{self.value:#010x}"]


@dataclass(frozen=True)
class Read:
    """A register must hold this value in the bits of `mask`."""

    address: int
    value: int
    mask: int = ALL_BITS

    def run(self, board: Board) -> str | None:
        """See `Step`."""
        got = board.read(self.address) & self.mask
        if got == self.value:
            return None
        return f"{self.address:#010x} reads {got:#x} in the bits {self.mask:#x}; {self.value:#x} expected"

    def robot(self) -> list[str]:
        """See `Step`."""
        return ["Register Should Be", f"{self.address:#010x}", f"{self.value:#010x}", f"{self.mask:#010x}"]


@dataclass(frozen=True)
class Pass:
    """Virtual time passes."""

    seconds: float

    def run(self, board: Board) -> str | None:
        """See `Step`."""
        board.advance(self.seconds)
        return None

    def robot(self) -> list[str]:
        """See `Step`."""
        return ["Pass Time", f"{self.seconds:.6f}"]


@dataclass(frozen=True)
class Line:
    """The processor's interrupt line that must be asserted; 0: none."""

    number: int

    def run(self, board: Board) -> str | None:
        """See `Step`."""
        got = board.interrupt_line()
        return None if got == self.number else f"interrupt line {got} is asserted; {self.number} expected"

    def robot(self) -> list[str]:
        """See `Step`."""
        return ["Interrupt Line Should Be", str(self.number)]


@dataclass(frozen=True)
class Receive:
    """Bytes arrive at a UART."""

    uart: int
    data: bytes

    def run(self, board: Board) -> str | None:
        """See `Step`."""
        board.receive(self.uart, self.data)
        return None

    def robot(self) -> list[str]:
        """See `Step`."""
        return ["Receive On Uart", str(self.uart), self.data.hex()]


@dataclass(frozen=True)
class Sent:
    """What a UART must have sent since the last such step."""

    uart: int
    data: bytes

    def run(self, board: Board) -> str | None:
        """See `Step`."""
        got = board.sent(self.uart)
        return None if got == self.data else f"UART{self.uart} sent {got.hex()}; {self.data.hex()} expected"

    def robot(self) -> list[str]:
        """See `Step`."""
        return ["Uart Should Have Sent", str(self.uart), self.data.hex()]


@dataclass(frozen=True)
class Cut:
    """The wire on which a sensor answers is cut, or mended."""

    sensor: int
    mend: bool = False

    def run(self, board: Board) -> str | None:
        """See `Step`."""
        (board.mend if self.mend else board.cut)(self.sensor)
        return None

    def robot(self) -> list[str]:
        """See `Step`."""
        return ["Mend Wire" if self.mend else "Cut Wire", str(self.sensor)]


@dataclass(frozen=True)
class Script:
    """A test of one peripheral.

    Attributes:
        name: of the test.
        source: where the expected behaviour is written down.
        steps: in order, on a board just switched on.
    """

    name: str
    source: str
    steps: list[Step]


def run(script: Script, board: Board) -> list[str]:
    """Run a script; what was wrong, with the number of the step."""
    wrong = []
    for number, step in enumerate(script.steps, start=1):
        complaint = step.run(board)
        if complaint is not None:
            wrong.append(f"{script.name}, step {number}: {complaint}")
    return wrong


def robot_suite(scripts: list[Script], chip: ChipName) -> str:
    """The scripts of a chip as a Robot suite."""
    lines = [
        "*** Comments ***",
        "Made of renode/conformance.py by `python -m renode.conformance`; do not edit.",
        "",
        "*** Settings ***",
        "Suite Setup       Setup",
        "Suite Teardown    Teardown",
        "Test Setup        Reset Emulation",
        "Test Teardown     Test Teardown",
        "Resource          ${CURDIR}/simtwin.resource",
        "",
        "*** Variables ***",
        f"${{CHIP}}           {chip}",
        "",
        "*** Test Cases ***",
    ]
    for script in scripts:
        lines += [script.name, f"    [Documentation]    {script.source}", "    Create Machine    idle"]
        lines += ["    " + "    ".join(step.robot()) for step in script.steps]
        lines.append("")
    return "\n".join(lines)


def _route(source: int, line: int, priority: int = 5) -> list[Step]:
    return [
        Write(INTERRUPTS + 4 * source, line),
        Write(INTERRUPTS + 0x114 + 4 * line, priority),
        Write(INTERRUPTS + 0x194, 1),
    ]


def _lines(*numbers: int) -> Step:
    return Write(INTERRUPTS + 0x104, sum(1 << number for number in numbers))


# Where a line is asserted little time passes: the program's wait ends at once then, over and over.


def _transfer(select: int, length: int) -> list[Step]:
    """A full-duplex transaction of SPI2, over when the time has passed."""
    return [
        Write(SPI2 + 0x20, 0x3F & ~(1 << select)),
        Write(SPI2 + 0x1C, 8 * length - 1),
        Write(SPI2, 1 << 23),
        Write(SPI2, 1 << 24),
        Pass(0.0001),
        Read(SPI2, 0, 1 << 24),
    ]


_SPI_ON: list[Step] = [Write(SPI2 + 0xE8, 3), Write(SPI2 + 0x10, 1 << 27 | 1)]


def _flash(command: int, address: int | None = None, out: int = 0, back: int = 0) -> list[Step]:
    """A user-defined transaction of the flash controller."""
    user = 1 << 31 | (address is not None) << 30 | (out > 0) << 27 | (back > 0) << 28
    return [
        Write(FLASH + 0x18, user),
        Write(FLASH + 0x1C, 23 << 26),
        Write(FLASH + 0x20, 7 << 28 | command),
        Write(FLASH + 0x04, address or 0),
        Write(FLASH + 0x24, max(0, 8 * out - 1)),
        Write(FLASH + 0x28, max(0, 8 * back - 1)),
        Write(FLASH, 1 << 18),
        Pass(0.0001),
        Read(FLASH, 0, 1 << 18),
    ]


SCRIPTS = [
    Script(
        "GPIO Set And Clear", "ESP32-C3 TRM, chapter 5",
        [
            Write(GPIO + 0x24, 0b1110), Write(GPIO + 0x04, 0b0010), Write(GPIO + 0x08, 0b0100),
            Read(GPIO + 0x04, 0b0110), Read(GPIO + 0x3C, 0b0110, 0b1110),
            Write(GPIO + 0x0C, 0b0010), Read(GPIO + 0x04, 0b0100), Read(GPIO + 0x3C, 0b0100, 0b1110),
            Write(GPIO + 0x28, 0b0100), Read(GPIO + 0x20, 0b1010),
        ],
    ),
    Script(
        "GPIO And IO MUX Keep Their Settings", "ESP32-C3 TRM, chapter 5: reset values and fields",
        [
            Read(GPIO + 0x554 + 4 * 3, 0x80), Write(GPIO + 0x554 + 4 * 3, 69), Read(GPIO + 0x554 + 4 * 3, 69),
            Read(GPIO + 0x554 + 4 * 4, 0x80), Read(IO_MUX + 0x04 + 4 * 6, 0xB00),
            Write(IO_MUX + 0x04 + 4 * 6, 2 << 12 | 2 << 10), Read(IO_MUX + 0x04 + 4 * 6, 0x2800),
        ],
    ),
    Script(
        "Interrupt Matrix Routes A Level", "ESP32-C3 TRM, chapter 8",
        [
            *_route(50, 7), Line(0), Write(SYSTEM + 0x28, 1), Read(INTERRUPTS + 0xFC, 1 << 18),
            Read(INTERRUPTS + 0x110, 1 << 7), Line(0), _lines(7), Line(7),
            Write(INTERRUPTS + 4 * 50, 12), Line(0), *_route(50, 12), _lines(7, 12), Line(12),
            Write(SYSTEM + 0x28, 0), Line(0), Read(INTERRUPTS + 0xFC, 0),
        ],
    ),
    Script(
        "Interrupt Matrix Priority And Threshold",
        "ESP32-C3 TRM, chapter 8: priority 0 is never taken, nor one below the threshold",
        [
            *_route(50, 7, 3), *_route(51, 13, 9), _lines(7, 13), Write(SYSTEM + 0x28, 1), Line(7),
            Write(SYSTEM + 0x2C, 1), Line(13), Write(INTERRUPTS + 0x114 + 4 * 13, 2), Line(7),
            Write(INTERRUPTS + 0x114 + 4 * 7, 2), Line(7), Write(INTERRUPTS + 0x194, 3), Line(0),
            Write(INTERRUPTS + 0x114 + 4 * 13, 15), Line(13), Write(INTERRUPTS + 0x194, 0),
            Write(INTERRUPTS + 0x114 + 4 * 13, 0), Write(INTERRUPTS + 0x114 + 4 * 7, 0), Line(0),
        ],
    ),
    Script(
        "Interrupt Matrix Latches An Edge", "ESP32-C3 TRM, chapter 8: CPU_INT_TYPE and CPU_INT_CLEAR",
        [
            *_route(50, 14), Write(INTERRUPTS + 0x108, 1 << 14), _lines(14),
            Write(SYSTEM + 0x28, 1), Write(SYSTEM + 0x28, 0), Line(14),
            Write(INTERRUPTS + 0x10C, 1 << 14), Line(0),
        ],
    ),
    Script(
        "System Timer Counts", "ESP32-C3 TRM, chapter 10: 16 MHz, stopped, started and loaded by software",
        [
            Write(SYSTIMER + 0x0C, 0), Write(SYSTIMER + 0x10, 0x1000), Write(SYSTIMER + 0x5C, 1), Pass(0.01),
            Write(SYSTIMER + 0x04, 1 << 30), Read(SYSTIMER + 0x04, 1 << 29, 1 << 29),
            Read(SYSTIMER + 0x44, 0x1000 + 160000), Read(SYSTIMER + 0x40, 0),
            Write(SYSTIMER, 0x06000000), Pass(0.01), Write(SYSTIMER + 0x04, 1 << 30), Read(SYSTIMER + 0x44, 0x1000 + 160000),
            Write(SYSTIMER + 0x14, 0xFFFFF), Write(SYSTIMER + 0x18, 0xFFFFFFF0), Write(SYSTIMER + 0x60, 1),
            Write(SYSTIMER + 0x08, 1 << 30), Read(SYSTIMER + 0x48, 0xFFFFF), Read(SYSTIMER + 0x4C, 0xFFFFFFF0),
        ],
    ),
    Script(
        "System Timer Periodic Alarm", "ESP32-C3 TRM, chapter 10; source 37",
        [
            *_route(37, 7), _lines(7), Write(SYSTIMER + 0x34, 1 << 30 | 16000), Write(SYSTIMER + 0x50, 1),
            Write(SYSTIMER, 0x47000000), Write(SYSTIMER + 0x64, 1), Line(0), Pass(0.0009), Line(0), Pass(0.0002), Line(7),
            Read(SYSTIMER + 0x68, 1), Read(SYSTIMER + 0x70, 1), Write(SYSTIMER + 0x6C, 1), Line(0),
            Pass(0.0008), Line(0), Pass(0.0002), Line(7), Write(SYSTIMER, 0x46000000), Write(SYSTIMER + 0x6C, 1),
            Pass(0.003), Line(0),
        ],
    ),
    Script(
        "System Timer One Alarm", "ESP32-C3 TRM, chapter 10; source 38: once, at a value of the counter",
        [
            *_route(38, 16), _lines(16), Write(SYSTIMER + 0x10, 0), Write(SYSTIMER + 0x0C, 0), Write(SYSTIMER + 0x5C, 1),
            Write(SYSTIMER + 0x24, 0), Write(SYSTIMER + 0x28, 32000), Write(SYSTIMER + 0x54, 1),
            Write(SYSTIMER, 0x46800000), Write(SYSTIMER + 0x64, 2), Pass(0.0019), Line(0), Pass(0.0002), Line(16),
            Write(SYSTIMER + 0x6C, 2), Pass(0.005), Line(0), Read(SYSTIMER + 0x68, 0),
        ],
    ),
    Script(
        "UART Sends", "ESP32-C3 TRM, chapter 26: the FIFO drains at the baud rate, 87 us a byte at 115200",
        [
            Write(UART0 + 0x14, 347 | 4 << 20), Write(UART0, 0x48), Write(UART0, 0x69), Write(UART0, 0x0A),
            Read(UART0 + 0x1C, 3 << 16, 0x3FF << 16), Pass(0.0001), Read(UART0 + 0x1C, 2 << 16, 0x3FF << 16),
            Pass(0.001), Read(UART0 + 0x1C, 0, 0x3FF << 16), Sent(0, b"Hi\n"), Read(UART0 + 0x04, 1 << 14, 1 << 14),
        ],
    ),
    Script(
        "UART Says When It Has Sent", "ESP32-C3 TRM, chapter 26: TXFIFO_EMPTY below the threshold, TX_DONE; source 21",
        [
            *_route(21, 12), _lines(12), Write(UART0 + 0x14, 347 | 4 << 20), Write(UART0 + 0x24, 2 << 9 | 96),
            *[Write(UART0, 0x30 + n) for n in range(4)], Write(UART0 + 0x10, 1 << 1 | 1 << 14), Write(UART0 + 0x0C, 1 << 1),
            Line(0), Pass(0.0002), Line(0), Pass(0.00009), Line(12), Read(UART0 + 0x08, 1 << 1),
            Write(UART0 + 0x0C, 1 << 14), Line(0), Pass(0.0001), Line(12), Read(UART0 + 0x08, 1 << 14),
            Write(UART0 + 0x10, 1 << 14), Line(0), Sent(0, b"0123"),
        ],
    ),
    Script(
        "UART Receives And Interrupts",
        "ESP32-C3 TRM, chapter 26: RXFIFO_FULL above the threshold, RXFIFO_TOUT for fewer; source 22",
        [
            *_route(22, 13), _lines(13), Write(UART1 + 0x14, 347 | 4 << 20), Write(UART1 + 0x78, 0x03700000),
            Write(UART1 + 0x24, 1 << 21 | 2), Write(UART1 + 0x10, 0x101), Write(UART1 + 0x0C, 0x101), Line(0),
            Receive(1, b"\x04\xff"), Pass(0.0005), Line(13), Read(UART1 + 0x08, 1 << 8), Read(UART1 + 0x1C, 2, 0x3FF),
            Read(UART1, 0x04), Read(UART1, 0xFF), Read(UART1 + 0x1C, 0, 0x3FF), Write(UART1 + 0x10, 0x101), Line(0),
            Receive(1, b"abc"), Pass(0.0005), Read(UART1 + 0x04, 1, 1), Read(UART1, 0x61), Read(UART1, 0x62),
            Read(UART1, 0x63), Write(UART1 + 0x10, 0x101), Line(0), Read(UART1 + 0x04, 0, 0x101),
        ],
    ),
    Script(
        "SPI2 Reads A Sensor", "ESP32-C3 TRM, chapter 27; LSM6DSO datasheet, WHO_AM_I; MISC's chip selects are disables",
        [
            *_SPI_ON, Write(SPI2 + 0x98, 0x8F), *_transfer(0, 2), Read(SPI2 + 0x98, 0x6C00, 0xFF00),
            Write(SPI2 + 0x98, 0x8F), *_transfer(2, 2), Read(SPI2 + 0x98, 0x6C00, 0xFF00),
            Write(SPI2 + 0x98, 0x8F), *_transfer(3, 2), Read(SPI2 + 0x98, 0xFF00, 0xFF00),
            Read(SPI2 + 0x3C, 1 << 12, 1 << 12), Write(SPI2 + 0x38, 1 << 12), Read(SPI2 + 0x3C, 0, 1 << 12),
        ],
    ),
    Script(
        "SPI2 Writes And Reads By Phases",
        "ESP32-C3 TRM, chapter 27: command from the low byte, address from the top, then MISO",
        [
            *_SPI_ON, Write(SPI2 + 0x98, 0x8410), *_transfer(1, 2),  # CTRL1_XL: 1660 Hz, 16 g
            Write(SPI2 + 0x10, 1 << 31 | 1 << 28), Write(SPI2 + 0x18, 7 << 28 | 0x90), Write(SPI2 + 0x98, 0),
            *_transfer(1, 1), Read(SPI2 + 0x98, 0x84, 0xFF),
            Write(SPI2 + 0x10, 1 << 30 | 1 << 28), Write(SPI2 + 0x14, 7 << 27), Write(SPI2 + 0x04, 0x8F << 24),
            Write(SPI2 + 0x98, 0), *_transfer(1, 1), Read(SPI2 + 0x98, 0x6C, 0xFF),
        ],
    ),
    Script(
        "SPI2 Interrupts", "ESP32-C3 TRM, chapter 27: TRANS_DONE; source 19",
        [
            *_route(19, 15), _lines(15), *_SPI_ON, Write(SPI2 + 0x34, 1 << 12), Line(0), Write(SPI2 + 0x98, 0x8F),
            *_transfer(0, 2), Line(15), Read(SPI2 + 0x40, 1 << 12), Write(SPI2 + 0x38, 1 << 12), Line(0),
        ],
    ),
    Script(
        "A Cut Wire Reads All Ones", "MISO is pulled up",
        [
            *_SPI_ON, Cut(0), Write(SPI2 + 0x98, 0x8F), *_transfer(0, 2), Read(SPI2 + 0x98, 0xFFFF, 0xFFFF),
            Write(SPI2 + 0x98, 0x8F), *_transfer(1, 2), Read(SPI2 + 0x98, 0x6C00, 0xFF00),
            Cut(0, mend=True), Write(SPI2 + 0x98, 0x8F), *_transfer(0, 2), Read(SPI2 + 0x98, 0x6C00, 0xFF00),
        ],
    ),
    Script(
        "Flash Erases And Programs", "ESP32-C3 TRM, chapter 27; W25Q32JV datasheet: commands 9F, 06, 20, 02, 03, 05",
        [
            Write(FLASH + 0x08, 0), *_flash(0x9F, back=3), Read(FLASH + 0x58, 0x1640EF, 0xFFFFFF),
            *_flash(0x05, back=1), Read(FLASH + 0x58, 0, 0x03), *_flash(0x06), *_flash(0x05, back=1), Read(FLASH + 0x58, 2, 3),
            *_flash(0x20, 0x3FE000), *_flash(0x05, back=1), Read(FLASH + 0x58, 1, 0x01), Pass(0.5),
            *_flash(0x05, back=1), Read(FLASH + 0x58, 0, 0x03), *_flash(0x03, 0x3FE0FC, back=4), Read(FLASH + 0x58, ALL_BITS),
            *_flash(0x06), Write(FLASH + 0x58, 0x12345678), *_flash(0x02, 0x3FE0FE, out=4), Pass(0.01),
            *_flash(0x03, 0x3FE0FC, back=4), Read(FLASH + 0x58, 0x5678FFFF),
            *_flash(0x03, 0x3FE000, back=4), Read(FLASH + 0x58, 0xFFFF1234),  # it wraps within the page
            *_flash(0x06), Write(FLASH + 0x58, 0xFF00), *_flash(0x02, 0x3FE0FE, out=2), Pass(0.01),
            *_flash(0x03, 0x3FE0FC, back=4), Read(FLASH + 0x58, 0x5600FFFF),  # ones do not come back
        ],
    ),
    Script(
        "RTC Watchdog Interrupts And Is Fed", "ESP32-C3 TRM, chapter 12: 136 kHz; the first stage counts twice; source 27",
        [
            *_route(27, 17), _lines(17), Write(RTC + 0x40, 1 << 3), Write(RTC + 0xA8, WATCHDOG_KEY), Write(RTC + 0x94, 6800),
            Write(RTC + 0x90, 1 << 31 | 1 << 28), Write(RTC + 0xA4, 1 << 31), Pass(0.08), Line(0), Write(RTC + 0xA4, 1 << 31),
            Pass(0.08), Line(0), Pass(0.0205), Line(17), Read(RTC + 0x48, 1 << 3), Write(RTC + 0x4C, 1 << 3), Line(0),
            Write(RTC + 0x90, 0), Write(RTC + 0xA8, 0), Pass(0.5), Line(0),
        ],
    ),
    Script(
        "RTC Watchdog Resets The System", "ESP32-C3 TRM, chapters 6 and 12: cause 0x10; STORE registers are lost",
        [
            Read(RTC + 0x38, 0x01, 0x3F), Write(RTC + 0x50, 0x5A5A5A5A), Write(GPIO + 0x24, 4),
            Write(RTC + 0xA8, WATCHDOG_KEY), Write(RTC + 0x94, 6800), Write(RTC + 0x90, 1 << 31 | 4 << 28),
            Write(RTC + 0xA4, 1 << 31), Pass(0.2), Read(RTC + 0x38, 0x10, 0x3F), Read(RTC + 0x50, 0), Read(GPIO + 0x20, 0),
        ],
    ),
    Script(
        "Software Reset Of The Core", "ESP32-C3 TRM, chapters 6 and 9: OPTIONS0 bit 31, cause 0x03; STORE registers stay",
        [
            Write(RTC + 0x54, 0x12345678), Write(GPIO + 0x24, 4), Write(RTC, 1 << 31), Pass(0.05),
            Read(RTC + 0x38, 0x03, 0x3F), Read(RTC + 0x54, 0x12345678), Read(GPIO + 0x20, 0), Read(RTC, 0, 1 << 31),
        ],
    ),
    Script(
        "Timer Group Watchdog", "ESP32-C3 TRM, chapter 12: 80 MHz through the prescaler; cause 0x08 of group 1; source 33",
        [
            *_route(33, 18), _lines(18), Write(TIMG0 + 0x70, 2), Write(TIMG0 + 0x4C, 8000 << 16), Write(TIMG0 + 0x50, 100),
            Write(TIMG0 + 0x48, 1 << 31 | 1 << 29 | 1 << 22), Pass(0.0099), Line(0), Pass(0.0002), Line(18),
            Read(TIMG0 + 0x78, 2), Write(TIMG0 + 0x7C, 2), Line(0), Write(TIMG0 + 0x48, 1 << 22),
            Write(TIMG1 + 0x4C, 8000 << 16), Write(TIMG1 + 0x50, 100), Write(TIMG1 + 0x48, 1 << 31 | 3 << 29 | 1 << 22),
            Pass(0.05), Read(RTC + 0x38, 0x08, 0x3F),
        ],
    ),
    Script(
        "System Registers And A Peripheral's Reset", "ESP32-C3 TRM, chapter 16: reset values; PERIP_RST_EN0",
        [
            Read(SYSTEM + 0x10, 0xF9C1E06F), Write(SYSTEM + 0x58, 0x401), Read(SYSTEM + 0x58, 0x401),
            Write(SPI2 + 0x1C, 15), Read(SPI2 + 0x1C, 15), Write(SYSTEM + 0x18, 1 << 6), Read(SPI2 + 0x1C, 0),
            Write(SYSTEM + 0x18, 0), Read(SYSTEM + 0x18, 0),
        ],
    ),
    Script(
        "EFuse Holds The MAC Address", "ESP32-C3 TRM, chapter 4: RD_MAC_SPI_SYS_0 and 1",
        [Read(EFUSE + 0x44, 0xA1000001), Read(EFUSE + 0x48, 0x7CDF, 0xFFFF), Read(EFUSE + 0x50, 0)],
    ),
]  # fmt: skip
"""All scripts."""


if __name__ == "__main__":
    from pathlib import Path

    from renode.conformance_esp32 import SCRIPTS as SCRIPTS_ESP32

    tables: dict[ChipName, list[Script]] = {"esp32c3": SCRIPTS, "esp32": SCRIPTS_ESP32}
    for chip, scripts in tables.items():
        (Path(__file__).parent / "tests" / f"conformance_{chip}.robot").write_text(robot_suite(scripts, chip))
