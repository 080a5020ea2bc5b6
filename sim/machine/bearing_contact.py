"""Nonlinear ball bearing: Hertz contacts with clearance between a shaft and a pedestal, integrated in time.

Four or five degrees of freedom: shaft with inner ring (x, y), pedestal with outer ring (x, y) and, if wanted, a
resonator on the pedestal (y) that stands for a high structural mode. Between the rings each ball is a massless spring
F = K_n max(delta, 0)^1.5 with Hunt-Crossley damping, F (1 + c d(delta)/dt). A spall is a gap the ball sinks into.

Sources: N. S. Feng, E. J. Hahn and R. B. Randall, Using transient analysis software to simulate vibration signals due
to rolling element bearing defects, 3rd Australasian Congress on Applied Mechanics, 2002, 689-694; N. Sawalhi and
R. B. Randall, Simulating gear and bearing interactions in the presence of faults, Part I, MSSP 22 (2008) 1924-1951;
K. H. Hunt and F. R. E. Crossley, J. Appl. Mech. 42 (1975) 440-445; integrator: S. M. Cox and P. C. Matthews,
Exponential time differencing for stiff systems, J. Comput. Phys. 176 (2002) 430-455.
Known limits: ball inertia, cage dynamics and the oil film are left out, the rings are rigid and stay parallel, and the
contact damping sees the motion of the rings but not the rate at which a ball sinks into a spall.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, cos, floor, inf, pi, sin, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm
from scipy.optimize import minimize

from sim.errors import ParameterError
from sim.machine.bearing import BearingGeometry, contact_stiffness, race_radius_m, rolling_curvature_per_m

FloatArray = NDArray[np.float64]

# The columns of a row of signals, in order.
SIGNALS = (
    "shaft_angle_rad",
    "slip_angle_rad",  # of the cage, added to what pure rolling gives
    "radial_force_x_n",  # on the shaft, beside the static load
    "radial_force_y_n",
    "outer_width_m",
    "inner_width_m",
    "ball_width_m",
    "added_clearance_m",  # diametral, from wear
)


class Plant(NamedTuple):
    """The equations of motion, d(state)/dt = dynamics @ state + forcing @ [force on shaft x, y, on pedestal x, y].

    The state holds the positions of shaft x, y, pedestal x, y (and resonator y), then their velocities; SI units.
    """

    dynamics: FloatArray  # (n_states, n_states)
    forcing: FloatArray  # (n_states, 4)
    static_load_n: float
    cage: FloatArray  # (2, n_balls) cos and sin of the balls' places in the cage
    cage_per_shaft: float
    spin_per_cage: float  # also when the cage slips: a ball rolls on the outer race
    contact_stiffness_n_per_m1_5: float
    contact_damping_s_per_m: float
    radial_clearance_m: float
    outer_race_radius_m: float
    inner_race_radius_m: float
    ball_radius_m: float
    outer_sink_radius_m: float  # of the ball that on a flat race would sink as this one does on the outer race
    inner_sink_radius_m: float
    spall_depth_m: float
    outer_spall_angle_rad: float


@dataclass(frozen=True)
class ContactBearing:
    """A bearing, what it carries and what carries it; masses, stiffness, damping default to Sawalhi & Randall (2008).

    static_load_n acts on the shaft along -y and includes its weight; other loads come with the signals. The contact
    damping raises a ball's load by that fraction per m/s of closing speed. A resonator is there if its mass is above 0.
    The outer spall lies at outer_spall_angle_rad, from +x towards +y, by default where the static load presses; no ball
    sinks deeper into a spall than spall_depth_m. Raises ParameterError for what is not physical.
    """

    geometry: BearingGeometry
    static_load_n: float
    shaft_mass_kg: float = 3.26
    shaft_damping_n_s_per_m: float = 1377.0
    pedestal_mass_kg: float = 6.64
    pedestal_stiffness_n_per_m: float = 15.1e6
    pedestal_damping_n_s_per_m: float = 2211.0
    contact_damping_s_per_m: float = 1.5
    resonator_mass_kg: float = 0.0
    resonator_frequency_hz: float = 15e3
    resonator_damping_ratio: float = 0.05
    outer_spall_angle_rad: float = -0.5 * pi
    spall_depth_m: float = 200e-6

    def __post_init__(self) -> None:
        if self.geometry.contact_angle_deg != 0.0:
            raise ParameterError(
                f"contact bearing: contact_angle_deg = {self.geometry.contact_angle_deg} must be 0 (a radial bearing)"
            )
        positive = ("shaft_mass_kg", "pedestal_mass_kg", "pedestal_stiffness_n_per_m", "resonator_frequency_hz")
        for name, value in vars(self).items():
            if name in ("geometry", "outer_spall_angle_rad"):
                continue
            if not (0.0 < value < inf if name in positive else 0.0 <= value < inf):
                rule = "above 0" if name in positive else "0 or more"
                raise ParameterError(f"contact bearing: {name} = {value} must be {rule}")
        if not -inf < self.outer_spall_angle_rad < inf:
            raise ParameterError(
                f"contact bearing: outer_spall_angle_rad = {self.outer_spall_angle_rad} must be finite"
            )

    @property
    def largest_spall_m(self) -> float:
        """Widest spall: the balls' spacing on the inner race, so that at most one ball is over it, m."""
        return 2.0 * pi * race_radius_m(self.geometry, "inner") / self.geometry.n_balls

    def plant(self) -> Plant:
        """Work out the constants of the equations of motion."""
        geometry = self.geometry
        place_rad = 2.0 * pi / geometry.n_balls * np.arange(geometry.n_balls)
        dynamics, forcing = self._linear_part()
        return Plant(
            dynamics=dynamics,
            forcing=forcing,
            static_load_n=self.static_load_n,
            cage=np.array([np.cos(place_rad), np.sin(place_rad)]),
            cage_per_shaft=geometry.ftf_order,
            spin_per_cage=geometry.bsf_order / geometry.ftf_order,
            contact_stiffness_n_per_m1_5=contact_stiffness(geometry),
            contact_damping_s_per_m=self.contact_damping_s_per_m,
            radial_clearance_m=0.5e-6 * geometry.diametral_clearance_um,
            outer_race_radius_m=race_radius_m(geometry, "outer"),
            inner_race_radius_m=race_radius_m(geometry, "inner"),
            ball_radius_m=0.5e-3 * geometry.ball_diameter_mm,
            outer_sink_radius_m=1.0 / rolling_curvature_per_m(geometry, "outer"),
            inner_sink_radius_m=1.0 / rolling_curvature_per_m(geometry, "inner"),
            spall_depth_m=self.spall_depth_m,
            outer_spall_angle_rad=self.outer_spall_angle_rad,
        )

    def _linear_part(self) -> tuple[FloatArray, FloatArray]:
        """Everything but the contacts: d(state)/dt = dynamics @ state + forcing @ forces."""
        n_dofs = 5 if self.resonator_mass_kg > 0.0 else 4
        mass_kg = np.array([self.shaft_mass_kg] * 2 + [self.pedestal_mass_kg] * 2 + [self.resonator_mass_kg])[:n_dofs]
        stiffness = np.diag([0.0, 0.0, self.pedestal_stiffness_n_per_m, self.pedestal_stiffness_n_per_m, 0.0][:n_dofs])
        damping = np.diag(
            [self.shaft_damping_n_s_per_m] * 2 + [self.pedestal_damping_n_s_per_m] * 2 + [0.0] * (n_dofs - 4)
        )
        if n_dofs == 5:
            resonator_rad_per_s = 2.0 * pi * self.resonator_frequency_hz
            link = np.zeros((5, 5))
            link[3:, 3:] = [[1.0, -1.0], [-1.0, 1.0]]
            stiffness += self.resonator_mass_kg * resonator_rad_per_s**2 * link
            damping += 2.0 * self.resonator_damping_ratio * self.resonator_mass_kg * resonator_rad_per_s * link
        per_mass = 1.0 / mass_kg[:, None]
        dynamics = np.block(
            [[np.zeros((n_dofs, n_dofs)), np.eye(n_dofs)], [-stiffness * per_mass, -damping * per_mass]]
        )
        forcing = np.vstack([np.zeros((n_dofs, 4)), np.eye(n_dofs, 4) * per_mass])
        return dynamics, forcing


def pack_signals(spec: ContactBearing, **signals: ArrayLike) -> FloatArray:
    """Stack named SIGNALS, (n,) or one number each and 0 when left out, to rows (n, 8); n is that of shaft_angle_rad.

    Raises ParameterError for values that are not finite, other lengths, and spall widths outside 0..largest_spall_m.
    """
    n_samples = np.size(signals["shaft_angle_rad"])
    rows = np.zeros((n_samples, len(SIGNALS)))
    for column, name in enumerate(SIGNALS):
        values = np.asarray(signals.get(name, 0.0), dtype=np.float64)
        if values.shape not in ((), (n_samples,)):
            raise ParameterError(
                f"contact bearing: {name} has shape {values.shape}, must be one number or ({n_samples},)"
            )
        if not np.all(np.isfinite(values)):
            raise ParameterError(f"contact bearing: {name} holds values that are not finite")
        if name.endswith("width_m") and values.size and not 0.0 <= values.min() <= values.max() <= spec.largest_spall_m:
            raise ParameterError(
                f"contact bearing: {name} from {values.min():g} to {values.max():g} must lie in 0 .. "
                f"{spec.largest_spall_m:.4g} (the balls' spacing on the inner race)"
            )
        rows[:, column] = values
    return rows


# The kernels below that each step calls are inlined: passing the plant's fields costs as much as the arithmetic.


@njit(cache=True)
def sink(distance_m: float, half_width_m: float, radius_m: float, depth_m: float) -> float:
    """How far a ball has sunk into a gap, m, at a distance along the race from the gap's middle.

    It turns about the nearer edge: radius - sqrt(radius^2 - u^2), u from that edge, at most the spall's depth.
    """
    from_edge_m = min(half_width_m - abs(distance_m), radius_m)
    if from_edge_m <= 0.0:
        return 0.0
    return min(radius_m - sqrt(radius_m**2 - from_edge_m**2), depth_m)


@njit(cache=True, inline="always")
def _sink_in_race(
    width_m: float,
    spall_rad: float,
    cage_rad: float,
    race_radius_m: float,
    sink_radius_m: float,
    depth_m: float,
    balls: FloatArray,
) -> None:
    """Widen the gap of the ball over a race's spall: the nearest one, for no spall holds two (largest_spall_m)."""
    if width_m > 0.0:
        spacing_rad = 2.0 * pi / balls.shape[1]
        ahead_rad = spall_rad - cage_rad
        nearest = floor(ahead_rad / spacing_rad + 0.5)
        distance_m = (ahead_rad - nearest * spacing_rad) * race_radius_m
        balls[2, nearest % balls.shape[1]] += sink(distance_m, 0.5 * width_m, sink_radius_m, depth_m)


@njit(cache=True, inline="always")
def place_balls(signals: FloatArray, plant: Plant, balls: FloatArray) -> None:
    """Fill balls (3, n_balls): cos and sin of each ball's angle and the gap the rings must close to load it, m."""
    shaft_rad = signals[0]
    cage_rad = plant.cage_per_shaft * shaft_rad + signals[1]
    n_balls = balls.shape[1]
    gap_m = plant.radial_clearance_m + 0.5 * signals[7]
    cos_cage, sin_cage = cos(cage_rad), sin(cage_rad)
    for j in range(n_balls):
        balls[0, j] = cos_cage * plant.cage[0, j] - sin_cage * plant.cage[1, j]
        balls[1, j] = sin_cage * plant.cage[0, j] + cos_cage * plant.cage[1, j]
        balls[2, j] = gap_m
    outer_rad, depth_m = plant.outer_spall_angle_rad, plant.spall_depth_m
    _sink_in_race(signals[4], outer_rad, cage_rad, plant.outer_race_radius_m, plant.outer_sink_radius_m, depth_m, balls)
    _sink_in_race(signals[5], shaft_rad, cage_rad, plant.inner_race_radius_m, plant.inner_sink_radius_m, depth_m, balls)
    if signals[6] > 0.0:  # on ball 0, facing the outer race at spin 0 and the inner half a turn later
        spin_rad = plant.spin_per_cage * cage_rad
        half_turns = floor(spin_rad / pi + 0.5)
        distance_m = (spin_rad - half_turns * pi) * plant.ball_radius_m
        radius_m = plant.outer_sink_radius_m if half_turns % 2 == 0 else plant.inner_sink_radius_m
        balls[2, 0] += sink(distance_m, 0.5 * signals[6], radius_m, depth_m)


@njit(cache=True, inline="always")
def press(state: FloatArray, signals: FloatArray, balls: FloatArray, plant: Plant, forces_n: FloatArray) -> None:
    """Fill forces_n (4,): all but springs and dampers on shaft x, y; the balls' load on the pedestal x, y."""
    apart_x_m, apart_y_m = state[0] - state[2], state[1] - state[3]
    half = state.size // 2
    closing_x_m_per_s, closing_y_m_per_s = state[half] - state[half + 2], state[half + 1] - state[half + 3]
    load_x_n = 0.0
    load_y_n = 0.0
    for j in range(balls.shape[1]):
        pressed_m = apart_x_m * balls[0, j] + apart_y_m * balls[1, j] - balls[2, j]
        if pressed_m > 0.0:
            closing_m_per_s = closing_x_m_per_s * balls[0, j] + closing_y_m_per_s * balls[1, j]
            # Clamped: a ball never pulls.
            damped = max(1.0 + plant.contact_damping_s_per_m * closing_m_per_s, 0.0)
            load_n = plant.contact_stiffness_n_per_m1_5 * pressed_m * sqrt(pressed_m) * damped
            load_x_n += load_n * balls[0, j]
            load_y_n += load_n * balls[1, j]
    forces_n[0] = signals[2] - load_x_n
    forces_n[1] = signals[3] - plant.static_load_n - load_y_n
    forces_n[2] = load_x_n
    forces_n[3] = load_y_n


@njit(cache=True, inline="always")
def _between(before: FloatArray, after: FloatArray, fraction: float, signals: FloatArray) -> None:
    """Fill signals with the straight line between two samples."""
    for i in range(signals.size):
        signals[i] = (1.0 - fraction) * before[i] + fraction * after[i]


@njit(cache=True)
def _product(matrix: FloatArray, vector: FloatArray, row: int) -> float:
    """One row of matrix @ vector."""
    total = 0.0
    for i in range(vector.size):
        total += matrix[row, i] * vector[i]
    return total


@njit(cache=True)
def contact_rhs(time_s: float, state: FloatArray, dt_s: float, rows: FloatArray, plant: Plant) -> FloatArray:
    """d(state)/dt for scipy's solve_ivp with args=(dt_s, rows, plant): the equations ContactBearingStream integrates.

    rows: (n, 8) from pack_signals, row k at time k dt_s, straight lines between. Returns (n_states,).
    """
    k = min(max(int(time_s / dt_s), 0), rows.shape[0] - 2)
    signals, forces_n, rates = np.empty(rows.shape[1]), np.empty(4), np.empty(state.size)
    balls = np.empty((3, plant.cage.shape[1]))
    _between(rows[k], rows[k + 1], time_s / dt_s - k, signals)
    place_balls(signals, plant, balls)
    press(state, signals, balls, plant, forces_n)
    for i in range(state.size):
        rates[i] = _product(plant.dynamics, state, i) + _product(plant.forcing, forces_n, i)
    return rates


class Stepper(NamedTuple):
    """Matrices of the fourth-order exponential Runge-Kutta step (ETDRK4) of Cox & Matthews, eqs. 26-29."""

    n_substeps: int
    whole: FloatArray  # (n_states, n_states) state over a free step
    half: FloatArray
    half_force: FloatArray  # (n_states, 4) effect of a constant force over half a step
    first: FloatArray  # (n_states, 4) weights of the forces at the start, the middle (each of two), the end
    middle: FloatArray
    last: FloatArray


def make_stepper(plant: Plant, dt_s: float, n_substeps: int) -> Stepper:
    """Exact flow of the linear part over a step and half of it; phi functions from one augmented matrix exponential."""
    step_s = dt_s / n_substeps
    n_states, n_forces = plant.forcing.shape

    def flow(time_s: float) -> list[FloatArray]:
        chain = np.zeros((n_states + 3 * n_forces, n_states + 3 * n_forces))
        chain[:n_states, : n_states + n_forces] = time_s * np.hstack([plant.dynamics, plant.forcing])
        chain[n_states : n_states + 2 * n_forces, n_states + n_forces :] = np.eye(2 * n_forces)
        edges = n_states + n_forces * np.arange(3)
        return [np.ascontiguousarray(block) for block in np.split(expm(chain)[:n_states], edges, axis=1)]

    whole, phi1, phi2, phi3 = flow(step_s)
    half, half_force = flow(0.5 * step_s)[:2]
    return Stepper(
        n_substeps,
        whole,
        half,
        half_force,
        first=phi1 - 3.0 * phi2 + 4.0 * phi3,
        middle=2.0 * phi2 - 4.0 * phi3,
        last=4.0 * phi3 - phi2,
    )


@njit(cache=True)
def _integrate(state: FloatArray, rows: FloatArray, plant: Plant, stepper: Stepper, motion: FloatArray) -> None:
    """Carry state from the first row to the last; motion (n, 4): pedestal force x, y and acceleration x, y at each row.

    The two middle stages share the places of the balls, the last shares them with the next step's first.
    """
    n_states, half = state.size, state.size // 2
    signals, balls = np.empty(rows.shape[1]), np.empty((3, plant.cage.shape[1]))
    coasted, stage, trial = np.empty(n_states), np.empty(n_states), np.empty(n_states)
    f1, f2, f3, f4, mixed = np.empty(4), np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    place_balls(rows[0], plant, balls)
    press(state, rows[0], balls, plant, f1)
    for k in range(rows.shape[0]):
        for substep in range(stepper.n_substeps if k > 0 else 0):
            _between(rows[k - 1], rows[k], (substep + 0.5) / stepper.n_substeps, signals)
            place_balls(signals, plant, balls)
            for i in range(n_states):
                coasted[i] = _product(stepper.half, state, i)
                stage[i] = coasted[i] + _product(stepper.half_force, f1, i)
            press(stage, signals, balls, plant, f2)
            for i in range(n_states):
                trial[i] = coasted[i] + _product(stepper.half_force, f2, i)
            press(trial, signals, balls, plant, f3)
            for i in range(4):
                mixed[i] = 2.0 * f3[i] - f1[i]
            for i in range(n_states):
                trial[i] = _product(stepper.half, stage, i) + _product(stepper.half_force, mixed, i)
            _between(rows[k - 1], rows[k], (substep + 1.0) / stepper.n_substeps, signals)
            place_balls(signals, plant, balls)
            press(trial, signals, balls, plant, f4)
            for i in range(4):
                mixed[i] = f2[i] + f3[i]
            for i in range(n_states):
                trial[i] = _product(stepper.first, f1, i) + _product(stepper.middle, mixed, i)
                trial[i] += _product(stepper.last, f4, i) + _product(stepper.whole, state, i)
            for i in range(n_states):
                state[i] = trial[i]
            press(state, signals, balls, plant, f1)
        for axis in range(2):
            motion[k, axis] = f1[2 + axis]
            row = half + 2 + axis
            motion[k, 2 + axis] = _product(plant.dynamics, state, row) + _product(plant.forcing, f1, row)


def static_equilibrium(plant: Plant, row: FloatArray) -> FloatArray:
    """Rest state (n_states,) under the loads, spalls and ball places of one row (8,) of signals.

    The rings' distance d minimises the convex potential sum_j 0.4 K_n delta_j^2.5 - F . d; the pedestal follows.
    """
    load_n = np.array([row[2], row[3] - plant.static_load_n])
    balls = np.empty((3, plant.cage.shape[1]))
    place_balls(row, plant, balls)
    along, gaps_m = balls[:2], balls[2]
    size_n = float(np.hypot(*load_n))
    # Scaled so that distance, force and stiffness are all about 1.
    length_m = max((size_n / plant.contact_stiffness_n_per_m1_5) ** (2.0 / 3.0), -float(gaps_m.min()), 1e-7)
    unit_n = plant.contact_stiffness_n_per_m1_5 * length_m**1.5

    def pressed(apart: FloatArray) -> FloatArray:
        return np.asarray(np.maximum(apart @ along - gaps_m / length_m, 0.0))

    def potential(apart: FloatArray) -> float:
        return float(0.4 * np.sum(pressed(apart) ** 2.5) - apart @ load_n / unit_n)

    def pull(apart: FloatArray) -> FloatArray:
        return np.asarray(along @ pressed(apart) ** 1.5 - load_n / unit_n)

    def stiffness(apart: FloatArray) -> FloatArray:
        return np.asarray(1.5 * (along * np.sqrt(pressed(apart))) @ along.T)

    reach = max(float(gaps_m.min()) / length_m, 0.0) + 1.0
    start = reach * load_n / size_n if size_n > 0.0 else np.zeros(2)
    found = minimize(potential, start, jac=pull, hess=stiffness, method="trust-exact", options={"gtol": 1e-11})
    half = plant.dynamics.shape[0] // 2
    # At rest the lower half of dynamics @ state + forcing @ forces = 0; the shaft hangs on the contacts alone.
    state = np.zeros(2 * half)
    state[2:half] = np.linalg.solve(plant.dynamics[half + 2 :, 2:half], -plant.forcing[half + 2 :, 2:] @ load_n)
    state[:2] = state[2:4] + length_m * found.x
    return state


def initial_state(plant: Plant, rows: FloatArray, dt_s: float) -> FloatArray:
    """State (n_states,) at rows[0] that follows the equilibrium as it moves towards rows[1], so that nothing bangs."""
    state = static_equilibrium(plant, rows[0])
    if rows.shape[0] > 1:
        half = state.size // 2
        state[half:] = (static_equilibrium(plant, rows[1]) - state)[:half] / dt_s
    return state


def substeps(plant: Plant, dt_s: float) -> int:
    """Steps per sample that keep the contact mode below 0.3 rad a step; the linear part is exact and sets no limit.

    Counted with half of the balls loaded as at 10 um, or at twice the static compression if that is more.
    """
    n_balls = plant.cage.shape[1]
    static_m = (4.37 / n_balls * plant.static_load_n / plant.contact_stiffness_n_per_m1_5) ** (2.0 / 3.0)
    stiffness_n_per_m = 0.75 * n_balls * plant.contact_stiffness_n_per_m1_5 * sqrt(max(1e-5, 2.0 * static_m))
    half = plant.dynamics.shape[0] // 2
    per_mass = plant.forcing[half + 1, 1] + plant.forcing[half + 3, 3]
    return max(ceil(sqrt(stiffness_n_per_m * per_mass) * dt_s / 0.3), 1)


@dataclass(frozen=True)
class ContactMotion:
    """What the pedestal feels and does, (n,) each: the balls' force on it, N, and its acceleration, m/s^2."""

    force_x_n: FloatArray
    force_y_n: FloatArray
    accel_x_m_per_s2: FloatArray
    accel_y_m_per_s2: FloatArray


class ContactBearingStream:
    """Runs a ContactBearing block by block on a grid of dt_s; blocks of any length give what one long block gives.

    Between samples the signals are straight lines. It starts in equilibrium at the first sample; the first block needs
    two samples or more, to know how fast that equilibrium moves.
    """

    def __init__(self, spec: ContactBearing, dt_s: float) -> None:
        if not 0.0 < dt_s < inf:
            raise ParameterError(f"contact bearing: dt_s = {dt_s} must be above 0")
        self._spec = spec
        self._dt_s = dt_s
        self._plant = spec.plant()
        self._stepper = make_stepper(self._plant, dt_s, substeps(self._plant, dt_s))
        self._state: FloatArray | None = None
        self._last_row = np.zeros((0, len(SIGNALS)))

    def step(
        self,
        shaft_angle_rad: ArrayLike,
        slip_angle_rad: ArrayLike = 0.0,
        radial_force_x_n: ArrayLike = 0.0,
        radial_force_y_n: ArrayLike = 0.0,
        outer_width_m: ArrayLike = 0.0,
        inner_width_m: ArrayLike = 0.0,
        ball_width_m: ArrayLike = 0.0,
        added_clearance_m: ArrayLike = 0.0,
    ) -> ContactMotion:
        """Integrate over the next n samples; shaft_angle_rad (n,), the others (n,) or one number; see SIGNALS.

        Spall widths are along the direction of rolling, 0 for none, and may grow. Raises ParameterError like
        pack_signals.
        """
        rows = pack_signals(
            self._spec,
            shaft_angle_rad=shaft_angle_rad,
            slip_angle_rad=slip_angle_rad,
            radial_force_x_n=radial_force_x_n,
            radial_force_y_n=radial_force_y_n,
            outer_width_m=outer_width_m,
            inner_width_m=inner_width_m,
            ball_width_m=ball_width_m,
            added_clearance_m=added_clearance_m,
        )
        if rows.shape[0] == 0:
            return ContactMotion(*np.empty((4, 0)))
        if self._state is None:
            if rows.shape[0] == 1:
                raise ParameterError("contact bearing: the first block has 1 sample, it needs 2 or more")
            self._state = initial_state(self._plant, rows, self._dt_s)
        known = self._last_row.shape[0]
        motion = np.empty((known + rows.shape[0], 4))
        _integrate(self._state, np.vstack([self._last_row, rows]), self._plant, self._stepper, motion)
        self._last_row = rows[-1:]
        return ContactMotion(*np.ascontiguousarray(motion[known:].T))
