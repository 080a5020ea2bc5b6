"""Residual unbalance and misalignment from the shaft's lines: how large they are if the twin's paths carry them.

Phases are not used: a recording without tacho has none, and a structure's are its least certain figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from sim.calibration.estimate import Estimate
from sim.calibration.spectra import Channels, Healthy
from sim.calibration.spectral_model import centre, modal_transfer
from sim.drive import RPM
from sim.effect import GRAVITY_M_S2
from sim.machine.machine import Machine

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

ORDERS = (1, 2, 3, 4)
_MODEL_LN = 0.35  # 1.5 dB of power: what a path of a few modes can hope for
_DIRECTIONS = 8  # of the offset, over half a turn


@dataclass(frozen=True)
class ShaftForces:
    """What the lines say.

    Attributes:
        unbalance_g_mm: static residual unbalance; a bound where 1x does not stand out.
        misalignment: residual offset and angle of the coupling over the middle of the scenario's; None without a coupling.
    """

    unbalance_g_mm: Estimate
    misalignment: Estimate | None


def fit_shaft_forces(
    machine: Machine, channels: Channels, healthy: Sequence[Healthy], sensor_gain: Sequence[Array]
) -> ShaftForces:
    """Both at once, from the power of 1x-4x over all channels of every recording.

    1x is unbalance, which grows with speed squared, and misalignment, which does not; 2x-4x are misalignment alone.

    Args:
        machine: with its calibrated structure; distributions stand for their middle.
        channels: where the channels listen.
        healthy: the recordings' lines.
        sensor_gain: for every recording the sensor's gain at `ORDERS` of its speed, (4,).
    """
    measured, noise, by_unbalance, by_offset, shown = (np.zeros((len(healthy), len(ORDERS))) for _ in range(5))
    for r, h in enumerate(healthy):
        hz = h.speed.value * np.array(ORDERS, dtype=np.float64)
        at = [int(np.flatnonzero(h.lines.orders == k)[0]) for k in ORDERS if k in h.lines.orders]
        n = len(at)
        power, variance = np.abs(h.lines.amplitude[at]) ** 2, 2.0 * h.lines.std[at] ** 2
        measured[r, :n] = np.maximum(np.sum(power - variance, axis=1), 1e-30)
        noise[r, :n] = np.sqrt(np.sum(2.0 * power * variance + variance**2, axis=1))
        shown[r, :n] = h.lines.significant[at].any(axis=1)
        gain = (np.asarray(sensor_gain[r]) / GRAVITY_M_S2) ** 2
        by_unbalance[r, 0] = gain[0] * _power(machine, channels, hz[:1], [_unbalance(machine, hz[0])])
        if machine.coupling is not None:
            for i in range(n):
                by_offset[r, i] = gain[i] * _power(machine, channels, hz[i : i + 1], _misalignment(machine, i))
    used = (shown > 0.0) & (by_unbalance + by_offset > 0.0)
    first = used[:, 0] & (by_unbalance[:, 0] > 0.0)
    if not first.any():
        highest = np.sqrt((measured[:, 0] + 2.0 * noise[:, 0]) / np.maximum(by_unbalance[:, 0], 1e-300))
        bound = Estimate(1e6 * float(highest.min()), 0.0, "g mm", bound=True)
        return ShaftForces(bound, None if machine.coupling is None else Estimate(1.0, 1.0))
    sigma = np.sqrt((noise[used] / measured[used]) ** 2 + _MODEL_LN**2)
    if machine.coupling is None or not used[:, 1:].any():
        by_offset[:] = 0.0
        used[:, 1:] = False
        sigma = np.sqrt((noise[used] / measured[used]) ** 2 + _MODEL_LN**2)

    def misfit(p: Array) -> Array:
        model = np.exp(2.0 * p[0]) * by_unbalance[used]
        if len(p) > 1:
            model = model + np.exp(2.0 * p[1]) * by_offset[used]
        # The last: without lines that tell, the misalignment is what the scenario says, within a factor.
        prior = [p[1] / 1.0] if len(p) > 1 else []
        return np.concatenate(((np.log(model) - np.log(measured[used])) / sigma, prior))

    guess = 0.5 * math.log(float(np.median(measured[first, 0] / by_unbalance[first, 0])))
    start = np.array([guess, 0.0]) if by_offset.any() else np.array([guess])
    found = optimize.least_squares(misfit, start, loss="soft_l1")
    scatter = max(float(np.sum(misfit(found.x) ** 2)) / max(len(sigma) - len(start), 1), 1.0)
    std = np.sqrt(np.diag(np.linalg.pinv(found.jac.T @ found.jac)) * scatter)
    values = np.exp(found.x)
    unbalance = Estimate(1e6 * float(values[0]), 1e6 * float(values[0] * std[0]), "g mm")
    if len(start) > 1:
        return ShaftForces(unbalance, Estimate(float(values[1]), float(values[1] * std[1])))
    return ShaftForces(unbalance, None if machine.coupling is None else Estimate(1.0, 1.0))


def _power(machine: Machine, channels: Channels, hz: Array, forces: Sequence[Complex]) -> float:
    """Power of all channels together, (m/s2)^2, under each of the complex forces (9,) at one frequency, mean over them."""
    response = modal_transfer(machine.structure.modes, channels.rows, np.eye(9), hz)[0]
    return float(np.mean([np.sum(np.abs(response @ force) ** 2) for force in forces]))


def _unbalance(machine: Machine, speed_hz: float) -> Complex:
    """Forces (9,) on the housings per kg m of static unbalance: turning, through the rotor's own bending."""
    rotor, w = machine.rotor, 2.0 * math.pi * speed_hz
    passed: complex = 1.0
    critical = rotor.critical()
    if critical is not None:
        w0, damping = centre(critical[0]) * RPM, 2j * centre(critical[1])
        passed = (w0**2 + damping * w0 * w) / (w0**2 - w**2 + damping * w0 * w)
    turning = w**2 * passed * np.array([1.0, -1j, 0.0])
    share = centre(rotor.disk_position)
    return np.concatenate(((1.0 - share) * turning, share * turning, np.zeros(3)))


def _misalignment(machine: Machine, line: int) -> list[Complex]:
    """Forces (9,) on the housings at one of `ORDERS`, radial in several directions and axial, for the scenario's own
    residual offset and angle; the mean over their powers is that of unknown phases and direction."""
    coupling, rotor = machine.coupling, machine.rotor
    assert coupling is not None
    share = coupling.variation()[line]
    middle = coupling.model_copy(
        update={
            name: centre(getattr(coupling, name))
            for name in ("radial_stiffness_n_per_m", "angular_stiffness_nm_per_rad", "overhang_m", "axial_radius_mm")
        }
    )
    drive_n, non_drive_n, moment_nm = middle.static_reaction(
        centre(coupling.residual_offset_mm), centre(coupling.residual_angle_deg), centre(rotor.bearing_span_m)
    )
    forces = []
    axial = math.sqrt(2.0) * share * moment_nm / (middle.axial_radius_mm * 1e-3)
    for turn in np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
        along, across = np.array([math.cos(turn), math.sin(turn), 0]), np.array([-math.sin(turn), math.cos(turn), 0])
        radial = math.sqrt(2.0) * share * (along - 1j * across / 3.0)
        forces.append(np.concatenate((drive_n * radial, non_drive_n * radial, np.zeros(3))))
        forces.append(np.array([0, 0, axial, 0, 0, 0, 0, 0, 0], dtype=np.complex128))
    return forces
