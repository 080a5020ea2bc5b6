"""Making a dataset: the plan is cut into parts, each a pure function of (scenarios, seed, part number), run in processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.dataset.parts import Part, cut_into_parts, in_turns, share
from sim.dataset.recording import RecordingJob, simulate_recording
from sim.dataset.table import Windows
from sim.dataset.workshop import make_dataset
from sim.errors import ScenarioError
from sim.progress import Progress
from sim.scenario.reader import Loaded, canonical, content_hash
from sim.scenario.realise import plan as plan_draws
from sim.scenario.schema import Scenario


@dataclass(frozen=True)
class Job:
    """One recording of one of the scenarios."""

    scenario: int
    recording: RecordingJob


def plan_parts(scenarios: list[Scenario], windows: int | None, times: int = 1) -> list[Part[Job]]:
    """Cut the scenarios' dataset plans into parts, none of which holds two scenarios.

    Args:
        scenarios: the scenarios, in order.
        windows: number of windows a scenario shall give in all, instead of what it plans itself; its classes keep
            their proportions.
    """
    parts: list[Part[Job]] = []
    for index, scenario in enumerate(scenarios):
        rows_per_window = 1 if scenario.fusion == "median" else len(scenario.sensors)
        jobs = ((Job(index, job), job.windows * rows_per_window) for job in _jobs(scenario, windows, times))
        parts += cut_into_parts(jobs, first=len(parts))
    return parts


def _jobs(scenario: Scenario, windows: int | None, times: int) -> Iterator[RecordingJob]:
    """The recordings of one scenario."""
    plan = scenario.dataset
    wanted: dict[str | None, int] = {}
    if plan.windows_per_class is None:
        wanted[None] = plan.windows if windows is None else windows
    else:
        wanted.update(plan.windows_per_class if windows is None else share(plan.windows_per_class, windows))
    wanted = {name: times * count for name, count in wanted.items()}
    per_recording = plan.windows_per_recording
    if scenario.sampling is not None and plan.windows_per_class is None:
        # One recording is one life of the machine: all captures of the sampling plan.
        per_recording = scenario.life_windows()
    for number, (name, count) in enumerate(in_turns(wanted, per_recording)):
        yield RecordingJob(number, name, count)


class Simulator:
    """Makes parts of simulated windows: all that a part depends on beside its jobs."""

    def __init__(self, scenarios: list[Scenario], seed: int) -> None:
        self._seed = seed
        self._prepared = [(s, plan_draws(s), content_hash(s)) for s in scenarios]

    def __call__(self, part: Part[Job]) -> list[Windows]:
        """The part's windows."""
        windows: list[Windows] = []
        for job in part.jobs:
            scenario, draws, scenario_hash = self._prepared[job.scenario]
            windows += simulate_recording(scenario, draws, scenario_hash, self._seed, job.recording)
        return windows


def augment(
    loaded: list[Loaded[Scenario]],
    out: Path,
    seed: int,
    *,
    windows: int | None = None,
    times: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make a dataset of all scenarios in the folder `out`; returns its manifest.

    Args:
        loaded: the scenarios with the files they came from.
        out: folder to make; must not exist.
        seed: seed of all random streams.
        windows: windows per scenario, instead of the scenarios' own plans.
        times: so many times as many.
        workers: processes; the bytes do not depend on it.
        progress: called with (rows made, rows in all) after every part.

    Raises:
        ScenarioError: scenarios that do not go together in one dataset.
        DatasetError: `out` exists, or belongs to another run, or cannot be written.
    """
    scenarios = [entry.model for entry in loaded]
    _go_together(scenarios)
    parts = plan_parts(scenarios, windows, times)
    if not parts:
        raise ScenarioError("the dataset plan asks for no windows at all")
    head = {
        "seed": seed,
        "window_length": scenarios[0].dataset.window_length,
        "channels": list(scenarios[0].sensors[0].channel_names),
        "scenarios": [describe(entry) for entry in loaded],
    }
    plans = [json.loads(canonical(s)) for s in scenarios]
    depends_on = {"seed": seed, "windows": windows, "times": times, "scenarios": plans}
    return make_dataset(out, head, depends_on, parts, Simulator(scenarios, seed), workers=workers, progress=progress)


def describe(loaded: Loaded[Scenario]) -> dict[str, Any]:
    """What a manifest says of a scenario."""
    return {
        "name": loaded.model.name,
        "content_sha256": content_hash(loaded.model),
        "orders": loaded.model.machine.orders(),
        "files": [{"file": Path(f).name, "sha256": sha} for f, sha in loaded.files.items()],
    }


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
