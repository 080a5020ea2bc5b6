"""What the twin would be heard to do when healthy, in closed form: hum of the bearings through modes and sensor.

The power spectral density at every channel, at any speed, and its derivatives for least squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.calibration.spectra import Channels
from sim.effect import GRAVITY_M_S2, POINTS
from sim.machine.machine import Machine
from sim.machine.rolling_noise import DIRECTIONS, MODULATION
from sim.machine.structure import Mode, Structure
from sim.scenario.quantity import span

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_FLOOR_LN = 0.35  # 1.5 dB: what a linear model of a few modes can hope for, beside the spectrum's own scatter
_NOTHING = 1e-24  # power of a path without modes, (m/s2 per N)^2

# Priors, each the logarithm's middle and deviation; loose, so that what the recordings show decides.
_DAMPING = (0.03, 0.7)  # of bolted and welded machines 0.5-10 %
_SHAPE_LN = 1.0  # about the scenario's typical mode
_DRIVEN_LN = 0.7  # ln power by which a mode is driven, about that of a shape in any direction
_LEVEL_LN = 0.4  # ln power of a recording beside the law of growth
EXPONENT_STD = 1.0  # about the scenario's
CORNER_LN_STD = 1.0  # about the scenario's
_HELD = 1e-3  # deviation of figures that the recordings cannot tell
_SPEEDS_TELL = 1.25  # fastest over slowest from which on recordings tell how the noise grows
_SENSOR_LN = 1.5  # ln power of the sensor's noise about its datasheet's figure
_UNKNOWN_SENSOR_LN = 3.0  # the same about a tenth of the lowest density, where there is no datasheet


def centre(value: float) -> float:
    """The middle of what a key can be: geometric for two positive ends, else arithmetic."""
    low, high = span(value)
    return math.sqrt(low * high) if low > 0.0 else 0.5 * (low + high)


def rolling_density(
    frequency_hz: Array, speed_hz: float, rated_hz: float, exponent: float, corner_order: float
) -> Array:
    """Spectral density of the rolling noise's force for 1 N at rated speed, N^2/Hz (one-sided).

    First order with its corner at a fixed order of the shaft; the modulation adds its own power.
    """
    corner_hz = corner_order * speed_hz
    density = 2.0 / (math.pi * corner_hz) / (1.0 + (frequency_hz / corner_hz) ** 2)
    return np.asarray(density * (speed_hz / rated_hz) ** (2.0 * exponent) * (1.0 + 0.5 * MODULATION**2))


def accelerance(frequency_hz: Array, mode_hz: Array, damping: Array) -> Complex:
    """(f, m) acceleration per force of modes of unit mass."""
    w2, wm = (2.0 * np.pi * frequency_hz[:, None]) ** 2, 2.0 * np.pi * mode_hz
    return np.asarray(-w2 / (wm**2 - w2 + 2j * damping * wm * np.sqrt(w2)))


def noise_sources(machine: Machine) -> tuple[Array, float]:
    """Independent noises at the bearings, (s, 9) forces along x, y, z of the points, and RMS (N) of the loudest bearing."""
    noise = {position: centre(bearing.noise_n) for position, bearing in machine.bearings.items()}
    loudest = max(noise.values())
    rows = []
    for position, rms_n in noise.items():
        for direction in DIRECTIONS:
            row = np.zeros((3, 3))
            row[POINTS[1:].index(position)] = direction
            rows.append(row.reshape(9) * (rms_n / loudest if loudest > 0.0 else 1.0))
    return np.array(rows), loudest


def loudest_bearing_law(machine: Machine) -> tuple[float, float]:
    """Exponent of the speed and corner order of the loudest bearing's noise."""
    bearing = max(machine.bearings.values(), key=lambda b: centre(b.noise_n))
    return centre(bearing.noise_speed_exponent), centre(bearing.noise_corner_order)


def modal_transfer(modes: Sequence[Mode], rows: Array, sources: Array, frequency_hz: Array) -> Complex:
    """(f, c, s) acceleration of the channels (m/s2) per N of each source, through the scenario's `modes`."""
    shapes = Structure.model_construct(modes=list(modes)).shapes()
    frequency = np.array([centre(mode.frequency_hz) for mode in modes])
    damping = np.array([centre(mode.damping_ratio) for mode in modes])
    h = accelerance(frequency_hz, frequency, damping) / np.array([centre(mode.modal_mass_kg) for mode in modes])
    return np.einsum("fm,mc,ms->fcs", h, shapes @ rows.T, shapes @ sources.T, optimize=True)


def healthy_density(
    machine: Machine, channels: Channels, frequency_hz: Array, gain: Array, speed_hz: float, noise_g: Array
) -> Array:
    """(f, c) density in g^2/Hz of what the healthy twin's broad band is at a speed, without lines.

    Args:
        machine: distributions in it stand for their middle.
        channels: where the channels listen.
        frequency_hz: (f,).
        gain: (f,) of the sensor.
        speed_hz: shaft speed.
        noise_g: (c,) sensor's noise density, g/sqrt(Hz).
    """
    sources, rms_n = noise_sources(machine)
    law = loudest_bearing_law(machine)
    force = rms_n**2 * rolling_density(frequency_hz, speed_hz, centre(machine.rated_speed_rpm) / 60.0, *law)
    transfer = modal_transfer(machine.structure.modes, channels.rows, sources, frequency_hz)
    heard = np.sum(np.abs(transfer) ** 2, axis=2) * (force * (gain / GRAVITY_M_S2) ** 2)[:, None]
    return np.asarray(heard + noise_g**2)


@dataclass(frozen=True)
class Setting:
    """What the fit takes as known.

    Attributes:
        machine: the scenario's.
        channels: where the channels listen.
        frequency_hz: (f,) middle of the bands.
        gain: (f,) the sensor's.
        speeds_hz: (r,) of the recordings.
        rms_n: noise of the loudest bearing, which settles the scale.
        sensor_g: the sensor's noise density by its datasheet, g/sqrt(Hz).
    """

    machine: Machine
    channels: Channels
    frequency_hz: Array
    gain: Array
    speeds_hz: Array
    rms_n: float
    sensor_g: float

    def kept(self) -> list[Mode]:
        """Modes below the bands, which stay the scenario's."""
        return [m for m in self.machine.structure.modes if centre(m.frequency_hz) < 0.8 * self.frequency_hz[0]]

    def above(self) -> list[Mode]:
        """Modes above the bands, which stay the scenario's, but are not heard."""
        return [m for m in self.machine.structure.modes if centre(m.frequency_hz) > 1.1 * self.frequency_hz[-1]]


class Basis:
    """How the free components of a mode's shape (points and axes that channels see) move every point along every axis.

    What no channel sees moves as in the scenario's mode of the nearest frequency: another point in proportion to the
    same axis at the channel's point, an axis that is seen nowhere in proportion to those that are.
    """

    def __init__(self, setting: Setting) -> None:
        structure = setting.machine.structure
        self.free = np.flatnonzero(np.abs(setting.channels.rows).max(axis=0) > 1e-9)
        self._shapes = structure.shapes()
        self._log_hz = np.log([centre(mode.frequency_hz) for mode in structure.modes])
        masses = np.array([centre(mode.modal_mass_kg) for mode in structure.modes])
        squares: Array = self._shapes[:, self.free] ** 2 / masses[:, None]
        self.size = float(np.sqrt(squares.mean()))
        """Typical size of the free components in the scenario's modes, kg^-1/2."""

    def nearest(self, frequency_hz: float) -> int:
        """Number of the scenario's mode nearest to a frequency (in octaves)."""
        return int(np.argmin(np.abs(self._log_hz - math.log(frequency_hz))))

    def expansion(self, frequency_hz: float) -> Array:
        """(9, k) motion along x, y, z of drive end, non-drive end and casing per free component."""
        known = self._shapes[self.nearest(frequency_hz)]
        matrix = np.zeros((9, len(self.free)))
        matrix[self.free, np.arange(len(self.free))] = 1.0
        seen = known[self.free]
        for row in set(range(9)) - set(self.free.tolist()):
            same = [i for i, f in enumerate(self.free) if f % 3 == row % 3]
            if same:
                base = known[self.free[same[0]]]
                ratio = known[row] / base if abs(base) > 1e-3 else 0.0
                matrix[row, same[0]] = min(max(ratio, -1.0), 1.0)
            elif seen @ seen > 0.0:
                matrix[row] = np.clip(known[row] * seen / (seen @ seen), -1.0, 1.0)
        return matrix


@dataclass(frozen=True)
class Parameters:
    """Everything that is fitted; in the vector for least squares every figure but the exponent is a logarithm.

    Attributes:
        frequency_hz, damping: (m,) of the modes.
        shape: (m, k) size of the displacement per unit of the modal coordinate of unit mass, kg^-1/2, in `Basis.free`
            components; the signs are in the mode's expansion.
        level: (r,) ln power of each recording beyond the law of growth.
        exponent, corner_order: of the rolling noise.
        floor: (c,) density of the sensor's noise, g^2/Hz.
    """

    frequency_hz: Array
    damping: Array
    shape: Array
    level: Array
    exponent: float
    corner_order: float
    floor: Array

    def vector(self) -> Array:
        """All in one vector."""
        parts = np.log(self.frequency_hz), np.log(self.damping), np.log(self.shape).ravel()
        law = [self.exponent, math.log(self.corner_order)]
        return np.concatenate((*parts, self.level, law, np.log(self.floor)))


class SpectralModel:
    """Logarithms of all densities and priors as residuals of least squares, with their derivatives.

    Args:
        setting: what is known.
        density: (r, f, c) measured, g^2/Hz; NaN where lines leave nothing.
        dof: (r, f) degrees of freedom of each.
        coherence: (f, c, c) of the channels with each other, summed over the recordings.
    """

    def __init__(self, setting: Setting, density: Array, dof: Array, coherence: Array) -> None:
        self.setting, self.basis, self.coherence = setting, Basis(setting), coherence
        self.r, self.f, self.c = density.shape
        self.k = len(self.basis.free)
        self.sources, _ = noise_sources(setting.machine)
        self.law = loudest_bearing_law(setting.machine)
        self.rated_hz = centre(setting.machine.rated_speed_rpm) / 60.0
        self.law_shows = bool(setting.speeds_hz.max() > _SPEEDS_TELL * setting.speeds_hz.min())
        """Whether the speeds tell the noise's law of growth; else it stays the scenario's."""
        self.response = (setting.rms_n * setting.gain / GRAVITY_M_S2) ** 2
        self.log_data = np.log(density)
        self.valid = np.isfinite(self.log_data)
        self.log_data[~self.valid] = 0.0
        sigma = np.sqrt(2.0 / np.maximum(dof, 1.0)[:, :, None] + _FLOOR_LN**2)
        self.weight = np.where(self.valid, 1.0 / np.broadcast_to(sigma, density.shape), 0.0)
        self.n, self.n_data = int(self.valid.sum()), density.size
        kept = setting.kept()
        shape = (self.f, self.c, len(self.sources))
        self.kept = (
            modal_transfer(kept, setting.channels.rows, self.sources, setting.frequency_hz)
            if kept
            else np.zeros(shape, np.complex128)
        )
        self.expansions: Array = np.empty((0, 9, self.k))
        """(m, 9, k) of each mode's shape, see `Basis`, with the signs of its components: settled when the mode is added."""
        lowest = np.nanmin(density, axis=(0, 1))
        known = setting.sensor_g > 0.0
        self.floor = np.minimum(setting.sensor_g**2, 0.5 * lowest) if known else 0.1 * lowest
        """Sensor's noise to begin with: the datasheet's, but never more than was measured."""
        self.floor_deviation = _SENSOR_LN if known else _UNKNOWN_SENSOR_LN

    def start(self) -> Parameters:
        """Without any mode."""
        none = np.empty(0)
        return Parameters(none, none, np.empty((0, self.k)), np.zeros(self.r), *self.law, self.floor)

    def parameters(self, p: Array) -> Parameters:
        """The figures in a vector."""
        m = (len(p) - self.r - 2 - self.c) // (2 + self.k)
        a, b, u, level, law, floor = np.split(p, np.cumsum([m, m, m * self.k, self.r, 2]))
        shape = np.exp(u).reshape(m, self.k)
        return Parameters(np.exp(a), np.exp(b), shape, level, float(law[0]), float(np.exp(law[1])), np.exp(floor))

    def _paths(self, of: Parameters) -> tuple[Complex, Array, Array]:
        """Accelerance (f, m); what of each shape component channels see (m, c, k); what drives it (m, s, k)."""
        h = accelerance(self.setting.frequency_hz, of.frequency_hz, of.damping)
        return h, self.setting.channels.rows @ self.expansions, self.sources @ self.expansions

    def power(self, of: Parameters) -> Array:
        """(f, c) power of the channels, (m/s2)^2, for force of unit density."""
        h, seen, driven = self._paths(of)
        out, q = np.einsum("mck,mk->mc", seen, of.shape), np.einsum("msk,mk->ms", driven, of.shape)
        return np.asarray(np.sum(np.abs(self._transfer(h, out, q)) ** 2, axis=2) + _NOTHING)

    def _transfer(self, h: Complex, out: Array, q: Array) -> Complex:
        shape = (self.f, self.c, len(self.sources))
        flat = (out[:, :, None] * q[:, None, :]).reshape(len(out), shape[1] * shape[2])
        return np.asarray((h @ flat).reshape(shape) + self.kept)

    def _force(self, of: Parameters) -> Array:
        """(r, f) density of the force through the sensor's gain, of each recording."""
        f, rated = self.setting.frequency_hz, self.rated_hz
        rows = [rolling_density(f, v, rated, of.exponent, of.corner_order) for v in self.setting.speeds_hz]
        return np.asarray(np.exp(of.level)[:, None] * np.array(rows) * self.response)

    def log_density(self, of: Parameters) -> Array:
        """(r, f, c)."""
        return np.asarray(np.log(self._force(of)[:, :, None] * self.power(of) + of.floor))

    def residuals(self, p: Array) -> Array:
        """Misfits over their deviations, then those of the priors."""
        of = self.parameters(p)
        misfit = (self.log_density(of) - self.log_data) * self.weight
        middle, deviation = self._prior(p)
        return np.concatenate((misfit.ravel(), (p - middle) / deviation, self._driven(of)[0]))

    def _driven(self, of: Parameters) -> tuple[Array, Array]:
        """Prior of each mode: the noise does drive it. Residuals (m,) and their derivatives by ln shape, (m, k).

        The noise's direction is a convention. Without this a shape could turn square to it and grow, and a fault's force,
        which comes from another direction, would ring it far too loud.
        """
        driven = self.sources @ self.expansions  # (m, s, k)
        q = np.einsum("msk,mk->ms", driven, of.shape)
        power, square = np.sum(q**2, axis=1) + 1e-300, np.sum(of.shape**2, axis=1)
        usual = np.einsum("msk,msk->m", driven, driven) / self.k * square + 1e-300
        slope = 2.0 * of.shape * np.einsum("ms,msk->mk", q, driven) / power[:, None]
        slope -= 2.0 * of.shape**2 / (square[:, None] + 1e-300)
        return np.log(power / usual) / _DRIVEN_LN, slope / _DRIVEN_LN

    def _prior(self, p: Array) -> tuple[Array, Array]:
        """What each figure would be without recordings, and how sure that is: (n,) each."""
        m = (len(p) - self.r - 2 - self.c) // (2 + self.k)
        middle, deviation = p.copy(), np.full(len(p), np.inf)
        damping, shape = slice(m, 2 * m), slice(2 * m, 2 * m + m * self.k)
        middle[damping], deviation[damping] = math.log(_DAMPING[0]), _DAMPING[1]
        middle[shape], deviation[shape] = math.log(0.5 * self.basis.size), _SHAPE_LN
        more = 2 * m + m * self.k
        middle[more : more + self.r], deviation[more : more + self.r] = 0.0, _LEVEL_LN
        middle[more + self.r : more + self.r + 2] = self.law[0], math.log(self.law[1])
        deviation[more + self.r : more + self.r + 2] = (EXPONENT_STD, CORNER_LN_STD) if self.law_shows else _HELD
        middle[len(p) - self.c :], deviation[len(p) - self.c :] = np.log(self.floor), self.floor_deviation
        return middle, deviation

    def jacobian(self, p: Array) -> Array:
        """Derivatives of `residuals`, (n, parameters)."""
        of = self.parameters(p)
        m, k, c, r = len(of.frequency_hz), self.k, self.c, self.r
        h, seen, driven = self._paths(of)
        out, q = np.einsum("mck,mk->mc", seen, of.shape), np.einsum("msk,mk->ms", driven, of.shape)
        transfer = self._transfer(h, out, q)
        power = np.sum(np.abs(transfer) ** 2, axis=2) + _NOTHING  # (f, c)
        with_q = np.einsum("fcs,ms->fcm", transfer.conj(), q, optimize=True)
        wm, w = 2.0 * np.pi * of.frequency_hz, 2.0 * np.pi * self.setting.frequency_hz[:, None]
        base = -(h**2) / (w * w)  # 1 / denominator = -h / w^2, so d h = h^2 / w^2 * d denominator
        dh_f = -base * (2.0 * wm**2 + 2j * of.damping * wm * w)  # per ln frequency
        dh_z = -base * (2j * of.damping * wm * w)  # per ln damping
        d_power = np.empty((self.f, c, 2 * m + m * k))
        d_power[:, :, :m] = 2.0 * (with_q * (out.T[None] * dh_f[:, None, :])).real
        d_power[:, :, m : 2 * m] = 2.0 * (with_q * (out.T[None] * dh_z[:, None, :])).real
        via_source = np.einsum("fcs,msk->fcmk", transfer.conj(), driven, optimize=True)
        by_shape = with_q[:, :, :, None] * seen.transpose(1, 0, 2)[None] + out.T[None, :, :, None] * via_source
        by_shape = 2.0 * (by_shape * h[:, None, :, None]).real * of.shape  # per ln component
        d_power[:, :, 2 * m :] = by_shape.reshape(self.f, c, m * k)
        heard = self._force(of)[:, :, None] * power
        total = heard + of.floor
        share = heard / total * self.weight  # (r, f, c)
        first = 2 * m + m * k
        jacobian = np.zeros((r, self.f, c, first + r + 2 + c))
        np.multiply((share / power)[..., None], d_power[None], out=jacobian[..., :first])
        speeds = self.setting.speeds_hz
        beyond = (self.setting.frequency_hz / (of.corner_order * speeds[:, None])) ** 2
        jacobian[..., first + r] = share * (2.0 * np.log(speeds / self.rated_hz))[:, None, None]
        jacobian[..., first + r + 1] = share * (2.0 * beyond / (1.0 + beyond) - 1.0)[:, :, None]
        for i in range(r):
            jacobian[i, :, :, first + i] = share[i]
        for i in range(c):
            jacobian[:, :, i, first + r + 2 + i] = of.floor[i] / total[:, :, i] * self.weight[:, :, i]
        _, deviation = self._prior(p)
        by_driven = np.zeros((m, len(p)))
        for i, slope in enumerate(self._driven(of)[1]):
            by_driven[i, 2 * m + i * k : 2 * m + (i + 1) * k] = slope
        return np.concatenate((jacobian.reshape(self.n_data, -1), np.diag(1.0 / deviation), by_driven))
