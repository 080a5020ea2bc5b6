"""What the suites need of Python on either engine: comparing transcripts and reading what engines print.

Standard library only: it runs where only Renode and Robot are.
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

ROBOT_LIBRARY_SCOPE = "GLOBAL"

UPTIME_MS = 25
"""Frames may carry times that differ by so much: one reading of the FIFO (20 ms), and what a start takes longer or shorter."""
TEMPERATURE_C100 = 30
"""Temperature follows each engine's own time since power-on; the sensor's is read every 64th reading."""

_HEADER, _STATE = struct.Struct("<BBHIII"), struct.Struct("<IIIBBBBHHhBB")
_HELLO_BYTES, _BUILD_AT = 64, 24
_seen: dict[str, int] = {}


@dataclass(frozen=True)
class Feed:
    """What a sensor is fed: its name on the bus, the file, half a period of its samples, whether the gyroscope is used."""

    device: str
    file: str
    half_period_ns: int
    gyro: bool


def feeds_in(folder: str) -> list[Feed]:
    """The feeds that a folder of `simtwin renode feed` holds, one a sensor."""
    path = Path(folder).resolve()
    content = json.loads((path / "feed.json").read_text())
    return [
        Feed(f"imu{n}", (path / sensor["file"]).as_posix(), 10**9 // sensor["rate_hz"] // 2, sensor["gyro"])
        for n, sensor in enumerate(content["sensors"])
    ]


def monitor_path(path: str) -> str:
    """A path as Renode's monitor takes it."""
    return "@" + path.replace(" ", "\\ ")


def console_folder(results: str, test: str) -> str:
    """A new folder below the results for what the UARTs of a test's machine send."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", test).strip("_")
    parent = Path(results).resolve() / "consoles"
    number = 1
    while (folder := parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    folder.mkdir(parents=True)
    return folder.as_posix()


def take_over(log: str) -> str:
    """Move what a log has to the end of what it had before; the file that then holds all."""
    part, whole = Path(log), Path(f"{log}.all")
    with whole.open("ab") as file:
        file.write(part.read_bytes())
    part.unlink()
    return whole.as_posix()


def number_in(answer: str) -> int:
    """The number that Renode's monitor printed: hexadecimal, decimal, or both, as the user has set it."""
    return int(str(answer).split()[0], 0)


def number_should_be(answer: str, value: str, mask: str = "0xFFFFFFFF") -> None:
    """The number printed must be `value` in the bits of `mask`."""
    got = number_in(answer) & number_in(mask)
    if got != number_in(value):
        raise AssertionError(f"{got:#x} in the bits {mask}; {value} expected")


def bytes_of(text: str) -> list[int]:
    """Hexadecimal text as numbers."""
    return list(bytes.fromhex(text))


def new_bytes_should_be(path: str, expected: str) -> None:
    """What was written to a file since this was last asked of it must be these bytes (hexadecimal)."""
    content = Path(path).read_bytes()
    got, _seen[path] = content[_seen.get(path, 0) :], len(content)
    if got != bytes.fromhex(expected):
        raise AssertionError(f"sent {got.hex() or 'nothing'}; {expected} expected")


def text_should_be_there(path: str, text: str, times: int = 1) -> None:
    """At least so many lines of a log hold this text."""
    count = sum(text in line for line in _lines(Path(path)))
    if count < int(times):
        raise AssertionError(f"`{text}` is in {count} lines of the console; {times} expected")


def text_should_not_be_there(path: str, text: str) -> None:
    """No line of a log holds this text."""
    for line in _lines(Path(path)):
        if text in line:
            raise AssertionError(f"`{text}` is on the console: {line}")


def compare_or_keep(log: str, name: str, expected: str) -> None:
    """Hold a log against the transcript of that name; where there is none yet, this one becomes it."""
    lines = _lines(Path(log))
    kept = Path(expected) / f"{name}.txt"
    if kept.is_file():
        compare(lines, kept.read_text().splitlines())
        print(f"equal to {kept}")
    else:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("\n".join(lines) + "\n")
        print(f"*WARN* no transcript {kept.name} to compare with: this run's was kept as such")


def compare(lines: list[str], expected: list[str]) -> None:
    """Every line must be the expected one, but for the times and temperatures in frames, which may differ a little.

    More lines may follow: where a run is stopped the engines differ by less than a line's time.
    """
    for number, wanted in enumerate(expected):
        if number >= len(lines):
            raise AssertionError(f"transcript ends after {number} of {len(expected)} lines; next was to come: {wanted}")
        got = lines[number]
        if got == wanted:
            continue
        ours, theirs = _frame(got), _frame(wanted)
        if ours is None or theirs is None or ours[0] != theirs[0]:
            raise AssertionError(f"line {number + 1} differs:\n  {got}\nexpected:\n  {wanted}")
        if abs(ours[1] - theirs[1]) > UPTIME_MS or abs(ours[2] - theirs[2]) > TEMPERATURE_C100:
            raise AssertionError(
                f"line {number + 1}: {ours[1]} ms and {ours[2]} cC; {theirs[1]} ms and {theirs[2]} cC expected, "
                f"within {UPTIME_MS} and {TEMPERATURE_C100}"
            )


def rebuilt(text: str, builds: dict[str, str]) -> str:
    """A transcript as other builds would write it: identities of builds, in lines and hello frames, by the old one."""
    lines = []
    for line in text.splitlines():
        if line.startswith("$") and len(line) == 1 + 2 * _HELLO_BYTES:
            raw = bytearray.fromhex(line[1:])
            build = f"{struct.unpack_from('<I', raw, _BUILD_AT)[0]:08x}"
            struct.pack_into("<I", raw, _BUILD_AT, int(builds.get(build, build), 16))
            raw[-4:] = struct.pack("<I", crc32(raw[:-4]))
            line = f"${raw.hex().upper()}"
        for old, new in builds.items():
            line = line.replace(f"build {old.upper()}", f"build {new.upper()}")
        lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def verdicts(lines: list[str]) -> list[tuple[int, int, int]]:
    """Number, level and machine state of every window that was judged."""
    found = []
    for line in lines:
        if not line.startswith("$"):
            continue
        raw = bytes.fromhex(line[1:])
        if raw[1] == 11 and raw[28] != 255:  # a window's frame
            found.append((*struct.unpack_from("<II", raw, 16), raw[28]))
    return found


def compare_verdicts(log: str, expected: str) -> None:
    """Every judged window must have the level and state that the host gave to the same samples, bit by bit."""
    wanted = [tuple(map(int, line.split())) for line in Path(expected).read_text().splitlines()]
    got = verdicts(_lines(Path(log)))
    if not got:
        raise AssertionError("no window was judged")
    known = {window: (level, state) for window, level, state in wanted}
    for window, level, state in got:
        if known.get(window) != (level, state):
            raise AssertionError(f"window {window}: level {level}, state {state}; the host says {known.get(window)}")
    print(f"{len(got)} windows as on the host")


def _lines(path: Path) -> list[str]:
    """Whole lines of a log."""
    text = path.read_bytes().decode("ascii", "replace").replace("\r", "")
    return text.split("\n")[:-1]


def _frame(line: str) -> tuple[bytes, int, int] | None:
    """A sound frame as (all but time, temperature and CRC; time in ms; temperature in cC); None: no such line."""
    if not line.startswith("$"):
        return None
    raw = bytearray.fromhex(line[1:])
    if len(raw) < _HEADER.size + 4 or crc32(raw[:-4]) != struct.unpack("<I", raw[-4:])[0]:
        return None
    uptime_ms, temperature = struct.unpack_from("<I", raw, 8)[0], 0
    raw[8:12] = bytes(4)
    if len(raw) == _HEADER.size + _STATE.size + 4:
        temperature = struct.unpack_from("<h", raw, 36)[0]
        raw[36:38] = bytes(2)
    return bytes(raw[:-4]), uptime_ms, temperature
