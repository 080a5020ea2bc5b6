"""Where observations come from: one kind of source a module, one interface (`gateway.sources.base`)."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.errors import GatewayError
from gateway.sources.base import Source

FORMS = (
    "ble, ble:ADAPTER, ble-virtual, ble-virtual://HOST:PORT, serial:///dev/NAME, tcp://HOST:PORT,"
    " scenario:FILE, scenario:FILE?model=FOLDER"
)
VIRTUAL_HOST, VIRTUAL_PORT = "127.0.0.1", 9470


def open_source(text: str) -> Source:
    """The source that a text names; nothing is opened yet.

    Raises:
        GatewayError: it names none.
    """
    # Imported when asked for: a gateway without Bluetooth need not wait for a Bluetooth stack.
    scheme, _, rest = text.partition(":")
    if scheme == "ble":
        from gateway.sources.ble import Ble

        return Ble(text, rest or None)
    if scheme == "ble-virtual":
        from gateway.sources.ble_virtual import BleVirtual

        return BleVirtual(text, *(_host_and_port(text) if rest else (VIRTUAL_HOST, VIRTUAL_PORT)))
    if scheme == "tcp":
        from gateway.sources.uart import Tcp

        return Tcp(text, *_host_and_port(text))
    if scheme == "serial" and rest.startswith("///"):
        from gateway.sources.uart import Serial

        return Serial(text, rest.removeprefix("//"))
    if scheme == "scenario" and rest:
        from gateway.sources.scenario import ScenarioSource

        return ScenarioSource(text, rest)
    raise GatewayError(f"source '{text}': allowed are {FORMS}")


def _host_and_port(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or parts.path or parts.query or parts.username:
        raise GatewayError(f"source '{text}': allowed are {FORMS}")
    return host, port
