"""The nonlinear contact model against closed forms, scipy's integrator, energy and the theory of fault lines."""

from math import pi, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.signal import butter, hilbert, sosfiltfilt

from sim.errors import ParameterError
from sim.machine.bearing import CATALOGUE, BearingGeometry, contact_stiffness, load_zone, race_radius_m
from sim.machine.bearing_contact import (
    ContactBearing,
    ContactBearingStream,
    ContactMotion,
    contact_rhs,
    initial_state,
    pack_signals,
    sink,
    static_equilibrium,
)

FloatArray = NDArray[np.float64]

RATE_HZ = 51200.0
DT_S = 1.0 / RATE_HZ
SHAFT_HZ = 30.0
GEOMETRY = CATALOGUE["6205-2RS"]
# Four balls, no clearance, ball 0 straight below at a quarter turn back of the cage: it alone carries a vertical load.
CROSS = BearingGeometry(4, 10.0, 50.0)
BELOW_RAD = -0.5 * pi / CROSS.ftf_order


def turning(seconds: float, shaft_hz: float = SHAFT_HZ) -> FloatArray:
    return np.asarray(2.0 * pi * shaft_hz * np.arange(round(seconds * RATE_HZ)) * DT_S, dtype=np.float64)


def run(spec: ContactBearing, shaft_angle_rad: FloatArray, **signals: float | FloatArray) -> ContactMotion:
    return ContactBearingStream(spec, DT_S).step(shaft_angle_rad, **signals)


def line(signal: FloatArray, frequency_hz: float) -> float:
    """Amplitude of one line: Hann-windowed, largest within 1.5 bins."""
    window = np.hanning(signal.size)
    spectrum = np.abs(np.fft.rfft((signal - signal.mean()) * window)) * 2.0 / window.sum()
    centre = round(frequency_hz * signal.size * DT_S)
    return float(spectrum[centre - 1 : centre + 2].max())


def envelope(signal: FloatArray, low_hz: float, high_hz: float) -> FloatArray:
    band = butter(4, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    return np.asarray(np.abs(hilbert(sosfiltfilt(band, signal))) ** 2)


# ----------------------------------------------------------------------------------------------------------- at rest


def test_one_ball_below_carries_all() -> None:
    spec = ContactBearing(CROSS, static_load_n=400.0)
    state = static_equilibrium(spec.plant(), pack_signals(spec, shaft_angle_rad=[BELOW_RAD])[0])
    pedestal_m = -400.0 / spec.pedestal_stiffness_n_per_m
    assert state[3] == pytest.approx(pedestal_m, rel=1e-9)
    assert state[1] == pytest.approx(pedestal_m - (400.0 / contact_stiffness(CROSS)) ** (2.0 / 3.0), rel=1e-8)
    np.testing.assert_allclose(state[[0, 2]], 0.0, atol=1e-12)


def test_spall_under_the_loaded_ball_lowers_the_shaft_by_the_sink() -> None:
    spec = ContactBearing(CROSS, static_load_n=400.0)
    rows = pack_signals(spec, shaft_angle_rad=[BELOW_RAD, BELOW_RAD], outer_width_m=np.array([0.0, 1e-3]))
    sound, spalled = (static_equilibrium(spec.plant(), row) for row in rows)
    # Exactly: chord w across the gap; the ball's sagitta below it less the race's own.
    ball_m, race_m, half_m = 5e-3, race_radius_m(CROSS, "outer"), 0.5e-3
    exact_m = (ball_m - sqrt(ball_m**2 - half_m**2)) - (race_m - sqrt(race_m**2 - half_m**2))
    assert sound[1] - spalled[1] == pytest.approx(exact_m, rel=0.01)
    assert sound[3] == spalled[3]


def test_sink_profile() -> None:
    radius_m, half_m = 5e-3, 1e-3
    deepest_m = radius_m - sqrt(radius_m**2 - half_m**2)
    assert sink(0.0, half_m, radius_m, 1.0) == pytest.approx(deepest_m, rel=1e-12)
    assert sink(0.0, half_m, radius_m, 0.3 * deepest_m) == 0.3 * deepest_m
    assert sink(half_m, half_m, radius_m, 1.0) == sink(-2.0 * half_m, half_m, radius_m, 1.0) == 0.0
    assert 0.0 < sink(0.9 * half_m, half_m, radius_m, 1.0) == sink(-0.9 * half_m, half_m, radius_m, 1.0) < deepest_m


@pytest.mark.parametrize("clearance_um", [-10.0, 0.0, 12.5, 40.0])
def test_mean_deflection_is_stribecks(clearance_um: float) -> None:
    """Over all places of the cage the discrete balls deflect as the continuum of sim.machine.bearing says."""
    geometry = BearingGeometry(9, 7.94, 39.04, diametral_clearance_um=clearance_um)
    spec = ContactBearing(geometry, static_load_n=2000.0)
    plant = spec.plant()
    places = np.linspace(0.0, 2.0 * pi / 9.0 / geometry.ftf_order, 24, endpoint=False)
    states = np.array([static_equilibrium(plant, row) for row in pack_signals(spec, shaft_angle_rad=places)])
    assert np.mean(states[:, 3] - states[:, 1]) == pytest.approx(load_zone(geometry, 2000.0).deflection_m, rel=0.02)
    assert np.ptp(states[:, 1]) > 0.0


def test_nothing_happens_without_load() -> None:
    for clearance_um in (0.0, 20.0):
        geometry = BearingGeometry(9, 7.94, 39.04, diametral_clearance_um=clearance_um)
        motion = run(ContactBearing(geometry, static_load_n=0.0), turning(0.05), outer_width_m=1e-3)
        for values in vars(motion).values():
            np.testing.assert_array_equal(values, 0.0)


def test_no_bang_at_the_start() -> None:
    healthy = run(ContactBearing(GEOMETRY, static_load_n=500.0), turning(0.5))
    settled = np.abs(healthy.accel_y_m_per_s2[-5000:]).max()
    assert np.abs(healthy.accel_y_m_per_s2[:5000]).max() < 2.0 * settled
    assert healthy.force_y_n[0] == pytest.approx(-500.0, rel=1e-3)


# ---------------------------------------------------------------------------------------------------------- equations


def by_hand(state: FloatArray, row: FloatArray, spec: ContactBearing) -> FloatArray:
    """The equations of motion once more, plainly, from the drawing of the bearing."""
    geometry = spec.geometry
    xs, ys, xp, yp, yr, vxs, vys, vxp, vyp, vyr = state
    shaft, slip, force_x, force_y, outer_w, inner_w, ball_w, worn = row
    ball_m = 0.5e-3 * geometry.ball_diameter_mm
    radii_m = {"inner": race_radius_m(geometry, "inner"), "outer": race_radius_m(geometry, "outer")}
    cage = geometry.ftf_order * shaft + slip

    def apart(angle: float) -> float:
        return float(np.angle(np.exp(1j * angle)))

    def depth(along_m: float, width_m: float, race: str) -> float:
        edge_m = width_m / 2.0 - abs(along_m)
        sphere_m = 1.0 / (1.0 / ball_m + (1.0 if race == "inner" else -1.0) / radii_m[race])
        return min(sphere_m - sqrt(sphere_m**2 - edge_m**2), spec.spall_depth_m) if edge_m > 0.0 else 0.0

    load = np.zeros(2)
    for j in range(geometry.n_balls):
        psi = cage + 2.0 * pi * j / geometry.n_balls
        gap_m = 0.5e-6 * geometry.diametral_clearance_um + worn / 2.0
        gap_m += depth(apart(psi - spec.outer_spall_angle_rad) * radii_m["outer"], outer_w, "outer")
        gap_m += depth(apart(psi - shaft) * radii_m["inner"], inner_w, "inner")
        if j == 0:
            spin = cage * geometry.bsf_order / geometry.ftf_order
            gap_m += depth(apart(spin) * ball_m, ball_w, "outer") + depth(apart(spin - pi) * ball_m, ball_w, "inner")
        along = np.array([np.cos(psi), np.sin(psi)])
        pressed_m = np.array([xs - xp, ys - yp]) @ along - gap_m
        closing = np.array([vxs - vxp, vys - vyp]) @ along
        if pressed_m > 0.0:
            damped = max(1.0 + spec.contact_damping_s_per_m * closing, 0.0)
            load += contact_stiffness(geometry) * pressed_m**1.5 * damped * along
    omega = 2.0 * pi * spec.resonator_frequency_hz
    link = spec.resonator_mass_kg * (omega**2 * (yp - yr) + 2.0 * spec.resonator_damping_ratio * omega * (vyp - vyr))
    drag, spring, damper = (
        spec.shaft_damping_n_s_per_m,
        spec.pedestal_stiffness_n_per_m,
        spec.pedestal_damping_n_s_per_m,
    )
    return np.array(
        [
            *(vxs, vys, vxp, vyp, vyr),
            (force_x - load[0] - drag * vxs) / spec.shaft_mass_kg,
            (force_y - spec.static_load_n - load[1] - drag * vys) / spec.shaft_mass_kg,
            (load[0] - spring * xp - damper * vxp) / spec.pedestal_mass_kg,
            (load[1] - spring * yp - damper * vyp - link) / spec.pedestal_mass_kg,
            link / spec.resonator_mass_kg,
        ]
    )


def test_right_hand_side_is_the_model() -> None:
    """At random states, with every spall at once and one of them under a ball."""
    rng = np.random.default_rng(7)
    spec = ContactBearing(GEOMETRY, static_load_n=300.0, resonator_mass_kg=0.7, spall_depth_m=20e-6)
    plant = spec.plant()
    for _ in range(300):
        state = rng.normal(size=10) * np.repeat([20e-6, 0.3], 5)
        shaft_angle_rad = rng.uniform(-100.0, 100.0)
        rows = pack_signals(
            spec,
            shaft_angle_rad=[shaft_angle_rad, shaft_angle_rad],
            slip_angle_rad=rng.normal(),
            radial_force_x_n=rng.normal() * 100.0,
            radial_force_y_n=rng.normal() * 100.0,
            outer_width_m=rng.uniform(0.0, 5e-3),
            inner_width_m=rng.uniform(0.0, 5e-3),
            ball_width_m=rng.uniform(0.0, 5e-3),
            added_clearance_m=rng.uniform(0.0, 2e-5),
        )
        np.testing.assert_allclose(
            contact_rhs(0.0, state, DT_S, rows, plant), by_hand(state, rows[0], spec), rtol=1e-9, atol=1e-6
        )


@pytest.mark.parametrize("resonator_mass_kg", [0.0, 1.0])
def test_stream_agrees_with_solve_ivp(resonator_mass_kg: float) -> None:
    """Against an eighth-order integrator held to tiny errors: spalls on both races and a ball, slip, unbalance."""
    spec = ContactBearing(GEOMETRY, static_load_n=500.0, resonator_mass_kg=resonator_mass_kg)
    angle = turning(0.04)
    slip = 0.01 * np.sin(0.3 * angle)
    signals: dict[str, float | FloatArray] = {
        "shaft_angle_rad": angle,
        "slip_angle_rad": slip,
        "radial_force_x_n": 80.0 * np.cos(angle),
        "radial_force_y_n": 80.0 * np.sin(angle),
        "outer_width_m": np.linspace(0.5e-3, 1.5e-3, angle.size),
        "inner_width_m": 1e-3,
        "ball_width_m": 1e-3,
    }
    plant, rows = spec.plant(), pack_signals(spec, **signals)
    times = np.arange(angle.size) * DT_S
    reference = solve_ivp(
        contact_rhs,
        (0.0, times[-1]),
        initial_state(plant, rows, DT_S),
        method="DOP853",
        t_eval=times,
        rtol=1e-9,
        atol=1e-14,
        max_step=0.25 * DT_S,
        args=(DT_S, rows, plant),
    )
    half = plant.dynamics.shape[0] // 2
    rates = np.array([contact_rhs(t, y, DT_S, rows, plant) for t, y in zip(times, reference.y.T, strict=True)])
    motion = ContactBearingStream(spec, DT_S).step(**signals)
    for ours, theirs in ((motion.accel_x_m_per_s2, rates[:, half + 2]), (motion.accel_y_m_per_s2, rates[:, half + 3])):
        assert np.std(theirs) > 1.0
        assert np.sqrt(np.mean((ours - theirs) ** 2)) < 1e-3 * np.std(theirs)
    # The force is the pedestal's (and shaft's) balance: what accelerates the shaft beside its loads and damping.
    shaft_y_n = spec.shaft_mass_kg * rates[:, half + 1] + spec.shaft_damping_n_s_per_m * rates[:, 1]
    balance_n = rows[:, 3] - spec.static_load_n - shaft_y_n
    np.testing.assert_allclose(motion.force_y_n, balance_n, atol=2e-3 * float(np.std(balance_n)))


def test_blocks_give_what_one_run_gives() -> None:
    spec = ContactBearing(GEOMETRY, static_load_n=500.0, resonator_mass_kg=1.0)
    angle = turning(0.05)
    width = np.linspace(0.0, 2e-3, angle.size)
    whole = run(spec, angle, outer_width_m=width, inner_width_m=1e-3)
    stream = ContactBearingStream(spec, DT_S)
    pieces = [
        stream.step(part, outer_width_m=w, inner_width_m=1e-3)
        for part, w in zip(*(np.split(x, [2, 3, 3, 700, 1701]) for x in (angle, width)), strict=True)
    ]
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(np.concatenate([vars(piece)[name] for piece in pieces]), values)


# -------------------------------------------------------------------------------------------------------- free motion


def let_go(
    pull_loads: float, n_samples: int, rate_hz: float = RATE_HZ, **change: float
) -> tuple[ContactBearing, FloatArray]:
    """Bearing on a floor (a huge pedestal), and its ball load after a downward pull, so many loads, has ended, N."""
    spec = ContactBearing(
        CROSS,
        static_load_n=400.0,
        shaft_damping_n_s_per_m=0.0,
        pedestal_mass_kg=1e9,
        pedestal_stiffness_n_per_m=1e12,
        pedestal_damping_n_s_per_m=0.0,
        **change,
    )
    pull_n = np.zeros(n_samples)
    pull_n[:2] = -pull_loads * spec.static_load_n
    motion = ContactBearingStream(spec, 1.0 / rate_hz).step(np.full(n_samples, BELOW_RAD), radial_force_y_n=pull_n)
    return spec, -motion.force_y_n[3:]


def test_small_oscillation_has_the_linear_frequency_and_decay() -> None:
    spec, load_n = let_go(0.001, 10000, contact_damping_s_per_m=2.0)
    stiffness_n_per_m = 1.5 * contact_stiffness(CROSS) ** (2.0 / 3.0) * spec.static_load_n ** (1.0 / 3.0)
    omega = sqrt(stiffness_n_per_m / spec.shaft_mass_kg)
    swing = load_n - spec.static_load_n
    peaks = np.flatnonzero((swing[1:-1] > swing[:-2]) & (swing[1:-1] >= swing[2:])) + 1
    peaks = peaks[:30]
    assert peaks.size == 30
    assert 2.0 * pi * 29 / ((peaks[-1] - peaks[0]) * DT_S) == pytest.approx(omega, rel=2e-3)
    # Hunt-Crossley at a steady load is a dashpot of c F.
    decay_per_s = 0.5 * 2.0 * spec.static_load_n / spec.shaft_mass_kg
    fit = np.polyfit(peaks * DT_S, np.log(swing[peaks]), 1)[0]
    assert -fit == pytest.approx(decay_per_s, rel=0.02)


def test_large_oscillation_keeps_its_energy_without_damping() -> None:
    """Thrown from the ball below against the one above and back, the shaft returns to where it was let go from."""
    spec, load_n = let_go(3.0, 25000, contact_damping_s_per_m=0.0)
    assert load_n.min() < 0.0
    # It goes down to where it started, under four loads; the pull takes one sample to end, which changes little. It
    # goes up to the same potential 0.4 K |d|^2.5 - F d on the other side.
    stiffness = contact_stiffness(CROSS)
    deepest_m = (4.0 * spec.static_load_n / stiffness) ** (2.0 / 3.0)
    energy_j = 0.4 * stiffness * deepest_m**2.5 - spec.static_load_n * deepest_m
    highest_m = brentq(lambda d: 0.4 * stiffness * d**2.5 + spec.static_load_n * d - energy_j, 0.0, deepest_m)
    for part in (load_n[:5000], load_n[-5000:]):
        assert part.max() == pytest.approx(stiffness * deepest_m**1.5, rel=0.005)
        assert part.min() == pytest.approx(-stiffness * highest_m**1.5, rel=0.005)


def test_coarse_grid_is_as_true() -> None:
    """At an IMU's own rate the contacts swing once in six samples; substeps keep their energy all the same."""
    _, load_n = let_go(3.0, 25000, 6400.0, contact_damping_s_per_m=0.0)
    assert load_n[:5000].max() > 1200.0
    assert load_n[-5000:].max() == pytest.approx(load_n[:5000].max(), rel=0.005)


def test_contact_damping_takes_energy() -> None:
    _, load_n = let_go(1.5, 25000, contact_damping_s_per_m=3.0)
    assert np.abs(load_n[-1000:] - 400.0).max() < 1.0


def test_slow_unbalance_passes_through() -> None:
    """Far below every resonance the bearing hands on what turns on the shaft, but for the shaft's own inertia."""
    tight = BearingGeometry(9, 7.94, 39.04)
    spec = ContactBearing(tight, static_load_n=1000.0)
    angle = turning(2.2, 10.0)
    motion = run(spec, angle, radial_force_x_n=100.0 * np.cos(angle), radial_force_y_n=100.0 * np.sin(angle))
    for force_n in (motion.force_x_n, motion.force_y_n):
        assert line(force_n[round(0.2 * RATE_HZ) :], 10.0) == pytest.approx(100.0, rel=0.01)


# --------------------------------------------------------------------------------------------------------- fault lines


def comb_share(signal: FloatArray, orders: set[float]) -> float:
    """Share of the power between 0.2 and 20 orders that lies within three bins of the given orders."""
    window = np.hanning(signal.size)
    power = np.abs(np.fft.rfft((signal - signal.mean()) * window)) ** 2
    order = np.arange(power.size) / (signal.size * DT_S * SHAFT_HZ)
    inside = (order > 0.2) & (order < 20.0)
    near = np.zeros(power.size, dtype=bool)
    for target in orders:
        near |= np.abs(order - target) < 3.01 * order[1]
    assert np.mean(near[inside]) < 0.4, "the comb must not be the whole axis"
    return float(power[inside & near].sum() / power[inside].sum())


def combs(carrier: float, sideband: float, n_sidebands: int) -> set[float]:
    return {abs(k * carrier + m * sideband) for k in range(10) for m in range(-n_sidebands, n_sidebands + 1)}


def record(**signals: float | FloatArray) -> FloatArray:
    """Vertical pedestal acceleration over 4 s after the start has settled."""
    start = round(0.2 * RATE_HZ)
    spec = ContactBearing(GEOMETRY, static_load_n=500.0)
    return run(spec, turning(4.2), **signals).accel_y_m_per_s2[start:]


def test_healthy_bearing_varies_its_compliance_at_bpfo_only() -> None:
    healthy = record()
    assert 0.0 < healthy.std() < 1.0
    assert comb_share(healthy, combs(GEOMETRY.bpfo_order, 0.0, 0)) > 0.9999


def test_outer_spall_has_lines_at_bpfo() -> None:
    lines = envelope(record(outer_width_m=1e-3), 1000.0, 20000.0)
    assert comb_share(lines, combs(GEOMETRY.bpfo_order, 0.0, 0)) > 0.999


def test_inner_spall_has_lines_at_bpfi_with_shaft_sidebands() -> None:
    lines = envelope(record(inner_width_m=1e-3), 4000.0, 20000.0)
    assert comb_share(lines, combs(GEOMETRY.bpfi_order, 1.0, 4)) > 0.98
    bpfi_hz = GEOMETRY.bpfi_order * SHAFT_HZ
    carrier, background = line(lines, bpfi_hz), line(lines, bpfi_hz + 0.5 * SHAFT_HZ)
    for side_hz in (bpfi_hz - SHAFT_HZ, bpfi_hz + SHAFT_HZ, SHAFT_HZ):
        assert line(lines, side_hz) > 0.5 * carrier
    assert carrier > 30.0 * background


def test_ball_spall_has_lines_at_twice_bsf_with_cage_sidebands() -> None:
    lines = envelope(record(ball_width_m=1e-3), 4000.0, 20000.0)
    strikes_hz, cage_hz = 2.0 * GEOMETRY.bsf_order * SHAFT_HZ, GEOMETRY.ftf_order * SHAFT_HZ
    assert comb_share(lines, combs(2.0 * GEOMETRY.bsf_order, GEOMETRY.ftf_order, 5)) > 0.9
    # The rest: the two races are not struck quite alike, which repeats once, not twice, a turn of the ball.
    assert comb_share(lines, combs(GEOMETRY.bsf_order, GEOMETRY.ftf_order, 5)) > 0.99
    carrier = line(lines, strikes_hz)
    assert carrier > 2.0 * line(lines, 0.5 * strikes_hz)
    for side_hz in (strikes_hz - cage_hz, strikes_hz + cage_hz, cage_hz):
        assert line(lines, side_hz) > 0.5 * carrier
    assert carrier > 10.0 * line(lines, strikes_hz + 0.5 * cage_hz)


def test_slip_moves_the_outer_line() -> None:
    angle = turning(4.2)
    behind = -0.02 * GEOMETRY.ftf_order * angle  # a cage 2 % slow
    lines = envelope(record(outer_width_m=1e-3, slip_angle_rad=behind), 1000.0, 20000.0)
    assert comb_share(lines, combs(0.98 * GEOMETRY.bpfo_order, 0.0, 0)) > 0.999


def test_random_slip_smears_the_harmonics_but_not_away() -> None:
    rng = np.random.default_rng(3)
    # A random walk of 1 % of the ball spacing a passage.
    passages = GEOMETRY.bpfo_order * SHAFT_HZ * DT_S
    steps = 0.01 * 2.0 * pi / GEOMETRY.n_balls * sqrt(passages) * rng.normal(size=turning(4.2).size)
    sharp = envelope(record(outer_width_m=1e-3), 1000.0, 20000.0)
    smeared = envelope(record(outer_width_m=1e-3, slip_angle_rad=np.cumsum(steps)), 1000.0, 20000.0)
    bpfo_hz = GEOMETRY.bpfo_order * SHAFT_HZ
    lost = [line(smeared, k * bpfo_hz) / line(sharp, k * bpfo_hz) for k in (1, 5)]
    assert lost[1] < 0.6 * lost[0] < lost[0] < 1.01
    assert line(smeared, bpfo_hz) > 10.0 * line(smeared, 1.4 * bpfo_hz)


def test_spall_outside_the_load_zone_is_not_felt() -> None:
    above = ContactBearing(GEOMETRY, static_load_n=500.0, outer_spall_angle_rad=0.5 * pi)
    angle = turning(0.3)
    np.testing.assert_array_equal(
        run(above, angle, outer_width_m=1e-3).accel_y_m_per_s2, run(above, angle).accel_y_m_per_s2
    )


def test_clearance_that_grows_lets_the_shaft_swing_more() -> None:
    healthy, worn = record(), record(added_clearance_m=60e-6)
    assert worn.std() > 1.5 * healthy.std()


# -------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"shaft_mass_kg": 0.0}, "shaft_mass_kg = 0.0 must be above 0"),
        ({"pedestal_mass_kg": -1.0}, "pedestal_mass_kg"),
        ({"pedestal_stiffness_n_per_m": float("nan")}, "pedestal_stiffness_n_per_m"),
        ({"static_load_n": -5.0}, "static_load_n = -5.0 must be 0 or more"),
        ({"static_load_n": float("inf")}, "static_load_n"),
        ({"contact_damping_s_per_m": -1.0}, "contact_damping_s_per_m"),
        ({"resonator_frequency_hz": 0.0}, "resonator_frequency_hz"),
        ({"outer_spall_angle_rad": float("inf")}, "outer_spall_angle_rad"),
    ],
)
def test_unphysical_bearings_are_refused(change: dict[str, float], names: str) -> None:
    with pytest.raises(ParameterError, match=names):
        ContactBearing(GEOMETRY, **{"static_load_n": 100.0, **change})


def test_bad_signals_are_refused() -> None:
    spec = ContactBearing(GEOMETRY, static_load_n=100.0)
    angle = turning(0.001)
    for signals, names in (
        ({"outer_width_m": -1e-3}, "outer_width_m"),
        ({"inner_width_m": 1.01 * spec.largest_spall_m}, "inner_width_m .*balls' spacing"),
        ({"ball_width_m": np.zeros(3)}, "ball_width_m has shape"),
        ({"radial_force_x_n": float("nan")}, "radial_force_x_n holds values that are not finite"),
    ):
        with pytest.raises(ParameterError, match=names):
            run(spec, angle, **signals)
    with pytest.raises(ParameterError, match="first block has 1 sample"):
        run(spec, angle[:1])
    assert run(spec, angle[:0]).force_x_n.size == 0
    with pytest.raises(ParameterError, match="dt_s = 0"):
        ContactBearingStream(spec, 0.0)
    with pytest.raises(ParameterError, match="contact_angle_deg"):
        ContactBearing(BearingGeometry(9, 8.0, 40.0, contact_angle_deg=15.0), static_load_n=100.0)
    assert spec.largest_spall_m == pytest.approx(2.0 * pi / 9 * (0.5e-3 * 25.4 * (1.537 - 0.3126)), rel=1e-9)
