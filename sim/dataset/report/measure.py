"""The figures of a report: each class and origin against the real windows of that class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.dataset.real import REAL
from sim.dataset.report.compare import DomainAuc, ExtraMissing, Mmd, domain_auc, median_distance, mmd
from sim.dataset.report.coverage import NEIGHBOURS, Coverage, coverage
from sim.dataset.report.feature_space import FeatureSpace, features_of
from sim.dataset.report.samples import Dataset, Pair, Sample, levels_of, pair
from sim.dataset.report.twin import twin_sample
from sim.errors import DatasetError
from sim.scenario.schema import NORMAL, Scenario
from sim.seeds import generator

Floats = NDArray[np.float64]

_FEWEST = 8  # windows; figures of fewer say nothing


@dataclass(frozen=True)
class Comparison:
    """Real against synthetic windows of one class and origin.

    Attributes:
        name: the class.
        origin: where the synthetic windows are from.
        windows: windows of each side.
        recordings: real recordings, and recordings of the other side (real ones that hybrid windows rest on).
        speeds: number of speeds.
        mmd, auc, coverage: the figures; None where there is no split by recording, or too few windows.
        points: real and synthetic windows (n, 2) along the first two principal components.
    """

    name: str
    origin: str
    windows: int
    recordings: tuple[int, int]
    speeds: int
    mmd: Mmd
    auc: DomainAuc | None
    coverage: Coverage | None
    points: tuple[Floats, Floats]


@dataclass(frozen=True)
class Measured:
    """All that a report shows of its dataset's windows.

    Attributes:
        dataset: the dataset.
        origins: origins of synthetic windows, in the order shown.
        pairs: windows by (class, origin).
        comparisons: figures by (class, origin).
        space: the feature space; None without real windows.
        remarks: what could not be done, and why.
    """

    dataset: Dataset
    origins: tuple[str, ...]
    pairs: Mapping[tuple[str, str], Pair]
    comparisons: Mapping[tuple[str, str], Comparison]
    space: FeatureSpace | None
    remarks: tuple[str, ...]


def measure(
    dataset: Dataset,
    twins: Mapping[str, Scenario] | None = None,
    others: Mapping[str, tuple[Dataset, str]] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Draw what is to be compared, and compare it.

    Args:
        dataset: with the real windows, and synthetic ones.
        twins: origin -> scenario, of which windows are simulated at the real ones' speeds.
        others: origin -> another dataset and an origin of its windows, which are compared with the same real ones.
        seed: of all draws.
        progress: called with (classes done, classes in all).
    """
    remarks: list[str] = []
    sources = {origin: (dataset, origin) for origin in dataset.origins()} | dict(others or {})
    pairs = _of_datasets(dataset, sources)
    twins = dict(twins or {})
    for origin, scenario in twins.items():
        try:
            pairs |= _of_twin(dataset, origin, scenario, seed)
        except DatasetError as error:
            remarks.append(f"{origin}: {error}")
    ordered = tuple(origin for origin in (*twins, *sources) if any(key[1] == origin for key in pairs))
    comparisons: dict[tuple[str, str], Comparison] = {}
    space = None
    if pairs:
        samples: dict[tuple[str, ...], Sample] = {(*key, REAL): pair.real for key, pair in pairs.items()}
        samples |= {(*key, "synthetic"): pair.synthetic for key, pair in pairs.items()}
        features = features_of(samples, dataset.rate_hz, dataset.orders)
        space = FeatureSpace.of(np.concatenate([features[*key, REAL] for key in pairs]))
        names = [name for name in dataset.classes if any(key[0] == name for key in pairs)]
        for done, name in enumerate(names):
            of_class = {
                origin: (features[name, origin, REAL], features[name, origin, "synthetic"])
                for origin in ordered
                if (name, origin) in pairs
            }
            comparisons |= _compare(name, of_class, pairs, space, seed, remarks)
            if progress is not None:
                progress(done + 1, len(names))
    return Measured(dataset, ordered, pairs, comparisons, space, tuple(dict.fromkeys(remarks)))


def _of_datasets(dataset: Dataset, sources: Mapping[str, tuple[Dataset, str]]) -> dict[tuple[str, str], Pair]:
    chosen = {}
    for origin, (source, its_origin) in sources.items():
        for name in dataset.classes:
            rows, made = dataset.rows(name, REAL), source.rows(name, its_origin)
            first, second, level = pair(dataset.speeds(rows), source.speeds(made), dataset.limit)
            if len(first) >= _FEWEST:
                chosen[name, origin] = (rows[first], made[second], level)
    real = dataset.load({key: (rows, level) for key, (rows, _, level) in chosen.items()})
    made_of: dict[tuple[str, str], Sample] = {}
    for source in dict.fromkeys(source for source, _ in sources.values()):
        of_source = {key: wanted for key, wanted in chosen.items() if sources[key[1]][0] is source}
        made_of |= source.load({key: (made, level) for key, (_, made, level) in of_source.items()})
    return {key: Pair(real[key], made_of[key]) for key in chosen}


def _of_twin(dataset: Dataset, origin: str, scenario: Scenario, seed: int) -> dict[tuple[str, str], Pair]:
    chosen, made = {}, {}
    for name in dataset.classes:
        rows = dataset.rows(name, REAL)
        of_class = [fault.name for fault in scenario.faults if dataset.class_of(fault.label, fault.kind) == name]
        wanted = [NORMAL] if name == NORMAL else of_class
        if not len(rows) or not wanted:
            continue
        real_rpm = dataset.speeds(rows)
        drawn = twin_sample(scenario, wanted, dataset, levels_of(real_rpm), seed)
        first, second, level = pair(real_rpm, drawn.speed_rpm, dataset.limit)
        if len(first) >= _FEWEST:
            chosen[name, origin] = (rows[first], level)
            made[name, origin] = Sample(drawn.x[second], drawn.speed_rpm[second], drawn.recording[second], level)
    return {key: Pair(sample, made[key]) for key, sample in dataset.load(chosen).items()}


def _compare(
    name: str,
    of_class: Mapping[str, tuple[Floats, Floats]],
    pairs: Mapping[tuple[str, str], Pair],
    space: FeatureSpace,
    seed: int,
    remarks: list[str],
) -> dict[tuple[str, str], Comparison]:
    """All origins of one class, with one bandwidth, that of its real windows: so their distances can be compared."""
    standard = {origin: tuple(map(space.standardised, sides)) for origin, sides in of_class.items()}
    bandwidth = median_distance(max((real for real, _ in standard.values()), key=len))
    found = {}
    for origin, (real, synthetic) in of_class.items():
        sides = pairs[name, origin]
        x, y = standard[origin]
        recordings = (sides.real.recording, sides.synthetic.recording)
        levels = sides.real.level, sides.synthetic.level
        rng = generator(seed, "report", name, origin)
        distance = mmd(x, y, *recordings, rng, bandwidth, x_level=levels[0], y_level=levels[1])
        area: DomainAuc | None = None
        try:
            area = domain_auc(x, y, *recordings, *levels, seed)
        except ExtraMissing as error:
            remarks.append(str(error))
        at = space.projected(real), space.projected(synthetic)
        found[name, origin] = Comparison(
            name,
            origin,
            len(x),
            (len(np.unique(recordings[0])), len(np.unique(recordings[1]))),
            len(np.unique(sides.real.level)),
            distance,
            area,
            coverage(*at) if len(x) > NEIGHBOURS else None,
            (at[0][:, :2], at[1][:, :2]),
        )
    return found
