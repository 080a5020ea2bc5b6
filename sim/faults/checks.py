"""Contract checks that every machine fault gets for free: `check_fault(cls)` raises AssertionError where one is broken.

A new fault class needs no tests of its own for any of this; what it needs are tests of its physics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np

from sim import twin as engine
from sim.drive import Operation
from sim.effect import Array
from sim.faults.base import Fault, Label
from sim.machine.machine import Machine
from sim.scenario.schema import Scenario
from sim.sensors.imu import ImuSpec

_GRID = 6 * 1024
_SENSOR = ImuSpec(id="check", odr_hz=3332, specimen="nominal")

PLAIN_MACHINE: dict[str, object] = {
    "id": "check",
    "rated_speed_rpm": 1800,
    "rotor": {"mass_kg": 5, "bearing_span_m": 0.4, "critical_speed_rpm": 6000, "residual_unbalance_g_mm": 20},
    "bearings": {"drive_end": {"designation": "6205-2RS"}, "non_drive_end": {"designation": "6203-2RS"}},
    "coupling": {"radial_stiffness_n_per_m": 1e5, "angular_stiffness_nm_per_rad": 100},
    "fan": {"blades": 7, "tip_radius_mm": 200, "blade_pass_n": 1, "flow_noise_n": 0.5},
    "motor": {"twice_line_n": 1},
    "structure": {
        "modes": [
            {
                "frequency_hz": 120,
                "damping_ratio": 0.1,
                "modal_mass_kg": 20,
                "shape": {"drive_end": [1, 0.8, 0.4], "non_drive_end": [0.9, 0.7, 0.3], "casing": [0.5, 0.5, 0.5]},
                "tilt_rad_per_m": {"drive_end": [1, 2, 3]},
            },
            {
                "frequency_hz": 1500,
                "damping_ratio": 0.05,
                "modal_mass_kg": 2,
                "shape": {"drive_end": [0.5, 1, 1], "non_drive_end": [0.1, 0.1, 0.1], "casing": [0.1, 0.2, 0.1]},
            },
        ]
    },
}
"""A machine with every part, for checks and tests."""


def check_fault(cls: type[Fault]) -> None:
    """Check the contract of a fault class on a machine that has every part.

    Stated (label, citation, limits, severity with unit), finite, deterministic by seed, independent of block cuts, off
    without trace before its onset and after its removal, additive to other faults, a force in newtons (twice the
    modal masses, half the motion), and with a severity in proportion to its parameter and its size.
    """
    for check in _CHECKS:
        check(cls)


def _fault(cls: type[Fault], **changes: object) -> Fault:
    return cls.model_validate({"kind": cls.model_fields["kind"].default, **cls.example, **changes})


def _motion(faults: list[Fault], seed: int = 1, scale_mass: float = 1.0) -> Array:
    """Acceleration and rate of the sensor's mount, (6, n), from half a second after the start."""
    machine = Machine.model_validate(PLAIN_MACHINE)
    modes = [m.model_copy(update={"modal_mass_kg": scale_mass * m.modal_mass_kg}) for m in machine.structure.modes]
    machine = machine.model_copy(update={"structure": machine.structure.model_copy(update={"modes": modes})})
    scenario = Scenario(
        name="check",
        machine=machine,
        operation=Operation(speed_rpm=1750.0),
        faults=faults,
        sensors=[_SENSOR],
    )
    run = engine.Twin(scenario, seed, captures=[(0.5, 1.0)])
    parts: list[Array] = []
    for first, _, points in run.motions(run.timeline.captures[0]):
        both = np.concatenate(points[0])
        parts.append(both[:, max(-first, 0) :])
        if sum(p.shape[1] for p in parts) >= _GRID:
            break
    return np.concatenate(parts, axis=1)[:, :_GRID]


def _stated(cls: type[Fault]) -> None:
    machine, fault = Machine.model_validate(PLAIN_MACHINE), _fault(cls)
    assert cls.label in get_args(Label), f"{cls.__name__}.label {cls.label!r} is not a machine state"
    assert cls.citation, f"{cls.__name__} states no source"
    assert cls.limits, f"{cls.__name__} states no limits"
    assert fault.requires(machine) is None, f"{cls.__name__}.requires refuses a machine that has every part"
    whole = fault.severity(machine, np.ones(1))
    assert whole.unit, f"{cls.__name__} has no unit of severity"
    assert np.isfinite(whole.value[0]), f"{cls.__name__} has no finite severity"
    assert whole.normalised[0] > 0.0, f"{cls.__name__} has no severity"


def _severity_scales(cls: type[Fault]) -> None:
    machine = Machine.model_validate(PLAIN_MACHINE)
    sizes = np.linspace(0.0, 1.0, 11)
    growing = _fault(cls).severity(machine, sizes)
    assert growing.value[0] == 0.0, f"{cls.__name__} has a severity at size 0"
    assert (np.diff(growing.normalised) > 0.0).all(), f"{cls.__name__}: severity does not grow with size"
    larger = _fault(cls, **{cls.severity_key: 2.0 * cls.example[cls.severity_key]})
    assert larger.severity_value(machine) > 1.9 * growing.value[-1], (
        f"{cls.__name__}: severity does not follow {cls.severity_key}"
    )


def _acts(cls: type[Fault]) -> None:
    with_fault = _motion([_fault(cls)])
    assert np.isfinite(with_fault).all(), f"{cls.__name__} gives values that are not finite"
    assert np.abs(with_fault - _motion([])).max() > 1e-6, f"{cls.__name__} does nothing"


def _deterministic(cls: type[Fault]) -> None:
    fault = _fault(cls)
    assert np.array_equal(_motion([fault]), _motion([fault])), f"{cls.__name__}: same seed, other values"
    assert not np.array_equal(_motion([fault], seed=1), _motion([fault], seed=2)), f"{cls.__name__} ignores the seed"


def _without_trace(cls: type[Fault]) -> None:
    healthy = _motion([])
    later = _motion([_fault(cls, onset_s=1e4)])
    assert np.array_equal(later, healthy), f"{cls.__name__} leaves a trace before its onset"
    # Removed before the capture: at most what was under way may ring on through the settling, and it is faded in.
    removed = _motion([_fault(cls, clear_s=0.01)])
    rest = np.abs(removed - healthy)[:, _GRID // 2 :].max()
    assert rest < 1e-6 * np.abs(healthy).max(), f"{cls.__name__} leaves a trace after its removal"


def _additive(cls: type[Fault]) -> None:
    other = _other(cls)
    alone = _motion([_fault(cls)]) - _motion([])
    beside = _motion([other, _fault(cls)]) - _motion([other])
    error = np.abs(alone - beside).max() / np.abs(alone).max()
    assert error < 1e-6, f"{cls.__name__} is not additive to {type(other).__name__}: relative difference {error:.1e}"


def _other(cls: type[Fault]) -> Fault:
    from sim.faults.imbalance import Imbalance
    from sim.faults.looseness import Looseness

    return _fault(Looseness if cls is Imbalance else Imbalance)


def _in_newtons(cls: type[Fault]) -> None:
    once = _motion([_fault(cls)]) - _motion([])
    heavy = _motion([_fault(cls)], scale_mass=2.0) - _motion([], scale_mass=2.0)
    error = np.abs(heavy - 0.5 * once).max() / np.abs(once).max()
    assert error < 1e-6, f"{cls.__name__}: on twice the mass the motion is not half (relative error {error:.1e})"


def _cut_invariant(cls: type[Fault]) -> None:
    block = engine.BLOCK
    reference = _motion([_fault(cls)])
    try:
        engine.BLOCK = 1000
        cut = _motion([_fault(cls)])
    finally:
        engine.BLOCK = block
    error = np.abs(cut - reference).max() / np.abs(reference).max()
    assert error < 1e-6, f"{cls.__name__} depends on how time is cut into blocks (relative difference {error:.1e})"


_CHECKS: tuple[Callable[[type[Fault]], None], ...] = (
    _stated,
    _severity_scales,
    _acts,
    _deterministic,
    _without_trace,
    _additive,
    _in_newtons,
    _cut_invariant,
)
