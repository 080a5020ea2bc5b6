"""The structure: modal transfer paths from every force point to every sensor, discretised exactly."""

from __future__ import annotations

import math
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from sim.effect import POINTS, Array, MountPoint
from sim.machine.modal_path import ModalPath
from sim.machine.oscillator import OscillatorBank
from sim.scenario.quantity import Quantity
from sim.scenario.spec import Spec

Direction = Annotated[tuple[float, float, float], Field(description="components along x, y, z")]

_ROWS = {point: slice(3 * i, 3 * i + 3) for i, point in enumerate(POINTS[1:])}


class Mode(Spec):
    """One mode of vibration: a frequency, a damping, and how much each point of the machine moves, and where to."""

    frequency_hz: Annotated[float, Quantity(gt=0, le=50000)]
    """Undamped natural frequency."""
    damping_ratio: Annotated[float, Quantity(ge=0.001, lt=1)] = 0.03
    """Damping as a fraction of critical."""
    modal_mass_kg: Annotated[float, Quantity(gt=0, le=1e6)]
    """Mass that moves with a shape value of 1."""
    shape: Annotated[dict[MountPoint, Direction], Field(min_length=1)]
    """Displacement of each point along x, y, z when the mode's coordinate is 1 (dimensionless)."""
    tilt_rad_per_m: dict[MountPoint, Direction] = {}
    """Rotation of each point about x, y, z when the mode's coordinate is 1 m: what a gyroscope there sees."""


class Structure(Spec):
    """Modes of housing, foot and frame. A point's acceleration is the sum over the modes."""

    modes: Annotated[list[Mode], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _known_points(self) -> Self:
        missing = [p for p in _ROWS if not any(p in mode.shape for mode in self.modes)]
        if missing:
            raise ValueError(f"no mode moves `{missing[0]}`: forces there would vanish; give some mode a shape for it")
        return self

    def shapes(self) -> Array:
        """(n_modes, 9) mode shapes at drive end, non-drive end, casing along x, y, z."""
        table = np.zeros((len(self.modes), 3 * len(_ROWS)))
        for row, mode in zip(table, self.modes, strict=True):
            for point, direction in mode.shape.items():
                row[_ROWS[point]] = direction
        return table

    def tilts(self, point: MountPoint) -> Array:
        """(n_modes, 3) rotation of `point` per unit of each mode's coordinate, rad/m."""
        return np.array([mode.tilt_rad_per_m.get(point, (0.0, 0.0, 0.0)) for mode in self.modes])

    def bank(self, dt_s: float) -> OscillatorBank:
        """The modes as oscillators on a grid of `dt_s`: modal forces (n_modes, n) in, velocity and acceleration out."""
        return OscillatorBank(
            2.0 * math.pi * np.array([mode.frequency_hz for mode in self.modes]),
            np.array([mode.damping_ratio for mode in self.modes]),
            np.array([mode.modal_mass_kg for mode in self.modes]),
            dt_s,
            outputs=("velocity", "acceleration"),
        )

    def settling_time_s(self, decay: float = 1e-2) -> float:
        """Time in which every free vibration has decayed to `decay` of its start."""
        rates = [2.0 * math.pi * mode.frequency_hz * mode.damping_ratio for mode in self.modes]
        return -math.log(decay) / min(rates)

    def frequency_response(self, frequency_hz: Array, force_point: str, sensor_point: str) -> Array:
        """Accelerance (m/s2 per N), complex (n, 3 sensor axes, 3 force axes), in closed form."""
        w = 2.0 * math.pi * frequency_hz[:, None]
        w0 = 2.0 * math.pi * np.array([mode.frequency_hz for mode in self.modes])
        zeta = np.array([mode.damping_ratio for mode in self.modes])
        mass = np.array([mode.modal_mass_kg for mode in self.modes])
        modal = -(w**2) / (mass * (w0**2 - w**2 + 2j * zeta * w0 * w))
        shapes = self.shapes()
        response: Array = np.einsum(
            "ma,fm,mb->fab", shapes[:, _ROWS[sensor_point]], modal, shapes[:, _ROWS[force_point]]
        )
        return response


class StructureStream:
    """The structure at work: forces in, motion of the sensors' mounting points out."""

    def __init__(self, structure: Structure, dt_s: float, points: list[MountPoint]) -> None:
        shapes = structure.shapes()
        at_points = np.concatenate([shapes[:, _ROWS[p]].T for p in points])
        tilts = np.concatenate([structure.tilts(p).T for p in points])
        self._path = ModalPath(structure.bank(dt_s), shapes, at_points, tilts)
        self._motion = np.empty((2, len(at_points), 0))

    def move(self, forces_n: Array) -> list[tuple[Array, Array]]:
        """Acceleration (m/s2) and angular rate (rad/s), (3, n) each, at every sensor point; good until the next block.

        Args:
            forces_n: (9, n) forces at drive end, non-drive end and casing along x, y, z.
        """
        if self._motion.shape[2] != forces_n.shape[1]:  # kept from block to block: new memory costs page faults
            self._motion = np.empty((*self._motion.shape[:2], forces_n.shape[1]))
        self._path.move(forces_n, self._motion)
        acceleration, rate = self._motion
        return [(acceleration[i : i + 3], rate[i : i + 3]) for i in range(0, len(acceleration), 3)]
