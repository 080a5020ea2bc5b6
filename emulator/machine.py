"""A board: the emulated chip with its sensors, as tests and commands use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emulator.chip import Chip
from emulator.clock import CPU_HZ, Clock
from emulator.cpu import Cpu, CpuException, Hook
from emulator.elf import Image
from emulator.errors import MachineError
from emulator.lsm6dso import Lsm6dso
from emulator.peripherals.flash import PowerCut
from emulator.peripherals.rtc import ResetCause
from emulator.peripherals.uart import Listener
from emulator.sources import SampleSource
from emulator.spi_bus import BusFault, SpiDevice, Wire
from sim.errors import ParameterError

MAC = bytes.fromhex("7cdfa1000001")
"""Of a chip that is given no other address."""


@dataclass(frozen=True)
class Sensor:
    """An LSM6DSO on SPI2.

    Attributes:
        source: what it measures.
        line: chip select of the controller, 0 to 5; or
        pin: GPIO that selects it (active low).
        self_test_response: 1 of a healthy device, 0 of one whose self-test does nothing.
        faults: of its wires.
        model: makes another device than an `Lsm6dso` of the above.
    """

    source: SampleSource | None = None
    line: int | None = None
    pin: int | None = None
    self_test_response: float = 1.0
    faults: Sequence[BusFault] = ()
    model: Callable[[Clock], SensorModel] | None = None


class SensorModel(SpiDevice, Protocol):
    """A sensor on the bus."""

    def power_on(self) -> None:
        """All as after power-on."""

    def catch_up(self, now_s: float) -> None:
        """Take all samples up to this time."""


class Debugger(Protocol):
    """Somebody who looks at the processor from outside."""

    def attach(self, cpu: Cpu) -> None:
        """Take the processor, before its first instruction."""

    def before_run(self) -> None:
        """The processor is about to run; asked several times a second of machine time."""

    def halted(self) -> None:
        """The processor met an `ebreak`; it goes on when this returns with `cpu.halted` cleared."""


class Machine:
    """One board from power-on. The same program, sensors and inputs give the same bytes, however `run` is cut.

    Args:
        elf: program.
        sensors: on the SPI bus; without `line` and `pin` the n-th has line n.
        flash: content of the flash chip from address 0 on; None: erased. The program's own pages are not in it.
        mac: address in the eFuses, 6 bytes.
        hook: `native` (compiled by ziglang at first use) or `python`: slower, the same in all else.
        stages: functions by stage; see `stage_instructions`.

    Attributes:
        resets: (virtual time in s, cause) of every reset since power-on.
        sensors: the sensor models.
        wires: the wires to each sensor, for faults set in later (`machine.wires[0].add(BusFault(...))`).

    Raises:
        MachineError: the program cannot be loaded.
        ParameterError: sensors that cannot be wired so.
    """

    def __init__(
        self,
        elf: Path,
        sensors: Sequence[Sensor] = (),
        *,
        flash: bytes | None = None,
        mac: bytes = MAC,
        hook: Hook = "native",
        stages: Mapping[str, list[str]] | None = None,
    ) -> None:
        if len(mac) != 6:
            raise ParameterError(f"mac of {len(mac)} bytes; 6 are allowed")
        self._chip = Chip(Image.load(elf), flash, mac)
        self.resets = self._chip.resets
        self.sensors: list[SensorModel] = []
        self.wires: list[Wire] = []
        for n, sensor in enumerate(sensors):
            self._connect(n, sensor)
        if self.sensors:
            self._chip.timed.append(_KeepUp(self.sensors))
        self._cpu = Cpu(self._chip, hook, stages)
        self._debugger: Debugger | None = None
        self._sent = [bytearray(), bytearray()]
        for uart, sent in zip(self._chip.uarts, self._sent, strict=True):
            uart.listeners.append(_recorder(sent))

    def _connect(self, n: int, sensor: Sensor) -> None:
        if sensor.line is not None and sensor.pin is not None:
            raise ParameterError(f"sensor {n}: line {sensor.line} and pin {sensor.pin}; give one of them")
        clock = self._chip.clock
        device: SensorModel
        if sensor.model is not None:
            device = sensor.model(clock)
        elif sensor.source is not None:
            device = Lsm6dso(clock, sensor.source, sensor.self_test_response, name=f"imu{n}")
        else:
            raise ParameterError(f"sensor {n}: neither source nor model")
        wire = Wire(device, clock, sensor.faults)
        bus = self._chip.spi_bus
        if sensor.pin is not None:
            if not 0 <= sensor.pin < 22 or sensor.pin in bus.by_pin:
                raise ParameterError(f"sensor {n}: pin {sensor.pin} is taken or not one of 0 to 21")
            bus.by_pin[sensor.pin] = wire
        else:
            line = n if sensor.line is None else sensor.line
            if not 0 <= line < 6 or line in bus.by_line:
                raise ParameterError(f"sensor {n}: chip select {line} is taken or not one of 0 to 5")
            bus.by_line[line] = wire
        self.sensors.append(device)
        self.wires.append(wire)

    # Time

    @property
    def virtual_time_s(self) -> float:
        """Seconds since power-on."""
        return self._chip.clock.now_s

    @property
    def instructions(self) -> int:
        """Instructions executed; time slept in WFI has none."""
        return int(self._chip.clock.state.instructions)

    def run(self, seconds: float) -> None:
        """Run for so long (virtual time).

        Raises:
            MachineError: the firmware did what is not modelled or not allowed.
        """
        self._run_to(self._chip.clock.now + round(seconds * CPU_HZ), _never)

    def run_until(self, time_s: float) -> None:
        """Run until this virtual time; nothing happens when it is past."""
        self._run_to(round(time_s * CPU_HZ), _never)

    def run_until_true(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Run until a condition holds, which is asked after every byte written to a UART and whenever the chip acts by itself.

        Returns whether it holds; False: `timeout_s` of virtual time have passed.
        """
        self._run_to(self._chip.clock.now + round(timeout_s * CPU_HZ), condition)
        return condition()

    def run_until_line(self, text: str, timeout_s: float, uart: int = 0) -> str:
        """Run until a line with `text` in it is sent; returns the line. Lines sent before do not count.

        Raises:
            MachineError: no such line within `timeout_s` of virtual time.
        """
        sent = self._sent[uart]
        searched = len(sent)
        found: list[str] = []

        def seen() -> bool:
            nonlocal searched
            while (end := sent.find(b"\n", searched)) >= 0:
                start = sent.rfind(b"\n", 0, end) + 1
                searched = end + 1
                line = sent[start:end].decode("utf-8", "replace").rstrip("\r")
                if text in line:
                    found.append(line)
                    return True
            return False

        self._run_to(self._chip.clock.now + round(timeout_s * CPU_HZ), seen)
        if not found:
            last = bytes(sent[-200:]).decode("utf-8", "replace").splitlines()
            raise MachineError(
                f"no line with '{text}' on UART{uart} within {timeout_s:g} s (t = {self.virtual_time_s:.3f} s);"
                f" last line: {last[-1] if last else 'none'}"
            )
        return found[0]

    def _run_to(self, cycles: int, stopped: Callable[[], bool]) -> None:
        if self._debugger is not None:
            self._debugger.before_run()
        self._cpu.run_until(cycles, stopped)
        while self._cpu.halted and self._debugger is not None:
            self._debugger.halted()
            self._cpu.run_until(cycles, stopped)

    def debug(self, debugger: Debugger) -> None:
        """Let a debugger have the processor whenever it meets an `ebreak` (`emulator.gdb`)."""
        self._debugger = debugger
        self._cpu.debugged = True
        debugger.attach(self._cpu)

    def reset(self) -> None:
        """Press the reset button: the chip starts anew, RAM that the program does not load and the sensors stay."""
        self._chip.request_reset(ResetCause.POWER_ON)

    # Power and flash

    @property
    def powered(self) -> bool:
        """False after a power cut, until `power_on`; `run` returns at once meanwhile."""
        return self._chip.powered

    @property
    def flash(self) -> bytearray:
        """Content of the flash chip, 4 MB; may be changed."""
        return self._chip.flash.content

    @property
    def flash_operations(self) -> int:
        """Program and erase operations since the machine was made."""
        return self._chip.flash.operations

    def cut_power_at(self, operation: int, byte: int) -> None:
        """Cut the supply within a program or erase operation of the flash.

        Args:
            operation: 1 is the next operation from now on.
            byte: so many of its bytes are done; of the next one only the upper four bits are.
        """
        if operation < 1 or byte < 0:
            raise ParameterError(f"power cut at operation {operation}, byte {byte}; from 1 and from 0 on are allowed")
        self._chip.flash.cut = PowerCut(operation, byte)

    def power_on(self) -> None:
        """Switch the supply on again after a cut (or off and on): chip and sensors start anew, only the flash stays."""
        self._chip.power_on()
        for sensor in self.sensors:
            sensor.power_on()
        self._cpu.reset()

    # UARTs and pins

    def on_uart(self, uart: int, listener: Listener) -> None:
        """Call `listener` with every byte that is sent from now on."""
        self._chip.uarts[uart].listeners.append(listener)

    def on_uart_written(self, uart: int, listener: Listener) -> None:
        """Call `listener` with every byte that the firmware writes from now on, before it is on the wire."""
        self._chip.uarts[uart].written.append(listener)

    def uart_output(self, uart: int = 0) -> bytes:
        """All that was sent since power-on."""
        return bytes(self._sent[uart])

    def write_uart(self, uart: int, data: bytes) -> None:
        """Send bytes to the firmware, one after the other at the UART's baud rate."""
        self._chip.uarts[uart].receive(data)

    def pin(self, pin: int) -> bool:
        """Level at a GPIO pin."""
        return self._chip.gpio.level(pin)

    def drive_pin(self, pin: int, level: bool) -> None:
        """Put a level on a GPIO pin from outside."""
        self._chip.gpio.drive(pin, level)

    # Registers, memory and counters

    @property
    def exceptions(self) -> list[CpuException]:
        """All exceptions that were handed to the program; one that comes again and again is listed once."""
        return self._cpu.exceptions

    def read_register(self, address: int) -> int:
        """Read a register of a peripheral, as the program would.

        Raises:
            AccessError: no such register.
        """
        return self._chip.read(address, 4)

    def write_register(self, address: int, value: int) -> None:
        """Write a register of a peripheral, as the program would; raises as `read_register`."""
        self._chip.write(address, 4, value)

    @property
    def interrupt_line(self) -> int:
        """The line of the processor that the interrupt matrix asserts; 0: none."""
        return int(self._chip.clock.state.pending_line)

    def symbol(self, name: str) -> int:
        """Address of a symbol of the program.

        Raises:
            MachineError: no such symbol.
        """
        try:
            return self._chip.image.symbols[name]
        except KeyError:
            raise MachineError(f"{self._chip.image.path}: no symbol '{name}'") from None

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of memory (not of registers)."""
        return self._chip.peek(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        """Change memory, code and constants too."""
        self._chip.poke(address, data)
        self._cpu.code_changed()

    def flip_bit(self, address: int, bit: int) -> None:
        """Turn over one bit (0 to 7) of a byte of memory."""
        self.write_memory(address, bytes([self.read_memory(address, 1)[0] ^ 1 << bit]))

    def function_instructions(self) -> dict[str, int]:
        """Instructions executed so far in each function itself, without those it calls."""
        return self._cpu.function_instructions()

    def stage_instructions(self) -> dict[str, int]:
        """Instructions executed so far in each stage, with all that it calls; `other` and `interrupts` beside them."""
        return self._cpu.stage_instructions()


class _KeepUp:
    """Lets sensors that nobody reads take their samples once a second, so that their source need not keep them."""

    def __init__(self, sensors: Sequence[SensorModel]) -> None:
        self._sensors, self._next = sensors, CPU_HZ

    def next_event(self) -> int | None:
        return self._next

    def advance(self, now: int) -> None:
        while self._next <= now:
            for sensor in self._sensors:
                sensor.catch_up(self._next / CPU_HZ)
            self._next += CPU_HZ


def _never() -> bool:
    return False


def _recorder(sent: bytearray) -> Listener:
    def record(byte: int, _time_s: float) -> None:
        sent.append(byte)

    return record
