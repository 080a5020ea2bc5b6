"""Order of a device's packets: what is new, what was lost, what came twice, and when the device started anew."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Position:
    """Where a device's packets have got to; fields as in `gateway.observation.Observation`."""

    sequence: int
    boots: int | None = None
    counter: int | None = None
    uptime_ms: int | None = None
    key_id: str | None = None


@dataclass(frozen=True)
class Step:
    """How one packet follows the last.

    Attributes:
        new: False: it was here before.
        missed: packets lost between the two.
        restarted: the device started in between.
    """

    new: bool
    missed: int = 0
    restarted: bool = False


def uart_step(last: Position | None, now: Position, fresh: bool) -> Step:
    """From one frame of a console to the next.

    Args:
        last: None: this is the first.
        now: of the new frame.
        fresh: it is the first since a connection was made or since a hello: another board may be there, with as many starts.
    """
    if last is None:
        return Step(new=True)
    ahead = now.sequence - last.sequence
    if now.boots != last.boots or (fresh and ahead <= 0 and _is_another_run(last, now)):
        return Step(new=True, restarted=True)
    return Step(new=True, missed=ahead - 1) if ahead > 0 else Step(new=False)


def _is_another_run(last: Position, now: Position) -> bool:
    return (now.sequence, now.uptime_ms) != (last.sequence, last.uptime_ms)


def radio_step(last: Position | None, now: Position) -> Step:
    """From one packet to the next, by packet id (modulo 256) and, if it is encrypted, by counter.

    Packet id and counter go on together while a device runs; after a start the id begins at 0 while the counter goes on
    above all it has used. So where the two disagree, the device has started. Without encryption a packet id from the far
    half of the circle counts as a start.
    """
    if last is None:
        return Step(new=True)
    ahead = (now.sequence - last.sequence) % 256
    if now.key_id != last.key_id:
        return Step(new=True, restarted=True)
    if now.counter is not None and last.counter is not None:
        packets = now.counter - last.counter
        if packets % 256 == ahead:
            return Step(new=True, missed=packets - 1)
        return Step(new=True, restarted=True)
    if ahead == 0:
        return Step(new=False)
    return Step(new=True, missed=ahead - 1) if ahead < 128 else Step(new=True, restarted=True)
