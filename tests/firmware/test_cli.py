"""`simtwin firmware`: what it prints, and what it says of mistakes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.compiler import GCC_ESP32
from tests.firmware import tiny_model

ROOT = Path(__file__).parents[2]


def _run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim.cli", "firmware", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


def test_build_and_size(tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    built = _run("build", "--model", str(model), folder=tmp_path)
    assert built.returncode == 0, built.stderr
    assert re.fullmatch(r"firmware-esp32c3/firmware\.elf: build [0-9a-f]{8}, zig \S+\n", built.stdout)
    assert (tmp_path / "firmware-esp32c3" / "firmware.elf").is_file()
    again = _run("build", "--model", str(model), "--out", "other", folder=tmp_path)
    assert (tmp_path / "other" / "firmware.elf").is_file()
    assert again.stdout.split()[2] == built.stdout.split()[2]  # the same build has the same identity
    size = _run("size", "--model", str(model), "--port", "esp32c3", folder=tmp_path)
    assert size.returncode == 0, size.stderr
    head, *rows, total, stack = [line.split() for line in size.stdout.splitlines()[:-2]]
    assert head == ["bytes", "of", "text", "rodata", "data", "bss"]
    for column in range(1, 5):
        assert sum(int(row[column]) for row in rows) == int(total[column])
    assert stack[:3] == ["stack", "of", "esp32c3"]
    assert 500 < int(stack[3]) < 8192


def test_a_chip_whose_compiler_is_not_here_is_left_out_and_named(tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    size = _run("size", "--model", str(model), folder=tmp_path, PATH=str(tmp_path))
    assert size.returncode == 0, size.stderr
    assert size.stdout.split()[:2] == ["bytes", "of"]
    assert "the esp32 is left out: xtensa-lx106-elf-gcc is missing: apt install gcc-xtensa-lx106\n" in size.stderr
    asked = _run("size", "--model", str(model), "--port", "esp32", folder=tmp_path, PATH=str(tmp_path))
    assert asked.returncode != 0
    assert asked.stderr == "xtensa-lx106-elf-gcc is missing: apt install gcc-xtensa-lx106\n"


def test_the_chips_side_by_side(tmp_path: Path) -> None:
    if shutil.which(GCC_ESP32) is None:
        pytest.skip(f"no {GCC_ESP32}: apt install gcc-xtensa-lx106")
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    both = _run("size", "--model", str(model), folder=tmp_path)
    assert both.returncode == 0, both.stderr
    chips, head, *rows = both.stdout.splitlines()
    assert chips.split() == ["esp32c3", "esp32"]
    assert head.split() == ["bytes", "of", *["text", "rodata", "data", "bss"] * 2]
    alone = _run("size", "--model", str(model), "--port", "esp32", folder=tmp_path).stdout.splitlines()
    (total,) = (row.split() for row in rows if row.startswith("all "))
    (total_alone,) = (row.split() for row in alone if row.startswith("all "))
    assert total[5:] == total_alone[1:]
    assert [row.split()[2] for row in rows if row.startswith("stack of")] == ["esp32c3", "esp32"]


def test_what_no_compiler_does(tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    for port, compiler, said in (
        ("esp32", "zig", "zig has no code for Xtensa"),
        ("esp32c3", "clang", "for the esp32 only"),
    ):
        done = _run("build", "--model", str(model), "--port", port, "--compiler", compiler, folder=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (6, 1)
        assert said in done.stderr


def test_mistakes(tmp_path: Path) -> None:
    empty = _run("build", "--model", str(tmp_path), folder=tmp_path)
    assert (empty.returncode, empty.stderr) == (
        6,
        f"{tmp_path}: no model.c in it; export the run again (simtwin export writes it)\n",
    )
    model = tiny_model.write(tmp_path / "model", tiny_model.preprocessing())
    (model / "model.c").write_text("#error broken\n")
    broken = _run("build", "--model", str(model), folder=tmp_path)
    assert broken.returncode == 6
    assert broken.stderr.count("\n") == 1
    assert "model.c: does not build" in broken.stderr
    assert not (tmp_path / "firmware-esp32c3" / "firmware.elf").exists()
