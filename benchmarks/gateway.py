"""A thousand devices at a packet a second: what is lost, what it costs, how soon an alert is announced.

Everything between the radio and the announcement is real: encrypted packets, decoder, guard, store on disk. Every packet is
heard three times, as controllers repeat them. Packets are made beforehand.

    python -m benchmarks.gateway
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from gateway import bthome
from gateway.config import Config
from gateway.hub import Event
from gateway.service import Gateway
from gateway.sources.base import Intake, Source, Tell
from gateway.store import Batch, Store, device_rows

DEVICES = 1000
SECONDS = 30
HEARD = 3
KEY = bytes(range(16))
SINGLE = 300  # packets committed one by one
ALERTS_EVERY = 20  # a device in so many has an alert, each at its own second


def address(number: int) -> str:
    return f"C0:FF:EE:00:{number >> 8:02X}:{number & 255:02X}"


def packet(device: int, second: int) -> bytes:
    alert = device % ALERTS_EVERY == 0 and second > device // ALERTS_EVERY % SECONDS
    report = bthome.Report(
        second % 256, alert, False, rms_mg=100 + second, machine_state=int(alert), confidence_pct=90, temperature_c=30.0
    )
    return bthome.service_data(report, KEY, bytes.fromhex(address(device).replace(":", "")), second + 1)


class Fleet(Source):
    """All devices, each at its own moment of every second."""

    def __init__(self, packets: list[list[bytes]], *, paced: bool) -> None:
        super().__init__("fleet")
        self._packets, self._paced = packets, paced
        self.done = asyncio.Event()
        self.latest_s = 0.0
        self.raised_s: dict[str, float] = {}
        self.resident_kb: list[int] = []

    async def run(self, intake: Intake, tell: Tell) -> None:
        """Send all packets, then do nothing."""
        begin_s = time.monotonic()
        for second, packets in enumerate(self._packets):
            self.resident_kb.append(resident_kb())
            for device, data in enumerate(packets):
                if self._paced:
                    wait_s = begin_s + second + device / DEVICES - time.monotonic()
                    self.latest_s = max(self.latest_s, -wait_s)
                    if wait_s > 0:
                        await asyncio.sleep(wait_s)
                elif device % 50 == 0:
                    await asyncio.sleep(0)
                name = address(device)
                if data[0] == bthome.ENCRYPTED and second == device // ALERTS_EVERY % SECONDS + 1:
                    self.raised_s[name] = time.monotonic()
                for _ in range(HEARD):
                    intake.advertisement(name, data, self.name)
        self.done.set()
        await asyncio.Event().wait()


def resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS in /proc/self/status")


def settings() -> Config:
    devices = [{"id": address(n), "name": f"machine {n}", "key": KEY.hex()} for n in range(DEVICES)]
    return Config.model_validate({"devices": devices})


async def run(store: Store, config: Config, fleet: Fleet) -> tuple[Gateway, list[float]]:
    """Run a fleet through a gateway: the gateway, and the seconds from each raised alert's packet to its announcement."""
    gateway = Gateway(config, store)
    delays_s: list[float] = []
    with gateway.hub.listen() as queue:

        async def listen() -> None:
            while (event := await queue.get()) is not None:
                note(event)

        def note(event: Event) -> None:
            if event.topic == "alert" and event.data["action"] == "raised":
                delays_s.append(time.monotonic() - fleet.raised_s[str(event.data["device"])])

        listener = asyncio.create_task(listen())
        work = asyncio.create_task(gateway.run([fleet]))
        await fleet.done.wait()
        await asyncio.sleep(1.5)
        for task in (work, listener):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return gateway, delays_s


def one_by_one(store: Store, config: Config, packets: list[list[bytes]]) -> float:
    """Packets a second when every packet is a transaction of its own."""
    gateway = Gateway(config, store)
    begin_s = time.perf_counter()
    for n in range(SINGLE):
        observation = gateway.intake.radio.receive(address(n), packets[0][n], "fleet", time.time())
        assert observation is not None
        status, changes = gateway.monitor.take(observation)
        store.write(Batch(device_rows([status], gateway.counts), changes, [observation]))
    return SINGLE / (time.perf_counter() - begin_s)


def main() -> None:
    """Print the figures."""
    logging.getLogger("gateway").setLevel(logging.ERROR)
    config = settings()
    packets = [[packet(device, second) for device in range(DEVICES)] for second in range(SECONDS)]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "paced.db")
        cpu_s, wall_s = time.process_time(), time.monotonic()
        fleet = Fleet(packets, paced=True)
        gateway, delays_s = asyncio.run(run(store, config, fleet))
        cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
        store.close()
        counts, delays_s = gateway.counts.total, sorted(delays_s)
        sent = DEVICES * SECONDS
        print(f"{DEVICES} devices, a packet a second for {SECONDS} s, each heard {HEARD} times")
        print(f"  packets sent / received / lost:  {sent} / {counts['received']} / {sent - counts['received']}")
        print(f"  repetitions told apart:          {counts['duplicate']} of {(HEARD - 1) * sent}")
        print(f"  of one core:                     {100 * cpu_s / wall_s:.0f} %")
        print(f"  gateway at most behind:          {1000 * fleet.latest_s:.0f} ms")
        print(
            f"  alert to announcement:           {1000 * delays_s[len(delays_s) // 2]:.0f} ms median, "
            f"{1000 * delays_s[-1]:.0f} ms at most ({len(delays_s)} alerts)"
        )
        grown_kb = fleet.resident_kb[-1] - fleet.resident_kb[5]
        print(
            f"  memory:                          {fleet.resident_kb[5] / 1024:.0f} MB after 5 s, {grown_kb:+d} kB at the end"
        )

        store = Store(Path(folder) / "full.db")
        begin_s = time.perf_counter()
        gateway, _ = asyncio.run(run(store, config, Fleet(packets, paced=False)))
        together = sent / (time.perf_counter() - begin_s - 1.5)
        assert gateway.counts.total["received"] == sent
        store.close()
        store = Store(Path(folder) / "single.db")
        single = one_by_one(store, config, packets)
        store.close()
        print(f"at full speed, committed together: {together:.0f} packets/s")
        print(
            f"a transaction for every packet:    {single:.0f} packets/s; together is {together / single:.1f} times as fast"
        )


if __name__ == "__main__":
    main()
