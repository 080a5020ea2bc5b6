"""Frames: what the firmware sends is what the decoder reads; damage is never taken for a frame."""

from __future__ import annotations

import binascii
import struct
from pathlib import Path

import numpy as np
import pytest

from firmware.errors import FirmwareError
from firmware.frames import FrameType, Hello, ResetCause, SensorState, State, decode, frame_in, frames_in
from firmware.host import Host
from sim import __version__
from tests.firmware import machine, tiny_model

STATE = struct.pack(
    "<BBHIII" "IIIBBBBHHhBB", 1, 3, 7, 42, 123456, 0xA3A2A1A0, 9, 812, 127, 2, 93, 255, 0, 512, 2210, -1250, 5, 5
)  # fmt: skip


def _sealed(body: bytes) -> bytes:
    return body + struct.pack("<I", binascii.crc32(body))


def test_a_state_frame_written_by_hand() -> None:
    frame = decode(_sealed(STATE))
    assert isinstance(frame, State)
    assert (frame.type, frame.boots, frame.sequence, frame.uptime_ms, frame.model_id) == (
        FrameType.MACHINE_RAISED, 7, 42, 123456, "a0a1a2a3",
    )  # fmt: skip
    assert (frame.window, frame.level, frame.threshold, frame.machine_state, frame.confidence_pct) == (
        9,
        812,
        127,
        2,
        93,
    )
    assert (frame.sensor, frame.sensor_state, frame.sound) == (None, SensorState.OK, (0, 2))
    assert (frame.rms_mg, frame.peak_mg, frame.temperature_c) == (512, 2210, -12.5)


def test_every_single_bit_of_damage_is_found() -> None:
    frame = _sealed(STATE)
    for bit in range(8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FirmwareError, match="damaged"):
            decode(bytes(damaged))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b"", "0 bytes"),
        (_sealed(STATE)[:-1], "43 bytes"),
        (_sealed(b"\x02" + STATE[1:]), "version 2"),
        (_sealed(b"\x01\x63" + STATE[2:]), "99"),
        (_sealed(b"\x01\x01" + STATE[2:]), "do not fit type 1"),
    ],
)
def test_what_is_no_frame(frame: bytes, message: str) -> None:
    with pytest.raises(FirmwareError, match=message):
        decode(frame)


def test_lines() -> None:
    assert frame_in("hello there") is None
    assert frame_in("$" + _sealed(STATE).hex().upper()) == decode(_sealed(STATE))
    with pytest.raises(FirmwareError, match="hexadecimal"):
        frame_in("$xyz")


def test_the_firmware_says_hello(library: Path) -> None:
    host = machine.device(library, machine.samples(1))
    hello = host.frames[0]
    assert isinstance(hello, Hello)
    assert (hello.sequence, hello.boots, hello.all_boots, hello.version) == (0, 1, 1, __version__)
    assert hello.model_sha256 == tiny_model.SHA256.hex()
    assert hello.reset_cause == ResetCause.POWER
    line = host.lines[0]
    assert hello.build_id in line.lower()
    assert tiny_model.SHA256[:8].hex().upper() in line
    host.start(ResetCause.WATCHDOG)
    hello = host.frames[1]
    assert isinstance(hello, Hello)
    assert (hello.all_boots, hello.reset_cause) == (2, ResetCause.WATCHDOG)


def test_sequence_numbers_have_no_gap_and_lines_no_equals_sign(library: Path) -> None:
    host = machine.device(library, machine.samples(30, level=2000, onset_s=6), report_windows=1)
    host.run(30)
    host.command("status")
    host.command("help")
    host.command("config")
    assert [frame.sequence for frame in host.frames] == list(range(len(host.frames)))
    assert len(host.frames) > 90
    assert "=" not in host.text
    assert all(line.isprintable() and len(line) < 160 for line in host.text.splitlines())


def test_figures_of_a_window(library: Path) -> None:
    """RMS of a sine is its amplitude by the square root of two, its peak the amplitude."""
    amplitude_g = 2.0
    stream = machine.samples(2, level=amplitude_g / tiny_model.ACCEL_LSB_G, hz=machine.RATE_HZ / 64)
    host = machine.device(library, stream, report_windows=1)
    host.imus[0].temperature_c = 41.5  # type: ignore[attr-defined]
    host.run(1.5)
    last = list(frames_in(host.text))[-1]
    assert isinstance(last, State)
    assert last.rms_mg == pytest.approx(1000 * amplitude_g / np.sqrt(2), rel=0.01)
    assert last.peak_mg == pytest.approx(1000 * amplitude_g, rel=0.02)
    assert last.temperature_c == pytest.approx(41.5, abs=0.01)


def test_no_frame_is_lost_in_a_host_without_sensors(library: Path) -> None:
    host = Host(library)
    host.start()
    host.run(5)
    raised = [frame for frame in host.frames if frame.type == FrameType.SENSOR_RAISED]
    assert len(raised) == 1
    assert isinstance(raised[0], State)
    assert (raised[0].sensor, raised[0].sensor_state, raised[0].machine_state) == (0, SensorState.BUS, None)
