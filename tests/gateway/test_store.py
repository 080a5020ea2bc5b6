"""What is on disk stays there."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config import Config
from gateway.errors import GatewayError
from gateway.migrations import MIGRATIONS
from gateway.monitor import Monitor
from gateway.observation import Counts, Observation, Spectrum
from gateway.store import Batch, Filter, Store, device_rows, migrate
from tests.gateway.test_monitor import observed


class Keeper:
    """A store behind a monitor."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store.db")
        self.counts = Counts()
        self.monitor = Monitor(
            Config(classes=["normal", "imbalance", "wear"]), self.counts, self.store.statuses(self.counts)
        )

    def take(self, *observations: Observation) -> list[int]:
        changes = [change for each in observations for change in self.monitor.take(each)[1]]
        rows = device_rows(self.monitor.statuses.values(), self.counts)
        return [number for _, number in self.store.write(Batch(rows, changes, observations))]


def test_an_alert_from_raised_to_acknowledged(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    spectrum = Spectrum(2.5, (0.0, 0.5, 0.1), "x_g")
    numbers = keeper.take(
        observed(10, machine=True, machine_state=1, confidence_pct=70, spectrum=spectrum),
        observed(11, machine=True, machine_state=1, confidence_pct=80),
        observed(12, machine=True, machine_state=2, confidence_pct=90, level=200, threshold=127),
        observed(13),
    )
    assert numbers == [1, 1, 1, 1]
    alert = keeper.store.alert(1)
    assert alert is not None
    assert (alert.state, alert.confidence_pct, alert.level, alert.threshold) == ("wear", 90, 200, 127)
    assert (alert.raised_s, alert.updated_s, alert.cleared_s, alert.repeats) == (10, 13, 13, 1)
    assert keeper.store.acknowledge(1, "  bearing ordered ", 20.0)
    assert keeper.store.acknowledge(1, "bearing changed", 30.0)
    assert not keeper.store.acknowledge(99, "", 30.0)
    alert = keeper.store.alert(1)
    assert alert is not None
    assert (alert.acknowledged_s, alert.note) == (20.0, "bearing changed")
    assert [(event.action, event.note) for event in keeper.store.events(1)] == [
        ("raised", ""), ("changed", ""), ("cleared", ""), ("acknowledged", "bearing ordered"),
        ("acknowledged", "bearing changed"),
    ]  # fmt: skip
    assert keeper.store.spectrum(1) == spectrum
    assert [reading.at_s for reading in keeper.store.readings("tcp://board", 11, 12)] == [11, 12]


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.counts.add("duplicate", "tcp://board", 3)
    keeper.take(observed(5, machine=True, machine_state=2, counter=77, boots=4, uptime_ms=900))
    before = keeper.monitor.statuses["tcp://board"]
    keeper.store.close()
    again = Keeper(tmp_path)
    after = again.monitor.statuses["tcp://board"]
    assert after == replace(before, last=replace(before.last, about=frozenset()))
    assert after.alerts == {"machine": "wear"}
    assert again.counts.by_device["tcp://board"] == {"duplicate": 3, "received": 1}
    again.take(observed(6))
    alert = again.store.alert(1)
    assert alert is not None
    assert alert.cleared_s == 6


def test_filters_and_pages(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for n in range(30):
        device = f"board {n % 3}"
        keeper.take(observed(10 * n, device=device, machine=True, machine_state=1 + n % 2))
        keeper.take(observed(10 * n + 5, device=device, machine=n >= 27, machine_state=1 + n % 2))
    keeper.take(observed(500, device="board 1", machine=True, machine_state=2, faulty=True, sensor_state=6))
    keeper.store.acknowledge(4, "100% sure_thing", 600)

    def numbers(limit: int = 100, offset: int = 0, **wanted) -> list[int]:
        found = Filter(**wanted)
        listed = [alert.id for alert in keeper.store.alerts(found, limit, offset)]
        assert listed == [alert.id for alert in keeper.store.every_alert(found)][offset : offset + limit]
        return listed

    assert numbers() == list(range(31, 0, -1))
    assert numbers(limit=10, offset=25) == [6, 5, 4, 3, 2, 1]
    assert numbers(device="board 2") == [30, 27, 24, 21, 18, 15, 12, 9, 6, 3]
    assert numbers(kind="sensor") == [31]
    assert numbers(state="stuck") == [31]
    assert numbers(open=True) == [31, 30, 29, 28]
    assert numbers(open=False, since_s=200, until_s=230) == [23, 22, 21]
    assert numbers(acknowledged=True) == [4]
    assert len(numbers(acknowledged=False)) == 30
    assert numbers(text="0% SURE_") == [4]
    assert numbers(text="%") == [4]
    assert keeper.store.count(Filter(device="board 0")) == 10
    assert keeper.store.states() == ["imbalance", "stuck", "wear"]


def test_retention_keeps_what_stands_and_what_nobody_has_seen(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for n, device in enumerate(("old", "unseen", "standing")):
        keeper.take(
            observed(n, device=device, machine=True), observed(n + 0.5, device=device, machine=device == "standing")
        )
    keeper.store.acknowledge(1, "", 1.0)
    keeper.store.acknowledge(3, "", 3.0)
    assert keeper.store.forget(readings_before_s=2.0, alerts_before_s=100.0) == 4 + 1
    assert [alert.id for alert in keeper.store.alerts(Filter(), 10)] == [3, 2]
    assert keeper.store.events(1) == []


def test_all_of_a_batch_or_nothing(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    _, (raised,) = keeper.monitor.take(observed(1, machine=True))
    rows = device_rows(keeper.monitor.statuses.values(), keeper.counts)
    with pytest.raises(sqlite3.IntegrityError):
        keeper.store.write(Batch(rows, [raised, raised]))
    assert keeper.store.count(Filter()) == 0
    keeper.store.write(Batch(rows, [raised]))
    assert keeper.store.count(Filter()) == 1


def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(observed(1, machine=True))
    # SQLite says the same of a full disk and of a file that has reached its largest size.
    ((pages,),) = keeper.store._writer.execute("PRAGMA page_count").fetchall()
    keeper.store._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        keeper.take(*(observed(n, device=f"board {n}", machine=True) for n in range(2, 500)))
    assert keeper.store.count(Filter()) == 1
    keeper.store._writer.execute("PRAGMA max_page_count = 100000")
    keeper.take(observed(600, device="late", machine=True))
    assert keeper.store.count(Filter()) == 2


def test_written_means_synchronised(tmp_path: Path) -> None:
    writer = Keeper(tmp_path).store._writer
    assert writer.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert writer.execute("PRAGMA synchronous").fetchall() == [(2,)]  # FULL


def test_a_store_is_used_by_one_gateway(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    with pytest.raises(GatewayError, match="in use by another gateway"):
        Store(tmp_path / "store.db")
    keeper.store.close()
    Store(tmp_path / "store.db").close()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be looked at" * 40])
def test_something_else_is_no_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(GatewayError, match="cannot be used as a store: file is not a database"):
        Store(tmp_path / "store.db")
    with pytest.raises(GatewayError, match="cannot be made: No such file or directory"):
        Store(tmp_path / "missing" / "store.db")


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db")) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(GatewayError, match=f"store of version 99; this gateway knows versions up to {len(MIGRATIONS)}"):
        Store(tmp_path / "store.db")


def test_migrations_keep_the_content_and_are_done_whole(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(observed(1, machine=True, machine_state=1))
    writer = keeper.store._writer
    broken = (*MIGRATIONS, "ALTER TABLE alerts ADD COLUMN shift TEXT; INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        migrate(writer, broken)
    assert "shift" not in [row[1] for row in writer.execute("PRAGMA table_info(alerts)")]
    migrate(writer, (*MIGRATIONS, "ALTER TABLE alerts ADD COLUMN shift TEXT NOT NULL DEFAULT 'day'"))
    assert writer.execute("SELECT state, shift FROM alerts").fetchall() == [("imbalance", "day")]
    assert writer.execute("PRAGMA user_version").fetchall() == [(len(MIGRATIONS) + 1,)]
