"""Fuzzed UART, SPI and flash, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.build import CORE
from tests.firmware import tiny_model

SANITIZERS = "-fsanitize=address,undefined"
FUZZ = Path(__file__).parent / "fuzz.c"
DICTIONARY = "".join(
    f'"{word}"\n'
    for word in (
        "config ",
        "threshold ",
        "status",
        "selftest",
        "reboot",
        "help",
        "defaults",
        "version",
        "bindkey ",
        "alert_k",
        "batch_ms",
    )
)
IDENTITY = """#define BUILD_VERSION "0.0.0"
#define BUILD_VERSION_BYTES 0, 0, 0
#define BUILD_ID 1u
#define SENSOR_CHANNELS 3
"""


def _build(folder: Path, compiler: list[str], window: int) -> Path:
    pre = tiny_model.preprocessing(window=window, length=window, hop=window)
    model = tiny_model.write(folder, pre)
    (folder / "build_identity.h").write_text(IDENTITY)
    program = folder / "fuzz"
    sources = [*sorted(CORE.glob("*.c")), model / "model.c", FUZZ]
    command = [*compiler, "-std=gnu11", "-g", "-O1", "-fno-sanitize-recover=all"]
    command += [f"-I{folder}", f"-I{CORE / 'include'}", *map(str, sources), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "libclang_rt.fuzzer" in done.stderr:
        pytest.skip("clang without libFuzzer: apt install libclang-rt-14-dev")
    assert done.returncode == 0, done.stderr
    return program


def test_mutated_seeds(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no compiler with sanitizers: apt install gcc")
    program = _build(tmp_path, [compiler, SANITIZERS, "-DSTANDALONE"], 64)
    done = subprocess.run([str(program), "1500"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "1500 runs\n"


def test_libfuzzer(tmp_path: Path) -> None:
    """Guided by coverage: it must reach far more than what a start alone runs through."""
    compiler = shutil.which("clang")
    if compiler is None:
        pytest.skip("no clang: apt install clang libclang-rt-14-dev")
    program = _build(tmp_path, [compiler, SANITIZERS + ",fuzzer"], 64)
    (tmp_path / "words").write_text(DICTIONARY)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    # Without libFuzzer's limit of memory: it takes the peak of the process that started it for its own.
    limits = ["-runs=4000", "-seed=1", "-max_len=2048", "-rss_limit_mb=0"]
    command = [str(program), *limits, f"-dict={tmp_path / 'words'}", str(corpus)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    covered = [int(each) for each in re.findall(r"cov: (\d+)", done.stderr)]
    assert covered[-1] > covered[0] + 50
