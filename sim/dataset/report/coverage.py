"""Whether synthetic windows lie where the real ones do, and the real ones where the synthetic do: nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Floats = NDArray[np.float64]

NEIGHBOURS = 5


@dataclass(frozen=True)
class Coverage:
    """Shares by balls that reach to the k-th neighbour of each point within its own set.

    Attributes:
        recall: share of real windows inside the ball of a synthetic one: what of the machine the synthetic windows cover.
        precision: share of synthetic windows inside the ball of a real one: how many of them the machine might have made.
        density: how many balls of real windows a synthetic one lies in, over k; about 1 for equal distributions.
        coverage: share of real windows with a synthetic one in their ball; not misled by one far-off synthetic window.
    """

    recall: float
    precision: float
    density: float
    coverage: float


def coverage(real: Floats, synthetic: Floats, k: int = NEIGHBOURS) -> Coverage:
    """Coverage of two samples (n, d) and (m, d), more than `k` rows each.

    Sources: precision and recall Kynkaanniemi et al. 2019 (NeurIPS 32), density and coverage Naeem et al. 2020 (ICML).
    """
    if min(len(real), len(synthetic)) <= k:
        raise ValueError(f"coverage needs more than {k} windows a side; given: {len(real)} and {len(synthetic)}")
    apart = cdist(real, synthetic)
    in_ball_of_real = apart <= _radius(real, k)[:, None]
    in_ball_of_synthetic = apart <= _radius(synthetic, k)[None, :]
    return Coverage(
        recall=float(in_ball_of_synthetic.any(axis=1).mean()),
        precision=float(in_ball_of_real.any(axis=0).mean()),
        density=float(in_ball_of_real.sum() / (k * len(synthetic))),
        coverage=float(in_ball_of_real.any(axis=1).mean()),
    )


def _radius(points: Floats, k: int) -> Floats:
    """Distance of each point to its k-th neighbour; the point itself is not one."""
    return np.asarray(np.partition(cdist(points, points), k, axis=1)[:, k])
