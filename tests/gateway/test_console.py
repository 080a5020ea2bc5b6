"""Consoles: frames among lines for people and noise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.console import MAX_LINE_BYTES, Console
from gateway.observation import Counts
from tests.gateway.devices import (
    CHANGED,
    HEARTBEAT,
    JUDGED,
    MACHINE_ALERT,
    RAISED,
    SENSOR_ALERT,
    SENSOR_RAISED,
    WINDOW,
    frame_line,
    hello_line,
)  # fmt: skip

TEXT = b"hello simtwin 0.1.0 build 12345678 model A0A1A2A3A4A5A6A7 gru boot 1 reset power\n"


def console() -> tuple[Console, Counts]:
    counts = Counts()
    return Console("tcp://board", counts), counts


def test_frames_are_found_between_lines_for_people() -> None:
    reader, counts = console()
    stream = TEXT + hello_line() + b"imu 0 running\r\n" + frame_line(HEARTBEAT, 1) + b"heartbeat level 50\n"
    stream += frame_line(RAISED, 2, machine=2, confidence=81, flags=JUDGED | MACHINE_ALERT)
    seen = list(reader.feed(stream, 5.0))
    assert [(each.sequence, each.machine_alert, each.machine_state) for each in seen] == [(1, False, 0), (2, True, 2)]
    alert = seen[1]
    assert (alert.confidence_pct, alert.level, alert.threshold, alert.peak_mg) == (81, 50, 127, 360)
    assert (alert.temperature_c, alert.model_id, alert.about, alert.boots) == (31.25, "a0a1a2a3", {"machine"}, 1)
    assert reader.hello is not None
    assert reader.hello.version == "0.1.0"
    assert counts.total == {}


def test_only_frames_of_an_alert_tell_its_details() -> None:
    reader, _ = console()
    both = JUDGED | MACHINE_ALERT | SENSOR_ALERT
    stream = frame_line(WINDOW, 1, flags=both) + frame_line(SENSOR_RAISED, 2, flags=both, sensor=1, sensor_state=6)
    window, sensor = reader.feed(stream, 0.0)
    assert window.machine_alert
    assert window.about == set()
    assert (sensor.about, sensor.sensor, sensor.sensor_state) == ({"sensor"}, 1, 6)


@given(st.lists(st.integers(1, 60), max_size=40))
def test_lines_may_be_cut_anywhere(cuts: list[int]) -> None:
    stream = TEXT + b"".join(frame_line(HEARTBEAT, n) for n in range(1, 8))
    reader, counts = console()
    sequences, begin = [], 0
    for cut in [*cuts, len(stream)]:
        sequences += [seen.sequence for seen in reader.feed(stream[begin : begin + cut], 0.0)]
        begin += cut
    assert sequences == list(range(1, 8))
    assert counts.total == {}


def test_gaps_duplicates_and_starts_are_counted() -> None:
    reader, counts = console()
    lines = [frame_line(HEARTBEAT, n) for n in (1, 2, 2, 1, 5)] + [hello_line(6), frame_line(CHANGED, 7)]
    seen = list(reader.feed(b"".join(lines), 0.0))
    assert [(each.sequence, each.missed) for each in seen] == [(1, 0), (2, 0), (5, 2), (7, 0)]
    assert counts.total == {"duplicate": 2}
    (again,) = reader.feed(frame_line(HEARTBEAT, 3, boots=2), 0.0)
    assert again.restarted


def test_hello_with_lost_frames_before_it_and_of_a_new_start() -> None:
    reader, counts = console()
    list(reader.feed(frame_line(HEARTBEAT, 1) + hello_line(4) + hello_line(0, boots=2), 0.0))
    assert counts.total == {"missed": 2, "restarts": 1}


def test_another_board_with_as_many_starts() -> None:
    """An emulator that was started anew: its flash is fresh, so it has started once, too."""
    reader, counts = console()
    list(reader.feed(frame_line(HEARTBEAT, 500), 0.0))
    reader.connected()
    (seen,) = reader.feed(b"tail of a line\n" + frame_line(HEARTBEAT, 3), 0.0)
    assert seen.restarted
    assert counts.total == {}


def test_a_connection_that_comes_back_is_no_start() -> None:
    reader, counts = console()
    list(reader.feed(frame_line(HEARTBEAT, 5), 0.0))
    reader.connected()
    seen = list(reader.feed(frame_line(HEARTBEAT, 5) + frame_line(HEARTBEAT, 8), 0.0))
    assert [(each.sequence, each.missed, each.restarted) for each in seen] == [(8, 2, False)]
    assert counts.total == {"duplicate": 1}


@pytest.mark.parametrize("spoil", [
    lambda line: line[:-3] + b"\n",
    lambda line: line.replace(b"$01", b"$02", 1),
    lambda line: line[:20] + bytes([line[20] ^ 1]) + line[21:],
    lambda line: b"$xyz\n",
    lambda line: b"$\n",
])  # fmt: skip
def test_damaged_frames_are_counted(spoil) -> None:
    reader, counts = console()
    (seen,) = reader.feed(spoil(frame_line(HEARTBEAT, 1)) + frame_line(HEARTBEAT, 2), 0.0)
    assert seen.sequence == 2
    assert counts.total == {"damaged": 1}


def test_lines_without_end_use_no_memory() -> None:
    reader, counts = console()
    for _ in range(100):
        assert list(reader.feed(b"x" * 10_000, 0.0)) == []
    assert len(reader._line) <= MAX_LINE_BYTES
    assert counts.total == {"line too long": 1}
    assert [seen.sequence for seen in reader.feed(b"\n" + frame_line(HEARTBEAT, 9), 0.0)] == [9]


@given(st.lists(st.binary(max_size=300), max_size=20))
@settings(max_examples=200)
def test_no_noise_hurts(noise: list[bytes]) -> None:
    reader, _ = console()
    for piece in noise:
        assert list(reader.feed(piece, 0.0)) == []
    assert [seen.sequence for seen in reader.feed(b"\n" + frame_line(RAISED, 3), 0.0)] == [3]
