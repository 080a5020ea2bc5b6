"""Spalls against kinematics, the Stribeck load zone, the random-walk theory of slip, and published fault orders."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy import signal, stats

from sim import analysis
from sim.drive import RPM
from sim.faults.bearing_spall import BearingBall, BearingInner, BearingOuter, BearingSpall
from sim.machine.machine import Machine
from tests.sim import rig

# SKF 6205: Case Western Reserve University, Bearing Data Center, "Bearing Information", in multiples of the speed.
BPFO, BPFI, TWICE_BSF, FTF = 3.5848, 5.4152, 4.7135, 0.39828
BALL_RADIUS_M = 0.5 * 0.3126 * 0.0254

KINDS = [(BearingOuter, BPFO), (BearingInner, BPFI), (BearingBall, TWICE_BSF)]


def spall(cls: type[BearingSpall], **keys: Any) -> BearingSpall:
    kind = cls.model_fields["kind"].default
    return cls.model_validate({"kind": kind, "defect_width_mm": 1.0, "jitter_pct": 0.0, **keys})


def run(fault: BearingSpall, seed: int = 1, **conditions: Any) -> rig.Block:
    """Force alone, at 1800 rpm; on a grid so fine that hardly anything of an impact of 35 us folds."""
    conditions = {"seconds": 2.0, "rate_hz": 200_000.0, **conditions}
    return rig.run(fault.stream(rig.site(rig.machine(), conditions["rate_hz"], seed), rig.FULL), **conditions)


def lines(made: rig.Block, orders: Any) -> rig.Array:
    """Amplitude of the vertical force at the drive end at these orders."""
    window = signal.windows.blackmanharris(made.n)
    window /= window.sum()
    force = made.force("drive_end")[1] * window
    return np.array([2 * abs(force @ np.exp(-1j * order * made.angle_rad)) for order in orders])


# ------------------------------------------------------------------------------------------------- where lines lie


def test_outer_race_has_harmonics_of_bpfo_and_no_sidebands() -> None:
    """A fixed defect in the load zone is struck by every ball alike."""
    made = run(spall(BearingOuter))
    main = lines(made, BPFO * np.arange(1, 9))
    assert main.min() > 0.5 * main.max()
    assert main.max() > 0.1
    for harmonic in (1, 2, 3):
        beside = harmonic * BPFO + np.array([-1.0, 1.0, -FTF, FTF, 0.5])
        assert lines(made, beside).max() < 1e-3 * main.max()


@pytest.mark.parametrize(("cls", "order", "spacing"), [(BearingInner, BPFI, 1.0), (BearingBall, TWICE_BSF, FTF)])
def test_what_turns_through_the_load_zone_has_sidebands(cls: type[BearingSpall], order: float, spacing: float) -> None:
    """Inner race: at the shaft's rate. Ball: at the cage's."""
    made = run(spall(cls), seconds=4.0)
    for harmonic in (1, 2):
        wanted = harmonic * order + spacing * np.arange(-3, 4)
        others = harmonic * order + spacing * (np.arange(-3, 3) + 0.5)
        assert lines(made, wanted).min() > 20 * lines(made, others).max()


def _load_zone(epsilon: float, angle: rig.Array) -> rig.Array:
    """Stribeck's distribution for point contact (Harris and Kotzalas, eq. 7.12)."""
    return np.asarray(np.maximum(1 - (1 - np.cos(angle)) / (2 * epsilon), 0.0) ** 1.5)


@pytest.mark.parametrize(("cls", "order", "spacing"), [(BearingInner, BPFI, 1.0), (BearingBall, TWICE_BSF, FTF)])
def test_sidebands_have_the_sizes_that_the_load_zone_gives(
    cls: type[BearingSpall], order: float, spacing: float
) -> None:
    """A wide spall lets go all of the load q(psi) and strikes in proportion to it: vertically q cos, once a turn.

    So the k-th sideband goes with the k-th Fourier coefficient of q cos.
    """
    machine = rig.machine()
    epsilon = machine.bearings["drive_end"].zone(machine).epsilon
    psi = np.linspace(-np.pi, np.pi, 20_001)[:-1]
    expected = np.array([np.mean(_load_zone(epsilon, psi) * np.cos(psi) * np.cos(k * psi)) for k in range(-4, 5)])
    heard = lines(
        run(spall(cls, defect_width_mm=2.0), seconds=8.0, rate_hz=50_000.0), order + spacing * np.arange(-4, 5)
    )
    # The pulse's own spectrum, which tilts them, is taken out by the mean of both sides.
    both = np.sqrt(heard * heard[::-1])
    assert both / both[4] == pytest.approx(np.abs(expected / expected[4]), rel=0.03)


def test_outside_the_load_zone_nothing_happens() -> None:
    """With clearance fewer than half of the balls carry: 12.5 um of clearance and 24.5 N."""
    machine = rig.machine()
    half_zone_deg = math.degrees(machine.bearings["drive_end"].zone(machine).half_angle_rad)
    assert half_zone_deg < 90.0
    inside = np.abs(run(spall(BearingOuter, angle_from_load_deg=half_zone_deg - 5.0)).forces_n).max()
    assert 0.0 < inside < 0.1 * np.abs(run(spall(BearingOuter)).forces_n).max()
    for degrees in (half_zone_deg + 1.0, -half_zone_deg - 1.0, 180.0):
        assert not run(spall(BearingOuter, angle_from_load_deg=degrees)).forces_n.any()


@pytest.mark.parametrize("degrees", [-20.0, 0.0, 20.0])
def test_force_points_at_the_defect(degrees: float) -> None:
    """Downwards at 0, towards +x at positive angles; unloading away from it, the impact towards it."""
    force = run(spall(BearingOuter, angle_from_load_deg=degrees)).force("drive_end")
    toward = np.array([math.sin(math.radians(degrees)), -math.cos(math.radians(degrees))])
    strongest = force[:2, np.argmax(np.hypot(force[0], force[1]))]
    assert strongest / np.hypot(*strongest) == pytest.approx(toward, abs=1e-9)
    assert (toward @ force[:2]).min() < -1.0


# --------------------------------------------------------------------------------------------- one passage of a ball


@pytest.mark.parametrize("cls", [BearingOuter, BearingInner, BearingBall])
@pytest.mark.parametrize("width_mm", [1.0, 2.0])
def test_entry_and_exit_are_half_a_width_apart(cls: type[BearingSpall], width_mm: float) -> None:
    """The ball's centre is over the middle when it strikes the far edge (Sawalhi and Randall 2011).

    It rolls without slip: the contact runs along the race at the ball's spin times its radius, pi BSF n d / 60.
    """
    speed_rpm, rate_hz = 300.0, 400_000.0
    rolling_m_s = speed_rpm * RPM * 0.5 * TWICE_BSF * BALL_RADIUS_M
    made = run(spall(cls, defect_width_mm=width_mm), speed_rpm=speed_rpm, rate_hz=rate_hz, seconds=1.0)
    size = np.hypot(*made.force("drive_end")[:2])
    strike = int(np.argmax(size))
    start = strike - int(np.argmin(size[strike::-1] > 0.0))  # back to where the force sets in
    assert (strike - start) / rate_hz == pytest.approx(0.5e-3 * width_mm / rolling_m_s, rel=0.03)


def test_wider_spalls_strike_harder() -> None:
    """And louder in the band where a structure rings; the severity figure follows the width."""
    widths_mm = np.array([0.1, 0.2, 0.4, 0.8, 1.6, 3.0])
    peaks, high = [], []
    for width_mm in widths_mm:
        force = run(spall(BearingOuter, defect_width_mm=float(width_mm))).force("drive_end")[1]
        peaks.append(np.abs(force).max())
        high.append(signal.sosfilt(signal.butter(4, 2000.0, "highpass", fs=50_000.0, output="sos"), force).std())
    assert (np.diff(peaks) > 0.0).all()
    assert (np.diff(high) > 0.0).all()


def test_impact_grows_with_speed_and_unloading_does_not() -> None:
    """A 1 mm spall lets all of the ball's load go; the far edge bends the ball's way, at rolling speed."""
    machine = rig.machine()
    carried_n = machine.bearings["drive_end"].zone(machine).q_max_n
    impact_n = {}
    for speed_rpm in (150.0, 300.0, 600.0):
        force = run(spall(BearingOuter), speed_rpm=speed_rpm, rate_hz=400_000.0, seconds=1.0).force("drive_end")[1]
        assert force.max() == pytest.approx(carried_n, rel=1e-3)  # upwards: the load that is missing
        impact_n[speed_rpm] = -force.min() - carried_n
    assert impact_n[300.0] / impact_n[150.0] == pytest.approx(2.0, rel=0.02)
    assert impact_n[600.0] / impact_n[300.0] == pytest.approx(2.0, rel=0.02)


def test_impact_carries_the_momentum_that_bends_the_balls_way() -> None:
    """Between a ball that sticks to the far edge (m dv) and one that bounces off it (2 m dv), dv = 2 v sin(angle)."""
    speed_rpm, rate_hz = 3000.0, 2_000_000.0
    rolling_m_s = speed_rpm * RPM * 0.5 * TWICE_BSF * BALL_RADIUS_M
    mass_kg = 7850.0 * 4.0 / 3.0 * math.pi * BALL_RADIUS_M**3
    bent_n_s = mass_kg * 2.0 * rolling_m_s * 0.5e-3 / BALL_RADIUS_M
    force = -run(spall(BearingOuter), speed_rpm=speed_rpm, rate_hz=rate_hz, seconds=0.05).force("drive_end")[1]
    strikes = np.flatnonzero(np.diff((force > 0.0).astype(int)) == 1)
    ends = np.flatnonzero(np.diff((force > 0.0).astype(int)) == -1)
    assert len(strikes) >= 6
    first = slice(strikes[1], ends[ends > strikes[1]][0] + 1)
    assert bent_n_s < force[first].sum() / rate_hz < 2.0 * bent_n_s


@pytest.mark.parametrize("width_mm", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("rate_hz", [832.0, 6664.0])
def test_a_coarse_grid_keeps_every_events_impulse(width_mm: float, rate_hz: float) -> None:
    """Shorter than a sample as it may be: mean force and lowest line are those of the fine grid."""
    fine = run(spall(BearingOuter, defect_width_mm=width_mm), seconds=4.0)
    coarse = run(spall(BearingOuter, defect_width_mm=width_mm), seconds=4.0, rate_hz=rate_hz)
    mean = fine.force("drive_end")[1].mean()
    assert coarse.force("drive_end")[1].mean() == pytest.approx(mean, rel=0.02)
    if rate_hz > 1000.0 and width_mm > 0.5:  # in a narrower one the two events all but cancel there
        assert lines(coarse, [BPFO]) == pytest.approx(lines(fine, [BPFO]), rel=0.05)


def test_a_shaft_that_stands_meets_nothing() -> None:
    assert not run(spall(BearingOuter), speed_rpm=0.0, seconds=0.5).forces_n.any()


# ------------------------------------------------------------------------------------------------------------- slip


def test_passages_are_a_random_walk() -> None:
    """Spacings independent and normal, of the stated deviation; the sum drifts without bound as theirs does."""
    made = run(spall(BearingOuter, jitter_pct=2.0), seconds=40.0, rate_hz=50_000.0)
    upward = made.force("drive_end")[1] / made.force("drive_end")[1].max()  # the entry: the load is let go
    before = np.flatnonzero((upward[:-1] < 0.5) & (upward[1:] >= 0.5))
    places = before + (0.5 - upward[before]) / (upward[before + 1] - upward[before])
    places *= 1800 * RPM / 50_000.0 / (2 * math.pi) * BPFO  # in spacings
    spacing = np.diff(places)
    n = len(spacing)
    assert n == pytest.approx(30.0 * BPFO * 40.0, abs=5 * 0.02 * math.sqrt(4300) + 2)
    assert spacing.mean() == pytest.approx(1.0, abs=5 * 0.02 / math.sqrt(n))
    assert spacing.std() == pytest.approx(0.02, abs=5 * 0.02 / math.sqrt(2 * n))
    assert stats.kstest((spacing - 1.0) / 0.02, "norm").pvalue > 1e-6
    assert abs(np.corrcoef(spacing[:-1], spacing[1:])[0, 1]) < 5 / math.sqrt(n)


SECONDS, JITTER = 160.0, 0.04


@lru_cache(maxsize=2)
def _density(jitter_pct: float) -> tuple[rig.Array, rig.Array]:
    """One-sided density of the vertical force over the order, BPFO being 1; averaged over 20 runs of 8 s."""
    total: rig.Array = np.zeros(0)
    for seed in range(20):
        made = run(spall(BearingOuter, jitter_pct=jitter_pct), seed=seed, seconds=SECONDS / 20, rate_hz=20_000.0)
        frequency, density = signal.welch(made.force("drive_end")[1], 20_000.0, nperseg=40_000, detrend="constant")
        total = density if not total.size else total + density
    return frequency / (30.0 * BPFO), total / 20


def _around(order: np.ndarray, density: rig.Array, harmonic: int, half_width: float) -> float:
    """Power in a band about a harmonic."""
    inside = np.abs(order - harmonic) < half_width
    return float(density[inside].sum() * (order[1] - order[0]) * 30.0 * BPFO)


def test_slip_smears_lines_as_the_random_walk_predicts() -> None:
    """Spacings N(1, s^2) that add up make, about harmonic n, the density 2 lambda |P|^2 (1 - |C|^2) / |1 - C|^2 with
    the characteristic function C = exp(2 pi j f - 2 (pi n s)^2), P the pulse's spectrum, lambda the rate (a renewal
    process: Antoni and Randall 2003, J. Vib. Acoust. 125(3)). A periodic one has lines of power 2 lambda^2 |P|^2.
    """
    order, walking = _density(100 * JITTER)
    _, steady = _density(0.0)
    for n in (3, 4, 5, 6, 8):
        r = math.exp(-2.0 * (math.pi * n * JITTER) ** 2)
        line = _around(order, steady, n, 0.05)
        # The mean over a band narrow against the smeared line (half width about pi (n s)^2) and wide against a bin.
        half = 0.3 * math.pi * (n * JITTER) ** 2
        inside = np.linspace(n - half, n + half, 201)
        expected = np.mean((1 - r**2) / np.abs(1 - r * np.exp(2j * math.pi * inside)) ** 2)
        peak = _around(order, walking, n, half) / (2 * half * 30.0 * BPFO)
        assert peak / line == pytest.approx(expected / (30.0 * BPFO), rel=0.15)


def test_smeared_is_not_lost() -> None:
    """The power stays: in all, and around each line that is still a line; the peak falls, of high harmonics more."""
    order, walking = _density(100 * JITTER)
    _, steady = _density(0.0)
    assert walking.sum() == pytest.approx(steady.sum(), rel=0.03)
    falls = []
    for n in (1, 2, 3, 4, 5):
        assert _around(order, walking, n, 0.5) == pytest.approx(_around(order, steady, n, 0.5), rel=0.1)
        inside = np.abs(order - n) < 0.5
        falls.append(steady[inside].max() / walking[inside].max())
    assert (np.diff(falls) > 0.0).all()
    assert falls[-1] > 4.0 * falls[0]


# ---------------------------------------------------------------------- on the machine, as a sensor would show it


def machine(fidelity: str) -> Machine:
    bearing = {"designation": "6205-2RS", "noise_n": 0.05}
    return rig.machine(bearings={"drive_end": {**bearing, "fidelity": fidelity}, "non_drive_end": bearing})


@lru_cache(maxsize=8)
def recorded(cls: type[BearingSpall] | None, fidelity: str) -> tuple[rig.Array, rig.Array]:
    """Orders and squared-envelope spectrum of the vertical acceleration where the structure rings."""
    faults = [spall(cls, jitter_pct=0.2)] if cls else []
    heard = rig.Recorded(rig.scenario(machine(fidelity), faults), 4.0)  # type: ignore[arg-type]
    return analysis.envelope_order_spectrum(
        heard.accel[1], heard.angle_rad, heard.rate_hz, (1000.0, 4000.0), squared=True
    )


@pytest.mark.parametrize("fidelity", ["signal", "contact"])
@pytest.mark.parametrize(("cls", "order"), KINDS)
def test_both_fidelities_show_the_published_orders(cls: type[BearingSpall], order: float, fidelity: str) -> None:
    orders, amplitude = recorded(cls, fidelity)
    for harmonic in (1, 2):
        near = np.abs(orders - harmonic * order) < 0.25
        assert orders[near][np.argmax(amplitude[near])] == pytest.approx(harmonic * order, abs=0.012)
        assert analysis.line_prominence(amplitude, orders, harmonic * order, 0.03) > 20.0
    spacing = {BearingInner: 1.0, BearingBall: FTF}.get(cls)
    for side in (-1.0, 1.0):
        for distance in (1.0, FTF):
            size = amplitude[np.abs(orders - order - side * distance) < 0.03].max()
            relative = size / amplitude[np.abs(orders - order) < 0.03].max()
            if distance == spacing:
                assert relative > 0.3
            elif cls is BearingOuter:
                assert relative < 0.02
    if spacing is not None:  # and the modulation itself
        assert analysis.line_prominence(amplitude, orders, spacing, 0.03) > 20.0


@pytest.mark.parametrize("fidelity", ["signal", "contact"])
def test_a_healthy_bearing_shows_none_of_them(fidelity: str) -> None:
    """But a trace of BPFO from contacts whose number under load changes."""
    orders, healthy = recorded(None, fidelity)
    for cls, order in KINDS:
        near = np.abs(orders - order) < 0.03
        assert healthy[near].max() < 0.01 * recorded(cls, fidelity)[1][near].max()


def test_order_tracking_keeps_the_line_sharp_under_a_speed_ramp() -> None:
    """From 1200 to 2400 rpm in 6 s the plain envelope spectrum smears BPFO over an octave; over orders it stays one."""
    plan = {
        "segments": [
            {"duration_s": 2.0, "speed_rpm": 1200.0},
            {"duration_s": 20.0, "speed_rpm": 5200.0, "ramp_s": 20.0},
        ],
        "ripple_pct": 0.0,
        "wander_pct": 0.0,
    }
    scenario = rig.scenario(machine("signal"), [spall(BearingOuter, jitter_pct=0.2)], operation=plan)
    heard = rig.Recorded(scenario, 6.0, start_s=2.0)
    assert heard.speed_rad_s[[0, -1]] / RPM == pytest.approx([1200.0, 2400.0], rel=1e-3)
    x, band = heard.accel[1], (1000.0, 4000.0)
    orders, tracked = analysis.envelope_order_spectrum(x, heard.angle_rad, heard.rate_hz, band)
    frequency, plain = analysis.envelope_spectrum(x, heard.rate_hz, band)
    assert analysis.line_prominence(tracked, orders, BPFO, 0.03) > 50.0
    assert orders[(orders > 2) & (orders < 5)][np.argmax(tracked[(orders > 2) & (orders < 5)])] == pytest.approx(
        BPFO, abs=0.01
    )
    swept = plain[(frequency > 20.0 * BPFO) & (frequency < 40.0 * BPFO)]
    assert swept.max() < 0.2 * tracked[np.abs(orders - BPFO) < 0.03].max()
    assert analysis.line_prominence(plain, frequency, 30.0 * BPFO, 1.0) < 5.0
