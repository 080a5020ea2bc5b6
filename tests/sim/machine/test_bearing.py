"""Bearing geometry, load zone and contact stiffness against published tables and closed forms."""

from math import acos, pi, radians, sin, sqrt

import numpy as np
import pytest

from sim.errors import ParameterError
from sim.machine.bearing import (
    CATALOGUE,
    BearingGeometry,
    contact_stiffness,
    elliptic_contact,
    hertz_stiffness,
    load_distribution,
    load_zone,
    load_zone_half_angle_rad,
    race_radius_m,
    race_stiffness,
    radial_load_integral,
    rolling_curvature_per_m,
)

PER_MM1_5 = 1000.0**1.5  # N/mm^1.5 -> N/m^1.5


# ------------------------------------------------------------------------------------------------------- fault orders


@pytest.mark.parametrize(
    ("name", "bpfo", "bpfi", "ftf", "bsf", "half_digit"),
    [
        # CWRU Bearing Data Center, "Bearing Information"; its BSF is the ball's two strikes a turn. Its four digits of
        # 6203 do not quite agree with each other (BPFO + BPFI = 7.9999 for 8 balls), so they are met to one digit.
        ("6205-2RS", 3.5848, 5.4152, None, 4.7135 / 2, 0.5e-4),
        ("6203-2RS", 3.0530, 4.9469, 0.3817, 3.9874 / 2, 1e-4),
        # SpectraQuest, ER-10K; the same four as 204K, whose balls it has, in the next.
        ("ER-10K", 3.052, 4.948, 0.382, 1.992, 0.5e-3),
        # Timken, Ball Bearing Housed Unit Catalog, p. A-13, table A-9: 203K, 209K, 210K, 309K.
        ("6203-2RS", 3.053, 4.947, 0.382, 1.994, 0.5e-3),
        ("6209", 3.621, 5.379, 0.402, 2.461, 0.5e-3),
        ("6210", 4.093, 5.907, 0.409, 2.665, 0.5e-3),
        ("6309", 3.037, 4.963, 0.380, 1.955, 0.5e-3),
    ],
)
def test_orders_meet_published_tables(
    name: str, bpfo: float, bpfi: float, ftf: float | None, bsf: float, half_digit: float
) -> None:
    geometry = CATALOGUE[name]
    assert geometry.bpfo_order == pytest.approx(bpfo, abs=half_digit)
    assert geometry.bpfi_order == pytest.approx(bpfi, abs=half_digit)
    assert geometry.bsf_order == pytest.approx(bsf, abs=half_digit)
    if ftf is not None:
        assert geometry.ftf_order == pytest.approx(ftf, abs=half_digit)


def test_6205_cage_order() -> None:
    # CWRU prints 0.39828 beside a BPFO of 3.5848, a ninth of which is 0.39831: the fifth digit is theirs.
    assert CATALOGUE["6205-2RS"].ftf_order == pytest.approx(0.39828, abs=5e-5)


def test_orders_follow_the_contact_angle() -> None:
    # Rolling at 60 degrees works like balls of half the diameter, but for the ball's own spin.
    steep, small = BearingGeometry(9, 8.0, 40.0, contact_angle_deg=60.0), BearingGeometry(9, 4.0, 40.0)
    assert steep.bpfo_order == pytest.approx(small.bpfo_order)
    assert steep.bpfi_order == pytest.approx(small.bpfi_order)
    assert steep.bsf_order == pytest.approx(0.5 * small.bsf_order)


def test_rolling_without_slip() -> None:
    """Surface speeds of ball and race agree at both contacts, which is what the four orders mean."""
    for geometry in CATALOGUE.values():
        ball_radius_m = 0.5e-3 * geometry.ball_diameter_mm
        inner = (1.0 - geometry.ftf_order) * race_radius_m(geometry, "inner")
        outer = geometry.ftf_order * race_radius_m(geometry, "outer")
        assert inner == pytest.approx(geometry.bsf_order * ball_radius_m)
        assert outer == pytest.approx(geometry.bsf_order * ball_radius_m)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"n_balls": 2}, "n_balls = 2"),
        ({"n_balls": 0}, "n_balls = 0"),
        ({"ball_diameter_mm": -1.0}, "ball_diameter_mm = -1"),
        ({"ball_diameter_mm": 0.0}, "ball_diameter_mm = 0"),
        ({"ball_diameter_mm": float("nan")}, "ball_diameter_mm = nan"),
        ({"ball_diameter_mm": 40.0}, "pitch_diameter_mm"),
        ({"pitch_diameter_mm": 7.0}, "pitch_diameter_mm = 7"),
        ({"pitch_diameter_mm": float("inf")}, "pitch_diameter_mm = inf"),
        ({"n_balls": 16}, "16 balls to fit"),
        ({"contact_angle_deg": 90.0}, "contact_angle_deg = 90"),
        ({"contact_angle_deg": -5.0}, "contact_angle_deg = -5"),
        ({"inner_groove_conformity": 0.5}, "inner_groove_conformity = 0.5"),
        ({"outer_groove_conformity": 0.4}, "outer_groove_conformity = 0.4"),
        ({"diametral_clearance_um": 5000.0}, "diametral_clearance_um = 5000"),
    ],
)
def test_impossible_bearings_are_refused(change: dict[str, float], names: str) -> None:
    possible: dict[str, float] = {"n_balls": 9, "ball_diameter_mm": 7.94, "pitch_diameter_mm": 39.04}
    with pytest.raises(ParameterError, match=names):
        BearingGeometry(**{**possible, **change})  # type: ignore[arg-type]


def test_balls_fit_by_the_chord_not_the_arc() -> None:
    # Three balls on a pitch circle touch when d = D sin(60 deg); their arc would still leave 17 % of room.
    touching_mm = 100.0 * sin(pi / 3.0)
    BearingGeometry(3, touching_mm * (1.0 - 1e-9), 100.0)
    with pytest.raises(ParameterError, match="fit"):
        BearingGeometry(3, touching_mm * (1.0 + 1e-9), 100.0)


# ------------------------------------------------------------------------------------------------------------- Hertz


def test_sphere_on_plane_closed_form() -> None:
    # Hertz: Q = (4/3) E* sqrt(R) delta^1.5, with E* = E / (2 (1 - nu^2)) for two like bodies.
    radius_m, youngs_modulus_pa, poisson_ratio = 0.004, 210e9, 0.3
    expected = 4.0 / 3.0 * youngs_modulus_pa / (2.0 * (1.0 - poisson_ratio**2)) * sqrt(radius_m)
    assert hertz_stiffness(2.0 / radius_m, 0.0, youngs_modulus_pa, poisson_ratio) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("difference", "semi_major", "semi_minor", "approach"),
    [  # Harris & Kotzalas, table 6.1
        (0.0, 1.0, 1.0, 1.0),
        (0.1075, 1.0760, 0.9318, 0.9974),
        (0.3204, 1.2623, 0.8114, 0.9761),
        (0.4795, 1.4556, 0.7278, None),  # printed 0.9429 there; the integrals give 0.9432
        (0.5916, 1.6440, 0.6687, 0.9077),
        (0.6716, 1.8258, 0.6245, 0.8733),
        (0.7332, 2.011, 0.5881, 0.8394),
        (0.7948, 2.265, 0.5480, 0.7961),
        (0.83495, 2.494, 0.5186, 0.7602),
        (0.87366, 2.800, 0.4863, 0.7169),
        (0.90999, 3.233, 0.4499, 0.6636),
        (0.93657, 3.738, 0.4166, 0.6112),
        (0.95738, 4.395, 0.3830, 0.5551),
        (0.97290, 5.267, 0.3490, 0.4960),
        (0.983797, 6.448, 0.3150, 0.4352),
        (0.990902, 8.062, 0.2814, 0.3745),
        (0.995112, 10.222, 0.2497, 0.3176),
    ],
)
def test_elliptic_contact_table(
    difference: float, semi_major: float, semi_minor: float, approach: float | None
) -> None:
    contact = elliptic_contact(difference)
    assert contact.semi_major == pytest.approx(semi_major, rel=2.5e-4)
    assert contact.semi_minor == pytest.approx(semi_minor, abs=1e-4)
    if approach is not None:
        assert contact.approach == pytest.approx(approach, abs=1e-4)


def test_elliptic_contact_meets_the_circle_smoothly() -> None:
    # Near the circle F = (3/4) ln(a/b), and a b grows only with the square of F.
    contact = elliptic_contact(1e-3)
    assert np.log(contact.semi_major / contact.semi_minor) == pytest.approx(4.0 / 3.0 * 1e-3, rel=1e-3)
    assert elliptic_contact(0.99e-4).approach == pytest.approx(elliptic_contact(1.01e-4).approach, abs=1e-8)
    for outside in (-0.1, 1.0, float("nan")):
        with pytest.raises(ParameterError, match="curvature_difference"):
            elliptic_contact(outside)


def test_race_stiffness_of_the_209() -> None:
    """By Harris & Kotzalas' own route: curvatures by hand, delta* by table, K_p = 2.15e5 N/mm^1.5 for steel."""
    geometry = CATALOGUE["6209"]
    ratio = 12.7 / 65.0
    for race, along in (("inner", 2.0 * ratio / (1.0 - ratio)), ("outer", -2.0 * ratio / (1.0 + ratio))):
        total_per_mm = (4.0 - 1.0 / 0.52 + along) / 12.7
        difference = (1.0 / 0.52 + along) / (12.7 * total_per_mm)
        table = {"inner": (0.93657, 0.6112, 0.95738, 0.5551), "outer": (0.90999, 0.6636, 0.93657, 0.6112)}[race]
        approach = table[1] + (difference - table[0]) / (table[2] - table[0]) * (table[3] - table[1])
        expected = 2.15e5 * total_per_mm**-0.5 * approach**-1.5 * PER_MM1_5
        # Half a percent is what the straight line between two rows of the table costs.
        assert race_stiffness(geometry, race) == pytest.approx(expected, rel=0.008)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_contact_stiffness_near_the_standard_formulas(name: str) -> None:
    geometry = CATALOGUE[name]
    diameter_m, load_n = 1e-3 * geometry.ball_diameter_mm, 1000.0
    # Palmgren: approach of the rings in mm = 4.36e-4 Q^(2/3) / d^(1/3), N and mm, one constant for all ball bearings.
    palmgren = (4.36e-4) ** -1.5 * sqrt(geometry.ball_diameter_mm) * PER_MM1_5
    assert contact_stiffness(geometry) == pytest.approx(palmgren, rel=0.08)
    # Kraemer, Dynamics of Rotors and Foundations, 1993 (also Friswell et al., 2010): radial stiffness without clearance
    # 13e6 N^(2/3)/m^(4/3) n^(2/3) d^(1/3) F^(1/3).
    tight = BearingGeometry(geometry.n_balls, geometry.ball_diameter_mm, geometry.pitch_diameter_mm)
    step_n = 1.0
    travel_m = load_zone(tight, load_n + step_n).deflection_m - load_zone(tight, load_n - step_n).deflection_m
    kraemer = 13e6 * geometry.n_balls ** (2.0 / 3.0) * diameter_m ** (1.0 / 3.0) * load_n ** (1.0 / 3.0)
    assert 2.0 * step_n / travel_m == pytest.approx(kraemer, rel=0.08)


def test_tighter_grooves_are_stiffer() -> None:
    loose, tight = BearingGeometry(9, 8.0, 40.0), BearingGeometry(9, 8.0, 40.0, 0.0, 0.515, 0.515)
    assert contact_stiffness(tight) > contact_stiffness(loose)


def test_rolling_curvature_is_ball_against_race() -> None:
    for geometry in CATALOGUE.values():
        ball_per_m = 2e3 / geometry.ball_diameter_mm
        inner, outer = race_radius_m(geometry, "inner"), race_radius_m(geometry, "outer")
        assert outer - inner == pytest.approx(2.0 / ball_per_m)
        assert rolling_curvature_per_m(geometry, "inner") == pytest.approx(ball_per_m + 1.0 / inner)
        assert rolling_curvature_per_m(geometry, "outer") == pytest.approx(ball_per_m - 1.0 / outer)


# --------------------------------------------------------------------------------------------------------- load zone


@pytest.mark.parametrize(
    ("epsilon", "integral"),
    [  # Harris & Kotzalas, table 7.1, point contact
        (0.1, 0.1156),
        (0.2, 0.1590),
        (0.3, 0.1892),
        (0.4, 0.2117),
        (0.5, 0.2288),
        (0.6, 0.2416),
        (0.7, 0.2505),
        (0.8, 0.2559),
        (0.9, 0.2576),
        (1.0, 0.2546),
        (1.25, 0.2289),
        (5.0 / 3.0, 0.1871),
        (2.5, 0.1339),
        (5.0, 0.0711),
    ],
)
def test_radial_load_integral_table(epsilon: float, integral: float) -> None:
    assert radial_load_integral(epsilon) == pytest.approx(integral, abs=0.6e-4)


def test_stribeck_number() -> None:
    # NSK, CAT. E728g, section 5: Q_max = 4.37 F_r / Z for point contact without clearance.
    geometry = BearingGeometry(9, 12.7, 65.0)
    zone = load_zone(geometry, 1000.0)
    assert zone.epsilon == pytest.approx(0.5)
    assert zone.half_angle_rad == pytest.approx(radians(90.0))
    assert zone.q_max_n * 9 / 1000.0 == pytest.approx(4.37, abs=0.005)
    # Stribeck's rule for bearings with clearance, Q_max = 5 F_r / Z, holds within the usual clearances and loads.
    for load_n in (1000.0, 3000.0):
        assert load_zone(CATALOGUE["6209"], load_n).q_max_n * 9 / load_n == pytest.approx(5.0, rel=0.1)


def test_worked_example_of_the_209() -> None:
    # Harris & Kotzalas, example 7.1: 209 ball bearing, 8900 N, 0.015 mm: epsilon 0.438, Q_max 4536 N with J_r rounded
    # to 0.218 (it is 0.2188, hence the half percent).
    zone = load_zone(CATALOGUE["6209"], 8900.0)
    assert zone.epsilon == pytest.approx(0.438, abs=0.001)
    assert zone.q_max_n == pytest.approx(4536.0, rel=0.005)


@pytest.mark.parametrize("clearance_um", [-60.0, -5.0, 0.0, 5.0, 40.0])
@pytest.mark.parametrize("load_n", [200.0, 2000.0, 30000.0])
def test_zone_balances_the_load_and_deflects_as_hertz(clearance_um: float, load_n: float) -> None:
    geometry = BearingGeometry(9, 12.7, 65.0, diametral_clearance_um=clearance_um)
    zone = load_zone(geometry, load_n)
    # Written out from the geometry: a ball at psi is pressed by deflection cos(psi) - clearance / 2.
    psi = np.linspace(-pi, pi, 20001)
    pressed_m = np.maximum(zone.deflection_m * np.cos(psi) - 0.5e-6 * clearance_um, 0.0)
    by_hand_n = contact_stiffness(geometry) * pressed_m**1.5
    np.testing.assert_allclose(zone.ball_load_n(psi), by_hand_n, atol=1e-6 * zone.q_max_n)
    assert 9 * np.trapezoid(by_hand_n * np.cos(psi), psi) / (2.0 * pi) == pytest.approx(load_n, rel=1e-6)
    edge_cosine = max(0.5e-6 * clearance_um / zone.deflection_m, -1.0)
    assert zone.half_angle_rad == pytest.approx(acos(edge_cosine), rel=1e-6)


def test_load_zone_edges() -> None:
    assert load_zone_half_angle_rad(0.25) == pytest.approx(pi / 3.0)
    assert load_zone_half_angle_rad(1.0) == load_zone_half_angle_rad(7.0) == pi
    np.testing.assert_allclose(load_distribution([0.0, pi / 3.0, pi], 0.25), [1.0, 0.0, 0.0], atol=1e-15)
    # A load too small to press a second ball across the clearance rests on one.
    lonely = load_zone(BearingGeometry(9, 12.7, 65.0, diametral_clearance_um=500.0), 0.5)
    assert lonely.q_max_n == pytest.approx(0.5)
    assert lonely.deflection_m == pytest.approx(250e-6, rel=1e-2)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="load_n"):
            load_zone(CATALOGUE["608"], bad)
    with pytest.raises(ParameterError, match="epsilon"):
        load_distribution(0.0, 0.0)
    with pytest.raises(ParameterError, match="contact_angle_deg"):
        load_zone(BearingGeometry(9, 8.0, 40.0, contact_angle_deg=15.0), 100.0)
