"""Commands on the console: every line is answered once, and nothing that comes in can do harm."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.frames import FrameType, Hello, ResetCause
from firmware.host import CONSOLE, End, Host
from tests.firmware import machine


@pytest.fixture
def host(library: Path) -> Host:
    """A device that listens to a healthy machine, and has said that it does."""
    host = machine.device(library, machine.samples(60))
    host.run(0.1)
    return host


def test_every_command_of_the_help(host: Host) -> None:
    *usages, ok = host.command("help")
    assert ok == "ok"
    assert [usage.split()[0] for usage in usages] == [
        "help", "version", "status", "threshold", "config", "defaults", "bindkey", "selftest", "reboot",
    ]  # fmt: skip


def test_threshold(host: Host) -> None:
    assert host.command("threshold") == ["ok threshold 127"]
    assert host.command("threshold 5") == ["ok threshold 5"]
    assert host.command("threshold") == ["ok threshold 5"]
    assert host.command("threshold model") == ["ok threshold -1"]
    assert host.command("threshold") == ["ok threshold 127"]
    for wrong in ("-1", "2147483648", "x", "1x", "99999999999999999999", "--1", "-"):
        assert host.command(f"threshold {wrong}")[-1].startswith("error"), wrong


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("bogus", "error no such command"),
        ("threshold 1 2", "error too many words"),
        ("config a b c d e", "error too many words"),
        ("config nothing", "error no such field"),
        ("config batch_ms ten", "error value must be a whole number"),
        ("config batch_ms 5", "error batch_ms must be 10 to 50 ms"),
        ("HELP", "error no such command"),
        ("x" * 79, "error no such command"),
        ("x" * 80, "error line too long"),
        ("help\x07", "error line too long"),
        ("\xff", "error line too long"),
    ],
)
def test_what_is_not_understood(line: str, answer: str, host: Host) -> None:
    host.type(line.encode("latin-1") + b"\nversion\n")
    host.run(0.2)
    assert any(each.startswith(answer) for each in host.lines), host.lines
    assert host.lines[-1].startswith("ok simtwin")  # it goes on


def test_defaults(host: Host) -> None:
    host.command("config batch_ms 50")
    assert host.command("defaults")[-1].startswith("ok")
    assert host.command("config batch_ms") == ["ok batch_ms 20 ms"]


def test_reboot(host: Host) -> None:
    host.type(b"reboot\n")
    assert host.run(1) == End.REBOOT
    assert host.start(ResetCause.SOFTWARE) == End.RUNS
    hello = [frame for frame in host.frames if frame.type == FrameType.HELLO][-1]
    assert isinstance(hello, Hello)
    assert (hello.all_boots, hello.reset_cause) == (2, ResetCause.SOFTWARE)


def test_status_says_what_a_sensor_does(library: Path) -> None:
    host = machine.device(library, machine.samples(10))
    host.run(3)
    machine_line, imu_line, radio_line, ok = host.command("status")
    assert ok == "ok"
    assert machine_line.startswith("machine normal normal windows 9 late 0")
    assert imu_line.startswith("imu 0 running ok samples 9")
    assert imu_line.endswith("bus-errors 0 overruns 0 temperature 25 C")
    assert radio_line == "bluetooth no-controller address FC:DF:A1:00:00:01 plain counter 0"


LINES = st.lists(
    st.one_of(
        st.binary(max_size=120),
        st.sampled_from([b"help", b"status", b"config", b"version", b"threshold", b"defaults", b"selftest"]),
        st.builds(
            lambda a, b, c: b" ".join((a, b, c)),
            st.sampled_from([b"config", b"threshold", b"status", b"bindkey"]),
            st.sampled_from(
                [b"batch_ms", b"threshold", b"sensors", b"rate_ppm", b"", b"nothing", b"none", 8 * b"89aB"]
            ),
            st.integers(-(2**40), 2**40).map(lambda n: str(n).encode()),
        ),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.integers(0, 2**32))
def test_anything_may_come_in(library: Path, lines: list[bytes], seed: int) -> None:
    """The device answers a last command, its configuration is one that is allowed, and no frame is damaged."""
    host = machine.device(library, machine.samples(1))
    stream = b"\n".join(line.replace(b"reboot", b"") for line in lines) + b"\n"
    draws = random.Random(seed)
    while stream:
        cut = draws.randint(1, 64)
        host.type(stream[:cut])
        stream = stream[cut:]
        assert host.run(0.02) == End.RUNS
    host.run(0.3)  # a self-test is a while
    before = len(host.lines)
    host.type(b"\nversion\n")
    host.run(0.2)
    assert any(line.startswith("ok simtwin") for line in host.lines[before:]), host.lines[before:]
    assert len(host.frames) >= 1
    again = machine.device(library, machine.samples(1), flash=host.flash)
    assert not any("not allowed" in line for line in again.lines)


def test_a_flood_without_an_end_of_line(host: Host) -> None:
    host.type(b"x" * 100_000)
    host.run(3)
    host.type(b"\n")
    host.run(60)
    assert host.sent[CONSOLE].count(b"error line too long") == 1
