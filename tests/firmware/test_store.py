"""Configuration in flash: whatever the moment at which the power goes, the device starts with the old values or the new."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import struct
import subprocess
import sys
from binascii import crc32
from pathlib import Path

import pytest

from firmware.host import FLASH_BYTES, End, Host
from tests.firmware import machine

CONFIG_H = Path(__file__).parents[2] / "firmware" / "core" / "include" / "config.h"
SLOT = 256


def _field(host: Host, name: str) -> int:
    return int(host.command(f"config {name}")[-1].split()[2])


def _boots(host: Host) -> int:
    return int(re.search(r"boot (\d+)", host.lines[0])[1])  # type: ignore[index]


def _started(library: Path, flash: bytearray) -> Host:
    return machine.device(library, machine.samples(0.2), flash=flash)


def test_values_survive_and_boots_are_counted(library: Path) -> None:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    for boots in range(1, 60):  # more than fill both sectors
        host = _started(library, flash)
        assert _boots(host) == boots
        if boots > 1:
            assert _field(host, "alert_n") == 4 + (boots - 2) % 28
        assert host.command(f"config alert_n {4 + (boots - 1) % 28}")[-1].startswith("ok")


def test_a_power_cut_at_every_byte_of_a_write(library: Path) -> None:
    """Of a save to a blank slot, and of one that has to erase the other sector."""
    for saves in (0, 14):
        flash = bytearray(b"\xff" * FLASH_BYTES)
        host = _started(library, flash)
        for _ in range(saves):
            host.command("threshold 77")
        host.command("threshold 100")
        before = bytes(flash)
        host.command("threshold 200")
        writes = sum(a != b for a, b in zip(before, flash, strict=True))
        assert writes > 60
        seen = set()
        for spend in range(200):
            cut = bytearray(before)
            host = _started(library, cut)  # the start is itself a save: it must be whole
            started = bytes(cut)
            host.spend = spend
            host.type(b"threshold 200\n")
            end = host.run(0.1)
            host = _started(library, cut)
            value = _field(host, "threshold")
            assert value in (100, 200)
            assert (end == End.RUNS) <= (value == 200)
            seen.add((end, value))
            if end == End.RUNS:
                break
            assert bytes(cut) != started or spend == 0
        assert (End.RUNS, 200) in seen
        assert (End.POWER_CUT, 100) in seen


def test_a_power_cut_at_every_byte_of_the_very_first_start(library: Path) -> None:
    for spend in range(400):
        flash = bytearray(b"\xff" * FLASH_BYTES)
        host = Host(library, flash=flash)
        host.spend = spend
        end = host.start()
        host = _started(library, flash)
        assert _boots(host) == (1 if end == End.POWER_CUT else 2)
        if end == End.RUNS:
            return
    raise AssertionError("the first save never ended")


def test_every_bit_of_damage_to_the_newest_record_falls_back_to_the_one_before(library: Path) -> None:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    host = _started(library, flash)
    host.command("threshold 100")
    host.command("threshold 200")
    newest = max(
        (slot for slot in range(0, FLASH_BYTES, SLOT) if flash[slot : slot + 4] == b"STC2"),
        key=lambda slot: struct.unpack_from("<I", flash, slot + 4),
    )
    size = 40 + 4 * struct.unpack_from("<I", flash, newest + 36)[0] + 4
    for bit in range(0, 8 * size, 7):
        damaged = bytearray(flash)
        damaged[newest + bit // 8] ^= 1 << bit % 8
        assert _field(_started(library, damaged), "threshold") == 100


def _record(fields: list[int]) -> bytes:
    body = b"STC2" + struct.pack(f"<IIII16sI{len(fields)}i", 1000, 41, 0, 0, bytes(16), len(fields), *fields)
    return body + struct.pack("<I", crc32(body))


def test_records_of_other_firmware(library: Path) -> None:
    """Fewer fields: the rest are defaults. More: what is known is taken. A value that is not allowed: all defaults."""
    defaults = [default for *_, default in documented()]
    for fields, expected in (
        ([2], (2, defaults[4])),
        ([3, *defaults[1:4], 30, *defaults[5:], 9, 9], (3, 30)),
        ([2, *defaults[1:4], 77, *defaults[5:]], (defaults[0], defaults[4])),
    ):
        flash = bytearray(_record(fields).ljust(FLASH_BYTES, b"\xff"))
        host = Host(library, flash=flash)
        host.start()
        assert _boots(host) == 42 if "boot" in host.lines[0] else _boots_in(host) == 42
        assert (_field(host, "sensors"), _field(host, "batch_ms")) == expected


def _boots_in(host: Host) -> int:
    assert host.lines[0] == "stored value not allowed, defaults used: batch_ms"
    return int(re.search(r"boot (\d+)", host.lines[1])[1])  # type: ignore[index]


def test_flash_that_takes_nothing(library: Path) -> None:
    """The device runs on, and says so."""
    host = Host(library, flash=bytearray(FLASH_BYTES))
    host.flash_is_broken = True
    assert host.start() == End.RUNS
    assert "flash: configuration not saved" in host.lines
    assert host.command("threshold 3")[-1:] == ["error flash: not saved"]


def documented() -> list[tuple[str, str, int, int, int]]:
    """Name, unit, lowest, highest and default of every field, as config.h says."""
    text = CONFIG_H.read_text()
    text = text[text.index("struct config {") : text.index("};")]
    found = re.findall(r"int32_t (\w+);.*?\[([^,\]]+), (-?\d+) \.\. (\d+), default (-?\d+)\]", text, re.DOTALL)
    assert len(found) == text.count("int32_t")
    return [(name, unit, int(low), int(high), int(default)) for name, unit, low, high, default in found]


def test_the_fields_are_what_their_comments_say(library: Path) -> None:
    host = machine.device(library, machine.samples(1))
    told = [line.split(" ", 2) for line in host.command("config")[:-1]]
    assert [(name, unit, int(value)) for name, value, unit in told] == [
        (name, unit, default) for name, unit, _, _, default in documented()
    ]


@pytest.mark.parametrize("field", documented(), ids=lambda field: field[0])
def test_ranges_are_kept(field: tuple[str, str, int, int, int], library: Path) -> None:
    name, _, low, high, default = field
    host = machine.device(library, machine.samples(0.3))
    for value in (low - 1, high + 1):
        answer = host.command(f"config {name} {value}")[-1]
        assert answer.startswith("error"), (value, answer)
        assert _field(host, name) == default
    others = {
        "alert_n": {"alert_k": 1},
        "alert_k": {"alert_n": 32},
        "sensor_n": {"sensor_k": 1},
        "sensor_k": {"sensor_n": 32},
    }
    for other, value in others.get(name, {}).items():
        host.command(f"config {other} {value}")
    for value in (low, high):
        assert host.command(f"config {name} {value}")[-1].startswith("ok")
        assert _field(host, name) == value


def test_values_that_do_not_fit_together(library: Path) -> None:
    host = machine.device(library, machine.samples(1))
    for line in (
        "config alert_k 7",
        "config sensor_n 1",
        "config imu0_axes 133",
        "config imu1_axes 142",
        "config imu2_axes 170",
    ):
        assert host.command(line)[-1].endswith("fit the other fields"), line


def test_the_library_keeps_to_its_own_functions(library: Path) -> None:
    """zlib, which many a program has loaded, has a `crc32` too."""
    found = ctypes.util.find_library("z")
    if found is None:
        pytest.skip("no zlib on this machine")
    code = (
        f"import ctypes; ctypes.CDLL({found!r}, mode=ctypes.RTLD_GLOBAL)\n"
        "from pathlib import Path\n"
        "from tests.firmware import machine\n"
        f"machine.device(Path({str(library)!r}), machine.samples(1)).run(0.2)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
