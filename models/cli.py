"""Commands of `simtwin` that deal in real recordings and models; sim/cli.py adds them to the group."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from models.monitor.cli import monitor
from models.training.cli import compare, evaluate, train
from sim.progress import progress_bar

__all__ = ["benchmark", "compare", "data", "evaluate", "evaluate_augmentation", "export", "monitor", "train"]

# Heavy modules are imported inside the commands, so that `simtwin --help` answers at once.


@click.group()
def data() -> None:
    """Real recordings: which sets there are, where they come from, what is in them."""


@data.command("list")
def list_() -> None:
    """List the known sets: where they are, their licence, and whether they are on this machine."""
    from models.datasets.show import catalogue

    for line in catalogue():
        click.echo(line)


@data.command()
@click.argument("name")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), default=None,
    help="Folder of the data. [default: the folder that `data list` names]",
)  # fmt: skip
@click.option("--mirror", default=None, metavar="URL", help="Ask this server instead of GitHub, under the same paths.")
def fetch(name: str, folder: Path | None, mirror: str | None) -> None:
    """Fetch the set NAME from its public origin; every file is checked against its pinned SHA-256."""
    from models.datasets.fetch import fetch as get

    with progress_bar("fetching", "files") as update:
        target = get(name, folder, mirror=mirror, progress=update)
    click.echo(target)


@data.command()
@click.argument("name_or_path")
@click.option("--skip-bad", is_flag=True, help="Leave out recordings that cannot be used, and list them.")
def show(name_or_path: str, skip_bad: bool) -> None:
    """Show the recordings of a known set, a described file (.yaml) or a dataset folder.

    NAME_OR_PATH: adi, cwru, uci_fan, ceiling_fan, skab, smartmanuad/54, my.yaml, my-dataset/.
    """
    from models.datasets.show import table

    for line in table(name_or_path, skip_bad=skip_bad):
        click.echo(line)


_CURATION = ("labels", "duplicates", "order", "outliers", "share", "normal_spans", "thinning", "balance", "length")


def _switches(command: Callable[..., Any]) -> Callable[..., Any]:
    """A flag --no-RULE for each rule of curation."""
    for name in reversed(_CURATION):
        flag = f"--no-{name.replace('_', '-')}"
        command = click.option(flag, name, is_flag=True, help=f"Switch the rule `{name}` off.")(command)
    return command


@data.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write what is kept here; must not exist.")
@click.option(
    "--rule", "settings", multiple=True, metavar="KEY=VALUE",
    help="Set a rule's parameter, such as thinning.target=50000. A KEY that does not exist lists them all.",
)  # fmt: skip
@_switches
def curate(folder: Path, out: Path | None, settings: tuple[str, ...], **off: bool) -> None:
    """Say which labelled sets in FOLDER are fit for training; cut, thin and weigh them.

    FOLDER holds NPZ files with X (n, d) and y (n,), 1 for an anomaly, as SmartManuAD has them. With --out the
    sets kept are written as Parquet files, and all decisions as manifest.json.
    """
    from rich.console import Console

    from models.curation.curate import all_rules
    from models.curation.folder import curate_folder, summary, table

    rules = all_rules((name for name, chosen in off.items() if chosen), settings)
    with progress_bar("curating", "files") as update:
        outcomes = curate_folder(folder, rules, out=out, progress=update)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(table(outcomes))
    click.echo(summary(outcomes))
    if out is not None:
        click.echo(out)


@click.command("evaluate-augmentation")
@click.option(
    "--protocol", "protocols", multiple=True, metavar="NAME",
    help="a, a_time, b, c (c1, c2, c5), all, d or e; may be given again. [default: all of them]",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=5, show_default=True, help="Repetitions with other draws."
)
@click.option(
    "--models", default="", help="Comma-separated: conv, forest, forest-normalised, mahalanobis. [default: all]"
)
@click.option("--arms", default="", help="Comma-separated: real, classical, synthetic, hybrid. [default: all]")
@click.option(
    "--dataset", default=None, metavar="NAME_OR_PATH", help="Recordings to use instead of the protocol's own set."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("evaluation"), show_default=True,
    help="Folder of the report, and of what is kept to go on after an interruption.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes, of one thread each."
)
def evaluate_augmentation(
    protocols: tuple[str, ...], seeds: int, models: str, arms: str, dataset: str | None, out: Path, workers: int
) -> None:
    """Measure whether augmentation helps on real recordings it has not seen.

    Trains the same models on real labels only, with classical augmentation, and with simulated faults, under the same
    splits by recording. Prints tables; writes them with a picture. The same command goes on after an interruption.
    """
    from models.evaluation import chosen_arms, chosen_models, evaluate
    from models.evaluation_report import summarise, tables, write
    from models.protocols import chosen_protocols, on
    from sim.errors import Interrupted

    chosen = [on(protocol, dataset) if dataset else protocol for protocol in chosen_protocols(protocols)]
    try:
        with progress_bar("evaluating", "jobs") as update:
            results = evaluate(chosen, chosen_arms(arms), chosen_models(models), seeds, out, workers, update)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; give the same command again to go on from what {out} holds") from None
    summary = summarise(chosen, results)
    files = write(summary, out)
    click.echo(tables(summary), nl=False)
    for path in files:
        click.echo(path)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("benchmark"), show_default=True, help="Folder to make."
)
@click.option("--quick", is_flag=True, help="Every fourth set, fewer windows and epochs.")
@click.option("--arch", "archs", default="", help="Comma-separated, as in `simtwin compare`. [default: all]")
@click.option("--windows", type=int, default=None, help="Of a set, at most. [default: 1000; quick: 300]")
@click.option("--epochs", type=int, default=None, help="Of a network, at most. [default: 25; quick: 8]")
@click.option("--folds", type=click.IntRange(3, 20), default=3, show_default=True, help="Of the cross-validation.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of all draws.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes, of one thread each."
)
def benchmark(
    folder: Path | None, out: Path, quick: bool, archs: str, windows: int | None, epochs: int | None, folds: int,
    seed: int, workers: int,
) -> None:  # fmt: skip
    """Train and test all models on every set of FOLDER that curation keeps, beside the original project's figures.

    FOLDER holds labelled sets as for `simtwin data curate`. [default: where `data list` has smartmanuad]. Prints tables;
    writes them with a picture. The same command goes on after an interruption.
    """
    from dataclasses import replace

    from models.benchmark.report import CONTENT, PICTURE, TABLES, tables
    from models.benchmark.run import FULL, QUICK
    from models.benchmark.run import benchmark as run
    from models.datasets.smartmanuad import READER
    from sim.errors import Interrupted

    asked = {name: value for name, value in (("windows", windows), ("epochs", epochs)) if value is not None}
    effort = replace(QUICK if quick else FULL, folds=folds, seed=seed, **asked)
    names = [name.strip() for name in archs.split(",") if name.strip()]
    try:
        found = run(folder or READER.place(), out, progress_bar, effort, archs=names, workers=workers)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; give the same command again to go on from the finished folds") from None
    click.echo(tables(found), nl=False)
    for name in (TABLES, CONTENT, PICTURE):
        click.echo(out / name)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of the artifact, to make. [default: RUN/artifact]",
)
def export(run: Path, out: Path | None) -> None:
    """Export the network of the folder RUN (of `simtwin train`) for the chip and for Linux.

    Prints size, operators, memory, cost, and how int8 differs from float. The artifact's files carry their SHA-256.
    """
    from models.export.run import export_run

    artifact, exported = export_run(run, out)
    for line in exported.lines():
        click.echo(line)
    click.echo(artifact.folder)
