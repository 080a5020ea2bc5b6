"""When flagged windows become an alert, and when it is over: integers only, the same in Python and in C.

A policy has three numbers: `flagged` (k), `of` (n), `quiet` (m); 1 <= k <= n <= 32, 1 <= m <= 255. Its state, all zero at
the start:

    ring[0 .. n-1]  uint8   classes of the last n windows judged: 0 not flagged, else the number of the fault's class
    at              uint8   place in the ring of the next window
    calm            uint8   windows in a row that were not flagged, at most m
    alert           uint8   0 none, else the class that is alerted

Every window that was judged gives one class c (0 not flagged, 1 .. 255 flagged as that class), in this order:

    1. ring[at] = c;  at = (at + 1) mod n
    2. calm = 0 if c != 0, else min(calm + 1, m)
    3. count(x) = entries of the ring equal to x;  total = entries not 0
       leader = the x >= 1 with the largest count(x), the lowest x of equals (0 when total is 0)
    4. if alert == 0:    when total >= k:  alert = leader                                       "raised"
       else:             when calm >= m:   alert = 0, every ring[i] = 0                         "cleared"
                         else when leader != 0 and leader != alert and count(leader) >= k
                              and count(leader) > count(alert):  alert = leader                 "changed"

So an alert is raised at a flagged window only, when k of the last n are flagged, whatever their classes; and it ends after m
windows in a row that are not. Between the two it neither comes nor goes (hysteresis): windows now and then flagged keep
an alert that is there and raise none that is not. Windows before the first count as not flagged.

A window with a sensor fault is not judged and not given to the policy: nothing of the state changes. A broken sensor thus
neither raises nor ends an alert of the machine; it is reported as what it is, beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sim.errors import ParameterError

Change = Literal["raised", "changed", "cleared"]

LARGEST_RING, LARGEST_QUIET, LARGEST_CLASS = 32, 255, 255


@dataclass(frozen=True)
class AlertPolicy:
    """Raise after `flagged` of the last `of` windows, clear after `quiet` in a row that are not flagged.

    Raises:
        ParameterError: numbers outside 1 <= flagged <= of <= 32, 1 <= quiet <= 255.
    """

    flagged: int = 4
    of: int = 6
    quiet: int = 6

    def __post_init__(self) -> None:
        if not 1 <= self.flagged <= self.of <= LARGEST_RING:
            raise ParameterError(
                f"an alert after {self.flagged} of {self.of} windows: allowed is 1 <= k <= n <= {LARGEST_RING}"
            )
        if not 1 <= self.quiet <= LARGEST_QUIET:
            raise ParameterError(f"an alert's end after {self.quiet} windows: allowed is 1 to {LARGEST_QUIET}")

    def __str__(self) -> str:
        return f"raised by {self.flagged} of {self.of} windows, cleared by {self.quiet} in a row"


@dataclass
class Alert:
    """One machine's alert under a policy; the state of the module's text.

    Attributes:
        alert: class that is alerted, 0 for none.
    """

    policy: AlertPolicy
    alert: int = 0
    _ring: list[int] = field(init=False)
    _at: int = field(default=0, init=False)
    _calm: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._ring = [0] * self.policy.of

    @property
    def flagged(self) -> int:
        """How many of the last `of` windows are flagged."""
        return self.policy.of - self._ring.count(0)

    def step(self, window_class: int) -> Change | None:
        """Take in a window that was judged: 0 not flagged, else its class; says what that changes.

        Raises:
            ParameterError: a class outside 0 to 255.
        """
        if not 0 <= window_class <= LARGEST_CLASS:
            raise ParameterError(f"class {window_class}: allowed is 0 to {LARGEST_CLASS}")
        self._ring[self._at] = window_class
        self._at = (self._at + 1) % self.policy.of
        self._calm = 0 if window_class else min(self._calm + 1, self.policy.quiet)
        leader = self._leader()
        if not self.alert:
            if self.flagged < self.policy.flagged:
                return None
            self.alert = leader
            return "raised"
        if self._calm >= self.policy.quiet:
            self.alert, self._ring = 0, [0] * self.policy.of
            return "cleared"
        most = self._ring.count(leader)
        if leader not in (0, self.alert) and most >= self.policy.flagged and most > self._ring.count(self.alert):
            self.alert = leader
            return "changed"
        return None

    def _leader(self) -> int:
        """The class with the most entries, the lowest of equals; 0 without any."""
        classes = sorted(set(self._ring) - {0})
        return max(classes, key=self._ring.count, default=0)
