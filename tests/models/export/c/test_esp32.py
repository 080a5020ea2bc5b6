"""Every network in firmware for the ESP32, on labwired's Xtensa core: byte for byte as TensorFlow Lite Micro has it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("labwired", reason="no labwired: pip install simtwin[test] (wheels for x86-64 and Arm)")

from firmware.build import build
from firmware.compiler import CLANG, GCC_ESP32, LLC, CompilerName
from models.architectures import ARCHITECTURES
from models.datasets.adi import Adi
from models.export.c.generate import generate
from models.export.c.library import write
from tests.labwired_esp32 import call_all, simulate, store
from tests.models.export.c.host import Int8, description
from tests.models.export.c.test_networks import flat, random, real
from tests.models.export.conftest import Made
from tests.models.export.made import CHANNELS, CLASSES, LENGTH, MIXED, windows

INPUTS, OUTPUT, SCRATCH = 0x3FFCC000, 0x3FFD0000, 0x3FFD4000
"""In DRAM, behind the program's own data and below its stack."""


def some_windows() -> Int8:
    """One like those of training, one of random bytes, and one that was recorded, where recordings are here."""
    x = [windows(1, 11, MIXED)[0], random()[:1]]
    if Adi().there():
        x.append(real()[-1:])
    return np.concatenate(x)


@pytest.mark.parametrize(
    ("compiler", "name"),
    [
        *(("gcc", name) for name in ARCHITECTURES),
        *(pytest.param("clang", name, marks=[pytest.mark.slow] if name != "cnn" else []) for name in ARCHITECTURES),
    ],
)
def test_a_network_is_as_in_tflm(
    name: str, compiler: CompilerName, exports: Callable[[str], Made], tmp_path: Path
) -> None:
    for program, package in ((GCC_ESP32, "gcc-xtensa-lx106"), (CLANG, "clang-22"), (LLC, "llvm-22")):
        if shutil.which(program) is None and (compiler == "clang" or program == GCC_ESP32):
            pytest.skip(f"no {program}: apt install {package}")
    content = exports(name).exported.converted.int8
    source = generate(content, description(name, LENGTH, CHANNELS, CLASSES))
    (tmp_path / "model").mkdir()
    write(source, tmp_path / "model")
    elf = build(tmp_path / "model", tmp_path / "out", "esp32", compiler).product
    x = some_windows()
    expected = flat(content, x)
    assert x[0].size * len(x) <= OUTPUT - INPUTS
    assert SCRATCH + source.scratch_bytes < 0x3FFDE000
    with simulate(elf) as board:
        assert board.symbol("__bss_end") <= INPUTS
        calls = []
        for n, window in enumerate(x):
            store(board, INPUTS + n * window.size, window.tobytes())
            calls.append(("model_infer", (INPUTS + n * window.size, OUTPUT + n * 4096, SCRATCH)))
        call_all(board, calls, most_s=1.0)
        for n, told in enumerate(expected):
            assert bytes(board.read_memory(OUTPUT + n * 4096, len(told))) == told.tobytes()
