"""The workshop: the folder where a dataset is made, part by part, until it is whole.

Parts are written into `OUT.partial`, which becomes `OUT` only when all is done; an interrupted run goes on where it
was by running the same command again.
"""

from __future__ import annotations

import fcntl
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sim.dataset.manifest import FORMAT, MANIFEST, to_json, versions, write_aside
from sim.dataset.parts import COUNTED, Part, as_dataset_error, finished
from sim.dataset.workers import Make, run_parts
from sim.errors import DatasetError
from sim.progress import Progress

"""Called with (rows made, rows in all) after every part."""

_PLAN = "plan.json"
_LOCK = "lock"


def make_dataset(
    out: Path,
    head: dict[str, Any],
    depends_on: dict[str, Any],
    parts: Sequence[Part[Any]],
    make: Make,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make all parts of a dataset in the folder `out`; returns its manifest.

    Args:
        out: folder to make; must not exist.
        head: what the manifest says beside counts and parts; `seed`, `window_length` and `channels` at the least.
        depends_on: what the parts depend on beside the versions: a run goes on only with parts of the same.
        parts: the parts, numbered from 0.
        make: makes the windows of a part.
        workers: processes; the bytes do not depend on it.
        progress: told how far it is.

    Raises:
        DatasetError: `out` exists, or belongs to another run, or cannot be written.
    """
    plan = {"format": FORMAT, "versions": versions(), **depends_on}
    with workshop(out, plan, made="dataset", of="scenarios, seed, windows, recordings") as folder:
        entries = {p.number: entry for p in parts if (entry := finished(folder, p.file_name)) is not None}
        missing = [part for part in parts if part.number not in entries]
        rows_of = {part.number: part.rows for part in parts}
        total, done = sum(rows_of.values()), sum(rows_of[n] for n in entries)
        _check_space(folder, sum(p.rows for p in missing) * head["window_length"] * len(head["channels"]) * 4)
        if progress is not None:
            progress(done, total)
        for number, entry in run_parts(make, missing, folder, workers):
            entries[number] = entry
            done += rows_of[number]
            if progress is not None:
                progress(done, total)
        manifest = _manifest(head, [entries[part.number] for part in parts])
        with as_dataset_error(folder):
            for part in parts:
                (folder / part.file_name).with_suffix(".json").unlink()
            write_aside(folder / MANIFEST, to_json(manifest))
    return manifest


def _manifest(head: dict[str, Any], entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    counts: Counter[tuple[str, ...]] = Counter()
    for entry in entries:
        for *key, count in entry["counts"]:
            counts[tuple(key)] += count
    return {
        "format": FORMAT,
        "versions": versions(),
        **head,
        "rows": sum(entry["rows"] for entry in entries),
        "counts": [{**dict(zip(COUNTED, key, strict=True)), "windows": n} for key, n in sorted(counts.items())],
        "parts": [{k: entry[k] for k in ("file", "sha256", "bytes", "rows")} for entry in entries],
    }


def _check_space(folder: Path, need: int) -> None:
    free = shutil.disk_usage(folder).free
    if need > free:
        raise DatasetError(
            f"{folder}: {need / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free; choose another folder or fewer "
            "windows (--windows)"
        )


@contextmanager
def workshop(out: Path, plan: dict[str, Any], *, made: str, of: str) -> Iterator[Path]:
    """The folder `OUT.partial`, made or taken up again, locked against a second run; renamed at the end without error.

    Args:
        out: folder to make; must not exist.
        plan: all that what is made depends on; an unfinished run of another plan is refused.
        made: what is made, in words.
        of: what the plan holds beside the versions, in words.

    Raises:
        DatasetError: `out` exists, another run is at work, the folder is not ours or cannot be written.
    """
    refuse_to_overwrite(out)
    folder, text = out.with_name(out.name + ".partial"), to_json(plan)
    ours = not folder.exists()
    try:
        with as_dataset_error(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not ours and not (folder / _PLAN).exists() and any(folder.iterdir()):
                raise DatasetError(f"{folder}: is not an unfinished run of simtwin; choose another --out")
            lock = (folder / _LOCK).open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DatasetError(f"{folder}: another run is at work in it") from None
            with as_dataset_error(folder):
                if not (folder / _PLAN).exists():
                    write_aside(folder / _PLAN, text)
                elif (folder / _PLAN).read_text() != text:
                    raise DatasetError(
                        f"{folder}: holds an unfinished run of other {of} or versions; finish that one, remove the"
                        " folder, or choose another --out"
                    )
            ours = True
            yield folder
            with as_dataset_error(folder):
                for name in (_PLAN, _LOCK):
                    (folder / name).unlink()
                if out.exists():
                    raise DatasetError(f"{out}: appeared while the {made} was made; it is finished in {folder}")
                folder.rename(out)
    finally:
        # A run that ended before its first result leaves nothing behind; nothing that is not its own is ever removed.
        if ours and folder.is_dir() and {path.name for path in folder.iterdir()} <= {_PLAN, _LOCK}:
            for name in (_PLAN, _LOCK):
                (folder / name).unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()


def refuse_to_overwrite(out: Path) -> None:
    """Raise DatasetError when there is something at `out` already."""
    if out.exists() or out.is_symlink():
        raise DatasetError(f"{out}: exists already and is not overwritten; choose another --out or remove it")
