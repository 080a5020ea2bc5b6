"""Rotors against closed forms and against ROSS, an independent rotordynamics package."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.errors import ParameterError
from sim.machine.rotor import (
    DOFS,
    STEEL,
    BearingSupport,
    Disk,
    JeffcottRotor,
    Material,
    ShaftElement,
    SteppedRotor,
)

with warnings.catch_warnings():  # its dependencies warn while they are imported
    warnings.simplefilter("ignore")
    import ross

Array = NDArray[np.float64]

RATIOS = np.array([0.2, 0.5, 0.8, 0.95, 1.0, 1.05, 1.3, 2.0, 3.0])  # speed / critical speed


# ------------------------------------------------------------------------------------------------------------ Jeffcott

JEFFCOTT = JeffcottRotor(mass_kg=4.0, stiffness_n_per_m=4.0 * (2.0 * math.pi * 40.0) ** 2, damping_ratio=0.05)
UNBALANCE_KG_M = 2e-4


def test_critical_speed() -> None:
    assert JEFFCOTT.critical_speed_rpm == pytest.approx(2400.0, rel=1e-12)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("damping_ratio", [0.02, 0.3])
def test_time_domain_unbalance_response(ratio: float, damping_ratio: float) -> None:
    """The oscillators under the rotating force u w^2, run to steady state, against the textbook amplitude and phase."""
    rotor = JeffcottRotor(JEFFCOTT.mass_kg, JEFFCOTT.stiffness_n_per_m, damping_ratio)
    speed = ratio * rotor.natural_frequency_rad_s
    per_turn = 128  # straight lines between that many samples weaken a sine by 0.02 %
    turns = math.ceil(12.0 / damping_ratio * ratio / (2.0 * math.pi)) + 5  # the transient is exp(-12) then
    angle = 2.0 * math.pi * np.arange(per_turn * turns) / per_turn
    bank = rotor.oscillators(dt_s=2.0 * math.pi / per_turn / speed)
    motion = bank.process(UNBALANCE_KG_M * speed**2 * np.array([np.cos(angle), np.sin(angle)]))
    last = slice(-4 * per_turn, None)

    def project(signal: Array) -> complex:
        """Of x + j y, the part that turns with the shaft."""
        return complex(np.mean((signal[0] + 1j * signal[1])[last] * np.exp(-1j * angle[last])))

    radius = project(motion.displacement)
    magnification = ratio**2 / math.hypot(1.0 - ratio**2, 2.0 * damping_ratio * ratio)
    lag = math.atan2(2.0 * damping_ratio * ratio, 1.0 - ratio**2)
    assert abs(radius) == pytest.approx(UNBALANCE_KG_M / rotor.mass_kg * magnification, rel=0.01)
    assert np.angle(radius) == pytest.approx(-lag, rel=0.01)
    assert complex(rotor.unbalance_response(speed, UNBALANCE_KG_M)) == pytest.approx(radius, rel=0.01)

    force = rotor.stiffness_n_per_m * radius + rotor.damping_n_s_per_m * project(motion.velocity)
    transmitted = UNBALANCE_KG_M * speed**2 * magnification / ratio**2 * math.hypot(1.0, 2.0 * damping_ratio * ratio)
    assert abs(force) == pytest.approx(transmitted, rel=0.01)
    assert complex(rotor.bearing_force(speed, UNBALANCE_KG_M)) == pytest.approx(force, rel=0.01)
    # What the foundation does not carry accelerates the mass.
    inertia = UNBALANCE_KG_M * speed**2 - rotor.mass_kg * project(motion.acceleration)
    assert inertia == pytest.approx(force, rel=0.01)


def test_closed_form_takes_arrays_and_numbers() -> None:
    speeds = RATIOS * JEFFCOTT.natural_frequency_rad_s
    response = JEFFCOTT.unbalance_response(speeds, UNBALANCE_KG_M)
    assert response.shape == speeds.shape
    assert response[4] == pytest.approx(
        -1j * UNBALANCE_KG_M / JEFFCOTT.mass_kg / 0.1, rel=1e-12
    )  # 1 / (2 zeta), 90 deg
    assert np.all(np.diff(np.angle(response)) < 0.0)
    assert JEFFCOTT.unbalance_response(speeds[0], UNBALANCE_KG_M).shape == ()
    assert JEFFCOTT.bearing_force(speeds[:, None], np.ones(3)).shape == (speeds.size, 3)


def test_undamped_resonance_and_bad_parameters() -> None:
    undamped = JeffcottRotor(1.0, 1e4, 0.0)
    assert complex(undamped.unbalance_response(200.0, 1e-3)) == pytest.approx(-40.0 / 3e4, rel=1e-12)
    with pytest.raises(ParameterError, match="undamped"):
        undamped.unbalance_response([50.0, 100.0], 1e-3)
    for bad in ((0.0, 1e4, 0.1), (1.0, -1e4, 0.1), (1.0, 1e4, -0.1), (math.nan, 1e4, 0.1)):
        with pytest.raises(ParameterError, match="must be finite"):
            JeffcottRotor(*bad)


# -------------------------------------------------------------------------------- stepped rotor: closed-form limits


def uniform_shaft(length_m: float, diameter_m: float, n: int) -> list[ShaftElement]:
    return [ShaftElement(length_m / n, diameter_m)] * n


def test_slender_simply_supported_beam() -> None:
    """Euler's beam, w_n = (n pi / L)^2 sqrt(E I / (rho A)); at L / d = 300 shear and rotary inertia hardly count."""
    length, diameter = 3.0, 0.01
    ends = [BearingSupport(0, 1e10), BearingSupport(24, 1e10)]
    rotor = SteppedRotor(uniform_shaft(length, diameter, 24), [], ends)
    frequencies, shapes = rotor.undamped_modes(8)
    wave_speed = diameter / 4.0 * math.sqrt(STEEL.youngs_modulus_pa / STEEL.density_kg_per_m3)  # sqrt(E I / (rho A))
    expected = np.repeat((np.arange(1, 5) * math.pi / length) ** 2 * wave_speed, 2)  # each in x and in y
    np.testing.assert_allclose(frequencies, expected, rtol=2e-4)
    # Unit modal mass: sqrt(2 / (rho A L)) sin(n pi z / L), of which the pair of a frequency shares x and y in some way.
    middle = np.square(shapes[rotor.dof(12, "x")]) + np.square(shapes[rotor.dof(12, "y")])
    shaft_mass = STEEL.density_kg_per_m3 * math.pi * diameter**2 / 4.0 * length
    np.testing.assert_allclose(middle * shaft_mass, [2, 2, 0, 0, 2, 2, 0, 0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("diameter_m", "euler_within"), [(0.005, 1e-4), (0.05, 1e-2)])
def test_massless_shaft_with_central_disk(diameter_m: float, euler_within: float) -> None:
    """Critical speed from 48 E I / L^3; exactly, with shear, from F L^3 / (48 E I) + F L / (4 kappa G A)."""
    length, mass = 1.0, 10.0
    light = Material(STEEL.youngs_modulus_pa, 1e-3, STEEL.poisson_ratio)
    supports = [BearingSupport(0, 1e14), BearingSupport(4, 1e14)]
    rotor = SteppedRotor(uniform_shaft(length, diameter_m, 4), [Disk(2, mass, 1e-4, 2e-4)], supports, light)
    bending = 48.0 * light.youngs_modulus_pa * math.pi * diameter_m**4 / 64.0 / length**3
    shear_modulus = light.youngs_modulus_pa / (2.0 * (1.0 + light.poisson_ratio))
    kappa = 6.0 * (1.0 + light.poisson_ratio) / (7.0 + 6.0 * light.poisson_ratio)  # Cowper 1966, solid circle
    shear = 4.0 * kappa * shear_modulus * math.pi * diameter_m**2 / 4.0 / length
    stiffness = 1.0 / (1.0 / bending + 1.0 / shear)

    frequencies, _ = rotor.undamped_modes(2)
    np.testing.assert_allclose(frequencies, math.sqrt(stiffness / mass), rtol=1e-6)
    np.testing.assert_allclose(frequencies, math.sqrt(bending / mass), rtol=euler_within)

    jeffcott = rotor.to_jeffcott()
    assert jeffcott.mass_kg == pytest.approx(mass, rel=1e-5)
    assert jeffcott.stiffness_n_per_m == pytest.approx(stiffness, rel=1e-5)
    assert jeffcott.damping_ratio == 0.0
    speeds = np.array([0.3, 0.8, 2.0]) * jeffcott.natural_frequency_rad_s
    np.testing.assert_allclose(
        rotor.unbalance_response(2, 1e-4, 0.0, speeds)[rotor.dof(2, "x")],
        jeffcott.unbalance_response(speeds, 1e-4),
        rtol=1e-4,
    )


@pytest.mark.parametrize("speed_rad_s", [0.0, 300.0, 2000.0])
def test_rigid_rotor_gyroscopic_split(speed_rad_s: float) -> None:
    """A rigid rotor on two springs: conical modes w^2 -+ (Ip/Id) W w - k L^2 / (2 Id) = 0, bounce sqrt(2 k / m)."""
    length, k, mass, diametral, polar = 0.4, 1e5, 20.0, 0.3, 0.5
    rigid = Material(1e14, 1e-2, 0.3)
    supports = [BearingSupport(0, k), BearingSupport(2, k)]
    rotor = SteppedRotor(uniform_shaft(length, 0.1, 2), [Disk(1, mass, diametral, polar)], supports, rigid)
    half = polar * speed_rad_s / (2.0 * diametral)
    root = math.sqrt(half**2 + k * length**2 / (2.0 * diametral))
    backward, forward, bounce = root - half, root + half, math.sqrt(2.0 * k / mass)
    modes = rotor.whirl_modes(speed_rad_s, 4)
    np.testing.assert_allclose(modes.frequencies_rad_s, sorted([bounce, bounce, backward, forward]), rtol=1e-5)
    if speed_rad_s > 0.0:
        assert modes.forward[np.argmin(np.abs(modes.frequencies_rad_s - forward))]
        assert not modes.forward[np.argmin(np.abs(modes.frequencies_rad_s - backward))]


def test_bearings_share_a_slow_unbalance_by_the_lever_rule() -> None:
    rotor = SteppedRotor(
        uniform_shaft(1.0, 0.03, 10), [], [BearingSupport(0, 1e7, 50.0), BearingSupport(10, (2e7, 3e7), (20.0, 80.0))]
    )
    speeds = np.array([0.5])  # rad/s, far below the first critical speed
    response = rotor.unbalance_response(3, 2e-3, 0.7, speeds)
    forces = rotor.bearing_forces(response, 1j * speeds * response)
    applied = 2e-3 * 0.5**2 * np.exp(0.7j) * np.array([1.0, -1j])
    np.testing.assert_allclose(forces[:, :, 0], [0.7 * applied, 0.3 * applied], rtol=1e-4)


def test_modal_damping_of_the_jeffcott_equivalent() -> None:
    """Light isotropic damping: the pole of the full rotor at rest gives the same damping ratio, by another way."""
    supports = [BearingSupport(0, 2e6, 40.0), BearingSupport(8, 3e6, 60.0)]
    rotor = SteppedRotor(uniform_shaft(0.8, 0.03, 8), [Disk(3, 6.0, 0.02, 0.035)], supports)
    jeffcott, modes = rotor.to_jeffcott(), rotor.whirl_modes(0.0, 2)
    assert jeffcott.natural_frequency_rad_s == pytest.approx(modes.frequencies_rad_s[0], rel=1e-3)
    assert jeffcott.damping_ratio == pytest.approx(modes.damping_ratios[0], rel=1e-2)
    speeds = np.array([0.5, 0.9, 1.1]) * jeffcott.natural_frequency_rad_s  # not 1.0: there the gyroscopic shift decides
    full = rotor.unbalance_response(3, 1e-4, 0.0, speeds)[rotor.dof(3, "x")]
    np.testing.assert_allclose(np.abs(jeffcott.unbalance_response(speeds, 1e-4)), np.abs(full), rtol=0.05)


# ----------------------------------------------------------------------------------------- stepped rotor against ROSS

# length, outer and inner diameter in m: four diameters, one piece hollow
SHAFT = [
    (0.06, 0.030, 0.0),
    (0.08, 0.030, 0.0),
    (0.08, 0.045, 0.012),
    (0.08, 0.045, 0.012),
    (0.08, 0.060, 0.0),
    (0.08, 0.060, 0.0),
    (0.08, 0.045, 0.0),
    (0.07, 0.035, 0.0),
    (0.06, 0.035, 0.0),
]
DISKS = [(4, 8.0, 0.05, 0.09), (6, 5.0, 0.025, 0.045)]  # node, kg, diametral and polar inertia in kg m^2
ALLOY = Material(youngs_modulus_pa=205e9, density_kg_per_m3=7850.0, poisson_ratio=0.29)
SPEEDS_RAD_S = (0.0, 300.0, 1000.0, 3000.0)


@pytest.fixture(scope="module")
def rotor() -> SteppedRotor:
    bearings = [
        BearingSupport(1, ((2e7, 3e6), (1e6, 4e7)), ((900.0, 50.0), (20.0, 1500.0))),
        BearingSupport(8, (1.5e7, 3e7), (700.0, 1100.0)),
    ]
    return SteppedRotor([ShaftElement(*s) for s in SHAFT], [Disk(*d) for d in DISKS], bearings, ALLOY)


@pytest.fixture(scope="module")
def ross_rotor() -> Any:
    alloy = ross.Material("alloy", rho=7850.0, E=205e9, Poisson=0.29)
    return ross.Rotor(
        [ross.ShaftElement(L=length, odl=outer, idl=inner, material=alloy) for length, outer, inner in SHAFT],
        [ross.DiskElement(n=n, m=m, Id=diametral, Ip=polar) for n, m, diametral, polar in DISKS],
        [
            ross.BearingElement(n=1, kxx=2e7, kxy=3e6, kyx=1e6, kyy=4e7, cxx=900.0, cxy=50.0, cyx=20.0, cyy=1500.0),
            ross.BearingElement(n=8, kxx=1.5e7, kyy=3e7, cxx=700.0, cyy=1100.0),
        ],
    )


def lateral_dofs(ross_rotor: Any) -> NDArray[np.int64]:
    """Of ROSS's x, y, z, alpha, beta, theta of each node those that a lateral rotor has."""
    return np.array([ross_rotor.number_dof * n + k for n in range(len(SHAFT) + 1) for k in (0, 1, 3, 4)])


@pytest.mark.parametrize("speed_rad_s", SPEEDS_RAD_S)
def test_natural_frequencies_as_ross(rotor: SteppedRotor, ross_rotor: Any, speed_rad_s: float) -> None:
    theirs = ross_rotor.run_modal(speed_rad_s, num_modes=40)
    shapes = np.abs(theirs.evectors[: ross_rotor.ndof, : theirs.wd.size])
    lateral = np.linalg.norm(shapes[lateral_dofs(ross_rotor)], axis=0) > 0.5 * np.linalg.norm(shapes, axis=0)
    modes = rotor.whirl_modes(speed_rad_s, 8)
    # The goal is 1 %. Both use the same Timoshenko element, so much less is expected and less would be a mistake.
    np.testing.assert_allclose(modes.frequencies_rad_s, theirs.wd[lateral][:8], rtol=1e-6)
    np.testing.assert_allclose(modes.damping_ratios, theirs.damping_ratio[lateral][:8], rtol=1e-5)
    np.testing.assert_array_equal(rotor.natural_frequencies_rad_s(speed_rad_s, 8), modes.frequencies_rad_s)
    named = theirs.whirl_direction()[lateral][:8]
    clear = np.isin(named, ["Forward", "Backward"])  # the others turn either way along the shaft
    np.testing.assert_array_equal(modes.forward[clear], named[clear] == "Forward")


def test_gyroscopic_moments_matter_here(rotor: SteppedRotor) -> None:
    """Else the test above would not see them."""
    still, fast = (rotor.natural_frequencies_rad_s(speed, 6) for speed in (0.0, 3000.0))
    assert np.max(np.abs(fast / still - 1.0)) > 0.2


def test_campbell(rotor: SteppedRotor) -> None:
    diagram = rotor.campbell(SPEEDS_RAD_S, 6)
    np.testing.assert_array_equal(diagram.speeds_rad_s, SPEEDS_RAD_S)
    assert diagram.frequencies_rad_s.shape == diagram.damping_ratios.shape == diagram.forward.shape == (4, 6)
    for i, speed in enumerate(SPEEDS_RAD_S):
        modes = rotor.whirl_modes(speed, 6)
        np.testing.assert_array_equal(diagram.frequencies_rad_s[i], modes.frequencies_rad_s)
        np.testing.assert_array_equal(diagram.damping_ratios[i], modes.damping_ratios)
        np.testing.assert_array_equal(diagram.forward[i], modes.forward)


def test_unbalance_response_as_ross(rotor: SteppedRotor, ross_rotor: Any) -> None:
    """Two unbalances of different phase; every node and degree of freedom; from below the first mode to far above."""
    speeds = np.linspace(40.0, 4000.0, 100)
    theirs = ross_rotor.run_unbalance_response([4, 6], [2e-4, 1e-4], [0.3, -2.0], frequency=speeds)
    expected = theirs.forced_resp[lateral_dofs(ross_rotor)]
    response = rotor.unbalance_response(4, 2e-4, 0.3, speeds) + rotor.unbalance_response(6, 1e-4, -2.0, speeds)
    np.testing.assert_allclose(np.abs(response), np.abs(expected), rtol=0.01)
    np.testing.assert_allclose(np.angle(response / expected), 0.0, atol=0.01)
    np.testing.assert_allclose(response, expected, rtol=1e-6)  # same element: far better than the goal of 1 %


def test_bearing_forces_balance_the_motion_that_ross_gives(rotor: SteppedRotor, ross_rotor: Any) -> None:
    """Newton for the whole rotor, shift and tilt in x and y: bearing forces = unbalance - inertia and gyroscopic forces."""
    speeds = np.array([200.0, 600.0, 1500.0, 4000.0])
    lateral = lateral_dofs(ross_rotor)
    motion = ross_rotor.run_unbalance_response(4, 2e-4, 0.3, frequency=speeds).forced_resp[lateral]
    forces = rotor.bearing_forces(motion, 1j * speeds * motion)
    mass, gyroscopic = (matrix[np.ix_(lateral, lateral)] for matrix in (ross_rotor.M(0.0), ross_rotor.G()))
    position = np.concatenate(([0.0], np.cumsum([length for length, _, _ in SHAFT])))
    ones, zeros = np.ones(position.size), np.zeros(position.size)
    for i, speed in enumerate(speeds):
        dynamic = (-(speed**2) * mass + 1j * speed**2 * gyroscopic) @ motion[:, i]
        for axis, unbalance in enumerate(2e-4 * speed**2 * np.exp(0.3j) * np.array([1.0, -1j])):
            shift = np.stack([ones, zeros, zeros, zeros] if axis == 0 else [zeros, ones, zeros, zeros], axis=1).ravel()
            tilt_dofs = [position, zeros, zeros, ones] if axis == 0 else [zeros, position, -ones, zeros]
            tilt = np.stack(tilt_dofs, axis=1).ravel()
            first, second = forces[:, axis, i]
            largest = np.max(np.abs(forces[:, :, i]))
            np.testing.assert_allclose(first + second, unbalance - shift @ dynamic, rtol=0.0, atol=1e-5 * largest)
            moment = position[1] * first + position[8] * second
            np.testing.assert_allclose(moment, position[4] * unbalance - tilt @ dynamic, rtol=0.0, atol=1e-5 * largest)


def test_time_response_as_ross(rotor: SteppedRotor, ross_rotor: Any) -> None:
    """Run-up from rest under two unbalances and a hammer blow.

    ROSS integrates the same equations with scipy.signal.lsim, which also holds the force by straight lines; its matrix
    exponential spans poles from 0 to 1e6 rad/s and so keeps some 8 digits. 1e-5 of the largest motion is coarse against
    that and still a thousandth of the promised 1 %.
    """
    speed = 650.0
    times = np.linspace(0.0, 0.3, 1501)
    forces = rotor.unbalance_forces(4, 2e-4, 0.3, speed, times) + rotor.unbalance_forces(6, 1e-4, -2.0, speed, times)
    forces[rotor.dof(2, "y"), 700:704] = [0.0, 300.0, 500.0, 100.0]
    forces[rotor.dof(0, "rot_x"), 900:] = 2.0  # N m, as of a misaligned coupling
    lateral = lateral_dofs(ross_rotor)
    theirs_in = np.zeros((times.size, ross_rotor.ndof))
    theirs_in[:, lateral] = forces.T
    expected = ross_rotor.run_time_response(speed, theirs_in, times).yout[:, lateral].T
    ours = rotor.time_response(speed, times, forces).displacement
    for k in range(len(DOFS)):
        np.testing.assert_allclose(
            ours[k :: len(DOFS)],
            expected[k :: len(DOFS)],
            rtol=0.0,
            atol=1e-5 * np.max(np.abs(expected[k :: len(DOFS)])),
        )


def test_time_response_settles_to_the_unbalance_response(rotor: SteppedRotor) -> None:
    """Motion, velocity and bearing forces, by two ways that share the matrices only."""
    speed, per_turn = 900.0, 200
    angle = 2.0 * math.pi * np.arange(400 * per_turn) / per_turn
    times = angle / speed
    motion = rotor.time_response(speed, times, rotor.unbalance_forces(4, 2e-4, 0.3, speed, times))
    last = slice(-10 * per_turn, None)
    turning = 2.0 * np.exp(-1j * angle[last]) / angle[last].size
    steady = rotor.unbalance_response(4, 2e-4, 0.3, [speed])
    largest = np.max(np.abs(steady))
    np.testing.assert_allclose(motion.displacement[:, last] @ turning, steady[:, 0], rtol=1e-3, atol=1e-5 * largest)
    np.testing.assert_allclose(
        motion.velocity[:, last] @ turning, 1j * speed * steady[:, 0], rtol=1e-3, atol=1e-5 * largest * speed
    )
    forces = rotor.bearing_forces(motion.displacement, motion.velocity)
    expected = rotor.bearing_forces(steady, 1j * speed * steady)[:, :, 0]
    np.testing.assert_allclose(forces[:, :, last] @ turning, expected, rtol=1e-3)


# ---------------------------------------------------------------------------------------------------------- bad input


def test_bad_rotors() -> None:
    shaft, held = uniform_shaft(0.5, 0.02, 4), [BearingSupport(0, 1e7), BearingSupport(4, 1e7)]
    with pytest.raises(ParameterError, match="at least one shaft element"):
        SteppedRotor([], [], held)
    with pytest.raises(ParameterError, match="node = 5"):
        SteppedRotor(shaft, [Disk(5, 1.0, 0.1, 0.1)], held)
    for loose in (held[:1], [held[0], BearingSupport(4, (1e7, 0.0))], []):
        with pytest.raises(ParameterError, match="do not hold the shaft"):
            SteppedRotor(shaft, [], loose)
    rotor = SteppedRotor(shaft, [], held)
    with pytest.raises(ParameterError, match="n_modes = 0"):
        rotor.undamped_modes(0)
    with pytest.raises(ParameterError, match="n_modes = 99"):
        rotor.natural_frequencies_rad_s(0.0, 99)
    with pytest.raises(ParameterError, match="without disks"):
        rotor.to_jeffcott()
    with pytest.raises(ParameterError, match="hardly moves"):
        SteppedRotor(shaft, [], [BearingSupport(0, 1e12), BearingSupport(4, 1e12)]).to_jeffcott(0)


def test_bad_parts() -> None:
    for build, message in (
        (lambda: ShaftElement(0.0, 0.02), "length_m"),
        (lambda: ShaftElement(0.1, 0.02, 0.02), "inner_diameter_m"),
        (lambda: Material(200e9, -1.0, 0.3), "density_kg_per_m3"),
        (lambda: Material(200e9, 7850.0, 0.5), "poisson_ratio"),
        (lambda: Disk(0, -1.0, 0.1, 0.1), "mass_kg"),
        (lambda: Disk(0, 1.0, -0.1, 0.1), "diametral_inertia_kg_m2"),
        (lambda: BearingSupport(0, -1e7), "stiffness_n_per_m"),
        (lambda: BearingSupport(0, 1e7, (math.nan, 0.0)), "damping_n_s_per_m"),
        (lambda: BearingSupport(0, (1.0, 2.0, 3.0)), "give one number"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ParameterError, match=message):
            build()


def test_bad_times_and_forces(rotor: SteppedRotor) -> None:
    times = np.linspace(0.0, 0.009, 10)
    with pytest.raises(ParameterError, match="n_samples"):
        rotor.time_response(10.0, times, np.zeros((rotor.n_dof, 9)))
    uneven = times.copy()
    uneven[4] += 1e-4
    for bad in (uneven, times[::-1]):
        with pytest.raises(ParameterError, match="even steps"):
            rotor.time_response(10.0, bad, np.zeros((rotor.n_dof, 10)))
