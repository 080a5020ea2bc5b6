"""The gateway's configuration: a YAML file; every mistake is reported with file, line, key and value."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.bthome import KEY_BYTES
from sim.scenario.spec import Spec

_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
MAX_DEVICES = 10_000


class Device(Spec):
    """One device."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    """Bluetooth address such as C0:FF:EE:00:00:01, or the source of a serial line or socket as given to `--source`."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """What people call the machine."""
    key: SecretStr | None = None
    """BTHome bind key, 32 hexadecimal digits: packets that are not encrypted with it are refused."""
    counter: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """Packets up to this encryption counter are refused, even before the first was seen."""
    classes: list[Annotated[str, Field(min_length=1, max_length=40)]] | None = Field(None, max_length=15)
    """Names of the model's classes in order, normal first; instead of the general ones."""
    silent_after_s: Annotated[float, Field(gt=0)] | None = None
    """Instead of the general one."""

    @field_validator("id")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.upper() if is_address(value.upper()) else value

    @field_validator("key")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", value.get_secret_value()):
            raise ValueError("32 hexadecimal digits are allowed")
        return value

    @property
    def key_id(self) -> str | None:
        """Tells keys apart without telling the key."""
        return None if self.key_bytes is None else sha256(b"simtwin key" + self.key_bytes).hexdigest()[:16]

    @property
    def key_bytes(self) -> bytes | None:
        """The bind key."""
        return None if self.key is None else bytes.fromhex(self.key.get_secret_value())


class Mqtt(Spec):
    """A broker, with Home Assistant's discovery."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str | None = None
    password: SecretStr | None = None
    tls: bool = False
    """Encrypt the connection; the system's certificates are trusted."""
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "simtwin"
    """First part of all topics."""
    discovery: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/-]{1,64}$")] = "homeassistant"
    """First part of the topics that Home Assistant discovers devices by."""


class Config(Spec):
    """All of it. Every key may be left out."""

    devices: list[Device] = Field([], max_length=MAX_DEVICES)
    """Those whose name, key or classes are known."""
    unknown_devices: Literal["accept", "refuse"] | None = None
    """What is done with a device that is not listed. Left out: accepted as long as no device is listed."""
    max_devices: Annotated[int, Field(ge=1, le=MAX_DEVICES)] = 2000
    """Devices in all; strangers beyond are refused."""
    classes: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(["normal"], max_length=15)
    """Names of the model's classes in order, normal first; a number stands in for a name that is missing."""
    silent_after_s: Annotated[float, Field(gt=0)] = 35.0
    """A device that was not heard for so long is shown as silent. The firmware gives a sign of life every 10 s."""
    reading_interval_s: Annotated[float, Field(ge=0)] = 60.0
    """A reading is stored at every change of an alert, and else so often."""
    keep_readings_days: Annotated[float, Field(gt=0)] = 30.0
    """How long readings are kept."""
    keep_alerts_days: Annotated[float, Field(gt=0)] = 365.0
    """How long alerts are kept that are cleared and acknowledged."""
    mqtt: Mqtt | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [device.id for device in self.devices]
        for each in ids:
            if ids.count(each) > 1:
                raise ValueError(f"device {each} is listed twice")
        return self

    @property
    def accepts_unknown(self) -> bool:
        """Whether a device that is not listed is let in."""
        return not self.devices if self.unknown_devices is None else self.unknown_devices == "accept"


def is_address(text: str) -> bool:
    """Whether it is a Bluetooth address as this package writes them: `C0:FF:EE:00:00:01`."""
    return _ADDRESS.fullmatch(text) is not None
