"""The command `simtwin e2e`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path))
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
def e2e(scenarios: tuple[Path, ...], model: Path | None, out: Path | None, seed: int, uart: bool) -> None:
    """Run SCENARIOS from end to end: twin, IMU, firmware on an emulated ESP32-C3, alerts; says whether all was as expected.

    What is expected follows from the scenario's faults and its `expect` section. Exit code 1 when a run was not as expected.
    """
    from e2e.suite import run_all

    def line(time_s: float, text: str) -> None:
        click.echo(f"{time_s:9.3f}  {text}")

    failed = 0
    for outcome in run_all(scenarios, model, out, seed, line if uart else None):
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
