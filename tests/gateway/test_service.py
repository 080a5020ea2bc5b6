"""The gateway at work: commits before it announces, and outlives its sources and its disk."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway import service
from gateway.config import Config
from gateway.hub import QUEUE_EVENTS, Event, Hub
from gateway.service import Gateway
from gateway.sources.base import Intake, Source, Tell
from gateway.store import Filter, Store
from tests.gateway.test_monitor import DEVICE, observed


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.db")
    yield store
    store.close()


async def until(true: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.01)


def run(
    store: Store, body: Callable[[Gateway], Awaitable[None]], *sources: Source, clock: Clock | None = None, **more
) -> Gateway:
    """Run a gateway while `body` does; returns it after its end."""

    async def both() -> Gateway:
        gateway = Gateway(Config(**more), store, clock or Clock())
        work = asyncio.create_task(gateway.run(sources))
        await asyncio.sleep(0)  # it has begun
        try:
            await body(gateway)
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        return gateway

    return asyncio.run(both())


def fill_disk(store: Store) -> None:
    ((pages,),) = store._writer.execute("PRAGMA page_count").fetchall()
    store._writer.execute(f"PRAGMA max_page_count = {pages}")


def empty_disk(store: Store) -> None:
    store._writer.execute("PRAGMA max_page_count = 1000000")


def test_an_alert_is_announced_once_it_is_on_disk(store: Store) -> None:
    async def body(gateway: Gateway) -> None:
        with gateway.hub.listen() as queue:
            gateway.take(observed(1000, machine=True, machine_state=1))
            event = await asyncio.wait_for(queue.get(), 2)
            assert event.topic == "alert"
            assert (event.data["id"], event.data["action"], event.data["state"]) == (1, "raised", "class 1")
            assert store.alert(1) is not None

    run(store, body)


def test_what_was_taken_is_written_at_the_end(store: Store) -> None:
    async def body(gateway: Gateway) -> None:
        await asyncio.sleep(0.05)
        gateway.take(observed(1000, machine=True))

    run(store, body)
    assert store.count(Filter(open=True)) == 1


def test_a_full_disk_is_told_and_alerts_wait(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RETRY_S", 0.05)
    devices = [f"board {n}" for n in range(300)]

    async def body(gateway: Gateway) -> None:
        gateway.take(observed(1000, machine=True))
        await until(lambda: store.count(Filter()) == 1)
        fill_disk(store)
        for device in devices:
            gateway.take(observed(1001, device=device, machine=True, machine_state=2))
        await until(lambda: gateway.store_error)
        health = gateway.health()
        assert "full" in str(health["store"])
        assert health["waiting_changes"] == len(devices)

        async def write_notes() -> None:
            for number in range(10_000):  # they fill what is left of the last pages
                await gateway.acknowledge(1, f"{number}" * 300)

        with pytest.raises(sqlite3.OperationalError, match="full"):
            await write_notes()
        for device in devices[:100]:
            gateway.take(observed(1002, device=device))
        assert store.count(Filter()) == 1
        empty_disk(store)
        await until(lambda: gateway.store_error is None)
        await until(lambda: store.count(Filter()) == len(devices) + 1)
        assert store.count(Filter(open=False)) == 100
        assert gateway.health()["store"] == "ok"

    gateway = run(store, body)
    assert gateway.counts.total["store failures"] >= 1


def test_a_disk_that_stays_full_uses_no_more_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_WAITING_CHANGES", 50)
    monkeypatch.setattr(service, "RETRY_S", 0.05)

    async def body(gateway: Gateway) -> None:
        fill_disk(store)
        gateway.take(observed(1000, device="first", machine=True, machine_state=1))
        for n in range(1, 500):
            gateway.take(observed(1000 + n, machine=n % 2 == 1))
        assert len(gateway._changes) <= 50 + 1
        assert gateway.counts.total["not taken"] == 450
        empty_disk(store)
        await until(lambda: store.count(Filter()))
        gateway.take(observed(2000, machine=True))
        await until(lambda: store.count(Filter(device=DEVICE, open=True)) == 1)

    run(store, body)


def test_readings_are_thinned(store: Store) -> None:
    async def body(gateway: Gateway) -> None:
        for n in range(100):
            gateway.take(observed(1000 + n, machine=n == 50))

    run(store, body, reading_interval_s=30)
    times = [reading.at_s for reading in store.readings(DEVICE, 0, 9999)]
    assert times == [1000, 1030, 1050, 1051, 1081]


class Breaks(Source):
    """A source that gives one observation and is lost, again and again."""

    failures = (KeyError,)

    def __init__(self, failure: Exception) -> None:
        super().__init__("breaks")
        self.failure, self.runs = failure, 0

    async def run(self, intake: Intake, tell: Tell) -> None:
        self.runs += 1
        tell("works")
        intake.sink(observed(1000 + self.runs))
        raise self.failure


@pytest.mark.parametrize("failure", [OSError("cable"), KeyError("adapter"), EOFError("closed")])
def test_a_source_that_is_lost_is_started_again(
    store: Store, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_S", 0.01)
    source = Breaks(failure)

    async def body(gateway: Gateway) -> None:
        await until(lambda: source.runs >= 3)
        await until(lambda: gateway.sources["breaks"].startswith("lost: "))

    gateway = run(store, body, source)
    assert gateway.counts.total["received"] >= 3
    assert gateway.counts.total["source failures"] >= 2


def test_a_mistake_in_a_source_is_not_hidden(store: Store) -> None:
    async def body(gateway: Gateway) -> None:
        await asyncio.sleep(0.2)

    with pytest.raises(ExceptionGroup):
        run(store, body, Breaks(ZeroDivisionError()))


def test_silence_is_announced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "COMMIT_S", 0.02)
    clock = Clock()

    async def body(gateway: Gateway) -> None:
        gateway.take(observed(1000))
        await asyncio.sleep(0.1)
        assert gateway.silent() == set()
        with gateway.hub.listen() as queue:
            clock.now_s = 1040.0
            async with asyncio.timeout(2):
                while (await queue.get()) != Event("machines", {"silent": [DEVICE]}):
                    pass
            gateway.take(observed(1041))
            async with asyncio.timeout(2):
                while (await queue.get()) != Event("machines", {"silent": []}):
                    pass

    run(store, body, clock=clock)


def test_a_listener_that_does_not_listen_is_told() -> None:
    hub = Hub()
    with hub.listen() as queue:
        for n in range(3 * QUEUE_EVENTS):
            hub.publish(Event("alert", {"n": n}))
        events = [queue.get_nowait() for _ in range(queue.qsize())]
        assert [event.data["n"] for event in events[:-1]] == list(range(QUEUE_EVENTS))
        assert events[-1].topic == "lagging"
    assert hub.listeners == 0
