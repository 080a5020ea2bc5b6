"""Lateral vibration of a rotor: the Jeffcott rotor the twin runs on, and the finite-element rotor it is derived from.

Axes: x horizontal, y vertical, z along the shaft; the shaft turns from x to y (positive about z) at `speed_rad_s` >= 0.
Rotations are right-handed about x and y: a shaft of slope dx/dz has rot_y = dx/dz, one of slope dy/dz rot_x = -dy/dz.

Sources: G. Genta, Dynamics of Rotating Systems (2005), chapter 2; D. Childs, Turbomachinery Rotordynamics (1993),
chapter 1; and "Friswell": M. I. Friswell, J. E. T. Penny, S. D. Garvey, A. W. Lees, Dynamics of Rotating Machines
(2010), chapter 5 (shaft elements, eigenvalues) and 6 (unbalance).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import scipy.linalg
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sim.errors import ParameterError
from sim.machine.oscillator import OUTPUTS, OscillatorBank, Output

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Coefficients = float | tuple[float, float] | tuple[tuple[float, float], tuple[float, float]]
Scalar = TypeVar("Scalar", np.float64, np.complex128)  # in time, or complex amplitudes
DofName = Literal["x", "y", "rot_x", "rot_y"]

DOFS: tuple[DofName, ...] = ("x", "y", "rot_x", "rot_y")  # of each node, in this order: m, m, rad, rad


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise ParameterError(f"{name} = {value}: must be finite and > 0")


def _not_negative(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0.0):
        raise ParameterError(f"{name} = {value}: must be finite and >= 0")


@dataclass(frozen=True)
class JeffcottRotor:
    """A disk in the middle of a massless shaft between two equal supports, alike in x and y.

    Displacement is r = x + j y = R exp(j speed t): R is constant in the frame that turns with the shaft, where the
    unbalance lies at angle 0. |R| is the radius of the orbit, angle(R) <= 0 the lag behind the heavy spot: near 0 far
    below the critical speed, -pi/2 at it, towards -pi above. So x = Re(R exp(j speed t)), and y a quarter turn later.

    `damping_ratio` is viscous, in the supports (non-rotating). Genta chapter 2; Childs chapter 1.
    Limits: one mode, no gyroscopic effect, no anisotropy, constant speed in the closed forms.
    """

    mass_kg: float
    stiffness_n_per_m: float
    damping_ratio: float

    def __post_init__(self) -> None:
        _positive("mass_kg", self.mass_kg)
        _positive("stiffness_n_per_m", self.stiffness_n_per_m)
        _not_negative("damping_ratio", self.damping_ratio)

    @property
    def natural_frequency_rad_s(self) -> float:
        """sqrt(k/m), undamped."""
        return math.sqrt(self.stiffness_n_per_m / self.mass_kg)

    @property
    def critical_speed_rpm(self) -> float:
        """The speed that equals the undamped natural frequency."""
        return self.natural_frequency_rad_s * 30.0 / math.pi

    @property
    def damping_n_s_per_m(self) -> float:
        """Viscous damping c = 2 zeta sqrt(k m)."""
        return 2.0 * self.damping_ratio * math.sqrt(self.stiffness_n_per_m * self.mass_kg)

    def unbalance_response(self, speed_rad_s: ArrayLike, unbalance_kg_m: ArrayLike) -> Complex:
        """Complex displacement R in m, of the arguments' broadcast shape (0-d for two numbers).

        R = u w^2 / (k - m w^2 + j c w). Raises `ParameterError` at the critical speed of an undamped rotor.
        """
        speed = np.asarray(speed_rad_s, dtype=np.float64)
        dynamic_stiffness = self.stiffness_n_per_m - self.mass_kg * speed**2 + 1j * self.damping_n_s_per_m * speed
        if np.any(dynamic_stiffness == 0.0):
            raise ParameterError("an undamped rotor has no steady state at its critical speed: give damping_ratio > 0")
        return np.asarray(np.asarray(unbalance_kg_m) * speed**2 / dynamic_stiffness, dtype=np.complex128)

    def bearing_force(self, speed_rad_s: ArrayLike, unbalance_kg_m: ArrayLike) -> Complex:
        """Complex force k r + c r' on the foundation in N, rotating frame: the sum of both bearings."""
        speed = np.asarray(speed_rad_s, dtype=np.float64)
        impedance = self.stiffness_n_per_m + 1j * self.damping_n_s_per_m * speed
        return np.asarray(impedance * self.unbalance_response(speed, unbalance_kg_m), dtype=np.complex128)

    def oscillators(self, dt_s: float, outputs: Sequence[Output] = OUTPUTS) -> OscillatorBank:
        """The rotor in time, for any force and any speed profile: mode 0 is x, mode 1 is y."""
        return OscillatorBank([self.natural_frequency_rad_s] * 2, self.damping_ratio, self.mass_kg, dt_s, outputs)


@dataclass(frozen=True)
class Material:
    """Isotropic shaft material."""

    youngs_modulus_pa: float
    density_kg_per_m3: float
    poisson_ratio: float

    def __post_init__(self) -> None:
        _positive("youngs_modulus_pa", self.youngs_modulus_pa)
        _positive("density_kg_per_m3", self.density_kg_per_m3)
        if not 0.0 <= self.poisson_ratio < 0.5:
            raise ParameterError(f"poisson_ratio = {self.poisson_ratio}: must be in [0, 0.5)")


STEEL = Material(youngs_modulus_pa=211e9, density_kg_per_m3=7810.0, poisson_ratio=0.3)


@dataclass(frozen=True)
class ShaftElement:
    """A cylindrical piece of shaft between two nodes, solid or hollow."""

    length_m: float
    outer_diameter_m: float
    inner_diameter_m: float = 0.0

    def __post_init__(self) -> None:
        _positive("length_m", self.length_m)
        _positive("outer_diameter_m", self.outer_diameter_m)
        if not 0.0 <= self.inner_diameter_m < self.outer_diameter_m:
            raise ParameterError(
                f"inner_diameter_m = {self.inner_diameter_m}: must be >= 0 and below outer_diameter_m = "
                f"{self.outer_diameter_m}"
            )


@dataclass(frozen=True)
class Disk:
    """A rigid disk (or impeller, coupling half, inner ring) fixed on a node; inertias about its own centre."""

    node: int
    mass_kg: float
    diametral_inertia_kg_m2: float
    polar_inertia_kg_m2: float

    def __post_init__(self) -> None:
        _positive("mass_kg", self.mass_kg)
        _not_negative("diametral_inertia_kg_m2", self.diametral_inertia_kg_m2)
        _not_negative("polar_inertia_kg_m2", self.polar_inertia_kg_m2)


@dataclass(frozen=True)
class BearingSupport:
    """A linear spring and damper from a node to ground, in x and y.

    Each coefficient is one number (isotropic), (xx, yy), or ((xx, xy), (yx, yy)).
    """

    node: int
    stiffness_n_per_m: Coefficients
    damping_n_s_per_m: Coefficients = 0.0

    def __post_init__(self) -> None:
        for name, matrix in (("stiffness_n_per_m", self.stiffness), ("damping_n_s_per_m", self.damping)):
            if not np.all(np.isfinite(matrix)) or np.any(np.diag(matrix) < 0.0):
                raise ParameterError(f"{name} = {getattr(self, name)}: must be finite, with xx and yy >= 0")

    @property
    def stiffness(self) -> Real:
        """(2, 2) in N/m."""
        return _matrix_2x2(self.stiffness_n_per_m)

    @property
    def damping(self) -> Real:
        """(2, 2) in N s/m."""
        return _matrix_2x2(self.damping_n_s_per_m)


class WhirlModes(NamedTuple):
    """Damped modes at one speed, by rising frequency; over-damped (non-oscillating) ones are left out."""

    frequencies_rad_s: Real  # (n_modes,) damped
    damping_ratios: Real  # (n_modes,) negative: unstable
    forward: NDArray[np.bool_]  # (n_modes,) whirls with the shaft's rotation (False: against it, or on a line)
    shapes: Complex  # (n_dof, n_modes) displacement, unit length


class Campbell(NamedTuple):
    """Damped modes over speed, each row sorted by frequency: modes are not followed through crossings."""

    speeds_rad_s: Real  # (n_speeds,)
    frequencies_rad_s: Real  # (n_speeds, n_modes)
    damping_ratios: Real  # (n_speeds, n_modes)
    forward: NDArray[np.bool_]  # (n_speeds, n_modes)


class TimeResponse(NamedTuple):
    """Motion in time, (n_dof, n_samples) each."""

    displacement: Real  # m, rad
    velocity: Real  # m/s, rad/s


class SteppedRotor:
    """A rotor of Timoshenko beam elements, rigid disks and linear bearings: M q'' + (C + speed G) q' + K q = f.

    Shaft element i lies between nodes i and i + 1; it has shear deflection, rotary inertia and gyroscopic moments
    (Friswell chapter 5). Disks and bearings act on nodes. The degrees of freedom are the first axis of every array,
    node by node in the order of `DOFS`; `dof(node, "x")` is an index.

    Limits: linear, lateral only (no torsion, no axial motion), constant speed, damping only in the bearings, rigid
    foundation.
    """

    def __init__(
        self,
        shaft: Sequence[ShaftElement],
        disks: Sequence[Disk],
        bearings: Sequence[BearingSupport],
        material: Material = STEEL,
    ) -> None:
        """Assemble the matrices.

        Raises `ParameterError`: no shaft, a node off the shaft, bearings that do not hold the shaft.
        """
        if not shaft:
            raise ParameterError("a rotor needs at least one shaft element")
        self.shaft, self.disks, self.bearings, self.material = tuple(shaft), tuple(disks), tuple(bearings), material
        self.n_nodes = len(self.shaft) + 1
        self.n_dof = len(DOFS) * self.n_nodes
        self.mass, self.stiffness, self.damping, self.gyroscopic = (
            np.zeros((self.n_dof, self.n_dof)) for _ in range(4)
        )
        for i, element in enumerate(self.shaft):
            self._add_shaft_element(i, element)
        for disk in self.disks:
            x, y, rot_x, rot_y = (self.dof(disk.node, name) for name in DOFS)
            self.mass[[x, y], [x, y]] += disk.mass_kg
            self.mass[[rot_x, rot_y], [rot_x, rot_y]] += disk.diametral_inertia_kg_m2
            self.gyroscopic[rot_x, rot_y] += disk.polar_inertia_kg_m2
            self.gyroscopic[rot_y, rot_x] -= disk.polar_inertia_kg_m2
        for bearing in self.bearings:
            block = np.ix_(self._xy(bearing.node), self._xy(bearing.node))
            self.stiffness[block] += bearing.stiffness
            self.damping[block] += bearing.damping
        self._check_held()

    def dof(self, node: int, name: DofName) -> int:
        """Index of a degree of freedom. Raises `ParameterError` for a node that is not there."""
        if not 0 <= node < self.n_nodes:
            raise ParameterError(f"node = {node}: this rotor has nodes 0 to {self.n_nodes - 1}")
        return len(DOFS) * node + DOFS.index(name)

    def undamped_modes(self, n_modes: int = 8) -> tuple[Real, Real]:
        """Frequencies in rad/s (n_modes,) and real shapes (n_dof, n_modes) of unit modal mass, undamped and at rest.

        Of cross-coupled bearing stiffness only the symmetric (conservative) part enters.
        """
        self._check_n_modes(n_modes, self.n_dof)
        return _lowest_modes(self.mass, _symmetric(self.stiffness), n_modes)

    def whirl_modes(self, speed_rad_s: float, n_modes: int = 8) -> WhirlModes:
        """The `n_modes` lowest damped modes at a speed (Friswell chapter 5)."""
        poles, vectors = scipy.linalg.eig(self._state_matrix(speed_rad_s))
        whirling = np.flatnonzero(poles.imag > 0.0)  # one of each conjugate pair
        self._check_n_modes(n_modes, whirling.size)
        lowest = whirling[np.argsort(poles[whirling].imag)[:n_modes]]
        poles, shapes = poles[lowest], vectors[: self.n_dof, lowest]
        x, y = shapes[0 :: len(DOFS)], shapes[1 :: len(DOFS)]
        turning = np.sum((x.conj() * y).imag, axis=0)  # y a quarter turn after x: negative
        return WhirlModes(
            poles.imag,
            -poles.real / np.abs(poles),
            turning < -1e-9 * np.sum(np.abs(x) ** 2 + np.abs(y) ** 2, axis=0),
            shapes / np.linalg.norm(shapes, axis=0),
        )

    def natural_frequencies_rad_s(self, speed_rad_s: float, n_modes: int = 8) -> Real:
        """The `n_modes` lowest damped whirl frequencies at a speed, rad/s."""
        return self.whirl_modes(speed_rad_s, n_modes).frequencies_rad_s

    def campbell(self, speeds_rad_s: ArrayLike, n_modes: int = 8) -> Campbell:
        """Whirl frequencies, damping and direction over speed."""
        speeds = np.atleast_1d(np.asarray(speeds_rad_s, dtype=np.float64))
        modes = [self.whirl_modes(float(speed), n_modes) for speed in speeds]
        return Campbell(
            speeds,
            np.stack([m.frequencies_rad_s for m in modes]),
            np.stack([m.damping_ratios for m in modes]),
            np.stack([m.forward for m in modes]),
        )

    def unbalance_response(
        self, node: int, unbalance_kg_m: float, phase_rad: float, speeds_rad_s: ArrayLike
    ) -> Complex:
        """Steady response Q to one unbalance, (n_dof, n_speeds): q(t) = Re(Q exp(j speed t)). Add those of several.

        At t = 0 the unbalance u lies at `phase_rad` from x towards y: at speed w it is the force u w^2 cos(w t + phase)
        in x, u w^2 sin(w t + phase) in y. Friswell chapter 6.
        """
        speeds = np.atleast_1d(np.asarray(speeds_rad_s, dtype=np.float64))
        force = np.zeros(self.n_dof, dtype=np.complex128)
        force[self._xy(node)] = unbalance_kg_m * np.exp(1j * phase_rad) * np.array([1.0, -1j])
        response = np.empty((self.n_dof, speeds.size), dtype=np.complex128)
        for i, speed in enumerate(speeds):
            damping = self.damping + speed * self.gyroscopic
            response[:, i] = np.linalg.solve(
                self.stiffness - speed**2 * self.mass + 1j * speed * damping, speed**2 * force
            )
        return response

    def bearing_forces(self, displacement: NDArray[Scalar], velocity: NDArray[Scalar]) -> NDArray[Scalar]:
        """Force of the shaft on each bearing in N, (n_bearings, 2, n): x and y of K q + C q'.

        Of a `TimeResponse` pass the two arrays, each (n_dof, n); of an `unbalance_response` q, q and 1j * speeds * q.
        """
        forces = np.empty((len(self.bearings), 2, displacement.shape[1]), dtype=displacement.dtype)
        for i, bearing in enumerate(self.bearings):
            xy = self._xy(bearing.node)
            forces[i] = bearing.stiffness @ displacement[xy] + bearing.damping @ velocity[xy]
        return forces

    def unbalance_forces(
        self, node: int, unbalance_kg_m: float, phase_rad: float, speed_rad_s: float, times_s: Real
    ) -> Real:
        """The force of one unbalance at constant speed, (n_dof, n_samples) in N: an input for `time_response`."""
        angle = speed_rad_s * times_s + phase_rad
        forces = np.zeros((self.n_dof, times_s.size))
        forces[self._xy(node)] = unbalance_kg_m * speed_rad_s**2 * np.array([np.cos(angle), np.sin(angle)])
        return forces

    def time_response(self, speed_rad_s: float, times_s: Real, forces: Real) -> TimeResponse:
        """Motion from rest at times_s[0] under sampled forces, at constant speed and on an even time grid.

        forces: (n_dof, n_samples) in N and N m; exact for forces that are straight lines between samples. All complex
        modes at this speed (Friswell chapter 5) are used, each of them one scalar recurrence.

        Raises `ParameterError`: wrong shapes, uneven times.
        """
        if times_s.ndim != 1 or times_s.size < 2 or forces.shape != (self.n_dof, times_s.size):
            raise ParameterError(
                f"times_s {times_s.shape} and forces {forces.shape}: must be (n_samples,) and "
                f"({self.n_dof}, n_samples) with n_samples >= 2"
            )
        step = float(times_s[-1] - times_s[0]) / (times_s.size - 1)
        if step <= 0.0 or np.max(np.abs(np.diff(times_s) - step)) > 1e-6 * step:
            raise ParameterError("times_s: must rise in even steps")
        poles, vectors = scipy.linalg.eig(self._state_matrix(speed_rad_s))
        single = poles.imag >= 0.0  # a conjugate pair moves as twice the real part of one of the two
        twice = np.where(poles[single].imag > 0.0, 2.0, 1.0)
        forced = np.flatnonzero(forces.any(axis=1))
        into_velocity = np.zeros((2 * self.n_dof, forced.size))
        into_velocity[self.n_dof :] = np.linalg.solve(self.mass, np.eye(self.n_dof)[:, forced])
        modal_forces = np.linalg.solve(vectors, into_velocity)[single] @ forces[forced]
        modes = _modal_motion(*_first_order_hold(poles[single], step), modal_forces)
        shapes = twice * vectors[:, single]
        motion = np.hstack((shapes.real, -shapes.imag)) @ modes
        return TimeResponse(motion[: self.n_dof], motion[self.n_dof :])

    def to_jeffcott(self, node: int | None = None) -> JeffcottRotor:
        """The first lateral mode as a Jeffcott rotor: modal mass, stiffness, damping at `node` (the heaviest disk).

        The mode is that of the undamped rotor at rest with each bearing's mean of x and y, its shape scaled to 1 at the
        node. Limits: it stands for force and displacement at that node, well below the second mode. The gyroscopic
        shift, the split of an anisotropic pair and all higher modes are lost, and its `bearing_force` is the sum of the
        real bearings' only where the disk is nearly all of the mass.

        Raises `ParameterError` where the node hardly moves in that mode, or if there is neither node nor disk.
        """
        if node is None:
            if not self.disks:
                raise ParameterError("a rotor without disks: say at which node it is to be seen")
            node = max(self.disks, key=lambda disk: disk.mass_kg).node
        seen = self.dof(node, "x") // 2  # in one plane: displacement and slope of each node
        mass, stiffness, damping = (self._mean_plane(m) for m in (self.mass, self.stiffness, self.damping))
        frequencies, shapes = _lowest_modes(mass, _symmetric(stiffness), 1)
        frequency, shape = float(frequencies[0]), shapes[:, 0]
        if abs(shape[seen]) < 1e-3 * np.max(np.abs(shape[::2])):
            raise ParameterError(f"node = {node} hardly moves in the first mode: choose another one")
        shape = shape / shape[seen]
        modal_mass = float(shape @ mass @ shape)
        return JeffcottRotor(
            mass_kg=modal_mass,
            stiffness_n_per_m=modal_mass * frequency**2,
            damping_ratio=float(shape @ damping @ shape) / (2.0 * modal_mass * frequency),
        )

    def _xy(self, node: int) -> list[int]:
        return [self.dof(node, "x"), self.dof(node, "y")]

    def _check_held(self) -> None:
        """Every rigid motion, two shifts and two tilts, must strain the bearings."""
        positions = np.concatenate(([0.0], np.cumsum([element.length_m for element in self.shaft])))
        half = positions[-1] / 2.0
        rigid = np.zeros((4, 4))
        for bearing in self.bearings:
            arm = positions[bearing.node] / half - 1.0
            rigid += np.kron([[1.0, arm], [arm, arm**2]], _symmetric(bearing.stiffness))
        strains = np.linalg.eigvalsh(rigid)
        if strains[0] <= 1e-12 * strains[-1]:  # zero but for rounding
            raise ParameterError(
                "the bearings do not hold the shaft: it needs stiffness in x and y at two nodes at least"
            )

    def _add_shaft_element(self, i: int, element: ShaftElement) -> None:
        """Put element i into both planes; spin couples them by the polar inertia, twice the diametral for a shaft."""
        stiffness, translation, rotation = _beam_matrices(element, self.material)
        x_plane, y_plane = _plane_dofs(i), _plane_dofs(i) + _Y_FROM_X
        signs = np.outer(_Y_SIGNS, _Y_SIGNS)
        for matrix, planar in ((self.stiffness, stiffness), (self.mass, translation + rotation)):
            matrix[np.ix_(x_plane, x_plane)] += planar
            matrix[np.ix_(y_plane, y_plane)] += signs * planar
        self.gyroscopic[np.ix_(x_plane, y_plane)] += 2.0 * rotation * _Y_SIGNS
        self.gyroscopic[np.ix_(y_plane, x_plane)] -= 2.0 * (rotation * _Y_SIGNS).T

    def _mean_plane(self, matrix: Real) -> Real:
        """Mean of the x and y planes of a matrix, (2 n_nodes, 2 n_nodes): displacement and slope of each node."""
        x = np.concatenate([_plane_dofs(i)[:2] for i in range(self.n_nodes)])
        y, signs = x + np.tile(_Y_FROM_X[:2], self.n_nodes), np.tile(_Y_SIGNS[:2], self.n_nodes)
        return np.asarray((matrix[np.ix_(x, x)] + np.outer(signs, signs) * matrix[np.ix_(y, y)]) / 2.0)

    def _state_matrix(self, speed_rad_s: float) -> Real:
        """(2 n_dof, 2 n_dof) over displacement and velocity."""
        damping = self.damping + speed_rad_s * self.gyroscopic
        accelerations = -np.linalg.solve(self.mass, np.hstack((self.stiffness, damping)))
        return np.vstack((np.eye(self.n_dof, 2 * self.n_dof, self.n_dof), accelerations))

    @staticmethod
    def _check_n_modes(n_modes: int, available: int) -> None:
        if not 1 <= n_modes <= available:
            raise ParameterError(f"n_modes = {n_modes}: this rotor has 1 to {available} oscillating modes")


# In one plane an element has displacement and slope at both ends; slope is rot_y in the x plane, -rot_x in the y one.
_Y_FROM_X = np.array([1, -1, 1, -1])
_Y_SIGNS = np.array([1.0, -1.0, 1.0, -1.0])


def _plane_dofs(i: int) -> NDArray[np.int64]:
    """Indices of (x, rot_y) of nodes i and i + 1."""
    return len(DOFS) * i + np.array([0, 3, 4, 7])


def _beam_matrices(element: ShaftElement, material: Material) -> tuple[Real, Real, Real]:
    """Stiffness, translational and rotary inertia of a Timoshenko element in one plane, (4, 4), over w1, w1', w2, w2'.

    Friswell chapter 5; the shear factor of a hollow circular section: G. R. Cowper, J. Appl. Mech. 33 (1966) 335-340.
    """
    length, outer, inner = element.length_m, element.outer_diameter_m, element.inner_diameter_m
    area = math.pi * (outer**2 - inner**2) / 4.0
    second_moment = math.pi * (outer**4 - inner**4) / 64.0
    poisson, hollow = material.poisson_ratio, (inner / outer) ** 2
    thick = (1.0 + hollow) ** 2
    shear_factor = 6 * (1 + poisson) * thick / ((7 + 6 * poisson) * thick + (20 + 12 * poisson) * hollow)
    shear_modulus = material.youngs_modulus_pa / (2.0 * (1.0 + poisson))
    bending = material.youngs_modulus_pa * second_moment / length**3
    p = 12.0 * bending * length / (shear_factor * shear_modulus * area)  # shear deflection / bending deflection
    scale = np.array([1.0, length, 1.0, length])  # slopes carry one length each
    units = np.outer(scale, scale) / (1.0 + p)
    k = [[12, 6, -12, 6], [6, 4 + p, -6, 2 - p], [-12, -6, 12, -6], [6, 2 - p, -6, 4 + p]]
    m1, m2 = 312 + 588 * p + 280 * p**2, 44 + 77 * p + 35 * p**2
    m3, m4 = 108 + 252 * p + 140 * p**2, 26 + 63 * p + 35 * p**2
    m5, m6 = 8 + 14 * p + 7 * p**2, 6 + 14 * p + 7 * p**2
    m = [[m1, m2, m3, -m4], [m2, m5, m4, -m6], [m3, m4, m1, -m2], [-m4, -m6, -m2, m5]]
    r1, r2, r3 = 3 - 15 * p, 4 + 5 * p + 10 * p**2, 1 + 5 * p - 5 * p**2
    r = [[36, r1, -36, r1], [r1, r2, -r1, -r3], [-36, -r1, 36, -r1], [r1, -r3, -r1, r2]]
    stiffness = np.array(k) * units * bending
    translation = np.array(m) * units * (material.density_kg_per_m3 * area * length / (840.0 * (1.0 + p)))
    rotation = np.array(r) * units * (material.density_kg_per_m3 * second_moment / (30.0 * length * (1.0 + p)))
    return stiffness, translation, rotation


def _lowest_modes(mass: Real, stiffness: Real, n_modes: int) -> tuple[Real, Real]:
    """Frequencies (n_modes,) in rad/s, rising, and shapes (n, n_modes) of unit modal mass.

    Solved for 1 / w^2, of which the low modes are the largest: so rounding spares them, be the highest mode ever so high.
    """
    n = len(mass)
    periods, shapes = scipy.linalg.eigh(mass, stiffness, subset_by_index=(n - n_modes, n - 1))
    frequencies = 1.0 / np.sqrt(periods[::-1])
    return frequencies, shapes[:, ::-1] * frequencies


def _first_order_hold(poles: Complex, step: float) -> tuple[Complex, Complex, Complex]:
    """Weights of old mode, old force and new force in one exact step of z' = pole z + f, f straight between samples."""
    z = poles * step
    # (exp(z) - 1 - z) / z^2; by its series where the closed form loses digits, that is for slow modes.
    hold_slope = np.zeros_like(z)
    for n in range(17, -1, -1):
        hold_slope = hold_slope * z + 1.0 / math.factorial(n + 2)
    fast = np.abs(z) > 1.0
    hold_slope[fast] = (np.expm1(z[fast]) - z[fast]) / z[fast] ** 2
    hold = 1.0 + z * hold_slope  # (exp(z) - 1) / z
    return np.exp(z), step * (hold - hold_slope), step * hold_slope


@njit(cache=True)
def _modal_motion(transition, old_weight, new_weight, modal_forces):  # type: ignore[no-untyped-def]
    """Run the scalar recurrences from rest; (2 n_modes, n_samples): all real parts, then all imaginary parts."""
    n_modes, n_samples = modal_forces.shape
    motion = np.zeros((2 * n_modes, n_samples))
    for m in range(n_modes):
        z = 0.0j
        for k in range(1, n_samples):
            drive = old_weight[m] * modal_forces[m, k - 1] + new_weight[m] * modal_forces[m, k]
            z = transition[m] * z + drive
            motion[m, k], motion[n_modes + m, k] = z.real, z.imag
    return motion


def _matrix_2x2(coefficients: Coefficients) -> Real:
    given = np.asarray(coefficients, dtype=np.float64)
    if given.shape == (2, 2):
        return given
    if given.shape in ((), (2,)):
        return np.diag(np.broadcast_to(given, 2))
    raise ParameterError(f"bearing coefficients {coefficients}: give one number, (xx, yy) or ((xx, xy), (yx, yy))")


def _symmetric(matrix: Real) -> Real:
    return np.asarray((matrix + matrix.T) / 2.0)
