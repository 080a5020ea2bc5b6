"""The whole chain: a machine fails in a scenario, and a person sees it on the page; the fault is mended, and it is gone.

scenario -> IMU -> firmware -> HCI -> Bumble's controller -> Bumble's central -> gateway -> page in a real browser.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("unicorn", reason="no Unicorn: pip install simtwin[firmware]")
pytest.importorskip("ziglang", reason="no zig: pip install simtwin[firmware]")
pytest.importorskip("bumble", reason="no Bumble: pip install simtwin[gateway]")
pytest.importorskip("playwright", reason="no Playwright: pip install simtwin[test]")

from playwright.sync_api import Page, expect, sync_playwright

from emulator.machine import Machine
from gateway import bthome
from gateway.bthome import Report
from gateway.config import Config
from gateway.sources.ble_virtual import VirtualAir
from gateway.sources.scenario import ScenarioSource
from gateway.store import Filter
from models.artifact import open_artifact, reference
from tests.firmware.bluetooth import DATA, commands_in, service_data
from tests.gateway.devices import hci_advertise, hci_data
from tests.gateway.serving import Served, served

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")

ADDRESS = "FC:DF:A1:00:00:01"  # of the emulated chip
KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
ONSET_S, CLEAR_S = 3.0, 6.5
SCENARIO = f"""
name: chain
machine: {Path(__file__).parents[2]}/scenarios/machines/bearing_rig.yaml
operation: {{speed_rpm: 1800, load: 0.5, duration_s: 9}}
sensors: [{{id: imu0, device: lsm6dso, odr_hz: 3332, range_g: 16, range_dps: 500, mount: drive_end, rate_error_ppm: 0}}]
faults: [{{kind: looseness, gap_um: 150, onset_s: {ONSET_S}, clear_s: {CLEAR_S}}}]
"""
_LONG_MS = 120_000  # the machine that tests may be busy


class Watched(ScenarioSource):
    """A scenario of which the board, the air and the packets are kept."""

    def __init__(self, path: Path) -> None:
        super().__init__("scenario:chain", f"{path}?via=ble&key={KEY.hex()}")
        self.sent = bytearray()
        self.started = self._started

    def _started(self, board: Machine, air: VirtualAir) -> None:
        self.board, self.air = board, air
        board.on_uart(1, lambda byte, _: self.sent.append(byte))

    @property
    def packets(self) -> list[bytes]:
        """Service data of all packets that left the firmware."""
        return [service_data(parameters) for opcode, parameters in commands_in(bytes(self.sent)) if opcode == DATA]


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_from_a_fault_to_the_page_and_back(tmp_path: Path, page: Page) -> None:
    (tmp_path / "chain.yaml").write_text(SCENARIO)
    source = Watched(tmp_path / "chain.yaml")
    config = Config.model_validate({
        "devices": [{"id": ADDRESS, "name": "Bearing rig", "key": KEY.hex()}],
        "classes": list(open_artifact(reference("bearing_rig")).classes), "unknown_devices": "accept",
    })  # fmt: skip
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with served(tmp_path / "store.db", config=config, sources=[source]) as server:
        page.goto(server.url)
        page.evaluate("window.notReloaded = true")
        rig = page.locator(".card", has_text="Bearing rig")
        standing = page.locator("#live").locator("tr", has_text="Bearing rig")

        expect(rig).to_contain_text("Ok", timeout=_LONG_MS)
        expect(standing).to_have_count(0)

        expect(standing).to_contain_text("looseness", timeout=_LONG_MS)
        assert source.board.virtual_time_s > ONSET_S
        expect(rig).to_contain_text("Anomaly: looseness")

        expect(standing).to_have_count(0, timeout=_LONG_MS)
        assert source.board.virtual_time_s > CLEAR_S
        expect(rig).to_contain_text("Ok")
        assert page.evaluate("window.notReloaded")

        _until(lambda: server.gateway.sources[source.name] == "the scenario is over")
        assert _alerts(server) == [(ADDRESS, "machine", "looseness", True)]
        counts = dict(server.gateway.counts.by_device[ADDRESS])
        assert {name: counts.pop(name, 0) for name in ("missed", "replayed", "forged", "not encrypted")} == {
            "missed": 0, "replayed": 0, "forged": 0, "not encrypted": 0,
        }  # fmt: skip

        attack(server, source)
        assert _alerts(server) == [(ADDRESS, "machine", "looseness", True)]
        expect(standing).to_have_count(0)
        expect(rig).to_contain_text("Ok")
    assert complaints == []


def attack(server: Served, source: Watched) -> None:
    """Everything that somebody without the key can make of the firmware's own packets, in its name: refused, each of them."""
    draws = random.Random(4)
    packets = source.packets
    latest = int.from_bytes(packets[-1][-8:-4], "little")
    replayed = packets[:-1]
    assert len(replayed) >= 2  # among them those of the alert
    forged = []
    for packet in packets:
        for bit in draws.sample(range(8, 8 * len(packet)), 40):
            spoilt = bytearray(packet)
            spoilt[bit // 8] ^= 1 << bit % 8
            spoilt[-8:-4] = (latest + 1 + draws.randrange(1000)).to_bytes(4, "little")  # else it counts as replayed
            forged.append(bytes(spoilt))
    alarm = Report(
        packet_id=200, machine_alert=True, sensor_alert=True, rms_mg=900, machine_state=1, temperature_c=30.0
    )
    address = bytes.fromhex(ADDRESS.replace(":", ""))
    forged.append(bthome.service_data(alarm, bytes(16), address, latest + 1))
    plain = bthome.service_data(alarm)
    for some, what in ((replayed, "replayed"), (forged, "forged"), ([plain], "not encrypted")):
        wanted = _refused(server, what) + len(some)
        server.do(_broadcast, source.air, some)
        _until(lambda what=what, wanted=wanted: _refused(server, what) >= wanted)  # type: ignore[misc]


def _refused(server: Served, why: str) -> int:
    return server.gateway.counts.by_device[ADDRESS][why]


def _broadcast(air: VirtualAir, packets: list[bytes]) -> None:
    """As a device of the same address, by its own controller."""
    device = air.attach(lambda answer: None)
    for command in [*hci_advertise(ADDRESS, packets[0]), *map(hci_data, packets)]:
        device.feed(command)
    device.close()


def _alerts(server: Served) -> list[tuple[str, str, str, bool]]:
    return [
        (alert.device, alert.kind, alert.state, alert.cleared_s is not None)
        for alert in server.gateway.store.alerts(Filter(), 9)
    ]


def _until(true: Callable[[], bool], timeout_s: float = 30.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)
