"""The whole twin, from shaft to sensor, against products of closed forms."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import signal

from sim import analysis
from sim.drive import RPM
from sim.effect import GRAVITY_M_S2
from sim.environment import Shock
from sim.faults import Fault
from sim.faults.bearing_spall import BearingOuter
from sim.faults.bearing_wear import BearingWear
from sim.faults.imbalance import Imbalance
from sim.faults.looseness import Looseness
from sim.faults.misalignment import Misalignment
from sim.machine.machine import Machine
from sim.machine.unbalance import heavy_spot_rad
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec
from sim.twin import Twin
from tests.sim import rig

MASS_KG, CRITICAL_RPM, ZETA = 5.0, 3000.0, 0.05


def jeffcott(**rotor: Any) -> Machine:
    return rig.machine(rotor={"mass_kg": MASS_KG, "critical_speed_rpm": CRITICAL_RPM, "damping_ratio": ZETA, **rotor})


def settled(of: Scenario, seconds: float = 1.0) -> rig.Recorded:
    """Recorded after two seconds in which the rotor's own vibration, set off by the start, dies away."""
    heard = rig.Recorded(of, seconds + 2.0)
    late = slice(round(2.0 * heard.rate_hz), None)
    heard.time_s, heard.angle_rad, heard.speed_rad_s = (
        heard.time_s[late],
        heard.angle_rad[late],
        heard.speed_rad_s[late],
    )
    heard.accel, heard.rate = heard.accel[:, late], heard.rate[:, late]
    return heard


def line(of: Scenario, order: float = 1.0) -> rig.Complex:
    """(3,) complex amplitude of the drive end's acceleration at an order."""
    heard = settled(of)
    return rig.phasor(heard.accel, order * heard.angle_rad)


# ---------------------------------------------------------------------------------------------------- unbalance


@pytest.mark.parametrize("position", [0.5, 0.3, -0.2])
@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8, 0.95, 1.0, 1.05, 1.3, 2.0, 3.0])
def test_unbalance_response_is_rotor_times_structure(ratio: float, position: float) -> None:
    """Amplitude and phase within 1 %: the force m e w^2 is passed on by k + j c w over k - m w^2 + j c w, shared by the
    bearings as by a lever, and moves the sensor by the accelerance of each.
    """
    machine, fault = jeffcott(disk_position=position), Imbalance(unbalance_g_mm=250.0)
    speed_rpm = ratio * CRITICAL_RPM
    w, w0 = speed_rpm * RPM, CRITICAL_RPM * RPM
    passed_on = (w0**2 + 2j * ZETA * w0 * w) / (w0**2 - w**2 + 2j * ZETA * w0 * w)
    force_n = 250e-6 * w**2 * np.exp(1j * heavy_spot_rad(rig.fault_site(machine, fault))) * passed_on
    turning = force_n * np.array([1.0, -1j, 0.0])
    shared = {"drive_end": (1 - position) * turning, "non_drive_end": position * turning}
    expected = rig.response(machine, speed_rpm / 60.0, shared)
    error = line(rig.scenario(machine, [fault], operation=rig.steady(speed_rpm))) - expected
    assert np.abs(error).max() < 0.01 * np.abs(expected).max()


def test_1x_of_the_bearing_force_grows_with_speed_squared_below_resonance() -> None:
    """Acceleration goes with the fourth power there (the structure is a spring): exponent 4, less 2 of the path.

    What the sensor shows, over the path's accelerance, has the exponent 2.00 +- 0.02.
    """
    speeds_rpm = np.array([240.0, 300.0, 400.0, 500.0, 600.0])
    machine = rig.machine()
    force, raw = [], []
    for speed_rpm in speeds_rpm:
        faults: list[Fault] = [Imbalance(unbalance_g_mm=250.0)]
        heard = np.abs(line(rig.scenario(machine, faults, operation=rig.steady(float(speed_rpm)))))[0]
        half = np.array([0.5, -0.5j, 0.0])
        path = np.abs(rig.response(machine, speed_rpm / 60.0, {"drive_end": half, "non_drive_end": half}))[0]
        force.append(heard / path)
        raw.append(heard)
    assert np.polyfit(np.log(speeds_rpm), np.log(force), 1)[0] == pytest.approx(2.00, abs=0.02)
    assert np.polyfit(np.log(speeds_rpm), np.log(raw), 1)[0] == pytest.approx(4.0, abs=0.1)


def test_1x_on_a_soft_mount_grows_with_speed_squared() -> None:
    """On isolators, above the suspension's frequency and below all else, it moves as a free mass: a = F / m."""
    every: dict[str, list[float]] = {point: [1, 0, 0] for point in ("drive_end", "non_drive_end", "casing")}
    mode = {"frequency_hz": 1.0, "damping_ratio": 0.5, "modal_mass_kg": 30.0, "shape": every}
    machine = rig.machine(structure={"modes": [mode]})
    speeds_rpm = np.array([900.0, 1200.0, 1800.0, 2400.0, 3000.0])
    amplitude = [
        np.abs(line(rig.scenario(machine, [Imbalance(unbalance_g_mm=300.0)], operation=rig.steady(float(n)))))[0]
        for n in speeds_rpm
    ]
    assert np.polyfit(np.log(speeds_rpm), np.log(amplitude), 1)[0] == pytest.approx(2.00, abs=0.02)
    assert amplitude == pytest.approx(300e-6 * (speeds_rpm * RPM) ** 2 / 30.0, rel=0.01)


def test_couple_unbalance_acts_in_opposite_phase_at_the_two_ends() -> None:
    """Seen by sensors on both housings of a structure whose ends move independently."""
    ends = [
        {"frequency_hz": 200.0, "modal_mass_kg": 10.0, "shape": {"drive_end": [1, 0, 0], "casing": [0.1, 0, 0]}},
        {"frequency_hz": 200.0, "modal_mass_kg": 10.0, "shape": {"non_drive_end": [1, 0, 0]}},
    ]
    machine = rig.machine(structure={"modes": ends})
    sensors = [
        ImuSpec(id=mount, device="ideal", odr_hz=5000.0, specimen="nominal", mount=mount)  # type: ignore[arg-type]
        for mount in ("drive_end", "non_drive_end")
    ]
    for fault, opposed in (
        (Imbalance(unbalance_g_mm=0.0, couple_g_mm2=20_000.0), True),
        (Imbalance(unbalance_g_mm=100.0), False),
    ):
        twin = Twin(rig.scenario(machine, [fault], sensors=sensors), 1, captures=[(1.0, 1.0)])
        rows = []
        for first, block, points in twin.motions(twin.timeline.captures[0], round(twin.grid_rate_hz)):
            rows.append(np.vstack([block.angle_rad, points[0][0][0], points[1][0][0]])[:, max(-first, 0) :])
        angle, drive, non_drive = np.concatenate(rows, axis=1)
        ratio = complex(rig.phasor(drive, angle) / rig.phasor(non_drive, angle))
        assert ratio == pytest.approx(-1.0 if opposed else 1.0, abs=1e-3)


# ------------------------------------------------------------------------------------------- lines of other faults


def test_looseness_shows_half_orders_through_the_structure() -> None:
    """0.5x, 1.5x, 2.5x ... each by its force (see test_looseness.py) times the path; between them nothing."""
    machine, fault = rig.machine(), Looseness(gap_um=100.0)
    heard = settled(rig.scenario(machine, [fault]), seconds=2.0)
    direct = rig.run(fault.stream(rig.fault_site(machine, fault), rig.FULL), seconds=2.0)
    for order in np.arange(0.5, 10.5, 0.5):
        force = rig.phasor(direct.force("drive_end"), order * direct.angle_rad)
        expected = rig.response(machine, order * 30.0, {"drive_end": force})
        amplitude = rig.phasor(heard.accel, order * heard.angle_rad)
        assert np.abs(amplitude - expected).max() < 0.01 * np.abs(expected).max()
        assert np.abs(rig.phasor(heard.accel, (order + 0.25) * heard.angle_rad)).max() < 0.02 * np.abs(expected).max()


STIFF = {
    "type": "rigid",
    "radial_stiffness_n_per_m": 1e5,
    "angular_stiffness_nm_per_rad": 100.0,
    "residual_offset_mm": 0.0,
    "residual_angle_deg": 0.0,
}


def test_misalignment_lines_have_the_ratios_of_the_stiffness_variation() -> None:
    """1x-4x at the sensor, divided by the path of each: 0.20, 0.35, 0.06, 0.08 of a rigid flange."""
    shape = {point: [1, 0, 0] for point in ("drive_end", "non_drive_end", "casing")}
    one_way = {"modes": [{"frequency_hz": 90.0, "modal_mass_kg": 20.0, "shape": shape}]}
    machine = rig.machine(coupling=STIFF, structure=one_way)
    heard = settled(rig.scenario(machine, [Misalignment(offset_mm=0.5)]))
    forces = []
    for z in range(1, 5):
        path = abs(machine.structure.frequency_response(np.array([30.0 * z]), "drive_end", "drive_end")[0, 0, 0])
        forces.append(abs(rig.phasor(heard.accel[0], z * heard.angle_rad)) / path)
    # The force ellipses of the four lines lie alike: along x each has from 1 to 1/3 of its size.
    site_direction = (
        rig.fault_site(machine, Misalignment(offset_mm=0.5)).rng("misalignment").uniform(0, 2 * np.pi, 9)[0]
    )
    along_x = math.hypot(math.cos(site_direction), math.sin(site_direction) / 3)
    assert forces == pytest.approx(50.0 * along_x * np.array([0.20, 0.35, 0.06, 0.08]), rel=0.01)


def test_soft_coupling_shows_its_misalignment_as_broad_band() -> None:
    """As on the ADI rig: 1x-4x grow a little, the band of 1-4 kHz by the factor of the bearings' load."""
    noisy = {"designation": "6205-2RS", "noise_n": 1.0}
    soft = {"type": "beam", "radial_stiffness_n_per_m": 6e4, "angular_stiffness_nm_per_rad": 40.0}
    machine = rig.machine(coupling=soft, bearings={"drive_end": noisy, "non_drive_end": {**noisy, "noise_n": 0.0}})
    fault = Misalignment(offset_mm=1.0, angle_deg=1.0)
    aligned, crooked = (settled(rig.scenario(machine, faults), 4.0) for faults in ([], [fault]))
    band = signal.butter(4, (1000.0, 4000.0), "bandpass", fs=aligned.rate_hz, output="sos")
    growth = signal.sosfilt(band, crooked.accel).std(axis=1) / signal.sosfilt(band, aligned.accel).std(axis=1)
    reaction_n = 60.0 + (60.0 * 0.05 + 40.0 * math.pi / 180) / 0.4
    assert growth == pytest.approx(1.0 + reaction_n / (2.5 * GRAVITY_M_S2), rel=0.05)
    lines_m_s2 = [np.abs(rig.phasor(crooked.accel, z * crooked.angle_rad)).max() for z in range(1, 5)]
    assert max(lines_m_s2) < 0.35 * signal.sosfilt(band, crooked.accel).std(axis=1).max()


def test_fan_has_sidebands_at_the_sensor_only_if_its_blades_differ() -> None:
    fan = {"blades": 7, "tip_radius_mm": 200.0, "blade_pass_n": 2.0}
    for spread_pct, there in ((0.0, False), (5.0, True)):
        heard = settled(rig.scenario(rig.machine(fan={**fan, "blade_spread_pct": spread_pct})))
        pass_, *sides = (np.abs(rig.phasor(heard.accel, k * heard.angle_rad)).max() for k in (7, 6, 8))
        assert pass_ > 0.01
        if there:
            assert min(sides) > 1e-3 * pass_
        else:
            assert max(sides) < 1e-6 * pass_


def test_neighbour_and_wear_do_not_mind_each_other() -> None:
    """A tone of 73 Hz from next door: force times path, at any speed, with a worn bearing or without."""
    tone = {"neighbours": [{"frequency_hz": 73.0, "force_n": 5.0, "direction": [1.0, 0.0, 0.0]}]}
    noisy = {"designation": "6205-2RS", "noise_n": 0.05}
    machine = rig.machine(bearings={"drive_end": noisy, "non_drive_end": noisy})
    expected = np.abs(rig.response(machine, 73.0, {"casing": [5.0, 0.0, 0.0]}))
    for speed_rpm, faults in ((1800.0, []), (1234.0, [BearingWear(roughness_factor=4.0)])):
        heard = settled(rig.scenario(machine, faults, environment=tone, operation=rig.steady(speed_rpm)), 4.0)
        amplitude = np.abs(rig.phasor(heard.accel, 2 * np.pi * 73.0 * heard.time_s))
        assert np.abs(amplitude - expected).max() < 0.02 * expected.max()


def test_shocks_ring_at_their_scheduled_times() -> None:
    """The velocity that a knock leaves behind on a soft mount is momentum over mass, from its time on."""
    every = {point: [1, 0, 0] for point in ("drive_end", "non_drive_end", "casing")}
    mode = {"frequency_hz": 0.05, "damping_ratio": 0.01, "modal_mass_kg": 30.0, "shape": every}
    knocks = {"shocks": {"rate_per_hour": 3600.0, "impulse_n_s": 0.5, "width_ms": 2.0}}
    of = rig.scenario(rig.machine(structure={"modes": [mode]}), environment=knocks)
    twin = Twin(of, 3, captures=[(0.0, 8.0)])
    shocks: list[Shock] = twin.timeline.captures[0].shocks
    assert len(shocks) >= 4
    heard = rig.Recorded(of, 8.0, start_s=0.0, seed=3)
    quiet = np.ones(len(heard.time_s), dtype=bool)
    for shock in shocks:
        during = (heard.time_s >= shock.time_s - 1e-3) & (heard.time_s <= shock.time_s + 3e-3)
        gained = np.sum(heard.accel[0, during]) / heard.rate_hz
        assert gained == pytest.approx(shock.impulse_n_s[0] / 30.0, rel=0.02, abs=2e-4)
        quiet &= ~during
    assert np.abs(heard.accel[0, quiet]).max() < 0.02 * np.abs(heard.accel[0]).max()


# ---------------------------------------------------------------------------------------------------- course in time


def test_onset_removal_and_stop_show_when_they_should() -> None:
    """An imbalance from second 4 to 8 in a run that stops at 10 and starts again at 12."""
    plan = {
        "segments": [
            {"duration_s": 10.0, "speed_rpm": 1800.0},
            {"duration_s": 2.0, "speed_rpm": 0.0, "ramp_s": 0.2},
            {"duration_s": 4.0, "speed_rpm": 1800.0, "ramp_s": 0.5},
        ],
        "ripple_pct": 0.0,
        "wander_pct": 0.0,
    }
    machine = rig.machine(rotor={"residual_unbalance_g_mm": 10.0})
    of = rig.scenario(machine, [Imbalance(unbalance_g_mm=1000.0, onset_s=4.0, clear_s=8.0)], operation=plan)
    heard = rig.Recorded(of, 16.0, start_s=0.0)
    rms = {
        span: float(heard.accel[0, (heard.time_s > span[0]) & (heard.time_s < span[1])].std())
        for span in ((1.0, 3.9), (4.5, 7.9), (8.5, 9.9), (11.0, 11.9), (13.5, 15.9))
    }
    healthy = rms[1.0, 3.9]
    assert rms[4.5, 7.9] > 20 * healthy
    assert rms[8.5, 9.9] == pytest.approx(healthy, rel=0.02)
    assert rms[11.0, 11.9] < 1e-4 * healthy
    assert rms[13.5, 15.9] == pytest.approx(healthy, rel=0.02)


def test_a_class_takes_its_faults_at_full_size_from_the_start() -> None:
    late = Imbalance(unbalance_g_mm=500.0, onset_s=1e5)
    of = rig.scenario(rig.machine(), [late, Looseness(gap_um=100.0)])
    as_class = rig.Recorded(of, 0.5, class_name="imbalance").accel
    at_once = rig.scenario(rig.machine(), [Imbalance(unbalance_g_mm=500.0)])
    assert np.array_equal(as_class, rig.Recorded(at_once, 0.5).accel)
    assert not rig.Recorded(of, 0.5, class_name="normal").accel.any()


# --------------------------------------------------------------------------------------------------------- the sensor


def samples(of: Scenario, seconds: float, seed: int = 1) -> rig.Array:
    """(n, channels) of the first sensor in g and deg/s."""
    twin = Twin(of, seed, captures=[(2.0, seconds)])
    counts = [chunk.samples[0] for chunk in twin.capture(twin.timeline.captures[0])]
    return np.asarray(np.concatenate(counts) * twin.sensors[0].scale)


def tone_scenario(frequency_hz: float, anti_alias: bool) -> Scenario:
    """20 N on a free mass of 30 kg, heard at 1000 Hz."""
    every = {point: [0, 1, 0] for point in ("drive_end", "non_drive_end", "casing")}
    mode = {"frequency_hz": 1.0, "damping_ratio": 0.5, "modal_mass_kg": 30.0, "shape": every}
    sensor = ImuSpec(id="imu", device="ideal", odr_hz=1000.0, range_g=2.0, specimen="nominal", anti_alias=anti_alias)
    tone = {"neighbours": [{"frequency_hz": frequency_hz, "force_n": 20.0, "direction": [0.0, 1.0, 0.0]}]}
    return rig.scenario(rig.machine(structure={"modes": [mode]}), sensors=[sensor], environment=tone)


@pytest.mark.parametrize(("frequency_hz", "folded_hz"), [(620.0, 380.0), (870.0, 130.0), (1240.0, 240.0)])
def test_content_above_half_the_rate_folds_unless_it_is_filtered(frequency_hz: float, folded_hz: float) -> None:
    """At 1000 Hz a tone of 620 Hz appears at 380 Hz: whole without the filter, with it as the Butterworth's gain says.

    The filter is of fourth order at half the rate, made by the bilinear transform on the internal grid.
    """
    grid_hz = tone_scenario(frequency_hz, True).grid_rate_hz()
    warped = math.tan(math.pi * frequency_hz / grid_hz) / math.tan(math.pi * 500.0 / grid_hz)
    for anti_alias, gain in ((False, 1.0), (True, 1.0 / math.sqrt(1.0 + warped**8))):
        heard = samples(tone_scenario(frequency_hz, anti_alias), 4.0)
        # To half a step of the converter.
        expected_g = pytest.approx(gain * 20.0 / 30.0 / GRAVITY_M_S2, rel=0.01, abs=3e-5)
        assert float(analysis.line_amplitude(heard[:, 1], 1000.0, folded_hz)) == expected_g
        # Nothing else appears: gravity and that line are all there is.
        assert heard[:, 1].std() * math.sqrt(2.0) == expected_g


@pytest.mark.parametrize("anti_alias", [False, True])
def test_content_below_half_the_rate_stays_where_it_is(anti_alias: bool) -> None:
    heard = samples(tone_scenario(130.0, anti_alias), 4.0)
    expected_g = 20.0 / 30.0 / GRAVITY_M_S2
    assert float(analysis.line_amplitude(heard[:, 1], 1000.0, 130.0)) == pytest.approx(expected_g, rel=0.01)


def test_a_slow_sensor_hears_the_same_machine() -> None:
    """200 Hz through a mode at 1500 Hz: on a grid of 4000 Hz (a sensor at 1000 Hz) as on one of 80 kHz."""
    heard = []
    for oversampling, odr_hz in ((4, 1000.0), (16, 5000.0)):
        sensor = ImuSpec(id="imu", device="ideal", odr_hz=odr_hz, specimen="nominal")
        shape = {point: [0, 0, 1] for point in ("drive_end", "non_drive_end", "casing")}
        mode = {"frequency_hz": 1500.0, "damping_ratio": 0.03, "modal_mass_kg": 3.0, "shape": shape}
        tone = {"neighbours": [{"frequency_hz": 200.0, "force_n": 20.0, "direction": [0.0, 0.0, 1.0]}]}
        of = rig.scenario(
            rig.machine(structure={"modes": [mode]}), sensors=[sensor], environment=tone, oversampling=oversampling
        )
        motion = settled(of)
        heard.append(abs(rig.phasor(motion.accel[2], 2 * np.pi * 200.0 * motion.time_s)))
    assert heard[0] == pytest.approx(heard[1], rel=0.06)


def test_a_slow_sensor_filters_blade_pass_out() -> None:
    """405 Hz of blade pass, a sensor at 104 Hz with its filter (gyroscope aside, 52 Hz) on: -70 dB, not 0."""
    every = {point: [0, 0, 1] for point in ("drive_end", "non_drive_end", "casing")}
    mode = {"frequency_hz": 1.0, "damping_ratio": 0.5, "modal_mass_kg": 30.0, "shape": every}
    fan = {"blades": 9, "tip_radius_mm": 200.0, "blade_pass_n": 30.0, "blade_spread_pct": 0.0, "harmonic_decay": 0.0}
    sensor = ImuSpec(id="imu", device="lsm6dso", odr_hz=104.0, specimen="nominal")
    of = rig.scenario(rig.machine(fan=fan, structure={"modes": [mode]}), sensors=[sensor], operation=rig.steady(2700.0))
    assert samples(of, 10.0)[:, 2].std() < 0.02 * 2.25 / math.sqrt(2.0) / GRAVITY_M_S2


def test_a_capture_starts_when_the_rotor_has_settled() -> None:
    """At the critical speed, with 2 % of damping, a rotor takes half a second to reach its orbit."""
    machine = jeffcott(damping_ratio=0.02)
    of = rig.scenario(machine, [Imbalance(unbalance_g_mm=250.0)], operation=rig.steady(CRITICAL_RPM))
    heard = rig.Recorded(of, 6.0)
    n = round(0.2 * heard.rate_hz)
    first, last = (abs(rig.phasor(heard.accel[0, part], heard.angle_rad[part])) for part in (slice(n), slice(-n, None)))
    assert first == pytest.approx(last, rel=0.2)


def test_spalls_high_resonance_folds_without_the_filter() -> None:
    """A structure that rings at 1500 Hz under a sensor of 1000 Hz: with the filter hardly anything is left of it."""
    heard = {}
    for anti_alias in (False, True):
        sensor = ImuSpec(id="imu", device="ideal", odr_hz=1000.0, specimen="nominal", anti_alias=anti_alias)
        of = rig.scenario(rig.machine(), [BearingOuter(defect_width_mm=1.0)], sensors=[sensor], oversampling=16)
        heard[anti_alias] = samples(of, 4.0)[:, 2].std()
    assert heard[True] < 0.3 * heard[False]


def test_samples_are_the_mounts_motion_in_the_sensors_units() -> None:
    """Gravity on y, 1x in g and deg/s: twin and sensor together, in amplitude."""
    fault = Imbalance(unbalance_g_mm=500.0)
    machine = rig.machine()
    of = rig.scenario(machine, [fault])
    out, motion = samples(of, 2.0), settled(of)
    assert out[:, :3].mean(axis=0) == pytest.approx([0.0, 1.0, 0.0], abs=1e-3)
    half = 0.5 * 500e-6 * (1800 * RPM) ** 2 * np.array([1.0, -1j, 0.0])
    expected_g = np.abs(rig.response(machine, 30.0, {"drive_end": half, "non_drive_end": half})) / GRAVITY_M_S2
    measured = [float(analysis.line_amplitude(out[:, a], 5000.0, 30.0)) for a in range(6)]
    assert measured[:3] == pytest.approx(expected_g, rel=0.01, abs=2e-4)
    expected_dps = np.degrees(np.abs(rig.phasor(motion.rate, motion.angle_rad)))
    assert measured[3:] == pytest.approx(expected_dps, rel=0.01, abs=0.05)


def test_number_of_samples_is_that_of_the_capture() -> None:
    assert len(samples(rig.scenario(rig.machine()), 2.0)) == pytest.approx(10_000, abs=1)
    twin = Twin(rig.scenario(rig.machine()), 1, captures=[(0.0, 1.0)])
    got = sum(len(chunk.samples[0]) for chunk in twin.capture(twin.timeline.captures[0], samples=3333))
    assert got >= 3333
