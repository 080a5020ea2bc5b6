"""Worker processes: parts are made in this process or in several, with the same bytes."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from sim.dataset.parts import Part, write_part
from sim.dataset.table import Windows
from sim.errors import DatasetError

Make = Callable[[Part[Any]], list[Windows]]
"""Makes the windows of a part; goes to each worker once, so it may be large and may keep what it has prepared."""

WORKER_DIED = "a worker process died (out of memory?); run the same command again to go on, with fewer --workers"
"""What to say of a `BrokenProcessPool`."""

_make: Make | None = None
"""What this worker process makes parts with."""


def keep_memory() -> None:
    """Ask the C library not to hand freed memory back: blocks of a megabyte come and go with every recording.

    With glibc's defaults their page faults cost a tenth of the time of a worker. Elsewhere nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((-1, 1 << 28), (-3, 1 << 26)):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD in malloc.h
            mallopt(parameter, value)


def start_worker() -> None:
    """Set up a worker process, and let it end when the run's own process is gone, even if that was killed."""
    keep_memory()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def make_part(make: Make, part: Part[Any], folder: Path) -> dict[str, Any]:
    """Make one part and write it whole; returns its entry of the manifest.

    Raises:
        DatasetError: the disk is full or the folder cannot be written.
    """
    with threadpool_limits(1):  # the workers are processes; BLAS threads on top would only fight for the cores
        windows = make(part)
    return write_part(folder, part.file_name, windows)


def warm_up(module: str) -> None:
    """Let the server that worker processes are forked from import a module meanwhile: that takes a second or two."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([module])
    forkserver.ensure_running()


def run_parts(
    make: Make, parts: Sequence[Part[Any]], folder: Path, workers: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Make the parts, in this process or in several; yields (number, entry) as they are finished."""
    if workers <= 1 or len(parts) <= 1:
        for part in parts:
            yield part.number, make_part(make, part, folder)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([type(make).__module__])
    executor: Executor = ProcessPoolExecutor(
        min(workers, len(parts)), mp_context=context, initializer=_begin, initargs=(make,)
    )
    running: dict[Future[dict[str, Any]], int] = {}
    try:
        for part in parts:
            running[executor.submit(_make_own, part, folder)] = part.number
            if len(running) < 2 * workers:
                continue
            yield from _collect_one(running)
        while running:
            yield from _collect_one(running)
    except BrokenProcessPool:
        raise DatasetError(f"{folder}: {WORKER_DIED}") from None
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _begin(make: Make) -> None:
    global _make
    start_worker()
    _make = make


def _make_own(part: Part[Any], folder: Path) -> dict[str, Any]:
    assert _make is not None
    return make_part(_make, part, folder)


def _collect_one(running: dict[Future[dict[str, Any]], int]) -> Iterator[tuple[int, dict[str, Any]]]:
    done = next(as_completed(running))
    yield running.pop(done), done.result()
