"""The block hook in C: compiled once by the pip compiler (ziglang) and kept in the user's cache."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from emulator.errors import MachineError

SOURCE = Path(__file__).with_name("block_hook.c")
_WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wmissing-prototypes", "-Werror")
_FLAGS = ("-shared", "-O2", "-std=c11", *_WARNINGS)
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


@cache
def library() -> ctypes.CDLL:
    """The compiled hook.

    Raises:
        MachineError: no compiler, or it failed.
    """
    path = _cache_folder() / f"block_hook-{_digest()}{_SUFFIX}"
    if not path.exists():
        _compile(path)
    return ctypes.CDLL(str(path))


def _digest() -> str:
    machine = f"{sys.platform} {os.uname().machine if hasattr(os, 'uname') else ''} {' '.join(_FLAGS)}"
    return hashlib.sha256(SOURCE.read_bytes() + machine.encode()).hexdigest()[:16]


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or (
        os.environ.get("LOCALAPPDATA", "") if sys.platform == "win32" else str(Path.home() / ".cache")
    )
    return Path(base) / "simtwin"


def _compile(path: Path) -> None:
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "ziglang", "cc", *_FLAGS, "-o", str(aside), str(SOURCE)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise MachineError(
                f"{SOURCE.name} cannot be compiled ({said[0] if said else 'no message'}); install ziglang"
                " (pip install 'simtwin[firmware]') or run the emulator with hook='python'"
            )
        aside.replace(path)
    except OSError as error:
        raise MachineError(
            f"{path}: cannot be written ({error.strerror or error}); set XDG_CACHE_HOME to a folder that can, or run the"
            " emulator with hook='python'"
        ) from None
    finally:
        for left in path.parent.glob(f".{os.getpid()}-*"):
            left.unlink(missing_ok=True)
