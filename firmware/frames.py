"""The firmware's binary frames, as they come on the console: `$` and hexadecimal, one a line, among lines for people.

Little-endian. Header of every frame (16 bytes), then the body, then CRC-32 (zip's) of all before it:

    header  version u8 = 1 | type u8 | boots u16, low half | sequence u32 | uptime_ms u32 | model_id u32
    state   window u32 | level u32 | threshold u32 | machine_state u8 | confidence_pct u8 | sensor u8 | sensor_state u8 |
            rms_mg u16 | peak_mg u16 | temperature_c100 i16 | flags u8 | sound u8                      44 bytes in all
    hello   version 3 x u8 | reset_cause u8 | boots u32 | build_id u32 | model SHA-256 32 x u8         64 bytes in all
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from zlib import crc32

from firmware.errors import FirmwareError

VERSION = 1
NO_SENSOR, NOT_JUDGED, NO_TEMPERATURE = 255, 255, -32768
_HEADER, _STATE, _HELLO = (struct.Struct("<" + form) for form in ("BBHIII", "IIIBBBBHHhBB", "3sBII32s"))


class FrameType(IntEnum):
    """What a frame says."""

    HELLO = 1
    HEARTBEAT = 2
    MACHINE_RAISED = 3
    MACHINE_CHANGED = 4
    MACHINE_REPEATED = 5
    MACHINE_CLEARED = 6
    SENSOR_RAISED = 7
    SENSOR_CHANGED = 8
    SENSOR_REPEATED = 9
    SENSOR_CLEARED = 10
    WINDOW = 11


class SensorState(IntEnum):
    """State of an IMU, the gravest last."""

    OK = 0
    BIAS = 1
    SPIKE = 2
    RATE = 3
    SATURATED = 4
    DROPOUT = 5
    STUCK = 6
    BUS = 7


class ResetCause(IntEnum):
    """Why the chip started."""

    POWER = 0
    SOFTWARE = 1
    WATCHDOG = 2
    BROWNOUT = 3
    OTHER = 4


class Flag(IntFlag):
    """What stands at the moment of a state frame."""

    MACHINE_ALERT = 1
    SENSOR_ALERT = 2
    JUDGED = 4


@dataclass(frozen=True)
class Header:
    """What all frames begin with.

    Attributes:
        type: what it says.
        boots: starts of the device so far, low 16 bits.
        sequence: number of the frame since the start; a gap is a lost frame.
        uptime_ms: since the start; runs over after 49 days.
        model_id: first eight hex digits of the model's SHA-256.
    """

    type: FrameType
    boots: int
    sequence: int
    uptime_ms: int
    model_id: str


@dataclass(frozen=True)
class State(Header):
    """A heartbeat, an alert, or a window's verdict.

    Attributes:
        window: number of the window it is about; 0: none yet.
        level, threshold: of the verdict, in the firmware's integers.
        machine_state: number of the machine's class, 0 normal; None: not judged.
        confidence_pct: of that class.
        sensor: the IMU a sensor alert is about; None otherwise.
        sensor_state: its state; else the gravest of all.
        rms_mg, peak_mg: of the acceleration without its mean.
        temperature_c: of the first IMU that runs; None: unknown.
        flags: what stands.
        sound: numbers of the IMUs that were used.
    """

    window: int
    level: int
    threshold: int
    machine_state: int | None
    confidence_pct: int
    sensor: int | None
    sensor_state: SensorState
    rms_mg: int
    peak_mg: int
    temperature_c: float | None
    flags: Flag
    sound: tuple[int, ...]


@dataclass(frozen=True)
class Hello(Header):
    """The first frame after a start.

    Attributes:
        version: of the firmware.
        reset_cause: why it started.
        all_boots: starts of the device so far.
        build_id: identity of the build, eight hex digits.
        model_sha256: of the model's int8 .tflite, hex.
    """

    version: str
    reset_cause: ResetCause
    all_boots: int
    build_id: str
    model_sha256: str


Frame = State | Hello


def decode(frame: bytes) -> Frame:
    """Decode one frame.

    Raises:
        FirmwareError: wrong length, version, type, CRC, or a value that has no meaning.
    """
    if len(frame) not in (_HEADER.size + body.size + 4 for body in (_STATE, _HELLO)):
        raise FirmwareError(f"frame: {len(frame)} bytes; allowed are 44 and 64")
    body, (told,) = frame[:-4], struct.unpack("<I", frame[-4:])
    if crc32(body) != told:
        raise FirmwareError(f"frame: damaged: CRC-32 is {crc32(body):08X}, {told:08X} was sent")
    version, kind, boots, sequence, uptime_ms, model_id = _HEADER.unpack_from(frame)
    if version != VERSION:
        raise FirmwareError(f"frame: version {version}; known is {VERSION}")
    try:
        header = (FrameType(kind), boots, sequence, uptime_ms, model_id.to_bytes(4, "little").hex())
        if (kind == FrameType.HELLO) != (len(body) == _HEADER.size + _HELLO.size):
            raise FirmwareError(f"frame: {len(frame)} bytes do not fit type {kind}")
        return _hello(header, body) if kind == FrameType.HELLO else _state(header, body)
    except ValueError as error:
        raise FirmwareError(f"frame: {error}") from None


def frame_in(line: str) -> Frame | None:
    """The frame that a line of the console carries; None for a line for people.

    Raises:
        FirmwareError: a line that begins with `$` but carries no sound frame.
    """
    if not line.startswith("$"):
        return None
    try:
        return decode(bytes.fromhex(line[1:].strip()))
    except ValueError:
        raise FirmwareError("frame: not hexadecimal") from None


def frames_in(text: str) -> Iterator[Frame]:
    """All frames of a console's text; raises as `frame_in`."""
    for line in text.splitlines():
        frame = frame_in(line)
        if frame is not None:
            yield frame


def _state(header: tuple[FrameType, int, int, int, str], body: bytes) -> State:
    window, level, threshold, state, confidence, sensor, sensor_state, rms, peak, temperature, flags, sound = (
        _STATE.unpack_from(body, _HEADER.size)
    )
    return State(
        *header, window, level, threshold,
        machine_state=None if state == NOT_JUDGED else state,
        confidence_pct=confidence,
        sensor=None if sensor == NO_SENSOR else sensor,
        sensor_state=SensorState(sensor_state),
        rms_mg=rms,
        peak_mg=peak,
        temperature_c=None if temperature == NO_TEMPERATURE else temperature / 100,
        flags=Flag(flags),
        sound=tuple(i for i in range(8) if sound >> i & 1),
    )  # fmt: skip


def _hello(header: tuple[FrameType, int, int, int, str], body: bytes) -> Hello:
    version, cause, boots, build_id, sha256 = _HELLO.unpack_from(body, _HEADER.size)
    return Hello(*header, ".".join(map(str, version)), ResetCause(cause), boots, f"{build_id:08x}", sha256.hex())
