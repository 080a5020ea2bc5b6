"""The commands `simtwin renode ...` and `simtwin doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.progress import progress_bar

if TYPE_CHECKING:
    from firmware.compiler import ChipName
    from renode.suites import Tested

_SEED = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of all draws."
)
_MODEL = click.option(
    "--model", type=click.Path(path_type=Path), default=None,
    help="Artifact of `simtwin export`. [default: the reference model of each machine]",
)  # fmt: skip


@click.group()
def renode() -> None:
    """Bring the firmware and its suites to Renode."""


@renode.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder to make. [default: SCENARIO-feed]")
@click.option("--gyro/--no-gyro", default=True, show_default=True, help="With the gyroscope's samples.")
@_SEED
def feed(scenario: Path, out: Path | None, gyro: bool, seed: int) -> None:
    """Write what the IMUs of SCENARIO measure as RESD files for Renode's LSM6DSO, one a sensor."""
    from renode.feed import feed as write
    from sim.scenario.reader import load
    from sim.scenario.schema import Scenario

    loaded = load(scenario, Scenario).model
    with progress_bar(f"simulating {loaded.name}", "sensors") as update:
        fed = write(loaded, out or Path(f"{loaded.name}-feed"), seed, gyro=gyro, progress=update)
    for path in fed.files:
        click.echo(path)


@renode.command()
@click.argument("scenarios", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@click.option(
    "--chip",
    "chips",
    type=click.Choice(["esp32c3", "esp32"]),
    multiple=True,
    help="For which chip; several times for several. The ESP32-C3 is always there. [default: all whose compiler is here]",
)
@_MODEL
@_SEED
def bundle(scenarios: tuple[Path, ...], out: Path, chips: tuple[ChipName, ...], model: Path | None, seed: int) -> None:
    """Pack all suites, and SCENARIOS as further tests, for a machine where only Renode is: `python3 OUT/run.py`.

    Exit code 1 when a test fails on the built-in emulator, whose transcripts the bundle expects.
    """
    from firmware.compiler import CHIPS, chips_here
    from renode.suites import bundle as make

    wanted = [chip for chip in CHIPS if chip == "esp32c3" or chip in chips]
    if not chips:
        wanted, missing = chips_here()
        for line in missing:
            click.echo(line, err=True)
    report_tests(make(out, scenarios, model, seed, lambda what: click.echo(what, err=True), chips=wanted))
    click.echo(out)


@renode.command()
def install() -> None:
    """Get Renode's official portable release, its SHA-256 checked, into the user's cache."""
    from renode.install import RELEASES, asset_here, default_folder
    from renode.install import install as get

    asset = asset_here()
    with progress_bar(asset.name, "bytes") as update:
        folder = get(asset, RELEASES, default_folder(), update)
    click.echo(folder)


@click.command()
def doctor() -> None:
    """Say what is here of what the end-to-end suites need, and how to get the rest. Exit code 1 when Renode cannot run."""
    from renode.install import checks

    lacking = 0
    for check in checks():
        click.echo(f"{'ok     ' if check.found else 'missing'}  {check.what}: {check.says}")
        lacking += check.needed and not check.found
    if lacking:
        raise SystemExit(1)


def report_tests(tested: Sequence[Tested]) -> None:
    """Print every test and how many passed; SystemExit(1) unless all did."""
    for test in tested:
        click.echo(f"{'passed' if test.passed else 'FAILED'}  {test.suite}: {test.name}")
        for line in test.message.splitlines()[:3]:
            click.echo(f"  {line}")
    failed = sum(not test.passed for test in tested)
    click.echo(f"{len(tested) - failed} of {len(tested)} tests passed")
    if failed or not tested:
        raise SystemExit(1)
