"""A watchdog of four stages, as the timer groups and the RTC have it (TRM chapters 9 and 12)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from emulator.clock import CPU_HZ, Clock

KEY = 0x50D83AA1
"""Written to WDTWPROTECT it unlocks the settings; anything else locks them."""


class Action(Enum):
    """What a stage does when its time is over."""

    OFF = 0
    INTERRUPT = 1
    RESET_CPU = 2
    RESET_CORE = 3
    RESET_SYSTEM = 4


@dataclass(frozen=True)
class Stage:
    """One stage: its action after so many ticks."""

    action: Action
    ticks: int


class Watchdog:
    """Counts from feeding on; stage after stage, then from the first again.

    Args:
        clock: virtual time.
        act: called with the action of a stage that is over.
    """

    def __init__(self, clock: Clock, act: Callable[[Action], None]) -> None:
        self._clock, self._act = clock, act
        self._stages: Sequence[Stage] = ()
        self._tick_hz = 1.0
        self._since = 0.0
        self._stage = 0

    def configure(self, *, enabled: bool, stages: Sequence[Stage], tick_hz: float) -> None:
        """New settings; one that was off starts to count."""
        if enabled and not self._stages:
            self.feed()
        self._stages, self._tick_hz = (tuple(stages) if enabled else ()), tick_hz
        self._clock.attention()

    def feed(self) -> None:
        """From the first stage's start again."""
        self._since, self._stage = self._clock.now, 0
        self._clock.attention()

    def next_event(self) -> int | None:
        """End of the running stage (cycles)."""
        if not self._stages:
            return None
        return math.ceil(self._since + max(1, self._stages[self._stage].ticks) * CPU_HZ / self._tick_hz)

    def advance(self, now: int) -> None:
        """Act when a stage is over."""
        due = self.next_event()
        if due is not None and due <= now:
            action = self._stages[self._stage].action
            self._since, self._stage = due, (self._stage + 1) % len(self._stages)
            if action is not Action.OFF:
                self._act(action)
