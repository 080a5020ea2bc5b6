"""What all sources have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from gateway.console import Console
from gateway.observation import Counts, Sink
from gateway.radio import Radio
from gateway.sequence import Position

Tell = Callable[[str], None]
"""Takes a source's state in a word or two, for people."""


@dataclass(frozen=True)
class Intake:
    """Where sources put what they receive.

    Attributes:
        radio: decoder and guard of Bluetooth packets.
        counts: of what was received and refused.
        sink: takes observations.
        clock: Unix time.
        position: where a device had got to when the gateway started.
    """

    radio: Radio
    counts: Counts
    sink: Sink
    clock: Callable[[], float]
    position: Callable[[str], Position | None]

    def advertisement(self, address: str, data: bytes, source: str) -> None:
        """Take the BTHome service data of one advertisement."""
        observation = self.radio.receive(address, data, source, self.clock())
        if observation is not None:
            self.sink(observation)

    def console(self, device: str) -> Console:
        """A reader for the console of a device."""
        return Console(device, self.counts, self.position(device))

    def lines(self, console: Console, data: bytes) -> None:
        """Take some bytes of a console."""
        for observation in console.feed(data, self.clock()):
            self.sink(observation)


class Source(ABC):
    """Something that hears devices.

    Attributes:
        name: as it was given by the user.
        failures: exceptions, besides OSError, EOFError and TimeoutError, that mean: lost, try again.
    """

    failures: tuple[type[Exception], ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    async def run(self, intake: Intake, tell: Tell) -> None:
        """Receive until cancelled, or until there is nothing more to come; when it is lost the gateway starts it anew."""
