"""`simtwin calibrate`, and the option `--calibration` of other commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.errors import DatasetError
from sim.progress import progress_bar

if TYPE_CHECKING:
    from sim.calibration.calibration import Calibration
    from sim.dataset.real import RealRecording
    from sim.scenario.reader import Loaded
    from sim.scenario.schema import Scenario

# Heavy modules are imported inside the commands, so that `simtwin --help` answers at once.

CALIBRATION = click.option(
    "--calibration", type=click.Path(path_type=Path), default=None,
    help="What `simtwin calibrate` wrote of this machine; applied to every scenario.",
)  # fmt: skip

_KEYS = ("id", "speed_rpm", "load", "machine_id", "sensor_id", "group", "source")


def with_calibration(loaded: Loaded[Scenario], path: Path | None) -> Loaded[Scenario]:
    """The scenario with the calibration at `path` applied; its file stands among those the scenario was read from."""
    from sim.calibration.calibration import Calibration, apply
    from sim.scenario.reader import load

    if path is None:
        return loaded
    calibration = load(path, Calibration)
    return replace(loaded, model=apply(loaded.model, calibration.model), files={**loaded.files, **calibration.files})


def calibrated_on(loaded: Loaded[Scenario], recordings: Sequence[RealRecording]) -> Loaded[Scenario]:
    """The scenario calibrated on its machine's healthy recordings; as it stands, with a note, where they do not do."""
    from sim.calibration.calibration import calibrated

    try:
        return replace(loaded, model=calibrated(loaded.model, [r for r in recordings if r.normal]))
    except DatasetError as error:
        click.echo(f"note: the scenario is not calibrated: {error}", err=True)
        return loaded


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--healthy", required=True, metavar="RECORDINGS",
    help="A known set (`simtwin data list`), a YAML file that describes recordings, or a dataset folder; its normal"
    " recordings are used.",
)  # fmt: skip
@click.option(
    "--where", "conditions", multiple=True, metavar="KEY=VALUE",
    help=f"Use only recordings with this {', '.join(_KEYS)}; may be given again.",
)  # fmt: skip
@click.option("--skip-bad", is_flag=True, help="Leave out recordings that cannot be used, and list them.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="File to write. [default: SCENARIO-calibration.yaml]"
)
@click.option(
    "--plots", type=click.Path(path_type=Path), default=None, help="Draw fit against measurement into this folder."
)
def calibrate(
    scenario: Path, healthy: str, conditions: tuple[str, ...], skip_bad: bool, out: Path | None, plots: Path | None
) -> None:
    """Fit the twin of SCENARIO to a machine from its healthy recordings.

    Speed, residual unbalance and misalignment, resonances and damping of the path, rolling noise and sensor noise, each
    with its standard deviation. `simtwin simulate` and `simtwin augment` take the file as --calibration.
    """
    from models.datasets.base import survey_recordings
    from sim.calibration.calibration import calibrate as fit
    from sim.scenario.reader import load
    from sim.scenario.schema import Scenario

    model = load(scenario, Scenario).model
    survey = survey_recordings(healthy, skip_bad)
    for name, reason in survey.left_out:
        click.echo(f"left out: {name}: {reason}", err=True)
    chosen = _chosen(survey.recordings, conditions)
    with progress_bar("calibrating", "steps") as update:
        found = fit(model, chosen, update)
    for line in summary(found.calibration):
        click.echo(line)
    path = out if out is not None else Path(f"{model.name}-calibration.yaml")
    found.calibration.write(path)
    click.echo(path)
    if plots is not None:
        from sim.calibration.plots import draw

        for picture in draw(found, plots):
            click.echo(picture)


def summary(calibration: Calibration) -> list[str]:
    """The calibration in lines for people."""
    lines = [f"machine {calibration.machine_id}, {len(calibration.recordings)} healthy recordings"]
    for r in calibration.recordings:
        level = f"{r.level_db.value:+.1f} +- {r.level_db.std:.1f} dB"
        lines.append(f"  {r.id}: {r.speed_rpm.value:.2f} +- {r.speed_rpm.std:.2f} rpm, rolling noise {level}")
    figures = {
        "residual unbalance, g mm": calibration.residual_unbalance_g_mm,
        "residual offset, mm": calibration.residual_offset_mm,
        "residual angle, deg": calibration.residual_angle_deg,
        **{f"rolling noise {position}, N": figure for position, figure in calibration.noise_n.items()},
        "rolling noise grows with speed to the power": calibration.noise_speed_exponent,
        "rolling noise's corner, orders": calibration.noise_corner_order,
        **{f"sensor noise {c}, ug/sqrt(Hz)": f for c, f in calibration.sensor_noise_ug_per_sqrt_hz.items()},
    }
    lines += [f"{name}: {figure}" for name, figure in figures.items() if figure is not None]
    lines.append(f"modes from {calibration.low_hz:.0f} to {calibration.high_hz:.0f} Hz:")
    for mode in calibration.modes:
        parts = ", ".join(f"{f.value:.2g}" for f in mode.participation.values())
        lines.append(
            f"  {mode.frequency_hz.value:8.1f} +- {mode.frequency_hz.std:.1f} Hz, damping {mode.damping_ratio.value:.3f} +-"
            f" {mode.damping_ratio.std:.3f}, participation {parts} kg^-1/2"
        )
    misfits = ", ".join(f"{name} {db:.1f}" for name, db in calibration.misfit_db.items())
    lines.append(f"misfit of the spectra, dB RMS: {misfits}")
    return lines


def _chosen(recordings: Sequence[RealRecording], conditions: Sequence[str]) -> list[RealRecording]:
    """Recordings that meet all conditions KEY=VALUE."""
    import math

    chosen = list(recordings)
    for condition in conditions:
        key, _, wanted = condition.partition("=")
        if key not in _KEYS or not wanted:
            raise DatasetError(f"--where {condition}: expected KEY=VALUE with KEY one of {', '.join(_KEYS)}")
        if key in ("speed_rpm", "load"):
            try:
                number = float(wanted)
            except ValueError:
                raise DatasetError(f"--where {condition}: {wanted!r} is not a number") from None
            chosen = [r for r in chosen if math.isclose(getattr(r, key), number, rel_tol=1e-3, abs_tol=1e-6)]
        else:
            chosen = [r for r in chosen if getattr(r, key) == wanted]
        if not chosen:
            raise DatasetError(f"--where {condition}: no recording has that")
    return chosen
