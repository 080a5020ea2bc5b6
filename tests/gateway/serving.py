"""A gateway behind a real web server, in a thread of the test."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from gateway.auth import Auth
from gateway.config import Config
from gateway.server import run_until
from gateway.service import Gateway
from gateway.sources import open_source
from gateway.sources.base import Source
from gateway.sources.ble_virtual import BleVirtual
from gateway.store import Store

TOKEN = "a token for tests only"
R = TypeVar("R")


class Served:
    """A gateway that runs.

    Attributes:
        url: where it is, without a slash at the end.
        gateway: itself; to be used on its own loop, see `do`.
        air: its virtual radio.
    """

    def __init__(self, gateway: Gateway, loop: asyncio.AbstractEventLoop, url: str, air: BleVirtual) -> None:
        self.gateway, self.url, self.air, self._loop = gateway, url, air, loop

    def do(self, function: Callable[..., R], *arguments: object) -> R:
        """Call a function on the gateway's loop."""

        async def call() -> R:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    def client(self, *, token: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10)


@contextmanager
def served(
    path: Path, *, open_reads: bool = True, config: Config | None = None, sources: Sequence[Source] = ()
) -> Iterator[Served]:
    """Serve a store on a free port until the block ends; a virtual radio is always among the sources."""
    ready = threading.Event()
    holder: list[Served] = []
    failure: list[BaseException] = []
    stops: list[Callable[[], object]] = []
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def run() -> None:
        store = Store(path)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        gateway = Gateway(config or Config(), store)
        air = open_source("ble-virtual://127.0.0.1:0")
        assert isinstance(air, BleVirtual)
        holder.append(Served(gateway, loop, url, air))
        loop.call_later(0.1, ready.set)
        try:
            await run_until(stop, gateway, [air, *sources], Auth(TOKEN, open_reads=open_reads), listening)
        finally:
            store.close()

    def guarded() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failure.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=guarded)
    thread.start()
    assert ready.wait(10)
    try:
        if not failure:
            yield holder[0]
    finally:
        if stops:
            stops[0]()
        thread.join(15)
        listening.close()
    assert not thread.is_alive()
    if failure:
        raise failure[0]
