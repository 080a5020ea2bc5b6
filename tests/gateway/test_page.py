"""The web page in a real browser: Debian's Chromium."""

import asyncio
import math
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from gateway.config import Config
from gateway.monitor import Monitor
from gateway.observation import Counts, Observation, Spectrum
from gateway.store import Batch, Filter, Store, device_rows
from tests.gateway.devices import ADDRESS, KEY, HciDevice, packet
from tests.gateway.serving import TOKEN, Served, served
from tests.gateway.test_monitor import observed

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")

PHONE = {"width": 390, "height": 844}
CLASSES = ["normal", "imbalance", "misalignment", "bearing_wear"]
CONFIG = Config.model_validate({
    "devices": [{"id": ADDRESS, "name": "Cooling tower fan 3", "key": KEY.hex()}],
    "unknown_devices": "accept", "classes": CLASSES, "silent_after_s": 30,
})  # fmt: skip
PICTURES = os.environ.get("SIMTWIN_PICTURES")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # As root, as in a container, Chromium has no sandbox of its own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A browser's window, and what it asked for and complained of."""

    def __init__(self, context: BrowserContext, server: Served) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(5000)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda asked: None if asked.url.startswith(server.url + "/") else self.elsewhere.append(asked.url),
        )


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="Europe/Berlin") as context:
        yield context


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def plant(now_s: float) -> list[Observation]:
    """A few machines in all states there are."""
    lines = tuple(
        0.002 + 0.4 * math.exp(-(((n - 40) / 1.5) ** 2)) + 0.1 * math.exp(-(((n - 80) / 1.5) ** 2)) for n in range(400)
    )
    spectrum = Spectrum(2.5, lines, "x_g")
    seen = [
        observed(now_s - 7000 + 60 * n, device="tcp://10.0.0.7:5000", rms_mg=100 + n % 7, about=()) for n in range(100)
    ]
    alert = observed(
        now_s - 600, device="tcp://10.0.0.7:5000", machine=True, machine_state=3, confidence_pct=91, rms_mg=455.0,
        peak_mg=1800, level=233, threshold=127, window=812, model_id="a0a1a2a3", spectrum=spectrum,
    )  # fmt: skip
    seen.append(alert)
    seen.append(replace(alert, received_s=now_s - 5, confidence_pct=94, rms_mg=470.0, peak_mg=1900, level=240))
    seen.append(observed(now_s - 3, device="Exhaust fan 2", faulty=True, sensor=0, sensor_state=6))
    seen.append(observed(now_s - 900, device="Mill", machine=True, machine_state=2))
    seen.append(observed(now_s - 800, device="Mill"))
    seen += [observed(now_s - n, device=f"Pump {n}") for n in range(1, 8)]
    return seen


def fill(path: Path, observations: list[Observation]) -> None:
    store = Store(path)
    counts = Counts()
    monitor = Monitor(CONFIG, counts, store.statuses(counts))
    changes = [change for each in observations for change in monitor.take(each)[1]]
    store.write(Batch(device_rows(monitor.statuses.values(), counts), changes, observations))
    store.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    fill(tmp_path / "store.db", plant(time.time()))
    with served(tmp_path / "store.db", config=CONFIG) as server:
        yield server


def log_in(page: Page, server: Served, to: str = "/") -> None:
    page.goto(f"{server.url}/login?to={to}")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(server.url + to)


def radio(server: Served, *packets: bytes) -> float:
    """Put packets on the air; when the last one was handed to the controller."""
    assert server.air.address is not None
    port = server.air.address[1]

    async def send() -> float:
        async with HciDevice(port) as device:
            for each in packets[:-1]:
                await device.send(each)
            sent_s = time.monotonic()
            await device.send(packets[-1])
            return sent_s

    # Playwright has a loop of its own in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(send())).result()


def test_an_alert_appears_without_reload_within_two_seconds_of_the_packet(
    server: Served, context: BrowserContext
) -> None:
    watched = Watched(context, server)
    page = watched.page
    page.goto(server.url)
    page.evaluate("window.notReloaded = true")
    fan = page.locator(".card", has_text="Cooling tower fan 3")
    expect(fan).to_contain_text("Never heard")
    radio(server, packet(0))
    expect(fan).to_contain_text("Ok", timeout=5000)
    sent_s = radio(server, packet(1, machine_alert=True, machine_state=3, confidence_pct=97))
    live = page.locator("#live")
    expect(live.locator("tr", has_text="Cooling tower fan 3")).to_contain_text("bearing_wear", timeout=2000)
    assert time.monotonic() - sent_s < 2
    expect(live).to_contain_text("97 %")
    expect(fan).to_contain_text("Anomaly: bearing_wear")
    expect(page.locator("#news")).to_have_text("Cooling tower fan 3: machine bearing_wear, raised")
    expect(page).to_have_title("(3) Machines - simtwin")
    radio(server, packet(2), packet(3, key=bytes(16), machine_alert=True))
    expect(live.locator("tr", has_text="Cooling tower fan 3")).to_have_count(0, timeout=2000)
    expect(page).to_have_title("(2) Machines - simtwin")
    page.locator("summary", has_text="Gateway").click()
    expect(page.locator("#gateway")).to_contain_text("forged")
    assert page.evaluate("window.notReloaded")
    assert (watched.complaints, watched.elsewhere) == ([], [])


def test_machines_at_a_glance(server: Served, context: BrowserContext) -> None:
    page = Watched(context, server).page
    page.goto(server.url)
    picture(page, "overview")
    tally = page.locator(".tally li")
    assert [text.split()[0] for text in tally.all_inner_texts()] == ["1", "1", "2", "7"]
    cards = page.locator(".card h3").all_inner_texts()
    assert cards[:4] == ["tcp://10.0.0.7:5000", "Exhaust fan 2", "Cooling tower fan 3", "Mill"]
    expect(page.locator(".card", has_text="Mill")).to_contain_text("Silent for 13 min")
    expect(page.locator(".card", has_text="Exhaust fan 2")).to_contain_text("Sensor fault: stuck")
    page.get_by_label("Name").fill("pump 3")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(1)


def test_a_device_becomes_silent_before_ones_eyes(server: Served, context: BrowserContext) -> None:
    page = Watched(context, server).page
    page.goto(server.url)
    expect(page.locator(".card.silent")).to_have_count(2)
    clock = server.gateway.clock
    server.do(setattr, server.gateway, "clock", lambda: clock() + 60)
    expect(page.locator(".card.silent")).to_have_count(11)


def test_an_alert_in_detail(server: Served, context: BrowserContext) -> None:
    watched = Watched(context, server)
    page = watched.page
    page.goto(server.url + "/alerts/1")
    picture(page, "alert")
    facts = page.locator(".facts")
    for text in ("94 %", "level 240, flagged above 127", "0.470 g RMS, 1.900 g peak", "repeated once", "a0a1a2a3"):
        expect(facts).to_contain_text(text)
    spectrum = page.get_by_role("img", name="Amplitude spectrum of x_g, highest line at 100 Hz")
    expect(spectrum).to_be_visible()
    expect(page.get_by_role("img", name="RMS of the acceleration around the alert")).to_be_visible()
    expect(page.locator(".events li").first).to_contain_text("raised (bearing_wear, 91 %)")
    assert (watched.complaints, watched.elsewhere) == ([], [])


def test_times_are_shown_where_the_user_is(server: Served, context: BrowserContext) -> None:
    page = Watched(context, server).page
    page.goto(server.url + "/alerts/1")
    shown = page.locator(".facts time").first
    in_berlin = page.evaluate("at => new Date(at).toLocaleString()", shown.get_attribute("datetime"))
    expect(shown).to_have_text(in_berlin)
    assert str(shown.get_attribute("title")).endswith(" UTC")


def test_acknowledged_by_keyboard_alone_and_there_after_a_restart(tmp_path: Path, browser: Browser) -> None:
    fill(tmp_path / "store.db", plant(time.time()))
    with served(tmp_path / "store.db", config=CONFIG) as server, browser.new_context() as context:
        page = Watched(context, server).page
        log_in(page, server)

        def focused() -> str:
            return str(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))

        page.keyboard.press("Tab")
        assert "Skip to content" in focused()
        for _ in range(40):
            page.keyboard.press("Tab")
            if 'href="/alerts/1"' in focused():
                break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.wait_for_url("**/alerts/1")
        for _ in range(40):
            page.keyboard.press("Tab")
            if "<textarea" in focused():
                break
        page.keyboard.type("Bearing ordered, <b>Müller</b>")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".facts .note")).to_have_text("Bearing ordered, <b>Müller</b>")
        expect(page.locator("#detail")).to_contain_text("acknowledged")
    with served(tmp_path / "store.db", config=CONFIG) as server, browser.new_context() as context:
        page = Watched(context, server).page
        page.goto(server.url + "/alerts?acknowledged=true")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody tr")).to_contain_text("Bearing ordered, <b>Müller</b>")


def test_focus_stays_while_the_page_changes(server: Served, context: BrowserContext) -> None:
    page = Watched(context, server).page
    page.goto(server.url)
    page.locator("#alert-1").focus()
    radio(server, packet(0, machine_alert=True, machine_state=1))
    expect(page.locator("#live tbody tr")).to_have_count(3)
    assert page.evaluate("document.activeElement.id") == "alert-1"


def test_history_with_ten_thousand_alerts(tmp_path: Path, context: BrowserContext) -> None:
    now_s = time.time() - 40_000
    seen = []
    for n in range(10_000):
        device = f"Machine {n % 40}"
        seen.append(
            observed(now_s + 4 * n, device=device, machine=True, machine_state=1 + n % 3, confidence_pct=n % 101)
        )
        seen.append(observed(now_s + 4 * n + 2, device=device))
    fill(tmp_path / "store.db", seen)
    with served(tmp_path / "store.db", config=CONFIG) as server:
        watched = Watched(context, server)
        page = watched.page
        page.goto(server.url + "/alerts")
        picture(page, "history")
        expect(page.locator("#history > p").first).to_have_text("10000 alerts")
        expect(page.locator("tbody tr")).to_have_count(50)
        first = page.locator("tbody a").first.get_attribute("href")
        page.get_by_role("link", name="Next").click()
        expect(page.locator(".pager")).to_contain_text("Page 2 of 200")
        assert page.locator("tbody a").first.get_attribute("href") == "/alerts/9950"
        assert first == "/alerts/10000"
        page.goto(server.url + "/alerts?page=200")
        assert page.locator("tbody a").last.get_attribute("href") == "/alerts/1"
        page.locator("select[name=device]").select_option("Machine 7")
        page.locator("select[name=state]").select_option("imbalance")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#history > p").first).to_have_text("83 alerts")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        assert len(Path(download.value.path()).read_text().splitlines()) == 84
        radio(server, packet(0, machine_alert=True, machine_state=1))
        page.goto(server.url + "/alerts")
        expect(page.locator("#history > p").first).to_have_text("10001 alerts")
        radio(server, packet(1))
        expect(page.locator("tbody tr").first).to_contain_text("cleared", timeout=2000)
        assert (watched.complaints, watched.elsewhere) == ([], [])
    store = Store(tmp_path / "store.db")
    assert store.count(Filter(device="Machine 7", state="imbalance")) == 83
    store.close()


PAGES = ("/", "/alerts", "/alerts/1", "/login")


@pytest.mark.parametrize("path", PAGES)
def test_on_a_phone(server: Served, browser: Browser, path: str) -> None:
    with browser.new_context(viewport=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True) as context:
        page = Watched(context, server).page
        log_in(page, server)
        page.goto(server.url + path)
        picture(page, "phone" + path.replace("/", "-"))
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        small = page.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.textContent.trim() && !e.closest('.visually-hidden')"
            " && parseFloat(getComputedStyle(e).fontSize) < 13.5).map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE])
def test_accessibility_by_axe(server: Served, browser: Browser, viewport: dict[str, int], scheme: str) -> None:
    """Deque's axe finds nothing to complain of: names, contrasts, headings, landmarks."""
    with browser.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=True) as context:  # type: ignore[arg-type]
        page = Watched(context, server).page
        log_in(page, server)
        for path in PAGES:
            page.goto(server.url + path)
            found = Axe().run(page)
            assert found.response["passes"]
            assert found.response["violations"] == [], (path, found.generate_report())


def test_without_scripts(server: Served, browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        log_in(page, server, "/alerts/1")
        page.get_by_label("Note").fill("by hand")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator(".facts .note")).to_have_text("by hand")


def test_a_gateway_that_went_away_is_told(tmp_path: Path, context: BrowserContext) -> None:
    with served(tmp_path / "store.db", config=CONFIG) as server:
        page = Watched(context, server).page
        page.goto(server.url)
        expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("#offline")).to_be_visible()


def test_a_full_disk_is_told(server: Served, context: BrowserContext) -> None:
    page = Watched(context, server).page
    page.goto(server.url)
    writer = server.gateway.store._writer
    ((pages,),) = writer.execute("PRAGMA page_count").fetchall()
    server.do(writer.execute, f"PRAGMA max_page_count = {pages}")
    for n in range(200):
        server.do(server.gateway.take, observed(time.time(), device=f"Press {n}", machine=True, machine_state=1))
    banner = page.locator("#health .bad")
    expect(banner).to_contain_text("disk is full")
    expect(banner).to_contain_text("Press 199: machine imbalance, raised")
    picture(page, "full-disk")
    server.do(writer.execute, "PRAGMA max_page_count = 1000000")
    expect(banner).to_have_count(0)
    expect(page.locator("#live")).to_contain_text("All 202 standing alerts")
