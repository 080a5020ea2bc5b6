"""The electric motor: twice line frequency and its pole-pass sidebands; slip under load."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from sim.effect import Array, Block, Part, Site
from sim.scenario.quantity import Quantity
from sim.waveforms import add_tone, cosine

_DIRECTION = np.array([0.5, 1.0, 0.0])


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

    Give the synchronous speed, line frequency / pole pairs, as the plan's speed to have pole-pass sidebands where they are.
    """
    twice_line_n: Annotated[float, Quantity(ge=0, le=1e6)] = 0.0
    """Amplitude of the vertical force at twice the line frequency; half of it acts horizontally."""
    pole_pass_pct: Annotated[float, Quantity(ge=0, le=100)] = 5.0
    """Modulation of that force at the pole-pass frequency (slip frequency times poles), as an uneven rotor causes."""

    def stream(self, site: Site) -> MotorStream:
        """Start with random phases."""
        return MotorStream(self, site)


class MotorStream:
    """Running `Motor`."""

    def __init__(self, motor: Motor, site: Site) -> None:
        self._motor = motor
        self._phase, self._pass_phase = site.rng("phase").uniform(0.0, 2.0 * math.pi, 2)

    def add(self, block: Block) -> None:
        """Add the magnetic force to the casing."""
        motor = self._motor
        if motor.twice_line_n == 0.0:
            return
        line = 2.0 * math.pi * motor.line_frequency_hz
        # Pole-pass frequency = slip in turns a second x poles: its phase, 2 (w_line t - p theta), is a function of time
        # and angle. Beyond 10 % of slip the motor starts up or is fed otherwise (inverter); there the sidebands have no
        # meaning, and by 20 % they have faded out.
        slip = np.abs(1.0 - block.speed_rad_s * (motor.pole_pairs / line))
        running: Array = np.clip(2.0 - 10.0 * slip, 0.0, 1.0)
        sway = cosine(2.0 * line * block.time_s - 2.0 * motor.pole_pairs * block.angle_rad + self._pass_phase)
        amplitude = 1.0 + running * block.load * (motor.pole_pass_pct / 100.0) * sway
        amplitude *= (block.speed_rad_s > 0.0) * motor.twice_line_n
        # Mostly vertical, as the stator's feet let it move.
        add_tone(block.force("casing"), amplitude, 2.0 * line * block.time_s + self._phase, _DIRECTION)
