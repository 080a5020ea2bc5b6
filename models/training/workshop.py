"""The folder where a run is made: `OUT.partial`, which becomes `OUT` when all is done."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sim.dataset.manifest import to_json, write_aside
from sim.errors import DatasetError

_PLAN, _LOCK = "plan.json", "lock"


@contextmanager
def workshop(out: Path, plan: dict[str, Any]) -> Iterator[Path]:
    """The folder `OUT.partial`, made or taken up again, locked against a second run; renamed at the end without error.

    Args:
        out: folder to make; must not exist.
        plan: all that what is made depends on; an unfinished run of another plan is refused.

    Raises:
        DatasetError: `out` exists, another run is at work, the folder is not ours or cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise DatasetError(f"{out}: exists already and is not overwritten; choose another --out or remove it")
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
                        f"{folder}: holds an unfinished run of other data, models, settings or versions; finish that one,"
                        " remove the folder, or choose another --out"
                    )
            ours = True
            with as_dataset_error(folder):
                yield folder
                if out.exists():
                    raise DatasetError(f"{out}: appeared while the run was made; it is finished in {folder}")
                for name in (_PLAN, _LOCK):
                    (folder / name).unlink()
                folder.rename(out)
    finally:
        # A run that ended before its first result leaves nothing behind; nothing that is not its own is ever removed.
        for half in [*folder.rglob(".*.partial")] if ours else []:
            shutil.rmtree(half, ignore_errors=True)  # of a worker that was stopped
            with suppress(OSError):
                half.parent.rmdir()
        if ours and folder.is_dir() and {path.name for path in folder.iterdir()} <= {_PLAN, _LOCK}:
            for name in (_PLAN, _LOCK):
                (folder / name).unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def made_aside(target: Path) -> Iterator[Path]:
    """A hidden folder beside `target` to write into; it takes the place of `target` at the end without error."""
    aside = target.with_name(f".{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        yield aside
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(OSError):
            target.parent.rmdir()  # when nothing else is in it
        raise
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)


@contextmanager
def as_dataset_error(folder: Path) -> Iterator[None]:
    """Turn what the operating system says of writing into one line."""
    try:
        yield
    except OSError as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{folder}: cannot be written ({error.strerror or error})") from None


def lines_of(paths: Sequence[Path]) -> int:
    """Lines behind the head of all CSV files that are there."""
    total = 0
    for path in paths:
        with suppress(OSError):
            total += max(path.read_bytes().count(b"\n") - 1, 0)
    return total
