"""REST, events and the rules of who may do what, over a real connection."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import validate

from gateway.api import MAX_LISTENERS
from gateway.limits import BODY_BYTES, QUERY_BYTES
from tests.gateway.serving import TOKEN, Served, served
from tests.gateway.test_monitor import observed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway with three alerts of two devices."""
    with served(tmp_path_factory.mktemp("api") / "store.db") as server:
        now_s = time.time()
        for each in (
            observed(now_s - 20, device="pump", machine=True, machine_state=1),
            observed(now_s - 10, device="pump"),
            observed(now_s - 9, device="fan", faulty=True, sensor_state=6, sensor=0, temperature_c=-5.5),
            observed(now_s - 8, device="pump", machine=True, machine_state=2, confidence_pct=66),
        ):
            server.do(server.gateway.take, each)
        with server.client() as client:
            wait(lambda: client.get("/api/alerts").json()["total"] == 3)
        yield server


def wait(true) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def test_devices_at_a_glance(client: httpx.Client) -> None:
    pump, fan = client.get("/api/devices").json()
    assert (pump["device"], pump["state"], pump["alerts"]) == ("pump", "machine", {"machine": "class 2"})
    assert (fan["device"], fan["state"], fan["sensor_state"], fan["temperature_c"]) == ("fan", "sensor", "stuck", -5.5)
    assert pump["counts"]["received"] == 3


def test_alerts_with_filters_and_pages(client: httpx.Client) -> None:
    def numbers(query: str) -> list[int]:
        return [item["id"] for item in client.get("/api/alerts?" + query).json()["items"]]

    assert numbers("") == [3, 2, 1]
    assert numbers("size=2&page=2") == [1]
    assert numbers("device=fan&kind=&state=&since=") == [2]
    assert numbers("kind=machine&open=false") == [1]
    assert numbers("since=2000-01-01&until=2000-01-02") == []
    assert client.get("/api/alerts?size=1&kind=machine").json()["total"] == 2


@pytest.mark.parametrize(
    "query", ["size=0", "size=201", "page=0", "kind=other", "since=yesterday", "text=" + "x" * 101]
)
def test_queries_that_are_not_allowed(client: httpx.Client, query: str) -> None:
    answer = client.get("/api/alerts?" + query)
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["detail"][0]
    page = client.get("/alerts?" + query)
    assert page.status_code == 422
    assert page.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**63)])
def test_numbers_that_are_none(client: httpx.Client, number: str) -> None:
    assert client.get(f"/api/alerts/{number}").status_code == 422
    assert client.get("/api/alerts/4711").status_code == 404


def test_the_table_is_safe_for_table_programs(server: Served, client: httpx.Client) -> None:
    with server.client(token=TOKEN) as changer:
        changer.post("/api/alerts/1/acknowledge", json={"note": '=HYPERLINK(1), "quoted"\nline'})
    answer = client.get("/api/alerts.csv?device=pump")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["id"] for row in rows] == ["3", "1"]
    assert rows[1]["note"] == '\'=HYPERLINK(1), "quoted"\nline'
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", rows[0]["raised_s"])
    (fan,) = csv.DictReader(io.StringIO(client.get("/api/alerts.csv?device=fan").text))
    assert fan["temperature_c"] == "-5.5"


def test_acknowledging_needs_the_token(server: Served, client: httpx.Client) -> None:
    said = {"note": "seen"}
    assert client.post("/api/alerts/2/acknowledge", json=said).status_code == 401
    with server.client(token="another token entirely") as stranger:
        assert stranger.post("/api/alerts/2/acknowledge", json=said).status_code == 401
    assert client.get("/api/alerts/2").json()["alert"]["acknowledged_s"] is None
    with server.client(token=TOKEN) as changer:
        answer = changer.post("/api/alerts/2/acknowledge", json=said)
        assert answer.status_code == 200
        assert answer.json()["events"][-1]["note"] == "seen"
        assert changer.post("/api/alerts/4711/acknowledge", json=said).status_code == 404
        assert changer.post("/api/alerts/2/acknowledge", json={"note": "x" * 2001}).status_code == 422
        assert changer.post("/api/alerts/2/acknowledge", json={"note": "", "more": 1}).status_code == 422


@contextmanager
def login(server: Served) -> Iterator[httpx.Client]:
    with server.client() as client:
        answer = client.post("/login", data={"token": TOKEN, "to": "/alerts/3"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/alerts/3")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        yield client


def seal_in(page: str) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def test_a_form_of_another_site_changes_nothing(server: Served) -> None:
    path = "/alerts/3/acknowledge"
    with login(server) as browser, login(server) as attacker:
        seal = seal_in(browser.get("/alerts/3").text)
        assert browser.post("/api/alerts/3/acknowledge", json={}).status_code == 401  # a cookie is no token
        assert browser.post(path, data={"note": "x"}).status_code == 422
        assert (
            browser.post(path, data={"note": "x", "seal": seal_in(attacker.get("/alerts/3").text)}).status_code == 403
        )
        foreign = {"Origin": "http://evil.example"}
        assert browser.post(path, data={"note": "x", "seal": seal}, headers=foreign).status_code == 403
        assert browser.get("/api/alerts/3").json()["alert"]["acknowledged_s"] is None
        own = {"Origin": server.url}
        assert browser.post(path, data={"note": "mine", "seal": seal}, headers=own).status_code == 303
        assert browser.get("/api/alerts/3").json()["alert"]["note"] == "mine"
        with server.client() as nobody:
            answer = nobody.post(path, data={"note": "x", "seal": seal})
            assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("cookie", ["", "x", "1.2.3", "9999999999.00.00", "é", "9" * 5000 + ".a." + "0" * 64])
def test_sessions_cannot_be_made_up(server: Served, cookie: str) -> None:
    with server.client() as client:
        page = client.get("/alerts/3", headers={"Cookie": f"simtwin_session={cookie}".encode()})
        assert page.status_code == 200
        assert "Log in" in page.text
        assert "seal" not in page.text


def test_login_leads_nowhere_else(server: Served) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        with server.client() as client:
            answer = client.post("/login", data={"token": TOKEN, "to": elsewhere})
            assert answer.headers["location"] == "/"
    with server.client() as client:
        assert client.post("/login", data={"token": "wrong"}).status_code == 403
        assert client.get("/").status_code == 200


def test_log_out(server: Served) -> None:
    with login(server) as browser:
        browser.post("/logout", data={"seal": seal_in(browser.get("/").text)})
        assert "Log out" not in browser.get("/").text


def test_reading_needs_the_token_where_others_can_reach_it(tmp_path: Path) -> None:
    with served(tmp_path / "store.db", open_reads=False) as server, server.client() as client:
        for path in ("/api/devices", "/api/alerts", "/api/alerts.csv", "/api/alerts/1", "/api/health", "/api/events"):
            assert client.get(path).status_code == 401, path
        for path in ("/", "/alerts", "/alerts/1"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login"), path
        assert client.get("/login").status_code == 200
        assert "pump" not in client.get("/login").text
        with server.client(token=TOKEN) as reader:
            assert reader.get("/api/devices").json() == []
        with login(server) as browser:
            assert browser.get("/").status_code == 200


def test_sizes_are_limited(server: Served, client: httpx.Client) -> None:
    with server.client(token=TOKEN) as changer:
        path = "/api/alerts/1/acknowledge"
        assert changer.post(path, content=b"x" * (BODY_BYTES + 1)).status_code == 413
        assert changer.post(path, content=(b"x" * 1000 for _ in range(100))).status_code == 413  # chunked
    assert client.get("/api/alerts?text=" + "x" * QUERY_BYTES).status_code == 414
    assert client.get("/", headers={"X-Long": "x" * 100_000}).status_code in (400, 431)


def test_names_of_other_sites_are_refused(client: httpx.Client) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example:80", ""):
        assert client.get("/api/alerts", headers={"Host": host}).status_code in (400, 421)
    assert client.get("/api/alerts", headers={"Host": "localhost:1234"}).status_code == 200


def test_pages_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/alerts", "/alerts/1", "/login", "/static/style.css", "/static/live.js", "/static/icon.svg"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        named = re.findall(
            r"""(?:src|href|action|url|import|from|fetch|EventSource)\s*[=(]?\s*["'(]([^"')]*)""", answer.text
        )
        assert [each for each in named if re.match(r"[a-z+]*:?//", each)] == [], path
    assert client.get("/docs").status_code == 404


def test_what_is_shown_is_escaped(server: Served, client: httpx.Client) -> None:
    with server.client(token=TOKEN) as changer:
        changer.post("/api/alerts/1/acknowledge", json={"note": "<script>alert(1)</script>"})
    for path in ("/alerts/1", "/alerts", "/alerts?text=%22%3E%3Cscript%3E", "/?name=%22%3E%3Cscript%3E"):
        assert "<script>" not in client.get(path).text


def test_the_interface_is_described(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    validate(described)
    assert set(described["paths"]) == {
        "/api/devices", "/api/alerts", "/api/alerts.csv", "/api/alerts/{number}", "/api/alerts/{number}/acknowledge",
        "/api/health", "/api/events",
    }  # fmt: skip


def test_events(server: Served, client: httpx.Client) -> None:
    with client.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: health"
        began = time.monotonic()
        server.do(server.gateway.take, observed(time.time(), device="mill", machine=True, machine_state=0))
        for line in lines:
            if line == "event: alert":
                break
        told = json.loads(next(lines).removeprefix("data: "))
        assert time.monotonic() - began < 2
    assert (told["device"], told["kind"], told["action"], told["state"]) == ("mill", "machine", "raised", "normal")
    wait(lambda: server.gateway.hub.listeners == 0)


def test_listeners_are_limited(server: Served, monkeypatch: pytest.MonkeyPatch, client: httpx.Client) -> None:
    monkeypatch.setattr("gateway.api.MAX_LISTENERS", 0)
    assert MAX_LISTENERS == 100
    assert client.get("/api/events").status_code == 503


def test_health(client: httpx.Client) -> None:
    health = client.get("/api/health").json()
    assert health["store"] == "ok"
    assert health["waiting_changes"] == 0
    assert health["counts"]["received"] >= 4
