"""The command `monitor`; models/cli.py hands it to the group."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from models.alert_policy import AlertPolicy
from sim.errors import ParameterError

# Heavy modules are imported inside the command, so that `simtwin --help` answers at once.


@click.command()
@click.option(
    "--model", "artifact", required=True, type=click.Path(path_type=Path), help="Artifact of `simtwin export`."
)
@click.option(
    "--source", required=True, metavar="KIND:WHICH",
    help="file:PATH, data:SET[/RECORDING], dataset:FOLDER, scenario:FILE[#SENSOR], stdin:RATE_HZ or i2c:BUS:ADDRESS.",
)  # fmt: skip
@click.option("--raise", "raised", default="4/6", show_default=True, metavar="K/N",
    help="Alert when K of the last N windows are flagged.",
)  # fmt: skip
@click.option("--clear", "cleared", type=click.IntRange(1, 255), default=6, show_default=True, metavar="M",
    help="End an alert after M windows in a row that are not.",
)  # fmt: skip
@click.option(
    "--float", "dynamic", is_flag=True, help="Run the dynamic-range model instead of the int8 one that the chip has."
)
@click.option("--json", "as_json", is_flag=True, help="Print lines of JSON.")
@click.option("--quiet", is_flag=True, help="Print alerts, the sensor's state and the summary only.")
@click.option(
    "--duration-s", type=click.FloatRange(min=0, min_open=True), default=None, help="Look at so much of the stream."
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of a scenario's run.")
def monitor(
    artifact: Path, source: str, raised: str, cleared: int, dynamic: bool, as_json: bool, quiet: bool,
    duration_s: float | None, seed: int,
) -> None:  # fmt: skip
    """Watch a stream with an exported model: a verdict a window, alerts, and a summary at the end (or at Ctrl-C).

    Needs LiteRT only: pip install 'simtwin[monitor]'. See docs/monitor.md.
    """
    from models.artifact import open_artifact
    from models.monitor.monitor import Event, Monitor, WindowJudged
    from models.monitor.source import Format, open_source

    policy = _policy(raised, cleared)
    opened = open_artifact(artifact)
    stream = open_source(source, Format.of(opened.preprocessing), seed)
    watch = Monitor(opened, stream, policy, dynamic=dynamic, duration_s=duration_s)

    def show(event: Event) -> None:
        if not (quiet and isinstance(event, WindowJudged)):
            click.echo(json.dumps(event.to_json()) if as_json else event.line())

    try:
        if not as_json:
            click.echo(
                f"{opened.architecture} of {artifact}, {'dynamic-range' if dynamic else 'int8'}; alerts {policy}"
            )
        try:
            for event in watch.events():
                show(event)
        except KeyboardInterrupt:
            pass  # the way to end a live stream
        for line in [json.dumps(watch.summary.to_json())] if as_json else watch.summary.lines():
            click.echo(line)
    except BrokenPipeError:  # nobody reads on: `simtwin monitor ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _policy(raised: str, cleared: int) -> AlertPolicy:
    flagged, _, of = raised.partition("/")
    try:
        return AlertPolicy(int(flagged), int(of), cleared)
    except ParameterError as error:
        raise click.UsageError(f"--raise {raised}: {error}") from None
    except ValueError:
        raise click.UsageError(f"--raise {raised}: allowed is K/N, such as 4/6") from None
