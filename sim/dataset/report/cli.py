"""`simtwin report`."""

from __future__ import annotations

from pathlib import Path

import click

from sim.calibration.command import CALIBRATION
from sim.progress import progress_bar

# Heavy modules are imported inside the command, so that `simtwin --help` answers at once.


@click.command()
@click.argument("folder", metavar="DATASET_DIR", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="File. [default: DATASET_DIR/report.html]")
@click.option(
    "--scenario", type=click.Path(path_type=Path), default=None,
    help="The machine's twin: windows simulated throughout are compared as well.",
)  # fmt: skip
@CALIBRATION
@click.option(
    "--uncalibrated", type=click.Path(path_type=Path), default=None, metavar="DIR",
    help="The dataset once more, made without calibration, to compare with.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of all draws.")
def report(
    folder: Path, out: Path | None, scenario: Path | None, calibration: Path | None, uncalibrated: Path | None, seed: int
) -> None:  # fmt: skip
    """Write a page that says whether the synthetic windows of DATASET_DIR look like its real ones.

    Spectra by class, distance and coverage in feature space, counts, severities, settings. With --scenario and
    --calibration also the twin before and after calibration.
    """
    from sim.calibration.command import with_calibration
    from sim.dataset.report.report import write_report
    from sim.scenario.reader import load
    from sim.scenario.schema import Scenario

    if calibration is not None and scenario is None:
        raise click.UsageError("--calibration needs the --scenario it belongs to")
    plain = None if scenario is None else load(scenario, Scenario)
    fitted = None if plain is None or calibration is None else with_calibration(plain, calibration).model
    with progress_bar("comparing", "classes") as update:
        path = write_report(
            folder, out, scenario=None if plain is None else plain.model, calibrated=fitted, uncalibrated=uncalibrated,
            seed=seed, progress=update,
        )  # fmt: skip
    click.echo(path)
