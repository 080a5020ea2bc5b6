"""Where Renode is. Standard library only: bundles carry this file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.17.0"
"""The release that is installed and asked for; 1.16.1 works as well."""
IMAGE = f"antmicro/renode:{VERSION}"
PACKAGE = Path("/opt/renode")
"""Where Renode's packages for Linux put it; the `renode` on the PATH is then a script elsewhere."""

# What is started must be Renode itself: a script that starts it would be stopped alone, and Renode would live on.
_PROGRAMS = (
    ("bin/Renode.dll", ("dotnet",)),
    ("output/bin/Release/Renode.dll", ("dotnet",)),  # built from its sources
    ("bin/Renode.exe", () if sys.platform == "win32" else ("mono",)),  # 1.16.1's packages
    ("renode", ()),
    ("renode.exe", ()),
    ("Renode.exe", ()),
)


@dataclass(frozen=True)
class Renode:
    """A Renode that was found.

    Attributes:
        command: what starts it.
        folder: where it lies, with `tests/renode-keywords.robot`.
        where: which way it was found.
    """

    command: tuple[str, ...]
    folder: Path
    where: str


def cache_folder() -> Path:
    """Where `simtwin renode install` puts it: the user's cache."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "simtwin" / f"renode-{VERSION}"


def find() -> Renode | None:
    """Renode by RENODE_HOME, then in the cache, then on the PATH; None: nowhere.

    Raises:
        FileNotFoundError: RENODE_HOME is set and holds no Renode.
    """
    home = os.environ.get("RENODE_HOME")
    if home:
        found = _in_folder(Path(home), "RENODE_HOME")
        if found is None:
            raise FileNotFoundError(f"RENODE_HOME is {home}, where there is no Renode with tests/renode-keywords.robot")
        return found
    if (found := _in_folder(cache_folder(), "cache")) is not None:
        return found
    on_path = shutil.which("renode")
    if on_path is None:
        return None
    return _in_folder(Path(on_path).resolve().parent, "PATH") or _in_folder(PACKAGE, "PATH")


def _in_folder(folder: Path, where: str) -> Renode | None:
    """Renode in this folder, or in the one folder of it that a release's archive makes."""
    places = [folder, folder / "Renode.app" / "Contents" / "MacOS"]
    if folder.is_dir():
        places += sorted(path for path in folder.iterdir() if path.name.lower().startswith("renode") and path.is_dir())
    for place in places:
        for name, launcher in _PROGRAMS:
            if (place / name).is_file() and (place / "tests" / "renode-keywords.robot").is_file():
                return Renode((*launcher, str(place / name)), place, where)
    return None


def docker() -> str:
    """What Docker can do for it: `image` (Renode's is there), `daemon` (it could be had), or `none`."""
    if shutil.which("docker") is None:
        return "none"
    try:
        if (
            subprocess.run(
                ["docker", "image", "inspect", IMAGE], capture_output=True, timeout=20, check=False
            ).returncode
            == 0
        ):
            return "image"
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "none"
    return "daemon" if done.returncode == 0 else "none"
