"""The packets: BTHome's published vectors, and the decoder that Home Assistant uses."""

import pytest
from bthome_ble import BTHomeBluetoothDeviceData
from bthome_ble.bthome_v2_encryption import encrypt_payload
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given
from hypothesis import strategies as st

from gateway import bthome
from gateway.bthome import Report
from gateway.radio import _decoded
from tests.gateway.devices import ADDRESS, KEY, address_bytes

# https://bthome.io/encryption: temperature 25.06 degrees, humidity 50.55 %
PUBLISHED = {
    "key": "231d39c1d7cc1ab1aee224cd096db932",
    "address": "5448e68f80a5",
    "counter": "00112233",
    "plain": "02ca0903bf13",
    "sealed": "41a47266c95f7300112233" + "78237214",
}
reports = st.builds(
    Report,
    packet_id=st.integers(0, 255),
    machine_alert=st.booleans(),
    sensor_alert=st.booleans(),
    rms_mg=st.integers(0, 65535),
    machine_state=st.none() | st.integers(0, 14),
    confidence_pct=st.none() | st.integers(0, 100),
    sensor=st.none() | st.integers(0, 2),
    sensor_state=st.integers(0, 7),
    temperature_c=st.none() | st.floats(-40, 85),
)


def values(data: bytes, key: bytes | None) -> dict[str, object]:
    update = _decoded(ADDRESS, data, key, 0.0)
    both = (*update.entity_values.items(), *update.binary_entity_values.items())
    return {each.key: value.native_value for each, value in both}


def test_published_encryption() -> None:
    counter = int.from_bytes(bytes.fromhex(PUBLISHED["counter"]), "little")
    sealed = bthome.encrypted(
        bytes.fromhex(PUBLISHED["plain"]), bytes.fromhex(PUBLISHED["key"]), bytes.fromhex(PUBLISHED["address"]), counter
    )
    assert sealed.hex() == PUBLISHED["sealed"]


@given(reports, st.integers(0, 2**32 - 1))
def test_the_same_bytes_as_the_encryption_of_bthome_ble(report: Report, counter: int) -> None:
    theirs = encrypt_payload(
        bthome.objects(report), address_bytes(ADDRESS), b"\xd2\xfc", b"\x41", counter.to_bytes(4, "little"), KEY
    )
    assert theirs == b"\xd2\xfc" + bthome.service_data(report, KEY, address_bytes(ADDRESS), counter)


@given(reports, st.none() | st.just(KEY))
def test_decoded_by_bthome_ble_as_sent(report: Report, key: bytes | None) -> None:
    told = values(bthome.service_data(report, key, address_bytes(ADDRESS), 7), key)
    assert told["packet_id"] == report.packet_id
    assert told["vibration"] is report.machine_alert
    assert told["problem"] is report.sensor_alert
    accel_mps2 = min(report.rms_mg * 9.80665e-3, 65.535)
    assert told["acceleration"] == pytest.approx(accel_mps2, abs=0.00051 + 4e-5 * accel_mps2)
    word = int.from_bytes(bytes.fromhex(str(told["raw"])), "little")
    assert bthome.read_state_word(word) == (
        report.machine_state, report.sensor_state, report.sensor, report.confidence_pct,
    )  # fmt: skip
    if report.temperature_c is None:
        assert "temperature" not in told
    else:
        assert told["temperature"] == pytest.approx(report.temperature_c, abs=0.5)


def test_the_packet_of_the_document_byte_by_byte() -> None:
    report = Report(
        5, machine_alert=True, sensor_alert=False, rms_mg=1000, machine_state=2, confidence_pct=87, temperature_c=-3.4
    )
    word = 2 | 0 << 4 | 3 << 7 | 87 << 9
    assert bthome.service_data(report).hex(" ") == " ".join(
        ("40", "00 05", "26 00", "2c 01", "51 4f 26", "54 02", word.to_bytes(2, "little").hex(" "), "57 fd")
    )


@given(reports)
def test_byte_budget(report: Report) -> None:
    spare = 0 if report.temperature_c is not None else 2
    whole = bthome.advertisement(bthome.service_data(report, KEY, address_bytes(ADDRESS), 1))
    assert len(whole) == 31 - spare
    assert whole[:3] == bytes.fromhex("020106")
    assert whole[3] == len(whole) - 4
    assert whole[4:7] == bytes.fromhex("16d2fc")
    assert len(bthome.advertisement(bthome.service_data(report))) == 23 - spare


def test_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes; 31 fit"):
        bthome.advertisement(bytes(25))


def test_the_decoder_alone_would_take_replayed_packets() -> None:
    """Why gateway.radio has a guard of its own: should this fail, the decoder has become stricter."""
    decoder = BTHomeBluetoothDeviceData(bindkey=KEY)
    decoder.bindkey_verified, decoder.encryption_counter = True, 5000.0
    decoder._check_encryption_counter(99.0)
    with pytest.raises(ValueError):  # noqa: PT011
        decoder._check_encryption_counter(4999.0)


def test_nonce_binds_the_address() -> None:
    report = Report(1, machine_alert=True, sensor_alert=False, rms_mg=1)
    data = bthome.service_data(report, KEY, address_bytes(ADDRESS), 9)
    other = bytes.fromhex("c0ffee000002") + b"\xd2\xfc\x41" + data[-8:-4]
    with pytest.raises(InvalidTag):
        AESCCM(KEY, tag_length=4).decrypt(other, data[1:-8] + data[-4:], None)
