"""The gateway at work: sources in, store and listeners out.

An alert is announced once it is committed. When the store fails, changes wait in memory and are written when it works again;
meanwhile the gateway says so.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from gateway.config import Config
from gateway.hub import Event, Hub
from gateway.monitor import Change, Monitor, Status
from gateway.observation import Counts, Observation
from gateway.radio import Radio
from gateway.sources.base import Intake, Source
from gateway.store import Batch, Store, device_rows, positions

COMMIT_S = 1.0
"""Devices' states are committed so often; changes of alerts at once."""
MAX_WAITING_CHANGES = 10_000
MAX_WAITING_READINGS = 10_000
RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0
_HOUR_S, _DAY_S = 3600.0, 86400.0
_log = logging.getLogger(__name__)

R = TypeVar("R")


class Gateway:
    """One gateway on one event loop.

    Args:
        config: see `gateway.config`.
        store: where everything is kept.
        clock: Unix time.
    """

    def __init__(self, config: Config, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.config, self.store, self.clock = config, store, clock
        self.counts = Counts()
        self.hub = Hub()
        statuses = store.statuses(self.counts)
        self._positions = positions(statuses)
        self.monitor = Monitor(config, self.counts, statuses)
        self.intake = Intake(
            Radio(config, self.counts, self._positions), self.counts, self.take, clock, self._positions.get
        )
        self.sources: dict[str, str] = {}
        self.store_error: str | None = None
        self._thread = ThreadPoolExecutor(1, "store")
        self._dirty: dict[str, Status] = {}
        self._changes: list[Change] = []
        self._readings: list[Observation] = []
        self._wake = asyncio.Event()
        self._silent: set[str] = set()

    def take(self, observation: Observation) -> None:
        """Take an observation from a source."""
        if len(self._changes) >= MAX_WAITING_CHANGES:
            # The store has failed for long. What stands on the devices is taken up when it works again.
            self.counts.add("not taken")
            return
        status, changes = self.monitor.take(observation)
        self._dirty[observation.device] = status
        self._changes += changes
        turns = any(change.action != "repeated" for change in changes)
        if turns or observation.received_s - status.reading_s >= self.config.reading_interval_s:
            status.reading_s = observation.received_s
            if len(self._readings) < MAX_WAITING_READINGS:
                self._readings.append(observation)
        if turns:
            self._wake.set()

    async def run(self, sources: Sequence[Source]) -> None:
        """Run until cancelled; what was taken is then written."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._commit_all())
                tasks.create_task(self._watch_silence())
                tasks.create_task(self._forget())
                for source in sources:
                    self.sources[source.name] = "starting"
                    tasks.create_task(self._keep_running(source))
        finally:
            with suppress(sqlite3.Error):
                await asyncio.shield(self.commit())
            self._thread.shutdown()

    async def _in_store(self, function: Callable[..., R], *arguments: object) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    # Store

    async def commit(self) -> None:
        """Write what waits, and tell the listeners.

        Raises:
            sqlite3.Error: it still waits.
        """
        dirty, self._dirty = self._dirty, {}
        changes, self._changes = self._changes, []
        readings, self._readings = self._readings, []
        if not dirty:
            return
        batch = Batch(device_rows(dirty.values(), self.counts), changes, readings)
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self.store.write, batch)
        try:
            done = await asyncio.shield(writing)
        except (sqlite3.Error, asyncio.CancelledError):
            await asyncio.wait([writing])  # when cancelled: a transaction that runs is not stopped
            if writing.exception() is not None:
                self._dirty = dirty | self._dirty
                self._changes = changes + self._changes
                self._readings = (readings + self._readings)[-MAX_WAITING_READINGS:]
            raise
        for change, number in done:
            if change.action != "repeated":
                self.hub.publish(Event("alert", self.alert_event(change, number)))
        self.hub.publish(Event("machines", {}))

    def alert_event(self, change: Change, number: int) -> dict[str, object]:
        """What listeners are told of a change."""
        seen = change.observation
        return {
            "id": number, "device": seen.device, "name": self.monitor.name_of(seen.device), "kind": change.kind,
            "action": change.action, "state": change.state, "confidence_pct": seen.confidence_pct, "at_s": seen.received_s,
        }  # fmt: skip

    async def _commit_all(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMIT_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.commit()
            except sqlite3.Error as error:
                self._store_failed(error)
                await asyncio.sleep(RETRY_S)
                self._wake.set()
            else:
                self._store_works()

    def _store_failed(self, error: sqlite3.Error) -> None:
        self.counts.add("store failures")
        if self.store_error is None:
            _log.error("store: %s; alerts wait in memory", error)
        self.store_error = str(error)
        self.hub.publish(Event("health", {}))

    def _store_works(self) -> None:
        if self.store_error is not None:
            _log.warning("store: works again")
            self.store_error = None
            self.hub.publish(Event("health", {}))

    async def acknowledge(self, number: int, note: str) -> bool:
        """Acknowledge an alert; when this returns it is on disk. False: no such alert.

        Raises:
            sqlite3.Error: it could not be written.
        """
        found = await self._in_store(self.store.acknowledge, number, note, self.clock())
        if found:
            self.hub.publish(Event("alert", {"id": number, "action": "acknowledged"}))
        return found

    async def _forget(self) -> None:
        while True:
            now_s = self.clock()
            try:
                await self._in_store(
                    self.store.forget,
                    now_s - self.config.keep_readings_days * _DAY_S,
                    now_s - self.config.keep_alerts_days * _DAY_S,
                )
            except sqlite3.Error as error:
                self._store_failed(error)
            await asyncio.sleep(_HOUR_S)

    # Devices and sources

    def silent(self) -> set[str]:
        """Devices that were not heard for too long."""
        now_s = self.clock()
        return {device for device, status in self.monitor.statuses.items() if self.monitor.is_silent(status, now_s)}

    async def _watch_silence(self) -> None:
        while True:
            silent = self.silent()
            if silent != self._silent:
                if fell := sorted(silent - self._silent):
                    _log.warning(
                        "silent: %s%s", ", ".join(fell[:5]), f" and {len(fell) - 5} more" if len(fell) > 5 else ""
                    )
                self._silent = silent
                self.hub.publish(Event("machines", {"silent": sorted(silent)}))
            await asyncio.sleep(COMMIT_S)

    async def _keep_running(self, source: Source) -> None:
        wait_s = RETRY_S
        lost: tuple[type[Exception], ...] = (OSError, EOFError, *source.failures)
        while True:
            began_s = time.monotonic()
            try:
                await source.run(self.intake, lambda state: self.tell_source(source.name, state))
                return
            except lost as error:
                why = str(error) or type(error).__name__
            self.counts.add("source failures")
            self.tell_source(source.name, f"lost: {why}")
            wait_s = RETRY_S if time.monotonic() - began_s > _LONGEST_RETRY_S else min(2 * wait_s, _LONGEST_RETRY_S)
            await asyncio.sleep(wait_s)

    def tell_source(self, name: str, state: str) -> None:
        """Note the state of a source, or of the broker."""
        if self.sources.get(name) != state:
            _log.info("%s: %s", name, state)
            self.sources[name] = state
            self.hub.publish(Event("health", {}))

    def health(self) -> dict[str, object]:
        """The gateway's own state, as JSON values."""
        waiting = [change for change in self._changes if change.action != "repeated"]
        return {
            "store": "ok" if self.store_error is None else self.store_error,
            "waiting": [self.alert_event(change, 0) for change in waiting[-20:]],
            "waiting_changes": len(waiting),
            "sources": dict(self.sources),
            "devices": len(self.monitor.statuses),
            "silent": len(self.silent()),
            "counts": dict(sorted(self.counts.total.items())),
        }
