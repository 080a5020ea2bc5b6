"""A firmware's console, byte by byte as it comes over a serial line or a socket, to observations."""

from __future__ import annotations

from collections.abc import Iterator

from firmware.errors import FirmwareError
from firmware.frames import Flag, FrameType, Hello, State, frame_in
from gateway.observation import Counts, Kind, Observation
from gateway.sequence import Position, uart_step

MAX_LINE_BYTES = 512

_ABOUT: dict[FrameType, frozenset[Kind]] = {
    **dict.fromkeys(
        (FrameType.MACHINE_RAISED, FrameType.MACHINE_CHANGED, FrameType.MACHINE_REPEATED), frozenset(("machine",))
    ),
    **dict.fromkeys(
        (FrameType.SENSOR_RAISED, FrameType.SENSOR_CHANGED, FrameType.SENSOR_REPEATED), frozenset(("sensor",))
    ),
}


class Console:
    """One console: finds the frames among the lines for people, and in whatever noise there is.

    Args:
        device: identity of what is at the other end.
        counts: where noise, damage and duplicates are counted.
        position: where the device had got to.
    """

    def __init__(self, device: str, counts: Counts, position: Position | None = None) -> None:
        self._device, self._counts, self._position = device, counts, position
        self._line = bytearray()
        self._skips = False
        self._fresh = True
        self.hello: Hello | None = None

    def connected(self) -> None:
        """A connection was made: half a line may be missing, and it may be another board."""
        self._line.clear()
        self._skips, self._fresh = False, True

    def feed(self, data: bytes, received_s: float) -> Iterator[Observation]:
        """The observations in some bytes; lines may be cut anywhere."""
        for piece in data.splitlines(keepends=True):
            self._line += piece
            if piece.endswith((b"\n", b"\r")):
                line, skipped = bytes(self._line), self._skips
                self._line.clear()
                self._skips = False
                if not skipped and (observation := self._take(line, received_s)) is not None:
                    yield observation
            elif len(self._line) > MAX_LINE_BYTES:
                self._line.clear()
                if not self._skips:
                    self._counts.add("line too long", self._device)
                self._skips = True

    def _take(self, line: bytes, received_s: float) -> Observation | None:
        if len(line) > MAX_LINE_BYTES:
            self._counts.add("line too long", self._device)
            return None
        try:
            frame = frame_in(line.decode("ascii").strip())
        except UnicodeDecodeError:
            self._counts.add("noise", self._device)
            return None
        except FirmwareError:
            self._counts.add("damaged", self._device)
            return None
        if isinstance(frame, Hello):
            self.hello, self._fresh = frame, True
        if frame is None:
            return None
        position = Position(frame.sequence, frame.boots, uptime_ms=frame.uptime_ms)
        step = uart_step(self._position, position, self._fresh)
        if not step.new:
            self._counts.add("duplicate", self._device)
            return None
        self._position, self._fresh = position, False
        if not isinstance(frame, State):
            # A hello says nothing of the machine, but packets lost before it must not be lost from sight.
            self._counts.add("missed", self._device, step.missed)
            self._counts.add("restarts", self._device, int(step.restarted))
            return None
        return Observation(
            device=self._device,
            source=self._device,
            received_s=received_s,
            machine_alert=Flag.MACHINE_ALERT in frame.flags,
            sensor_alert=Flag.SENSOR_ALERT in frame.flags,
            about=_ABOUT.get(frame.type, frozenset()),
            machine_state=frame.machine_state,
            confidence_pct=frame.confidence_pct,
            sensor=frame.sensor,
            sensor_state=int(frame.sensor_state),
            rms_mg=frame.rms_mg,
            peak_mg=frame.peak_mg,
            level=frame.level,
            threshold=frame.threshold,
            window=frame.window,
            uptime_ms=frame.uptime_ms,
            model_id=frame.model_id,
            temperature_c=frame.temperature_c,
            sequence=frame.sequence,
            boots=frame.boots,
            missed=step.missed,
            restarted=step.restarted,
        )
