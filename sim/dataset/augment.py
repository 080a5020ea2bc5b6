"""Making a dataset: the plan is cut into parts, each a pure function of (scenarios, seed, part number), run in processes.

Parts are written into `OUT.partial`, which becomes `OUT` only when all is done; an interrupted run goes on where it
was by running the same command again.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import multiprocessing
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from sim.dataset.manifest import FORMAT, MANIFEST, sha256_of, to_json, versions, write_aside
from sim.dataset.recording import RecordingJob, simulate_recording
from sim.dataset.table import Windows, to_table
from sim.errors import DatasetError, ScenarioError
from sim.scenario.reader import Loaded, canonical, content_hash
from sim.scenario.realise import plan as plan_draws
from sim.scenario.schema import Scenario

PART_ROWS = 512
"""Rows a part holds, about; a few tens of megabytes in memory whatever the size of the dataset."""

_PLAN = "plan.json"
_LOCK = "lock"


@dataclass(frozen=True)
class Part:
    """One Parquet file to be: which recordings of which scenario."""

    number: int
    scenario: int
    jobs: tuple[RecordingJob, ...]

    @property
    def file_name(self) -> str:
        """Name of the part's file."""
        return f"part-{self.number:06d}.parquet"


@dataclass(frozen=True)
class Work:
    """All that a part depends on beside its number."""

    scenarios: tuple[Scenario, ...]
    seed: int


def plan_parts(scenarios: list[Scenario], windows: int | None) -> list[Part]:
    """Cut the scenarios' dataset plans into parts.

    Args:
        scenarios: the scenarios, in order.
        windows: number of windows a scenario shall give in all, instead of what it plans itself; its classes keep
            their proportions.
    """
    parts: list[Part] = []
    for index, scenario in enumerate(scenarios):
        jobs = list(_jobs(scenario, windows))
        rows_per_window = 1 if scenario.fusion == "median" else len(scenario.sensors)
        batch: list[RecordingJob] = []
        rows = 0
        for job in jobs:
            batch.append(job)
            rows += job.windows * rows_per_window
            if rows >= PART_ROWS:
                parts.append(Part(len(parts), index, tuple(batch)))
                batch, rows = [], 0
        if batch:
            parts.append(Part(len(parts), index, tuple(batch)))
    return parts


def _jobs(scenario: Scenario, windows: int | None) -> Iterator[RecordingJob]:
    """The recordings of one scenario: classes take turns, so that every part holds all of them."""
    plan = scenario.dataset
    if plan.windows_per_class is None:
        left: dict[str | None, int] = {None: plan.windows if windows is None else windows}
    elif windows is None:
        left = dict(plan.windows_per_class.items())
    else:
        left = dict(_share(plan.windows_per_class, windows).items())
    per_recording = plan.windows_per_recording
    if scenario.sampling is not None and plan.windows_per_class is None:
        # One recording is one life of the machine: all captures of the sampling plan.
        per_recording = scenario.life_windows()
    number = 0
    total = dict(left)
    while any(left.values()):
        # The class that is furthest behind its share comes next.
        name = max((n for n in left if left[n] > 0), key=lambda n: left[n] / total[n])
        count = min(per_recording, left[name])
        left[name] -= count
        yield RecordingJob(number, name, count)
        number += 1


def _share(classes: dict[str, int], windows: int) -> dict[str, int]:
    """Split `windows` in proportion to `classes`, by largest remainder."""
    total = sum(classes.values())
    if total == 0:
        return dict.fromkeys(classes, 0)
    exact = {name: windows * count / total for name, count in classes.items()}
    shares = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda n: shares[n] - exact[n])[: windows - sum(shares.values())]:
        shares[name] += 1
    return shares


def _keep_memory() -> None:
    """Ask the C library not to hand freed memory back: blocks of a megabyte come and go with every recording.

    With glibc's defaults their page faults cost a tenth of the time of a worker. Elsewhere nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((-1, 1 << 28), (-3, 1 << 26)):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD in malloc.h
            mallopt(parameter, value)


def _start_worker() -> None:
    """Set up a worker process, and let it end when the run's own process is gone, even if that was killed."""
    _keep_memory()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def make_part(work: Work, part: Part, folder: Path) -> dict[str, Any]:
    """Simulate one part and write it whole; returns its entry of the manifest.

    Raises:
        DatasetError: the disk is full or the folder cannot be written.
    """
    scenario = work.scenarios[part.scenario]
    draws, scenario_hash = plan_draws(scenario), content_hash(scenario)
    rows: list[Windows] = []
    with threadpool_limits(1):  # the workers are processes; BLAS threads on top would only fight for the cores
        for job in part.jobs:
            rows += simulate_recording(scenario, draws, scenario_hash, work.seed, job)
    table = to_table(rows)
    path, aside = folder / part.file_name, folder / f".{part.file_name}.{os.getpid()}"
    try:
        with _as_dataset_error(folder):
            pq.write_table(
                table, aside, compression={c: "NONE" if c == "samples.list.element" else "ZSTD" for c in _leaves(table)},
                use_dictionary=[c for c in table.column_names if c != "samples"], write_statistics=False,
            )  # fmt: skip
            entry = {
                "file": part.file_name,
                "sha256": sha256_of(aside),
                "bytes": aside.stat().st_size,
                "rows": table.num_rows,
                "counts": [
                    [*key, count]
                    for key, count in sorted(
                        Counter(
                            zip(
                                table["label"].to_pylist(),
                                table["fault_kind"].to_pylist(),
                                table["sensor_state"].to_pylist(),
                                strict=True,
                            )
                        ).items()
                    )
                ],
            }
            aside.replace(path)
            write_aside(path.with_suffix(".json"), json.dumps(entry))
    finally:
        aside.unlink(missing_ok=True)
    return entry


def _leaves(table: Any) -> list[str]:
    return ["samples.list.element" if name == "samples" else name for name in table.column_names]


@contextmanager
def _as_dataset_error(folder: Path) -> Iterator[None]:
    """Turn what the operating system says of writing into one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            text = (
                f"{folder}: the disk is full; free some space and run the same command again, finished parts are kept"
            )
        else:
            text = f"{folder}: cannot be written ({error.strerror or error})"
        raise DatasetError(text) from None


def augment(
    loaded: list[Loaded[Scenario]],
    out: Path,
    seed: int,
    *,
    windows: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Make a dataset of all scenarios in the folder `out`; returns its manifest.

    Args:
        loaded: the scenarios with the files they came from.
        out: folder to make; must not exist.
        seed: seed of all random streams.
        windows: windows per scenario, instead of the scenarios' own plans.
        workers: processes; the bytes do not depend on it.
        progress: called with (rows made, rows in all) after every part.

    Raises:
        ScenarioError: scenarios that do not go together in one dataset.
        DatasetError: `out` exists, or belongs to another run, or cannot be written.
    """
    scenarios = [entry.model for entry in loaded]
    _go_together(scenarios)
    parts = plan_parts(scenarios, windows)
    if not parts:
        raise ScenarioError("the dataset plan asks for no windows at all")
    work = Work(tuple(scenarios), seed)
    plan = {
        "format": FORMAT,
        "seed": seed,
        "windows": windows,
        "versions": versions(),
        "scenarios": [json.loads(canonical(s)) for s in scenarios],
    }
    with _workshop(out, to_json(plan)) as folder:
        entries = {part.number: entry for part in parts if (entry := _finished(folder, part)) is not None}
        missing = [part for part in parts if part.number not in entries]
        rows_of = {part.number: _rows(scenarios[part.scenario], part) for part in parts}
        total, done = sum(rows_of.values()), sum(rows_of[n] for n in entries)
        _check_space(folder, scenarios, missing)
        if progress is not None:
            progress(done, total)
        for number, entry in _run(work, missing, folder, workers):
            entries[number] = entry
            done += rows_of[number]
            if progress is not None:
                progress(done, total)
        manifest = _manifest(loaded, seed, [entries[part.number] for part in parts])
        with _as_dataset_error(folder):
            for part in parts:
                (folder / part.file_name).with_suffix(".json").unlink()
            write_aside(folder / MANIFEST, to_json(manifest))
            (folder / _PLAN).unlink()
            (folder / _LOCK).unlink()
            if out.exists():
                raise DatasetError(f"{out}: appeared while the dataset was made; it is finished in {folder}")
            folder.rename(out)
    return manifest


def _go_together(scenarios: list[Scenario]) -> None:
    names = [s.name for s in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f"two scenarios are called {name!r}; they would share their random streams: rename one")
    shapes = {(s.dataset.window_length, tuple(sensor.channel_names)): s.name for s in scenarios for sensor in s.sensors}
    if len(shapes) > 1:
        (a, name_a), (b, name_b) = list(shapes.items())[:2]
        raise ScenarioError(
            f"one dataset has windows of one shape, but {name_a!r} has {a[0]} x {len(a[1])} ({', '.join(a[1])}) and "
            f"{name_b!r} {b[0]} x {len(b[1])} ({', '.join(b[1])}): make two datasets"
        )


def _rows(scenario: Scenario, part: Part) -> int:
    per_window = 1 if scenario.fusion == "median" else len(scenario.sensors)
    return per_window * sum(job.windows for job in part.jobs)


def _check_space(folder: Path, scenarios: list[Scenario], missing: list[Part]) -> None:
    need = 0
    for part in missing:
        scenario = scenarios[part.scenario]
        need += _rows(scenario, part) * scenario.dataset.window_length * len(scenario.sensors[0].channel_names) * 4
    free = shutil.disk_usage(folder).free
    if need > free:
        raise DatasetError(
            f"{folder}: {need / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free; choose another folder or fewer "
            "windows (--windows)"
        )


@contextmanager
def _workshop(out: Path, plan: str) -> Iterator[Path]:
    """The folder `OUT.partial`, made or taken up again, locked against a second run."""
    if out.exists() or out.is_symlink():
        raise DatasetError(f"{out}: exists already and is not overwritten; choose another --out or remove it")
    folder = out.with_name(out.name + ".partial")
    with _as_dataset_error(folder):
        fresh = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    ours, lock = fresh, None
    try:
        with _as_dataset_error(folder):
            if not fresh and not (folder / _PLAN).exists() and any(folder.iterdir()):
                raise DatasetError(f"{folder}: is not an unfinished run of simtwin; choose another --out")
            lock = (folder / _LOCK).open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DatasetError(f"{folder}: another run is at work in it") from None
            if (folder / _PLAN).exists():
                if (folder / _PLAN).read_text() != plan:
                    raise DatasetError(
                        f"{folder}: holds an unfinished run of other scenarios, seed, windows or versions; finish that one, "
                        "remove the folder, or choose another --out"
                    )
            else:
                write_aside(folder / _PLAN, plan)
            ours = True
        yield folder
    finally:
        if lock is not None:
            lock.close()
        # A run that ended before its first part leaves nothing behind; nothing that is not its own is ever removed.
        if ours and not any(folder.glob("part-*")):
            for name in (_PLAN, _LOCK):
                (folder / name).unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()


def _finished(folder: Path, part: Part) -> dict[str, Any] | None:
    """The manifest entry of a part that an earlier run finished and that is still whole."""
    path = folder / part.file_name
    try:
        entry: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
        return entry if sha256_of(path) == entry["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _run(work: Work, parts: list[Part], folder: Path, workers: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Make the parts, in this process or in several; yields (number, entry) as they are finished."""
    if workers <= 1 or len(parts) <= 1:
        for part in parts:
            yield part.number, make_part(work, part, folder)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sim.dataset.augment"])
    executor: Executor = ProcessPoolExecutor(min(workers, len(parts)), mp_context=context, initializer=_start_worker)
    waiting = iter(parts)
    running: dict[Future[dict[str, Any]], int] = {}
    try:
        for part in waiting:
            running[executor.submit(make_part, work, part, folder)] = part.number
            if len(running) < 2 * workers:
                continue
            yield from _collect_one(running)
        while running:
            yield from _collect_one(running)
    except BrokenProcessPool:
        raise DatasetError(
            f"{folder}: a worker process died (out of memory?); run the same command again to go on, with fewer --workers"
        ) from None
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _collect_one(running: dict[Future[dict[str, Any]], int]) -> Iterator[tuple[int, dict[str, Any]]]:
    done = next(as_completed(running))
    yield running.pop(done), done.result()


def _manifest(loaded: list[Loaded[Scenario]], seed: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        for label, kind, state, count in entry["counts"]:
            counts[label, kind, state] += count
    first = loaded[0].model
    return {
        "format": FORMAT,
        "seed": seed,
        "versions": versions(),
        "window_length": first.dataset.window_length,
        "channels": list(first.sensors[0].channel_names),
        "rows": sum(entry["rows"] for entry in entries),
        "counts": [
            {"label": label, "fault_kind": kind, "sensor_state": state, "windows": n}
            for (label, kind, state), n in sorted(counts.items())
        ],
        "scenarios": [
            {
                "name": entry.model.name,
                "content_sha256": content_hash(entry.model),
                "orders": entry.model.machine.orders(),
                "files": [{"file": Path(f).name, "sha256": sha} for f, sha in entry.files.items()],
            }
            for entry in loaded
        ],
        "parts": [{k: entry[k] for k in ("file", "sha256", "bytes", "rows")} for entry in entries],
    }
