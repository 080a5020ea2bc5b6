"""Installing Renode from a server on this machine, finding it, and what the doctor says."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from renode.errors import RenodeError
from renode.finder import VERSION, cache_folder, find
from renode.install import ASSETS, RELEASES, Asset, checks, install
from sim.cli import cli


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()


def packed(path: Path) -> Asset:
    """A release's archive: one folder with program and keywords; as an asset."""
    files = {"renode_x/renode": b"#!/bin/sh\n", "renode_x/tests/renode-keywords.robot": b"*** Keywords ***\n"}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o755
                tar.addfile(entry, io.BytesIO(content))
    data = path.read_bytes()
    return Asset(path.name, len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("name", ["r.tar.gz", "r.zip"])
def test_what_is_installed_is_found(
    name: str, server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = server
    monkeypatch.delenv("RENODE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find() is None
    told: list[float] = []
    install(packed(folder / name), url, cache_folder(), lambda done, of: told.append(done / of))
    found = find()
    assert found is not None
    assert (found.where, found.folder.name) == ("cache", "renode_x")
    assert told[-1] == 1.0
    install(packed(folder / name), url, cache_folder())  # again: replaced
    assert find() == found
    assert [path.name for path in cache_folder().parent.iterdir()] == [cache_folder().name]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sha256": "0" * 64}, "SHA-256 is"),
        ({"size": 7}, "the release has 7"),
        ({"name": "none.tar.gz"}, "cannot be had"),
    ],
    ids=["hash", "size", "absent"],
)
def test_anything_else_is_refused_and_nothing_is_left(
    change: dict[str, object], says: str, server: tuple[Path, str], tmp_path: Path
) -> None:
    from dataclasses import replace

    folder, url = server
    asset = replace(packed(folder / "r.tar.gz"), **change)  # type: ignore[arg-type]
    with pytest.raises(RenodeError, match=says):
        install(asset, url, tmp_path / "cache" / "renode")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_archive_that_leads_outside_is_refused(server: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = server
    with tarfile.open(folder / "r.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../outside"), io.BytesIO(b""))
    data = (folder / "r.tar.gz").read_bytes()
    with pytest.raises(RenodeError, match="cannot be unpacked"):
        install(Asset("r.tar.gz", len(data), hashlib.sha256(data).hexdigest()), url, tmp_path / "cache" / "renode")
    assert not (tmp_path / "outside").exists()


def test_assets_are_of_the_version_that_is_looked_for() -> None:
    assert VERSION in RELEASES
    for asset in ASSETS.values():
        assert VERSION in asset.name
        assert len(asset.sha256) == 64
        assert asset.size > 50e6


def test_renode_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("home", "bin"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "renode").write_text("#!/bin/sh\n")
        (tmp_path / name / "renode").chmod(0o755)
        (tmp_path / name / "tests" / "renode-keywords.robot").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("RENODE_HOME", str(tmp_path / "home"))
    found = find()
    assert found is not None
    assert (found.where, found.folder) == ("RENODE_HOME", tmp_path / "home")
    monkeypatch.delenv("RENODE_HOME")
    found = find()
    assert found is not None
    assert (found.where, found.folder) == ("PATH", tmp_path / "bin")
    monkeypatch.setenv("RENODE_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="there is no Renode"):
        find()


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("renode", []),  # a portable release
        ("bin/Renode.dll", ["dotnet"]),  # Renode's packages, which also have a script that starts it
        ("bin/Renode.exe", ["mono"]),  # those of 1.16.1
        ("output/bin/Release/Renode.dll", ["dotnet"]),  # built from sources
    ],
)
def test_what_is_started_is_renode_itself(
    program: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script in between would be stopped alone; a package's script lies where Renode does not."""
    folder = tmp_path / "opt" / "renode"
    for name in ("tests/renode-keywords.robot", "renode", program):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    script = tmp_path / "usr" / "bin" / "renode"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.delenv("RENODE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(script.parent))
    assert find() is None
    monkeypatch.setattr("renode.finder.PACKAGE", folder)
    found = find()
    assert found is not None
    assert (found.where, found.folder) == ("PATH", folder)
    assert list(found.command) == [*command, str(folder / program)]


def test_the_doctor_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RENODE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = CliRunner().invoke(cli, ["doctor"])
    assert said.exit_code == 1
    assert f"missing  Renode {VERSION}: `simtwin renode install`" in said.output
    assert "missing  Docker: Docker is not here" in said.output
    assert "missing  C# compiler (tests of the peripherals): apt install mono-mcs mono-runtime" in said.output
    assert {check.what for check in checks() if not check.found} >= {f"Renode {VERSION}", "Docker"}


def test_e2e_on_a_renode_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.errors import SimtwinError

    monkeypatch.delenv("RENODE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = CliRunner().invoke(cli, ["e2e", "--engine", "renode", "boot"])
    assert isinstance(said.exception, SimtwinError)
    assert said.exception.exit_code == 9
    assert "Renode is not here" in str(said.exception)
