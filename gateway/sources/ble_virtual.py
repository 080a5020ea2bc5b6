"""A Bluetooth radio without a radio: Bumble's virtual controllers on a virtual link.

A device's HCI (H4) bytes go to a controller of its own, as they would over VHCI or a UART; a Bumble central on the same link
scans. So all between the firmware's HCI commands and the gateway's scanner is a Bluetooth stack that neither of them wrote.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bumble import hci, ll
from bumble.controller import Controller, LegacyAdvertiser
from bumble.core import AdvertisingData, InvalidPacketError
from bumble.device import Advertisement, Device
from bumble.hci import Address, HCI_LE_Set_Advertising_Parameters_Command
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, PacketParser

from gateway.bthome import UUID
from gateway.sources.base import Intake, Source, Tell

MAX_DEVICES = 64
_CHUNK_BYTES = 4096
_CENTRAL = "F0:F1:F2:F3:F4:F5"
_SHORTEST_INTERVAL_S = 0.02  # by the specification of Bluetooth; a stranger's 0 would keep the loop busy
_Type = HCI_LE_Set_Advertising_Parameters_Command.AdvertisingType

# It logs all that it cannot make sense of, which a stranger decides.
logging.getLogger("bumble").setLevel(logging.CRITICAL)


class _Advertiser(LegacyAdvertiser):
    """Bumble's, which knows only connectable advertisements and takes the interval's unit for a millisecond."""

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        interval_s = max(self.advertising_interval_min * 0.625e-3, _SHORTEST_INTERVAL_S)
        self.timer_handle = asyncio.get_running_loop().call_later(interval_s, self._on_timer_fired)

    def send_advertising_data(self) -> None:
        if self.enabled and self.advertising_type in (_Type.ADV_IND, _Type.ADV_SCAN_IND, _Type.ADV_NONCONN_IND):
            # The link knows one kind of legacy advertisement; to a scanner they are the same.
            self.controller.send_advertising_pdu(ll.AdvInd(self.address, bytes(self.advertising_data)))


class _Controller(Controller):
    """A device's controller: new data are on the air at once, for emulated time may run faster than the interval."""

    def __init__(self, name: str, link: LocalLink, host_sink: AsyncPipeSink) -> None:
        super().__init__(name, host_sink=host_sink, link=link)
        self.le_legacy_advertiser = _Advertiser(self)

    def on_hci_le_set_advertising_data_command(
        self, command: hci.HCI_LE_Set_Advertising_Data_Command
    ) -> hci.HCI_StatusReturnParameters:
        status = super().on_hci_le_set_advertising_data_command(command)
        self.le_legacy_advertiser.send_advertising_data()
        return status


class _Writer:
    """Bumble's sink of packets, as a function that takes bytes."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def on_packet(self, packet: bytes) -> None:
        self._write(bytes(packet))


class NotHci(ConnectionError):
    """A device that sends something else."""


class Attachment:
    """A device's host, attached to a controller of its own: `feed` takes its bytes."""

    def __init__(self, link: LocalLink, name: str, write: Callable[[bytes], None]) -> None:
        self._link = link
        self._controller = _Controller(name, link, AsyncPipeSink(_Writer(write)))
        self._parser = PacketParser(self._controller)

    def feed(self, data: bytes) -> None:
        """Take H4 bytes from the device, cut anywhere.

        Raises:
            NotHci: they are none, and where the next packet begins cannot be known.
        """
        try:
            self._parser.feed_data(data)
        except InvalidPacketError as error:
            raise NotHci(str(error)) from None

    def close(self) -> None:
        """Take the controller off the air."""
        self._controller.le_legacy_advertiser.stop()
        self._link.remove_controller(self._controller)


class VirtualAir:
    """The link, and the central that scans on it.

    Args:
        heard: called with address and BTHome service data of every advertisement.
    """

    def __init__(self, heard: Callable[[str, bytes], None]) -> None:
        self._heard = heard
        self._link = LocalLink()  # type: ignore[no-untyped-call]
        self._attached = 0

    async def start(self) -> None:
        """Start scanning."""
        controller = Controller("central", link=self._link)
        host = Host(controller, AsyncPipeSink(controller))
        self._central = Device("gateway", Address(_CENTRAL), host=host)
        self._central.on("advertisement", self._on_advertisement)
        await self._central.power_on()
        await self._central.start_scanning(legacy=True, active=False)

    def attach(self, write: Callable[[bytes], None]) -> Attachment:
        """Attach a device; `write` takes the controller's H4 bytes for it, on the event loop's thread."""
        self._attached += 1
        return Attachment(self._link, f"device {self._attached}", write)

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        if advertisement.is_scan_response:  # Bumble answers for devices that never said anything
            return
        for uuid, data in advertisement.data.get_all(AdvertisingData.SERVICE_DATA_16_BIT_UUID):
            if int.from_bytes(uuid.to_bytes(), "little") == UUID:
                self._heard(advertisement.address.to_string(False), bytes(data))


class BleVirtual(Source):
    """`ble-virtual://HOST:PORT`: emulated devices connect there, one connection a device, and talk H4."""

    def __init__(self, name: str, host: str, port: int) -> None:
        super().__init__(name)
        self._host, self._port = host, port
        self.address: tuple[str, int] | None = None

    async def run(self, intake: Intake, tell: Tell) -> None:
        """Receive until cancelled."""
        air = VirtualAir(lambda address, data: intake.advertisement(address, data, self.name))
        await air.start()
        attached: set[asyncio.StreamWriter] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(attached) >= MAX_DEVICES:
                intake.counts.add("too many devices")
                writer.close()
                return
            attached.add(writer)
            device = air.attach(writer.write)
            try:
                while data := await reader.read(_CHUNK_BYTES):
                    device.feed(data)
                    await writer.drain()
            except NotHci:
                intake.counts.add("noise")
            except ConnectionError:
                pass  # it went away
            finally:
                device.close()
                attached.discard(writer)
                writer.close()

        server = await asyncio.start_server(serve, self._host, self._port)
        self.address = server.sockets[0].getsockname()[:2]
        tell(f"scanning; devices connect to {self.address[0]}:{self.address[1]}")
        try:
            await server.serve_forever()
        finally:
            for writer in attached:
                writer.close()
