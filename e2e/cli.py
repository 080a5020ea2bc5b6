"""The command `simtwin e2e`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from sim.progress import progress_bar


@click.command()
@click.argument("what", nargs=-1, type=click.Path(path_type=Path), metavar="[SCENARIO | SUITE]...")
@click.option(
    "--engine", type=click.Choice(["builtin", "renode"]), default="builtin", show_default=True,
    help="Emulator: the built-in one, or Renode (see `simtwin doctor`).",
)  # fmt: skip
@click.option(
    "--chip", type=click.Choice(["esp32c3", "esp32"]), default="esp32c3", show_default=True,
    help="Emulated chip; the built-in emulator has the ESP32-C3 only.",
)  # fmt: skip
@click.option(
    "--model", type=click.Path(path_type=Path), default=None,
    help="Artifact of `simtwin export`. [default: the reference model of the scenario's machine]",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), default=None,
    help="Folder to make, with transcript, result and picture of every run. [default: none is kept]",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of all draws.")
@click.option("--uart", is_flag=True, help="Print the firmware's console as it comes.")
@click.option(
    "--gdb", type=click.IntRange(0, 65535), default=None, metavar="PORT",
    help="Wait for GDB at this TCP port before the first instruction; 0: any that is free. One scenario, built-in emulator.",
)  # fmt: skip
def e2e(
    what: tuple[Path, ...],
    engine: Literal["builtin", "renode"],
    chip: Literal["esp32c3", "esp32"],
    model: Path | None,
    out: Path | None,
    seed: int,
    uart: bool,
    gdb: int | None,
) -> None:
    """Run scenarios from end to end: twin, IMU, firmware on an emulated ESP32-C3, alerts; says whether all was as expected.

    SCENARIO is a YAML file: what is expected follows from its faults and its `expect` section. SUITE is the name of a Robot
    suite (renode/tests); neither runs all suites. On Renode a scenario is a test too: its console must be the built-in
    emulator's, line by line. Exit code 1 when something was not as expected, 9 when Renode was asked for and is not here.
    """
    scenarios = tuple(path for path in what if path.suffix in (".yaml", ".yml"))
    names = [str(path) for path in what if path not in scenarios]
    if engine == "builtin" and chip != "esp32c3":
        raise click.UsageError(f"the built-in emulator has the esp32c3 only; --engine renode runs the {chip}")
    if gdb is not None and (engine == "renode" or names or len(scenarios) != 1):
        raise click.UsageError("--gdb goes with one scenario and the built-in emulator")
    if engine == "renode" or names or not scenarios:
        _suites(names, scenarios, engine, chip, model, out, seed)
        return
    _scenarios(scenarios, model, out, seed, uart, gdb)


def _suites(
    names: Sequence[str],
    scenarios: Sequence[Path],
    engine: Literal["builtin", "renode"],
    chip: Literal["esp32c3", "esp32"],
    model: Path | None,
    out: Path | None,
    seed: int,
) -> None:
    from renode.cli import report_tests
    from renode.suites import builtin, on_renode

    def told(doing: str) -> None:
        click.echo(doing, err=True)

    if engine == "renode":
        report_tests(on_renode(names, scenarios, model, out, seed, told, chip))
    elif scenarios:
        raise click.UsageError("give scenarios or suites, not both")
    else:
        report_tests(builtin(names, model, out, seed, told))


def _scenarios(
    scenarios: Sequence[Path], model: Path | None, out: Path | None, seed: int, uart: bool, gdb: int | None
) -> None:
    from functools import partial

    from e2e.suite import run_all

    def line(time_s: float, text: str) -> None:
        click.echo(f"{time_s:9.3f}  {text}")

    def told(text: str) -> None:
        click.echo(text, err=True)

    if gdb is None:
        debugger = None
    else:
        from emulator.gdb import GdbServer

        debugger = GdbServer(gdb, told)
    failed = 0
    progress = partial(progress_bar, unit="s")
    for outcome in run_all(scenarios, model, out, seed, line if uart else None, progress, debugger):
        name, taken = outcome.scenario.name, f"{outcome.duration_s:g} s of machine time in {outcome.wall_s:.1f} s"
        click.echo(f"{'passed' if outcome.passed else 'FAILED'}  {name}  ({taken})")
        for finding in outcome.findings:
            click.echo(f"  {'ok  ' if finding.passed else 'FAIL'}  {finding.text}")
        failed += not outcome.passed
    click.echo(f"{len(scenarios) - failed} of {len(scenarios)} scenarios as expected")
    if out is not None:
        click.echo(out)
    if failed:
        raise SystemExit(1)
