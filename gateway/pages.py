"""The web page: rendered here, kept live by a small script that loads a page's changing parts again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from gateway.api import Number, Wanted, WantedPage, detail, device_states
from gateway.auth import COOKIE, SESSION_S, Auth
from gateway.service import Gateway
from gateway.store import NOTE_CHARACTERS, Filter

WEB = Path(__file__).parent / "web"
_DEVICES_A_PAGE = 100
_LIVE_ALERTS = 20
_WIDTH, _HEIGHT = 600, 160  # of a curve, in units of its view box


@dataclass(frozen=True)
class Curve:
    """A curve for an SVG picture.

    Attributes:
        points: as `polyline` takes them, in a box of 600 x 160.
        x_first, x_last, y_most: labels of the axes.
        summary: the same in words.
    """

    points: str
    x_first: str
    x_last: str
    y_most: str
    summary: str


def curve(x: Sequence[float], y: Sequence[float], x_first: str, x_last: str, unit: str, what: str) -> Curve:
    """A curve from 0 up; `x` is increasing."""
    most = max(y) or 1.0
    span = (x[-1] - x[0]) or 1.0
    points = " ".join(
        f"{(each - x[0]) / span * _WIDTH:.1f},{_HEIGHT - value / most * _HEIGHT:.1f}"
        for each, value in zip(x, y, strict=True)
    )
    peak = y.index(max(y))
    summary = f"{what}; highest {max(y):.3g} {unit} at point {peak + 1} of {len(y)}"
    return Curve(points, x_first, x_last, f"{most:.3g} {unit}", summary)


def stamp(time_s: float | None) -> str:
    """A time for people, UTC; the browser shows it in its own zone."""
    return "" if time_s is None else datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(time_s: float) -> str:
    """A time for the browser."""
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds")


def ago(seconds: float) -> str:
    """A span of time for people."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds / length)} {unit}"
    return f"{max(0, int(seconds))} s"


def router(gateway: Gateway, auth: Auth) -> APIRouter:
    """All pages."""
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    templates = Jinja2Templates(WEB / "templates")
    templates.env.filters.update(stamp=stamp, iso=iso, ago=ago)
    readers = [Depends(auth.page_reader)]

    def show(request: Request, template: str, code: int = 200, **values: object) -> HTMLResponse:
        session = auth.session(request)
        common = {
            "session": session,
            "seal": auth.form_seal(session) if session else "",
            "health": gateway.health(),
            "now_s": gateway.clock(),
            "here": request.url.path + ("?" + request.url.query if request.url.query else ""),
        }
        return templates.TemplateResponse(request, template, common | values, status_code=code)

    @pages.get("/", dependencies=readers)
    async def overview(
        request: Request,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        name: Annotated[str, Query(max_length=100)] = "",
    ) -> HTMLResponse:
        devices = device_states(gateway)
        wanted = [each for each in devices if name.lower() in f"{each.name} {each.device}".lower()]
        tally = {state: sum(each.state == state for each in devices) for state in ("machine", "sensor", "silent", "ok")}
        live = await run_in_threadpool(gateway.store.alerts, Filter(open=True), _LIVE_ALERTS)
        standing = await run_in_threadpool(gateway.store.count, Filter(open=True))
        first = (page - 1) * _DEVICES_A_PAGE
        return show(
            request, "overview.html", devices=wanted[first : first + _DEVICES_A_PAGE], tally=tally, live=live,
            standing=standing, name=name, page=page, pages=max(1, ceil(len(wanted) / _DEVICES_A_PAGE)),
            link=lambda number: "/?" + urlencode({"name": name, "page": number}),
        )  # fmt: skip

    @pages.get("/alerts", dependencies=readers)
    def history(request: Request, wanted: Annotated[WantedPage, Query()]) -> HTMLResponse:
        found = wanted.filter()
        total = gateway.store.count(found)
        chosen = {name: request.query_params.get(name, "") for name in Wanted.model_fields}
        given = {name: value for name, value in chosen.items() if value}
        return show(
            request, "history.html", total=total, chosen=chosen, states=gateway.store.states(),
            alerts=gateway.store.alerts(found, wanted.size, (wanted.page - 1) * wanted.size), page=wanted.page,
            pages=max(1, ceil(total / wanted.size)), csv="/api/alerts.csv?" + urlencode(given),
            link=lambda number: "/alerts?" + urlencode({**given, "size": wanted.size, "page": number}),
            devices=sorted((status.name, device) for device, status in list(gateway.monitor.statuses.items())),
        )  # fmt: skip

    @pages.get("/alerts/{number}", dependencies=readers)
    def one_alert(request: Request, number: Number) -> HTMLResponse:
        found = detail(gateway, number)
        if found is None:
            raise HTTPException(404, "no such alert")
        spectrum = readings = None
        if found.spectrum is not None and len(found.spectrum.amplitude_g) > 1:
            step_hz, amplitudes = found.spectrum.frequency_step_hz, found.spectrum.amplitude_g
            x = [step_hz * line for line in range(len(amplitudes))]
            peak_hz = x[amplitudes.index(max(amplitudes))]
            what = f"Amplitude spectrum of {found.spectrum.channel}, highest line at {peak_hz:.4g} Hz"
            spectrum = curve(x, amplitudes, "0 Hz", f"{x[-1]:.4g} Hz", "g", what)
        if len(found.readings) > 1:
            x = [each.at_s for each in found.readings]
            y = [each.rms_mg / 1000 for each in found.readings]
            readings = curve(x, y, stamp(x[0]), stamp(x[-1]), "g", "RMS of the acceleration around the alert")
        return show(
            request, "alert.html", alert=found.alert, events=found.events, spectrum=spectrum, readings=readings,
            note_characters=NOTE_CHARACTERS,
        )  # fmt: skip

    @pages.post("/alerts/{number}/acknowledge")
    async def acknowledge(
        request: Request,
        number: Number,
        seal: Annotated[str, Form(max_length=64)],
        note: Annotated[str, Form(max_length=2 * NOTE_CHARACTERS)] = "",
    ) -> Response:
        auth.check_form(request, seal)
        if not await gateway.acknowledge(number, note):
            raise HTTPException(404, "no such alert")
        return RedirectResponse(f"/alerts/{number}", 303)

    @pages.get("/login")
    async def login_form(request: Request, to: Annotated[str, Query(max_length=500)] = "/") -> HTMLResponse:
        return show(request, "login.html", to=_inside(to), wrong=False)

    @pages.post("/login")
    async def login(
        request: Request,
        token: Annotated[str, Form(max_length=500)],
        to: Annotated[str, Form(max_length=500)] = "/",
    ) -> Response:
        if not auth.is_token(token.strip()):
            return show(request, "login.html", 403, to=_inside(to), wrong=True)
        answer = RedirectResponse(_inside(to), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, auth.new_session(), SESSION_S, httponly=True, samesite="strict", secure=secure)
        return answer

    @pages.post("/logout")
    async def logout(request: Request, seal: Annotated[str, Form(max_length=64)]) -> Response:
        auth.check_form(request, seal)
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return pages


def _inside(path: str) -> str:
    """A path of this server; a link to elsewhere becomes the first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
