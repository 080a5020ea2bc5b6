"""A silent machine on a test stand: each test turns on the one thing it looks at."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.drive import RPM, Operation
from sim.effect import POINTS, Block, Site, Stream
from sim.extent import Course, Extent, WorkClock
from sim.faults import Fault
from sim.machine.machine import Machine
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec
from sim.twin import Twin

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

SILENT: dict[str, Any] = {
    "id": "test-rig",
    "rated_speed_rpm": 1800,
    "rotor": {"mass_kg": 5, "bearing_span_m": 0.4},
    "bearings": {
        "drive_end": {"designation": "6205-2RS", "noise_n": 0},
        "non_drive_end": {"designation": "6203-2RS", "noise_n": 0},
    },
    "structure": {
        "modes": [
            {
                "frequency_hz": 90,
                "damping_ratio": 0.05,
                "modal_mass_kg": 20,
                "shape": {"drive_end": [1, 0.3, 0.1], "non_drive_end": [0.7, 0.2, 0.1], "casing": [0.5, 0.1, 0.2]},
                "tilt_rad_per_m": {"drive_end": [0.5, 1.5, 3.0]},
            },
            {
                "frequency_hz": 240,
                "damping_ratio": 0.04,
                "modal_mass_kg": 12,
                "shape": {"drive_end": [-0.2, 1, 0.2], "non_drive_end": [0.1, 0.8, -0.1], "casing": [0.1, 0.4, 0.3]},
                "tilt_rad_per_m": {"drive_end": [4.0, 0.2, -0.5]},
            },
            {
                "frequency_hz": 1500,
                "damping_ratio": 0.03,
                "modal_mass_kg": 3,
                "shape": {"drive_end": [0.5, 0.9, 1], "non_drive_end": [0.2, -0.3, 0.4], "casing": [0.1, 0.2, 0.3]},
            },
        ]
    },
}
"""No unbalance, no noise, no coupling, no fan, no motor; a rigid rotor."""

FULL = Extent(Course(), WorkClock(np.zeros(1), np.zeros(1)), always=True)
"""A fault at full size throughout."""


def machine(**parts: Any) -> Machine:
    """`SILENT` with keys changed or added, one level deep: `machine(rotor={"mass_kg": 3}, fan={...})`."""
    described = copy.deepcopy(SILENT)
    for name, part in parts.items():
        described[name] = {**described.get(name, {}), **part} if isinstance(part, Mapping) else part
    return Machine.model_validate(described)


def site(of: Machine, rate_hz: float = 20_000.0, seed: int = 1) -> Site:
    """Where an effect runs: place "test", recording 0."""
    return Site(of, 1.0 / rate_hz, seed, ("test", 0), ("test",))


def block(
    seconds: float,
    speed_rpm: float = 1800.0,
    load: float = 1.0,
    rate_hz: float = 20_000.0,
    angle_rad: Callable[[Array], tuple[Array, Array, Array]] | None = None,
) -> Block:
    """One block without forces; `angle_rad` gives angle, speed, acceleration over time instead of a constant speed."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    if angle_rad is None:
        speed = np.full_like(time_s, speed_rpm * RPM)
        motion = speed * time_s, speed, np.zeros_like(time_s)
    else:
        motion = angle_rad(time_s)
    along = time_s, 1.0 / rate_hz, *motion, np.full_like(time_s, load), np.cos(motion[0]), np.sin(motion[0])
    return Block(*along, forces_n=np.zeros((len(POINTS), 3, len(time_s))))


def add(stream: Stream, whole: Block, length: int = 8192) -> Block:
    """Let the stream add its forces to `whole` in blocks of `length`; the same block again."""
    signals = {f.name: v for f in fields(Block) if isinstance(v := getattr(whole, f.name), np.ndarray)}
    for start in range(0, whole.n, length):
        part = replace(whole, **{name: v[..., start : start + length].copy() for name, v in signals.items()})
        stream.add(part)
        whole.forces_n[..., start : start + length] = part.forces_n
    return whole


def run(stream: Stream, **conditions: Any) -> Block:
    """A block (see `block`) with the stream's forces."""
    return add(stream, block(**conditions))


def phasor(x: ArrayLike, phase_rad: Array) -> Complex:
    """Complex amplitude C of x (..., n) by least squares on Re(C exp(j phase)) + constant."""
    x = np.asarray(x, dtype=np.float64)
    basis = np.column_stack([np.cos(phase_rad), -np.sin(phase_rad), np.ones_like(phase_rad)])
    real, imag, _ = np.linalg.lstsq(basis, x.reshape(-1, x.shape[-1]).T)[0]
    return np.asarray((real + 1j * imag).reshape(x.shape[:-1]), dtype=np.complex128)


def scenario(of: Machine, faults: list[Fault] | None = None, **keys: Any) -> Scenario:
    """A scenario of this machine; by default one perfect sensor at the drive end, at 1800 rpm without any ripple."""
    described: dict[str, Any] = {
        "name": "test",
        "operation": steady(1800.0),
        "sensors": [ImuSpec(id="imu", device="ideal", odr_hz=5000.0, specimen="nominal")],
        "faults": faults or [],
    }
    return Scenario(machine=of, **{**described, **keys})


def steady(speed_rpm: float, **keys: Any) -> Operation:
    """A perfectly steady speed."""
    return Operation(**{"speed_rpm": speed_rpm, "ripple_pct": 0.0, "wander_pct": 0.0, **keys})


class Recorded:
    """Motion of the first sensor's mount, on the grid: time_s, angle_rad, speed_rad_s (n,), accel, rate (3, n)."""

    def __init__(
        self, of: Scenario, seconds: float, start_s: float = 1.0, seed: int = 1, class_name: str | None = None
    ):
        twin = Twin(of, seed, class_name=class_name, captures=[(start_s, seconds)])
        self.rate_hz = twin.grid_rate_hz
        wanted = round(seconds * twin.grid_rate_hz)
        parts: list[Array] = []
        have = 0
        for first, now, points in twin.motions(twin.timeline.captures[0]):
            rows = np.vstack([now.time_s, now.angle_rad, now.speed_rad_s, *points[0]])[:, max(-first, 0) :]
            parts.append(rows)
            have += rows.shape[1]
            if have >= wanted:
                break
        rows = np.concatenate(parts, axis=1)[:, :wanted]
        self.time_s, self.angle_rad, self.speed_rad_s = rows[:3]
        self.accel, self.rate = rows[3:6], rows[6:9]


def response(of: Machine, frequency_hz: float, forces_n: Mapping[str, ArrayLike]) -> Complex:
    """(3,) acceleration of the drive end to complex forces (3,) at points of the structure, all of one frequency."""
    at = np.array([frequency_hz])
    paths = {point: of.structure.frequency_response(at, point, "drive_end")[0] for point in forces_n}
    return np.asarray(sum(paths[point] @ np.asarray(force) for point, force in forces_n.items()), dtype=np.complex128)


def fault_site(of: Machine, fault: Fault, seed: int = 1) -> Site:
    """Where `Recorded` runs a fault: its random phases are those of this site."""
    return Site(of, 1.0, seed, ("test", 0)).at("fault", fault.name)
