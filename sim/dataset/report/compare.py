"""How far two sets of windows are apart in feature space: kernel distance, and whether a classifier tells them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sim.errors import SimtwinError

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Names = NDArray[np.str_]

PERMUTATIONS = 999
FOLDS = 5
LEAST_FOLDS = 3
LEAST_RECORDINGS, LEAST_WINDOWS = 2, 10
"""What a fold must leave to train on, of each side: a classifier of less has learnt single recordings by heart."""
TREES = 60


class ExtraMissing(SimtwinError):
    """A package is missing that comes with an extra of the distribution."""


@dataclass(frozen=True)
class Mmd:
    """A squared maximum mean discrepancy and what chance makes of it.

    Attributes:
        squared: unbiased estimate of MMD^2; about 0, and as often below, for equal distributions; at most 2.
        null_95: 95 % quantile of the same figure when recordings are dealt to the two sides at random.
        p_value: share of such deals that are at least as far apart.
        bandwidth: of the kernel, in the unit of the features.
    """

    squared: float
    null_95: float
    p_value: float
    bandwidth: float


def median_distance(*samples: Floats) -> float:
    """Median distance between the points of all samples (n, d): the usual bandwidth of the kernel; 1 if it is 0."""
    distances = cdist(pooled := np.concatenate(samples), pooled)
    return float(np.median(distances[np.triu_indices(len(pooled), 1)])) or 1.0


def mmd(
    x: Floats,
    y: Floats,
    x_recording: Names,
    y_recording: Names,
    rng: np.random.Generator,
    bandwidth: float | None = None,
    permutations: int = PERMUTATIONS,
    x_level: Ints | None = None,
    y_level: Ints | None = None,
) -> Mmd:
    """Maximum mean discrepancy of two samples under the kernel exp(-|a - b|^2 / (2 bandwidth^2)), with its test.

    Windows of one recording resemble each other, so the test deals whole recordings to the two sides, not windows; and those
    of one speed among themselves, as chance does not change the speeds of a side. With n recordings of a speed, of which k
    on one side, there are (n choose k) deals, and no p below one over their number is to be had.

    Args:
        x, y: (n, d) and (m, d) features, at least two rows each.
        x_recording, y_recording: (n,) and (m,) recording of each row; names are each side's own.
        rng: for the deals.
        bandwidth: of the kernel; default `median_distance(x, y)`. Give one to compare several figures.
        permutations: number of deals.
        x_level, y_level: (n,) and (m,) number of the speed; None: one speed.

    Source: Gretton et al. 2012, "A kernel two-sample test", JMLR 13:723: eq. 3, here with strata; section 8 for the width.
    """
    if min(len(x), len(y)) < 2:
        raise ValueError(f"MMD needs at least 2 windows a side; given: {len(x)} and {len(y)}")
    width = median_distance(x, y) if bandwidth is None else bandwidth
    pooled = np.concatenate([x, y])
    kernel = np.exp(-cdist(pooled, pooled, "sqeuclidean") / (2.0 * width**2))
    side = np.repeat([1, 0], [len(x), len(y)])
    level = np.concatenate(
        [np.zeros(len(rows), np.intp) if of is None else of for of, rows in ((x_level, x), (y_level, y))]
    )
    recording = np.unique(np.concatenate([x_recording, y_recording]), return_inverse=True)[1]
    clusters, cluster = np.unique(np.stack([side, level, recording]), axis=1, return_inverse=True)
    member = (cluster.ravel() == np.arange(clusters.shape[1])[:, None]).astype(np.float64)
    sums, sizes = member @ kernel @ member.T, member.sum(axis=1)
    deals = np.tile(clusters[0].astype(np.float64), (permutations + 1, 1))
    for number in np.unique(clusters[1]):
        here = clusters[1] == number
        deals[1:, here] = rng.permuted(deals[1:, here], axis=1)
    squared = _unbiased(deals, sums, sizes, clusters[1])
    # A deal that gives the same sides is as far apart, whatever the last digit says.
    p_value = np.mean(squared >= squared[0] - 1e-9)
    return Mmd(float(squared[0]), float(np.quantile(squared[1:], 0.95)), float(p_value), width)


def _unbiased(deals: Floats, sums: Floats, sizes: Floats, level: Ints) -> Floats:
    """MMD^2 of each deal (k, clusters), 1 for the one side and 0 for the other."""
    n, m = deals @ sizes, (1.0 - deals) @ sizes
    across = np.einsum("kc,cd,kd->k", deals, sums, 1.0 - deals, optimize=True)
    within = _within(deals, sums, sizes, level) / n**2 + _within(1.0 - deals, sums, sizes, level) / m**2
    return np.asarray(within - 2.0 * across / (n * m))


def _within(deals: Floats, sums: Floats, sizes: Floats, level: Ints) -> Floats:
    """Sum of the kernel over all pairs of one side; that of a window with itself is replaced by the mean at its speed.

    The speeds of a side are chosen, not drawn: leaving those pairs out of the mean over all would make it too small.
    """
    total = np.einsum("kc,cd,kd->k", deals, sums, deals, optimize=True)
    for number in np.unique(level):
        here = level == number
        n = deals[:, here] @ sizes[here]
        own = np.einsum("kc,cd,kd->k", deals[:, here], sums[np.ix_(here, here)], deals[:, here], optimize=True)
        total += np.where(n > 1.0, (own - n) * n / np.maximum(n - 1.0, 1.0) - own, 0.0)
    return np.asarray(total)


@dataclass(frozen=True)
class DomainAuc:
    """How well a classifier tells real from synthetic windows: 0.5 not at all, 1 always.

    Attributes:
        mean, low, high: of the area under the ROC curve over the folds.
        folds: number of folds.
    """

    mean: float
    low: float
    high: float
    folds: int


def domain_auc(
    real: Floats,
    synthetic: Floats,
    real_recording: Names,
    synthetic_recording: Names,
    real_level: Ints | None = None,
    synthetic_level: Ints | None = None,
    seed: int = 0,
) -> DomainAuc | None:
    """Cross-validated AUC of a random forest that tells real from synthetic windows; None with too few recordings.

    Splits are by recording. Where there are several speeds, a fold holds one of them out on both sides: held out on one
    side only, the speed itself would give the answer. For the same reason features count from the mean of all recordings
    at their speed. Nothing that rests on a real recording to test is trained on.

    Args:
        real, synthetic: (n, d) and (m, d) features.
        real_recording, synthetic_recording: (n,) and (m,) recording of each row; a synthetic window that rests on a real
            recording bears its name.
        real_level, synthetic_level: (n,) and (m,) number of the speed; None: one speed.
        seed: of the forest and the folds.

    Raises:
        ExtraMissing: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.metrics import roc_auc_score
    except ImportError:
        raise ExtraMissing("the domain classifier needs scikit-learn: pip install 'simtwin[train]'") from None
    x = np.concatenate([real, synthetic])
    is_real = np.arange(len(x)) < len(real)
    recording = np.concatenate([real_recording, synthetic_recording])
    level = np.zeros(len(x), dtype=np.intp)
    if real_level is not None and synthetic_level is not None:
        level = np.concatenate([real_level, synthetic_level])
    for number in np.unique(level):
        # Of the recordings, not of the windows: where one real recording stands for half of them, it would lie nearer to
        # their mean than the synthetic ones do, and be told by that.
        here = level == number
        names, recording_here = np.unique(
            np.stack([is_real[here].astype(str), recording[here]]), axis=1, return_inverse=True
        )
        x[here] -= np.mean([x[here][recording_here.ravel() == i].mean(axis=0) for i in range(names.shape[1])], axis=0)
    areas = []
    for train, test in _folds(is_real, recording, level, seed):
        sides = [train & is_real, train & ~is_real]
        enough = all(
            side.sum() >= LEAST_WINDOWS and len(np.unique(recording[side])) >= LEAST_RECORDINGS for side in sides
        )
        if not (enough and 0 < is_real[test].sum() < test.sum()):
            continue
        forest = RandomForestClassifier(TREES, class_weight="balanced", random_state=seed, n_jobs=1)
        forest.fit(x[train], is_real[train])
        areas.append(float(roc_auc_score(is_real[test], forest.predict_proba(x[test])[:, 1])))
    return DomainAuc(float(np.mean(areas)), min(areas), max(areas), len(areas)) if len(areas) >= LEAST_FOLDS else None


def _folds(
    is_real: NDArray[np.bool_], recording: Names, level: Ints, seed: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Masks of what to train on and what to test."""
    levels = np.unique(level)
    if len(levels) > 1:
        for chosen in _dealt(levels, FOLDS):
            test = np.isin(level, chosen)
            yield ~test & ~np.isin(recording, recording[test & is_real]), test
        return
    from sklearn.model_selection import StratifiedGroupKFold

    fewest = min(len(np.unique(recording[is_real])), len(np.unique(recording[~is_real])))
    if fewest < LEAST_FOLDS:
        return
    dealer = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    for train, test in dealer.split(recording, is_real, recording):
        yield np.isin(np.arange(len(level)), train), np.isin(np.arange(len(level)), test)


def _dealt(values: Ints, hands: int) -> Sequence[Ints]:
    return [values[i::hands] for i in range(min(hands, len(values)))]
