"""Rolling bearing as geometry: fault orders, a catalogue, the radial load distribution and the Hertz contact stiffness.

Sources: T. A. Harris and M. N. Kotzalas, Rolling Bearing Analysis, 5th ed., Essential Concepts, 2006 (curvatures ch. 2,
contact deformation ch. 6, load distribution ch. 7); R. B. Randall and J. Antoni, Rolling element bearing diagnostics -
a tutorial, MSSP 25 (2011) 485-520 (fault frequencies).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import asin, cos, inf, pi, radians, sin, sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ellipe, ellipk

from sim.errors import ParameterError

Race = Literal["inner", "outer"]

# Through-hardened bearing steel as in Harris & Kotzalas, ch. 6.
YOUNGS_MODULUS_STEEL_PA = 207e9
POISSON_RATIO_STEEL = 0.3
INCH_MM = 25.4


@dataclass(frozen=True)
class BearingGeometry:
    """A single-row ball bearing; outer ring at rest, inner ring turning with the shaft.

    Lengths in mm as on a datasheet; conformity is groove radius / ball diameter; the clearance is the diametral (radial
    internal) clearance in um, negative under preload. Raises ParameterError for a bearing that cannot be built.
    """

    n_balls: int
    ball_diameter_mm: float
    pitch_diameter_mm: float
    contact_angle_deg: float = 0.0
    inner_groove_conformity: float = 0.52
    outer_groove_conformity: float = 0.52
    diametral_clearance_um: float = 0.0

    def __post_init__(self) -> None:
        _require(self.n_balls >= 3, "n_balls", self.n_balls, "at least 3")
        _require(0.0 < self.ball_diameter_mm < inf, "ball_diameter_mm", self.ball_diameter_mm, "above 0")
        _require(
            self.ball_diameter_mm < self.pitch_diameter_mm < inf,
            "pitch_diameter_mm",
            self.pitch_diameter_mm,
            f"above the ball diameter ({self.ball_diameter_mm:g} mm)",
        )
        # Neighbouring ball centres are one chord of the pitch circle apart.
        chord_mm = self.pitch_diameter_mm * sin(pi / self.n_balls)
        _require(
            self.ball_diameter_mm < chord_mm,
            "ball_diameter_mm",
            self.ball_diameter_mm,
            f"below {chord_mm:.4g} for {self.n_balls} balls to fit on a {self.pitch_diameter_mm:g} mm pitch circle",
        )
        _require(
            0.0 <= self.contact_angle_deg < 90.0, "contact_angle_deg", self.contact_angle_deg, "from 0 to below 90"
        )
        for name in ("inner_groove_conformity", "outer_groove_conformity"):
            _require(0.5 < getattr(self, name) <= 1.0, name, getattr(self, name), "above 0.5 (the ball's own) up to 1")
        _require(
            -100.0 <= self.diametral_clearance_um <= 1000.0,
            "diametral_clearance_um",
            self.diametral_clearance_um,
            "from -100 (preload) to 1000",
        )

    @property
    def diameter_ratio(self) -> float:
        """Ball over pitch diameter in the plane of rolling, gamma = (d / D) cos(alpha)."""
        return self.ball_diameter_mm / self.pitch_diameter_mm * cos(radians(self.contact_angle_deg))

    @property
    def ftf_order(self) -> float:
        """Cage turns per shaft turn."""
        return 0.5 * (1.0 - self.diameter_ratio)

    @property
    def bpfo_order(self) -> float:
        """Balls passing a point of the outer race per shaft turn."""
        return self.n_balls * self.ftf_order

    @property
    def bpfi_order(self) -> float:
        """Balls passing a point of the inner race per shaft turn."""
        return self.n_balls - self.bpfo_order

    @property
    def bsf_order(self) -> float:
        """Ball turns about its own axis, seen from the cage, per shaft turn; a spall on it strikes twice as often."""
        return self.pitch_diameter_mm / (2.0 * self.ball_diameter_mm) * (1.0 - self.diameter_ratio**2)


def _require(allowed: bool, name: str, value: float, rule: str) -> None:
    if not allowed:
        raise ParameterError(f"bearing: {name} = {value} must be {rule}")


# 6205-2RS: CWRU Bearing Data Center, "Bearing Information": 9 balls of 0.3126 in on 1.537 in.
# 6203-2RS: there 8 balls of 0.2656 in on 1.122 in, which are the standard 17/64 in on 28.5 mm rounded; unrounded they
#   meet the published orders closer.
# ER-10K: SpectraQuest's rotor bearing; its orders are those of the 204 ball set in Timken's table.
# 6209: Harris & Kotzalas' worked example "209"; 6210, 6309: standard sets of 1/2 in and 11/16 in balls. All three meet
#   Timken, Ball Bearing Housed Unit Catalog, table A-9 (frequency coefficients), to every digit.
# 608: 7 balls of 5/32 in (makers' data); pitch circle approximated by the mean of bore and outside diameter.
# Clearances: middle of group N of ISO 5753-1 for the bore, unmounted; the 6209's is Harris'.
CATALOGUE: dict[str, BearingGeometry] = {
    "608": BearingGeometry(7, 5 / 32 * INCH_MM, 15.0, diametral_clearance_um=7.5),
    "6203-2RS": BearingGeometry(8, 17 / 64 * INCH_MM, 28.5, diametral_clearance_um=10.5),
    "6205-2RS": BearingGeometry(9, 0.3126 * INCH_MM, 1.537 * INCH_MM, diametral_clearance_um=12.5),
    "ER-10K": BearingGeometry(8, 0.3125 * INCH_MM, 1.319 * INCH_MM, diametral_clearance_um=10.5),
    "6209": BearingGeometry(9, 12.7, 65.0, diametral_clearance_um=15.0),
    "6210": BearingGeometry(10, 12.7, 70.0, diametral_clearance_um=14.5),
    "6309": BearingGeometry(8, 11 / 16 * INCH_MM, 72.5, diametral_clearance_um=14.5),
}


def race_radius_m(geometry: BearingGeometry, race: Race) -> float:
    """Radius of the circle the contact points run on, m."""
    sign = 1.0 if race == "outer" else -1.0
    return 0.5e-3 * geometry.pitch_diameter_mm * (1.0 + sign * geometry.diameter_ratio)


def rolling_curvature_per_m(geometry: BearingGeometry, race: Race) -> float:
    """Relative curvature of ball and race in the direction of rolling, 1/m; the outer race is hollow."""
    sign = -1.0 if race == "outer" else 1.0
    ratio = geometry.diameter_ratio
    return 2.0e3 / geometry.ball_diameter_mm * (1.0 + sign * ratio / (1.0 - sign * ratio))


# ---------------------------------------------------------------------------------------- Hertz contact stiffness


class EllipticContact(NamedTuple):
    """Dimensionless Hertz contact: semi-axes a*, b*, approach delta* (Harris & Kotzalas, eqs. 6.38-6.40, table 6.1)."""

    semi_major: float
    semi_minor: float
    approach: float


def elliptic_contact(curvature_difference: float) -> EllipticContact:
    """Solve the elliptic-integral equations of Hertz for F(rho) in [0, 1); ParameterError outside."""
    if not 0.0 <= curvature_difference < 1.0:
        raise ParameterError(f"curvature_difference = {curvature_difference} must be from 0 (circle) to below 1 (line)")

    def excess(log_ellipticity: float) -> float:
        squared = np.exp(2.0 * log_ellipticity)
        first, second = ellipk(1.0 - 1.0 / squared), ellipe(1.0 - 1.0 / squared)
        return float(((squared + 1.0) * second - 2.0 * first) / ((squared - 1.0) * second) - curvature_difference)

    # Below 1e-4 the equation is 0/0; there F = (3/4) ln(ellipticity) and the contact is a circle to 8 digits.
    ellipticity = float(np.exp(brentq(excess, 1e-5, 12.0, xtol=1e-13))) if curvature_difference > 1e-4 else 1.0
    parameter = 1.0 - ellipticity**-2
    first, second = float(ellipk(parameter)), float(ellipe(parameter))
    semi_major = (2.0 * ellipticity**2 * second / pi) ** (1.0 / 3.0)
    return EllipticContact(semi_major, semi_major / ellipticity, 2.0 * first / (pi * semi_major))


def hertz_stiffness(
    curvature_sum_per_m: float,
    curvature_difference: float,
    youngs_modulus_pa: float = YOUNGS_MODULUS_STEEL_PA,
    poisson_ratio: float = POISSON_RATIO_STEEL,
) -> float:
    """K of Q = K delta^1.5, N/m^1.5, two bodies of one material (Harris & Kotzalas, eq. 6.45, solved for the load)."""
    contact_modulus_pa = youngs_modulus_pa / (2.0 * (1.0 - poisson_ratio**2))
    approach = elliptic_contact(curvature_difference).approach
    return float(2.0**2.5 / 3.0 * contact_modulus_pa * approach**-1.5 * curvature_sum_per_m**-0.5)


def race_stiffness(geometry: BearingGeometry, race: Race) -> float:
    """Load-deflection constant of one ball on one race, N/m^1.5."""
    conformity = geometry.inner_groove_conformity if race == "inner" else geometry.outer_groove_conformity
    across_per_m = 2.0e3 / geometry.ball_diameter_mm - 1.0e3 / (conformity * geometry.ball_diameter_mm)
    along_per_m = rolling_curvature_per_m(geometry, race)
    total_per_m = across_per_m + along_per_m
    return hertz_stiffness(total_per_m, abs(along_per_m - across_per_m) / total_per_m)


@lru_cache(maxsize=256)
def contact_stiffness(geometry: BearingGeometry) -> float:
    """Ring-to-ring constant K_n through one ball, both contacts in series, N/m^1.5 (Harris & Kotzalas, eq. 7.5)."""
    softness = sum(race_stiffness(geometry, race) ** (-2.0 / 3.0) for race in ("inner", "outer"))
    return float(softness**-1.5)


# ----------------------------------------------------------------------------------------- Stribeck load zone


def load_distribution(angle_rad: ArrayLike, epsilon: float) -> NDArray[np.float64]:
    """Ball load over the largest, q / q_max = [1 - (1 - cos psi) / (2 epsilon)]^1.5, and 0 outside the load zone.

    angle_rad: (n,) from the load's direction. epsilon > 0: 0.5 without clearance, less with it, more under preload.
    """
    if not epsilon > 0.0:
        raise ParameterError(f"load-zone parameter epsilon = {epsilon} must be above 0")
    # (1 - cos psi) / 2 as a sine, which keeps its digits in a narrow zone.
    depth = 1.0 - np.sin(0.5 * np.asarray(angle_rad, dtype=np.float64)) ** 2 / epsilon
    return np.asarray(np.maximum(depth, 0.0) ** 1.5, dtype=np.float64)


def load_zone_half_angle_rad(epsilon: float) -> float:
    """Half the arc that carries load, arccos(1 - 2 epsilon) = 2 arcsin sqrt(epsilon); pi if all of it does."""
    return 2.0 * asin(sqrt(epsilon)) if epsilon < 1.0 else pi


_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(64)


def radial_load_integral(epsilon: float) -> float:
    """Sjoevall's J_r(epsilon) for point contact: F_r = n_balls q_max J_r (Harris & Kotzalas, eq. 7.17, table 7.1)."""
    # psi = half_angle sin(u): so the root at the zone's end becomes a smooth zero, which Gauss's rule takes in 64 points.
    half_angle_rad, u = load_zone_half_angle_rad(epsilon), 0.25 * pi * (1.0 + _GAUSS_NODES)
    psi = half_angle_rad * np.sin(u)
    integrand = load_distribution(psi, epsilon) * np.cos(psi) * np.cos(u)
    return float(0.25 * half_angle_rad * np.dot(_GAUSS_WEIGHTS, integrand))


@dataclass(frozen=True)
class LoadZone:
    """The loaded arc of a bearing under a radial load."""

    epsilon: float
    q_max_n: float
    deflection_m: float  # of the inner ring along the load, clearance taken up included

    @property
    def half_angle_rad(self) -> float:
        """Half the loaded arc, rad."""
        return load_zone_half_angle_rad(self.epsilon)

    def ball_load_n(self, angle_rad: ArrayLike) -> NDArray[np.float64]:
        """(n,) load of a ball at (n,) angles from the load's direction, N."""
        return self.q_max_n * load_distribution(angle_rad, self.epsilon)


def load_zone(geometry: BearingGeometry, load_n: float) -> LoadZone:
    """Equilibrium of a radial bearing under load_n > 0, balls taken as a continuum (Harris & Kotzalas, eqs. 7.12-7.22).

    The continuum would leave a narrow load zone to less than one ball; it is held at one, which then takes it all.
    Raises ParameterError for a load that is not positive, or an angular contact bearing (its thrust is not known).
    """
    _require(0.0 < load_n < inf, "load_n", load_n, "above 0")
    _require(geometry.contact_angle_deg == 0.0, "contact_angle_deg", geometry.contact_angle_deg, "0 for a radial load")
    half_clearance_m = 0.5e-6 * geometry.diametral_clearance_um
    gap_m, preload_m = max(half_clearance_m, 0.0), max(-half_clearance_m, 0.0)
    stiffness = contact_stiffness(geometry)

    def zone(travel_m: float) -> LoadZone:  # travel of the inner ring after the gap is closed
        compression_m = travel_m + preload_m
        return LoadZone(0.5 * compression_m / (travel_m + gap_m), stiffness * compression_m**1.5, travel_m + gap_m)

    def excess(log_travel: float) -> float:
        loaded = zone(float(np.exp(log_travel)))
        carriers = geometry.n_balls * radial_load_integral(loaded.epsilon)
        return loaded.q_max_n * (carriers if preload_m else max(carriers, 1.0)) / load_n - 1.0

    one_ball_m = (load_n / stiffness) ** (2.0 / 3.0)
    return zone(float(np.exp(brentq(excess, np.log(1e-9 * one_ball_m), np.log(10.0 * one_ball_m), xtol=1e-13))))
