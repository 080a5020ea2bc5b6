"""Sources, each with what is at its other end: a socket, a pseudo terminal, a Bluetooth stack."""

import asyncio
import os
import pty
import random
import tty
from pathlib import Path

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from gateway import service
from gateway.bthome import UUID_128
from gateway.errors import GatewayError
from gateway.service import Gateway
from gateway.sources import open_source
from gateway.sources.ble import Ble
from gateway.sources.ble_virtual import BleVirtual
from gateway.sources.uart import Serial, Tcp
from gateway.store import Filter, Store
from tests.gateway.devices import (
    ADDRESS,
    HEARTBEAT,
    JUDGED,
    KEY,
    MACHINE_ALERT,
    RAISED,
    HciDevice,
    frame_line,
    hci,
    hci_advertise,
    hello_line,
    packet,
)  # fmt: skip
from tests.gateway.test_service import run, store, until  # noqa: F401

DEVICES = [{"id": ADDRESS, "name": "fan", "key": KEY.hex()}]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RETRY_S", 0.05)


@pytest.mark.parametrize(("text", "kind"), [
    ("ble", Ble), ("ble:hci1", Ble), ("ble-virtual", BleVirtual), ("ble-virtual://127.0.0.1:5", BleVirtual),
    ("tcp://board.local:5000", Tcp), ("tcp://[::1]:5000", Tcp), ("serial:///dev/ttyUSB0", Serial),
])  # fmt: skip
def test_names(text: str, kind: type) -> None:
    source = open_source(text)
    assert isinstance(source, kind)
    assert source.name == text


@pytest.mark.parametrize("text", [
    "", "bluetooth", "tcp://", "tcp://host", "tcp://host:99999", "tcp://host:1/path", "serial://dev/ttyUSB0", "serial:",
    "scenario:", "ble-virtual://x",
])  # fmt: skip
def test_what_names_no_source(text: str) -> None:
    with pytest.raises(GatewayError, match=r"^source '.*': allowed are ble, "):
        open_source(text)


def test_tcp_comes_back_after_the_other_end_went_away(store: Store) -> None:  # noqa: F811
    connections = []

    async def board(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        first = 3 * len(connections)
        writer.write(b"half a line\n" + hello_line(0) if len(connections) == 1 else b"")
        writer.write(
            frame_line(HEARTBEAT, first) + frame_line(RAISED, first + 1, machine=1, flags=JUDGED | MACHINE_ALERT)
        )
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    async def everything() -> None:
        server = await asyncio.start_server(board, "127.0.0.1", 0)
        source = open_source(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        gateway = Gateway(service.Config(), store)
        work = asyncio.create_task(gateway.run([source]))
        await until(lambda: len(connections) >= 3)
        await until(lambda: gateway.counts.total["received"] >= 6)
        await until(lambda: gateway.sources[source.name] == "lost: closed by the other end")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert gateway.counts.total["missed"] >= 2 + 1 + 1
        server.close()

    asyncio.run(everything())
    assert [(alert.state, alert.cleared_s) for alert in store.alerts(Filter(open=True), 9)] == [("class 1", None)]


def test_serial_port(store: Store) -> None:  # noqa: F811
    board, port = pty.openpty()
    tty.setraw(board)
    source = open_source(f"serial://{os.ttyname(port)}")

    async def body(gateway: Gateway) -> None:
        await until(lambda: gateway.sources[source.name] == "connected")
        os.write(board, hello_line() + bytes(range(256)) + b"\n" + frame_line(RAISED, 1, flags=MACHINE_ALERT))
        await until(lambda: gateway.counts.total["received"] == 1)
        assert gateway.counts.total["noise"] >= 1
        os.close(port)
        os.close(board)
        await until(lambda: gateway.sources[source.name].startswith("lost: "))

    run(store, body, source)


def test_serial_port_that_is_not_there(store: Store) -> None:  # noqa: F811
    source = open_source("serial:///dev/ttyNOTHING")

    async def body(gateway: Gateway) -> None:
        await until(lambda: "No such file" in gateway.sources[source.name])

    run(store, body, source)


@pytest.mark.skipif(Path("/sys/class/bluetooth").exists(), reason="this machine has a Bluetooth adapter")
def test_bluetooth_adapter_that_is_not_there(store: Store) -> None:  # noqa: F811
    async def body(gateway: Gateway) -> None:
        await until(lambda: gateway.sources["ble"].startswith("lost: "), 10)

    run(store, body, open_source("ble"))


def test_bluetooth_adapter(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """What bleak hears gets to the guard; the scanner is a stand-in, for no test has an adapter."""
    opened: list[dict[str, object]] = []

    class Scanner:
        def __init__(self, detection_callback, **options) -> None:
            self._heard = detection_callback
            opened.append(options)

        async def __aenter__(self) -> None:
            device = BLEDevice(ADDRESS.lower(), "fan", None)
            for data in ({UUID_128: packet(0)}, {}, {"0000180f-0000-1000-8000-00805f9b34fb": b"x"}, {UUID_128: b""}):
                self._heard(device, AdvertisementData(None, {}, data, [], None, -60, ()))

        async def __aexit__(self, *_: object) -> None:
            opened.append({})

    monkeypatch.setattr("gateway.sources.ble.BleakScanner", Scanner)

    async def body(gateway: Gateway) -> None:
        await until(lambda: gateway.sources["ble:hci1"] == "scanning")
        assert gateway.counts.total == {"received": 1, "foreign": 1}

    run(store, body, open_source("ble:hci1"), devices=DEVICES)
    assert opened == [{"bluez": {"adapter": "hci1", "filters": {"DuplicateData": True}}}, {}]


def virtual() -> BleVirtual:
    source = open_source("ble-virtual://127.0.0.1:0")
    assert isinstance(source, BleVirtual)
    return source


def port_of(source: BleVirtual) -> int:
    assert source.address is not None
    return source.address[1]


def test_from_hci_commands_to_alerts(store: Store) -> None:  # noqa: F811
    source = virtual()
    other = "C0:FF:EE:00:00:02"

    async def body(gateway: Gateway) -> None:
        await until(lambda: source.address)
        async with HciDevice(port_of(source)) as fan, HciDevice(port_of(source), other) as pump:
            for n in range(20):
                await fan.send(packet(n, machine_alert=5 <= n < 15, machine_state=2))
                await pump.send(packet(n, key=None, address=other, sensor_alert=n >= 10, sensor=0, sensor_state=6))
            await until(lambda: gateway.counts.total["received"] == 40)
            # The controller repeats the last packet every 200 ms.
            await until(lambda: gateway.counts.by_device[ADDRESS]["duplicate"] >= 2)
        assert gateway.counts.total["missed"] == 0

    run(store, body, source, devices=DEVICES, unknown_devices="accept", classes=["normal", "a", "wear"])
    assert [(alert.device, alert.kind, alert.state, alert.cleared_s is None) for alert in store.alerts(Filter(), 9)] == [
        (other, "sensor", "stuck", True), (ADDRESS, "machine", "wear", False),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [0, 2, 3])
def test_advertising_types(store: Store, kind: int) -> None:  # noqa: F811
    source = virtual()

    async def body(gateway: Gateway) -> None:
        await until(lambda: source.address)
        async with HciDevice(port_of(source)) as device:
            for command in hci_advertise(ADDRESS, packet(0), interval=0, kind=kind):
                await device.command(command)
            await until(lambda: gateway.counts.total["received"] == 1)
            await asyncio.sleep(0.3)
        # An interval of 0 is taken for the shortest there is.
        assert 5 <= gateway.counts.total["duplicate"] <= 20

    run(store, body, source, devices=DEVICES)


def test_a_device_that_goes_away_is_off_the_air(store: Store) -> None:  # noqa: F811
    source = virtual()

    async def body(gateway: Gateway) -> None:
        await until(lambda: source.address)
        async with HciDevice(port_of(source)) as device:
            await device.send(packet(0))
            await until(lambda: gateway.counts.total["received"])
        await asyncio.sleep(0.3)
        heard = gateway.counts.total["duplicate"]
        await asyncio.sleep(0.5)
        assert gateway.counts.total["duplicate"] == heard

    run(store, body, source, devices=DEVICES)


def test_no_bytes_over_hci_hurt(store: Store) -> None:  # noqa: F811
    source = virtual()
    chance = random.Random(1)

    async def body(gateway: Gateway) -> None:
        await until(lambda: source.address)
        good = b"".join(hci_advertise(ADDRESS, packet(0)))
        for n in range(200):
            _, writer = await asyncio.open_connection("127.0.0.1", port_of(source))
            if n % 2:
                noise = chance.randbytes(chance.randrange(200))
            else:
                spoilt = bytearray(good[: chance.randrange(20, len(good))])
                for _ in range(3):
                    spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
                noise = bytes(spoilt) + hci(chance.randrange(65536), chance.randbytes(chance.randrange(64)))
            writer.write(noise)
            await writer.drain()
            writer.close()
        await asyncio.sleep(0.2)
        async with HciDevice(port_of(source)) as device:
            await device.send(packet(1, machine_alert=True))
            await until(lambda: store.count(Filter()) == 1)

    gateway = run(store, body, source, devices=DEVICES)
    assert gateway.counts.total["noise"] > 50


def test_devices_are_limited(store: Store) -> None:  # noqa: F811
    source = virtual()

    async def body(gateway: Gateway) -> None:
        await until(lambda: source.address)
        writers = [(await asyncio.open_connection("127.0.0.1", port_of(source)))[1] for _ in range(70)]
        await until(lambda: gateway.counts.total["too many devices"] == 6)
        for writer in writers:
            writer.close()

    run(store, body, source)
