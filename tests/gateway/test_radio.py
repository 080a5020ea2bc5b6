"""What may come in by radio, and what may not."""

import struct
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import Config
from gateway.monitor import Monitor
from gateway.observation import Counts, Observation
from gateway.radio import Radio
from gateway.sequence import Position
from gateway.store import Batch, Store, device_rows, positions
from tests.gateway.devices import ADDRESS, KEY, packet

OTHER = "C0:FF:EE:00:00:02"


def config(**more) -> Config:
    return Config.model_validate({"devices": [{"id": ADDRESS, "name": "fan", "key": KEY.hex()}], **more})


class Receiver:
    """A radio with what it counted and what it let through."""

    def __init__(self, settings: Config | None = None, positions: dict[str, Position] | None = None) -> None:
        self.counts = Counts()
        self.radio = Radio(config() if settings is None else settings, self.counts, positions or {})
        self.let_in: list[Observation] = []

    def __call__(self, data: bytes, address: str = ADDRESS) -> Observation | None:
        observation = self.radio.receive(address, data, "test", float(len(self.let_in)))
        if observation is not None:
            self.let_in.append(observation)
        return observation

    @property
    def refused(self) -> Counter[str]:
        return self.counts.total


def test_an_observation_says_what_was_sent() -> None:
    seen = Receiver()(packet(0, machine_alert=True, machine_state=3, confidence_pct=77, rms_mg=812, temperature_c=41.2))
    assert seen is not None
    assert (seen.device, seen.machine_alert, seen.sensor_alert) == (ADDRESS, True, False)
    assert (seen.machine_state, seen.confidence_pct, seen.sensor, seen.sensor_state) == (3, 77, None, 0)
    assert seen.rms_mg == pytest.approx(812, abs=0.1)
    assert seen.temperature_c == 41
    assert seen.about == {"machine", "sensor"}


def test_replayed_packets_are_refused() -> None:
    receive = Receiver()
    sent = [packet(n, machine_alert=n == 3) for n in range(10)]
    for each in sent:
        receive(each)
    for each in sent[:-1]:
        assert receive(each) is None
    assert len(receive.let_in) == 10
    assert receive.refused == {"replayed": 9}
    assert receive(sent[-1]) is None
    assert receive.refused == {"replayed": 9, "duplicate": 1}


def test_replayed_packets_are_refused_after_two_forged_ones() -> None:
    """Where bthome-ble would have stopped to look at counters."""
    receive = Receiver()
    old = packet(500, machine_alert=True)
    receive(old)
    receive(packet(600))
    for n in range(3):
        receive(packet(700 + n, key=bytes(16)))
    assert receive(old) is None
    assert receive.refused == {"forged": 3, "replayed": 1}


def test_replayed_packets_are_refused_after_a_restart_of_the_gateway(tmp_path: Path) -> None:
    receive = Receiver()
    alert = packet(41, machine_alert=True)
    for each in (packet(40), alert, packet(42)):
        receive(each)
    store = Store(tmp_path / "store.db")
    monitor = Monitor(config(), receive.counts, {})
    for observation in receive.let_in:
        monitor.take(observation)
    store.write(Batch(device_rows(monitor.statuses.values(), receive.counts)))
    store.close()

    store = Store(tmp_path / "store.db")
    again = Receiver(positions=positions(store.statuses(Counts())))
    store.close()
    assert again(alert) is None
    assert again.refused == {"replayed": 1}
    assert again(packet(43)) is not None


def test_the_counter_in_the_configuration_closes_the_first_contact() -> None:
    receive = Receiver(config(devices=[{"id": ADDRESS, "name": "fan", "key": KEY.hex(), "counter": 100}]))
    assert receive(packet(99, machine_alert=True)) is None
    assert receive(packet(100)) is not None
    assert receive.refused == {"replayed": 1}


@given(st.integers(0, 2**32 - 1), st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_is_a_forgery(counter: int, place: int, change: int) -> None:
    receive = Receiver()
    good = packet(7, counter=counter, machine_alert=True)
    bad = bytearray(good)
    bad[place % len(bad)] ^= change
    assert receive(bytes(bad)) is None
    assert sum(receive.refused.values()) == 1


@given(st.integers(0, 23))
def test_truncated_packets_are_refused(length: int) -> None:
    receive = Receiver()
    assert receive(packet(0)[:length]) is None
    assert sum(receive.refused.values()) == 1


def test_the_key_of_one_device_and_the_address_of_another() -> None:
    receive = Receiver(config(devices=[{"id": each, "name": each, "key": KEY.hex()} for each in (ADDRESS, OTHER)]))
    assert receive(packet(5, machine_alert=True), OTHER) is None
    assert receive.refused == {"forged": 1}


def test_plain_packets_of_a_device_with_a_key_are_refused() -> None:
    receive = Receiver()
    assert receive(packet(0, key=None, machine_alert=True)) is None
    assert receive.refused == {"not encrypted": 1}


def test_encrypted_packets_without_a_key_are_refused() -> None:
    receive = Receiver(Config())
    assert receive(packet(0)) is None
    assert receive.refused == {"no key": 1}


def test_strangers_are_refused_once_devices_are_listed() -> None:
    receive = Receiver()
    assert receive(packet(0, key=None), OTHER) is None
    assert Receiver(config(unknown_devices="accept"))(packet(0, key=None), OTHER) is not None
    assert receive.refused == {"unknown device": 1}
    assert receive.counts.by_device == {}


def test_strangers_that_were_let_in_before_are_refused_once_devices_are_listed() -> None:
    receive = Receiver(positions={OTHER: Position(sequence=5)})
    assert receive(packet(6, key=None), OTHER) is None
    assert receive.refused == {"unknown device": 1}


def test_a_new_key_begins_a_new_count() -> None:
    old = Receiver()
    old(packet(900))
    seen = old.let_in[0]
    kept = {ADDRESS: Position(sequence=seen.sequence, counter=seen.counter, key_id=seen.key_id)}
    key = bytes(16)
    receive = Receiver(config(devices=[{"id": ADDRESS, "name": "fan", "key": key.hex()}]), positions=kept)
    assert receive(packet(901)) is None
    first = receive(packet(0, key=key, machine_alert=True))
    assert first is not None
    assert (first.counter, first.restarted) == (1, True)
    assert receive(packet(0, key=key, machine_alert=True, rms_mg=1)) is None
    assert receive.refused == {"forged": 1, "replayed": 1}
    assert Receiver(positions=kept)(packet(100)) is None


def test_strangers_cannot_fill_the_memory() -> None:
    receive = Receiver(Config(max_devices=5))
    for n in range(50):
        receive(packet(0, key=None), f"C0:FF:EE:00:01:{n:02X}")
    assert len(receive.let_in) == 5
    assert receive.refused == {"too many devices": 45}


@given(
    st.lists(st.tuples(st.binary(max_size=40), st.sampled_from((ADDRESS, OTHER, "", "rubbish", "\x00"))), max_size=30)
)
@settings(max_examples=200)
def test_no_bytes_hurt(received: list[tuple[bytes, str]]) -> None:
    for accept in ("accept", "refuse"):
        receive = Receiver(config(unknown_devices=accept))
        for data, address in received:
            receive(data, address)
        assert len(receive.let_in) + sum(receive.refused.values()) == len(received)
        assert all(seen.device != ADDRESS for seen in receive.let_in)


@given(st.binary(min_size=13, max_size=13) | st.binary(min_size=15, max_size=15))
@settings(max_examples=500)
def test_random_objects_are_our_packet_or_none(objects: bytes) -> None:
    receive = Receiver(Config())
    seen = receive(b"\x40" + objects)
    if seen is None:
        assert sum(receive.refused.values()) == 1
    else:
        assert objects[::2][0] == 0  # begins with a packet id


@pytest.mark.parametrize("spoilt", [
    bytes.fromhex("40 0005 2600 2c01 514f26 5402ffff 57fd"),  # confidence of 127 is unknown: allowed
    bytes.fromhex("40 0005 2600 2c01 514f26 5402 02fe 57fd"),
])  # fmt: skip
def test_confidence_is_unknown_or_a_percentage(spoilt: bytes) -> None:
    word = struct.unpack("<H", spoilt[12:14])[0]
    seen = Receiver(Config())(spoilt)
    assert (word >> 9) == 127
    assert seen is not None
    assert seen.confidence_pct is None


def test_confidence_above_100_is_damaged() -> None:
    data = packet(0, key=None, confidence_pct=101)
    receive = Receiver(Config())
    assert receive(data) is None
    assert receive.refused == {"damaged": 1}


def test_objects_twice_or_missing_are_damaged() -> None:
    whole = packet(0, key=None)
    for spoilt in (whole.replace(b"\x26\x00", b"\x2c\x00"), whole.replace(b"\x2c\x00", b"\x10\x00")):
        receive = Receiver(Config())
        assert receive(spoilt) is None
        assert receive.refused == {"damaged": 1}


def gaps(receive: Receiver) -> list[tuple[int, bool]]:
    return [(seen.missed, seen.restarted) for seen in receive.let_in]


@pytest.mark.parametrize("key", [None, KEY])
def test_lost_packets_are_counted(key: bytes | None) -> None:
    receive = Receiver(config() if key else Config())
    for n in (0, 1, 4, 5, 255, 256, 260):
        receive(packet(n, key=key))
    assert gaps(receive)[:4] == [(0, False), (0, False), (2, False), (0, False)]
    assert gaps(receive)[5:] == [(0, False), (3, False)]
    # 249 packets lost in a row: without a counter that looks like a start.
    assert gaps(receive)[4] == ((249, False) if key else (0, True))


def test_many_lost_packets_are_counted_by_the_counter() -> None:
    receive = Receiver()
    receive(packet(3))
    receive(packet(3 + 256 * 5 + 2))
    assert gaps(receive) == [(0, False), (256 * 5 + 1, False)]


def test_a_device_that_starts_anew() -> None:
    receive = Receiver()
    receive(packet(90))
    receive(packet(0, counter=1022))  # above the bound of docs/bluetooth.md
    receive(packet(1, counter=1023))
    assert gaps(receive) == [(0, False), (0, True), (0, False)]
    plain = Receiver(Config())
    for n in (90, 0, 1):
        plain(packet(n, key=None))
    assert gaps(plain) == [(0, False), (0, True), (0, False)]


def test_equal_packets_are_duplicates_and_no_sign_of_life() -> None:
    receive = Receiver()
    first = packet(0)
    receive(first)
    for _ in range(5):
        assert receive(first) is None
    assert receive.refused == {"duplicate": 5}
    assert receive.counts.by_device == {ADDRESS: {"duplicate": 5}}
