"""The image does not grow unseen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("ziglang", reason="no zig: pip install simtwin[firmware]")
pytest.importorskip("elftools", reason="no pyelftools: pip install simtwin[firmware]")

from elftools.elf.elffile import ELFFile

from firmware.build import Built, build
from firmware.cli import DEFAULT_MACHINE, firmware
from firmware.compiler import CHIPS, GCC_ESP32
from firmware.size import Size, size_of, write_record
from models.artifact import reference
from models.export.budgets import recorded


@pytest.fixture(scope="module", params=CHIPS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    if request.param == "esp32" and shutil.which(GCC_ESP32) is None:
        pytest.skip(f"no {GCC_ESP32}: apt install gcc-xtensa-lx106")
    return build(reference(DEFAULT_MACHINE), tmp_path_factory.mktemp("image"), request.param)


@pytest.fixture(scope="module")
def size(built: Built) -> Size:
    return size_of(built.product, built.objects)


def test_the_image_has_not_grown_above_the_record(built: Built, size: Size) -> None:
    assert set(recorded(Path(__file__).parents[2] / "firmware" / "budgets.toml")[built.port]) == set(size.figures)
    assert not size.grown(built.port), f"{'; '.join(size.grown(built.port))}; if meant: simtwin firmware size --record"


def test_the_figures_are_those_of_the_segments(built: Built, size: Size) -> None:
    """Sections and loaded segments are two tables of the file; what lies between sections is padding."""
    with built.product.open("rb") as file:
        memory = sum(segment["p_memsz"] for segment in ELFFile(file).iter_segments("PT_LOAD"))
    sections = size.figures["text"] + size.figures["rodata"] + size.figures["ram"]
    assert 0 <= memory - sections < 64


def test_more_than_3_percent_of_growth_is_told(size: Size, tmp_path: Path) -> None:
    record = tmp_path / "budgets.toml"
    write_record(size, "esp32c3", record)
    assert not size.grown("esp32c3", record)
    more = {kind: round(count * 1.04) if kind == "text" else count for kind, count in size.total.items()}
    (line,) = replace(size, total=more).grown("esp32c3", record)
    assert line.startswith(f"esp32c3: text is {more['text']}, +4.0% against {size.total['text']}")
    assert any(line.split()[-1] == "+4.0%" for line in replace(size, total=more).against("esp32c3", record))


def test_ports_are_recorded_apart(size: Size, tmp_path: Path) -> None:
    record = tmp_path / "budgets.toml"
    for port in ("esp32c3", "another", "esp32c3"):
        write_record(size, port, record)
    assert recorded(record) == {"another": size.figures, "esp32c3": size.figures}
    assert "--record" in record.read_text()


def test_only_the_defaults_are_recorded() -> None:
    said = CliRunner().invoke(firmware, ["size", "--compiler", "gcc", "--record"])
    assert said.exit_code == 2
    assert "--record goes without --model and --compiler" in said.output
