"""Who may read and who may change: a token, by itself or as a browser's session."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from urllib.parse import urlsplit

from fastapi import HTTPException, Request, status

from gateway.errors import GatewayError

COOKIE = "simtwin_session"
SESSION_S = 30 * 86400
TOKEN_CHARACTERS = 16
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class LoginRequired(Exception):
    """A page that needs a session."""


class Auth:
    """The rules.

    Args:
        token: what gives all rights.
        open_reads: whether reading needs nothing, as on a loopback address. Changes need the token everywhere.
    """

    def __init__(self, token: str, *, open_reads: bool) -> None:
        self._token = token.encode()
        self.open_reads = open_reads

    def _seal(self, text: str) -> str:
        return hmac.new(self._token, text.encode(), hashlib.sha256).hexdigest()

    def is_token(self, text: str) -> bool:
        """Whether it is the token."""
        return hmac.compare_digest(self._token, text.encode())

    def new_session(self) -> str:
        """A browser's session: when it ends, and a seal that nobody makes without the token."""
        text = f"{int(time.time()) + SESSION_S}.{secrets.token_hex(16)}"
        return f"{text}.{self._seal('session ' + text)}"

    def session(self, request: Request) -> str | None:
        """The request's session, if it has a valid one."""
        cookie = request.cookies.get(COOKIE, "")
        text, _, seal = cookie.rpartition(".")
        ends, _, _ = text.partition(".")
        if not hmac.compare_digest(seal.encode(), self._seal("session " + text).encode()):
            return None
        return cookie if int(ends) > time.time() else None

    def form_seal(self, session: str) -> str:
        """What a form of this session must bring along: another site cannot know it."""
        return self._seal("form " + session)

    def _has_token(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(given.strip())

    def may_read(self, request: Request) -> bool:
        """Whether the request may read."""
        return self.open_reads or self.session(request) is not None or self._has_token(request)

    def reader(self, request: Request) -> None:
        """Dependency of calls that read."""
        if not self.may_read(request):
            raise _unauthorised()

    def page_reader(self, request: Request) -> None:
        """Dependency of pages: who may not read them is asked for the token."""
        if not self.may_read(request):
            raise LoginRequired

    def changer(self, request: Request) -> None:
        """Dependency of calls that change something: the token itself, for browsers send cookies on their own."""
        if not self._has_token(request):
            raise _unauthorised()

    def check_form(self, request: Request, seal: str) -> None:
        """Check a form that changes something: a session, and the seal of its own page.

        Raises:
            LoginRequired: no session.
            HTTPException: the form came from somewhere else.
        """
        session = self.session(request)
        if session is None:
            raise LoginRequired
        if not hmac.compare_digest(seal.encode(), self.form_seal(session).encode()):
            raise HTTPException(status.HTTP_403_FORBIDDEN, "the form is not of this session; load the page again")


def _unauthorised() -> HTTPException:
    return HTTPException(
        status.HTTP_401_UNAUTHORIZED, "a token is needed: Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"}
    )


def is_loopback(host: str) -> bool:
    """Whether an address to bind to can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def auth_for(host: str, token: str | None) -> tuple[Auth, str]:
    """The rules for an address to bind to, and the token; on loopback one is made up if none is given.

    Raises:
        GatewayError: a token is missing or too short.
    """
    if token is not None and len(token) < TOKEN_CHARACTERS:
        raise GatewayError(f"token of {len(token)} characters; at least {TOKEN_CHARACTERS} are allowed")
    if token is None and not is_loopback(host):
        raise GatewayError(f"host '{host}': a token is needed to bind elsewhere than to 127.0.0.1; see --token-file")
    chosen = secrets.token_urlsafe(24) if token is None else token
    return Auth(chosen, open_reads=is_loopback(host)), chosen


def is_foreign(request_host: str, origin: str | None) -> bool:
    """Whether a browser says that a request comes from a page of another site."""
    return origin is not None and urlsplit(origin).netloc != request_host
