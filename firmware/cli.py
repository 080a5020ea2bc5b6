"""The commands `simtwin firmware ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from firmware.compiler import CompilerName, PortName

_MODEL = click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=None,
    help="Artifact of `simtwin export`, or a folder with its model.c. [default: the reference model of the bearing rig]",
)
DEFAULT_MACHINE = "bearing_rig"
_COMPILER = click.option(
    "--compiler", type=click.Choice(["zig", "gcc"]), default="zig", show_default=True,
    help="zig from PyPI, or Debian's gcc-riscv64-unknown-elf with picolibc.",
)  # fmt: skip


@click.group()
def firmware() -> None:
    """Build the firmware and see what it costs."""


@firmware.command()
@_MODEL
@click.option(
    "--port", type=click.Choice(["esp32c3", "host", "esp-idf"]), default="esp32c3", show_default=True, help="For which."
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder to make. [default: firmware-PORT]")
@_COMPILER
def build(model: Path | None, port: PortName, out: Path | None, compiler: CompilerName) -> None:
    """Build the firmware with a model: an ELF for the ESP32-C3, a library for this machine, or a project for ESP-IDF."""
    from firmware.build import build as make
    from models.artifact import reference

    built = make(model or reference(DEFAULT_MACHINE), out or Path(f"firmware-{port}"), port, compiler)
    click.echo(f"{built.product}: build {built.build_id}, {built.compiler}")


@firmware.command()
@_MODEL
@_COMPILER
@click.option("--record", is_flag=True, help="Make the figures those that a test holds later ones against.")
def size(model: Path | None, compiler: CompilerName, record: bool) -> None:
    """Say what the firmware with a model costs on the ESP32-C3: text, rodata, data, bss by module, and the most stack.

    With the default model and compiler also beside what was recorded.
    """
    import tempfile

    from firmware.build import build as make
    from firmware.size import size_of, write_record
    from models.artifact import reference

    is_default = model is None and compiler == "zig"
    if record and not is_default:
        raise click.UsageError("--record goes without --model and --compiler: the record is of their defaults")
    with tempfile.TemporaryDirectory() as folder:
        built = make(model or reference(DEFAULT_MACHINE), Path(folder), "esp32c3", compiler)
        measured = size_of(built.product, built.objects)
    if record:
        write_record(measured, "esp32c3")
    for line in [*measured.lines(), *(["", *measured.against("esp32c3")] if is_default else [])]:
        click.echo(line)
