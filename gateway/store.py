"""What is kept on disk: devices, alerts with their events, readings. SQLite with a write-ahead log.

One thread writes; readers open connections of their own and see the last commit. What `write` and `acknowledge` return is on
disk: the log is synchronised at every commit.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from gateway.errors import GatewayError
from gateway.migrations import MIGRATIONS
from gateway.monitor import Change, Status
from gateway.observation import Counts, Kind, Observation, Spectrum
from gateway.sequence import Position

NOTE_CHARACTERS = 2000


@dataclass(frozen=True)
class Batch:
    """What one transaction writes.

    Attributes:
        devices: rows of devices that were heard; see `device_rows`.
        changes: of alerts, in order.
        readings: observations to be kept.
    """

    devices: Sequence[tuple[object, ...]] = ()
    changes: Sequence[Change] = ()
    readings: Sequence[Observation] = ()


@dataclass(frozen=True)
class Alert:
    """An alert as it is stored; figures are those of the last change or repetition. Fields as in `Observation`.

    Attributes:
        name: of the device.
        state: class of the model, or sensor state.
        raised_s, updated_s, cleared_s, acknowledged_s: Unix times.
        repeats: how often the device repeated it.
        note: of who acknowledged it.
    """

    id: int
    device: str
    name: str
    kind: Kind
    state: str
    sensor: int | None
    confidence_pct: int | None
    level: int | None
    threshold: int | None
    rms_mg: float
    peak_mg: float | None
    temperature_c: float | None
    window: int | None
    model_id: str | None
    raised_s: float
    updated_s: float
    cleared_s: float | None
    repeats: int
    acknowledged_s: float | None
    note: str


_ALERT_FIELDS = tuple(Alert.__dataclass_fields__)
_ALERT_COLUMNS = ", ".join("devices.name" if name == "name" else f"alerts.{name}" for name in _ALERT_FIELDS)
_SELECT_ALERTS = f"SELECT {_ALERT_COLUMNS} FROM alerts JOIN devices USING (device)"
_LATEST_FIRST = "ORDER BY alerts.raised_s DESC, alerts.id DESC"


@dataclass(frozen=True)
class AlertEvent:
    """One line of an alert's history."""

    at_s: float
    action: str
    state: str
    confidence_pct: int | None
    rms_mg: float | None
    note: str


@dataclass(frozen=True)
class Reading:
    """What was measured at one time."""

    at_s: float
    rms_mg: float
    peak_mg: float | None
    temperature_c: float | None


@dataclass(frozen=True)
class Filter:
    """Which alerts are wanted; None: all.

    Attributes:
        open: still standing, or cleared.
        acknowledged: or not.
        since_s, until_s: raised from then on, and before then.
        text: part of device, name, state or note.
    """

    device: str | None = None
    kind: Kind | None = None
    state: str | None = None
    open: bool | None = None
    acknowledged: bool | None = None
    since_s: float | None = None
    until_s: float | None = None
    text: str | None = None

    def where(self) -> tuple[str, list[object]]:
        """SQL condition and its parameters."""
        terms: list[str] = []
        values: list[object] = []
        for column, operator, value in (
            ("alerts.device", "=", self.device), ("alerts.kind", "=", self.kind), ("alerts.state", "=", self.state),
            ("alerts.raised_s", ">=", self.since_s), ("alerts.raised_s", "<", self.until_s),
        ):  # fmt: skip
            if value is not None:
                terms.append(f"{column} {operator} ?")
                values.append(value)
        if self.open is not None:
            terms.append(f"alerts.cleared_s IS {'' if self.open else 'NOT '}NULL")
        if self.acknowledged is not None:
            terms.append(f"alerts.acknowledged_s IS {'NOT ' if self.acknowledged else ''}NULL")
        if self.text:
            columns = ("alerts.device", "devices.name", "alerts.state", "alerts.note")
            terms.append("(" + " OR ".join(f"instr(lower({column}), lower(?))" for column in columns) + ")")
            values += [self.text] * len(columns)
        return " AND ".join(terms) or "1", values


class Store:
    """The store in one file.

    Args:
        path: of the file; made if it is not there.

    Raises:
        GatewayError: it cannot be opened, is no store, is of a newer version, or is another gateway's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _locked(path)
        try:
            # One thread at a time uses it, but not always the same.
            self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.execute("PRAGMA synchronous = FULL")
            self._writer.execute("PRAGMA foreign_keys = ON")
            migrate(self._writer, MIGRATIONS)
        except sqlite3.Error as error:
            self._lock.close()
            raise GatewayError(f"{path}: cannot be used as a store: {error}") from None
        except GatewayError as error:
            self._lock.close()
            raise GatewayError(f"{path}: {error}") from None

    def close(self) -> None:
        """Close it."""
        self._writer.close()
        self._lock.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield self._writer
            self._writer.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back by itself, as it does when the disk is full.
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def _read(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        with closing(sqlite3.connect(self.path, timeout=10)) as reader:
            reader.execute("PRAGMA query_only = ON")
            return reader.execute(sql, values).fetchall()

    # Writing: one thread at a time

    def write(self, batch: Batch) -> list[tuple[Change, int]]:
        """Write a batch, all of it or nothing: its changes, each with the alert's number.

        Raises:
            sqlite3.Error: nothing was written.
        """
        with self._transaction() as writer:
            writer.executemany(
                "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET name = excluded.name,"
                " last_seen_s = excluded.last_seen_s, reading_s = excluded.reading_s, last = excluded.last,"
                " counts = excluded.counts",
                batch.devices,
            )
            done = [(change, self._write_change(writer, change)) for change in batch.changes]
            writer.executemany(
                "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (each.device, each.received_s, each.rms_mg, each.peak_mg, each.temperature_c, each.machine_state,
                     each.confidence_pct)
                    for each in batch.readings
                ],
            )  # fmt: skip
        return done

    def _write_change(self, writer: sqlite3.Connection, change: Change) -> int:
        seen = change.observation
        figures = (
            change.state, seen.sensor if change.kind == "sensor" else None, seen.confidence_pct, seen.level,
            seen.threshold, seen.rms_mg, seen.peak_mg, seen.temperature_c, seen.window, seen.model_id, seen.received_s,
        )  # fmt: skip
        if change.action == "raised":
            spectrum = None if seen.spectrum is None else json.dumps(asdict(seen.spectrum))
            number = writer.execute(
                "INSERT INTO alerts (state, sensor, confidence_pct, level, threshold, rms_mg, peak_mg, temperature_c,"
                " window, model_id, updated_s, device, kind, raised_s, spectrum)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*figures, seen.device, change.kind, seen.received_s, spectrum),
            ).lastrowid
            assert number is not None
        else:
            ((number,),) = writer.execute(
                "SELECT id FROM alerts WHERE device = ? AND kind = ? AND cleared_s IS NULL", (seen.device, change.kind)
            )
            if change.action == "cleared":
                writer.execute(
                    "UPDATE alerts SET cleared_s = ?1, updated_s = ?1 WHERE id = ?2", (seen.received_s, number)
                )
            else:
                writer.execute(
                    "UPDATE alerts SET state = ?, sensor = ?, confidence_pct = ?, level = ?, threshold = ?, rms_mg = ?,"
                    " peak_mg = ?, temperature_c = ?, window = ?, model_id = ?, updated_s = ?, repeats = repeats + ?"
                    " WHERE id = ?",
                    (*figures, change.action == "repeated", number),
                )
        if change.action != "repeated":
            writer.execute(
                "INSERT INTO alert_events (alert, at_s, action, state, confidence_pct, rms_mg) VALUES (?, ?, ?, ?, ?, ?)",
                (number, seen.received_s, change.action, change.state, seen.confidence_pct, seen.rms_mg),
            )
        return int(number)

    def acknowledge(self, number: int, note: str, at_s: float) -> bool:
        """Acknowledge an alert; the first time counts, the last note stays. False: no such alert.

        Raises:
            sqlite3.Error: nothing was written.
        """
        note = note.strip()[:NOTE_CHARACTERS]
        with self._transaction() as writer:
            found = writer.execute(
                "UPDATE alerts SET acknowledged_s = coalesce(acknowledged_s, ?), note = ? WHERE id = ?",
                (at_s, note, number),
            ).rowcount
            if found:
                writer.execute(
                    "INSERT INTO alert_events (alert, at_s, action, state, note)"
                    " SELECT id, ?, 'acknowledged', state, ? FROM alerts WHERE id = ?",
                    (at_s, note, number),
                )
        return bool(found)

    def forget(self, readings_before_s: float, alerts_before_s: float) -> int:
        """Delete old readings, and old alerts that are cleared and acknowledged: how many rows.

        Raises:
            sqlite3.Error: nothing was deleted.
        """
        with self._transaction() as writer:
            gone = writer.execute("DELETE FROM readings WHERE at_s < ?", (readings_before_s,)).rowcount
            gone += writer.execute(
                "DELETE FROM alerts WHERE cleared_s < ?1 AND acknowledged_s < ?1", (alerts_before_s,)
            ).rowcount
        return int(gone)

    # Reading: any thread

    def statuses(self, counts: Counts) -> dict[str, Status]:
        """All devices as they were last written; their counts are added to `counts`."""
        found = {}
        for device, name, first_seen_s, reading_s, last, counted in self._read(
            "SELECT device, name, first_seen_s, reading_s, last, counts FROM devices"
        ):
            found[device] = Status(device, name, first_seen_s, _observation(json.loads(last)), {}, reading_s)
            counts.by_device[device] = Counter(json.loads(counted))
        for device, kind, state in self._read("SELECT device, kind, state FROM alerts WHERE cleared_s IS NULL"):
            found[device].alerts[kind] = state
        return found

    def alerts(self, wanted: Filter, limit: int, offset: int = 0) -> list[Alert]:
        """Alerts, the latest first."""
        where, values = wanted.where()
        rows = self._read(f"{_SELECT_ALERTS} WHERE {where} {_LATEST_FIRST} LIMIT ? OFFSET ?", [*values, limit, offset])
        return [Alert(*row) for row in rows]

    def every_alert(self, wanted: Filter) -> Iterator[Alert]:
        """All of them one by one, the latest first, as they were at the beginning."""
        where, values = wanted.where()
        # A web server takes the rows in whichever thread is free.
        with closing(sqlite3.connect(self.path, timeout=10, check_same_thread=False)) as reader:
            reader.execute("PRAGMA query_only = ON")
            for row in reader.execute(f"{_SELECT_ALERTS} WHERE {where} {_LATEST_FIRST}", values):
                yield Alert(*row)

    def count(self, wanted: Filter) -> int:
        """How many alerts there are."""
        where, values = wanted.where()
        ((count,),) = self._read(f"SELECT count(*) FROM alerts JOIN devices USING (device) WHERE {where}", values)
        return int(count)

    def alert(self, number: int) -> Alert | None:
        """One alert."""
        rows = self._read(f"{_SELECT_ALERTS} WHERE alerts.id = ?", (number,))
        return Alert(*rows[0]) if rows else None

    def events(self, number: int) -> list[AlertEvent]:
        """History of an alert, the earliest first."""
        rows = self._read(
            "SELECT at_s, action, state, confidence_pct, rms_mg, note FROM alert_events WHERE alert = ?"
            " ORDER BY at_s, rowid",
            (number,),
        )
        return [AlertEvent(*row) for row in rows]

    def spectrum(self, number: int) -> Spectrum | None:
        """Spectrum at the time an alert was raised, where the source had it."""
        rows = self._read("SELECT spectrum FROM alerts WHERE id = ? AND spectrum IS NOT NULL", (number,))
        return _spectrum(json.loads(rows[0][0])) if rows else None

    def states(self) -> list[str]:
        """States that alerts had."""
        return [state for (state,) in self._read("SELECT DISTINCT state FROM alerts ORDER BY state")]

    def readings(self, device: str, since_s: float, until_s: float, limit: int = 2000) -> list[Reading]:
        """Readings of a device, the earliest first; of too many the latest."""
        rows = self._read(
            "SELECT at_s, rms_mg, peak_mg, temperature_c FROM readings WHERE device = ? AND at_s BETWEEN ? AND ?"
            " ORDER BY at_s DESC LIMIT ?",
            (device, since_s, until_s, limit),
        )
        return [Reading(*row) for row in reversed(rows)]


def positions(statuses: dict[str, Status]) -> dict[str, Position]:
    """Where devices had got to."""
    return {
        device: Position(
            status.last.sequence, status.last.boots, status.last.counter, status.last.uptime_ms, status.last.key_id
        )
        for device, status in statuses.items()
    }


def migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Bring a store to the newest schema, each step in a transaction of its own.

    Raises:
        GatewayError: it is newer than this program.
        sqlite3.Error: a step failed; those before it are done.
    """
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    if version > len(migrations):
        raise GatewayError(f"store of version {version}; this gateway knows versions up to {len(migrations)}")
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _locked(path: Path) -> IO[bytes]:
    try:
        lock = path.with_name(path.name + ".lock").open("ab")
    except OSError as error:
        raise GatewayError(f"{path}: cannot be made: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise GatewayError(f"{path}: in use by another gateway") from None
    return lock


def device_rows(statuses: Iterable[Status], counts: Counts) -> list[tuple[object, ...]]:
    """What `Store.write` writes of devices: as they are now, whatever happens to them meanwhile."""
    return [
        (
            status.device, status.name, status.first_seen_s, status.last.received_s, status.reading_s,
            json.dumps({name: getattr(status.last, name) for name in _KEPT}),
            json.dumps(counts.by_device.get(status.device, {})),
        )
        for status in statuses
    ]  # fmt: skip


# Spectra belong to alerts; what an alert is about, to the moment.
_KEPT = tuple(name for name in Observation.__dataclass_fields__ if name not in ("about", "spectrum"))


def _observation(kept: dict[str, Any]) -> Observation:
    # What an older or newer version wrote may have other fields.
    return Observation(about=frozenset(), **{name: kept[name] for name in _KEPT if name in kept})


def _spectrum(kept: dict[str, Any]) -> Spectrum:
    return Spectrum(kept["frequency_step_hz"], tuple(kept["amplitude_g"]), kept["channel"])
