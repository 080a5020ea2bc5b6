"""`simtwin serve` as a user meets it: its mistakes in one line, its end, and its death."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sim.cli import cli
from sim.errors import SimtwinError
from tests.gateway.devices import HEARTBEAT, JUDGED, MACHINE_ALERT, RAISED, frame_line

ROOT = Path(__file__).parents[2]
TOKEN = "a token for tests only"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "sim.cli", "serve", *map(str, arguments)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@contextmanager
def serving(store: Path, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address."""
    full = command("--store", store, "--port", 0, *arguments)
    process = subprocess.Popen(full, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip().rstrip("/")
    finally:
        process.kill()
        process.wait()


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    config = tmp_path / "gateway.yaml"
    config.write_text("devices:\n  - {id: x, name: y, kee: '00'}\n")
    short = tmp_path / "short"
    short.write_text("secret\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments, line in (
            (("--source", "radio"), r"source 'radio': allowed are ble, .*"),
            (
                ("--source", "ble-virtual", "--config", config),
                rf"{config}:2: devices\[0\]\.kee = .*did you mean.*key.*",
            ),
            (("--source", "ble-virtual", "--config", tmp_path / "no.yaml"), r".*no\.yaml.*"),
            (("--source", "ble-virtual", "--host", "0.0.0.0"), r"host '0\.0\.0\.0': a token is needed .*--token-file"),
            (("--source", "ble-virtual", "--token-file", short), r"token of 6 characters; at least 16 are allowed"),
            (("--source", "ble-virtual", "--token-file", tmp_path / "no"), r".*/no: cannot be read: No such file.*"),
            (("--source", "ble-virtual", "--port", port), rf"127\.0\.0\.1:{port}: cannot be bound to: .*in use.*"),
        ):
            with pytest.raises(SimtwinError) as caught:
                cli.main(["serve", "--store", str(store), *map(str, arguments)], standalone_mode=False)
            assert re.fullmatch(line, str(caught.value)), (arguments, line)


def test_a_mistake_as_it_is_printed(tmp_path: Path) -> None:
    full = command("--store", tmp_path / "no" / "store.db", "--source", "ble-virtual")
    done = subprocess.run(full, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr == f"{tmp_path}/no/store.db: cannot be made: No such file or directory\n"


class Board:
    """A board's console at a socket; sends what it is told to whoever connects."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.source = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        self._connection: socket.socket | None = None

    def accept(self) -> None:
        self._server.settimeout(20)
        self._connection, _ = self._server.accept()

    def send(self, data: bytes) -> None:
        assert self._connection is not None
        self._connection.sendall(data)

    def close(self) -> None:
        self._server.close()
        if self._connection is not None:
            self._connection.close()


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


def wait(true) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def total(url: str, query: str = "") -> int:
    return int(httpx.get(f"{url}/api/alerts?{query}").json()["total"])


def test_an_interrupted_gateway_ends_well(tmp_path: Path, board: Board) -> None:
    with serving(tmp_path / "store.db", "--source", board.source) as (process, url):
        assert process.stdout is not None
        assert re.fullmatch(r"token for changes, until this gateway ends: \S{32}\n", process.stdout.readline())
        board.accept()
        board.send(frame_line(HEARTBEAT, 1))
        wait(lambda: httpx.get(f"{url}/api/devices").json())
        board.send(frame_line(RAISED, 2, machine=1, flags=JUDGED | MACHINE_ALERT))
        with httpx.stream("GET", f"{url}/api/events") as stream:  # a listener does not hold it up
            next(stream.iter_lines())
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
    with serving(tmp_path / "store.db", "--source", "ble-virtual://127.0.0.1:0") as (_, url):
        assert total(url, "open=true") == 1


def test_a_killed_gateway_has_every_alert_that_it_announced(tmp_path: Path, board: Board) -> None:
    """Alerts come as fast as they can; the gateway is killed in their midst; what it had announced is there."""
    announced: list[int] = []
    with serving(tmp_path / "store.db", "--source", board.source) as (process, url):
        board.accept()
        board.send(frame_line(HEARTBEAT, 1))
        wait(lambda: httpx.get(f"{url}/api/devices").json())

        def send() -> None:
            n = 2
            while process.poll() is None:
                try:
                    board.send(
                        frame_line(RAISED, n, machine=1, flags=JUDGED | MACHINE_ALERT) + frame_line(HEARTBEAT, n + 1)
                    )
                except OSError:
                    return
                n += 2
                time.sleep(0.001)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            with httpx.stream("GET", f"{url}/api/events") as stream:
                for line in stream.iter_lines():
                    if line.startswith("data: ") and "raised" in line:
                        announced.append(json.loads(line.removeprefix("data: "))["id"])
                    if len(announced) == 50:
                        process.kill()
        except httpx.RemoteProtocolError:
            pass
        process.wait()
        sender.join()
    assert len(announced) >= 50
    with serving(tmp_path / "store.db", "--source", "ble-virtual://127.0.0.1:0") as (_, url):
        assert total(url) >= max(announced)
        for number in announced:
            assert httpx.get(f"{url}/api/alerts/{number}").json()["events"][0]["action"] == "raised"


def test_an_acknowledgement_survives_a_killed_gateway(tmp_path: Path, board: Board) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    with serving(tmp_path / "store.db", "--source", board.source, "--token-file", token) as (process, url):
        board.accept()
        board.send(frame_line(RAISED, 2, machine=1, flags=JUDGED | MACHINE_ALERT))
        wait(lambda: total(url))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.post(f"{url}/api/alerts/1/acknowledge", json={"note": "on my way"}, headers=headers)
        assert answer.status_code == 200
        process.kill()
        process.wait()
    with serving(tmp_path / "store.db", "--source", "ble-virtual://127.0.0.1:0") as (_, url):
        alert = httpx.get(f"{url}/api/alerts/1").json()["alert"]
        assert alert["note"] == "on my way"
        assert alert["acknowledged_s"] is not None


def test_other_commands_need_no_web_server() -> None:
    code = "import sys, sim.cli; print(sorted({'fastapi', 'bumble', 'bleak', 'uvicorn', 'aiomqtt'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.stdout == "[]\n"
