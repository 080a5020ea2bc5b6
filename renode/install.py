"""Getting Renode's portable release, checked, into the user's cache; and what is missing for the suites."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from renode.errors import RenodeError
from renode.finder import IMAGE, VERSION, cache_folder, docker, find
from sim.progress import Progress

RELEASES = f"https://github.com/renode/renode/releases/download/v{VERSION}"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Asset:
    """A file of the release.

    Attributes:
        name: of the file.
        size: bytes.
        sha256: hex.
    """

    name: str
    size: int
    sha256: str


ASSETS = {
    ("linux", "x86_64"): Asset(
        f"renode-{VERSION}.linux-portable.tar.gz", 63_459_129,
        "4ba7c68b59e2447f188ef4b4b112fcccd2802582c460beedceb63b84e5605a5f",
    ),
    ("linux", "aarch64"): Asset(
        f"renode-{VERSION}.linux-arm64-portable.tar.gz", 61_595_258,
        "e9051578411441bfb47b77de0381cfba3badce03663367fab561472fd7807f1f",
    ),
    ("darwin", "arm64"): Asset(
        f"renode-{VERSION}.osx-arm64-portable.dmg", 75_720_019,
        "63b1fb691207f503cea937e4ec8fad3e068a517d0abac3c24c0206c62f6c4d12",
    ),
    ("win32", "amd64"): Asset(
        f"renode-{VERSION}.windows-portable.zip", 106_735_414,
        "18bcf145422039e8702c3e5f9864c7787561bfd5deb7a3ee6e168ecf19e2b9db",
    ),
}  # fmt: skip
"""By sys.platform and machine. Sizes and hashes as two third-party packages of Renode pin them."""


def asset_here() -> Asset:
    """The portable release for this machine.

    Raises:
        RenodeError: there is none.
    """
    key = (sys.platform, platform.machine().lower())
    if key not in ASSETS:
        known = ", ".join(" ".join(each) for each in ASSETS)
        raise RenodeError(
            f"no portable Renode for {' '.join(key)}; there is one for {known}; Docker's image is {IMAGE}"
        )
    return ASSETS[key]


def install(asset: Asset, url: str, folder: Path, progress: Progress | None = None) -> Path:
    """Download, check, unpack; returns the folder. One that is there already is replaced only when all went well.

    Args:
        asset: what to get.
        url: where its folder is.
        folder: to make.
        progress: told as bytes come.

    Raises:
        RenodeError: no answer, another size or hash than it must have, an archive that cannot be unpacked.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        archive = aside / asset.name
        _download(asset, f"{url}/{asset.name}", archive, progress)
        unpacked = aside / "renode"
        unpacked.mkdir()
        _unpack(archive, unpacked)
        if folder.exists():
            shutil.rmtree(folder)
        unpacked.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _download(asset: Asset, url: str, archive: Path, progress: Progress | None) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with urlopen(url, timeout=60) as answer, archive.open("wb") as file:
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
                if size > asset.size:
                    break
                if progress is not None:
                    progress(float(size), float(asset.size))
    except (URLError, OSError) as error:
        raise RenodeError(f"{url}: cannot be had ({getattr(error, 'reason', None) or error})") from None
    if size != asset.size:
        raise RenodeError(f"{url}: {size} bytes came, the release has {asset.size}; nothing was installed")
    if digest.hexdigest() != asset.sha256:
        raise RenodeError(f"{url}: SHA-256 is {digest.hexdigest()}, {asset.sha256} expected; nothing was installed")


def _unpack(archive: Path, folder: Path) -> None:
    try:
        if archive.name.endswith(".tar.gz"):
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
        elif archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
        else:
            raise RenodeError(
                f"{archive.name}: a disk image; open it by hand, drag Renode to Applications, and set RENODE_HOME"
            )
    except (tarfile.TarError, zipfile.BadZipFile, OSError) as error:
        raise RenodeError(f"{archive.name}: cannot be unpacked ({error})") from None


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: it is.
        found: whether it is there.
        says: where, or how to get it.
        needed: whether the suites on Renode cannot do without.
    """

    what: str
    found: bool
    says: str
    needed: bool = True


def checks() -> list[Check]:
    """What the suites need, on either engine, and what of it is here."""
    try:
        renode = find()
        says = (
            f"{' '.join(renode.command)} (by {renode.where})"
            if renode
            else "`simtwin renode install`, or set RENODE_HOME, or put it on the PATH"
        )
        found = renode is not None
    except FileNotFoundError as error:
        found, says = False, str(error)
    checked = [Check(f"Renode {VERSION}", found, says)]
    for package, use in (("robot", "robotframework"), ("psutil", "psutil")):
        there = importlib.util.find_spec(package) is not None
        checked.append(Check(f"Python package {use}", there, "installed" if there else f"pip install {use}"))
    for package, use in (("unicorn", "the built-in emulator"), ("ziglang", "building firmware")):
        there = importlib.util.find_spec(package) is not None
        how = "installed" if there else "pip install 'simtwin[firmware]'"
        checked.append(Check(f"Python package {package} ({use})", there, how, needed=False))
    state = docker()
    says = {
        "image": f"{IMAGE} is here: docker run --rm -v BUNDLE:/bundle {IMAGE} renode-test /bundle/tests/boot.robot",
        "daemon": f"Docker is here without Renode: docker pull {IMAGE}",
        "none": "Docker is not here, or does not answer; it is another way to Renode",
    }[state]
    checked.append(Check("Docker", state == "image", says, needed=False))
    there = shutil.which("mcs") is not None and shutil.which("mono") is not None
    how = "installed" if there else "apt install mono-mcs mono-runtime"
    checked.append(Check("C# compiler (tests of the peripherals)", there, how, needed=False))
    return checked


def default_folder() -> Path:
    """Where it goes."""
    return cache_folder()
