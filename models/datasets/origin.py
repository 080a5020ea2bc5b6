"""Where a set comes from: repository, commit, and the SHA-256 of every file that is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sim.dataset.manifest import sha256_of
from sim.errors import DatasetError

FETCHED = "fetched.json"
"""Beside a fetched set: the SHA-256 of each file that was written, and what it was made from."""

_PINS = Path(__file__).parent / "pins"


@dataclass(frozen=True)
class Origin:
    """Files of one commit of a public repository.

    Attributes:
        repository: owner/name on GitHub.
        commit: the commit the files are taken from.
        files: path in the repository -> SHA-256; a path that ends in "/" stands for a folder, with `folder_digest`.
        archive: get the commit's archive in one request instead of file by file; needed for folders.
    """

    repository: str
    commit: str
    files: Mapping[str, str]
    archive: bool = False

    def url(self, path: str, mirror: str | None = None) -> str:
        """Address of a file of the commit."""
        root = mirror.rstrip("/") if mirror else "https://raw.githubusercontent.com"
        return f"{root}/{self.repository}/{self.commit}/{quote(path)}"

    def archive_url(self, mirror: str | None = None) -> str:
        """Address of the commit's archive."""
        root = mirror.rstrip("/") if mirror else "https://codeload.github.com"
        return f"{root}/{self.repository}/tar.gz/{self.commit}"


def pinned(name: str) -> dict[str, str]:
    """File -> SHA-256, from a list in `pins/`: lines as of sha256sum, digest, two blanks, path."""
    lines = (_PINS / name).read_text().splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def folder_digest(folder: Path) -> str:
    """SHA-256 of the list that `sha256sum *` prints of a folder's files, sorted by name."""
    lines = [f"{sha256_of(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def fetched(folder: Path) -> dict[str, str]:
    """File -> SHA-256 as written by `simtwin data fetch`; empty when the folder was not made by it."""
    path = folder / FETCHED
    if not path.is_file():
        return {}
    try:
        files = json.loads(path.read_text())["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise DatasetError(f"{path}: cannot be read; delete the folder and run `simtwin data fetch` again") from None
