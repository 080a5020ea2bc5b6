"""Generated C on this machine, callable from Python."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.export.c.generate import Source
from models.export.convert import ExportError

Int8 = NDArray[np.int8]

INCLUDE = Path(__file__).parents[3] / "firmware" / "core" / "include"
"""Where simtwin_model.h is."""
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Wundef", "-Werror")


def compiler() -> str:
    """The C compiler of this machine; ExportError without one."""
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if found is None:
        raise ExportError("no C compiler on this machine: install gcc or clang")
    return found


def write(source: Source, folder: Path) -> None:
    """Write model.c and model.h."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.c").write_text(source.code, encoding="utf-8")
    (folder / "model.h").write_text(source.header, encoding="utf-8")


class Library:
    """A model's C as a shared library, built in `folder`."""

    def __init__(self, source: Source, folder: Path) -> None:
        write(source, folder)
        shared = ("-shared", "-fPIC", "-Wl,-Bsymbolic")
        command = [compiler(), "-O2", *WARNINGS, f"-I{INCLUDE}", *shared, "model.c", "-o", "model.so"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ExportError(
                f"{folder / 'model.c'}: {command[0]} does not take it: {done.stderr.strip().splitlines()[-1]}"
            )
        self._infer = ctypes.CDLL(str(folder / "model.so")).model_infer
        self._outputs = source.outputs
        self._scratch = np.full(-(-source.scratch_bytes // 4), 0x5A5A5A5A, np.int32)

    def run(self, windows: Int8) -> Int8:
        """Outputs (n, outputs) of windows (n, ...), whose bytes are one window's input each."""
        made = np.empty((len(windows), self._outputs), np.int8)
        for window, out in zip(np.ascontiguousarray(windows), made, strict=True):
            self._infer(*(ctypes.c_void_p(each.ctypes.data) for each in (window, out, self._scratch)))
        return made
