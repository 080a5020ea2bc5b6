"""Transcripts: what may differ between engines and what may not."""

from __future__ import annotations

import struct
from zlib import crc32

import pytest

from renode.tests.transcript import bytes_of, compare, number_in, number_should_be, verdicts


def frame(kind: int = 11, uptime_ms: int = 1000, level: int = 7, state: int = 0, temperature_c100: int = 2500) -> str:
    """A state frame as the firmware's manual lays it out."""
    body = struct.pack("<BBHIII", 1, kind, 1, 5, uptime_ms, 0xA3A2A1A0)
    body += struct.pack("<IIIBBBBHHhBB", 3, level, 127, state, 99, 255, 0, 7, 17, temperature_c100, 4, 1)
    return "$" + (body + struct.pack("<I", crc32(body))).hex().upper()


def test_equal_transcripts_and_longer_ones_pass() -> None:
    lines = ["hello", frame(), "window 3"]
    compare(lines, lines)
    compare([*lines, "and"], lines)


def test_times_and_temperatures_may_differ_a_little() -> None:
    compare([frame(uptime_ms=1020, temperature_c100=2510)], [frame()])


@pytest.mark.parametrize(
    ("got", "says"),
    [
        ([frame(uptime_ms=1030)], "1030 ms"),
        ([frame(temperature_c100=2540)], "2540 cC"),
        ([frame(level=8)], "differs"),
        ([frame(state=1)], "differs"),
        (["window 3"], "differs"),
        ([frame()[:-1] + ("0" if frame()[-1] != "0" else "1")], "differs"),
        ([], "ends after 0 of 1"),
    ],
    ids=["time", "temperature", "level", "state", "no frame", "damaged", "missing"],
)
def test_all_else_fails(got: list[str], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        compare(got, [frame()])


def test_verdicts_are_those_of_judged_windows() -> None:
    assert verdicts(["hello", frame(), frame(kind=2), frame(state=255), frame(level=300, state=2)]) == [
        (3, 7, 0),
        (3, 300, 2),
    ]


def test_numbers_as_renodes_monitor_prints_them() -> None:
    assert number_in("0x0000001F\n") == number_in("31\n") == number_in("0x1F (31)\n") == 31
    number_should_be("0x00000160\r\n", "0x60", "0xFF")
    with pytest.raises(AssertionError, match="0x60 in the bits"):
        number_should_be("0x160", "0x61", "0xFF")
    assert bytes_of("04ff") == [4, 255]
