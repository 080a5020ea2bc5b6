"""A Bluetooth controller as the firmware's tests need it, and the packets that docs/bluetooth.md asks for."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firmware.frames import Flag, Frame, FrameType, Hello, State
from firmware.host import HCI, Host

if TYPE_CHECKING:
    from emulator.machine import Machine
    from gateway.bthome import Report

RESET, ADDRESS, PARAMETERS, DATA, ENABLE = 0x0C03, 0x2005, 0x2006, 0x2008, 0x200A
SET_UP = (RESET, ADDRESS, PARAMETERS, DATA, ENABLE)


def commands_in(sent: bytes) -> list[tuple[int, bytes]]:
    """Opcode and parameters of the H4 command packets in a stream; fails on anything else."""
    found, at = [], 0
    while at < len(sent):
        kind, opcode, count = struct.unpack_from("<BHB", sent, at)
        assert kind == 1
        assert len(sent) >= at + 4 + count
        found.append((opcode, sent[at + 4 : at + 4 + count]))
        at += 4 + count
    return found


def complete(opcode: int, status: int = 0, allowed: int = 1) -> bytes:
    """Command Complete (Core Specification, volume 4, part E, 7.7.14)."""
    return struct.pack("<BBBBHB", 4, 0x0E, 4, allowed, opcode, status)


def status(opcode: int, value: int = 0, allowed: int = 1) -> bytes:
    """Command Status (7.7.15)."""
    return struct.pack("<BBBBBH", 4, 0x0F, 4, value, allowed, opcode)


@dataclass
class Controller:
    """Answers every command at once.

    Attributes:
        commands: opcode and parameters of all it was given.
        mute: it takes commands and says nothing.
    """

    commands: list[tuple[int, bytes]] = field(default_factory=list)
    mute: bool = False

    def __call__(self, packet: bytes) -> bytes:
        """Take one command; the answer."""
        ((opcode, parameters),) = commands_in(packet)
        self.commands.append((opcode, parameters))
        return b"" if self.mute else complete(opcode)

    @property
    def opcodes(self) -> Sequence[int]:
        """Of all commands."""
        return [opcode for opcode, _ in self.commands]

    @property
    def packets(self) -> list[bytes]:
        """The service data (after the UUID) of all advertisements it was given."""
        return [service_data(parameters) for opcode, parameters in self.commands if opcode == DATA]


def service_data(parameters: bytes) -> bytes:
    """What LE Set Advertising Data holds after flags and UUID."""
    count, data = parameters[0], parameters[1:]
    assert len(data) == 31
    assert not any(data[count:])
    assert data[:3] == bytes.fromhex("020106")
    assert data[3] == count - 4
    assert data[4:7] == bytes.fromhex("16D2FC")
    return data[7:count]


def attach(host: Host) -> Controller:
    """A controller for a device that was not started yet."""
    controller = Controller()
    host.on_hci = controller
    host.sent[HCI].clear()
    return controller


def attach_to_chip(board: Machine) -> Controller:
    """A controller at UART1 of an emulated chip; it answers once a command is there as a whole."""
    controller, part = Controller(), bytearray()

    def take(byte: int, _time_s: float) -> None:
        part.append(byte)
        if len(part) >= 4 and len(part) == 4 + part[3]:
            board.write_uart(HCI, controller(bytes(part)))
            part.clear()

    board.on_uart(HCI, take)
    return controller


_SENSOR_CHANGES = (FrameType.SENSOR_RAISED, FrameType.SENSOR_CHANGED, FrameType.SENSOR_CLEARED)


def reports(frames: Iterable[Frame]) -> Iterator[Report]:
    """What the packets of a run must say, by what its console said: one a frame, but for those of windows.

    The frames must hold every window, and settle_windows be 1: a window counts once the next one was judged too.
    """
    from gateway.bthome import Report  # needs cryptography, which not all tests of the firmware do

    number, alerts, machine = 0, dict[int, int](), None
    held: State | None = None
    counted: State | None = None
    rms_mg = 0
    for frame in frames:
        if isinstance(frame, State) and frame.type == FrameType.WINDOW:
            rms_mg = rms_mg if counted is None else counted.rms_mg
            judged = bool(frame.flags & Flag.JUDGED)
            counted, held = (held, frame) if judged else (None, None)
            continue
        if isinstance(frame, Hello):
            number, alerts, machine, held, counted, rms_mg = 0, {}, None, None, None, 0
            yield Report(0, False, False, 0, machine_state=None)
            continue
        number += 1
        if frame.type not in _SENSOR_CHANGES and counted is not None:  # sensors are told before the window counts
            rms_mg, counted = counted.rms_mg, None
        if frame.type == FrameType.SENSOR_CLEARED:
            del alerts[frame.sensor or 0]
        elif frame.sensor is not None:
            alerts[frame.sensor] = int(frame.sensor_state)
        if frame.type in (FrameType.MACHINE_RAISED, FrameType.MACHINE_CHANGED):
            machine = frame.machine_state
        elif frame.type == FrameType.MACHINE_CLEARED:
            machine = None
        worst = max(alerts, key=lambda sensor: (alerts[sensor], -sensor), default=None)
        state = 0 if frame.type == FrameType.MACHINE_CLEARED else frame.machine_state
        yield Report(
            packet_id=number % 256,
            machine_alert=machine is not None,
            sensor_alert=bool(alerts),
            rms_mg=rms_mg,
            machine_state=state if machine is None else machine,
            confidence_pct=frame.confidence_pct if frame.flags & Flag.JUDGED else None,
            sensor=worst,
            sensor_state=0 if worst is None else alerts[worst],
            temperature_c=frame.temperature_c,
        )
