"""The monitor on streams: windows, verdicts, alerts and the summary; on made streams and on the ADI rig's recordings."""

from __future__ import annotations

import json
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("ai_edge_litert", reason="no LiteRT: pip install simtwin[monitor]")

from models.alert_policy import AlertPolicy
from models.artifact import INT8, Artifact
from models.datasets.adi import Adi
from models.monitor.monitor import (
    AlertChanged,
    Event,
    Monitor,
    RecordingBegun,
    SensorChanged,
    WindowJudged,
    Windows,
)
from models.monitor.source import Block, Format, Source, SourceError, open_source
from models.preprocessing import to_counts
from sim.dataset.real import cut
from tests.models.monitor.agreement import by_the_rule
from tests.models.monitor.conftest import CHANNELS, LSB_G, UNSEEN_RPM
from tests.models.monitor.registers import Clock, Registers

RATE_HZ = 3332.0


class Given(Source):
    """A source of given blocks."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__("given", Format(CHANNELS, RATE_HZ, (LSB_G,) * 3))
        self._blocks = blocks

    def blocks(self) -> Generator[Block, None, None]:
        yield from self._blocks


def stream(x: NDArray[np.int16], cuts: list[int], start_s: float = 0.0, recording: str = "") -> list[Block]:
    """Counts as blocks that follow each other."""
    edges = [0, *sorted({each for each in cuts if 0 < each < len(x)}), len(x)]
    return [Block(x[a:b], start_s + a / RATE_HZ, recording, follows=a > 0) for a, b in pairwise(edges)]


def judged(events: list[Event]) -> list[WindowJudged]:
    return [event for event in events if isinstance(event, WindowJudged)]


@given(
    st.integers(1, 40), st.integers(1, 60), st.integers(0, 300), st.lists(st.integers(1, 300), max_size=20),
)  # fmt: skip
def test_windows_are_those_of_the_whole_stream_however_it_is_cut(
    window: int, hop: int, length: int, cuts: list[int]
) -> None:
    x = np.random.default_rng(length).integers(-9, 9, (length, 3), dtype=np.int16)
    cutter = Windows(window, hop, RATE_HZ, [2, 0])
    found = [each for block in (stream(x, cuts) if length else []) for each in cutter.push(block)]
    wanted = cut(x[:, [2, 0]].astype(np.float32), window, hop)
    assert len(found) == len(wanted)
    for number, (start_s, counts) in enumerate(found):
        np.testing.assert_array_equal(counts, wanted[number])
        assert start_s == pytest.approx(number * hop / RATE_HZ, abs=1e-9)


def test_no_window_reaches_over_a_gap() -> None:
    cutter = Windows(100, 50, RATE_HZ, [0])
    x = np.arange(400, dtype=np.int16)[:, None]
    parts = [
        Block(x[:180], 0.0, follows=False),
        Block(x[180:250], 9.0, follows=False),
        Block(x[250:], 9.0 + 70 / RATE_HZ),
    ]
    starts = [int(counts[0, 0]) for block in parts for _, counts in cutter.push(block)]
    assert starts == [0, 50, 180, 230, 280]


def windows_of_each_class(artifact: Artifact, count: int) -> NDArray[np.int16]:
    """Noise, then windows with the line the artifact knows, as one stream."""
    from tests.models.export.made import windows

    x, truth = windows(400, seed=21)
    parts = [x[truth == kind][:count] for kind in (0, 1, 0)]
    return np.concatenate(parts).astype(np.int16).reshape(-1, 3)


def test_an_alert_comes_with_a_fault_and_goes_with_it(artifact: Artifact) -> None:
    x = windows_of_each_class(artifact, 20)
    monitor = Monitor(artifact, Given(stream(x, [5000, 5001, 30000])), AlertPolicy(4, 6, 6))
    events = list(monitor.events())
    alerts = [event for event in events if isinstance(event, AlertChanged)]
    assert [(event.change, event.state) for event in alerts] == [("raised", "imbalance"), ("cleared", "imbalance")]
    fault_s, over_s, window_s = 20 * 1024 / RATE_HZ, 40 * 1024 / RATE_HZ, 1024 / RATE_HZ
    assert fault_s < alerts[0].time_s <= fault_s + 4 * window_s  # windows overlap by half
    assert over_s + 3 * window_s <= alerts[1].time_s <= over_s + 6 * window_s
    found = judged(events)
    assert len(found) == (len(x) - 1024) // 512 + 1
    assert {event.alert for event in found if event.end_s < alerts[0].time_s - 1e-9} == {""}
    assert {event.alert for event in found if alerts[0].time_s <= event.end_s < alerts[1].time_s} == {"imbalance"}
    summary = monitor.summary.total
    assert summary.windows == len(found)
    assert summary.flagged == sum(event.flagged for event in found)
    assert summary.alerts == [(alerts[0].time_s, "imbalance")]


def test_a_broken_sensor_neither_raises_nor_clears_an_alert_of_the_machine(artifact: Artifact) -> None:
    x = windows_of_each_class(artifact, 20)
    fault, quiet = x[20 * 1024 : 40 * 1024], x[: 20 * 1024]
    dead = np.tile(np.array([[100, -5, 40]], np.int16), (20 * 1024, 1))
    events = list(Monitor(artifact, Given(stream(np.concatenate([fault, dead, quiet]), []))).events())
    alerts = [event for event in events if isinstance(event, AlertChanged)]
    assert [event.change for event in alerts] == ["raised", "cleared"]
    assert alerts[1].time_s > 40 * 1024 / RATE_HZ  # not while the sensor stood still
    sensor = [
        (event.state, round(event.time_s * RATE_HZ / 1024, 1)) for event in events if isinstance(event, SensorChanged)
    ]
    assert [state for state, _ in sensor] == ["dropout", "stuck", "dropout", "ok"]
    assert sensor[-1] == ("ok", 41.0)
    broken = [event for event in judged(events) if event.sensor_state != "ok"]
    assert {(event.verdict, event.level, event.flagged, event.alert) for event in broken} == {
        ("", None, False, "imbalance")
    }
    only_dead = list(Monitor(artifact, Given(stream(dead, []))).events())
    assert not [event for event in only_dead if isinstance(event, AlertChanged)]


def test_trouble_of_the_source_is_told_once_and_the_window_begins_anew(artifact: Artifact) -> None:
    x = windows_of_each_class(artifact, 20)[: 10 * 1024]
    gone = [Block(x[:0], 2.0 + k, follows=False, trouble="bus: no answer") for k in range(3)]
    blocks = [*stream(x[:1500], []), *gone, *stream(x[1500:], [], start_s=9.0)]
    events = list(Monitor(artifact, Given(blocks)).events())
    sensor = [event for event in events if isinstance(event, SensorChanged)]
    assert [(event.state, event.reason) for event in sensor] == [("lost", "bus: no answer"), ("ok", "")]
    assert judged(events)[1].start_s == 9.0
    assert "SENSOR lost: bus: no answer" in sensor[0].line()


def test_recordings_have_nothing_to_do_with_each_other(artifact: Artifact) -> None:
    x = windows_of_each_class(artifact, 20)
    fault = x[20 * 1024 : 40 * 1024]
    blocks = [*stream(fault, [], recording="a"), *stream(x[: 9 * 1024], [], recording="b")]
    monitor = Monitor(artifact, Given(blocks))
    events = list(monitor.events())
    assert [event.recording for event in events if isinstance(event, RecordingBegun)] == ["a", "b"]
    assert [event.recording for event in events if isinstance(event, AlertChanged)] == ["a"]  # b begins without one
    assert next(event.start_s for event in judged(events) if event.recording == "b") == 0.0
    assert monitor.summary.recordings["a"].windows == 39
    assert monitor.summary.recordings["b"].windows == 17
    assert monitor.summary.lines()[0].split() == ["recording", "windows", "flagged", "alerts", "label"]


@pytest.mark.parametrize(("duration_s", "count"), [(1024.1 / RATE_HZ, 1), (1.0, 5), (1e9, 39)])
def test_it_looks_as_long_as_it_is_asked_to(artifact: Artifact, duration_s: float, count: int) -> None:
    x = windows_of_each_class(artifact, 20)[: 20 * 1024]
    events = list(Monitor(artifact, Given(stream(x, [700, 5000])), duration_s=duration_s).events())
    assert len(judged(events)) == count


def test_every_event_is_a_line_and_json(artifact: Artifact) -> None:
    x = windows_of_each_class(artifact, 20)
    monitor = Monitor(artifact, Given(stream(x, [], recording="a")))
    events = list(monitor.events())
    assert {json.loads(json.dumps(event.to_json()))["event"] for event in events} == {"recording", "window", "alert"}
    assert all("\n" not in event.line() for event in events)
    summary = json.loads(json.dumps(monitor.summary.to_json()))
    assert summary["recordings"]["a"]["windows"] == len(judged(events))
    window = judged(events)[30].to_json()
    assert window["threshold"] == artifact.threshold
    assert (window["level"] > window["threshold"]) == window["flagged"]


def test_a_source_that_does_not_fit_is_refused_before_anything_is_judged(artifact: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "slow.csv"
    time_s = np.arange(500) / 100
    np.savetxt(path, np.column_stack([time_s, *[np.sin(time_s)] * 3]), delimiter=",", comments="",
               header=",".join(["time_s", *CHANNELS]))  # fmt: skip
    source = open_source(f"file:{path}", Format.of(artifact.preprocessing))
    with pytest.raises(SourceError, match="it is at 100 Hz, the model was trained at 3332 Hz; nothing is resampled"):
        Monitor(artifact, source)


def test_a_sensor_on_a_bus_is_judged_like_its_samples_from_a_file(artifact: Artifact) -> None:
    from models.monitor.lsm6dso import SensorSource

    x = windows_of_each_class(artifact, 12)

    def signal(time_s: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        a = x[min(round((time_s - 100.0) * RATE_HZ), len(x) - 1)] * LSB_G
        return (float(a[0]), float(a[1]), float(a[2])), (0.0, 0.0, 0.0)

    clock = Clock()
    registers = Registers(clock, signal)
    source = SensorSource("i2c:test", registers, Format.of(artifact.preprocessing), clock, clock.sleep)
    live = judged(list(Monitor(artifact, source, duration_s=9.0).events()))
    assert registers.closed
    sent = np.array(registers.batched, np.int16)[334:]
    again = judged(list(Monitor(artifact, Given(stream(sent, []))).events()))
    assert len(live) > 50
    assert [(e.verdict, e.level) for e in live] == [(e.verdict, e.level) for e in again[: len(live)]]
    assert {"normal", "imbalance"} <= {event.verdict for event in live}


@pytest.mark.skipif(not Adi().there(), reason="no data: `simtwin data fetch adi` or SIMTWIN_DATA")
def test_recordings_of_a_real_rig_get_the_chips_verdicts(adi_artifact: Artifact) -> None:
    """All 65 recordings: every window, in order, as TensorFlow Lite Micro has it; alerts where the rig was broken."""
    tflm = pytest.importorskip("tflite_micro", reason="no TensorFlow Lite Micro: pip install simtwin[train]")
    assert tflm
    from models.export.interpreters import Micro

    source = open_source("data:adi", Format.of(adi_artifact.preprocessing))
    monitor = Monitor(adi_artifact, source)
    events = list(monitor.events())
    found = judged(events)
    recordings = Adi().read()
    assert len(found) == 65 * 39
    counts = np.concatenate([cut(each.samples, 1024) for each in recordings])
    inputs = adi_artifact.preprocessing.apply(to_counts(counts, adi_artifact.preprocessing.lsb))
    output = Micro(adi_artifact.read(INT8)).run(inputs)
    expected = [by_the_rule(adi_artifact, x, y) for x, y in zip(inputs, output, strict=True)]
    assert sum((event.verdict != "normal") != number for event, (number, _) in zip(found, expected, strict=True)) <= 3
    levels = np.array([event.level for event in found]) * 256
    assert np.mean(levels == [level for _, level in expected]) > 0.98

    alerted = {event.recording for event in events if isinstance(event, AlertChanged)}
    unseen = [each for each in recordings if each.speed_rpm == UNSEEN_RPM]  # a speed it was not trained on
    assert not [each.id for each in unseen if each.normal and each.id in alerted]
    heavy = [each.id for each in unseen if each.label == "bearing_wear" and each.severity == "heavy"]
    assert len(heavy) == 3
    assert set(heavy) <= alerted
