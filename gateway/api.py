"""The REST interface and the stream of events; described by /openapi.json."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.auth import Auth
from gateway.config import Device
from gateway.monitor import Status
from gateway.observation import SENSOR_STATES, Kind
from gateway.service import Gateway
from gateway.store import NOTE_CHARACTERS, Alert, AlertEvent, Filter, Reading

MAX_LISTENERS = 100
_CSV_ROWS = 200

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Wanted(BaseModel):
    """Which alerts are wanted. An empty text is as if it were left out."""

    model_config = ConfigDict(extra="ignore")

    device: Annotated[str | None, Field(max_length=200)] = None
    kind: Kind | None = None
    state: Annotated[str | None, Field(max_length=40)] = None
    open: bool | None = None
    acknowledged: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: Annotated[str | None, Field(max_length=100)] = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    def filter(self) -> Filter:
        """The same for the store; times without a zone are UTC."""
        return Filter(
            self.device, self.kind, self.state, self.open, self.acknowledged,
            _unix_s(self.since), _unix_s(self.until), self.text,
        )  # fmt: skip


class WantedPage(Wanted):
    """One page of the alerts that are wanted."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Field(ge=1, le=200)] = 50


class AlertPage(BaseModel):
    """Alerts, the latest first, and how many there are on all pages."""

    total: int
    items: list[Alert]


class SpectrumData(BaseModel):
    """Amplitude spectrum when the alert was raised."""

    frequency_step_hz: float
    amplitude_g: list[float]
    channel: str


class AlertDetail(BaseModel):
    """All that is known of an alert."""

    alert: Alert
    events: list[AlertEvent]
    spectrum: SpectrumData | None
    readings: list[Reading]


class DeviceState(BaseModel):
    """A device at a glance. Of one that is listed but was never heard most is unknown; it is silent."""

    device: str
    name: str
    state: Literal["machine", "sensor", "silent", "ok"]
    alerts: dict[Kind, str]
    machine_state: str
    confidence_pct: int | None
    sensor_state: str
    rms_mg: float | None
    temperature_c: float | None
    first_seen_s: float | None
    last_seen_s: float | None
    source: str
    counts: dict[str, int]


class Acknowledgement(BaseModel):
    """What is said about an alert when it is acknowledged."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=NOTE_CHARACTERS)] = ""


def _unix_s(time: datetime | None) -> float | None:
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def device_state(gateway: Gateway, status: Status, now_s: float) -> DeviceState:
    """A device at a glance."""
    last = status.last
    state: Literal["machine", "sensor", "silent", "ok"] = "ok"
    if gateway.monitor.is_silent(status, now_s):
        state = "silent"
    elif "machine" in status.alerts:
        state = "machine"
    elif "sensor" in status.alerts:
        state = "sensor"
    return DeviceState(
        device=status.device,
        name=status.name,
        state=state,
        alerts=dict(status.alerts),
        machine_state=gateway.monitor.class_name(status.device, last.machine_state),
        confidence_pct=last.confidence_pct,
        sensor_state=SENSOR_STATES[last.sensor_state],
        rms_mg=last.rms_mg,
        temperature_c=last.temperature_c,
        first_seen_s=status.first_seen_s,
        last_seen_s=last.received_s,
        source=last.source,
        counts=dict(gateway.counts.by_device.get(status.device, {})),
    )


def _never_heard(listed: Device) -> DeviceState:
    return DeviceState(
        device=listed.id, name=listed.name, state="silent", alerts={}, machine_state="unknown", confidence_pct=None,
        sensor_state="unknown", rms_mg=None, temperature_c=None, first_seen_s=None, last_seen_s=None, source="", counts={},
    )  # fmt: skip


def device_states(gateway: Gateway) -> list[DeviceState]:
    """All devices, those with trouble first, then by name."""
    now_s = gateway.clock()
    order = ("machine", "sensor", "silent", "ok")
    states = [device_state(gateway, status, now_s) for status in gateway.monitor.statuses.values()]
    states += [_never_heard(each) for each in gateway.config.devices if each.id not in gateway.monitor.statuses]
    return sorted(states, key=lambda each: (order.index(each.state), each.name, each.device))


def detail(gateway: Gateway, number: int) -> AlertDetail | None:
    """All that is known of an alert; reads the store."""
    alert = gateway.store.alert(number)
    if alert is None:
        return None
    spectrum = gateway.store.spectrum(number)
    around_s = 3600.0
    return AlertDetail(
        alert=alert,
        events=gateway.store.events(number),
        spectrum=None if spectrum is None else SpectrumData.model_validate(asdict(spectrum)),
        readings=gateway.store.readings(
            alert.device, alert.raised_s - around_s, (alert.cleared_s or alert.updated_s) + around_s
        ),
    )


def router(gateway: Gateway, auth: Auth) -> APIRouter:
    """All calls, below /api."""
    api = APIRouter(prefix="/api", dependencies=[Depends(auth.reader)])

    @api.get("/devices")
    async def devices() -> list[DeviceState]:
        """Devices with their state, those with trouble first."""
        return device_states(gateway)

    @api.get("/alerts")
    def alerts(wanted: Annotated[WantedPage, Query()]) -> AlertPage:
        """Alerts, the latest first."""
        found = wanted.filter()
        items = gateway.store.alerts(found, wanted.size, (wanted.page - 1) * wanted.size)
        return AlertPage(total=gateway.store.count(found), items=items)

    @api.get("/alerts.csv")
    def alerts_csv(wanted: Annotated[Wanted, Query()]) -> StreamingResponse:
        """The same as a table."""
        return StreamingResponse(
            _csv(gateway, wanted.filter()),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="alerts.csv"'},
        )

    @api.get("/alerts/{number}")
    def one_alert(number: Number) -> AlertDetail:
        """One alert with its history, spectrum and the readings around it."""
        found = detail(gateway, number)
        if found is None:
            raise HTTPException(404, "no such alert")
        return found

    @api.post("/alerts/{number}/acknowledge", dependencies=[Depends(auth.changer)])
    async def acknowledge(number: Number, said: Acknowledgement) -> AlertDetail:
        """Acknowledge an alert; the answer comes once it is on disk."""
        if not await gateway.acknowledge(number, said.note):
            raise HTTPException(404, "no such alert")
        found = await run_in_threadpool(detail, gateway, number)
        assert found is not None
        return found

    @api.get("/health")
    async def health() -> dict[str, Any]:
        """The gateway's own state and counts."""
        return gateway.health()

    def room() -> None:
        if gateway.hub.listeners >= MAX_LISTENERS:
            raise HTTPException(503, "too many listeners")

    @api.get("/events", response_class=EventSourceResponse, dependencies=[Depends(room)])
    async def events() -> AsyncIterator[ServerSentEvent]:
        """Server-sent events `alert`, `machines`, `health`, `lagging`; see docs/gateway.md."""
        with gateway.hub.listen() as queue:
            yield ServerSentEvent(event="health", data={}, retry=1000)
            while (event := await queue.get()) is not None:
                yield ServerSentEvent(event=event.topic, data=event.data)

    return api


def _csv(gateway: Gateway, wanted: Filter) -> Iterator[str]:
    names = tuple(Alert.__dataclass_fields__)
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(names)
    for number, row in enumerate(gateway.store.every_alert(wanted), 1):
        writer.writerow([_cell(name, getattr(row, name)) for name in names])
        if number % _CSV_ROWS == 0:
            yield lines.getvalue()
            lines.seek(0)
            lines.truncate()
    yield lines.getvalue()


def _cell(name: str, value: object) -> object:
    if name in ("raised_s", "updated_s", "cleared_s", "acknowledged_s") and isinstance(value, float):
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds")
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value  # a table program must not take a note for a formula
    return value
