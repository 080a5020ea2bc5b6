"""Devices as the gateway's tests need them: packets, console lines, HCI commands."""

import asyncio
import struct
from zlib import crc32

from gateway import bthome
from gateway.bthome import Report

ADDRESS = "C0:FF:EE:00:00:01"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")

HELLO, HEARTBEAT, RAISED, CHANGED, REPEATED, CLEARED, SENSOR_RAISED, WINDOW = 1, 2, 3, 4, 5, 6, 7, 11
MACHINE_ALERT, SENSOR_ALERT, JUDGED = 1, 2, 4


def address_bytes(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


def packet(
    number: int, *, key: bytes | None = KEY, counter: int | None = None, address: str = ADDRESS, **more
) -> bytes:
    """Service data of the n-th packet; its counter is n + 1 unless told otherwise."""
    fields = {"machine_alert": False, "sensor_alert": False, "rms_mg": 100 + number % 50, "temperature_c": 30.0} | more
    report = Report(packet_id=number % 256, **fields)
    return bthome.service_data(report, key, address_bytes(address), number + 1 if counter is None else counter)


def frame_line(
    kind: int,
    sequence: int,
    *,
    boots: int = 1,
    uptime_ms: int | None = None,
    machine: int = 0,
    confidence: int = 90,
    sensor: int = 255,
    sensor_state: int = 0,
    flags: int = JUDGED,
    rms_mg: int = 120,
) -> bytes:
    """A state frame as the firmware prints it (docs/firmware.md)."""
    uptime_ms = 1000 * sequence if uptime_ms is None else uptime_ms
    body = struct.pack("<BBHIII", 1, kind, boots, sequence, uptime_ms, 0xA3A2A1A0)
    body += struct.pack(
        "<IIIBBBBHHhBB",
        sequence,
        50,
        127,
        machine,
        confidence,
        sensor,
        sensor_state,
        rms_mg,
        3 * rms_mg,
        3125,
        flags,
        1,
    )
    return b"$" + (body + struct.pack("<I", crc32(body))).hex().upper().encode() + b"\n"


def hello_line(sequence: int = 0, boots: int = 1) -> bytes:
    body = struct.pack("<BBHIII", 1, HELLO, boots, sequence, 5, 0xA3A2A1A0)
    body += struct.pack("<3sBII32s", bytes([0, 1, 0]), 0, boots, 0x12345678, bytes(range(0xA0, 0xC0)))
    return b"$" + (body + struct.pack("<I", crc32(body))).hex().upper().encode() + b"\n"


def hci(opcode: int, parameters: bytes = b"") -> bytes:
    """An HCI command packet in H4 (Bluetooth Core Specification, volume 4, parts A and E)."""
    return struct.pack("<BHB", 1, opcode, len(parameters)) + parameters


def hci_advertise(address: str, data: bytes, interval: int = 0x140, kind: int = 3) -> list[bytes]:
    """The commands that put an advertisement on the air, in the order of docs/bluetooth.md."""
    return [
        hci(0x0C03),
        hci(0x2005, address_bytes(address)[::-1]),
        hci(0x2006, struct.pack("<HHBBB6sBB", interval, interval, kind, 1, 0, bytes(6), 7, 0)),
        hci_data(data),
        hci(0x200A, b"\x01"),
    ]


def hci_data(data: bytes) -> bytes:
    whole = bthome.advertisement(data)
    return hci(0x2008, bytes([len(whole)]) + whole.ljust(31, b"\x00"))


class HciDevice:
    """A device on the virtual air, over TCP."""

    def __init__(self, port: int, address: str = ADDRESS) -> None:
        self.port, self.address, self.started = port, address, False

    async def __aenter__(self) -> "HciDevice":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def command(self, command: bytes) -> None:
        """Send it and wait for a Command Complete with status 0."""
        self.writer.write(command)
        header = await asyncio.wait_for(self.reader.readexactly(3), 5)
        event = await self.reader.readexactly(header[2])
        assert header[:2] == b"\x04\x0e"
        assert event[1:3] == command[1:3]
        assert event[3] == 0

    async def send(self, data: bytes) -> None:
        """Put service data on the air."""
        commands = [hci_data(data)] if self.started else hci_advertise(self.address, data)
        for command in commands:
            await self.command(command)
        self.started = True
