"""Alerts and states to an MQTT broker, with Home Assistant's discovery.

A broker that goes away is waited for: states are sent as they are when it is back, alerts are kept in order until it has
taken them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import deque
from contextlib import suppress
from typing import Any

import aiomqtt

from gateway.api import DeviceState, device_states
from gateway.config import Mqtt, is_address
from gateway.hub import Event
from gateway.service import Gateway

MAX_WAITING_ALERTS = 10_000
FIGURES_S = 10.0
"""Figures of a device are sent so often; changes of its alerts at once."""
_RETRY_S, _LONGEST_RETRY_S = 1.0, 30.0
_ROUND_S = 1.0
_G = 9.80665


def topic_name(device: str) -> str:
    """A device's identity as it may stand in a topic; different devices have different ones."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", device).strip("_").lower()
    return (
        plain.replace("_", "")
        if is_address(device)
        else f"{plain[:40]}_{hashlib.sha256(device.encode()).hexdigest()[:8]}"
    )


def _is_cancelled() -> bool:
    """Whether this task was cancelled: inside aiomqtt a cancellation may be lost, or come out as an MqttError."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Broker:
    """The connection to one broker."""

    def __init__(self, gateway: Gateway, config: Mqtt) -> None:
        self._gateway, self._config = gateway, config
        self.name = f"mqtt://{config.host}:{config.port}"
        self._alerts: deque[dict[str, object]] = deque()
        self._sent: dict[str, tuple[Any, float]] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled."""
        with self._gateway.hub.listen() as queue:
            collector = asyncio.create_task(self._collect(queue))
            try:
                await self._keep_connected()
            finally:
                collector.cancel()

    async def _collect(self, queue: asyncio.Queue[Event | None]) -> None:
        while (event := await queue.get()) is not None:
            if event.topic == "alert":
                self._alerts.append(event.data)
                if len(self._alerts) > MAX_WAITING_ALERTS:
                    self._alerts.popleft()
                    self._gateway.counts.add("alerts not sent to the broker")
            self._wake.set()

    async def _keep_connected(self) -> None:
        wait_s = _RETRY_S
        while not _is_cancelled():
            try:
                async with self._client() as client:
                    wait_s = _RETRY_S
                    self._gateway.tell_source(self.name, "connected")
                    await self._talk(client)
            except (aiomqtt.MqttError, OSError) as error:
                self._gateway.counts.add("broker failures")
                self._gateway.tell_source(self.name, f"lost: {error}")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_RETRY_S)

    def _client(self) -> aiomqtt.Client:
        config = self._config
        return aiomqtt.Client(
            config.host,
            config.port,
            username=config.username,
            password=None if config.password is None else config.password.get_secret_value(),
            tls_params=aiomqtt.TLSParameters() if config.tls else None,
            will=aiomqtt.Will(f"{config.topic}/status", "offline", qos=1, retain=True),
            keepalive=15,
        )

    async def _talk(self, client: aiomqtt.Client) -> None:
        await client.publish(f"{self._config.topic}/status", "online", qos=1, retain=True)
        self._sent.clear()  # a broker that was started anew has forgotten all
        while not _is_cancelled():
            while self._alerts:
                alert = self._alerts[0]
                name = topic_name(str(alert.get("device", "gateway")))
                await client.publish(f"{self._config.topic}/{name}/alert", json.dumps(alert), qos=1)
                self._alerts.popleft()
            for state in device_states(self._gateway):
                if state.rms_mg is not None:  # it was heard
                    await self._send_state(client, state, state.rms_mg)
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_ROUND_S):
                    await self._wake.wait()

    async def _send_state(self, client: aiomqtt.Client, state: DeviceState, rms_mg: float) -> None:
        now_s = self._gateway.clock()
        stands = (state.alerts, state.state == "silent")
        before, sent_s = self._sent.get(state.device, (None, 0.0))
        if stands == before and now_s - sent_s < FIGURES_S:
            return
        topic = f"{self._config.topic}/{topic_name(state.device)}"
        if before is None:
            for where, what in self.discovery(state):
                await client.publish(where, json.dumps(what), qos=1, retain=True)
        figures = {
            "vibration": "ON" if "machine" in state.alerts else "OFF",
            "problem": "ON" if "sensor" in state.alerts else "OFF",
            "machine_state": state.alerts.get("machine", state.machine_state),
            "sensor_state": state.alerts.get("sensor", state.sensor_state),
            "confidence_pct": state.confidence_pct,
            "rms_mps2": round(rms_mg / 1000 * _G, 3),
            "temperature_c": state.temperature_c,
        }
        await client.publish(f"{topic}/state", json.dumps(figures), qos=1, retain=True)
        available = "offline" if state.state == "silent" else "online"
        await client.publish(f"{topic}/availability", available, qos=1, retain=True)
        self._sent[state.device] = (stands, now_s)

    def discovery(self, state: DeviceState) -> list[tuple[str, dict[str, Any]]]:
        """Topics and contents by which Home Assistant makes the device's entities.

        Source: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
        """
        name = topic_name(state.device)
        topic = f"{self._config.topic}/{name}"
        entities: tuple[tuple[str, str, str, dict[str, str]], ...] = (
            ("binary_sensor", "vibration", "Machine anomaly", {"device_class": "vibration"}),
            ("binary_sensor", "problem", "Sensor fault", {"device_class": "problem"}),
            ("sensor", "machine_state", "Machine state", {}),
            ("sensor", "sensor_state", "Sensor state", {}),
            ("sensor", "confidence_pct", "Confidence", {"unit_of_measurement": "%", "state_class": "measurement"}),
            ("sensor", "rms_mps2", "Vibration RMS", {"unit_of_measurement": "m/s²", "state_class": "measurement"}),
            ("sensor", "temperature_c", "Temperature",
             {"device_class": "temperature", "unit_of_measurement": "°C", "state_class": "measurement"}),
        )  # fmt: skip
        common = {
            "state_topic": f"{topic}/state",
            "availability": [{"topic": f"{self._config.topic}/status"}, {"topic": f"{topic}/availability"}],
            "availability_mode": "all",
            "device": {"identifiers": [f"simtwin_{name}"], "name": state.name, "manufacturer": "simtwin"},
        }
        return [
            (
                f"{self._config.discovery}/{component}/simtwin_{name}/{key}/config",
                common | {"name": label, "unique_id": f"simtwin_{name}_{key}", **more,
                          "value_template": f"{{{{ value_json.{key} }}}}"},
            )
            for component, key, label, more in entities
        ]  # fmt: skip
