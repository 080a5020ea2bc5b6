"""The command `simtwin`: each command parses, calls one function of the library, prints."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from e2e.cli import e2e
from firmware.cli import firmware
from gateway.cli import serve
from models.cli import benchmark, compare, data, evaluate, evaluate_augmentation, export, monitor, train
from renode.cli import doctor, renode
from sim import __version__
from sim.calibration.command import CALIBRATION, calibrate, with_calibration
from sim.dataset.report.cli import report
from sim.errors import Interrupted, SimtwinError
from sim.progress import progress_bar

# Heavy modules are imported inside the commands, so that `simtwin --help` answers at once.

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
_SEED = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of all draws."
)


@click.group()
@click.version_option(__version__, prog_name="simtwin")
def cli() -> None:
    """Simulation-first digital twin of rotating machines: labelled IMU data from fault scenarios in YAML."""


cli.add_command(data)
cli.add_command(evaluate_augmentation)
for _command in (train, evaluate, compare, export, benchmark, monitor):
    cli.add_command(_command)
cli.add_command(calibrate)
cli.add_command(firmware)
cli.add_command(report)
cli.add_command(serve)
cli.add_command(e2e)
cli.add_command(renode)
cli.add_command(doctor)


@cli.command()
@_FILES
def validate(files: tuple[Path, ...]) -> None:
    """Check scenario FILES; says what is wrong and where, one line a problem."""
    from sim.scenario.reader import load
    from sim.scenario.schema import Scenario

    failed = 0
    for path in files:
        try:
            scenario = load(path, Scenario).model
        except SimtwinError as error:
            click.echo(str(error), err=True)
            failed += 1
        else:
            faults = ", ".join(fault.name for fault in scenario.faults) or "none"
            click.echo(
                f"{path}: ok (machine {scenario.machine.id}; faults: {faults}; sensors: {len(scenario.sensors)})"
            )
    if failed:
        raise SystemExit(2)


@cli.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from sim.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=1))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder to make. [default: SCENARIO-run]")
@_SEED
@click.option("--plots/--no-plots", default=True, show_default=True, help="Draw pictures.")
@CALIBRATION
def simulate(file: Path, out: Path | None, seed: int, plots: bool, calibration: Path | None) -> None:
    """Run the scenario FILE once: samples of every sensor as Parquet, and pictures."""
    from sim.scenario.reader import load
    from sim.scenario.schema import Scenario
    from sim.simulate import simulate as run

    loaded = with_calibration(load(file, Scenario), calibration)
    if loaded.model.dataset.windows_per_class is not None and len(loaded.model.faults) > 1:
        click.echo(f"note: all {len(loaded.model.faults)} faults act, each from its `onset_s` on", err=True)
    folder = out if out is not None else Path(f"{loaded.model.name}-run")
    with progress_bar("simulating", "s of machine time") as update:
        manifest = run(loaded, folder, seed, plots=plots, progress=update)
    for entry in manifest["files"]:
        click.echo(folder / entry["file"])


@cli.command()
@_FILES
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the dataset; must not exist.")
@_SEED
@click.option(
    "--windows", type=click.IntRange(min=1), default=None, help="Windows a scenario, instead of its own plan."
)
@click.option(
    "--times", type=click.IntRange(min=1), default=1, show_default=True,
    help="So many times the windows of the plan; several scenarios keep their proportions.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 256), default=len(os.sched_getaffinity(0)), show_default="all cores",
    help="Processes; the dataset's bytes do not depend on it.",
)  # fmt: skip
@click.option(
    "--real", metavar="DATASET", default=None,
    help="Real recordings of the machine: a name of `simtwin data list`, a YAML description, or a dataset folder.",
)  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=None,
    help="With --real: rate of the windows in Hz. [default: the recordings' own]",
)  # fmt: skip
@click.option("--skip-bad", is_flag=True, help="With --real: leave out recordings that cannot be used, and list them.")
@click.option(
    "--curate/--no-curate", default=True, show_default=True,
    help="With --real: leave out repeated stretches, spikes of the sensor, and rows that are no time series.",
)  # fmt: skip
@click.option(
    "--carry/--no-carry", default=True, show_default=True,
    help="With --real: carry recordings to the scenario's speeds, or keep each at its own.",
)  # fmt: skip
@CALIBRATION
@click.option(
    "--calibrate/--no-calibrate", default=True, show_default=True,
    help="With --real and no --calibration: first calibrate on the healthy recordings.",
)  # fmt: skip
@click.option(
    "--report/--no-report", "with_report", default=True, show_default=True,
    help="With --real: write report.html, real against synthetic, into the folder.",
)  # fmt: skip
def augment(
    files: tuple[Path, ...], out: Path, seed: int, windows: int | None, times: int, workers: int, real: str | None,
    rate: float | None, skip_bad: bool, curate: bool, carry: bool, calibration: Path | None, calibrate: bool,
    with_report: bool,
) -> None:  # fmt: skip
    """Make a labelled dataset from scenario FILES, or with --real from one and recordings of its machine.

    An interrupted run goes on where it was when the same command is given again.
    """
    from sim.scenario.reader import load
    from sim.scenario.schema import Scenario

    plain = [load(path, Scenario) for path in files]
    loaded = [with_calibration(scenario, calibration) for scenario in plain]
    if real is not None and times != 1:
        raise click.UsageError("--times is for simulated windows; with --real say --windows")
    if real is not None and len(loaded) > 1:
        raise click.UsageError("--real goes with one scenario, the twin of the machine that was recorded")
    try:
        if real is None:
            from sim.dataset.augment import augment as make

            with progress_bar("augmenting", "windows") as update:
                manifest = make(loaded, out, seed, windows=windows, times=times, workers=workers, progress=update)
        else:
            from models.curation.recordings import real_set
            from sim.calibration.command import calibrated_on
            from sim.dataset.workshop import refuse_to_overwrite
            from sim.hybrid.dataset import augment_real
            from sim.hybrid.hybrid import Mix

            mix = Mix(carry=carry, windows_per_draw=loaded[0].model.dataset.windows_per_recording)
            refuse_to_overwrite(out)
            recordings = real_set(real, skip_bad=skip_bad, curated=curate, rate_hz=rate)
            if calibrate and calibration is None:
                loaded = [calibrated_on(loaded[0], recordings.recordings)]
            with progress_bar("augmenting", "windows") as update:
                manifest = augment_real(
                    loaded[0], recordings, out, seed, windows=windows, mix=mix, workers=workers, progress=update
                )
    except KeyboardInterrupt:
        raise Interrupted("interrupted; give the same command again to go on from the finished parts") from None
    for kind in ("questions", "left_out"):
        for name, reason in manifest.get("real", {}).get(kind, []):
            click.echo(f"{kind.removesuffix('s').replace('_', ' ')}: {name}: {reason}", err=True)
    click.echo(f"{out}: {manifest['rows']} windows in {len(manifest['parts'])} parts")
    for row in manifest["counts"]:
        what = f"{row['label']} ({row['fault_kind']}), sensor {row['sensor_state']}, {row['provenance']}"
        click.echo(f"  {row['windows']:8d}  {what}")
    if real is not None and with_report:
        from sim.dataset.report.report import write_report

        fitted = None if loaded[0].model == plain[0].model else loaded[0].model
        with progress_bar("comparing", "classes") as update:
            click.echo(write_report(out, scenario=plain[0].model, calibrated=fitted, seed=seed, progress=update))


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--plots", type=click.Path(path_type=Path), default=None, help="Draw pictures by class into this folder.")
@click.option("--verify", is_flag=True, help="Check every part against its SHA-256.")
def inspect(folder: Path, plots: Path | None, verify: bool) -> None:
    """Say what is in the dataset FOLDER."""
    from sim.dataset import inspect as look
    from sim.dataset.manifest import read_manifest

    manifest = read_manifest(folder)
    if verify:
        with progress_bar("checking", "parts") as update:
            for done, total in look.verify(folder, manifest):
                update(done, total)
        click.echo(f"all {len(manifest['parts'])} parts are as written")
    table = look.labels(folder, manifest)
    length, channels = manifest["window_length"], manifest["channels"]
    click.echo(
        f"{folder}: {len(table)} windows of {length} x {len(channels)} ({', '.join(channels)}), "
        f"{table['recording_id'].nunique()} recordings, seed {manifest['seed']}"
    )
    click.echo(look.summary(table).to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    if plots is not None:
        for path in look.draw(folder, manifest, table, plots):
            click.echo(path)


def main() -> None:
    """Entry point: errors that the user can mend are printed as they are, without a traceback."""
    try:
        cli.main(standalone_mode=False)
    except SimtwinError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
