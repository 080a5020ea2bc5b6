"""Getting a set from its public origin: every file held against its pinned SHA-256, nothing left half-written.

What is asked for are the origin's own files at one commit; from them the set is packed as its reader wants it. The pins
are of the origin's files (`pins/*.sha256`). The packed files' own SHA-256 depends on the versions of NumPy and zlib, so
it is noted in `fetched.json` beside them, by which the reader later tells a damaged file.
"""

from __future__ import annotations

import gzip
import http.client
import os
import shutil
import socket
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from models.datasets.base import Reader, data_folder, known
from models.datasets.origin import FETCHED, Origin, folder_digest
from sim.dataset.manifest import sha256_of, to_json, versions
from sim.errors import SimtwinError
from sim.progress import Progress

_TIMEOUT_S = 60.0
_ATTEMPTS = 3
_MAX_BYTES = 1 << 30
_MAX_MEMBER_BYTES = 1 << 24


def fetch(
    name: str, folder: Path | None = None, *, mirror: str | None = None, progress: Progress | None = None
) -> Path:
    """Get the known set `name` into a subfolder of `folder`.

    Args:
        name: a known set; of a collection all members are fetched.
        folder: folder of the data; `data_folder()` by default.
        mirror: address that serves MIRROR/OWNER/REPOSITORY/COMMIT/PATH (and MIRROR/OWNER/REPOSITORY/tar.gz/COMMIT) in
            GitHub's place.
        progress: called with files got and files in all.

    Returns:
        The set's folder. A set that is already there and whole is left as it is.

    Raises:
        SimtwinError: no such set, no connection, another content than pinned, or no place to write.
    """
    reader = known().get(name.split("/")[0])
    if reader is None:
        raise SimtwinError(f"{name}: no such set; known are {', '.join(known())}")
    target = (folder or data_folder()) / reader.folder
    if target.exists():
        reader.check_files(target, list(reader.files))
        return target
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    new_folder = not target.parent.exists()
    try:
        _make(reader, aside, mirror, progress)
        (aside / "packed").rename(target)
    except OSError as error:
        raise SimtwinError(f"{target}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if new_folder and not target.exists():
            with suppress(OSError):  # never there, or in use by now
                target.parent.rmdir()
    return target


def _make(reader: Reader, aside: Path, mirror: str | None, progress: Progress | None) -> None:
    """Download into `aside/origin`, pack into `aside/packed`."""
    origin, packed = aside / "origin", aside / "packed"
    origin.mkdir(parents=True)
    packed.mkdir()
    total, done = sum(len(source.files) for source in reader.origins), 0
    for source in reader.origins:
        if source.archive:
            _get_archive(source, origin, mirror)
        for path, digest in source.files.items():
            if not source.archive:
                _download(source.url(path, mirror), origin / path)
            place = origin / path
            found = folder_digest(place) if path.endswith("/") else sha256_of(place)
            if found != digest:
                raise SimtwinError(
                    f"{source.repository}/{path}: SHA-256 is {found[:16]}..., pinned is {digest[:16]}...; not what this"
                    " version of simtwin knows, so nothing was kept"
                )
            done += 1
            if progress is not None:
                progress(done, total)
    reader.pack(origin, packed)
    files = {path.name: sha256_of(path) for path in sorted(packed.iterdir())}
    made_of = [{"repository": s.repository, "commit": s.commit, "files": dict(s.files)} for s in reader.origins]
    (packed / FETCHED).write_text(to_json({"files": files, "origins": made_of, "versions": versions()}))
    reader.check_files(packed, list(reader.files))


def _get_archive(source: Origin, origin: Path, mirror: str | None) -> None:
    """Take the pinned files and folders out of the commit's archive."""
    url, archive = source.archive_url(mirror), origin / ".archive"
    _download(url, archive)
    wanted = tuple(source.files)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = PurePosixPath(*PurePosixPath(member.name).parts[1:])  # below the archive's own top folder
                inside = member.isfile() and (f"{path.parent}/" in wanted or str(path) in wanted)
                content = tar.extractfile(member) if inside and member.size <= _MAX_MEMBER_BYTES else None
                if content is not None and ".." not in path.parts:
                    place = origin / path
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content.read())
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SimtwinError(f"{url}: not a whole archive ({error}); try again") from None
    archive.unlink()
    for name in wanted:
        if not (origin / name).exists():
            raise SimtwinError(f"{url}: {name} is not in it, so nothing was kept")


def _download(url: str, place: Path) -> None:
    """Get one file; a passing fault is tried again."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _download_once(url, place)
        except urllib.error.HTTPError as error:
            passing, reason = error.code >= 500 or error.code == 429, f"HTTP {error.code} {error.reason}"
        except urllib.error.URLError as error:
            passing, reason = isinstance(error.reason, TimeoutError), str(error.reason)
            if isinstance(error.reason, socket.gaierror):
                reason = "the name cannot be resolved"
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            passing, reason = True, str(error) or type(error).__name__
        if not passing or attempt == _ATTEMPTS:
            raise SimtwinError(
                f"{url}: {reason}; fetching needs internet: try on a machine with it and copy the folder, or name a"
                " --mirror"
            )
        time.sleep(attempt)
    return None


def _download_once(url: str, place: Path) -> None:
    if not url.startswith(("https://", "http://")):
        raise SimtwinError(f"{url}: must begin with https:// or http://")
    request = urllib.request.Request(url, headers={"User-Agent": "simtwin"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer, place.open("wb") as file:
        size = 0
        while block := answer.read(1 << 20):
            size += len(block)
            if size > _MAX_BYTES:
                raise SimtwinError(f"{url}: more than {_MAX_BYTES >> 30} GiB, which no file of a set is")
            file.write(block)
        stated = answer.headers.get("Content-Length")
        if stated is not None and int(stated) != size:
            raise http.client.IncompleteRead(b"", int(stated) - size)
