"""MQTT, with Debian's mosquitto on loopback."""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway import mqtt, service
from gateway.config import Config
from gateway.mqtt import Broker, topic_name
from gateway.service import Gateway
from gateway.store import Store
from tests.gateway.devices import ADDRESS
from tests.gateway.test_monitor import observed
from tests.gateway.test_service import until

# Debian puts it where users other than root do not look.
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt-get install mosquitto)")

# https://www.home-assistant.io/integrations/binary_sensor/ and .../sensor/: device classes that are used
HOME_ASSISTANT_CLASSES = {"binary_sensor": {"vibration", "problem"}, "sensor": {"temperature"}}


class Mosquitto:
    """A broker that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", self._config], stderr=subprocess.DEVNULL)
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError("mosquitto does not listen")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "_RETRY_S", 0.1)
    monkeypatch.setattr(mqtt, "_LONGEST_RETRY_S", 0.1)
    monkeypatch.setattr(mqtt, "_ROUND_S", 0.05)
    monkeypatch.setattr(service, "COMMIT_S", 0.05)


class Ears:
    """What a subscriber hears."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.latest: dict[str, Any] = {}
        self.alerts: list[dict[str, Any]] = []
        self._ready = asyncio.Event()

    async def __aenter__(self) -> "Ears":
        self._task = asyncio.create_task(self._listen())
        await asyncio.wait_for(self._ready.wait(), 5)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError, aiomqtt.MqttError):
            await self._task

    async def _listen(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port) as client:
            await client.subscribe("#", qos=1)
            self._ready.set()
            async for message in client.messages:
                text = bytes(message.payload).decode()  # type: ignore[arg-type]
                value = json.loads(text) if text.startswith("{") else text
                self.latest[str(message.topic)] = value
                if str(message.topic).endswith("/alert"):
                    self.alerts.append(value)


def run(store: Store, port: int, body, **more) -> Gateway:
    async def everything() -> Gateway:
        config = Config.model_validate({"mqtt": {"host": "127.0.0.1", "port": port}, **more})
        assert config.mqtt is not None
        gateway = Gateway(config, store)
        work = [asyncio.create_task(each) for each in (gateway.run([]), Broker(gateway, config.mqtt).run())]
        try:
            await body(gateway)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        return gateway

    return asyncio.run(everything())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.db")
    yield store
    store.close()


def test_home_assistant_finds_devices_and_states(store: Store, broker: Mosquitto) -> None:
    name = "c0ffee000001"

    async def body(gateway: Gateway) -> None:
        async with Ears(broker.port) as ears:
            gateway.take(observed(time.time(), device=ADDRESS, machine=True, machine_state=1, rms_mg=1000.0))
            await until(lambda: f"simtwin/{name}/state" in ears.latest and ears.alerts)
            assert ears.latest["simtwin/status"] == "online"
            assert ears.latest[f"simtwin/{name}/availability"] == "online"
            state = ears.latest[f"simtwin/{name}/state"]
            assert (state["vibration"], state["problem"]) == ("ON", "OFF")
            assert (state["machine_state"], state["rms_mps2"]) == ("imbalance", pytest.approx(9.807, abs=0.001))
            (alert,) = ears.alerts
            assert (alert["id"], alert["action"], alert["state"], alert["name"]) == (1, "raised", "imbalance", "Fan")
            found = {topic: what for topic, what in ears.latest.items() if topic.startswith("homeassistant/")}
            assert len(found) == len({what["unique_id"] for what in found.values()}) == 7
            for topic, what in found.items():
                _, component, node, entity, last = topic.split("/")
                assert (node, last) == (f"simtwin_{name}", "config")
                assert what["state_topic"] == f"simtwin/{name}/state"
                assert what["value_template"] == f"{{{{ value_json.{entity} }}}}"
                assert entity in state
                assert what.get("device_class") in {None, *HOME_ASSISTANT_CLASSES[component]}
                assert what["device"]["name"] == "Fan"
                assert [each["topic"] for each in what["availability"]] == [
                    "simtwin/status", f"simtwin/{name}/availability",
                ]  # fmt: skip

    devices = [{"id": ADDRESS, "name": "Fan"}]
    run(store, broker.port, body, devices=devices, classes=["normal", "imbalance"])


def test_silent_devices_are_not_available(store: Store, broker: Mosquitto) -> None:
    async def body(gateway: Gateway) -> None:
        async with Ears(broker.port) as ears:
            gateway.take(observed(time.time(), device=ADDRESS))
            await until(lambda: ears.latest.get("simtwin/c0ffee000001/availability") == "online")
            await until(lambda: ears.latest.get("simtwin/c0ffee000001/availability") == "offline")

    run(store, broker.port, body, silent_after_s=0.3)


def test_no_alert_is_lost_when_the_broker_goes_away(store: Store, broker: Mosquitto) -> None:
    async def body(gateway: Gateway) -> None:
        async with Ears(broker.port) as ears:
            gateway.take(observed(time.time(), device="a", machine=True))
            await until(lambda: ears.alerts)
        broker.kill()
        for n in range(20):
            gateway.take(observed(time.time(), device=f"b{n}", machine=True))
        await until(lambda: gateway.sources[f"mqtt://127.0.0.1:{broker.port}"].startswith("lost: "))
        assert "lost" in gateway.health()["sources"][f"mqtt://127.0.0.1:{broker.port}"]  # type: ignore[index]
        broker.start()
        async with Ears(broker.port) as ears:
            await until(lambda: len(ears.alerts) >= 20, 10)
            await until(lambda: len([topic for topic in ears.latest if topic.endswith("/state")]) == 21)
            assert sorted({alert["device"] for alert in ears.alerts}) == sorted(f"b{n}" for n in range(20))
            assert ears.latest["simtwin/status"] == "online"

    gateway = run(store, broker.port, body)
    assert gateway.counts.total["broker failures"] >= 1


def test_the_broker_tells_when_the_gateway_dies(store: Store, broker: Mosquitto) -> None:
    async def body(gateway: Gateway) -> None:
        config = gateway.config.mqtt
        assert config is not None
        async with Ears(broker.port) as ears:
            await until(lambda: ears.latest.get("simtwin/status") == "online")
            other = Broker(gateway, config)
            async with other._client() as client:
                # The connection breaks without a word.
                client._client.socket().shutdown(socket.SHUT_RDWR)
                await until(lambda: ears.latest.get("simtwin/status") == "offline")

    with suppress(aiomqtt.MqttError):
        run(store, broker.port, body)


def test_topics_are_different_and_plain() -> None:
    names = ["tcp://a:1", "tcp://a/1", "serial:///dev/ttyUSB0", "x" * 300 + "/#+", ADDRESS, "ü"]
    topics = [topic_name(each) for each in names]
    assert len(set(topics)) == len(names)
    assert all(topic.replace("_", "").isalnum() and topic.isascii() and len(topic) < 60 for topic in topics)


def test_states_of_stored_devices_are_sent_at_the_start(store: Store, broker: Mosquitto) -> None:
    async def first(gateway: Gateway) -> None:
        gateway.take(observed(time.time(), device="a", machine=True))
        await until(lambda: store.alert(1))

    async def second(gateway: Gateway) -> None:
        async with Ears(broker.port) as ears:
            await until(lambda: [topic for topic in ears.latest if topic.endswith("/state")])
            (state,) = (what for topic, what in ears.latest.items() if topic.endswith("/state"))
            assert state["vibration"] == "ON"

    run(store, broker.port, first)
    run(store, broker.port, second)
