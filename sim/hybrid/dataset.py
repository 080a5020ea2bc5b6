"""Making a dataset from real recordings: real windows first, hybrid ones for the rest of the plan."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any

from sim.dataset.augment import describe
from sim.dataset.parts import Part, cut_into_parts, share
from sim.dataset.real import RealRecording, RealSet, to_windows
from sim.dataset.table import OK, Windows
from sim.dataset.workers import warm_up
from sim.dataset.workshop import make_dataset, refuse_to_overwrite
from sim.errors import DatasetError, ScenarioError
from sim.hybrid.hybrid import Hybrid, HybridWindows, Mix
from sim.progress import Progress
from sim.scenario.quantity import span
from sim.scenario.reader import Loaded, canonical, content_hash
from sim.scenario.schema import NORMAL, Scenario
from sim.seeds import generator

HYBRID = "hybrid"
"""Provenance of windows made from real recordings."""

PIECE_S = 30.0
"""Longer recordings are taken in pieces: each has a speed of its own, and memory stays small."""
_PIECE_WINDOWS = 16
MOST_BASES = 64
"""Pieces of each kind of fault (and healthy ones) that hybrid windows rest on; all give real windows."""


@dataclass(frozen=True)
class RealJob:
    """Windows of one of the chosen real stretches, from window `first` on."""

    stretch: int
    first: int
    windows: int


@dataclass(frozen=True)
class HybridJob:
    """Hybrid windows of a class; they share a number and, where the recording underneath is long enough, a draw."""

    class_name: str
    number: int
    windows: int


Job = RealJob | HybridJob


class Maker:
    """Makes parts: all that a part depends on beside its jobs.

    Args:
        source: the source of hybrid windows.
        stretches: the real stretches to cut into windows, at the rate of the windows.
        seed: seed of the run.
    """

    def __init__(self, source: Hybrid, stretches: Sequence[RealRecording], seed: int) -> None:
        self._source, self._stretches, self._seed = source, tuple(stretches), seed
        self._hash = content_hash(source.scenario)

    def __call__(self, part: Part[Job]) -> list[Windows]:
        """The part's windows."""
        windows: list[Windows] = []
        for job in part.jobs:
            if isinstance(job, RealJob):
                length = self._source.length
                stretch = self._stretches[job.stretch]
                windows.append(
                    to_windows(stretch.stretch(job.first * length, (job.first + job.windows) * length), length)
                )
            else:
                windows += self._hybrid(job)
        return windows

    def _hybrid(self, job: HybridJob) -> Iterator[Windows]:
        """As many draws as it takes: a recording that is short at the speed drawn gives fewer windows than asked for."""
        left, number = job.windows, job.number * self._source.mix.windows_per_draw
        while left:
            drawn = self._source.draw(job.class_name, self._seed, number)
            count = min(len(drawn.samples), left)
            yield Windows(drawn.samples[:count], self._columns(drawn, count))
            left, number = left - count, number + 1

    def _columns(self, drawn: HybridWindows, count: int) -> dict[str, Any]:
        source, base = self._source, drawn.base
        return {
            "channels": ",".join(base.channels),
            "sampling_rate_hz": source.rate_hz,
            "label": drawn.label,
            "fault_kind": drawn.kind,
            "severity": drawn.severity,
            "severity_value": drawn.severity_value,
            "severity_unit": drawn.severity_unit,
            "rise_db": drawn.rise_db,
            "sensor_state": OK,
            "sensor_severity": 0.0,
            "speed_rpm": drawn.speed_rpm,
            "load": base.load,
            "start_s": [i * source.length / source.rate_hz for i in range(count)],
            "machine_id": base.machine_id,
            "sensor_id": base.sensor_id,
            "recording_id": base.id,
            "group": base.group,
            "provenance": HYBRID,
            "scenario": source.scenario.name,
            "scenario_hash": self._hash,
            "seed": self._seed,
        }


def augment_real(
    loaded: Loaded[Scenario],
    real: RealSet,
    out: Path,
    seed: int,
    *,
    windows: int | None = None,
    mix: Mix | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make a dataset of a scenario's classes from real recordings in the folder `out`; returns its manifest.

    Each class of the scenario's plan gets its real windows first, as far as there are any; hybrid windows fill it up.

    Args:
        loaded: the twin of the machine that was recorded, best calibrated.
        real: the recordings.
        out: folder to make; must not exist.
        seed: seed of all random streams.
        windows: windows in all, instead of the scenario's plan; its classes keep their proportions.
        mix: what hybrid windows are made of; by default `Mix` with the plan's windows per recording in a draw.
        workers: processes; the bytes do not depend on it.
        progress: called with (rows made, rows in all) after every part.

    Raises:
        ScenarioError: a class that cannot be made on real recordings.
        DatasetError: recordings that do not do (none healthy, channels that cannot be simulated, no speed), or `out`
            exists, belongs to another run or cannot be written.
    """
    scenario = loaded.model
    refuse_to_overwrite(out)  # before the recordings are taken apart
    wanted = plan_classes(scenario, windows)
    if workers > 1:
        warm_up(__name__)
    mix = mix or Mix(windows_per_draw=scenario.dataset.windows_per_recording)
    length = scenario.dataset.window_length
    pieces, windowed = _pieces(real, length)
    source = Hybrid(scenario, _bases(pieces), length, windowed[0].rate_hz, mix)
    stretches, classes = _choose(_with_speeds(windowed, source), wanted, scenario, length, seed)
    jobs = _jobs(stretches, classes, wanted, length, scenario.dataset.windows_per_recording)
    parts = cut_into_parts((job, job.windows) for job in jobs)
    if not parts:
        raise ScenarioError("the dataset plan asks for no windows at all")
    source.prepare()
    identity = {"name": real.name, "content_sha256": real.content_sha256, "decisions": real.decisions}
    head = {
        "seed": seed,
        "window_length": length,
        "channels": list(real.at_rate[0].channels),
        "sampling_rate_hz": source.rate_hz,
        "scenarios": [describe(loaded)],
        "mix": asdict(mix),
        "real": {
            **identity,
            "left_out": [*real.left_out, *_not_asked_for(real, scenario, wanted)],
            "questions": [*real.questions, *_doubts(scenario, source.rate_hz)],
            "healthy_recordings": len({a.recording.id for a in source.healthy}),
            "faulty_recordings": len({a.recording.id for a in source.faulty}),
        },
    }
    depends_on = {
        "seed": seed,
        "windows": windows,
        "mix": asdict(mix),
        "sampling_rate_hz": source.rate_hz,
        "real": identity,
        "scenarios": [json.loads(canonical(scenario))],
    }
    # Through JSON, so that what is returned is what stands in the file.
    head, depends_on = json.loads(json.dumps(head)), json.loads(json.dumps(depends_on))
    return make_dataset(
        out, head, depends_on, parts, Maker(source, stretches, seed), workers=workers, progress=progress
    )


def plan_classes(scenario: Scenario, windows: int | None) -> dict[str, int]:
    """Windows of each class; a scenario that names no classes gets normal and each of its faults in equal shares.

    Raises:
        ScenarioError: a class of several faults or of a sensor fault.
    """
    plan, names = scenario.dataset, [NORMAL, *(fault.name for fault in scenario.faults)]
    for name in plan.windows_per_class or {}:
        if name not in names:
            raise ScenarioError(
                f"scenario {scenario.name}: `windows_per_class` names `{name}`, but real recordings can be made into"
                f" {', '.join(names)} only; leave it out"
            )
    wanted = dict(plan.windows_per_class or share(dict.fromkeys(names, 1), plan.windows))
    return wanted if windows is None else share(wanted, windows)


def class_of(recording: RealRecording, scenario: Scenario, classes: Sequence[str]) -> str | None:
    """The class that a recording's windows count for: the fault of its kind, else the first of its label; None without."""
    if recording.normal:
        return NORMAL if NORMAL in classes else None
    faults = [fault for fault in scenario.faults if fault.name in classes and fault.label == recording.label]
    return next((f.name for f in faults if f.kind == recording.fault_kind), faults[0].name if faults else None)


def _pieces(real: RealSet, length: int) -> tuple[list[RealRecording], list[RealRecording]]:
    """The recordings in pieces of at most `PIECE_S`, at their own rate and at that of the windows.

    Raises:
        DatasetError: none healthy, or none of them as long as a window.
    """
    if not any(r.normal for r in real.recordings):
        why = f"; left out: {'; '.join(map(': '.join, real.left_out[:3]))}" if real.left_out else ""
        raise DatasetError(f"{real.name}: no healthy recording (label normal), which hybrid augmentation rests on{why}")
    pieces, windowed = [], []
    for own, at_rate in zip(real.recordings, real.at_rate, strict=True):
        piece_s = max(PIECE_S, _PIECE_WINDOWS * length / at_rate.rate_hz)
        for i in range(max(math.ceil(own.duration_s / piece_s), 1)):
            pieces.append(own.part(i * piece_s, (i + 1) * piece_s))
            windowed.append(at_rate.part(i * piece_s, (i + 1) * piece_s))
    long_enough = [len(piece.samples) >= length for piece in windowed]
    if not any(piece.normal for piece in compress(windowed, long_enough)):
        raise DatasetError(
            f"{real.name}: no healthy recording is as long as one window of {length} samples at {windowed[0].rate_hz:g} Hz"
        )
    return list(compress(pieces, long_enough)), list(compress(windowed, long_enough))


def _bases(pieces: Sequence[RealRecording]) -> list[RealRecording]:
    """The pieces that hybrid windows rest on: of each kind of fault at most `MOST_BASES`, evenly spread."""
    of_kind: dict[tuple[str, str], list[int]] = {}
    for i, piece in enumerate(pieces):
        of_kind.setdefault((piece.label, piece.fault_kind), []).append(i)
    chosen = set()
    for members in of_kind.values():
        step = max(len(members) / MOST_BASES, 1.0)
        chosen |= {members[int(i * step)] for i in range(min(MOST_BASES, len(members)))}
    return [pieces[i] for i in sorted(chosen)]


def _with_speeds(recordings: Sequence[RealRecording], source: Hybrid) -> list[RealRecording]:
    """The recordings, with the speed that was found in the nearest part of each where none is stated."""
    found: dict[str, list[RealRecording]] = {}
    for analysis in (*source.healthy, *source.faulty):
        found.setdefault(analysis.recording.id, []).append(analysis.recording)
    known = []
    for r in recordings:
        nearest = min(found.get(r.id, [r]), key=lambda base: abs(base.start_s - r.start_s))
        known.append(r if math.isfinite(r.speed_rpm) else replace(r, speed_rpm=nearest.speed_rpm))
    return known


def _choose(
    recordings: Sequence[RealRecording], wanted: dict[str, int], scenario: Scenario, length: int, seed: int
) -> tuple[list[RealRecording], list[str]]:
    """Real stretches of whole windows, and the class of each: as many as the class wants, evenly from its recordings."""
    of_class: dict[str, list[RealRecording]] = {name: [] for name in wanted}
    for recording in recordings:
        name = class_of(recording, scenario, list(wanted))
        if name is not None and len(recording.samples) >= length:
            of_class[name].append(recording)
    stretches: list[RealRecording] = []
    classes: list[str] = []
    for name, members in of_class.items():
        counts = _evenly([len(r.samples) // length for r in members], wanted[name])
        for i, (recording, count) in enumerate(zip(members, counts, strict=True)):
            spare = len(recording.samples) - count * length
            first = int(generator(seed, scenario.name, "real", name, i).integers(spare + 1))
            if count:
                stretches.append(recording.stretch(first, first + count * length))
                classes.append(name)
    return stretches, classes


def _evenly(available: Sequence[int], wanted: int) -> list[int]:
    """How many to take of each so that the sum is `wanted`, or all there are, and no one gives more than need be."""
    taken = [0] * len(available)
    order = sorted(range(len(available)), key=lambda i: available[i])
    for place, i in enumerate(order):
        taken[i] = min(available[i], -(-(wanted - sum(taken)) // (len(order) - place)))
    return taken


def _jobs(
    stretches: Sequence[RealRecording], classes: Sequence[str], wanted: dict[str, int], length: int, most: int
) -> list[Job]:
    """All jobs, those of each class and provenance spread evenly, so that every part holds a mix."""
    real: dict[str, list[Job]] = {name: [] for name in wanted}
    for i, (stretch, name) in enumerate(zip(stretches, classes, strict=True)):
        count = len(stretch.samples) // length
        real[name] += [RealJob(i, first, min(most, count - first)) for first in range(0, count, most)]
    placed: list[tuple[float, Job]] = []
    for name, count in wanted.items():
        left = count - sum(job.windows for job in real[name])
        hybrid = [HybridJob(name, n, min(most, left - n * most)) for n in range(math.ceil(left / most))]
        for jobs in (real[name], hybrid):
            placed += [((i + 0.5) / len(jobs), job) for i, job in enumerate(jobs)]
    return [job for _, job in sorted(placed, key=lambda entry: entry[0])]


def _not_asked_for(real: RealSet, scenario: Scenario, wanted: dict[str, int]) -> list[tuple[str, str]]:
    """Labels among the recordings that are no class of the plan."""
    missing = Counter(r.label for r in real.recordings if class_of(r, scenario, list(wanted)) is None)
    return [
        (f"{count} recordings labelled {label}", f"no class of scenario {scenario.name}")
        for label, count in missing.items()
    ]


def _doubts(scenario: Scenario, rate_hz: float) -> list[tuple[str, str]]:
    """What should be looked at before such windows are trusted."""
    doubts = []
    sensor = scenario.sensors[0]
    if not math.isclose(rate_hz, sensor.odr_hz, rel_tol=0.05):
        doubts.append(
            f"windows have {rate_hz:g} Hz, sensor {sensor.id} of the scenario {sensor.odr_hz:g} Hz: is it the machine's?"
            " (--rate brings recordings down)"
        )
    fastest_rpm = max(span(segment.speed_rpm)[1] for segment in scenario.operation.plan())
    if fastest_rpm / 60.0 > 0.45 * rate_hz:
        doubts.append(f"windows of {rate_hz:g} Hz do not show the shaft's own line at {fastest_rpm:g} rpm")
    return [(f"scenario {scenario.name}", doubt) for doubt in doubts]
