"""The progress bar of commands that take a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[float, float], None]
"""Told (done, in all), in any unit."""


@contextmanager
def progress_bar(what: str, unit: str) -> Iterator[Progress]:
    """A progress bar on standard error: a live one on a terminal, nothing in a pipe."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn(what),
        progress.BarColumn(),
        progress.TextColumn("{task.completed:.0f}/{task.total:.0f} " + unit),
        progress.TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda done, total: bar.update(task, completed=done, total=total)
