"""What keeps the core portable: no chip, no libc, no heap, no floating point, no word that a test tool would stumble over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "firmware" / "core"
SOURCES = sorted([*CORE.glob("*.c"), *CORE.glob("include/*.h")])
GENERATED = sorted(ROOT.glob("models/reference/*/model.[ch]"))


def _code(path: Path) -> str:
    """Without comments."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)


CHIPS = r"\b(esp32\w*|esp_\w+|espressif|xtensa|riscv\w*|risc-v|rv32\w*|cortex|stm32\w*|nrf\w*|freertos)\b"


@pytest.mark.parametrize("path", [*SOURCES, *GENERATED], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_core_knows_no_chip(path: Path) -> None:
    """Neither by name nor by an address: nothing is read or written but what has a name in C."""
    assert not re.search(CHIPS, path.read_text(), re.IGNORECASE)
    code = _code(path)
    assert not re.search(r"uintptr_t|\*\s*\)\s*\(?\s*(0x)?\d", code)
    assert set(re.findall(r"asm\w*\s+volatile\(\"([^\"]*)\"", code)) <= {""}  # a barrier for the compiler


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_library_no_heap_no_floating_point(path: Path) -> None:
    code = _code(path)
    own = {each.name for each in CORE.glob("include/*.h")} | {"model.h", "build_identity.h"}
    for header in re.findall(r'#include [<"]([^>"]+)[>"]', code):
        assert header in own | {"stdint.h", "stddef.h", "stdbool.h"}, header
    assert not re.search(r"\b(float|double|malloc|calloc|realloc|free|printf|goto|alloca)\b", code)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_text_holds_an_equals_sign(path: Path) -> None:
    strings = re.findall(r'"((?:[^"\\\n]|\\.)*)"', re.sub(r"#include[^\n]*", "", _code(path)))
    assert not [text for text in strings if "=" in text]
