"""The space in which windows are compared: features of the forests, in units of the real windows' own spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.dataset.report.samples import Sample

Floats = NDArray[np.float64]

_VARIANCE = 0.95
_FLOOR = 1e-6


def features_of(
    samples: Mapping[tuple[str, ...], Sample], rate_hz: float, orders: Mapping[str, float]
) -> dict[tuple[str, ...], Floats]:
    """Features (n, d) of each sample, all alike: those of `models.features`, normalised by speed.

    Where the speed of any window is missing, those that need no speed: levels in bands, RMS, kurtosis, crest factor.
    """
    speeds = np.concatenate([sample.speed_rpm for sample in samples.values()])
    turning = bool(np.isfinite(speeds).all() and (speeds > 0).all())
    return {key: _features(sample, rate_hz, orders, turning) for key, sample in samples.items()}


def _features(sample: Sample, rate_hz: float, orders: Mapping[str, float], turning: bool) -> Floats:
    # models/ knows sim/, not the other way round: here it is borrowed, and only when a report is made.
    from models.features import band_rms, features
    from models.windows import Task, labelled

    if turning:
        bearing = {name: at for name, at in orders.items() if name.split()[0] in ("BPFO", "BPFI", "2xBSF", "FTF")}
        task = Task(("",), rate_hz, sample.x.shape[1], bearing_orders=bearing)
        return features(labelled(sample.x, "", "", "", sample.speed_rpm, ""), task, normalised=True)
    x = sample.x.astype(np.float64)
    x -= x.mean(axis=1, keepdims=True)
    rms = np.sqrt(np.mean(x**2, axis=1)) + _FLOOR
    levels = np.log10(np.concatenate([band_rms(x) + _FLOOR, rms[:, None]], axis=1))
    shape = np.stack([np.mean(x**4, axis=1) / rms**4, np.abs(x).max(axis=1) / rms], axis=1)
    return np.concatenate([levels, shape], axis=1).reshape(len(x), -1)


@dataclass(frozen=True)
class FeatureSpace:
    """Where windows lie, seen from the real ones.

    Attributes:
        mean, spread: (d,) of the real windows' features.
        components: (c, d) principal components of the standardised real features that hold 95 % of their variance.
        explained: (c,) share of the variance of each.
    """

    mean: Floats
    spread: Floats
    components: Floats
    explained: Floats

    @staticmethod
    def of(real: Floats) -> FeatureSpace:
        """Fitted to real features (n, d), n at least 3."""
        mean, deviation = real.mean(axis=0), real.std(axis=0)
        deviation = np.where(deviation > _FLOOR, deviation, 1.0)
        _, values, components = np.linalg.svd((real - mean) / deviation, full_matrices=False)
        share = values**2 / np.sum(values**2)
        count = max(int(np.searchsorted(np.cumsum(share), _VARIANCE)) + 1, 2)
        # The sign of a component is arbitrary; its largest entry is made positive, so that pictures do not flip.
        largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
        return FeatureSpace(mean, deviation, (components * np.sign(largest)[:, None])[:count], share[:count])

    def standardised(self, features: Floats) -> Floats:
        """Features (n, d) in spreads of the real windows from their mean."""
        return np.asarray((features - self.mean) / self.spread)

    def projected(self, features: Floats) -> Floats:
        """Coordinates (n, c) along the components."""
        return np.asarray(self.standardised(features) @ self.components.T)
