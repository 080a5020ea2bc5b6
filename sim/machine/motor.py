"""The electric motor: twice line frequency and its pole-pass sidebands; slip under load."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from numba import njit
from pydantic import Field

from sim.effect import Array, Block, Part, Site
from sim.scenario.quantity import Quantity
from sim.waveforms import cos_sin


class Motor(Part):
    """An induction motor's magnetic force on the casing."""

    citation: ClassVar[str] = "Finley, Hodowanec and Holter 2000, IEEE Trans. Ind. Appl. 36(5): vibration at 2x line"
    limits: ClassVar[str] = (
        "fed from the line: behind an inverter twice the line frequency would move with the speed; no rotor-bar or "
        "slot-passing lines, no torque transients; the force does not depend on the load"
    )

    line_frequency_hz: Annotated[float, Quantity(gt=0, le=1000)] = 50.0
    """Supply frequency."""
    pole_pairs: Annotated[int, Field(ge=1, le=24, strict=True)] = 2
    """Pairs of poles; with the slip they set the pole-pass frequency."""
    slip_pct: Annotated[float, Quantity(ge=0, le=20)] = 0.0
    """Slip at rated load: the shaft turns slower than the plan's speed by this share times the load.

    Give the synchronous speed, line frequency / pole pairs, as the plan's speed: so pole-pass sidebands come out right.
    """
    twice_line_n: Annotated[float, Quantity(ge=0, le=1e6)] = 0.0
    """Amplitude of the vertical force at twice the line frequency; half of it acts horizontally."""
    pole_pass_pct: Annotated[float, Quantity(ge=0, le=100)] = 5.0
    """Modulation of that force at the pole-pass frequency (slip frequency times poles), as an uneven rotor causes."""

    def stream(self, site: Site) -> MotorStream:
        """Start with random phases."""
        return MotorStream(self, site)


@njit(cache=True, error_model="numpy")
def _hum(
    out: Array, time_s: Array, angle_rad: Array, speed_rad_s: Array, load: Array, line: float, poles: float, depth: float,
    force_n: float, phase: float, pass_phase: float,
) -> None:  # fmt: skip
    """Add the force at twice the line (rad/s) to the first two rows of `out`, swaying at the pole-pass frequency.

    Pole-pass frequency = slip in turns a second x poles: its phase, 2 (w_line t - p theta), is a function of time and
    angle. Beyond 10 % of slip the motor starts up or is fed otherwise (inverter); there the sidebands have no meaning, and
    by 20 % they have faded out.
    """
    x, y, per_synchronous = out[0], out[1], 0.5 * poles / line
    for i in range(time_s.shape[0]):
        slip = abs(1.0 - speed_rad_s[i] * per_synchronous)
        running = min(max(2.0 - 10.0 * slip, 0.0), 1.0)
        sway = cos_sin(2.0 * line * time_s[i] - poles * angle_rad[i] + pass_phase)[0]
        energised = force_n if speed_rad_s[i] > 0.0 else 0.0
        force = energised * (1.0 + running * load[i] * depth * sway) * cos_sin(2.0 * line * time_s[i] + phase)[0]
        x[i] += 0.5 * force  # mostly vertical, as the stator's feet let it move
        y[i] += force


class MotorStream:
    """Running `Motor`."""

    def __init__(self, motor: Motor, site: Site) -> None:
        self._motor = motor
        self._phase, self._pass_phase = site.rng("phase").uniform(0.0, 2.0 * math.pi, 2)

    def add(self, block: Block) -> None:
        """Add the magnetic force to the casing."""
        motor = self._motor
        if motor.twice_line_n > 0.0:
            _hum(
                block.force("casing"), block.time_s, block.angle_rad, block.speed_rad_s, block.load,
                2.0 * math.pi * motor.line_frequency_hz, 2.0 * motor.pole_pairs, motor.pole_pass_pct / 100.0,
                motor.twice_line_n, self._phase, self._pass_phase,
            )  # fmt: skip
