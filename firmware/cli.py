"""The commands `simtwin firmware ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from firmware.compiler import ChipName, CompilerName, PortName

_MODEL = click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=None,
    help="Artifact of `simtwin export`, or a folder with its model.c. [default: the reference model of the bearing rig]",
)
DEFAULT_MACHINE = "bearing_rig"
_COMPILER = click.option(
    "--compiler", type=click.Choice(["zig", "gcc", "clang"]), default=None,
    help="zig from PyPI, or Debian's gcc for the chip; for the ESP32 gcc or clang. [default: zig, for the ESP32 gcc]",
)  # fmt: skip


@click.group()
def firmware() -> None:
    """Build the firmware and see what it costs."""


@firmware.command()
@_MODEL
@click.option(
    "--port",
    type=click.Choice(["esp32c3", "esp32", "host", "esp-idf"]),
    default="esp32c3",
    show_default=True,
    help="For which.",
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder to make. [default: firmware-PORT]")
@_COMPILER
def build(model: Path | None, port: PortName, out: Path | None, compiler: CompilerName | None) -> None:
    """Build the firmware with a model: an ELF for a chip, a library for this machine, or a project for ESP-IDF."""
    from firmware.build import build as make
    from models.artifact import reference

    built = make(model or reference(DEFAULT_MACHINE), out or Path(f"firmware-{port}"), port, compiler)
    click.echo(f"{built.product}: build {built.build_id}, {built.compiler}")


@firmware.command()
@_MODEL
@click.option(
    "--port",
    "ports",
    type=click.Choice(["esp32c3", "esp32"]),
    multiple=True,
    help="For which chip; several times for several. [default: all whose compiler is here]",
)
@_COMPILER
@click.option("--record", is_flag=True, help="Make the figures those that a test holds later ones against.")
def size(model: Path | None, ports: tuple[ChipName, ...], compiler: CompilerName | None, record: bool) -> None:
    """Say what the firmware with a model costs on the chips: text, rodata, data, bss by module, and the most stack.

    With the default model and compilers also beside what was recorded.
    """
    import tempfile

    from firmware.build import build as make
    from firmware.compiler import chips_here
    from firmware.size import size_of, table, write_record
    from models.artifact import reference

    is_default = model is None and compiler is None
    if record and not is_default:
        raise click.UsageError("--record goes without --model and --compiler: the record is of their defaults")
    chips = list(ports)
    if not chips:
        chips, missing = chips_here(compiler)
        for line in missing:
            click.echo(line, err=True)
    sizes = {}
    for chip in chips:
        with tempfile.TemporaryDirectory() as folder:
            built = make(model or reference(DEFAULT_MACHINE), Path(folder), chip, compiler)
            sizes[str(chip)] = size_of(built.product, built.objects)
    for line in table(sizes):
        click.echo(line)
    for name, measured in sizes.items():
        if record:
            write_record(measured, name)
        for line in ["", name, *measured.against(name)] if is_default else []:
            click.echo(line)
