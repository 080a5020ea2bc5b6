"""Who wants to know hears it: events from the gateway to browsers and brokers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

QUEUE_EVENTS = 1000

Topic = Literal["alert", "machines", "health", "lagging"]


@dataclass(frozen=True)
class Event:
    """Something happened.

    Attributes:
        topic: `alert`: an alert changed, and it is stored; `machines`: some device's state did; `health`: the gateway's own
            did; `lagging`: events were lost because the listener did not take them.
        data: JSON values.
    """

    topic: Topic
    data: dict[str, object]


class Hub:
    """Hands events to all listeners; one that does not take them loses them, and is told so."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event | None]] = set()

    def publish(self, event: Event) -> None:
        """Tell everyone."""
        for queue in self._queues:
            if queue.qsize() < QUEUE_EVENTS:
                queue.put_nowait(event)
            elif queue.qsize() == QUEUE_EVENTS:
                queue.put_nowait(Event("lagging", {}))

    def close(self) -> None:
        """Tell everyone that this was the last event."""
        for queue in self._queues:
            queue.put_nowait(None)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Event | None]]:
        """A queue of all events from now on; None ends it."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    @property
    def listeners(self) -> int:
        """How many there are."""
        return len(self._queues)
