"""BTHome v2 as the firmware sends it: the reference encoder, and the one place that knows the objects of a packet.

docs/bluetooth.md is the definition; the format is that of https://bthome.io/format and https://bthome.io/encryption.
Decoding is the business of `bthome-ble` (see `gateway.radio`); this encoder serves tests and simulations.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

UUID = 0xFCD2
UUID_128 = "0000fcd2-0000-1000-8000-00805f9b34fb"
ADVERTISEMENT_BYTES = 31
KEY_BYTES, COUNTER_BYTES, MIC_BYTES = 16, 4, 4
PLAIN, ENCRYPTED = 0x40, 0x41  # device information: version 2, no trigger; the lowest bit says encrypted
NOT_JUDGED, NO_SENSOR, NO_CONFIDENCE = 15, 3, 127
_FLAGS = bytes.fromhex("020106")  # LE general discoverable, no BR/EDR
_ID, _PROBLEM, _VIBRATION, _ACCELERATION, _RAW, _TEMPERATURE = 0x00, 0x26, 0x2C, 0x51, 0x54, 0x57


@dataclass(frozen=True)
class Report:
    """What one packet says.

    Attributes:
        packet_id: 0 to 255, one more with every new packet, 0 after 255.
        machine_alert: a machine alert stands (BTHome's `vibration`).
        sensor_alert: a sensor alert stands (BTHome's `problem`).
        rms_mg: of the acceleration without its mean; what is above 65.535 m/s2 is sent as that.
        machine_state: class of the machine alert while one stands, else of the last window; 0 normal; above 14 sent as 14;
            None: not judged.
        confidence_pct: of that class; None: unknown.
        sensor: the IMU whose sensor alert is the gravest, 0 to 2; None: no sensor alert.
        sensor_state: of that IMU, numbers of `firmware.frames.SensorState`; 0 ok.
        temperature_c: of the IMU; None: unknown, and not sent.
    """

    packet_id: int
    machine_alert: bool
    sensor_alert: bool
    rms_mg: int
    machine_state: int | None = 0
    confidence_pct: int | None = None
    sensor: int | None = None
    sensor_state: int = 0
    temperature_c: float | None = None


def state_word(report: Report) -> int:
    """The 16 bits in the object `raw`: class, sensor state, sensor, confidence (docs/bluetooth.md)."""
    machine = NOT_JUDGED if report.machine_state is None else min(report.machine_state, NOT_JUDGED - 1)
    sensor = NO_SENSOR if report.sensor is None else report.sensor
    confidence = NO_CONFIDENCE if report.confidence_pct is None else report.confidence_pct
    return machine | report.sensor_state << 4 | sensor << 7 | confidence << 9


def read_state_word(word: int) -> tuple[int | None, int, int | None, int | None]:
    """Class, sensor state, sensor and confidence (percent) of the 16 bits in the object `raw`."""
    machine, sensor, confidence = word & 15, word >> 7 & 3, word >> 9
    return (
        None if machine == NOT_JUDGED else machine,
        word >> 4 & 7,
        None if sensor == NO_SENSOR else sensor,
        None if confidence == NO_CONFIDENCE else confidence,
    )


def objects(report: Report) -> bytes:
    """The packet's objects in the order of their ids: 15 bytes, or 13 without a temperature."""
    accel_mmps2 = min((report.rms_mg * 9807 + 500) // 1000, 0xFFFF)
    packet = bytes([_ID, report.packet_id, _PROBLEM, report.sensor_alert, _VIBRATION, report.machine_alert])
    packet += struct.pack("<BH", _ACCELERATION, accel_mmps2)
    packet += struct.pack("<BBH", _RAW, 2, state_word(report))
    if report.temperature_c is not None:
        packet += struct.pack("<Bb", _TEMPERATURE, max(-128, min(127, round(report.temperature_c))))
    return packet


def encrypted(plain: bytes, key: bytes, address: bytes, counter: int) -> bytes:
    """Service data (after the UUID) of objects under BTHome's AES-CCM.

    Args:
        plain: the objects.
        key: the bind key, 16 bytes.
        address: of the advertiser, 6 bytes in the order they are written, the most significant first.
        counter: 0 to 2**32 - 1; never used twice with a key.
    """
    count = counter.to_bytes(COUNTER_BYTES, "little")
    nonce = address + UUID.to_bytes(2, "little") + bytes([ENCRYPTED]) + count
    sealed = AESCCM(key, tag_length=MIC_BYTES).encrypt(nonce, plain, None)
    return bytes([ENCRYPTED]) + sealed[:-MIC_BYTES] + count + sealed[-MIC_BYTES:]


def service_data(report: Report, key: bytes | None = None, address: bytes = bytes(6), counter: int = 0) -> bytes:
    """Service data (after the UUID) of a report; encrypted when a key is given."""
    plain = objects(report)
    return bytes([PLAIN]) + plain if key is None else encrypted(plain, key, address, counter)


def advertisement(data: bytes) -> bytes:
    """A whole legacy advertisement: flags and service data, at most 31 bytes.

    Raises:
        ValueError: it does not fit.
    """
    packet = _FLAGS + bytes([len(data) + 3, 0x16]) + UUID.to_bytes(2, "little") + data
    if len(packet) > ADVERTISEMENT_BYTES:
        raise ValueError(f"advertisement of {len(packet)} bytes; {ADVERTISEMENT_BYTES} fit")
    return packet
