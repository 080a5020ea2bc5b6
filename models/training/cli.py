"""The commands `train`, `evaluate` and `compare`; models/cli.py hands them to the group."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from sim.errors import Interrupted
from sim.progress import progress_bar

# Heavy modules are imported inside the commands, so that `simtwin --help` answers at once.

_MODELS = "cnn, lstm, gru, transformer, autoencoder, mahalanobis, pca, isolation-forest, random-forest"
_DATASET = click.argument("dataset", type=click.Path(path_type=Path))


def _settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `train` and `compare` share."""
    options = [
        click.option("--target", type=click.Choice(["binary", "kind", "label"]), default="binary", show_default=True,
                     help="Tell normal from anomaly, kinds of fault, or labels."),
        click.option("--folds", type=click.IntRange(2, 100), default=5, show_default=True,
                     help="Of the cross-validation, by recording."),
        click.option("--epochs", type=click.IntRange(min=1), default=60, show_default=True, help="At most."),
        click.option("--patience", type=click.IntRange(min=1), default=15, show_default=True,
                     help="Epochs without a better validation F1 after which training ends."),
        click.option("--balance", type=click.Choice(["weights", "resample", "none"]), default="weights",
                     show_default=True, help="Weigh classes, draw them alike, or take them as they are."),
        click.option("--false-alarm-rate", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.01,
                     show_default=True, help="Share of normal windows that may be flagged; sets the threshold."),
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True,
                     help="Of splits, weights and batches."),
        click.option("--scaling", type=click.Choice(["log", "linear"]), default="log", show_default=True,
                     help="How samples become the network's input."),
        click.option("--decimation", type=click.IntRange(1, 64), default=1, show_default=True,
                     help="Keep one sample in so many, behind a low-pass."),
        click.option("--hop", type=click.IntRange(min=1), default=None,
                     help="Samples from one window to the next in use, for false alarms per day. [default: a window]"),
        click.option("--channels", default="", help="Comma-separated. [default: the accelerometer's]"),
        click.option("--workers", type=click.IntRange(1, 256), default=len(os.sched_getaffinity(0)),
                     show_default="all cores", help="Processes, of one thread each."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_DATASET
@click.option("--arch", required=True, metavar="NAME", help=f"One of {_MODELS}.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder to make. [default: DATASET-ARCH]")
@_settings
def train(dataset: Path, arch: str, out: Path | None, channels: str, workers: int, **options: Any) -> None:
    """Train one model on DATASET (made by `augment`) and judge it, split by recording.

    Makes a folder with the final model, its figures and report.html. The same command goes on after an interruption.
    """
    from models.training.detector import Settings
    from models.training.run import REPORT
    from models.training.run import train as run

    settings, folder = Settings(**options), out or dataset.with_name(f"{dataset.name}-{arch}")
    try:
        with progress_bar("training", "epochs") as update:
            done = run(dataset, arch, folder, settings, channels=_names(channels), workers=workers, progress=update)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; give the same command again to go on from the finished folds") from None
    _print(_metrics(done.path))
    click.echo(done.path / REPORT)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dataset", type=click.Path(path_type=Path), default=None, help="Judge the final model on this one.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder of that. [default: RUN/on-DATASET]")
def evaluate(run: Path, dataset: Path | None, out: Path | None) -> None:
    """Judge a RUN: the figures of its cross-validation, or of its final model on another dataset."""
    from models.training.run import REPORT, evaluate_on, open_run
    from models.training.run import evaluate as judge

    opened = open_run(run)
    if dataset is None:
        _print(judge(opened))
        click.echo(run / REPORT)
        return
    folder = out or run / f"on-{dataset.resolve().name}"
    _print(evaluate_on(opened, dataset, folder))
    click.echo(folder / REPORT)


@click.command()
@_DATASET
@click.option(
    "--arch", "archs", default="", help=f"Comma-separated: {_MODELS}. [default: all]",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Folder to make. [default: DATASET-compared]"
)
@_settings
def compare(dataset: Path, archs: str, out: Path | None, channels: str, workers: int, **options: Any) -> None:
    """Train several models on the same folds of DATASET: one table by F1, and which differences are within noise."""
    from models.training.compare import TABLE, table
    from models.training.compare import compare as run
    from models.training.crossval import DETECTORS
    from models.training.detector import Settings

    folder = out or dataset.with_name(f"{dataset.name}-compared")
    try:
        with progress_bar("training", "epochs") as update:
            found = run(
                dataset, _names(archs) or tuple(DETECTORS), folder, Settings(**options), channels=_names(channels),
                workers=workers, progress=update,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise Interrupted("interrupted; give the same command again to go on from the finished folds") from None
    click.echo(table(found), nl=False)
    click.echo(folder / TABLE)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _metrics(folder: Path) -> dict[str, Any]:
    import json

    from models.training.run import METRICS

    content: dict[str, Any] = json.loads((folder / METRICS).read_text())
    return content


def _print(found: Mapping[str, Any]) -> None:
    from models.scores import interval_text
    from models.training.report import NAMES, remarks

    click.echo(f"{found['of']}: {found['windows']} windows of {found['recordings']} recordings")
    for key, name in NAMES.items():
        if key in found["scores"]:
            click.echo(f"  {name:42s} {interval_text(found['scores'][key], 0 if key == 'false_alarms_per_day' else 3)}")
    for remark in remarks(found):
        click.echo(f"  note: {remark}")
