"""Fetching from a server on loopback: pinned content arrives whole or nothing does."""

import hashlib
import io
import json
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from models.datasets import base, fetch
from models.datasets.adi import from_volts
from models.datasets.base import Reader, known
from models.datasets.origin import Origin
from models.datasets.skab import Skab
from models.datasets.uci_fan import UciFan
from sim.dataset.real import RealRecording
from sim.errors import DatasetError, SimtwinError

COMMIT = "0" * 40
CONTENT = {"data/a b.csv": b"1,2,3\n", "data/deep/c.csv": b"4,5,6\n"}


class Server(ThreadingHTTPServer):
    """Serves `answers`, path -> bytes or a status; counts what was asked."""

    answers: ClassVar[dict[str, bytes | int]] = {}
    asked: ClassVar[list[str]] = []
    short: ClassVar[bool] = False


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        Server.asked.append(self.path)
        answer = Server.answers.get(self.path, 404)
        if isinstance(answer, int):
            self.send_error(answer)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if Server.short else answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Server.answers, Server.asked, Server.short = {}, [], False
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Small(Reader):
    """A set whose packed file is the lines of its origin."""

    name, title, folder, licence, citation, units = "small", "Small", "small_set", "none", "none", "none"
    traps = ("none",)
    origins = (Origin("o/r", COMMIT, {path: hashlib.sha256(data).hexdigest() for path, data in CONTENT.items()}),)
    files: ClassVar[dict[str, str]] = {"all.csv": "f" * 64}

    def pack(self, origin: Path, out: Path) -> None:
        (out / "all.csv").write_bytes(b"".join((origin / path).read_bytes() for path in self.origins[0].files))

    def _read(self, folder: Path) -> list[RealRecording]:
        x = np.loadtxt(folder / "all.csv", delimiter=",", dtype=np.float32)
        return [RealRecording(x, ("a", "b", "c"), 1.0, "all", "normal")]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, mirror: str) -> Small:
    reader = Small()
    monkeypatch.setattr(fetch, "known", lambda: {"small": reader})
    monkeypatch.setattr(base, "_known", lambda name: reader)
    monkeypatch.setattr(base, "_READERS", ("small",))
    Server.answers = {
        f"/o/r/{COMMIT}/data/a%20b.csv": CONTENT["data/a b.csv"],
        f"/o/r/{COMMIT}/data/deep/c.csv": b"4,5,6\n",
    }
    return reader


def nothing_left(folder: Path) -> bool:
    return not folder.exists()


def test_fetched_set_is_read_and_left_alone_the_second_time(
    tmp_path: Path, mirror: str, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, float]] = []
    target = fetch.fetch("small", tmp_path, mirror=mirror, progress=lambda done, total: seen.append((done, total)))
    assert target == tmp_path / "small_set"
    assert seen == [(1, 2), (2, 2)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small_set"]
    monkeypatch.setenv(base.VARIABLE, str(tmp_path))
    np.testing.assert_array_equal(small.read()[0].samples, [[1, 2, 3], [4, 5, 6]])
    note = json.loads((target / "fetched.json").read_text())
    assert note["origins"][0] == {"repository": "o/r", "commit": COMMIT, "files": dict(Small.origins[0].files)}
    asked = len(Server.asked)
    fetch.fetch("small", tmp_path, mirror=mirror)
    assert len(Server.asked) == asked


def test_a_fetched_set_that_was_damaged_later_is_refused(
    tmp_path: Path, mirror: str, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fetch.fetch("small", tmp_path, mirror=mirror) / "all.csv").write_text("1,2,4\n4,5,6\n")
    monkeypatch.setenv(base.VARIABLE, str(tmp_path))
    with pytest.raises(DatasetError, match=r"all.csv: SHA-256 is .*delete it and run `simtwin data fetch small`"):
        small.read()


def change(answers: dict[str, bytes | int]) -> None:
    answers[f"/o/r/{COMMIT}/data/deep/c.csv"] = b"4,5,7\n"


def remove(answers: dict[str, bytes | int]) -> None:
    del answers[f"/o/r/{COMMIT}/data/deep/c.csv"]


def break_down(answers: dict[str, bytes | int]) -> None:
    answers[f"/o/r/{COMMIT}/data/deep/c.csv"] = 503


def cut_short(answers: dict[str, bytes | int]) -> None:
    Server.short = True


@pytest.mark.parametrize(
    ("spoil", "said", "asked"),
    [
        (change, "o/r/data/deep/c.csv: SHA-256 is .* pinned is", 2),
        (remove, "c.csv: HTTP 404", 2),
        (break_down, "c.csv: HTTP 503", 4),
        (cut_short, "a%20b.csv: ", 3),
    ],
)
def test_anything_else_than_pinned_leaves_nothing(
    tmp_path: Path, mirror: str, small: Small, spoil: Callable[[dict[str, bytes | int]], None], said: str, asked: int
) -> None:
    spoil(Server.answers)
    with pytest.raises(SimtwinError, match=said) as caught:
        fetch.fetch("small", tmp_path / "data", mirror=mirror)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
    assert nothing_left(tmp_path / "data")
    assert len(Server.asked) == asked  # passing faults are tried three times


def test_nobody_listens(tmp_path: Path, small: Small) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SimtwinError, match="fetching needs internet"):
        fetch.fetch("small", tmp_path / "data", mirror=f"http://127.0.0.1:{port}")
    assert nothing_left(tmp_path / "data")


def test_archive_of_a_commit_gives_the_pinned_folders_alone(
    tmp_path: Path, mirror: str, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in (("1.csv", b"1,2,3\n"), ("2.csv", b"4,5,6\n"))
    )
    pins = {"sets/one/": hashlib.sha256(lines.encode()).hexdigest()}
    monkeypatch.setattr(Small, "origins", (Origin("o/r", COMMIT, pins, archive=True),))

    def pack(self: Small, origin: Path, out: Path) -> None:
        assert not (origin / "sets" / "two").exists()
        (out / "all.csv").write_bytes(b"".join(path.read_bytes() for path in sorted((origin / "sets/one").iterdir())))

    monkeypatch.setattr(Small, "pack", pack)
    members = {"sets/one/1.csv": b"1,2,3\n", "sets/one/2.csv": b"4,5,6\n", "sets/two/9.csv": b"9\n", "../../evil": b"!"}

    def serve(content: dict[str, bytes]) -> None:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as tar:
            for name, data in content.items():
                info = tarfile.TarInfo(f"r-{COMMIT}/{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        Server.answers = {f"/o/r/tar.gz/{COMMIT}": file.getvalue()}

    serve(members)
    target = fetch.fetch("small", tmp_path / "good", mirror=mirror)
    assert (target / "all.csv").read_bytes() == b"1,2,3\n4,5,6\n"
    assert not (tmp_path / "evil").exists()
    serve({**members, "sets/one/2.csv": b"4,5,7\n"})
    with pytest.raises(SimtwinError, match="sets/one/: SHA-256"):
        fetch.fetch("small", tmp_path / "changed", mirror=mirror)
    Server.answers = {f"/o/r/tar.gz/{COMMIT}": b"no archive"}
    with pytest.raises(SimtwinError, match="not a whole archive"):
        fetch.fetch("small", tmp_path / "broken", mirror=mirror)
    assert nothing_left(tmp_path / "changed")
    assert nothing_left(tmp_path / "broken")


def test_unknown_set() -> None:
    with pytest.raises(SimtwinError, match="mafaulda: no such set; known are adi, cwru"):
        fetch.fetch("mafaulda")


# --- packing, against the sets at hand -------------------------------------------------------------------------------


def test_adi_volts_become_g_by_the_stated_rule(tmp_path: Path) -> None:
    # 50 g/V about each axis' own V0; then the mean goes, and steps of 2^-11 g remain.
    (tmp_path / "a.csv").write_text("0;0.91;0.90;0.88 ;0.89;0.90;0.90\n5e-005;0.87;0.92;0.92 \n")
    g = from_volts(tmp_path / "a.csv")
    np.testing.assert_allclose(g, [[1.0, -0.5, -1.0], [-1.0, 0.5, 1.0]], atol=2.0**-12)
    assert np.all(g * 2048 == np.round(g * 2048))


@pytest.mark.skipif(not UciFan().there(), reason="no data: `simtwin data fetch uci_fan` or SIMTWIN_DATA")
def test_uci_rows_pack_to_the_set_at_hand(tmp_path: Path) -> None:
    at_hand = pd.read_parquet(UciFan().place() / "uci_fan.parquet")
    rows = at_hand[["wconfid", "pctid", "x", "y", "z"]]
    other = rows.head(50).assign(pctid=30)  # a speed that is left out
    pd.concat([other, rows]).to_csv(tmp_path / "accelerometer.csv", index=False)
    UciFan().pack(tmp_path, tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "uci_fan.parquet"), at_hand)


@pytest.mark.skipif(not Skab().there(), reason="no data: `simtwin data fetch skab` or SIMTWIN_DATA")
def test_skab_experiments_pack_to_the_set_at_hand(tmp_path: Path) -> None:
    at_hand = pd.read_parquet(Skab().place() / "skab.parquet")
    for name, rows in at_hand.groupby("experiment"):
        path = tmp_path / "data" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = rows.drop(columns=["experiment", "description"]).rename(columns={"RateRMS": "Volume Flow RateRMS"})
        if name == "anomaly-free/anomaly-free":
            rows = rows.drop(columns=["anomaly", "changepoint"])
        rows.to_csv(path, sep=";", index=False)
    Skab().pack(tmp_path, tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "skab.parquet"), at_hand)


def test_pins_cover_what_the_readers_pack() -> None:
    counts = {name: sum(len(origin.files) for origin in reader.origins) for name, reader in known().items()}
    assert counts == {"adi": 65, "cwru": 19, "uci_fan": 1, "ceiling_fan": 5, "skab": 27, "smartmanuad": 55}
