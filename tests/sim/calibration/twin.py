"""A machine whose every figure is known, and its simulated healthy recordings."""

from typing import Any

import numpy as np

from sim.dataset.real import RealRecording
from sim.drive import Operation
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec
from sim.twin import Twin
from tests.sim import rig

RATE_HZ = 5000.0
NOISE_G = 300e-6
"""Density of the sensor's white noise, g/sqrt(Hz): above the rolling noise between the modes' top and the band's end."""
UNBALANCE_G_MM = 400.0
MODES = ((300.0, 0.04), (800.0, 0.03), (1250.0, 0.025))
"""Frequency (Hz) and damping ratio of those within the band."""
SPEEDS_RPM = (1200.0, 1800.0, 2400.0)


def machine(**parts: Any) -> Any:
    """Suspended at 12 Hz, three modes of its housing, noisy bearings, some unbalance."""
    shapes = (
        {"drive_end": [0.9, 0.6, 0.3], "non_drive_end": [0.5, 0.3, 0.2], "casing": [0.3, 0.2, 0.1]},
        {"drive_end": [0.5, -0.9, 0.4], "non_drive_end": [0.2, -0.4, 0.2], "casing": [0.1, -0.2, 0.1]},
        {"drive_end": [0.6, 0.5, 0.9], "non_drive_end": [0.2, 0.2, 0.3], "casing": [0.1, 0.1, 0.2]},
    )
    rocking = {"drive_end": [1, 0.2, 0.1], "non_drive_end": [0.9, 0.2, 0.1], "casing": [0.9, 0.2, 0.1]}
    bouncing = {"drive_end": [0.2, 1, 0.1], "non_drive_end": [0.2, 0.9, 0.1], "casing": [0.2, 0.9, 0.1]}
    modes = [
        {"frequency_hz": 9, "damping_ratio": 0.1, "modal_mass_kg": 15, "shape": rocking},
        {"frequency_hz": 12, "damping_ratio": 0.1, "modal_mass_kg": 15, "shape": bouncing},
        *(
            {"frequency_hz": hz, "damping_ratio": damping, "modal_mass_kg": 3, "shape": shape}
            for (hz, damping), shape in zip(MODES, shapes, strict=True)
        ),
    ]
    described: dict[str, Any] = {
        "id": "known",
        "rotor": {"residual_unbalance_g_mm": UNBALANCE_G_MM},
        "bearings": {
            "drive_end": {"designation": "6205-2RS", "noise_n": 3.0},
            "non_drive_end": {"designation": "6203-2RS", "noise_n": 1.5},
        },
        "structure": {"modes": modes},
    }
    return rig.machine(**{**described, **parts})


def scenario(of: Any, speed_rpm: float = 1800.0) -> Scenario:
    """At a steady speed, with a sensor whose noise is known."""
    sensor = ImuSpec(
        id="imu",
        device="ideal",
        odr_hz=RATE_HZ,
        range_g=8,
        specimen="nominal",
        accel_noise_ug_per_sqrt_hz=1e6 * NOISE_G,
    )
    return rig.scenario(of, sensors=[sensor], operation=Operation(speed_rpm=speed_rpm, ripple_pct=0.0, wander_pct=0.0))


def recording(of: Scenario, seconds: float = 6.0, seed: int = 1, **keys: Any) -> RealRecording:
    """What the first sensor of a realised scenario hears from 1 s on."""
    twin = Twin(of, seed, captures=[(1.0, seconds)])
    counts = np.concatenate([chunk.samples[0] for chunk in twin.capture(twin.timeline.captures[0])])
    sensor, rpm = of.sensors[0], of.operation.plan()[0].speed_rpm
    described = {"id": f"{rpm:.0f}", "label": "normal", "fault_kind": "normal", "speed_rpm": rpm, **keys}
    return RealRecording(sensor.to_units(counts), sensor.channel_names, sensor.odr_hz, **described)


def recordings(of: Any, speeds_rpm: tuple[float, ...] = SPEEDS_RPM) -> list[RealRecording]:
    """One at each speed, with noise of its own."""
    return [recording(scenario(of, rpm), seed=number) for number, rpm in enumerate(speeds_rpm, 1)]
