"""What the suites expect on UART1: HCI commands with BTHome packets, made of what the console said by docs/bluetooth.md alone.

Standard library only: it runs where only Renode and Robot are, so it has an AES of its own, slow and plain.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from zlib import crc32

__all__ = ["advertisement_of_the_last_frame"]  # the keyword
ROBOT_LIBRARY_SCOPE = "GLOBAL"

ADDRESS = bytes.fromhex("FCDFA1000001")
"""Of the emulated chips' eFuses, with the two highest bits set."""
HELLO, CLEARED, WINDOW = 1, 6, 11
RAISED_OR_CHANGED, SENSOR_CHANGES, SENSOR_CLEARED = (3, 4), (7, 8, 10), 10
_STATE = struct.Struct("<IIIBBBBHHhBB")
_UNKNOWN = 255


def advertisement_of_the_last_frame(console_log: str, key: str = "", counter: str = "0") -> str:
    """The LE Set Advertising Data that goes with the console's last frame, H4, as hexadecimal text.

    Windows must be told (`report_windows`). With a key (hexadecimal) the packet is encrypted with this counter.
    """
    objects = objects_of(frames_in(Path(console_log).read_bytes().decode("ascii", "replace")))
    data = sealed(objects, bytes.fromhex(key), int(counter)) if key else b"\x40" + objects
    packet = bytes.fromhex("020106") + bytes([len(data) + 3]) + bytes.fromhex("16D2FC") + data
    parameters = bytes([len(packet)]) + packet.ljust(31, b"\0")
    return (b"\x01\x08\x20" + bytes([len(parameters)]) + parameters).hex()


def frames_in(console: str) -> list[bytes]:
    """The frames on the console since the last start."""
    frames: list[bytes] = []
    for line in console.replace("\r", "").split("\n")[:-1]:
        raw = bytes.fromhex(line[1:]) if line.startswith("$") else b""
        if raw and crc32(raw[:-4]) == int.from_bytes(raw[-4:], "little"):
            frames = [raw] if raw[1] == HELLO else [*frames, raw]
    return frames


def objects_of(frames: Sequence[bytes]) -> bytes:
    """The objects of the packet that goes with the last of these frames that is not of a window."""
    told = [raw for raw in frames if raw[1] != WINDOW]
    number, last = len(told) - 1, told[-1]
    if last[1] == HELLO:
        return _objects(number, 0, False, False, 15 | 3 << 7 | 127 << 9, -32768)
    machine, sensors = 0, dict[int, int]()
    for raw in told[1:]:
        _, _, _, state, _, sensor, sensor_state, *_ = _STATE.unpack_from(raw, 16)
        if raw[1] in (*RAISED_OR_CHANGED, CLEARED):
            machine = 0 if raw[1] == CLEARED else state
        if raw[1] == SENSOR_CLEARED:
            del sensors[sensor]
        elif sensor != _UNKNOWN:
            sensors[sensor] = sensor_state
    windows = [_window(raw) for raw in frames[: _place(frames, last)] if raw[1] == WINDOW]
    if last[1] in SENSOR_CHANGES:
        windows = windows[:-1]  # sensors are told before their window counts
    counted = [rms_mg for (judged, rms_mg), (next_judged, _) in pairwise(windows) if judged and next_judged]
    _, _, _, state, confidence, _, _, _, _, temperature_c100, flags, _ = _STATE.unpack_from(last, 16)
    if machine:
        state = machine
    elif last[1] == CLEARED:
        state = 0
    worst = max(sensors, key=lambda sensor: (sensors[sensor], -sensor), default=None)
    word = (15 if state == _UNKNOWN else min(state, 14)) | (confidence if flags & 4 else 127) << 9
    word |= 3 << 7 if worst is None else worst << 7 | sensors[worst] << 4
    return _objects(number, counted[-1] if counted else 0, worst is not None, bool(machine), word, temperature_c100)


def _place(frames: Sequence[bytes], last: bytes) -> int:
    return max(place for place, raw in enumerate(frames) if raw is last)


def _window(raw: bytes) -> tuple[bool, int]:
    """Whether it was judged, and its RMS (mg)."""
    fields = _STATE.unpack_from(raw, 16)
    return bool(fields[10] & 4), fields[7]


def _objects(number: int, rms_mg: int, problem: bool, vibration: bool, word: int, temperature_c100: int) -> bytes:
    accel_mmps2 = min(65535, (rms_mg * 9807 + 500) // 1000)
    packet = struct.pack(
        "<BBBBBBBHBBH", 0, number % 256, 0x26, problem, 0x2C, vibration, 0x51, accel_mmps2, 0x54, 2, word
    )
    if temperature_c100 == -32768:
        return packet
    return packet + struct.pack("<Bb", 0x57, max(-128, min(127, round(temperature_c100 / 100))))


def sealed(plain: bytes, key: bytes, counter: int) -> bytes:
    """Device information, cipher text, counter, MIC: AES-128-CCM (RFC 3610) with a MIC of 4 bytes."""
    count = counter.to_bytes(4, "little")
    nonce = ADDRESS + bytes.fromhex("D2FC41") + count
    mac = aes128(key, b"\x09" + nonce + len(plain).to_bytes(2, "big"))
    cipher = b""
    for block in range(0, len(plain), 16):
        part = plain[block : block + 16]
        stream = aes128(key, b"\x01" + nonce + (block // 16 + 1).to_bytes(2, "big"))
        mac = aes128(key, _xor(mac, part.ljust(16, b"\0")))
        cipher += _xor(part, stream)
    return b"\x41" + cipher + count + _xor(mac, aes128(key, b"\x01" + nonce + b"\0\0"))[:4]


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=False))


def _times(a: int, b: int) -> int:
    """In GF(2^8), modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = a << 1 ^ (0x11B if a & 0x80 else 0), b >> 1
    return product


def _s_box() -> list[int]:
    box = []
    for value in range(256):
        inverse = next((other for other in range(256) if _times(value, other) == 1), 0)
        turned = inverse
        for shift in range(1, 5):
            turned ^= (inverse << shift | inverse >> 8 - shift) & 0xFF
        box.append(turned ^ 0x63)
    return box


_S_BOX = _s_box()


def aes128(key: bytes, block: bytes) -> bytes:
    """One block under AES-128 (FIPS 197)."""
    words = [key[at : at + 4] for at in range(0, 16, 4)]
    constant = 1
    for at in range(4, 44):
        word = words[-1]
        if at % 4 == 0:
            word = bytes(_S_BOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _times(constant, 2)
        words.append(_xor(words[at - 4], word))
    state = _xor(block, b"".join(words[:4]))
    for number in range(1, 11):
        state = bytes(_S_BOX[state[(at + 4 * (at % 4)) % 16]] for at in range(16))
        if number < 10:
            state = bytes(
                _times(state[at], 2)
                ^ _times(state[at // 4 * 4 + (at + 1) % 4], 3)
                ^ state[at // 4 * 4 + (at + 2) % 4]
                ^ state[at // 4 * 4 + (at + 3) % 4]
                for at in range(16)
            )
        state = _xor(state, b"".join(words[4 * number : 4 * number + 4]))
    return state
