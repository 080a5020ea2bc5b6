"""From the onset of a fault to the page, stage by stage, and what encrypting a packet costs the chip.

    python -m benchmarks.alert_delay

Looseness on the bearing rig, RUNS times with different seeds, at real time. On the device the machine's own time counts; from
the radio on, the wall's. The page is a headless Chromium, asked every few milliseconds; without Chromium the last stage is
left out. Beside the encryption stands the inference of a window.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from statistics import median

from e2e.run import Console
from emulator.machine import Machine, Sensor
from emulator.twin_source import TwinRun
from firmware.build import build
from firmware.frames import FrameType, frame_in
from gateway.auth import Auth
from gateway.config import Config
from gateway.observation import Observation
from gateway.server import run_until
from gateway.service import Gateway
from gateway.sources.base import Intake, Tell
from gateway.sources.ble_virtual import VirtualAir
from gateway.sources.scenario import ScenarioSource
from gateway.store import Store
from models.artifact import open_artifact, reference
from sim.scenario.reader import read
from sim.scenario.realise import realise
from sim.scenario.schema import Scenario

RUNS = 5
ONSET_S = 3.0
KEY = bytes(range(16))
SCENARIO = f"""
name: delay
machine: {Path(__file__).parents[1]}/scenarios/machines/bearing_rig.yaml
operation: {{speed_rpm: 1800, load: 0.5, duration_s: 7}}
sensors: [{{id: imu0, device: lsm6dso, odr_hz: 3332, range_g: 16, range_dps: 500, mount: drive_end, rate_error_ppm: 0}}]
faults: [{{kind: looseness, gap_um: 150, onset_s: {ONSET_S}}}]
"""
ADDRESS = "FC:DF:A1:00:00:01"
SET_ADVERTISING_DATA = b"\x08\x20"
STAGES = {"encryption of a packet": ["ccm_encrypt"], "inference of a window": ["model_infer"]}


class Watched(ScenarioSource):
    """The scenario, with the time of every stage of its alert: `machine_s` of the board's clock, `wall_s` of the wall's."""

    def __init__(self, path: Path, seed: int) -> None:
        super().__init__("scenario:delay", f"{path}?via=ble&key={KEY.hex()}&seed={seed}")
        self.machine_s: dict[str, float] = {}
        self.wall_s: dict[str, float] = {}
        self._frame_s = 0.0
        self.started = self._started

    def _started(self, board: Machine, air: VirtualAir) -> None:
        console, packet = Console(), bytearray()

        def written(byte: int, time_s: float) -> None:
            if byte == ord("$"):
                self._frame_s = time_s
            console.byte(byte, time_s)
            if byte == 10 and console.frames and console.frames[-1][1].type == FrameType.MACHINE_RAISED:
                self.machine_s.setdefault("alert", self._frame_s)

        def sent(byte: int, time_s: float) -> None:
            packet.append(byte)
            if len(packet) >= 4 and len(packet) == 4 + packet[3]:
                if packet[1:3] == SET_ADVERTISING_DATA and time_s > ONSET_S and "packet" not in self.machine_s:
                    self.machine_s["packet"], self.wall_s["packet"] = time_s, time.monotonic()
                packet.clear()

        board.on_uart_written(0, written)
        board.on_uart(1, sent)

    async def run(self, intake: Intake, tell: Tell) -> None:
        """Run it, and note when the central has heard the alert and the guard let it in."""

        def taken(observation: Observation) -> None:
            if observation.machine_alert:
                self.wall_s.setdefault("heard", time.monotonic())
            intake.sink(observation)

        await super().run(replace(intake, sink=taken), tell)


@contextmanager
def served(source: Watched, folder: Path) -> Iterator[str]:
    """A gateway with its web server in a thread; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = Config.model_validate(
        {
            "devices": [{"id": ADDRESS, "name": "rig", "key": KEY.hex()}],
            "classes": list(open_artifact(reference("bearing_rig")).classes),
        }
    )
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def run() -> None:
        store, stop = Store(folder / "store.db"), asyncio.Event()
        gateway = Gateway(config, store)
        stops.append((asyncio.get_running_loop(), stop))
        with gateway.hub.listen() as queue:

            async def listen() -> None:
                while (event := await queue.get()) is not None:
                    if event.topic == "alert":
                        source.wall_s.setdefault("stored", time.monotonic())

            listener = asyncio.create_task(listen())
            ready.set()
            await run_until(stop, gateway, [source], Auth("only for this run", open_reads=True), listening)
            with suppress(asyncio.CancelledError):
                await listener
        store.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait(30)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        loop, stop = stops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)


def delays(seed: int, chromium: str | None) -> dict[str, float]:
    """Seconds of every stage of one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "delay.yaml").write_text(SCENARIO)
        source = Watched(folder / "delay.yaml", seed)
        with served(source, folder) as url:
            if chromium is None:
                while "stored" not in source.wall_s:
                    time.sleep(0.05)
            else:
                source.wall_s["page"] = when_on_page(url, chromium)
    wall_s, machine_s = source.wall_s, source.machine_s
    found = {
        "onset -> alert in the firmware, machine time": machine_s["alert"] - ONSET_S,
        "alert -> packet handed to the controller, machine time": machine_s["packet"] - machine_s["alert"],
        "packet -> heard by the central, decrypted": wall_s["heard"] - wall_s["packet"],
        "heard -> stored on disk and announced": wall_s["stored"] - wall_s["heard"],
    }
    if chromium is not None:
        found["announced -> on the page"] = wall_s["page"] - wall_s["stored"]
    return found


def when_on_page(url: str, chromium: str) -> float:
    """When a browser shows the alert."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.wait_for_function(
            "() => document.getElementById('live').innerText.includes('looseness')", polling=5, timeout=300_000
        )
        seen_s = time.monotonic()
        browser.close()
    return seen_s


def cost() -> dict[str, float]:
    """Instructions on the chip, each time it is done."""
    seconds = 5.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "delay.yaml").write_text(SCENARIO)
        scenario = realise(read(str(folder / "delay.yaml"), Scenario), 0, "delay.yaml")
        elf = build(reference("bearing_rig"), folder / "firmware").product
        machine = Machine(elf, [Sensor(source) for source in TwinRun(scenario, 0).sources], stages=STAGES)
        machine.run(0.5)
        for line in (f"bindkey {KEY.hex()}", "config heartbeat_s 1", "config report_windows 1"):
            machine.write_uart(0, line.encode() + b"\n")
            machine.run(0.1)
        before, sent = machine.stage_instructions(), len(machine.uart_output(0))
        machine.run(seconds)
        after, console = machine.stage_instructions(), machine.uart_output(0)[sent:].decode("ascii")
    frames = [frame for line in console.splitlines()[:-1] if (frame := frame_in(line)) is not None]
    windows = sum(frame.type == FrameType.WINDOW for frame in frames)
    times = dict(zip(STAGES, (len(frames) - windows, windows), strict=True))
    return {stage: (after[stage] - before[stage]) / times[stage] for stage in STAGES}


def main() -> None:
    """Print the figures."""
    chromium = shutil.which("chromium")
    runs = [delays(seed, chromium) for seed in range(RUNS)]
    print(f"{RUNS} runs, each with a seed of its own; ms, median and most")
    for stage in runs[0]:
        all_ms = [1000 * run[stage] for run in runs]
        print(f"  {stage:58s} {median(all_ms):8.1f} {max(all_ms):8.1f}")
    if chromium is None:
        print("  no Chromium here: the page's part is left out")
    for name, count in cost().items():
        print(f"{name + ', instructions':60s} {count:8.0f}")


if __name__ == "__main__":
    main()
