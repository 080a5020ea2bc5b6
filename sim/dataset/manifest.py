"""The manifest beside every dataset: seed, versions, and the SHA-256 of all that was read and written."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sim import __version__
from sim.errors import DatasetError, SimtwinError

MANIFEST = "manifest.json"
FORMAT = "simtwin dataset 1"

_DEPENDENCIES = ("numpy", "scipy", "numba", "pyarrow", "simpy", "pydantic")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions that the bytes of a run may depend on."""
    return {
        "simtwin": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _DEPENDENCIES},
    }


def to_json(content: dict[str, Any]) -> str:
    """The manifest's text: sorted, indented, no dates, so that the same run gives the same bytes."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def write_aside(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset folder.

    Raises:
        DatasetError: no such folder, not a dataset, or a manifest that cannot be read.
    """
    return read_manifest_of(folder, FORMAT, "a finished dataset", DatasetError)


def read_manifest_of(folder: Path, form: str, what: str, error: type[SimtwinError]) -> dict[str, Any]:
    """The manifest of a folder of any kind.

    Args:
        folder: where it stands.
        form: its `format`.
        what: the kind of folder, in words.
        error: to raise where it is not such a folder.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise error(f"{folder}: no such folder")
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise error(f"{folder}: no {MANIFEST} in it, so it is not {what}") from None
    except (OSError, ValueError) as reason:
        raise error(f"{path}: cannot be read ({reason})") from None
    if not isinstance(content, dict) or content.get("format") != form:
        raise error(f"{path}: not a manifest of format {form!r}")
    return content


def common_orders(manifest: Mapping[str, Any]) -> dict[str, float]:
    """Fault orders by name that all scenarios of a dataset have; empty where they differ."""
    found = [scenario.get("orders", {}) for scenario in manifest.get("scenarios", [])]
    return dict(found[0]) if found and all(orders == found[0] for orders in found) else {}
