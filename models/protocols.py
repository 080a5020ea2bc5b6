"""The protocols under which augmentation is judged: what is trained on, what is tested, on which task.

Every protocol splits by recording (`models.splits`); those that cut normal recordings in time say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from models.splits import Split, cut_in_time
from models.windows import Task
from sim.dataset.real import RealRecording
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL
from sim.seeds import generator

Recordings = Sequence[RealRecording]

ADI_CUT_S = 0.9
"""First and last seconds of a 2 s ADI recording of a normal machine, where it is cut in time."""
CWRU_CUT_S = 1.4
"""The same of CWRU's 3 s."""

ADI_TASK = Task(
    classes=(NORMAL, "imbalance", "misalignment", "bearing_wear"),
    rate_hz=5000.0,
    length=1024,
    bearing_orders={"FTF": 0.382, "BPFO": 3.052, "BPFI": 4.948, "2xBSF": 3.984},  # ER-10K, 8 balls
)
"""States of the ADI rig, without its bent shaft (five recordings)."""

CWRU_TASK = Task(
    classes=(NORMAL, "bearing_inner", "bearing_outer", "bearing_ball"),
    rate_hz=12000.0,
    length=1024,
    target="kind",
    bearing_orders={"FTF": 0.3983, "BPFO": 3.5848, "BPFI": 5.4152, "2xBSF": 4.7135},  # SKF 6205-2RS JEM, drive end
)
"""Where the bearing's fault is: all of CWRU's faults are of one machine state, so its task is their kind."""

FAN_TASK = Task(classes=(NORMAL, "imbalance"), rate_hz=50.0, length=128)
"""Balanced or not, from 2.56 s at 50 Hz; no bearing line is within reach of that rate."""


@dataclass(frozen=True)
class Protocol:
    """One way to judge.

    Attributes:
        name: as given to the command.
        title: one line: what is trained on and what is tested.
        dataset: name of the set of recordings.
        task: what the models have to do.
        folds: the splits, from all recordings of the set and the seed of the run.
        fault_labels: whether real faults are in training; without, classifiers need simulated ones.
        named_classes: classes over which a second macro-F1 is taken, when not all are expected to be told.
        remarks: what a reader of the scores must know.
    """

    name: str
    title: str
    dataset: str
    task: Task
    folds: Callable[[Recordings, int], list[Split]]
    fault_labels: bool = True
    named_classes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def _of_task(recordings: Recordings, task: Task) -> tuple[list[RealRecording], list[RealRecording]]:
    """Normal and faulty recordings of the classes a task knows."""
    known = [recording for recording in recordings if task.class_of(recording) in task.classes]
    normal = [recording for recording in known if recording.normal]
    faulty = [recording for recording in known if not recording.normal]
    if not normal or not faulty:
        raise DatasetError(
            f"{len(normal)} normal and {len(faulty)} faulty recordings of {', '.join(task.classes)}; both are needed"
        )
    return normal, faulty


def _speeds(recordings: Recordings) -> list[float]:
    return sorted({recording.speed_rpm for recording in recordings})


def unseen_speed(recordings: Recordings, _seed: int, labels: str) -> list[Split]:
    """One fold per speed: nothing of that speed in training, normals of the others.

    `labels` says which faults are in training: `one` speed's (1800 rpm, or 2400 rpm when 1800 rpm is tested),
    those of `all` other speeds, or `none`.
    """
    normal, faulty = _of_task(recordings, ADI_TASK)
    folds = []
    for speed in _speeds(normal):
        labelled = {"none": set(), "all": set(_speeds(normal)), "one": {2400.0 if speed == 1800.0 else 1800.0}}[labels]
        train = [r for r in normal if r.speed_rpm != speed]
        train += [r for r in faulty if r.speed_rpm != speed and r.speed_rpm in labelled]
        test = [r for r in [*normal, *faulty] if r.speed_rpm == speed]
        folds.append(Split(f"{speed:.0f}", tuple(train), tuple(test)))
    return folds


def one_labelled_speed(recordings: Recordings, _seed: int, labels: str) -> list[Split]:
    """Normals of all speeds cut in time; faults of 1800 rpm to train (or `none`), of the other speeds to test."""
    normal, faulty = _of_task(recordings, ADI_TASK)
    early, late, time_cut = cut_in_time(normal, ADI_CUT_S, ADI_CUT_S)
    train = early if labels == "none" else [*early, *(r for r in faulty if r.speed_rpm == 1800.0)]
    test = [*late, *(r for r in faulty if r.speed_rpm != 1800.0)]
    return [Split("1800", tuple(train), tuple(test), time_cut)]


def few_faults(recordings: Recordings, seed: int, k: int) -> list[Split]:
    """Normals of all speeds cut in time; `k` faulty recordings of each class, drawn by `seed`, to train.

    All other faulty ones to test. Of a class with no more than k recordings one is kept to test.
    """
    normal, faulty = _of_task(recordings, ADI_TASK)
    early, late, time_cut = cut_in_time(normal, ADI_CUT_S, ADI_CUT_S)
    train, test = list(early), list(late)
    for name in ADI_TASK.classes[1:]:
        members = [r for r in faulty if r.label == name]
        order = generator(seed, "few faults", name).permutation(len(members))
        chosen = set(order[: min(k, len(members) - 1)].tolist())
        for number, recording in enumerate(members):
            (train if number in chosen else test).append(recording)
    return [Split(f"k{k}", tuple(train), tuple(test), time_cut)]


def one_fault_size(recordings: Recordings, _seed: int) -> list[Split]:
    """One fold per size: faults of that size to train, of the other sizes to test; the normal recording cut in time."""
    normal, faulty = _of_task(recordings, CWRU_TASK)
    early, late, time_cut = cut_in_time(normal, CWRU_CUT_S, CWRU_CUT_S)
    return [
        Split(
            size.replace(" ", "_"),
            (*early, *(r for r in faulty if r.severity == size)),
            (*late, *(r for r in faulty if r.severity != size)),
            time_cut,
        )
        for size in sorted({r.severity for r in faulty})
    ]


def two_speeds(recordings: Recordings, seed: int) -> list[Split]:
    """All of two speeds, one drawn from the slower half and one from the faster, to train; the others to test."""
    normal, faulty = _of_task(recordings, FAN_TASK)
    speeds = _speeds(normal)
    half = len(speeds) // 2
    draws = generator(seed, "two speeds")
    labelled = {speeds[draws.integers(half)], speeds[half + draws.integers(len(speeds) - half)]}
    both = [*normal, *faulty]
    train = [r for r in both if r.speed_rpm in labelled]
    return [Split("two", tuple(train), tuple(r for r in both if r.speed_rpm not in labelled))]


_BENT = "bent_shaft recordings are left out: no class of the task"
_TIME = "normal recordings are cut in time (first 0.9 s to train, last 0.9 s to test): optimistic"

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "a",
            "ADI, a speed never seen: normals of the other speeds, faults of 1800 rpm (2400 when 1800 is tested)",
            "adi",
            ADI_TASK,
            partial(unseen_speed, labels="one"),
            remarks=(_BENT,),
        ),
        Protocol(
            "a_time",
            "(a') ADI, normals of all speeds, faults of 1800 rpm; tested at the other speeds",
            "adi",
            ADI_TASK,
            partial(one_labelled_speed, labels="one"),
            remarks=(_BENT, _TIME, "at 1800 rpm only the normal recording is tested"),
        ),
        Protocol(
            "b",
            "ADI, as (a) with no real fault label: a speed never seen, normals of the other speeds",
            "adi",
            ADI_TASK,
            partial(unseen_speed, labels="none"),
            fault_labels=False,
            named_classes=(NORMAL, "imbalance", "bearing_wear"),
            remarks=(_BENT, "classifiers learn faults from simulated windows alone"),
        ),
        Protocol(
            "b_time",
            "ADI, as (a') with no real fault label: normals of all speeds",
            "adi",
            ADI_TASK,
            partial(one_labelled_speed, labels="none"),
            fault_labels=False,
            named_classes=(NORMAL, "imbalance", "bearing_wear"),
            remarks=(_BENT, _TIME, "classifiers learn faults from simulated windows alone"),
        ),
        *(
            Protocol(
                f"c{k}",
                f"ADI, normals of all speeds, {k} fault recording{'s' if k > 1 else ''} per class drawn over all speeds",
                "adi",
                ADI_TASK,
                partial(few_faults, k=k),
                remarks=(_BENT, _TIME) + (("misalignment has 5 recordings: 4 to train, 1 to test",) if k == 5 else ()),
            )
            for k in (1, 2, 5)
        ),
        Protocol(
            "all",
            "ADI, all labels: a speed never seen, normals and faults of all other speeds",
            "adi",
            ADI_TASK,
            partial(unseen_speed, labels="all"),
            remarks=(_BENT,),
        ),
        Protocol(
            "d",
            "CWRU, faults of one size, tested on the other sizes",
            "cwru",
            CWRU_TASK,
            one_fault_size,
            remarks=(
                "the one normal recording (3 s) is cut in time (first and last 1.4 s): optimistic; one recording of a"
                " class also means that no interval can say how far another would be from it",
            ),
        ),
        Protocol(
            "e",
            "UCI fan, one slow and one fast speed labelled (drawn by seed), tested on the others",
            "uci_fan",
            FAN_TASK,
            two_speeds,
            remarks=("at 40 % speed and below, the weights hardly show",),
        ),
    )
}


def chosen_protocols(names: Sequence[str]) -> list[Protocol]:
    """The protocols of these names; `b` and `c` stand for all of theirs, none for all there are.

    Raises DatasetError for an unknown name.
    """
    families = {"b": ("b", "b_time"), "c": ("c1", "c2", "c5"), "a'": ("a_time",), "b'": ("b_time",)}
    found: dict[str, Protocol] = {}
    for given in names or tuple(PROTOCOLS):
        for name in families.get(given, (given,)) if names else (given,):
            if name not in PROTOCOLS:
                raise DatasetError(f"no protocol {given!r}; allowed are {', '.join([*PROTOCOLS, 'c'])}")
            found[name] = PROTOCOLS[name]
    return list(found.values())


def on(protocol: Protocol, dataset: str) -> Protocol:
    """The same protocol on another set of the same kind, for example recordings of another load."""
    return replace(protocol, dataset=dataset)
