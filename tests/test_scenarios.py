"""The bundled scenarios: complete, in order, and of believable magnitude.

Levels are held against figures published with recordings of like machines and against standards, with bounds of a factor
of about three either way, because the scenarios are meant to be of the right order before any calibration.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, hilbert, sosfiltfilt

from sim.drive import Operation
from sim.faults import AnyFault
from sim.machine.machine import Machine
from sim.scenario.reader import Loaded, load
from sim.scenario.realise import realise
from sim.scenario.schema import NORMAL, Scenario
from sim.sensors.devices import DEVICES
from sim.sensors.faults import SENSOR_FAULTS
from sim.sensors.imu import ImuSpec
from sim.twin import Twin

Array = NDArray[np.float64]

FOLDER = Path(__file__).parent.parent / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
MACHINES = ("bearing_rig", "cwru_motor", "desk_fan", "industrial_axial_fan")
GRAVITY = 9.80665

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@cache
def loaded(name: str) -> Loaded[Scenario]:
    return load(FOLDER / f"{name}.yaml", Scenario)


def scenario(name: str) -> Scenario:
    return loaded(name).model


def fault_kinds(machine: str) -> set[str]:
    return {fault.kind for fault in scenario(machine).faults}


# ------------------------------------------------------------------------------------------------- the library


@every_file
def test_validates_is_named_like_its_file_and_says_what_it_is_for(path: Path) -> None:
    assert scenario(path.stem).name == path.stem  # so names are unique, too
    assert path.read_text().startswith("# ")


def test_every_machine_file_is_in_use_and_ids_are_unique() -> None:
    used = {Path(file).resolve() for path in FILES for file in loaded(path.stem).files}
    machines = sorted((FOLDER / "machines").glob("*.yaml"))
    assert len(machines) >= len(MACHINES)
    assert set(machines) <= used
    assert {path.stem for path in machines} == {scenario(path.stem).machine.id for path in FILES}


def test_every_kind_of_fault_sensor_fault_and_device_appears() -> None:
    all_of_them = [scenario(path.stem) for path in FILES]
    kinds = {kind.model_fields["kind"].default for kind in get_args(AnyFault)}
    assert kinds == {fault.kind for s in all_of_them for fault in s.faults}
    sensor_kinds = {kind.model_fields["kind"].default for kind in SENSOR_FAULTS}
    assert sensor_kinds == {fault.kind for s in all_of_them for sensor in s.sensors for fault in sensor.faults}
    assert set(DEVICES) == {sensor.device for s in all_of_them for sensor in s.sensors}
    rates = {sensor.odr_hz for s in all_of_them for sensor in s.sensors if sensor.device == "lsm6dso"}
    assert rates >= {1666.0, 3332.0, 6664.0}


def test_sensor_fault_classes_cover_every_kind() -> None:
    classes = scenario("sensor_faults").dataset.windows_per_class or {}
    assert {f"imu0.{kind.model_fields['kind'].default}" for kind in SENSOR_FAULTS} <= set(classes)


@pytest.mark.parametrize("machine", MACHINES)
def test_machine_has_a_dataset_of_all_its_faults_and_a_run_of_each(machine: str) -> None:
    dataset = scenario(machine)
    classes = dataset.dataset.windows_per_class
    assert classes is not None
    assert set(classes) == {NORMAL, *(fault.name for fault in dataset.faults)}
    assert all(classes.values())
    expected = {
        "imbalance",
        "bearing_outer",
        "bearing_inner",
        "bearing_ball",
        "bearing_wear",
        "looseness",
        "bent_shaft",
    }
    expected |= {"misalignment"} if dataset.machine.coupling is not None else set()
    expected |= {"fan_blade"} if dataset.machine.fan is not None else set()
    assert fault_kinds(machine) == expected

    assert not scenario(f"{machine}_healthy").faults
    for kind in expected:
        run = scenario(f"{machine}_{kind}")
        assert run.machine.id == dataset.machine.id
        (fault,) = run.faults
        assert fault.kind == kind
        duration_s = sum(segment.duration_s for segment in run.operation.plan())
        assert 0.25 * duration_s < fault.onset_s < 0.75 * duration_s


def test_severities_and_conditions_of_the_datasets_are_distributions() -> None:
    for machine in MACHINES:
        dataset = scenario(machine)
        for fault in dataset.faults:
            assert not isinstance(getattr(fault, fault.severity_key), float), (machine, fault.name)
        segment = dataset.operation.plan()[0]
        assert not (isinstance(segment.speed_rpm, float) and isinstance(segment.load, float)), machine


def test_bearing_orders_are_the_published_ones() -> None:
    # CWRU Bearing Data Center, and the README of Analog Devices' rig recordings: outer, inner, 2 x ball spin.
    published = {
        ("cwru_motor", "drive_end"): (3.5848, 5.4152, 4.7135),
        ("cwru_motor", "non_drive_end"): (3.053, 4.947, 3.987),
        ("bearing_rig", "drive_end"): (3.052, 4.948, 2 * 1.992),
        ("bearing_rig", "non_drive_end"): (3.052, 4.948, 2 * 1.992),
    }
    for (machine, position), orders in published.items():
        bearing = scenario(machine).machine.bearings[position].build()  # type: ignore[index]
        assert (bearing.bpfo_order, bearing.bpfi_order, 2 * bearing.bsf_order) == pytest.approx(orders, abs=2e-3)


def test_contact_rig_is_the_rig_but_for_its_fidelity() -> None:
    def figures(machine: Machine) -> dict[str, object]:
        plain = machine.model_dump()
        del plain["id"], plain["bearings"]["drive_end"]["fidelity"]
        return plain

    contact = scenario("contact_fidelity").machine
    assert figures(contact) == figures(scenario("bearing_rig").machine)
    assert contact.bearings["drive_end"].fidelity == "contact"


def test_wear_reaches_failure_in_the_last_week_and_rests_on_sundays() -> None:
    twin = Twin(realise(scenario("wear_to_failure"), 0), 0, captures=[])
    day_s, (extent,) = 86400.0, twin.extents
    end_s = twin.timeline.duration_s
    assert end_s == 16 * 7 * day_s
    before, week_before, end = extent.at(np.array([6 * 7 * day_s - 1.0, end_s - 7 * day_s, end_s]))
    assert before == 0.0
    assert 0.05 < week_before < 0.9
    assert end == 1.0
    sunday, monday = extent.at(np.array([(13 * 7 + 6) * day_s + 121.0, 14 * 7 * day_s]))
    assert 0.0 < sunday == pytest.approx(monday, rel=1e-9)


def test_work_and_life_of_wear_to_failure_match_its_sampling() -> None:
    plan = scenario("wear_to_failure")
    assert plan.dataset.windows % plan.life_windows() == 0  # whole lives


# --------------------------------------------------------------------------------------------- every one runs


@every_file
def test_a_slice_of_it_simulates(path: Path) -> None:
    written = scenario(path.stem)
    realised = realise(written, 1, written.name, 0)
    duration_s = sum(segment.duration_s for segment in realised.operation.plan())
    end_s = 0.97 * duration_s  # where the faults of a single run are there
    faulty_sensor = any(sensor.faults for sensor in realised.sensors)
    for class_name in (None, *(written.dataset.windows_per_class or ())):
        twin = Twin(realised, 1, 0, class_name, captures=[(end_s, 0.05)])
        for sensor, counts in zip(twin.sensors, samples_of(twin, 200), strict=True):
            values = counts * sensor.scale
            assert values.shape == (200, len(sensor.channels))
            assert np.isfinite(values).all()
            if not faulty_sensor:
                assert (np.ptp(counts[:, :3].astype(int), axis=0) > 0).all()  # alive
                assert np.abs(counts).max() < 32767  # within range


def samples_of(twin: Twin, samples: int) -> list[NDArray[np.int16]]:
    """Counts (samples, channels) of every sensor, from the first capture."""
    chunks = list(twin.capture(twin.timeline.captures[0], samples))
    return [np.concatenate([chunk.samples[i] for chunk in chunks])[:samples] for i in range(len(twin.sensors))]


# ------------------------------------------------------------------------------------------- levels and lines


def recording(
    name: str, class_name: str = NORMAL, number: int = 0, sensor: ImuSpec | None = None, **steady: float
) -> tuple[Array, float, float]:
    """A second of a class: acceleration (n, 3) in g without its mean, sampling rate, speed in Hz.

    `steady` replaces the operating plan by one condition; further keys named after the fault's parameters set them.
    """
    seconds = 1.0
    model = scenario(name)
    if sensor is not None:
        model = model.model_copy(update={"sensors": [sensor]})
    realised = realise(model, 3, model.name, number)
    operation = {key: steady.pop(key) for key in ("speed_rpm", "load") if key in steady}
    segment = realised.operation.plan()[0]
    condition = Operation(
        speed_rpm=operation.get("speed_rpm", segment.speed_rpm),
        load=operation.get("load", segment.load),
        duration_s=30.0,
    )
    faults = [f.model_copy(update=steady) if f.name == class_name else f for f in realised.faults]
    assert all(key in type(f).model_fields for f in faults if f.name == class_name for key in steady)
    realised = realised.model_copy(update={"operation": condition, "faults": faults})
    twin = Twin(realised, 3, number, class_name, captures=[(5.0, seconds)])
    spec = twin.sensors[0]
    counts = samples_of(twin, round(seconds * spec.odr_hz))[0]
    speed_hz = float(twin.timeline.profile.speed_at(5.5)) / (2.0 * np.pi)
    accel = (counts * spec.scale)[:, :3]
    return accel - accel.mean(axis=0), spec.odr_hz, speed_hz


def power(accel: Array, fs_hz: float) -> tuple[Array, Array]:
    """Frequencies and mean square per bin (bins, 3)."""
    window = np.hanning(len(accel))[:, None]
    spectrum = np.abs(np.fft.rfft(accel * window, axis=0)) ** 2
    density = 2.0 * spectrum / (len(accel) * float(np.sum(window**2)))
    frequency = np.fft.rfftfreq(len(accel), 1.0 / fs_hz)
    return np.asarray(frequency, np.float64), np.asarray(density, np.float64)


def band_rms(accel: Array, fs_hz: float, low_hz: float, high_hz: float) -> Array:
    frequency, density = power(accel, fs_hz)
    inside = (frequency >= low_hz) & (frequency < high_hz)
    return np.asarray(np.sqrt(density[inside].sum(axis=0)))


def line(accel: Array, fs_hz: float, at_hz: float) -> Array:
    """Amplitude (3,) of a line; a few bins and 1 % of clock error wide."""
    reach_hz = 2.5 * fs_hz / len(accel) + 0.02 * at_hz
    return np.asarray(np.sqrt(2.0) * band_rms(accel, fs_hz, at_hz - reach_hz, at_hz + reach_hz))


def velocity_rms_mm_s(accel: Array, fs_hz: float) -> Array:
    """RMS velocity in 10-1000 Hz (ISO 20816-1)."""
    frequency, density = power(accel, fs_hz)
    inside = (frequency >= 10.0) & (frequency <= 1000.0)
    w = 2.0 * np.pi * frequency[inside, None]
    return np.asarray(1e3 * np.sqrt((density[inside] * (GRAVITY / w) ** 2).sum(axis=0)))


def envelope_prominence(accel: Array, fs_hz: float, band_hz: tuple[float, float], at_hz: float) -> float:
    """Height of the envelope's line over the median of its surroundings, axis x."""
    sos = butter(4, band_hz, "bandpass", fs=fs_hz, output="sos")
    envelope = np.abs(hilbert(sosfiltfilt(sos, accel[:, 0])))
    spectrum = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope))))
    frequency = np.fft.rfftfreq(len(envelope), 1.0 / fs_hz)
    near = np.abs(frequency - at_hz) <= 1.5 * frequency[1] + 0.01 * at_hz
    around = (frequency > 0.3 * at_hz) & (frequency < 3.0 * at_hz)
    return float(spectrum[near].max() / np.median(spectrum[around]))


ADXL356 = ImuSpec(id="adxl356", device="adxl356", odr_hz=20000.0, range_g=40.0, specimen="nominal")


def test_rig_imbalance_levels() -> None:
    # README of adi_limerick_mems: 1x of x, heaviest: 0.07 / 0.23 / 0.67 / 0.93 / 2.09 g at 600 ... 3000 rpm; healthy
    # 0.01-0.08 g.
    published = {600.0: 0.07, 1800.0: 0.67, 3000.0: 2.09}
    for rpm, amplitude_g in published.items():
        accel, fs_hz, speed_hz = recording("adxl356_rig", "imbalance_very_heavy", speed_rpm=rpm)
        assert amplitude_g / 2 < line(accel, fs_hz, speed_hz)[0] < amplitude_g * 2
        accel, fs_hz, speed_hz = recording("adxl356_rig", speed_rpm=rpm)
        assert 0.001 < line(accel, fs_hz, speed_hz)[0] < 0.2


def test_rig_misalignment_is_broad_band_not_lines() -> None:
    # README: at 1800 rpm 1x of x 42 against 29 mg, the 1.5-6 kHz RMS 693 against 368 mg (x), 867 against 155 mg (z).
    healthy, fs_hz, speed_hz = recording("bearing_rig", sensor=ADXL356, speed_rpm=1800.0)
    crooked, _, _ = recording(
        "bearing_rig", "misalignment", sensor=ADXL356, speed_rpm=1800.0, offset_mm=0.6, angle_deg=0.6
    )
    growth = band_rms(crooked, fs_hz, 1500.0, 6000.0) / band_rms(healthy, fs_hz, 1500.0, 6000.0)
    assert (growth > 1.4).all()
    assert (growth < 6.0).all()
    for order in (1, 2):
        assert line(crooked, fs_hz, order * speed_hz)[0] < 0.1


@pytest.mark.parametrize(("kind", "order"), [("bearing_outer", 3.052), ("bearing_inner", 4.948)])
def test_rig_bearing_faults_raise_the_high_band_and_stand_in_the_envelope(kind: str, order: float) -> None:
    # README: 1.5-6 kHz RMS 1.3-12 times normal; peak over median at the order, heavy outer 11-33, inner 10-85.
    healthy, fs_hz, speed_hz = recording("bearing_rig", sensor=ADXL356, speed_rpm=1800.0)
    worn, _, _ = recording("bearing_rig", kind, sensor=ADXL356, speed_rpm=1800.0, defect_width_mm=1.5)
    growth = band_rms(worn, fs_hz, 1500.0, 6000.0) / band_rms(healthy, fs_hz, 1500.0, 6000.0)
    assert (growth > 1.3).all()
    assert (growth < 12.0).all()
    band_hz = (1500.0, 6000.0)
    assert 10.0 < envelope_prominence(worn, fs_hz, band_hz, order * speed_hz) < 300.0
    assert envelope_prominence(healthy, fs_hz, band_hz, order * speed_hz) < 6.0


def test_rig_shows_the_fault_in_the_band_of_the_imu() -> None:
    fault, fs_hz, speed_hz = recording("bearing_rig", "bearing_outer", speed_rpm=1800.0, defect_width_mm=1.5)
    healthy, _, _ = recording("bearing_rig", speed_rpm=1800.0)
    at_hz = scenario("bearing_rig").machine.bearings["drive_end"].build().bpfo_order * speed_hz
    assert envelope_prominence(fault, fs_hz, (300.0, 1500.0), at_hz) > 8.0
    assert envelope_prominence(healthy, fs_hz, (300.0, 1500.0), at_hz) < 6.0


def test_cwru_levels() -> None:
    # Of the published recordings at the drive end: healthy RMS 0.07 g, faults of 0.021 in 0.2-0.6 g but for balls.
    name, size_mm = "cwru_motor_12khz", 0.533
    healthy, fs_hz, speed_hz = recording(name, load=0.0)
    assert speed_hz * 60.0 == pytest.approx(1797.0, abs=1.0)
    rms = band_rms(healthy, fs_hz, 5.0, 6000.0)[1]
    assert 0.07 / 3 < rms < 0.07 * 3
    for kind, order in (("bearing_outer", 3.585), ("bearing_inner", 5.415)):
        faulty, _, _ = recording(name, kind, load=0.0, defect_width_mm=size_mm)
        assert 0.2 / 2 < band_rms(faulty, fs_hz, 5.0, 6000.0)[1] < 0.6 * 2
        # README of cwru_12k: envelope peak over median 15-168 (inner), 3-443 (outer).
        assert envelope_prominence(faulty, fs_hz, (2000.0, 4500.0), order * speed_hz) > 10.0


def test_cwru_speed_falls_with_load() -> None:
    # CWRU: 1797 rpm unloaded to 1720 rpm at 3 hp, one and a half times the rated 2 hp.
    for load_share, rpm in ((0.0, 1797.0), (0.5, 1772.0), (1.0, 1750.0), (1.5, 1720.0)):
        assert recording("cwru_motor_12khz", load=load_share)[2] * 60.0 == pytest.approx(rpm, abs=5.0)


def test_desk_fan_levels() -> None:
    # README of ceiling_fan_msa301: RMS of x 9-40 mg, its strongest line twice the line frequency. README of uci_fan: 0.14-0.22
    # g balanced and 1.2-2.2 g with weights on the blades, on a 12 cm fan that weighs a tenth of this one.
    for number in range(3):
        healthy, fs_hz, _ = recording("desk_fan", number=number, speed_rpm=1300.0)
        rms = band_rms(healthy, fs_hz, 5.0, 800.0)
        assert 0.009 < rms.max() < 0.22
        assert line(healthy, fs_hz, 100.0).max() > 1e-3
        heavy, _, _ = recording("desk_fan", "imbalance", number=number, speed_rpm=1300.0, unbalance_g_mm=1000.0)
        assert band_rms(heavy, fs_hz, 5.0, 800.0)[:2].min() > 0.2
        assert band_rms(heavy, fs_hz, 5.0, 800.0).max() < 2.2


def test_industrial_fan_velocity() -> None:
    # ISO 20816-3, group 2 on a flexible support: new machines below 2.3 mm/s, alarm from 4.5, trip from 7.1.
    for number in range(3):
        healthy, fs_hz, _ = recording("industrial_axial_fan", number=number, speed_rpm=1500.0, load=0.8)
        assert 0.5 < velocity_rms_mm_s(healthy, fs_hz).max() < 2.8
        unbalanced, _, _ = recording(
            "industrial_axial_fan", "imbalance", number=number, speed_rpm=1500.0, load=0.8, unbalance_g_mm=15000.0
        )
        assert velocity_rms_mm_s(unbalanced, fs_hz)[:2].min() > 4.5
        assert velocity_rms_mm_s(unbalanced, fs_hz).max() < 15.0


def test_run_up_swells_at_the_critical_speed() -> None:
    # ISO 7919/20816 practice, and Jeffcott: 1x at resonance is 1 / (2 zeta) = 17 times the rigid rotor's, beyond it falls.
    realised = realise(scenario("run_up"), 3, "run_up", 0)
    amplitude = []
    for time_s in (12.0, 3.0 + 25.0 * 5200.0 / 6000.0, 31.0):  # 2160, 5200, 6000 rpm
        twin = Twin(realised, 3, captures=[(time_s - 0.1, 0.2)])
        counts = samples_of(twin, 600)[0]
        amplitude.append(float((counts * twin.sensors[0].scale)[:, 0].std()))
    assert amplitude[1] > 2.0 * amplitude[2] > 10.0 * amplitude[0]
