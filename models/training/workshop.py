"""The folder where a run is made: `OUT.partial`, which becomes `OUT` when all is done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sim.dataset.parts import as_dataset_error
from sim.dataset.workshop import workshop


@contextmanager
def run_workshop(out: Path, plan: dict[str, Any]) -> Iterator[Path]:
    """The workshop of a run (`sim.dataset.workshop`); halves that a stopped worker left in it are removed.

    Raises:
        DatasetError: as `sim.dataset.workshop.workshop`, and where the run itself cannot write.
    """
    with workshop(out, plan, made="run", of="data, models, settings") as folder:
        try:
            with as_dataset_error(folder):
                yield folder
        finally:
            for half in folder.rglob(".*.partial"):
                shutil.rmtree(half, ignore_errors=True)
                with suppress(OSError):
                    half.parent.rmdir()


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


def lines_of(paths: Sequence[Path]) -> int:
    """Lines behind the head of all CSV files that are there."""
    total = 0
    for path in paths:
        with suppress(OSError):
            total += max(path.read_bytes().count(b"\n") - 1, 0)
    return total
