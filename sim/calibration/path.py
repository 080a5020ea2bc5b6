"""The transfer path from the hum of healthy bearings: resonances, damping and participation, by the twin's own closed form.

Rolling noise is the force, known in shape (`sim.machine.rolling_noise`); what the sensor hears of it is its spectrum
through the modes and the sensor's own response. Modes are added one by one where the measured broad band exceeds the
model most, all figures are fitted together to the logarithm of all spectra, and an added mode stays if the Bayesian
information criterion (Schwarz 1978) falls. Output-only data leave one scale open: a softer structure under a quieter
bearing sounds the same. It is settled by keeping the scenario's own mean level: what is louder goes to the bearings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, ndimage

from sim.calibration.spectra import Channels, Healthy
from sim.calibration.spectral_model import (
    CORNER_LN_STD, EXPONENT_STD, Parameters, Setting, SpectralModel, healthy_density, noise_sources,
)  # fmt: skip
from sim.effect import POINTS
from sim.errors import DatasetError
from sim.machine.machine import Machine

Array = NDArray[np.float64]

MOST_MODES = 20
_BIC_GAIN = 10.0  # by how much the criterion must fall: "very strong" evidence (Kass and Raftery 1995)
_BEYOND = 3  # modes tried in vain before the search ends
_PLACES = 8  # that are tried for each further mode
_START_DAMPING = (0.02, 0.08)
_DAMPING = (0.003, 0.3)  # narrower than the bands; hardly a resonance any more
_SOFT = 2.0  # deviations beyond which a misfit counts linearly: lines that the median did not keep out
_LAGS = 12  # bands over which misfits are taken to go together


@dataclass(frozen=True)
class PathFit:
    """Modes and levels that the healthy spectra show.

    Attributes:
        setting: what was taken as known; its `rms_n` is the noise of the loudest bearing.
        best: the figures.
        std: their standard deviations: of exponent absolute, of all others relative; level in ln power.
        expansion: (m, 9, k) how a mode's shape moves every point, see `spectral_model.Basis`.
        near: number of the scenario's mode whose tilt each mode takes.
        log_density, log_std: (r, f, c) ln of the fitted density, g^2/Hz, and its deviation by those of the figures.
        misfit_db: (c,) RMS of model less measurement.
    """

    setting: Setting
    best: Parameters
    std: Parameters
    expansion: Array
    near: tuple[int, ...]
    log_density: Array
    log_std: Array
    misfit_db: Array


def fit_path(
    machine: Machine, channels: Channels, healthy: Sequence[Healthy], frequency_hz: Array, gain: Array, sensor_g: float
) -> PathFit:
    """Fit modes, levels and sensor noise to the spectra of all healthy recordings at once.

    Args:
        machine: the scenario's.
        channels: where the channels listen.
        healthy: what each recording shows.
        frequency_hz: (f,) middle of the bands.
        gain: (f,) the sensor's own.
        sensor_g: its noise density by the datasheet, g/sqrt(Hz).

    Raises:
        DatasetError: the scenario's bearings make no noise, or its modes do not reach the channels.
    """
    density, dof = np.array([h.density for h in healthy]), np.array([h.dof for h in healthy])
    speeds = np.array([h.speed.value for h in healthy])
    rms_n = _noise_n(machine, channels, density, frequency_hz, gain, speeds)
    setting = Setting(machine, channels, frequency_hz, gain, speeds, rms_n, sensor_g)
    model = SpectralModel(setting, density, dof, np.sum([h.coherence for h in healthy], axis=0))
    p = _solve(model, _grown(model), 60)
    return _result(model, p)


def _noise_n(
    machine: Machine, channels: Channels, density: Array, frequency_hz: Array, gain: Array, speeds_hz: Array
) -> float:
    """RMS (N) of the loudest bearing with which the scenario as it stands meets the measured level on average."""
    _, loudest = noise_sources(machine)
    silent = np.zeros(len(channels.rows))
    heard = np.array([healthy_density(machine, channels, frequency_hz, gain, v, silent) for v in speeds_hz])
    if loudest <= 0.0 or not (heard.max(axis=(0, 1)) > 0.0).all():
        raise DatasetError(
            f"machine {machine.id}: no rolling noise reaches {', '.join(channels.names)}; give its bearings `noise_n` and its"
            " structure a mode that moves that point along that axis"
        )
    return loudest * math.exp(0.5 * float(np.nanmean(np.log(density / np.maximum(heard, 1e-300)))))


def _grown(model: SpectralModel) -> Array:
    """Parameters with as many modes as the criterion bears, from none on.

    One mode may do no good before a second one stands beside it, so a few are tried beyond the best.
    """
    p = _solve(model, model.start().vector(), 20)
    steps = [(_criterion(model, p), p, model.expansions)]
    while len(model.expansions) < MOST_MODES:
        trials = []
        for place in _places(model, p):
            for damping in _START_DAMPING:
                model.expansions, start = _with_mode(model, p, place, damping)
                tried = _solve(model, start, 5)
                trials.append((_criterion(model, tried), tried, model.expansions))
                model.expansions = steps[-1][2]
        if not trials:
            break
        _, tried, model.expansions = min(trials, key=lambda trial: trial[0])
        p = _solve(model, tried, 40)
        steps.append((_criterion(model, p), p, model.expansions))
        if min(step[0] for step in steps[-_BEYOND:]) > min(step[0] for step in steps):
            break
    least = min(step[0] for step in steps)
    _, p, model.expansions = next(step for step in steps if step[0] < least + _BIC_GAIN)
    return p


def _excess(model: SpectralModel, p: Array) -> tuple[Array, Array]:
    """ln of measured over modelled density, (f, c), the recordings' weighted mean over neighbouring bands; its weight."""
    weight = model.weight**2
    known = ndimage.gaussian_filter1d(weight.sum(axis=0), 1.5, axis=0, mode="nearest")
    misfit = np.sum((model.log_data - model.log_density(model.parameters(p))) * weight, axis=0)
    return ndimage.gaussian_filter1d(misfit, 1.5, axis=0, mode="nearest") / np.maximum(known, 1e-12), known


def _places(model: SpectralModel, p: Array) -> list[int]:
    """Bands where the measurement exceeds the model most."""
    excess, known = _excess(model, p)
    score = np.sqrt(np.sum(np.maximum(excess, 0.0) ** 2 * known, axis=1))
    inner = score[1:-1]
    peaks = 1 + np.flatnonzero((inner >= score[:-2]) & (inner > score[2:]) & (inner > 0.0))
    return [int(i) for i in peaks[np.argsort(-score[peaks])][:_PLACES]]


def _with_mode(model: SpectralModel, p: Array, place: int, damping: float) -> tuple[Array, Array]:
    """Expansions and parameters with one more mode, about as loud at its place as what is missing there."""
    of = model.parameters(p)
    frequency = float(model.setting.frequency_hz[place])
    missing = np.maximum(np.expm1(np.clip(_excess(model, p)[0][place], 0.0, 5.0)), 0.05) * model.power(of)[place]
    expansion = model.basis.expansion(frequency)
    seen = model.setting.channels.rows @ expansion
    # The part of the channels' motion that goes together there has the mode's signs.
    together = np.linalg.eigh(model.coherence[max(place - 1, 0) : place + 2].sum(axis=0))[1][:, -1]
    direction = np.linalg.pinv(seen) @ (np.sqrt(missing) * np.sign(together))
    expansion = expansion * np.where(direction < 0.0, -1.0, 1.0)
    direction = np.abs(direction) / np.linalg.norm(direction)
    seen, driven = np.abs(seen), model.sources @ expansion
    unit = np.sum((seen @ direction) ** 2) * np.sum((driven @ direction) ** 2) / (2.0 * damping) ** 2
    # No more than a few times the scenario's modes: the rest of the level is for the fit to find.
    size = min((float(missing.sum()) / max(unit, 1e-300)) ** 0.25, 5.0 * model.basis.size)
    more = replace(
        of,
        frequency_hz=np.append(of.frequency_hz, frequency),
        damping=np.append(of.damping, damping),
        shape=np.vstack((of.shape, np.maximum(size * direction, 1e-3 * model.basis.size))),
    )
    return np.concatenate((model.expansions, expansion[None])), more.vector()


def _soft(residuals: Array, n_data: int) -> tuple[float, Array]:
    """Cost and weights of a loss that grows only linearly beyond two deviations; quadratic for the priors."""
    z = 1.0 + (residuals / _SOFT) ** 2
    z[n_data:] = 1.0
    data = _SOFT**2 * np.sum(np.sqrt(z[:n_data]) - 1.0)
    return float(data + 0.5 * np.sum(residuals[n_data:] ** 2)), 1.0 / np.sqrt(z)


def _solve(model: SpectralModel, p: Array, steps: int) -> Array:
    """Levenberg and Marquardt's method with reweighting."""
    m = len(model.expansions)
    first, last = np.log(model.setting.frequency_hz[[0, -1]])
    low = np.concatenate((np.full(m, first - 0.1), np.full(m, math.log(_DAMPING[0]))))
    high = np.concatenate((np.full(m, last + 0.1), np.full(m, math.log(_DAMPING[1]))))
    residuals = model.residuals(p)
    cost, weight = _soft(residuals, model.n_data)
    damping = 1e-2
    for _ in range(steps):
        jacobian = model.jacobian(p)
        weighted = np.sqrt(weight)[:, None] * jacobian
        normal, slope = weighted.T @ weighted, jacobian.T @ (weight * residuals)
        scale = np.diag(np.diag(normal) + 1e-7 * np.diag(normal).max())
        before = cost
        while damping < 1e6:
            step = linalg.solve(normal + damping * scale, -slope, assume_a="pos")
            tried = p + np.clip(step, -1.0, 1.0)
            tried[: 2 * m] = np.clip(tried[: 2 * m], low, high)  # what rings beyond the bands cannot be told from its flank
            new_residuals = model.residuals(tried)
            new_cost, new_weight = _soft(new_residuals, model.n_data)
            if new_cost < cost:
                p, residuals, cost, weight = tried, new_residuals, new_cost, new_weight
                damping = max(damping / 5.0, 1e-8)
                break
            damping *= 4.0
        if before - cost < 1e-5 * before:
            break
    return p


def _criterion(model: SpectralModel, p: Array) -> float:
    """Bayesian information criterion, with the deviations that `SpectralModel` states taken as known."""
    cost, _ = _soft(model.residuals(p), model.n_data)
    return 2.0 * cost + len(p) * math.log(model.n)


def _result(model: SpectralModel, p: Array) -> PathFit:
    residuals, jacobian = model.residuals(p), model.jacobian(p)
    _, weight = _soft(residuals, model.n_data)
    # Misfits of neighbouring bands go together: the sum counts as so many fewer independent ones.
    data = residuals[: model.n_data].reshape(model.r, model.f, model.c)
    lags = [float(np.sum(data[:, lag:] * data[:, : model.f - lag])) for lag in range(_LAGS)]
    together = max(1.0 + 2.0 * sum(max(lag, 0.0) for lag in lags[1:]) / max(lags[0], 1e-12), 1.0)
    variance = float(np.sum(weight[: data.size] * residuals[: data.size] ** 2)) / max(model.n - len(p), 1)
    inflation = np.ones(len(residuals))
    inflation[: data.size] = 1.0 / max(variance * together, 1.0)
    normal = jacobian.T @ ((weight * inflation)[:, None] * jacobian)
    covariance = np.linalg.pinv(normal, hermitian=True)
    std = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    best = model.parameters(p)
    order = np.argsort(best.frequency_hz)
    m, k, r = len(order), model.k, model.r
    a, b, u, level, law, floor = np.split(std, np.cumsum([m, m, m * k, r, 2]))
    if not model.law_shows:
        law = np.array([EXPONENT_STD, CORNER_LN_STD])
    shown = model.log_density(best)
    misfit = np.where(model.valid, shown - model.log_data, np.nan)
    # Deviations of the data are the weights' inverse, so that rows times weight give those of the logarithms.
    spread = np.einsum("ni,ij,nj->n", jacobian[: data.size], covariance, jacobian[: data.size], optimize=True)
    spread = np.sqrt(np.maximum(spread, 0.0)).reshape(shown.shape) / np.maximum(model.weight, 1e-9)
    return PathFit(
        model.setting,
        replace(
            best, frequency_hz=best.frequency_hz[order], damping=best.damping[order], shape=best.shape[order]
        ),
        Parameters(a[order], b[order], u.reshape(m, k)[order], level, float(law[0]), float(law[1]), floor),
        model.expansions[order],
        tuple(model.basis.nearest(f) for f in best.frequency_hz[order]),
        shown,
        np.where(model.valid, spread, np.nan),
        10.0 / math.log(10.0) * np.sqrt(np.nanmean(misfit**2, axis=(0, 1))),
    )  # fmt: skip


def motions(fit: PathFit) -> list[dict[str, tuple[float, float, float]]]:
    """Shape of every mode at every point of the structure, kg^-1/2."""
    every = np.einsum("mnk,mk->mn", fit.expansion, fit.best.shape)
    return [
        {point: (float(u[3 * i]), float(u[3 * i + 1]), float(u[3 * i + 2])) for i, point in enumerate(POINTS[1:])}
        for u in every
    ]
