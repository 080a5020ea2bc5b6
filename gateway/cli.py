"""The command `simtwin serve`."""

from __future__ import annotations

import logging
from pathlib import Path

import click


@click.command()
@click.option(
    "--source", "sources", multiple=True, required=True,
    help="Where alerts come from; may be given several times: ble, ble-virtual, serial:///dev/ttyUSB0, tcp://HOST:PORT,"
    " scenario:FILE.",
)  # fmt: skip
@click.option(
    "--store", type=click.Path(path_type=Path, dir_okay=False), default=Path("gateway.db"), show_default=True,
    help="File that keeps devices, alerts and readings; made if it is not there.",
)  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), default=None, help="YAML file: devices, keys, broker.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to bind to; others than loopback need a token."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 is any free port.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), default=None, envvar="SIMTWIN_TOKEN_FILE",
    help="File with the token that allows changes, at least 16 characters. [default: made up at every start]",
)  # fmt: skip
def serve(
    sources: tuple[str, ...], store: Path, config: Path | None, host: str, port: int, token_file: Path | None
) -> None:
    """Receive alerts, store them, and show them on a web page."""
    from gateway.config import Config
    from gateway.errors import GatewayError
    from gateway.server import serve as run
    from sim.scenario.reader import read

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("gateway").setLevel(logging.INFO)
    token = None
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise GatewayError(f"{token_file}: cannot be read: {getattr(error, 'strerror', 'not UTF-8')}") from None
    settings = Config() if config is None else read(config, Config)
    run(sources, store, settings, host, port, token, lambda line: click.echo(line))
