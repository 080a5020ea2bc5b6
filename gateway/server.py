"""`simtwin serve`: the gateway behind a web server."""

from __future__ import annotations

import asyncio
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from gateway import api, pages
from gateway.auth import LOCAL_HOSTS, Auth, LoginRequired, auth_for
from gateway.config import Config
from gateway.errors import GatewayError
from gateway.limits import HEADER_BYTES, Limits
from gateway.service import Gateway
from gateway.sources import open_source
from gateway.sources.base import Source
from gateway.store import Store
from sim import __version__

_SHUTDOWN_S = 2
_CONNECTIONS = 300


def make_app(gateway: Gateway, auth: Auth) -> FastAPI:
    """The web application; the gateway is run by the caller."""
    # The pages with which FastAPI shows the interface load scripts from elsewhere.
    app = FastAPI(title="simtwin gateway", version=__version__, docs_url=None, redoc_url=None)
    app.openapi_version = "3.2.0"  # the first that can describe a stream of events
    app.include_router(api.router(gateway, auth))
    app.include_router(pages.router(gateway, auth))
    app.mount("/static", StaticFiles(directory=pages.WEB / "static"), "static")
    app.add_middleware(Limits, hosts=LOCAL_HOSTS if auth.open_reads else None)

    @app.exception_handler(LoginRequired)
    async def ask_for_token(request: Request, _: Exception) -> Response:
        to = request.url.path if request.method == "GET" else "/"
        return RedirectResponse("/login?" + urlencode({"to": to}), 303)

    @app.exception_handler(sqlite3.Error)
    async def store_fails(_: Request, error: Exception) -> Response:
        return JSONResponse({"detail": f"the store fails: {error}; nothing was changed"}, 503)

    @app.exception_handler(RequestValidationError)
    async def not_allowed(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()]
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": problems}, 422)
        return PlainTextResponse("\n".join(problems) + "\n", 422)

    return app


class _Server(uvicorn.Server):
    """Leaves the signals to the gateway: an interrupted one writes what it has and ends well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    sources: Sequence[str],
    store: Path,
    config: Config,
    host: str,
    port: int,
    token: str | None,
    announce: Callable[[str], None],
) -> None:
    """Serve until interrupted.

    Args:
        sources: as `gateway.sources.open_source` takes them.
        store: file of the store.
        config: see `gateway.config`.
        host, port: to bind to; port 0 is any free one.
        token: what allows changes; None: one is made up, on loopback only.
        announce: takes lines for the user once the server can be reached.

    Raises:
        GatewayError: something cannot be used as given.
    """
    opened = [open_source(text) for text in sources]
    auth, used = auth_for(host, token)
    kept = Store(store)
    try:
        with _bound(host, port) as listening:
            name = f"[{host}]" if ":" in host else host
            announce(f"http://{name}:{listening.getsockname()[1]}/")
            if token is None:
                announce(f"token for changes, until this gateway ends: {used}")
            asyncio.run(_until_signal(Gateway(config, kept), opened, auth, listening))
    finally:
        kept.close()


async def _until_signal(gateway: Gateway, sources: Sequence[Source], auth: Auth, listening: socket.socket) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_until(stop, gateway, sources, auth, listening)


async def run_until(
    stop: asyncio.Event, gateway: Gateway, sources: Sequence[Source], auth: Auth, listening: socket.socket
) -> None:
    """Run gateway, broker and web server until `stop` is set."""
    settings = uvicorn.Config(
        make_app(gateway, auth), log_level="warning", lifespan="off", access_log=False,
        timeout_graceful_shutdown=_SHUTDOWN_S, server_header=False, http="h11",
        h11_max_incomplete_event_size=2 * HEADER_BYTES, limit_concurrency=_CONNECTIONS,
    )  # fmt: skip
    server = _Server(settings)
    async with asyncio.TaskGroup() as tasks:
        work = [tasks.create_task(gateway.run(sources)), tasks.create_task(server.serve([listening]))]
        if gateway.config.mqtt is not None:
            from gateway.mqtt import Broker

            work.append(tasks.create_task(Broker(gateway, gateway.config.mqtt).run()))
        await stop.wait()
        gateway.hub.close()
        server.should_exit = True
        await asyncio.wait(work[1:2])
        for task in work:
            task.cancel()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        raise GatewayError(f"{host}:{port}: cannot be bound to: {error}") from None
