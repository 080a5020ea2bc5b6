"""Bluetooth packets to observations: what may come in, who sent it, and whether it was here before.

The decoder is `bthome-ble`, used afresh for every packet. It is lenient where a gateway must not be: it takes a counter that
starts again below 100, forgets to check counters after two packets it could not decrypt, and reads truncated packets as far as
they go. So order, lengths and completeness are checked here, and where the counter has got to is kept in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bleak.backends.device import BLEDevice
from bthome_ble import BTHomeBluetoothDeviceData, SensorUpdate
from habluetooth import BluetoothServiceInfoBleak

from gateway import bthome
from gateway.bthome import COUNTER_BYTES, ENCRYPTED, MIC_BYTES, PLAIN, read_state_word
from gateway.config import Config, is_address
from gateway.observation import Counts, Observation
from gateway.sequence import Position, radio_step

_OBJECT_LENGTHS = (13, 15)  # without and with a temperature
_LENGTHS = {PLAIN: 1, ENCRYPTED: 1 + COUNTER_BYTES + MIC_BYTES}
_G = 9.80665

# It warns of every packet it does not like: an attacker could fill the disk with them. They are counted instead.
logging.getLogger("bthome_ble").setLevel(logging.CRITICAL)


@dataclass
class _Heard:
    position: Position | None
    last_data: bytes = b""


class _Refused(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Radio:
    """Decodes and guards. One for all radios: the order of a device's packets does not depend on who received them.

    Args:
        config: keys, and who is let in.
        counts: where refusals are counted.
        positions: where devices had got to, by address.
    """

    def __init__(self, config: Config, counts: Counts, positions: Mapping[str, Position]) -> None:
        self._config, self._counts = config, counts
        self._listed = {device.id: device for device in config.devices if is_address(device.id)}
        self._heard = {address: _Heard(position) for address, position in positions.items() if is_address(address)}
        for address in self._listed:
            self._heard.setdefault(address, _Heard(None))

    def receive(self, address: str, data: bytes, source: str, received_s: float) -> Observation | None:
        """What the service data of one advertisement says; None: refused or a duplicate, and counted.

        Args:
            address: of the advertiser, `C0:FF:EE:00:00:01`.
            data: service data without the UUID.
            source: the source's name.
            received_s: Unix time.
        """
        heard = self._heard.get(address)
        try:
            self._check_sender(address, data, heard)
            counter = self._checked_counter(address, data, heard)
            listed = self._listed.get(address)
            key = None if listed is None else listed.key_bytes
            update = _decoded(address, data, key, received_s)
            observation = _observation(address, source, received_s, update)
            if listed is not None and counter is not None:
                observation = replace(observation, counter=counter, key_id=listed.key_id)
            return self._in_order(observation, heard, data)
        except _Refused as refusal:
            self._counts.add(refusal.why, None if heard is None else address)
            return None

    def _check_sender(self, address: str, data: bytes, heard: _Heard | None) -> None:
        if not data or data[0] not in _LENGTHS or len(data) - _LENGTHS[data[0]] not in _OBJECT_LENGTHS:
            raise _Refused("foreign")  # other BTHome devices, and what is left of ours
        if address not in self._listed and not (is_address(address) and self._config.accepts_unknown):
            raise _Refused("unknown device")
        if heard is None and len(self._heard) >= self._config.max_devices:
            raise _Refused("too many devices")
        if heard is not None and data == heard.last_data:
            raise _Refused("duplicate")

    def _checked_counter(self, address: str, data: bytes, heard: _Heard | None) -> int | None:
        listed = self._listed.get(address)
        if data[0] == PLAIN:
            if listed is not None and listed.key is not None:
                raise _Refused("not encrypted")
            return None
        if listed is None or listed.key is None:
            raise _Refused("no key")
        counter = int.from_bytes(data[-MIC_BYTES - COUNTER_BYTES : -MIC_BYTES], "little")
        if counter <= max(listed.counter, _counter_of(heard, listed.key_id)):
            raise _Refused("replayed")
        return counter

    def _in_order(self, observation: Observation, heard: _Heard | None, data: bytes) -> Observation:
        position = Position(sequence=observation.sequence, counter=observation.counter, key_id=observation.key_id)
        step = radio_step(None if heard is None else heard.position, position)
        if not step.new:
            raise _Refused("duplicate")
        self._heard[observation.device] = _Heard(position, data)
        if not step.missed and not step.restarted:
            return observation
        return replace(observation, missed=step.missed, restarted=step.restarted)


def _counter_of(heard: _Heard | None, key_id: str | None) -> int:
    """Where the counter has got to; with another key it begins anew, for nobody can have recorded anything yet."""
    if heard is None or heard.position is None or heard.position.counter is None or heard.position.key_id != key_id:
        return -1
    return heard.position.counter


def _decoded(address: str, data: bytes, key: bytes | None, received_s: float) -> SensorUpdate:
    decoder = BTHomeBluetoothDeviceData(bindkey=key)
    info = BluetoothServiceInfoBleak(
        name=address,
        address=address,
        rssi=0,
        manufacturer_data={},
        service_data={bthome.UUID_128: data},
        service_uuids=[],
        source="",
        device=BLEDevice(address, None, None),
        advertisement=None,
        connectable=False,
        time=received_s,
        tx_power=None,
    )
    try:
        update = decoder.update(info)
    except Exception:  # whatever a stranger's bytes do to the decoder, the gateway goes on
        raise _Refused("damaged") from None
    if key is not None and not decoder.bindkey_verified:
        raise _Refused("forged")
    return update


def _observation(address: str, source: str, received_s: float, update: SensorUpdate) -> Observation:
    """Refuses packets without all our objects, each once, and with values that have no meaning."""
    values: dict[str, Any] = {key.key: value.native_value for key, value in update.entity_values.items()}
    flags = {key.key: value.native_value for key, value in update.binary_entity_values.items()}
    if not {"packet_id", "acceleration", "raw"} <= values.keys() or not {"vibration", "problem"} <= flags.keys():
        raise _Refused("damaged")
    word = bytes.fromhex(values["raw"])
    machine_state, sensor_state, sensor, confidence_pct = read_state_word(int.from_bytes(word, "little"))
    if len(word) != 2 or (confidence_pct or 0) > 100:
        raise _Refused("damaged")
    temperature = values.get("temperature")
    return Observation(
        device=address,
        source=source,
        received_s=received_s,
        machine_alert=bool(flags["vibration"]),
        sensor_alert=bool(flags["problem"]),
        about=frozenset(("machine", "sensor")),
        machine_state=machine_state,
        confidence_pct=confidence_pct,
        sensor=sensor,
        sensor_state=sensor_state,
        rms_mg=round(values["acceleration"] / _G * 1000, 1),
        temperature_c=None if temperature is None else float(temperature),
        sequence=int(values["packet_id"]),
    )
