"""A real Bluetooth adapter."""

from __future__ import annotations

import asyncio

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from gateway.bthome import UUID_128
from gateway.sources.base import Intake, Source, Tell

_ALIVE_S = 3600.0


class Ble(Source):
    """`ble`, `ble:hci1`: scans with an adapter of this machine, by whatever stack it has (bleak).

    macOS hides the addresses that encryption needs; Linux and Windows do not.
    """

    failures = (BleakError,)

    def __init__(self, name: str, adapter: str | None) -> None:
        super().__init__(name)
        self._adapter = adapter

    async def run(self, intake: Intake, tell: Tell) -> None:
        """Receive until the adapter goes away."""

        def heard(device: BLEDevice, advertisement: AdvertisementData) -> None:
            data = advertisement.service_data.get(UUID_128)
            if data is not None:
                intake.advertisement(device.address.upper(), bytes(data), self.name)

        # Every repetition is wanted, changed or not: BlueZ leaves equal ones out otherwise.
        bluez: BlueZScannerArgs = {"filters": {"DuplicateData": True}}
        if self._adapter is not None:
            bluez["adapter"] = self._adapter
        async with BleakScanner(heard, bluez=bluez):
            tell("scanning")
            while True:
                await asyncio.sleep(_ALIVE_S)
