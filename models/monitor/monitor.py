"""The monitor: windows of a stream, a verdict on each, alerts by the policy, and what it all came to."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from models.alert_policy import Alert, AlertPolicy, Change
from models.artifact import Artifact
from models.monitor.judge import Judge
from models.monitor.sensor_state import sensor_state, vibration_channels
from models.monitor.source import Block, Format, Source, check_fits
from models.preprocessing import Counts
from sim.dataset.table import OK


@dataclass(frozen=True)
class WindowJudged:
    """One window.

    Attributes:
        recording: it is of; "" for a stream without.
        start_s, end_s: its first sample, and the end of its last, in the source's time.
        sensor_state: ok, saturated, stuck or dropout; when not ok the window is not judged.
        verdict: class; "" when not judged.
        level, threshold: flagged is what lies above; level is None when not judged.
        confidence: probability of the class; None of an autoencoder's.
        flagged_of_last, of_last: how many of the policy's last windows are flagged, this one included, and of how many.
        alert: class that is alerted after this window, "" for none.
        judged_s: how long judging took.
    """

    recording: str
    start_s: float
    end_s: float
    sensor_state: str
    verdict: str
    level: float | None
    threshold: float
    confidence: float | None
    flagged: bool
    flagged_of_last: int
    of_last: int
    alert: str
    judged_s: float

    def line(self) -> str:
        """For people."""
        if self.level is None:
            return f"{self.end_s:12.3f} s  not judged: sensor {self.sensor_state}"
        sure = "" if self.confidence is None else f"  confidence {self.confidence:.3f}"
        flag = f"  flagged {self.flagged_of_last}/{self.of_last}" if self.flagged else ""
        return f"{self.end_s:12.3f} s  {self.verdict:16s}  level {self.level:.4f}  threshold {self.threshold:.4f}{sure}{flag}"

    def to_json(self) -> dict[str, Any]:
        """One line of JSON."""
        return {"event": "window", **asdict(self)}


@dataclass(frozen=True)
class AlertChanged:
    """An alert that was raised, became another class', or was cleared."""

    recording: str
    time_s: float
    change: Change
    state: str
    """The class that is alerted, or was until now."""
    policy: AlertPolicy

    def line(self) -> str:
        """For people."""
        return f"{self.time_s:12.3f} s  ALERT {self.change}: {self.state} ({self.policy})"

    def to_json(self) -> dict[str, Any]:
        """One line of JSON."""
        return {"event": "alert", **asdict(self)}


@dataclass(frozen=True)
class SensorChanged:
    """The sensor's state is another than before; `reason` says more when there are no samples at all."""

    recording: str
    time_s: float
    state: str
    reason: str = ""

    def line(self) -> str:
        """For people."""
        return f"{self.time_s:12.3f} s  SENSOR {self.state}{f': {self.reason}' if self.reason else ''}"

    def to_json(self) -> dict[str, Any]:
        """One line of JSON."""
        return {"event": "sensor", **asdict(self)}


@dataclass(frozen=True)
class RecordingBegun:
    """The first samples of a recording."""

    recording: str
    label: str

    def line(self) -> str:
        """For people."""
        return f"recording {self.recording}{f' ({self.label})' if self.label else ''}"

    def to_json(self) -> dict[str, Any]:
        """One line of JSON."""
        return {"event": "recording", **asdict(self)}


Event = WindowJudged | AlertChanged | SensorChanged | RecordingBegun

LOST = "lost"
"""State of a sensor that gives no samples."""


class Windows:
    """Cuts a stream into windows, `hop` samples apart; holds no more than it needs.

    Args:
        window, hop: in samples.
        rate_hz: of the stream.
        places: of the channels to take, in order.
    """

    def __init__(self, window: int, hop: int, rate_hz: float, places: list[int]) -> None:
        self._window, self._hop, self._rate_hz, self._places = window, hop, rate_hz, places
        self._skip = 0
        self._held: Counts = np.empty((0, len(places)), np.int16)
        self._end_s = 0.0

    def push(self, block: Block) -> Iterator[tuple[float, Counts]]:
        """The windows (start_s, counts) that the block completes."""
        if not block.follows or block.trouble:
            self._held, self._skip = self._held[:0], 0
        self._end_s = block.time_s + len(block.counts) / self._rate_hz
        skipped = min(self._skip, len(block.counts))
        self._skip -= skipped
        x = np.concatenate([self._held, block.counts[skipped:, self._places]])
        at = 0
        while at + self._window <= len(x):
            yield self._end_s - (len(x) - at) / self._rate_hz, x[at : at + self._window]
            at += self._hop
        self._skip += max(at - len(x), 0)
        self._held = x[at:].copy()


@dataclass
class Tally:
    """Counts of one recording, or of all.

    Attributes:
        label: of the recording.
        windows, flagged, not_judged: how many; a window that was not judged is not flagged.
        alerts: (time, class) of those that were raised, or became another class'.
    """

    label: str = ""
    windows: int = 0
    flagged: int = 0
    not_judged: int = 0
    alerts: list[tuple[float, str]] = field(default_factory=list)


@dataclass
class Summary:
    """What a monitor has seen.

    Attributes:
        recordings: tally of each, in order; one called "" for a stream without recordings.
        judging_s: time spent on windows.
        hop_s: time from one window to the next.
    """

    recordings: dict[str, Tally] = field(default_factory=dict)
    judging_s: float = 0.0
    hop_s: float | None = None

    def add(self, event: Event) -> None:
        """Count an event."""
        tally = self.recordings.setdefault(event.recording, Tally())
        match event:
            case RecordingBegun():
                tally.label = event.label
            case WindowJudged():
                tally.windows += 1
                tally.flagged += event.flagged
                tally.not_judged += event.level is None
                self.judging_s += event.judged_s
            case AlertChanged():
                if event.change != "cleared":
                    tally.alerts.append((event.time_s, event.state))

    @property
    def total(self) -> Tally:
        """All recordings together."""
        each = list(self.recordings.values())
        return Tally(
            "",
            sum(tally.windows for tally in each),
            sum(tally.flagged for tally in each),
            sum(tally.not_judged for tally in each),
            [alert for tally in each for alert in tally.alerts],
        )

    def lines(self) -> list[str]:
        """For people."""
        total = self.total
        found = []
        if len(self.recordings) > 1:
            width = max(map(len, self.recordings))
            found = [f"{'recording':{width}s}  windows  flagged  alerts  label"]
            found += [
                f"{name:{width}s}  {each.windows:7d}  {each.flagged:7d}  {len(each.alerts):6d}  {each.label}".rstrip()
                for name, each in self.recordings.items()
            ]
        judged = total.windows - total.not_judged
        share = f" ({total.flagged / judged:.1%})" if judged else ""
        found.append(
            f"{total.windows} windows: {total.flagged} flagged{share}, {total.not_judged} not judged for the sensor's"
            f" state; {len(total.alerts)} alerts"
        )
        if total.windows:
            each_s = self.judging_s / total.windows
            of = f", {each_s / self.hop_s:.2%} of the time between windows" if self.hop_s else ""
            found.append(f"judged in {1e3 * each_s:.2f} ms a window{of}")
        return found

    def to_json(self) -> dict[str, Any]:
        """The last line of JSON."""
        return {
            "event": "summary",
            "total": asdict(self.total),
            "recordings": {name: asdict(each) for name, each in self.recordings.items() if name},
            "judging_s": self.judging_s,
        }


class Monitor:
    """An artifact at work on a source.

    Args:
        artifact: what judges.
        source: where samples come from.
        policy: when windows become an alert.
        dynamic: use the dynamic-range model instead of the int8 one.
        duration_s: how much of the stream to look at; None: all of it.

    Raises:
        SourceError: the source does not fit the artifact.
        MonitorError: LiteRT is not installed.
        ArtifactError: the model cannot be run.
    """

    def __init__(
        self,
        artifact: Artifact,
        source: Source,
        policy: AlertPolicy | None = None,
        *,
        dynamic: bool = False,
        duration_s: float | None = None,
    ) -> None:
        self._places = check_fits(source, Format.of(artifact.preprocessing), str(artifact.folder))
        self._judge = Judge(artifact, dynamic=dynamic)
        self._artifact, self._source, self._duration_s = artifact, source, duration_s
        self.policy = policy or AlertPolicy()
        rate_hz = source.format.rate_hz
        self._rate_hz = rate_hz or 1.0
        self.summary = Summary(hop_s=artifact.preprocessing.hop / rate_hz if rate_hz else None)

    def events(self) -> Iterator[Event]:
        """What happens, as it happens; `summary` counts along."""
        for event in self._events():
            self.summary.add(event)
            yield event

    def _events(self) -> Iterator[Event]:
        preprocessing = self._artifact.preprocessing
        windows = Windows(preprocessing.window, preprocessing.hop, self._rate_hz, self._places)
        vibration = vibration_channels(preprocessing.channels)
        alert, state, recording = Alert(self.policy), OK, None
        begin_s = end_s = before_s = 0.0  # of the recording; and what those before it lasted
        limit_s = math.inf if self._duration_s is None else self._duration_s + 0.5 / self._rate_hz
        with closing(self._source.blocks()) as blocks:
            for block in blocks:
                if block.recording != recording:
                    before_s += end_s - begin_s
                    recording, begin_s, alert, state = block.recording, block.time_s, Alert(self.policy), OK
                    if recording:
                        yield RecordingBegun(recording, block.label)
                if block.trouble and state != LOST:
                    state = LOST
                    yield SensorChanged(recording, block.time_s, LOST, block.trouble)
                for start_s, counts in windows.push(block):
                    end_s = start_s + len(counts) / self._rate_hz
                    if before_s + end_s - begin_s > limit_s:
                        return
                    found = sensor_state(counts, vibration)
                    if found != state:
                        state = found
                        yield SensorChanged(recording, end_s, state)
                    yield from self._judged(recording, start_s, end_s, counts, state, alert)
                end_s = block.time_s + len(block.counts) / self._rate_hz
                if before_s + end_s - begin_s > limit_s:
                    return

    def _judged(
        self, recording: str, start_s: float, end_s: float, counts: Counts, state: str, alert: Alert
    ) -> Iterator[Event]:
        classes, threshold = self._artifact.classes, self._artifact.threshold
        if state != OK:  # a sensor's fault is no fault of the machine: the policy does not hear of this window
            alerted = classes[alert.alert] if alert.alert else ""
            yield WindowJudged(
                recording,
                start_s,
                end_s,
                state,
                "",
                None,
                threshold,
                None,
                False,
                alert.flagged,
                self.policy.of,
                alerted,
                0.0,
            )
            return
        started_s = time.perf_counter()
        verdict = self._judge(counts)
        judged_s = time.perf_counter() - started_s
        before = alert.alert
        change = alert.step(verdict.number)
        alerted = classes[alert.alert] if alert.alert else ""
        yield WindowJudged(
            recording, start_s, end_s, state, classes[verdict.number], verdict.level, threshold, verdict.confidence,
            verdict.number > 0, alert.flagged, self.policy.of, alerted, judged_s,
        )  # fmt: skip
        if change is not None:
            yield AlertChanged(recording, end_s, change, alerted or classes[before], self.policy)
