"""What a request may not exceed, and what every answer says to browsers."""

from __future__ import annotations

from collections.abc import Container

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.auth import is_foreign

BODY_BYTES = 16 * 1024
QUERY_BYTES = 4096
HEADER_BYTES = 16 * 1024

_SAFE = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Limits:
    """Middleware: sizes, hosts, origins, and headers.

    Args:
        app: what is behind it.
        hosts: names this server is called by, without the port; None: any. So a page elsewhere whose name was made to lead
            here is kept out.
    """

    def __init__(self, app: ASGIApp, hosts: Container[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, _with_headers(send))
            return
        got = 0

        async def limited() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > BODY_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, limited, _with_headers(send))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and host.rpartition(":")[0] not in self._hosts and host not in self._hosts:
            return PlainTextResponse("unknown host\n", 421)
        if scope["method"] not in ("GET", "HEAD") and is_foreign(host, headers.get("origin")):
            return PlainTextResponse("from another site\n", 403)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
            return PlainTextResponse("too large\n", 431)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > BODY_BYTES:
            return PlainTextResponse("too large\n", 413)
        if len(scope["query_string"]) > QUERY_BYTES:
            return PlainTextResponse("too large\n", 414)
        return None


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_SAFE)
        await send(message)

    return sender
